//! Shortest job first: of the threads that wait, the one with the shortest next burst gets the core, and keeps it until it
//! blocks or ends. Among policies that do not preempt it has the smallest average waiting time for jobs that arrive
//! together: an exchange of two neighbours, of which the first is longer, can only shorten the sum of the waits
//! (Silberschatz, *Operating System Concepts*, on CPU scheduling). The bursts must be known beforehand, which a simulator
//! can do and an operating system only guess. Long bursts can starve.
//!
//! A *burst* is one step of work (`cpu`, `native`, `native_holding_gil`). A thread is compared by the one it is in, or by
//! the next one of its program, whose random length is then known already; a thread that blocks before it works counts as
//! zero. Equals by id.
//!
//! Silberschatz's example: bursts of 6, 8, 7 and 3 ms that arrive together run in the order 3, 6, 7, 8 and wait 3, 16, 9
//! and 0 ms: 28 / 4 = 7 ms on average (in the order of arrival it would be 10.25 ms).
//!
//! ```
//! # use gilsim::{analysis::ThreadMetrics, model, study, time::Span, trace::Nobody};
//! let text = "
//! name: Silberschatz, SJF
//! machine: {cores: 1, scheduler: sjf}
//! processes:
//!   p1: {runtime: native, do: [cpu: 6ms]}
//!   p2: {runtime: native, do: [cpu: 8ms]}
//!   p3: {runtime: native, do: [cpu: 7ms]}
//!   p4: {runtime: native, do: [cpu: 3ms]}
//! ";
//! let source = model::Source { name: "sjf.yaml".into(), text: text.into() };
//! let run = study::simulate(&model::load(&source, &Default::default()).unwrap().scenario, Nobody);
//! assert_eq!(run.metrics.total(ThreadMetrics::waiting), Span::from_ms(4 * 7));
//! ```

use crate::kernel::{Attributes, Facts};
use crate::policy::Entry;
use crate::policy::urgency::{MostUrgentFirst, Urgency};

/// Its line in the table of policies.
pub const ENTRY: Entry = Entry {
    word: "sjf",
    parameters: "none",
    rule: "the shortest next burst; equals by declaration",
    preempts: "never: a thread runs until it blocks or ends",
};

/// The shortest burst first.
#[derive(Clone, Copy, Debug)]
pub struct Rule;

impl Urgency for Rule {
    const PREEMPTS: bool = false;
    const LOOKS_AT_BURSTS: bool = true;

    fn number(_: &Attributes, facts: &Facts) -> u64 {
        facts.burst.ns()
    }
}

/// The policy.
pub type Sjf = MostUrgentFirst<Rule>;
