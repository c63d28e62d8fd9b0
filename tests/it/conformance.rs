//! One body, three arms: the phenomena that the simulation claims, on the simulation, on threads of this process with a GIL
//! in user space, and on CPython.
//!
//! Bounds are wide: they tell a phenomenon from its absence on a machine that others use too. How near prediction and
//! measurement are is `validate`'s business.

use gilsim::analysis::comparison::Observed;
use gilsim::analysis::{Invariants, Metrics, Seen};
use gilsim::backend::cpython::{Cpython, Options as CpythonOptions, Places, default_interpreter};
use gilsim::backend::real::Workers;
use gilsim::model::{self, Options, Scenario, Source};
use gilsim::study::{observe, observe_simulated};
use gilsim::time::Span;
use gilsim::trace::Ending;

/// A backend under test.
pub enum Arm {
    Simulated,
    Real(Workers),
}

/// The three arms, and CPythons of these versions, where they are installed.
pub fn arms_and(versions: &[&'static str]) -> Vec<(&'static str, Arm)> {
    let others = versions.iter().filter_map(|version| {
        let interpreter = super::conformance_gils::interpreter(version)?;
        let cpython = Cpython::new(interpreter, CpythonOptions::new(std::env::temp_dir()));
        Some((*version, Arm::Real(Workers::Cpython(Box::new(cpython)))))
    });
    arms().into_iter().chain(others).collect()
}

/// All arms. Without a Python there are two; where `GILSIM_NEEDS_PYTHON` is set that is a failure.
fn arms() -> Vec<(&'static str, Arm)> {
    let scratch = std::env::temp_dir();
    let path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let places = Places { path, home: None, scratch: scratch.clone() };
    let mut arms = vec![("simulated", Arm::Simulated), ("native", Arm::Real(Workers::native(None)))];
    match default_interpreter(&places) {
        Ok(interpreter) => {
            let cpython = Cpython::new(interpreter, CpythonOptions::new(scratch));
            arms.push(("cpython", Arm::Real(Workers::Cpython(Box::new(cpython)))));
        }
        Err(error) => assert!(std::env::var_os("GILSIM_NEEDS_PYTHON").is_none(), "no Python: {error}"),
    }
    arms
}

fn scenario(yaml: &str, cores: usize) -> Scenario {
    let yaml = format!("name: conformance\nmachine: {{cores: {cores}, profile: linux}}\n{yaml}");
    let source = Source { name: "conformance.yaml".into(), text: yaml };
    model::load(&source, &Options::default()).unwrap_or_else(|errors| panic!("{errors:?}")).scenario
}

/// One run of one arm.
pub struct Seat {
    pub arm: &'static str,
    pub metrics: Metrics,
    seen: Seen,
    pub cast: gilsim::trace::Cast,
}

impl Seat {
    pub fn of(&self, name: &str) -> usize {
        let found = self.cast.select(name);
        assert_eq!(found.len(), 1, "{name}");
        gilsim::ids::Id::index(found[0])
    }

    pub fn finish_ms(&self, name: &str) -> f64 {
        let thread = gilsim::ids::Id::new(self.of(name));
        let finish = self.metrics.threads[thread].finish.unwrap_or_else(|| panic!("{}: {name} did not end", self.arm));
        finish.ns() as f64 / 1e6
    }

    fn ran_ms(&self, name: &str) -> f64 {
        let thread = gilsim::ids::Id::new(self.of(name));
        self.metrics.threads[thread].ran().ns() as f64 / 1e6
    }

    fn wait_ms(&self, name: &str, percent: u8) -> f64 {
        let thread = gilsim::ids::Id::new(self.of(name));
        ms(self.metrics.threads[thread].each_wait_gil.percentile(percent))
    }

    pub fn makespan_ms(&self) -> f64 {
        self.metrics.makespan.ns() as f64 / 1e6
    }

    /// Upper bounds are six times as wide for real workers: others may use the machine as well.
    pub fn within(&self, what: &str, value: f64, low: f64, high: f64) {
        let high = if self.arm == "simulated" { high } else { 6.0 * high };
        assert!((low..=high).contains(&value), "{}: {what} is {value:.3}, not {low} to {high}", self.arm);
    }
}

fn ms(span: Option<Span>) -> f64 {
    span.map_or(0.0, |span| span.ns() as f64 / 1e6)
}

/// How often real workers may try: a phenomenon needs the cores, and others may have them.
const ATTEMPTS: usize = 5;

/// Runs one model on all arms. Measured timelines keep the same laws of the trace as simulated ones, as far as they can
/// be seen, in every attempt.
fn on_all(yaml: &str, cores: usize, check: impl Fn(&Seat)) {
    on_each(arms(), yaml, cores, check);
}

/// The same on the arms that can do what the model asks for.
pub fn on_each(arms: Vec<(&'static str, Arm)>, yaml: &str, cores: usize, check: impl Fn(&Seat)) {
    let _alone = crate::common::alone();
    for (name, arm) in arms {
        let scenario = scenario(yaml, cores);
        if let Arm::Real(Workers::Cpython(cpython)) = &arm
            && !cpython.refusals(&scenario).is_empty()
        {
            assert_eq!(name, "2.7", "{name}: {:?}", cpython.refusals(&scenario));
            continue;
        }
        let attempts = if name == "simulated" { 1 } else { ATTEMPTS };
        for attempt in 1..=attempts {
            let seat = seat(name, &arm, &scenario);
            if attempt == attempts {
                check(&seat);
            } else if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&seat))).is_ok() {
                break;
            }
        }
    }
}

