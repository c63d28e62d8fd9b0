//! Everything that pure rules make of one run's records, simulated or measured.

use crate::analysis::comparison::Observed;
use crate::analysis::{Checker, Meter, Seen, Sketch};
use crate::backend::{Backend, Simulated};
use crate::model::Scenario;
use crate::study::COLUMNS;
use crate::trace::{Cast, Observer, Record};

/// Of a measured run.
pub fn observe(scenario: &Scenario, records: &[Record]) -> Observed {
    let cast = Cast::of(scenario);
    watch(&cast, |observer| {
        for (index, record) in records.iter().enumerate() {
            observer.record(index as u64, record);
        }
    })
}

/// Of a simulated one.
pub fn observe_simulated(scenario: &Scenario) -> Observed {
    let cast = Cast::of(scenario);
    watch(&cast, |observer| {
        let Ok(_) = Simulated.run(scenario, observer);
    })
}

type Watchers<'w, 'c> = ((&'w mut Meter<'c>, &'w mut Sketch), (&'w mut Checker<'c>, &'w mut Seen));

fn watch(cast: &Cast, run: impl FnOnce(&mut Watchers<'_, '_>)) -> Observed {
    let (mut meter, mut sketch) = (Meter::new(cast), Sketch::new(cast, COLUMNS));
    let (mut checker, mut seen) = (Checker::new(cast), Seen::new(cast));
    run(&mut ((&mut meter, &mut sketch), (&mut checker, &mut seen)));
    let (metrics, lanes) = (meter.finish(), sketch.finish());
    let invariants = checker.finish(None);
    Observed { cast: cast.clone(), metrics, lanes, seen, invariants }
}
