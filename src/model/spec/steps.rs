//! The steps of a program, read by the table of [`verbs`](super::verbs).

use crate::model::code::Code;
use crate::model::decode::{At, Decode, check_name, list, unknown_key, wrong};
use crate::model::program::{Length, Use};
use crate::model::report::Report;
use crate::model::schema::{self, Json};
use crate::model::spec::length::{Times, cumulative};
use crate::model::spec::shape::shape;
use crate::model::spec::verbs::{COMPANIONS, Takes, VERBS, Verb};
use crate::model::tree::{Entry, Node, Spot, crop};

/// A list of steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps(pub Vec<Step>);

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Where its verb stands.
    pub spot: Spot,
    /// What it does.
    pub action: Action,
    /// How long it waits at most.
    pub timeout: Option<Timeout>,
}

/// How long a step waits, and what follows if that was in vain.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeout {
    /// How long.
    pub after: Length,
    /// What is done instead of going on as usual.
    pub otherwise: Steps,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `cpu`
    Cpu(Length),
    /// `cpu` with `straight_line`
    StraightLine(Length),
    /// `native`
    Native(Length),
    /// `native_holding_gil`
    NativeHoldingGil(Length),
    /// `io`
    Io {
        /// How long it takes.
        length: Length,
        /// The device that serves it.
        device: Option<At<String>>,
    },
    /// `sleep`
    Sleep(Length),
    /// `repeat`
    Repeat {
        /// How often; `None` = forever.
        times: Option<u64>,
        /// What.
        body: Steps,
    },
    /// `choose`
    Choose {
        /// For each branch the sum of the weights up to and including its own.
        cumulative: Vec<u64>,
        /// The branches.
        branches: Vec<Steps>,
    },
    /// `span`
    Span {
        /// What the stretch of work is called.
        name: At<String>,
        /// What belongs to it.
        body: Steps,
    },
    /// `with`
    With {
        /// The lock, semaphore or condition.
        lock: At<String>,
        /// What is done while it is held.
        body: Steps,
    },
    /// `acquire`
    Acquire(At<String>),
    /// `release`
    Release(At<String>),
    /// Any other use of a shared object.
    Use {
        /// What is done.
        verb: Use,
        /// With what.
        object: At<String>,
    },
    /// `start`
    Start {
        /// Whose members.
        group: At<String>,
        /// How many; `None` = all that are left.
        count: Option<u64>,
    },
    /// `join`
    Join(At<String>),
    /// `print`
    Print(String),
    /// `show: threads`
    Show,
    /// A step that could not be read or is not simulated yet, which is reported.
    Unknown,
}

impl Decode for Steps {
    fn kind() -> String {
        "list of <step>".to_owned()
    }
    fn schema() -> Json {
        schema::shape("steps")
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Steps> {
        let items = list(node, "a list of steps", report)?;
        Some(Steps(items.iter().map(|item| step(item, report)).collect()))
    }
}

/// Reads a step. One that cannot be read still takes its place, so that nothing else is misjudged for its absence.
fn step(node: &Node, report: &mut Report) -> Step {
    let (action, timeout) = match node.map() {
        Some(entries) => (action(node, entries, report), timeout(node, report)),
        None => {
            not_a_map(node, report);
            (None, None)
        }
    };
    let verb_spot = node.map().and_then(|entries| entries.iter().find(|entry| verb_of(entry).is_some()));
    Step {
        spot: verb_spot.map_or(node.spot, |entry| entry.key.spot),
        action: action.unwrap_or(Action::Unknown),
        timeout,
    }
}

/// Reads `timeout` and `else`.
fn timeout(step: &Node, report: &mut Report) -> Option<Timeout> {
    let otherwise = step.entry("else");
    let Some(after) = step.get("timeout") else {
        if let Some(entry) = otherwise {
            report.error(Code::E202, entry.key.spot, "else without timeout").help("timeout: 10ms says when it is done");
        }
        return None;
    };
    let otherwise = otherwise.map_or(Some(Steps::default()), |entry| Steps::decode(&entry.value, report));
    Some(Timeout { after: Length::decode(after, report)?, otherwise: otherwise? })
}

fn not_a_map(node: &Node, report: &mut Report) {
    let words = || VERBS.iter().map(|verb| verb.word);
    match node.scalar() {
        Some(scalar) if words().all(|word| word != scalar.text) => {
            let message = format!("expected a step such as \"cpu: 10ms\", found {}", node.found());
            report.error(Code::E201, node.spot, message).suggest(&scalar.text, words());
        }
        _ => wrong(node, "a step such as \"cpu: 10ms\"", report),
    }
}

fn verb_of(entry: &Entry) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.word == entry.key.text)
}

