//! What is wrong with a model, as plain data: how it is shown is somebody else's matter.

use std::sync::Arc;

use crate::model::code::Code;

/// A text that positions point into: a model file, a profile, or a setting of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What people call it: a path, or `--set`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// Takes the bytes of a file. If they are not UTF-8 the answer is an E101 that points at the first wrong byte.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Source, Box<Diagnostic>> {
        let name = name.to_owned();
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source { name, text }),
            Err(error) => {
                let start = error.utf8_error().valid_up_to();
                let source = Source { name, text: String::from_utf8_lossy(error.as_bytes()).into_owned() };
                Err(Box::new(Diagnostic {
                    code: Code::E101,
                    severity: Severity::Error,
                    message: "not UTF-8".to_owned(),
                    place: Place::of(&source.text, start, start),
                    source: Arc::new(source),
                    labels: Vec::new(),
                    help: Some("save the file as UTF-8".to_owned()),
                    suggestion: None,
                }))
            }
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The model cannot be run.
    Error,
    /// The model can be run; something in it is suspicious.
    Warning,
}

impl Severity {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A stretch of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The first byte.
    pub start: usize,
    /// The byte behind the last one; equal to `start` for a mere point.
    pub end: usize,
    /// The line of the first byte, from 1.
    pub line: usize,
    /// The column of the first byte in characters, from 1.
    pub col: usize,
}

impl Place {
    /// The place of the bytes `start..end`; ends of lines are `\n`, `\r\n` or `\r`.
    pub fn of(text: &str, start: usize, end: usize) -> Place {
        let start = floor_char(text, start);
        let before = &text[..start];
        let line_start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let after_bom = if line_start == 0 && before.starts_with('\u{feff}') { 3 } else { line_start };
        let returns = before.matches('\r').count() - before.matches("\r\n").count();
        let line = before.matches('\n').count() + returns + 1;
        Place { start, end: end.max(start), line, col: before[after_bom..].chars().count() + 1 }
    }
}

/// The last character boundary at or before `at`.
pub(in crate::model) fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A second place that belongs to the same finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The text it lies in.
    pub source: Arc<Source>,
    /// Where.
    pub place: Place,
    /// What is there.
    pub text: String,
}

/// What the author may have meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Texts that could replace the marked place.
    pub replacements: Vec<String>,
    /// The question: `did you mean "cpu"?`.
    pub text: String,
}

impl Suggestion {
    /// Proposes words, in quotation marks.
    pub fn word(word: &str) -> Suggestion {
        Suggestion { replacements: vec![word.to_owned()], text: format!("did you mean \"{word}\"?") }
    }

    /// Proposes values, as they would be written.
    pub fn values(values: &[String]) -> Suggestion {
        Suggestion { replacements: values.to_vec(), text: format!("did you mean {}?", values.join(" or ")) }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong. May quote the model, so it may hold anything; renderers escape it.
    pub message: String,
    /// The text it is about.
    pub source: Arc<Source>,
    /// Where in that text.
    pub place: Place,
    /// Other places that belong to it.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// What the author may have meant.
    pub suggestion: Option<Suggestion>,
}

impl Diagnostic {
    /// Whether it keeps the model from being run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_and_col(text: &str, start: usize) -> (usize, usize) {
        let place = Place::of(text, start, start);
        (place.line, place.col)
    }

    #[test]
    fn places_count_characters_and_every_kind_of_line_end() {
        assert_eq!(line_and_col("a: é\nb: x", 9), (2, 4));
        assert_eq!(line_and_col("é: x", 4), (1, 4));
        assert_eq!(line_and_col("a\r\nb\r\nc", 6), (3, 1));
        assert_eq!(line_and_col("a\rb\rc", 4), (3, 1));
        assert_eq!(line_and_col("\u{feff}name: x", 3), (1, 1));
        assert_eq!(line_and_col("", 99), (1, 1));
    }

    #[test]
    fn a_file_that_is_not_utf_8_is_a_finding_at_its_first_wrong_byte() {
        let error = Source::from_bytes("m.yaml", b"name: x\nabout: \xff".to_vec()).unwrap_err();
        assert_eq!((error.code, error.place.line, error.place.col), (Code::E101, 2, 8));
    }
}
