//! Steps become flat operations with jump targets.

use std::collections::BTreeMap;

use crate::ids::{DeviceId, GroupId, LockId};
use crate::model::program::{Op, Program};
use crate::model::spec::steps::{Action, Steps};

/// What the names in steps mean in one member of a process.
#[derive(Debug)]
pub struct Names<'n> {
    /// Devices.
    pub devices: &'n BTreeMap<&'n str, DeviceId>,
    /// Locks.
    pub locks: BTreeMap<&'n str, LockId>,
    /// Groups of threads, which `start` and `join` look for first.
    pub groups: BTreeMap<&'n str, GroupId>,
    /// Processes.
    pub processes: &'n BTreeMap<&'n str, usize>,
}

impl Names<'_> {
    /// What `start` and `join` mean by a name. The number of a declared process is the number of its group.
    fn group(&self, name: &str) -> Option<GroupId> {
        let process = || self.processes.get(name).map(|process| GroupId(*process as u32));
        self.groups.get(name).copied().or_else(process)
    }
}

/// The program of a list of steps. Names that mean nothing are left out; they are reported elsewhere.
pub fn compile(steps: &Steps, names: &Names) -> Program {
    let mut ops = Vec::new();
    body(steps, names, &mut ops);
    Program { ops }
}

fn body(steps: &Steps, names: &Names, ops: &mut Vec<Op>) {
    for step in &steps.0 {
        match &step.action {
            Action::Repeat { times, body } => repeat(*times, body, names, ops),
            Action::With { lock, body: enclosed } => {
                let lock = names.locks.get(lock.value.as_str()).copied();
                ops.extend(lock.map(Op::Acquire));
                body(enclosed, names, ops);
                ops.extend(lock.map(Op::Release));
            }
            action => ops.extend(single(action, names)),
        }
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

fn single(action: &Action, names: &Names) -> Option<Op> {
    let lock = |name: &str| names.locks.get(name).copied();
    Some(match action {
        Action::Cpu(length) => Op::Cpu(length.clone()),
        Action::Native(length) => Op::Native(length.clone()),
        Action::NativeHoldingGil(length) => Op::NativeHoldingGil(length.clone()),
        Action::Io { length, device } => {
            let device = device.as_ref().and_then(|device| names.devices.get(device.value.as_str()).copied());
            Op::Io { length: length.clone(), device }
        }
        Action::Sleep(length) => Op::Sleep(length.clone()),
        Action::Acquire(name) => Op::Acquire(lock(&name.value)?),
        Action::Release(name) => Op::Release(lock(&name.value)?),
        Action::Start { group, count } => {
            let group = names.group(&group.value)?;
            Op::Start { group, count: count.map(|count| u32::try_from(count).unwrap_or(u32::MAX)) }
        }
        Action::Join(name) => Op::Join(names.group(&name.value)?),
        Action::Print(text) => Op::Print(text.as_str().into()),
        Action::Show => Op::Show,
        Action::Repeat { .. } | Action::With { .. } | Action::Unknown => return None,
    })
}
