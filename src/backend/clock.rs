//! The wall clock, for those who tell people how long something takes. Nothing that is computed may depend on it.

use std::time::{Duration, Instant};

/// Counts from when it was started.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "this floor may read the wall clock")]
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// How long it has been running.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// The same in milliseconds.
    pub fn milliseconds(&self) -> u64 {
        self.elapsed().as_millis() as u64
    }
}
