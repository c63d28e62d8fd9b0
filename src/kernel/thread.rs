//! A thread as the kernel knows it: where it is, and what it does the next time it has a core.

use std::collections::BTreeMap;

use crate::ids::{CoreId, DeviceId, LockId, ObjectId, ProcId, ThreadId};
use crate::kernel::gil::Standing;
use crate::kernel::job::Jobs;
use crate::kernel::log::Cause;
use crate::kernel::object::Line;
use crate::model::{Cursor, Use};
use crate::rng::Stream;
use crate::time::{Instant, Span};
use crate::trace::Why;

/// Where a thread is. Exactly one of these at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not eligible yet.
    Absent,
    /// In a run queue, the number of which is given.
    Queued(u32),
    /// Wants a core and may not have one: its process has used up its quota.
    Throttled,
    /// On a core.
    OnCore(CoreId),
    /// Off the core until something happens.
    Blocked(Wait),
    /// Ended.
    Done,
}

/// What a thread off the core waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The timed wait of `take_gil`.
    Gil,
    /// The wait of `drop_gil` until somebody else has taken the GIL (`FORCE_SWITCHING`).
    Forced,
    /// The end of a blocking call, on this device.
    Io(Option<DeviceId>),
    /// The end of a sleep.
    Sleep,
    /// A lock.
    Lock(LockId),
    /// A notification, in a line of a shared object.
    Object(ObjectId, Line),
    /// `Thread.start()`: until this thread has run.
    ChildRuns(ThreadId),
    /// `join()`.
    Join(Joinable),
    /// Between two jobs: the next release.
    Release,
}

impl Wait {
    /// Whether only somebody else can end it.
    pub fn needs_another(self) -> bool {
        matches!(self, Wait::Lock(_) | Wait::Object(..) | Wait::ChildRuns(_) | Wait::Join(_))
    }
}

/// What `join` waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Joinable {
    Thread(ThreadId),
    Process(ProcId),
}

/// What a thread does the next time it has a core and time does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Start up: what its start costs before it may ask for the GIL.
    Begin,
    /// `take_gil`.
    Take,
    /// Back from the timed wait of `take_gil`.
    Retry { timed_out: bool },
    /// The check point at the end of a block without any.
    CheckPoint,
    /// The GIL was handed to it while it waited.
    Granted,
    /// It has all it needs: go on with the burst under way, or execute the operation under the cursor.
    Go,
    /// A burst is under way: time passes on this core.
    Burst,
    /// `drop_gil` after the GIL was released on request: has somebody else taken it?
    ForcedCheck(After),
    /// What the drop was for.
    After(After),
    /// Back from waiting for a lock that is a semaphore: take it if it is free.
    LockRetry(LockId),
}

/// What a drop of the GIL is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// A check point with a request pending: take it again.
    TakeAgain,
    /// A burst of native code that runs without it.
    Native,
    /// A blocking call that blocks for so long.
    Io { length: Span, device: Option<DeviceId> },
    /// A blocking call that returns at once: the thread keeps its core.
    InstantIo,
    /// A sleep.
    Sleep(Span),
    /// Waiting for a lock.
    Lock(LockId),
    /// Waiting for a notification.
    Park(ObjectId, Line),
    /// A system call that uses something of the operating system.
    Posix(ObjectId, Use),
    /// Waiting until a started thread has run.
    ChildRuns(ThreadId),
    /// Waiting for an end.
    Join(Joinable),
    /// The end of a job.
    NextJob,
}

/// How far a thread has come before it executes code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Birth {
    /// It has not been on a core.
    Unborn,
    /// It stands for the server that it will be forked from, which starts up on a core; or has done so.
    Server,
    /// It pays for its start, on a core and without the GIL; or has done so.
    StartingUp,
    /// It imports the main module again, with the GIL; or has done so.
    Importing,
    /// It executes code of its own; the thread that started it waits for that.
    Ready,
}

/// What a burst consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Start-up: overhead, not work.
    StartUp,
    /// Python bytecode: interruptible at any time.
    Python,
    /// Python bytecode without a check point until its end.
    PythonBlock,
    /// Native code without the GIL.
    Native,
    /// Native code that keeps the GIL: one uninterruptible unit.
    NativeGil,
}

/// A stretch of work that needs a core, in progress or interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Burst {
    pub work: Work,
    /// What is left, in the machine's units (`1 / scale` nanoseconds at speed 1).
    pub left: u128,
}

/// How long a thread is willing to wait in the step under its cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// Until then.
    pub deadline: Instant,
    /// The place in its program where it goes on if that was in vain.
    pub otherwise: u32,
}

