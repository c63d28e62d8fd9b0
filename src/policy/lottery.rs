//! Lottery scheduling (Waldspurger and Weihl, 1994; OSTEP, chapter 9): every thread holds tickets; for each quantum one
//! ticket is drawn, and its holder runs. A thread with t of T tickets wins each draw with probability t / T, independently of
//! all others, so after n draws it has won n t / T times on average, give or take √(n t/T (1 − t/T)). Nobody starves for
//! ever, and no state has to be kept when threads come and go.
//!
//! The draws come from the stream `scheduler/lottery/0` (with queues for each core: the number of the core). Threads are
//! counted in the order of declaration. Where only one thread may run nothing is drawn.
//!
//! Tickets of 75 and 25, quanta of 1 ms: within the first 1000 draws A wins 750 ± 13.7 times; four standard deviations are
//! 55.
//!
//! ```
//! # use gilsim::{model, study, trace::Nobody};
//! let text = "
//! name: OSTEP, lottery
//! machine: {cores: 1, scheduler: {lottery: {quantum: 1ms}}}
//! processes:
//!   a: {runtime: native, tickets: 75, do: [cpu: 10s]}
//!   b: {runtime: native, tickets: 25, do: [cpu: 10s]}
//! run: {until: 1s, seed: 1}
//! ";
//! let source = model::Source { name: "lottery.yaml".into(), text: text.into() };
//! let run = study::simulate(&model::load(&source, &Default::default()).unwrap().scenario, Nobody);
//! let won: Vec<u64> = run.metrics.threads.values().map(|thread| thread.ran().ns() / 1_000_000).collect();
//! assert_eq!(won[0] + won[1], 1000);
//! assert!(won[0].abs_diff(750) < 55, "{won:?}");
//! ```

use std::collections::BTreeSet;

use crate::ids::ThreadId;
use crate::kernel::{Attributes, Enqueue, Policy, Tasks};
use crate::model::Scenario;
use crate::policy::Entry;
use crate::policy::round_robin::{Used, use_up};
use crate::rng::Stream;
use crate::time::Span;

/// Its line in the table of policies.
pub const ENTRY: Entry = Entry {
    word: "lottery",
    parameters: "quantum: 10ms",
    rule: "the holder of a ticket that is drawn for each quantum",
    preempts: "when the quantum is over and the draw falls on somebody else",
};

/// Who takes part in the next draw.
#[derive(Clone, Debug)]
pub struct Lottery {
    quantum: Span,
    seed: u64,
    stream: Stream,
    queue: BTreeSet<ThreadId>,
}

/// What is kept for a thread.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    tickets: u64,
    used: Used,
}

fn stream(seed: u64, number: usize) -> Stream {
    Stream::new(seed, &format!("scheduler/lottery/{number}"))
}

impl Lottery {
    /// An empty queue with the quantum and the seed of a scenario.
    pub fn of(scenario: &Scenario) -> Lottery {
        let (quantum, seed) = (scenario.machine().scheduler.quantum(), scenario.run().seed);
        Lottery { quantum, seed, stream: stream(seed, 0), queue: BTreeSet::new() }
    }

    /// The winner among some threads.
    fn draw(&mut self, tasks: &Tasks<Self>, candidates: &[ThreadId]) -> Option<ThreadId> {
        if candidates.len() < 2 {
            return candidates.first().copied();
        }
        let total = candidates.iter().map(|thread| tasks[*thread].tickets).sum();
        let mut drawn = self.stream.below(total);
        candidates.iter().copied().find(|thread| {
            let own = tasks[*thread].tickets;
            let wins = drawn < own;
            drawn = drawn.saturating_sub(own);
            wins
        })
    }
}

impl Policy for Lottery {
    type Task = Task;

    fn queue(&self, number: usize) -> Lottery {
        Lottery { stream: stream(self.seed, number), ..self.clone() }
    }

    fn task(&self, attributes: Attributes) -> Task {
        Task { tickets: attributes.tickets, used: Span::ZERO }
    }

    fn enqueue(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, why: Enqueue) {
        if matches!(why, Enqueue::Woken | Enqueue::QuantumOver) {
            tasks[thread].used = Span::ZERO;
        }
        self.queue.insert(thread);
    }

    fn pick_next(&mut self, tasks: &mut Tasks<Self>, may_run: &mut dyn FnMut(ThreadId) -> bool) -> Option<ThreadId> {
        let candidates: Vec<ThreadId> = self.queue.iter().copied().filter(|thread| may_run(*thread)).collect();
        let winner = self.draw(tasks, &candidates)?;
        self.queue.remove(&winner);
        Some(winner)
    }

    fn dequeue(&mut self, _: &mut Tasks<Self>, thread: ThreadId) {
        self.queue.remove(&thread);
    }

    fn charge(&mut self, tasks: &mut Tasks<Self>, thread: ThreadId, ran: Span) {
        use_up(&mut tasks[thread].used, ran, self.quantum);
    }

    fn slice(&self, tasks: &Tasks<Self>, thread: ThreadId) -> Option<Span> {
        Some(self.quantum.less(tasks[thread].used))
    }

    fn len(&self) -> usize {
        self.queue.len()
    }
}
