//! Steps become flat operations with jump targets.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{DeviceId, GroupId, IdVec, LockId, ObjectId, SpanId};
use crate::model::lower::build::across::End;
use crate::model::lower::plan::Plan;
use crate::model::program::{Op, Program, Use};
use crate::model::spec::steps::{Action, Step, Steps, Timeout};

/// What the names in steps mean in one member of a process.
#[derive(Debug)]
pub struct Names<'n> {
    /// Devices.
    pub devices: &'n BTreeMap<&'n str, DeviceId>,
    /// Locks, also under the names of the conditions that they belong to.
    pub locks: BTreeMap<&'n str, LockId>,
    /// Other shared objects.
    pub objects: BTreeMap<&'n str, ObjectId>,
    /// Named stretches of work.
    pub spans: &'n BTreeMap<&'n str, SpanId>,
    /// Queues that all processes share.
    pub queues: BTreeMap<&'n str, End>,
    /// Groups of threads, which `start` and `join` look for first.
    pub groups: BTreeMap<&'n str, GroupId>,
    /// Processes.
    pub processes: &'n BTreeMap<&'n str, usize>,
}

impl Names<'_> {
    /// The operations of a step that uses a queue which all processes share.
    fn across(&self, action: &Action, limited: bool) -> Option<Vec<Op>> {
        let Action::Use { verb, object } = action else { return None };
        let end = self.queues.get(object.value.as_str())?;
        Some(if *verb == Use::Put { end.put() } else { end.get(limited) })
    }

    /// `acquire()` on a lock, on the lock of a condition, or on a semaphore.
    fn acquire(&self, name: &str) -> Option<Op> {
        let semaphore = || self.objects.get(name).map(|object| Op::Use(*object, Use::Acquire));
        self.locks.get(name).map(|lock| Op::Acquire(*lock)).or_else(semaphore)
    }

    /// `release()` of the same.
    fn release(&self, name: &str) -> Option<Op> {
        let semaphore = || self.objects.get(name).map(|object| Op::Use(*object, Use::Release));
        self.locks.get(name).map(|lock| Op::Release(*lock)).or_else(semaphore)
    }

    /// What `start` and `join` mean by a name. The number of a declared process is the number of its group.
    fn group(&self, name: &str) -> Option<GroupId> {
        let process = || self.processes.get(name).map(|process| GroupId(*process as u32));
        self.groups.get(name).copied().or_else(process)
    }
}

/// The names of all stretches of work, in the order in which the steps name them.
pub fn spans(plan: &Plan) -> IdVec<SpanId, String> {
    let mut seen = BTreeSet::new();
    let mut names = IdVec::new();
    let groups = plan.processes.iter().flat_map(|process| process.groups.iter().map(move |group| (process, group)));
    for steps in groups.flat_map(|(process, group)| process.steps_of(group)) {
        steps.each(&mut |step| {
            if let Action::Span { name, .. } = &step.action
                && seen.insert(name.value.clone())
            {
                names.push(name.value.clone());
            }
        });
    }
    names
}

/// The program of lists of steps, one after another. Names that mean nothing are left out; they are reported elsewhere.
pub fn compile<'s>(parts: impl IntoIterator<Item = &'s Steps>, names: &Names) -> Program {
    let mut ops = Vec::new();
    parts.into_iter().for_each(|steps| body(steps, names, &mut ops));
    Program { ops }
}

fn body(steps: &Steps, names: &Names, ops: &mut Vec<Op>) {
    for step in &steps.0 {
        match &step.timeout {
            None => one(step, names, ops),
            Some(timeout) => timed(step, timeout, names, ops),
        }
    }
}

