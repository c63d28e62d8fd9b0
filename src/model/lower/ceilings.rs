//! Lock protocols, and the ceilings of locks: the highest priority of all threads whose program acquires them.

use std::collections::BTreeMap;

use crate::ids::{IdVec, LockId, ProgramId, ThreadId};
use crate::model::code::Code;
use crate::model::policies::PolicyName;
use crate::model::program::{Op, Program};
use crate::model::report::Report;
use crate::model::scenario::{Lock, Protocol, Thread};
use crate::model::spec::Model;
use crate::model::spec::objects as shapes;
use crate::model::spec::objects::ProtocolWord;

/// The protocol of a declared lock, its ceiling still the lowest.
pub fn protocol(lock: &shapes::Lock) -> Protocol {
    match lock.protocol.map(|protocol| protocol.value) {
        None | Some(ProtocolWord::None) => Protocol::None,
        Some(ProtocolWord::Inherit) => Protocol::Inherit,
        Some(ProtocolWord::Ceiling) => Protocol::Ceiling(i64::MIN),
    }
}

/// Raises the ceilings to where they belong.
pub fn raise(locks: &mut IdVec<LockId, Lock>, threads: &IdVec<ThreadId, Thread>, programs: &IdVec<ProgramId, Program>) {
    if !locks.values().any(|lock| matches!(lock.protocol, Protocol::Ceiling(_))) {
        return;
    }
    let mut highest: BTreeMap<ProgramId, i64> = BTreeMap::new();
    for thread in threads.values() {
        let found = highest.entry(thread.program).or_insert(i64::MIN);
        *found = thread.priority.max(*found);
    }
    for (program, priority) in highest {
        for op in &programs[program].ops {
            if let Op::Acquire(lock) = op
                && let Protocol::Ceiling(ceiling) = &mut locks[*lock].protocol
            {
                *ceiling = priority.max(*ceiling);
            }
        }
    }
}

/// Warns of protocols where nothing looks at priorities.
pub fn without_effect(model: &Model, policy: PolicyName, report: &mut Report) {
    let locks = model.locks.as_ref().map_or(&[][..], |locks| &locks.value.0);
    for protocol in locks.iter().filter_map(|lock| lock.value.protocol) {
        if policy != PolicyName::Priority && protocol.value != ProtocolWord::None {
            let message = format!("the {} scheduler does not look at priorities", policy.word());
            report.warning(Code::W507, protocol.key, message);
        }
    }
}
