//! The discrete-event simulator: cores, threads and GILs.
//!
//! The kernel cannot fail; it can only refuse to be built, and `lower` has done that. What a *modelled program* may do
//! wrong (a deadlock, a release of a lock it does not hold) is an ending of the run. An assertion that fails is a bug.
//!
//! # One instant
//! An instant is handled in rounds, until nothing more can happen without time passing:
//! - (a) all arrivals, wake-ups and completed work that are due, in key order;
//! - (b) free cores are given out, in core order;
//! - (c) threads on cores execute their zero-time steps, in core order, until each needs time or blocks;
//! - then GIL time-outs and at last ends of quanta that are due, each followed by (b) and (c): work that ends exactly at a
//!   time-out is over before anybody asks, and what it lets go is handed on first;
//! - (d) preemption of threads that still want their core: so a step that ends now is followed by whatever takes no time,
//!   and a thread that blocks or ends now is never preempted;
//! - (e) check points: asked holders drop their GIL, after all time-outs of the instant have been seen;
//! - (f) jobs that are due: whatever ends now has met its deadline.

mod bandwidth;
mod blocking;
mod core;
mod deadlock;
mod ending;
mod event;
mod exec;
mod facts;
mod gil;
mod invariants;
mod job;
mod life;
mod lock;
mod log;
mod object;
mod output;
mod policy;
mod process;
mod protocol;
mod run_queue;
mod span;
mod thread;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::deadlock::state_of;
pub(crate) use self::object::{Line, State as ObjectState};
pub use self::policy::{Attributes, Enqueue, Facts, Policy, Tasks};

use self::core::Core;
use self::event::{Event, EventQueue, Rank};
use self::log::{Cause, Log};
use self::thread::{Joinable, Phase, Thread};
use crate::ids::{CoreId, DeviceId, GilId, GroupId, IdVec, LockId, ObjectId, ProcId, ProgramId, ThreadId};
use crate::model::{Arrival, Members, Protocol, PythonCosts, RunQueue, Scenario};
use crate::time::{Instant, LONGEST};
use crate::trace::{Ending, Observer, What, Why};

/// So many rounds at one instant are a livelock.
const MOST_ROUNDS: u32 = 1_000_000;

/// A run in progress. Cloning it is a checkpoint.
#[derive(Clone)]
pub struct Kernel<'a, P: Policy, O: Observer> {
    scenario: &'a Scenario,
    observer: O,
    log: Log,

    now: Instant,
    queue: EventQueue,
    events: u64,
    ending: Option<Ending>,

    cores: IdVec<CoreId, Core>,
    /// Cores without a thread.
    free: BTreeSet<CoreId>,
    /// Cores whose thread has zero-time steps to do.
    ready: BTreeSet<CoreId>,
    /// Cores whose thread is to be put back into the queue.
    rescheduled: BTreeSet<CoreId>,
    /// Whether some core may lack a quantum timer that it needs.
    unarmed: bool,

    /// One run queue, or one for each core.
    queues: Vec<P>,
    tasks: Tasks<P>,
    /// Threads in run queues.
    queued: usize,
    /// Whether a core has become free or a thread runnable since cores were given out last.
    unserved: bool,
    /// Threads woken in this round.
    woken: Vec<ThreadId>,

    threads: IdVec<ThreadId, Thread>,
    processes: IdVec<ProcId, life::Process>,
    /// Of each process that has a quota.
    bandwidths: IdVec<ProcId, Option<bandwidth::Bandwidth>>,
    gils: IdVec<GilId, gil::Gil>,
    /// GILs that are held and whose holder has been asked to drop them.
    requested: BTreeSet<GilId>,
    /// The declared locks, and behind them one for each shared object.
    locks: IdVec<LockId, lock::Lock>,
    objects: IdVec<ObjectId, object::Object>,
    devices: IdVec<DeviceId, blocking::Device>,
    /// The next member of a group that a `start` step starts.
    next_member: IdVec<GroupId, u32>,
    /// Who waits in `start()` until a thread has run.
    starters: BTreeMap<ThreadId, ThreadId>,
    /// Who waits in `join()` for whom.
    joiners: BTreeMap<Joinable, Vec<ThreadId>>,
    /// Non-daemon threads that have not ended, also those that will arrive at a time of their own.
    non_daemons: u32,
    /// Processes that will arrive at a time of their own.
    processes_to_come: u32,
    /// Processes that have arrived and not ended.
    processes_alive: u32,
    /// Non-daemon threads that wait for somebody else, without a limit.
    resting: u32,
    /// For each program the objects whose waiters it may notify.
    notifiers: IdVec<ProgramId, Box<[ObjectId]>>,
    /// Whether some thread may not use every core.
    pinned: bool,

    gil_of: IdVec<ThreadId, Option<GilId>>,
    /// By how much Python code takes longer, as a fraction.
    factor_of: IdVec<ThreadId, (u64, u64)>,
    /// Whether some lock has a protocol against priority inversion.
    has_protocols: bool,
    /// Whether some step starts processes.
    starts_processes: bool,
}

