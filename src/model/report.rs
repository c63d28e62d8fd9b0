//! Collects findings while a model is read: all of them, not only the first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::code::Code;
use crate::model::diagnostic::{Diagnostic, Label, Place, Severity, Source, Suggestion};
use crate::model::spec::NOT_SIMULATED;
use crate::model::tree::Spot;

/// More findings than anybody reads; what is beyond is only counted.
const MOST: usize = 500;
/// At most so many names are searched for one that may have been meant.
const KNOWN: usize = 1000;

/// The findings so far, and the texts they point into.
#[derive(Debug, Default)]
pub struct Report {
    texts: Vec<Arc<Source>>,
    findings: Vec<Finding>,
    origins: BTreeMap<Spot, (Spot, String)>,
    muted: BTreeSet<Spot>,
}

/// A finding whose place is not resolved yet.
#[derive(Debug)]
pub struct Finding {
    code: Code,
    severity: Severity,
    message: String,
    spot: Spot,
    labels: Vec<(Spot, String)>,
    help: Option<String>,
    suggestion: Option<Suggestion>,
    /// Nobody will read it, so that looking for what may have been meant is not worth the time.
    beyond: bool,
    /// It only follows from what has been said of the same place.
    muted: bool,
}

impl Report {
    /// Registers a text; its number goes into spots.
    pub fn add_text(&mut self, source: Source) -> u32 {
        self.texts.push(Arc::new(source));
        self.texts.len() as u32 - 1
    }

    /// A registered text.
    pub fn text(&self, source: u32) -> &str {
        self.texts.get(source as usize).map_or("", |source| &source.text)
    }

    /// An error.
    pub fn error(&mut self, code: Code, spot: Spot, message: impl Into<String>) -> &mut Finding {
        self.find(code, Severity::Error, spot, message.into())
    }

    /// A warning.
    pub fn warning(&mut self, code: Code, spot: Spot, message: impl Into<String>) -> &mut Finding {
        self.find(code, Severity::Warning, spot, message.into())
    }

    fn find(&mut self, code: Code, severity: Severity, spot: Spot, message: String) -> &mut Finding {
        let labels = self.origins.get(&spot).cloned().into_iter().collect();
        let beyond = self.findings.len() >= MOST;
        let muted = self.muted.contains(&spot);
        self.findings.push(Finding {
            code,
            severity,
            message,
            spot,
            labels,
            help: None,
            suggestion: None,
            beyond,
            muted,
        });
        let last = self.findings.len() - 1;
        &mut self.findings[last]
    }

    /// Whatever is found at `used` was written at `written`: a label says so.
    pub fn comes_from(&mut self, used: Spot, written: Spot, label: String) {
        self.origins.insert(used, (written, label));
    }

    /// Nothing more is to be said of a place: what was said is the cause of everything else.
    pub fn mute(&mut self, spot: Spot) {
        self.muted.insert(spot);
    }

    /// Reports that a part of the format is not simulated yet, if the table says so. The answer says whether it does.
    pub fn not_simulated(&mut self, path: &str, spot: Spot) -> bool {
        let what = NOT_SIMULATED.iter().find(|(listed, _)| *listed == path).map(|(_, what)| what);
        if let Some(what) = what {
            self.error(Code::E110, spot, format!("not simulated yet: {what}"));
        }
        what.is_some()
    }

    /// Whether there is an error among the findings.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The findings in the order of their places.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.findings.retain(|finding| !finding.muted);
        self.findings.sort_by(|a, b| (a.spot, a.code, &a.message).cmp(&(b.spot, b.code, &b.message)));
        self.findings.dedup_by(|a, b| (a.spot, a.code, &a.message) == (b.spot, b.code, &b.message));
        let all = self.findings.len();
        if all > MOST && self.has_errors() {
            self.findings.retain(|finding| finding.severity == Severity::Error);
        }
        let beyond = all - self.findings.len().min(MOST);
        let texts = &self.texts;
        let mut shown: Vec<_> = self.findings.into_iter().take(MOST).map(|finding| finding.resolve(texts)).collect();
        if let (Some(last), true) = (shown.last_mut(), beyond > 0) {
            last.help = Some(format!("{beyond} more findings are not shown"));
        }
        shown
    }
}

