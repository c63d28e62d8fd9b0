//! A YAML document as one untyped tree with a place on every key and value.

/// A place in one of the texts of a [`Report`](crate::model::report::Report): bytes `start..end` of text number `source`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Which text.
    pub source: u32,
    /// The first byte.
    pub start: u32,
    /// The byte behind the last.
    pub end: u32,
}

impl Spot {
    /// A part of this place, by bytes from its start.
    pub fn part(self, from: usize, to: usize) -> Spot {
        let at = |offset: usize| self.start.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)).min(self.end);
        Spot { start: at(from), end: at(to), ..self }
    }
}

/// A value with its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub spot: Spot,
    /// What it is.
    pub value: Value,
}

/// The four shapes of a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    #[default]
    Nothing,
    /// A single value.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// A single value as it was written, never as YAML resolves it: `3.10` and `010` keep their zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The text; without quotes and escapes where it was quoted.
    pub text: String,
    /// How it was written.
    pub form: Form,
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Without quotes, and YAML takes it for a number or a boolean.
    Typed,
    /// Without quotes, and YAML takes it for text.
    Word,
    /// In quotes, as a block, or folded over several lines.
    Quoted,
}

/// One line of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// Its value.
    pub value: Node,
}

/// The key of a map's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The word.
    pub text: String,
    /// Where it stands.
    pub spot: Spot,
    /// The whole path, if a setting made this key.
    pub patched: Option<String>,
}

impl Node {
    /// The scalar, if it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The lines of a map, if it is one.
    pub fn map(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The line of `key`, if this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.map()?.iter().find(|entry| entry.key.text == key)
    }

    /// Gives a line of a map another key.
    pub fn rename(&mut self, key: &str, new: &str) {
        if let Value::Map(entries) = &mut self.value {
            let line = entries.iter_mut().find(|entry| entry.key.text == key);
            line.into_iter().for_each(|entry| entry.key.text = new.to_owned());
        }
    }

    /// The value under `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// What it is, in words, for messages: `"twelve"`, `a list`, `nothing`.
    pub fn found(&self) -> String {
        match &self.value {
            Value::Nothing => "nothing".to_owned(),
            Value::Scalar(scalar) if scalar.form == Form::Typed => scalar.text.clone(),
            Value::Scalar(scalar) => format!("\"{}\"", crop(&scalar.text)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        }
    }
}

/// The first characters of a text that a message quotes.
pub fn crop(text: &str) -> String {
    const LIMIT: usize = 60;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
