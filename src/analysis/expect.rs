//! Whether the author's expectations hold: exact comparisons of a run's metrics with the bounds in the model.

use crate::analysis::Metrics;
use crate::analysis::reading::{Amount, Reading, read};
use crate::analysis::samples::nearest_rank;
use crate::model::expect::{Aggregate, Claim, Comparison, Expectation, Metric, MetricName, Unit, Value};
use crate::ratio::{Ratio, gcd};
use crate::time::Span;
use crate::trace::Cast;

/// What came of one expectation.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The line as written.
    pub text: String,
    /// Why it must hold, if the author says so.
    pub because: Option<String>,
    /// Whether it holds.
    pub holds: bool,
    /// The value found: `600ms`, `495ms … 550ms` for several, or why there is none.
    pub value: String,
    /// Where it fails: by how much.
    pub miss: Option<Miss>,
}

/// How far a failed expectation is from holding.
#[derive(Clone, Debug, PartialEq)]
pub struct Miss {
    /// Whose value fails; empty for the whole run or an aggregate.
    pub who: String,
    /// The value that fails.
    pub value: String,
    /// The bound that it misses.
    pub bound: String,
    /// How far away it is; `None` where there is no distance (no value, yes or no).
    pub distance: Option<String>,
}

/// Evaluates all expectations of a model.
pub fn evaluate(cast: &Cast, metrics: &Metrics, expectations: &[Expectation]) -> Vec<Outcome> {
    expectations.iter().map(|expectation| outcome(cast, metrics, expectation)).collect()
}

fn outcome(cast: &Cast, metrics: &Metrics, expectation: &Expectation) -> Outcome {
    let judgement = match &expectation.claim {
        Claim::Metric { aggregate, metric, op, value } => {
            let bounds = bounds(cast, metrics, value);
            let readings = of_metric(cast, metrics, metric, *aggregate);
            judge(readings, *aggregate, *op, bounds, metric.name.unit())
        }
        Claim::Deadlock(wanted) => Judgement::plain(metrics.is_deadlock() == *wanted, metrics.ending_word()),
        Claim::OutputContains(text) => contains(metrics, text),
        Claim::TimeOf { text, op, value } => time_of(metrics, text, *op, *value),
    };
    Outcome {
        text: expectation.text.clone(),
        because: expectation.because.clone(),
        holds: judgement.miss.is_none(),
        value: judgement.value,
        miss: judgement.miss,
    }
}

/// The values of a metric; of one that changes over time only the largest, if nothing else is asked for.
fn of_metric(cast: &Cast, metrics: &Metrics, metric: &Metric, aggregate: Option<Aggregate>) -> Vec<Reading> {
    let readings = read(cast, metrics, metric);
    if metric.name != MetricName::Depth || aggregate.is_some() {
        return readings;
    }
    let mut largest: Vec<Reading> = Vec::new();
    for reading in readings {
        match largest.last_mut().filter(|last| last.who == reading.who) {
            Some(last) => *last = reading,
            None => largest.push(reading),
        }
    }
    largest
}

struct Judgement {
    value: String,
    miss: Option<Miss>,
}

impl Judgement {
    /// A claim that is true or false without a distance.
    fn plain(holds: bool, value: impl Into<String>) -> Judgement {
        let value = value.into();
        let miss = Miss { who: String::new(), value: value.clone(), bound: String::new(), distance: None };
        Judgement { value, miss: (!holds).then_some(miss) }
    }
}

fn contains(metrics: &Metrics, text: &str) -> Judgement {
    let found = metrics.output.iter().any(|line| line.text.contains(text));
    Judgement::plain(found, if found { "printed" } else { not_printed(metrics) })
}

/// Why a text was not found.
fn not_printed(metrics: &Metrics) -> &'static str {
    if metrics.more_output == 0 { "never printed" } else { "not in the first 16 MiB of the output" }
}

fn time_of(metrics: &Metrics, text: &str, op: Comparison, bound: Span) -> Judgement {
    let printed = metrics.output.iter().find(|line| line.text.contains(text));
    let value = printed.map(|line| Amount::Exact(Ratio::whole(line.at.ns().into())));
    let reading = Reading { who: String::new(), value: value.ok_or_else(|| not_printed(metrics).into()), count: 1 };
    judge(vec![reading], None, op, vec![exactly(Ratio::whole(bound.ns().into()))], Unit::Time)
}

