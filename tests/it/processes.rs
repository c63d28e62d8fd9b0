//! Processes and what `multiprocessing` puts between them: each rule with a case worked by hand.

use gilsim::study::Simulation;
use gilsim::trace::{Ending, Record, State, What};

use crate::common::{detail, finish, in_state, run, span, values};
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

// ---------------------------------------------------------------------------- servers and names

/// The first start waits for the server, which needs a core; children of children know the same one.
#[test]
fn the_first_forkserver_child_waits_for_the_server() {
    let yaml = "
name: x
python: {version: \"3.14\", costs: {forkserver_server: 10ms, forkserver: 2ms}}
processes:
  main: {do: [{start: w}, {print: started}, {join: w}]}
  w: {count: 2, do: [{cpu: 1ms}]}
  other: {at: 0ms, do: [{cpu: 1ms}]}
";
    let (simulation, records) = run(yaml, &[]);
    assert_eq!(printed(&simulation, &records), ["10ms main/main started"]);
    assert_eq!(["w-1", "w-2"].map(|name| finish(&simulation, name)), ["13ms"; 2].map(span));
    assert_eq!(in_state(&simulation, "main", State::Event), span("10ms"));
    assert_eq!(["w-1", "w-2"].map(|name| in_state(&simulation, name, State::StartUp)), ["12ms", "2ms"].map(span));
    // 3.13 forks, and nothing of that happens.
    let (simulation, _) = run(yaml, &["python.version=\"3.13\""]);
    assert_eq!(finish(&simulation, "w-1"), span("1ms"));
    let family = FAMILY.replace("spawn, costs: {spawn: 3ms}", "forkserver, costs: {forkserver_server: 10ms}");
    let (simulation, records) = run(&family, &[]);
    // 1 ms of module, the server, 1 ms of module again: w. Its own child has the server that is there.
    assert!(printed(&simulation, &records).contains(&"12ms w/w w".to_owned()));
    assert!(printed(&simulation, &records).contains(&"13ms g/main g".to_owned()));
}

/// Who is forked by a child that imported the module knows itself by that name.
#[test]
fn a_fork_keeps_the_name_of_its_module() {
    let yaml = "
name: x
processes:
  main: {do: [{print: '{__name__}'}, {start: a}, {join: a}]}
  a: {python: {start_method: spawn}, do: [{print: '{__name__}'}, {start: b}, {join: b}]}
  b: {python: {start_method: fork}, do: [{print: '{__name__}'}]}
";
    let (simulation, records) = run(yaml, &[]);
    let lines = ["0ms main/main __main__", "0ms a/a __mp_main__", "0ms b/b __mp_main__"];
    assert_eq!(printed(&simulation, &records), lines);
    let (simulation, records) = run(yaml, &["processes.a.python.start_method=fork"]);
    assert!(printed(&simulation, &records).iter().all(|line| line.ends_with(" __main__")));
}

// ---------------------------------------------------------------------------- multiprocessing's own objects

/// Two permits for three processes: the third one gets the first that is given back.
#[test]
fn a_semaphore_across_processes() {
    let yaml = "
name: x
semaphores: {s: {value: 2, across: processes}}
processes: {w: {count: 3, do: [{acquire: s}, {cpu: 5ms}, {release: s}]}}
";
    let (simulation, records) = run(yaml, &[]);
    assert_eq!(["w-1", "w-2", "w-3"].map(|name| finish(&simulation, name)), ["5ms", "5ms", "10ms"].map(span));
    assert_eq!(in_state(&simulation, "w-3", State::Lock), span("5ms"));
    // Left: 1, 0, then one given back and taken, and so on.
    assert_eq!(values(&records), [1, 0, 1, 2, 1, 2]);
    // Whoever gives a permit back and asks at once is quicker than whoever it wakes, who has to get onto a core.
    let quick = "processes.w.do=[{repeat: 3, do: [{acquire: s}, {cpu: 5ms}, {release: s}]}]";
    let (simulation, _) = run(yaml, &[quick, "semaphores.s.value=1", "processes.w.count=2"]);
    assert_eq!(["w-1", "w-2"].map(|name| finish(&simulation, name)), ["15ms", "30ms"].map(span));
}

/// A waiter takes the permit before it has the GIL: in Python's own semaphore it would take the GIL first.
#[test]
fn a_permit_is_taken_without_the_gil() {
    let yaml = "
name: x
semaphores: {s: {value: 0, across: processes}}
processes:
  giver: {do: [{sleep: 1ms}, {release: s}, {acquire: s, timeout: 0ms, else: [{print: too late}]}]}
  w: {threads: {a: {do: [{acquire: s}, {print: got it}]}, hog: {at: 500us, do: [{cpu: 20ms}]}}}
";
    // At 1 ms a has the permit; the GIL it has one interval later, when the hog lets go.
    let expected = ["1ms giver/giver too late", "6ms w/a got it"];
    let (simulation, records) = run(yaml, &["machine.cores=3"]);
    // The giver asks at the very instant at which it gave: it is on its core, and takes its own permit back.
    assert_eq!(printed(&simulation, &records), Vec::<String>::new());
    let later = "processes.giver.do=[{sleep: 1ms}, {release: s}, {sleep: 1us}, {acquire: s, timeout: 0ms, else: [{print: too late}]}]";
    let (simulation, records) = run(yaml, &["machine.cores=3", later]);
    assert_eq!(printed(&simulation, &records), [expected[0].replace("1ms", "1.001ms"), expected[1].to_owned()]);
}

#[test]
fn an_event_across_processes_has_a_memory() {
    let yaml = "
name: x
events: {e: {across: processes}}
processes:
  setter: {do: [{cpu: 3ms}, {set: e}]}
  waiter: {count: 2, do: [{wait: e}, {cpu: 1ms}]}
  late: {at: 8ms, do: [{wait: e}, {cpu: 1ms}]}
";
    let (simulation, _) = run(yaml, &[]);
    let ends = ["setter", "waiter-1", "waiter-2", "late"].map(|name| finish(&simulation, name));
    assert_eq!(ends, ["3ms", "4ms", "4ms", "9ms"].map(span));
}

// ---------------------------------------------------------------------------- queues across processes

/// A place is taken by `put` and given back by `get`, wherever the item is meanwhile.
#[test]
fn a_full_queue_across_processes_holds_the_putter_back() {
    let yaml = "
name: x
queues: {q: {capacity: 1, across: processes}}
processes:
  putter: {do: [{repeat: 3, do: [{put: q}]}]}
  getter: {do: [{repeat: 3, do: [{io: 10ms}, {get: q}]}]}
expect: [depth(q) == 1, wait_queue(putter) == 20ms]
";
    let (simulation, records) = run(yaml, &[]);
    assert!(simulation.outcomes.iter().all(|outcome| outcome.holds), "{:?}", simulation.outcomes);
    // Put at 0, 10 and 20 ms, the last item is taken at 30 ms.
    assert_eq!([finish(&simulation, "putter"), finish(&simulation, "getter")], ["20ms", "30ms"].map(span));
    assert_eq!(exits(&simulation, &records), ["putter 0", "getter 0"]);
}

/// A process joins its feeders before it ends, so that nothing is lost, and whoever joins it waits for that.
#[test]
fn a_process_ends_when_everything_is_sent() {
    let yaml = "
name: x
python: {costs: {pickle: 4ms}}
queues: {q: {across: processes}}
processes:
  main: {do: [{start: child}, {join: child}, {print: joined}, {get: q}, {get: q}]}
  child: {do: [{put: q}, {put: q}, {show: threads}]}
";
    let (simulation, records) = run(yaml, &[]);
    // Two items of 4 ms to pickle; then two to unpickle.
    assert_eq!(finish(&simulation, "child/child"), span("0ms"));
    assert_eq!(finish(&simulation, "main"), span("16ms"));
    let lines = printed(&simulation, &records);
    assert_eq!(lines.last().map(String::as_str), Some("8ms main/main joined"));
    let feeder = lines.iter().filter(|line| line.contains("<Thread(QueueFeederThread, started daemon ")).count();
    assert_eq!(feeder, 1, "{lines:?}");
}

/// One getter waits for the pipe, the others for the readers' lock; a limit counts for both waits together.
#[test]
fn a_limit_of_a_get_is_for_the_lock_and_the_pipe_together() {
    let yaml = "
name: x
queues: {q: {across: processes}}
processes:
  first: {do: [{get: q, timeout: 6ms, else: [{print: none}, {sleep: 1ms}]}, {get: q}]}
  second: {at: 1ms, do: [{get: q, timeout: 7ms, else: [{print: none}]}]}
  putter: {do: [{sleep: 20ms}, {put: q}]}
";
    let (simulation, records) = run(yaml, &[]);
    // first waits for the pipe from 0 to 6 ms; second has the lock from 6 ms on and 2 ms left.
    assert_eq!(printed(&simulation, &records), ["6ms first/first none", "8ms second/second none"]);
    assert_eq!(in_state(&simulation, "second", State::Lock), span("5ms"));
    assert_eq!(in_state(&simulation, "second", State::Queue), span("2ms"));
    assert_eq!(finish(&simulation, "first"), span("20ms"));
    let (simulation, records) = run(yaml, &["processes.putter.do.0.sleep=7ms"]);
    assert_eq!(printed(&simulation, &records), ["6ms first/first none"]);
    // second takes the only item, and first waits for ever: no thread is left that could put one.
    assert_eq!(detail(&simulation), "first waits for an item in queue q");
}

/// A feeder that has written needs the GIL of its process to give the writers' lock back: another process waits for that.
#[test]
fn a_busy_process_keeps_the_pipe_from_others() {
    let yaml = "
name: x
queues: {q: {across: processes}}
processes:
  busy: {do: [{put: q}, {cpu: 30ms}]}
  other: {at: 7ms, do: [{put: q}]}
  getter: {do: [{get: q}, {print: one}, {get: q}, {print: two}]}
";
    let (simulation, records) = run(yaml, &[]);
    // busy's feeder has the GIL after 5 ms, writes, and has it back after 5 ms more; then other's item goes out.
    assert_eq!(printed(&simulation, &records), ["5ms getter/getter one", "10ms getter/getter two"]);
    assert_eq!(in_state(&simulation, "other/q.feeder", State::Lock), span("3ms"));
}

#[test]
fn objects_that_cannot_be_as_they_are() {
    let native = said(
        "{name: x, queues: {q: {across: processes}}, processes: {a: {runtime: native, do: [{put: q}]}, b: {do: [{get: q}]}}}",
        None,
        &[],
    );
    assert!(native.contains("error E209: a native process has no queue of Python's multiprocessing"), "{native}");
    let two = said(
        "{name: x, locks: {l: {}}, processes: {a: {count: 2, do: [{with: l, do: []}]}, b: {do: [{with: l, do: []}]}}}",
        None,
        &[],
    );
    assert!(two.contains("across: processes shares it; across: copies gives each process its own"), "{two}");
}

// ---------------------------------------------------------------------------- forks

/// What a child of a fork has is what its parent had, each object with its state; a spawned one begins anew.
#[test]
fn a_fork_copies_what_is_there() {
    let yaml = "
name: x
locks: {l: {kind: rlock, across: copies}}
semaphores: {s: {value: 2, across: copies}}
queues: {q: {across: copies}}
events: {e: {across: copies}}
processes:
  main: {do: [{acquire: l}, {acquire: s}, {put: q}, {set: e}, {start: w}, {get: q}, {release: l}]}
  w:
    do:
      - {acquire: s, timeout: 1ms, else: [{print: no first permit}]}
      - {acquire: s, timeout: 1ms, else: [{print: no second permit}]}
      - {get: q, timeout: 1ms, else: [{print: no item}]}
      - {wait: e, timeout: 1ms, else: [{print: not set}]}
      - {release: l}
";
    let (simulation, records) = run(yaml, &[]);
    assert_eq!(printed(&simulation, &records), ["1ms w/w no second permit"]);
    // The thread that forks is in the child, and may release what it holds.
    assert!(matches!(simulation.metrics.ending, Some(Ending::Finished)));
    let (simulation, records) = run(yaml, &["python.start_method=spawn"]);
    assert_eq!(printed(&simulation, &records), ["1ms w/w no item", "2ms w/w not set"]);
    assert_eq!(detail(&simulation), "E204 w/w releases lock w/l, which it does not hold");
}

/// Through a process in between that does not use it.
#[test]
fn a_grandchild_has_it_too() {
    let yaml = "
name: x
locks: {l: {across: copies}}
processes:
  main: {threads: {main: {do: [{sleep: 1ms}, {start: w}, {join: w}]}, t: {do: [{acquire: l}, {sleep: 5ms}]}}}
  w: {do: [{start: g}, {join: g}]}
  g: {do: [{acquire: l}]}
";
    let (simulation, _) = run(yaml, &[]);
    let held = "held since the fork by a thread that is not in this process";
    assert!(detail(&simulation).contains(&format!("g waits for lock g/l, {held}")), "{}", detail(&simulation));
    assert_eq!(simulation.metrics.end.to_string(), "5ms");
}

/// Since 3.12, for a process with more than one thread, once.
#[test]
fn forks_of_several_threads_warn() {
    let yaml = "
name: x
processes:
  main: {threads: {main: {do: [{start: w}, {join: w}]}, t: {do: [{sleep: 5ms}]}}}
  w: {count: 2, do: [{cpu: 1ms}]}
";
    let warnings = |sets: &[&str]| {
        let (simulation, records) = run(yaml, sets);
        printed(&simulation, &records).iter().filter(|line| line.contains("is multi-threaded")).count()
    };
    assert_eq!(warnings(&[]), 1);
    assert_eq!(warnings(&["python.version=\"3.11\""]), 0);
    assert_eq!(warnings(&["python.version=\"3.14\""]), 0, "3.14 does not fork by itself");
    assert_eq!(warnings(&["processes.main.threads.t.count=0"]), 0);
    // A thread that forks is not the main thread, which is there as well.
    assert_eq!(warnings(&["processes.main={threads: {t: {do: [{start: w}]}}}"]), 1);
}
