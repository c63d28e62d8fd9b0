//! A model that has passed every check: what the kernel runs and what every report speaks about.
//!
//! Only `lower` builds a [`Scenario`], so whoever holds one need not ask whether it is valid: every id points somewhere,
//! every length is within range, every name is unique, every program ends its loops.

use std::ops::Range;

use crate::ids::{
    CoreId, DeviceId, GilId, GroupId, IdVec, InterpId, LockId, ObjectId, ProcId, ProgramId, SpanId, ThreadId,
};
use crate::model::expect::Expectation;
use crate::model::policies::PolicyName;
use crate::model::program::{Length, Program};
pub use crate::model::shared::{Form, Lock, Object, Protocol, Sharing};
use crate::ratio::Ratio;
use crate::time::{Instant, Span};

/// A valid model: machine, interpreters, threads and what the author expects of the run.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(in crate::model) name: String,
    pub(in crate::model) about: Option<String>,
    pub(in crate::model) profile: String,
    pub(in crate::model) machine: Machine,
    pub(in crate::model) devices: IdVec<DeviceId, Device>,
    pub(in crate::model) locks: IdVec<LockId, Lock>,
    pub(in crate::model) objects: IdVec<ObjectId, Object>,
    pub(in crate::model) processes: IdVec<ProcId, Process>,
    pub(in crate::model) interpreters: IdVec<InterpId, Interpreter>,
    pub(in crate::model) gils: IdVec<GilId, Gil>,
    pub(in crate::model) groups: IdVec<GroupId, Group>,
    pub(in crate::model) threads: IdVec<ThreadId, Thread>,
    pub(in crate::model) programs: IdVec<ProgramId, Program>,
    pub(in crate::model) spans: IdVec<SpanId, String>,
    pub(in crate::model) run: Run,
    pub(in crate::model) expectations: Vec<Expectation>,
}

/// What a run is bounded by and seeded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The horizon, if there is one.
    pub until: Option<Instant>,
    /// The seed of all random streams.
    pub seed: u64,
    /// After so many events the run ends with `event-cap`.
    pub max_events: u64,
}

/// The hardware and its operating system.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// The cores, each with the work it does per nanosecond, in units of `1 / scale` nanoseconds.
    pub cores: IdVec<CoreId, u64>,
    /// In how many units a nanosecond of work is counted, so that every speed and cost factor is a whole number of units.
    /// 1 where all speeds and factors are 1.
    pub scale: u64,
    /// The scheduling policy and its parameters.
    pub scheduler: Scheduler,
    /// One run queue for all cores, or one for each.
    pub run_queue: RunQueue,
    /// The period of the scheduler's tick, to which ends of slices are rounded up; zero = tickless.
    pub tick: Span,
    /// What the operating system's own actions cost.
    pub costs: MachineCosts,
}

/// How runnable threads are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunQueue {
    /// One queue; any free core serves it.
    Global,
    /// One queue per core; an idle core pulls from the longest.
    PerCore,
}

/// A scheduling policy and the parameters of all of them; each policy reads those that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduler {
    /// The policy.
    pub policy: PolicyName,
    /// How long a thread runs before others of its weight get their turn.
    pub slice: Span,
    /// The longest stay on a core while others wait; `None` = not written.
    pub quantum: Option<Span>,
    /// Whether a thread that becomes runnable takes the core from a lower priority at once.
    pub preemptive: bool,
    /// A waiting thread's priority rises by one each time it has waited for so long; zero = never.
    pub ageing: Span,
    /// The queues of a multi-level feedback queue, the highest first.
    pub levels: Vec<Level>,
    /// The period after which all threads return to the highest of them; zero = never.
    pub boost: Span,
}

/// One queue of a multi-level feedback queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The longest stay on a core while others of this queue wait.
    pub quantum: Span,
    /// How long a thread may run in it, over all its turns, before it moves down.
    pub allotment: Span,
}

impl Scheduler {
    /// The longest stay on a core of a policy that always has one: 10 ms where none is written.
    pub fn quantum(&self) -> Span {
        self.quantum.unwrap_or(DEFAULT_QUANTUM)
    }
}

/// What holds without a `quantum`, for policies that always have one.
pub(in crate::model) const DEFAULT_QUANTUM: Span = Span::from_ms(10);

/// What the operating system's own actions cost. All of them are overhead on the core where they happen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MachineCosts {
    /// A core turns from one thread to a different one.
    pub context_switch: Span,
    /// A thread is woken onto a core that was idle.
    pub wakeup_idle: Length,
    /// A thread is woken and takes its turn on a core that was busy.
    pub wakeup_busy: Length,
    /// A thread runs on another core than the last time.
    pub migration: Span,
    /// A thread comes back to a core that has run others since, or to another core.
    pub cache_warmup: Span,
    /// How late every timer of the kernel fires (sleep, timed wait).
    pub timer_slack: Length,
}

