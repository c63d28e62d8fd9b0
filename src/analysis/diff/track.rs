//! A timeline in 24 bytes a record: what two timelines of millions of records are compared from.

use crate::ids::{CoreId, GilId, Id, LockId, ObjectId, ProcId, SpanId, ThreadId};
use crate::time::{Instant, Span};
use crate::trace::{Ending, GilAct, JobAct, LockAct, ObjectAct, Observer, Record, SpanAct, State, What, Why};

/// No record, core or other number.
pub(super) const NONE: u32 = u32::MAX;

/// The kinds of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    State,
    Dispatch,
    Gil,
    Lock,
    Object,
    Job,
    Span,
    Output,
    Account,
    Quota,
    Exit,
    End,
}

impl Kind {
    /// Whether its owner is a thread.
    pub fn of_thread(self) -> bool {
        !matches!(self, Kind::Quota | Kind::Exit | Kind::End)
    }
}

/// One record. What the fields mean depends on the kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub at: u64,
    pub cause: u32,
    /// A thread; for quotas and exits a process.
    pub owner: u32,
    /// Core, GIL, lock, shared object, span, exit code, or the place of the text or account.
    pub object: u32,
    pub kind: Kind,
    /// State or act.
    pub word: u8,
    /// Reason or flags.
    pub why: u8,
}

/// Acts on a GIL, and acts on a lock, as words of items.
pub(super) const REQUEST: u8 = 0;
pub(super) const GRANT: u8 = 1;
pub(super) const DROP: u8 = 2;
pub(super) const ACQUIRE: u8 = 0;
pub(super) const RELEASE: u8 = 1;
pub(super) const HAND_OVER: u8 = 2;

/// Watches a run and keeps its records in little memory.
#[derive(Clone, Debug, Default)]
pub struct Track {
    pub(super) items: Vec<Item>,
    pub(super) texts: Vec<String>,
    pub(super) accounts: Vec<(Span, Span, Span, bool)>,
    /// The values of shared objects, one for each item of that kind, in their order.
    pub(super) values: Vec<(u32, i64)>,
    pub(super) jobs: Vec<(u64, Instant)>,
    pub(super) ending: Option<Ending>,
}

impl Track {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The record of an item as the timeline had it, but for whom a dispatch preempted. `from` is the state before.
    pub(super) fn record(&self, index: u32, from: Option<State>) -> Record {
        let item = &self.items[index as usize];
        let thread = ThreadId(item.owner);
        let what = match item.kind {
            Kind::State => {
                let core = (item.object != NONE).then_some(CoreId(item.object));
                What::State { thread, from, to: item.state(), core, why: Why::ALL[item.why as usize] }
            }
            Kind::Dispatch => {
                let (switched, migrated) = (item.why & 1 > 0, item.why & 2 > 0);
                What::Dispatch { core: CoreId(item.object), thread, switched, migrated, preempted: None }
            }
            Kind::Gil => {
                let act = match item.word {
                    REQUEST => GilAct::Request,
                    GRANT => GilAct::Grant { switched: item.why > 0 },
                    _ => GilAct::Drop { forced: item.why > 0 },
                };
                What::Gil { gil: GilId(item.object), thread, act }
            }
            Kind::Lock => {
                let acts = [LockAct::Acquire, LockAct::Release, LockAct::HandOver];
                What::Lock { lock: LockId(item.object), thread, act: acts[item.word as usize] }
            }
            Kind::Object => {
                let value =
                    self.values.binary_search_by_key(&index, |(item, _)| *item).map(|place| self.values[place].1);
                let (object, act) = (ObjectId(item.object), ObjectAct::ALL[item.word as usize]);
                What::Object { object, thread, act, value: value.unwrap_or(0) }
            }
            Kind::Job => {
                let (number, released) = self.jobs[item.object as usize];
                What::Job { thread, number, released, act: JobAct::ALL[item.word as usize] }
            }
            Kind::Span => What::Span { span: SpanId(item.object), thread, act: SpanAct::ALL[item.word as usize] },
            Kind::Output => What::Output { thread, text: self.texts[item.object as usize].clone() },
            Kind::Account => {
                let (python_work, native_work, demanded, finished) = self.accounts[item.object as usize];
                What::Account { thread, python_work, native_work, demanded, finished }
            }
            Kind::Quota => What::Quota { process: ProcId(item.owner), throttled: item.word > 0 },
            Kind::Exit => What::Exit { process: ProcId(item.owner), code: item.object as i32 },
            Kind::End => What::End { ending: self.ending.clone().unwrap_or(Ending::Finished) },
        };
        let cause = (item.cause != NONE).then_some(item.cause.into());
        Record { at: Instant::from_ns(item.at), what, cause }
    }

