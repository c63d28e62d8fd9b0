//! `--format jsonl`: the timeline itself, a header line and then one record a line. What `diff` and `explain` read back.

use std::fmt::{self, Write};
use std::io;

use crate::ids::ThreadId;
use crate::render::json::ending_parts;
use crate::render::object::{Object, object};
use crate::render::report::Facts;
use crate::render::{FORMAT, VERSION};
use crate::trace::{Actor, Cast, Ending, GilAct, LockAct, Observer, Record, State, What};

/// Writes records as they come. The first error stops the writing; [`JsonLines::finish`] returns it.
#[derive(Debug)]
pub struct JsonLines<'c, W> {
    cast: &'c Cast,
    out: W,
    line: String,
    error: Option<io::Error>,
}

impl<'c, W: io::Write> JsonLines<'c, W> {
    /// Writes the header.
    pub fn new(cast: &'c Cast, facts: &Facts, out: W) -> JsonLines<'c, W> {
        let mut lines = JsonLines { cast, out, line: String::new(), error: None };
        lines.write(|line| json_header(line, cast, facts));
        lines
    }

    /// The writer, or what went wrong with it.
    pub fn finish(mut self) -> io::Result<W> {
        match self.error {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.out),
        }
    }

    fn write(&mut self, fill: impl FnOnce(&mut String) -> fmt::Result) {
        if self.error.is_some() {
            return;
        }
        self.line.clear();
        let filled = fill(&mut self.line).map_err(io::Error::other);
        self.line.push('\n');
        self.error = filled.and_then(|()| self.out.write_all(self.line.as_bytes())).err();
    }
}

impl<W: io::Write> Observer for JsonLines<'_, W> {
    fn record(&mut self, index: u64, record: &Record) {
        let cast = self.cast;
        self.write(|line| json_line(line, cast, index, record));
    }
}

/// The header, without a line end: what a reader must know of all records.
pub fn json_header(out: &mut impl Write, cast: &Cast, facts: &Facts) -> fmt::Result {
    object(out, |o| {
        identity(o, facts)?;
        o.number("cores", cast.cores.len() as u64)?;
        origin(o, facts)?;
        machine(o, cast)?;
        o.objects("threads", cast.threads.values(), |o, actor| thread(o, cast, actor))
    })
}

/// The keys that every output for programs begins with: which model this is of, and how it came about.
pub(in crate::render) fn identity(o: &mut Object<'_>, facts: &Facts) -> fmt::Result {
    o.number("format", FORMAT)?;
    o.text("gilsim", VERSION)?;
    o.object("model", |o| {
        o.text("name", &facts.name)?;
        o.text("digest", &facts.digest)
    })?;
    o.optional_text("variant", facts.variant.as_deref())?;
    o.number("seed", facts.seed)?;
    o.text("profile", &facts.profile)?;
    o.text("provenance", facts.provenance)
}

/// Where the timeline comes from, as far as the report of a run knows it.
fn origin(o: &mut Object<'_>, facts: &Facts) -> fmt::Result {
    o.number("semantics", facts.semantics)?;
    o.text("streams", &facts.streams)?;
    o.optional_text("about", facts.about.as_deref())?;
    o.numbers("intervals_ns", facts.intervals.iter().map(|interval| interval.ns()))?;
    o.truth("free_threaded", facts.free_threaded)
}

/// Everything that records and threads name, in the order of its numbers.
fn machine(o: &mut Object<'_>, cast: &Cast) -> fmt::Result {
    o.numbers("speeds", cast.cores.values().copied())?;
    o.number("scale", cast.scale)?;
    o.texts("groups", cast.groups.values().map(String::as_str))?;
    o.objects("processes", cast.processes.iter(), |o, (id, name)| {
        o.text("name", name)?;
        o.optional_number("group", cast.process_groups[id].map(|group| group.0))
    })?;
    o.texts("gils", cast.gils.values().map(String::as_str))?;
    o.texts("locks", cast.locks.values().map(String::as_str))?;
    if !cast.objects.is_empty() {
        o.objects("objects", cast.objects.values(), |o, thing| {
            o.text("name", &thing.name)?;
            o.text("kind", thing.kind.word())?;
            o.number("initial", thing.initial)
        })?;
    }
    match cast.spans.is_empty() {
        true => Ok(()),
        false => o.texts("spans", cast.spans.values().map(String::as_str)),
    }
}

/// A thread; groups, GILs and cores by their numbers.
fn thread(o: &mut Object<'_>, cast: &Cast, actor: &Actor) -> fmt::Result {
    o.text("proc", &cast.processes[actor.process])?;
    o.text("thread", &actor.name)?;
    o.number("group", actor.group.0)?;
    o.truth("daemon", actor.daemon)?;
    o.truth("on_start", actor.on_start)?;
    o.optional_number("gil", actor.gil.map(|gil| gil.0))?;
    o.numbers("factor", [actor.factor.0, actor.factor.1])?;
    match &actor.affinity {
        None => o.optional_number("affinity", None::<u32>),
        Some(cores) => o.numbers("affinity", cores.iter().map(|core| core.0.into())),
    }
}

