//! The one vocabulary of prediction and measurement: records, their causes, and who watches them.

mod cast;
mod digest;
mod facts;
mod record;
mod state;

pub use cast::{Actor, Cast, Thing};
pub use digest::Digest;
pub use facts::{Facts, SEMANTICS};
pub use record::{Ending, GilAct, JobAct, LockAct, Record, SpanAct, WaitsFor, What};
pub use state::{ObjectAct, ObjectKind, State, Why};

/// Who watches a run. Chosen at compile time: a run without an observer pays nothing.
pub trait Observer {
    /// Whether anybody looks at the records; `false` lets the kernel skip making them.
    const WATCHES: bool = true;

    /// The next record. `index` counts from 0 without gaps; causes name such indices.
    /// Times never go back; the order within an instant is the order in which things happened,
    /// but for state changes, which close the instant.
    fn record(&mut self, index: u64, record: &Record);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Observer for Nobody {
    const WATCHES: bool = false;
    fn record(&mut self, _: u64, _: &Record) {}
}

/// Keeps every record in memory.
impl Observer for Vec<Record> {
    fn record(&mut self, _: u64, record: &Record) {
        self.push(record.clone());
    }
}

/// Two observers of one run.
impl<A: Observer, B: Observer> Observer for (A, B) {
    const WATCHES: bool = A::WATCHES || B::WATCHES;
    fn record(&mut self, index: u64, record: &Record) {
        self.0.record(index, record);
        self.1.record(index, record);
    }
}

/// A borrowed observer.
impl<O: Observer> Observer for &mut O {
    const WATCHES: bool = O::WATCHES;
    fn record(&mut self, index: u64, record: &Record) {
        (**self).record(index, record);
    }
}

/// An observer that may be absent.
impl<O: Observer> Observer for Option<O> {
    const WATCHES: bool = O::WATCHES;
    fn record(&mut self, index: u64, record: &Record) {
        if let Some(observer) = self {
            observer.record(index, record);
        }
    }
}
