//! A small JSON writer: objects whose keys come in the order in which they are written.

use std::fmt::{self, Display, Write};

use crate::render::layout::acts;

/// An object being written.
pub(in crate::render) struct Object<'w> {
    out: &'w mut dyn Write,
    /// Each key on a line of its own.
    lines: bool,
    first: bool,
}

/// Writes an object on one line.
pub(in crate::render) fn object(out: &mut dyn Write, fill: impl FnOnce(&mut Object<'_>) -> fmt::Result) -> fmt::Result {
    fill_object(out, false, fill)
}

/// Writes an object with each key on a line of its own.
pub(in crate::render) fn document(
    out: &mut dyn Write,
    fill: impl FnOnce(&mut Object<'_>) -> fmt::Result,
) -> fmt::Result {
    fill_object(out, true, fill)?;
    out.write_char('\n')
}

fn fill_object(out: &mut dyn Write, lines: bool, fill: impl FnOnce(&mut Object<'_>) -> fmt::Result) -> fmt::Result {
    out.write_char('{')?;
    fill(&mut Object { out: &mut *out, lines, first: true })?;
    out.write_str(if lines { "\n}" } else { "}" })
}

impl Object<'_> {
    fn key(&mut self, key: &str) -> fmt::Result {
        let separator = match (self.first, self.lines) {
            (true, false) => "",
            (true, true) => "\n  ",
            (false, false) => ", ",
            (false, true) => ",\n  ",
        };
        self.first = false;
        self.out.write_str(separator)?;
        string(self.out, key)?;
        self.out.write_str(": ")
    }

    /// A string.
    pub fn text(&mut self, key: &str, text: &str) -> fmt::Result {
        self.key(key)?;
        string(self.out, text)
    }

    /// A string, or null.
    pub fn optional_text(&mut self, key: &str, text: Option<&str>) -> fmt::Result {
        match text {
            Some(text) => self.text(key, text),
            None => self.raw(key, "null"),
        }
    }

    /// A whole number.
    pub fn number(&mut self, key: &str, number: impl Into<i128>) -> fmt::Result {
        self.raw(key, number.into())
    }

    /// A whole number, or null.
    pub fn optional_number(&mut self, key: &str, number: Option<impl Into<i128>>) -> fmt::Result {
        match number {
            Some(number) => self.number(key, number),
            None => self.raw(key, "null"),
        }
    }

    /// True or false.
    pub fn truth(&mut self, key: &str, truth: bool) -> fmt::Result {
        self.raw(key, truth)
    }

    /// An object on one line.
    pub fn object(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>) -> fmt::Result) -> fmt::Result {
        self.key(key)?;
        object(self.out, fill)
    }

    /// A list of strings on one line.
    pub fn texts<'t>(&mut self, key: &str, texts: impl IntoIterator<Item = &'t str>) -> fmt::Result {
        self.key(key)?;
        self.out.write_char('[')?;
        for (place, text) in texts.into_iter().enumerate() {
            self.out.write_str(if place == 0 { "" } else { ", " })?;
            string(self.out, text)?;
        }
        self.out.write_char(']')
    }

    /// A list of whole numbers on one line.
    pub fn numbers(&mut self, key: &str, numbers: impl IntoIterator<Item = u64>) -> fmt::Result {
        self.key(key)?;
        self.out.write_char('[')?;
        for (place, number) in numbers.into_iter().enumerate() {
            write!(self.out, "{}{number}", if place == 0 { "" } else { ", " })?;
        }
        self.out.write_char(']')
    }

    /// A list of objects, each on a line of its own where keys are.
    pub fn objects<T>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = T>,
        fill: impl Fn(&mut Object<'_>, T) -> fmt::Result,
    ) -> fmt::Result {
        self.key(key)?;
        self.out.write_char('[')?;
        let mut empty = true;
        for item in items {
            self.out.write_str(match (empty, self.lines) {
                (true, true) => "\n    ",
                (true, false) => "",
                (false, true) => ",\n    ",
                (false, false) => ", ",
            })?;
            object(self.out, |object| fill(object, item))?;
            empty = false;
        }
        self.out.write_str(if empty || !self.lines { "]" } else { "\n  ]" })
    }

    /// A list of whole numbers on one line, without spaces: there may be millions.
    pub fn column(&mut self, key: &str, numbers: impl IntoIterator<Item = u64>) -> fmt::Result {
        self.key(key)?;
        self.out.write_char('[')?;
        for (place, number) in numbers.into_iter().enumerate() {
            self.out.write_str(if place == 0 { "" } else { "," })?;
            write!(self.out, "{number}")?;
        }
        self.out.write_char(']')
    }

    fn raw(&mut self, key: &str, value: impl Display) -> fmt::Result {
        self.key(key)?;
        write!(self.out, "{value}")
    }
}

/// A JSON string. What would act on a terminal is escaped as well: outputs end up there.
fn string(out: &mut dyn Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            c if acts(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
            c => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_strings_come_back_as_they_were_and_never_act() {
        let all: String = (0..0x3000).filter_map(char::from_u32).collect();
        let hostile =
            ["", "\"", "\\", "\\u0000", "</script>", "\u{1b}[2J", "\u{202e}\u{e0041}", "漢字 \u{1f600}", &all];
        for text in hostile {
            let mut out = String::new();
            object(&mut out, |object| object.text(text, text)).unwrap();
            assert!(!out.chars().any(acts), "{out}");
            let read: serde_json::Value = serde_json::from_str(&out).unwrap();
            assert_eq!(read[text], text);
        }
    }

    #[test]
    fn layout_and_order_are_stable() {
        let mut out = String::new();
        document(&mut out, |o| {
            o.number("b", 1u32)?;
            o.optional_number("a", None::<u32>)?;
            o.truth("c", true)?;
            o.object("d", |o| o.optional_text("x", None))?;
            o.texts("e", ["p", "q"])?;
            o.objects("f", [1u32, 2], |o, n| o.number("n", n))?;
            o.objects("g", [0u32; 0], |o, n| o.number("n", n))
        })
        .unwrap();
        let lines = [
            "{",
            "  \"b\": 1,",
            "  \"a\": null,",
            "  \"c\": true,",
            "  \"d\": {\"x\": null},",
            "  \"e\": [\"p\", \"q\"],",
            "  \"f\": [",
            "    {\"n\": 1},",
            "    {\"n\": 2}",
            "  ],",
            "  \"g\": []",
            "}",
            "",
        ];
        assert_eq!(out, lines.join("\n"));
    }
}