fn exactly(value: Ratio) -> Reading {
    Reading { who: String::new(), value: Ok(Amount::Exact(value)), count: 1 }
}

/// The right side: one bound, or one for each thread of the metric it names.
fn bounds(cast: &Cast, metrics: &Metrics, value: &Value) -> Vec<Reading> {
    let (factor, metric) = match value {
        Value::Time(span) => return vec![exactly(Ratio::whole(span.ns().into()))],
        Value::Number(number) => return vec![exactly(*number)],
        Value::Times(factor, metric) => (*factor, metric),
    };
    let mut readings = read(cast, metrics, metric);
    for reading in &mut readings {
        reading.value = reading.value.clone().and_then(|value| scaled(value, factor, metric));
    }
    readings
}

fn scaled(value: Amount, factor: Ratio, metric: &Metric) -> Result<Amount, String> {
    let Amount::Exact(value) = value else { return Ok(value) };
    value.times(factor).map(Amount::Exact).ok_or_else(|| format!("{} is too large to multiply", metric.name.word()))
}

fn judge(
    readings: Vec<Reading>,
    aggregate: Option<Aggregate>,
    op: Comparison,
    bounds: Vec<Reading>,
    unit: Unit,
) -> Judgement {
    if readings.is_empty() || bounds.is_empty() {
        return Judgement::plain(true, "nothing to compare");
    }
    let readings = match aggregate {
        None | Some(Aggregate::Any | Aggregate::All) => readings,
        Some(aggregate) => vec![aggregated(&readings, aggregate)],
    };
    let value = range(&readings, unit);
    let missed = |reading: &Reading| bounds.iter().find_map(|bound| miss(reading, op, bound, unit));
    if aggregate == Some(Aggregate::Any) && readings.iter().any(|reading| missed(reading).is_none()) {
        return Judgement { value, miss: None };
    }
    // The worst miss is shown: no value at all, else the farthest one.
    let worst = readings.iter().filter_map(missed).max_by_key(|(distance, _)| (distance.is_none(), *distance));
    Judgement { value, miss: worst.map(|(_, miss)| miss) }
}

/// All values in short: `495ms … 550ms`, or the one they share.
fn range(readings: &[Reading], unit: Unit) -> String {
    if let Some(missing) = readings.iter().find_map(|reading| reading.value.as_ref().err()) {
        return missing.clone();
    }
    let values = || readings.iter().filter_map(|reading| reading.value.as_ref().ok());
    let text = |value: Option<&Amount>| value.map(|value| value.text(unit)).unwrap_or_default();
    let (least, largest) = (text(values().min()), text(values().max()));
    if least == largest { least } else { format!("{least} … {largest}") }
}

/// One value for all. Where one is missing there is none.
fn aggregated(readings: &[Reading], aggregate: Aggregate) -> Reading {
    if let Some(missing) = readings.iter().find(|reading| reading.value.is_err()) {
        return missing.clone();
    }
    let mut values: Vec<(Amount, u64)> =
        readings.iter().filter_map(|reading| Some((*reading.value.as_ref().ok()?, reading.count))).collect();
    values.sort();
    let value = match aggregate {
        Aggregate::Min => values.first().map(|(value, _)| *value).ok_or_else(String::new),
        Aggregate::Total => sum(&values).map(Amount::Exact),
        Aggregate::Mean => sum(&values).and_then(|sum| mean(sum, &values)),
        Aggregate::Percentile(percent) => percentile(&values, percent).ok_or_else(String::new),
        Aggregate::Max | Aggregate::Any | Aggregate::All => {
            values.last().map(|(value, _)| *value).ok_or_else(String::new)
        }
    };
    Reading { who: String::new(), value, count: 1 }
}

const TOO_LARGE: &str = "too large to add up exactly";