/// How far a thread has come in a step that uses a shared object, or waits with a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Visit {
    /// It holds the lock of the object.
    pub inside: bool,
    /// It has lined up before.
    pub waited: bool,
    /// It is in line, and has not been notified.
    pub in_line: bool,
    /// Its time was over before anybody notified it.
    pub timed_out: bool,
    /// How often it held the lock of a condition before it let go of it.
    pub depth: u32,
}

/// How a thread was woken: decides what its next dispatch costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WokenOn {
    /// A core was free for it.
    Idle,
    /// It has to take its turn on a core that is busy.
    Busy,
}

/// A thread.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub phase: Phase,
    pub stage: Stage,
    /// In the top-level code of its process, before its own program.
    pub at_top_level: bool,
    pub cursor: Cursor,
    pub burst: Option<Burst>,
    /// Of its pending timer; an older one does nothing.
    pub generation: u32,
    pub last_core: Option<CoreId>,
    pub woken: Option<WokenOn>,
    /// Since when it has been runnable, and what made it so.
    pub runnable: (Instant, Cause),
    /// Why its next burst begins, for the records.
    pub because: (Why, Cause),
    pub birth: Birth,
    /// Its place in the order of arrivals.
    pub place_among_living: u64,
    /// A fork has been paid for and the child not been made yet.
    pub fork_paid: bool,
    /// `take_gil`: the switch number when the present wait began.
    pub saved_switch_number: u64,
    /// Since when it has wanted the GIL, over all timed waits.
    pub wanted_gil_since: Option<Instant>,
    /// What proposed GILs know of it.
    pub standing: Standing,
    /// Its place among the waiters, while it is one.
    pub gil_ticket: u64,
    pub visit: Visit,
    /// For the step under the cursor.
    pub patience: Option<Patience>,
    /// When the last step with a limit was, or is, to be given up.
    pub deadline: Instant,
    /// What it has read of variables.
    pub registers: BTreeMap<ObjectId, i64>,
    /// It waits for somebody else, without a limit.
    pub rests: bool,
    /// Since when it has waited for a lock, over all wake-ups.
    pub lock_since: Option<Instant>,
    pub accounts: Accounts,
    pub jobs: Jobs,
    /// The priority that it has through locks.
    pub lifted: Option<i64>,
    /// The streams of its draws, one for each purpose, made when first needed.
    pub streams: [Option<Box<Stream>>; Purpose::COUNT],
}

/// What a draw is for; each purpose has a stream of its own, so that a changed sleep never shifts the draws of `cpu`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Cpu,
    Native,
    Io,
    Sleep,
    Timeout,
    Choose,
    /// How late a timer of the kernel fires.
    Timer,
    /// What a wake-up costs.
    Wakeup,
}

impl Purpose {
    pub const COUNT: usize = 8;

    pub fn word(self) -> &'static str {
        match self {
            Purpose::Cpu => "cpu",
            Purpose::Native => "native",
            Purpose::Io => "io",
            Purpose::Sleep => "sleep",
            Purpose::Timeout => "timeout",
            Purpose::Timer => "timer",
            Purpose::Wakeup => "wakeup",
            Purpose::Choose => "choose",
        }
    }
}

/// Work executed and demanded, in the machine's units.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Accounts {
    /// `cpu`, with the free-threading factor.
    pub cpu: u128,
    /// `native_holding_gil`.
    pub native_gil: u128,
    /// `native`, and `cpu` of a process without an interpreter.
    pub native: u128,
    /// Demanded by all work steps begun, in nanoseconds at speed 1 and without the factor.
    pub demanded_ns: u128,
}

impl Default for Thread {
    fn default() -> Self {
        Thread {
            phase: Phase::Absent,
            stage: Stage::Begin,
            at_top_level: false,
            cursor: Cursor::default(),
            burst: None,
            generation: 0,
            last_core: None,
            woken: None,
            runnable: (Instant::ZERO, Cause::Root),
            because: (Why::Step, Cause::Root),
            birth: Birth::Unborn,
            place_among_living: 0,
            fork_paid: false,
            saved_switch_number: 0,
            wanted_gil_since: None,
            standing: Standing::default(),
            gil_ticket: 0,
            visit: Visit::default(),
            patience: None,
            deadline: Instant::ZERO,
            registers: BTreeMap::new(),
            rests: false,
            lock_since: None,
            accounts: Accounts::default(),
            jobs: Jobs::default(),
            lifted: None,
            streams: Default::default(),
        }
    }
}

impl Thread {
    /// The core it is on.
    pub fn core(&self) -> Option<CoreId> {
        match self.phase {
            Phase::OnCore(core) => Some(core),
            _ => None,
        }
    }
}
