//! One face for the backends that measure.

use std::fmt;
use std::time::Duration;

use crate::backend::cpython::{self, Cpython};
use crate::backend::host::Noise;
use crate::backend::native::{self, Native};
use crate::model::Scenario;
use crate::model::expect::MetricName;
use crate::trace::{Ending, Record};

/// A backend with actual workers.
#[derive(Clone, Debug)]
pub enum Workers {
    /// Threads of this process.
    Native(Native),
    /// An interpreter of CPython.
    Cpython(Box<Cpython>),
}

/// One measured run.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Its timeline.
    pub records: Vec<Record>,
    /// How it ended.
    pub ending: Ending,
    /// On how many cores it ran.
    pub cores: usize,
    /// Who else used the host meanwhile.
    pub noise: Noise,
}

/// Why there is no measured run.
#[derive(Debug)]
pub enum Failure {
    /// The model asks for something that these workers cannot do (W504).
    Refused(String),
    /// It was interrupted.
    Interrupted,
    /// Something went wrong.
    Broken(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(why) | Failure::Broken(why) => f.write_str(why),
            Failure::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl Workers {
    /// Threads of this process.
    pub fn native(timeout: Option<Duration>) -> Workers {
        Workers::Native(Native { timeout })
    }

    /// What they are, for reports: `CPython 3.13.0`, `native threads`.
    pub fn name(&self) -> String {
        match self {
            Workers::Native(_) => "native threads with a GIL in user space".to_owned(),
            Workers::Cpython(cpython) => format!("CPython {}", cpython.interpreter().name()),
        }
    }

    /// The metrics that cannot be seen here.
    pub fn unseen(&self) -> &'static [MetricName] {
        use MetricName as M;
        match self {
            Workers::Native(_) => &[M::Switches, M::Preemptions, M::Migrations],
            Workers::Cpython(_) => {
                &[M::Switches, M::Preemptions, M::Migrations, M::GilRequests, M::GilForced, M::Forced]
            }
        }
    }

    /// Everything that a scenario asks for and that cannot be done here.
    pub fn refusal(&self, scenario: &Scenario) -> Option<String> {
        match self {
            Workers::Native(native) => {
                let refusals = native.refusals(scenario);
                (!refusals.is_empty()).then(|| native::Error::Unsupported(refusals).to_string())
            }
            Workers::Cpython(cpython) => {
                let refusals = cpython.refusals(scenario);
                (!refusals.is_empty()).then(|| cpython::Error::Unsupported(refusals).to_string())
            }
        }
    }

    /// Runs a scenario once.
    pub fn run(&self, scenario: &Scenario) -> Result<Measured, Failure> {
        match self {
            Workers::Native(native) => {
                let trial = native.run_trial(scenario).map_err(|error| match error {
                    native::Error::Unsupported(_) => Failure::Refused(error.to_string()),
                    native::Error::Hung { .. } => Failure::Broken(error.to_string()),
                })?;
                let native::Trial { records, ending, cores, noise, .. } = trial;
                Ok(Measured { records, ending, cores, noise })
            }
            Workers::Cpython(cpython) => {
                let trial = cpython.run_trial(scenario).map_err(|error| match error {
                    cpython::Error::Unsupported(_) => Failure::Refused(error.to_string()),
                    cpython::Error::Interrupted => Failure::Interrupted,
                    other => Failure::Broken(other.to_string()),
                })?;
                let cpython::Trial { records, ending, figures } = trial;
                Ok(Measured { records, ending, cores: figures.cores, noise: figures.noise })
            }
        }
    }
}
