//! The scheduling policy and its parameters.

use crate::model::code::Code;
use crate::model::decode::At;
use crate::model::lower::above_zero;
use crate::model::policies::PolicyName;
use crate::model::report::Report;
use crate::model::scenario::{DEFAULT_QUANTUM, Level, Scheduler};
use crate::model::spec::machine as shapes;
use crate::model::spec::machine::{PolicyParameters, Quanta};
use crate::model::spec::profile::Profile;
use crate::time::Span;

/// How many queues `mlfq` has if nothing says so.
const DEFAULT_QUEUES: usize = 3;
/// More queues than anybody tells apart.
const MOST_QUEUES: u64 = 64;
/// The period after which `mlfq` moves all threads to its highest queue.
const DEFAULT_BOOST: Span = Span::from_ms(1000);

/// The scheduler of a machine with so many cores.
pub fn scheduler(
    shape: Option<&At<shapes::Scheduler>>,
    profile: &Profile,
    cores: usize,
    report: &mut Report,
) -> Scheduler {
    let none = PolicyParameters::default();
    let parameters = shape.map_or(&none, |shape| &shape.value.parameters);
    above_zero("a slice", parameters.slice, report);
    let quantum = parameters.quantum.as_ref().and_then(|quantum| match quantum.value {
        Quanta::Same(span) => Some(span),
        Quanta::Each(_) => None,
    });
    Scheduler {
        policy: shape.map_or(PolicyName::Fair, |shape| shape.value.policy),
        slice: parameters.slice.map_or_else(|| profile.slice(cores), |slice| slice.value),
        quantum,
        preemptive: parameters.preemptive.is_none_or(|preemptive| preemptive.value),
        ageing: parameters.ageing.map_or(Span::ZERO, |ageing| ageing.value),
        levels: levels(parameters, report),
        boost: parameters.boost.map_or(DEFAULT_BOOST, |boost| boost.value),
    }
}

/// The queues of `mlfq`; also where another policy is chosen, so that the quanta are checked once.
fn levels(parameters: &PolicyParameters, report: &mut Report) -> Vec<Level> {
    let (quanta, allotments) = (parameters.quantum.as_ref(), parameters.allotment.as_ref());
    let count = queues(parameters, report);
    let quanta = each_queue("quantum", "a quantum", quanta, count, |level| doubled(DEFAULT_QUANTUM, level), report);
    let allotments = each_queue("allotment", "an allotment", allotments, count, |level| quanta[level], report);
    quanta.iter().zip(allotments).map(|(quantum, allotment)| Level { quantum: *quantum, allotment }).collect()
}

fn doubled(span: Span, times: usize) -> Span {
    (0..times).fold(span, |span, _| (span + span).min(crate::time::LONGEST))
}

/// As many as the model says, else as many as it lists quanta or allotments for.
fn queues(parameters: &PolicyParameters, report: &mut Report) -> usize {
    if let Some(At { value, spot, .. }) = parameters.queues {
        if !(1..=MOST_QUEUES).contains(&value) {
            report.error(Code::E105, spot, format!("{value} queues; mlfq has 1 to {MOST_QUEUES}"));
            return DEFAULT_QUEUES;
        }
        return value as usize;
    }
    let listed = [&parameters.quantum, &parameters.allotment].into_iter().flatten();
    let mut listed = listed.filter_map(|quanta| match &quanta.value {
        Quanta::Each(list) => Some(list.len()),
        Quanta::Same(_) => None,
    });
    listed.next().filter(|count| (1..=MOST_QUEUES as usize).contains(count)).unwrap_or(DEFAULT_QUEUES)
}

/// One span for each queue.
fn each_queue(
    what: &str,
    one: &str,
    quanta: Option<&At<Quanta>>,
    count: usize,
    default: impl Fn(usize) -> Span,
    report: &mut Report,
) -> Vec<Span> {
    match quanta {
        None => (0..count).map(default).collect(),
        Some(At { value: Quanta::Same(span), spot, key }) => {
            above_zero(one, Some(At { value: *span, spot: *spot, key: *key }), report);
            vec![*span; count]
        }
        Some(At { value: Quanta::Each(list), spot, .. }) => {
            list.iter().for_each(|span| above_zero(one, Some(*span), report));
            if list.len() != count {
                let message = format!("{} entries of {what} for {count} queues", list.len());
                report.error(Code::E105, *spot, message).help("one for each queue, from the highest on");
                return (0..count).map(default).collect();
            }
            list.iter().map(|span| span.value).collect()
        }
    }
}
