//! What runs a scenario. Every backend speaks the same records.

#[cfg(target_os = "linux")]
pub mod calibrate;
mod clock;
#[cfg(target_os = "linux")]
pub mod cpython;
pub mod host;
#[cfg(target_os = "linux")]
pub mod native;
#[cfg(target_os = "linux")]
mod noted;
#[cfg(target_os = "linux")]
mod reached;
#[cfg(target_os = "linux")]
pub mod real;
mod simulated;

pub use clock::Stopwatch;
pub use simulated::Simulated;

use crate::model::Scenario;
use crate::trace::{Ending, Observer};

/// Runs a scenario and tells an observer what happens.
pub trait Backend {
    /// Why a run could not be made.
    type Error;

    /// Runs to the end; the observer has seen every record when this returns.
    fn run<O: Observer>(&self, scenario: &Scenario, observer: &mut O) -> Result<Run, Self::Error>;
}

/// What a run leaves besides its records.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// How it ended.
    pub ending: Ending,
    /// How many events were handled.
    pub events: u64,
}
