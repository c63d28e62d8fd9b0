//! Findings as plain text: `file:line:col: error E104: …`, the source line, and a caret with one way out.

use std::fmt;

use unicode_width::UnicodeWidthChar;

use crate::model::diagnostic::{Diagnostic, Place, Source, floor_char};

/// The widest excerpt of a source line, in columns.
const WIDTH: usize = 100;
/// How much of a cropped line stands before the marked place.
const LEAD: usize = 40;

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, col, .. } = self.place;
        let (name, severity, code) = (visible(&self.source.name), self.severity.word(), self.code.word());
        write!(f, "{name}:{line}:{col}: {severity} {code}: {}", visible(&self.message))?;
        let note = self.suggestion.as_ref().map_or("", |suggestion| &suggestion.text);
        excerpt(f, &self.source, self.place, '^', note)?;
        for label in &self.labels {
            excerpt(f, &label.source, label.place, '-', &label.text)?;
        }
        match &self.help {
            Some(help) => write!(f, "\n     = {}", visible(help)),
            None => Ok(()),
        }
    }
}

/// The line of a place with the place underlined, and a note beside the underline.
fn excerpt(f: &mut fmt::Formatter<'_>, source: &Source, place: Place, mark: char, note: &str) -> fmt::Result {
    let (before, marked, after) = cut(&source.text, place);
    let indent = columns(&before);
    let underline = mark.to_string().repeat(columns(&marked).max(1));
    let lines = format!("\n{:>4} | {before}{marked}{after}", place.line);
    let under = format!("\n     | {}{underline} {}", " ".repeat(indent), visible(note));
    write!(f, "{}{}", lines.trim_end_matches(' '), under.trim_end())
}

/// The visible text of a line before, inside and after a place, cropped to [`WIDTH`]. Looks only at the neighbourhood of the
/// place, so that a line of a megabyte costs no more than a short one.
fn cut(text: &str, place: Place) -> (String, String, String) {
    let line_start = text[..place.start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let from = floor_char(text, line_start.max(place.start.saturating_sub(WIDTH * 4)));
    let rest = &text[place.start..];
    let line_end = place.start + rest.find(['\n', '\r']).unwrap_or(rest.len());
    let end = floor_char(text, place.end.min(line_end)).max(place.start);
    let before = visible(text[from..place.start].trim_start_matches('\u{feff}'));
    let before = if from > line_start || columns(&before) > WIDTH - LEAD {
        format!("…{}", last_columns(&before, LEAD))
    } else {
        before
    };
    let left = WIDTH - columns(&before);
    let marked = first_columns(&text[place.start..end], left);
    let after = first_columns(&text[end..line_end], left.saturating_sub(columns(&marked)));
    (before, marked, after)
}

/// As many visible columns of the text as fit, with an ellipsis if some do not.
fn first_columns(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    let mut width = 0;
    for character in text.chars() {
        let piece = visible_char(character);
        width += columns(&piece);
        if width > limit {
            shown.push('…');
            break;
        }
        shown.push_str(&piece);
    }
    shown
}

fn last_columns(shown: &str, limit: usize) -> String {
    let mut width = 0;
    let kept: Vec<char> = shown
        .chars()
        .rev()
        .take_while(|character| {
            width += character.width().unwrap_or(0);
            width <= limit
        })
        .collect();
    kept.into_iter().rev().collect()
}

fn columns(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

/// The text as it may be sent to a terminal: control characters, and characters that hide or reorder others, are escaped.
pub fn visible(text: &str) -> String {
    text.chars().map(visible_char).collect()
}

fn visible_char(character: char) -> String {
    match character {
        '\t' => "    ".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        _ if character.is_control() && character.is_ascii() => format!("\\x{:02x}", u32::from(character)),
        _ if character.is_control() || hides(character) => format!("\\u{{{:x}}}", u32::from(character)),
        _ => character.to_string(),
    }
}

/// Zero-width characters, line and paragraph separators, and the marks that turn the reading direction.
fn hides(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::code::Code;
    use crate::model::diagnostic::{Label, Severity, Suggestion};

    fn shown(text: &str, start: usize, end: usize) -> String {
        let source = Arc::new(Source { name: "m.yaml".to_owned(), text: text.to_owned() });
        let diagnostic = Diagnostic {
            code: Code::E201,
            severity: Severity::Error,
            message: "unknown step \"cpuu\"".to_owned(),
            place: Place::of(text, start, end),
            source,
            labels: Vec::new(),
            help: None,
            suggestion: Some(Suggestion::word("cpu")),
        };
        diagnostic.to_string()
    }

    #[test]
    fn the_layout() {
        let expected =
            "m.yaml:2:3: error E201: unknown step \"cpuu\"\n   2 | - cpuu: 5ms\n     |   ^^^^ did you mean \"cpu\"?";
        assert_eq!(shown("a:\n- cpuu: 5ms\n", 5, 9), expected);
    }

    #[test]
    fn tabs_wide_characters_and_escapes_keep_the_caret_in_place() {
        assert!(shown("\tcpuu", 1, 5).ends_with("\n   1 |     cpuu\n     |     ^^^^ did you mean \"cpu\"?"));
        assert!(shown("漢: cpuu", 5, 9).ends_with("\n   1 | 漢: cpuu\n     |     ^^^^ did you mean \"cpu\"?"));
        let escaped = shown("\u{1b}[2J\u{202e} cpuu", 8, 12);
        assert!(escaped.contains("   1 | \\x1b[2J\\u{202e} cpuu\n     |                 ^^^^"), "{escaped}");
    }

    #[test]
    fn long_lines_are_cropped_around_the_place() {
        let text = format!("{}cpuu{}", "a".repeat(5000), "b".repeat(5000));
        let shown = shown(&text, 5000, 5004);
        assert!(shown.lines().all(|line| columns(line) <= WIDTH + 10), "{shown}");
        assert!(shown.contains("…aaaa") && shown.contains("aacpuubb") && shown.ends_with("^^^^ did you mean \"cpu\"?"));
    }

    #[test]
    fn a_place_at_the_end_of_the_text_has_a_caret() {
        assert!(shown("name: x", 7, 7).contains("   1 | name: x\n     |        ^ did"));
        assert!(shown("", 0, 0).contains("\n   1 |\n     | ^ did"));
    }

    #[test]
    fn labels_and_help_follow() {
        let source = Arc::new(Source { name: "m.yaml".to_owned(), text: "a: 1\na: 2".to_owned() });
        let diagnostic = Diagnostic {
            code: Code::E101,
            severity: Severity::Error,
            message: "duplicate key \"a\"".to_owned(),
            place: Place::of(&source.text, 5, 6),
            labels: vec![Label {
                source: source.clone(),
                place: Place::of(&source.text, 0, 1),
                text: "first here".to_owned(),
            }],
            source,
            help: Some("remove one".to_owned()),
            suggestion: None,
        };
        assert_eq!(
            diagnostic.to_string(),
            "m.yaml:2:1: error E101: duplicate key \"a\"\n   2 | a: 2\n     | ^\n   1 | a: 1\n     | - first here\n     = remove one"
        );
    }
}
