//! The single values of a run that a prediction and a measurement are compared by.

use crate::analysis::reading::{Amount, read};
use crate::analysis::samples::nearest_rank;
use crate::analysis::verdict::Class;
use crate::analysis::{Metrics, Seen};
use crate::ids::{GroupId, ThreadId};
use crate::model::expect::{Aggregate, Metric, MetricName, Unit};
use crate::model::validation::{Listed, Validation};
use crate::ratio::Ratio;
use crate::trace::Cast;

/// One value of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// Its name in reports.
    pub text: String,
    /// How it is compared.
    pub class: Class,
    /// Whether the verdict on the model depends on it.
    pub required: bool,
    what: What,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    Metric(Option<Aggregate>, Metric),
    Hold(u8),
    Calls(GroupId),
}

/// What a run is known by.
#[derive(Clone, Copy, Debug)]
pub struct Known<'r> {
    /// Who appears.
    pub cast: &'r Cast,
    /// Its metrics.
    pub metrics: &'r Metrics,
    /// Its holds and blocking calls.
    pub seen: &'r Seen,
}

/// What is compared: what the model lists (the makespan if it lists nothing), then what is worth a look besides.
/// `predicted` is the simulated run: what does not occur in it is not listed by itself.
pub fn measures(validation: &Validation, predicted: Known<'_>) -> Vec<Measure> {
    let makespan = Listed { text: "makespan".into(), aggregate: None, metric: metric(MetricName::Makespan, None) };
    let listed = if validation.metrics.is_empty() { vec![makespan.clone()] } else { validation.metrics.clone() };
    let mut measures: Vec<Measure> = listed.iter().filter_map(required).collect();
    for candidate in usual(makespan, predicted) {
        let occurs = candidate.value(predicted).is_some_and(|value| value > least(&candidate));
        if occurs && !measures.iter().any(|each| each.what == candidate.what || each.text == candidate.text) {
            measures.push(candidate);
        }
    }
    measures
}

fn least(measure: &Measure) -> Ratio {
    measure.class.least().map_or(Ratio::ZERO, |(least, _)| least)
}

fn metric(name: MetricName, selector: Option<&str>) -> Metric {
    Metric { name, selector: selector.map(str::to_owned) }
}

fn required(listed: &Listed) -> Option<Measure> {
    let class = Class::of(listed.metric.name)?;
    let what = What::Metric(listed.aggregate, listed.metric.clone());
    Some(Measure { text: listed.text.clone(), class, required: true, what })
}

/// What anybody would look at.
fn usual(makespan: Listed, predicted: Known<'_>) -> Vec<Measure> {
    let measure = |text: String, class, what| Measure { text, class, required: false, what };
    let mut usual = Vec::new();
    usual.extend(required(&makespan).map(|makespan| Measure { required: false, ..makespan }));
    for (group, name) in predicted.cast.groups.iter() {
        let members = members(predicted.cast, group);
        if members.is_empty() {
            continue;
        }
        let of = |aggregate: Option<Aggregate>, prefix: &str, metric_name: MetricName, class| {
            let text = format!("{prefix}{}({name})", metric_name.word());
            measure(text, class, What::Metric(aggregate, metric(metric_name, Some(name))))
        };
        if members.iter().any(|member| !predicted.cast.threads[*member].daemon) {
            usual.push(of(None, "", MetricName::Finish, Class::Time));
        }
        match members.len() {
            1 if predicted.cast.threads.len() == 1 => {}
            1 => usual.push(of(None, "", MetricName::Share, Class::Share)),
            _ => {
                usual.push(of(Some(Aggregate::Min), "min ", MetricName::Share, Class::Share));
                usual.push(of(Some(Aggregate::Max), "max ", MetricName::Share, Class::Share));
            }
        }
        usual.push(of(None, "", MetricName::EachWaitGil, Class::Wait));
        usual.push(measure(format!("blocking calls({name})"), Class::Count, What::Calls(group)));
    }
    usual.push(measure("gil_switches".into(), Class::Count, What::Metric(None, metric(MetricName::GilSwitches, None))));
    usual.push(measure("hold, median".into(), Class::Hold, What::Hold(50)));
    usual.push(measure("hold, p95".into(), Class::Hold, What::Hold(95)));
    usual
}