fn action(node: &Node, entries: &[Entry], report: &mut Report) -> Option<Action> {
    let mut verbs = entries.iter().filter_map(|entry| Some((entry, verb_of(entry)?)));
    let Some((entry, verb)) = verbs.next() else {
        no_verb(node, entries, report);
        return None;
    };
    if let Some((second, doubled)) = verbs.next() {
        let message = format!("one step with two verbs, \"{}\" and \"{}\"", verb.word, doubled.word);
        report.error(Code::E201, second.key.spot, message).help("write each verb as a list item of its own");
        return None;
    }
    let fits = check_companions(entry, verb, entries, report);
    let value = &entry.value;
    let simulated = !report.not_simulated(&format!("step.{}", verb.word), entry.key.spot);
    let action = match verb.takes {
        Takes::Length => length(verb, value, node, report),
        Takes::Times => repeat(value, node, report),
        Takes::Name(kind) => named(verb, kind, value, node, report),
        Takes::Text => text(verb, value, node, report),
        Takes::Threads => show(value, report),
        Takes::Branches => branches(value, report),
        Takes::Task => Task::decode(value, report).map(|_| Action::Unknown),
    };
    action.filter(|_| fits && simulated)
}

fn no_verb(node: &Node, entries: &[Entry], report: &mut Report) {
    let words = || VERBS.iter().map(|verb| verb.word);
    let unknown = entries.iter().find(|entry| !COMPANIONS.contains(&entry.key.text.as_str()));
    match (unknown, entries.first()) {
        (Some(entry), _) => {
            let message = format!("unknown step \"{}\"", crop(&entry.key.text));
            report.error(Code::E201, entry.key.spot, message).suggest(&entry.key.text, words());
        }
        (None, Some(entry)) if entry.key.text == "do" => {
            report.error(Code::E202, entry.key.spot, "do without repeat, with or span");
        }
        (None, Some(entry)) => {
            report.error(Code::E201, entry.key.spot, format!("\"{}\" without the step it belongs to", entry.key.text));
        }
        (None, None) => wrong(node, "a step such as \"cpu: 10ms\"", report),
    }
}

/// Whether only the verb's companions stand beside it, and `do` where it must.
fn check_companions(verb_entry: &Entry, verb: &Verb, entries: &[Entry], report: &mut Report) -> bool {
    let mut fits = true;
    for entry in entries.iter().filter(|entry| verb_of(entry).is_none()) {
        let key = entry.key.text.as_str();
        if verb.companions.contains(&key) {
            continue;
        }
        fits = false;
        if key == "do" {
            report.error(Code::E202, entry.key.spot, format!("\"{}\" has no do", verb.word));
        } else if COMPANIONS.contains(&key) {
            report.error(Code::E102, entry.key.spot, format!("\"{key}\" does not go with \"{}\"", verb.word));
        } else {
            unknown_key(entry, verb.companions.iter().copied(), report);
        }
    }
    if verb.companions.contains(&"do") && entries.iter().all(|entry| entry.key.text != "do") {
        let message = format!("\"{}\" needs the steps it encloses", verb.word);
        report.error(Code::E202, verb_entry.key.spot, message).help("list them under do, beside the verb");
        fits = false;
    }
    fits
}

fn length(verb: &Verb, value: &Node, step: &Node, report: &mut Report) -> Option<Action> {
    let length = Length::decode(value, report);
    let device = step.get("device").map(|device| At::item(device, report));
    let straight = step.get("straight_line").and_then(|straight| bool::decode(straight, report));
    let length = length?;
    Some(match verb.word {
        "cpu" if straight == Some(true) => Action::StraightLine(length),
        "cpu" => Action::Cpu(length),
        "native" => Action::Native(length),
        "native_holding_gil" => Action::NativeHoldingGil(length),
        "io" => Action::Io { length, device: device.flatten() },
        _ => Action::Sleep(length),
    })
}

fn body(step: &Node, report: &mut Report) -> Option<Steps> {
    Steps::decode(step.get("do")?, report)
}

fn repeat(value: &Node, step: &Node, report: &mut Report) -> Option<Action> {
    let (times, body) = (Times::decode(value, report), body(step, report));
    Some(Action::Repeat { times: times?.0, body: body? })
}

fn named(verb: &Verb, kind: &str, value: &Node, step: &Node, report: &mut Report) -> Option<Action> {
    let Some(scalar) = value.scalar() else {
        wrong(value, &format!("the name of a {kind}"), report);
        return None;
    };
    let name = At { value: scalar.text.clone(), spot: value.spot, key: value.spot };
    match verb.word {
        "with" => body(step, report).map(|body| Action::With { lock: name, body }),
        "acquire" => Some(Action::Acquire(name)),
        "release" => Some(Action::Release(name)),
        "start" => {
            let count = step.get("count").and_then(|count| At::<u64>::item(count, report));
            if let Some(none) = count.filter(|count| count.value == 0) {
                report.error(Code::E105, none.spot, "at least one member is started");
            }
            Some(Action::Start { group: name, count: count.map(|count| count.value) })
        }
        "join" => Some(Action::Join(name)),
        word => Some(Action::Use { verb: use_of(word, step, report)?, object: name }),
    }
}

