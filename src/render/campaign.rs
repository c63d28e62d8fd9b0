//! What `validate` prints of many models or interpreters: one row for each, so that a whole campaign is seen at once.

use std::fmt::{self, Write};

use crate::analysis::comparison::Row;
use crate::analysis::interval::Interval;
use crate::analysis::verdict::{Verdict, existing};
use crate::ratio::Ratio;
use crate::render::validation::{ComparedPart, ValidationReport, aligned, difference};

/// A model that has no report, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unvalidated<'a> {
    /// Its file.
    pub file: &'a str,
    /// What is wrong with it.
    pub why: &'a str,
}

/// The titles of the columns.
const TITLES: [&str; 9] =
    ["model", "workers", "metric", "linux", "calibrated", "measured", "interval", "verdict", "rejected"];

/// Writes the table: a row for each model and variant on each set of workers, and a line with the count of verdicts.
pub fn campaign_text(
    out: &mut impl Write,
    reports: &[ValidationReport<'_>],
    unvalidated: &[Unvalidated<'_>],
) -> fmt::Result {
    let mut table = vec![TITLES.map(str::to_owned)];
    for report in reports {
        table.extend(report.parts.iter().map(|part| {
            let variant = part.variant.map(|variant| format!(" ({variant})")).unwrap_or_default();
            let name = format!("{}{variant}", report.file);
            match &part.outcome {
                Ok(compared) => cells(name, report.workers, compared),
                Err(why) => empty(name, report.workers, why),
            }
        }));
    }
    table.extend(unvalidated.iter().map(|each| empty(each.file.to_owned(), "-", each.why)));
    // A row is a line, however wide: it is read in a file, or by a program.
    let table: Vec<Vec<String>> = table.into_iter().map(Vec::from).collect();
    for line in aligned(&table) {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "\n{}", counts(reports, unvalidated.len()))
}

/// What a row shows of a variant that was run: the first metric that the model requires, else its first one.
fn cells(name: String, workers: &str, part: &ComparedPart<'_>) -> [String; 9] {
    let rows = || part.comparison.rows.iter().filter(|row| row.uncompared.is_none());
    let row = rows().find(|row| row.measure.required).or_else(|| rows().next());
    let verdict = part.verdict.words().to_owned();
    let rejected = part.rejected.0.to_string();
    let Some(row) = row else {
        return [
            name,
            workers.to_owned(),
            "-".into(),
            "-".into(),
            "-".into(),
            "-".into(),
            "-".into(),
            verdict,
            rejected,
        ];
    };
    let show = |value: Option<Ratio>| row.measure.show(value);
    let predicted = |value: Option<Ratio>| format!("{} ({})", show(value), difference(row.ratio_to(value)));
    [
        name,
        workers.to_owned(),
        row.measure.text.clone(),
        predicted(row.uncalibrated[1]),
        predicted(row.predicted),
        show(row.median()),
        interval(row),
        verdict,
        rejected,
    ]
}

fn interval(row: &Row) -> String {
    let show = |value: Ratio| row.measure.show(existing(value));
    let ends = |seen: Interval<Ratio>| format!("{} .. {}", show(seen.low), show(seen.high));
    row.interval().map_or_else(|| "-".to_owned(), ends)
}

/// A row that says why there is nothing to show.
fn empty(name: String, workers: &str, why: &str) -> [String; 9] {
    let first = why.lines().next().unwrap_or_default();
    let nothing = || "-".to_owned();
    let said = format!("not compared: {first}");
    [name, workers.to_owned(), nothing(), nothing(), nothing(), nothing(), nothing(), said, nothing()]
}

/// `7 AGREES, 1 DISAGREES, 2 not compared`
fn counts(reports: &[ValidationReport<'_>], unvalidated: usize) -> String {
    let parts = || reports.iter().flat_map(|report| report.parts);
    let all = [Verdict::Agrees, Verdict::KnownDivergence, Verdict::Disagrees, Verdict::Inconclusive];
    let count = |verdict: Verdict| {
        parts().filter(|part| part.outcome.as_ref().is_ok_and(|compared| compared.verdict == verdict)).count()
    };
    let mut words: Vec<String> = all
        .iter()
        .map(|verdict| (count(*verdict), verdict.words()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let refused = parts().filter(|part| part.outcome.is_err()).count() + unvalidated;
    if refused > 0 {
        words.push(format!("{refused} not compared"));
    }
    words.join(", ")
}
