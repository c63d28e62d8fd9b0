//! Earliest deadline first: the thread whose present job is due first runs, and takes the core of one that is due later.
//! Liu and Layland (1973) show that on one core it meets all deadlines whenever any policy can: for periodic threads that
//! are due at the end of their periods, exactly when Σ C / T ≤ 1 (C is the work of a job, T the period). Beyond that it
//! misses deadlines of everybody, where fixed priorities would sacrifice the lowest.
//!
//! Every release of a thread with a `period` is a job; it is due one `deadline` after its release. A thread without either
//! runs when nobody with a deadline wants the core. Equals by id; a running thread is not preempted by an equal.
//!
//! Two threads that [`rate_monotonic`](crate::policy::rate_monotonic) cannot serve: T = 5, C = 2 and T = 7, C = 4 demand
//! 2/5 + 4/7 = 34/35 of the core, and nobody ever misses; the pattern repeats after 5 · 7 ms.
//!
//! ```
//! # use gilsim::{model, study, trace::Nobody};
//! let text = "
//! name: Liu and Layland
//! machine: {cores: 1, scheduler: edf}
//! processes:
//!   a: {runtime: native, period: 5ms, do: [cpu: 2ms]}
//!   b: {runtime: native, period: 7ms, do: [cpu: 4ms]}
//! run: {until: 35ms}
//! ";
//! let source = model::Source { name: "edf.yaml".into(), text: text.into() };
//! let run = study::simulate(&model::load(&source, &Default::default()).unwrap().scenario, Nobody);
//! let misses = run.metrics.threads.values().map(|thread| thread.jobs.misses);
//! assert_eq!(misses.sum::<u64>(), 0);
//! ```

use crate::kernel::{Attributes, Facts};
use crate::policy::Entry;
use crate::policy::urgency::{MostUrgentFirst, Urgency};

/// Its line in the table of policies.
pub const ENTRY: Entry = Entry {
    word: "edf",
    parameters: "none",
    rule: "the job that is due first; equals by declaration",
    preempts: "when a job becomes runnable that is due earlier",
};

/// The earliest deadline first.
#[derive(Clone, Copy, Debug)]
pub struct Rule;

impl Urgency for Rule {
    const PREEMPTS: bool = true;

    fn number(_: &Attributes, facts: &Facts) -> u64 {
        facts.deadline.map_or(u64::MAX, |deadline| deadline.ns())
    }
}

/// The policy.
pub type Edf = MostUrgentFirst<Rule>;
