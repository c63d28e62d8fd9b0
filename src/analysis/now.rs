//! What every thread is doing now: turns the records of state changes into the segments between them.

use crate::ids::{CoreId, IdVec, ThreadId};
use crate::time::{Instant, Span};
use crate::trace::State;

/// A stretch of one thread's life in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::analysis) struct Segment {
    pub thread: ThreadId,
    pub state: State,
    pub core: Option<CoreId>,
    pub from: Instant,
    pub to: Instant,
}

impl Segment {
    /// How long it lasted.
    pub fn length(&self) -> Span {
        elapsed(self.from, self.to)
    }
}

/// The span between two instants; nothing if a damaged timeline has them the other way round.
pub(in crate::analysis) fn elapsed(from: Instant, to: Instant) -> Span {
    Span::from_ns(to.ns().saturating_sub(from.ns()))
}

/// The sum of spans of many threads. A million threads for a thousand hours are more than the clock can count: it stops
/// at its end, 584 years, rather than fail.
pub(in crate::analysis) fn sum(spans: impl Iterator<Item = Span>) -> Span {
    spans.fold(Span::ZERO, |sum, span| Span::from_ns(sum.ns().saturating_add(span.ns())))
}

#[derive(Clone, Copy, Debug)]
struct Doing {
    state: State,
    core: Option<CoreId>,
    since: Instant,
}

/// The state of every thread that has arrived, and since when.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Now {
    threads: IdVec<ThreadId, Option<Doing>>,
}

impl Now {
    /// Nobody has arrived.
    pub fn new(threads: usize) -> Now {
        Now { threads: IdVec::filled(threads, None) }
    }

    /// What a thread is doing; `None` before its arrival.
    pub fn state(&self, thread: ThreadId) -> Option<State> {
        self.threads[thread].map(|doing| doing.state)
    }

    /// The core a thread is on.
    pub fn core(&self, thread: ThreadId) -> Option<CoreId> {
        self.threads[thread].and_then(|doing| doing.core)
    }

    /// A thread changes its state; returns the segment that ends with that.
    pub fn turn(&mut self, at: Instant, thread: ThreadId, to: State, core: Option<CoreId>) -> Option<Segment> {
        let before = self.threads[thread].replace(Doing { state: to, core, since: at });
        before.map(|doing| doing.until(at, thread))
    }

    /// The segments that are still open, cut at `at`. Whoever is done has none.
    pub fn open(&self, at: Instant) -> impl Iterator<Item = Segment> {
        self.threads.ids().filter_map(move |thread| self.open_of(thread, at))
    }

    /// The segment of one thread that is still open, cut at `at`.
    pub fn open_of(&self, thread: ThreadId, at: Instant) -> Option<Segment> {
        let alive = self.threads[thread].filter(|doing| doing.state != State::Done);
        alive.map(|doing| doing.until(at, thread))
    }
}

impl Doing {
    fn until(self, to: Instant, thread: ThreadId) -> Segment {
        Segment { thread, state: self.state, core: self.core, from: self.since, to }
    }
}
