//! The real backend on the interpreters of this machine: what it reports, what it refuses, and that nothing survives it.
//!
//! The machine may be busy with other things, so lengths are asserted with wide bounds only; structure is exact.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use gilsim::analysis::{Checker, Verdict};
use gilsim::backend::cpython::{
    Cpython, Error, Interpreter, Limits, Options, Places, Trial, default_interpreter, find,
};
use gilsim::model::{self, Scenario, Source};
use gilsim::time::Span;
use gilsim::trace::{Cast, Ending, GilAct, LockAct, Observer, State, What};

pub fn places(scratch: &Path) -> Places {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let home = std::env::var_os("HOME").map(PathBuf::from);
    Places { path: std::env::split_paths(&path).collect(), home, scratch: scratch.to_owned() }
}

pub fn scenario(yaml: &str) -> Scenario {
    let source = Source { name: "real.yaml".into(), text: yaml.into() };
    let loaded = model::load(&source, &model::Options::default());
    loaded.unwrap_or_else(|errors| panic!("{errors:?}")).scenario
}

pub fn python3(scratch: &Path) -> Interpreter {
    default_interpreter(&places(scratch)).expect("these tests need python3 on PATH")
}

fn cpython(scratch: &Path) -> Cpython {
    Cpython::new(python3(scratch), Options::new(scratch))
}

/// The wall clock: these tests measure real things.
#[expect(clippy::disallowed_methods, reason = "real runs take real time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "real processes take real time to die")]
fn pause(ms: u64) {
    thread::sleep(Duration::from_millis(ms));
}

/// Pieces of these invariants hold for every timeline; the others speak of ideal machines.
fn check(scenario: &Scenario, trial: &Trial) {
    let cast = Cast::of(scenario);
    let mut checker = Checker::new(&cast);
    let mut last = gilsim::time::Instant::ZERO;
    for (index, record) in trial.records.iter().enumerate() {
        assert!(record.at >= last, "time goes back at record {index}");
        assert!(record.cause.is_none_or(|cause| cause < index as u64), "record {index} is caused by a later one");
        last = record.at;
        checker.record(index as u64, record);
    }
    assert!(matches!(trial.records.last().map(|record| &record.what), Some(What::End { .. })));
    let verdicts = checker.finish(None).0;
    for number in [1, 2, 3, 4, 6] {
        assert!(verdicts[number - 1] == Verdict::Holds, "invariant {number}: {:?}", verdicts[number - 1]);
    }
}

pub fn run(backend: &Cpython, yaml: &str) -> (Scenario, Trial) {
    let scenario = scenario(yaml);
    let name = backend.interpreter().name();
    let trial = backend.run_trial(&scenario).unwrap_or_else(|error| panic!("{name}: {error}"));
    check(&scenario, &trial);
    (scenario, trial)
}

fn states(trial: &Trial, wanted: State) -> usize {
    trial.records.iter().filter(|record| matches!(record.what, What::State { to, .. } if to == wanted)).count()
}

fn lines(trial: &Trial) -> Vec<&str> {
    let mut lines = Vec::new();
    for record in &trial.records {
        if let What::Output { text, .. } = &record.what {
            lines.push(text.as_str());
        }
    }
    lines
}

fn finish(trial: &Trial, thread: u32) -> Span {
    let done = |what: &What| matches!(what, What::State { thread: who, to: State::Done, .. } if who.0 == thread);
    let record = trial.records.iter().find(|record| done(&record.what)).expect("it finished");
    Span::from_ns(record.at.ns())
}

/// The lengths of the slices that ended because somebody asked, sorted.
fn slices(trial: &Trial) -> Vec<Span> {
    let mut slices = super::common::holds(&trial.records);
    slices.sort();
    slices
}

/// Processes whose working folder lies below `folder`: the worker and all of its children, whatever they have become.
fn survivors(folder: &Path) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("a /proc").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let folder_of = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        if folder_of.starts_with(folder) {
            found.push(pid);
        }
    }
    found
}

