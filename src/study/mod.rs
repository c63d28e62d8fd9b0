//! Runs scenarios and their variants, and hands the results to pure rules: the floor that joins backend and analysis.

mod changes;
mod check;
mod diff;

pub use changes::{Change, changes};
pub use check::{Checked, Determinism, check};
pub use diff::{Told, both};
mod observed;
pub use observed::{observe, observe_simulated};
#[cfg(target_os = "linux")]
pub mod validate;

use crate::analysis::{Checker, Invariants, Lanes, Meter, Metrics, Outcome, Sketch, evaluate};
use crate::backend::{Backend, Simulated};
use crate::model::Scenario;
use crate::model::expect::Claim;
use crate::trace::{Cast, Digest, Observer};

/// Everything that is known of a run when it is over.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Who appears.
    pub cast: Cast,
    /// The numbers.
    pub metrics: Metrics,
    /// The picture.
    pub lanes: Lanes,
    /// What came of the nine invariants.
    pub invariants: Invariants,
    /// What came of the model's expectations.
    pub outcomes: Vec<Outcome>,
    /// Whether the model says that it ends in a deadlock.
    pub expects_deadlock: bool,
    /// The digest of the timeline.
    pub digest: Digest,
    /// How many events were handled.
    pub events: u64,
}

impl Simulation {
    /// Whether every expectation and every invariant holds.
    pub fn holds(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome.holds) && self.invariants.broken().next().is_none()
    }
}

/// The picture's columns; a view of fewer merges them.
const COLUMNS: u32 = 1000;

/// Simulates a scenario; `also` sees every record as it happens.
pub fn simulate<O: Observer>(scenario: &Scenario, also: O) -> Simulation {
    let cast = Cast::of(scenario);
    let (mut meter, mut sketch) = (Meter::new(&cast), Sketch::new(&cast, COLUMNS));
    let (mut checker, mut digest) = (Checker::new(&cast), Digest::default());
    let mut observer = (((&mut meter, &mut sketch), (&mut checker, &mut digest)), also);
    let Ok(run) = Simulated.run(scenario, &mut observer);
    let (metrics, lanes) = (meter.finish(), sketch.finish());
    let invariants = checker.finish(Some((&metrics, &lanes)));
    let outcomes = evaluate(&cast, &metrics, scenario.expectations());
    let expects_deadlock = scenario.expectations().iter().any(|expectation| expectation.claim == Claim::Deadlock(true));
    Simulation { cast, metrics, lanes, invariants, outcomes, expects_deadlock, digest, events: run.events }
}

/// The digest of a scenario: over everything that lowering made of the model, so that comments, the order of unrelated
/// keys and the spelling of durations do not enter.
pub fn scenario_digest(scenario: &Scenario) -> Digest {
    use std::fmt::Write;
    let mut digest = Digest::default();
    write!(digest, "{scenario:?}").expect("a digest takes everything");
    digest
}
