//! Both sides of a comparison: simulated, or read back from a file.

use std::io::BufRead;
use std::thread;

use crate::analysis::diff::{Comparison, Ignore, Run, Track, compare};
use crate::analysis::{Lanes, Meter, Metrics, Sketch};
use crate::model::Scenario;
use crate::store::{Fault, Timeline};
use crate::study::{COLUMNS, Simulation, simulate};
use crate::trace::{Cast, Digest, Facts, Observer};

/// Everything that a comparison needs of one run.
#[derive(Clone, Debug)]
pub struct Told {
    /// What the model says about itself.
    pub facts: Facts,
    /// Who appears.
    pub cast: Cast,
    /// The numbers.
    pub metrics: Metrics,
    /// The picture.
    pub lanes: Lanes,
    /// The records.
    pub track: Track,
    /// The digest of the timeline.
    pub digest: Digest,
    /// What else is known if it was simulated.
    pub simulation: Option<Simulation>,
}

impl Told {
    /// Simulates a scenario; `also` sees every record as it happens.
    pub fn by_model(scenario: &Scenario, facts: Facts, also: impl Observer) -> Told {
        let mut track = Track::default();
        let simulation = simulate(scenario, (&mut track, also));
        Told {
            facts,
            cast: simulation.cast.clone(),
            metrics: simulation.metrics.clone(),
            lanes: simulation.lanes.clone(),
            track,
            digest: simulation.digest,
            simulation: Some(simulation),
        }
    }

    /// Reads a stored timeline.
    pub fn by_timeline(input: impl BufRead, also: impl Observer) -> Result<Told, Fault> {
        let mut timeline = Timeline::open(input)?;
        let cast = timeline.cast.clone();
        let (mut meter, mut sketch) = (Meter::new(&cast), Sketch::new(&cast, COLUMNS));
        let (mut track, mut digest) = (Track::default(), Digest::default());
        timeline.read(&mut (((&mut meter, &mut sketch), (&mut track, &mut digest)), also))?;
        let (metrics, lanes) = (meter.finish(), sketch.finish());
        Ok(Told { facts: timeline.facts, cast, metrics, lanes, track, digest, simulation: None })
    }

    fn run(&self) -> Run<'_> {
        Run { facts: &self.facts, cast: &self.cast, metrics: &self.metrics, track: &self.track }
    }

    /// Compares with another run.
    pub fn against(&self, b: &Told, ignore: &Ignore) -> Comparison {
        compare(&self.run(), &b.run(), ignore)
    }

    /// Whether another run is the same, record by record, with the same names.
    pub fn equals(&self, b: &Told) -> bool {
        self.digest == b.digest && self.cast == b.cast
    }
}

/// Makes both sides at the same time: runs run in parallel, never what is inside one.
pub fn both<T: Send>(a: impl FnOnce() -> T + Send, b: impl FnOnce() -> T + Send) -> (T, T) {
    thread::scope(|scope| {
        let a = scope.spawn(a);
        let b = b();
        // A panic of the other side is ours.
        (a.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), b)
    })
}