pub fn nothing_is_left(folder: &Path) {
    let deadline = now() + Duration::from_secs(2);
    while !survivors(folder).is_empty() {
        assert!(now() < deadline, "processes are left: {:?}", survivors(folder));
        pause(10);
    }
    let left: Vec<_> = fs::read_dir(folder).expect("the folder").flatten().map(|entry| entry.file_name()).collect();
    assert!(left.is_empty(), "files are left: {left:?}");
}

/// An executable script in place of an interpreter.
fn impostor(folder: &Path, script: &str) -> Interpreter {
    let path = folder.join("impostor");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("an executable");
    Interpreter { path, ..python3(folder) }
}

const EVERYTHING: &str = "
name: every kind of step
python: {version: \"3.8\", start_method: fork}
machine: {cores: 2, devices: {disk: {at_once: 1}}}
locks: {plain: {kind: lock}, nested: {kind: rlock}}
threads:
  main:
    do:
      - print: 'this is {__name__}'
      - start: worker
      - show: threads
      - join: worker
      - print: done
  worker:
    count: 3
    do:
      - cpu: 10ms
      - with: plain
        do: [{cpu: 2ms}]
      - with: nested
        do: [{with: nested, do: [{cpu: 1ms}]}]
      - native: 10ms
      - native_holding_gil: 10ms
      - io: 5ms
      - io: {uniform: [4ms, 6ms]}
        device: disk
      - sleep: 5ms
      - repeat: 3
        do: [{cpu: {uniform: [1ms, 2ms]}}, {sleep: 0ms}]
";

const VERSIONS: [&str; 12] =
    ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.13t", "3.14t"];

/// Runs a test of real workers again, up to five times, if others disturbed it: the cores are not ours alone, and a unit of
/// work that was calibrated while somebody else ran is of the wrong size.
pub fn patiently(test: impl Fn()) {
    for _ in 1..5 {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(&test)).is_ok() {
            return;
        }
    }
    test();
}

#[test]
fn every_step_on_every_interpreter() {
    let scratch = tempfile::tempdir().expect("a folder");
    let found = find("all", &places(scratch.path())).expect("a search").interpreters;
    for version in VERSIONS {
        let is = |each: &&Interpreter| {
            each.name().trim_end_matches('t').starts_with(&format!("{}.", version.trim_end_matches('t')))
        };
        let threaded = version.ends_with('t');
        let Some(interpreter) = found.iter().filter(is).find(|each| each.free_threaded == threaded) else {
            eprintln!("SKIPPED: there is no Python {version} here");
            continue;
        };
        patiently(|| everything(Cpython::new(interpreter.clone(), Options::new(scratch.path()))));
        nothing_is_left(scratch.path());
    }
}

fn everything(backend: Cpython) {
    let name = backend.interpreter().name();
    let (scenario, trial) = run(&backend, EVERYTHING);
    assert_eq!(trial.ending, Ending::Finished, "{name}");
    for state in [State::Python, State::Native, State::NativeGil, State::Io, State::Sleep, State::Join] {
        assert!(states(&trial, state) > 0, "{name}: never {}", state.word());
    }
    assert_eq!(lines(&trial)[0], "this is __main__", "{name}");
    assert!(lines(&trial)[2].starts_with("Thread Count:  "), "{name}");
    let lock = |act: LockAct| {
        trial.records.iter().filter(|each| matches!(&each.what, What::Lock { act: other, .. } if *other == act)).count()
    };
    assert_eq!((lock(LockAct::Acquire), lock(LockAct::Release)), (9, 9), "{name}");
    for (thread, figures) in trial.figures.threads.iter().skip(1) {
        let label = scenario.full_name(thread);
        // 10 + 2 + 1 ms, three of 1 to 2 ms; 10 + 10 ms.
        assert!((16..=19).contains(&(figures.cpu_asked.ns() / 1_000_000)), "{name} {label}: {figures:?}");
        assert_eq!(figures.native_asked, Span::from_ms(20), "{name} {label}");
        for (asked, used) in [(figures.cpu_asked, figures.cpu_used), (figures.native_asked, figures.native_used)] {
            // Threads of 2.7 fight for the GIL, and the fight takes core time too: four and twelve of them were measured to
            // take 2.36 and 3.02 times as long as one after another, on two cores, so at most 6.04 times the core time.
            let most = if name.starts_with("2.") { 6 } else { 3 };
            assert!(used.ns() > asked.ns() / 2 && used.ns() < asked.ns() * most, "{name} {label}: {figures:?}");
        }
        assert!(figures.cpu.is_some() && figures.voluntary.is_some() && figures.queued.is_some(), "{name} {label}");
        assert!(finish(&trial, thread.0) > Span::from_ms(40), "{name} {label}");
    }
    // The disk serves one after another.
    let accounts = trial.records.iter().filter(|record| matches!(record.what, What::Account { finished: true, .. }));
    assert_eq!(accounts.count(), 4, "{name}");
    assert!(trial.figures.probe_share() < 0.02 && trial.figures.cost.late < 5e6, "{name}: {:?}", trial.figures);
}

