//! Walks along the records and says what begins, ends and happens: the one place where formats learn of it.

use crate::ids::{GilId, IdVec, LockId, ObjectId, ThreadId};
use crate::time::Instant;
use crate::trace::{Cast, Ending, GilAct, LockAct, Record, State, What};

use super::End;
use super::arrows::{Arrows, Point, Tail};
use super::segments::{Open, Segment, Segments, Stay, Stays};

/// What a format is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A thread left a state (also: the run is over). Before it enters the next one.
    Leaves(Segment),
    /// A thread enters a state; if that ends a wait, the arrow from what ended it.
    Enters(Open, Option<Tail>),
    /// A thread has ended.
    Ends(ThreadId),
    /// A thread gets on a core.
    Sits(Stay),
    /// A thread gets off a core, or the run is over.
    Rises(Stay),
    /// A thread asks for a GIL.
    Asks(GilId, Point),
    /// A thread drops a GIL; on request of the other one.
    Drops { gil: GilId, by: Point, forced: bool, asked: Option<Point> },
    /// A GIL is no longer held, or the run is over.
    Frees(Hold),
    /// A thread takes a GIL that another one dropped.
    Takes { hold: Hold, by: Point, dropped: Option<Point> },
    /// A thread releases a lock, or hands it over.
    Unlocks { lock: LockId, by: Point, hands_over: bool },
    /// A shared object holds so many, from now on.
    Holds { object: ObjectId, value: i64 },
    /// So many threads want a core, from now on.
    Runnable(u64),
}

/// A thread holds a GIL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    pub gil: GilId,
    pub thread: ThreadId,
    pub since: Instant,
}

/// Who is told.
type Tell<'t> = &'t mut dyn FnMut(Instant, Mark);

/// What is known of the run so far.
#[derive(Debug)]
pub(super) struct Walker {
    now: Instant,
    segments: Segments,
    stays: Stays,
    holds: IdVec<GilId, Option<Hold>>,
    arrows: Arrows,
    /// Threads that want a core, now and when it was last told.
    runnable: u64,
    told: Option<u64>,
    ending: Option<Ending>,
}

impl Walker {
    pub fn new(cast: &Cast, arrows: bool) -> Walker {
        Walker {
            now: Instant::ZERO,
            segments: Segments::new(cast),
            stays: Stays::new(cast),
            holds: IdVec::filled(cast.gils.len(), None),
            arrows: Arrows::new(cast, arrows),
            runnable: 0,
            told: None,
            ending: None,
        }
    }

    /// The next record. Nothing follows the end of a run.
    pub fn record(&mut self, index: u64, record: &Record, tell: Tell) {
        if self.ending.is_some() {
            return;
        }
        if record.at > self.now {
            self.close_instant(tell);
            self.now = record.at;
        }
        match &record.what {
            What::State { thread, to, core, why, .. } => {
                let (at, state, core) = (self.now, *to, core.filter(|_| to.on_core()));
                let open = Open { thread: *thread, state, core, start: at, why: *why, index };
                self.state(open, record.cause, tell);
            }
            What::Gil { gil, thread, act } => self.gil(*gil, self.point(index, *thread), *act, tell),
            What::Lock { lock, thread, act } => self.lock(*lock, index, *thread, *act, record.cause, tell),
            What::Exit { .. } => {
                // The end of a process wakes whoever joins it; the last thread did it.
                let last = record.cause.and_then(|cause| self.arrows.thread_of(cause));
                last.map(|last| self.point(index, last)).into_iter().for_each(|by| self.arrows.act(by, false));
            }
            What::End { ending } => self.ending = Some(ending.clone()),
            What::Object { object, thread, value, .. } => {
                tell(self.now, Mark::Holds { object: *object, value: *value });
                // A notification wakes whoever waited for it.
                self.arrows.act(self.point(index, *thread), false);
            }
            What::Dispatch { .. }
            | What::Job { .. }
            | What::Span { .. }
            | What::Quota { .. }
            | What::Output { .. }
            | What::Account { .. } => {}
        }
    }

