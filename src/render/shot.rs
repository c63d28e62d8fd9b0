//! Two texts of snapshots compared by what they hold: header, metrics, the first events, the digest of all of them.
//!
//! The picture and the table of threads are views of the same events and are not compared on their own.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::analysis::diff::align;
use crate::render::layout::Page;
use crate::render::object::document;
use crate::render::report::Style;

/// Lines that are shown around the first event that differs.
const AROUND: usize = 2;
/// Columns of an event's time.
const TIME: usize = 14;

/// A line with a name and a value, in two snapshots; `None` where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShotRow {
    /// The name.
    pub name: String,
    /// In A.
    pub a: Option<String>,
    /// In B.
    pub b: Option<String>,
}

/// In what two snapshots differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShotChanges {
    /// Lines of the header and of the metrics.
    pub rows: Vec<ShotRow>,
    /// The first events that differ, with those before them: `  ` both, `- ` only A, `+ ` only B.
    pub events: Vec<String>,
    /// Events at another time, only in A, only in B, as far as the snapshots show them.
    pub counts: (usize, usize, usize),
    /// Whether the digests of the whole timelines differ.
    pub timeline: bool,
    /// Whether the texts differ at all.
    pub text: bool,
}

impl ShotChanges {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        !self.text
    }
}

/// A snapshot's text in its parts.
#[derive(Default)]
struct Parts<'t> {
    rows: Vec<(&'t str, &'t str)>,
    events: Vec<&'t str>,
    digest: &'t str,
}

/// In what two snapshots differ, for programs.
pub fn shot_json(out: &mut impl Write, changes: &ShotChanges) -> fmt::Result {
    document(out, |o| {
        o.truth("same", changes.is_same())?;
        o.truth("timeline_differs", changes.timeline)?;
        o.objects("rows", &changes.rows, |o, row| {
            o.text("name", &row.name)?;
            o.optional_text("a", row.a.as_deref())?;
            o.optional_text("b", row.b.as_deref())
        })?;
        o.texts("events", changes.events.iter().map(String::as_str))?;
        let (moved, only_a, only_b) = changes.counts;
        o.number("events_moved", moved as u64)?;
        o.number("events_only_in_a", only_a as u64)?;
        o.number("events_only_in_b", only_b as u64)
    })
}

/// Compares two snapshots.
pub fn shot_changes(a: &str, b: &str) -> ShotChanges {
    let (of_a, of_b) = (parts(a), parts(b));
    let mut changes = ShotChanges {
        rows: rows(&of_a.rows, &of_b.rows),
        timeline: of_a.digest != of_b.digest,
        text: a.trim_end() != b.trim_end(),
        ..ShotChanges::default()
    };
    events(&of_a.events, &of_b.events, &mut changes);
    changes
}

/// The value of a line `name   value` outside of the events.
pub fn shot_value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    parts(text).rows.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// The metrics of a snapshot's text, for a fingerprint of them.
pub fn shot_metrics(text: &str) -> String {
    let block = text.split("\n\n").find(|block| block.starts_with("ending "));
    block.unwrap_or_default().to_string()
}

fn parts(text: &str) -> Parts<'_> {
    let mut parts = Parts::default();
    for block in text.trim_end().split("\n\n") {
        let indent = block.chars().take_while(|c| *c == ' ').count();
        match block.split_whitespace().next() {
            Some("thread") => {}
            Some("digest") => {
                let mut rows = block.lines().filter_map(name_and_value);
                parts.digest = rows.next().map_or("", |(_, digest)| digest);
                parts.rows.extend(rows);
            }
            Some("format" | "ending" | "expectations" | "pinned") => {
                parts.rows.extend(block.lines().filter_map(name_and_value))
            }
            // The axis of a picture stands at least as far to the right as the times of events are wide.
            _ if indent > 0 && indent < TIME => parts.events.extend(block.lines()),
            _ => {}
        }
    }
    parts
}

fn name_and_value(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(' ')?;
    (!name.is_empty()).then(|| (name, value.trim()))
}

/// The rows that differ, in the order of A, then what only B has.
fn rows(a: &[(&str, &str)], b: &[(&str, &str)]) -> Vec<ShotRow> {
    let (of_a, of_b): (BTreeMap<_, _>, BTreeMap<_, _>) = (a.iter().copied().collect(), b.iter().copied().collect());
    let only_b = b.iter().filter(|(name, _)| !of_a.contains_key(name));
    let names = a.iter().chain(only_b).map(|(name, _)| *name);
    let value = |value: Option<&&str>| value.map(|value| value.to_string());
    let rows = names.map(|name| ShotRow { name: name.into(), a: value(of_a.get(name)), b: value(of_b.get(name)) });
    rows.filter(|row| row.a != row.b).collect()
}

