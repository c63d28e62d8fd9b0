//! A small strict JSON reader, for one line at a time. Numbers are whole, nesting is shallow, keys are not doubled: all that
//! a timeline needs, and nothing that a damaged or hostile file could abuse.
//!
//! Own code rather than `serde_json` because its errors must name what is allowed, and because a million lines are read
//! twice as fast when nothing is built but a list of borrowed fields.

use std::borrow::Cow;

/// Deepest nesting of a line: the header's `threads` hold lists.
const DEEPEST: u32 = 6;

/// A JSON value; text without escapes is borrowed from the line.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'l> {
    /// `null`
    Null,
    /// `true` or `false`
    Truth(bool),
    /// A whole number.
    Number(i128),
    /// A string.
    Text(Cow<'l, str>),
    /// A list.
    List(Vec<Value<'l>>),
    /// An object, in the order of its keys.
    Object(Fields<'l>),
}

/// The fields of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields<'l>(Vec<(Cow<'l, str>, Value<'l>)>);

/// What is wrong, and at which byte of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The byte, from 0.
    pub at: usize,
    /// The sentence.
    pub what: String,
}

/// Reads a line that is one object.
pub fn object(line: &str) -> Result<Fields<'_>, Fault> {
    let mut reader = Reader { line, at: 0 };
    reader.expect(b'{')?;
    let fields = reader.fields(1)?;
    reader.space();
    if reader.at < line.len() {
        return Err(reader.fault("something follows the object"));
    }
    Ok(fields)
}

impl<'l> Fields<'l> {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value<'l>> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

struct Reader<'l> {
    line: &'l str,
    at: usize,
}

impl<'l> Reader<'l> {
    fn fault(&self, what: impl Into<String>) -> Fault {
        Fault { at: self.at, what: what.into() }
    }

    fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    /// The next sign after spaces, if it is this one.
    fn takes(&mut self, sign: u8) -> bool {
        self.space();
        let found = self.peek() == Some(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: u8) -> Result<(), Fault> {
        if self.takes(sign) {
            return Ok(());
        }
        let sign = char::from(sign);
        Err(self.fault(match self.peek() {
            None => format!("the line ends where {sign} is due"),
            Some(_) => format!("{sign} is due here"),
        }))
    }

    /// The rest of an object, after its brace.
    fn fields(&mut self, depth: u32) -> Result<Fields<'l>, Fault> {
        let mut fields: Vec<(Cow<'l, str>, Value<'l>)> = Vec::with_capacity(12);
        let mut seen = 0u64;
        if self.takes(b'}') {
            return Ok(Fields(fields));
        }
        loop {
            self.expect(b'"')?;
            let at = self.at;
            let key = self.text()?;
            // Only keys with the same trait can be the same, so few pairs of keys are compared.
            let first = usize::from(key.as_bytes().first().copied().unwrap_or(0));
            let bit = 1u64 << ((key.len() ^ first) % 64);
            if seen & bit > 0 && fields.iter().any(|(name, _)| *name == key) {
                return Err(Fault { at, what: format!("the key \"{}\" comes twice", key.escape_debug()) });
            }
            seen |= bit;
            self.expect(b':')?;
            fields.push((key, self.value(depth)?));
            if !self.takes(b',') {
                self.expect(b'}')?;
                return Ok(Fields(fields));
            }
        }
    }

