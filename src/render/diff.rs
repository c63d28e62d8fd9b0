//! The report of `diff`: the verdict, the metrics side by side, the first difference with its cause in both, what follows
//! from it, and the lanes of both on one scale.

mod data;
mod lanes;
mod words;

use std::fmt::{self, Write};

use crate::analysis::Lanes;
use crate::analysis::diff::{Amount, Class, Comparison, Difference, Row, Told};
use crate::ids::ThreadId;
use crate::ratio::Ratio;
use crate::render::layout::{Page, columns, escape, fit};
use crate::render::report::{Facts, Style};
use crate::trace::{Cast, Digest};

pub use data::diff_json;
pub use words::verdict_sentence;

/// Causes that are shown before the rest is only counted.
const MOST: usize = 5;

/// One side of a comparison, as a report shows it.
#[derive(Clone, Copy, Debug)]
pub struct DiffSide<'a> {
    /// What it is called: the file, the variant.
    pub name: &'a str,
    /// What the model says about itself.
    pub facts: &'a Facts,
    /// Who appears.
    pub cast: &'a Cast,
    /// The picture.
    pub lanes: &'a Lanes,
    /// The digest of the timeline.
    pub digest: Digest,
    /// How many records there are.
    pub records: u64,
}

/// Everything that the views of a comparison are made of.
#[derive(Clone, Copy, Debug)]
pub struct DiffReport<'a> {
    /// The first timeline.
    pub a: DiffSide<'a>,
    /// The second.
    pub b: DiffSide<'a>,
    /// What became of comparing them.
    pub comparison: &'a Comparison,
}

/// Writes the report. Its first line is the verdict.
pub fn diff_text(out: &mut impl Write, report: &DiffReport<'_>, style: Style) -> fmt::Result {
    let mut page = Page::new(out, style);
    page.prose("", &verdict_sentence(report))?;
    if report.comparison.is_same() {
        return Ok(());
    }
    page.blank()?;
    page.prose("A  ", &title(&report.a))?;
    page.prose("B  ", &title(&report.b))?;
    page.blank()?;
    table(&mut page, report)?;
    differences(&mut page, report)?;
    lanes::lanes(&mut page, report)
}

/// Name of the file and of the model.
fn title(side: &DiffSide<'_>) -> String {
    let measured = if side.facts.provenance == "simulated" { "" } else { ", measured" };
    format!("{}  ({}{measured})", escape(side.name), escape(&side.facts.name))
}

/// Metrics, then in what the runs are set up differently.
fn table<W: Write>(page: &mut Page<'_, W>, report: &DiffReport<'_>) -> fmt::Result {
    let metrics = report.comparison.rows.iter();
    let against = |row: &Row| match words::against(row) {
        new if row.name == "wait_core" && new == "new" => {
            let cast = report.b.cast;
            format!(
                "new: {} share {}",
                counted(cast.threads.len() as u64, "thread"),
                counted(cast.cores.len() as u64, "core")
            )
        }
        against => against,
    };
    let metrics = metrics.map(|row| [row.title.to_string(), amount(row.a), amount(row.b), against(row)]);
    let setup = report.comparison.setup.iter();
    let setup = setup.map(|setup| [setup.what.to_string(), setup.a.clone(), setup.b.clone(), "set up so".into()]);
    let head = [String::new(), "A".into(), "B".into(), "B against A".into()];
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(metrics).chain(setup).collect();
    let width = |cell: usize| rows.iter().map(|row| columns(&escape(&row[cell]))).max().unwrap_or(0);
    let widths = [width(0).min(page.width() / 3), width(1).min(page.width() / 5), width(2).min(page.width() / 5)];
    for row in &rows {
        let cells = (0..3).map(|cell| fit(&escape(&row[cell]), widths[cell], page.style.ellipsis()) + "  ");
        page.text(cells.collect::<String>() + &row[3])?;
    }
    page.blank()
}

/// A value of the table.
fn amount(amount: Amount) -> String {
    match amount {
        Amount::Time(span) => span.short(),
        Amount::Number(number) if number.den() == 1 => number.num().to_string(),
        Amount::Number(number) => number.to_decimals(1),
    }
}

/// The causes, each with what follows from it.
fn differences<W: Write>(page: &mut Page<'_, W>, report: &DiffReport<'_>) -> fmt::Result {
    let differences = &report.comparison.differences;
    let shown = if page.style.all { differences.len() } else { differences.len().min(MOST) };
    for (place, difference) in differences[..shown].iter().enumerate() {
        page.prose("", &head(report, difference, place == 0))?;
        page.prose("  A  ", &words::told(report.a.cast, &difference.a))?;
        causes(page, report.a.cast, &difference.a)?;
        page.prose("  B  ", &words::told(report.b.cast, &difference.b))?;
        causes(page, report.b.cast, &difference.b)?;
        page.prose("  ", &follows(difference))?;
    }
    if differences.len() > shown {
        page.text(format!("... {} more differences (--all) ...", differences.len() - shown))?;
    }
    if report.comparison.ignored > 0 {
        page.text(format!("{} ignored as asked", counted(report.comparison.ignored, "difference")))?;
    }
    page.blank()
}

/// `first difference at 10ms, worker-1: lasts longer`
fn head(report: &DiffReport<'_>, difference: &Difference, first: bool) -> String {
    let at =
        [&difference.a, &difference.b].into_iter().filter_map(|told| told.moment.as_ref()).map(|m| m.record.at).min();
    let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
    let name = |cast: &Cast, told: &Told| told.thread.map(|thread: ThreadId| cast.label(thread));
    let who = name(report.a.cast, &difference.a).or_else(|| name(report.b.cast, &difference.b));
    let who = who.map(|who| format!(", {who}")).unwrap_or_default();
    let times = if difference.times > 1 { format!(", {} times", grouped(difference.times)) } else { String::new() };
    let which = if first { "first difference" } else { "another difference" };
    format!("{which}{at}{who}: {}{times}", words::class(difference.class))
}

fn causes<W: Write>(page: &mut Page<'_, W>, cast: &Cast, told: &Told) -> fmt::Result {
    for cause in &told.causes {
        page.prose("       because ", &words::happened(cast, cause))?;
    }
    Ok(())
}

/// What follows, by class.
fn follows(difference: &Difference) -> String {
    let parts = Class::ALL.iter().zip(difference.follows).filter(|(_, count)| *count > 0);
    let parts: Vec<String> =
        parts.map(|(class, count)| format!("{} {}", grouped(count), words::class(*class))).collect();
    match difference.consequences() {
        0 => "nothing follows from it".into(),
        1 => format!("1 difference follows from it: {}", parts.join(", ")),
        many => format!("{} differences follow from it: {}", grouped(many), parts.join(", ")),
    }
}

/// A count with its noun.
fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A number with commas between its thousands.
pub(in crate::render) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many times as much, with two decimals; nothing for what cannot be compared or is as good as the same.
fn times(more: Ratio, less: Ratio) -> Option<String> {
    let inverse = Ratio::new(less.den(), less.num());
    let times = (less != Ratio::ZERO).then(|| more.times(inverse)).flatten()?.to_decimals(2);
    (times != "1.00").then_some(times)
}

/// The ratio of a row's values, for comparisons.
fn ratio(amount: Amount) -> Ratio {
    match amount {
        Amount::Time(span) => Ratio::whole(span.ns().into()),
        Amount::Number(number) => number,
    }
}

/// A row by its stable name.
fn row<'r>(report: &'r DiffReport<'_>, name: &str) -> Option<&'r Row> {
    report.comparison.rows.iter().find(|row| row.name == name)
}
