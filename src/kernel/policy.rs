//! What a scheduling policy decides. The kernel acts: it asks the questions below and moves the threads.
//!
//! The hooks have the names of the Linux scheduler classes' (`sched-design-CFS.rst` §6). A run queue is one value of the
//! policy: one for all cores, or one for each. What the policy keeps for a thread travels with the thread.

use crate::ids::{IdVec, ThreadId};
use crate::time::Span;

/// What a policy may know of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// -20 … 19, smaller is more important.
    pub nice: i8,
    /// Larger runs first.
    pub priority: i64,
}

/// Why a thread enters a run queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueue {
    /// It became runnable: it arrived or was woken.
    Woken,
    /// A more urgent thread took its core.
    Preempted,
    /// Its quantum or slice is over.
    QuantumOver,
    /// It was runnable on another queue, from which it was pulled.
    Pulled,
}

/// What a policy keeps for each thread.
pub type Tasks<P> = IdVec<ThreadId, <P as Policy>::Task>;

/// A scheduling policy; one value is one run queue.
pub trait Policy: Clone {
    /// What it keeps for each thread.
    type Task: Clone;

    /// Whether it looks at how long running threads have run when another one comes or goes (`update_curr`): then they
    /// are charged first.
    const LOOKS_AT_RUNNING: bool = false;

    /// What it keeps for a thread that has not run yet.
    fn task(&self, attributes: Attributes) -> Self::Task;

    /// A thread joins the queue.
    fn enqueue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, why: Enqueue);

    /// The next thread to run among those that `may_run` on the core that asks. It leaves the queue but stays a member of
    /// it (it is running) until it is enqueued again or dequeued.
    fn pick_next(&mut self, tasks: &mut Tasks<Self>, may_run: &mut dyn FnMut(ThreadId) -> bool) -> Option<ThreadId>;

    /// A running or queued thread leaves: it blocks, ends, or is pulled to another queue.
    fn dequeue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId);

    /// A running thread has used its core for so long.
    fn charge(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, ran: Span);

    /// How much longer a running thread may stay while others wait; `None` = until it blocks or ends.
    fn slice(&self, tasks: &Tasks<Self>, thread: ThreadId) -> Option<Span>;

    /// Whether a thread that was just woken takes the core from a running one at once.
    fn wakeup_preempts(&self, tasks: &Tasks<Self>, woken: ThreadId, running: ThreadId) -> bool;

    /// Orders running threads: of several that a woken thread may preempt, the one with the largest value yields.
    fn yields_first(&self, tasks: &Tasks<Self>, running: ThreadId) -> i128;

    /// How many threads wait in the queue.
    fn len(&self) -> usize;

    /// Whether nobody waits in the queue.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
