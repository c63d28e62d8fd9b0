//! What a report is made of.

use crate::analysis::{Invariants, Lanes, Metrics, Outcome};
use crate::time::Span;
pub use crate::trace::Facts;
use crate::trace::{Cast, Digest};

/// Everything that the views of one run are made of.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What the model says about itself.
    pub facts: &'a Facts,
    /// Who appears.
    pub cast: &'a Cast,
    /// The numbers.
    pub metrics: &'a Metrics,
    /// The picture.
    pub lanes: &'a Lanes,
    /// What came of the expectations.
    pub outcomes: &'a [Outcome],
    /// What came of the invariants.
    pub invariants: &'a Invariants,
    /// What would change the result, found by simulating it.
    pub changes: &'a [Change],
    /// Commands to try next.
    pub hints: &'a [String],
    /// How many events the run handled.
    pub events: u64,
    /// The digest of the whole timeline.
    pub digest: Digest,
}

/// What would change the result: the same model with one thing different, simulated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What would be different: `the build were free-threaded`.
    pub what: String,
    /// The makespan then.
    pub makespan: Span,
    /// The word of the ending then.
    pub ending: &'static str,
    /// The work done then, for runs that do not end by themselves.
    pub work: Span,
    /// The command that runs it, if there is one.
    pub command: Option<String>,
}

/// How a text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; less than 40 counts as 40, more than 10,000 as 10,000.
    pub width: usize,
    /// Only ASCII, as far as it is ours.
    pub ascii: bool,
    /// Colours, which only double what the glyphs say.
    pub colour: bool,
    /// Everything: no folded lanes, no cropped lists.
    pub all: bool,
    /// The most lanes and rows before the rest is folded.
    pub rows: usize,
}

impl Default for Style {
    fn default() -> Self {
        Style { width: 80, ascii: false, colour: false, all: false, rows: 24 }
    }
}

impl Style {
    /// The width that is used.
    pub fn columns(&self) -> usize {
        self.width.clamp(40, 10_000)
    }

    /// The sign for something left out.
    pub fn ellipsis(&self) -> &'static str {
        if self.ascii { "..." } else { "…" }
    }
}
