//! Who starts whom: which groups wait for a `start` step, and starts and joins that cannot work.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::code::Code;
use crate::model::lower::plan::Plan;
use crate::model::lower::references::{Target, spot, target};
use crate::model::report::Report;
use crate::model::spec::steps::{Action, Step, Steps};

/// Checks starts and joins as far as they can be seen beforehand.
pub fn check(plan: &Plan, report: &mut Report) {
    let starters = starters(plan);
    unreachable(plan, &starters, report);
    for process in 0..plan.processes.len() {
        for group in 0..plan.processes[process].groups.len() {
            Walk::group(plan, &starters, (process, group), report);
        }
    }
    without_effect(plan, report);
}

/// For each target the groups, by process and number, whose steps start it. Groups without members start nothing.
pub type Starters = BTreeMap<Target, BTreeSet<(usize, usize)>>;

/// Who starts whom.
pub fn starters(plan: &Plan) -> Starters {
    let mut starters = Starters::new();
    for (here, process) in plan.processes.iter().enumerate().filter(|(_, process)| process.count > 0) {
        for (number, group) in process.groups.iter().enumerate().filter(|(_, group)| group.count > 0) {
            let steps = process.steps_of(group);
            steps.for_each(|steps| {
                steps.each(&mut |step| {
                    if let Action::Start { group: name, .. } = &step.action
                        && let Some(target) = target(plan, here, &name.value)
                    {
                        starters.entry(target).or_default().insert((here, number));
                    }
                })
            });
        }
    }
    starters
}

/// Reports groups that only wait for each other: nothing that runs starts them.
fn unreachable(plan: &Plan, starters: &Starters, report: &mut Report) {
    let mut runs: BTreeSet<(usize, usize)> = BTreeSet::new();
    loop {
        let before = runs.len();
        let started = |target: Target, runs: &BTreeSet<(usize, usize)>| {
            starters.get(&target).is_none_or(|starters| starters.iter().any(|starter| runs.contains(starter)))
        };
        for (here, process) in plan.processes.iter().enumerate() {
            if started(Target::Process(here), &runs) {
                let groups = 0..process.groups.len();
                let new: Vec<_> = groups
                    .filter(|group| started(Target::Threads(here, *group), &runs))
                    .map(|group| (here, group))
                    .collect();
                runs.extend(new);
            }
        }
        if runs.len() == before {
            break;
        }
    }
    for (target, starters) in starters {
        if !starters.iter().any(|starter| runs.contains(starter)) {
            let name = name(plan, *target);
            let message = format!("nothing that runs starts \"{name}\"");
            let finding = report.error(Code::E206, spot(plan, *target), message);
            finding.help("only steps of groups that themselves wait for a start step name it");
        }
    }
}

fn name<'p>(plan: &'p Plan, target: Target) -> &'p str {
    match target {
        Target::Threads(process, group) => plan.processes[process].groups[group].name,
        Target::Process(process) => plan.processes[process].name,
    }
}

fn members(plan: &Plan, target: Target) -> u64 {
    match target {
        Target::Threads(process, group) => plan.processes[process].groups[group].count.into(),
        Target::Process(process) => plan.processes[process].count.into(),
    }
}

/// One look through the steps of a thread, in their order.
struct Walk<'w, 'm> {
    plan: &'w Plan<'m>,
    starters: &'w Starters,
    me: (usize, usize),
    /// Members not yet started, as far as this thread knows.
    left: BTreeMap<Target, u64>,
    report: &'w mut Report,
}

impl Walk<'_, '_> {
    fn group(plan: &Plan, starters: &Starters, me: (usize, usize), report: &mut Report) {
        let group = &plan.processes[me.0].groups[me.1];
        if group.count > 0 && plan.processes[me.0].count > 0 {
            let mut walk = Walk { plan, starters, me, left: BTreeMap::new(), report };
            plan.processes[me.0].steps_of(group).for_each(|steps| walk.steps(steps));
        }
    }

    fn steps(&mut self, steps: &Steps) {
        for step in &steps.0 {
            match &step.action {
                // What can go wrong in a loop goes wrong in its second round.
                Action::Repeat { times, body } => (0..times.unwrap_or(2).min(2)).for_each(|_| self.steps(body)),
                Action::With { body, .. } => self.steps(body),
                Action::Choose { .. } => self.branches(step.action.branches()),
                Action::Start { group, count } => self.start(step, &group.value, *count),
                Action::Join(group) => self.join(step, &group.value),
                _ => {}
            }
            // What follows a time-out may happen or not: it is looked at, and then nothing more is known.
            if let Some(timeout) = &step.timeout {
                let left = self.left.clone();
                self.steps(&timeout.otherwise);
                self.left = if self.left == left { left } else { BTreeMap::new() };
            }
        }
    }

    /// What only some branches start may be left to start behind them.
    fn branches<'s>(&mut self, branches: impl Iterator<Item = &'s Steps>) {
        let before = self.left.clone();
        let mut after: BTreeMap<Target, u64> = BTreeMap::new();
        for branch in branches {
            self.left.clone_from(&before);
            self.steps(branch);
            for (target, left) in &self.left {
                let most = after.entry(*target).or_insert(*left);
                *most = (*most).max(*left);
            }
        }
        self.left = after;
    }

    fn start(&mut self, step: &Step, name: &str, count: Option<u64>) {
        let Some(target) = target(self.plan, self.me.0, name) else { return };
        let all = members(self.plan, target);
        let left = self.left.entry(target).or_insert(all);
        let wanted = count.unwrap_or((*left).max(1));
        if all > 0 && wanted > *left {
            let message = match (all, *left) {
                (1, 0) => format!("\"{name}\" has been started"),
                (_, 0) => format!("all {all} members of \"{name}\" have been started"),
                (_, left) => format!("{wanted} members of \"{name}\" are to be started, but only {left} left"),
            };
            self.report.error(Code::E206, step.spot, message).help("a thread can be started only once");
        }
        *left = left.saturating_sub(wanted);
    }

    fn join(&mut self, step: &Step, name: &str) {
        let Some(target) = target(self.plan, self.me.0, name) else { return };
        let (process, group) = self.me;
        let single = self.plan.processes[process].single;
        if target == Target::Threads(process, group) || (single && target == Target::Process(process)) {
            self.report.error(Code::E206, step.spot, format!("\"{name}\" would wait for its own end"));
            return;
        }
        let only_me =
            self.starters.get(&target).is_some_and(|starters| starters.len() == 1 && starters.contains(&self.me));
        if only_me && !self.left.contains_key(&target) {
            let finding =
                self.report.error(Code::E206, step.spot, format!("\"{name}\" is joined before it is started"));
            finding.help("Python cannot join a thread before it is started");
        }
    }
}

/// Arrival times of what a step starts.
fn without_effect(plan: &Plan, report: &mut Report) {
    for process in &plan.processes {
        let groups = process.groups.iter().filter(|group| group.started && !process.single).map(|group| group.thread);
        let itself = process.thread.filter(|_| process.started);
        for thread in groups.chain(itself) {
            let at = thread.at.filter(|at| !at.value.is_zero()).map(|at| at.key);
            for key in at.into_iter().chain(thread.arrivals.map(|arrivals| arrivals.key)) {
                report.warning(Code::W507, key, "a start step says when this arrives");
            }
        }
    }
}
