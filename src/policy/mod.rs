//! Scheduling policies, one per file; the module text of each is its textbook paragraph.
//!
//! A new policy is one file, and one line in the macro [`crate::with_policy`].

pub mod fair;
pub mod fifo;
pub mod priority;
pub mod round_robin;

pub use fair::Fair;
pub use fifo::Fifo;
pub use priority::Priority;
pub use round_robin::RoundRobin;

/// Evaluates an expression with the policy that a scenario names, as a value of its own type: the kernel is compiled
/// once for each policy, and no call is dynamic.
#[macro_export]
macro_rules! with_policy {
    ($scheduler:expr, $policy:ident => $body:expr) => {
        match $scheduler {
            $crate::model::Scheduler::Fair { slice } => {
                let $policy = $crate::policy::Fair::new(*slice);
                $body
            }
            $crate::model::Scheduler::RoundRobin { quantum } => {
                let $policy = $crate::policy::RoundRobin::new(*quantum);
                $body
            }
            $crate::model::Scheduler::Fifo => {
                let $policy = $crate::policy::Fifo::default();
                $body
            }
            $crate::model::Scheduler::Priority { preemptive, quantum } => {
                let $policy = $crate::policy::Priority::new(*preemptive, *quantum);
                $body
            }
        }
    };
}

/// One line of the table of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its word in `machine.scheduler`.
    pub word: &'static str,
    /// Its parameters with their defaults.
    pub parameters: &'static str,
    /// Whom it runs next.
    pub rule: &'static str,
    /// When it takes a core away.
    pub preempts: &'static str,
}

/// All policies, for the help page.
pub const ALL: [Entry; 4] = [fair::ENTRY, round_robin::ENTRY, fifo::ENTRY, priority::ENTRY];
