//! `--format html`: one self-contained page, made for one timeline, or two to compare, or one with measurements on top.
//!
//! The page is a fixed document (markup, style and script in the files beside this one, put together by
//! `document`) around a block of JSON. Nothing of a model enters the markup: names reach the page only
//! as JSON, in which `<` is written as an escape, and the script puts them on screen as text. The content security
//! policy allows this script and this style by their hashes, and no network at all.
//!
//! The numbers on the page are the result object of `--format json`; its lanes, its table and its explanations are read
//! off the records that a [`Recording`] kept.

mod data;
mod document;
mod sha256;

use std::fmt::{self, Write};
use std::io;

pub use data::{PAGE_RECORDS, Recording};

use crate::analysis::comparison::Spread;
use crate::analysis::story;
use crate::render::glyph::{colour_code, legend};
use crate::render::json::result;
use crate::render::object::{Object, document};
use crate::render::report::Report;
use crate::render::validation::Table;
use crate::render::{text, words};
use crate::trace::{Cast, State, Why};

/// What a page is made from.
#[derive(Clone, Copy, Debug)]
pub struct PageInput<'a> {
    /// The run that the page is about; `A` in a comparison.
    pub primary: View<'a>,
    /// The run to compare with, `B`, on the same scale.
    pub secondary: Option<View<'a>>,
    /// What was measured, to lay over the primary's threads.
    pub measured: Option<Measured<'a>>,
    /// Sentences that stand above the rest: the verdict of a comparison or of a validation.
    pub remarks: &'a [String],
}

/// One run with its records.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Its numbers.
    pub report: Report<'a>,
    /// Its records.
    pub records: &'a Recording,
}

/// One measured timeline, and how far several runs of it lay apart.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// Who appears. Threads are matched with the primary's by their full names.
    pub cast: &'a Cast,
    /// The records of the run in the middle.
    pub records: &'a Recording,
    /// How many runs there were.
    pub runs: u32,
    /// Where the threads finished in these runs.
    pub spreads: &'a [Spread],
    /// What was compared, and what came of it.
    pub tables: &'a [Table],
    /// What must be known of these tables.
    pub notes: &'a [String],
}

/// Writes a page.
pub fn page(out: &mut dyn io::Write, input: &PageInput<'_>) -> io::Result<()> {
    let (before, after) = document::around_the_data();
    out.write_all(before.as_bytes())?;
    let mut json = Unmarked { out: &mut *out, error: None };
    let written = document(&mut json, |o| data(o, input));
    match (json.error, written) {
        (Some(error), _) => return Err(error),
        (None, written) => written.map_err(io::Error::other)?,
    }
    out.write_all(after.as_bytes())
}

/// Lets no `<` through. In JSON it can only stand inside a string, where an escape means the same.
struct Unmarked<'w> {
    out: &'w mut dyn io::Write,
    error: Option<io::Error>,
}

impl Write for Unmarked<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut pieces = text.split('<');
        let first = pieces.next().unwrap_or_default();
        let mut written = self.out.write_all(first.as_bytes());
        for piece in pieces {
            written = written
                .and_then(|()| self.out.write_all(b"\\u003c"))
                .and_then(|()| self.out.write_all(piece.as_bytes()));
        }
        written.map_err(|error| {
            self.error = Some(error);
            fmt::Error
        })
    }
}

fn data(o: &mut Object<'_>, input: &PageInput<'_>) -> fmt::Result {
    o.objects("states", State::ALL, |o, state| {
        o.text("word", state.word())?;
        o.text("legend", legend(*state))?;
        o.text("meaning", state.meaning())?;
        o.optional_text("colour", colour_code(*state).as_deref())?;
        o.truth("on_core", state.on_core())?;
        o.truth("running", state.is_running())?;
        o.truth("wants_core", state.wants_core())
    })?;
    o.objects("whys", Why::ALL, |o, why| {
        o.text("word", why.word())?;
        o.text("meaning", why.meaning())
    })?;
    o.texts("remarks", input.remarks.iter().map(String::as_str))?;
    o.object("primary", |o| view(o, &input.primary))?;
    if let Some(secondary) = &input.secondary {
        o.object("secondary", |o| view(o, secondary))?;
    }
    match &input.measured {
        Some(measured) => o.object("measured", |o| overlay(o, measured)),
        None => Ok(()),
    }
}

fn view(o: &mut Object<'_>, view: &View<'_>) -> fmt::Result {
    let report = &view.report;
    let story = story(report.cast, report.metrics);
    let reasons: Vec<String> = story.reasons.iter().map(|reason| words::reason(report, reason)).collect();
    o.optional_text("about", report.facts.about.as_deref())?;
    o.text("machine", &text::machine(report))?;
    o.text("headline", &words::headline(report, &story))?;
    o.texts("cycle", words::cycle(report).iter().map(String::as_str))?;
    o.texts("reasons", reasons.iter().map(String::as_str))?;
    o.objects("changes", report.changes, |o, change| {
        o.text("what", &change.what)?;
        o.text("outcome", &text::result(change))?;
        o.text("against", &text::against(change, report))?;
        o.optional_text("command", change.command.as_deref())
    })?;
    o.numbers("interval_ns", report.facts.intervals.iter().map(|interval| interval.ns()))?;
    o.object("result", |o| result(o, report))?;
    timeline(o, report.cast, view.records)
}

fn overlay(o: &mut Object<'_>, measured: &Measured<'_>) -> fmt::Result {
    o.number("runs", measured.runs)?;
    o.objects("tables", measured.tables, |o, table| {
        o.text("caption", table.caption)?;
        o.objects("rows", &table.rows, |o, row| o.texts("cells", row.iter().map(String::as_str)))
    })?;
    o.texts("notes", measured.notes.iter().map(String::as_str))?;
    o.objects("spreads", measured.spreads, |o, spread| {
        o.text("thread", &spread.thread)?;
        o.number("least_ns", spread.least.ns())?;
        o.number("median_ns", spread.median.ns())?;
        o.number("most_ns", spread.most.ns())
    })?;
    timeline(o, measured.cast, measured.records)
}

/// Who appears, and what happened.
fn timeline(o: &mut Object<'_>, cast: &Cast, records: &Recording) -> fmt::Result {
    o.object("cast", |o| {
        o.texts("processes", cast.processes.values().map(String::as_str))?;
        o.objects("threads", cast.threads.iter(), |o, (id, actor)| {
            o.text("name", &actor.name)?;
            o.text("label", &cast.label(id))?;
            o.text("full", &cast.full_name(id))?;
            o.number("process", actor.process.0)?;
            o.optional_number("gil", actor.gil.map(|gil| gil.0))
        })?;
        o.texts("gils", cast.gils.values().map(String::as_str))?;
        o.texts("locks", cast.locks.values().map(String::as_str))?;
        let objects: Vec<String> = cast.objects.values().map(|it| format!("{} {}", it.kind.word(), it.name)).collect();
        o.texts("objects", objects.iter().map(String::as_str))?;
        o.texts("spans", cast.spans.values().map(String::as_str))?;
        o.number("cores", cast.cores.len() as u64)
    })?;
    records.write(o, cast)
}
