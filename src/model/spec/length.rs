//! `T` of the step table: a duration or a distribution of durations.

use crate::model::code::Code;
use crate::model::decode::{At, Decode, quantity, scalar, unknown_key, wrong};
use crate::model::program::Length;
use crate::model::report::Report;
use crate::model::schema::{self, Json};
use crate::model::spec::shape::shape;
use crate::model::tree::{Entry, Node, Spot, Value};
use crate::ratio::Ratio;
use crate::rng::{Distribution, Shape};
use crate::time::{LONGEST, Span};

/// The words that name a distribution.
pub const SHAPES: &[&str] = &["uniform", "normal", "exponential", "choice", "pareto"];
/// The keys that may stand beside one.
const BESIDE: &[&str] = &["min", "max", "weights"];

impl Decode for Length {
    fn kind() -> String {
        "duration | {uniform: [2ms, 6ms]} | {normal: [5ms, 1ms]} | {exponential: 5ms} | \
         {choice: [1ms, 50ms], weights: [9, 1]} | {pareto: {scale: 1ms, shape: 1.5}}, each also with min and max"
            .to_owned()
    }
    fn schema() -> Json {
        schema::shape("length")
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Length> {
        match &node.value {
            Value::Map(entries) => distribution(node, entries, report).map(|found| Length::Random(Box::new(found))),
            _ => Span::decode(node, report).map(Length::Fixed),
        }
    }
}

/// What JSON Schema calls a length.
pub fn schema() -> Json {
    let span = Span::schema;
    let mut properties: Vec<(String, Json)> =
        SHAPES.iter().chain(BESIDE).map(|word| ((*word).to_owned(), span())).collect();
    for (word, value) in &mut properties {
        *value = schema::value(match word.as_str() {
            "uniform" | "normal" | "choice" => schema::list(span()),
            "weights" => schema::list(u64::schema()),
            "pareto" => Pareto::schema(),
            _ => span(),
        });
    }
    schema::either([span(), schema::keys(properties, SHAPES)])
}

fn distribution(node: &Node, entries: &[Entry], report: &mut Report) -> Option<Distribution> {
    let known = || SHAPES.iter().chain(BESIDE).copied();
    let unknown: Vec<&Entry> = entries.iter().filter(|entry| known().all(|word| word != entry.key.text)).collect();
    for entry in &unknown {
        unknown_key(entry, known(), report);
    }
    let mut named = entries.iter().filter(|entry| SHAPES.contains(&entry.key.text.as_str()));
    let (Some(entry), None) = (named.next(), named.next()) else {
        if unknown.is_empty() {
            wrong(node, "a duration or one of uniform, normal, exponential, choice, pareto", report);
        }
        return None;
    };
    if entry.key.text != "choice"
        && let Some(weights) = entries.iter().find(|entry| entry.key.text == "weights")
    {
        report.error(Code::E102, weights.key.spot, "weights go with choice");
    }
    let shape = shape_of(entry, node, report);
    let min = bound(node, "min", Span::ZERO, report);
    let max = bound(node, "max", LONGEST, report);
    let (shape, min, max) = (shape?, min?, max?);
    if min > max {
        report.error(Code::E105, entry.key.spot, format!("min {min} is above max {max}"));
        return None;
    }
    Some(Distribution { shape, min: min.ns(), max: max.ns() })
}

fn bound(node: &Node, key: &str, default: Span, report: &mut Report) -> Option<Span> {
    node.get(key).map_or(Some(default), |bound| Span::decode(bound, report))
}

fn shape_of(entry: &Entry, node: &Node, report: &mut Report) -> Option<Shape> {
    let value = &entry.value;
    match entry.key.text.as_str() {
        "uniform" => {
            let (low, high) = pair(value, "two durations, [low, high]", report)?;
            if low > high {
                report.error(Code::E105, value.spot, format!("the low end {low} is above the high end {high}"));
                return None;
            }
            Some(Shape::Uniform(low.ns(), high.ns()))
        }
        "normal" => {
            let (mean, deviation) = pair(value, "two durations, [mean, deviation]", report)?;
            Some(Shape::Normal(mean.ns(), deviation.ns()))
        }
        "exponential" => Some(Shape::Exponential(Span::decode(value, report)?.ns())),
        "choice" => choice(value, node.get("weights"), report),
        _ => pareto(value, report),
    }
}

fn pair(node: &Node, allowed: &str, report: &mut Report) -> Option<(Span, Span)> {
    match &node.value {
        Value::List(items) if items.len() == 2 => {
            let (first, second) = (Span::decode(&items[0], report), Span::decode(&items[1], report));
            Some((first?, second?))
        }
        _ => {
            wrong(node, allowed, report);
            None
        }
    }
}

fn choice(node: &Node, weights: Option<&Node>, report: &mut Report) -> Option<Shape> {
    let values = Vec::<At<Span>>::decode(node, report);
    let weights_read = weights.map(|weights| Vec::<At<u64>>::decode(weights, report));
    let values: Vec<u64> = values?.iter().map(|at| at.value.ns()).collect();
    let given = match &node.value {
        Value::List(items) => items.len(),
        _ => 0,
    };
    let weights: Vec<u64> = match weights_read {
        Some(weights) => weights?.iter().map(|at| at.value).collect(),
        None => vec![1; values.len()],
    };
    if values.len() != given {
        return None;
    }
    if values.is_empty() || values.len() != weights.len() {
        let message = format!("{} values with {} weights", values.len(), weights.len());
        report.error(Code::E105, node.spot, message).help("one weight for each value, and at least one value");
        return None;
    }
    cumulative(&weights, node.spot, report).map(|cumulative| Shape::Choice { values, cumulative })
}

/// For each weight the sum of all up to and including it.
pub(in crate::model::spec) fn cumulative(weights: &[u64], spot: Spot, report: &mut Report) -> Option<Vec<u64>> {
    let mut total = 0u64;
    let sums: Option<Vec<u64>> = weights
        .iter()
        .map(|weight| {
            total = total.checked_add(*weight)?;
            Some(total)
        })
        .collect();
    if total == 0 || sums.is_none() {
        report.error(Code::E105, spot, "the weights must sum to a number above 0 that fits 64 bits");
        return None;
    }
    sums
}

shape! {
    /// The Pareto distribution.
    Pareto "pareto" {
        /// the smallest value
        scale: Span = "required";
        /// the tail index, at most three decimals
        shape: Ratio = "required";
    }
}

fn pareto(node: &Node, report: &mut Report) -> Option<Shape> {
    let Pareto { scale, shape } = Pareto::decode(node, report)?;
    let (Some(scale), Some(shape)) = (scale, shape) else {
        if node.get("scale").is_none() || node.get("shape").is_none() {
            wrong(node, "{scale: 1ms, shape: 1.5}", report);
        }
        return None;
    };
    let milli = shape.value.times(Ratio::whole(1000)).filter(|milli| milli.den() == 1).map(Ratio::num);
    match milli.and_then(|milli| u64::try_from(milli).ok()) {
        Some(shape_milli @ 1..=1_000_000) => Some(Shape::Pareto { scale: scale.value.ns(), shape_milli }),
        _ => {
            report.error(Code::E105, shape.spot, "the shape is from 0.001 to 1000, with at most three decimals");
            None
        }
    }
}

/// How often a loop runs: a number or `forever`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times(pub Option<u64>);

impl Decode for Times {
    fn kind() -> String {
        "whole number | forever".to_owned()
    }
    fn schema() -> Json {
        schema::either([schema::at_least_zero("integer"), schema::one_word(["forever"])])
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Times> {
        let text = &scalar(node, "a whole number or forever", report)?.text;
        if text == "forever" {
            return Some(Times(None));
        }
        if crate::model::quantity::whole(text).is_err_and(|fault| fault.code == Code::E108) {
            let message = format!("expected a whole number or forever, found {}", node.found());
            report.error(Code::E108, node.spot, message).suggest(text, ["forever"]);
            return None;
        }
        quantity(node, crate::model::quantity::whole(text), report).map(|times| Times(Some(times)))
    }
}