/// What a step does with a shared object.
fn use_of(word: &str, step: &Node, report: &mut Report) -> Option<Use> {
    Some(match word {
        "put" => Use::Put,
        "get" => Use::Get,
        "set" => Use::Set,
        "clear" => Use::Clear,
        "wait" => Use::Wait,
        "notify" => Use::Notify,
        "notify_all" => Use::NotifyAll,
        "barrier" => Use::Meet,
        "load" => Use::Load,
        "store" => Use::Store(step.get("add").map_or(Some(0), |add| i64::decode(add, report))?),
        _ => return None,
    })
}

fn text(verb: &Verb, value: &Node, step: &Node, report: &mut Report) -> Option<Action> {
    if verb.word == "print" {
        return String::decode(value, report).map(Action::Print);
    }
    let (name, body) = (At::<String>::item(value, report), body(step, report));
    let name = name?;
    check_name(&name.value, name.spot, report);
    Some(Action::Span { name, body: body? })
}

fn show(value: &Node, report: &mut Report) -> Option<Action> {
    let shown = value.scalar().is_some_and(|scalar| scalar.text == "threads");
    if !shown {
        wrong(value, "threads", report);
    }
    shown.then_some(Action::Show)
}

shape! {
    /// One branch of `choose`.
    Branch "branch" {
        /// how likely, in proportion to the others
        weight: u64 = "1";
        /// its steps
        steps ["do"]: Steps = "required";
    }
}

fn branches(value: &Node, report: &mut Report) -> Option<Action> {
    let branches = Vec::<At<Branch>>::decode(value, report)?;
    let mut complete = true;
    for branch in branches.iter().filter(|branch| branch.value.steps.is_none()) {
        report.error(Code::E202, branch.spot, "a branch needs its steps").help("list them under do, beside its weight");
        complete = false;
    }
    if branches.is_empty() {
        report.error(Code::E105, value.spot, "at least one branch is needed");
        return None;
    }
    let weights: Vec<u64> = branches.iter().map(|branch| branch.value.weight.map_or(1, |at| at.value)).collect();
    let cumulative = cumulative(&weights, value.spot, report)?;
    let branches = branches.into_iter().filter_map(|branch| branch.value.steps).map(|steps| steps.value).collect();
    complete.then_some(Action::Choose { cumulative, branches })
}

shape! {
    /// What `submit` hands to a pool.
    Task "task" {
        /// the pool
        pool: String = "required";
        /// how many tasks
        count: u64 = "1";
        /// what each does
        steps ["do"]: Steps = "required";
    }
}

impl Action {
    /// How long it takes by itself; nothing for what only synchronises.
    pub fn length(&self) -> Option<&Length> {
        match self {
            Action::Cpu(length)
            | Action::StraightLine(length)
            | Action::Native(length)
            | Action::NativeHoldingGil(length)
            | Action::Sleep(length)
            | Action::Io { length, .. } => Some(length),
            _ => None,
        }
    }

    /// The steps that it encloses and always does; a loop perhaps several times.
    pub fn body(&self) -> Option<&Steps> {
        match self {
            Action::Repeat { body, .. } | Action::With { body, .. } | Action::Span { body, .. } => Some(body),
            _ => None,
        }
    }

    /// The steps that it may do instead of each other: branches whose weight is above zero.
    pub fn branches(&self) -> impl Iterator<Item = &Steps> + Clone {
        let (cumulative, branches) = match self {
            Action::Choose { cumulative, branches } => (&cumulative[..], &branches[..]),
            _ => (&[][..], &[][..]),
        };
        let before = std::iter::once(&0).chain(cumulative);
        let likely = before.zip(cumulative).zip(branches).filter(|((before, sum), _)| before < sum);
        likely.map(|(_, steps)| steps)
    }
}

impl Steps {
    /// Every step, with those inside of others.
    pub fn each<'s>(&'s self, visit: &mut impl FnMut(&'s Step)) {
        for step in &self.0 {
            visit(step);
            if let Some(body) = step.action.body() {
                body.each(visit);
            }
            if let Action::Choose { branches, .. } = &step.action {
                branches.iter().for_each(|branch| branch.each(visit));
            }
            if let Some(timeout) = &step.timeout {
                timeout.otherwise.each(visit);
            }
        }
    }

    /// How many operations they become.
    pub fn operations(&self) -> u64 {
        let mut sum = 0;
        self.each(&mut |step| {
            sum += match &step.action {
                Action::Choose { branches, .. } => 1 + branches.len() as u64,
                action => 1 + u64::from(action.body().is_some()),
            };
            sum += if step.timeout.is_some() { 2 } else { 0 };
        });
        sum
    }

    /// The first step, outer before inner, for which `test` holds.
    pub fn find(&self, test: impl Fn(&Action) -> bool) -> Option<&Step> {
        let mut found = None;
        self.each(&mut |step| {
            if found.is_none() && test(&step.action) {
                found = Some(step);
            }
        });
        found
    }
}
