//! What service owners ask: random branches, named stretches of work, open arrivals.

use gilsim::analysis::ThreadMetrics;
use gilsim::model::{self, Op, Options, Scenario, Source};
use gilsim::render::{Facts, JsonLines};
use gilsim::store::Timeline;
use gilsim::study::Simulation;
use gilsim::trace::{Observer, Record, State, What};

use crate::common::{in_state, run, span};
use crate::errors::said;

fn scenario(text: &str) -> Scenario {
    let source = Source { name: "test.yaml".into(), text: text.into() };
    model::load(&source, &Options::default()).unwrap_or_else(|errors| panic!("{errors:?}")).scenario
}

fn ops(text: &str) -> Vec<Op> {
    scenario(text).programs().values().next().expect("a program").ops.clone()
}

#[test]
fn branches_are_flattened() {
    let choose = "choose: [{weight: 3, do: [io: 1ms]}, {do: [{repeat: 2, do: [show: threads]}]}, {weight: 0, do: []}]";
    let found = ops(&format!("name: x\nthreads: {{a: {{do: [{{{choose}}}, {{show: threads}}]}}}}\n"));
    let io = Op::Io { length: model::Length::Fixed(span("1ms")), device: None };
    let expected = [
        Op::Choose { cumulative: [3, 4, 4].into(), places: [1, 3, 7].into() },
        io,
        Op::Goto(8),
        Op::Repeat { times: Some(2), end: 6 },
        Op::Show,
        Op::Again { start: 4 },
        Op::Goto(8),
        Op::Goto(8),
        Op::Show,
    ];
    assert_eq!(found, expected);
}

const BRANCHES: &str = "
name: branches
threads:
  a:
    do:
      - repeat: 10000
        do:
          - choose:
              - {weight: 1, do: [io: 1ms]}
              - {weight: 2, do: [sleep: 1ms]}
              - {weight: 7, do: [native: 1ms]}
run: {seed: 5}
";

/// n draws of probability p: n·p ± 4·sqrt(n·p·(1 − p)), which a right sampler leaves once in 16,000 tries.
#[test]
fn branches_are_chosen_by_their_weights() {
    let (simulation, _) = run(BRANCHES, &[]);
    // 1000 ± 4·30, 2000 ± 4·40, 7000 ± 4·45.8
    for (state, low, high) in [(State::Io, 880, 1120), (State::Sleep, 1840, 2160), (State::Native, 6816, 7184)] {
        let times = in_state(&simulation, "a", state).ns() / span("1ms").ns();
        assert!((low..=high).contains(&times), "{state:?}: {times}");
    }
}

/// Branches have a stream of their own: neither another thread nor a random length shifts the choices.
#[test]
fn nobody_shifts_the_choices_of_another_one() {
    let io = |yaml: &str, sets: &[&str]| in_state(&run(yaml, sets).0, "a", State::Io);
    let alone = io(BRANCHES, &[]);
    let joined = BRANCHES.replace("threads:\n", "threads:\n  b: {do: [{choose: [{do: [io: 5ms]}]}]}\n");
    assert_eq!(io(&joined, &[]), alone);
    let random = "threads.a.do.0.do.0.choose.1.do.0.sleep={uniform: [1ms, 2ms]}";
    assert_eq!(io(BRANCHES, &[random]), alone);
    assert_ne!(io(BRANCHES, &["run.seed=6"]), alone);
}

#[test]
fn branches_that_cannot_be_chosen_are_refused() {
    let model = |choose: &str| format!("name: x\nrun: {{seed: 1}}\nthreads:\n  a:\n    do:\n    - choose: {choose}\n");
    let head = |choose: &str| said(&model(choose), None, &[]).lines().next().unwrap_or_default().to_owned();
    assert_eq!(head("[]"), "m.yaml:6:15: error E105: at least one branch is needed");
    assert_eq!(head("[{weight: 1}]"), "m.yaml:6:16: error E202: a branch needs its steps");
    let none = "m.yaml:6:15: error E105: the weights must sum to a number above 0 that fits 64 bits";
    assert_eq!(head("[{weight: 0, do: []}]"), none);
    assert_eq!(head("[{wait: 1, do: []}]"), "m.yaml:6:17: error E102: unknown key \"wait\"");
}

#[test]
fn loops_look_into_branches() {
    let model = |inside: &str| format!("name: x\nrun: {{seed: 1}}\nthreads:\n  a:\n    do:\n    - {inside}\n");
    let code = |inside: &str| {
        let text = said(&model(inside), None, &[]);
        text.split_once("error ").map_or("none", |(_, rest)| &rest[..4]).to_owned()
    };
    // A loop that may take time, and one that cannot: the branch that could is never chosen.
    let takes = "{choose: [{do: []}, {weight: WEIGHT, do: [cpu: 1ms]}]}";
    let endless = |weight| format!("{{repeat: forever, do: [{}]}}", takes.replace("WEIGHT", weight));
    assert_eq!(code(&endless("0")), "E301");
    assert!(said(&model(&endless("0")), None, &[]).contains("E302"));
    assert!(!said(&model(&endless("1")), None, &[]).contains("E302"));
    assert_eq!(code("{choose: [{do: []}, {do: [{repeat: forever, do: [cpu: 1ms]}]}]}"), "E301");
}

