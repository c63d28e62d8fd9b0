//! The GIL of Python 2.7 (and 3.0, 3.1), to be read beside the main loop of its `Python/ceval.c` and the semaphore of its
//! `Python/thread_pthread.h`.
//!
//! | here | there |
//! |---|---|
//! | [`Ticker`] | `_Py_Ticker`, which belongs to the process and not to a thread, and `_Py_CheckInterval` |
//! | `check` | `if (--_Py_Ticker < 0)`: `PyThread_release_lock` and at once `PyThread_acquire_lock` |
//! | `gils[gil].wanting` | the waiters that the semaphore counts (`nwaiters` of glibc's `sem_t`), asleep or on their way |
//! | `drop_cost` | `sem_post`: no system call without a waiter, `futex(FUTEX_WAKE)` with one |
//!
//! There is no time-out, no request and no forced switch: every so many ticks the holder lets go of the GIL and takes it
//! again. Whether another thread gets it in between is a race. On one core the woken thread is only made runnable, and
//! the holder keeps its core and takes the GIL back: nothing happens until its slice is over. On two cores each release
//! really wakes the waiter on the other core, for the price of a system call; some time later that one finds the GIL taken
//! again and goes back to sleep. That is the signalling battle: two threads on two cores take longer than on one.
//!
//! Nothing of that is a factor: what a battle costs is `costs.gil_signal` for every thread that is woken and
//! `costs.gil_signal_empty` for every release meanwhile, and how often it comes depends on `costs.tick` and on how long a
//! wake-up takes. Where nothing costs anything and a core is free, a release is a hand-over: the two threads alternate
//! every check interval.
//!
//! Checks at which nothing can happen are not executed: where nobody sleeps in the semaphore and nothing would be paid. So a
//! thread that runs alone costs no events.
//!
//! # Divergence from CPython 2.7
//! - A tick is a bytecode that ends in the slow path of the loop; here all last equally long.
//! - A check without waiters costs nothing of its own; its 0.1 us is part of the ticks.
//! - A pending signal makes the real loop check at every tick until the main thread runs: that is `check_interval: 1`.

use crate::ids::{CoreId, GilId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::core::Busy;
use crate::kernel::event::Event;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{After, Stage, Work};
use crate::model::GilRule;
use crate::time::Span;
use crate::trace::Observer;

/// Counts down the Python work until the next check, in the machine's units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticker {
    /// From one check to the next.
    period: u128,
    /// To the next check; zero = it is due, as soon as Python code goes on.
    left: u128,
    /// The core and the generation of its burst for which the next check is already an event.
    armed: Option<(CoreId, u32)>,
}

impl Ticker {
    /// The ticker of a GIL, if its rule is one of ticks. A nanosecond of work is `scale` units.
    pub(super) fn new(rule: GilRule, scale: u64) -> Option<Ticker> {
        let GilRule::Ticks { interval, tick } = rule else { return None };
        let period = u128::from(interval) * u128::from(tick.ns()) * u128::from(scale);
        Some(Ticker { period, left: period, armed: None })
    }

