//! The engine's answer: the YAML of a case through the loader and the simulated backend, read off the records.

use gilsim::backend::{Backend, Simulated};
use gilsim::ids::IdVec;
use gilsim::model::{Options, Source};
use gilsim::time::Instant;
use gilsim::trace::{GilAct, Record, State, What};

use super::answer::{Answer, Counts, Finish};
use super::case::Case;
use super::ticks;

/// How the engine's answer differs from the oracle's, if it does.
pub fn difference(case: &Case) -> Option<String> {
    let (oracle, engine) = (ticks::run(case), engine(&case.yaml()));
    (oracle != engine).then(|| format!("oracle:\n{oracle}engine:\n{engine}"))
}

/// What the engine says about a model.
fn engine(yaml: &str) -> Answer {
    let source = Source { name: "oracle.yaml".to_string(), text: yaml.to_string() };
    let loaded = gilsim::model::load(&source, &Options::default())
        .unwrap_or_else(|findings| panic!("refused:\n{yaml}\n{findings:?}"));
    let mut records: Vec<Record> = Vec::new();
    Simulated.run(&loaded.scenario, &mut records).expect("a run");
    let threads = IdVec::filled(loaded.scenario.threads().len(), Life::default());
    let gils = IdVec::filled(loaded.scenario.gils().len(), Counts::default());
    read(&records, threads, gils)
}

/// A thread's life so far: what it has been doing since when.
#[derive(Clone, Default)]
struct Life {
    finish: Finish,
    now: Option<(Instant, State)>,
}

fn read(
    records: &[Record],
    mut lives: IdVec<gilsim::ids::ThreadId, Life>,
    mut gils: IdVec<gilsim::ids::GilId, Counts>,
) -> Answer {
    for record in records {
        match &record.what {
            What::State { thread, to, .. } => lives[*thread].turn(record.at, *to),
            What::Gil { gil, act, .. } => gils[*gil].count(*act),
            _ => {}
        }
    }
    let threads = lives.values().map(|life| life.finish.clone()).collect();
    Answer { threads, gils: gils.values().cloned().collect() }
}

impl Life {
    fn turn(&mut self, at: Instant, to: State) {
        if let Some((since, state)) = self.now.replace((at, to)) {
            self.finish.add(state, us(at) - us(since));
        }
        if to == State::Done {
            self.finish.at = Some(us(at));
        }
    }
}

impl Counts {
    fn count(&mut self, act: GilAct) {
        match act {
            GilAct::Request => self.requests += 1,
            GilAct::Grant { switched } => self.switches += u64::from(switched),
            GilAct::Drop { forced } => self.forced += u64::from(forced),
        }
    }
}

/// All times of these models are whole microseconds.
fn us(at: Instant) -> u64 {
    assert_eq!(at.ns() % 1000, 0, "an instant between two ticks");
    at.ns() / 1000
}
