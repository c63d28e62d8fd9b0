//! The fair scheduler of Linux since 6.6, EEVDF: *earliest eligible virtual deadline first* (Stoica and Abdel-Wahab,
//! 1995; `kernel/sched/fair.c`).
//!
//! A thread of nice value n has the weight w(n) of the kernel's table `sched_prio_to_weight` (nice 0 = 1024; a step of one
//! is a factor of about 1.25). Its *virtual run time* v grows by `ran · 1024 / w`. The queue's virtual time V is the
//! average of v over its threads, weighted by w. A thread's *lag* V − v is what it is owed: it is *eligible* when its lag is
//! not negative. Each thread has a *virtual deadline* v + slice · 1024 / w, renewed when v reaches it. Among the eligible
//! threads the one with the earliest deadline runs, ties by id.
//!
//! A thread that blocks takes its lag with it, at most one slice of it. One that used less than its share is still owed that
//! when it wakes: then the running thread is not eligible any more and loses its core at once (*wake-up pre-emption*). One
//! that had more than its share pays it back while it sleeps: it returns where it stood, or at V if that has passed it by
//! (*delayed dequeue*). A thread that is owed nothing waits for the end of the running slice. A running thread that is eligible keeps its core until its deadline (`RUN_TO_PARITY`).
//!
//! With a tick, the end of a slice is seen at the next tick only (`machine.tick`); wake-ups are seen at once, as the timer
//! interrupts of `hrtimer` are.
//!
//! # Divergence from Linux
//! - One slice for all threads; no group scheduling (autogroup, cgroups). A thread in delayed dequeue does not count in V.
//! - The lag is bounded by one slice; Linux allows `max(2 · slice, tick)`.

use std::collections::BTreeSet;

use crate::ids::ThreadId;
use crate::kernel::{Attributes, Enqueue, Policy, Tasks};
use crate::model::Scenario;
use crate::policy::Entry;
use crate::time::Span;

/// Its line in the table of policies.
pub const ENTRY: Entry = Entry {
    word: "fair",
    parameters: "slice: 3ms",
    rule: "the earliest virtual deadline among the threads that have not had more than their share",
    preempts: "when the slice is over; at once when a thread wakes that is owed something",
};

/// Virtual time: a nanosecond of a thread of nice 0 is so many units, so that rounding stays far below a nanosecond.
const UNITS: i128 = 1024;
/// The weight of nice 0.
const NICE_0: i128 = 1024;

/// The kernel's `sched_prio_to_weight`, nice -20 … 19.
#[rustfmt::skip]
const WEIGHTS: [i128; 40] = [
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
     9548,  7620,  6100,  4904,  3906,  3121,  2501,  1991,  1586,  1277,
     1024,   820,   655,   526,   423,   335,   272,   215,   172,   137,
      110,    87,    70,    56,    45,    36,    29,    23,    18,    15,
];

/// What is kept for a thread, in units of virtual time.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    weight: i128,
    /// Virtual run time.
    v: i128,
    deadline: i128,
    /// What it was owed when it left.
    lag: i128,
    /// While it runs: it keeps its core until its virtual run time reaches this.
    protected_until: i128,
}

/// A run queue, with the sums over its waiting and running threads.
#[derive(Clone, Debug)]
pub struct Fair {
    slice: Span,
    /// Who waits, by deadline.
    queue: BTreeSet<(i128, ThreadId)>,
    /// Σ w over waiting and running threads.
    weights: i128,
    /// Σ w · v over the same.
    weighted: i128,
    /// V when the last thread left.
    last_v: i128,
}

impl Fair {
    /// An empty queue with the slices of a scenario.
    pub fn of(scenario: &Scenario) -> Fair {
        let slice = scenario.machine().scheduler.slice;
        Fair { slice, queue: BTreeSet::new(), weights: 0, weighted: 0, last_v: 0 }
    }

    /// V: the weighted average of the virtual run times, rounded down.
    fn virtual_time(&self) -> i128 {
        if self.weights == 0 { self.last_v } else { self.weighted.div_euclid(self.weights) }
    }

    /// v ≤ V, without rounding.
    fn is_eligible(&self, task: &Task) -> bool {
        task.v * self.weights <= self.weighted
    }

