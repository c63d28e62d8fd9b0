//! How fast each export writes, and how much memory it takes: `cargo bench --bench exports [-- EVENTS FORMAT…]`.
//!
//! The records are those of twelve threads that pass one GIL around, five for each hand-off (request, drop, grant, two
//! changes of state), made on the fly; what is written is counted and thrown away. The time of making the records is
//! measured on its own and taken off. Of three runs the fastest counts. Peak memory is what the kernel says of the process;
//! it can be told apart by format only on Linux, where the mark can be set back.
//!
//! On 24 November 2026, two virtual cores that others used as well, 10,000,000 events (speedscope: 1,000,000):
//! ```text
//! format            bytes   B/event   ns/event       MB/s   memory KiB
//! csv           288111996      28.8       53.1        543          204
//! chrome       2076060827     207.6      150.8       1377            0
//! perfetto      538002683      53.8       96.0        561            0
//! speedscope     32713011      32.7       42.3        773         5428
//! ```
#![allow(clippy::disallowed_methods, reason = "a bench reads the wall clock")]

use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant as Clock};

use gilsim::ids::{CoreId, GilId, GroupId, IdVec, ProcId, ThreadId};
use gilsim::render::export::{Export, Settings, observer};
use gilsim::time::Instant;
use gilsim::trace::{Actor, Cast, Ending, GilAct, Nobody, Observer, Record, State, What, Why};

const THREADS: u32 = 12;

/// Counts what it is given.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += black_box(bytes).len() as u64;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn cast() -> Cast {
    let actor = |number: u32| Actor {
        process: ProcId(0),
        name: format!("waster-{}", number + 1),
        group: GroupId(0),
        daemon: false,
        on_start: false,
        gil: Some(GilId(0)),
        factor: (1, 1),
        affinity: None,
    };
    Cast {
        processes: ["main".to_string()].into_iter().collect(),
        process_groups: [None].into_iter().collect(),
        groups: ["waster".to_string()].into_iter().collect(),
        threads: (0..THREADS).map(actor).collect(),
        gils: ["main".to_string()].into_iter().collect(),
        locks: IdVec::new(),
        objects: IdVec::new(),
        spans: IdVec::new(),
        cores: [1, 1, 1, 1].into_iter().collect(),
        scale: 1,
    }
}

/// So many records into an observer.
fn records(events: u64, observer: &mut impl Observer) {
    let mut index = 0;
    let mut now = 0;
    let mut write = |now: u64, cause: Option<u64>, what: What| {
        observer.record(index, black_box(&Record { at: Instant::from_ns(now), what, cause }));
        index += 1;
        index - 1
    };
    let (gil, mut holder) = (GilId(0), ThreadId(0));
    let state = |thread, from, to, core: Option<CoreId>, why| What::State { thread, from: Some(from), to, core, why };
    for hand_off in 0..events / 5 {
        // Not too regular, so that numbers have all their digits.
        now += 5_000_000 + hand_off * 7919 % 1000;
        let next = ThreadId((holder.0 + 1) % THREADS);
        let core = Some(CoreId(next.0 % 4));
        let request = write(now, None, What::Gil { gil, thread: next, act: GilAct::Request });
        write(now, Some(request), What::Gil { gil, thread: holder, act: GilAct::Drop { forced: true } });
        let grant = write(now, None, What::Gil { gil, thread: next, act: GilAct::Grant { switched: true } });
        write(now, Some(grant), state(next, State::WantsGil, State::Python, core, Why::GilTaken));
        write(now, Some(grant), state(holder, State::Python, State::WantsGil, None, Why::GilLocked));
        holder = next;
    }
    write(now, None, What::End { ending: Ending::Horizon });
}

/// The peak of this process's memory in KiB since the mark was set back.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

fn set_peak_back() -> Option<u64> {
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    peak()
}

/// The time that this thread has spent on a core, so that a busy machine does not count; elsewhere than on Linux, time.
fn spent(since: Clock) -> Duration {
    let on_core = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_core = on_core.and_then(|text| text.split_ascii_whitespace().next()?.parse().ok());
    on_core.map_or(since.elapsed(), Duration::from_nanos)
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Clock::now();
    let before = spent(start);
    work();
    spent(start).saturating_sub(before)
}

fn main() {
    let events = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(1_000_000);
    let cast = cast();
    let making = timed(|| records(events, &mut Nobody));
    println!("{events} events; making them takes {:.1} ms", making.as_secs_f64() * 1e3);
    println!(
        "{:<12} {:>10} {:>9} {:>10} {:>10} {:>12}",
        "format", "bytes", "B/event", "ns/event", "MB/s", "memory KiB"
    );
    let named: Vec<Export> = std::env::args().filter_map(|arg| Export::from_word(&arg)).collect();
    for format in if named.is_empty() { Export::ALL } else { &named } {
        let before = set_peak_back();
        let mut written = 0;
        let mut run = || {
            timed(|| {
                let mut exporter = observer(*format, &cast, &Settings::default(), Counter(0));
                records(events, &mut exporter);
                written = exporter.finish().expect("counting cannot fail").0;
            })
        };
        let took = [run(), run(), run()].into_iter().min().unwrap_or_default();
        let took = took.saturating_sub(making).as_secs_f64();
        let memory = before.zip(peak()).map_or("?".to_string(), |(before, after)| (after - before).to_string());
        let (bytes, events) = (written as f64, events as f64);
        println!(
            "{:<12} {written:>10} {:>9.1} {:>10.1} {:>10.0} {memory:>12}",
            format.word(),
            bytes / events,
            took * 1e9 / events,
            bytes / took / 1e6,
        );
    }
}
