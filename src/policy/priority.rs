//! Fixed priorities: the runnable thread with the largest number runs, equals in the order in which they became runnable
//! (POSIX `SCHED_FIFO`), or in turns of a quantum (`SCHED_RR`). Preemptive by default: a thread that becomes runnable takes
//! the core of a lower one at once, and the loser keeps its place at the head of its level. Low priorities can starve.
//!
//! *Ageing* is the remedy: the priority of a waiting thread rises by one each time it has waited for `ageing`. It keeps what
//! it has reached while it runs, also if it is preempted, until it blocks or its quantum is over. So with ageing of A a thread
//! that is d below a busy one waits for A (d + 1) and not for ever.
//!
//! A thread that holds a lock with a `protocol` may have a larger priority than its own meanwhile (`locks.x.protocol`).
//!
//! Silberschatz's example: bursts of 10, 1, 2, 1 and 5 ms with priorities 3, 1, 4, 5 and 2, where 1 is the *most* urgent, so
//! here 3, 5, 2, 1 and 4, run in the order P2, P5, P1, P3, P4 and wait 6, 0, 16, 18 and 1 ms: 41 / 5 = 8.2 ms on average.
//!
//! ```
//! # use gilsim::{analysis::ThreadMetrics, model, study, time::Span, trace::Nobody};
//! let text = "
//! name: Silberschatz, priorities
//! machine: {cores: 1, scheduler: priority}
//! processes:
//!   p1: {runtime: native, priority: 3, do: [cpu: 10ms]}
//!   p2: {runtime: native, priority: 5, do: [cpu: 1ms]}
//!   p3: {runtime: native, priority: 2, do: [cpu: 2ms]}
//!   p4: {runtime: native, priority: 1, do: [cpu: 1ms]}
//!   p5: {runtime: native, priority: 4, do: [cpu: 5ms]}
//! ";
//! let source = model::Source { name: "priority.yaml".into(), text: text.into() };
//! let run = study::simulate(&model::load(&source, &Default::default()).unwrap().scenario, Nobody);
//! assert_eq!(run.metrics.total(ThreadMetrics::waiting), Span::from_ms(41));
//! ```

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

use crate::ids::ThreadId;
use crate::kernel::{Attributes, Enqueue, Facts, Policy, Tasks};
use crate::model::Scenario;
use crate::policy::Entry;
use crate::policy::round_robin::{Used, use_up};
use crate::time::{Instant, Span};

/// Its line in the table of policies.
pub const ENTRY: Entry = Entry {
    word: "priority",
    parameters: "preemptive: true, quantum: none, ageing: 0ms",
    rule: "the largest priority; among equals whoever became runnable first",
    preempts: "when a larger priority becomes runnable, or waiting makes one larger; among equals when the quantum is over",
};

/// One queue for each priority.
#[derive(Clone, Debug)]
pub struct Priority {
    preemptive: bool,
    quantum: Option<Span>,
    /// Zero = never.
    ageing: Span,
    now: Instant,
    levels: BTreeMap<Reverse<i64>, VecDeque<ThreadId>>,
    waiting: usize,
}

/// What is kept for a thread.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Its own priority, or what it has through a lock.
    own: i64,
    /// What it has gained by waiting, up to when it last got a core.
    gained: i64,
    /// Since when it has waited.
    since: Instant,
    used: Used,
}

impl Task {
    fn priority(&self) -> i64 {
        self.own.saturating_add(self.gained)
    }
}

