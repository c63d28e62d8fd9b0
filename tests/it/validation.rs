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

/// Sleepers come back in time however busy the host is.
const SLEEPERS: &str = "
name: three sleepers
machine: {cores: 2}
threads: {s: {count: 3, do: [{repeat: 10, do: [{io: 10ms}, {cpu: 50us}]}]}}
validate: {runs: 5, tolerance: 300%}
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
    let _alone = crate::common::alone();
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
        keep_drawn: false,
        interrupted: &AtomicBool::new(false),
        progress: &|_, _, _| {},
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
    let validated = run(SLEEPERS, Variants::Own, &[], &[]);
    assert_eq!(validated.verdict(), Verdict::Agrees, "{:?}", compared(&validated).comparison.rows[0]);
    let row = &compared(&validated).comparison.rows[0];
    assert!(row.measure.required && row.margin.widened, "a margin of 300 % is said to be widened");
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

#[test]
fn a_calibration_is_a_profile() {
    let found = gilsim::backend::calibrate::calibrate(&[], &std::env::temp_dir());
    let yaml = found.yaml("here");
    let slack = found.timer_slack().expect("timers can be measured everywhere");
    assert!((1_000..50_000_000).contains(&slack.ns()), "{slack}");
    for line in ["# kernel: Linux ", "# host: ", "timer_slack: ", "compare: sleep of 1ms", "  next_holder: futex"] {
        assert!(yaml.contains(line), "{line} is missing in\n{yaml}");
    }
    let source = Source { name: "validation.yaml".into(), text: SLEEPER.into() };
    let read = |path: &str| if path == "here" { Ok(yaml.clone()) } else { Err("nothing else".to_owned()) };
    let sets = ["machine.profile=here".to_owned()];
    let options = Options { sets: &sets, read_profile: &read, ..Options::default() };
    let loaded = gilsim::model::load(&source, &options).unwrap_or_else(|findings| panic!("{findings:?}\n{yaml}"));
    // The file rounds to a thousandth of its unit.
    let (least, most) = loaded.scenario.machine().costs.timer_slack.bounds();
    let rounded = slack.ns() / 500 + 1;
    assert!(least.ns() <= slack.ns() + rounded && most.ns() + rounded >= slack.ns(), "{least} to {most}: {slack}");
}

#[test]
fn the_command_says_what_it_cannot_tell() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("model.yaml");
    std::fs::write(&model, SLEEPER).expect("a file");
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gilsim"));
        let common = ["--backend", "native", "--profile", "linux", "--quiet"];
        command.arg("validate").arg(&model).args(common).args(arguments).output().expect("our program runs")
    };
    let few = run(&["--runs", "2", "--format", "json", "--despite-noise"]);
    assert_eq!(few.status.code(), Some(3), "two trials allow no verdict");
    let json: serde_json::Value = serde_json::from_slice(&few.stdout).expect("JSON");
    let variant = &json["models"][0]["variants"][0];
    assert_eq!(variant["verdict"], "INCONCLUSIVE");
    assert_eq!(variant["trials"], 2);
    assert_eq!(variant["metrics"][0]["metric"], "each_wait_gil(sleeper)");
    let unknown = run(&["--what-if", "nobody"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", String::from_utf8_lossy(&unknown.stderr));
    let cores = run(&["--set", "machine.cores=4000", "--as-written"]);
    assert_eq!(cores.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&cores.stdout).contains("W504"));
}