// ------------------------------------------------------------------ named stretches of work

/// The latencies of all stretches of a name, in milliseconds, ascending.
fn latencies(simulation: &Simulation, name: &str) -> Vec<u64> {
    let (id, _) = simulation.cast.spans.iter().find(|(_, each)| *each == name).expect("a span");
    let values = simulation.metrics.spans[id].latency.values();
    values.flat_map(|(took, count)| vec![took.ns() / 1_000_000; count as usize]).collect()
}

/// Boundaries with their times in milliseconds, in the order of the timeline.
fn boundaries(records: &[Record]) -> Vec<(u64, &'static str, u32)> {
    let boundary = |record: &Record| match record.what {
        What::Span { span, act, .. } => Some((record.at.ns() / 1_000_000, act.word(), span.0)),
        _ => None,
    };
    records.iter().filter_map(boundary).collect()
}

/// `b` holds the GIL from 0 to 10 ms, so `a`, which is back from its I/O at 2 ms, waits 5 ms for it. The inner stretch is
/// reached at 2 ms all the same, and the outer one has begun at the arrival, at 1 ms.
#[test]
fn stretches_begin_and_end_where_they_are_reached() {
    let yaml = "
name: reached
threads:
  b: {do: [{cpu: 10ms}]}
  a:
    at: 1ms
    do:
      - span: outer
        do:
          - io: 1ms
          - span: inner
            do: [{cpu: 1ms}, {io: 3ms}]
          - span: inner
            do: []
";
    let (simulation, records) = run(yaml, &["threads.b.do.0.cpu=100ms"]);
    // At 1 ms a waits for the GIL before it can begin its I/O: 6 ms. I/O to 7, the GIL at 12, 1 ms of work, I/O to 16.
    let expected = [(1, "begin", 0), (7, "begin", 1), (16, "end", 1), (16, "begin", 1), (16, "end", 1), (16, "end", 0)];
    assert_eq!(boundaries(&records), expected);
    assert_eq!((latencies(&simulation, "outer"), latencies(&simulation, "inner")), (vec![15], vec![0, 9]));
}

/// The same without a GIL and without a core: `a` is back at 1 ms, and has the core at 11 ms, when `b` is through.
#[test]
fn a_stretch_is_reached_without_a_core() {
    let yaml = "
name: reached
machine: {cores: 1, scheduler: fifo}
processes:
  p:
    runtime: native
    threads:
      a: {do: [{io: 1ms}, {span: request, do: [{cpu: 2ms}]}]}
      b: {do: [{cpu: 11ms}]}
";
    let (simulation, records) = run(yaml, &[]);
    assert_eq!(boundaries(&records), [(1, "begin", 0), (13, "end", 0)]);
    assert_eq!(latencies(&simulation, "request"), [12]);
}

#[test]
fn what_does_not_end_has_no_latency() {
    let yaml = "
name: cut
threads:
  a: {count: 2, do: [{repeat: 3, do: [{span: request, do: [{io: 4ms}]}]}]}
run: {until: 10ms}
expect:
  - count(request) == 4
  - throughput(request) == 400
  - latency(*) == 4ms
";
    let (simulation, _) = run(yaml, &[]);
    let span = &simulation.metrics.spans.values().as_slice()[0];
    assert_eq!((span.begun, span.count()), (6, 4));
    // 4 in 10 ms are 400 in a second.
    assert!(simulation.outcomes.iter().all(|outcome| outcome.holds), "{:?}", simulation.outcomes);
    let (none, _) = run(&yaml.replace("io: 4ms", "io: 40ms"), &[]);
    let values: Vec<&str> = none.outcomes.iter().map(|outcome| outcome.value.as_str()).collect();
    assert_eq!(values, ["0", "0", "no request has ended at the horizon"]);
}

#[test]
fn spans_have_names_and_metrics_know_them() {
    let model = |name: &str, expect: &str| {
        format!("name: x\nthreads: {{a: {{do: [{{span: {name}, do: []}}]}}}}\nexpect: [{expect}]\n")
    };
    let head =
        |name: &str, expect: &str| said(&model(name, expect), None, &[]).lines().next().unwrap_or_default().to_owned();
    assert_eq!(head("r", "count(r) == 1"), "");
    assert_eq!(head("a.b", "makespan == 0ms"), "m.yaml:2:27: error E109: \"a.b\" is not a usable name");
    assert_eq!(head("r", "latency(s) == 1ms"), "m.yaml:3:18: error E402: no span called \"s\"");
    assert_eq!(
        head("r", "count(core) == 5"),
        "m.yaml:3:16: error E402: no thread, process, gil or span called \"core\""
    );
    assert_eq!(
        head("r", "throughput(r) == 5ms"),
        "m.yaml:3:27: error E402: throughput is a number and is compared with a number"
    );
    let body = said("name: x\nthreads: {a: {do: [span: r]}}\n", None, &[]);
    assert!(body.starts_with("m.yaml:2:20: error E202: \"span\" needs the steps it encloses"), "{body}");
}

