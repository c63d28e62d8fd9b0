//! Events and their total order.
//!
//! Law: `(time, rank, subject, sequence)`. The rank is the place of the variant below, the subject its id. So at one
//! instant arrivals, releases and completed I/O come first, then completed work, then time-outs (and checks of 2.7), ends of
//! quanta and deadlines: work that ends exactly at a time-out is not asked to drop the GIL, a thread that blocks exactly at
//! the end of its quantum is not preempted, and a job that ends exactly when it is due is not missed.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::ids::{CoreId, ProcId, ThreadId};
use crate::time::Instant;

/// What is due. The order of the variants is the rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A process becomes eligible.
    ProcessArrives(ProcId),
    /// A thread becomes eligible.
    Arrives(ThreadId),
    /// A thread with a period is released again.
    Release(ThreadId),
    /// A blocking call or a sleep ends.
    Wakes { thread: ThreadId, generation: u32 },
    /// A process has its quota again.
    PeriodBegins { process: ProcId, generation: u32 },
    /// What a core is busy with is done: a burst of work, or overhead.
    CoreDone { core: CoreId, generation: u32 },
    /// A timed wait for the GIL, a lock, a shared object or an end is over, and in vain.
    TimesOut { thread: ThreadId, generation: u32 },
    /// Python 2.7: the holder's ticks are used up.
    Check { core: CoreId, generation: u32 },
    /// A quantum or slice is over.
    QuantumEnd { core: CoreId, generation: u32 },
    /// The threads of a process have used up its quota.
    QuotaUsed { process: ProcId, generation: u32 },
    /// A job of a thread is due.
    Due(ThreadId),
}

/// The ranks in four groups, each looked at when what comes before it at the same instant has been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Arrivals, wake-ups and completed work.
    Work,
    /// Time-outs of waits, and checks of 2.7.
    Timeout,
    /// Ends of quanta and of quotas.
    Quantum,
    /// Deadlines.
    Deadline,
}

impl Event {
    fn rank(self) -> Rank {
        match self {
            Event::ProcessArrives(_) | Event::Arrives(_) | Event::Release(_) | Event::Wakes { .. } => Rank::Work,
            Event::PeriodBegins { .. } | Event::CoreDone { .. } => Rank::Work,
            Event::TimesOut { .. } | Event::Check { .. } => Rank::Timeout,
            Event::QuantumEnd { .. } | Event::QuotaUsed { .. } => Rank::Quantum,
            Event::Due(_) => Rank::Deadline,
        }
    }

    /// Rank and subject in one number.
    fn order(self) -> u64 {
        let (rank, subject) = match self {
            Event::ProcessArrives(process) => (0, process.0),
            Event::Arrives(thread) => (1, thread.0),
            Event::Release(thread) => (2, thread.0),
            Event::Wakes { thread, .. } => (3, thread.0),
            Event::PeriodBegins { process, .. } => (4, process.0),
            Event::CoreDone { core, .. } => (5, core.0),
            Event::TimesOut { thread, .. } => (6, thread.0),
            Event::Check { core, .. } => (7, core.0),
            Event::QuantumEnd { core, .. } => (8, core.0),
            Event::QuotaUsed { process, .. } => (9, process.0),
            Event::Due(thread) => (10, thread.0),
        };
        rank << 32 | u64::from(subject)
    }
}

/// The pending events, earliest first. An event is never taken out again: its subject carries a generation, and an event
/// of an older generation does nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventQueue {
    heap: BinaryHeap<Reverse<Entry>>,
    pushed: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Time in the high half; rank, subject and the low bits of the sequence in the low half. Two events that agree in
    /// all but the sequence have the same subject, and at most one of them is not cancelled.
    key: u128,
    event: Event,
}

/// Bits of the sequence in a key.
const SEQUENCE_BITS: u32 = 24;

impl EventQueue {
    /// Adds an event.
    pub fn push(&mut self, at: Instant, event: Event) {
        let sequence = self.pushed & ((1 << SEQUENCE_BITS) - 1);
        let key = u128::from(at.ns()) << 64 | u128::from(event.order()) << SEQUENCE_BITS | u128::from(sequence);
        self.heap.push(Reverse(Entry { key, event }));
        self.pushed += 1;
    }

    /// How many events are pending, cancelled ones included.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Keeps the events that the test approves of.
    pub fn retain(&mut self, mut keep: impl FnMut(Event) -> bool) {
        self.heap.retain(|Reverse(entry)| keep(entry.event));
    }

    /// The next event.
    pub fn next(&self) -> Option<Event> {
        self.heap.peek().map(|Reverse(entry)| entry.event)
    }

    /// Takes the next event away.
    pub fn pop(&mut self) {
        self.heap.pop();
    }

    /// When the next event is due.
    pub fn next_at(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(entry)| entry.at())
    }

    /// Takes the next event if it is due at `now` and of no later rank than `rank`.
    pub fn pop_due(&mut self, now: Instant, rank: Rank) -> Option<Event> {
        let Reverse(next) = self.heap.peek()?;
        if next.at() > now || next.event.rank() > rank {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry.event)
    }
}

impl Entry {
    fn at(&self) -> Instant {
        Instant::from_ns((self.key >> 64) as u64)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair of kinds at one instant, pushed in both orders, comes out by rank; one kind comes out by subject.
    #[test]
    fn ties_are_broken_by_rank_then_subject() {
        let kinds = |n: u32| {
            [
                Event::ProcessArrives(ProcId(n)),
                Event::Arrives(ThreadId(n)),
                Event::Release(ThreadId(n)),
                Event::Wakes { thread: ThreadId(n), generation: 0 },
                Event::PeriodBegins { process: ProcId(n), generation: 0 },
                Event::CoreDone { core: CoreId(n), generation: 0 },
                Event::TimesOut { thread: ThreadId(n), generation: 0 },
                Event::Check { core: CoreId(n), generation: 0 },
                Event::QuantumEnd { core: CoreId(n), generation: 0 },
                Event::QuotaUsed { process: ProcId(n), generation: 0 },
                Event::Due(ThreadId(n)),
            ]
        };
        let ordered: Vec<Event> = (0..11).flat_map(|kind| [kinds(1)[kind], kinds(2)[kind]]).collect();
        for (i, first) in ordered.iter().enumerate() {
            for second in &ordered[i + 1..] {
                for pair in [[first, second], [second, first]] {
                    let mut queue = EventQueue::default();
                    let at = Instant::from_ns(7);
                    pair.iter().for_each(|event| queue.push(at, **event));
                    assert_eq!(queue.pop_due(at, Rank::Deadline), Some(*first));
                    assert_eq!(queue.pop_due(at, Rank::Deadline), Some(*second));
                }
            }
        }
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        let mut queue = EventQueue::default();
        queue.push(Instant::from_ns(5), Event::Arrives(ThreadId(0)));
        assert_eq!(queue.pop_due(Instant::from_ns(4), Rank::Quantum), None);
        assert!(queue.pop_due(Instant::from_ns(5), Rank::Work).is_some());
    }
}