/// Events are the same if everything but their time is.
fn events(a: &[&str], b: &[&str], changes: &mut ShotChanges) {
    let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
    let mut key = |line| {
        let next = numbers.len() as u64;
        *numbers.entry(line).or_insert(next)
    };
    let keys_a: Vec<u64> = a.iter().map(|line| key(untimed(line))).collect();
    let keys_b: Vec<u64> = b.iter().map(|line| key(untimed(line))).collect();
    let mut pairs = Vec::new();
    align(&keys_a, &keys_b, |i, j| pairs.push((i, j)));
    let moved = pairs.iter().filter(|(i, j)| a[*i] != b[*j]).count();
    changes.counts = (moved, a.len() - pairs.len(), b.len() - pairs.len());
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    if same == a.len() && same == b.len() {
        return;
    }
    let before = a[same.saturating_sub(AROUND)..same].iter().map(|line| format!("  {line}"));
    let of = |sign: &str, lines: &[&str]| {
        lines.iter().skip(same).take(AROUND + 1).map(|line| format!("{sign} {line}")).collect::<Vec<_>>()
    };
    changes.events = before.chain(of("-", a)).chain(of("+", b)).collect();
}

fn untimed(line: &str) -> &str {
    line.trim_start().split_once("  ").map_or(line, |(_, rest)| rest)
}

/// Writes the block about two snapshots; one line if they are the same.
pub fn shot_diff(out: &mut impl Write, changes: &ShotChanges, style: Style) -> fmt::Result {
    let mut page = Page::new(out, style);
    if changes.is_same() {
        return page.text("The same snapshot.");
    }
    for sentence in sentences(changes) {
        page.prose("", &sentence)?;
    }
    let names = changes.rows.iter().map(|row| row.name.len()).max().unwrap_or(0).min(page.width() / 3);
    for row in &changes.rows {
        let (a, b) = (row.a.as_deref().unwrap_or("nothing"), row.b.as_deref().unwrap_or("nothing"));
        page.text(format!("  {:<names$}  {a} -> {b}", row.name))?;
    }
    if !changes.events.is_empty() {
        page.text("  the first events that differ:")?;
        changes.events.iter().try_for_each(|line| page.text(format!("  {line}")))?;
    }
    Ok(())
}

/// What has changed, in sentences; the first one alone is enough for an annotation.
pub fn shot_sentence(changes: &ShotChanges) -> String {
    let mut text = sentences(changes).join(" ");
    let metrics = changes.rows.iter().filter(|row| row.name != "model");
    let rows = metrics.map(|row| {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".into());
        format!("{} {} -> {}", row.name, value(&row.a), value(&row.b))
    });
    let rows: Vec<String> = rows.collect();
    if !rows.is_empty() {
        text.push_str(&format!(" ({})", rows.join(", ")));
    }
    text
}

fn sentences(changes: &ShotChanges) -> Vec<String> {
    let makespan = changes.rows.iter().find(|row| row.name == "makespan");
    let (moved, gone, new) = changes.counts;
    let mut sentences = Vec::new();
    if let Some(ShotRow { a: Some(a), b: Some(b), .. }) = makespan {
        sentences.push(format!("The run takes {b} instead of {a}."));
    } else if changes.timeline && (moved, gone, new) == (0, 0, 0) {
        let metrics = changes.rows.iter().any(|row| row.name != "model");
        let what = if metrics { "No event that the snapshot shows" } else { "Nothing that the snapshot shows" };
        sentences
            .push(format!("{what} has changed, but the digest has: the timelines differ after it, or in details."));
    } else if !changes.timeline {
        let model = changes.rows.iter().any(|row| row.name == "model");
        let why = if model { "another model" } else { "another layout" };
        sentences.push(format!("The timeline is the same, byte for byte; the text differs ({why})."));
    } else {
        sentences.push("As long as before, but in another way.".into());
    }
    if (moved, gone, new) != (0, 0, 0) {
        sentences.push(format!("Of the events it shows {moved} moved in time, {gone} are gone, {new} are new."));
    }
    sentences
}

#[cfg(test)]
mod tests;