fn members(cast: &Cast, group: GroupId) -> Vec<ThreadId> {
    cast.threads.iter().filter(|(_, actor)| actor.group == group).map(|(id, _)| id).collect()
}

impl Measure {
    /// The metric behind it, if it is one of the model format.
    pub fn metric(&self) -> Option<MetricName> {
        match &self.what {
            What::Metric(_, metric) => Some(metric.name),
            What::Hold(_) | What::Calls(_) => None,
        }
    }

    /// What its values are.
    pub fn unit(&self) -> Unit {
        match &self.what {
            What::Metric(_, metric) => metric.name.unit(),
            What::Hold(_) => Unit::Time,
            What::Calls(_) => Unit::Number,
        }
    }

    /// Its value in a run; `None` where there is none, as the finish of somebody who does not finish.
    pub fn value(&self, run: Known<'_>) -> Option<Ratio> {
        match &self.what {
            What::Metric(aggregate, metric) => of_metric(*aggregate, metric, run),
            What::Hold(percent) => run.seen.holds.percentile(*percent).map(|hold| Ratio::whole(hold.ns().into())),
            What::Calls(group) => {
                let calls = members(run.cast, *group).into_iter().map(|thread| run.seen.calls[thread]);
                Some(Ratio::whole(calls.map(u128::from).sum()))
            }
        }
    }

    /// Nanoseconds as a reader writes them.
    pub fn duration(ns: Ratio) -> String {
        short(ns, Unit::Time)
    }

    /// A value as a reader writes it.
    pub fn show(&self, value: Option<Ratio>) -> String {
        value.map_or_else(|| "none".to_owned(), |value| short(value, self.unit()))
    }
}

/// At most four digits behind the unit's point: nobody measures better.
fn short(value: Ratio, unit: Unit) -> String {
    let whole = value.num() / value.den();
    match (unit, u64::try_from(whole)) {
        (Unit::Time, Ok(ns)) => crate::time::Span::from_ns(ns).short(),
        _ => Amount::Exact(value).text(unit),
    }
}

fn of_metric(aggregate: Option<Aggregate>, metric: &Metric, run: Known<'_>) -> Option<Ratio> {
    let mut values: Vec<(Option<Ratio>, u64)> = Vec::new();
    for reading in read(run.cast, run.metrics, metric) {
        let value = match reading.value {
            Ok(Amount::Exact(value)) => Some(value),
            Ok(Amount::Negative(_)) | Err(_) => None,
        };
        values.push((value, reading.count));
    }
    // Who has no value comes last.
    values.sort_by_key(|(value, _)| value.unwrap_or(Ratio::whole(u128::MAX)));
    match aggregate {
        Some(Aggregate::Min) => values.first()?.0,
        Some(Aggregate::Max) => values.last()?.0,
        Some(Aggregate::Mean) => mean(&values),
        Some(Aggregate::Total) => total(&values),
        Some(Aggregate::Percentile(percent)) => percentile(&values, percent),
        Some(Aggregate::Any | Aggregate::All) | None => percentile(&values, 50),
    }
}

fn percentile(values: &[(Option<Ratio>, u64)], percent: u8) -> Option<Ratio> {
    let rank = nearest_rank(percent, values.iter().map(|(_, count)| count).sum());
    let mut seen = 0;
    values.iter().find_map(|(value, count)| {
        seen += count;
        (seen >= rank).then_some(*value)
    })?
}

fn total(values: &[(Option<Ratio>, u64)]) -> Option<Ratio> {
    values.iter().try_fold(Ratio::ZERO, |sum, (value, count)| {
        let value = value.as_ref()?.times(Ratio::whole(u128::from(*count)))?;
        Some(Ratio::new(sum.num() * value.den() + value.num() * sum.den(), sum.den() * value.den()))
    })
}

fn mean(values: &[(Option<Ratio>, u64)]) -> Option<Ratio> {
    let count: u64 = values.iter().map(|(_, count)| count).sum();
    total(values)?.times(Ratio::new(1, u128::from(count)))
}