/// The same draws as in a simulation: what the steps of both ask for in all is the same.
#[test]
fn random_lengths_are_the_same_as_in_a_simulation() {
    let scratch = tempfile::tempdir().expect("a folder");
    let (scenario, trial) = run(&cpython(scratch.path()), EVERYTHING);
    let mut simulated = Vec::new();
    gilsim::study::simulate(&scenario, &mut simulated);
    let demands = |records: &[gilsim::trace::Record]| {
        let mut demands: Vec<(u32, Span)> = Vec::new();
        for record in records {
            if let What::Account { thread, demanded, .. } = record.what {
                demands.push((thread.0, demanded));
            }
        }
        demands.sort();
        demands
    };
    assert_eq!(demands(&trial.records), demands(&simulated));
}

#[test]
fn two_hogs_take_turns() {
    let scratch = tempfile::tempdir().expect("a folder");
    let hogs = |interval: &str| {
        let yaml = format!(
            "{{name: hogs, python: {{switch_interval: {interval}}}, machine: {{cores: 2}}, \
             threads: {{hog: {{count: 2, do: [{{cpu: 200ms}}]}}}}}}"
        );
        let (_, trial) = run(&cpython(scratch.path()), &yaml);
        slices(&trial)
    };
    let (short, long) = (hogs("2ms"), hogs("40ms"));
    assert!(short.len() > 10, "{short:?}");
    assert!(long.len() >= 2, "{long:?}");
    // Only the interval was changed, and the measured slices moved with it.
    assert!(long[long.len() / 2] > short[short.len() / 2] * 2, "{short:?} {long:?}");
    assert!(long[long.len() / 2] > Span::from_ms(20), "{short:?} {long:?}");
}

#[test]
fn the_horizon_ends_endless_threads() {
    let scratch = tempfile::tempdir().expect("a folder");
    let yaml = "{name: endless, machine: {cores: 2}, run: {until: 200ms}, threads: {hog: {count: 3, do: [{repeat: forever, do: \
                [{cpu: 5ms}]}]}, sleeper: {do: [{sleep: 10s}]}}}";
    let (_, trial) = run(&cpython(scratch.path()), yaml);
    assert_eq!(trial.ending, Ending::Horizon);
    assert_eq!(trial.records.last().expect("an end").at.ns(), 200_000_000);
    assert_eq!(states(&trial, State::Done), 0);
    nothing_is_left(scratch.path());
}

