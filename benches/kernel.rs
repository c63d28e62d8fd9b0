//! How fast the kernel is, against a bare loop that only keeps the event queue of the same hand-offs, both in one run:
//! only the ratio travels between machines.
//!
//! `cargo bench --bench kernel`. The workload is twelve endless threads under one GIL on four cores, with costs for waking
//! up and switching, for 1000 simulated seconds; every waiter has its own timed wait.

use std::collections::BinaryHeap;
use std::hint::black_box;

use gilsim::backend::{Backend, Simulated};
use gilsim::model::{self, Options, Source};
use gilsim::trace::{Digest, Nobody};

const MODEL: &str = "
name: twelve endless threads
machine: {cores: 4, costs: {wakeup: 5us, context_switch: 2us}}
threads: {waster: {count: 12, do: [{repeat: forever, do: [{cpu: 1s}]}]}}
run: {until: 1000s, max_events: 1000000000}
";

/// The best of three runs, in nanoseconds.
fn best(mut run: impl FnMut()) -> u128 {
    let timed = (0..3).map(|_| {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures wall time")]
        let began = std::time::Instant::now();
        run();
        began.elapsed().as_nanos()
    });
    timed.min().expect("three runs")
}

/// So many timers in a heap, each re-armed when it fires.
fn bare(events: u64) {
    let mut heap: BinaryHeap<std::cmp::Reverse<u128>> = (0..12).map(std::cmp::Reverse).collect();
    for _ in 0..events {
        let std::cmp::Reverse(key) = heap.pop().expect("timers");
        heap.push(std::cmp::Reverse(key + (5_000_000 << 64)));
    }
    black_box(heap.len());
}

fn main() {
    let source = Source { name: "bench".into(), text: MODEL.into() };
    let loaded = model::load(&source, &Options::default()).expect("a model");
    let mut events = 0;
    let mut simulate = |watch: bool| {
        let mut digest = Digest::default();
        let run = if watch {
            Simulated.run(&loaded.scenario, &mut digest)
        } else {
            Simulated.run(&loaded.scenario, &mut Nobody)
        };
        let Ok(run) = run;
        events = run.events;
    };
    let alone = best(|| simulate(false));
    let watched = best(|| simulate(true));
    let loop_only = best(|| bare(events));
    let per_event = |ns: u128| ns as f64 / events as f64;
    println!("{events} events in 1000 simulated seconds");
    println!("kernel, nobody watches   {:7.1} ns an event", per_event(alone));
    println!("kernel, digest           {:7.1} ns an event", per_event(watched));
    println!("bare event queue         {:7.1} ns an event", per_event(loop_only));
    println!("kernel / bare queue      {:7.1}", alone as f64 / loop_only as f64);
}
