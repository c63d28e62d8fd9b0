//! Processes and what `multiprocessing` puts between them: each rule with a case worked by hand.

use gilsim::study::Simulation;
use gilsim::trace::{Record, What};

use crate::common::{finish, run, span};
use crate::errors::said;

/// Every line of output, with its time and its writer.
fn printed(simulation: &Simulation, records: &[Record]) -> Vec<String> {
    let line = |record: &Record| match &record.what {
        What::Output { thread, text } => Some(format!("{} {} {text}", record.at, simulation.cast.full_name(*thread))),
        _ => None,
    };
    records.iter().filter_map(line).collect()
}

/// The exit codes of all processes, in the order of their ends.
fn exits(simulation: &Simulation, records: &[Record]) -> Vec<String> {
    let exit = |record: &Record| match record.what {
        What::Exit { process, code } => Some(format!("{} {code}", simulation.cast.processes[process])),
        _ => None,
    };
    records.iter().filter_map(exit).collect()
}

// ---------------------------------------------------------------------------- top-level code

/// A program with two workers, one of which makes a child of its own; everything is spawned for 3 ms.
const FAMILY: &str = "
name: family
python: {start_method: spawn, costs: {spawn: 3ms}}
processes:
  main:
    module: [{print: 'module of {__name__}'}, {cpu: 1ms}]
    do: [{start: w}, {print: main}, {join: w}]
  w: {do: [{print: w}, {start: g}, {join: g}]}
  g: {threads: {helper: {do: [{print: 'helper in {__name__}'}]}, main: {do: [{print: g}]}}}
";

/// Children and their children import the module of the program, each before anything else that they do.
#[test]
fn top_level_code_runs_in_the_program_and_again_in_every_child() {
    let (simulation, records) = run(FAMILY, &[]);
    // 1 ms of module; then twice 3 ms of start and 1 ms of module.
    let expected = [
        "0ms main/main module of __main__",
        "1ms main/main main",
        "4ms w/w module of __mp_main__",
        "5ms w/w w",
        "8ms g/main module of __mp_main__",
        "9ms g/main g",
        "9ms g/helper helper in __mp_main__",
    ];
    assert_eq!(printed(&simulation, &records), expected);
    assert_eq!(exits(&simulation, &records), ["g 0", "w 0", "main 0"]);
    // A forked child has been through it: its parent is a copy of who ran it.
    let (simulation, records) = run(FAMILY, &["python.start_method=fork"]);
    assert_eq!(printed(&simulation, &records)[..2], ["0ms main/main module of __main__", "1ms main/main main"]);
    assert_eq!(finish(&simulation, "w"), span("1ms"));
}

/// The guard protects what stands under it: without one the children of a child are not even thought of.
#[test]
fn a_start_at_import_ends_the_child_and_nobody_else() {
    let (simulation, records) = run(FAMILY, &["python.main_guard=false"]);
    assert_eq!(exits(&simulation, &records), ["w 1", "main 0"]);
    let lines = printed(&simulation, &records);
    // It prints what stands before its first start again.
    assert_eq!(lines[2..4], ["4ms w/w module of __mp_main__", "5ms w/w Traceback (most recent call last):"]);
    assert!(lines.iter().all(|line| !line.ends_with(" w/w w")), "{lines:?}");
    assert_eq!(finish(&simulation, "main/main"), span("5ms"));
}

/// A start in the module is outside of the guard, whatever stands under it.
#[test]
fn a_start_in_the_module_is_not_guarded() {
    let yaml = "
name: x
python: {start_method: forkserver}
processes:
  main: {module: [{start: w}], do: [{cpu: 2ms}, {join: w}]}
  w: {threads: {a: {do: [{cpu: 1ms}]}, late: {at: 9ms, do: [{cpu: 1ms}]}}}
";
    let (simulation, records) = run(yaml, &[]);
    // The thread that would come later does not keep the process, nor the run.
    assert_eq!(exits(&simulation, &records), ["w 1", "main 0"]);
    assert_eq!(simulation.metrics.end.to_string(), "2ms");
    let (simulation, records) = run(yaml, &["python.start_method=fork"]);
    // Forked, it does what it is there for, and main waits for it.
    assert_eq!(exits(&simulation, &records), ["w 0", "main 0"]);
    assert_eq!(simulation.metrics.end.to_string(), "10ms");
}

/// Every child makes its own copies of what the module uses.
#[test]
fn what_the_module_uses_is_not_shared() {
    let yaml = "
name: x
python: {start_method: spawn}
locks: {l: {}}
processes:
  main: {module: [{acquire: l}, {cpu: 1ms}], do: [{start: w}, {sleep: 50ms}, {release: l}]}
  w: {count: 2, do: [{cpu: 2ms}]}
";
    let (simulation, _) = run(yaml, &[]);
    assert_eq!(["w-1", "w-2"].map(|name| finish(&simulation, name)), ["4ms"; 2].map(span));
}

#[test]
fn modules_that_cannot_be_as_they_are() {
    let threads = "
name: x
python: {start_method: spawn, main_guard: false}
processes:
  main: {threads: {main: {do: [{start: t}, {start: w}]}, t: {do: [{cpu: 1ms}]}}}
  w: {do: [{cpu: 1ms}]}
";
    let starts = said(threads, None, &[]);
    assert!(starts.contains("error E209: a child that imports this module again would start"), "{starts}");
    let nobody = said("{name: x, processes: {p: {module: [{cpu: 1ms}], threads: {a: {do: [{cpu: 1ms}]}}}}}", None, &[]);
    assert!(nobody.contains("error E209: no thread to run the module"), "{nobody}");
    let native =
        said("{name: x, processes: {p: {runtime: native, module: [{cpu: 1ms}], do: [{cpu: 1ms}]}}}", None, &[]);
    assert!(native.contains("error E209: a native process has no module"), "{native}");
    let child = said(
        "{name: x, processes: {main: {do: [{start: w}]}, w: {module: [{cpu: 1ms}], do: [{cpu: 1ms}]}}}",
        None,
        &[],
    );
    assert!(child.contains("warning W507: \"w\" is a child"), "{child}");
}