#[test]
fn an_interpreter_that_is_not_there_is_a_failure_of_the_workers() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_gilsim"))
        .args(["validate", "models/gil/two-threads.yaml", "--python", "/nowhere/python"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("our program runs");
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A known divergence is the difference itself: reported as such inside of its band, and red outside of it.
#[test]
fn a_known_divergence_must_stay_within_its_band() {
    let verdict = |least: &str, most: &str| {
        let known = format!(
            "known: [{{metric: makespan, least: {least}, most: {most}, because: predicted for a slower host}}]"
        );
        let yaml = SLEEPERS.replace("tolerance: 300%", &format!("tolerance: 5%, metrics: [makespan], {known}"));
        // A prediction of ten times the blocking time: measured is about a tenth of it.
        let long = ["threads.s.do=[{repeat: 10, do: [{io: 100ms}, {cpu: 50us}]}]"];
        let validated = run(&yaml, Variants::Own, &long, &[]);
        (validated.verdict(), compared(&validated).comparison.rows[0].known.as_ref().map(|band| band.because.clone()))
    };
    let (inside, because) = verdict("0.05", "0.6");
    assert_eq!((inside, because.as_deref()), (Verdict::KnownDivergence, Some("predicted for a slower host")));
    assert_eq!(verdict("1.5", "2").0, Verdict::Disagrees, "the difference has left its band");
}

/// A foreign process that computes on every core, ended when this is dropped.
struct ForeignHogs(Vec<std::process::Child>);

impl ForeignHogs {
    fn start() -> ForeignHogs {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let hog = || {
            let mut command = std::process::Command::new("python3");
            command.args(["-c", "while True: pass"]).spawn().expect("these tests need python3 on PATH")
        };
        ForeignHogs((0..cores).map(|_| hog()).collect())
    }
}

impl Drop for ForeignHogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            // It may have gone already.
            let _ = hog.kill();
            let _ = hog.wait();
        }
    }
}

/// With foreign hogs beside it `validate` cannot tell, or says that trials were disturbed; it never blames the model.
#[test]
fn a_foreign_hog_is_never_the_model_s_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("model.yaml");
    // Wrong whenever somebody else has the cores, and by a factor.
    std::fs::write(&model, PROCESSES).expect("a file");
    let _alone = crate::common::alone();
    let _hogs = ForeignHogs::start();
    for more in [&[][..], &["--despite-noise"]] {
        for workers in [["--backend", "native"], ["--python", "python3"]] {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gilsim"));
            let common = ["--profile", "linux", "--quiet", "--format", "json", "--runs", "11"];
            let output = command.arg("validate").arg(&model).args(workers).args(common).args(more).output();
            let output = output.expect("our program runs");
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let variant = &json["models"][0]["variants"][0];
            assert_eq!((output.status.code(), &variant["verdict"]), (Some(3), &"INCONCLUSIVE".into()), "{variant}");
            let disturbed =
                variant["rejected"].as_u64().unwrap_or(0) + variant["disturbed_but_counted"].as_u64().unwrap_or(0);
            assert!(disturbed > 0, "{variant}");
        }
    }
}

/// One row for each model, whatever becomes of it: nothing stops a campaign.
#[test]
fn a_campaign_goes_on_after_a_model_that_cannot_be_validated() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let models = [
        file("a-broken.yaml", "name: broken\nthreads: {a: {do: [{cpuu: 5ms}]}}\n"),
        file("b-fifo.yaml", "name: x\nmachine: {cores: 2, scheduler: fifo}\nthreads: {a: {do: [{cpu: 1ms}]}}\n"),
        file("c-not-simulated.yaml", "name: x\npools: {p: {}}\nthreads: {a: {do: [{cpu: 1ms}]}}\n"),
        file("d-sleepers.yaml", SLEEPERS),
    ];
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gilsim"));
    let arguments = ["--backend", "native", "--profile", "linux", "--quiet", "--runs", "5", "--despite-noise"];
    let output = command.arg("validate").args(models).args(arguments).output().expect("our program runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let table = &text[text.rfind("workers").expect("a table")..];
    let row = |name: &str| {
        table.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no row for {name}:\n{text}"))
    };
    assert!(row("a-broken.yaml").contains("E201"), "{table}");
    assert!(row("b-fifo.yaml").contains("W504"), "{table}");
    assert!(row("c-not-simulated.yaml").contains("E110"), "{table}");
    assert!(row("d-sleepers.yaml").contains("makespan"), "{table}");
    assert!(table.contains("3 not compared"), "{table}");
    assert_eq!(output.status.code(), Some(2), "a model that is wrong is a usage error in the end");
}
