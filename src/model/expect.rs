//! Expectations as data: `[agg] metric op value`, the small closed grammar of the model format.

use crate::ratio::Ratio;
use crate::time::Span;

/// One line under `expect`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The line as written, for reports.
    pub text: String,
    /// Why it must hold, if the author says so.
    pub because: Option<String>,
    /// What it claims.
    pub claim: Claim,
}

/// What an expectation claims.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// A metric compared with a value.
    Metric {
        /// Over several threads; without one the comparison must hold for every thread.
        aggregate: Option<Aggregate>,
        /// What is measured.
        metric: Metric,
        /// How it is compared.
        op: Comparison,
        /// With what.
        value: Value,
    },
    /// `deadlock == true|false`.
    Deadlock(bool),
    /// `output contains "text"`.
    OutputContains(String),
    /// `time of "text" op duration`: when a line that contains the text was printed first.
    TimeOf {
        /// Part of the printed line.
        text: String,
        /// How its time is compared.
        op: Comparison,
        /// With what.
        value: Span,
    },
}

/// An aggregate over the values of several threads (or over a list of waits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// The comparison holds for at least one.
    Any,
    /// The comparison holds for each.
    All,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The arithmetic mean, exactly.
    Mean,
    /// The sum.
    Total,
    /// A percentile by the nearest-rank method: 50, 95 or 99.
    Percentile(u8),
}

/// A metric and, where it has one, its selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Which one.
    pub name: MetricName,
    /// `NAME`, `prefix*` or `*` as written; `None` for metrics of the whole run.
    pub selector: Option<String>,
}

/// How two values are compared. All are exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`, or `== V within P`: at most the given fraction of V away.
    Equal(Option<Ratio>),
    /// `about V`: within 5 %, or within the given fraction.
    About(Ratio),
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `>`
    More,
}

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A duration.
    Time(Span),
    /// A plain number.
    Number(Ratio),
    /// `20% of metric` or `1.5 x metric`: a factor times a metric of the same run.
    Times(Ratio, Metric),
}

/// What a metric's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Durations (or instants, as the span since the start).
    Time,
    /// Counts, ratios, exit codes.
    Number,
}

/// Whom a metric is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole run: no selector.
    Run,
    /// Threads: a selector in parentheses.
    Threads,
    /// The whole run, or the threads of a selector in parentheses.
    RunOrThreads,
    /// Processes.
    Processes,
    /// A lock.
    Lock,
    /// A queue.
    Queue,
    /// A variable.
    Variable,
    /// `count(thread|process|gil)`, or a named stretch of work.
    Kind,
    /// Named stretches of work.
    Span,
}

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $variant:ident $word:literal $unit:ident $scope:ident)*) => {
        /// Every metric of the model format that a run can compute.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum MetricName {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl MetricName {
            /// All metrics in the order of the help page.
            pub const ALL: &[MetricName] = &[$(MetricName::$variant),*];

            /// Its word in an expectation.
            pub fn word(self) -> &'static str {
                match self { $(MetricName::$variant => $word,)* }
            }

            /// Its definition in one line.
            pub fn definition(self) -> &'static str {
                match self { $(MetricName::$variant => concat!($($doc),+).trim_ascii(),)* }
            }

            /// What its values are.
            pub fn unit(self) -> Unit {
                match self { $(MetricName::$variant => Unit::$unit,)* }
            }

            /// Whom it is about.
            pub fn scope(self) -> Scope {
                match self { $(MetricName::$variant => Scope::$scope,)* }
            }
        }
    };
}

metrics! {
    /// last finish of a non-daemon thread (or the horizon) − first arrival
    Makespan "makespan" Time Run
    /// core time executed at speed 1, without the free-threading factor; a step cut by the horizon counts what ran
    Work "work" Time RunOrThreads
    /// `work` of `cpu` and `native_holding_gil` steps
    PythonWork "python_work" Time RunOrThreads
    /// `work` of `native` steps
    NativeWork "native_work" Time RunOrThreads
    /// time on a core in `python`, `native`, `native-gil`, over all cores ÷ makespan
    CoresBusy "cores_busy" Number Run
    /// most threads at once in `python`, `native` or `native-gil` (states of zero length do not count)
    MaxRunning "max_running" Number Run
    /// most threads at once in `python` or `native-gil` (states of zero length do not count)
    MaxInPython "max_in_python" Number Run
    /// time the GILs were locked, with or without a core
    GilBusy "gil_busy" Time Run
    /// grants of a GIL to a thread other than its last holder; the first grant counts
    GilSwitches "gil_switches" Number Run
    /// drops made on request, whatever the drop was for
    GilForced "gil_forced" Number Run
    /// times a request flag went from clear to set
    GilRequests "gil_requests" Number Run
    /// end of the thread; no value while it is unfinished
    Finish "finish" Time Threads
    /// the first instant of real work (`python`, `native`, `native-gil`), not the first touch of a core
    FirstRun "first_run" Time Threads
    /// first_run − arrival; with a period or a deadline the list over its finished jobs, each from its release
    Response "response" Time Threads
    /// finish − arrival; with a period or a deadline the list over its finished jobs, each from its release
    Turnaround "turnaround" Time Threads
    /// wait_core + wait_gil + forced
    Waiting "waiting" Time Threads
    /// wall time on a core in `python`, `native`, `native-gil`
    Ran "ran" Time Threads
    /// time in `wants-gil`, total over the thread's life
    WaitGil "wait_gil" Time Threads
    /// the list of single waits for the GIL, each from wanting it to having it (for p50, p95, p99, max, min, mean)
    EachWaitGil "each_wait_gil" Time Threads
    /// time in `forced`
    Forced "forced" Time Threads
    /// time in `runnable` and `runnable-gil`
    WaitCore "wait_core" Time Threads
    /// time in `lock`
    WaitLock "wait_lock" Time Threads
    /// time in `queue`
    WaitQueue "wait_queue" Time Threads
    /// time in `io`
    InIo "in_io" Time Threads
    /// time in `start-up`
    Startup "startup" Time Threads
    /// context switches to the thread: a core goes from a different thread to it; idle in between still counts once
    Switches "switches" Number RunOrThreads
    /// times the thread loses its core although it could go on, and another thread runs there next
    Preemptions "preemptions" Number RunOrThreads
    /// times the thread runs on another core than the last time
    Migrations "migrations" Number RunOrThreads
    /// jobs that were not finished when they were due, of threads with a period or a deadline; also those finished later
    Misses "misses" Number RunOrThreads
    /// ran ÷ sum of ran over its process
    Share "share" Number Threads
    /// Jain's index over the `ran` of the selected threads, (Σx)² ÷ (n·Σx²)
    Fairness "fairness" Number RunOrThreads
    /// time a lock was held
    Held "held" Time Lock
    /// how many items a queue holds, over time: alone the largest number, `mean`, `min` and percentiles weighted by time (states of zero length do not count)
    Depth "depth" Number Queue
    /// the value of a variable at the end
    VariableValue "value" Number Variable
    /// exit code of a process; no value while it runs
    Exit "exit" Number Processes
    /// how long each stretch of work of this name took that ended: a list, for p50, p95, p99, max, min, mean (percentiles by nearest rank, exact up to 65536 different values, then within 0.05 %)
    Latency "latency" Time Span
    /// stretches of work of this name that ended, for each second of makespan
    Throughput "throughput" Number Span
    /// how many threads, processes or GILs the model has (a GIL counts if some thread uses it); or how many stretches of work of this name ended
    Count "count" Number Kind
}