    fn value(&mut self, depth: u32) -> Result<Value<'l>, Fault> {
        if depth > DEEPEST {
            return Err(self.fault(format!("nested deeper than {DEEPEST} levels")));
        }
        self.space();
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                self.text().map(Value::Text)
            }
            Some(b'{') => {
                self.at += 1;
                self.fields(depth + 1).map(Value::Object)
            }
            Some(b'[') => {
                self.at += 1;
                self.list(depth + 1).map(Value::List)
            }
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            _ => self.word(),
        }
    }

    fn list(&mut self, depth: u32) -> Result<Vec<Value<'l>>, Fault> {
        let mut items = Vec::new();
        if self.takes(b']') {
            return Ok(items);
        }
        loop {
            items.push(self.value(depth)?);
            if !self.takes(b',') {
                return self.expect(b']').map(|()| items);
            }
        }
    }

    fn word(&mut self) -> Result<Value<'l>, Fault> {
        let words = [("null", Value::Null), ("true", Value::Truth(true)), ("false", Value::Truth(false))];
        for (word, value) in words {
            if self.line.as_bytes()[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.fault(if self.peek().is_none() {
            "the line ends where a value is due"
        } else {
            "a value is due here"
        }))
    }

    fn number(&mut self) -> Result<i128, Fault> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let text = &self.line[start..self.at];
        let digits = text.trim_start_matches('-');
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) || (digits.len() > 1 && digits.starts_with('0')) {
            return Err(Fault { at: start, what: "numbers are whole here, without needless zeros".into() });
        }
        text.parse().map_err(|_| Fault { at: start, what: "a number that nobody can count".into() })
    }

    /// A string, after its first quotation mark.
    fn text(&mut self) -> Result<Cow<'l, str>, Fault> {
        let start = self.at;
        loop {
            match self.peek() {
                None => return Err(self.fault("the line ends inside a string")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Borrowed(&self.line[start..self.at - 1]));
                }
                Some(b'\\') => break,
                Some(0..=0x1f) => return Err(self.fault("a control character inside a string")),
                Some(_) => self.at += 1,
            }
        }
        self.escaped(start)
    }

    /// The rest of a string that has escapes.
    fn escaped(&mut self, start: usize) -> Result<Cow<'l, str>, Fault> {
        let mut text = self.line[start..self.at].to_string();
        loop {
            let plain = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            text.push_str(&self.line[plain..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                None => return Err(self.fault("the line ends inside a string")),
                Some(_) => return Err(self.fault("a control character inside a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let sign = self.peek();
        self.at += 1;
        Ok(match sign {
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(sign @ (b'"' | b'\\' | b'/')) => char::from(sign),
            Some(b'u') => return self.unicode(),
            _ => {
                self.at -= 1;
                return Err(self.fault("an escape is one of \\n \\r \\t \\b \\f \\\" \\\\ \\/ \\u"));
            }
        })
    }

    /// Four hexadecimal digits, or two times four for characters beyond the first plane.
    fn unicode(&mut self) -> Result<char, Fault> {
        let at = self.at;
        let mut units = vec![self.unit()?];
        if (0xd800..0xdc00).contains(&units[0]) && self.line.as_bytes()[self.at..].starts_with(b"\\u") {
            self.at += 2;
            units.push(self.unit()?);
        }
        let mut decoded = char::decode_utf16(units);
        match (decoded.next(), decoded.next()) {
            (Some(Ok(c)), None) => Ok(c),
            _ => Err(Fault { at, what: "half of a character".into() }),
        }
    }

    fn unit(&mut self) -> Result<u16, Fault> {
        let digits =
            self.line.as_bytes().get(self.at..self.at + 4).filter(|four| four.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else { return Err(self.fault("\\u is followed by four hexadecimal digits")) };
        self.at += 4;
        let value = |digit: &u8| char::from(*digit).to_digit(16).unwrap_or_default() as u16;
        Ok(digits.iter().fold(0, |unit, digit| unit << 4 | value(digit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_another_reader_makes_of_them() {
        let lines = [
            r#"{}"#,
            r#"{"a": 1, "b": -20, "c": null, "d": [true, false, []], "e": {"f": "x"}}"#,
            r#"{"text": "a\"b\\c\/d\n\r\t\b\f\u00e9\ud83d\ude00 漢"}"#,
            r#"{"n": 18446744073709551615}"#,
        ];
        for line in lines {
            let other: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(as_json(&Value::Object(object(line).unwrap())), other, "{line}");
        }
    }

    fn as_json(value: &Value<'_>) -> serde_json::Value {
        match value {
            Value::Null => serde_json::Value::Null,
            Value::Truth(truth) => (*truth).into(),
            Value::Number(number) => u64::try_from(*number).map_or_else(|_| (*number as i64).into(), Into::into),
            Value::Text(text) => text.to_string().into(),
            Value::List(items) => items.iter().map(as_json).collect(),
            Value::Object(fields) => fields.0.iter().map(|(key, value)| (key.to_string(), as_json(value))).collect(),
        }
    }

    #[test]
    fn faults_name_the_place() {
        let cases = [
            ("", 0, "the line ends where { is due"),
            ("[]", 0, "{ is due here"),
            (r#"{"a": 1"#, 7, "the line ends where } is due"),
            (r#"{"a" 1}"#, 5, ": is due here"),
            (r#"{"a": }"#, 6, "a value is due here"),
            (r#"{"a": 1} x"#, 9, "something follows the object"),
            (r#"{"a": 1, "a": 2}"#, 10, "the key \"a\" comes twice"),
            (r#"{"a": 1.5}"#, 6, "numbers are whole here, without needless zeros"),
            (r#"{"a": 01}"#, 6, "numbers are whole here, without needless zeros"),
            (r#"{"a": -}"#, 6, "a number that nobody can count"),
            (r#"{"a": "x"#, 8, "the line ends inside a string"),
            (r#"{"a": "\x"}"#, 8, "an escape is one of \\n \\r \\t \\b \\f \\\" \\\\ \\/ \\u"),
            (r#"{"a": "\ud83d"}"#, 9, "half of a character"),
            (r#"{"a": "\u12"}"#, 9, "\\u is followed by four hexadecimal digits"),
            (r#"{"a": [[[[[[[[1]]]]]]]]}"#, 12, "nested deeper than 6 levels"),
            ("{\"a\": \"\u{1}\"}", 7, "a control character inside a string"),
        ];
        for (line, at, what) in cases {
            assert_eq!(object(line), Err(Fault { at, what: what.into() }), "{line}");
        }
    }
}
