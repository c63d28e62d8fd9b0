//! The prediction: the kernel with the scenario's policy.

use std::convert::Infallible;

use crate::backend::{Backend, Run};
use crate::kernel::Kernel;
use crate::model::Scenario;
use crate::trace::Observer;
use crate::with_policy;

/// The discrete-event simulator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Simulated;

impl Backend for Simulated {
    type Error = Infallible;

    fn run<O: Observer>(&self, scenario: &Scenario, observer: &mut O) -> Result<Run, Infallible> {
        Ok(with_policy!(scenario, policy => {
            let (ending, events) = Kernel::new(scenario, policy, observer).run();
            Run { ending, events }
        }))
    }
}
