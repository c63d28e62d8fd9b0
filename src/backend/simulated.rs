//! The prediction: the kernel with the scenario's policy.

use std::convert::Infallible;

use crate::backend::{Backend, Run};
use crate::kernel::Kernel;
use crate::model::Scenario;
use crate::trace::{Nobody, Observer, Record};
use crate::with_policy;

/// The discrete-event simulator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Simulated;

impl Backend for Simulated {
    type Error = Infallible;

    fn run<O: Observer>(&self, scenario: &Scenario, observer: &mut O) -> Result<Run, Infallible> {
        if !O::WATCHES {
            return Ok(simulate(scenario, &mut Nobody));
        }
        let mut hand_over = |first: u64, records: &[Record]| {
            for (index, record) in (first..).zip(records) {
                observer.record(index, record);
            }
        };
        let mut chunks = Chunks { kept: Vec::with_capacity(CHUNK), first: 0, hand_over: &mut hand_over };
        let run = simulate(scenario, &mut chunks);
        chunks.flush();
        Ok(run)
    }
}

fn simulate<O: Observer>(scenario: &Scenario, observer: &mut O) -> Run {
    with_policy!(scenario, policy => {
        let (ending, events) = Kernel::new(scenario, policy, observer).run();
        Run { ending, events }
    })
}

/// So many records are handed over at a time: few enough to stay in the nearest cache.
const CHUNK: usize = 256;

/// Hands records over in chunks. Whoever watches, the kernel is compiled for this one observer: kernels are as many as
/// policies, not policies times observers, and no record costs a dynamic call.
struct Chunks<'o> {
    kept: Vec<Record>,
    /// The index of the first of them.
    first: u64,
    hand_over: &'o mut dyn FnMut(u64, &[Record]),
}

impl Chunks<'_> {
    fn flush(&mut self) {
        (self.hand_over)(self.first, &self.kept);
        self.first += self.kept.len() as u64;
        self.kept.clear();
    }
}

impl Observer for Chunks<'_> {
    fn record(&mut self, _: u64, record: &Record) {
        self.kept.push(record.clone());
        if self.kept.len() == CHUNK {
            self.flush();
        }
    }
}
