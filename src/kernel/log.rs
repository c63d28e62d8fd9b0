//! Records and their causes. State changes are collected during an instant and written when it closes, so that states of
//! zero length never appear; everything else is written as it happens.

use crate::ids::{CoreId, IdVec, ThreadId};
use crate::time::Instant;
use crate::trace::{Observer, Record, State, What, Why};

/// What made something happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The model itself: an arrival.
    Root,
    /// A record.
    Record(u64),
    /// The latest change of state of a thread, also one of this instant.
    Thread(ThreadId),
}

/// The next index, and what has changed during this instant.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    next: u64,
    threads: IdVec<ThreadId, Shown>,
    changed: Vec<ThreadId>,
}

/// What the records have said of a thread so far, and what they will say when the instant closes.
#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    state: Option<State>,
    core: Option<CoreId>,
    record: Option<u64>,
    /// What made it arrive: that is named for what it does at this very instant.
    born: Option<Cause>,
    pending: Option<Change>,
}

#[derive(Clone, Copy, Debug)]
struct Change {
    state: State,
    core: Option<CoreId>,
    why: Why,
    cause: Cause,
}

impl Log {
    pub fn new(threads: usize) -> Log {
        Log { next: 0, threads: IdVec::filled(threads, Shown::default()), changed: Vec::new() }
    }

    /// Writes a record now and returns the cause that others may name.
    pub fn write<O: Observer>(&mut self, observer: &mut O, at: Instant, cause: Cause, what: What) -> Cause {
        if !O::WATCHES {
            return Cause::Root;
        }
        let cause = self.index_of(cause);
        let index = self.next;
        self.next += 1;
        observer.record(index, &Record { at, what, cause });
        Cause::Record(index)
    }

    /// A thread is in another state; of several changes at one instant the last one counts.
    pub fn state(&mut self, thread: ThreadId, state: State, core: Option<CoreId>, why: Why, cause: Cause) {
        let shown = &mut self.threads[thread];
        if shown.pending.is_none() {
            self.changed.push(thread);
        }
        shown.born.get_or_insert(cause);
        shown.pending = Some(Change { state, core, why, cause });
    }

    /// Closes an instant: writes what has changed.
    pub fn close<O: Observer>(&mut self, observer: &mut O, at: Instant) {
        let mut changed = std::mem::take(&mut self.changed);
        for thread in changed.drain(..) {
            self.close_thread(observer, at, thread);
        }
        self.changed = changed;
    }

    fn close_thread<O: Observer>(&mut self, observer: &mut O, at: Instant, thread: ThreadId) {
        let Some(change) = self.threads[thread].pending.take() else { return };
        let shown = self.threads[thread];
        if shown.state == Some(change.state) && shown.core == change.core {
            return;
        }
        // The cause goes first, so that the record can name it.
        if let Cause::Thread(other) = change.cause {
            self.close_thread(observer, at, other);
        }
        let what = What::State { thread, from: shown.state, to: change.state, core: change.core, why: change.why };
        let written = self.write(observer, at, change.cause, what);
        let shown = &mut self.threads[thread];
        shown.state = Some(change.state);
        shown.core = change.core;
        if let Cause::Record(index) = written {
            shown.record = Some(index);
        }
    }

    fn index_of(&self, cause: Cause) -> Option<u64> {
        match cause {
            Cause::Root => None,
            Cause::Record(index) => Some(index),
            Cause::Thread(thread) => {
                let shown = self.threads[thread];
                shown.record.or_else(|| shown.born.filter(|born| *born != cause).and_then(|born| self.index_of(born)))
            }
        }
    }
}
