//! The same scenario on a real CPython: real threads, real processes, real locks, real sleeps.
//!
//! `find` looks for interpreters, `worker.py` runs in one of them, `spawn` sees to it that it ends, `protocol` is what
//! the two say to each other, `lane`, `objects` and `records` make a timeline of what each thread saw of itself,
//! `divergence` is the table of what is different from the model.

mod divergence;
mod draws;
mod error;
mod find;
mod lane;
mod objects;
mod protocol;
mod records;
mod scratch;
mod script;
mod spawn;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use divergence::{DIVERGENCES, Divergence, Handling};
pub use error::{Error, Refusal};
pub use find::{Found, Interpreter, Places, default_interpreter, find};
pub use protocol::Cost;
pub(in crate::backend) use script::run_script;

use crate::backend::host::{Facts, Noise, Own, Watch};
use crate::backend::{Backend, Run};
use crate::ids::{Id, IdVec, ProcId, ThreadId};
use crate::model::Scenario;
use crate::time::{Instant, Span};
use crate::trace::{Ending, Observer, Record};
use divergence::How;
use draws::Plan;
use protocol::{Report, Verb};
use scratch::Scratch;
use spawn::{Failure, Order};

/// The worker, as it is shipped.
pub const WORKER: &str = include_str!("worker.py");

/// What a real run may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Threads of all processes.
    pub threads: u64,
    /// Processes.
    pub processes: u64,
    /// How long the model itself may say that it takes.
    pub length: Span,
    /// Bytes that a worker may write.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { threads: 256, processes: 64, length: Span::from_ms(600_000), output: 256 << 20 }
    }
}

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a trial may take; `None` = three times what the model says, and five seconds.
    pub timeout: Option<Duration>,
    /// What it may use.
    pub limits: Limits,
    /// Where private folders are made.
    pub scratch: PathBuf,
    /// Ends the trial when raised, for Ctrl-C.
    pub interrupted: Option<Arc<AtomicBool>>,
}

impl Options {
    /// The defaults, with private folders below `scratch`.
    pub fn new(scratch: impl Into<PathBuf>) -> Options {
        Options { timeout: None, limits: Limits::default(), scratch: scratch.into(), interrupted: None }
    }
}

/// The real backend: one interpreter.
#[derive(Clone, Debug)]
pub struct Cpython {
    interpreter: Interpreter,
    options: Options,
}

/// One measured run.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Its timeline, in the same vocabulary as a simulated one.
    pub records: Vec<Record>,
    /// How it ended.
    pub ending: Ending,
    /// What was measured besides.
    pub figures: Figures,
}

/// What a trial knows of itself and of its surroundings.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// `3.13.0`.
    pub version: String,
    /// `sys.version`.
    pub build: String,
    /// Whether the GIL was enabled.
    pub gil: bool,
    /// Whether threads have a CPU clock here, so that amounts of work could be checked.
    pub cpu_clock: bool,
    /// Whether the kernel's counters could be read without dropping the GIL, so that a preemption can be told from a wait.
    pub counters: bool,
    /// On how many cores it ran: the model's number, or fewer where the host has fewer.
    pub cores: usize,
    /// What a unit of work cost just before, and what the recorder itself costs.
    pub cost: Cost,
    /// What stood for `native` steps, where there were any.
    pub native: Option<String>,
    /// Per thread.
    pub threads: IdVec<ThreadId, ThreadFigures>,
    /// Per process that came up.
    pub processes: Vec<ProcessFigures>,
    /// Who else used the host meanwhile.
    pub noise: Noise,
}

impl Figures {
    /// The recorder's share of `cpu` work: one reading of the clock in every round.
    pub fn probe_share(&self) -> f64 {
        if self.cost.round > 0.0 { self.cost.read / self.cost.round } else { 0.0 }
    }
}

/// What the kernel counted for a thread, from its first line of Python to its last. `None` = not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadFigures {
    /// Core time.
    pub cpu: Option<Span>,
    /// Time in the kernel's run queue.
    pub queued: Option<Span>,
    /// Voluntary context switches (every time-out of a GIL waiter is one).
    pub voluntary: Option<u64>,
    /// Involuntary context switches.
    pub involuntary: Option<u64>,
    /// What its `cpu` steps asked for.
    pub cpu_asked: Span,
    /// The core time that these steps used, by the thread's own CPU clock: the check of the calibration.
    pub cpu_used: Span,
    /// What its `native` and `native_holding_gil` steps asked for.
    pub native_asked: Span,
    /// The core time that these steps used.
    pub native_used: Span,
}

/// What is known of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessFigures {
    /// Which.
    pub process: ProcId,
    /// Its first line of Python; since its arrival it was started up.
    pub up: Instant,
    /// When it wrote its results.
    pub ended: Instant,
    /// Core time up to its first line of Python, for children.
    pub start_up: Option<Span>,
    /// Core time of all that it did, start-up and calibration included.
    pub cpu: Option<Span>,
}