fn sum(values: &[(Amount, u64)]) -> Result<Ratio, String> {
    let mut sum = Ratio::ZERO;
    for (value, count) in values {
        let Amount::Exact(value) = value else { return Err("negative codes have no sum".into()) };
        let all = value.times(Ratio::whole((*count).into()));
        sum = all.and_then(|all| plus(sum, all)).ok_or(TOO_LARGE)?;
    }
    Ok(sum)
}

fn mean(sum: Ratio, values: &[(Amount, u64)]) -> Result<Amount, String> {
    let count = values.iter().map(|(_, count)| u128::from(*count)).sum();
    Ok(Amount::Exact(sum.times(Ratio::new(1, count)).ok_or(TOO_LARGE)?))
}

fn percentile(sorted: &[(Amount, u64)], percent: u8) -> Option<Amount> {
    let rank = nearest_rank(percent, sorted.iter().map(|(_, count)| count).sum());
    let mut seen = 0;
    let mut reached = sorted.iter().skip_while(|(_, count)| {
        seen += count;
        seen < rank
    });
    reached.next().map(|(value, _)| *value)
}

/// How a value misses a bound, with the distance for comparing misses; `None` if it does not.
fn miss(reading: &Reading, op: Comparison, bound: &Reading, unit: Unit) -> Option<(Option<Ratio>, Miss)> {
    let (value, limit) = (reading.text(unit), bound.text(unit));
    let mut miss = Miss { who: reading.who.clone(), value, bound: limit, distance: None };
    let (Ok(value), Ok(limit)) = (&reading.value, &bound.value) else {
        return Some((None, miss));
    };
    if holds(*value, op, *limit) {
        return None;
    }
    let distance = match (value, limit) {
        (Amount::Exact(value), Amount::Exact(limit)) => apart(*value, *limit),
        _ => None,
    };
    miss.distance = distance.map(|distance| distance_text(distance, value > limit, unit));
    Some((distance, miss))
}

fn holds(value: Amount, op: Comparison, bound: Amount) -> bool {
    match op {
        Comparison::AtMost => value <= bound,
        Comparison::AtLeast => value >= bound,
        Comparison::Less => value < bound,
        Comparison::More => value > bound,
        Comparison::Equal(None) => value == bound,
        Comparison::Equal(Some(part)) | Comparison::About(part) => within(value, bound, part),
    }
}

/// Whether a value is at most the given part of the bound away from it.
fn within(value: Amount, bound: Amount, part: Ratio) -> bool {
    let (Amount::Exact(value), Amount::Exact(bound)) = (value, bound) else { return value == bound };
    let below = Ratio::new(part.den().saturating_sub(part.num()), part.den());
    let above = Ratio::new(part.den().saturating_add(part.num()), part.den());
    let inside = |low: Option<Ratio>, high: Option<Ratio>| Some(value >= low? && value <= high?);
    inside(bound.times(below), bound.times(above)).unwrap_or(value == bound)
}

fn distance_text(distance: Ratio, above: bool, unit: Unit) -> String {
    let shown = Amount::Exact(distance).text(unit);
    // A difference that rounding would hide is shown as the fraction it is.
    let shown =
        if distance > Ratio::ZERO && shown == "0" { format!("{}/{}", distance.num(), distance.den()) } else { shown };
    format!("{shown} {}", if above { "more" } else { "less" })
}

fn plus(a: Ratio, b: Ratio) -> Option<Ratio> {
    let (a_times, b_times) = common(a, b);
    let num = a.num().checked_mul(a_times)?.checked_add(b.num().checked_mul(b_times)?)?;
    Some(Ratio::new(num, a.den().checked_mul(a_times)?))
}

fn apart(a: Ratio, b: Ratio) -> Option<Ratio> {
    let (a_times, b_times) = common(a, b);
    let (left, right) = (a.num().checked_mul(a_times)?, b.num().checked_mul(b_times)?);
    Some(Ratio::new(left.abs_diff(right), a.den().checked_mul(a_times)?))
}

/// By what to extend two fractions to their least common denominator. Shares of one sum stay small that way.
fn common(a: Ratio, b: Ratio) -> (u128, u128) {
    let shared = gcd(a.den(), b.den());
    (b.den() / shared, a.den() / shared)
}

#[cfg(test)]
mod tests;
