//! Where arrows begin: from the ask for a GIL to its drop, from the drop to the next take, and from whatever ended a wait
//! to the thread that waited. All of it is read off the causes that records name.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::{GilId, IdVec, ThreadId};
use crate::time::Instant;
use crate::trace::Cast;

use super::segments::Segments;

/// So many latest acts are remembered. The act that ends a wait is of the same instant, so a few would do.
const REMEMBERED: usize = 256;

/// Something that a thread did at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    /// The record that says so.
    pub index: u64,
    /// Who did it.
    pub thread: ThreadId,
    /// When.
    pub at: Instant,
}

impl Point {
    /// A point for formats that bind arrows to slices, where nothing is drawn for what the thread did: within the slice that
    /// ended with it, or if one began with it, at its beginning.
    fn within(self, segments: &Segments) -> Point {
        let fresh = segments.of(self.thread).is_some_and(|open| open.start == self.at);
        let at = if fresh { self.at } else { Instant::from_ns(self.at.ns().saturating_sub(1)) };
        Point { at, ..self }
    }
}

/// Where the arrow to a thread that leaves a wait begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// At an act of another thread on a GIL or a lock.
    Act(Point),
    /// At the thread's own take of the GIL.
    OwnTake(Point),
    /// At nothing that has been drawn: another thread's change of state, or one thing too many that an act caused.
    Thread(Point),
}

/// An act, and which of its two arrows are still to be had.
#[derive(Clone, Copy, Debug)]
struct Act {
    point: Point,
    own: bool,
    other: bool,
}

/// What is known of one GIL.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Points {
    /// Who asked for it; until it is dropped or taken.
    pub asked: Option<Point>,
    /// Who dropped it; until it is taken.
    pub dropped: Option<Point>,
}

/// Everything that an arrow may begin at.
#[derive(Clone, Debug)]
pub(super) struct Arrows {
    wanted: bool,
    /// The latest change of state of each thread.
    states: BTreeMap<u64, ThreadId>,
    acts: VecDeque<Act>,
    pub gils: IdVec<GilId, Points>,
}

impl Arrows {
    pub fn new(cast: &Cast, wanted: bool) -> Arrows {
        let gils = IdVec::filled(cast.gils.len(), Points::default());
        Arrows { wanted, states: BTreeMap::new(), acts: VecDeque::new(), gils }
    }

    /// A thread changed its state with record `index`; its change before was `before`.
    pub fn state(&mut self, before: Option<u64>, index: u64, thread: ThreadId) {
        if !self.wanted {
            return;
        }
        if let Some(before) = before {
            self.states.remove(&before);
        }
        self.states.insert(index, thread);
    }

    /// The thread whose latest change of state is that record.
    pub fn thread_of(&self, record: u64) -> Option<ThreadId> {
        self.states.get(&record).copied()
    }

    /// A thread did something that may end the waits of others; `drawn` if arrows may begin at what is drawn for it.
    pub fn act(&mut self, point: Point, drawn: bool) {
        if !self.wanted {
            return;
        }
        if self.acts.len() == REMEMBERED {
            self.acts.pop_front();
        }
        self.acts.push_back(Act { point, own: drawn, other: drawn });
    }

    /// Where the arrow to `thread`, which leaves a wait because of record `cause`, begins.
    pub fn tail(&mut self, cause: Option<u64>, thread: ThreadId, at: Instant, segments: &Segments) -> Option<Tail> {
        let cause = cause.filter(|_| self.wanted)?;
        if let Ok(place) = self.acts.binary_search_by_key(&cause, |act| act.point.index) {
            let act = &mut self.acts[place];
            let own = act.point.thread == thread;
            let drawn = std::mem::take(if own { &mut act.own } else { &mut act.other });
            return match (drawn, own) {
                (true, true) => Some(Tail::OwnTake(act.point)),
                (true, false) => Some(Tail::Act(act.point)),
                (false, true) => None,
                (false, false) => Some(Tail::Thread(act.point.within(segments))),
            };
        }
        let other = self.thread_of(cause).filter(|other| *other != thread)?;
        Some(Tail::Thread(Point { index: cause, thread: other, at }.within(segments)))
    }
}
