//! What policies have in common that run the thread with the smallest number: the shortest burst, the earliest deadline,
//! the shortest period.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use crate::ids::ThreadId;
use crate::kernel::{Attributes, Enqueue, Facts, Policy, Tasks};
use crate::model::Scenario;

/// How urgent a thread is.
pub trait Urgency: Clone {
    /// Whether a more urgent thread takes the core of a less urgent one.
    const PREEMPTS: bool;
    /// Whether the lengths of bursts matter.
    const LOOKS_AT_BURSTS: bool = false;

    /// The number of a thread, in nanoseconds: the smallest runs first.
    fn number(attributes: &Attributes, facts: &Facts) -> u64;
}

/// A queue in the order of urgency; equals by id.
#[derive(Clone, Debug, Default)]
pub struct MostUrgentFirst<U> {
    queue: BTreeSet<(u64, ThreadId)>,
    rule: PhantomData<U>,
}

/// What is kept for a thread.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    attributes: Attributes,
    number: u64,
}

impl<U> MostUrgentFirst<U> {
    /// An empty queue; these policies have no parameters.
    pub fn of(_: &Scenario) -> Self {
        MostUrgentFirst { queue: BTreeSet::new(), rule: PhantomData }
    }
}

impl<U: Urgency> Policy for MostUrgentFirst<U> {
    type Task = Task;

    const LOOKS_AT_BURSTS: bool = U::LOOKS_AT_BURSTS;

    fn task(&self, attributes: Attributes) -> Task {
        Task { attributes, number: U::number(&attributes, &Facts::default()) }
    }

    fn update(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, facts: Facts) {
        let task = &mut tasks[thread];
        task.number = U::number(&task.attributes, &facts);
    }

    fn enqueue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, _: Enqueue) {
        self.queue.insert((tasks[thread].number, thread));
    }

    fn pick_next(&mut self, _: &mut Tasks<Self>, may_run: &mut dyn FnMut(ThreadId) -> bool) -> Option<ThreadId> {
        let next = *self.queue.iter().find(|(_, thread)| may_run(*thread))?;
        self.queue.remove(&next);
        Some(next.1)
    }

    fn dequeue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId) {
        self.queue.remove(&(tasks[thread].number, thread));
    }

    fn wakeup_preempts(&self, tasks: &Tasks<Self>, woken: ThreadId, running: ThreadId) -> bool {
        U::PREEMPTS && tasks[woken].number < tasks[running].number
    }

    fn yields(&self, tasks: &Tasks<Self>, running: ThreadId) -> bool {
        U::PREEMPTS && self.queue.first().is_some_and(|(number, _)| *number < tasks[running].number)
    }

    fn yields_first(&self, tasks: &Tasks<Self>, running: ThreadId) -> i128 {
        // Of equals the later declared.
        i128::from(tasks[running].number) << u32::BITS | i128::from(running.0)
    }

    fn len(&self) -> usize {
        self.queue.len()
    }
}
