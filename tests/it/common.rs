//! What several tests need: models as text, simulated.

use gilsim::ids::ThreadId;
use gilsim::model::{self, Options, Source};
use gilsim::study::{Simulation, simulate};
use gilsim::time::Span;
use gilsim::trace::{Ending, GilAct, Record, State, What};

/// Loads and simulates a model with settings, and keeps its records.
pub fn run(yaml: &str, sets: &[&str]) -> (Simulation, Vec<Record>) {
    let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
    let options = Options { sets: &sets, ..Options::default() };
    let source = Source { name: "test.yaml".into(), text: yaml.into() };
    let loaded = model::load(&source, &options).unwrap_or_else(|errors| panic!("{errors:?}"));
    let mut records = Vec::new();
    let simulation = simulate(&loaded.scenario, &mut records);
    let broken: Vec<String> =
        simulation.invariants.broken().map(|(n, at, text)| format!("{n} at {at}: {text}")).collect();
    assert!(broken.is_empty(), "broken invariants: {broken:?}");
    (simulation, records)
}

/// A number with a unit: `600ms`.
pub fn span(text: &str) -> Span {
    model::duration(text).expect("a duration")
}

/// The finish of a thread.
pub fn finish(simulation: &Simulation, name: &str) -> Span {
    let thread = thread(simulation, name);
    let finish = simulation.metrics.threads[thread].finish.unwrap_or_else(|| panic!("{name} did not finish"));
    Span::from_ns(finish.ns())
}

/// A thread by its name.
pub fn thread(simulation: &Simulation, name: &str) -> ThreadId {
    let found = simulation.cast.select(name);
    assert_eq!(found.len(), 1, "threads called {name}");
    found[0]
}

/// How long a thread was in a state.
pub fn in_state(simulation: &Simulation, name: &str, state: State) -> Span {
    simulation.metrics.threads[thread(simulation, name)].states.of(state)
}

/// The lengths of all holds of GILs between a grant to another thread and the drop after it, in order.
pub fn holds(records: &[Record]) -> Vec<Span> {
    let mut began = None;
    let mut holds = Vec::new();
    for record in records {
        match record.what {
            What::Gil { act: GilAct::Grant { switched: true }, .. } => began = Some(record.at),
            What::Gil { act: GilAct::Drop { forced: true }, .. } => {
                holds.extend(began.take().map(|began| record.at.since(began)));
            }
            _ => {}
        }
    }
    holds
}

/// What shared objects held after each thing that happened to one of them.
pub fn values(records: &[Record]) -> Vec<i64> {
    let value = |record: &Record| match record.what {
        What::Object { value, .. } => Some(value),
        _ => None,
    };
    records.iter().filter_map(value).collect()
}

/// How a run ended that did not finish: who waited for what, or what was wrong.
pub fn detail(simulation: &Simulation) -> String {
    match simulation.metrics.ending.as_ref().expect("an ending") {
        Ending::Deadlock { cycle } => {
            let name = |thread| simulation.cast.threads[thread].name.clone();
            let waits = cycle.iter().map(|wait| format!("{} waits for {}", name(wait.thread), wait.what));
            waits.collect::<Vec<_>>().join(", ")
        }
        Ending::ModelError { code, detail, .. } => format!("{code} {detail}"),
        _ => String::new(),
    }
}

/// The middle value.
pub fn median(mut values: Vec<Span>) -> Span {
    values.sort();
    values[values.len() / 2]
}

/// Tests of real workers run one after another: they would take the cores from each other.
pub fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    // A test that failed has let go of it all the same.
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
