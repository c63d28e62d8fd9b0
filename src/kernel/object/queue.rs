//! `queue.Queue`: one mutex and two conditions over it, `not_empty` and `not_full`.
//!
//! `put` waits while the queue is full, adds an item and notifies one getter; `get` waits while it is empty, takes an item
//! and notifies one putter. Who was notified may find that somebody else was quicker, and waits again.

use super::{Answer, Line};
use crate::model::Use;
use crate::trace::ObjectAct;

const NOT_EMPTY: Line = Line::First;
const NOT_FULL: Line = Line::Second;

/// How many items there are, and how many fit.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub items: u64,
    pub capacity: Option<u64>,
}

impl Queue {
    pub fn answer(&mut self, verb: Use) -> Answer {
        if verb == Use::Put { self.put() } else { self.get() }
    }

    fn put(&mut self) -> Answer {
        if self.capacity.is_some_and(|capacity| self.items >= capacity) {
            return Answer::wait(NOT_FULL);
        }
        self.items += 1;
        Answer::done(ObjectAct::Put, self.items).notify(NOT_EMPTY, 1)
    }

    fn get(&mut self) -> Answer {
        if self.items == 0 {
            return Answer::wait(NOT_EMPTY);
        }
        self.items -= 1;
        Answer::done(ObjectAct::Get, self.items).notify(NOT_FULL, 1)
    }
}
