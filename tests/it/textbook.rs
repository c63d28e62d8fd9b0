//! The textbook policies against a second scheduler that was written from the rules alone, on thousands of random sets of
//! jobs; and single rules against timelines worked by hand.

mod reference;

use crate::common::{finish, run, span};
use crate::oracle::random::Random;
use reference::{Job, Outcome, Rule};

/// Random sets for each policy.
const CASES: u64 = 1000;

fn yaml(rule: &Rule, jobs: &[Job], until: u64) -> String {
    let scheduler = match rule {
        Rule::Sjf => "sjf".to_owned(),
        Rule::Stcf => "stcf".to_owned(),
        Rule::Edf => "edf".to_owned(),
        Rule::RateMonotonic => "rate-monotonic".to_owned(),
        Rule::Stride(quantum) => format!("{{stride: {{quantum: {quantum}ms}}}}"),
        Rule::Mlfq(levels, boost) => {
            let list = |of: fn(&(u64, u64)) -> u64| {
                levels.iter().map(|level| format!("{}ms", of(level))).collect::<Vec<_>>().join(", ")
            };
            let (quantum, allotment) = (list(|level| level.0), list(|level| level.1));
            format!("{{mlfq: {{quantum: [{quantum}], allotment: [{allotment}], boost: {boost}ms}}}}")
        }
    };
    let mut text = format!("name: case\nmachine: {{cores: 1, scheduler: {scheduler}}}\nrun: {{until: {until}ms}}\n");
    text.push_str("processes:\n");
    for (number, job) in jobs.iter().enumerate() {
        let periodic = job.periodic.map(|(period, deadline)| format!("period: {period}ms, deadline: {deadline}ms, "));
        let step = |(cpu, io): &(u64, u64)| {
            let io = if *io > 0 { format!(", io: {io}ms") } else { String::new() };
            format!("cpu: {cpu}ms{io}")
        };
        let steps: Vec<String> = job.bursts.iter().map(step).collect();
        text.push_str(&format!(
            "  j{number}: {{runtime: native, at: {}ms, tickets: {}, {}do: [{}]}}\n",
            job.arrival,
            job.tickets,
            periodic.unwrap_or_default(),
            steps.join(", ")
        ));
    }
    text
}

/// The same by the simulator.
fn simulated(text: &str) -> Vec<Outcome> {
    let (simulation, _) = run(text, &[]);
    let outcome = |thread: &gilsim::analysis::ThreadMetrics| {
        let turnarounds = thread.jobs.turnarounds.values();
        Outcome {
            finish: thread.finish.map(|at| at.ns() / 1_000_000),
            misses: thread.jobs.misses,
            turnarounds: turnarounds.flat_map(|(value, count)| vec![value.ns() / 1_000_000; count as usize]).collect(),
        }
    };
    simulation.metrics.threads.values().map(outcome).collect()
}

fn compare(rule: &Rule, jobs: &[Job], until: u64, seed: u64) {
    let text = yaml(rule, jobs, until);
    let mut expected = reference::run(rule, jobs, until);
    expected.iter_mut().for_each(|outcome| outcome.turnarounds.sort_unstable());
    assert_eq!(simulated(&text), expected, "seed {seed}:\n{text}");
}

/// Jobs with bursts and I/O. Small numbers make many ties.
fn interactive(random: &mut Random) -> Vec<Job> {
    let job = |random: &mut Random| {
        let arrival = if random.one_in(2) { 0 } else { random.within(0, 12) };
        let mut bursts: Vec<(u64, u64)> = Vec::new();
        for _ in 0..random.within(1, 4) {
            let io = if random.one_in(4) { 0 } else { random.within(1, 8) };
            bursts.push((random.within(1, 9), io));
        }
        bursts.last_mut().expect("a burst").1 = 0;
        Job { arrival, bursts, tickets: 1 << random.within(0, 6), periodic: None }
    };
    (0..random.within(1, 5)).map(|_| job(random)).collect()
}

