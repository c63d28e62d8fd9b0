//! How a model is compared with actual workers, as its author has fixed it.

use crate::model::expect::{Aggregate, Metric};
use crate::ratio::Ratio;

/// The `validate` block.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// At most so many trials.
    pub runs: u64,
    /// How far prediction and measurement may be apart; `None` = by the class of each metric.
    pub tolerance: Option<Ratio>,
    /// What is compared; empty = the makespan.
    pub metrics: Vec<Listed>,
    /// Differences whose cause is known.
    pub known: Vec<Known>,
}

impl Default for Validation {
    fn default() -> Self {
        Validation { runs: 31, tolerance: None, metrics: Vec::new(), known: Vec::new() }
    }
}

/// A metric that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// As written.
    pub text: String,
    /// Over several values; `None` = their median.
    pub aggregate: Option<Aggregate>,
    /// Which.
    pub metric: Metric,
}

/// A difference whose cause is known: measured ÷ predicted stays between `least` and `most`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The metric as written in the list of metrics, or as reports name it.
    pub metric: String,
    /// The least ratio.
    pub least: Ratio,
    /// The largest ratio.
    pub most: Ratio,
    /// The cause.
    pub because: String,
}