/// The smallest gap between two readings of the clock that is looked into: above the cost of a timer interrupt.
const GAP: Span = Span::from_us(70);

impl Cpython {
    /// A backend that runs on this interpreter.
    pub fn new(interpreter: Interpreter, options: Options) -> Cpython {
        Cpython { interpreter, options }
    }

    /// The interpreter.
    pub fn interpreter(&self) -> &Interpreter {
        &self.interpreter
    }

    /// Everything of a scenario that cannot be done here; empty = it can be run.
    pub fn refusals(&self, scenario: &Scenario) -> Vec<Refusal> {
        divergence::refusals(scenario, &self.interpreter, self.cores(scenario))
    }

    /// The rows of the table that matter for a scenario although it can be run.
    pub fn emulations(scenario: &Scenario) -> Vec<&'static Divergence> {
        divergence::emulations(scenario)
    }

    /// On how many cores a scenario runs here.
    pub fn cores(&self, scenario: &Scenario) -> usize {
        Facts::read().usable_cores.min(scenario.machine().cores.len()).max(1)
    }

    /// Runs a scenario once. Everything that can be refused is refused before anything is started.
    pub fn run_trial(&self, scenario: &Scenario) -> Result<Trial, Error> {
        let refusals = self.refusals(scenario);
        if !refusals.is_empty() {
            return Err(Error::Unsupported(refusals));
        }
        self.check_size(scenario)?;
        let plan = self.plan(scenario)?;
        let scratch =
            Scratch::new(&self.options.scratch).map_err(|error| Error::Scratch(self.options.scratch.clone(), error))?;
        let worker = scratch.path().join("worker.py");
        fs::write(&worker, WORKER).map_err(|error| Error::Scratch(worker.clone(), error))?;
        let job = protocol::job(scenario, &plan.walks, GAP, divergence::has_blocks(&self.interpreter));
        let cores = self.cores(scenario);
        let order = Order {
            program: &self.interpreter.path,
            arguments: self.arguments(scenario, worker, &scratch),
            folder: scratch.path(),
            input: job.as_bytes(),
            time: self.options.timeout.unwrap_or(Duration::from_nanos(timeout(plan.expected).ns())),
            most_output: self.options.limits.output,
            cores: Some(cores),
            interrupted: self.options.interrupted.as_deref(),
        };
        let watch = Watch::start();
        let report = self.converse(&order, scenario)?;
        let own = own(scenario, &report);
        let (records, ending) = records::records(scenario, &report, patience(scenario));
        let figures = figures(scenario, report, cores, watch.stop(own));
        Ok(Trial { records, ending, figures })
    }

    fn arguments(&self, scenario: &Scenario, worker: PathBuf, scratch: &Scratch) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = self.interpreter.isolation().iter().map(OsString::from).collect();
        if self.interpreter.free_threaded {
            let gil = if scenario.gils().is_empty() { "gil=0" } else { "gil=1" };
            arguments.extend(["-X", gil].map(OsString::from));
        }
        arguments.extend([worker.into(), scratch.path().into(), std::process::id().to_string().into()]);
        arguments
    }

    fn converse(&self, order: &Order<'_>, scenario: &Scenario) -> Result<Report, Error> {
        let outcome = spawn::run(order).map_err(|failure| match failure {
            Failure::Start(error) => Error::Start(self.interpreter.path.clone(), error),
            Failure::Hung { stderr } => Error::Hung { seconds: order.time.as_secs_f64(), stderr },
            Failure::Flood => Error::Flood { limit: order.most_output },
            Failure::Interrupted => Error::Interrupted,
        })?;
        let died = || Error::Died { status: outcome.status.to_string(), stderr: outcome.stderr.clone() };
        match protocol::report(&outcome.stdout) {
            // Whoever ends by a signal did not end as it should, whatever it had reported by then.
            Ok(Ok(_)) if !outcome.status.success() => Err(died()),
            Ok(Ok(report)) if report.fits(scenario) => match report.killed() {
                Some((process, signal)) => {
                    let name = &scenario.processes()[ProcId::new(process)].name;
                    Err(Error::Died { status: format!("signal: {signal} in {name}"), stderr: outcome.stderr })
                }
                None => Ok(report),
            },
            Ok(Ok(_)) => Err(Error::Protocol("numbers that the model does not have".to_owned())),
            Ok(Err(detail)) => Err(Error::Worker(detail)),
            Err(_) if !outcome.status.success() => Err(died()),
            Err(detail) => Err(Error::Protocol(detail)),
        }
    }

    fn check_size(&self, scenario: &Scenario) -> Result<(), Error> {
        let (threads, processes) = (scenario.threads().len() as u64, scenario.processes().len() as u64);
        let limits = &self.options.limits;
        let hint = "make `count` smaller";
        let table = [
            ("threads", threads, limits.threads, hint),
            ("processes", processes, limits.processes, hint),
            (
                "threads and processes",
                threads + processes,
                spawn::tasks_allowed(),
                "the user's limit of processes (ulimit -u) leaves no more",
            ),
        ];
        for (what, asked, allowed, hint) in table {
            if asked > allowed {
                return Err(Error::TooLarge { what, asked, allowed, hint });
            }
        }
        Ok(())
    }

    /// What all threads will do, unless that is too long.
    fn plan(&self, scenario: &Scenario) -> Result<Plan, Error> {
        let plan = Plan::of(scenario, timeout);
        let (asked, allowed) = (plan.expected.ns() / 1_000_000_000, self.options.limits.length.ns() / 1_000_000_000);
        let hint = "shorten the model, or give it a shorter `run.until`";
        if plan.walks.values().any(|walk| walk.too_long) {
            let (asked, allowed) = (draws::MOST_STEPS + 1, draws::MOST_STEPS);
            return Err(Error::TooLarge { what: "steps (or more) of one thread", asked, allowed, hint });
        }
        if asked > allowed {
            return Err(Error::TooLarge { what: "seconds of steps", asked, allowed, hint });
        }
        Ok(plan)
    }
}

