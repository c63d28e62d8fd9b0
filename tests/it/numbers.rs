//! The numbers that gilsim must show, each with the arithmetic that anybody can check.

use crate::common::{finish, holds, in_state, median, run, span};
use gilsim::trace::{GilAct, State, What};

const TWELVE: &str = "
name: twelve
threads: {waster: {count: 12, do: [{cpu: 50ms}]}}
";

#[test]
fn twelve_threads() {
    let (simulation, _) = run(TWELVE, &[]);
    assert_eq!(simulation.metrics.makespan, span("600ms"));
    assert_eq!(simulation.metrics.max_in_python, 1);
    assert_eq!(simulation.metrics.all_gils().forced, 108);
    assert_eq!(simulation.metrics.all_gils().requests, 108);
    assert_eq!(simulation.metrics.all_gils().switches, 120);
    // Turns of 5 ms in a round of 60 ms: thread k ends its tenth turn at 9 × 60 + 5 k.
    for k in 1..=12 {
        assert_eq!(finish(&simulation, &format!("waster-{k}")), span(&format!("{}ms", 540 + 5 * k)));
    }
}

#[test]
fn more_cores_do_not_help_and_one_core_does_not_hurt() {
    for cores in [1, 2, 4, 64] {
        let (simulation, _) = run(TWELVE, &[&format!("machine.cores={cores}")]);
        assert_eq!(simulation.metrics.makespan, span("600ms"), "{cores} cores");
    }
}

#[test]
fn twelve_threads_of_100_ms() {
    let (simulation, _) = run(TWELVE, &["threads.waster.do.0.cpu=100ms"]);
    assert_eq!(simulation.metrics.makespan, span("1200ms"));
}

#[test]
fn twelve_processes() {
    let yaml = "
name: twelve processes
processes: {waster: {count: 12, do: [{cpu: 50ms}]}}
";
    for (cores, makespan) in [(4, "150ms"), (1, "600ms"), (12, "50ms")] {
        for queue in ["global", "per-core"] {
            let sets = [format!("machine.cores={cores}"), format!("machine.runqueue={queue}")];
            let (simulation, _) = run(yaml, &[&sets[0], &sets[1]]);
            assert_eq!(simulation.metrics.makespan, span(makespan), "{cores} cores, {queue}");
        }
    }
}

#[test]
fn two_threads_share_and_the_first_ends_late() {
    let (simulation, _) = run(
        "
name: two
threads: {a: {do: [{cpu: 50ms}]}, b: {do: [{cpu: 50ms}]}}
",
        &[],
    );
    assert_eq!((finish(&simulation, "a"), finish(&simulation, "b")), (span("95ms"), span("100ms")));
}

const BESIDE_A_HOG: &str = "
name: beside a hog
threads:
  server: {do: [{repeat: 20, do: [{io: 1ms}, {cpu: 100us}]}]}
  hog: {daemon: true, do: [{repeat: forever, do: [{cpu: 10ms}]}]}
run: {until: 1s}
";

#[test]
fn an_io_thread_beside_a_hog() {
    // An iteration: 1 ms I/O, one switch interval, 0.1 ms.
    for (interval, finished) in [("5ms", "122ms"), ("500us", "32ms"), ("1ms", "42ms"), ("10ms", "222ms")] {
        let (simulation, _) = run(BESIDE_A_HOG, &[&format!("python.switch_interval={interval}")]);
        assert_eq!(finish(&simulation, "server"), span(finished), "interval {interval}");
    }
    let (alone, _) = run(BESIDE_A_HOG, &["threads.hog.count=0"]);
    assert_eq!(finish(&alone, "server"), span("22ms"));
}

#[test]
fn eight_io_threads() {
    let (simulation, _) = run(
        "
name: io
threads: {download: {count: 8, do: [{repeat: 5, do: [{cpu: 1ms}, {io: 49ms}]}]}}
",
        &[],
    );
    assert_eq!(simulation.metrics.makespan, span("257ms"));
}

#[test]
fn native_code_with_and_without_the_gil() {
    let yaml = |step: &str| {
        format!(
            "
name: native
threads: {{c: {{count: 4, do: [{{repeat: 5, do: [{{cpu: 2ms}}, {{{step}: 18ms}}]}}]}}}}
"
        )
    };
    assert_eq!(run(&yaml("native"), &[]).0.metrics.makespan, span("106ms"));
    assert_eq!(run(&yaml("native_holding_gil"), &[]).0.metrics.makespan, span("400ms"));
}