/// A device that serves so many requests at once, first come, first served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its declared name.
    pub name: String,
    /// Requests served at the same time.
    pub at_once: u32,
}

/// A process.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    /// Its name: `main`, or the declared name with the member's number.
    pub name: String,
    /// The declared name with all its members, where the model declares processes.
    pub group: Option<GroupId>,
    /// When it starts.
    pub arrival: Arrival,
    /// How it is started, for a process that a `start` step starts.
    pub start_method: StartMethod,
    /// Its Python version as (major, minor); `None` = a native program without an interpreter.
    pub python: Option<(u8, u8)>,
    /// The top-level code of its main module, which its first thread runs before its own program: as a whole in the
    /// program itself, in a child that imports it again as far as no main guard protects it.
    pub module: Option<ProgramId>,
    /// Its threads.
    pub threads: Range<u32>,
    /// How much core time its threads may use in every period, all together.
    pub quota: Option<Quota>,
    /// The process id that printed blocks show: 1000 and the number of the process.
    pub pid: u32,
}

/// A limit on core time, as a control group of Linux has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Core time in each period.
    pub budget: Span,
    /// The length of a period; the first one begins with the process.
    pub period: Span,
}

/// When a thread or process becomes eligible for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// So long after the start of the run (a process) or of its process (a thread).
    At(Span),
    /// When a `start` step starts it.
    OnStart,
}

/// How `multiprocessing` makes a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartMethod {
    /// The child is a copy; the parent pays, holding its GIL.
    Fork,
    /// A new interpreter; the child pays and imports the main module again.
    Spawn,
    /// A fork of a clean server process; the child pays and imports the main module again.
    Forkserver,
}

/// What Python's own actions cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PythonCosts {
    /// Paid by a new thread on a core without the GIL.
    pub thread_start: Span,
    /// Paid by the parent of a forked process, holding its GIL.
    pub fork: Span,
    /// Paid by a spawned child on a core without a GIL.
    pub spawn: Span,
    /// Paid by a forkserver child on a core without a GIL.
    pub forkserver: Span,
    /// Paid before the first forkserver child by the server that is to be forked, on a core without a GIL.
    pub forkserver_server: Span,
    /// Paid by a thread with an interpreter of its own, on a core without a GIL.
    pub interpreter_start: Span,
    /// Paid by a spawned or forkserver child, holding its own GIL.
    pub import_main: Span,
    /// Paid for each item that crosses processes by who sends it and by who receives it, holding the GIL.
    pub pickle: Span,
    /// Paid by whoever took the GIL, holding it.
    pub gil_take: Span,
    /// Paid by whoever dropped the GIL, after the drop.
    pub gil_drop: Span,
    /// 2.7: paid by whoever let go of the GIL and woke a waiter, while it is free.
    pub gil_signal: Span,
    /// 2.7: paid by whoever let go of the GIL while a waiter was on its way and none asleep.
    pub gil_signal_empty: Span,
}

/// An interpreter: the main one of a Python process, or a sub-interpreter.
#[derive(Clone, Debug, PartialEq)]
pub struct Interpreter {
    /// The process it lives in.
    pub process: ProcId,
    /// Its GIL; `None` in a free-threaded build.
    pub gil: Option<GilId>,
    /// Whether bytecode has check points everywhere, as before 3.10, or only at ends of loops and at calls.
    pub checks_everywhere: bool,
    /// By how much Python code takes longer (free-threaded builds); 1 otherwise.
    pub factor: Ratio,
    /// What its actions cost.
    pub costs: PythonCosts,
}

/// A Global Interpreter Lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gil {
    /// The name of its process, or `process/thread` for a sub-interpreter's.
    pub name: String,
    /// The switch interval: how long a waiter waits before it asks. Under ticks: from one check to the next.
    pub interval: Span,
    /// Which waiter is woken by a drop.
    pub next_holder: NextHolder,
    /// By which rules it changes hands.
    pub rule: GilRule,
}

/// By which rules a GIL changes hands: CPython's, or some that were proposed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GilRule {
    /// CPython 3.2 and later: a waiter asks after a switch interval, and whoever drops on request waits for the switch.
    Cpython,
    /// The same without waiting for the switch: whoever dropped may take it right back.
    NoForcedSwitch,
    /// Threads that come back from a blocking call ask at once and are served first.
    IoPriority,
    /// A drop makes the oldest waiter the owner.
    HandOff,
    /// The earliest virtual deadline first.
    Bfs,
    /// CPython 2.7: every so many ticks the holder lets go of it and takes it again, and nobody asks.
    Ticks {
        /// So many (`sys.setcheckinterval`).
        interval: u64,
        /// How long each takes.
        tick: Span,
    },
}