#[test]
fn processes_by_every_start_method() {
    let scratch = tempfile::tempdir().expect("a folder");
    let backend = cpython(scratch.path());
    for method in ["fork", "spawn", "forkserver"] {
        let yaml = format!(
            "
name: parent and children
machine: {{cores: 2}}
python: {{start_method: {method}}}
processes:
  parent: {{do: [{{start: child}}, {{join: child}}]}}
  child: {{count: 2, do: [{{cpu: 20ms}}, {{print: '{{__name__}}'}}]}}
"
        );
        let (_, trial) = run(&backend, &yaml);
        assert_eq!(trial.ending, Ending::Finished);
        let exits: Vec<i32> = trial.records.iter().filter_map(|record| exit_code(&record.what)).collect();
        assert_eq!(exits, [0, 0, 0], "{method}");
        assert!(states(&trial, State::StartUp) >= 2, "{method}");
        let module = if method == "fork" { "__main__" } else { "__mp_main__" };
        assert_eq!(lines(&trial), [module, module], "{method}");
        assert!(finish(&trial, 0) > finish(&trial, 1).max(finish(&trial, 2)), "{method}: the parent joins");
        nothing_is_left(scratch.path());
    }
    let alone = "{name: apart, machine: {cores: 2}, python: {start_method: METHOD}, processes: {job: {count: 3, do: [{cpu: 20ms}]}}}";
    for method in ["fork", "spawn", "forkserver"] {
        let (_, trial) = run(&backend, &alone.replace("METHOD", method));
        assert_eq!((trial.ending.clone(), states(&trial, State::Done)), (Ending::Finished, 3), "{method}");
        assert_eq!(trial.figures.processes.len(), 3, "{method}");
    }
    nothing_is_left(scratch.path());
}

fn exit_code(what: &What) -> Option<i32> {
    if let What::Exit { code, .. } = what { Some(*code) } else { None }
}

#[test]
fn daemons_end_with_their_process() {
    let scratch = tempfile::tempdir().expect("a folder");
    let yaml = "{name: daemon, machine: {cores: 2}, threads: {hog: {daemon: true, do: [{repeat: forever, do: [{cpu: 5ms}]}]}, \
                user: {do: [{sleep: 30ms}, {cpu: 1ms}]}}}";
    let (_, trial) = run(&cpython(scratch.path()), yaml);
    assert_eq!(trial.ending, Ending::Finished);
    assert_eq!(states(&trial, State::Done), 2);
    assert!(finish(&trial, 0) <= finish(&trial, 1));
}

#[test]
fn what_python_refuses_ends_the_run_as_in_a_simulation() {
    let scratch = tempfile::tempdir().expect("a folder");
    let yaml = "{name: wrong release, machine: {cores: 2}, locks: {l: {kind: lock}}, threads: {a: {do: [{acquire: l}, {sleep: 100ms}, {release: l}]}, \
                b: {do: [{sleep: 20ms}, {release: l}]}}}";
    let (_, trial) = run(&cpython(scratch.path()), yaml);
    let Ending::ModelError { code, thread, .. } = trial.ending else { panic!("{:?}", trial.ending) };
    assert_eq!((code, thread.0), ("E204", 1));
    nothing_is_left(scratch.path());
}

