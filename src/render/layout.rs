//! Lines that fit: escaping, cropping, padding and wrapping by the columns that a terminal gives to each text.

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::render::report::Style;

/// Whether a character would act on a terminal or hide instead of being seen: control characters, bidirectional
/// controls, line separators and invisible marks.
pub(in crate::render) fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text for a terminal: what would act on it is shown instead, as `\n`, `\t` or `\u{202e}`.
pub fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if acts(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// The columns of a text.
pub(in crate::render) fn columns(text: &str) -> usize {
    text.width()
}

/// The longest beginning of a text that fits into `width` columns.
fn beginning(text: &str, width: usize) -> &str {
    let mut fits = 0;
    for (start, c) in text.char_indices() {
        let end = start + c.len_utf8();
        // The width of a text can be other than the sum of its characters' widths.
        if text[..end].width() > width {
            break;
        }
        fits = end;
    }
    &text[..fits]
}

/// How many bytes of a text to keep so that it fits into `width` columns, and what to put in the place of the rest.
fn cut<'e>(text: &str, width: usize, ellipsis: &'e str) -> (usize, &'e str) {
    if text.width() <= width {
        return (text.len(), "");
    }
    let kept = beginning(text, width.saturating_sub(ellipsis.width())).len();
    let fits = format!("{}{ellipsis}", &text[..kept]).width() <= width;
    if fits { (kept, ellipsis) } else { (beginning(text, width).len(), "") }
}

/// A text in at most `width` columns; what does not fit is replaced by the ellipsis.
pub(in crate::render) fn crop(text: &str, width: usize, ellipsis: &str) -> String {
    let (kept, mark) = cut(text, width, ellipsis);
    format!("{}{mark}", &text[..kept])
}

/// A text cropped or filled up with spaces to exactly `width` columns (a wide character may leave one more space).
pub(in crate::render) fn fit(text: &str, width: usize, ellipsis: &str) -> String {
    let mut fitted = crop(text, width, ellipsis);
    let missing = width.saturating_sub(fitted.width());
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}

/// Words in lines of at most `width` columns. A word that is longer than a line is broken.
pub(in crate::render) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        let line = lines.last_mut().expect("there is a first line");
        if line.is_empty() || line.width() + 1 + word.width() <= width {
            if !line.is_empty() {
                line.push(' ');
            }
        } else {
            lines.push(String::new());
        }
        while word.width() > width {
            let part = beginning(word, width);
            let cut = if part.is_empty() { word.chars().next().map_or(0, char::len_utf8) } else { part.len() };
            lines.last_mut().expect("there is a line").push_str(&word[..cut]);
            lines.push(String::new());
            word = &word[cut..];
        }
        lines.last_mut().expect("there is a line").push_str(word);
    }
    lines
}

/// A line in the making: texts with their colours.
#[derive(Clone, Debug, Default)]
pub(in crate::render) struct Line {
    pieces: Vec<(anstyle::Style, String)>,
}

impl Line {
    /// A line that begins with plain text.
    pub fn of(text: impl Into<String>) -> Line {
        let mut line = Line::default();
        line.plain(text);
        line
    }

    /// Adds plain text.
    pub fn plain(&mut self, text: impl Into<String>) {
        self.coloured(anstyle::Style::new(), text);
    }

    /// Adds text in a colour. Pieces of the same colour are joined.
    pub fn coloured(&mut self, colour: anstyle::Style, text: impl Into<String>) {
        let text = escape(&text.into());
        match self.pieces.last_mut() {
            Some((last, piece)) if *last == colour => piece.push_str(&text),
            _ => self.pieces.push((colour, text)),
        }
    }

    /// Adds another line behind this one.
    pub fn append(&mut self, other: Line) {
        other.pieces.into_iter().for_each(|(colour, text)| self.coloured(colour, text));
    }

    /// Its columns.
    pub fn columns(&self) -> usize {
        let text: String = self.pieces.iter().map(|(_, text)| text.as_str()).collect();
        text.width()
    }
}

/// Where lines go: no line is wider than the page, and no text on it acts on the terminal.
pub(in crate::render) struct Page<'w, W> {
    out: &'w mut W,
    /// How it is laid out.
    pub style: Style,
}

