//! Round robin: first come, first served, for one quantum at a time. A thread whose quantum is over goes to the tail of
//! the queue, behind whoever has arrived meanwhile (also at that very instant). With n threads nobody waits longer than
//! (n − 1) · quantum for the next turn. A thread that blocks begins a fresh quantum when it comes back. While a thread is
//! alone its quanta follow each other without a gap, as the timer of a real machine does not stop.
//!
//! Silberschatz's example: bursts of 24, 3 and 3 ms, quantum 4 ms: waits of 6, 4 and 7 ms, 17/3 on average.

use std::collections::VecDeque;

use crate::ids::ThreadId;
use crate::kernel::{Attributes, Enqueue, Policy, Tasks};
use crate::model::Scenario;
use crate::policy::Entry;
use crate::time::Span;

/// Its line in the table of policies.
pub const ENTRY: Entry = Entry {
    word: "round-robin",
    parameters: "quantum: 10ms",
    rule: "whoever became runnable first",
    preempts: "when the quantum is over and somebody else waits",
};

/// A queue whose members take turns.
#[derive(Clone, Debug)]
pub struct RoundRobin {
    quantum: Span,
    queue: VecDeque<ThreadId>,
}

impl RoundRobin {
    /// An empty queue with the turns of a scenario.
    pub fn of(scenario: &Scenario) -> RoundRobin {
        RoundRobin { quantum: scenario.machine().scheduler.quantum(), queue: VecDeque::new() }
    }
}

/// How much of its quantum a thread has used: 0 … quantum.
pub type Used = Span;

/// Adds to what has been used of a quantum; a thread that was alone is in a later one, of which something is used.
pub(super) fn use_up(used: &mut Used, ran: Span, quantum: Span) {
    let total = (*used + ran).ns();
    if total > 0 {
        *used = Span::from_ns((total - 1) % quantum.ns() + 1);
    }
}

impl Policy for RoundRobin {
    type Task = Used;

    fn task(&self, _: Attributes) -> Used {
        Span::ZERO
    }

    fn enqueue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, why: Enqueue) {
        match why {
            Enqueue::Preempted => self.queue.push_front(thread),
            Enqueue::Woken | Enqueue::QuantumOver => {
                tasks[thread] = Span::ZERO;
                self.queue.push_back(thread);
            }
            Enqueue::Pulled => self.queue.push_back(thread),
        }
    }

    fn pick_next(&mut self, _: &mut Tasks<Self>, may_run: &mut dyn FnMut(ThreadId) -> bool) -> Option<ThreadId> {
        let place = self.queue.iter().position(|thread| may_run(*thread))?;
        self.queue.remove(place)
    }

    fn dequeue(&mut self, _: &mut Tasks<Self>, thread: ThreadId) {
        self.queue.retain(|each| *each != thread);
    }

    fn charge(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, ran: Span) {
        use_up(&mut tasks[thread], ran, self.quantum);
    }

    fn slice(&self, tasks: &Tasks<Self>, thread: ThreadId) -> Option<Span> {
        Some(self.quantum.less(tasks[thread]))
    }

    fn len(&self) -> usize {
        self.queue.len()
    }
}