    /// What is left to the next check after so much work. Work that ends exactly at a check leaves it due.
    fn left_after(&self, done: u128) -> u128 {
        if done <= self.left {
            return self.left - done;
        }
        let beyond = (done - self.left) % self.period;
        if beyond == 0 { 0 } else { self.period - beyond }
    }
}

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// Whether a thread is under such a GIL: its `Lock.acquire` lets go of it also where the lock is free.
    pub(in crate::kernel) fn has_ticks(&self, thread: ThreadId) -> bool {
        self.gil_of(thread).is_some_and(|gil| self.gils[gil].ticker.is_some())
    }

    /// A thread has executed so much Python code.
    pub(in crate::kernel) fn count_ticks(&mut self, thread: ThreadId, done: u128) {
        let Some(gil) = self.gil_of(thread) else { return };
        if let Some(ticker) = &mut self.gils[gil].ticker {
            ticker.left = ticker.left_after(done);
        }
    }

    /// Python code is interrupted: a check that was due by now has been, with or without effect. Of one instant checks come
    /// before pre-emption.
    pub(in crate::kernel) fn pass_check(&mut self, thread: ThreadId, work: Work) {
        let Some(gil) = self.gil_of(thread).filter(|_| work == Work::Python) else { return };
        if let Some(ticker) = self.gils[gil].ticker.as_mut().filter(|ticker| ticker.left == 0) {
            ticker.left = ticker.period;
        }
    }

    /// Makes the next check of a holder that executes Python code an event, if something can happen at it.
    pub(in crate::kernel) fn arm_check(&mut self, holder: ThreadId) {
        let Some(gil) = self.gil_of(holder) else { return };
        let Some(ticker) = self.gils[gil].ticker else { return };
        // A check that is due at once is an event in any case: at the end of the instant it has been, without effect.
        if ticker.left > 0 && !self.check_matters(gil, holder) {
            return;
        }
        let Some(core) = self.threads[holder].core() else { return };
        let Busy::Burst(began) = self.cores[core].busy else { return };
        let (generation, rate) = (self.cores[core].generation, u128::from(self.cores[core].rate));
        let is_python = self.threads[holder].burst.is_some_and(|burst| burst.work == Work::Python);
        if !is_python || ticker.armed == Some((core, generation)) {
            return;
        }
        let done = u128::from(self.now.since(began).ns()) * rate;
        let takes = (done + ticker.left_after(done)).div_ceil(rate);
        let at = began + Span::from_ns(u64::try_from(takes).expect("a check beyond the clock"));
        self.gils[gil].ticker = Some(Ticker { armed: Some((core, generation)), ..ticker });
        self.queue.push(at, Event::Check { core, generation });
    }

    /// Whether a check can wake somebody, or costs something that a thread on its way could use.
    fn check_matters(&self, gil: GilId, holder: ThreadId) -> bool {
        let costs = self.costs_of(holder);
        let wanted = self.gils[gil].wanting > 0;
        let pays = !(costs.gil_signal_empty + costs.gil_drop + costs.gil_take).is_zero();
        !self.gils[gil].waiters.is_empty() || (wanted && pays)
    }

    /// The holder on a core lets go of its GIL and takes it again.
    pub(in crate::kernel) fn check(&mut self, core: CoreId) {
        let holder = self.cores[core].thread.expect("a check needs a thread on its core");
        let gil = self.gil_of(holder).expect("who checks has a GIL");
        let matters = self.check_matters(gil, holder);
        let ticker = self.gils[gil].ticker.as_mut().expect("only ticks lead to checks");
        if ticker.left == 0 && !matters {
            (ticker.left, ticker.armed) = (ticker.period, None);
            return;
        }
        // The ticks begin anew.
        self.pause_burst(holder);
        self.drop_gil(holder, After::TakeAgain);
        self.ready.insert(core);
    }

    /// Whether a thread that has let go of the GIL and is at the end of that system call loses its core to whom it woke: the
    /// operating system looks before the thread is back in its own code and can take the GIL again.
    pub(in crate::kernel) fn loses_core_in_system_call(&self, core: CoreId, thread: ThreadId) -> bool {
        let dropped = self.has_ticks(thread) && self.threads[thread].stage == Stage::After(After::TakeAgain);
        dropped && self.cores[core].reschedule.is_some()
    }

    /// What a drop costs its thread, beside `gil_drop`: the system call, if the semaphore has waiters.
    pub(super) fn signal_cost(&self, gil: GilId, thread: ThreadId) -> Span {
        let lock = &self.gils[gil];
        let costs = self.costs_of(thread);
        match lock.ticker {
            Some(_) if !lock.waiters.is_empty() => costs.gil_signal,
            Some(_) if lock.wanting > 0 => costs.gil_signal_empty,
            _ => Span::ZERO,
        }
    }

    /// Somebody has begun to sleep in the semaphore: from now on the holder's checks matter.
    pub(super) fn checks_matter_now(&mut self, gil: GilId) {
        if let Some(holder) = self.gils[gil].last_holder.filter(|_| self.gils[gil].ticker.is_some())
            && self.threads[holder].stage == Stage::Burst
        {
            self.arm_check(holder);
        }
    }
}