#[test]
fn free_threading() {
    let sets = ["python.build=free-threaded", "python.costs.free_threading_factor=1.1"];
    assert_eq!(run(TWELVE, &sets).0.metrics.makespan, span("165ms"));
    assert_eq!(run(TWELVE, &[sets[0], sets[1], "machine.cores=1"]).0.metrics.makespan, span("660ms"));
}

#[test]
fn sub_interpreters() {
    let (simulation, _) = run(
        "
name: own
python: {costs: {interpreter_start: 10ms}}
threads: {worker: {count: 4, interpreter: own, do: [{cpu: 50ms}]}}
",
        &[],
    );
    assert_eq!(simulation.metrics.makespan, span("60ms"));
    assert_eq!(simulation.metrics.gils.len(), 4);
}

// ---------------------------------------------------------------------- the costs of Linux

const TWO_HOGS: &str = "
name: two hogs
machine: {cores: 2, profile: linux}
threads: {hog: {count: 2, do: [{repeat: forever, do: [{cpu: 10ms}]}]}}
run: {until: 2s}
";

/// Measured medians on a two-core KVM guest: 0.60, 1.09, 5.11, 50.1 ms. The same constants give all four:
/// 30 us until the other is back on its core, the interval, 50 us timer slack, 30 us to wake up and ask.
#[test]
fn turns_on_two_cores() {
    for (interval, measured) in [("500us", "600us"), ("1ms", "1090us"), ("5ms", "5110us"), ("50ms", "50100us")] {
        let (_, records) = run(TWO_HOGS, &[&format!("python.switch_interval={interval}")]);
        let found = median(holds(&records));
        let expected = span(interval) + span("110us");
        // The slack spreads by 5 us either way; the median of some 40 turns and more by far less.
        assert!(found.ns().abs_diff(expected.ns()) <= 3_000, "{found} for {expected}");
        let measured = span(measured);
        assert!(found.ns().abs_diff(measured.ns()) <= 50_000, "{found} for a measured {measured}");
    }
}

/// Measured on one core of the same machine (tick 4 ms): 3.96 ms for intervals of 0.1 and 1 ms, 7.97 ms for 5 ms, 52–56 ms
/// for 50 ms. The asker gets in at once, but who had to let go is back on the core at the next tick only, and begins its
/// own wait then: turns are whole ticks.
#[test]
fn turns_on_one_core_are_whole_ticks() {
    for (interval, turn) in [("100us", "4ms"), ("1ms", "4ms"), ("5ms", "8ms"), ("50ms", "52ms")] {
        let sets = ["machine.cores=1", &format!("python.switch_interval={interval}")];
        let (_, records) = run(TWO_HOGS, &sets);
        let grants: Vec<_> = records
            .iter()
            .filter(|record| matches!(record.what, What::Gil { act: GilAct::Grant { switched: true }, .. }))
            .map(|record| record.at)
            .collect();
        let turns = grants.windows(2).map(|pair| pair[1].since(pair[0])).collect();
        // Timers and wake-ups spread by some microseconds.
        let (found, turn) = (median(turns), span(turn));
        assert!(found.ns().abs_diff(turn.ns()) <= 10_000, "interval {interval}: {found} for {turn}");
    }
}

/// Measured: 5.14 … 5.28 ms beyond the 3 ms, on two cores and on one, never uniform between 0 and 5. On one core the
/// first wake-up of all is left out: nobody is owed anything yet, so it waits for the end of a slice.
#[test]
fn a_sleeper_beside_a_hog_oversleeps_by_one_interval_every_time() {
    for cores in [1, 2] {
        let (simulation, records) = run(
            &format!(
                "
name: sleeper
machine: {{cores: {cores}, profile: linux}}
threads:
  sleeper: {{do: [{{repeat: 50, do: [{{sleep: 3ms}}, {{cpu: 10us}}]}}]}}
  hog: {{daemon: true, do: [{{repeat: forever, do: [{{cpu: 10ms}}]}}]}}
"
            ),
            &[],
        );
        let sleeper = crate::common::thread(&simulation, "sleeper");
        let entered = |state| {
            let is =
                move |what: &What| matches!(what, What::State { thread, to, .. } if *thread == sleeper && *to == state);
            records.iter().filter(move |record| is(&record.what)).map(|record| record.at).collect::<Vec<_>>()
        };
        let (asleep, awake) = (entered(State::Sleep), entered(State::Python));
        assert_eq!(asleep.len(), 50);
        for (slept, ran) in asleep.iter().zip(awake).skip(usize::from(cores == 1)) {
            let over = ran.since(*slept) - span("3ms");
            assert!((span("5.1ms")..=span("5.3ms")).contains(&over), "{cores} cores: overslept by {over}");
        }
    }
}

