//! The shapes under `machine`.

use crate::model::code::Code;
use crate::model::decode::{At, Decode, Named, quantity, unknown_key, wrong};
use crate::model::policies::PolicyName;
use crate::model::program::Length;
use crate::model::quantity;
use crate::model::report::Report;
use crate::model::schema::{self, Json};
use crate::model::spec::length::SHAPES;
use crate::model::spec::shape::{Shape, shape, word, words};
use crate::model::tree::{Entry, Node, Spot, Value};
use crate::ratio::Ratio;
use crate::time::Span;

shape! {
    /// The hardware and its operating system.
    Machine "machine" {
        /// how many cores, or their speeds as in {speeds: [1, 1, 0.5]}
        cores: Cores = "4";
        /// the scheduling policy, alone or with its parameters as in {round-robin: {quantum: 10ms}}
        scheduler: Scheduler = "fair";
        /// one run queue for all cores, or one per core from which idle cores pull
        runqueue: RunQueueWord = "global";
        /// period of the scheduler's tick, to which ends of slices are rounded up; 0ms = tickless; 4ms = HZ 250
        tick: Span = "0ms";
        /// what `io` steps may name; a device serves at_once requests, first come, first served
        devices: Named<Device> = "none: unlimited";
        /// ideal, linux, or the path of a calibration file; sets costs, tick, next_holder and the fair slice
        profile: String = "ideal";
        /// what the operating system's own actions cost; each wins over the profile
        costs: MachineCosts = "of the profile";
    }
}

shape! {
    /// What the operating system's own actions cost.
    MachineCosts "machine costs" {
        /// a core turns from one thread to a different one
        context_switch: Span = "0us";
        /// a sleeping thread is woken: onto an idle core, or onto a busy one
        wakeup: Wakeup = "0us";
        /// a thread runs on another core than the last time
        migration: Span = "0us";
        /// a thread comes back to a core that has run others since, or to another core: what it takes to fill the caches again.
        /// A thread's first run pays nothing, nor does one that finds its core as it left it
        cache_warmup: Span = "0us";
        /// how late every timer of the kernel fires
        timer_slack: Cost = "0us";
    }
}

shape! {
    /// The cost of a wake-up by the state of the core.
    WakeupCosts "wakeup" {
        /// the core was idle
        idle: Cost = "0us";
        /// the core was busy
        busy: Cost = "0us";
    }
}

shape! {
    /// A device.
    Device "device" {
        /// requests served at the same time
        at_once: u64 = "1";
    }
}

shape! {
    /// Cores with speeds.
    CoreList "cores" {
        /// how many cores
        count: u64 = "one per speed";
        /// work that each core does per unit of time, at most three decimals
        speeds: Vec<At<Ratio>> = "all 1";
    }
}

words! {
    /// How runnable threads are kept.
    RunQueueWord {
        /// One queue for all cores.
        Global = "global",
        /// One queue per core.
        PerCore = "per-core",
    }
}

/// `4` or `{count: 4, speeds: [1, 1, 0.5, 0.5]}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Cores {
    /// So many cores of speed 1.
    Count(u64),
    /// Cores with speeds.
    List(CoreList),
}

