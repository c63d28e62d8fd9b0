//! From shapes to a [`Scenario`]: defaults, meanings, and every check that needs more than one field.
//!
//! A model with errors is still looked through to the end, as far as that makes sense, so that one look finds them all.

mod arrivals;
mod build;
mod ceilings;
mod declared;
mod endless;
mod expectations;
mod imports;
mod machine;
mod names;
mod plan;
mod programs;
mod python;
mod references;
mod scheduler;
mod starts;
mod validation;
mod warnings;

pub use validation::read as validation;

use crate::model::Limits;
use crate::model::code::Code;
use crate::model::report::Report;
use crate::model::scenario::{Run, Scenario};
use crate::model::spec::Model;
use crate::model::spec::profile::Profile;
use crate::time::{Instant, Span};

/// Checks a model and builds its scenario; `None` if it could not even be built.
pub fn lower(model: &Model, profile: &Profile, limits: &Limits, report: &mut Report) -> Option<Scenario> {
    let run = run(model, limits, report);
    let machine = machine::machine(model, profile, limits, report);
    let mut plan = plan::plan(model, profile, limits, report);
    let objects = declared::objects(model, report);
    names::check(&objects, &plan, report);
    imports::settle(&mut plan, report);
    let uses = references::check(model, &plan, &objects, report);
    starts::check(&plan, report);
    endless::check(&plan, run.until, &machine, report);
    warnings::check(model, &plan, &machine, report);
    let expectations = expectations::read(model, report);
    if !plan::fits(&plan, limits, report) {
        return None;
    }
    let scenario = build::build(
        build::Parts { model, plan: &plan, objects: &objects, uses: &uses, machine, run, expectations },
        report,
    );
    expectations::check(&scenario, model, report);
    if !report.has_errors() {
        warnings::unused(model, &objects, &uses, report);
    }
    Some(scenario)
}

fn run(model: &Model, limits: &Limits, report: &mut Report) -> Run {
    let run = model.run.as_ref().map(|run| &run.value);
    let max_events = run.and_then(|run| run.max_events);
    if let Some(cap) = max_events.filter(|cap| cap.value == 0) {
        report.error(Code::E105, cap.spot, "max_events must be above 0");
    }
    Run {
        until: run.and_then(|run| run.until).map(|until| Instant::ZERO + until.value),
        seed: run.and_then(|run| run.seed).map_or(1, |seed| seed.value),
        max_events: max_events.map_or(limits.events, |cap| cap.value),
    }
}

/// The name of member `index` (from 0) of a group of `count`.
fn member(name: &str, count: u32, index: u32) -> String {
    if count > 1 { format!("{name}-{}", index + 1) } else { name.to_owned() }
}

/// Reports a time that must not be zero.
fn above_zero(what: &str, at: Option<crate::model::decode::At<Span>>, report: &mut Report) {
    if let Some(at) = at.filter(|at| at.value.is_zero()) {
        report.error(Code::E105, at.spot, format!("{what} must be above 0"));
    }
}