/// Measured: 191 and 192 calls of `sleep(0)` a second beside a hog that keeps 97–99 % of the GIL.
#[test]
fn sleep_zero_costs_an_interval_and_instant_io_does_not() {
    let yaml = |step: &str| {
        format!(
            "
name: calls
machine: {{cores: 2, profile: linux}}
threads:
  caller: {{do: [{{repeat: 1000, do: [{{{step}: 0ms}}, {{cpu: 1us}}]}}]}}
  hog: {{daemon: true, do: [{{repeat: forever, do: [{{cpu: 10ms}}]}}]}}
"
        )
    };
    let (sleeping, _) = run(&yaml("sleep"), &[]);
    let calls = 1_000_000_000_000 / finish(&sleeping, "caller").ns();
    assert!((190..=195).contains(&calls), "{calls} calls a second");
    let (instant, _) = run(&yaml("io"), &[]);
    assert!(finish(&instant, "caller") < span("10ms"), "a barging caller waits once at most");
}

// ---------------------------------------------------------------------- what fair does and round robin does not

fn two_schedulers(yaml: &str, judge: impl Fn(&gilsim::study::Simulation) -> bool) {
    let fair = run(yaml, &["machine.scheduler=fair"]).0;
    let round_robin = run(yaml, &["machine.scheduler={round-robin: {quantum: 3ms}}"]).0;
    assert!(judge(&fair), "fair");
    assert!(!judge(&round_robin), "round robin should not");
}

/// The kernel's weights of nice 0 and 5 are 1024 and 335: 75.35 % and 24.65 %.
#[test]
fn fair_shares_by_nice() {
    let yaml = "
name: nice
machine: {cores: 1}
processes:
  polite: {runtime: native, nice: 5, do: [{repeat: forever, do: [{cpu: 1s}]}]}
  plain: {runtime: native, do: [{repeat: forever, do: [{cpu: 1s}]}]}
run: {until: 10s}
";
    two_schedulers(yaml, |simulation| {
        let expected = span("10s").ns() * 1024 / (1024 + 335);
        let slice = span("3ms").ns() * 1024 / 335;
        in_state(simulation, "plain", State::Native).ns().abs_diff(expected) <= slice
    });
}

/// A thread that slept is owed something: it runs at once, however short its sleep, and the hog waits.
#[test]
fn fair_preempts_for_a_thread_that_is_owed_something() {
    let yaml = "
name: wake-up preemption
machine: {cores: 1}
processes:
  sleeper: {runtime: native, do: [{repeat: 100, do: [{sleep: 5ms}, {cpu: 100us}]}]}
  hog: {runtime: native, daemon: true, do: [{repeat: forever, do: [{cpu: 1s}]}]}
";
    // 100 × 5.1 ms, and 1 ms more whenever it is owed nothing and waits until 6 ms after the hog began: that buys it a lag
    // of 0.5 ms, of which each run of 0.1 ms costs half of that, so it waits every eleventh time or so. Round robin lets it
    // wait every time: 100 × 6.1 ms.
    two_schedulers(yaml, |simulation| finish(simulation, "sleeper") <= span("521ms"));
}

/// What a thread is owed when it falls asleep it is still owed when it wakes. After 1 ms of work s is owed 1.33 ms (the others
/// have run for 3 ms each), sleeps from 7 to 17 ms, and stands before h1 (9 ms) and h2 (7 ms) with its 6: it waits for the
/// end of h2's slice at 19 ms and is done at 22. In round robin it stands behind h1 as well, and is done at 25.
#[test]
fn fair_pays_a_debt_back_after_a_sleep() {
    let yaml = "
name: lag
machine: {cores: 1}
processes:
  h1: {runtime: native, daemon: true, do: [{repeat: forever, do: [{cpu: 1s}]}]}
  h2: {runtime: native, daemon: true, do: [{repeat: forever, do: [{cpu: 1s}]}]}
  s: {runtime: native, do: [{cpu: 1ms}, {sleep: 10ms}, {cpu: 3ms}]}
";
    two_schedulers(yaml, |simulation| finish(simulation, "s") == span("22ms"));
}

