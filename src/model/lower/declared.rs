//! Declared shared objects: one list over all sections, and what each verb may name.

use std::collections::BTreeMap;

use crate::model::code::Code;
use crate::model::decode::{At, Named};
use crate::model::report::Report;
use crate::model::spec::Model;
use crate::model::spec::objects::{Across, Barrier, Condition, Event, Lock, Queue, Semaphore};
use crate::model::spec::steps::{Action, Step};
use crate::model::tree::Spot;

/// A declared shared object.
#[derive(Debug)]
pub struct Declared<'m> {
    /// Its name.
    pub name: &'m str,
    /// Where the name stands.
    pub spot: Spot,
    /// What it is, with its fields.
    pub shape: Shape<'m>,
}

/// What a declared object is.
#[derive(Clone, Copy, Debug)]
pub enum Shape<'m> {
    /// A lock.
    Lock(&'m Lock),
    /// A semaphore.
    Semaphore(&'m Semaphore),
    /// A queue.
    Queue(&'m Queue),
    /// An event.
    Event(&'m Event),
    /// A condition.
    Condition(&'m Condition),
    /// A barrier.
    Barrier(&'m Barrier),
    /// A variable with its first value.
    Variable(i64),
}

impl Shape<'_> {
    /// Between whom it is shared.
    pub fn across(&self) -> Across {
        let across = match self {
            Shape::Lock(lock) => lock.across,
            Shape::Semaphore(semaphore) => semaphore.across,
            Shape::Queue(queue) => queue.across,
            Shape::Event(event) => event.across,
            Shape::Condition(_) | Shape::Barrier(_) | Shape::Variable(_) => None,
        };
        across.map_or(Across::Threads, |across| across.value)
    }

    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            Shape::Lock(_) => "lock",
            Shape::Semaphore(_) => "semaphore",
            Shape::Queue(_) => "queue",
            Shape::Event(_) => "event",
            Shape::Condition(_) => "condition",
            Shape::Barrier(_) => "barrier",
            Shape::Variable(_) => "variable",
        }
    }
}

/// All declared objects, in the order of the sections of the format.
#[derive(Debug, Default)]
pub struct Objects<'m> {
    /// The objects.
    pub all: Vec<Declared<'m>>,
    /// Their places by name.
    pub by_name: BTreeMap<&'m str, usize>,
}

/// Collects the objects of a model. A name stands for one object, whatever its kind.
pub fn objects<'m>(model: &'m Model, report: &mut Report) -> Objects<'m> {
    let mut objects = Objects::default();
    objects.section(model.locks.as_ref(), Shape::Lock);
    objects.section(model.semaphores.as_ref(), Shape::Semaphore);
    objects.section(model.queues.as_ref(), Shape::Queue);
    objects.section(model.events.as_ref(), Shape::Event);
    objects.section(model.conditions.as_ref(), Shape::Condition);
    objects.section(model.barriers.as_ref(), Shape::Barrier);
    objects.section(model.variables.as_ref(), |initial| Shape::Variable(*initial));
    for (place, object) in objects.all.iter().enumerate() {
        if let Some(first) = objects.by_name.insert(object.name, place) {
            let (word, other) = (object.shape.word(), objects.all[first].shape.word());
            report.error(Code::E109, object.spot, format!("the {word} \"{}\" has the name of a {other}", object.name));
        }
    }
    objects.check_values(report);
    objects
}

impl<'m> Objects<'m> {
    fn section<T>(&mut self, named: Option<&'m At<Named<T>>>, shape: impl Fn(&'m T) -> Shape<'m>) {
        let items = named.map_or(&[][..], |named| &named.value.0);
        self.all.extend(items.iter().map(|item| Declared {
            name: &item.name,
            spot: item.spot,
            shape: shape(&item.value),
        }));
    }

    fn check_values(&self, report: &mut Report) {
        for object in &self.all {
            let (field, value) = match object.shape {
                Shape::Queue(queue) => ("capacity", queue.capacity),
                Shape::Barrier(barrier) => ("parties", barrier.parties),
                _ => continue,
            };
            match (object.shape, value) {
                (_, Some(zero)) if zero.value == 0 => {
                    report.error(Code::E105, zero.spot, format!("{field} must be above 0"));
                }
                (Shape::Barrier(_), None) => {
                    report.error(Code::E108, object.spot, "a barrier needs parties").help("parties: 3");
                }
                _ => {}
            }
        }
    }

    /// The names of the objects of these kinds.
    pub fn names(&self, kinds: &[&str]) -> impl Iterator<Item = &'m str> + Clone {
        let of_kind = |object: &&Declared<'m>| kinds.contains(&object.shape.word());
        self.all.iter().filter(of_kind).map(|object| object.name).collect::<Vec<_>>().into_iter()
    }

    /// The lock that a condition shares with others; `None` = one of its own.
    pub fn lock_of(&self, condition: &Condition) -> Option<usize> {
        let name = condition.lock.as_ref()?;
        let place = self.by_name.get(name.value.as_str()).copied();
        place.filter(|place| matches!(self.all[*place].shape, Shape::Lock(_)))
    }
}

/// The object that a step names, and the kinds that it may be of.
pub fn named(step: &Step) -> Option<(&At<String>, &'static [&'static str])> {
    use crate::model::program::Use;
    Some(match &step.action {
        Action::With { lock: name, .. } | Action::Acquire(name) | Action::Release(name) => {
            (name, &["lock", "semaphore", "condition"])
        }
        Action::Use { verb, object } => {
            let kinds: &'static [&'static str] = match verb {
                Use::Put | Use::Get | Use::Send | Use::Receive => &["queue"],
                Use::Set | Use::Clear => &["event"],
                Use::Wait => &["event", "condition"],
                Use::Notify | Use::NotifyAll => &["condition"],
                Use::Meet => &["barrier"],
                Use::Load | Use::Store(_) => &["variable"],
                Use::Acquire | Use::Release => &["semaphore"],
            };
            (object, kinds)
        }
        _ => return None,
    })
}
