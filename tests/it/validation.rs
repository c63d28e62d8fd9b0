//! `validate` from outside: an oracle that has never been red is no oracle, and nothing of a prediction reaches a worker.
//!
//! Others may use the machine of these tests, so they look at differences by factors and leave the noise watch open; how
//! the noise watch itself decides is tested beside it.

use std::sync::atomic::AtomicBool;

use gilsim::analysis::verdict::Verdict;
use gilsim::backend::real::Workers;
use gilsim::model::{Options, Source};
use gilsim::ratio::Ratio;
use gilsim::study::validate::{Compared, Costs, Gate, Outcome, Request, Validated, Variants, validate};

const SLEEPER: &str = "
name: a sleeper beside a hog
machine: {cores: 2}
threads:
  sleeper: {do: [{repeat: 12, do: [{sleep: 3ms}, {cpu: 50us}]}]}
  hog: {daemon: true, do: [{repeat: forever, do: [{cpu: 10ms}]}]}
run: {until: 5s}
validate: {runs: 5, tolerance: 400%, metrics: [each_wait_gil(sleeper)]}
";

const PROCESSES: &str = "
name: four processes on two cores
machine: {cores: 2}
processes: {p: {count: 4, do: [{cpu: 40ms}]}}
what_if:
  threads: {set: {machine.cores: 1}}
validate: {runs: 5, tolerance: 20%}
";

fn run(yaml: &str, variants: Variants, prediction: &[&str], worker: &[&str]) -> Validated {
    let owned = |settings: &[&str]| settings.iter().map(|each| each.to_string()).collect::<Vec<String>>();
    let (prediction, worker) = (owned(prediction), owned(worker));
    let source = Source { name: "validation.yaml".into(), text: yaml.into() };
    let costs = Costs { name: "linux".into(), text: None };
    let request = Request {
        source: &source,
        base: Options::default(),
        workers: &Workers::native(None),
        variants,
        runs: None,
        costs: &costs,
        as_written: false,
        gate: Gate::OPEN,
        keep_disturbed: false,
        prediction_settings: &prediction,
        worker_settings: &worker,
        interrupted: &AtomicBool::new(false),
        progress: &|_, _| {},
    };
    validate(&request).unwrap_or_else(|findings| panic!("{findings:?}"))
}

fn compared(validated: &Validated) -> &Compared {
    match &validated.cases[0].outcome {
        Outcome::Compared(compared) => compared,
        Outcome::Refused(why) | Outcome::Broken(why) => panic!("{why}"),
    }
}

/// The measured median of the first row, in milliseconds.
fn median_ms(validated: &Validated) -> f64 {
    let median = compared(validated).comparison.rows[0].median().expect("a median");
    median.num() as f64 / median.den() as f64 / 1e6
}

#[test]
fn a_right_prediction_agrees() {
    let validated = run(SLEEPER, Variants::Own, &[], &[]);
    assert_eq!(validated.verdict(), Verdict::Agrees, "{:?}", compared(&validated).comparison.rows[0]);
    let row = &compared(&validated).comparison.rows[0];
    assert!(row.measure.required && row.margin.widened, "a margin of 400 % is said to be widened");
    assert_eq!(compared(&validated).comparison.trials(), 5);
}

#[test]
fn a_prediction_that_ignores_the_interval_disagrees() {
    let validated = run(SLEEPER, Variants::Own, &["python.switch_interval=500ms"], &[]);
    assert_eq!(validated.verdict(), Verdict::Disagrees);
}

#[test]
fn a_prediction_with_twice_the_cores_disagrees() {
    let validated = run(PROCESSES, Variants::Own, &["machine.cores=4"], &[]);
    assert_eq!(validated.verdict(), Verdict::Disagrees);
    let predicted = compared(&validated).comparison.rows[0].predicted.expect("a makespan");
    assert!(predicted < Ratio::whole(60_000_000), "{predicted}: four cores were predicted");
}

#[test]
fn only_the_workers_own_interval_moves_what_is_measured() {
    let [short, long] = ["5ms", "30ms"].map(|interval| {
        let settings = format!("python.switch_interval={interval}");
        run(SLEEPER, Variants::Own, &["python.switch_interval=5ms"], &[&settings])
    });
    let predicted = |validated: &Validated| compared(validated).comparison.rows[0].predicted;
    assert_eq!(predicted(&short), predicted(&long), "the prediction is the same");
    let (short, long) = (median_ms(&short), median_ms(&long));
    assert!(short >= 4.5 && long >= 29.0, "{short} and {long} ms");
    assert!(long > 1.5 * short, "{short} and {long} ms");
}

#[test]
fn variants_alternate_and_are_ranked() {
    let validated = run(PROCESSES, Variants::All, &[], &[]);
    let ranking = validated.ranking.as_ref().expect("two variants");
    let names: Vec<&str> = ranking.order.iter().map(|each| each.name.as_str()).collect();
    assert_eq!(names, ["the model", "threads"], "two cores are predicted to be faster than one");
    assert_eq!(ranking.pairs.1, 0, "{ranking:?}");
}

#[test]
fn what_cannot_be_run_is_refused_and_not_skipped() {
    let yaml = "name: x\nmachine: {cores: 2, scheduler: fifo}\nthreads: {a: {do: [{cpu: 1ms}]}}\n";
    let validated = run(yaml, Variants::Own, &[], &[]);
    assert!(matches!(&validated.cases[0].outcome, Outcome::Refused(why) if why.contains("W504")));
    assert_eq!(validated.verdict(), Verdict::Inconclusive);
    let cores = "name: x\nmachine: {cores: 4000}\nthreads: {a: {do: [{cpu: 1ms}]}}\n";
    let fewer = run(cores, Variants::Own, &[], &[]);
    assert!(fewer.cases[0].note.as_deref().is_some_and(|note| note.contains("the model says 4000")));
}