fn periodic(random: &mut Random) -> Vec<Job> {
    let job = |random: &mut Random| {
        let period = random.within(4, 20);
        let deadline = if random.one_in(2) { period } else { random.within(2, 30) };
        let arrival = if random.one_in(2) { 0 } else { random.within(0, 9) };
        let bursts = vec![(random.within(1, 1 + period / 2), 0)];
        Job { arrival, bursts, tickets: 100, periodic: Some((period, deadline)) }
    };
    (0..random.within(1, 4)).map(|_| job(random)).collect()
}

#[test]
fn shortest_jobs_agree_with_the_reference() {
    for seed in 0..CASES {
        let jobs = interactive(&mut Random(seed));
        compare(&Rule::Sjf, &jobs, 300, seed);
        compare(&Rule::Stcf, &jobs, 300, seed);
    }
}

#[test]
fn feedback_queues_agree_with_the_reference() {
    for seed in 0..CASES {
        let mut random = Random(seed);
        let jobs = interactive(&mut random);
        let levels = (0..random.within(1, 4)).map(|_| {
            let quantum = random.within(1, 6);
            (quantum, if random.one_in(2) { quantum } else { random.within(1, 12) })
        });
        let levels = levels.collect();
        let boost = if random.one_in(2) { 0 } else { random.within(5, 40) };
        compare(&Rule::Mlfq(levels, boost), &jobs, 300, seed);
    }
}

#[test]
fn strides_agree_with_the_reference() {
    for seed in 0..CASES {
        let mut random = Random(seed);
        let jobs = interactive(&mut random);
        compare(&Rule::Stride(random.within(1, 6)), &jobs, 300, seed);
    }
}

#[test]
fn deadlines_agree_with_the_reference() {
    for seed in 0..CASES {
        let jobs = periodic(&mut Random(seed));
        compare(&Rule::Edf, &jobs, 200, seed);
        compare(&Rule::RateMonotonic, &jobs, 200, seed);
    }
}

/// Liu and Layland, 1973: on one core earliest deadline first meets all deadlines exactly when Σ C / T ≤ 1, where each job is
/// due at the end of its period and all begin together.
#[test]
fn earliest_deadline_first_meets_all_deadlines_up_to_a_full_core() {
    for seed in 0..CASES {
        let mut jobs = periodic(&mut Random(seed));
        for job in &mut jobs {
            job.arrival = 0;
            job.periodic = job.periodic.map(|(period, _)| (period, period));
        }
        let hyper = jobs.iter().filter_map(|job| job.periodic).fold(1, |all, (period, _)| lcm(all, period));
        if hyper > 3000 {
            continue;
        }
        let load: u64 = jobs.iter().map(|job| job.bursts[0].0 * hyper / job.periodic.expect("periodic").0).sum();
        let text = yaml(&Rule::Edf, &jobs, hyper);
        let misses: u64 = simulated(&text).iter().map(|outcome| outcome.misses).sum();
        assert_eq!(misses == 0, load <= hyper, "seed {seed}: {load} of {hyper}\n{text}");
    }
}