    /// The records are over; what is open ends with the last of them.
    pub fn finish(&mut self, tell: Tell) -> End {
        self.close_instant(tell);
        let at = self.now;
        self.segments.close(at).for_each(|segment| tell(at, Mark::Leaves(segment)));
        self.stays.close().for_each(|stay| tell(at, Mark::Rises(stay)));
        self.holds.values_mut().filter_map(Option::take).for_each(|hold| tell(at, Mark::Frees(hold)));
        End { at, ending: self.ending.take() }
    }

    /// A count that changes to and fro within an instant is told once.
    fn close_instant(&mut self, tell: Tell) {
        if self.told != Some(self.runnable) {
            self.told = Some(self.runnable);
            tell(self.now, Mark::Runnable(self.runnable));
        }
    }

    fn point(&self, index: u64, thread: ThreadId) -> Point {
        Point { index, thread, at: self.now }
    }

    fn state(&mut self, open: Open, cause: Option<u64>, tell: Tell) {
        let at = self.now;
        let before = self.segments.of(open.thread).copied();
        // Into another wait there is no arrow: the cause of that is what the thread waits for.
        let active = |state: State| state.on_core() || state.wants_core();
        let wakes = active(open.state) && before.is_none_or(|before| !active(before.state));
        self.runnable += u64::from(open.state.wants_core());
        self.runnable -= u64::from(before.is_some_and(|before| before.state.wants_core()));
        if let Some(segment) = self.segments.enter(open) {
            tell(at, Mark::Leaves(segment));
        }
        let change = self.stays.change(open.thread, before.and_then(|before| before.core), open.core, at);
        [change.left, change.displaced].into_iter().flatten().for_each(|stay| tell(at, Mark::Rises(stay)));
        if open.state == State::Done {
            tell(at, Mark::Ends(open.thread));
        } else {
            let head = if wakes { cause } else { None };
            let tail = self.arrows.tail(head, open.thread, at, &self.segments);
            tell(at, Mark::Enters(open, tail));
        }
        if let Some(stay) = change.begun {
            tell(at, Mark::Sits(stay));
        }
        self.arrows.state(before.map(|before| before.index), open.index, open.thread);
    }

    fn gil(&mut self, gil: GilId, by: Point, act: GilAct, tell: Tell) {
        let (at, points) = (self.now, &mut self.arrows.gils[gil]);
        match act {
            GilAct::Request => {
                points.asked = Some(by);
                tell(at, Mark::Asks(gil, by));
            }
            GilAct::Drop { forced } => {
                points.dropped = Some(by);
                let asked = points.asked.take().filter(|_| forced);
                tell(at, Mark::Drops { gil, by, forced, asked });
                self.free(gil, tell);
                self.arrows.act(by, true);
            }
            GilAct::Grant { .. } => {
                points.asked = None;
                let dropped = points.dropped.take().filter(|dropped| dropped.thread != by.thread);
                self.free(gil, tell);
                let hold = Hold { gil, thread: by.thread, since: at };
                self.holds[gil] = Some(hold);
                tell(at, Mark::Takes { hold, by, dropped });
                self.arrows.act(by, true);
            }
        }
    }

    fn free(&mut self, gil: GilId, tell: Tell) {
        if let Some(hold) = self.holds[gil].take() {
            tell(self.now, Mark::Frees(hold));
        }
    }

    fn lock(&mut self, lock: LockId, index: u64, thread: ThreadId, act: LockAct, cause: Option<u64>, tell: Tell) {
        let hands_over = act == LockAct::HandOver;
        let by = match act {
            LockAct::Acquire => return,
            LockAct::Release => Some(thread),
            // The record names the new owner; who hands over is its cause.
            LockAct::HandOver => cause.and_then(|cause| self.arrows.thread_of(cause)),
        };
        let Some(by) = by.map(|by| self.point(index, by)) else { return };
        tell(self.now, Mark::Unlocks { lock, by, hands_over });
        self.arrows.act(by, true);
    }
}