fn one(step: &Step, names: &Names, ops: &mut Vec<Op>) {
    if let Some(across) = names.across(&step.action, step.timeout.is_some()) {
        ops.extend(across);
        return;
    }
    match &step.action {
        Action::Repeat { times, body } => repeat(*times, body, names, ops),
        Action::Choose { cumulative, branches } => choose(cumulative, branches, names, ops),
        Action::With { lock, body: enclosed } => {
            ops.extend(names.acquire(&lock.value));
            body(enclosed, names, ops);
            ops.extend(names.release(&lock.value));
        }
        Action::Span { name, body: enclosed } => {
            let span = names.spans.get(name.value.as_str()).copied();
            ops.extend(span.map(Op::Enter));
            body(enclosed, names, ops);
            ops.extend(span.map(Op::Leave));
        }
        action => ops.extend(single(action, names)),
    }
}

/// A step that waits for at most so long: the steps under `else` stand behind it, and who does not need them jumps over.
fn timed(step: &Step, timeout: &Timeout, names: &Names, ops: &mut Vec<Op>) {
    let place = ops.len();
    ops.push(Op::Goto(0));
    one(step, names, ops);
    let second = ops[place..].iter().position(|op| matches!(op, Op::SameTimeout { .. })).map(|after| place + after);
    let over = ops.len();
    let jumps = second.is_some() || !timeout.otherwise.0.is_empty();
    if jumps {
        ops.push(Op::Goto(0));
    }
    // Whose second wait was in vain lets go of what the first one was for.
    if let Some(second) = second
        && let Op::Acquire(lock) = ops[second - 1]
    {
        ops[second] = Op::SameTimeout { otherwise: ops.len() as u32 };
        ops.push(Op::Release(lock));
    }
    let otherwise = ops.len() as u32;
    ops[place] = Op::Timeout { after: timeout.after.clone(), otherwise };
    body(&timeout.otherwise, names, ops);
    if jumps {
        ops[over] = Op::Goto(ops.len() as u32);
    }
}

fn repeat(times: Option<u64>, enclosed: &Steps, names: &Names, ops: &mut Vec<Op>) {
    let place = ops.len();
    ops.push(Op::Repeat { times, end: 0 });
    body(enclosed, names, ops);
    ops.push(Op::Again { start: place as u32 + 1 });
    let end = ops.len() as u32;
    ops[place] = Op::Repeat { times, end };
}

fn choose(cumulative: &[u64], branches: &[Steps], names: &Names, ops: &mut Vec<Op>) {
    let place = ops.len();
    ops.push(Op::Goto(0));
    let (mut places, mut ends) = (Vec::new(), Vec::new());
    for branch in branches {
        places.push(ops.len() as u32);
        body(branch, names, ops);
        ends.push(ops.len());
        ops.push(Op::Goto(0));
    }
    let behind = ops.len() as u32;
    ends.into_iter().for_each(|end| ops[end] = Op::Goto(behind));
    ops[place] = Op::Choose { cumulative: cumulative.into(), places: places.into() };
}

fn single(action: &Action, names: &Names) -> Option<Op> {
    Some(match action {
        Action::Cpu(length) => Op::Cpu(length.clone()),
        Action::StraightLine(length) => Op::StraightLine(length.clone()),
        Action::Native(length) => Op::Native(length.clone()),
        Action::NativeHoldingGil(length) => Op::NativeHoldingGil(length.clone()),
        Action::Io { length, device } => {
            let device = device.as_ref().and_then(|device| names.devices.get(device.value.as_str()).copied());
            Op::Io { length: length.clone(), device }
        }
        Action::Sleep(length) => Op::Sleep(length.clone()),
        Action::Acquire(name) => names.acquire(&name.value)?,
        Action::Release(name) => names.release(&name.value)?,
        Action::Use { verb, object } => Op::Use(names.objects.get(object.value.as_str()).copied()?, *verb),
        Action::Start { group, count } => {
            let group = names.group(&group.value)?;
            Op::Start { group, count: count.map(|count| u32::try_from(count).unwrap_or(u32::MAX)) }
        }
        Action::Join(name) => Op::Join(names.group(&name.value)?),
        Action::Print(text) => Op::Print(text.as_str().into()),
        Action::Show => Op::Show,
        Action::Repeat { .. } | Action::With { .. } | Action::Span { .. } | Action::Choose { .. } | Action::Unknown => {
            return None;
        }
    })
}