impl<'a, P: Policy, O: Observer> Kernel<'a, P, O> {
    /// A run of `scenario` that has not begun. `policy` is an empty run queue.
    pub fn new(scenario: &'a Scenario, policy: P, observer: O) -> Self {
        let machine = scenario.machine();
        let queues = if machine.run_queue == RunQueue::PerCore { machine.cores.len() } else { 1 };
        let seed = scenario.run().seed;
        let threads = scenario.threads();
        let by_itself = |process: &&crate::model::Process| process.arrival != Arrival::OnStart;
        let mut kernel = Kernel {
            scenario,
            log: Log::new(threads.len()),
            observer,
            now: Instant::ZERO,
            queue: EventQueue::default(),
            events: 0,
            ending: None,
            cores: machine.cores.values().map(|rate| Core::new(*rate)).collect(),
            free: machine.cores.ids().collect(),
            ready: BTreeSet::new(),
            rescheduled: BTreeSet::new(),
            unarmed: false,
            tasks: threads.values().map(|thread| policy.task(attributes(thread))).collect(),
            queues: (0..queues).map(|number| policy.queue(number)).collect(),
            queued: 0,
            unserved: false,
            woken: Vec::new(),
            threads: threads.values().map(|_| Thread::default()).collect(),
            processes: scenario.processes().values().map(|_| life::Process::default()).collect(),
            bandwidths: scenario
                .processes()
                .values()
                .map(|process| process.quota.map(bandwidth::Bandwidth::new))
                .collect(),
            gils: scenario.gils().values().map(|gil| gil::Gil::new(gil, seed, machine.scale)).collect(),
            requested: BTreeSet::new(),
            locks: lock::all(scenario),
            objects: object::all(scenario),
            devices: scenario.devices().values().map(|device| blocking::Device::new(device.at_once)).collect(),
            next_member: scenario.groups().values().map(|group| first_member(&group.members)).collect(),
            starters: BTreeMap::new(),
            joiners: BTreeMap::new(),
            non_daemons: 0,
            processes_to_come: scenario.processes().values().filter(by_itself).count() as u32,
            processes_alive: 0,
            resting: 0,
            notifiers: deadlock::notifiers(scenario),
            pinned: threads.values().any(|thread| thread.affinity.is_some()),
            gil_of: threads.ids().map(|thread| scenario.gil_of(thread)).collect(),
            factor_of: threads.values().map(|thread| factor(scenario, thread)).collect(),
            has_protocols: scenario.locks().values().any(|lock| lock.protocol != Protocol::None),
            starts_processes: scenario.groups().values().any(starts_processes),
        };
        kernel.expect_arrivals();
        kernel
    }

    /// Everything that will arrive at a time of its own.
    fn expect_arrivals(&mut self) {
        for (id, process) in self.scenario.processes().iter() {
            let Arrival::At(at) = process.arrival else { continue };
            self.queue.push(Instant::ZERO + at, Event::ProcessArrives(id));
            let threads = process.threads.clone().map(|thread| &self.scenario.threads()[ThreadId(thread)]);
            let lasting = threads.filter(|thread| !thread.daemon && thread.arrival != Arrival::OnStart);
            self.non_daemons += lasting.count() as u32;
        }
    }

    /// Runs to the end. Returns how it ended and how many events were handled.
    pub fn run(mut self) -> (Ending, u64) {
        while self.step() {}
        (self.ending.expect("a run that is over has an ending"), self.events)
    }

    /// Handles the next instant at which something is due. Returns whether the run goes on.
    pub fn step(&mut self) -> bool {
        self.forget_cancelled();
        match self.queue.next_at() {
            None => self.end_without_events(),
            Some(at) if at > self.horizon() => {
                self.now = self.horizon();
                self.end(Ending::Horizon);
            }
            Some(_) if self.events >= self.scenario.run().max_events => self.end_at_event_cap(),
            Some(at) => {
                assert!(at >= self.now, "time never goes back");
                self.now = at;
                self.queues.iter_mut().for_each(|queue| queue.clock(&mut self.tasks, at));
                self.instant();
            }
        }
        self.log.close(&mut self.observer, self.now);
        if self.ending.is_some() {
            self.write_end();
            return false;
        }
        if cfg!(debug_assertions) {
            self.invariants();
        }
        true
    }

    /// The model's horizon, or the longest one there is.
    fn horizon(&self) -> Instant {
        self.scenario.run().until.unwrap_or(Instant::ZERO + LONGEST)
    }

