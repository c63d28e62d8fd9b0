//! CPython's GIL in user space: `take_gil` and `drop_gil` of `Python/ceval_gil.c` (3.2 to 3.14), statement by statement.
//!
//! A waiter waits for at most the switch interval. Only if that time is over, the GIL is still locked **and nobody else
//! has taken it meanwhile** does it set the drop request; after every wait, however it ended, a full new one begins. Whoever
//! drops the GIL while a request is set waits until another thread has taken it (`FORCE_SWITCHING`).
//!
//! # Divergence from CPython
//! A stop can be raised, which ends every wait. The request flag belongs to the GIL, as up to 3.12; since 3.13 it belongs
//! to the holder, which with one GIL cannot be told apart.

use std::time::Duration;

use super::sync::{AtomicBool, AtomicU64, AtomicUsize, Condvar, Mutex, Ordering};

/// The run is over; whoever hears it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stop;

/// What happens inside of a take or a drop, told at the moment and under the mutex that orders it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// The GIL is locked: a timed wait begins.
    Locked,
    /// The drop request is set; it was clear.
    Request,
    /// Taken; by another thread than the last holder or not.
    Grant { switched: bool },
    /// Dropped; on request or not, as far as the dropper can know.
    Drop { forced: bool },
    /// The dropper waits until somebody else has taken the GIL.
    Forced,
    /// Somebody has.
    Switched,
}

/// The two parts of the protocol that a test can leave out, to show that their absence would be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    /// A request is set only if the switch number has not changed during the wait.
    pub compare_switch_number: bool,
    /// Whoever drops on request waits until another thread has taken the GIL.
    pub forced_switch: bool,
}

/// All of CPython's protocol.
pub(super) const CPYTHON: Rules = Rules { compare_switch_number: true, forced_switch: true };

/// A Global Interpreter Lock.
pub(super) struct Gil {
    rules: Rules,
    interval: Duration,
    /// `locked`, under `mutex`.
    mutex: Mutex<bool>,
    cond: Condvar,
    switch_mutex: Mutex<()>,
    switch_cond: Condvar,
    /// Who held it last; 0 = nobody, thread n is n + 1. Changed by a take under both mutexes.
    last_holder: AtomicUsize,
    /// Counts takes by another thread than the last holder. Changed under both mutexes.
    switch_number: AtomicU64,
    /// `gil_drop_request`.
    request: AtomicBool,
    stopped: AtomicBool,
}

impl Gil {
    /// A free GIL. An interval of zero counts as one microsecond, as in CPython.
    pub fn new(interval: Duration, rules: Rules) -> Gil {
        Gil {
            rules,
            interval: interval.max(Duration::from_micros(1)),
            mutex: Mutex::new(false),
            cond: Condvar::new(),
            switch_mutex: Mutex::new(()),
            switch_cond: Condvar::new(),
            last_holder: AtomicUsize::new(0),
            switch_number: AtomicU64::new(0),
            request: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        }
    }

    /// The eval breaker: whether the holder is asked to drop it.
    pub fn requested(&self) -> bool {
        self.request.load(Ordering::Relaxed)
    }

    /// `take_gil`: returns with the GIL, or with the news that the run is over.
    pub fn take(&self, me: usize, mut tell: impl FnMut(Moment)) -> Result<(), Stop> {
        let mut locked = self.mutex.lock();
        let mut waited = false;
        while *locked {
            if self.stopped.load(Ordering::Relaxed) {
                return Err(Stop);
            }
            if !waited {
                tell(Moment::Locked);
                waited = true;
            }
            let saved = self.switch_number.load(Ordering::Relaxed);
            let timed_out;
            (locked, timed_out) = self.cond.wait_for(locked, self.interval);
            let same = !self.rules.compare_switch_number || self.switch_number.load(Ordering::Relaxed) == saved;
            if timed_out && *locked && same {
                self.ask(saved, &mut tell);
            }
        }
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Stop);
        }
        *locked = true;
        let switched = self.settle(me);
        self.request.store(false, Ordering::Relaxed);
        tell(Moment::Grant { switched });
        Ok(())
    }

    /// Sets the drop request. What it is for: the holder has had the GIL for a whole interval.
    fn ask(&self, saved: u64, tell: &mut impl FnMut(Moment)) {
        debug_assert_eq!(
            self.switch_number.load(Ordering::Relaxed),
            saved,
            "asked a holder that had just taken the GIL"
        );
        if !self.request.swap(true, Ordering::Relaxed) {
            tell(Moment::Request);
        }
    }

    /// The taker's name, the switch number, and the signal to a dropper that waits for this.
    fn settle(&self, me: usize) -> bool {
        let guard = self.switch_mutex.lock();
        let switched = self.last_holder.load(Ordering::Relaxed) != me + 1;
        if switched {
            self.last_holder.store(me + 1, Ordering::Relaxed);
            self.switch_number.fetch_add(1, Ordering::Relaxed);
        }
        self.switch_cond.notify_one();
        drop(guard);
        switched
    }

    /// `drop_gil`: signals one waiter; on request, waits until another thread has taken the GIL.
    pub fn release(&self, me: usize, mut tell: impl FnMut(Moment)) {
        self.last_holder.store(me + 1, Ordering::Relaxed);
        let mut locked = self.mutex.lock();
        tell(Moment::Drop { forced: self.request.load(Ordering::Relaxed) });
        *locked = false;
        self.cond.notify_one();
        drop(locked);
        // Read outside of the mutex, as there: the next holder may have cleared it already, then nobody waits.
        if self.rules.forced_switch && self.request.load(Ordering::Relaxed) {
            self.wait_for_switch(me, &mut tell);
        }
    }

    /// `FORCE_SWITCHING`: a single wait without a time-out, not a loop.
    fn wait_for_switch(&self, me: usize, tell: &mut impl FnMut(Moment)) {
        let guard = self.switch_mutex.lock();
        let mine = self.last_holder.load(Ordering::Relaxed) == me + 1;
        if mine && !self.stopped.load(Ordering::Relaxed) {
            self.request.store(false, Ordering::Relaxed);
            tell(Moment::Forced);
            drop(self.switch_cond.wait(guard));
            tell(Moment::Switched);
        }
    }

    /// The end of a thread (`final_release`): drops it and never waits.
    pub fn release_finally(&self, me: usize, mut tell: impl FnMut(Moment)) {
        self.last_holder.store(me + 1, Ordering::Relaxed);
        let mut locked = self.mutex.lock();
        tell(Moment::Drop { forced: self.request.load(Ordering::Relaxed) });
        *locked = false;
        self.cond.notify_one();
    }

    /// Ends every wait. A holder goes on until it asks for the GIL again.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        drop(self.mutex.lock());
        self.cond.notify_all();
        drop(self.switch_mutex.lock());
        self.switch_cond.notify_all();
    }
}
