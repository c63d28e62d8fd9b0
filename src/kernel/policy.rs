//! What a scheduling policy decides. The kernel acts: it asks the questions below and moves the threads.
//!
//! The hooks have the names of the Linux scheduler classes' (`sched-design-CFS.rst` §6). A run queue is one value of the
//! policy: one for all cores, or one for each. What the policy keeps for a thread travels with the thread.
//!
//! # The order of the questions
//! At every instant at which anything happens each queue is told the time first (`clock`). A thread that becomes runnable
//! is described (`update`) and joins (`enqueue`). A core that is free, or whose thread is put back, takes the answer of
//! `pick_next`. Before a running thread is compared with others it is charged for the time it ran (`charge`) and described
//! again. It leaves for good with `dequeue`.

use crate::ids::{IdVec, ThreadId};
use crate::time::{Instant, Span};

/// What a policy may know of a thread once and for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// -20 … 19, smaller is more important.
    pub nice: i8,
    /// Larger runs first.
    pub priority: i64,
    /// Its share of a proportional policy; above 0.
    pub tickets: u64,
    /// How often its program is released; `None` = once.
    pub period: Option<Span>,
}

/// What a policy may know of a thread at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Larger runs first; its own priority, or a larger one that it has through a lock.
    pub priority: i64,
    /// What is left of the burst under way, or the length of the next one, as time on a core of speed 1; zero if the thread
    /// blocks or ends before it works. Only told to a policy that [looks at bursts](Policy::LOOKS_AT_BURSTS).
    pub burst: Span,
    /// When its present job is due; `None` = it has none.
    pub deadline: Option<Instant>,
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
    /// It was runnable in another place: on another queue, from which it was pulled, or with another priority.
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

    /// Whether it looks at the lengths of bursts, which the kernel then looks up in the programs.
    const LOOKS_AT_BURSTS: bool = false;

    /// The run queue of this number, from 0, where each core has its own: like this one, and empty.
    fn queue(&self, _number: usize) -> Self {
        self.clone()
    }

    /// What it keeps for a thread that has not run yet.
    fn task(&self, attributes: Attributes) -> Self::Task;

    /// The present instant (`update_rq_clock`).
    fn clock(&mut self, _tasks: &mut Tasks<Self>, _now: Instant) {}

    /// What is true of a thread now (`update_curr`). The thread is running, or about to join the queue.
    fn update(&mut self, _tasks: &mut Tasks<Self>, _thread: ThreadId, _facts: Facts) {}

    /// A thread joins the queue.
    fn enqueue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, why: Enqueue);

    /// The next thread to run among those that `may_run` on the core that asks. It leaves the queue but stays a member of
    /// it (it is running) until it is enqueued again or dequeued.
    fn pick_next(&mut self, tasks: &mut Tasks<Self>, may_run: &mut dyn FnMut(ThreadId) -> bool) -> Option<ThreadId>;

    /// A running or queued thread leaves: it blocks, ends, or is pulled to another queue.
    fn dequeue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId);

    /// A running thread has used its core for so long.
    fn charge(&mut self, _tasks: &mut Tasks<Self>, _thread: ThreadId, _ran: Span) {}

    /// How much longer a running thread may stay while others wait; `None` = until it blocks or ends.
    fn slice(&self, _tasks: &Tasks<Self>, _thread: ThreadId) -> Option<Span> {
        None
    }

    /// Whether the answer of `slice` may become shorter because another thread joins the queue: then it is asked again.
    fn joining_shortens_slices(&self) -> bool {
        false
    }

    /// Whether a thread that was just woken takes the core from a running one at once.
    fn wakeup_preempts(&self, _tasks: &Tasks<Self>, _woken: ThreadId, _running: ThreadId) -> bool {
        false
    }

    /// Whether a running thread that begins another burst or another job offers its core to others (`yield_task`). It does
    /// not lose it if it is picked again.
    fn yields(&self, _tasks: &Tasks<Self>, _running: ThreadId) -> bool {
        false
    }

    /// Orders running threads: of several that a woken thread may preempt, the one with the largest value yields.
    fn yields_first(&self, _tasks: &Tasks<Self>, _running: ThreadId) -> i128 {
        0
    }

    /// How many threads wait in the queue.
    fn len(&self) -> usize;

    /// Whether nobody waits in the queue.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
