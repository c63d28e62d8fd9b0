//! What happens to shared objects, in words.

use crate::trace::{ObjectAct, ObjectKind, Thing};

/// What was done, as a verb with its object.
pub(in crate::render) fn object_act(act: ObjectAct, thing: &Thing) -> String {
    let name = format!("{} {}", thing.kind.word(), thing.name);
    match act {
        ObjectAct::Put => format!("puts an item into {name}"),
        ObjectAct::Get => format!("gets an item from {name}"),
        ObjectAct::Set => format!("sets {name}"),
        ObjectAct::Clear => format!("clears {name}"),
        ObjectAct::Notify => format!("notifies {name}"),
        ObjectAct::Wait => format!("lines up at {name}"),
        ObjectAct::Arrive => format!("comes to {name}"),
        ObjectAct::Open => format!("opens {name}"),
        ObjectAct::Leave => format!("leaves {name}"),
        ObjectAct::Acquire => format!("takes a permit of {name}"),
        ObjectAct::Release => format!("gives a permit of {name} back"),
        ObjectAct::Load => format!("reads {name}"),
        ObjectAct::Store => format!("writes {name}"),
    }
}

/// What the object holds then.
pub(in crate::render) fn holds(thing: &Thing, value: i64) -> String {
    match thing.kind {
        ObjectKind::Queue => format!("{value} inside"),
        ObjectKind::Semaphore => format!("{value} left"),
        ObjectKind::Event => if value == 0 { "not set" } else { "set" }.into(),
        ObjectKind::Condition => format!("{value} waiting"),
        ObjectKind::Barrier => format!("{value} there"),
        ObjectKind::Variable => format!("= {value}"),
    }
}
