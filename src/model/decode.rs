//! From tree to typed fields. Whatever is wrong is reported and the rest is read on, so that one look finds every error.

use crate::model::code::Code;
use crate::model::quantity::{self, Fault};
use crate::model::report::Report;
use crate::model::schema::{self, Json};
use crate::model::tree::{Entry, Form, Node, Scalar, Spot, Value};
use crate::ratio::Ratio;
use crate::time::Span;

/// A type that a YAML value can stand for.
pub trait Decode: Sized {
    /// What the reference page calls it.
    fn kind() -> String;
    /// What JSON Schema calls it.
    fn schema() -> Json;
    /// Reads it; `None` if it is not one, which the report then says.
    fn decode(node: &Node, report: &mut Report) -> Option<Self>;
}

/// A value with its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where the value stands.
    pub spot: Spot,
    /// Where its key stands; for list items the same as `spot`.
    pub key: Spot,
}

impl<T: Decode> At<T> {
    /// Reads the value of a map's line.
    pub fn entry(entry: &Entry, report: &mut Report) -> Option<At<T>> {
        let value = T::decode(&entry.value, report)?;
        Some(At { value, spot: entry.value.spot, key: entry.key.spot })
    }

    /// Reads a list's item.
    pub fn item(node: &Node, report: &mut Report) -> Option<At<T>> {
        let value = T::decode(node, report)?;
        Some(At { value, spot: node.spot, key: node.spot })
    }
}

/// Says what was found instead of what is allowed.
pub fn wrong(node: &Node, allowed: &str, report: &mut Report) {
    report.error(Code::E108, node.spot, format!("expected {allowed}, found {}", node.found()));
}

/// The scalar of a node that must be one.
pub fn scalar<'n>(node: &'n Node, allowed: &str, report: &mut Report) -> Option<&'n Scalar> {
    let scalar = node.scalar();
    if scalar.is_none() {
        wrong(node, allowed, report);
    }
    scalar
}

/// The lines of a node that must be a map.
pub fn map<'n>(node: &'n Node, allowed: &str, report: &mut Report) -> Option<&'n [Entry]> {
    let map = node.map();
    if map.is_none() {
        wrong(node, allowed, report);
    }
    map
}

/// The items of a node that must be a list.
pub fn list<'n>(node: &'n Node, allowed: &str, report: &mut Report) -> Option<&'n [Node]> {
    match &node.value {
        Value::List(items) => Some(items),
        _ => {
            wrong(node, allowed, report);
            None
        }
    }
}

/// More names than this are not listed in a message.
const MANY: usize = 12;

/// Reports a key that nothing here is called. A path that a setting names is then a path that does not exist.
pub fn unknown_key<'k>(entry: &Entry, known: impl IntoIterator<Item = &'k str> + Clone, report: &mut Report) {
    let key = &entry.key;
    let (code, message) = match &key.patched {
        Some(path) => (Code::E403, format!("path \"{path}\" does not exist")),
        None => (Code::E102, format!("unknown key \"{}\"", crate::model::tree::crop(&key.text))),
    };
    let allowed: Vec<&str> = known.clone().into_iter().collect();
    let finding = report.error(code, key.spot, message).suggest(&key.text, known);
    if allowed.len() > MANY {
        finding.help("all fields: gilsim help format");
    } else if !allowed.is_empty() {
        finding.help(format!("allowed here: {}", allowed.join(", ")));
    }
}

/// Takes the answer of a reader of quantities, or reports its fault at the place of the node.
pub fn quantity<T>(node: &Node, read: Result<T, Fault>, report: &mut Report) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(fault) => {
            report.error(fault.code, node.spot, fault.message).values(&fault.values);
            None
        }
    }
}

impl Decode for Span {
    fn kind() -> String {
        "duration".to_owned()
    }
    fn schema() -> Json {
        schema::shape("duration")
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Span> {
        let text = &scalar(node, "a duration such as 5ms", report)?.text;
        quantity(node, quantity::duration(text), report)
    }
}

impl Decode for bool {
    fn kind() -> String {
        "true | false".to_owned()
    }
    fn schema() -> Json {
        schema::of_type("boolean")
    }
    fn decode(node: &Node, report: &mut Report) -> Option<bool> {
        let Scalar { text, form } = scalar(node, "true or false", report)?;
        match (text.as_str(), form) {
            ("true", Form::Typed) => Some(true),
            ("false", Form::Typed) => Some(false),
            _ => {
                let meant = match text.to_lowercase().as_str() {
                    "true" | "yes" | "on" | "y" | "1" => vec!["true".to_owned()],
                    "false" | "no" | "off" | "n" | "0" => vec!["false".to_owned()],
                    _ => Vec::new(),
                };
                let message = format!("expected true or false, found {}", node.found());
                report.error(Code::E107, node.spot, message).values(&meant);
                None
            }
        }
    }
}

/// Numbers in quotes are text; everything else is left to the reader of numbers.
fn number<'n>(node: &'n Node, allowed: &str, report: &mut Report) -> Option<&'n str> {
    let scalar = scalar(node, allowed, report)?;
    let numeric = scalar.text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.'));
    if scalar.form == Form::Quoted || !numeric {
        wrong(node, allowed, report);
        return None;
    }
    Some(&scalar.text)
}

