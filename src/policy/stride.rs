//! Stride scheduling (Waldspurger and Weihl, 1995; OSTEP, chapter 9): what lottery scheduling promises on average, exactly.
//! A thread's *stride* is a large number divided by its tickets. Each thread has a *pass*; the smallest pass runs next, equals
//! by id, and its pass grows by its stride for a full quantum, by the fraction of it for a part. After each cycle every
//! thread has run in proportion to its tickets, and never more than one quantum off.
//!
//! A thread that becomes runnable starts no lower than the smallest pass of those that are there, or were there last, so that
//! nobody saves up time by sleeping.
//!
//! OSTEP's example: tickets of 100, 50 and 250 are strides of 100, 200 and 40. The passes (A, B, C), and who runs:
//! (0, 0, 0) A, (100, 0, 0) B, (100, 200, 0) C, (100, 200, 40) C, (100, 200, 80) C, (100, 200, 120) A, (200, 200, 120) C,
//! (200, 200, 160) C, (200, 200, 200) as in the beginning.
//!
//! ```
//! # use gilsim::{model, study, time::{Instant, Span}, trace::{Record, What}};
//! let text = "
//! name: OSTEP, stride
//! machine: {cores: 1, scheduler: {stride: {quantum: 1ms}}}
//! processes:
//!   A: {runtime: native, tickets: 100, do: [cpu: 2ms]}
//!   B: {runtime: native, tickets: 50, do: [cpu: 1ms]}
//!   C: {runtime: native, tickets: 250, do: [cpu: 5ms]}
//! ";
//! let source = model::Source { name: "stride.yaml".into(), text: text.into() };
//! let mut records: Vec<Record> = Vec::new();
//! let run = study::simulate(&model::load(&source, &Default::default()).unwrap().scenario, &mut records);
//! let turns: String = records.iter().filter_map(|record| match record.what {
//!     What::State { thread, core: Some(_), .. } => Some(run.cast.threads[thread].name.clone()),
//!     _ => None,
//! }).collect();
//! // Three turns of C in a row are one stay.
//! assert_eq!(turns, "ABCAC");
//! let ends = run.metrics.threads.values().map(|thread| thread.finish.unwrap());
//! assert_eq!(ends.collect::<Vec<_>>(), [6, 2, 8].map(|ms| Instant::ZERO + Span::from_ms(ms)));
//! ```

use std::collections::BTreeSet;

use crate::ids::ThreadId;
use crate::kernel::{Attributes, Enqueue, Policy, Tasks};
use crate::model::Scenario;
use crate::policy::Entry;
use crate::policy::round_robin::{Used, use_up};
use crate::time::Span;

/// Its line in the table of policies.
pub const ENTRY: Entry = Entry {
    word: "stride",
    parameters: "quantum: 10ms",
    rule: "the smallest pass, which grows by running, the more slowly the more tickets one has; equals by declaration",
    preempts: "when the quantum is over and somebody else has a smaller pass",
};

/// A nanosecond of a thread with one ticket is so much of a pass. Fractions of a unit are far below a nanosecond.
const UNITS: u128 = 1 << 32;

/// A queue in the order of passes.
#[derive(Clone, Debug)]
pub struct Stride {
    quantum: Span,
    queue: BTreeSet<(u128, ThreadId)>,
    /// Who has been picked and is running.
    running: BTreeSet<ThreadId>,
    /// The smallest pass of waiting and running threads so far; it never falls.
    reached: u128,
}

/// What is kept for a thread.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    tickets: u128,
    /// Its pass when it joined.
    joined_at: u128,
    /// How long it has run since, in nanoseconds. The pass is computed from the sum, so that rounding never adds up.
    ran: u128,
    used: Used,
}

impl Task {
    fn pass(&self) -> u128 {
        self.joined_at + self.ran * UNITS / self.tickets
    }
}

impl Stride {
    /// An empty queue with the quantum of a scenario.
    pub fn of(scenario: &Scenario) -> Stride {
        let quantum = scenario.machine().scheduler.quantum();
        Stride { quantum, queue: BTreeSet::new(), running: BTreeSet::new(), reached: 0 }
    }

    /// Brings the smallest pass up to date.
    fn reach(&mut self, tasks: &Tasks<Self>) {
        let waiting = self.queue.first().map(|(pass, _)| *pass);
        let smallest = self.running.iter().map(|thread| tasks[*thread].pass()).chain(waiting).min();
        self.reached = self.reached.max(smallest.unwrap_or(0));
    }
}

impl Policy for Stride {
    type Task = Task;

    /// The smallest pass may be a running thread's.
    const LOOKS_AT_RUNNING: bool = true;

    fn task(&self, attributes: Attributes) -> Task {
        Task { tickets: attributes.tickets.into(), joined_at: 0, ran: 0, used: Span::ZERO }
    }

    fn enqueue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, why: Enqueue) {
        let joins = matches!(why, Enqueue::Woken | Enqueue::Pulled);
        if joins {
            self.reach(tasks);
        }
        self.running.remove(&thread);
        let task = &mut tasks[thread];
        if matches!(why, Enqueue::Woken | Enqueue::QuantumOver) {
            task.used = Span::ZERO;
        }
        if joins && task.pass() < self.reached {
            (task.joined_at, task.ran) = (self.reached, 0);
        }
        self.queue.insert((task.pass(), thread));
    }

    fn pick_next(&mut self, _: &mut Tasks<Self>, may_run: &mut dyn FnMut(ThreadId) -> bool) -> Option<ThreadId> {
        let next = *self.queue.iter().find(|(_, thread)| may_run(*thread))?;
        self.queue.remove(&next);
        self.running.insert(next.1);
        Some(next.1)
    }

    fn dequeue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId) {
        self.reach(tasks);
        self.running.remove(&thread);
        self.queue.remove(&(tasks[thread].pass(), thread));
    }

    fn charge(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, ran: Span) {
        tasks[thread].ran += u128::from(ran.ns());
        use_up(&mut tasks[thread].used, ran, self.quantum);
    }

    fn slice(&self, tasks: &Tasks<Self>, thread: ThreadId) -> Option<Span> {
        Some(self.quantum.less(tasks[thread].used))
    }

    fn len(&self) -> usize {
        self.queue.len()
    }
}
