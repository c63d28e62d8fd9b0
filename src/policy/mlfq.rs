//! The multi-level feedback queue (Corbató, 1962; OSTEP, chapter 8), which favours short and interactive threads without
//! knowing anything beforehand. There are several queues, the highest first:
//!
//! 1. If A is in a higher queue than B, A runs, and takes the core at once.
//! 2. Threads of one queue run in turns of its quantum.
//! 3. A new thread enters the highest queue.
//! 4. Once a thread has used up its *allotment* in a queue, over all its turns and however often it gave up the core before,
//!    it moves down one queue. (Otherwise blocking just before the end of each quantum would keep it on top for ever.)
//! 5. Every *boost* period all threads move to the highest queue, with a fresh allotment. So nobody starves, and a thread
//!    that has become interactive is treated as one. A running thread keeps its core and begins a fresh quantum.
//!
//! A thread that is alone uses up its allotments too. In the lowest queue turns go on without end. A preempted thread
//! continues its turn at the head of its queue.
//!
//! OSTEP's first example, three queues of 10 ms: a long job is in the highest queue for 10 ms, in the middle one for 10 ms,
//! and stays in the lowest. A job of 20 ms that arrives at 100 ms takes the core at once, moves down at 110 ms, and ends at
//! 120 ms.
//!
//! ```
//! # use gilsim::{model, study, time::{Instant, Span}, trace::Nobody};
//! let text = "
//! name: OSTEP, along came a short job
//! machine: {cores: 1, scheduler: {mlfq: {quantum: [10ms, 10ms, 10ms], boost: 0ms}}}
//! processes:
//!   a: {runtime: native, do: [cpu: 180ms]}
//!   b: {runtime: native, at: 100ms, do: [cpu: 20ms]}
//! ";
//! let source = model::Source { name: "mlfq.yaml".into(), text: text.into() };
//! let run = study::simulate(&model::load(&source, &Default::default()).unwrap().scenario, Nobody);
//! let ends = run.metrics.threads.values().map(|thread| thread.finish.unwrap());
//! assert_eq!(ends.collect::<Vec<_>>(), [200, 120].map(|ms| Instant::ZERO + Span::from_ms(ms)));
//! ```

use std::collections::VecDeque;

use crate::ids::ThreadId;
use crate::kernel::{Attributes, Enqueue, Policy, Tasks};
use crate::model::{Level, Scenario};
use crate::policy::Entry;
use crate::policy::round_robin::{Used, use_up};
use crate::time::{Instant, Span};

/// Its line in the table of policies.
pub const ENTRY: Entry = Entry {
    word: "mlfq",
    parameters: "queues: 3, quantum: 10ms, twice as long in each lower queue, allotment: the quantum, boost: 1s",
    rule: "the highest queue; in it whoever entered first",
    preempts: "when a thread enters a higher queue; in one queue when the quantum or the allotment is over",
};

/// The queues, the highest first.
#[derive(Clone, Debug)]
pub struct Mlfq {
    levels: Vec<Level>,
    queues: Vec<VecDeque<ThreadId>>,
    waiting: usize,
    /// Zero = never.
    boost: Span,
    now: Instant,
    /// How many boosts there have been.
    boosts: u64,
}

/// What is kept for a thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Task {
    level: usize,
    /// Of the present turn.
    used: Used,
    /// Of the allotment of this level.
    spent: Span,
    /// Boosts that it has had.
    boosts: u64,
    /// It has been running, and moved to this level at the last charge, not having run in it: down, or up by a boost.
    moved: Option<Moved>,
}

/// How a running thread has changed its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moved {
    Down,
    Boosted,
}

impl Mlfq {
    /// Empty queues with the parameters of a scenario.
    pub fn of(scenario: &Scenario) -> Mlfq {
        let scheduler = &scenario.machine().scheduler;
        Mlfq {
            levels: scheduler.levels.clone(),
            queues: vec![VecDeque::new(); scheduler.levels.len()],
            waiting: 0,
            boost: scheduler.boost,
            now: Instant::ZERO,
            boosts: 0,
        }
    }

    /// The task with the boosts that it has not noticed yet.
    fn boosted(&self, task: &Task) -> Task {
        if task.boosts == self.boosts { *task } else { Task { boosts: self.boosts, ..Task::default() } }
    }

