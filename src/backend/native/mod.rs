//! The same scenario on plain threads of this process: no Python needed.
//!
//! Every interpreter with a GIL gets one in user space that follows CPython's protocol (`gil`); one without a GIL gets
//! none. Work is spun by the thread's own core-time clock, sleeps and blocking calls are real sleeps, locks are real locks.
//! Every thread keeps its own notes; they are merged when all is over.
//!
//! # Divergences
//! See [`DIVERGENCES`].

mod actor;
mod between;
pub(in crate::backend) mod clock;
mod gil;
mod lock;
mod object;
mod records;
mod sharing;
mod sync;
mod world;

use std::fmt;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::backend::host::{Facts, Noise, Own, Watch, now};
use crate::backend::{Backend, Run};
use crate::ids::{Id, ThreadId};
use crate::model::{Arrival, Length, Op, PolicyName, Scenario, Sharing};
use crate::time::Span;
use crate::trace::{Ending, Observer, Record, Why};
use actor::{Crew, Log};
use clock::Clock;
use world::World;

/// What is different from the model, whatever the model says.
pub const DIVERGENCES: &[&str] = &[
    "the host's own scheduler runs; only models with `scheduler: fair` can run",
    "processes are threads of this process, each with a GIL of its own; starting one costs no more than starting a thread",
    "an interpreter is a GIL and nothing else: `show` prints nothing, and its costs (fork, spawn, imports) do not occur",
    "a free-threaded interpreter takes the model's own factor longer; a real one has a factor of its own",
    "the lock inside of a queue, an event, a semaphore or a barrier is held for no time, and nobody waits for it",
    "io is a sleep, and a device a queue in front of it",
    "a holder looks for a request every 10 us, an interpreter every few bytecodes",
    "on which core a thread runs is not recorded",
    "a real deadlock does not end; it is reported as a run that hung",
];

/// At most so many threads: a quarter of what most systems allow.
const MOST_THREADS: usize = 256;

/// The backend.
#[derive(Clone, Debug, Default)]
pub struct Native {
    /// How long a trial may take; `None` = three times what the model says, and five seconds.
    pub timeout: Option<Duration>,
}

/// One measured run.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Its timeline.
    pub records: Vec<Record>,
    /// How it ended.
    pub ending: Ending,
    /// On how many cores it ran.
    pub cores: usize,
    /// The core time that work steps asked for and the core time that they used.
    pub work: (Span, Span),
    /// Who else used the host meanwhile.
    pub noise: Noise,
}

/// Why a trial could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// This backend cannot do what the model asks for.
    Unsupported(Vec<String>),
    /// It did not end in time.
    Hung {
        /// How long it had.
        time: Duration,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unsupported(reasons) => {
                write!(f, "W504: the model cannot run on threads of this process: {}", reasons.join("; "))
            }
            Error::Hung { time } => write!(f, "the run did not end within {:.1} s", time.as_secs_f64()),
        }
    }
}

impl std::error::Error for Error {}

