//! The report of `run`: how long, why, the picture, the table, what would change it, what was checked, what to do next.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use crate::analysis::{Miss, Outcome, share, story};
use crate::render::layout::{Page, columns, escape, fit};
use crate::render::picture::picture;
use crate::render::report::{Change, Report, Style};
use crate::render::spans::spans;
use crate::render::table::table;
use crate::render::words;
use crate::time::Span;
use crate::trace::Ending;

/// Lines of printed output before the rest is left out.
const LINES: usize = 10;

/// Writes the whole report.
pub fn text(out: &mut impl Write, report: &Report<'_>, style: Style) -> fmt::Result {
    let mut page = Page::new(out, style);
    title(&mut page, report)?;
    answer(&mut page, report)?;
    picture(&mut page, report)?;
    table(&mut page, report)?;
    spans(&mut page, report)?;
    printed(&mut page, report)?;
    changes(&mut page, report)?;
    checked(&mut page, report)?;
    hints(&mut page, report.hints)
}

fn title<W: Write>(page: &mut Page<'_, W>, report: &Report<'_>) -> fmt::Result {
    let variant = report.facts.variant.as_ref().map(|variant| format!(" ({variant})")).unwrap_or_default();
    let (name, machine) = (escape(&(report.facts.name.clone() + &variant)), machine(report));
    let gap = page.width().saturating_sub(columns(&name) + columns(&machine));
    if gap >= 2 {
        page.text(format!("{name}{}{machine}", " ".repeat(gap)))?;
    } else {
        page.prose("", &name)?;
        page.prose("", &machine)?;
    }
    page.blank()
}

/// `4 cores, one GIL, interval 5ms`
pub(in crate::render) fn machine(report: &Report<'_>) -> String {
    let cores = report.cast.cores.len();
    let cores = format!("{cores} core{}", if cores == 1 { "" } else { "s" });
    let intervals = &report.facts.intervals;
    let gils = match (intervals.len(), report.facts.free_threaded) {
        (0, true) => return format!("{cores}, free-threaded"),
        (0, false) => return format!("{cores}, no GIL"),
        (1, _) => "one GIL".to_string(),
        (count, _) => format!("{count} GILs"),
    };
    let (least, most) = (intervals.iter().min(), intervals.iter().max());
    let shown = |interval: Option<&Span>| interval.map(Span::to_string).unwrap_or_default();
    let interval = if least == most {
        format!("interval {}", shown(least))
    } else {
        format!("intervals {} to {}", shown(least), shown(most))
    };
    format!("{cores}, {gils}, {interval}")
}

/// How long, and why.
fn answer<W: Write>(page: &mut Page<'_, W>, report: &Report<'_>) -> fmt::Result {
    let story = story(report.cast, report.metrics);
    page.prose("", &words::headline(report, &story))?;
    for sentence in words::cycle(report) {
        page.prose("  ", &sentence)?;
    }
    for (place, reason) in story.reasons.iter().enumerate() {
        page.prose(if place == 0 { "Why: " } else { "     " }, &words::reason(report, reason))?;
    }
    page.blank()
}

/// What the model printed.
fn printed<W: Write>(page: &mut Page<'_, W>, report: &Report<'_>) -> fmt::Result {
    let lines = &report.metrics.output;
    if lines.is_empty() {
        return Ok(());
    }
    let shown = if page.style.all { lines.len() } else { lines.len().min(LINES) };
    let who = lines[..shown].iter().map(|line| columns(&escape(&report.cast.label(line.thread)))).max();
    let who = who.unwrap_or(0).min(page.width() / 4);
    page.text("printed")?;
    for line in &lines[..shown] {
        let name = fit(&escape(&report.cast.label(line.thread)), who, page.style.ellipsis());
        page.text(format!("{:>10}  {name}  {}", Span::from_ns(line.at.ns()).short(), line.text))?;
    }
    if shown < lines.len() {
        page.text(format!("  ... {} more lines (--all) ...", lines.len() - shown))?;
    }
    page.blank()
}

