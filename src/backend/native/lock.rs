//! `threading.Lock` and `RLock` in user space, and devices: a lock of several places.

use std::collections::VecDeque;
use std::time::Duration;

use super::gil::Stop;
use super::sync::{Condvar, Mutex};
use crate::ids::ThreadId;

/// A lock.
pub(super) struct Lock {
    state: Mutex<LockState>,
    cond: Condvar,
    reentrant: bool,
    fair_after: Option<Duration>,
}

#[derive(Default)]
struct LockState {
    owner: Option<ThreadId>,
    depth: u32,
    /// Who waits, with the instant since when.
    waiters: VecDeque<(ThreadId, u64)>,
}

impl Lock {
    pub fn new(reentrant: bool, fair_after: Option<Duration>) -> Lock {
        Lock { state: Mutex::new(LockState::default()), cond: Condvar::new(), reentrant, fair_after }
    }

    /// Takes it if it is free (or one's own and re-entrant), as CPython tries before it drops the GIL.
    /// `told` runs at the moment of success.
    pub fn try_acquire(&self, me: ThreadId, told: impl FnOnce()) -> bool {
        let mut state = self.state.lock();
        let free = state.owner.is_none() || (self.reentrant && state.owner == Some(me));
        if free {
            state.owner = Some(me);
            state.depth += 1;
            told();
        }
        free
    }

    /// Waits for it, as long as `left` says; tells whether it was got. `over` says whether the run is.
    pub fn acquire(
        &self,
        (me, since): (ThreadId, u64),
        left: impl Fn() -> Option<Duration>,
        over: impl Fn() -> bool,
        told: impl FnOnce(),
    ) -> Result<bool, Stop> {
        let mut state = self.state.lock();
        state.waiters.push_back((me, since));
        let mut busy = state.owner.is_some_and(|owner| owner != me);
        while busy {
            let left = left();
            if over() {
                return Err(Stop);
            }
            if left.is_some_and(|left| left.is_zero()) {
                break;
            }
            state = self.cond.wait_at_most(state, left);
            busy = state.owner.is_some_and(|owner| owner != me);
        }
        state.waiters.retain(|(waiter, _)| *waiter != me);
        if state.owner.is_none() {
            state.owner = Some(me);
            state.depth = 1;
            told();
        }
        Ok(!busy)
    }

    /// Whether it is this thread's.
    pub fn is_owned_by(&self, me: ThreadId) -> bool {
        self.state.lock().owner == Some(me)
    }

    /// How often its owner holds it; from now on it does so `depth` times.
    pub fn set_depth(&self, depth: u32) -> u32 {
        std::mem::replace(&mut self.state.lock().depth, depth)
    }

    /// Releases it; false if it is somebody else's. Whoever has waited longer than the fair time gets it at once, told as
    /// the new owner; else it is free for whoever comes first.
    pub fn release(&self, me: ThreadId, now: u64, told: impl FnOnce(Option<ThreadId>)) -> bool {
        let mut state = self.state.lock();
        if state.owner != Some(me) {
            return false;
        }
        state.depth -= 1;
        if state.depth > 0 {
            return true;
        }
        let oldest = state.waiters.front().copied();
        let due =
            |since: u64| self.fair_after.is_some_and(|fair| u128::from(now.saturating_sub(since)) > fair.as_nanos());
        let heir = oldest.filter(|(_, since)| due(*since)).map(|(heir, _)| heir);
        state.owner = heir;
        state.depth = u32::from(heir.is_some());
        told(heir);
        if heir.is_some() {
            self.cond.notify_all()
        } else {
            self.cond.notify_one()
        }
        true
    }

    /// Lets everybody who waits look whether the run is over.
    pub fn wake_all(&self) {
        drop(self.state.lock());
        self.cond.notify_all();
    }
}

/// A device that serves so many requests at once, first come, first served.
pub(super) struct Device {
    state: Mutex<(u32, VecDeque<ThreadId>)>,
    cond: Condvar,
}

impl Device {
    pub fn new(at_once: u32) -> Device {
        Device { state: Mutex::new((at_once, VecDeque::new())), cond: Condvar::new() }
    }

    /// Waits for a free place.
    pub fn enter(&self, me: ThreadId, over: impl Fn() -> bool) -> Result<(), Stop> {
        let mut state = self.state.lock();
        state.1.push_back(me);
        while state.0 == 0 || state.1.front() != Some(&me) {
            if over() {
                return Err(Stop);
            }
            state = self.cond.wait(state);
        }
        state.0 -= 1;
        state.1.pop_front();
        self.cond.notify_all();
        Ok(())
    }

    pub fn leave(&self) {
        self.state.lock().0 += 1;
        self.cond.notify_all();
    }

    /// Lets everybody who waits look whether the run is over.
    pub fn wake_all(&self) {
        drop(self.state.lock());
        self.cond.notify_all();
    }
}