#[test]
fn unsupported_models_are_refused_before_anything_starts() {
    let scratch = tempfile::tempdir().expect("a folder");
    let backend = Cpython::new(impostor(scratch.path(), "touch started"), Options::new(scratch.path()));
    let refused = |yaml: &str| match backend.run_trial(&scenario(yaml)) {
        Err(Error::Unsupported(refusals)) => refusals.iter().map(|each| each.divergence.name).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let threads = "threads: {a: {do: [{cpu: 1ms}]}}";
    assert_eq!(refused(&format!("{{name: m, machine: {{scheduler: fifo}}, {threads}}}")), ["scheduler"]);
    assert_eq!(refused("{name: m, threads: {a: {interpreter: own, do: [{cpu: 1ms}]}}}"), ["sub-interpreter"]);
    assert_eq!(refused("{name: m, threads: {a: {nice: -5, do: [{cpu: 1ms}]}}}"), ["nice"]);
    assert_eq!(refused("{name: m, processes: {a: {runtime: native, do: [{cpu: 1ms}]}}}"), ["native-process"]);
    let many = |count: u32| {
        backend.run_trial(&scenario(&format!("{{name: m, threads: {{a: {{count: {count}, do: [{{cpu: 1ms}}]}}}}}}")))
    };
    assert!(matches!(many(257), Err(Error::TooLarge { what: "threads", asked: 257, allowed: 256, .. })));
    let long = backend.run_trial(&scenario("{name: m, threads: {a: {do: [{sleep: 1000s}]}}}"));
    assert!(matches!(long, Err(Error::TooLarge { .. })), "{long:?}");
    assert!(fs::read_dir(scratch.path()).expect("a folder").count() == 1, "something was started");
}

#[test]
fn interpreters_are_asked_who_they_are() {
    let scratch = tempfile::tempdir().expect("a folder");
    let places = places(scratch.path());
    let python3 = python3(scratch.path());
    assert!(python3.version >= (3, 6, 0) && python3.path.is_absolute());
    let by_path = find(&python3.path.to_string_lossy(), &places).expect("the same by its path");
    assert_eq!(by_path.interpreters, std::slice::from_ref(&python3));
    let (major, minor, _) = python3.version;
    let by_version = find(&format!("{major}.{minor}"), &places).expect("one by its version");
    assert_eq!((by_version.interpreters[0].version.0, by_version.interpreters[0].version.1), (major, minor));
    for spec in ["-c", "; touch x", "python9.9", "py\nthon", "", "../python"] {
        assert!(matches!(find(spec, &places), Err(Error::NotFound { .. } | Error::NotCpython { .. })), "{spec:?}");
    }
    let folder = scratch.path().to_string_lossy().into_owned();
    for (script, said) in [("exit 3", "exit status: 3"), ("echo hello", "make no sense"), ("yes", "64 KiB")] {
        let impostor = impostor(scratch.path(), script).path;
        let error = find(&impostor.to_string_lossy(), &places).expect_err("not an interpreter").to_string();
        assert!(error.contains(said), "{error}");
        fs::remove_file(impostor).expect("to be removed");
    }
    for path in [folder.clone(), format!("{folder}/missing")] {
        assert!(matches!(find(&path, &places), Err(Error::NotCpython { .. })), "{path}");
    }
    nothing_is_left(scratch.path());
}

// ------------------------------------------------------------------ hygiene

const ENDLESS: &str = "{name: endless, machine: {cores: 2, devices: {disk: {at_once: 1}}}, run: {until: 60s}, python: {start_method: METHOD}, \
    processes: {parent: {do: [{start: child}, {repeat: forever, do: [{cpu: 5ms}]}]}, \
    child: {count: 2, do: [{io: 1ms, device: disk}, {repeat: forever, do: [{native_holding_gil: 30s}]}]}}}";

fn endless(method: &str) -> Scenario {
    scenario(&ENDLESS.replace("METHOD", method))
}

#[test]
fn a_worker_that_hangs_is_ended_in_time() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("private");
    fs::create_dir(&folder).expect("a folder");
    for script in ["exec sleep 100", "trap '' TERM; while :; do sleep 1; done", "cat; trap '' TERM; sleep 100 & wait"] {
        let mut options = Options::new(&folder);
        options.timeout = Some(Duration::from_millis(300));
        let began = now();
        let error = Cpython::new(impostor(scratch.path(), script), options).run_trial(&endless("fork"));
        assert!(matches!(error, Err(Error::Hung { .. })), "{error:?}");
        assert!(now() - began < Duration::from_secs(4), "{script}: {:?}", now() - began);
        nothing_is_left(&folder);
    }
    let mut options = Options::new(&folder);
    options.timeout = Some(Duration::from_millis(1500));
    let error = Cpython::new(python3(scratch.path()), options).run_trial(&endless("spawn"));
    assert!(matches!(error, Err(Error::Hung { .. })), "{error:?}");
    nothing_is_left(&folder);
}

