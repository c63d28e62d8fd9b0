//! What a simulation has to report.

use crate::render::Report;
use crate::study::Simulation;
use crate::trace::Facts;

/// The report of a simulation, without changes to compare it with and without hints.
pub fn report<'a>(simulation: &'a Simulation, facts: &'a Facts) -> Report<'a> {
    Report {
        facts,
        cast: &simulation.cast,
        metrics: &simulation.metrics,
        lanes: &simulation.lanes,
        outcomes: &simulation.outcomes,
        invariants: &simulation.invariants,
        changes: &[],
        hints: &[],
        events: simulation.events,
        digest: simulation.digest,
    }
}
