//! `--format timeline`: one line of fixed width for each event, `t  thread  state  reason`, made for `git diff`.
//!
//! Dispatches and accounts are left out: they are sums and details of what the lines show.

use std::fmt::{self, Write};
use std::io;

use crate::ids::ThreadId;
use crate::render::json::ending_parts;
use crate::render::jsonl::{gil_word, lock_word};
use crate::render::layout::{columns, escape, fit};
use crate::render::object_words::holds;
use crate::trace::{Cast, GilAct, Observer, Record, What};

/// Columns of the time, of a thread's name at most, and of the state.
const TIME: usize = 14;
const NAME: usize = 24;
const STATE: usize = 14;

/// Writes a timeline as it comes. The first error stops the writing; [`Timeline::finish`] returns it.
#[derive(Debug)]
pub struct Timeline<'c, W> {
    cast: &'c Cast,
    names: usize,
    out: W,
    line: String,
    error: Option<io::Error>,
}

impl<'c, W: io::Write> Timeline<'c, W> {
    /// A timeline without any line.
    pub fn new(cast: &'c Cast, out: W) -> Timeline<'c, W> {
        Timeline { cast, names: timeline_names(cast), out, line: String::new(), error: None }
    }

    /// The writer, or what went wrong with it.
    pub fn finish(mut self) -> io::Result<W> {
        match self.error {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.out),
        }
    }
}

impl<W: io::Write> Observer for Timeline<'_, W> {
    fn record(&mut self, _: u64, record: &Record) {
        if self.error.is_some() {
            return;
        }
        self.line.clear();
        let shown = timeline_line(&mut self.line, self.cast, self.names, record).map_err(io::Error::other);
        self.error = shown.and_then(|_| self.out.write_all(self.line.as_bytes())).err();
    }
}

/// The columns that a timeline gives to names: as many as the longest needs, 24 at most.
pub fn timeline_names(cast: &Cast) -> usize {
    cast.threads.ids().map(|id| columns(&escape(&cast.label(id)))).max().unwrap_or(0).clamp(4, NAME)
}

/// The line of a record with its line end, names in `names` columns; nothing for records that a timeline leaves out.
/// Returns whether there is a line.
pub fn timeline_line(out: &mut impl Write, cast: &Cast, names: usize, record: &Record) -> Result<bool, fmt::Error> {
    let Some((who, what, why)) = parts(cast, &record.what) else { return Ok(false) };
    // Names longer than their columns are not cropped: a diff must tell them apart.
    let name = fit(&who, names.max(columns(&who)), "");
    let time = record.at.to_string();
    let line = format!("{time:>TIME$}  {name}  {}  {}", fit(&what, STATE.max(columns(&what)), ""), escape(&why));
    writeln!(out, "{}", line.trim_end())?;
    Ok(true)
}

/// Thread, state and reason.
fn parts(cast: &Cast, what: &What) -> Option<(String, String, String)> {
    let name = |id: ThreadId| escape(&cast.label(id));
    Some(match what {
        What::State { thread, to, core, why, .. } => {
            let place = core.map(|core| format!(", core {}", core.0)).unwrap_or_default();
            (name(*thread), to.word().into(), format!("{}{place}", why.word()))
        }
        What::Gil { gil, thread, act } => {
            let forced = if *act == (GilAct::Drop { forced: true }) { ", on request" } else { "" };
            (name(*thread), format!("gil {}", gil_word(*act)), format!("{}{forced}", cast.gils[*gil]))
        }
        What::Lock { lock, thread, act } => {
            (name(*thread), format!("lock {}", lock_word(*act)), cast.locks[*lock].clone())
        }
        What::Object { object, thread, act, value } => {
            let thing = &cast.objects[*object];
            let what = format!("{} {}", thing.kind.word(), act.word());
            (name(*thread), what, format!("{}, {}", thing.name, holds(thing, *value)))
        }
        What::Job { thread, number, act, .. } => (name(*thread), format!("job {}", act.word()), format!("#{number}")),
        What::Span { span, thread, act } => (name(*thread), format!("span {}", act.word()), cast.spans[*span].clone()),
        What::Output { thread, text } => (name(*thread), "output".into(), text.clone()),
        What::Quota { process, throttled } => {
            let act = if *throttled { "quota used up" } else { "quota again" };
            (escape(&cast.processes[*process]), act.into(), String::new())
        }
        What::Exit { process, code } => (escape(&cast.processes[*process]), "exit".into(), code.to_string()),
        What::End { ending } => {
            let (detail, threads) = ending_parts(Some(ending), cast);
            let detail = if detail.is_empty() { threads.join(", ") } else { detail };
            let detail = if detail.is_empty() { detail } else { format!(": {detail}") };
            ("-".into(), "end".into(), format!("{}{detail}", ending.word()))
        }
        What::Dispatch { .. } | What::Account { .. } => return None,
    })
}