/// After a sleep the lag is bounded: a thread does not get back all it did not use, at most about a slice.
#[test]
fn fair_remembers_a_lag_of_one_slice_at_most() {
    let yaml = "
name: lag
machine: {cores: 1}
processes:
  rested: {runtime: native, do: [{cpu: 3ms}, {sleep: 1s}, {cpu: 100ms}]}
  hog: {runtime: native, daemon: true, do: [{repeat: forever, do: [{cpu: 1s}]}]}
";
    // From 1 s on both share: 100 ms of work take 200 ms, give or take two slices. If the sleep were owed to it in full, it
    // would be 100 ms.
    let (simulation, _) = run(yaml, &[]);
    let after = finish(&simulation, "rested") - span("1s") - span("3ms");
    assert!(after.ns().abs_diff(span("200ms").ns()) <= span("6ms").ns(), "{after}");
}

// ---------------------------------------------------------------------- textbooks

/// Silberschatz, Galvin, Gagne: bursts of 24, 3 and 3 ms.
#[test]
fn silberschatz() {
    let yaml = |order: [u32; 3]| {
        format!(
            "
name: three bursts
machine: {{cores: 1, scheduler: fifo}}
processes:
  p1: {{runtime: native, do: [{{cpu: {}ms}}]}}
  p2: {{runtime: native, do: [{{cpu: {}ms}}]}}
  p3: {{runtime: native, do: [{{cpu: {}ms}}]}}
",
            order[0], order[1], order[2]
        )
    };
    let waits = |yaml: &str, sets: &[&str]| {
        let (simulation, _) = run(yaml, sets);
        ["p1", "p2", "p3"].map(|name| in_state(&simulation, name, State::Runnable).ns() / 1_000_000)
    };
    assert_eq!(waits(&yaml([24, 3, 3]), &[]), [0, 24, 27]); // 17 ms on average
    assert_eq!(waits(&yaml([3, 3, 24]), &[]), [0, 3, 6]); // 3 ms on average
    let quantum = "machine.scheduler={round-robin: {quantum: 4ms}}";
    assert_eq!(waits(&yaml([24, 3, 3]), &[quantum]), [6, 4, 7]); // 17/3 ms on average
}

/// Silberschatz's example of priorities (there 1 is the highest; here larger is): an average wait of 8.2 ms.
#[test]
fn priorities() {
    let yaml = "
name: priorities
machine: {cores: 1, scheduler: priority}
processes:
  p1: {runtime: native, priority: -3, do: [{cpu: 10ms}]}
  p2: {runtime: native, priority: -1, do: [{cpu: 1ms}]}
  p3: {runtime: native, priority: -4, do: [{cpu: 2ms}]}
  p4: {runtime: native, priority: -5, do: [{cpu: 1ms}]}
  p5: {runtime: native, priority: -2, do: [{cpu: 5ms}]}
";
    let (simulation, _) = run(yaml, &[]);
    let waits =
        ["p1", "p2", "p3", "p4", "p5"].map(|name| in_state(&simulation, name, State::Runnable).ns() / 1_000_000);
    assert_eq!(waits, [6, 0, 16, 18, 1]);
    assert_eq!(waits.iter().sum::<u64>() * 10 / 5, 82);
}

/// What each of so many equal hogs gets of 3 s, by share.
fn shares(hogs: u64, sets: &[&str]) -> Vec<f64> {
    let yaml = format!(
        "
name: hogs
machine: {{cores: 2, profile: linux}}
threads: {{w: {{count: {hogs}, daemon: true, do: [{{repeat: forever, do: [{{cpu: 5ms}}]}}]}}, m: {{do: [{{sleep: 3s}}]}}}}
"
    );
    let (simulation, _) = run(&yaml, sets);
    let ran = (1..=hogs).map(|n| in_state(&simulation, &format!("w-{n}"), State::Python).ns() as f64);
    let ran: Vec<f64> = ran.collect();
    let all: f64 = ran.iter().sum();
    ran.iter().map(|ran| ran / all).collect()
}