impl Native {
    /// Everything of a scenario that cannot be done here; empty = it can be run.
    pub fn refusals(&self, scenario: &Scenario) -> Vec<String> {
        let mut found = Vec::new();
        let machine = scenario.machine();
        if machine.scheduler.policy != PolicyName::Fair {
            found.push("the host has its own scheduler, and the model another than `fair`".to_owned());
        }
        if machine.cores.values().any(|speed| *speed != machine.scale) {
            found.push("cores with speeds of their own".to_owned());
        }
        if scenario.processes().values().any(|process| process.quota.is_some()) {
            found.push("a quota, which needs a control group".to_owned());
        }
        if scenario.threads().len() > MOST_THREADS {
            found.push(format!("{} threads; a real run may use {MOST_THREADS}", scenario.threads().len()));
        }
        for gil in scenario.gils().values().filter(|gil| world::rules(gil.rule).is_none()) {
            found.push(format!("the GIL of {}, which has other rules than that of CPython 3", gil.name));
        }
        if scenario.processes().values().any(|process| process.module.is_some()) {
            found.push("top-level code of a module".to_owned());
        }
        let locks = scenario.locks().values().map(|lock| lock.sharing);
        let mut all = locks.chain(scenario.objects().values().map(|object| object.sharing));
        if all.any(|sharing| !matches!(sharing, Sharing::Within(_))) {
            found.push("objects that processes share, or that a fork copies".to_owned());
        }
        let cores = self.cores(scenario);
        for (id, thread) in scenario.threads().iter() {
            let name = scenario.full_name(id);
            if thread.deadline.is_some() {
                found.push(format!("thread {name} with a period or a deadline"));
            }
            if thread.nice < 0 {
                found.push(format!("thread {name} with nice {}, which needs privileges", thread.nice));
            }
            if thread.affinity.iter().flatten().any(|core| core.index() >= cores) {
                found.push(format!("thread {name} on a core that is not there"));
            }
        }
        found
    }

    /// On how many cores a scenario runs here.
    pub fn cores(&self, scenario: &Scenario) -> usize {
        Facts::read().usable_cores.min(scenario.machine().cores.len()).max(1)
    }

    /// Runs a scenario once.
    pub fn run_trial(&self, scenario: &Scenario) -> Result<Trial, Error> {
        let refusals = self.refusals(scenario);
        if !refusals.is_empty() {
            return Err(Error::Unsupported(refusals));
        }
        let cores = self.cores(scenario);
        let time =
            self.timeout.unwrap_or_else(|| Duration::from_nanos(3 * expected(scenario)) + Duration::from_secs(5));
        // The threads inherit the cores of the one that makes them, which is not the caller's.
        let made = std::thread::scope(|scope| scope.spawn(|| on_cores(scenario, cores, time)).join());
        made.expect("a thread of a trial panicked")
    }
}

/// How long everything takes one after another, or up to the horizon.
fn expected(scenario: &Scenario) -> u64 {
    let cap = 600_000_000_000;
    let lengths = |op: &Op| match op {
        Op::Cpu(length)
        | Op::StraightLine(length)
        | Op::Native(length)
        | Op::NativeHoldingGil(length)
        | Op::Sleep(length) => longest(length),
        Op::Io { length, .. } | Op::Timeout { after: length, .. } => longest(length),
        _ => 0,
    };
    let of_program = |thread: &crate::model::Thread| {
        let ops = &scenario.programs()[thread.program].ops;
        let mut times = vec![1u64];
        let mut sum = 0u64;
        for op in ops {
            match op {
                Op::Repeat { times: repeated, .. } => {
                    let outer = *times.last().expect("an outermost loop");
                    times.push(outer.saturating_mul(repeated.unwrap_or(u64::MAX)));
                }
                Op::Again { .. } => {
                    times.pop();
                }
                _ => sum = sum.saturating_add(lengths(op).saturating_mul(*times.last().expect("an outermost loop"))),
            }
        }
        let factor = thread.interpreter.map_or(1, |id| {
            scenario.interpreters()[id].factor.num().div_ceil(scenario.interpreters()[id].factor.den())
        });
        sum.saturating_mul(factor as u64)
    };
    let sum = scenario.threads().values().map(of_program).fold(0u64, u64::saturating_add);
    scenario.run().until.map_or(sum, |until| until.ns()).min(cap)
}

fn longest(length: &Length) -> u64 {
    match length {
        Length::Fixed(span) => span.ns(),
        Length::Random(distribution) => match &distribution.shape {
            crate::rng::Shape::Uniform(_, most) => *most,
            crate::rng::Shape::Normal(mean, _) | crate::rng::Shape::Exponential(mean) => *mean,
            crate::rng::Shape::Choice { values, .. } => values.iter().copied().max().unwrap_or(0),
            crate::rng::Shape::Pareto { scale, .. } => scale.saturating_mul(10),
        },
    }
}