/// What is stored is read back as it was, and old timelines without spans still are.
#[test]
fn spans_are_stored() {
    let yaml = "name: x\nthreads: {a: {do: [{span: request, do: [{io: 4ms}]}]}}\n";
    let (simulation, records) = run(yaml, &[]);
    let facts = Facts::of(&scenario(yaml), "digest".into(), None, "streams");
    let mut lines = JsonLines::new(&simulation.cast, &facts, Vec::new());
    records.iter().enumerate().for_each(|(index, record)| lines.record(index as u64, record));
    let text = String::from_utf8(lines.finish().expect("a vector takes everything")).expect("text");
    let mut read: Vec<Record> = Vec::new();
    let mut timeline = Timeline::open(text.as_bytes()).expect("a header");
    assert_eq!(timeline.cast, simulation.cast);
    timeline.read(&mut read).expect("records");
    assert_eq!(read, records);
    let wrong = text.replace("\"act\": \"begin\"", "\"act\": \"open\"");
    let fault = Timeline::open(wrong.as_bytes()).expect("a header").read(&mut Vec::new()).expect_err("a fault");
    assert_eq!(fault.what, "\"act\" is \"open\"; allowed are begin, end");
}

// ------------------------------------------------------------------ open arrivals

/// A queue before one core: requests as threads of a native program, first come, first served.
fn queue(arrivals: &str, service: &str, count: u32) -> String {
    format!(
        "
name: queue
machine: {{cores: 1, scheduler: fifo}}
processes:
  server:
    runtime: native
    threads: {{r: {{count: {count}, arrivals: {arrivals}, do: [{{span: request, do: [{{cpu: {service}}}]}}]}}}}
run: {{seed: 1}}
"
    )
}

/// The response times of a run by Lindley's recursion, from the arrivals and the works alone: whoever comes begins when
/// it has come and everybody before it has gone.
fn lindley(simulation: &Simulation) -> Vec<u64> {
    let mut free = 0;
    let response = |thread: &ThreadMetrics| {
        let arrival = thread.arrival.expect("all arrive").ns();
        free = free.max(arrival) + thread.work().ns();
        free - arrival
    };
    let mut responses: Vec<u64> = simulation.metrics.threads.values().map(response).collect();
    responses.sort_unstable();
    responses
}

fn mean_ms(simulation: &Simulation) -> f64 {
    let latency = &simulation.metrics.spans.values().as_slice()[0].latency;
    latency.sum_ns() as f64 / latency.count() as f64 / 1e6
}

#[test]
fn every_response_is_lindleys() {
    for arrivals in ["{poisson: 80/s}", "{poisson: 120/s}", "{every: 10ms}"] {
        let (simulation, _) = run(&queue(arrivals, "{exponential: 10ms}", 300), &[]);
        let latency = &simulation.metrics.spans.values().as_slice()[0].latency;
        let found: Vec<u64> = latency.values().flat_map(|(took, count)| vec![took.ns(); count as usize]).collect();
        assert_eq!(found, lindley(&simulation), "{arrivals}");
    }
}

/// M/M/1: 1 / (μ − λ). The bound is four standard errors, from the spread of independent runs; that the first requests
/// find the queue empty is within it (the queue forgets its beginning after some 4 / μ (1 − √ρ)⁻² = 0.5 s of 16 s).
#[test]
fn mean_response_of_mm1() {
    let runs: Vec<f64> = (1..=20)
        .map(|seed| {
            mean_ms(&run(&queue("{poisson: 50/s}", "{exponential: 10ms}", 800), &[&format!("run.seed={seed}")]).0)
        })
        .collect();
    let n = runs.len() as f64;
    let mean = runs.iter().sum::<f64>() / n;
    let spread = (runs.iter().map(|run| (run - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let error = spread / n.sqrt();
    assert!(error < 1.0, "too few runs to tell: {error}");
    assert!((mean - 20.0).abs() <= 4.0 * error, "{mean} for 20, error {error}");
}

/// D/D/1: with 10 ms between arrivals, 8 ms of work never wait, and of 12 ms each waits 2 ms more than the one before.
#[test]
fn response_of_dd1() {
    let (calm, _) = run(&queue("{every: 10ms}", "8ms", 50), &[]);
    assert_eq!(latencies(&calm, "request"), vec![8; 50]);
    let (busy, _) = run(&queue("{every: 10ms}", "12ms", 50), &[]);
    assert_eq!(latencies(&busy, "request"), (0..50).map(|k| 12 + 2 * k).collect::<Vec<_>>());
}
