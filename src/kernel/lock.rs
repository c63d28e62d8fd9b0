//! `threading.Lock` and `RLock`.
//!
//! Up to 3.12 a lock is a semaphore: a release wakes one waiter, but the lock is free for whoever comes first, and the
//! woken waiter takes the lock before it has the GIL. From 3.13 on it is a `PyMutex` (`Python/lock.c`): a woken waiter
//! takes the GIL first, and a waiter that has waited for more than 1 ms gets the lock handed over (`TIME_TO_BE_FAIR_NS`).
//! An uncontended acquire keeps the GIL; that of 2.7 lets go of it in any case (`lock_PyThread_acquire_lock`).

use std::collections::VecDeque;

use crate::ids::{IdVec, LockId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::deadlock;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{After, Stage, Wait};
use crate::model::{Op, Protocol, Scenario};
use crate::time::Span;
use crate::trace::{LockAct, Observer, State, What, Why};

/// A lock.
#[derive(Clone, Debug)]
pub(crate) struct Lock {
    pub owner: Option<ThreadId>,
    /// How often the owner has acquired it (a plain lock: once).
    pub depth: u32,
    pub waiters: VecDeque<ThreadId>,
    /// Its owner is in the process that this one was forked from, and cannot release it here.
    pub vanished: bool,
    reentrant: bool,
    fair_after: Option<Span>,
    /// Whether the model declares it. The lock inside of another object leaves no records.
    declared: bool,
    /// The state of a thread that waits for it.
    shown: State,
    /// Whose priority its owner has.
    pub protocol: Protocol,
}

impl Lock {
    fn new(lock: &crate::model::Lock) -> Lock {
        let (reentrant, fair_after) = (lock.reentrant, lock.fair_after);
        let protocol = lock.protocol;
        Lock { reentrant, fair_after, declared: true, protocol, ..Lock::of_shape(State::Lock) }
    }

    /// The thread that can release it, if it is held by one that can.
    pub fn holder(&self) -> Option<ThreadId> {
        self.owner.filter(|_| !self.vanished)
    }

    /// The lock inside of another object.
    fn inside(object: &crate::model::Object) -> Lock {
        let shown = deadlock::state_of(object.form).unwrap_or(State::Lock);
        Lock { fair_after: object.fair_after, ..Lock::of_shape(shown) }
    }

    fn of_shape(shown: State) -> Lock {
        let waiters = VecDeque::new();
        Lock {
            owner: None,
            depth: 0,
            waiters,
            vanished: false,
            reentrant: false,
            fair_after: None,
            declared: false,
            shown,
            protocol: Protocol::None,
        }
    }
}

/// The declared locks, and behind them one for each shared object.
pub(super) fn all(scenario: &Scenario) -> IdVec<LockId, Lock> {
    let declared = scenario.locks().values().map(Lock::new);
    declared.chain(scenario.objects().values().map(Lock::inside)).collect()
}

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// `acquire()` by a thread that holds the GIL: a free lock is taken without letting go of it.
    pub(super) fn acquire(&mut self, thread: ThreadId, lock: LockId) {
        let in_vain = self.threads[thread].visit.timed_out && self.is_limited(thread);
        let keeps_gil = !self.has_ticks(thread);
        let state = &mut self.locks[lock];
        if in_vain {
            self.give_up(thread);
        } else if state.owner.is_none() && keeps_gil {
            self.own(thread, lock);
            self.acquired(thread);
        } else if state.reentrant && state.owner == Some(thread) {
            state.depth += 1;
            self.acquired(thread);
        } else if self.is_limited(thread) && self.patience_is_over(thread) {
            self.give_up(thread);
        } else {
            self.drop_gil(thread, After::Lock(lock));
        }
    }

    /// The GIL is dropped: the lock may have become free meanwhile; if not, the thread parks.
    pub(super) fn wait_for_lock(&mut self, thread: ThreadId, lock: LockId) {
        if self.locks[lock].owner.is_none() {
            return self.lock_retry(thread, lock);
        }
        if self.is_limited(thread) && self.patience_is_over(thread) {
            self.threads[thread].visit.timed_out = true;
            self.threads[thread].stage = Stage::Take;
            return;
        }
        let holder = self.locks[lock].owner.expect("a lock that is not free has an owner");
        self.threads[thread].lock_since.get_or_insert(self.now);
        self.locks[lock].waiters.push_back(thread);
        let shown = self.locks[lock].shown;
        self.block(thread, Wait::Lock(lock), shown, Why::LockBusy, Cause::Thread(holder));
        self.owner_may_be_lifted(lock);
        self.look_for_deadlock(thread);
    }

    /// The lock is the thread's: the step is over, or goes on with the lock held.
    fn acquired(&mut self, thread: ThreadId) {
        if self.step_is_acquire(thread) {
            self.step_is_done(thread);
        } else {
            self.threads[thread].visit.inside = true;
        }
    }

    /// Whether the step under the cursor is nothing but to acquire a lock.
    pub(super) fn step_is_acquire(&self, thread: ThreadId) -> bool {
        let place = self.threads[thread].cursor.place as usize;
        matches!(self.program_of(thread).ops.get(place), Some(Op::Acquire(_)))
    }

    /// Whether the thread waits for a lock with a limit. The lock inside of an object is waited for without one, and so is
    /// that of a condition after a wait.
    fn is_limited(&self, thread: ThreadId) -> bool {
        self.threads[thread].patience.is_some() && self.step_is_acquire(thread)
    }

    /// A waiter has a core again. A semaphore is taken at once if it is free; a `PyMutex` is tried again with the GIL.
    pub(super) fn lock_retry(&mut self, thread: ThreadId, lock: LockId) {
        let semaphore = self.locks[lock].fair_after.is_none();
        if !semaphore {
            self.threads[thread].stage = Stage::Take;
        } else if self.locks[lock].owner.is_none() {
            self.own(thread, lock);
            self.acquired(thread);
            self.threads[thread].stage = Stage::Take;
        } else {
            self.wait_for_lock(thread, lock);
        }
    }

    fn own(&mut self, thread: ThreadId, lock: LockId) {
        self.locks[lock].owner = Some(thread);
        self.locks[lock].depth = 1;
        self.threads[thread].lock_since = None;
        self.tell_lock(thread, lock, thread, LockAct::Acquire);
        self.lift(thread);
    }

    /// Writes what happens to a declared lock.
    fn tell_lock(&mut self, by: ThreadId, lock: LockId, thread: ThreadId, act: LockAct) -> Cause {
        if !self.locks[lock].declared {
            return Cause::Thread(by);
        }
        self.write(Cause::Thread(by), What::Lock { lock, thread, act })
    }

    /// `release()`: wakes one waiter; hands the lock over to it if it has waited long enough.
    pub(super) fn release(&mut self, thread: ThreadId, lock: LockId) {
        if self.locks[lock].owner != Some(thread) {
            let name = &self.scenario.locks()[lock].name;
            let text = format!("releases lock {name}, which it does not hold");
            return self.model_error("E204", thread, text);
        }
        self.threads[thread].cursor.advance();
        self.let_go(thread, lock);
    }

    /// The owner lets go of a lock once.
    pub(super) fn let_go(&mut self, thread: ThreadId, lock: LockId) {
        self.locks[lock].depth -= 1;
        if self.locks[lock].depth > 0 {
            return;
        }
        self.locks[lock].owner = None;
        let Some(waiter) = self.next_owner(lock) else {
            self.tell_lock(thread, lock, thread, LockAct::Release);
            return self.lift(thread);
        };
        let since = self.threads[waiter].lock_since.expect("a waiter has begun to wait");
        let fair = self.locks[lock].fair_after.is_some_and(|after| self.now.since(since) > after);
        if fair {
            self.threads[waiter].lock_since = None;
            self.locks[lock].owner = Some(waiter);
            self.locks[lock].depth = 1;
            let record = self.tell_lock(thread, lock, waiter, LockAct::HandOver);
            self.acquired(waiter);
            self.lift(waiter);
            self.wake(waiter, Stage::Take, Why::LockHandedOver, record);
        } else {
            let record = self.tell_lock(thread, lock, thread, LockAct::Release);
            self.wake(waiter, Stage::LockRetry(lock), Why::LockReleased, record);
        }
        self.lift(thread);
    }
}
