//! Watches a run and keeps one compact copy of its timeline: what the page draws, steps through and explains.
//!
//! A timeline repeats itself: the same thread enters the same state on the same core for the same reason, thousands of
//! times. So each distinct record is kept once, as a *shape*, and a record is three numbers: when, which shape, and how
//! many records ago its cause was. Records keep the numbers that `--format jsonl` gives them.

use std::collections::BTreeMap;
use std::fmt;

use crate::ids::{CoreId, GilId, LockId, ObjectId, ProcId, SpanId, ThreadId};
use crate::render::json::ending_parts;
use crate::render::object::Object;
use crate::render::object_words::{holds, object_act};
use crate::trace::{Cast, Ending, GilAct, JobAct, LockAct, ObjectAct, Observer, Record, SpanAct, State, What, Why};

/// The most records that a page holds unless it is told otherwise; 16 bytes each while the run lasts, about 12 in the file.
pub const PAGE_RECORDS: usize = 2_000_000;

/// A record without its time and its cause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    State { thread: ThreadId, to: State, core: Option<CoreId>, why: Why },
    Dispatch { core: CoreId, thread: ThreadId, switched: bool, migrated: bool, preempted: Option<ThreadId> },
    Request { gil: GilId, thread: ThreadId },
    Grant { gil: GilId, thread: ThreadId, switched: bool },
    Drop { gil: GilId, thread: ThreadId, forced: bool },
    Acquire { lock: LockId, thread: ThreadId },
    Release { lock: LockId, thread: ThreadId },
    HandOver { lock: LockId, thread: ThreadId },
    Object { object: ObjectId, thread: ThreadId, act: ObjectAct, value: i64 },
    Job { thread: ThreadId, act: JobAct },
    Span { span: SpanId, thread: ThreadId, act: SpanAct },
    Output { thread: ThreadId, text: String },
    Account { thread: ThreadId },
    Quota { process: ProcId, throttled: bool },
    Exit { process: ProcId, code: i32 },
    End,
}

/// The records of a run in compact form.
#[derive(Clone, Debug)]
pub struct Recording {
    limit: usize,
    known: BTreeMap<Shape, u32>,
    shapes: Vec<Shape>,
    at: Vec<u64>,
    shape: Vec<u32>,
    /// How many records before this one its cause stands; 0 for none.
    back: Vec<u32>,
    ending: Option<Ending>,
    left_out: u64,
}

impl Default for Recording {
    fn default() -> Self {
        Recording::of_at_most(PAGE_RECORDS)
    }
}

impl Recording {
    /// Nothing yet, and never more than so many records: later ones are counted and left out.
    pub fn of_at_most(limit: usize) -> Recording {
        Recording {
            limit,
            known: BTreeMap::new(),
            shapes: Vec::new(),
            at: Vec::new(),
            shape: Vec::new(),
            back: Vec::new(),
            ending: None,
            left_out: 0,
        }
    }