/// How long a run may take that should take so long: three times that, and five seconds.
fn timeout(expected: Span) -> Span {
    Span::from_ns(expected.ns().saturating_mul(3).saturating_add(5_000_000_000))
}

impl Backend for Cpython {
    type Error = Error;

    fn run<O: Observer>(&self, scenario: &Scenario, observer: &mut O) -> Result<Run, Error> {
        let trial = self.run_trial(scenario)?;
        for (index, record) in trial.records.iter().enumerate() {
            observer.record(index as u64, record);
        }
        Ok(Run { ending: trial.ending, events: trial.records.len() as u64 })
    }
}

/// What all processes of a trial used: the first one, and those that it did not run itself; and how long their threads
/// waited for cores, where the kernel says it of all that reported.
fn own(scenario: &Scenario, report: &Report) -> Own {
    let ways = divergence::ways(scenario);
    let others = report.processes.iter().filter(|each| ways[each.process] != How::Root);
    let counted = |place: usize| {
        let totals = report.threads.iter().map(|each| u64::try_from(each.totals?[place]).ok());
        totals.sum::<Option<u64>>()
    };
    Own {
        used: Span::from_ns(others.filter_map(|each| each.cpu).chain(report.cpu).sum()),
        queued: counted(2).map(Span::from_ns),
        involuntary: counted(1),
    }
}

/// What a blocking step may take beyond what is usual before the rest counts as a wait for the GIL: less than a switch
/// interval, and more than a wake-up takes.
fn patience(scenario: &Scenario) -> Span {
    let shortest = scenario.gils().values().map(|gil| gil.interval.ns()).min().unwrap_or(u64::MAX);
    Span::from_ns((shortest / 5 * 3).clamp(60_000, 200_000))
}

fn figures(scenario: &Scenario, report: Report, cores: usize, noise: Noise) -> Figures {
    let mut threads = IdVec::filled(scenario.threads().len(), ThreadFigures::default());
    for each in &report.threads {
        threads[ThreadId::new(each.thread)] = thread_figures(each);
    }
    Figures {
        version: report.hello.version,
        build: report.hello.build,
        gil: report.hello.gil,
        cpu_clock: report.hello.cpu_clock,
        counters: report.hello.counters,
        cores,
        cost: report.cost,
        native: report.native,
        threads,
        processes: report.processes.iter().map(process_figures).collect(),
        noise,
    }
}

fn process_figures(report: &protocol::ProcessReport) -> ProcessFigures {
    ProcessFigures {
        process: ProcId::new(report.process),
        up: Instant::from_ns(report.born),
        ended: Instant::from_ns(report.ended),
        start_up: report.start_up.map(Span::from_ns),
        cpu: report.cpu.map(Span::from_ns),
    }
}

fn thread_figures(report: &protocol::ThreadReport) -> ThreadFigures {
    let known = |place: usize| report.totals.and_then(|totals| u64::try_from(totals[place]).ok());
    let sum = |verbs: &[Verb], place: usize| {
        let entries = report.log.iter().filter(|entry| verbs.contains(&entry.verb));
        Span::from_ns(entries.map(|entry| entry.numbers[place].max(0) as u64).sum())
    };
    ThreadFigures {
        voluntary: known(0),
        involuntary: known(1),
        queued: known(2).map(Span::from_ns),
        cpu: known(3).map(Span::from_ns),
        cpu_asked: sum(&[Verb::Cpu], 2),
        cpu_used: sum(&[Verb::Cpu], 0),
        native_asked: sum(&[Verb::Native, Verb::Hold], 1),
        native_used: sum(&[Verb::Native, Verb::Hold], 0),
    }
}
