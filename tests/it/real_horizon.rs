//! Whoever is off the core when the horizon comes was not running: more workers than cores, cut off in the middle.

use gilsim::backend::cpython::{Cpython, Options};
use gilsim::backend::native::Native;
use gilsim::model::Scenario;
use gilsim::time::Span;
use gilsim::trace::{Ending, Record, What};

use crate::real::{nothing_is_left, python3, scenario};

/// Twelve for each of two cores: whoever loses its core stays off it for 11 slices, longer than a moment of patience.
const WORKERS: usize = 24;
/// Where a second thread of each process has to look what a C call has used, so many that it is not late for it.
const CALLERS: usize = 6;

fn endless(workers: usize, step: &str) -> Scenario {
    scenario(&format!(
        "{{name: m, machine: {{cores: 2}}, run: {{until: 300ms}}, python: {{start_method: fork}}, \
         processes: {{hog: {{count: {workers}, do: [{{repeat: forever, do: [{step}]}}]}}}}}}"
    ))
}

/// All were there, all were cut off, and together they ran for as long as two cores can.
fn fits_the_cores(step: &str, scenario: &Scenario, ending: &Ending, records: &[Record]) {
    let workers = scenario.threads().len();
    assert_eq!(ending, &Ending::Horizon, "{step}");
    let mut running = Span::ZERO;
    let mut since = vec![None; workers];
    for record in records {
        let who = match record.what {
            What::State { thread, to, .. } => vec![(thread.0 as usize, to.is_running())],
            What::End { .. } => (0..workers).map(|thread| (thread, false)).collect(),
            _ => Vec::new(),
        };
        for (thread, runs) in who {
            running += since[thread].take().map_or(Span::ZERO, |from| record.at.since(from));
            since[thread] = runs.then_some(record.at);
        }
    }
    // The clock and the kernel's counters differ by a microsecond or two at each switch, and where in a C call a process
    // had a core is not known.
    assert!(running < Span::from_ms(630), "{step}: {running} on 2 cores in 300ms");
    // Not by forgetting what they did, however busy this host is with others. Of a C call only what is sure counts.
    assert!(running > Span::from_ms(10) || step.contains("native"), "{step}: {running}");
}

#[test]
fn processes_cut_off_while_they_wait_for_a_core() {
    let _alone = crate::common::alone();
    let scratch = tempfile::tempdir().expect("a folder");
    let cpython = Cpython::new(python3(scratch.path()), Options::new(scratch.path()));
    // A step in the middle of Python code, between many steps, and in the middle of a C call.
    let c_calls = [(CALLERS, "{native: 10s}"), (CALLERS, "{native_holding_gil: 200ms}")];
    for (workers, step) in [(WORKERS, "{cpu: 5ms}"), (WORKERS, "{cpu: 20us}")].into_iter().chain(c_calls) {
        let scenario = endless(workers, step);
        let trial = cpython.run_trial(&scenario).unwrap_or_else(|error| panic!("{step}: {error}"));
        fits_the_cores(step, &scenario, &trial.ending, &trial.records);
        nothing_is_left(scratch.path());
    }
}

#[test]
fn threads_of_ours_cut_off_while_they_wait_for_a_core() {
    let _alone = crate::common::alone();
    for step in ["{cpu: 5ms}", "{cpu: 20us}", "{native: 10s}", "{native: 20us}"] {
        let scenario = endless(WORKERS, step);
        let trial = Native::default().run_trial(&scenario).expect("a trial");
        fits_the_cores(step, &scenario, &trial.ending, &trial.records);
    }
}