    /// How many records the limit left out.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    fn place(&mut self, shape: Shape) -> u32 {
        if let Some(place) = self.known.get(&shape) {
            return *place;
        }
        let place = self.shapes.len() as u32;
        self.shapes.push(shape.clone());
        self.known.insert(shape, place);
        place
    }

    /// The keys of the timeline.
    pub(in crate::render) fn write(&self, o: &mut Object<'_>, cast: &Cast) -> fmt::Result {
        o.objects("shapes", &self.shapes, |o, shape| self.write_shape(o, cast, shape))?;
        let mut before = 0;
        o.column("after_ns", self.at.iter().map(|at| *at - std::mem::replace(&mut before, *at)))?;
        o.column("shape", self.shape.iter().map(|shape| u64::from(*shape)))?;
        o.column("back", self.back.iter().map(|back| u64::from(*back)))?;
        o.number("left_out", self.left_out)
    }

    fn write_shape(&self, o: &mut Object<'_>, cast: &Cast, shape: &Shape) -> fmt::Result {
        let act = |o: &mut Object<'_>, kind, key, id: u32, thread: ThreadId, act| {
            o.text("kind", kind)?;
            o.number(key, id)?;
            o.number("thread", thread.0)?;
            o.text("act", act)
        };
        match shape {
            Shape::State { thread, to, core, why } => {
                o.text("kind", "state")?;
                o.number("thread", thread.0)?;
                o.number("to", *to as u32)?;
                o.optional_number("core", core.map(|core| core.0))?;
                o.text("why", why.word())
            }
            Shape::Request { gil, thread } => act(o, "gil", "gil", gil.0, *thread, "request"),
            Shape::Grant { gil, thread, switched } => {
                act(o, "gil", "gil", gil.0, *thread, "grant")?;
                o.truth("switched", *switched)
            }
            Shape::Drop { gil, thread, forced } => {
                act(o, "gil", "gil", gil.0, *thread, "drop")?;
                o.truth("forced", *forced)
            }
            Shape::Acquire { lock, thread } => act(o, "lock", "lock", lock.0, *thread, "acquire"),
            Shape::Release { lock, thread } => act(o, "lock", "lock", lock.0, *thread, "release"),
            Shape::HandOver { lock, thread } => act(o, "lock", "lock", lock.0, *thread, "hand-over"),
            Shape::Span { span, thread, act: reached } => act(o, "span", "span", span.0, *thread, reached.word()),
            other => self.write_rare(o, cast, other),
        }
    }

    fn write_rare(&self, o: &mut Object<'_>, cast: &Cast, shape: &Shape) -> fmt::Result {
        match shape {
            Shape::Dispatch { core, thread, switched, migrated, preempted } => {
                o.text("kind", "dispatch")?;
                o.number("core", core.0)?;
                o.number("thread", thread.0)?;
                o.truth("switched", *switched)?;
                o.truth("migrated", *migrated)?;
                o.optional_number("preempted", preempted.map(|loser| loser.0))
            }
            Shape::Object { object, thread, act, value } => {
                let thing = &cast.objects[*object];
                o.text("kind", "object")?;
                o.number("object", object.0)?;
                o.number("thread", thread.0)?;
                o.text("act", act.word())?;
                o.number("value", *value)?;
                o.text("what", &object_act(*act, thing))?;
                o.text("holds", &holds(thing, *value))
            }
            Shape::Job { thread, act } => {
                o.text("kind", "job")?;
                o.number("thread", thread.0)?;
                o.text("act", act.word())
            }
            Shape::Output { thread, text } => {
                o.text("kind", "output")?;
                o.number("thread", thread.0)?;
                o.text("text", text)
            }
            Shape::Account { thread } => {
                o.text("kind", "account")?;
                o.number("thread", thread.0)
            }
            Shape::Quota { process, throttled } => {
                o.text("kind", "quota")?;
                o.number("process", process.0)?;
                o.truth("throttled", *throttled)
            }
            Shape::Exit { process, code } => {
                o.text("kind", "exit")?;
                o.number("process", process.0)?;
                o.number("code", *code)
            }
            _ => {
                let ending = self.ending.as_ref();
                o.text("kind", "end")?;
                o.text("ending", ending.map_or("interrupted", Ending::word))?;
                o.text("detail", &ending_parts(ending, cast).0)
            }
        }
    }
}

impl Observer for Recording {
    fn record(&mut self, index: u64, record: &Record) {
        if self.at.len() >= self.limit {
            self.left_out += 1;
            return;
        }
        let shape = self.place(shape_of(&record.what));
        if let What::End { ending } = &record.what {
            self.ending = Some(ending.clone());
        }
        self.at.push(record.at.ns());
        self.shape.push(shape);
        self.back.push(record.cause.map_or(0, |cause| (index - cause) as u32));
    }
}

fn shape_of(what: &What) -> Shape {
    match what {
        What::State { thread, to, core, why, .. } => Shape::State { thread: *thread, to: *to, core: *core, why: *why },
        What::Dispatch { core, thread, switched, migrated, preempted } => Shape::Dispatch {
            core: *core,
            thread: *thread,
            switched: *switched,
            migrated: *migrated,
            preempted: *preempted,
        },
        What::Gil { gil, thread, act } => gil_shape(*gil, *thread, *act),
        What::Lock { lock, thread, act } => match act {
            LockAct::Acquire => Shape::Acquire { lock: *lock, thread: *thread },
            LockAct::Release => Shape::Release { lock: *lock, thread: *thread },
            LockAct::HandOver => Shape::HandOver { lock: *lock, thread: *thread },
        },
        What::Object { object, thread, act, value } => {
            Shape::Object { object: *object, thread: *thread, act: *act, value: *value }
        }
        What::Job { thread, act, .. } => Shape::Job { thread: *thread, act: *act },
        What::Span { span, thread, act } => Shape::Span { span: *span, thread: *thread, act: *act },
        What::Output { thread, text } => Shape::Output { thread: *thread, text: text.clone() },
        What::Account { thread, .. } => Shape::Account { thread: *thread },
        What::Quota { process, throttled } => Shape::Quota { process: *process, throttled: *throttled },
        What::Exit { process, code } => Shape::Exit { process: *process, code: *code },
        What::End { .. } => Shape::End,
    }
}

fn gil_shape(gil: GilId, thread: ThreadId, act: GilAct) -> Shape {
    match act {
        GilAct::Request => Shape::Request { gil, thread },
        GilAct::Grant { switched } => Shape::Grant { gil, thread, switched },
        GilAct::Drop { forced } => Shape::Drop { gil, thread, forced },
    }
}
