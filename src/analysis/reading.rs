//! From the name of a metric to its values in one run.

use crate::analysis::{Metrics, Samples, SpanMetrics, ThreadMetrics};
use crate::ids::{ObjectId, ProcId, SpanId, ThreadId};
use crate::model::expect::{Metric, MetricName, Unit};
use crate::ratio::Ratio;
use crate::time::Span;
use crate::trace::{Cast, ObjectKind, State, Thing};

/// One value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Whose it is; empty for the whole run.
    pub who: String,
    /// The value, or why there is none.
    pub value: Result<Amount, String>,
    /// How often it occurs (lists of single waits name each different value once).
    pub count: u64,
}

/// A value: durations count nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Amount {
    /// A number below zero: only exit codes can be (a process that a signal ended), and variables.
    Negative(i64),
    /// Any other.
    Exact(Ratio),
}

/// All values of a metric; none if its selector means nobody.
pub fn read(cast: &Cast, metrics: &Metrics, metric: &Metric) -> Vec<Reading> {
    let selector = metric.selector.as_deref();
    match metric.name {
        MetricName::Held => locks(cast, metrics, selector.unwrap_or("*")),
        MetricName::Depth => depths(cast, metrics, selector.unwrap_or("*")),
        MetricName::VariableValue => values(cast, metrics, selector.unwrap_or("*")),
        MetricName::Exit => exits(cast, metrics, selector.unwrap_or("*")),
        MetricName::Count => count(cast, metrics, selector.unwrap_or_default()),
        MetricName::Latency => latencies(cast, metrics, selector.unwrap_or("*")),
        MetricName::Throughput => {
            spans(cast, metrics, selector.unwrap_or("*"), |span| span.throughput(metrics.makespan))
        }
        MetricName::Fairness => fairness(cast, metrics, selector),
        name => match selector {
            Some(selector) => threads(cast, metrics, name, cast.select(selector)),
            None => whole_run(cast, metrics, name),
        },
    }
}

fn of_run(value: Ratio) -> Reading {
    Reading { who: String::new(), value: Ok(Amount::Exact(value)), count: 1 }
}

fn time(span: Span) -> Ratio {
    Ratio::whole(span.ns().into())
}

/// The metrics of the whole run. A metric of threads without a selector is about all of them.
fn whole_run(cast: &Cast, metrics: &Metrics, name: MetricName) -> Vec<Reading> {
    let value = match name {
        MetricName::Makespan => time(metrics.makespan),
        MetricName::Work => exact_sum(metrics, ThreadMetrics::work),
        MetricName::PythonWork => exact_sum(metrics, |thread| thread.python_work),
        MetricName::NativeWork => exact_sum(metrics, |thread| thread.native_work),
        MetricName::CoresBusy => metrics.cores_busy(),
        MetricName::MaxRunning => Ratio::whole(metrics.max_running.into()),
        MetricName::MaxInPython => Ratio::whole(metrics.max_in_python.into()),
        MetricName::GilBusy => Ratio::whole(metrics.gils.values().map(|gil| u128::from(gil.busy.ns())).sum()),
        MetricName::GilSwitches => Ratio::whole(metrics.all_gils().switches.into()),
        MetricName::GilForced => Ratio::whole(metrics.all_gils().forced.into()),
        MetricName::GilRequests => Ratio::whole(metrics.all_gils().requests.into()),
        MetricName::Switches => Ratio::whole(metrics.count(|thread| thread.switches).into()),
        MetricName::Preemptions => Ratio::whole(metrics.count(|thread| thread.preemptions).into()),
        MetricName::Migrations => Ratio::whole(metrics.count(|thread| thread.migrations).into()),
        MetricName::Misses => Ratio::whole(metrics.count(|thread| thread.jobs.misses).into()),
        _ => return threads(cast, metrics, name, cast.threads.ids().collect()),
    };
    vec![of_run(value)]
}

fn exact_sum(metrics: &Metrics, of: impl Fn(&ThreadMetrics) -> Span) -> Ratio {
    Ratio::whole(metrics.threads.values().map(|thread| u128::from(of(thread).ns())).sum())
}

fn threads(cast: &Cast, metrics: &Metrics, name: MetricName, threads: Vec<ThreadId>) -> Vec<Reading> {
    if name == MetricName::EachWaitGil {
        return waits(cast, metrics, threads);
    }
    let reading = |id| Reading {
        who: cast.label(id),
        value: of_thread(cast, metrics, name, id).map(Amount::Exact).ok_or_else(|| missing(metrics, name, id)),
        count: 1,
    };
    let readings = |id| of_jobs(metrics, name, id).map_or_else(|| vec![reading(id)], |list| singles(cast, id, list));
    threads.into_iter().flat_map(readings).collect()
}

