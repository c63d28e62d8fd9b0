//! Fixed priorities: the runnable thread with the largest number runs, equals in the order in which they became runnable
//! (POSIX `SCHED_FIFO`), or in turns of a quantum (`SCHED_RR`). Preemptive by default: a thread that becomes runnable takes
//! the core of a lower one at once, and the loser keeps its place at the head of its level. Low priorities can starve.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

use crate::ids::ThreadId;
use crate::kernel::{Attributes, Enqueue, Policy, Tasks};
use crate::policy::Entry;
use crate::policy::round_robin::{Used, use_up};
use crate::time::Span;

/// Its line in the table of policies.
pub const ENTRY: Entry = Entry {
    word: "priority",
    parameters: "preemptive: true, quantum: none",
    rule: "the largest priority; among equals whoever became runnable first",
    preempts: "when a larger priority becomes runnable; among equals when the quantum is over",
};

/// One queue for each priority.
#[derive(Clone, Debug)]
pub struct Priority {
    preemptive: bool,
    quantum: Option<Span>,
    levels: BTreeMap<Reverse<i64>, VecDeque<ThreadId>>,
    waiting: usize,
}

/// What is kept for a thread.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    priority: i64,
    used: Used,
}

impl Priority {
    /// Empty queues.
    pub fn new(preemptive: bool, quantum: Option<Span>) -> Priority {
        Priority { preemptive, quantum, levels: BTreeMap::new(), waiting: 0 }
    }

    fn remove(&mut self, level: Reverse<i64>, thread: ThreadId) {
        let Some(queue) = self.levels.get_mut(&level) else { return };
        let before = queue.len();
        queue.retain(|each| *each != thread);
        self.waiting -= before - queue.len();
        if queue.is_empty() {
            self.levels.remove(&level);
        }
    }
}

impl Policy for Priority {
    type Task = Task;

    fn task(&self, attributes: Attributes) -> Task {
        Task { priority: attributes.priority, used: Span::ZERO }
    }

    fn enqueue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, why: Enqueue) {
        let task = &mut tasks[thread];
        let level = self.levels.entry(Reverse(task.priority)).or_default();
        match why {
            Enqueue::Preempted => level.push_front(thread),
            Enqueue::Woken | Enqueue::QuantumOver => {
                task.used = Span::ZERO;
                level.push_back(thread);
            }
            Enqueue::Pulled => level.push_back(thread),
        }
        self.waiting += 1;
    }

    fn pick_next(&mut self, _: &mut Tasks<Self>, may_run: &mut dyn FnMut(ThreadId) -> bool) -> Option<ThreadId> {
        let (level, thread) = self.levels.iter().find_map(|(level, queue)| {
            queue.iter().copied().find(|each| may_run(*each)).map(|thread| (*level, thread))
        })?;
        self.remove(level, thread);
        Some(thread)
    }

    fn dequeue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId) {
        self.remove(Reverse(tasks[thread].priority), thread);
    }

    fn charge(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, ran: Span) {
        if let Some(quantum) = self.quantum {
            use_up(&mut tasks[thread].used, ran, quantum);
        }
    }

    fn slice(&self, tasks: &Tasks<Self>, thread: ThreadId) -> Option<Span> {
        self.quantum.map(|quantum| quantum.less(tasks[thread].used))
    }

    fn wakeup_preempts(&self, tasks: &Tasks<Self>, woken: ThreadId, running: ThreadId) -> bool {
        self.preemptive && tasks[woken].priority > tasks[running].priority
    }

    fn yields_first(&self, tasks: &Tasks<Self>, running: ThreadId) -> i128 {
        -i128::from(tasks[running].priority)
    }

    fn len(&self) -> usize {
        self.waiting
    }
}
