//! Lock protocols against priority inversion (Sha, Rajkumar and Lehoczky, 1990).
//!
//! A thread of high priority that waits for a lock waits for its owner, and so for everybody who keeps the owner off the
//! core, however long: *priority inversion*. With `inherit` the owner has at least the priority of whoever waits for the lock,
//! also through a chain of locks (POSIX `PTHREAD_PRIO_INHERIT`). With `ceiling` it has, from the acquire to the release, the
//! highest priority of all threads whose program acquires the lock (`PTHREAD_PRIO_PROTECT`), so on one core nobody who
//! might want the lock gets in between: nobody ever waits for it, and locks cannot close a cycle.
//!
//! A release of such a lock wakes its most urgent waiter, equals in the order of coming.
//!
//! # Divergence from CPython
//! `threading.Lock` has no protocol. This is what `pthread_mutex_t` offers to other programs.

use crate::ids::{LockId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::lock::Lock;
use crate::kernel::policy::{Enqueue, Policy};
use crate::kernel::thread::{Phase, Wait};
use crate::model::Protocol;
use crate::trace::Observer;

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// A thread's priority now: its own, or what it has through locks.
    pub(super) fn priority_of(&self, thread: ThreadId) -> i64 {
        self.threads[thread].lifted.max(Some(self.scenario.threads()[thread].priority)).unwrap_or_default()
    }

    /// Who waits for a lock or owns it has changed: so may have its owner's priority, and that of the owner of the lock which
    /// that one waits for, and so on.
    pub(super) fn owner_may_be_lifted(&mut self, lock: LockId) {
        if self.has_protocols
            && let Some(owner) = self.locks[lock].holder()
        {
            self.lift(owner);
        }
    }

    /// Brings a thread's priority up to date.
    pub(super) fn lift(&mut self, thread: ThreadId) {
        if !self.has_protocols {
            return;
        }
        let before = self.priority_of(thread);
        self.threads[thread].lifted = self.lifted(thread);
        if self.priority_of(thread) == before {
            return;
        }
        match self.threads[thread].phase {
            Phase::Queued(queue) => self.requeue(thread, queue as usize),
            Phase::OnCore(_) => self.offer_core(thread),
            // A cycle ends here: going round it, no priority rises for ever.
            Phase::Blocked(Wait::Lock(lock)) => self.owner_may_be_lifted(lock),
            Phase::Blocked(_) | Phase::Throttled | Phase::Absent | Phase::Done => {}
        }
    }

    /// The largest priority that a thread has through locks.
    fn lifted(&self, thread: ThreadId) -> Option<i64> {
        let owned = self.locks.values().filter(|lock| lock.holder() == Some(thread));
        let through = |lock: &Lock| match lock.protocol {
            Protocol::None => None,
            Protocol::Inherit => lock.waiters.iter().map(|waiter| self.priority_of(*waiter)).max(),
            Protocol::Ceiling(ceiling) => Some(ceiling),
        };
        owned.filter_map(through).max()
    }

    /// A runnable thread with another priority: it may take the core of a lesser one.
    fn requeue(&mut self, thread: ThreadId, queue: usize) {
        self.queues[queue].dequeue(&mut self.tasks, thread);
        self.queued -= 1;
        self.enqueue(thread, queue, Enqueue::Pulled);
        self.woken.push(thread);
    }

    /// Whom a release of a lock wakes.
    pub(super) fn next_owner(&mut self, lock: LockId) -> Option<ThreadId> {
        let waiters = &self.locks[lock].waiters;
        let place = match self.locks[lock].protocol {
            Protocol::None => 0,
            Protocol::Inherit | Protocol::Ceiling(_) => {
                let priority = |place: &usize| self.priority_of(waiters[*place]);
                // Of equals the first: `max_by_key` takes the last of those it sees.
                (0..waiters.len()).rev().max_by_key(priority)?
            }
        };
        self.locks[lock].waiters.remove(place)
    }
}