/// A metric that a thread with jobs has once for each finished job; `None` for others, and while no job is finished.
fn of_jobs(metrics: &Metrics, name: MetricName, id: ThreadId) -> Option<&Samples> {
    let jobs = &metrics.threads[id].jobs;
    let list = match name {
        MetricName::Response => &jobs.responses,
        MetricName::Turnaround => &jobs.turnarounds,
        _ => return None,
    };
    Some(list).filter(|list| !list.is_empty())
}

/// Each different value of a list.
fn singles(cast: &Cast, id: ThreadId, list: &Samples) -> Vec<Reading> {
    let reading = |(value, count)| Reading { who: cast.label(id), value: Ok(Amount::Exact(time(value))), count };
    list.values().map(reading).collect()
}

/// The single waits of all these threads. Threads of which nobody ever waited count as one wait of no length, so that
/// "at least 5ms" fails for them and "at most 5ms" holds.
fn waits(cast: &Cast, metrics: &Metrics, threads: Vec<ThreadId>) -> Vec<Reading> {
    let of_thread = |id: &ThreadId| singles(cast, *id, &metrics.threads[*id].each_wait_gil);
    let waits: Vec<Reading> = threads.iter().flat_map(of_thread).collect();
    if waits.is_empty() && !threads.is_empty() { vec![of_run(Ratio::ZERO)] } else { waits }
}

fn of_thread(cast: &Cast, metrics: &Metrics, name: MetricName, id: ThreadId) -> Option<Ratio> {
    let thread = &metrics.threads[id];
    let span = match name {
        MetricName::Finish => Span::from_ns(thread.finish?.ns()),
        MetricName::FirstRun => Span::from_ns(thread.first_run?.ns()),
        MetricName::Response | MetricName::Turnaround if thread.jobs.released > 0 => return None,
        MetricName::Response => thread.response()?,
        MetricName::Turnaround => thread.turnaround()?,
        MetricName::Waiting => thread.waiting(),
        MetricName::Ran => thread.ran(),
        MetricName::WaitGil => thread.wait_gil(),
        MetricName::Forced => thread.states.of(State::Forced),
        MetricName::WaitCore => thread.wait_core(),
        MetricName::WaitLock => thread.states.of(State::Lock),
        MetricName::WaitQueue => thread.states.of(State::Queue),
        MetricName::InIo => thread.states.of(State::Io),
        MetricName::Startup => thread.states.of(State::StartUp),
        MetricName::Work => thread.work(),
        MetricName::PythonWork => thread.python_work,
        MetricName::NativeWork => thread.native_work,
        MetricName::Switches => return Some(Ratio::whole(thread.switches.into())),
        MetricName::Preemptions => return Some(Ratio::whole(thread.preemptions.into())),
        MetricName::Migrations => return Some(Ratio::whole(thread.migrations.into())),
        MetricName::Misses => return Some(Ratio::whole(thread.jobs.misses.into())),
        MetricName::Share => return Some(metrics.share(cast, id)),
        _ => return None,
    };
    Some(time(span))
}

/// Why a thread has no value.
fn missing(metrics: &Metrics, name: MetricName, id: ThreadId) -> String {
    let thread = &metrics.threads[id];
    match (name, thread.arrival) {
        (_, None) => "never started".into(),
        (MetricName::Response | MetricName::Turnaround, _) if thread.jobs.released > 0 => {
            format!("no job finished by the {}", metrics.ending_place())
        }
        (MetricName::Finish | MetricName::Turnaround, _) => format!("not finished at the {}", metrics.ending_place()),
        (MetricName::FirstRun | MetricName::Response, _) => "never ran".into(),
        _ => format!("{} has no value for a thread", name.word()),
    }
}

fn fairness(cast: &Cast, metrics: &Metrics, selector: Option<&str>) -> Vec<Reading> {
    let threads = selector.map_or_else(|| cast.threads.ids().collect(), |selector| cast.select(selector));
    if threads.is_empty() { Vec::new() } else { vec![of_run(metrics.fairness(threads))] }
}

/// Whether a selector means an object of this name, or of this name in one of the processes.
fn means(selector: &str, name: &str) -> bool {
    let short = name.rsplit_once('/').map_or(name, |(_, short)| short);
    names(selector, name) || names(selector, short)
}

/// For each number of items that a queue held how long it did, in nanoseconds, so that aggregates are over time.
fn depths(cast: &Cast, metrics: &Metrics, selector: &str) -> Vec<Reading> {
    let of_queue = |(id, thing): (ObjectId, &Thing)| {
        let who = thing.name.clone();
        let reading = move |(depth, time): (&i64, &Span)| Reading {
            who: who.clone(),
            value: Ok(whole(*depth)),
            count: time.ns(),
        };
        metrics.objects[id].times.iter().map(reading).collect::<Vec<_>>()
    };
    let meant = |(_, thing): &(ObjectId, &Thing)| thing.kind == ObjectKind::Queue && means(selector, &thing.name);
    let readings: Vec<Reading> = cast.objects.iter().filter(meant).flat_map(of_queue).collect();
    if readings.is_empty() { vec![of_run(Ratio::ZERO)] } else { readings }
}

