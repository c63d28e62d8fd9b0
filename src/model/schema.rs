//! The JSON Schema of the format, for editors: made of the declarations that read models and write the reference page.
//!
//! A schema cannot say everything that the reader checks: names that must be declared, weights, what goes with what
//! scheduler. Whatever it refuses the reader refuses, too.

use std::fmt::{self, Write};

use crate::model::decode::Decode;
use crate::model::program::Length;
use crate::model::spec::length::Times;
use crate::model::spec::shape::{Field, Section};
use crate::model::spec::steps::Steps;
use crate::model::spec::verbs::{COMPANIONS, Takes, VERBS, Verb};
use crate::model::spec::{ALTERNATIVES, sections};

/// A JSON value, keys in the order in which they are written.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `true` or `false`.
    Truth(bool),
    /// A whole number.
    Number(i64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

/// What an unquoted `$name` looks like.
const PARAMETER: &str = "^\\$[A-Za-z]";
/// What declared names look like.
const NAME: &str = "^[A-Za-z][A-Za-z0-9_-]{0,62}$";

/// A string.
pub fn json(text: impl Into<String>) -> Json {
    Json::Text(text.into())
}

fn object<const N: usize>(lines: [(&str, Json); N]) -> Json {
    Json::Object(lines.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Json {
    Json::List(words.into_iter().map(json).collect())
}

/// Values of one type of JSON Schema.
pub fn of_type(word: &str) -> Json {
    object([("type", json(word))])
}

/// Numbers that are not negative; `word` is `integer` or `number`.
pub fn at_least_zero(word: &str) -> Json {
    object([("type", json(word)), ("minimum", Json::Number(0))])
}

/// Text that matches a regular expression.
pub fn matching(pattern: &str) -> Json {
    object([("type", json("string")), ("pattern", json(pattern))])
}

/// Text: whatever is a single value.
pub fn text() -> Json {
    object([("type", words(["string", "number", "boolean"]))])
}

/// One of these words.
pub fn one_word<'w>(allowed: impl IntoIterator<Item = &'w str>) -> Json {
    object([("enum", words(allowed))])
}

/// One of these.
pub fn either(alternatives: impl IntoIterator<Item = Json>) -> Json {
    object([("anyOf", Json::List(alternatives.into_iter().collect()))])
}

/// A value, or the parameter that stands for one.
pub fn value(schema: Json) -> Json {
    either([object([("$ref", json("#/definitions/parameter"))]), schema])
}

/// A list.
pub fn list(items: Json) -> Json {
    object([("type", json("array")), ("items", value(items))])
}

/// A map from names to values.
pub fn named(values: Json) -> Json {
    object([
        ("type", json("object")),
        ("propertyNames", object([("pattern", json(NAME))])),
        ("additionalProperties", value(values)),
    ])
}

/// A map of these keys and no others, of which exactly one of `one_of` is there, if any are given.
pub fn keys(properties: Vec<(String, Json)>, one_of: &[&str]) -> Json {
    let mut lines = vec![
        ("type".to_owned(), json("object")),
        ("properties".to_owned(), Json::Object(properties)),
        ("additionalProperties".to_owned(), Json::Truth(false)),
    ];
    if !one_of.is_empty() {
        let required = one_of.iter().map(|key| object([("required", words([*key]))]));
        lines.push(("oneOf".to_owned(), Json::List(required.collect())));
    }
    Json::Object(lines)
}

/// A shape that is declared by itself.
pub fn shape(word: &str) -> Json {
    object([("$ref", json(format!("#/definitions/{}", word.replace(' ', "-"))))])
}

/// The page of `gilsim schema`.
pub fn schema() -> String {
    let mut definitions = vec![
        ("parameter".to_owned(), matching(PARAMETER)),
        ("duration".to_owned(), matching(&crate::model::quantity::duration_pattern())),
        ("length".to_owned(), crate::model::spec::length::schema()),
        ("steps".to_owned(), list(shape("step"))),
        ("step".to_owned(), step()),
    ];
    let sections = sections();
    definitions.extend(sections.iter().map(|section| (section.word.replace(' ', "-"), of_section(section))));
    let whole = object([
        ("$schema", json("http://json-schema.org/draft-07/schema#")),
        ("title", json("gilsim model")),
        ("$ref", json("#/definitions/model")),
        ("definitions", Json::Object(definitions)),
    ]);
    let mut page = String::new();
    whole.write(&mut page, 0).expect("a string takes everything");
    page + "\n"
}

fn of_section(section: &Section) -> Json {
    let properties = section.fields.iter().map(|field| (field.key.to_owned(), property(field))).collect();
    let one_of = ALTERNATIVES.iter().find(|(word, _)| *word == section.word).map_or(&[][..], |(_, keys)| *keys);
    let required = section.fields.iter().filter(|field| field.required).map(|field| field.key);
    let mut schema = keys(properties, one_of);
    if let Json::Object(lines) = &mut schema {
        lines.insert(0, ("description".to_owned(), json(section.about)));
        lines.push(("required".to_owned(), words(required)));
    }
    schema
}

fn property(field: &Field) -> Json {
    let default = match field.default {
        "" | "required" => String::new(),
        default => format!(" (default: {default})"),
    };
    described(&format!("{}{default}", field.doc), field.schema.clone())
}

fn described(text: &str, schema: Json) -> Json {
    let Json::Object(lines) = value(schema) else { unreachable!("a value is an object") };
    Json::Object(std::iter::once(("description".to_owned(), json(text))).chain(lines).collect())
}

/// A step: one verb, and the companions that go with it.
fn step() -> Json {
    let verbs = VERBS.iter().map(|verb| (verb.word.to_owned(), described(verb.doc, of_verb(verb))));
    let companions = COMPANIONS.iter().map(|word| ((*word).to_owned(), value(companion(word))));
    let all: Vec<&str> = VERBS.iter().map(|verb| verb.word).collect();
    let mut schema = keys(verbs.chain(companions).collect(), &all);
    let with_body = VERBS.iter().filter(|verb| verb.companions.contains(&"do"));
    let needs = with_body.map(|verb| (verb.word.to_owned(), words(["do"])));
    let goes_with = COMPANIONS.iter().map(|word| {
        let verbs = VERBS.iter().filter(|verb| verb.companions.contains(word));
        ((*word).to_owned(), either(verbs.map(|verb| object([("required", words([verb.word]))]))))
    });
    if let Json::Object(lines) = &mut schema {
        lines.push(("dependencies".to_owned(), Json::Object(needs.chain(goes_with).collect())));
    }
    schema
}

fn of_verb(verb: &Verb) -> Json {
    match verb.takes {
        Takes::Length => Length::schema(),
        Takes::Times => Times::schema(),
        Takes::Name(_) | Takes::Text => text(),
        Takes::Threads => one_word(["threads"]),
        Takes::Branches => list(shape("branch")),
        Takes::Task => shape("task"),
    }
}

fn companion(word: &str) -> Json {
    match word {
        "do" | "else" => Steps::schema(),
        "timeout" => Length::schema(),
        "add" => i64::schema(),
        "straight_line" => bool::schema(),
        "count" => u64::schema(),
        _ => text(),
    }
}

impl Json {
    fn write(&self, out: &mut String, depth: usize) -> fmt::Result {
        let indent = "  ".repeat(depth + 1);
        match self {
            Json::Truth(truth) => write!(out, "{truth}"),
            Json::Number(number) => write!(out, "{number}"),
            Json::Text(text) => quoted(out, text),
            Json::List(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    out.push_str(if place == 0 { "" } else { ", " });
                    item.write(out, depth)?;
                }
                out.push(']');
                Ok(())
            }
            Json::Object(lines) if lines.is_empty() => out.write_str("{}"),
            Json::Object(lines) => {
                for (place, (key, value)) in lines.iter().enumerate() {
                    write!(out, "{}\n{indent}", if place == 0 { "{" } else { "," })?;
                    quoted(out, key)?;
                    out.push_str(": ");
                    value.write(out, depth + 1)?;
                }
                write!(out, "\n{}}}", "  ".repeat(depth))
            }
        }
    }
}

fn quoted(out: &mut String, text: &str) -> fmt::Result {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(out, "\\{character}")?,
            character if character.is_control() => write!(out, "\\u{:04x}", u32::from(character))?,
            character => out.push(character),
        }
    }
    out.push('"');
    Ok(())
}
