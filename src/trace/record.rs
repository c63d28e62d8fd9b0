//! One record of a timeline, and how a run can end.

use crate::ids::{CoreId, GilId, LockId, ObjectId, ProcId, SpanId, ThreadId};
use crate::time::{Instant, Span};
use crate::trace::{ObjectAct, State, Why};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// When.
    pub at: Instant,
    /// What.
    pub what: What,
    /// The index of the record that made it happen; `None` only for what the model itself makes happen: arrivals, later
    /// releases, what they do at that instant, and the end.
    pub cause: Option<u64>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A thread is in another state than before (or in the same state on another core). States of zero length are left
    /// out: a GIL waiter that wakes, finds the GIL locked and parks again in no time stays `wants-gil`.
    State {
        /// Whose.
        thread: ThreadId,
        /// The state before; `None` before its arrival.
        from: Option<State>,
        /// The state from now on.
        to: State,
        /// The core, for states on a core.
        core: Option<CoreId>,
        /// The reason.
        why: Why,
    },
    /// A core turns to another thread than it ran last, or a thread to another core than it used last, also for no time.
    Dispatch {
        /// The core.
        core: CoreId,
        /// The thread that runs on it now.
        thread: ThreadId,
        /// A context switch: the core ran a different thread before.
        switched: bool,
        /// The thread ran on another core the last time.
        migrated: bool,
        /// The thread that lost this core although it could go on.
        preempted: Option<ThreadId>,
    },
    /// Something happened to a GIL.
    Gil {
        /// Which GIL.
        gil: GilId,
        /// Who did it.
        thread: ThreadId,
        /// What was done.
        act: GilAct,
    },
    /// Something happened to a lock.
    Lock {
        /// Which lock.
        lock: LockId,
        /// Who owns it now (acquire, hand-over) or owned it until now (release).
        thread: ThreadId,
        /// What was done.
        act: LockAct,
    },
    /// Something happened to a shared object other than a lock.
    Object {
        /// Which object.
        object: ObjectId,
        /// Who did it.
        thread: ThreadId,
        /// What was done.
        act: ObjectAct,
        /// What it holds now: items of a queue, permits of a semaphore, threads inside of a barrier or waiting for a
        /// condition, 1 or 0 of an event, the value of a variable.
        value: i64,
    },
    /// Something happened to a job of a thread with a period or a deadline.
    Job {
        /// Whose.
        thread: ThreadId,
        /// Which of its jobs, from 1.
        number: u64,
        /// When it was released.
        released: Instant,
        /// What happened.
        act: JobAct,
    },
    /// A thread reached the beginning or the end of a named stretch of work, on a core or off it.
    Span {
        /// Which name.
        span: SpanId,
        /// Whose stretch.
        thread: ThreadId,
        /// What was reached.
        act: SpanAct,
    },
    /// A process has used up its quota, and all its threads lose their cores; or it has a quota again.
    Quota {
        /// Which.
        process: ProcId,
        /// Whether it is throttled from now on.
        throttled: bool,
    },
    /// A line was printed.
    Output {
        /// By which thread.
        thread: ThreadId,
        /// Without the line end.
        text: String,
    },
    /// A thread finished, and these are its accounts (core time at speed 1, without the free-threading factor, rounded
    /// down to whole nanoseconds). Also emitted at the end of the run for every thread that has not finished.
    Account {
        /// Whose.
        thread: ThreadId,
        /// Executed in `cpu` and `native_holding_gil` steps.
        python_work: Span,
        /// Executed in `native` steps.
        native_work: Span,
        /// Demanded by all work steps begun so far; equal to the two above when the thread finishes by itself.
        demanded: Span,
        /// Whether the thread ended by reaching the end of its program.
        finished: bool,
    },
    /// A process ended.
    Exit {
        /// Which.
        process: ProcId,
        /// Its exit code.
        code: i32,
    },
    /// The run is over. Always the last record.
    End {
        /// How it ended.
        ending: Ending,
    },
}

/// What happens to a GIL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GilAct {
    /// A waiter set the drop request; it had been clear.
    Request,
    /// Taken.
    Grant {
        /// By another thread than the last holder: the switch number went up.
        switched: bool,
    },
    /// Dropped.
    Drop {
        /// A request was pending.
        forced: bool,
    },
}

/// What happens to a lock. Digests know these by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockAct {
    /// Acquired by a thread that found it free.
    Acquire,
    /// Released: free for whoever comes first.
    Release,
    /// Released and handed to a waiter in one action.
    HandOver,
}

/// What happens to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobAct {
    /// It may begin, unless an earlier one is unfinished.
    Release,
    /// Its program has ended.
    Finish,
    /// It is due and not finished.
    Miss,
}

impl JobAct {
    /// All of them.
    pub const ALL: [JobAct; 3] = [JobAct::Release, JobAct::Finish, JobAct::Miss];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            JobAct::Release => "release",
            JobAct::Finish => "finish",
            JobAct::Miss => "miss",
        }
    }
}

/// What happens to a named stretch of work. Those of one thread are nested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpanAct {
    /// It begins.
    Begin,
    /// It ends.
    End,
}

impl SpanAct {
    /// Both.
    pub const ALL: [SpanAct; 2] = [SpanAct::Begin, SpanAct::End];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            SpanAct::Begin => "begin",
            SpanAct::End => "end",
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// All non-daemon threads finished.
    Finished,
    /// The horizon was reached.
    Horizon,
    /// Nobody can ever go on.
    Deadlock {
        /// Who waits for what; a cycle where there is one, in its order.
        cycle: Vec<WaitsFor>,
    },
    /// More rounds at one instant than a model can need.
    Livelock {
        /// Who was on a core and did not let time pass.
        threads: Vec<ThreadId>,
    },
    /// More events than the cap allows.
    EventCap {
        /// Who was on a core.
        threads: Vec<ThreadId>,
    },
    /// The modelled program did something that Python refuses.
    ModelError {
        /// The stable code, such as `E204`.
        code: &'static str,
        /// Who did it.
        thread: ThreadId,
        /// The sentence.
        detail: String,
    },
}

/// One line of a deadlock: a thread, what it waits for, and who holds that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitsFor {
    /// Who waits.
    pub thread: ThreadId,
    /// For what, in words: `lock database`, `the end of worker-1`.
    pub what: String,
    /// Who holds it, if somebody does.
    pub holder: Option<ThreadId>,
}

impl Ending {
    /// Its stable word.
    pub fn word(&self) -> &'static str {
        match self {
            Ending::Finished => "finished",
            Ending::Horizon => "horizon",
            Ending::Deadlock { .. } => "deadlock",
            Ending::Livelock { .. } => "livelock",
            Ending::EventCap { .. } => "event-cap",
            Ending::ModelError { .. } => "model-error",
        }
    }
}