impl Priority {
    /// Empty queues with the parameters of a scenario.
    pub fn of(scenario: &Scenario) -> Priority {
        let scheduler = &scenario.machine().scheduler;
        Priority {
            preemptive: scheduler.preemptive,
            quantum: scheduler.quantum,
            ageing: scheduler.ageing,
            now: Instant::ZERO,
            levels: BTreeMap::new(),
            waiting: 0,
        }
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

    /// What a waiting thread has gained by waiting until now.
    fn gain(&self, task: &Task) -> i64 {
        let steps = self.now.since(task.since).ns().checked_div(self.ageing.ns()).unwrap_or(0);
        i64::try_from(steps).unwrap_or(i64::MAX)
    }

    /// Its priority with that.
    fn aged(&self, task: &Task) -> i64 {
        task.priority().saturating_add(self.gain(task))
    }

    fn waiting(&self) -> impl Iterator<Item = ThreadId> {
        self.levels.values().flatten().copied()
    }

    /// The waiting thread with the largest priority by now; among equals the one with the larger priority of its own, then the
    /// one that comes first in its queue.
    fn most_urgent(&self, tasks: &Tasks<Self>, may_run: &mut dyn FnMut(ThreadId) -> bool) -> Option<ThreadId> {
        if self.ageing.is_zero() {
            return self.waiting().find(|each| may_run(*each));
        }
        let allowed = self.waiting().filter(|each| may_run(*each));
        allowed.fold(None, |best: Option<ThreadId>, each| match best {
            Some(best) if self.aged(&tasks[best]) >= self.aged(&tasks[each]) => Some(best),
            _ => Some(each),
        })
    }

    /// When waiting makes a thread more urgent than a priority.
    fn overtakes(&self, task: &Task, priority: i64) -> Instant {
        let steps = priority.saturating_sub(task.priority()).saturating_add(1).max(0);
        let waits = self.ageing.ns().saturating_mul(steps.unsigned_abs());
        Instant::from_ns(task.since.ns().saturating_add(waits))
    }
}

impl Policy for Priority {
    type Task = Task;

    fn task(&self, attributes: Attributes) -> Task {
        Task { own: attributes.priority, gained: 0, since: Instant::ZERO, used: Span::ZERO }
    }

    fn clock(&mut self, _: &mut Tasks<Self>, now: Instant) {
        self.now = now;
    }

    fn update(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, facts: Facts) {
        tasks[thread].own = facts.priority;
    }

    fn enqueue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, why: Enqueue) {
        // The end of a slice may be the time at which somebody has overtaken it, and its quantum not over.
        let own = tasks[thread].priority();
        let overtaken = why == Enqueue::QuantumOver
            && self.most_urgent(tasks, &mut |_| true).is_some_and(|best| self.aged(&tasks[best]) > own);
        let task = &mut tasks[thread];
        if why != Enqueue::Pulled {
            task.since = self.now;
        }
        let fresh = why == Enqueue::Woken || (why == Enqueue::QuantumOver && !overtaken);
        if fresh {
            (task.gained, task.used) = (0, Span::ZERO);
        }
        let level = self.levels.entry(Reverse(task.priority())).or_default();
        if fresh || why == Enqueue::Pulled {
            level.push_back(thread);
        } else {
            level.push_front(thread);
        }
        self.waiting += 1;
    }

    fn pick_next(&mut self, tasks: &mut Tasks<Self>, may_run: &mut dyn FnMut(ThreadId) -> bool) -> Option<ThreadId> {
        let thread = self.most_urgent(tasks, may_run)?;
        self.remove(Reverse(tasks[thread].priority()), thread);
        tasks[thread].gained = tasks[thread].gained.saturating_add(self.gain(&tasks[thread]));
        Some(thread)
    }

    fn dequeue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId) {
        self.remove(Reverse(tasks[thread].priority()), thread);
    }

    fn charge(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, ran: Span) {
        if let Some(quantum) = self.quantum {
            use_up(&mut tasks[thread].used, ran, quantum);
        }
    }

    fn slice(&self, tasks: &Tasks<Self>, thread: ThreadId) -> Option<Span> {
        let running = &tasks[thread];
        let turn = self.quantum.map(|quantum| quantum.less(running.used));
        if !self.preemptive || self.ageing.is_zero() {
            return turn;
        }
        let overtaken = self.waiting().map(|each| self.overtakes(&tasks[each], running.priority())).min();
        let left = overtaken.map(|at| Span::from_ns(at.ns().saturating_sub(self.now.ns())));
        turn.into_iter().chain(left).min()
    }

    fn joining_shortens_slices(&self) -> bool {
        self.preemptive && !self.ageing.is_zero()
    }

    fn wakeup_preempts(&self, tasks: &Tasks<Self>, woken: ThreadId, running: ThreadId) -> bool {
        self.preemptive && tasks[woken].priority() > tasks[running].priority()
    }

    fn yields(&self, tasks: &Tasks<Self>, running: ThreadId) -> bool {
        let best = self.waiting().map(|each| self.aged(&tasks[each])).max();
        self.preemptive && best.is_some_and(|best| best > tasks[running].priority())
    }

    fn yields_first(&self, tasks: &Tasks<Self>, running: ThreadId) -> i128 {
        -i128::from(tasks[running].priority())
    }

    fn len(&self) -> usize {
        self.waiting
    }
}