/// What would change the result.
fn changes<W: Write>(page: &mut Page<'_, W>, report: &Report<'_>) -> fmt::Result {
    if report.changes.is_empty() {
        return Ok(());
    }
    let head = "would it change if ...";
    let longest = report.changes.iter().map(|change| columns(&escape(&change.what)) + 2).max().unwrap_or(0);
    // Names give way first: "1.02 times" without its last word does not say in which direction.
    let said = report.changes.iter().map(|change| columns(&against(change, report))).max().unwrap_or(0);
    let room = page.width().saturating_sub(said + 18).max(12);
    let what = longest.max(head.len()).min(page.width() / 2).min(room);
    let outcome = if report.metrics.ending == Some(Ending::Horizon) { "work done" } else { "finished after" };
    page.text(format!("{}  {outcome}", fit(head, what, page.style.ellipsis())))?;
    for change in report.changes {
        let name = fit(&format!("  {}", escape(&change.what)), what, page.style.ellipsis());
        let line = format!("{name}  {:<14}  {}", result(change), against(change, report));
        // A command that does not fit is better left out than cropped.
        let with_command = change.command.as_ref().map(|command| format!("{line:<64}  {}", escape(command)));
        page.text(with_command.filter(|line| columns(line) <= page.width()).unwrap_or(line))?;
    }
    page.blank()
}

/// What a change leads to.
pub(in crate::render) fn result(change: &Change) -> String {
    match change.ending {
        "finished" => change.makespan.short(),
        "horizon" => format!("work {}", change.work.short()),
        other => format!("{other} {}", change.makespan.short()),
    }
}

/// A changed run against this one: by their ends, or by their work if both were stopped at the horizon.
pub(in crate::render) fn against(change: &Change, report: &Report<'_>) -> String {
    match (change.ending, &report.metrics.ending) {
        ("finished", Some(Ending::Finished)) => in_time(report.metrics.makespan, change.makespan),
        ("horizon", Some(Ending::Horizon)) => in_work(report.metrics.total(|thread| thread.work()), change.work),
        _ => String::new(),
    }
}

fn in_work(before: Span, after: Span) -> String {
    match (before == after, share(after, before).to_decimals(2)) {
        (true, _) => "the same".into(),
        (_, times) if times == "1.00" => "nearly the same".into(),
        (_, times) => format!("{times} times as much"),
    }
}

fn in_time(before: Span, after: Span) -> String {
    if after.is_zero() {
        return String::new();
    }
    let (faster, slower) = (share(before, after), share(after, before));
    match (before.cmp(&after), faster.max(slower).to_decimals(2)) {
        (Ordering::Equal, _) => "the same".into(),
        (_, times) if times == "1.00" => "nearly the same".into(),
        (Ordering::Greater, times) => format!("{times} times faster"),
        (Ordering::Less, times) => format!("{times} times slower"),
    }
}

/// Expectations, invariants, seed; and what fails.
fn checked<W: Write>(page: &mut Page<'_, W>, report: &Report<'_>) -> fmt::Result {
    let (held, all) = (report.outcomes.iter().filter(|outcome| outcome.holds).count(), report.outcomes.len());
    let expectations = if all == 0 { "none".to_string() } else { format!("{held} of {all} hold") };
    let invariants = format!("{} of {} hold", report.invariants.hold(), report.invariants.checked());
    let parts = [
        format!("expectations  {expectations}"),
        format!("invariants  {invariants}"),
        format!("seed {}", report.facts.seed),
    ];
    let line = parts.join("        ");
    if columns(&line) <= page.width() {
        page.text(line)?;
    } else {
        parts.into_iter().try_for_each(|part| page.text(part))?;
    }
    for outcome in report.outcomes.iter().filter(|outcome| !outcome.holds) {
        failed(page, outcome)?;
    }
    for (number, at, sentence) in report.invariants.broken() {
        page.prose("BROKEN  ", &format!("invariant {number} at {at}: {sentence}"))?;
    }
    Ok(())
}

fn failed<W: Write>(page: &mut Page<'_, W>, outcome: &Outcome) -> fmt::Result {
    page.prose("FAILED  ", &outcome.text)?;
    if let Some(miss) = &outcome.miss {
        page.prose("        ", &missed(miss, &outcome.value))?;
    }
    match &outcome.because {
        Some(because) => page.prose("        because ", because),
        None => Ok(()),
    }
}

/// Value, bound, distance.
fn missed(miss: &Miss, values: &str) -> String {
    let who = if miss.who.is_empty() { String::new() } else { format!("{}: ", miss.who) };
    let range = if miss.value == values { String::new() } else { format!(" (all: {values})") };
    let distance = miss.distance.as_ref().map(|distance| format!(", {distance} than {}", miss.bound));
    format!("{who}{}{}{range}", miss.value, distance.unwrap_or_default())
}

/// What to do next.
fn hints<W: Write>(page: &mut Page<'_, W>, hints: &[String]) -> fmt::Result {
    for (place, hint) in hints.iter().enumerate() {
        page.prose(if place == 0 { "next: " } else { "      " }, hint)?;
    }
    Ok(())
}
