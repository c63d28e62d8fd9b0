//! The scheduling policies, a line each: the one place where a policy is registered.
//!
//! A line names the policy's type in its file of `src/policy/`, its word in `machine.scheduler`, and those of the
//! parameters (`PolicyParameters`) that it has. Everything else follows: what the format accepts, which scheduler a run
//! gets, and the page of `gilsim help policies`.

use crate::model::spec::shape::words;

/// Hands the table of policies to the macro that is named in parentheses, preceded by whatever follows the name.
#[macro_export]
macro_rules! every_policy {
    (($($then:tt)*) $($given:tt)*) => {
        $($then)*! { [$($given)*]
            fair::Fair "fair" [slice];
            round_robin::RoundRobin "round-robin" [quantum];
            fifo::Fifo "fifo" [];
            priority::Priority "priority" [preemptive, quantum, ageing];
            sjf::Sjf "sjf" [];
            stcf::Stcf "stcf" [];
            mlfq::Mlfq "mlfq" [queues, quantum, allotment, boost];
            lottery::Lottery "lottery" [quantum];
            stride::Stride "stride" [quantum];
            edf::Edf "edf" [];
            rate_monotonic::RateMonotonic "rate-monotonic" [];
        }
    };
}

macro_rules! names {
    ([] $($module:ident::$name:ident $word:literal [$($parameter:ident),*];)*) => {
        words! {
            /// The scheduling policies by name.
            PolicyName {
                $(#[doc = $word] $name = $word,)*
            }
        }

        impl PolicyName {
            /// The parameters it has.
            pub fn parameters(self) -> &'static [&'static str] {
                match self {
                    $(PolicyName::$name => &[$(stringify!($parameter)),*],)*
                }
            }
        }
    };
}

every_policy!((names));

impl PolicyName {
    /// Its word.
    pub fn word(self) -> &'static str {
        PolicyName::WORDS.iter().find(|(_, policy)| *policy == self).map_or("", |(word, _)| word)
    }
}
