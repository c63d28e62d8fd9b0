//! What the operating system's own actions cost here.

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use crate::backend::calibrate::figure::Figure;
use crate::backend::host::now;
use crate::backend::native::{bind, clock::spin};

/// Round trips that make one value.
const BATCH: u32 = 50;
const BATCHES: usize = 60;

fn since(before: std::time::Instant) -> u64 {
    now().duration_since(before).as_nanos() as u64
}

/// One way of a ping-pong through two pipes between threads on two cores (which may be the same one).
pub(super) fn ping_pong(cores: [usize; 2], how: &'static str) -> Figure {
    let values = std::thread::scope(|scope| {
        let (ping, pong) = (pipe().ok()?, pipe().ok()?);
        scope.spawn(move || bind([cores[1]].into_iter()).is_ok() && echo(ping.0, pong.1));
        let asking = scope.spawn(move || bind([cores[0]].into_iter()).is_ok().then(|| ask(pong.0, ping.1)));
        asking.join().ok()?
    });
    Figure::new(values.unwrap_or_default(), how)
}

fn echo(mut from: PipeReader, mut to: PipeWriter) -> bool {
    let mut byte = [0];
    while from.read_exact(&mut byte).is_ok() && to.write_all(&byte).is_ok() {}
    true
}

fn ask(mut from: PipeReader, mut to: PipeWriter) -> Vec<u64> {
    let mut byte = [0];
    let mut values = Vec::with_capacity(BATCHES);
    for batch in 0..=BATCHES {
        let before = now();
        for _ in 0..BATCH {
            if to.write_all(&byte).and_then(|()| from.read_exact(&mut byte)).is_err() {
                return values;
            }
        }
        // The first one warms up.
        if batch > 0 {
            values.push(since(before) / u64::from(2 * BATCH));
        }
    }
    values
}

/// One way of a ping-pong through a condition variable between two threads on one core.
pub(super) fn condvar_ping_pong() -> Figure {
    let turn = (Mutex::new(false), Condvar::new());
    let rounds = BATCH as usize * (BATCHES + 1);
    let play = |mine: bool| {
        let _ = bind([0].into_iter());
        let mut values = Vec::new();
        let mut before = now();
        for round in 0..rounds {
            let guard = turn.0.lock().expect("nobody panics");
            let mut guard = turn.1.wait_while(guard, |turn| *turn != mine).expect("nobody panics");
            *guard = !mine;
            turn.1.notify_one();
            drop(guard);
            if (round + 1).is_multiple_of(BATCH as usize) {
                values.push(since(before) / u64::from(2 * BATCH));
                before = now();
            }
        }
        values
    };
    let values = std::thread::scope(|scope| {
        scope.spawn(|| play(true));
        scope.spawn(|| play(false)).join().unwrap_or_default()
    });
    Figure::new(values.into_iter().skip(1).collect(), "condition variable on one core, one way")
}

/// By how much a sleep is late.
pub(super) fn sleep_late(length: Duration, times: usize, how: &'static str) -> Figure {
    let once = || {
        let before = now();
        let request = rustix::thread::Timespec { tv_sec: 0, tv_nsec: length.as_nanos() as i64 };
        let _ = rustix::thread::nanosleep(&request);
        since(before).saturating_sub(length.as_nanos() as u64)
    };
    Figure::new((0..times).map(|_| once()).collect(), how)
}

/// By how much a timed wait for a condition is late.
pub(super) fn wait_late(length: Duration, times: usize, how: &'static str) -> Figure {
    let (mutex, cond) = (Mutex::new(()), Condvar::new());
    let once = || {
        let guard = mutex.lock().expect("nobody panics");
        let before = now();
        let (_guard, timed_out) = cond.wait_timeout(guard, length).expect("nobody panics");
        timed_out.timed_out().then(|| since(before).saturating_sub(length.as_nanos() as u64))
    };
    Figure::new((0..times).filter_map(|_| once()).collect(), how)
}

/// From spawning a thread to its first line.
pub(super) fn thread_start() -> Figure {
    let once = || {
        let before = now();
        std::thread::scope(|scope| scope.spawn(|| since(before)).join().unwrap_or_default())
    };
    Figure::new((0..60).map(|_| once()).collect(), "a thread of Rust, from spawn to its first line")
}

/// Pauses of two threads that compute on one core.
pub(super) fn turns_on_one_core() -> Figure {
    let play = || {
        if bind([0].into_iter()).is_err() {
            return Vec::new();
        }
        let began = now();
        let (mut last, mut pauses) = (0, Vec::new());
        while last < 400_000_000 {
            spin(5_000);
            let at = since(began);
            if at - last > 200_000 {
                pauses.push(at - last);
            }
            last = at;
        }
        pauses
    };
    let pauses = std::thread::scope(|scope| {
        let threads = [scope.spawn(play), scope.spawn(play)];
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    Figure::new(pauses, "how long each of two computing threads on one core waits for its turn")
}
