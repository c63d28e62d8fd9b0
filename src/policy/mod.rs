//! Scheduling policies, one per file; the module text of each is its textbook paragraph.
//!
//! A new policy is one file, and one line in the table [`every_policy!`](crate::every_policy).
//!
//! # Write your own
//! A policy answers questions ([`Policy`](crate::kernel::Policy)): who joins, who is next, for how long, and who makes way
//! for whom. This one runs whoever became runnable *last* (a stack instead of a queue), which is unfair enough to show:
//! three jobs of 24, 3 and 3 ms that arrive together wait 6, 3 and 0 ms.
//!
//! ```
//! use gilsim::ids::ThreadId;
//! use gilsim::kernel::{Attributes, Enqueue, Kernel, Policy, Tasks};
//! use gilsim::time::Span;
//!
//! #[derive(Clone)]
//! struct LastComeFirstServed(Vec<ThreadId>);
//!
//! impl Policy for LastComeFirstServed {
//!     type Task = ();
//!     fn task(&self, _: Attributes) {}
//!     fn enqueue(&mut self, _: &mut Tasks<Self>, thread: ThreadId, _: Enqueue) {
//!         self.0.push(thread)
//!     }
//!     fn pick_next(&mut self, _: &mut Tasks<Self>, may_run: &mut dyn FnMut(ThreadId) -> bool) -> Option<ThreadId> {
//!         self.0.iter().rposition(|thread| may_run(*thread)).map(|place| self.0.remove(place))
//!     }
//!     fn dequeue(&mut self, _: &mut Tasks<Self>, thread: ThreadId) {
//!         self.0.retain(|each| *each != thread)
//!     }
//!     fn len(&self) -> usize {
//!         self.0.len()
//!     }
//! }
//!
//! let text = "
//! name: own policy
//! machine: {cores: 1}
//! processes:
//!   a: {runtime: native, do: [cpu: 24ms]}
//!   b: {runtime: native, do: [cpu: 3ms]}
//!   c: {runtime: native, do: [cpu: 3ms]}
//! ";
//! let source = gilsim::model::Source { name: "own.yaml".into(), text: text.into() };
//! let loaded = gilsim::model::load(&source, &Default::default()).unwrap();
//! let cast = gilsim::trace::Cast::of(&loaded.scenario);
//! let mut meter = gilsim::analysis::Meter::new(&cast);
//! Kernel::new(&loaded.scenario, LastComeFirstServed(Vec::new()), &mut meter).run();
//! let waits: Vec<Span> = meter.finish().threads.values().map(|thread| thread.waiting()).collect();
//! assert_eq!(waits, [Span::from_ms(6), Span::from_ms(3), Span::ZERO]);
//! ```
//!
//! To make it part of gilsim, give it a file here with its textbook paragraph, an `ENTRY` for the table of
//! `gilsim help policies`, and a function `of` that makes it from the parameters of a scenario; then register it.

pub mod edf;
pub mod fair;
pub mod fifo;
pub mod lottery;
pub mod mlfq;
pub mod priority;
pub mod rate_monotonic;
pub mod round_robin;
pub mod sjf;
pub mod stcf;
pub mod stride;
mod urgency;

/// Evaluates an expression with the policy that a scenario names, as a value of its own type: the kernel is compiled
/// once for each policy, and no call is dynamic.
#[macro_export]
macro_rules! with_policy {
    ([($scenario:expr) $policy:ident $body:tt] $($module:ident::$name:ident $word:literal $parameters:tt;)*) => {
        match $scenario.machine().scheduler.policy {
            $($crate::model::PolicyName::$name => {
                let $policy = $crate::policy::$module::$name::of($scenario);
                $body
            })*
        }
    };
    ($scenario:expr, $policy:ident => $body:expr) => {
        $crate::every_policy!(($crate::with_policy) ($scenario) $policy ($body))
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

macro_rules! entries {
    ([] $($module:ident::$name:ident $word:literal $parameters:tt;)*) => {
        /// All policies, for the help page.
        pub const ALL: &[Entry] = &[$($module::ENTRY),*];
    };
}

crate::every_policy!((entries));

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::model::PolicyName;

    /// The table of the format and the entries of the files name the same words and parameters in the same order.
    #[test]
    fn entries_and_the_table_agree() {
        for ((word, policy), entry) in PolicyName::WORDS.iter().zip(ALL) {
            assert_eq!(*word, entry.word);
            let named = |parameter: &&str| entry.parameters.contains(&format!("{parameter}: "));
            let unnamed: Vec<_> = policy.parameters().iter().filter(|parameter| !named(parameter)).collect();
            assert!(unnamed.is_empty(), "{word}: {unnamed:?}");
        }
    }
}