impl<'w, W: Write> Page<'w, W> {
    /// An empty page.
    pub fn new(out: &'w mut W, style: Style) -> Page<'w, W> {
        Page { out, style }
    }

    /// The columns of the page.
    pub fn width(&self) -> usize {
        self.style.columns()
    }

    /// An empty line.
    pub fn blank(&mut self) -> fmt::Result {
        self.out.write_char('\n')
    }

    /// A line of plain text.
    pub fn text(&mut self, text: impl Into<String>) -> fmt::Result {
        self.line(&Line::of(text))
    }

    /// A line, cropped to the page. Trailing spaces are left out.
    pub fn line(&mut self, line: &Line) -> fmt::Result {
        let whole: String = line.pieces.iter().map(|(_, text)| text.as_str()).collect();
        let (kept, mark) = cut(whole.trim_end(), self.width(), self.style.ellipsis());
        let mut left = kept;
        for (colour, text) in &line.pieces {
            let shown = left.min(text.len());
            self.piece(*colour, &text[..shown])?;
            left -= shown;
        }
        self.out.write_str(mark)?;
        self.blank()
    }

    /// Words over as many lines as needed. The first line begins with `head`, all others are indented as far.
    pub fn prose(&mut self, head: &str, text: &str) -> fmt::Result {
        let indent = columns(head);
        let room = self.width().saturating_sub(indent).max(8);
        for (number, line) in wrap(&escape(text), room).into_iter().enumerate() {
            let head = if number == 0 { head.to_string() } else { " ".repeat(indent) };
            self.text(format!("{head}{line}"))?;
        }
        Ok(())
    }

    fn piece(&mut self, colour: anstyle::Style, text: &str) -> fmt::Result {
        if self.style.colour && !colour.is_plain() && !text.is_empty() {
            write!(self.out, "{}{text}{}", colour.render(), colour.render_reset())
        } else {
            self.out.write_str(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown() {
        let cases = [
            ("plain, even wide: 漢字 é", "plain, even wide: 漢字 é"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("abc\u{202e}fed\u{2066}", "abc\\u{202e}fed\\u{2066}"),
            ("zero\u{200b}width\u{feff}\u{2028}", "zero\\u{200b}width\\u{feff}\\u{2028}"),
            ("\u{e0041}tag", "\\u{e0041}tag"),
        ];
        for (text, shown) in cases {
            assert_eq!(escape(text), shown);
            assert_eq!(escape(&escape(text)), shown);
        }
    }

    #[test]
    fn cropping_counts_columns() {
        assert_eq!(crop("waster", 6, "…"), "waster");
        assert_eq!(crop("waster-1", 6, "…"), "waste…");
        assert_eq!(crop("waster-1", 6, "..."), "was...");
        assert_eq!(crop("漢字漢字", 6, "…"), "漢字…");
        assert_eq!(crop("漢字漢字", 2, "..."), "漢");
        assert_eq!(fit("漢字漢字", 6, "…"), "漢字… ");
        assert_eq!(fit("ab", 4, "…"), "ab  ");
        // A variation selector makes the character before it wider.
        let heart = "\u{2764}\u{fe0f}".repeat(5);
        assert!((1..12).all(|width| columns(&crop(&heart, width, "…")) <= width));
    }

    #[test]
    fn wrapping_breaks_between_words_or_inside_long_ones() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a abcdefghij b", 4), ["a", "abcd", "efgh", "ij b"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("漢字漢字", 3), ["漢", "字", "漢", "字"]);
    }

    #[test]
    fn colours_enclose_their_pieces_only() {
        let mut line = Line::of("ab");
        line.coloured(anstyle::AnsiColor::Red.on_default(), "cdef");
        line.plain("g  ");
        let write = |width, colour| {
            let mut out = String::new();
            let style = Style { width, colour, ..Style::default() };
            Page { out: &mut out, style }.line(&line).unwrap();
            out
        };
        assert_eq!(write(80, false), "abcdefg\n");
        assert_eq!(write(80, true), "ab\u{1b}[31mcdef\u{1b}[0mg\n");
        let long = Line::of("x".repeat(50));
        let mut out = String::new();
        Page { out: &mut out, style: Style { width: 0, ..Style::default() } }.line(&long).unwrap();
        assert_eq!(out, format!("{}…\n", "x".repeat(39)));
    }
}
