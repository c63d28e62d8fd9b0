//! What `check` prints: a line a model for people, and what other programs read (JSON, JUnit, SARIF, GitHub annotations).

use std::fmt::{self, Write};

use crate::analysis::{Invariants, Outcome};
use crate::model::{Diagnostic, Severity};
use crate::render::layout::escape;
use crate::render::object::{Object, document};
use crate::render::{FORMAT, VERSION};
use crate::trace::Ending;

/// One model, or one of its variants, that was checked.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The file.
    pub file: &'a str,
    /// The variant; `None` = the model itself.
    pub variant: Option<&'a str>,
    /// Errors and warnings.
    pub diagnostics: &'a [Diagnostic],
    /// What came of the run; `None` if there was none.
    pub result: Option<Result<'a>>,
}

/// What came of a run.
#[derive(Clone, Copy, Debug)]
pub struct Result<'a> {
    /// Of the expectations.
    pub outcomes: &'a [Outcome],
    /// Of the invariants.
    pub invariants: &'a Invariants,
    /// How the run ended.
    pub ending: &'a Ending,
    /// The first record in which a second run differed, if it did.
    pub differs_at: Option<u64>,
}

impl Row<'_> {
    /// `models/a.yaml`, or `models/a.yaml, variant b`.
    fn title(&self) -> String {
        match self.variant {
            None => escape(self.file),
            Some(variant) => format!("{}, variant {}", escape(self.file), escape(variant)),
        }
    }

    /// The command that shows the run.
    fn command(&self) -> String {
        let variant = self.variant.map_or(String::new(), |variant| format!(" --what-if {}", escape(variant)));
        format!("gilsim run {}{variant}", escape(self.file))
    }

    /// Everything that does not hold, a sentence each.
    fn failures(&self) -> Vec<String> {
        let Some(result) = &self.result else { return Vec::new() };
        let expectations = result.outcomes.iter().filter(|outcome| !outcome.holds).map(failure);
        let invariants = result
            .invariants
            .broken()
            .map(|(number, at, sentence)| format!("invariant {number} is broken at {at}: {sentence}"));
        let differs = result.differs_at.map(|index| format!("two runs differ from record {index} on"));
        expectations.chain(invariants).chain(differs).collect()
    }

    fn counts(&self) -> (usize, usize) {
        let outcomes = self.result.map_or(&[][..], |result| result.outcomes);
        (outcomes.iter().filter(|outcome| outcome.holds).count(), outcomes.len())
    }
}

/// A failed expectation: the line, the value, the bound, the distance.
fn failure(outcome: &Outcome) -> String {
    let mut text = format!("{}: found {}", escape(&outcome.text), escape(&outcome.value));
    if let Some(miss) = &outcome.miss {
        if !miss.who.is_empty() {
            text.push_str(&format!("; {}: {}", escape(&miss.who), escape(&miss.value)));
        }
        if !miss.bound.is_empty() {
            text.push_str(&format!(", against {}", escape(&miss.bound)));
        }
        text.extend(miss.distance.iter().map(|distance| format!(", {distance} away")));
    }
    text.extend(outcome.because.iter().map(|because| format!(" ({})", escape(because))));
    text
}

