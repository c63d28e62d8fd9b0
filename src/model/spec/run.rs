//! The shapes of the run and of what is expected of it.

use crate::model::decode::{Anything, At, Decode, Percent, map, wrong};
use crate::model::report::Report;
use crate::model::schema::{self, Json};
use crate::model::spec::shape::shape;
use crate::model::tree::{Entry, Node, Value};
use crate::ratio::Ratio;
use crate::time::Span;

shape! {
    /// What a run is bounded by and seeded with.
    Run "run" {
        /// the horizon
        until: Span = "none";
        /// seed of all random streams
        seed: u64 = "1";
        /// after so many events the run ends
        max_events: u64 = "100000000";
    }
}

shape! {
    /// How the model is compared with actual workers.
    Validate "validate" {
        /// at most so many runs
        runs: u64 = "31";
        /// how far prediction and measurement may be apart
        tolerance: Percent = "by metric";
        /// what is compared, with an aggregate where there are several values (the median is the default)
        metrics: Vec<At<String>> = "makespan";
        /// differences whose cause is known, each within a band
        known: Vec<At<Known>> = "none";
    }
}

shape! {
    /// A difference between prediction and measurement whose cause is known. Outside of its band it is a new one.
    Known "known divergence" {
        /// which of the metrics
        metric: String = "required";
        /// the least ratio of measured to predicted
        least: Ratio = "required";
        /// the largest
        most: Ratio = "required";
        /// the cause
        because: String = "required";
    }
}

shape! {
    /// A named variant of this very model.
    Variant "variant" {
        /// what a reader should notice
        about: String = "none";
        /// path: value, applied before the model is read
        set: Settings = "none";
        /// replaces the model's expectations; `inherit` keeps them
        expect: VariantExpectations = "none";
    }
}

shape! {
    /// An expectation with its reason.
    Because "expectation" {
        /// the expectation
        that: String = "required";
        /// why it must hold
        because: String = "none";
    }
}

/// `makespan == 600ms`, or `{that: …, because: …}`.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectLine {
    /// The expectation, with the node it stands in.
    pub that: String,
    /// Where it stands.
    pub node: Node,
    /// Why it must hold.
    pub because: Option<String>,
}

impl Decode for ExpectLine {
    fn kind() -> String {
        "expectation | <expectation>".to_owned()
    }
    fn schema() -> Json {
        schema::either([schema::of_type("string"), Because::schema()])
    }
    fn decode(node: &Node, report: &mut Report) -> Option<ExpectLine> {
        if !matches!(node.value, Value::Map(_)) {
            let that = String::decode(node, report)?;
            return Some(ExpectLine { that, node: node.clone(), because: None });
        }
        let line = Because::decode(node, report)?;
        let Some(that) = node.get("that") else {
            wrong(node, "{that: expectation, because: reason}", report);
            return None;
        };
        let because = line.because.map(|because| because.value);
        Some(ExpectLine { that: line.that?.value, node: that.clone(), because })
    }
}

/// The expectations of a variant.
#[derive(Clone, Debug, PartialEq)]
pub enum VariantExpectations {
    /// The model's hold for the variant too.
    Inherit,
    /// Its own.
    Lines(Vec<At<ExpectLine>>),
}

impl Decode for VariantExpectations {
    fn kind() -> String {
        "list of expectation | inherit".to_owned()
    }
    fn schema() -> Json {
        schema::either([schema::one_word(["inherit"]), Vec::<At<ExpectLine>>::schema()])
    }
    fn decode(node: &Node, report: &mut Report) -> Option<VariantExpectations> {
        match &node.value {
            Value::Scalar(scalar) if scalar.text == "inherit" => Some(VariantExpectations::Inherit),
            Value::List(_) => Vec::decode(node, report).map(VariantExpectations::Lines),
            _ => {
                wrong(node, "a list of expectations, or inherit", report);
                None
            }
        }
    }
}

/// The lines of `set`: paths and values. Whether a path exists is seen when it is applied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings(pub Vec<Entry>);

impl Decode for Settings {
    fn kind() -> String {
        format!("path: {}", Anything::kind())
    }
    fn schema() -> Json {
        schema::of_type("object")
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Settings> {
        map(node, "a map of paths and values", report).map(|entries| Settings(entries.to_vec()))
    }
}
