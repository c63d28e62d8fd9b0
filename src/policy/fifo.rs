//! First come, first served: the oldest textbook policy. Threads run in the order in which they became runnable, each
//! until it blocks or ends. Nobody is preempted, so one long burst makes everybody behind it wait (the convoy of
//! Silberschatz, *Operating System Concepts*, on CPU scheduling: bursts of 24, 3 and 3 ms that arrive together wait
//! 0, 24 and 27 ms, 17 on average; in the order 3, 3, 24 they wait 0, 3 and 6 ms, 3 on average).

use std::collections::VecDeque;

use crate::ids::ThreadId;
use crate::kernel::{Attributes, Enqueue, Policy, Tasks};
use crate::model::Scenario;
use crate::policy::Entry;

/// Its line in the table of policies.
pub const ENTRY: Entry = Entry {
    word: "fifo",
    parameters: "none",
    rule: "whoever became runnable first",
    preempts: "never: a thread runs until it blocks or ends",
};

/// A queue without preemption.
#[derive(Clone, Debug, Default)]
pub struct Fifo {
    queue: VecDeque<ThreadId>,
}

impl Fifo {
    /// An empty queue; there is nothing to choose.
    pub fn of(_: &Scenario) -> Fifo {
        Fifo::default()
    }
}

impl Policy for Fifo {
    type Task = ();

    fn task(&self, _: Attributes) {}

    fn enqueue(&mut self, _: &mut Tasks<Self>, thread: ThreadId, why: Enqueue) {
        match why {
            Enqueue::Preempted => self.queue.push_front(thread),
            Enqueue::Woken | Enqueue::QuantumOver | Enqueue::Pulled => self.queue.push_back(thread),
        }
    }

    fn pick_next(&mut self, _: &mut Tasks<Self>, may_run: &mut dyn FnMut(ThreadId) -> bool) -> Option<ThreadId> {
        let place = self.queue.iter().position(|thread| may_run(*thread))?;
        self.queue.remove(place)
    }

    fn dequeue(&mut self, _: &mut Tasks<Self>, thread: ThreadId) {
        self.queue.retain(|each| *each != thread);
    }

    fn len(&self) -> usize {
        self.queue.len()
    }
}
