//! What the commands that write a page have in common.

use crate::analysis::{Invariants, Verdict};
use crate::cli::output::Screen;
use crate::render::{self, Recording};
use crate::study::Told;

/// What a page says of a run that was told. Of a stored timeline nobody has checked invariants or expectations.
pub fn whole(told: &Told) -> render::Report<'_> {
    static UNCHECKED: Invariants = Invariants([const { Verdict::Unchecked }; 9]);
    let simulation = told.simulation.as_ref();
    render::Report {
        facts: &told.facts,
        cast: &told.cast,
        metrics: &told.metrics,
        lanes: &told.lanes,
        outcomes: simulation.map_or(&[], |simulation| &simulation.outcomes),
        invariants: simulation.map_or(&UNCHECKED, |simulation| &simulation.invariants),
        changes: &[],
        hints: &[],
        events: simulation.map_or(told.metrics.records, |simulation| simulation.events),
        digest: told.digest,
    }
}

/// Says so if a page shows only a part of a run.
pub fn tell_cropped(records: &Recording, screen: &Screen) {
    if records.left_out() > 0 && !screen.quiet {
        let (kept, left_out) = (render::PAGE_RECORDS, records.left_out());
        screen
            .say(&format!("the page shows the first {kept} records and leaves out {left_out}; its numbers are of all"));
    }
}