    /// When the latest boost was.
    fn last_boost(&self) -> Instant {
        Instant::from_ns(self.boosts * self.boost.ns())
    }

    /// How long a thread may still run on its level; `None` = for ever.
    fn allotment_left(&self, task: &Task) -> Option<Span> {
        let lowest = task.level + 1 == self.levels.len();
        (!lowest).then(|| self.levels[task.level].allotment.less(task.spent))
    }
}

impl Policy for Mlfq {
    type Task = Task;

    fn task(&self, _: Attributes) -> Task {
        Task::default()
    }

    fn clock(&mut self, tasks: &mut Tasks<Self>, now: Instant) {
        self.now = now;
        let boosts = now.ns().checked_div(self.boost.ns()).unwrap_or(0);
        if boosts == self.boosts {
            return;
        }
        self.boosts = boosts;
        let all: VecDeque<ThreadId> = self.queues.iter_mut().flat_map(std::mem::take).collect();
        for thread in &all {
            tasks[*thread] = self.boosted(&tasks[*thread]);
        }
        self.queues[0] = all;
    }

    fn enqueue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, why: Enqueue) {
        let mut task = self.boosted(&tasks[thread]);
        let moved = task.moved.take();
        let goes_on = match why {
            Enqueue::Preempted => moved != Some(Moved::Down),
            Enqueue::QuantumOver => moved == Some(Moved::Boosted),
            Enqueue::Woken | Enqueue::Pulled => false,
        };
        if goes_on {
            self.queues[task.level].push_front(thread);
        } else {
            task.used = if why == Enqueue::Pulled { task.used } else { Span::ZERO };
            self.queues[task.level].push_back(thread);
        }
        tasks[thread] = task;
        self.waiting += 1;
    }

    fn pick_next(&mut self, _: &mut Tasks<Self>, may_run: &mut dyn FnMut(ThreadId) -> bool) -> Option<ThreadId> {
        for queue in &mut self.queues {
            if let Some(place) = queue.iter().position(|thread| may_run(*thread)) {
                self.waiting -= 1;
                return queue.remove(place);
            }
        }
        None
    }

    fn dequeue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId) {
        let queue = &mut self.queues[tasks[thread].level];
        let before = queue.len();
        queue.retain(|each| *each != thread);
        self.waiting -= before - queue.len();
    }

    fn charge(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, ran: Span) {
        let mut task = self.boosted(&tasks[thread]);
        let boosted = task.boosts > tasks[thread].boosts;
        // What it ran before the boost is forgotten.
        let mut left = if boosted { ran.min(self.now.since(self.last_boost())) } else { ran };
        task.moved = boosted.then_some(Moved::Boosted);
        while let Some(room) = self.allotment_left(&task).filter(|room| left >= *room) {
            left = left.less(room);
            task =
                Task { level: task.level + 1, used: Span::ZERO, spent: Span::ZERO, moved: Some(Moved::Down), ..task };
        }
        if !left.is_zero() {
            task.moved = task.moved.filter(|moved| *moved == Moved::Boosted);
        }
        task.spent += left;
        use_up(&mut task.used, left, self.levels[task.level].quantum);
        tasks[thread] = task;
    }

    fn slice(&self, tasks: &Tasks<Self>, thread: ThreadId) -> Option<Span> {
        let task = self.boosted(&tasks[thread]);
        if task.moved == Some(Moved::Down) {
            // It sank at this very instant: who came meanwhile to the same queue is before it.
            return Some(Span::ZERO);
        }
        let turn = self.levels[task.level].quantum.less(task.used);
        let boost = (!self.boost.is_zero()).then(|| (self.last_boost() + self.boost).since(self.now));
        [self.allotment_left(&task), boost].into_iter().flatten().chain([turn]).min()
    }

    fn wakeup_preempts(&self, tasks: &Tasks<Self>, woken: ThreadId, running: ThreadId) -> bool {
        self.boosted(&tasks[woken]).level < self.boosted(&tasks[running]).level
    }

    fn yields_first(&self, tasks: &Tasks<Self>, running: ThreadId) -> i128 {
        self.boosted(&tasks[running]).level as i128
    }

    fn len(&self) -> usize {
        self.waiting
    }
}
