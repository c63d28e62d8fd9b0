//! The states of a thread and the reasons for which it changes them: the same words in every output.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $line:literal])+ $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $line])+ $variant,)*
        }

        impl $name {
            /// All of them, in declaration order.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// Its word.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// Its meaning in one line.
            pub fn meaning(self) -> &'static str {
                match self { $($name::$variant => concat!($($line),+).trim_ascii(),)* }
            }

            /// The one with this word.
            pub fn from_word(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|each| each.word() == word)
            }
        }
    };
}

words! {
    /// What a thread is doing.
    State {
        /// on a core, being started: no Python code yet
        StartUp = "start-up",
        /// on a core, runs Python code (and holds the GIL, where there is one)
        Python = "python",
        /// on a core, runs native code without the GIL
        Native = "native",
        /// on a core, runs native code that keeps the GIL: not interruptible
        NativeGil = "native-gil",
        /// parked in the timed wait for the GIL: the kernel calls it asleep, Python calls it ready
        WantsGil = "wants-gil",
        /// dropped the GIL on request and waits until somebody else has taken it
        Forced = "forced",
        /// wants a core
        Runnable = "runnable",
        /// wants a core and holds the GIL: the whole interpreter stands still
        RunnableGil = "runnable-gil",
        /// in a blocking call, GIL released
        Io = "io",
        /// in time.sleep, GIL released
        Sleep = "sleep",
        /// waits for a lock
        Lock = "lock",
        /// waits for a queue
        Queue = "queue",
        /// waits for an event (also: `Thread.start()` waits until the new thread has run)
        Event = "event",
        /// waits for a condition
        Condition = "condition",
        /// waits at a barrier
        Barrier = "barrier",
        /// waits for the end of a thread or process
        Join = "join",
        /// on a core, while the core is busy with a wake-up, a context switch, a migration or a take or drop of the GIL
        Overhead = "overhead",
        /// stopped by stop-the-world
        Suspended = "suspended",
        /// has ended
        Done = "done",
    }
}

impl State {
    /// Whether a thread in this state occupies a core.
    pub fn on_core(self) -> bool {
        matches!(self, State::StartUp | State::Python | State::Native | State::NativeGil | State::Overhead)
    }

    /// Whether this is real work: `python`, `native`, `native-gil`.
    pub fn is_running(self) -> bool {
        matches!(self, State::Python | State::Native | State::NativeGil)
    }

    /// Whether the thread executes Python code or C code that keeps the GIL.
    pub fn in_python(self) -> bool {
        matches!(self, State::Python | State::NativeGil)
    }

    /// Whether the thread wants a core and has none.
    pub fn wants_core(self) -> bool {
        matches!(self, State::Runnable | State::RunnableGil)
    }
}

words! {
    /// Why a thread entered a state.
    Why {
        /// the thread became eligible for the first time, at its own time
        Arrived = "arrived",
        /// a start step started it
        Started = "started",
        /// it got a core
        Dispatched = "dispatched",
        /// it took the GIL
        GilTaken = "gil-taken",
        /// the GIL is locked: it begins a timed wait
        GilLocked = "gil-locked",
        /// its timed wait for the GIL ended without a signal
        GilTimeout = "gil-timeout",
        /// a drop of the GIL woke it
        GilSignal = "gil-signal",
        /// it dropped the GIL on request: forced switching
        GilRequested = "gil-requested",
        /// another thread has taken the GIL that it dropped on request
        GilSwitched = "gil-switched",
        /// its next step began
        Step = "step",
        /// it was woken and its core is busy with that
        Waking = "waking",
        /// its core is busy with a context switch, a migration, or a take or drop of the GIL
        Switching = "switching",
        /// a more urgent thread took its core
        Preempted = "preempted",
        /// its quantum or slice was over and another thread was due
        QuantumOver = "quantum-over",
        /// it began a blocking call
        IoStarted = "io-started",
        /// it waits for a device that is busy with others
        DeviceBusy = "device-busy",
        /// its blocking call ended
        IoDone = "io-done",
        /// it began to sleep
        SleepStarted = "sleep-started",
        /// its sleep ended
        SleepOver = "sleep-over",
        /// the lock it wants is held
        LockBusy = "lock-busy",
        /// a release of the lock woke it
        LockReleased = "lock-released",
        /// a release handed the lock to it
        LockHandedOver = "lock-handed-over",
        /// start() waits until the new thread has run
        ChildStarting = "child-starting",
        /// the thread it started has run
        ChildRan = "child-ran",
        /// it waits for the end of another thread or process
        Joining = "joining",
        /// what it joined has ended
        Joined = "joined",
        /// its program ended
        Finished = "finished",
        /// a daemon: the last non-daemon thread of its process ended
        ProcessEnded = "process-ended",
        /// the object it needs is not ready: it waits for a notification
        ObjectBusy = "object-busy",
        /// another thread notified it
        Notified = "notified",
        /// it has waited for as long as it wanted to
        TimedOut = "timed-out",
        /// its job is done: it waits for its next release
        JobDone = "job-done",
        /// it is released again: its next job
        Released = "released",
        /// its process has used up its quota
        Throttled = "throttled",
    }
}

words! {
    /// What happens to a shared object other than a lock.
    ObjectAct {
        /// an item was put into a queue
        Put = "put",
        /// an item was taken from a queue
        Get = "get",
        /// an event was set
        Set = "set",
        /// an event was cleared
        Clear = "clear",
        /// threads that wait for a condition were notified
        Notify = "notify",
        /// a thread began to wait for a condition
        Wait = "wait",
        /// a thread has come to a barrier
        Arrive = "arrive",
        /// the last thread has come to a barrier and opens it
        Open = "open",
        /// a thread has left a barrier
        Leave = "leave",
        /// a permit of a semaphore was taken
        Acquire = "acquire",
        /// a permit of a semaphore was given back
        Release = "release",
        /// a variable was read
        Load = "load",
        /// a variable was written
        Store = "store",
    }
}

words! {
    /// The kinds of shared objects other than locks.
    ObjectKind {
        /// a `threading.Semaphore`
        Semaphore = "semaphore",
        /// a `queue.Queue`
        Queue = "queue",
        /// a `threading.Event`
        Event = "event",
        /// a `threading.Condition`
        Condition = "condition",
        /// a `threading.Barrier`
        Barrier = "barrier",
        /// an integer that threads read and write
        Variable = "variable",
    }
}
