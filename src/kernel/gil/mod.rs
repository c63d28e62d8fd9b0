//! The Global Interpreter Lock, to be read beside CPython's `Python/ceval_gil.c` (3.2 … 3.14).
//!
//! | here | there |
//! |---|---|
//! | [`Gil::locked`], `last_holder`, `switch_number`, `interval` | `struct _gil_runtime_state` |
//! | [`Gil::waiters`] | threads in `COND_TIMED_WAIT(gil->cond, gil->mutex, interval)` |
//! | [`Gil::forced`] | threads in `COND_WAIT(gil->switch_cond, gil->switch_mutex)` |
//! | [`Gil::request`] | `gil_drop_request`; `_PY_GIL_DROP_REQUEST_BIT` |
//! | `take`, `retry`, `begin_wait`, `grant` | `take_gil` |
//! | `drop_gil`, `forced_check` | `drop_gil` |
//! | `check_points` | `_Py_HandlePending`, `eval_frame_handle_pending` |
//!
//! # Who is next: glibc's condition variable
//! `pthread_cond_signal` posts its signal to the older of two groups of waiters; a waiter that times out and comes back
//! joins the younger one, which becomes the older one when that is used up. Within a group the kernel wakes in the order in
//! which threads went to sleep. Together that is the order in which the waits began: `futex`.
//!
//! But a signal belongs to a group, not to a thread, and whoever enters the wait looks for one before it goes to sleep. All
//! waiters time out once in a turn, so at a drop the older group is nearly always empty, the younger one takes its place,
//! and whoever has just asked for the drop is in it and often still awake: it takes the signal that woke another waiter,
//! which finds nothing and sleeps again. So the GIL often goes back and forth between two threads while all others wait.
//! How often is a race of a microsecond on the real machine; here it is a share, `stolen_signals`, that somebody measured.
//!
//! GILs that were proposed for CPython have rules of their own: [`proposed`]. So has that of 2.7: [`ticks`].
//!
//! # Divergence from CPython
//! - Who loses its signal is not woken in vain, so the fruitless wake-up costs nothing, and it keeps its place.
//! - The mutexes are not modelled: each of the functions below is one action.
//! - Check points are everywhere inside a `cpu` step and nowhere else; in CPython they are tens of nanoseconds apart. Code
//!   without a loop or a call has them everywhere up to 3.9, too, and from 3.10 on at its end.
//! - The request is one flag for each GIL (as up to 3.12); from 3.13 on it is a bit of the holder. With one GIL for each
//!   interpreter nobody can tell.

mod proposed;
mod ticks;

use std::collections::BTreeSet;

pub(crate) use self::proposed::Standing;