    /// The present instant.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Takes cancelled events away: those that are next, so that time never goes on for nothing, and all of them when they
    /// are the larger part, so that memory does not grow with the length of the run.
    fn forget_cancelled(&mut self) {
        // A thread has at most one timer, one arrival or release and one deadline to come, a process one of a quota and one
        // arrival, a core at most one end of work, one of a quantum, and one check.
        let most = 3 * (self.threads.len() + self.processes.len() + self.cores.len());
        if self.queue.len() > 2 * most {
            let mut queue = std::mem::take(&mut self.queue);
            queue.retain(|event| !self.is_cancelled(event));
            self.queue = queue;
        }
        while self.queue.next().is_some_and(|event| self.is_cancelled(event)) {
            self.queue.pop();
        }
    }

    fn is_cancelled(&self, event: Event) -> bool {
        match event {
            Event::ProcessArrives(_) | Event::Arrives(_) => false,
            Event::Release(thread) | Event::Due(thread) => self.threads[thread].phase == Phase::Done,
            Event::Wakes { thread, generation } | Event::TimesOut { thread, generation } => {
                self.threads[thread].generation != generation
            }
            Event::PeriodBegins { process, generation } | Event::QuotaUsed { process, generation } => {
                self.bandwidths[process].as_ref().is_none_or(|bandwidth| bandwidth.generation != generation)
            }
            Event::CoreDone { core, generation } | Event::Check { core, generation } => {
                self.cores[core].generation != generation
            }
            Event::QuantumEnd { core, generation } => self.cores[core].quantum != generation,
        }
    }

    /// One instant, in rounds.
    fn instant(&mut self) {
        for _ in 0..MOST_ROUNDS {
            self.handle_due(Rank::Work);
            self.give_out_cores();
            self.run_ready();
            if self.ending.is_some() {
                return;
            }
            let more = self.unserved
                || self.handle_due(Rank::Timeout)
                || self.arm_quanta()
                || self.handle_due(Rank::Quantum)
                || self.preempt()
                || self.check_points()
                || self.handle_due(Rank::Deadline);
            if !more {
                return;
            }
        }
        self.end_in_livelock();
    }

    /// All events that are due, up to a rank, in key order. Returns whether there were any.
    fn handle_due(&mut self, rank: Rank) -> bool {
        let before = self.events;
        while let Some(event) = self.queue.pop_due(self.now, rank) {
            if !self.is_cancelled(event) {
                self.events += 1;
                self.handle(event);
            }
        }
        self.events > before
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::ProcessArrives(process) => self.process_arrives(process, Cause::Root, Why::Arrived),
            Event::Arrives(thread) => self.arrives(thread, Cause::Root, Why::Arrived),
            Event::Release(thread) => self.release_job(thread),
            Event::Due(thread) => self.job_is_due(thread),
            Event::Wakes { thread, .. } => self.wait_is_over(thread),
            Event::PeriodBegins { process, .. } => self.period_begins(process),
            Event::QuotaUsed { process, .. } => self.quota_used(process),
            Event::CoreDone { core, .. } => self.core_done(core),
            Event::TimesOut { thread, .. } => self.times_out(thread),
            Event::Check { core, .. } => self.check(core),
            Event::QuantumEnd { core, .. } => self.quantum_ends(core),
        }
    }

    /// Writes a record and returns the cause that others may name.
    fn write(&mut self, cause: Cause, what: What) -> Cause {
        self.log.write(&mut self.observer, self.now, cause, what)
    }

    /// What the actions of a thread's interpreter cost.
    fn costs_of(&self, thread: ThreadId) -> PythonCosts {
        let interpreter = self.scenario.threads()[thread].interpreter;
        interpreter.map(|interpreter| self.scenario.interpreters()[interpreter].costs).unwrap_or_default()
    }

    /// Whether a thread's bytecode has check points everywhere.
    fn checks_everywhere(&self, thread: ThreadId) -> bool {
        let interpreter = self.scenario.threads()[thread].interpreter;
        interpreter.is_none_or(|interpreter| self.scenario.interpreters()[interpreter].checks_everywhere)
    }

    /// Whether a thread belongs to a process without an interpreter.
    fn is_native(&self, thread: ThreadId) -> bool {
        self.scenario.threads()[thread].interpreter.is_none()
    }
}

fn attributes(thread: &crate::model::Thread) -> Attributes {
    Attributes { nice: thread.nice, priority: thread.priority, tickets: thread.tickets, period: thread.period }
}

fn first_member(members: &Members) -> u32 {
    let (Members::Threads(all) | Members::Processes(all)) = members;
    all.start
}

fn starts_processes(group: &crate::model::Group) -> bool {
    group.started && matches!(group.members, Members::Processes(_))
}

fn factor(scenario: &Scenario, thread: &crate::model::Thread) -> (u64, u64) {
    let factor = thread.interpreter.map(|interpreter| scenario.interpreters()[interpreter].factor);
    factor.map_or((1, 1), |factor| (factor.num() as u64, factor.den() as u64))
}
