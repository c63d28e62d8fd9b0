//! The text of a model's snapshot: header, metrics, picture, the first events, and the digest of all of them.

use std::fmt::{self, Write};

use crate::render::layout::{Page, escape};
use crate::render::picture::picture;
use crate::render::report::{Report, Style};
use crate::render::spans::spans;
use crate::render::table::table;
use crate::render::timeline::{timeline_line, timeline_names};
use crate::render::{FORMAT, words};
use crate::trace::{Cast, Observer, Record};

/// Events that a snapshot shows.
const EVENTS: usize = 200;

/// The picture of a snapshot: 100 columns, 40 lanes, ASCII, so that it looks the same in every tool.
const PICTURE: Style = Style { width: 100, ascii: true, colour: false, all: false, rows: 40 };

/// Watches a run and keeps the first lines of its timeline.
#[derive(Clone, Debug)]
pub struct Excerpt<'c> {
    cast: &'c Cast,
    names: usize,
    text: String,
    lines: usize,
}

impl<'c> Excerpt<'c> {
    /// Nothing yet.
    pub fn new(cast: &'c Cast) -> Excerpt<'c> {
        Excerpt { cast, names: timeline_names(cast), text: String::new(), lines: 0 }
    }
}

impl Observer for Excerpt<'_> {
    fn record(&mut self, _: u64, record: &Record) {
        let before = self.text.len();
        // A String takes every line.
        if timeline_line(&mut self.text, self.cast, self.names, record) == Ok(true) {
            self.lines += 1;
            if self.lines > EVENTS {
                self.text.truncate(before);
            }
        }
    }
}

/// Writes a snapshot.
pub fn snapshot(out: &mut impl Write, report: &Report<'_>, events: &Excerpt<'_>) -> fmt::Result {
    let facts = report.facts;
    writeln!(out, "format   {FORMAT}")?;
    writeln!(out, "model    {}", facts.digest)?;
    writeln!(out, "seed     {}", facts.seed)?;
    writeln!(out, "profile  {}", escape(&facts.profile))?;
    writeln!(out, "streams  {}", facts.streams)?;
    writeln!(out)?;
    metrics(out, report)?;
    writeln!(out)?;
    picture(&mut Page::new(out, PICTURE), report)?;
    out.write_str(&events.text)?;
    if events.lines > EVENTS {
        writeln!(out, "... {} more lines ...", events.lines - EVENTS)?;
    }
    writeln!(out)?;
    writeln!(out, "digest   {}", report.digest.hex())
}

/// The metrics of the run, one a line; of the threads, one thread a line.
fn metrics(out: &mut impl Write, report: &Report<'_>) -> fmt::Result {
    let metrics = report.metrics;
    let gils = metrics.all_gils();
    let rows = [
        ("ending", format!("{} at {}", metrics.ending_word(), metrics.end)),
        ("makespan", metrics.makespan.to_string()),
        ("work", metrics.total(|thread| thread.work()).to_string()),
        ("cores_busy", metrics.cores_busy().to_decimals(3)),
        ("max_running", metrics.max_running.to_string()),
        ("max_in_python", metrics.max_in_python.to_string()),
        ("gil_busy", gils.busy.to_string()),
        ("gil_switches", gils.switches.to_string()),
        ("gil_forced", gils.forced.to_string()),
        ("gil_requests", gils.requests.to_string()),
        ("switches", metrics.count(|thread| thread.switches).to_string()),
        ("preemptions", metrics.count(|thread| thread.preemptions).to_string()),
        ("migrations", metrics.count(|thread| thread.migrations).to_string()),
        ("fairness", metrics.fairness(report.cast.threads.ids()).to_decimals(3)),
    ];
    for (name, value) in rows {
        writeln!(out, "{name:<14} {value}")?;
    }
    let mut page = Page::new(out, PICTURE);
    words::cycle(report).into_iter().try_for_each(|sentence| page.prose("  ", &sentence))?;
    page.blank()?;
    table(&mut page, report)?;
    spans(&mut page, report)?;
    let (held, all) = (report.outcomes.iter().filter(|outcome| outcome.holds).count(), report.outcomes.len());
    let (hold, checked) = (report.invariants.hold(), report.invariants.checked());
    writeln!(out, "expectations   {held} of {all} hold")?;
    writeln!(out, "invariants     {hold} of {checked} hold")
}