fn least(shares: &[f64]) -> f64 {
    shares.iter().copied().fold(1.0, f64::min)
}

fn most(shares: &[f64]) -> f64 {
    shares.iter().copied().fold(0.0, f64::max)
}

/// Jain's index: 1 = all the same, 1 / n = one has everything.
fn jain(shares: &[f64]) -> f64 {
    shares.iter().sum::<f64>().powi(2) / (shares.len() as f64 * shares.iter().map(|share| share * share).sum::<f64>())
}

/// No real machine passes a thread over for ever. Costs that never vary let threads fall into step, and then one of three
/// waiters always comes a moment too late: that is why the profile's timers and wake-ups spread.
#[test]
fn nobody_starves_where_timers_and_wake_ups_spread() {
    for hogs in 2..=8 {
        let shares = shares(hogs, &[]);
        assert!(least(&shares) > 0.75 / hogs as f64, "{hogs} hogs: {shares:?}");
    }
    let constant =
        ["machine.costs.timer_slack=50us", "machine.costs.wakeup={idle: 30us, busy: 1us}", "python.stolen_signals=0%"];
    assert!(least(&shares(4, &constant)) < 0.05, "constant costs: the spread is not needed any more");
}

/// The median of 11 seeds (one run of 3 s says little of the least share) lies among the values that were measured: CPython
/// 3.11, 3.12 and 3.13, runs of 2 to 4 s on the host that the profile comes from, with little else running. First in, first
/// out would give everybody the same: 1/4, and 0.0833 where 0.045 to 0.073 was measured for the least of twelve.
#[test]
fn hogs_share_as_unequally_as_they_do_in_reality() {
    type Among = (fn(&[f64]) -> f64, f64, f64);
    let measured: [(u64, [Among; 3]); 2] = [
        (4, [(least, 0.2229, 0.2406), (most, 0.2620, 0.2740), (jain, 0.9959, 0.9989)]),
        (12, [(least, 0.0445, 0.0725), (most, 0.0970, 0.1157), (jain, 0.9558, 0.9840)]),
    ];
    for (hogs, measured) in measured {
        let seeds = 1..=11;
        let runs: Vec<Vec<f64>> = seeds.map(|seed| shares(hogs, &[&format!("run.seed={seed}")])).collect();
        for (what, (of, low, high)) in ["least", "most", "Jain"].iter().zip(measured) {
            let mut values: Vec<f64> = runs.iter().map(|run| of(run)).collect();
            values.sort_by(f64::total_cmp);
            let found = values[values.len() / 2];
            assert!((low * 0.98..=high * 1.02).contains(&found), "{hogs} hogs, {what}: {found:.4}");
        }
    }
}

/// Four hogs, a core for each: the queue alone goes round, so hardly ever is anybody next but one. A stolen signal goes back
/// to the thread that has just let go.
#[test]
fn stolen_signals_go_back_to_who_asked() {
    let returns = |stolen: &str| {
        let yaml = format!(
            "{{name: four hogs, machine: {{cores: 4, profile: linux}}, python: {{stolen_signals: {stolen}}}, \
             run: {{until: 10s}}, threads: {{w: {{count: 4, do: [{{repeat: forever, do: [{{cpu: 5ms}}]}}]}}}}}}"
        );
        let (_, records) = run(&yaml, &[]);
        let grants = records.iter().filter_map(|record| match record.what {
            What::Gil { thread, act: GilAct::Grant { switched: true }, .. } => Some(thread.0),
            _ => None,
        });
        let turns: Vec<u32> = grants.collect();
        turns.windows(3).filter(|turn| turn[0] == turn[2]).count() as f64 / turns.len() as f64
    };
    assert!(returns("0%") < 0.01, "{}", returns("0%"));
    // 1,940 turns: a deviation of √(0.4 · 0.6 / 1940) = 1.1 %, times four; and one in twenty by the queue, which a stolen
    // signal has left in another order.
    assert!((0.356..0.494).contains(&returns("40%")), "{}", returns("40%"));
    assert!(returns("100%") > 0.95, "{}", returns("100%"));
}