#[test]
fn a_worker_that_floods_lies_or_dies_is_an_error() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("private");
    fs::create_dir(&folder).expect("a folder");
    let mut options = Options::new(&folder);
    options.limits = Limits { output: 1 << 20, ..Limits::default() };
    let said = |script: &str| {
        let backend = Cpython::new(impostor(scratch.path(), script), options.clone());
        let error = backend.run_trial(&endless("fork")).expect_err("an error").to_string();
        nothing_is_left(&folder);
        error
    };
    assert!(said("exec yes '{\"error\": \"x\"}'").contains("more than 1048576 bytes"));
    assert!(said("yes >&2 & kill -9 $$").contains("signal: 9"));
    assert!(said("echo no such luck >&2; exit 7").contains("exit status: 7): no such luck"));
    assert!(said("echo hello").contains("not a report"));
    assert!(
        said("echo '{\"end\": {\"codes\": [[99, 0]], \"cpu\": 1}}'").contains("numbers that the model does not have")
    );
    assert!(said("echo '{\"error\": \"so sorry\"}'").contains("so sorry"));
}

#[test]
fn a_worker_killed_at_any_time_is_an_error_soon() {
    let scratch = tempfile::tempdir().expect("a folder");
    let interpreter = python3(scratch.path());
    for round in 0..8u64 {
        let (folder, interpreter) = (scratch.path().join(format!("round-{round}")), interpreter.clone());
        fs::create_dir(&folder).expect("a folder");
        let backend = Cpython::new(interpreter, Options::new(&folder));
        let run =
            thread::spawn(move || backend.run_trial(&endless(["fork", "spawn", "forkserver"][round as usize % 3])));
        while survivors(&folder).is_empty() {
            pause(1);
        }
        pause(round * 53);
        kill("KILL", leader(&folder));
        let killed = now();
        let error = run.join().expect("no panic");
        assert!(matches!(&error, Err(Error::Died { status, .. }) if status.contains("signal: 9")), "{error:?}");
        assert!(now() - killed < Duration::from_secs(1));
        nothing_is_left(&folder);
    }
}

/// The worker that leads its process group. Numbers of processes start again from below at some time, so it need not have
/// the least.
fn leader(folder: &Path) -> u32 {
    let leads = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // pid (name) state parent group …
        let group = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(2)?.parse().ok());
        group == Some(*pid)
    };
    survivors(folder).into_iter().find(leads).expect("a worker that leads")
}

/// A worker that has reported everything and is killed before it has ended did not end as it should.
#[test]
fn a_worker_killed_after_its_report_is_an_error_too() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("private");
    fs::create_dir(&folder).expect("a folder");
    let python = python3(scratch.path()).path;
    let interpreter = impostor(scratch.path(), &format!("'{}' \"$@\"; kill -KILL $$", python.display()));
    let short = scenario("{name: short, machine: {cores: 2}, threads: {a: {do: [{cpu: 1ms}]}}}");
    let error = Cpython::new(interpreter, Options::new(&folder)).run_trial(&short);
    assert!(matches!(&error, Err(Error::Died { status, .. }) if status.contains("signal: 9")), "{error:?}");
    nothing_is_left(&folder);
}

/// So did a child that somebody killed while its parent goes on to the end.
#[test]
fn a_killed_child_is_an_error() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("private");
    fs::create_dir(&folder).expect("a folder");
    let backend = Cpython::new(python3(scratch.path()), Options::new(&folder));
    let yaml = "{name: parent, machine: {cores: 2}, python: {start_method: fork}, processes: {parent: {do: [{start: child}, {join: child}]}, \
                child: {do: [{sleep: 20s}]}}}";
    let run = thread::spawn(move || backend.run_trial(&scenario(yaml)));
    let child = loop {
        pause(20);
        let all = survivors(&folder);
        let first = (!all.is_empty()).then(|| leader(&folder));
        if let Some(child) = all.iter().copied().find(|pid| first.is_some_and(|first| first != *pid)) {
            break child;
        }
    };
    // It has begun: its parent waits for it.
    pause(300);
    kill("KILL", child);
    let error = run.join().expect("no panic");
    assert!(matches!(&error, Err(Error::Died { .. } | Error::Worker(_))), "{error:?}");
    nothing_is_left(&folder);
}

fn kill(signal: &str, pid: u32) {
    let status = Command::new("kill").args([format!("-{signal}"), pid.to_string()]).stderr(Stdio::null()).status();
    assert!(status.is_ok());
}

