//! The shapes under `machine`.

use crate::model::code::Code;
use crate::model::decode::{At, Decode, Named, quantity, unknown_key, wrong};
use crate::model::quantity;
use crate::model::report::Report;
use crate::model::schema::{self, Json};
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
        /// how late every timer of the kernel fires
        timer_slack: Span = "0us";
    }
}

shape! {
    /// The cost of a wake-up by the state of the core.
    WakeupCosts "wakeup" {
        /// the core was idle
        idle: Span = "0us";
        /// the core was busy
        busy: Span = "0us";
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

/// `30us` or `{idle: 30us, busy: 1us}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Wakeup {
    /// The same for both.
    Same(Span),
    /// By the state of the core.
    ByCore(WakeupCosts),
}

impl Decode for Wakeup {
    fn kind() -> String {
        "duration | <wakeup>".to_owned()
    }
    fn schema() -> Json {
        schema::either([Span::schema(), WakeupCosts::schema()])
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Wakeup> {
        match node.value {
            Value::Map(_) => WakeupCosts::decode(node, report).map(Wakeup::ByCore),
            _ => Span::decode(node, report).map(Wakeup::Same),
        }
    }
}

words! {
    /// The scheduling policies.
    Policy {
        /// Linux's EEVDF: weights from `nice`, virtual run time, lag, deadlines.
        Fair = "fair",
        /// First come, first served, for one quantum at a time.
        RoundRobin = "round-robin",
        /// First come, first served, until the thread blocks or ends.
        Fifo = "fifo",
        /// The highest priority first.
        Priority = "priority",
        /// The shortest burst first.
        Sjf = "sjf",
        /// The shortest remaining burst first.
        Stcf = "stcf",
        /// Multi-level feedback queues.
        Mlfq = "mlfq",
        /// Random, in proportion to tickets.
        Lottery = "lottery",
        /// Deterministic, in proportion to tickets.
        Stride = "stride",
        /// The earliest deadline first.
        Edf = "edf",
        /// The shortest period first.
        RateMonotonic = "rate-monotonic",
    }
}

impl Policy {
    /// Its word.
    pub fn word(self) -> &'static str {
        Policy::WORDS.iter().find(|(_, policy)| *policy == self).map_or("", |(word, _)| word)
    }

    /// What JSON Schema calls a map of its parameters.
    fn schema(self) -> Json {
        let own = PolicyParameters::fields().into_iter().filter(|field| self.parameters().contains(&field.key));
        let several = |key: &str| self == Policy::Mlfq && key == "quantum";
        let schema = |field: crate::model::spec::shape::Field| match several(field.key) {
            true => schema::either([schema::list(Span::schema()), field.schema]),
            false => field.schema,
        };
        schema::keys(own.map(|field| (field.key.to_owned(), schema::value(schema(field)))).collect(), &[])
    }

    /// The parameters it has.
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Policy::Fair => &["slice"],
            Policy::RoundRobin | Policy::Lottery | Policy::Stride => &["quantum"],
            Policy::Priority => &["preemptive", "quantum", "ageing"],
            Policy::Mlfq => &["queues", "quantum", "boost"],
            Policy::Fifo | Policy::Sjf | Policy::Stcf | Policy::Edf | Policy::RateMonotonic => &[],
        }
    }
}

shape! {
    /// Parameters of a scheduling policy; each policy has only some of them.
    PolicyParameters "scheduler" {
        /// fair: how long a thread runs before others of its weight get their turn
        slice: Span = "3ms, or of the profile";
        /// round-robin, priority, lottery, stride: the longest stay on a core while others wait
        quantum: Span = "10ms; priority: none";
        /// priority: whether a thread that becomes runnable takes the core from a lower priority at once
        preemptive: bool = "true";
        /// priority: waiting raises the priority
        ageing: Span = "0ms";
        /// mlfq: how many queues
        queues: u64 = "3";
        /// mlfq: time after which all threads return to the highest queue
        boost: Span = "1s";
    }
}

/// `fair`, or `{round-robin: {quantum: 10ms}}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheduler {
    /// The policy.
    pub policy: Policy,
    /// Where its word stands.
    pub spot: Spot,
    /// Its parameters.
    pub parameters: PolicyParameters,
}

impl Decode for Scheduler {
    fn kind() -> String {
        format!("{} | {{policy: <scheduler>}}", Policy::kind())
    }
    fn schema() -> Json {
        let names: Vec<&str> = Policy::WORDS.iter().map(|(word, _)| *word).collect();
        let parameters = Policy::WORDS.iter().map(|(word, policy)| ((*word).to_owned(), policy.schema())).collect();
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
            _ => (word(node, Policy::WORDS, report)?, node.spot, None),
        };
        report.not_simulated(&format!("scheduler.{}", policy.word()), spot);
        let parameters =
            parameters.map_or(Some(PolicyParameters::default()), |node| policy_parameters(policy, node, report));
        Some(Scheduler { policy, spot, parameters: parameters.unwrap_or_default() })
    }
}

fn policy_key(entry: &Entry, report: &mut Report) -> Option<Policy> {
    let found = Policy::WORDS.iter().find(|(word, _)| *word == entry.key.text).map(|(_, policy)| *policy);
    if found.is_none() {
        unknown_key(entry, Policy::WORDS.iter().map(|(word, _)| *word), report);
    }
    found
}

fn policy_parameters(policy: Policy, node: &Node, report: &mut Report) -> Option<PolicyParameters> {
    let entries = crate::model::decode::map(node, "a map of parameters", report)?;
    let mut parameters = PolicyParameters::default();
    for entry in entries {
        let key = entry.key.text.as_str();
        if !policy.parameters().contains(&key) {
            foreign_parameter(policy, entry, report);
        } else if policy == Policy::Mlfq && key == "quantum" && matches!(entry.value.value, Value::List(_)) {
            // One quantum per queue.
            Vec::<At<Span>>::decode(&entry.value, report);
        } else {
            parameters.set(entry, report);
        }
    }
    Some(parameters)
}

fn foreign_parameter(policy: Policy, entry: &Entry, report: &mut Report) {
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