fn lcm(a: u64, b: u64) -> u64 {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

/// A random length is looked at before its step begins, for the comparison, and drawn then: under every policy each thread
/// does the same work.
#[test]
fn looking_ahead_changes_no_draws() {
    let text = "
name: draws
machine: {cores: 1, scheduler: fifo}
processes:
  p: {runtime: native, count: 4, do: [{repeat: 5, do: [cpu: {exponential: 3ms}, io: {exponential: 2ms}, native: {exponential: 1ms}]}]}
run: {seed: 7}
";
    let work = |scheduler: &str| {
        let (simulation, _) = run(text, &[&format!("machine.scheduler={scheduler}")]);
        simulation.metrics.threads.values().map(|thread| thread.work()).collect::<Vec<_>>()
    };
    let fifo = work("fifo");
    assert_eq!((work("sjf"), work("stcf")), (fifo.clone(), fifo));
}

/// Each core with a queue of its own has a stream of its own: two equal pairs do not win in step.
#[test]
fn lotteries_of_two_cores_are_independent() {
    let text = "
name: two lotteries
machine: {cores: 2, runqueue: per-core, scheduler: {lottery: {quantum: 1ms}}}
processes:
  a: {runtime: native, affinity: [0], do: [cpu: 1s]}
  b: {runtime: native, affinity: [0], do: [cpu: 1s]}
  c: {runtime: native, affinity: [1], do: [cpu: 1s]}
  d: {runtime: native, affinity: [1], do: [cpu: 1s]}
run: {until: 200ms, seed: 3}
";
    let (simulation, _) = run(text, &[]);
    let ran: Vec<_> = simulation.metrics.threads.values().map(|thread| thread.ran()).collect();
    assert_eq!((ran[0] + ran[1], ran[2] + ran[3]), (span("200ms"), span("200ms")));
    assert_ne!(ran[0], ran[2]);
}

/// Ageing with a quantum: after 30 ms of waiting the low thread has 3, more than 2; it keeps that for its quantum of 5 ms only.
#[test]
fn a_gained_priority_lasts_for_a_quantum() {
    let text = "
name: ageing
machine: {cores: 1, scheduler: {priority: {ageing: 10ms, quantum: 5ms}}}
processes:
  high: {runtime: native, priority: 2, do: [cpu: 100ms]}
  low: {runtime: native, priority: 0, do: [cpu: 20ms]}
";
    let (simulation, _) = run(text, &[]);
    // High from 0 to 30, low to 35, high to 65, low to 70, high to 100, low to 105, high until it has its 100 ms at 115.
    assert_eq!(finish(&simulation, "high"), span("115ms"));
    assert_eq!(finish(&simulation, "low"), span("120ms"));
}

/// Low holds a; mid holds b and waits for a; high waits for b. With inheritance low has the priority of high through both locks,
/// so that busy, which is between mid and high, cannot delay it: low until 10 ms, mid until 12, high until 13. When high gives
/// up waiting, busy gets the core at once.
#[test]
fn priorities_are_inherited_through_chains_of_locks() {
    let text = "
name: chain
machine: {cores: 1, scheduler: priority}
locks: {a: {protocol: inherit}, b: {protocol: inherit}}
processes:
  p:
    runtime: native
    threads:
      low: {priority: 1, do: [{with: a, do: [cpu: 10ms]}]}
      mid: {priority: 2, at: 1ms, do: [{with: b, do: [{with: a, do: [cpu: 2ms]}]}]}
      high: {priority: 4, at: 2ms, do: [{with: b, do: [cpu: 1ms]}]}
      busy: {priority: 3, at: 3ms, do: [cpu: 20ms]}
";
    let ends = |sets: &[&str]| {
        let (simulation, _) = run(text, sets);
        ["low", "mid", "high", "busy"].map(|name| finish(&simulation, name).to_string())
    };
    assert_eq!(ends(&[]), ["10ms", "12ms", "13ms", "33ms"]);
    // Low until 3, busy until 23, low the rest of its 10 ms until 30, mid until 32, high until 33.
    let none = ["locks.a.protocol=none", "locks.b.protocol=none"];
    assert_eq!(ends(&none), ["30ms", "32ms", "33ms", "23ms"]);
    let impatient = ["processes.p.threads.high.do=[{acquire: b, timeout: 4ms, else: []}]"];
    // Low until 6, from 2 on with the priority of high; busy until 26, low until 30, mid until 32.
    assert_eq!(ends(&impatient), ["30ms", "32ms", "6ms", "26ms"]);
}

/// The jobs of a Python thread: between two jobs it sleeps without the GIL.
#[test]
fn a_python_thread_has_jobs_too() {
    let text = "
name: periodic python
machine: {cores: 2, scheduler: edf}
threads:
  control: {period: 10ms, do: [cpu: 2ms]}
  cruncher: {do: [cpu: 30ms]}
run: {until: 40ms}
";
    let (simulation, _) = run(text, &[]);
    let control = &simulation.metrics.threads[crate::common::thread(&simulation, "control")];
    // From the second job on it waits for the GIL for one switch interval of 5 ms, and does 2 ms.
    assert_eq!(
        control.jobs.turnarounds.values().map(|(value, _)| value).collect::<Vec<_>>(),
        [span("2ms"), span("7ms")]
    );
    assert_eq!((control.jobs.released, control.jobs.finished, control.jobs.misses), (5, 4, 0));
}
