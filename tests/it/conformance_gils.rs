//! What tells the GILs of different versions apart, on the simulation and on each interpreter that is installed. Versions
//! that are not here are left out; the bounds tell a phenomenon from its absence.

use gilsim::analysis::comparison::Observed;
use gilsim::backend::cpython::{Cpython, Interpreter, Options as CpythonOptions, Places, find};
use gilsim::backend::real::Workers;
use gilsim::model::{self, Options, Scenario, Source};
use gilsim::study::{observe, observe_simulated};

/// An interpreter of a version, if there is one.
pub fn interpreter(version: &str) -> Option<Interpreter> {
    let path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let home = std::env::var_os("HOME").map(Into::into);
    let places = Places { path, home, scratch: std::env::temp_dir() };
    find(version, &places).ok()?.interpreters.into_iter().next()
}

fn scenario(version: &str, cores: usize, yaml: &str) -> Scenario {
    // By constant latencies a woken thread always wins the race for the GIL of 2.7, or never: see models/gil/battle-2.7.yaml.
    let costs = "{wakeup: {idle: 29.4us}}";
    let head = format!("name: conformance\nmachine: {{cores: {cores}, profile: linux, costs: {costs}}}\n");
    let text = format!("{head}python: {{version: \"{version}\"}}\n{yaml}");
    let source = Source { name: "conformance.yaml".into(), text };
    model::load(&source, &Options::default()).unwrap_or_else(|errors| panic!("{errors:?}")).scenario
}

/// One real run, and whether nobody else used more than a twentieth of the host meanwhile.
fn measured(interpreter: Interpreter, scenario: &Scenario) -> (Observed, bool) {
    let cpython = Cpython::new(interpreter, CpythonOptions::new(std::env::temp_dir()));
    let workers = Workers::Cpython(Box::new(cpython));
    let measured = workers.run(scenario).unwrap_or_else(|failure| panic!("{failure}"));
    let quiet = measured.noise.foreign.is_some_and(|foreign| foreign < 0.05);
    (observe(scenario, &measured.records), quiet)
}

fn makespan_ms(observed: &Observed) -> f64 {
    observed.metrics.makespan.ns() as f64 / 1e6
}

/// How often a real worker may try: others may have the cores.
const ATTEMPTS: usize = 8;

const TWO_HOGS: &str = "threads: {a: {do: [{cpu: 40ms}]}, b: {do: [{cpu: 40ms}]}}";

#[test]
fn under_ticks_two_threads_on_two_cores_are_slower_than_on_one() {
    let _alone = crate::common::alone();
    let (two, one) = (scenario("2.7", 2, TWO_HOGS), scenario("2.7", 1, TWO_HOGS));
    let [slow, fast] = [&two, &one].map(|scenario| makespan_ms(&observe_simulated(scenario)));
    assert!((80.0..=81.0).contains(&fast), "simulated, one core: {fast}");
    assert!((112.0..=128.0).contains(&slow), "simulated, two cores: {slow}");
    let Some(python) = interpreter("2.7") else { return };
    let pairs: Vec<(f64, bool)> = (0..ATTEMPTS)
        .map(|_| [&two, &one].map(|scenario| measured(python.clone(), scenario)))
        .map(|[(slow, calm), (fast, calm_too)]| (makespan_ms(&slow) / makespan_ms(&fast), calm && calm_too))
        .collect();
    // Where others used the cores, a ratio says something about them: only quiet pairs count. Never a speed-up worth the name
    // among those; and a loss, if there are enough of them to tell.
    let quiet: Vec<f64> = pairs.iter().filter(|(_, quiet)| *quiet).map(|(ratio, _)| *ratio).collect();
    assert!(quiet.iter().all(|ratio| *ratio > 0.6), "two cores against one: {pairs:?}");
    let most = quiet.iter().copied().fold(0.0, f64::max);
    assert!(quiet.len() < 3 || most > 1.08, "two cores against one: {pairs:?}");
}

#[test]
fn ticks_do_not_make_io_wait_for_an_interval() {
    let _alone = crate::common::alone();
    let yaml = "
threads:
  server: {do: [{repeat: 20, do: [{io: 2ms}, {cpu: 100us}]}]}
  hog: {daemon: true, do: [{repeat: forever, do: [{cpu: 10ms}]}]}
run: {until: 200ms}";
    let scenario = scenario("2.7", 2, yaml);
    // 20 x 2.1 ms = 42 ms; under Python 3 it would be 142.
    let simulated = makespan_ms(&observe_simulated(&scenario));
    assert!((42.0..=60.0).contains(&simulated), "simulated: {simulated}");
    let Some(python) = interpreter("2.7") else { return };
    let best = (0..ATTEMPTS).map(|_| makespan_ms(&measured(python.clone(), &scenario).0)).fold(f64::MAX, f64::min);
    assert!((40.0..=120.0).contains(&best), "measured: {best}");
}
