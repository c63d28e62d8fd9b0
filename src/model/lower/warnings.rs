//! What is not wrong, but suspicious.

use std::collections::BTreeSet;

use crate::model::code::Code;
use crate::model::lower::ceilings;
use crate::model::lower::declared::Objects;
use crate::model::lower::plan::{GroupPlan, Plan, ProcessPlan};
use crate::model::lower::references::Uses;
use crate::model::policies::PolicyName;
use crate::model::program::Length;
use crate::model::report::Report;
use crate::model::scenario::{Machine, NextHolder};
use crate::model::spec::Model;
use crate::model::spec::objects::LockKind;
use crate::model::spec::steps::{Action, Steps};
use crate::model::spec::threads::Arrivals;
use crate::model::tree::Spot;

/// Looks for locks acquired twice, threads that can only take turns, and randomness without a seed.
pub fn check(model: &Model, plan: &Plan, machine: &Machine, report: &mut Report) {
    let locks = model.locks.as_ref().map_or(&[][..], |locks| &locks.value.0);
    ceilings::without_effect(model, machine.scheduler.policy, report);
    let plain = locks.iter().filter(|lock| lock.value.kind.is_none_or(|kind| kind.value == LockKind::Lock));
    let plain: BTreeSet<&str> = plain.map(|lock| lock.name.as_str()).collect();
    for (process, group) in plan.live() {
        let mut held = Vec::new();
        process.steps_of(group).for_each(|steps| acquired_twice(&plain, steps, &mut held, report));
    }
    if machine.cores.len() > 1 {
        plan.processes.iter().filter(|process| process.count > 0).for_each(|process| take_turns(process, report));
    }
    let seed = model.run.as_ref().is_some_and(|run| run.value.seed.is_some());
    let drawn = lottery(model).or_else(|| randomness(plan));
    if let Some(spot) = drawn.filter(|_| !seed) {
        let finding = report.warning(Code::W503, spot, "random, but no seed is written; 1 is used");
        finding.help("write run: {seed: 1}, or another seed");
    }
}

/// Locks that a thread holds for sure, at most so many: enough for a warning, and no burden for any model.
const HELD: usize = 64;

/// Warns of plain locks that a thread acquires while it holds them. `held` are those it holds for sure.
fn acquired_twice<'s>(plain: &BTreeSet<&str>, steps: &'s Steps, held: &mut Vec<&'s str>, report: &mut Report) {
    for step in &steps.0 {
        match &step.action {
            Action::With { lock, body } => {
                acquire(plain, &lock.value, step.spot, held, report);
                acquired_twice(plain, body, held, report);
                release(&lock.value, held);
            }
            Action::Acquire(lock) => acquire(plain, &lock.value, step.spot, held, report),
            Action::Release(lock) => release(&lock.value, held),
            // After a loop nothing is sure but what was held before it and is not released inside.
            Action::Repeat { body, .. } => {
                acquired_twice(plain, body, &mut held.clone(), report);
                forget_released(body, held);
            }
            Action::Choose { .. } => {
                for branch in step.action.branches() {
                    acquired_twice(plain, branch, &mut held.clone(), report);
                }
                step.action.branches().for_each(|branch| forget_released(branch, held));
            }
            _ => {}
        }
        // What is done after a time-out is done without what was waited for.
        if let Some(timeout) = &step.timeout {
            acquired_twice(plain, &timeout.otherwise, &mut Vec::new(), report);
            held.clear();
        }
    }
}

/// Behind steps that may or may not be done, what they release is not held for sure.
fn forget_released(steps: &Steps, held: &mut Vec<&str>) {
    steps.each(&mut |inner| {
        if let Action::Release(lock) = &inner.action {
            held.retain(|name| *name != lock.value);
        }
    });
}

fn acquire<'s>(plain: &BTreeSet<&str>, name: &'s str, spot: Spot, held: &mut Vec<&'s str>, report: &mut Report) {
    if plain.contains(name) && held.contains(&name) {
        let finding =
            report.warning(Code::E205, spot, format!("the thread already holds \"{name}\" and will wait for itself"));
        finding.help("an rlock may be acquired again: kind: rlock");
    }
    if held.len() < HELD {
        held.push(name);
    }
}

fn release(name: &str, held: &mut Vec<&str>) {
    if let Some(place) = held.iter().rposition(|lock| *lock == name) {
        held.remove(place);
    }
}

/// Warns of threads that only compute under one GIL on a machine where they might have had several cores.
fn take_turns(process: &ProcessPlan, report: &mut Report) {
    if !process.python.as_ref().is_some_and(|python| python.gil) {
        return;
    }
    let computing: Vec<&GroupPlan> =
        process.groups.iter().filter(|group| !group.own_interpreter() && only_computes(group.steps)).collect();
    let threads: u64 = computing.iter().map(|group| u64::from(group.count)).sum();
    if let (Some(first), true) = (computing.iter().find(|group| group.count > 0), threads > 1) {
        let message =
            format!("{threads} CPU-bound threads share one GIL: they take turns, whatever the number of cores");
        report.warning(Code::W502, first.spot, message);
    }
}

fn only_computes(steps: &Steps) -> bool {
    let python = |action: &Action| match action {
        Action::Cpu(length) | Action::StraightLine(length) | Action::NativeHoldingGil(length) => !length.is_zero(),
        _ => false,
    };
    let lets_go = |action: &Action| {
        let waits = matches!(action, Action::Use { verb, .. } if verb.may_wait());
        waits || matches!(action, Action::Native(_) | Action::Io { .. } | Action::Sleep(_) | Action::Unknown)
    };
    steps.find(python).is_some() && steps.find(lets_go).is_none()
}

/// Where the scheduler draws lots.
fn lottery(model: &Model) -> Option<Spot> {
    let scheduler = model.machine.as_ref()?.value.scheduler.as_ref()?;
    (scheduler.value.policy == PolicyName::Lottery).then_some(scheduler.value.spot)
}

/// The first place where chance comes in.
fn randomness(plan: &Plan) -> Option<Spot> {
    let poisson = |group: &GroupPlan| {
        group
            .thread
            .arrivals
            .filter(|arrivals| matches!(arrivals.value, Arrivals::Poisson(_)))
            .map(|arrivals| arrivals.spot)
    };
    let drawn =
        |action: &Action| matches!(action, Action::Choose { .. }) || matches!(action.length(), Some(Length::Random(_)));
    let found = plan.live().find_map(|(process, group)| {
        let step = || process.steps_of(group).find_map(|steps| steps.find(drawn));
        poisson(group).or_else(|| step().map(|step| step.spot))
    });
    let waiters = |process: &&ProcessPlan| {
        process.python.as_ref().is_some_and(|python| python.gil && python.next_holder == NextHolder::Random)
    };
    found.or_else(|| plan.processes.iter().find(waiters).map(|process| process.spot))
}

/// Warns of what is declared and not used.
pub fn unused(model: &Model, objects: &Objects, uses: &Uses, report: &mut Report) {
    let used: BTreeSet<usize> = uses.objects.iter().flatten().copied().collect();
    for (place, object) in objects.all.iter().enumerate() {
        if !used.contains(&place) {
            let message = format!("the {} \"{}\" is not used", object.shape.word(), object.name);
            report.warning(Code::W501, object.spot, message);
        }
    }
    let devices = model.machine.as_ref().and_then(|machine| machine.value.devices.as_ref());
    for device in devices.map_or(&[][..], |devices| &devices.value.0) {
        if !uses.devices.contains(&device.name) {
            report.warning(Code::W501, device.spot, format!("the device \"{}\" is not used", device.name));
        }
    }
}
