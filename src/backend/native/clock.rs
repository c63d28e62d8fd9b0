//! The two clocks of a trial, and work whose amount they measure.

use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::backend::host::now;
use crate::time::Span;

/// Work between two readings of the clocks: also how long a holder may go on after somebody has asked for the GIL.
pub(super) const CHUNK: Span = Span::from_us(10);

/// The wall clock of a trial: nanoseconds since its time zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

impl Clock {
    /// A clock whose time zero is so long from now.
    pub fn starting_in(time: Duration) -> Clock {
        Clock(now() + time)
    }

    /// Nanoseconds since time zero; zero before it.
    pub fn now(self) -> u64 {
        now().saturating_duration_since(self.0).as_nanos() as u64
    }

    /// How long it is until an instant of this clock, also before time zero.
    pub fn until(self, at: u64) -> Duration {
        (self.0 + Duration::from_nanos(at)).saturating_duration_since(now())
    }
}

/// The calling thread's own core time in nanoseconds.
pub(in crate::backend) fn cpu_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Work of about so many nanoseconds of core time.
pub(in crate::backend) fn spin(ns: u64) {
    let rounds = ns * rounds_per_ms() / 1_000_000;
    black_box(work(rounds));
}

fn work(rounds: u64) -> u64 {
    let mut word = black_box(1u64);
    for _ in 0..rounds {
        word = black_box(word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
    word
}

/// Measured once: the best of nine, by the core-time clock, so that being preempted does not count.
fn rounds_per_ms() -> u64 {
    static RATE: OnceLock<u64> = OnceLock::new();
    *RATE.get_or_init(|| {
        const ROUNDS: u64 = 200_000;
        let once = || {
            let before = cpu_time();
            black_box(work(ROUNDS));
            (cpu_time() - before).max(1)
        };
        let best = (0..9).map(|_| once()).min().unwrap_or(1);
        (ROUNDS * 1_000_000 / best).max(1)
    })
}

/// How long the kernel has kept the calling thread in a run queue.
#[derive(Debug)]
pub(super) struct Queue {
    file: Option<std::fs::File>,
    seen: u64,
}

impl Queue {
    /// To be made by the thread itself.
    pub fn new() -> Queue {
        let mut queue = Queue { file: std::fs::File::open("/proc/thread-self/schedstat").ok(), seen: 0 };
        queue.since_last();
        queue
    }

    /// Nanoseconds in the run queue since the last call; zero where the kernel does not say.
    pub fn since_last(&mut self) -> u64 {
        let mut text = [0; 96];
        let size = self.file.as_ref().and_then(|file| file.read_at(&mut text, 0).ok()).unwrap_or(0);
        let text = std::str::from_utf8(&text[..size]).unwrap_or_default();
        let waited = text.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(self.seen);
        waited - std::mem::replace(&mut self.seen, waited).min(waited)
    }
}
