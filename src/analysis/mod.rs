//! Pure rules over records: metrics, lanes, invariants, expectations, and why a run took as long as it did.
//!
//! Nothing here knows where a timeline comes from: a measured one is treated exactly as a simulated one.

mod affinity;
pub mod comparison;
pub mod diff;
pub mod distance;
mod expect;
mod fingerprint;
pub mod interval;
mod invariants;
mod lane;
mod lanes;
pub mod measure;
mod meter;
mod metrics;
mod now;
mod reading;
mod samples;
mod seen;
pub mod verdict;
mod why;

pub use expect::{Miss, Outcome, evaluate};
pub use fingerprint::Fingerprints;
pub use invariants::{CLAIMS, Checker, Invariants, Verdict};
pub use lane::{Lane, Part};
pub use lanes::{Lanes, Sketch};
pub use meter::Meter;
pub use metrics::{CoreMetrics, GilMetrics, Line, Metrics, ObjectMetrics, SpanMetrics, States, ThreadMetrics, share};
pub use reading::{Amount, Reading, read};
pub use samples::{EXACT, Samples};
pub use seen::Seen;
pub use why::{Pace, Reason, Story, story};

#[cfg(test)]
pub(crate) mod play;
#[cfg(test)]
mod tests;