impl Decode for u64 {
    fn kind() -> String {
        "whole number".to_owned()
    }
    fn schema() -> Json {
        schema::at_least_zero("integer")
    }
    fn decode(node: &Node, report: &mut Report) -> Option<u64> {
        let text = number(node, "a whole number", report)?;
        quantity(node, quantity::whole(text), report)
    }
}

impl Decode for i64 {
    fn kind() -> String {
        "integer".to_owned()
    }
    fn schema() -> Json {
        schema::of_type("integer")
    }
    fn decode(node: &Node, report: &mut Report) -> Option<i64> {
        let text = number(node, "a whole number", report)?;
        quantity(node, quantity::integer(text), report)
    }
}

impl Decode for Ratio {
    fn kind() -> String {
        "decimal".to_owned()
    }
    fn schema() -> Json {
        schema::at_least_zero("number")
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Ratio> {
        let text = number(node, "a decimal number", report)?;
        quantity(node, quantity::decimal(text), report)
    }
}

impl Decode for String {
    fn kind() -> String {
        "text".to_owned()
    }
    fn schema() -> Json {
        schema::text()
    }
    fn decode(node: &Node, report: &mut Report) -> Option<String> {
        scalar(node, "text", report).map(|scalar| scalar.text.clone())
    }
}

/// A percentage, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(pub Ratio);

impl Decode for Percent {
    fn kind() -> String {
        "percentage".to_owned()
    }
    fn schema() -> Json {
        schema::matching("^[0-9]+(\\.[0-9]+)?%$")
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Percent> {
        let text = &scalar(node, "a percentage such as 20%", report)?.text;
        quantity(node, quantity::percent(text), report).map(Percent)
    }
}

/// A rate, as the mean time between two events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(pub Span);

impl Decode for Rate {
    fn kind() -> String {
        "rate such as 100/s".to_owned()
    }
    fn schema() -> Json {
        schema::matching(&quantity::rate_pattern())
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Rate> {
        let text = &scalar(node, "a rate such as 100/s", report)?.text;
        quantity(node, quantity::rate(text), report).map(Rate)
    }
}

/// Any value, kept as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Anything(pub Node);

impl Decode for Anything {
    fn kind() -> String {
        "any value".to_owned()
    }
    fn schema() -> Json {
        Json::Object(Vec::new())
    }
    fn decode(node: &Node, _: &mut Report) -> Option<Anything> {
        Some(Anything(node.clone()))
    }
}

impl<T: Decode> Decode for Vec<At<T>> {
    fn kind() -> String {
        format!("list of {}", T::kind())
    }
    fn schema() -> Json {
        schema::list(T::schema())
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Vec<At<T>>> {
        let items = list(node, "a list", report)?;
        Some(items.iter().filter_map(|item| At::item(item, report)).collect())
    }
}

/// A map from names that the author chose, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T>(pub Vec<Item<T>>);

/// A declared name and what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<T> {
    /// The name.
    pub name: String,
    /// Where the name stands.
    pub spot: Spot,
    /// What it stands for; the default if that could not be read.
    pub value: T,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

impl<T> Named<T> {
    /// The declared names.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(|item| item.name.as_str())
    }
}

impl<T: Decode + Default> Decode for Named<T> {
    fn kind() -> String {
        format!("name: {}", T::kind())
    }
    fn schema() -> Json {
        schema::named(T::schema())
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Named<T>> {
        let entries = map(node, "a map of names", report)?;
        let item = |entry: &Entry| {
            check_name(&entry.key.text, entry.key.spot, report);
            let value = T::decode(&entry.value, report).unwrap_or_default();
            Item { name: entry.key.text.clone(), spot: entry.key.spot, value }
        };
        Some(Named(entries.iter().map(item).collect()))
    }
}

/// Reports a declared name that does not match `[A-Za-z][A-Za-z0-9_-]{0,62}`.
pub fn check_name(name: &str, spot: Spot, report: &mut Report) {
    let letter = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let rest = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !letter || !rest || name.len() > 63 {
        let message = format!("\"{}\" is not a usable name", crate::model::tree::crop(name));
        report.error(Code::E109, spot, message).help("a letter, then at most 62 letters, digits, _ or -");
    }
}