    fn item(&mut self, what: &What) -> (Kind, u32, u32, u8, u8) {
        match what {
            What::State { thread, to, core, why, .. } => {
                (Kind::State, thread.0, core.map_or(NONE, |core| core.0), *to as u8, *why as u8)
            }
            What::Dispatch { core, thread, switched, migrated, preempted } => {
                let flags = u8::from(*switched) | u8::from(*migrated) << 1 | u8::from(preempted.is_some()) << 2;
                (Kind::Dispatch, thread.0, core.0, 0, flags)
            }
            What::Gil { gil, thread, act } => {
                let (word, flag) = match act {
                    GilAct::Request => (REQUEST, false),
                    GilAct::Grant { switched } => (GRANT, *switched),
                    GilAct::Drop { forced } => (DROP, *forced),
                };
                (Kind::Gil, thread.0, gil.0, word, flag.into())
            }
            What::Lock { lock, thread, act } => {
                let word = match act {
                    LockAct::Acquire => ACQUIRE,
                    LockAct::Release => RELEASE,
                    LockAct::HandOver => HAND_OVER,
                };
                (Kind::Lock, thread.0, lock.0, word, 0)
            }
            What::Object { object, thread, act, value } => {
                self.values.push((self.items.len() as u32, *value));
                (Kind::Object, thread.0, object.0, *act as u8, 0)
            }
            What::Job { thread, number, released, act } => {
                self.jobs.push((*number, *released));
                (Kind::Job, thread.0, self.jobs.len() as u32 - 1, *act as u8, 0)
            }
            What::Span { span, thread, act } => (Kind::Span, thread.0, span.0, *act as u8, 0),
            What::Output { thread, text } => {
                self.texts.push(text.clone());
                (Kind::Output, thread.0, (self.texts.len() - 1) as u32, 0, 0)
            }
            What::Account { thread, python_work, native_work, demanded, finished } => {
                self.accounts.push((*python_work, *native_work, *demanded, *finished));
                (Kind::Account, thread.0, (self.accounts.len() - 1) as u32, 0, 0)
            }
            What::Quota { process, throttled } => (Kind::Quota, process.index() as u32, 0, (*throttled).into(), 0),
            What::Exit { process, code } => (Kind::Exit, process.index() as u32, *code as u32, 0, 0),
            What::End { ending } => {
                self.ending = Some(ending.clone());
                (Kind::End, NONE, NONE, 0, 0)
            }
        }
    }
}

impl Item {
    /// The state that begins; only for items of that kind.
    pub fn state(&self) -> State {
        State::ALL[self.word as usize]
    }

    /// Whether a program, not a scheduler, decides that this happens: blocking calls, printed lines, taken locks, the end.
    /// Two runs of one program have the same ones in the same order, whoever had to wait when.
    pub fn is_anchor(&self) -> bool {
        match self.kind {
            Kind::State => matches!(self.state(), State::Io | State::Sleep | State::Done),
            Kind::Lock => self.word != RELEASE,
            Kind::Job => self.word == JobAct::Finish as u8,
            Kind::Object | Kind::Span | Kind::Output | Kind::Account => true,
            Kind::Dispatch | Kind::Gil | Kind::Quota | Kind::Exit | Kind::End => false,
        }
    }
}

impl Observer for Track {
    fn record(&mut self, index: u64, record: &Record) {
        // Four billion records are more than a comparison can hold; what comes after them is not compared.
        if index >= u64::from(NONE) {
            return;
        }
        let (kind, owner, object, word, why) = self.item(&record.what);
        let cause = record.cause.map_or(NONE, |cause| cause as u32);
        self.items.push(Item { at: record.at.ns(), cause, owner, object, kind, word, why });
    }
}