    /// One slice as virtual time of a thread.
    fn virtual_slice(&self, task: &Task) -> i128 {
        i128::from(self.slice.ns()) * UNITS * NICE_0 / task.weight
    }

    fn join(&mut self, task: &Task) {
        self.weights += task.weight;
        self.weighted += task.weight * task.v;
    }

    fn leave(&mut self, task: &Task) {
        self.last_v = self.virtual_time();
        self.weights -= task.weight;
        self.weighted -= task.weight * task.v;
    }

    /// `place_entity`: where a thread that comes back stands. If it is owed something, its lag is what it was *after* it has
    /// joined and moved the average.
    fn place(&mut self, task: &mut Task) {
        let now = self.virtual_time();
        task.v = if task.lag <= 0 {
            now.max(task.v)
        } else if self.weights == 0 {
            now
        } else {
            now - task.lag * (self.weights + task.weight) / self.weights
        };
        task.deadline = task.v + self.virtual_slice(task);
        self.join(task);
    }
}

impl Policy for Fair {
    type Task = Task;

    /// V is an average over running threads, too.
    const LOOKS_AT_RUNNING: bool = true;

    fn task(&self, attributes: Attributes) -> Task {
        let weight = WEIGHTS[(attributes.nice + 20).clamp(0, 39) as usize];
        Task { weight, v: 0, deadline: 0, lag: 0, protected_until: 0 }
    }

    fn enqueue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, why: Enqueue) {
        let task = &mut tasks[thread];
        match why {
            Enqueue::Woken | Enqueue::Pulled => self.place(task),
            Enqueue::Preempted | Enqueue::QuantumOver => {}
        }
        self.queue.insert((task.deadline, thread));
    }

    fn pick_next(&mut self, tasks: &mut Tasks<Self>, may_run: &mut dyn FnMut(ThreadId) -> bool) -> Option<ThreadId> {
        let mut fallback = None;
        let eligible = self.queue.iter().copied().find(|(_, thread)| {
            let allowed = may_run(*thread);
            if allowed && fallback.is_none() {
                fallback = Some(*thread);
            }
            allowed && self.is_eligible(&tasks[*thread])
        });
        // Somebody is always eligible, but it may not be allowed to run here.
        let thread = eligible.map(|(_, thread)| thread).or(fallback)?;
        let task = &mut tasks[thread];
        self.queue.remove(&(task.deadline, thread));
        task.protected_until = task.deadline;
        Some(thread)
    }

    fn dequeue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId) {
        let most = self.virtual_slice(&tasks[thread]);
        let task = &mut tasks[thread];
        let now = self.virtual_time();
        task.lag = (now - task.v).clamp(-most, most);
        task.v = task.v.min(now + most);
        self.queue.remove(&(task.deadline, thread));
        self.leave(task);
    }

    fn charge(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, ran: Span) {
        let slice = self.virtual_slice(&tasks[thread]);
        let task = &mut tasks[thread];
        let more = i128::from(ran.ns()) * UNITS * NICE_0 / task.weight;
        task.v += more;
        self.weighted += task.weight * more;
        if task.v >= task.deadline {
            let behind = task.v - task.deadline;
            task.deadline += (behind / slice + 1) * slice;
        }
    }

    fn slice(&self, tasks: &Tasks<Self>, thread: ThreadId) -> Option<Span> {
        let task = &tasks[thread];
        // `charge` keeps the deadline ahead of the virtual run time.
        let left = ((task.deadline - task.v) * task.weight).unsigned_abs().div_ceil((UNITS * NICE_0).unsigned_abs());
        Some(Span::from_ns(u64::try_from(left).unwrap_or(u64::MAX)))
    }

    fn wakeup_preempts(&self, tasks: &Tasks<Self>, woken: ThreadId, running: ThreadId) -> bool {
        let (woken, running) = (&tasks[woken], &tasks[running]);
        if !self.is_eligible(woken) {
            return false;
        }
        if !self.is_eligible(running) {
            return true;
        }
        running.v >= running.protected_until && woken.deadline < running.deadline
    }

    fn yields_first(&self, tasks: &Tasks<Self>, running: ThreadId) -> i128 {
        tasks[running].deadline
    }

    fn len(&self) -> usize {
        self.queue.len()
    }
}