/// Binds the calling thread to some of the cores that it may use, counted from zero.
pub(in crate::backend) fn bind(cores: impl Iterator<Item = usize>) -> rustix::io::Result<()> {
    let usable = sched_getaffinity(None)?;
    let usable: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| usable.is_set(*cpu)).collect();
    let mut some = CpuSet::new();
    cores.filter_map(|core| usable.get(core)).for_each(|cpu| some.set(*cpu));
    sched_setaffinity(None, &some)
}

/// How long before time zero the threads are made, so that all of them wait at their gates.
const LEAD: Duration = Duration::from_millis(10);

fn on_cores(scenario: &Scenario, cores: usize, time: Duration) -> Result<Trial, Error> {
    // Fewer cores only; where that is refused, the trial runs on all of them and says so.
    let cores = if bind(0..cores).is_ok() { cores } else { Facts::read().usable_cores };
    clock::spin(1);
    let watch = Watch::start();
    let world = World::new(scenario, Clock::starting_in(LEAD));
    let logs = sync::Mutex::new(Vec::new());
    let ended = std::thread::scope(|scope| conduct(Crew { scope, world: &world, logs: &logs }, time));
    let logs: Vec<(ThreadId, Log)> = logs.into_inner();
    if !ended {
        return Err(Error::Hung { time });
    }
    let board = world.into_board();
    let used: u64 = logs.iter().map(|(_, log)| log.used).sum();
    let noise = watch.stop(Own { used: Span::from_ns(used), ..Own::default() });
    let (ending, end) = ending(scenario, &board, &logs);
    let records = records::records(scenario, &logs, &board.ends, &ending, end);
    let asked = logs.iter().map(|(_, log)| log.python_work + log.native_work).sum();
    Ok(Trial { records, ending, cores, work: (Span::from_ns(asked), Span::from_ns(used)), noise })
}

/// Starts whoever arrives by itself and waits for the end; false if it did not come in time.
fn conduct(crew: Crew<'_, '_>, time: Duration) -> bool {
    let world = crew.world;
    for (process, declared) in world.scenario.processes().iter() {
        if let Arrival::At(at) = declared.arrival {
            crew.start_process(process, at.ns(), Why::Arrived);
        }
    }
    let deadline = now() + time;
    let horizon = world.scenario.run().until;
    let mut late = false;
    world.wait_for_all(|| {
        let left = deadline.saturating_duration_since(now());
        late = left.is_zero();
        let to_horizon = horizon.map_or(left, |horizon| world.clock.until(horizon.ns()));
        Some(left.min(to_horizon)).filter(|time| !time.is_zero())
    });
    world.stop();
    !late
}

/// How the run ended, and where its timeline does.
fn ending(scenario: &Scenario, board: &world::Board, logs: &[(ThreadId, Log)]) -> (Ending, u64) {
    if let Some((ending, at)) = &board.refused {
        return (ending.clone(), *at);
    }
    let last = board.ends.values().flatten().max().copied().unwrap_or(0);
    let unfinished = |(thread, log): &&(ThreadId, Log)| !log.finished && !scenario.threads()[*thread].daemon;
    match scenario.run().until {
        Some(horizon) if logs.iter().any(|log| unfinished(&log)) || last >= horizon.ns() => {
            (Ending::Horizon, horizon.ns())
        }
        // Daemons end a little later, each when it notices.
        _ => (
            Ending::Finished,
            logs.iter().flat_map(|(_, log)| log.stamps.last()).map(|stamp| stamp.at).max().unwrap_or(last),
        ),
    }
}

impl Backend for Native {
    type Error = Error;

    fn run<O: Observer>(&self, scenario: &Scenario, observer: &mut O) -> Result<Run, Error> {
        let trial = self.run_trial(scenario)?;
        for (index, record) in trial.records.iter().enumerate() {
            observer.record(index as u64, record);
        }
        Ok(Run { ending: trial.ending, events: trial.records.len() as u64 })
    }
}
