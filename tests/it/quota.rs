//! Quotas: the arithmetic of single pauses, and the law that no period has more than its budget.

use std::collections::BTreeMap;

use gilsim::ids::{ProcId, ThreadId};
use gilsim::study::Simulation;
use gilsim::time::Span;
use gilsim::trace::{Record, State, What, Why};

use crate::common::{finish, in_state, run, span};
use crate::errors::said;

fn native(quota: &str, steps: &str) -> String {
    format!("name: q\nprocesses: {{p: {{runtime: native, quota: {quota}, do: [{steps}]}}}}\n")
}

#[test]
fn half_a_core_takes_more_than_half_of_the_time_off() {
    let end = |quota: &str, steps: &str| finish(&run(&native(quota, steps), &[]).0, "p");
    // 50 ms in every 100 ms: 200 ms are done after 3 whole periods and 50 ms.
    assert_eq!(end("{cpu: 500m, period: 100ms}", "cpu: 200ms"), span("350ms"));
    assert_eq!(end("{cpu: 0.5, period: 20ms}", "cpu: 200ms"), span("390ms"));
    // What is not used is lost: 120 ms later the second period has its 50 ms, to 170 ms, and 10 ms are left.
    assert_eq!(end("{cpu: 500m}", "{sleep: 120ms}, {cpu: 60ms}"), span("210ms"));
    // Nobody runs at a border, and the next period is the one of the model's clock: 10 ms from 350 ms.
    assert_eq!(end("{cpu: 500m}", "{cpu: 40ms}, {sleep: 310ms}, {cpu: 60ms}"), span("410ms"));
    // Work that ends with the budget is not throttled, and a whole core is no limit for one thread.
    assert_eq!(end("{cpu: 500m}", "cpu: 50ms"), span("50ms"));
    assert_eq!(end("{cpu: 1}", "cpu: 1s"), span("1s"));
}

#[test]
fn periods_begin_with_the_process_and_every_member_has_its_own() {
    let yaml = "
name: members
processes:
  p: {count: 2, runtime: native, arrivals: {every: 30ms}, quota: {cpu: 500m}, do: [{cpu: 60ms}]}
";
    let (simulation, _) = run(yaml, &[]);
    assert_eq!((finish(&simulation, "p-1"), finish(&simulation, "p-2")), (span("110ms"), span("140ms")));
}

/// The holder keeps the GIL through the pause, and whoever wakes meanwhile waits for a core and not for the GIL.
#[test]
fn the_holder_is_throttled_with_its_gil() {
    let yaml = "
name: holder
processes:
  p:
    quota: {cpu: 500m}
    threads:
      hog: {do: [{cpu: 60ms}]}
      sleeper: {do: [{sleep: 70ms}, {cpu: 1ms}]}
";
    let (simulation, records) = run(yaml, &[]);
    // The sleeper needs the GIL to go to sleep, at 5 ms, and is back at 75 ms. The hog runs 50 ms, and 10 ms from 100 ms. The
    // sleeper has a core at 100 ms and the GIL after one switch interval.
    assert_eq!(in_state(&simulation, "hog", State::RunnableGil), span("50ms"));
    assert_eq!(in_state(&simulation, "sleeper", State::Runnable), span("25ms"));
    assert_eq!((finish(&simulation, "sleeper"), finish(&simulation, "hog")), (span("106ms"), span("111ms")));
    let throttled = |record: &&Record| matches!(record.what, What::State { why: Why::Throttled, .. });
    assert_eq!(records.iter().filter(throttled).count(), 1);
}

/// A wake-up that has begun is finished and owed: 1 ms of context switch when the budget is used up at 50 ms.
#[test]
fn overhead_that_has_begun_is_owed() {
    let yaml = "
name: owed
machine: {cores: 1, costs: {context_switch: 4ms}, scheduler: fifo}
processes:
  p: {runtime: native, quota: {cpu: 500m}, threads: {a: {do: [{cpu: 48ms}]}, b: {do: [{cpu: 10ms}]}}}
";
    let (simulation, _) = run(yaml, &[]);
    // a to 48 ms; the switch to b takes 4 ms, to 52 ms: 2 ms are owed. From 100 ms b runs at once.
    assert_eq!((finish(&simulation, "a"), finish(&simulation, "b")), (span("48ms"), span("110ms")));
    let third = run(&yaml.replace("cpu: 10ms", "cpu: 49ms"), &[]).0;
    // The second period has 48 ms for b, the third one the last.
    assert_eq!(finish(&third, "b"), span("201ms"));
}