#[test]
fn an_interrupt_ends_the_run() {
    let scratch = tempfile::tempdir().expect("a folder");
    let interpreter = python3(scratch.path());
    let folder = scratch.path().join("private");
    fs::create_dir(&folder).expect("a folder");
    let flag = Arc::new(AtomicBool::new(false));
    let mut options = Options::new(&folder);
    options.interrupted = Some(flag.clone());
    let run = thread::spawn(move || Cpython::new(interpreter, options).run_trial(&endless("forkserver")));
    pause(400);
    flag.store(true, Ordering::Relaxed);
    let raised = now();
    assert!(matches!(run.join().expect("no panic"), Err(Error::Interrupted)));
    assert!(now() - raised < Duration::from_secs(1));
    nothing_is_left(&folder);
}

/// Not a test of its own: what other tests start as a process that they can surround with traps and kill.
#[test]
#[ignore = "run by other tests, in a process of its own"]
fn helper() {
    let Some(folder) = std::env::var_os("GILSIM_TEST_FOLDER").map(PathBuf::from) else { return };
    let model = std::env::var("GILSIM_TEST_MODEL").expect("a model");
    let trial = cpython(&folder).run_trial(&scenario(&model)).expect("a trial");
    println!("ending: {}", trial.ending.word());
}

fn helper_process(folder: &Path, model: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--ignored", "--exact", "real::helper", "--nocapture"]);
    command.env("GILSIM_TEST_FOLDER", folder).env("GILSIM_TEST_MODEL", model).stdout(Stdio::piped());
    command
}

#[test]
fn nothing_survives_a_killed_gilsim() {
    for (round, method) in ["fork", "spawn", "forkserver", "fork"].iter().enumerate() {
        let scratch = tempfile::tempdir().expect("a folder");
        let mut gilsim = helper_process(scratch.path(), &ENDLESS.replace("METHOD", method)).spawn().expect("a helper");
        // Parent, two children, the device, and what multiprocessing starts itself.
        wait_for_survivors(&mut gilsim, scratch.path(), if round == 3 { 1 } else { 4 });
        if round == 0 {
            // Stopped processes cannot help either.
            survivors(scratch.path()).into_iter().for_each(|pid| kill("STOP", pid));
        }
        gilsim.kill().expect("killed");
        gilsim.wait().expect("reaped");
        let deadline = now() + Duration::from_secs(2);
        while !survivors(scratch.path()).is_empty() {
            assert!(now() < deadline, "{method}: processes are left: {:?}", survivors(scratch.path()));
            pause(10);
        }
        // The folder of the dead one is swept by the next run.
        run(&cpython(scratch.path()), "{name: m, threads: {a: {do: [{cpu: 1ms}]}}}");
        nothing_is_left(scratch.path());
    }
}

fn wait_for_survivors(gilsim: &mut Child, folder: &Path, count: usize) {
    let deadline = now() + Duration::from_secs(20);
    while survivors(folder).len() < count {
        assert!(now() < deadline && gilsim.try_wait().expect("a state").is_none(), "it did not start");
        pause(5);
    }
}

/// Files that would run if the interpreter looked at its environment, at the user's or the site's folders, or around it.
#[test]
fn the_environment_has_no_effect() {
    let scratch = tempfile::tempdir().expect("a folder");
    let traps = tempfile::tempdir().expect("a folder");
    let trap = format!("open({:?}, 'a').write('sprung')\n", traps.path().join("sprung"));
    for name in ["sitecustomize.py", "usercustomize.py", "threading.py", "json.py", "startup.py", "multiprocessing.py"]
    {
        fs::write(traps.path().join(name), &trap).expect("a trap");
    }
    let model = "{name: traps, machine: {cores: 2}, python: {start_method: spawn}, processes: {parent: {do: [{start: child}, {join: child}]}, \
                 child: {do: [{cpu: 1ms}]}}}";
    for method in ["spawn", "forkserver", "fork"] {
        let output = helper_process(scratch.path(), &model.replace("spawn", method))
            .current_dir(traps.path())
            .env("PYTHONPATH", traps.path())
            .env("PYTHONSTARTUP", traps.path().join("startup.py"))
            .env("PYTHONHOME", traps.path())
            .env("PYTHONUSERBASE", traps.path())
            .env("PYTHONINSPECT", "1")
            .env("PYTHONVERBOSE", "1")
            .env("TMPDIR", "/nonexistent")
            .output()
            .expect("a helper");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("ending: finished"), "{method}: {said}");
        assert!(!traps.path().join("sprung").exists(), "{method}: a trap was sprung");
        nothing_is_left(scratch.path());
    }
}