/// For people: a line a model or variant, and what fails below it.
pub fn check_text(out: &mut impl Write, rows: &[Row<'_>]) -> fmt::Result {
    for row in rows {
        let (hold, all) = row.counts();
        match row.result {
            None => writeln!(out, "{}: not run, see the errors", row.title())?,
            Some(result) if matches!(result.ending, Ending::Finished | Ending::Horizon) => {
                writeln!(out, "{}: {hold} of {all} expectations hold", row.title())?;
            }
            Some(result) => {
                writeln!(out, "{}: {hold} of {all} expectations hold, {}", row.title(), result.ending.word())?;
            }
        }
        let failures = row.failures();
        for failure in &failures {
            writeln!(out, "  FAILS  {failure}")?;
        }
        if !failures.is_empty() {
            writeln!(out, "         look: {}", row.command())?;
        }
    }
    let wrong = rows.iter().filter(|row| row.result.is_none() || !row.failures().is_empty()).count();
    match wrong {
        0 => writeln!(out, "{} checked: everything holds", rows.len()),
        _ => writeln!(out, "{} checked: {wrong} with failures or errors", rows.len()),
    }
}

/// For programs: one object.
pub fn check_json(out: &mut impl Write, rows: &[Row<'_>]) -> fmt::Result {
    document(out, |o| {
        o.number("format", FORMAT)?;
        o.text("gilsim", VERSION)?;
        o.objects("checked", rows, |o, row| {
            o.text("file", row.file)?;
            o.optional_text("variant", row.variant)?;
            o.objects("findings", row.diagnostics, finding)?;
            o.optional_text("ending", row.result.map(|result| result.ending.word()))?;
            let outcomes = row.result.map_or(&[][..], |result| result.outcomes);
            o.objects("expectations", outcomes, |o, outcome| {
                o.text("text", &outcome.text)?;
                o.truth("holds", outcome.holds)?;
                o.text("value", &outcome.value)?;
                o.optional_text("because", outcome.because.as_deref())
            })?;
            let failures = row.failures();
            o.texts("failures", failures.iter().map(String::as_str))
        })
    })
}

fn finding(o: &mut Object<'_>, finding: &Diagnostic) -> fmt::Result {
    o.text("code", finding.code.word())?;
    o.text("severity", finding.severity.word())?;
    o.text("message", &finding.message)?;
    o.text("file", &finding.source.name)?;
    o.number("line", finding.place.line as u64)?;
    o.number("column", finding.place.col as u64)?;
    o.optional_text("help", finding.help.as_deref())
}

/// JUnit XML: a suite a model or variant, a case an expectation or error.
pub fn check_junit(out: &mut impl Write, rows: &[Row<'_>]) -> fmt::Result {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gilsim check\">")?;
    for row in rows {
        let title = xml(&row.title());
        let failures = row.failures();
        let errors: Vec<&Diagnostic> = row.diagnostics.iter().filter(|finding| finding.is_error()).collect();
        let (hold, _) = row.counts();
        let tests = hold + failures.len() + errors.len();
        let (failed, errored) = (failures.len(), errors.len());
        writeln!(out, "  <testsuite name=\"{title}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"{errored}\">")?;
        let outcomes = row.result.map_or(&[][..], |result| result.outcomes);
        for outcome in outcomes.iter().filter(|outcome| outcome.holds) {
            writeln!(out, "    <testcase classname=\"{title}\" name=\"{}\"/>", xml(&outcome.text))?;
        }
        for failure in &failures {
            let failure = xml(failure);
            writeln!(
                out,
                "    <testcase classname=\"{title}\" name=\"{failure}\"><failure message=\"{failure}\"/></testcase>"
            )?;
        }
        for error in errors {
            let (code, text) = (error.code.word(), xml(&escape(&error.message)));
            writeln!(
                out,
                "    <testcase classname=\"{title}\" name=\"{code}\"><error message=\"{text}\"/></testcase>"
            )?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// SARIF 2.1.0: findings at their places, failures at the first line of their file.
pub fn check_sarif(out: &mut impl Write, rows: &[Row<'_>]) -> fmt::Result {
    let place = |o: &mut Object<'_>, file: &str, line: usize, column: usize| {
        o.objects("locations", [()], |o, ()| {
            o.object("physicalLocation", |o| {
                o.object("artifactLocation", |o| o.text("uri", file))?;
                o.object("region", |o| {
                    o.number("startLine", line as u64)?;
                    o.number("startColumn", column as u64)
                })
            })
        })
    };
    let findings = rows.iter().flat_map(|row| row.diagnostics.iter().map(Found::Finding));
    let failures = rows.iter().flat_map(|row| row.failures().into_iter().map(|text| Found::Failure(row.file, text)));
    document(out, |o| {
        o.text("$schema", "https://json.schemastore.org/sarif-2.1.0.json")?;
        o.text("version", "2.1.0")?;
        o.objects("runs", [()], |o, ()| {
            o.object("tool", |o| {
                o.object("driver", |o| {
                    o.text("name", "gilsim")?;
                    o.text("version", VERSION)
                })
            })?;
            o.objects("results", findings.clone().chain(failures.clone()), |o, found| match &found {
                Found::Finding(finding) => {
                    o.text("ruleId", finding.code.word())?;
                    o.text("level", finding.severity.word())?;
                    o.object("message", |o| o.text("text", &escape(&finding.message)))?;
                    place(o, &finding.source.name, finding.place.line, finding.place.col)
                }
                Found::Failure(file, text) => {
                    o.text("ruleId", "expectation")?;
                    o.text("level", "error")?;
                    o.object("message", |o| o.text("text", text))?;
                    place(o, file, 1, 1)
                }
            })
        })
    })
}

/// A result of the SARIF log.
#[derive(Clone)]
enum Found<'a> {
    Finding(&'a Diagnostic),
    Failure(&'a str, String),
}

/// GitHub's workflow commands: annotations at the place of each finding.
pub fn check_github(out: &mut impl Write, rows: &[Row<'_>]) -> fmt::Result {
    for row in rows {
        for finding in row.diagnostics {
            let (level, place) = (finding.severity.word(), finding.place);
            let (file, code) = (property(&finding.source.name), finding.code.word());
            let text = message(&escape(&finding.message));
            writeln!(out, "::{level} file={file},line={},col={},title={code}::{text}", place.line, place.col)?;
        }
        for failure in row.failures() {
            let (file, title) = (property(row.file), property(&format!("expectation of {}", row.title())));
            writeln!(out, "::error file={file},line=1,title={title}::{}", message(&failure))?;
        }
    }
    Ok(())
}

/// An error as GitHub shows it beside the first line of a file.
pub fn annotation(file: &str, title: &str, text: &str) -> String {
    format!("::error file={},line=1,title={}::{}\n", property(file), property(title), message(&escape(text)))
}

/// Escaped as the workflow commands want their messages.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escaped as the workflow commands want their properties.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

/// `2 errors, 1 warning`, for the last line after a list of findings.
pub fn count_findings(findings: &[Diagnostic]) -> String {
    let count = |severity: Severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let text = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let parts = [text(count(Severity::Error), "error"), text(count(Severity::Warning), "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
