//! Births, ends and dead ends: cases in which something starts, ends or can never go on, each worked by hand.

use crate::common::{finish, run, span};
use gilsim::trace::Ending;

fn end_of(yaml: &str, sets: &[&str]) -> (String, String) {
    let (simulation, _) = run(yaml, sets);
    let ending = simulation.metrics.ending.clone().expect("an ending");
    (ending.word().to_string(), simulation.metrics.end.to_string())
}

fn ends(yaml: &str, sets: &[&str], word: &str, at: &str) {
    assert_eq!(end_of(yaml, sets), (word.to_string(), at.to_string()), "{yaml} {sets:?}");
}

#[test]
fn a_process_without_threads_is_over_when_it_comes() {
    ends("{name: x, processes: {last: {threads: {t: {count: 0, do: [{cpu: 1ms}]}}}}}", &[], "finished", "0ms");
    let joined = "
name: x
processes:
  main: {do: [{start: empty}, {join: empty}, {cpu: 2ms}]}
  empty: {threads: {t: {count: 0, do: [{cpu: 1ms}]}}}
";
    ends(joined, &[], "finished", "2ms");
}

#[test]
fn start_and_join_of_nobody() {
    let yaml = "{name: x, threads: {main: {do: [{start: w}, {join: w}, {cpu: 1ms}]}, w: {count: 0, do: [{cpu: 1ms}]}}}";
    ends(yaml, &[], "finished", "1ms");
}

/// The main thread starts the interpreter up, wherever it is declared; a thread that it starts waits for it.
#[test]
fn a_spawned_process_comes_up_in_its_first_thread() {
    let yaml = "
name: x
python: {start_method: spawn, costs: {spawn: 3ms}}
processes:
  main: {do: [{start: w}, {join: w}]}
  w:
    threads:
      helper: {do: [{cpu: 1ms}]}
      main: {do: [{cpu: 2ms}, {start: helper}, {join: helper}]}
";
    ends(yaml, &[], "finished", "6ms");
    // Whoever comes first pays; who comes before the interpreter is up is held back until then.
    let yaml = "
name: x
python: {start_method: spawn, costs: {spawn: 3ms}}
processes:
  main: {do: [{start: w}, {join: w}]}
  w: {threads: {late: {at: 50ms, do: [{cpu: 1ms}]}, early: {do: [{cpu: 2ms}]}, second: {at: 1ms, do: [{cpu: 1ms}]}}}
";
    let (simulation, _) = run(yaml, &[]);
    assert_eq!(
        ["w/early", "w/second", "w/late"].map(|name| finish(&simulation, name)),
        ["5ms", "6ms", "51ms"].map(span)
    );
}

#[test]
fn a_spawned_child_imports_the_main_module_whatever_the_spawn_costs() {
    let yaml = "
name: x
python: {start_method: spawn, costs: {spawn: 0ms, import_main: 5ms}}
processes: {main: {do: [{start: w}, {join: w}]}, w: {do: [{cpu: 1ms}]}}
";
    ends(yaml, &[], "finished", "6ms");
    ends(yaml, &["python.start_method=fork"], "finished", "1ms");
}

/// Stuck the moment the owner ends, also where a cancelled timer is still to come or the horizon is before it.
#[test]
fn a_lock_whose_owner_has_ended() {
    let yaml = "
name: x
locks: {l: {}}
threads: {a: {do: [{acquire: l}, {cpu: 2ms}]}, b: {do: [{acquire: l}]}}
";
    ends(yaml, &[], "deadlock", "2ms");
    ends(yaml, &["python.switch_interval=1h"], "deadlock", "2ms");
    ends(yaml, &["run.until=3ms"], "deadlock", "2ms");
    let (simulation, _) = run(yaml, &[]);
    let Some(Ending::Deadlock { cycle }) = simulation.metrics.ending else { panic!("a deadlock") };
    assert_eq!(cycle[0].what, "lock l, whose owner has ended without releasing it");
}

const CYCLE: &str = "
name: x
locks: {a: {}, b: {}}
threads:
  main: {do: [{cpu: 100ms}]}
  x: {daemon: true, do: [{acquire: a}, {sleep: 1ms}, {acquire: b}]}
  y: {daemon: true, do: [{acquire: b}, {sleep: 1ms}, {acquire: a}]}
";

#[test]
fn a_run_ends_in_a_deadlock_only_when_nobody_is_left_to_wait_for() {
    // Daemons in a cycle hold nobody up.
    ends(CYCLE, &[], "finished", "100ms");
    // Two ordinary threads in a cycle: the third runs to its end, and then the program can never end.
    ends(CYCLE, &["threads.x.daemon=false", "threads.y.daemon=false"], "deadlock", "100ms");
    ends(CYCLE, &["threads.x.daemon=false", "threads.y.daemon=false", "threads.main.count=0"], "deadlock", "1ms");
}

/// Cores that are free, but not for those who wait, are free for others: an unrelated process changes nothing.
#[test]
fn a_pinned_queue_does_not_keep_others_from_a_free_core() {
    let yaml = "
name: x
machine: {cores: 3}
processes:
  hog: {runtime: native, count: 2, affinity: [0], do: [{cpu: 100ms}]}
  p:
    threads:
      a: {affinity: [1, 2], do: [{repeat: 4, do: [{cpu: 1ms}, {io: 0ms}]}]}
      b: {affinity: [1, 2], do: [{cpu: 4ms}]}
";
    for hogs in ["processes.hog.count=1", "processes.hog.count=2"] {
        // a drops at 1 ms and b takes the GIL in the same action: 1–5 ms; then a's other 3 ms.
        assert_eq!(finish(&run(yaml, &[hogs]).0, "p/b"), span("5ms"), "{hogs}");
    }
}

/// Of two that wake at one instant the more urgent one takes the core of the least urgent, and the other takes none.
#[test]
fn simultaneous_wakeups_preempt_no_more_than_they_must() {
    let yaml = "
name: x
machine: {cores: 2, scheduler: priority}
processes:
  a: {runtime: native, priority: 5, do: [{cpu: 10ms}]}
  b: {runtime: native, priority: 1, do: [{cpu: 10ms}]}
  c: {runtime: native, at: 1ms, priority: 3, do: [{cpu: 1ms}]}
  d: {runtime: native, at: 1ms, priority: 9, do: [{cpu: 1ms}]}
";
    let (simulation, _) = run(yaml, &[]);
    assert_eq!(["a", "b", "c", "d"].map(|name| finish(&simulation, name)), ["10ms", "12ms", "3ms", "2ms"].map(span));
    assert_eq!(simulation.metrics.count(|thread| thread.preemptions), 1);
}

/// Memory does not grow with the length of a run in which every timer is cancelled, and neither do the events.
#[test]
fn cancelled_timers_do_not_pile_up() {
    let yaml = "
name: x
python: {switch_interval: 1000h}
threads: {w: {count: 2, do: [{repeat: 50000, do: [{cpu: 1us}, {io: 1us}]}]}}
";
    let (simulation, _) = run(yaml, &[]);
    // Each round of each thread: work and I/O.
    assert!(simulation.events <= 2 * 2 * 50_000 + 10, "{} events", simulation.events);
}