impl Decode for Cores {
    fn kind() -> String {
        "whole number | <cores>".to_owned()
    }
    fn schema() -> Json {
        schema::either([u64::schema(), CoreList::schema()])
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Cores> {
        match &node.value {
            Value::Map(_) => CoreList::decode(node, report).map(Cores::List),
            Value::Scalar(_) => u64::decode(node, report).map(Cores::Count),
            _ => {
                wrong(node, "a number of cores, or a map with speeds", report);
                None
            }
        }
    }
}

/// A cost that may spread: a length as a step has it, drawn anew each time it is paid.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost(pub Length);

impl Decode for Cost {
    fn kind() -> String {
        "T".to_owned()
    }
    fn schema() -> Json {
        Length::schema()
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Cost> {
        Length::decode(node, report).map(Cost)
    }
}

/// `30us` or `{idle: 30us, busy: 1us}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Wakeup {
    /// The same for both.
    Same(Cost),
    /// By the state of the core.
    ByCore(WakeupCosts),
}

impl Decode for Wakeup {
    fn kind() -> String {
        "T | <wakeup>".to_owned()
    }
    fn schema() -> Json {
        schema::either([Length::schema(), WakeupCosts::schema()])
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Wakeup> {
        let is_distribution = SHAPES.iter().any(|word| node.get(word).is_some());
        match node.value {
            Value::Map(_) if !is_distribution => WakeupCosts::decode(node, report).map(Wakeup::ByCore),
            _ => Cost::decode(node, report).map(Wakeup::Same),
        }
    }
}

impl PolicyName {
    /// What JSON Schema calls a map of its parameters.
    fn schema(self) -> Json {
        let own = PolicyParameters::fields().into_iter().filter(|field| self.parameters().contains(&field.key));
        schema::keys(own.map(|field| (field.key.to_owned(), schema::value(field.schema))).collect(), &[])
    }
}

shape! {
    /// Parameters of a scheduling policy; each policy has only some of them.
    PolicyParameters "scheduler" {
        /// fair: how long a thread runs before others of its weight get their turn
        slice: Span = "3ms, or of the profile";
        /// round-robin, priority, mlfq, lottery, stride: the longest stay on a core while others wait; mlfq: of each queue from
        /// the highest on, as in [10ms, 20ms, 40ms], or one for all of them
        quantum: Quanta = "10ms; priority: none; mlfq: 10ms, twice as long in each lower queue";
        /// priority: whether a thread that becomes runnable takes the core from a lower priority at once
        preemptive: bool = "true";
        /// priority: a waiting thread's priority rises by one each time it has waited for so long, until it has run and blocks or
        /// its quantum is over; 0ms = never
        ageing: Span = "0ms: never";
        /// mlfq: how many queues
        queues: u64 = "as many as quanta, else 3";
        /// mlfq: how long a thread may run in a queue, over all its turns, before it moves down; of each queue or one for all
        allotment: Quanta = "the quantum";
        /// mlfq: period after which all threads return to the highest queue; 0ms = never
        boost: Span = "1s";
    }
}

/// `10ms`, or `[10ms, 20ms, 40ms]`: one for each queue.
#[derive(Clone, Debug, PartialEq)]
pub enum Quanta {
    /// The same for all queues.
    Same(Span),
    /// One for each queue, from the highest on.
    Each(Vec<At<Span>>),
}

impl Decode for Quanta {
    fn kind() -> String {
        format!("duration | {}", Vec::<At<Span>>::kind())
    }
    fn schema() -> Json {
        schema::either([schema::list(Span::schema()), Span::schema()])
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Quanta> {
        match node.value {
            Value::List(_) => Vec::decode(node, report).map(Quanta::Each),
            _ => Span::decode(node, report).map(Quanta::Same),
        }
    }
}

/// `fair`, or `{round-robin: {quantum: 10ms}}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheduler {
    /// The policy.
    pub policy: PolicyName,
    /// Where its word stands.
    pub spot: Spot,
    /// Its parameters.
    pub parameters: PolicyParameters,
}

impl Decode for Scheduler {
    fn kind() -> String {
        format!("{} | {{policy: <scheduler>}}", PolicyName::kind())
    }
    fn schema() -> Json {
        let names: Vec<&str> = PolicyName::WORDS.iter().map(|(word, _)| *word).collect();
        let parameters = PolicyName::WORDS.iter().map(|(word, policy)| ((*word).to_owned(), policy.schema())).collect();
        schema::either([schema::one_word(names.iter().copied()), schema::keys(parameters, &names)])
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Scheduler> {
        let (policy, spot, parameters) = match &node.value {
            Value::Map(entries) => match entries.as_slice() {
                [entry] => (policy_key(entry, report)?, entry.key.spot, Some(&entry.value)),
                _ => {
                    wrong(node, "one policy, as in {round-robin: {quantum: 10ms}}", report);
                    return None;
                }
            },
            _ => (word(node, PolicyName::WORDS, report)?, node.spot, None),
        };
        let parameters =
            parameters.map_or(Some(PolicyParameters::default()), |node| policy_parameters(policy, node, report));
        Some(Scheduler { policy, spot, parameters: parameters.unwrap_or_default() })
    }
}

fn policy_key(entry: &Entry, report: &mut Report) -> Option<PolicyName> {
    let found = PolicyName::WORDS.iter().find(|(word, _)| *word == entry.key.text).map(|(_, policy)| *policy);
    if found.is_none() {
        unknown_key(entry, PolicyName::WORDS.iter().map(|(word, _)| *word), report);
    }
    found
}

fn policy_parameters(policy: PolicyName, node: &Node, report: &mut Report) -> Option<PolicyParameters> {
    let entries = crate::model::decode::map(node, "a map of parameters", report)?;
    let mut parameters = PolicyParameters::default();
    for entry in entries {
        let key = entry.key.text.as_str();
        if !policy.parameters().contains(&key) {
            foreign_parameter(policy, entry, report);
        } else if policy != PolicyName::Mlfq && matches!(entry.value.value, Value::List(_)) {
            let message = format!("the {} scheduler has one {key}; only mlfq has one for each queue", policy.word());
            report.error(Code::E209, entry.value.spot, message).help("write one duration, as in 10ms");
        } else {
            parameters.set(entry, report);
        }
    }
    Some(parameters)
}

fn foreign_parameter(policy: PolicyName, entry: &Entry, report: &mut Report) {
    let known = policy.parameters().iter().copied();
    if PolicyParameters::fields().iter().any(|field| field.key == entry.key.text) {
        let message = format!("the {} scheduler has no {}", policy.word(), entry.key.text);
        let help = match policy.parameters() {
            [] => "it has no parameters".to_owned(),
            parameters => format!("it has: {}", parameters.join(", ")),
        };
        report.error(Code::E209, entry.key.spot, message).help(help);
    } else {
        unknown_key(entry, known, report);
    }
}

shape! {
    /// CFS bandwidth: so much core time in every period.
    Quota "quota" {
        /// cores, as a decimal or in thousandths as in 500m
        cpu: Cpus = "required";
        /// how often the budget is filled up, from 1ms to 1s
        period: Span = "100ms";
    } then check_quota
}

fn check_quota(_: &Quota, node: &Node, report: &mut Report) {
    if node.get("cpu").is_none() {
        report.error(Code::E108, node.spot, "a quota needs cpu").help("as in {cpu: 500m, period: 100ms}");
    }
}

/// Cores as a fraction, `0.5` or `500m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpus(pub Ratio);

impl Decode for Cpus {
    fn kind() -> String {
        "cores, as 0.5 or 500m".to_owned()
    }
    fn schema() -> Json {
        schema::either([Ratio::schema(), schema::matching("^[0-9]+(\\.[0-9]+)?m$")])
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Cpus> {
        let thousandths = node.scalar().and_then(|scalar| scalar.text.strip_suffix('m'));
        match thousandths {
            Some(number) => quantity(node, quantity::decimal(number), report)?.times(Ratio::new(1, 1000)).map(Cpus),
            None => Ratio::decode(node, report).map(Cpus),
        }
    }
}
