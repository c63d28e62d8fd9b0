//! Compares two timelines by meaning: who did what, not when the clock said so.
//!
//! Threads are paired by name (`identity`), their records by their place among the thread's own actions (`nodes`).
//! Every difference has one [`Class`], and either is a cause or follows from an earlier one (`follow`): a thousand
//! shifted records that follow from one longer step are one difference. What it means for the whole run is said by
//! [`Verdict`] and the rows of metrics.
//!
//! Time is linear in the number of records but for one sort; memory is about 100 bytes a record of both timelines.

mod align;
mod follow;
mod identity;
mod moment;
mod nodes;
mod track;
mod verdict;

pub use align::align;
pub use moment::{Moment, Told};
pub use track::Track;
pub use verdict::{Amount, Pace, Row, Setup, Verdict, WaitChange, Waits};

use crate::analysis::Metrics;
use crate::ids::ThreadId;
use crate::time::Span;
use crate::trace::{Cast, Facts};

use self::follow::{Followed, follow, mark_reordered};
use self::identity::Identity;
use self::moment::told;
use self::nodes::{Side, nodes};

/// One of the two timelines.
#[derive(Clone, Copy, Debug)]
pub struct Run<'r> {
    /// What the model says about itself.
    pub facts: &'r Facts,
    /// Who appears.
    pub cast: &'r Cast,
    /// The numbers.
    pub metrics: &'r Metrics,
    /// The records.
    pub track: &'r Track,
}

/// In what a record of B differs from the one of A. The first that applies counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Only in B.
    New,
    /// Only in A.
    Gone,
    /// In another order than others of its kind.
    Reordered,
    /// For another reason, or with another result.
    OtherReason,
    /// What ends here lasted longer in B.
    Longer,
    /// What ends here lasted shorter in B.
    Shorter,
    /// The same, at another time.
    Moved,
    /// The same, on another core.
    OtherCore,
}

/// How many classes there are.
pub const CLASSES: usize = Class::ALL.len();

impl Class {
    /// All of them.
    pub const ALL: [Class; 8] = [
        Class::New,
        Class::Gone,
        Class::Reordered,
        Class::OtherReason,
        Class::Longer,
        Class::Shorter,
        Class::Moved,
        Class::OtherCore,
    ];

    /// Its stable word.
    pub fn word(self) -> &'static str {
        match self {
            Class::New => "new",
            Class::Gone => "gone",
            Class::Reordered => "reordered",
            Class::OtherReason => "other-reason",
            Class::Longer => "longer",
            Class::Shorter => "shorter",
            Class::Moved => "moved",
            Class::OtherCore => "other-core",
        }
    }
}

/// What does not count as a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ignore {
    /// Times closer than so many millionths of the later one.
    pub millionths: u64,
    /// Times closer than this.
    pub span: Span,
    /// On which core.
    pub placement: bool,
}

impl Ignore {
    /// Whether two instants count as the same.
    pub(crate) fn is_close(&self, a: u64, b: u64) -> bool {
        let (apart, later) = (a.abs_diff(b), a.max(b));
        let relative = u128::from(apart) * 1_000_000 < u128::from(later) * u128::from(self.millionths);
        apart < self.span.ns() || relative
    }
}

/// A difference that follows from no earlier one.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// In what it differs.
    pub class: Class,
    /// How often the same occurs, in one or several members of a group.
    pub times: u64,
    /// How many differences follow from it, by [`Class::ALL`].
    pub follows: [u64; CLASSES],
    /// Its first occurrence as A tells it.
    pub a: Told,
    /// As B tells it.
    pub b: Told,
}

impl Difference {
    /// How many differences follow from it.
    pub fn consequences(&self) -> u64 {
        self.follows.iter().sum()
    }
}

/// A thread in A and the same one in B, as far as they are there.
pub type Pair = (Option<ThreadId>, Option<ThreadId>);

/// What became of comparing two timelines.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The causes in order of time. Empty: the timelines are the same, but for what was ignored.
    pub differences: Vec<Difference>,
    /// How many differences were ignored on request.
    pub ignored: u64,
    /// In what the two are set up differently.
    pub setup: Vec<Setup>,
    /// The metrics that differ, and those that say what the runs are about.
    pub rows: Vec<Row>,
    /// What it means.
    pub verdict: Verdict,
    /// Threads in A with their partners in B, then those that only B has.
    pub threads: Vec<Pair>,
}

impl Comparison {
    /// Whether nothing differs that counts.
    pub fn is_same(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Compares two timelines.
pub fn compare(a: &Run<'_>, b: &Run<'_>, ignore: &Ignore) -> Comparison {
    let identity = Identity::of(a.cast, b.cast);
    let (side_a, side_b) = (Side::new(a.track, a.cast), Side::new(b.track, b.cast));
    let mut nodes = nodes(&side_a, &side_b, &identity, !ignore.placement);
    mark_reordered(&side_a, &side_b, &mut nodes);
    let setup = verdict::setup(a, b);
    let set_up = setup.iter().any(|setup| !["threads", "processes", "timeline"].contains(&setup.what));
    let Followed { roots, ignored } = follow(&side_a, &side_b, &identity, &nodes, ignore, set_up);
    let differences = roots.iter().map(|root| Difference {
        class: root.class,
        times: root.times,
        follows: root.follows,
        a: told(&side_a, root.node.a, &side_b, root.node.b, &identity, true, root.node.owner),
        b: told(&side_b, root.node.b, &side_a, root.node.a, &identity, false, root.node.owner),
    });
    Comparison {
        differences: differences.collect(),
        ignored,
        setup,
        rows: verdict::rows(a.metrics, b.metrics),
        verdict: verdict::verdict(a, b),
        threads: identity.threads,
    }
}

#[cfg(test)]
mod tests;