impl Finding {
    /// Says what to do.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Finding {
        self.help = Some(help.into());
        self
    }

    /// Points at a second place.
    pub fn label(&mut self, spot: Spot, text: impl Into<String>) -> &mut Finding {
        self.labels.push((spot, text.into()));
        self
    }

    /// Proposes the known word that is most like `word`, if one is like it.
    pub fn suggest<'w>(&mut self, word: &str, known: impl IntoIterator<Item = &'w str>) -> &mut Finding {
        if !self.beyond {
            self.suggestion = closest(word, known.into_iter().take(KNOWN)).map(Suggestion::word);
        }
        self
    }

    /// Proposes values as they would be written.
    pub fn values(&mut self, values: &[String]) -> &mut Finding {
        if !values.is_empty() {
            self.suggestion = Some(Suggestion::values(values));
        }
        self
    }

    fn resolve(self, texts: &[Arc<Source>]) -> Diagnostic {
        let at = |spot: Spot| {
            let source = texts[spot.source as usize].clone();
            let place = Place::of(&source.text, spot.start as usize, spot.end as usize);
            (source, place)
        };
        let (source, place) = at(self.spot);
        let labels = self.labels.into_iter().map(|(spot, text)| {
            let (source, place) = at(spot);
            Label { source, place, text }
        });
        let labels = labels.collect();
        let Finding { code, severity, message, help, suggestion, .. } = self;
        Diagnostic { code, severity, message, source, place, labels, help, suggestion }
    }
}

/// The known word that is most like `word`: at most a third of its letters differ.
fn closest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    if word.len() > 100 {
        return None;
    }
    let lower = word.to_lowercase();
    let near = known.into_iter().map(|each| (strsim::damerau_levenshtein(&lower, &each.to_lowercase()), each));
    // One letter is like any other.
    let limit = match word.chars().count() {
        0..3 => 0,
        length => length / 3,
    };
    near.filter(|(distance, _)| *distance <= limit).min_by_key(|(distance, _)| *distance).map(|(_, each)| each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_word() {
        let known = ["cpu", "native", "sleep"];
        assert_eq!(closest("cpuu", known), Some("cpu"));
        assert_eq!(closest("Cpu", known), Some("cpu"));
        assert_eq!(closest("navite", known), Some("native"));
        assert_eq!(closest("gpio", known), None);
        assert_eq!(closest("b", ["a"]), None);
        assert_eq!(closest(&"x".repeat(1000), known), None);
    }

    #[test]
    fn findings_are_sorted_and_told_once() {
        let mut report = Report::default();
        report.add_text(Source { name: "m".to_owned(), text: "ab".to_owned() });
        let spot = |start| Spot { source: 0, start, end: start + 1 };
        report.error(Code::E102, spot(1), "later");
        report.error(Code::E102, spot(0), "earlier");
        report.error(Code::E102, spot(1), "later");
        let messages: Vec<_> = report.finish().into_iter().map(|found| found.message).collect();
        assert_eq!(messages, ["earlier", "later"]);
    }

    #[test]
    fn warnings_never_hide_an_error() {
        let mut report = Report::default();
        report.add_text(Source { name: "m".to_owned(), text: "a".repeat(3000) });
        for start in 0..1500 {
            report.warning(Code::W501, Spot { source: 0, start, end: start }, "x");
        }
        report.error(Code::E102, Spot { source: 0, start: 2000, end: 2001 }, "the error");
        let found = report.finish();
        assert_eq!((found.len(), found[0].message.as_str()), (1, "the error"));
        assert_eq!(found[0].help.as_deref(), Some("1500 more findings are not shown"));
    }

    #[test]
    fn what_nobody_reads_is_only_counted() {
        let mut report = Report::default();
        report.add_text(Source { name: "m".to_owned(), text: "a".repeat(3000) });
        for start in 0..1500 {
            report.warning(Code::W501, Spot { source: 0, start, end: start }, "x");
        }
        let found = report.finish();
        assert_eq!(found.len(), 500);
        assert_eq!(found[499].help.as_deref(), Some("1000 more findings are not shown"));
    }
}
