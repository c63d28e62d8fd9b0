//! GILs that were proposed, or that somebody might propose, as rules beside CPython's own: what a student changes to ask
//! "and what if it had been done like this?".
//!
//! | rule | who waits before whom | asks at once | what a drop does |
//! |---|---|---|---|
//! | `cpython` | as `next_holder` says | nobody | frees the GIL and wakes one waiter; a drop on request waits for the switch |
//! | `no-forced-switch` | the same | nobody | the same, without waiting |
//! | `io-priority` | who comes back from a blocking call, then the others; each by how long | who comes back | as in CPython |
//! | `hand-off` | who has wanted it longest | nobody | makes the first waiter the owner |
//! | `bfs` | the earliest virtual deadline | whose deadline is before the holder's | as in CPython |
//!
//! **No forced switching** is CPython's GIL with `FORCE_SWITCHING` undefined, as `ceval_gil.c` can be compiled. Whoever
//! drops on request takes the GIL right back, long before the waiter that it woke is on a core: the same barging as in 2.7,
//! and that waiter may starve.
//!
//! **Priority for I/O** is Antoine Pitrou's first version of the new GIL (2009, `PRIO_REQUESTS` in the sandbox `newgil`) and
//! what David Beazley asked for in bpo-7946: a thread whose last drop was its own wish needs the GIL only for a moment, so
//! it need not wait for an interval. It was left out of 3.2 ("What's New in Python 3.2").
//!
//! **Hand-off** is the fair lock of the textbooks: nobody barges, and everybody pays a wake-up for each switch, during which
//! the GIL has an owner who cannot run yet: a lock convoy.
//!
//! **BFS** is Nir Aides' patch (bpo-7946; python-dev, May 2010) with the rule of Con Kolivas' scheduler of that name: every
//! thread has a slice of one switch interval and a virtual deadline, set one interval ahead whenever a slice is used up. A
//! thread that computes little keeps its early deadline for long and so goes first; one that computes all the time uses up
//! its slice with every turn.
//!
//! # Divergence from the proposals
//! - `io-priority`: Pitrou's version let one such request be under way at a time; here each asks.
//! - `bfs`: the patch kept times of its own and yielded by them; here a slice is looked at when the GIL is dropped, and a
//!   computing holder is asked after an interval as in CPython. Priorities (`nice`) do not scale the deadlines.

use crate::ids::{GilId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{After, Stage};
use crate::model::{GilRule, NextHolder};
use crate::time::{Instant, Span};
use crate::trace::{Observer, State, Why};

use super::Gil;

/// What the rules above know of a thread.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    /// Its last drop was its own wish, for a blocking call or the like.
    comes_back: bool,
    /// Its virtual deadline, once it has wanted the GIL.
    deadline: Option<Instant>,
    /// How long it has held the GIL since that was set.
    used: Span,
}

/// Sorts before every ticket of a thread that does not come back from a blocking call. Times stay far below it.
const OTHERS: u64 = 1 << 63;

/// Which order the waiters are in: some rules have one of their own.
pub(super) fn order(gil: &crate::model::Gil) -> NextHolder {
    match gil.rule {
        GilRule::Cpython | GilRule::NoForcedSwitch | GilRule::Ticks { .. } => gil.next_holder,
        GilRule::IoPriority | GilRule::HandOff | GilRule::Bfs => NextHolder::Fifo,
    }
}

impl Gil {
    /// Whether a drop on request waits until somebody else has taken the GIL.
    pub(super) fn forces_switch(&self) -> bool {
        self.rule != GilRule::NoForcedSwitch
    }
}

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// The ticket of a thread that begins a timed wait: the smallest is woken first.
    pub(super) fn place_among_waiters(&mut self, gil: GilId, thread: ThreadId, wanted_since: Instant) -> u64 {
        match self.gils[gil].rule {
            GilRule::Cpython | GilRule::NoForcedSwitch | GilRule::Ticks { .. } => self.gils[gil].ticket(wanted_since),
            GilRule::IoPriority if self.threads[thread].standing.comes_back => wanted_since.ns(),
            GilRule::IoPriority => wanted_since.ns() | OTHERS,
            GilRule::HandOff => wanted_since.ns(),
            GilRule::Bfs => self.deadline(gil, thread).ns(),
        }
    }

    /// Whether a thread that finds the GIL locked asks for it without waiting for an interval.
    pub(super) fn asks_at_once(&mut self, gil: GilId, thread: ThreadId) -> bool {
        match self.gils[gil].rule {
            GilRule::Cpython | GilRule::NoForcedSwitch | GilRule::HandOff | GilRule::Ticks { .. } => false,
            GilRule::IoPriority => self.threads[thread].standing.comes_back,
            GilRule::Bfs => {
                let holder = self.gils[gil].last_holder.expect("who finds a GIL locked finds a holder");
                self.deadline(gil, thread) < self.deadline(gil, holder)
            }
        }
    }

    fn deadline(&mut self, gil: GilId, thread: ThreadId) -> Instant {
        let ahead = self.now + self.gils[gil].interval;
        *self.threads[thread].standing.deadline.get_or_insert(ahead)
    }

    /// A thread drops the GIL that it has held since a time, for something.
    pub(super) fn settle_turn(&mut self, gil: GilId, thread: ThreadId, after: After) {
        let (held, slice) = (self.now.since(self.gils[gil].taken_at), self.gils[gil].interval);
        let standing = &mut self.threads[thread].standing;
        standing.comes_back = after != After::TakeAgain;
        standing.used += held;
        if standing.used >= slice {
            standing.used = Span::ZERO;
            standing.deadline = Some(self.now + slice);
        }
    }

    /// A drop makes a waiter the owner: it holds the GIL from now on and has to get a core.
    pub(super) fn hand_off(&mut self, gil: GilId, waiter: ThreadId) {
        let dropped = self.gils[gil].turn_record;
        self.wake(waiter, Stage::Granted, Why::GilSignal, dropped);
        let record = self.own_gil(gil, waiter);
        self.log.state(waiter, State::RunnableGil, None, Why::GilTaken, record);
        self.gets_core_at_once(waiter);
    }

    /// A thread to which the GIL was handed has a core.
    pub(in crate::kernel) fn granted(&mut self, thread: ThreadId) {
        self.threads[thread].stage = Stage::Go;
        self.spend(thread, self.costs_of(thread).gil_take);
    }
}
