//! Shortest time to completion first, also called shortest remaining time first: shortest job first with preemption. A
//! thread that becomes runnable takes the core if its burst is shorter than what is left of the running one. It has the
//! smallest average turnaround of all policies, also for jobs that arrive at different times (OSTEP, chapter 7). What a
//! burst is, [`sjf`](crate::policy::sjf) says; a running thread that begins another burst is compared again.
//!
//! OSTEP's example: A needs 100 s; B and C arrive at 10 s and need 10 s each. A runs for 10 s, B until 20, C until 30, and
//! A until 120: turnarounds of 120, 10 and 20 s, 50 s on average.
//!
//! ```
//! # use gilsim::{model, study, time::Span, trace::Nobody};
//! let text = "
//! name: OSTEP, STCF
//! machine: {cores: 1, scheduler: stcf}
//! processes:
//!   a: {runtime: native, do: [cpu: 100s]}
//!   b: {runtime: native, at: 10s, do: [cpu: 10s]}
//!   c: {runtime: native, at: 10s, do: [cpu: 10s]}
//! ";
//! let source = model::Source { name: "stcf.yaml".into(), text: text.into() };
//! let run = study::simulate(&model::load(&source, &Default::default()).unwrap().scenario, Nobody);
//! let turnarounds = run.metrics.threads.values().map(|thread| thread.turnaround().unwrap());
//! assert_eq!(turnarounds.sum::<Span>(), Span::from_ms(3 * 50_000));
//! ```

use crate::kernel::{Attributes, Facts};
use crate::policy::Entry;
use crate::policy::urgency::{MostUrgentFirst, Urgency};

/// Its line in the table of policies.
pub const ENTRY: Entry = Entry {
    word: "stcf",
    parameters: "none",
    rule: "the shortest remainder of the present burst; equals by declaration",
    preempts: "when a thread becomes runnable, or a burst begins, with less left than the running one",
};

/// The shortest remainder first.
#[derive(Clone, Copy, Debug)]
pub struct Rule;

impl Urgency for Rule {
    const PREEMPTS: bool = true;
    const LOOKS_AT_BURSTS: bool = true;

    fn number(_: &Attributes, facts: &Facts) -> u64 {
        facts.burst.ns()
    }
}

/// The policy.
pub type Stcf = MostUrgentFirst<Rule>;