/// Names and texts of a model are labels, never code.
#[test]
fn nothing_in_a_model_is_executed() {
    let scratch = tempfile::tempdir().expect("a folder");
    let text = "\"; import os; os.system('touch sprung') #{0} %s {__import__} \\n'''";
    let yaml = format!(
        "{{name: {text:?}, machine: {{cores: 2}}, threads: {{__import__: {{do: []}}, a: {{do: [{{print: {text:?}}}, {{cpu: 1ms}}]}}}}}}"
    )
    .replace("__import__: {do: []}, ", "");
    let (_, trial) = run(&cpython(scratch.path()), &yaml);
    assert_eq!(lines(&trial), [text]);
    nothing_is_left(scratch.path());
}

#[test]
fn many_runs_leave_nothing() {
    let scratch = tempfile::tempdir().expect("a folder");
    let backend = cpython(scratch.path());
    let descriptors = || fs::read_dir("/proc/self/fd").expect("descriptors").count();
    let scenario = scenario("{name: m, machine: {cores: 2}, threads: {a: {do: [{cpu: 1ms}]}}}");
    backend.run_trial(&scenario).expect("a trial");
    let before = descriptors();
    for _ in 0..20 {
        backend.run_trial(&scenario).expect("a trial");
    }
    // Other tests of this process run meanwhile and open files of their own.
    assert!(descriptors() < before + 60);
    nothing_is_left(scratch.path());
}

#[test]
fn grants_alternate_with_drops() {
    let scratch = tempfile::tempdir().expect("a folder");
    let (_, trial) = run(
        &cpython(scratch.path()),
        "{name: m, machine: {cores: 2}, threads: {a: {count: 4, do: [{repeat: 20, do: [{cpu: 1ms}, {sleep: 1ms}]}]}}}",
    );
    let mut held = false;
    for record in &trial.records {
        let What::Gil { act, .. } = record.what else { continue };
        let grants = matches!(act, GilAct::Grant { .. });
        assert_ne!(grants, held, "at {}", record.at);
        held = grants;
    }
}

#[test]
fn a_device_serves_one_after_another() {
    let scratch = tempfile::tempdir().expect("a folder");
    let yaml = "{name: disk, machine: {cores: 2, devices: {disk: {at_once: 1}}}, threads: {a: {count: 3, do: [{io: 20ms, device: disk}]}}}";
    let (_, trial) = run(&cpython(scratch.path()), yaml);
    let mut finishes = [finish(&trial, 0), finish(&trial, 1), finish(&trial, 2)];
    finishes.sort();
    for (place, finish) in (1..).zip(finishes) {
        assert!(finish >= Span::from_ms(20) * place, "{finishes:?}");
    }
    nothing_is_left(scratch.path());
}

#[test]
fn the_horizon_ends_endless_processes() {
    let scratch = tempfile::tempdir().expect("a folder");
    for method in ["fork", "spawn", "forkserver"] {
        let yaml = format!(
            "{{name: endless, machine: {{cores: 2}}, run: {{until: 300ms}}, python: {{start_method: {method}}}, \
             processes: {{hog: {{count: 3, do: [{{repeat: forever, do: [{{cpu: 5ms}}]}}]}}}}}}"
        );
        let (_, trial) = run(&cpython(scratch.path()), &yaml);
        assert_eq!((&trial.ending, states(&trial, State::Done)), (&Ending::Horizon, 0), "{method}");
        assert_eq!(trial.figures.processes.len(), 3, "{method}");
        nothing_is_left(scratch.path());
    }
}
