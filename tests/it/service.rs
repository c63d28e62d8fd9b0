//! What service owners ask: random branches, named stretches of work, open arrivals.

use gilsim::model::{self, Op, Options, Source};

use crate::common::{in_state, run, span};
use crate::errors::said;
use gilsim::trace::State;

fn ops(text: &str) -> Vec<Op> {
    let source = Source { name: "test.yaml".into(), text: text.into() };
    let loaded = model::load(&source, &Options::default()).unwrap_or_else(|errors| panic!("{errors:?}"));
    loaded.scenario.programs().values().next().expect("a program").ops.clone()
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