/// One record, without a line end.
pub fn json_line(out: &mut impl Write, cast: &Cast, index: u64, record: &Record) -> fmt::Result {
    object(out, |o| json_record(o, cast, index, record))
}

/// The fields of a record.
pub(in crate::render) fn json_record(o: &mut Object<'_>, cast: &Cast, index: u64, record: &Record) -> fmt::Result {
    o.number("t", record.at.ns())?;
    what(o, cast, &record.what)?;
    o.optional_number("cause", record.cause)?;
    o.number("i", index)
}

fn what(o: &mut Object<'_>, cast: &Cast, what: &What) -> fmt::Result {
    match what {
        What::State { thread, from, to, core, why } => {
            o.text("kind", "state")?;
            o.optional_number("core", core.map(|core| core.0))?;
            who(o, cast, *thread)?;
            o.optional_text("from", from.map(State::word))?;
            o.text("to", to.word())?;
            o.text("why", why.word())
        }
        What::Dispatch { core, thread, switched, migrated, preempted } => {
            o.text("kind", "dispatch")?;
            o.number("core", core.0)?;
            who(o, cast, *thread)?;
            o.truth("switched", *switched)?;
            o.truth("migrated", *migrated)?;
            o.optional_text("preempted", preempted.map(|loser| cast.full_name(loser)).as_deref())
        }
        What::Gil { gil, thread, act } => {
            o.text("kind", "gil")?;
            o.text("gil", &cast.gils[*gil])?;
            who(o, cast, *thread)?;
            gil_act(o, *act)
        }
        What::Lock { lock, thread, act } => {
            o.text("kind", "lock")?;
            o.text("lock", &cast.locks[*lock])?;
            who(o, cast, *thread)?;
            o.text("act", lock_word(*act))
        }
        What::Object { object, thread, act, value } => {
            o.text("kind", "object")?;
            o.text("object", &cast.objects[*object].name)?;
            who(o, cast, *thread)?;
            o.text("act", act.word())?;
            o.number("value", *value)
        }
        What::Job { thread, number, released, act } => {
            o.text("kind", "job")?;
            who(o, cast, *thread)?;
            o.text("act", act.word())?;
            o.number("number", *number)?;
            o.number("released", released.ns())
        }
        What::Span { span, thread, act } => {
            o.text("kind", "span")?;
            o.text("span", &cast.spans[*span])?;
            who(o, cast, *thread)?;
            o.text("act", act.word())
        }
        What::Output { thread, text } => {
            o.text("kind", "output")?;
            who(o, cast, *thread)?;
            o.text("text", text)
        }
        other => rarely(o, cast, other),
    }
}

/// What each thread, process or run does once or seldom.
fn rarely(o: &mut Object<'_>, cast: &Cast, what: &What) -> fmt::Result {
    match what {
        What::Account { thread, python_work, native_work, demanded, finished } => {
            o.text("kind", "account")?;
            who(o, cast, *thread)?;
            o.number("python_work_ns", python_work.ns())?;
            o.number("native_work_ns", native_work.ns())?;
            o.number("demanded_ns", demanded.ns())?;
            o.truth("finished", *finished)
        }
        What::Quota { process, throttled } => {
            o.text("kind", "quota")?;
            o.text("proc", &cast.processes[*process])?;
            o.truth("throttled", *throttled)
        }
        What::Exit { process, code } => {
            o.text("kind", "exit")?;
            o.text("proc", &cast.processes[*process])?;
            o.number("code", *code)
        }
        What::End { ending } => {
            let (detail, threads) = ending_parts(Some(ending), cast);
            o.text("kind", "end")?;
            o.text("ending", ending.word())?;
            o.text("detail", &detail)?;
            o.texts("threads", threads.iter().map(String::as_str))?;
            let Ending::Deadlock { cycle } = ending else { return Ok(()) };
            o.objects("cycle", cycle, |o, wait| {
                o.text("thread", &cast.full_name(wait.thread))?;
                o.text("what", &wait.what)?;
                o.optional_text("holder", wait.holder.map(|holder| cast.full_name(holder)).as_deref())
            })
        }
        _ => Ok(()),
    }
}

fn who(o: &mut Object<'_>, cast: &Cast, thread: ThreadId) -> fmt::Result {
    let actor = &cast.threads[thread];
    o.text("proc", &cast.processes[actor.process])?;
    o.text("thread", &actor.name)
}

fn gil_act(o: &mut Object<'_>, act: GilAct) -> fmt::Result {
    o.text("act", gil_word(act))?;
    match act {
        GilAct::Request => Ok(()),
        GilAct::Grant { switched } => o.truth("switched", switched),
        GilAct::Drop { forced } => o.truth("forced", forced),
    }
}

/// The word for what happens to a GIL.
pub(in crate::render) fn gil_word(act: GilAct) -> &'static str {
    match act {
        GilAct::Request => "request",
        GilAct::Grant { .. } => "grant",
        GilAct::Drop { .. } => "drop",
    }
}

/// The word for what happens to a lock.
pub(in crate::render) fn lock_word(act: LockAct) -> &'static str {
    match act {
        LockAct::Acquire => "acquire",
        LockAct::Release => "release",
        LockAct::HandOver => "hand-over",
    }
}