use crate::ids::{GilId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{After, Phase, Stage, Wait, WokenOn, Work};
use crate::model::{GilRule, NextHolder};
use crate::ratio::Ratio;
use crate::rng::Stream;
use crate::time::{Instant, Span};
use crate::trace::{GilAct, Observer, State, What, Why};

/// The lock of one interpreter.
#[derive(Clone, Debug)]
pub(crate) struct Gil {
    /// Whether some thread holds it.
    pub locked: bool,
    /// The holder, or the last one if it is free.
    pub last_holder: Option<ThreadId>,
    /// Counts the grants to a thread other than the last holder.
    pub switch_number: u64,
    /// How long a waiter waits before it asks.
    pub interval: Span,
    /// The drop request.
    pub request: bool,
    /// Who made it, and when.
    asker: Option<(Instant, ThreadId)>,
    /// Who is parked in the timed wait, by ticket: the smallest is woken first.
    pub waiters: BTreeSet<(u64, ThreadId)>,
    /// Who dropped on request and waits until somebody else has taken it.
    pub forced: Vec<ThreadId>,
    /// Whose rules these are.
    rule: GilRule,
    /// Under rules of ticks: how many are left.
    ticker: Option<ticks::Ticker>,
    /// How many threads want it and have found it locked, parked or not.
    wanting: u32,
    /// When it was taken last.
    taken_at: Instant,
    /// What decides the tickets.
    next_holder: NextHolder,
    /// Waits begun so far, for tickets of arrival.
    waits: u64,
    /// For a random next holder.
    stream: Stream,
    /// The record of the last grant or drop.
    turn_record: Cause,
    /// The record of the last request.
    request_record: Cause,
}

impl Gil {
    pub fn new(gil: &crate::model::Gil, seed: u64, scale: u64) -> Gil {
        Gil {
            locked: false,
            last_holder: None,
            switch_number: 0,
            // `take_gil` waits for at least a microsecond.
            interval: gil.interval.max(Span::from_us(1)),
            request: false,
            asker: None,
            waiters: BTreeSet::new(),
            forced: Vec::new(),
            rule: gil.rule,
            ticker: ticks::Ticker::new(gil.rule, scale),
            wanting: 0,
            taken_at: Instant::ZERO,
            next_holder: proposed::order(gil),
            waits: 0,
            stream: Stream::new(seed, &format!("gil/{}/next_holder", gil.name)),
            turn_record: Cause::Root,
            request_record: Cause::Root,
        }
    }

    /// Whether `thread` holds it.
    pub fn is_held_by(&self, thread: ThreadId) -> bool {
        self.locked && self.last_holder == Some(thread)
    }

    /// The place of a thread that begins a timed wait, having wanted the GIL since then.
    fn ticket(&mut self, wanted_since: Instant) -> u64 {
        self.waits += 1;
        match self.next_holder {
            NextHolder::Fifo => wanted_since.ns(),
            NextHolder::Futex { .. } | NextHolder::Random => self.waits,
        }
    }

    /// `COND_SIGNAL(gil->cond)`: one waiter leaves, if there is one. Says whether it was asleep.
    fn signal(&mut self, now: Instant) -> Option<(ThreadId, bool)> {
        let (thief, place) = match self.next_holder {
            NextHolder::Random if self.waiters.len() > 1 => (None, self.stream.below(self.waiters.len() as u64)),
            NextHolder::Futex { stolen } if stolen > Ratio::ZERO => (self.thief(now, stolen), 0),
            _ => (None, 0),
        };
        let chosen = thief.or_else(|| self.waiters.iter().nth(place as usize).copied())?;
        self.waiters.remove(&chosen);
        Some((chosen.1, thief.is_none()))
    }

    /// Whoever asked at this very instant may take the signal before it sleeps; nobody else is awake to do so. Where it
    /// waits alone, the signal is its own.
    fn thief(&mut self, now: Instant, stolen: Ratio) -> Option<(u64, ThreadId)> {
        let (_, asked) = self.asker.filter(|(at, _)| *at == now)?;
        let place = self.waiters.iter().copied().find(|(_, waiter)| *waiter == asked)?;
        let draws = self.waiters.len() > 1 && u128::from(self.stream.below(stolen.den() as u64)) < stolen.num();
        draws.then_some(place)
    }
}

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// The GIL that a thread needs for Python code; a native or free-threaded one needs none.
    pub(super) fn gil_of(&self, thread: ThreadId) -> Option<GilId> {
        self.gil_of[thread]
    }

    /// Whether a thread holds the GIL of its interpreter.
    pub(super) fn holds_gil(&self, thread: ThreadId) -> bool {
        self.gil_of(thread).is_some_and(|gil| self.gils[gil].is_held_by(thread))
    }

    /// `take_gil`, entered by a thread on a core.
    pub(super) fn take(&mut self, thread: ThreadId) {
        self.reach(thread, Cause::Thread(thread));
        let Some(gil) = self.gil_of(thread) else {
            self.threads[thread].stage = Stage::Go;
            return;
        };
        debug_assert!(!self.gils[gil].is_held_by(thread), "a thread takes the GIL that it holds");
        if self.gils[gil].locked { self.want(gil, thread, false) } else { self.grant(gil, thread) }
    }

    /// `take_gil`, after a timed wait: the GIL is free, or the thread may ask for it, and waits again for a full interval.
    pub(super) fn retry(&mut self, thread: ThreadId, timed_out: bool) {
        let gil = self.gil_of(thread).expect("who waited for a GIL has one");
        if !self.gils[gil].locked {
            return self.grant(gil, thread);
        }
        let unchanged = self.gils[gil].switch_number == self.threads[thread].saved_switch_number;
        self.want(gil, thread, timed_out && unchanged);
    }

    /// The GIL is locked: the thread waits for it, and asks if it may.
    fn want(&mut self, gil: GilId, thread: ThreadId, may_ask: bool) {
        if may_ask || self.asks_at_once(gil, thread) {
            self.request(gil, thread);
        }
        self.begin_wait(gil, thread);
    }

    /// `SET_GIL_DROP_REQUEST`
    fn request(&mut self, gil: GilId, thread: ThreadId) {
        if self.gils[gil].request {
            return;
        }
        self.gils[gil].request = true;
        self.gils[gil].asker = Some((self.now, thread));
        self.requested.insert(gil);
        let what = What::Gil { gil, thread, act: GilAct::Request };
        self.gils[gil].request_record = self.write(Cause::Thread(thread), what);
    }

    /// `COND_TIMED_WAIT`: parks the thread until a signal or for one interval.
    fn begin_wait(&mut self, gil: GilId, thread: ThreadId) {
        let cause = self.gils[gil].turn_record;
        let state = &mut self.threads[thread];
        state.saved_switch_number = self.gils[gil].switch_number;
        self.gils[gil].wanting += u32::from(state.wanted_gil_since.is_none());
        let wanted_since = *state.wanted_gil_since.get_or_insert(self.now);
        let ticket = self.place_among_waiters(gil, thread, wanted_since);
        self.threads[thread].gil_ticket = ticket;
        self.gils[gil].waiters.insert((ticket, thread));
        self.block(thread, Wait::Gil, State::WantsGil, Why::GilLocked, cause);
        if self.gils[gil].ticker.is_some() {
            // `sem_wait` has no time-out.
            return self.checks_matter_now(gil);
        }
        self.time_out_at(thread, self.now + self.gils[gil].interval);
    }

    /// A thread has the GIL, or wants it no longer.
    pub(in crate::kernel) fn stop_wanting(&mut self, gil: GilId, thread: ThreadId) {
        let wanted = self.threads[thread].wanted_gil_since.take();
        self.gils[gil].wanting -= u32::from(wanted.is_some());
    }

    /// The timed wait of a thread ends without a signal. It needs a core to look at the GIL and to ask.
    pub(super) fn gil_timeout(&mut self, thread: ThreadId) {
        let gil = self.gil_of(thread).expect("who waited for a GIL has one");
        let ticket = self.threads[thread].gil_ticket;
        let parked = self.gils[gil].waiters.remove(&(ticket, thread));
        assert!(parked, "a thread timed out of a wait that it is not in");
        self.wake(thread, Stage::Retry { timed_out: true }, Why::GilTimeout, Cause::Thread(thread));
    }

    /// `take_gil`, from `_ready` on: the thread has the GIL.
    fn grant(&mut self, gil: GilId, thread: ThreadId) {
        let record = self.own_gil(gil, thread);
        let state = &mut self.threads[thread];
        state.stage = Stage::Go;
        state.because = (Why::GilTaken, record);
        self.spend(thread, self.costs_of(thread).gil_take);
    }

    /// The GIL has a new owner. Returns the record of that.
    fn own_gil(&mut self, gil: GilId, thread: ThreadId) -> Cause {
        let lock = &mut self.gils[gil];
        assert!(!lock.locked, "two holders of one GIL");
        lock.locked = true;
        let switched = lock.last_holder != Some(thread);
        if switched {
            lock.last_holder = Some(thread);
            lock.switch_number += 1;
        }
        lock.request = false;
        lock.taken_at = self.now;
        self.requested.remove(&gil);
        let what = What::Gil { gil, thread, act: GilAct::Grant { switched } };
        let record = self.write(Cause::Thread(thread), what);
        self.gils[gil].turn_record = record;
        self.stop_wanting(gil, thread);
        // `COND_SIGNAL(gil->switch_cond)`: whoever was forced to let go may go on.
        if !self.gils[gil].forced.is_empty() {
            let dropper = self.gils[gil].forced.remove(0);
            let Phase::Blocked(Wait::Forced) = self.threads[dropper].phase else {
                unreachable!("a thread in the forced wait is blocked")
            };
            let stage = self.threads[dropper].stage;
            self.wake(dropper, stage, Why::GilSwitched, record);
        }
        record
    }

    /// `drop_gil`: the GIL is free and one waiter is signalled. If a request is pending, the thread first waits until
    /// somebody else has taken the GIL, whatever the drop is for.
    pub(super) fn drop_gil(&mut self, thread: ThreadId, after: After) {
        self.threads[thread].stage = Stage::After(after);
        let Some(gil) = self.gil_of(thread) else { return };
        self.settle_turn(gil, thread, after);
        let cost = self.costs_of(thread).gil_drop + self.signal_cost(gil, thread);
        if self.release_gil(gil, thread) {
            self.threads[thread].stage = Stage::ForcedCheck(after);
        }
        self.spend(thread, cost);
    }

    /// `drop_gil` with `final_release`: an ending thread never waits for the switch.
    pub(super) fn drop_gil_for_good(&mut self, thread: ThreadId) {
        if let Some(gil) = self.gil_of(thread).filter(|gil| self.gils[*gil].is_held_by(thread)) {
            self.release_gil(gil, thread);
        }
    }

    /// Frees the GIL and signals one waiter. Returns whether a request was pending.
    fn release_gil(&mut self, gil: GilId, thread: ThreadId) -> bool {
        let lock = &mut self.gils[gil];
        assert!(lock.is_held_by(thread), "a thread drops a GIL that it does not hold");
        lock.locked = false;
        let forced = lock.request;
        let cause = if forced { lock.request_record } else { Cause::Thread(thread) };
        let record = self.write(cause, What::Gil { gil, thread, act: GilAct::Drop { forced } });
        self.gils[gil].turn_record = record;
        self.requested.remove(&gil);
        let signalled = self.gils[gil].signal(self.now);
        if let (Some((waiter, _)), GilRule::HandOff) = (signalled, self.gils[gil].rule) {
            self.hand_off(gil, waiter);
        } else if let Some((waiter, asleep)) = signalled {
            self.wake(waiter, Stage::Retry { timed_out: false }, Why::GilSignal, record);
            if !asleep {
                self.threads[waiter].woken = None;
            }
            self.hand_over(waiter);
        }
        forced
    }

    /// With a free core and nothing to pay, a drop and the take by the signalled waiter are one action: nobody barges in
    /// between.
    fn hand_over(&mut self, waiter: ThreadId) {
        if self.gets_core_at_once(waiter) {
            self.retry(waiter, false);
        }
    }

    /// Gives a woken thread a core if one is free for it and that costs nothing. Returns whether it did.
    fn gets_core_at_once(&mut self, woken: ThreadId) -> bool {
        let Some(core) = self.free_core_for(woken) else { return false };
        if self.threads[woken].woken == Some(WokenOn::Busy) || !self.dispatch_is_free(core, woken) {
            return false;
        }
        self.pick(core, woken);
        true
    }

    /// `drop_gil`, the part under `FORCE_SWITCHING`: waits on `switch_cond` unless somebody has taken the GIL meanwhile.
    pub(super) fn forced_check(&mut self, thread: ThreadId, after: After) {
        let gil = self.gil_of(thread).expect("who dropped a GIL has one");
        self.threads[thread].stage = Stage::After(after);
        let lock = &mut self.gils[gil];
        if lock.last_holder != Some(thread) || !lock.forces_switch() {
            return;
        }
        lock.request = false;
        lock.forced.push(thread);
        let cause = lock.request_record;
        self.block(thread, Wait::Forced, State::Forced, Why::GilRequested, cause);
    }

    /// Every holder that executes Python code on a core and has been asked drops its GIL now. Called when all time-outs
    /// of the instant have been seen. Returns whether anybody did.
    pub(super) fn check_points(&mut self) -> bool {
        let asked: Vec<GilId> = self.requested.iter().copied().collect();
        let mut dropped = false;
        for gil in asked {
            let holder = self.gils[gil].last_holder.expect("who is asked holds the GIL");
            if !self.at_check_point(holder) {
                continue;
            }
            self.pause_burst(holder);
            self.drop_gil(holder, After::TakeAgain);
            self.ready.extend(self.threads[holder].core());
            dropped = true;
        }
        dropped
    }

    /// The check point behind code that had none.
    pub(super) fn check_point(&mut self, thread: ThreadId) {
        self.threads[thread].stage = Stage::Go;
        if self.gil_of(thread).is_some_and(|gil| self.gils[gil].request) {
            self.drop_gil(thread, After::TakeAgain);
        }
    }

    fn at_check_point(&self, holder: ThreadId) -> bool {
        let thread = &self.threads[holder];
        thread.stage == Stage::Burst && thread.burst.is_some_and(|burst| burst.work == Work::Python)
    }
}
