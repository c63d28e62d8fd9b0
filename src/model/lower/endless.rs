//! Programs that never end, loops in which time stands still, and more time than any run has.

use crate::model::code::Code;
use crate::model::lower::plan::{Plan, ProcessPlan};
use crate::model::report::Report;
use crate::model::scenario::Machine;
use crate::model::spec::steps::{Action, Step, Steps};
use crate::time::{Instant, LONGEST};

/// Checks all programs that run.
pub fn check(plan: &Plan, until: Option<Instant>, machine: &Machine, report: &mut Report) {
    for (process, group) in plan.live() {
        process.steps_of(group).for_each(|steps| timeless(steps, free_sleep(process, machine), report));
    }
    if until.is_none() {
        endless(plan, report);
        too_long(plan, machine, report);
    }
}

/// Whether giving up the core or the GIL costs nothing. Where it does, even a sleep of no length takes time.
fn free_sleep(process: &ProcessPlan, machine: &Machine) -> bool {
    let python = process.python.as_ref().is_none_or(|python| (python.costs.gil_take + python.costs.gil_drop).is_zero());
    python && machine.costs.timer_slack.is_zero() && machine.costs.context_switch.is_zero()
}

/// Reports threads that demand more time than the longest run has, and models that demand more of their cores.
fn too_long(plan: &Plan, machine: &Machine, report: &mut Report) {
    const HELP: &str = "give the run a horizon, as in run: {until: 1s}";
    let longest = u128::from(LONGEST.ns());
    let any = |_: &Action| true;
    let works = |action: &Action| {
        use Action::{Cpu, Native, NativeHoldingGil, StraightLine};
        matches!(action, Cpu(_) | StraightLine(_) | Native(_) | NativeHoldingGil(_))
    };
    let mut work = 0u128;
    for (process, group) in plan.live() {
        let all = |chosen| process.steps_of(group).map(|steps| shortest(steps, chosen)).fold(0, u128::saturating_add);
        if all(any) > longest {
            let message = format!("\"{}\" demands more than 1000h, the longest run there is", group.name);
            report.error(Code::E304, group.spot, message).help(HELP);
            return;
        }
        let threads = u128::from(process.count) * u128::from(group.count);
        work = work.saturating_add(all(works).saturating_mul(threads));
    }
    let done = machine.cores.values().map(|speed| u128::from(*speed)).sum::<u128>() * longest;
    if work.saturating_mul(machine.scale.into()) > done {
        let spot = plan.processes.first().map(|process| process.spot).unwrap_or_default();
        let message = "the threads demand more work than all cores do in 1000h, the longest run there is";
        report.error(Code::E304, spot, message).help(HELP);
    }
}

/// Reports threads that never end. Daemons may be endless, if some thread that is not a daemon ends the run.
fn endless(plan: &Plan, report: &mut Report) {
    let only_daemons = plan.live().all(|(_, group)| group.daemon());
    for (process, group) in plan.live().filter(|(_, group)| only_daemons || !group.daemon()) {
        if let (Some(period), Some(_)) = (group.thread.period, group.thread.period()) {
            let message = format!("\"{}\" is released for ever, and the run has no horizon", group.name);
            report.error(Code::E301, period.key, message).help("give the run a horizon, as in run: {until: 1s}");
        } else if let Some(step) = process.steps_of(group).find_map(forever) {
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
        action => action.body().into_iter().chain(action.branches()).find_map(forever),
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
        } else {
            let inside = step.action.body().into_iter().chain(step.action.branches());
            inside.for_each(|steps| timeless(steps, free_sleep, report));
        }
    }
}

fn takes_time(steps: &Steps, free_sleep: bool) -> bool {
    steps.0.iter().any(|step| match &step.action {
        Action::Repeat { times: Some(0), .. } => false,
        // Reported in its own right, or broken and reported already.
        Action::Repeat { times: None, .. } | Action::Unknown => true,
        // Sooner or later every branch is chosen.
        Action::Choose { .. } => step.action.branches().any(|branch| takes_time(branch, free_sleep)),
        Action::Sleep(_) | Action::Io { .. } if !free_sleep => true,
        // It may have to wait for others; if it never does, the run says so.
        Action::Use { verb, .. } if verb.may_wait() => true,
        action => match action.body() {
            Some(body) => takes_time(body, free_sleep),
            None => action.length().is_some_and(|length| !length.is_zero()),
        },
    })
}

/// The shortest time that the chosen steps of a program can demand, in nanoseconds; endless loops count once.
fn shortest(steps: &Steps, chosen: fn(&Action) -> bool) -> u128 {
    let step = |step: &Step| match &step.action {
        Action::Repeat { times, body } => shortest(body, chosen).saturating_mul(times.unwrap_or(1).into()),
        Action::Choose { .. } => step.action.branches().map(|branch| shortest(branch, chosen)).min().unwrap_or(0),
        action => match action.body() {
            Some(body) => shortest(body, chosen),
            None => action.length().filter(|_| chosen(action)).map_or(0, |length| length.bounds().0.ns().into()),
        },
    };
    steps.0.iter().fold(0, |sum, each| sum.saturating_add(step(each)))
}
