//! What a model says about a GIL, and what becomes of it.

use gilsim::backend::{Backend, Simulated};
use gilsim::model::{self, GilRule, Loaded, Options, Source};
use gilsim::time::Span;
use gilsim::trace::{Ending, Nobody};

fn load(yaml: &str) -> Loaded {
    let source = Source { name: "gils.yaml".into(), text: format!("name: gils\n{yaml}") };
    model::load(&source, &Options::default()).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn warnings(yaml: &str) -> Vec<String> {
    load(yaml).warnings.iter().map(|finding| finding.message.clone()).collect()
}

/// A second of Python code is 100,000 checks of 10 us; alone, nothing can happen at any of them.
#[test]
fn a_thread_alone_under_ticks_makes_no_events() {
    let loaded = load("python: {version: \"2.7\"}\nthreads: {a: {do: [{cpu: 1s}]}}");
    let run = Simulated.run(&loaded.scenario, &mut Nobody).expect("a simulation cannot fail");
    assert_eq!(run.ending, Ending::Finished);
    assert!(run.events < 10, "{} events", run.events);
}

#[test]
fn a_check_comes_after_so_many_ticks_of_so_long() {
    let rule = |python: &str| load(&format!("python: {python}\nthreads: {{a: {{do: [{{cpu: 1s}}]}}}}")).scenario;
    let rule = |python: &str| rule(python).gils().values().next().expect("a GIL").rule;
    let ticks = |interval, ns| GilRule::Ticks { interval, tick: Span::from_ns(ns) };
    assert_eq!(rule("{version: \"2.7\"}"), ticks(100, 100));
    assert_eq!(rule("{version: \"2.7\", check_interval: 7, costs: {tick: 30ns}}"), ticks(7, 30));
    assert_eq!(rule("{version: \"3.2\"}"), GilRule::Cpython);
}

/// `sys.setswitchinterval` is for the GIL of its caller; that of a new interpreter begins with the default.
#[test]
fn an_own_interpreter_begins_with_the_default_interval() {
    let threads = "threads: {a: {do: [{cpu: 1s}]}, b: {interpreter: own, do: [{cpu: 1s}]}}";
    let scenario = load(&format!("python: {{switch_interval: 1ms}}\n{threads}")).scenario;
    let intervals: Vec<Span> = scenario.gils().values().map(|gil| gil.interval).collect();
    assert_eq!(intervals, [Span::from_ms(1), Span::from_ms(5)]);
}

#[test]
fn what_a_version_does_not_look_at_is_a_warning() {
    let of = |python: &str| warnings(&format!("python: {python}\nthreads: {{a: {{do: [{{cpu: 1s}}]}}}}"));
    assert_eq!(of("{version: \"2.7\", switch_interval: 1ms}"), ["Python 2.7 does not look at switch_interval"]);
    assert_eq!(of("{version: \"2.7\", gil: bfs}"), ["Python 2.7 does not look at gil"]);
    assert_eq!(of("{check_interval: 10}"), ["Python 3.13 does not look at check_interval"]);
    assert_eq!(of("{gil: bfs, next_holder: futex}"), ["this GIL has an order of its own among its waiters"]);
    assert_eq!(of("{gil: bfs}"), Vec::<String>::new());
}
