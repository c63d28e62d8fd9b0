//! Rate-monotonic: fixed priorities, the shorter the period the higher. Liu and Layland (1973) show that no other fixed
//! priorities do better where every job is due at the end of its period, and that n threads always meet their deadlines if
//! Σ C / T ≤ n (2^(1/n) − 1): 0.828 for two, 0.780 for three, ln 2 = 0.693 for many. Above that it depends on the numbers;
//! the exact answer is the response time R = C + Σ ⌈R / Tj⌉ Cj over the threads j of shorter periods, if R ≤ T.
//!
//! A thread without a `period` runs when nobody with one wants the core. Equals by id; a running thread is not preempted by
//! an equal. Jobs and deadlines are those of [`edf`](crate::policy::edf).
//!
//! T = 5, C = 2 and T = 7, C = 4: R = 4 + ⌈R/5⌉ · 2 gives 6, then 8: the second job is due at 7 and still has 1 ms to do.
//!
//! ```
//! # use gilsim::{model, study, trace::Nobody};
//! let text = "
//! name: above the bound of Liu and Layland
//! machine: {cores: 1, scheduler: rate-monotonic}
//! processes:
//!   a: {runtime: native, period: 5ms, do: [cpu: 2ms]}
//!   b: {runtime: native, period: 7ms, do: [cpu: 4ms]}
//! run: {until: 8ms}
//! ";
//! let source = model::Source { name: "rm.yaml".into(), text: text.into() };
//! let run = study::simulate(&model::load(&source, &Default::default()).unwrap().scenario, Nobody);
//! let misses: Vec<u64> = run.metrics.threads.values().map(|thread| thread.jobs.misses).collect();
//! assert_eq!(misses, [0, 1]);
//! ```

use crate::kernel::{Attributes, Facts};
use crate::policy::Entry;
use crate::policy::urgency::{MostUrgentFirst, Urgency};

/// Its line in the table of policies.
pub const ENTRY: Entry = Entry {
    word: "rate-monotonic",
    parameters: "none",
    rule: "the shortest period; equals by declaration",
    preempts: "when a thread of a shorter period becomes runnable",
};

/// The shortest period first.
#[derive(Clone, Copy, Debug)]
pub struct Rule;

impl Urgency for Rule {
    const PREEMPTS: bool = true;

    fn number(attributes: &Attributes, _: &Facts) -> u64 {
        attributes.period.map_or(u64::MAX, |period| period.ns())
    }
}

/// The policy.
pub type RateMonotonic = MostUrgentFirst<Rule>;