fn seat(name: &'static str, arm: &Arm, scenario: &Scenario) -> Seat {
    let observed = match arm {
        Arm::Simulated => observe_simulated(scenario),
        Arm::Real(workers) => {
            let measured = workers.run(scenario).unwrap_or_else(|failure| panic!("{name}: {failure}"));
            observe(scenario, &measured.records)
        }
    };
    let Observed { cast, metrics, seen, invariants, .. } = observed;
    laws(name, &invariants);
    assert!(matches!(metrics.ending, Some(Ending::Finished | Ending::Horizon)), "{name}: {:?}", metrics.ending);
    Seat { arm: name, metrics, seen, cast }
}

/// One holder for each GIL, nobody in Python without it, no gap and no overlap in anybody's life.
fn laws(arm: &str, invariants: &Invariants) {
    let broken: Vec<String> = invariants
        .broken()
        .filter(|(number, ..)| arm == "simulated" || [2, 3, 4].contains(number))
        .map(|(number, at, sentence)| format!("{number} at {at}: {sentence}"))
        .collect();
    assert!(broken.is_empty(), "{arm}: {broken:?}");
}

#[test]
fn two_cpu_threads_alternate() {
    on_all("threads: {a: {do: [{cpu: 100ms}]}, b: {do: [{cpu: 100ms}]}}", 2, |seat| {
        seat.within("makespan", seat.makespan_ms(), 190.0, 600.0);
        seat.within("median hold", ms(seat.seen.holds.percentile(50)), 4.5, 13.0);
        assert!(seat.metrics.all_gils().switches >= 12, "{}: {:?}", seat.arm, seat.metrics.all_gils());
        assert_eq!(seat.metrics.max_in_python, 1, "{}", seat.arm);
    });
}

#[test]
fn equal_threads_get_equal_shares() {
    let yaml =
        "threads: {w: {count: 4, daemon: true, do: [{repeat: forever, do: [{cpu: 5ms}]}]}, m: {do: [{sleep: 600ms}]}}";
    on_all(yaml, 2, |seat| {
        let ran: Vec<f64> = (1..=4).map(|n| seat.ran_ms(&format!("w-{n}"))).collect();
        let all: f64 = ran.iter().sum();
        ran.iter().for_each(|ran| seat.within("share", ran / all, 0.08, 0.5));
    });
}

#[test]
fn an_io_thread_beside_a_hog_waits_an_interval_each_time() {
    let yaml = "
threads:
  server: {do: [{repeat: 20, do: [{io: 2ms}, {cpu: 100us}]}]}
  hog: {daemon: true, do: [{repeat: forever, do: [{cpu: 10ms}]}]}";
    on_all(yaml, 2, |seat| {
        // Alone 42 ms; every return costs one interval more.
        seat.within("finish", seat.finish_ms("server"), 130.0, 400.0);
        seat.within("median wait", seat.wait_ms("server", 50), 4.5, 9.0);
    });
}

