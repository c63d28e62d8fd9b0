//! `threading.Lock` and `RLock`.
//!
//! Up to 3.12 a lock is a semaphore: a release wakes one waiter, but the lock is free for whoever comes first, and the
//! woken waiter takes the lock before it has the GIL. From 3.13 on it is a `PyMutex` (`Python/lock.c`): a woken waiter
//! takes the GIL first, and a waiter that has waited for more than 1 ms gets the lock handed over (`TIME_TO_BE_FAIR_NS`).
//! An uncontended acquire keeps the GIL.

use std::collections::VecDeque;

use crate::ids::{LockId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{After, Stage, Wait};
use crate::time::Span;
use crate::trace::{LockAct, Observer, State, What, Why};

/// A lock.
#[derive(Clone, Debug)]
pub(crate) struct Lock {
    pub owner: Option<ThreadId>,
    /// How often the owner has acquired it (a plain lock: once).
    pub depth: u32,
    pub waiters: VecDeque<ThreadId>,
    reentrant: bool,
    fair_after: Option<Span>,
}

impl Lock {
    pub fn new(lock: &crate::model::Lock) -> Lock {
        Lock { owner: None, depth: 0, waiters: VecDeque::new(), reentrant: lock.reentrant, fair_after: lock.fair_after }
    }
}

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// `acquire()` by a thread that holds the GIL: a free lock is taken without letting go of it.
    pub(super) fn acquire(&mut self, thread: ThreadId, lock: LockId) {
        let state = &mut self.locks[lock];
        if state.owner.is_none() {
            self.own(thread, lock);
            self.threads[thread].cursor.advance();
        } else if state.reentrant && state.owner == Some(thread) {
            state.depth += 1;
            self.threads[thread].cursor.advance();
        } else {
            self.drop_gil(thread, After::Lock(lock));
        }
    }

    /// The GIL is dropped: the lock may have become free meanwhile; if not, the thread parks.
    pub(super) fn wait_for_lock(&mut self, thread: ThreadId, lock: LockId) {
        if self.locks[lock].owner.is_none() {
            return self.lock_retry(thread, lock);
        }
        let holder = self.locks[lock].owner.expect("a lock that is not free has an owner");
        self.threads[thread].lock_since.get_or_insert(self.now);
        self.locks[lock].waiters.push_back(thread);
        self.block(thread, Wait::Lock(lock), State::Lock, Why::LockBusy, Cause::Thread(holder));
        self.look_for_deadlock(thread);
    }

    /// A waiter has a core again. A semaphore is taken at once if it is free; a `PyMutex` is tried again with the GIL.
    pub(super) fn lock_retry(&mut self, thread: ThreadId, lock: LockId) {
        let semaphore = self.locks[lock].fair_after.is_none();
        if !semaphore {
            self.threads[thread].stage = Stage::Take;
        } else if self.locks[lock].owner.is_none() {
            self.own(thread, lock);
            self.threads[thread].cursor.advance();
            self.threads[thread].stage = Stage::Take;
        } else {
            self.wait_for_lock(thread, lock);
        }
    }

    fn own(&mut self, thread: ThreadId, lock: LockId) {
        self.locks[lock].owner = Some(thread);
        self.locks[lock].depth = 1;
        self.threads[thread].lock_since = None;
        self.write(Cause::Thread(thread), What::Lock { lock, thread, act: LockAct::Acquire });
    }

    /// `release()`: wakes one waiter; hands the lock over to it if it has waited long enough.
    pub(super) fn release(&mut self, thread: ThreadId, lock: LockId) {
        if self.locks[lock].owner != Some(thread) {
            let name = &self.scenario.locks()[lock].name;
            let text = format!("releases lock {name}, which it does not hold");
            return self.model_error("E204", thread, text);
        }
        self.threads[thread].cursor.advance();
        self.locks[lock].depth -= 1;
        if self.locks[lock].depth > 0 {
            return;
        }
        self.locks[lock].owner = None;
        let what = What::Lock { lock, thread, act: LockAct::Release };
        let Some(waiter) = self.locks[lock].waiters.pop_front() else {
            self.write(Cause::Thread(thread), what);
            return;
        };
        let since = self.threads[waiter].lock_since.expect("a waiter has begun to wait");
        let fair = self.locks[lock].fair_after.is_some_and(|after| self.now.since(since) > after);
        if fair {
            self.threads[waiter].lock_since = None;
            self.locks[lock].owner = Some(waiter);
            self.locks[lock].depth = 1;
            let what = What::Lock { lock, thread: waiter, act: LockAct::HandOver };
            let record = self.write(Cause::Thread(thread), what);
            self.threads[waiter].cursor.advance();
            self.wake(waiter, Stage::Take, Why::LockHandedOver, record);
        } else {
            let record = self.write(Cause::Thread(thread), what);
            self.wake(waiter, Stage::LockRetry(lock), Why::LockReleased, record);
        }
    }
}