#[test]
fn a_throttled_process_ends_like_any_other() {
    let yaml = "
name: end
processes:
  p:
    quota: {cpu: 500m}
    threads:
      daemon: {daemon: true, do: [{repeat: forever, do: [{native: 10ms}]}]}
      main: {do: [{sleep: 80ms}]}
run: {until: 90ms}
";
    let (simulation, _) = run(yaml, &[]);
    assert_eq!(simulation.metrics.ending_word(), "horizon", "main has no core to end on");
    let (simulation, _) = run(yaml, &["run.until=1s"]);
    assert_eq!(finish(&simulation, "main"), finish(&simulation, "daemon"));
}

#[test]
fn quotas_have_the_ranges_of_linux() {
    let head = |quota: &str| said(&native(quota, "cpu: 1ms"), None, &[]).lines().next().unwrap_or_default().to_owned();
    assert_eq!(head("{cpu: 10m}"), "");
    assert_eq!(head("{cpu: 9m}"), "m.yaml:2:47: error E105: a quota is from 1ms to 1000h in each period");
    assert_eq!(head("{cpu: 1, period: 2s}"), "m.yaml:2:58: error E105: a period is from 1ms to 1s");
    assert_eq!(head("{period: 10ms}"), "m.yaml:2:41: error E108: a quota needs cpu");
    assert_eq!(head("{cpu: half}"), "m.yaml:2:47: error E108: expected a decimal number, found \"half\"");
    assert_eq!(head("{cpu: -1m}"), "m.yaml:2:47: error E105: expected a number of at least 0, found -1");
}

// ------------------------------------------------------------------ the law

const RANDOM: &str = "
name: random
machine: {cores: 3}
processes:
  a:
    quota: {cpu: 700m, period: 10ms}
    threads:
      t:
        count: 3
        do:
          - repeat: 40
            do:
              - choose: [{do: [cpu: {exponential: 2ms}]}, {do: [native: {exponential: 3ms}]}, {do: [sleep: {exponential: 2ms}]}, {do: [io: 1ms]}]
  b:
    runtime: native
    quota: {cpu: 1.5, period: 7ms}
    threads: {t: {count: 3, do: [{repeat: 30, do: [{cpu: {exponential: 3ms}}, {sleep: {exponential: 1ms}}]}]}}
  c: {count: 2, do: [{repeat: 30, do: [{cpu: {exponential: 1ms}}, {io: {exponential: 1ms}}]}]}
";

/// Core time of a process in each of its periods, added up from the records alone.
fn used(simulation: &Simulation, records: &[Record], process: ProcId, period: u64) -> BTreeMap<u64, u64> {
    let mut used = BTreeMap::new();
    let mut since: BTreeMap<ThreadId, u64> = BTreeMap::new();
    for record in records {
        let What::State { thread, to, .. } = record.what else { continue };
        if simulation.cast.threads[thread].process != process {
            continue;
        }
        if let Some(mut from) = since.remove(&thread) {
            while from < record.at.ns() {
                let end = ((from / period + 1) * period).min(record.at.ns());
                *used.entry(from / period).or_default() += end - from;
                from = end;
            }
        }
        if to.on_core() {
            since.insert(thread, record.at.ns());
        }
    }
    used
}

#[test]
fn no_period_has_more_than_its_budget() {
    let ns = |text: &str| -> u64 { Span::ns(span(text)) };
    let mut full = 0;
    for seed in 1..=12 {
        for scheduler in ["fair", "fifo", "{round-robin: {quantum: 1ms}}", "priority"] {
            for queue in ["global", "per-core"] {
                let sets = [
                    format!("run.seed={seed}"),
                    format!("machine.scheduler={scheduler}"),
                    format!("machine.runqueue={queue}"),
                ];
                let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
                let (simulation, records) = run(RANDOM, &sets);
                assert_eq!(simulation.metrics.ending_word(), "finished");
                for (process, period, budget) in [(0, ns("10ms"), ns("7ms")), (1, ns("7ms"), ns("10500us"))] {
                    let used = used(&simulation, &records, ProcId(process), period);
                    let most = used.values().copied().max().unwrap_or_default();
                    // Three threads use three nanoseconds in one: the last two may be too many, and are owed.
                    assert!(most <= budget + 2, "{sets:?}: {most} of {budget}");
                    full += used.values().filter(|used| **used >= budget).count();
                }
            }
        }
    }
    assert!(full > 1000, "the budgets are used up: {full} times");
}

/// A budget that cannot be used up changes nothing.
#[test]
fn a_quota_of_all_cores_is_none() {
    let all = RANDOM.replace("700m", "3").replace("cpu: 1.5", "cpu: 3");
    let none = all.replace("    quota: {cpu: 3, period: 10ms}\n", "").replace("    quota: {cpu: 3, period: 7ms}\n", "");
    assert_ne!(all, none);
    assert_eq!(run(&all, &[]).1, run(&none, &[]).1);
}