#[test]
fn a_shorter_interval_makes_a_sleeper_come_back_sooner() {
    for (interval, low, high) in [("1ms", 0.8, 4.5), ("20ms", 15.0, 30.0)] {
        let yaml = format!(
            "
python: {{switch_interval: {interval}}}
threads:
  sleeper: {{do: [{{repeat: 10, do: [{{sleep: 3ms}}, {{cpu: 50us}}]}}]}}
  hog: {{daemon: true, do: [{{repeat: forever, do: [{{cpu: 10ms}}]}}]}}"
        );
        on_all(&yaml, 2, |seat| seat.within("median wait", seat.wait_ms("sleeper", 50), low, high));
    }
}

#[test]
fn sleep_of_nothing_beside_a_hog_costs_an_interval() {
    let yaml = "
threads:
  polite: {do: [{repeat: 15, do: [{sleep: 0ms}]}]}
  hog: {daemon: true, do: [{repeat: forever, do: [{cpu: 10ms}]}]}";
    on_all(yaml, 2, |seat| seat.within("finish", seat.finish_ms("polite"), 50.0, 250.0));
}

#[test]
fn native_code_that_released_the_gil_runs_beside_python_code() {
    let yaml = "threads: {native: {do: [{native: 120ms}]}, python: {do: [{cpu: 100ms}]}}";
    on_all(yaml, 2, |seat| {
        assert!(seat.metrics.max_running == 2, "{}: nobody ran beside the other", seat.arm);
        seat.within("makespan", seat.makespan_ms(), 100.0, 400.0);
    });
}

#[test]
fn native_code_that_keeps_the_gil_cannot_be_interrupted() {
    let yaml = "
threads:
  sleeper: {do: [{sleep: 10ms}, {cpu: 1ms}]}
  keeper: {do: [{native_holding_gil: 80ms}]}";
    on_all(yaml, 2, |seat| seat.within("wait", seat.wait_ms("sleeper", 99), 50.0, 250.0));
}

#[test]
fn starting_twelve_busy_threads_takes_long_and_twelve_sleepers_no_time() {
    let starter = |body: &str| {
        format!(
            "
threads:
  starter: {{do: [{{start: w}}]}}
  w: {{count: 12, daemon: true, do: [{body}]}}
  end: {{do: [{{sleep: 1500ms}}]}}
run: {{until: 1600ms}}"
        )
    };
    on_all(&starter("{repeat: forever, do: [{cpu: 5ms}]}"), 2, |seat| {
        let finish = seat.metrics.threads[gilsim::ids::Id::new(seat.of("starter"))].finish;
        // On a machine that others use it may not even end within the horizon.
        seat.within("start of all", finish.map_or(1600.0, |at| at.ns() as f64 / 1e6), 250.0, 1600.0);
    });
    on_all(&starter("{sleep: 1s}"), 2, |seat| seat.within("start of all", seat.finish_ms("starter"), 0.0, 120.0));
}

#[test]
fn two_users_of_a_lock_exclude_each_other() {
    let yaml = "
locks: {l: {}}
threads:
  a: {do: [{repeat: 10, do: [{with: l, do: [{sleep: 5ms}]}, {cpu: 100us}]}]}
  b: {do: [{repeat: 10, do: [{with: l, do: [{sleep: 5ms}]}, {cpu: 100us}]}]}";
    on_all(yaml, 2, |seat| seat.within("makespan", seat.makespan_ms(), 98.0, 400.0));
}

#[test]
fn processes_on_too_few_cores_share_them() {
    let yaml = "processes: {p: {count: 4, do: [{cpu: 60ms}]}}";
    on_all(yaml, 2, |seat| {
        seat.within("makespan", seat.makespan_ms(), 110.0, 700.0);
        assert!(seat.metrics.max_in_python >= 2, "{}: {}", seat.arm, seat.metrics.max_in_python);
    });
}
