//! The shapes under `threads` and `processes`.

use crate::model::code::Code;
use crate::model::decode::{At, Decode, Named, Rate, wrong};
use crate::model::report::Report;
use crate::model::schema::Json;
use crate::model::spec::machine::Quota;
use crate::model::spec::python::Python;
use crate::model::spec::shape::{Shape, shape, words};
use crate::model::spec::steps::Steps;
use crate::model::tree::{Node, Value};
use crate::time::Span;

shape! {
    /// A thread, or with `count` several that run the same steps.
    Thread "thread" {
        /// how many; members are called name-1 … when above 1
        count: u64 = "1";
        /// when it arrives
        at: Span = "0ms";
        /// one member per arrival: {every: 10ms} or {poisson: 100/s}
        arrivals: Arrivals = "all at once";
        /// ends when the last non-daemon thread of its process ends
        daemon: bool = "false";
        /// shared, or own: an interpreter with a GIL of its own (PEP 684; 3.12 and later)
        interpreter: InterpreterWord = "shared";
        /// -20 … 19, for the fair scheduler
        nice: i64 = "0";
        /// larger runs first, for the priority scheduler
        priority: i64 = "0";
        /// for lottery and stride
        tickets: u64 = "100";
        /// the program repeats each period
        period: Span = "0ms: it does not";
        /// relative to each release
        deadline: Span = "the period";
        /// the cores it may use, from 0
        affinity: Vec<At<u64>> = "all";
        /// what it does
        steps ["do"]: Steps = "required";
    }
}

impl Thread {
    /// How often it is released; `None` = once.
    pub fn period(&self) -> Option<Span> {
        self.period.map(|at| at.value).filter(|period| !period.is_zero())
    }

    /// How long after a release its work is due; `None` = not written.
    pub fn deadline(&self) -> Option<Span> {
        self.deadline.map(|at| at.value).filter(|deadline| !deadline.is_zero())
    }
}

/// The fields of a thread that belong to a process as a whole when the process lists `threads`.
const OF_THE_PROCESS: &[&str] = &["count", "at", "arrivals"];

shape! {
    /// A process with `threads`, or with `do` as one main thread that takes every field of a thread.
    Process "process" {
        /// python, or native: no interpreter and no GIL
        runtime: Runtime = "python";
        /// this process's own interpreter settings
        python: Python = "the model's";
        /// top-level code outside the main guard: the main thread runs it before `do`, and every spawned or forkserver child
        /// of the program runs it again, with its own copies of what it uses, before its own steps
        module: Steps = "none";
        /// limit on core time
        quota: Quota = "none";
        /// its threads
        threads: Named<ThreadWithSteps> = "one, if it has `do`";
        + thread: Thread;
    } then check_process
}

words! {
    /// Whose GIL a thread uses.
    InterpreterWord {
        /// The process's.
        Shared = "shared",
        /// Its own.
        Own = "own",
    }
}

words! {
    /// What a process is.
    Runtime {
        /// CPython.
        Python = "python",
        /// A native program.
        Native = "native",
    }
}

shape! {
    /// When the members arrive.
    ArrivalsMap "arrivals" {
        /// the first at `at`, then one per gap
        every: Span = "";
        /// a Poisson stream, the first after one gap
        poisson: Rate = "";
    }
}

/// `{every: 10ms}` or `{poisson: 100/s}`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrivals {
    /// With a fixed gap.
    Every(Span),
    /// With exponential gaps of this mean.
    Poisson(Span),
}

impl Decode for Arrivals {
    fn kind() -> String {
        "<arrivals>".to_owned()
    }
    fn schema() -> Json {
        ArrivalsMap::schema()
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Arrivals> {
        let one = match &node.value {
            Value::Map(entries) => entries.len() == 1,
            _ => false,
        };
        if !one {
            wrong(node, "{every: 10ms} or {poisson: 100/s}", report);
            return None;
        }
        let ArrivalsMap { every, poisson } = ArrivalsMap::decode(node, report)?;
        let every = every.map(|at| Arrivals::Every(at.value));
        every.or(poisson.map(|at| Arrivals::Poisson(at.value.0)))
    }
}

/// A thread under `threads`, which must have steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ThreadWithSteps(pub Thread);

impl Decode for ThreadWithSteps {
    fn kind() -> String {
        Thread::kind()
    }
    fn schema() -> Json {
        Thread::schema()
    }
    fn decode(node: &Node, report: &mut Report) -> Option<ThreadWithSteps> {
        let thread = Thread::decode(node, report)?;
        if node.get("do").is_none() {
            report.error(Code::E202, node.spot, "a thread needs its steps").help("list them under do");
        }
        Some(ThreadWithSteps(thread))
    }
}

/// Exactly one of `do` and `threads`; a thread's own fields do not go with `threads`.
fn check_process(_: &Process, node: &Node, report: &mut Report) {
    match (node.entry("do"), node.entry("threads")) {
        (Some(steps), Some(_)) => {
            let finding = report.error(Code::E103, steps.key.spot, "a process has either do or threads, not both");
            finding.help("move the steps into a thread called main");
        }
        (None, None) => {
            report.error(Code::E103, node.spot, "a process needs do or threads");
        }
        (None, Some(_)) => threads_have_the_fields(node, report),
        (Some(_), None) => {}
    }
}

fn threads_have_the_fields(node: &Node, report: &mut Report) {
    let of_threads =
        |key: &str| Thread::fields().iter().any(|field| field.key == key) && !OF_THE_PROCESS.contains(&key);
    for entry in node.map().unwrap_or_default() {
        if of_threads(&entry.key.text) {
            let message = format!("{} belongs to a thread, and this process lists its threads", entry.key.text);
            report.error(Code::E209, entry.key.spot, message).help("write it at the thread");
        }
    }
}