/// The last value of variables.
fn values(cast: &Cast, metrics: &Metrics, selector: &str) -> Vec<Reading> {
    let meant = |(_, thing): &(ObjectId, &Thing)| thing.kind == ObjectKind::Variable && means(selector, &thing.name);
    let of_variable = |(id, thing): (ObjectId, &Thing)| Reading {
        who: thing.name.clone(),
        value: Ok(whole(metrics.objects[id].last)),
        count: 1,
    };
    cast.objects.iter().filter(meant).map(of_variable).collect()
}

fn locks(cast: &Cast, metrics: &Metrics, selector: &str) -> Vec<Reading> {
    let meant = cast.locks.iter().filter(|(_, name)| means(selector, name));
    let of_lock = |(id, name): (_, &String)| Reading { who: name.clone(), ..of_run(time(metrics.locks[id])) };
    meant.map(of_lock).collect()
}

fn exits(cast: &Cast, metrics: &Metrics, selector: &str) -> Vec<Reading> {
    let is_member = |id: ProcId| cast.process_groups[id].is_some_and(|group| cast.groups[group] == selector);
    let selected = cast.processes.iter().filter(|(id, name)| names(selector, name) || is_member(*id));
    let of_process = |(id, name): (ProcId, &String)| Reading {
        who: name.clone(),
        value: metrics.exits[id]
            .map(exit_code)
            .ok_or_else(|| format!("still running at the {}", metrics.ending_place())),
        count: 1,
    };
    selected.map(of_process).collect()
}

fn exit_code(code: i32) -> Amount {
    whole(code.into())
}

fn whole(number: i64) -> Amount {
    u128::try_from(number).map_or(Amount::Negative(number), |number| Amount::Exact(Ratio::whole(number)))
}

fn count(cast: &Cast, metrics: &Metrics, what: &str) -> Vec<Reading> {
    let declared = match what {
        "process" => cast.processes.len(),
        "gil" => cast.gils.len(),
        "thread" => cast.threads.len(),
        _ => return spans(cast, metrics, what, |span| Some(Ratio::whole(span.count().into()))),
    };
    vec![of_run(Ratio::whole(declared as u128))]
}

/// One value for each name of a stretch of work.
fn spans(cast: &Cast, metrics: &Metrics, selector: &str, of: impl Fn(&SpanMetrics) -> Option<Ratio>) -> Vec<Reading> {
    let meant = cast.spans.iter().filter(|(_, name)| names(selector, name));
    let reading = |(id, name): (_, &String)| Reading {
        who: name.clone(),
        value: of(&metrics.spans[id]).map(Amount::Exact).ok_or_else(|| "the run took no time".into()),
        count: 1,
    };
    meant.map(reading).collect()
}

/// How long each single stretch took. A name of which none has ended has no latency.
fn latencies(cast: &Cast, metrics: &Metrics, selector: &str) -> Vec<Reading> {
    let meant = cast.spans.iter().filter(|(_, name)| names(selector, name));
    let of_span = |(id, name): (SpanId, &String)| {
        let reading = |value, count| Reading { who: name.clone(), value, count };
        let ended = &metrics.spans[id].latency;
        match ended.is_empty() {
            true => vec![reading(Err(format!("no {name} has ended at the {}", metrics.ending_place())), 1)],
            false => ended.values().map(|(took, count)| reading(Ok(Amount::Exact(time(took))), count)).collect(),
        }
    };
    meant.flat_map(of_span).collect()
}

fn names(selector: &str, name: &str) -> bool {
    selector.strip_suffix('*').map_or(selector == name, |prefix| name.starts_with(prefix))
}

impl Reading {
    /// The value as a reader writes it, or why there is none.
    pub fn text(&self, unit: Unit) -> String {
        self.value.as_ref().map_or_else(String::clone, |value| value.text(unit))
    }
}

impl Amount {
    /// As a reader writes it: a duration in its usual unit, or a number with at most three decimals.
    pub fn text(self, unit: Unit) -> String {
        match (self, unit) {
            (Amount::Negative(code), _) => code.to_string(),
            (Amount::Exact(value), Unit::Number) => value.to_string(),
            (Amount::Exact(value), Unit::Time) => time_text(value),
        }
    }
}

/// A duration, exact where it is a whole number of nanoseconds that the clock can count.
fn time_text(value: Ratio) -> String {
    let whole = u64::try_from(value.num() / value.den()).map(Span::from_ns);
    match whole {
        Err(_) => format!("{}s", Ratio::new(value.num() / value.den() / 1_000_000_000, 1)),
        Ok(span) if value.den() == 1 => span.to_string(),
        // A mean can fall between two nanoseconds.
        Ok(span) if span.ns() >= 1000 => span.short(),
        Ok(_) => format!("{value}ns"),
    }
}