/// Which of several waiters a drop wakes. Python does not choose: the operating system does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextHolder {
    /// Whoever has wanted the GIL longest; ties by declaration.
    Fifo,
    /// The head of a queue in which a waiter that times out re-enters at the tail, as with glibc's condition variable.
    Futex {
        /// How often who has just asked takes the signal before another waiter has woken for it.
        stolen: Ratio,
    },
    /// Any, from the seed.
    Random,
}

/// A declared name under `threads` or `processes`, with all its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The declared name.
    pub name: String,
    /// What `start` and `join` start and join.
    pub members: Members,
    /// Whether some step starts it; if not, its members start by themselves.
    pub started: bool,
}

/// The members of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// Threads of one process.
    Threads(Range<u32>),
    /// Processes.
    Processes(Range<u32>),
}

/// A thread.
#[derive(Clone, Debug, PartialEq)]
pub struct Thread {
    /// Its name: the declared one, or `waster-1` … for several members.
    pub name: String,
    /// The declared name it is a member of; for the one thread of a process with `do`, that of the process.
    pub group: GroupId,
    /// Its process.
    pub process: ProcId,
    /// Its interpreter; `None` in a native process.
    pub interpreter: Option<InterpId>,
    /// Whether that interpreter is its own (and has to be started).
    pub own_interpreter: bool,
    /// What it runs.
    pub program: ProgramId,
    /// When it becomes eligible.
    pub arrival: Arrival,
    /// A daemon ends when the last non-daemon thread of its process ends.
    pub daemon: bool,
    /// -20 … 19, for the fair scheduler.
    pub nice: i8,
    /// Larger runs first, for the priority scheduler.
    pub priority: i64,
    /// Its share of a proportional scheduler (lottery, stride); above 0.
    pub tickets: u64,
    /// How often its program is released; `None` = once, when it arrives.
    pub period: Option<Span>,
    /// When each release is due, from the release on; `None` = never.
    pub deadline: Option<Span>,
    /// The cores it may use; `None` = all.
    pub affinity: Option<Box<[CoreId]>>,
    /// The stable name of its random streams, without the purpose: `main/group#member`, or `process#member/group#member` where
    /// the model declares processes. Members have their number even where there is one, so that a second changes nothing.
    pub stream: String,
    /// The name that `threading.enumerate()` shows for it: `MainThread`, `Thread-1 (waster)` …
    pub python_name: String,
}

impl Scenario {
    /// The model's name.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// What a reader should notice.
    pub fn about(&self) -> Option<&str> {
        self.about.as_deref()
    }
    /// The name of the cost profile.
    pub fn profile(&self) -> &str {
        &self.profile
    }
    /// The machine.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }
    /// The devices.
    pub fn devices(&self) -> &IdVec<DeviceId, Device> {
        &self.devices
    }
    /// The locks.
    pub fn locks(&self) -> &IdVec<LockId, Lock> {
        &self.locks
    }
    /// The shared objects other than locks.
    pub fn objects(&self) -> &IdVec<ObjectId, Object> {
        &self.objects
    }
    /// The processes.
    pub fn processes(&self) -> &IdVec<ProcId, Process> {
        &self.processes
    }
    /// The interpreters.
    pub fn interpreters(&self) -> &IdVec<InterpId, Interpreter> {
        &self.interpreters
    }
    /// The GILs that some thread uses.
    pub fn gils(&self) -> &IdVec<GilId, Gil> {
        &self.gils
    }
    /// The declared groups of threads and processes.
    pub fn groups(&self) -> &IdVec<GroupId, Group> {
        &self.groups
    }
    /// The threads.
    pub fn threads(&self) -> &IdVec<ThreadId, Thread> {
        &self.threads
    }
    /// The programs.
    pub fn programs(&self) -> &IdVec<ProgramId, Program> {
        &self.programs
    }
    /// The names of stretches of work, which all programs share.
    pub fn spans(&self) -> &IdVec<SpanId, String> {
        &self.spans
    }
    /// Horizon, seed and event cap.
    pub fn run(&self) -> Run {
        self.run
    }
    /// What the author expects.
    pub fn expectations(&self) -> &[Expectation] {
        &self.expectations
    }
    /// The GIL that a thread needs for Python code, if it needs one.
    pub fn gil_of(&self, thread: ThreadId) -> Option<GilId> {
        self.threads[thread].interpreter.and_then(|interpreter| self.interpreters[interpreter].gil)
    }
    /// The full name of a thread, `process/thread`.
    pub fn full_name(&self, thread: ThreadId) -> String {
        let thread = &self.threads[thread];
        format!("{}/{}", self.processes[thread.process].name, thread.name)
    }
}
