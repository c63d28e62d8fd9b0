//! Programs that never end, loops in which time stands still, and more time than any run has.

use crate::model::code::Code;
use crate::model::lower::plan::Plan;
use crate::model::report::Report;
use crate::model::scenario::MachineCosts;
use crate::model::spec::steps::{Action, Step, Steps, bounds};
use crate::time::{Instant, LONGEST};

/// Checks all programs that run.
pub fn check(plan: &Plan, until: Option<Instant>, costs: &MachineCosts, report: &mut Report) {
    let mut demanded = 0u128;
    for (process, group) in plan.live() {
        // Giving up the core or the GIL may cost time even where the step itself takes none.
        let python = process.python.as_ref().map(|python| python.costs.gil_take + python.costs.gil_drop);
        let free_sleep =
            costs.timer_slack.is_zero() && costs.context_switch.is_zero() && python.is_none_or(|cost| cost.is_zero());
        timeless(group.steps, free_sleep, report);
        let threads = u128::from(process.count) * u128::from(group.count);
        demanded = demanded.saturating_add(shortest(group.steps).saturating_mul(threads));
    }
    if until.is_some() {
        return;
    }
    endless(plan, report);
    if demanded > u128::from(LONGEST.ns()) {
        let spot = plan.processes.first().map(|process| process.spot).unwrap_or_default();
        let finding =
            report.error(Code::E304, spot, "the threads demand more than 1000h in all, the longest run there is");
        finding.help("give the run a horizon, as in run: {until: 1s}");
    }
}

/// Reports threads that never end. Daemons may be endless, if some thread that is not a daemon ends the run.
fn endless(plan: &Plan, report: &mut Report) {
    let live = || plan.live().map(|(_, group)| group);
    let only_daemons = live().all(|group| group.daemon());
    for group in live().filter(|group| only_daemons || !group.daemon()) {
        if let Some(step) = forever(group.steps) {
            let finding = report.error(
                Code::E301,
                step.spot,
                format!("\"{}\" never ends, and the run has no horizon", group.name),
            );
            finding.help("give the run a horizon, as in run: {until: 1s}");
        }
    }
}

/// The first loop that is entered and never left.
fn forever(steps: &Steps) -> Option<&Step> {
    steps.0.iter().find_map(|step| match &step.action {
        Action::Repeat { times: None, .. } => Some(step),
        Action::Repeat { times: Some(0), .. } => None,
        action => action.body().and_then(forever),
    })
}

/// Reports endless loops none of whose steps can take time.
fn timeless(steps: &Steps, free_sleep: bool, report: &mut Report) {
    for step in &steps.0 {
        if let Action::Repeat { times: None, body } = &step.action
            && !takes_time(body, free_sleep)
        {
            let finding = report.error(Code::E302, step.spot, "this loop never ends and takes no time");
            finding.help("give it a step that takes time");
        } else if let Some(body) = step.action.body() {
            timeless(body, free_sleep, report);
        }
    }
}

fn takes_time(steps: &Steps, free_sleep: bool) -> bool {
    steps.0.iter().any(|step| match &step.action {
        Action::Repeat { times: Some(0), .. } => false,
        // Reported in its own right, or broken and reported already.
        Action::Repeat { times: None, .. } | Action::Unknown => true,
        Action::Sleep(_) | Action::Io { .. } if !free_sleep => true,
        action => match action.body() {
            Some(body) => takes_time(body, free_sleep),
            None => action.length().is_some_and(|length| !bounds(length).1.is_zero()),
        },
    })
}

/// The shortest time that a program can demand, in nanoseconds; endless loops count once.
fn shortest(steps: &Steps) -> u128 {
    let step = |step: &Step| match &step.action {
        Action::Repeat { times, body } => shortest(body).saturating_mul(times.unwrap_or(1).into()),
        action => match action.body() {
            Some(body) => shortest(body),
            None => action.length().map_or(0, |length| bounds(length).0.ns().into()),
        },
    };
    steps.0.iter().fold(0, |sum, each| sum.saturating_add(step(each)))
}
