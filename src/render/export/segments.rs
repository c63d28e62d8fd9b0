//! Stretches of time from records that only name changes: a thread in a state, a thread on a core.

use crate::ids::{CoreId, IdVec, ThreadId};
use crate::time::{Instant, Span};
use crate::trace::{Cast, State, Why};

/// A thread was in one state, on one core or on none, from a start to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Whose.
    pub thread: ThreadId,
    /// The state; never `done`.
    pub state: State,
    /// The core, for states on a core.
    pub core: Option<CoreId>,
    /// When it entered the state.
    pub start: Instant,
    /// When it left it, or the run ended.
    pub end: Instant,
    /// Why it entered the state.
    pub why: Why,
}

impl Segment {
    /// How long it is.
    pub fn length(&self) -> Span {
        self.end.since(self.start)
    }
}

/// A segment that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub thread: ThreadId,
    pub state: State,
    pub core: Option<CoreId>,
    pub start: Instant,
    pub why: Why,
    /// The record that says so.
    pub index: u64,
}

impl Open {
    fn close(self, end: Instant) -> Segment {
        let Open { thread, state, core, start, why, .. } = self;
        Segment { thread, state, core, start, end, why }
    }
}

/// The current state of every thread that has arrived and not ended.
#[derive(Clone, Debug)]
pub(super) struct Segments {
    open: IdVec<ThreadId, Option<Open>>,
}

impl Segments {
    pub fn new(cast: &Cast) -> Segments {
        Segments { open: IdVec::filled(cast.threads.len(), None) }
    }

    /// The state that a thread is in.
    pub fn of(&self, thread: ThreadId) -> Option<&Open> {
        self.open[thread].as_ref()
    }

    /// A thread enters a state, and thereby leaves another one; there is no segment of `done`.
    pub fn enter(&mut self, open: Open) -> Option<Segment> {
        let next = Some(open).filter(|open| open.state != State::Done);
        let left = std::mem::replace(&mut self.open[open.thread], next);
        left.map(|left| left.close(open.start))
    }

    /// The records are over: everything that is open ends now.
    pub fn close(&mut self, at: Instant) -> impl Iterator<Item = Segment> {
        self.open.values_mut().filter_map(Option::take).map(move |open| open.close(at))
    }
}

/// Who is on a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stay {
    pub core: CoreId,
    pub thread: ThreadId,
    pub since: Instant,
}

/// Who is on which core, whatever it does there.
///
/// The records of one instant name the threads in any order, so a newcomer may be named before the thread that makes room
/// for it: the newcomer ends that thread's stay.
#[derive(Clone, Debug)]
pub(super) struct Stays {
    on: IdVec<CoreId, Option<Stay>>,
}

impl Stays {
    pub fn new(cast: &Cast) -> Stays {
        Stays { on: IdVec::filled(cast.cores.len(), None) }
    }

    /// A thread that was on `from` is on `to` now. The stays that end (its own, then another's), and whether one begins.
    pub fn change(&mut self, thread: ThreadId, from: Option<CoreId>, to: Option<CoreId>, at: Instant) -> Change {
        let mut change = Change::default();
        if from == to {
            return change;
        }
        if let Some(core) = from {
            change.left = self.on[core].take_if(|stay| stay.thread == thread);
        }
        if let Some(core) = to {
            change.displaced = self.on[core].replace(Stay { core, thread, since: at });
            change.begun = self.on[core];
        }
        change
    }

    /// The records are over.
    pub fn close(&mut self) -> impl Iterator<Item = Stay> {
        self.on.values_mut().filter_map(Option::take)
    }
}

/// What one change of a thread's core does to stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub left: Option<Stay>,
    pub displaced: Option<Stay>,
    pub begun: Option<Stay>,
}
