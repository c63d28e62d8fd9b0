//! Semaphores, queues, events, conditions, barriers, variables and time-outs: each rule with a case worked by hand, and
//! deadlocks of random programs against what really happens afterwards.

use gilsim::study::Simulation;
use gilsim::trace::{Ending, Record, State, What};
use proptest::prelude::*;

use crate::common::{detail, finish, in_state, run, span, values};

/// A model of threads that share `objects`; each thread is a name with its fields and its steps.
fn model(objects: &str, threads: &[(&str, &str)]) -> String {
    let threads: String = threads.iter().map(|(name, steps)| format!("  {name}: {{do: [{steps}]}}\n")).collect();
    format!("name: case\n{objects}\nthreads:\n{threads}")
}

/// When each thread ends, or how the run ended and when if it did not finish.
fn ends(yaml: &str, sets: &[&str]) -> String {
    let (simulation, _) = run(yaml, sets);
    let failed: Vec<_> = simulation.outcomes.iter().filter(|outcome| !outcome.holds).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let metrics = &simulation.metrics;
    if !matches!(metrics.ending, Some(Ending::Finished)) {
        return format!("{} {}: {}", metrics.ending_word(), metrics.end, detail(&simulation));
    }
    let finished = metrics.threads.values().map(|thread| thread.finish.expect("a finish").to_string());
    finished.collect::<Vec<_>>().join(" ")
}

// ---------------------------------------------------------------------------- conditions

/// `notify` lets go who has waited longest; the other one needs a notification of its own.
#[test]
fn notifications_go_by_who_came_first() {
    let yaml = model(
        "conditions: {c: {}}",
        &[
            ("late", "{sleep: 1ms}, {with: c, do: [{wait: c}]}"),
            ("early", "{with: c, do: [{wait: c}]}"),
            ("both", "{repeat: 2, do: [{sleep: 10ms}, {with: c, do: [{notify: c}]}]}"),
        ],
    );
    assert_eq!(ends(&yaml, &[]), "20ms 10ms 20ms");
}

/// Who is notified takes the lock back before it goes on: notified at 1 ms, the lock is free at 6 ms.
#[test]
fn a_notified_thread_needs_the_lock() {
    let yaml = model(
        "conditions: {c: {}}",
        &[("waiter", "{with: c, do: [{wait: c}]}"), ("other", "{with: c, do: [{io: 1ms}, {notify: c}, {io: 5ms}]}")],
    );
    let (simulation, _) = run(&yaml, &[]);
    assert_eq!(finish(&simulation, "waiter"), span("6ms"));
    // It waited at the condition for 1 ms and for the lock for 5 ms.
    assert_eq!(in_state(&simulation, "waiter", State::Condition), span("1ms"));
    assert_eq!(in_state(&simulation, "waiter", State::Lock), span("5ms"));
}

/// A wait lets go of a reentrant lock however often it is held, and takes it back as often.
#[test]
fn a_wait_lets_go_of_all_and_takes_all_back() {
    let waits = "{acquire: c}, {acquire: c}, {wait: c}, {release: c}, {io: 5ms}, {release: c}";
    let yaml = model(
        "conditions: {c: {}}",
        &[("waiter", waits), ("other", "{sleep: 1ms}, {with: c, do: [{notify: c}]}, {with: c, do: []}")],
    );
    // The second acquire at 1 ms finds it free, since the notified waiter needs the GIL first; or not, and waits for 5 ms.
    let (simulation, _) = run(&yaml, &[]);
    assert_eq!(finish(&simulation, "waiter"), span("6ms"));
    let late = model(
        "conditions: {c: {}}",
        &[("waiter", waits), ("other", "{sleep: 1ms}, {with: c, do: [{notify: c}]}, {sleep: 1ms}, {with: c, do: []}")],
    );
    assert_eq!(ends(&late, &[]), "6ms 6ms");
}

#[test]
fn conditions_need_their_lock() {
    let wait = model("conditions: {c: {}}", &[("a", "{io: 1ms}, {wait: c}")]);
    assert_eq!(ends(&wait, &[]), "model-error 1ms: E204 main/a waits for condition c without holding its lock");
    let notify = model(
        "locks: {l: {}}\nconditions: {c: {lock: l}}",
        &[("a", "{notify_all: c}"), ("b", "{with: l, do: [{io: 1ms}]}")],
    );
    assert_eq!(ends(&notify, &[]), "model-error 0ms: E204 main/a notifies condition c without holding its lock");
}

/// After a time-out, too, the lock is taken back first: 5 ms are over at 5 ms, the lock is free at 20 ms.
#[test]
fn a_timed_wait_takes_the_lock_back() {
    let yaml = model(
        "conditions: {c: {}}",
        &[
            ("waiter", "{with: c, do: [{wait: c, timeout: 5ms, else: [{print: in vain}]}]}"),
            ("other", "{sleep: 1ms}, {with: c, do: [{io: 19ms}]}"),
        ],
    );
    assert_eq!(ends(&yaml, &["expect=[time of \"in vain\" == 20ms]"]), "20ms 20ms");
}

// ---------------------------------------------------------------------------- queues and semaphores

/// An item is there for whoever comes first: the putter takes it back before the woken getter has the GIL, and the getter
/// waits for the next one.
#[test]
fn a_notified_getter_may_come_too_late() {
    let yaml = model(
        "queues: {q: {}}",
        &[("getter", "{get: q}"), ("putter", "{sleep: 1ms}, {put: q}, {get: q}, {sleep: 1ms}, {put: q}")],
    );
    let (simulation, records) = run(&yaml, &[]);
    assert_eq!(finish(&simulation, "getter"), span("2ms"));
    assert_eq!(values(&records), [1, 0, 1, 0]);
}

/// The same with a permit.
#[test]
fn a_permit_goes_to_whoever_comes_first() {
    let yaml = model(
        "semaphores: {s: {value: 1}}",
        &[
            ("a", "{acquire: s}, {io: 5ms}, {release: s}, {acquire: s}, {io: 5ms}, {release: s}"),
            ("b", "{acquire: s}, {io: 1ms}, {release: s}"),
        ],
    );
    assert_eq!(ends(&yaml, &[]), "10ms 11ms");
}

/// A queue with room for one: the putter is as fast as the getter, and the depth is 1 from the first item on.
#[test]
fn a_full_queue_holds_the_putter_back() {
    let yaml = model(
        "queues: {q: {capacity: 1}}",
        &[("getter", "{repeat: 3, do: [{io: 10ms}, {get: q}]}"), ("putter", "{repeat: 3, do: [{put: q}]}")],
    );
    // Put at 0, then when the getter has taken one: at 10 and 20 ms; the last one is taken at 30 ms.
    assert_eq!(ends(&yaml, &["expect=[depth(q) == 1, mean depth(q) == 1, wait_queue(putter) == 20ms]"]), "30ms 20ms");
}

// ---------------------------------------------------------------------------- events and barriers

/// A waiter goes on although the flag is cleared before it runs; one that comes afterwards does not.
#[test]
fn a_set_event_lets_go_who_waits_even_if_it_is_cleared_at_once() {
    let yaml = model(
        "events: {e: {}}",
        &[
            ("waiter", "{wait: e}"),
            ("other", "{sleep: 1ms}, {set: e}, {clear: e}"),
            ("late", "{sleep: 2ms}, {wait: e, timeout: 3ms}"),
        ],
    );
    assert_eq!(ends(&yaml, &[]), "1ms 1ms 5ms");
}

/// `Event.wait` answers with what its one wait came to: after a time-out it is in vain, also if the event has been set before
/// the thread has the GIL again. Asked for at 2 ms, the GIL comes at 7 ms; the event is set at 3 ms.
#[test]
fn a_wait_for_an_event_that_timed_out_was_in_vain() {
    let alone = model("events: {e: {}}", &[("a", "{wait: e, timeout: 3ms, else: [{io: 10ms}]}")]);
    assert_eq!(ends(&alone, &[]), "13ms");
    let hog = model(
        "events: {e: {}}",
        &[("a", "{wait: e, timeout: 2ms, else: [{io: 10ms}]}"), ("hog", "{cpu: 3ms}, {set: e}, {cpu: 10ms}")],
    );
    assert_eq!(ends(&hog, &[]), "17ms 13ms");
}

/// Two rounds of three; who is quick waits for the others, and nobody gets into the next round too early.
#[test]
fn a_barrier_keeps_rounds_apart() {
    let round = |time: &str| format!("{{repeat: 2, do: [{{io: {time}}}, {{barrier: b}}]}}");
    let yaml =
        model("barriers: {b: {parties: 3}}", &[("a", &round("1ms")), ("b1", &round("4ms")), ("c", &round("9ms"))]);
    let (simulation, records) = run(&yaml, &[]);
    assert_eq!(finish(&simulation, "a"), span("18ms"));
    assert_eq!(in_state(&simulation, "a", State::Barrier), span("16ms"));
    // 1 and 2 have come, the third opens and leaves; the others leave. Twice.
    assert_eq!(values(&records), [1, 2, 2, 1, 0, 1, 2, 2, 1, 0]);
    // One party waits for nobody, a missing one for ever.
    assert_eq!(ends(&model("barriers: {b: {parties: 1}}", &[("a", "{barrier: b}, {io: 1ms}")]), &[]), "1ms");
    let missing = model("barriers: {b: {parties: 2}}", &[("a", "{io: 1ms}, {barrier: b}")]);
    assert_eq!(ends(&missing, &[]), "deadlock 1ms: a waits for the others at barrier b");
}

// ---------------------------------------------------------------------------- time-outs

#[test]
fn a_limit_is_for_the_wait_and_not_for_the_step() {
    let yaml = model(
        "locks: {l: {}}",
        &[
            ("holder", "{with: l, do: [{io: 10ms}]}"),
            ("no", "{acquire: l, timeout: 9ms, else: [{io: 1ms}]}"),
            // What ends at the very instant is in time.
            ("just", "{acquire: l, timeout: 10ms, else: [{io: 50ms}]}, {release: l}"),
            ("now", "{acquire: l, timeout: 0ms, else: [{io: 2ms}]}"),
        ],
    );
    assert_eq!(ends(&yaml, &[]), "10ms 10ms 10ms 2ms");
    // The kernel's timer is late by its slack.
    assert!(ends(&yaml, &["machine.costs.timer_slack=50us"]).contains(" 10.05ms "));
    let join = model("", &[("main", "{join: w, timeout: 3ms, else: [{print: later}]}, {join: w}"), ("w", "{io: 5ms}")]);
    assert_eq!(ends(&join, &["expect=[time of \"later\" == 3ms]"]), "5ms 5ms");
}

/// A time-out of a get is found out with the mutex: an item that comes at the same instant is taken.
#[test]
fn a_limit_in_a_loop_starts_anew() {
    let yaml = model(
        "queues: {q: {}}",
        &[
            ("getter", "{repeat: 3, do: [{get: q, timeout: 4ms, else: [{print: none}]}]}"),
            ("putter", "{sleep: 4ms}, {put: q}, {sleep: 20ms}"),
        ],
    );
    // Got at 4 ms, given up at 8 and 12 ms.
    assert_eq!(ends(&yaml, &[r#"expect=[time of "none" == 8ms]"#]), "12ms 24ms");
}

// ---------------------------------------------------------------------------- dead ends

#[test]
fn dead_ends_have_names_and_times() {
    let queue = model("queues: {q: {}}", &[("a", "{io: 1ms}, {put: q}"), ("b", "{get: q}, {get: q}")]);
    assert_eq!(ends(&queue, &[]), "deadlock 1ms: b waits for an item in queue q");
    let full = model("queues: {q: {capacity: 1}}", &[("a", "{put: q}, {io: 2ms}, {put: q}")]);
    assert_eq!(ends(&full, &[]), "deadlock 2ms: a waits for room in queue q");
    let permits = model("semaphores: {s: {value: 1}}", &[("a", "{acquire: s}, {acquire: s}")]);
    assert_eq!(ends(&permits, &[]), "deadlock 0ms: a waits for a permit of semaphore s");
    let event = model("events: {e: {}}", &[("a", "{wait: e}, {set: e}"), ("b", "{io: 3ms}, {wait: e}, {set: e}")]);
    assert_eq!(ends(&event, &[]), "deadlock 3ms: a waits for event e, b waits for event e");
    // Through a join: nobody sets it, since who would is joined by who waits.
    let join = model(
        "events: {e: {}}\nlocks: {l: {}}",
        &[("a", "{with: l, do: [{wait: e}]}"), ("b", "{io: 1ms}, {with: l, do: []}, {set: e}")],
    );
    assert_eq!(ends(&join, &[]), "deadlock 1ms: a waits for event e, b waits for lock l");
}

/// A daemon that may still put something keeps the hope alive; one that cannot does not.
#[test]
fn daemons_count_as_far_as_they_can_help() {
    let with = |daemon: &str| {
        format!(
            "{{name: x, queues: {{q: {{}}}}, run: {{until: 50ms}}, threads: {{a: {{do: [{{get: q}}]}}, d: {{daemon: true, do: [{{io: 20ms}}, {daemon}, {{repeat: forever, do: [{{io: 1ms}}]}}]}}}}}}"
        )
    };
    assert!(ends(&with("{print: nothing}"), &[]).starts_with("deadlock 0ms"));
    let (simulation, _) = run(&with("{put: q}"), &[]);
    assert_eq!(finish(&simulation, "a"), span("20ms"));
}

/// Daemons that keep each other going are no help to somebody else: one of them sets an event for the other, for ever.
#[test]
fn daemons_that_only_help_each_other_do_not_count() {
    let yaml = "
name: x
queues: {q: {}}
events: {e: {}}
run: {until: 50ms}
threads:
  a: {do: [{io: 5ms}, {get: q}]}
  waiting: {daemon: true, do: [{repeat: forever, do: [{wait: e}, {clear: e}]}]}
  setting: {daemon: true, do: [{repeat: forever, do: [{io: 2ms}, {set: e}]}]}
";
    assert_eq!(ends(yaml, &[]), "deadlock 5ms: a waits for an item in queue q");
}

/// A thread that is only to be started may help, as long as somebody is left to start it.
#[test]
fn who_is_yet_to_be_started_counts() {
    let yaml = model("queues: {q: {}}", &[("a", "{get: q}"), ("main", "{io: 3ms}, {start: b}"), ("b", "{put: q}")]);
    let (simulation, _) = run(&yaml, &[]);
    assert_eq!(finish(&simulation, "a"), span("3ms"));
}

/// One random step. What it waits for may never come.
fn step() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => (1..4u8).prop_map(|ms| format!("{{io: {ms}ms}}")),
        1 => Just("{cpu: 1ms}".to_string()),
        2 => Just("{put: q}".to_string()),
        2 => Just("{get: q}".to_string()),
        1 => Just("{set: e}".to_string()),
        1 => Just("{wait: e}".to_string()),
        1 => Just("{acquire: s}".to_string()),
        1 => Just("{release: s}".to_string()),
        1 => Just("{barrier: b}".to_string()),
        1 => (1..3u8).prop_map(|lock| format!("{{with: l{lock}, do: [{{io: 1ms}}, {{with: l{}, do: []}}]}}", 3 - lock)),
        1 => Just("{with: c, do: [{wait: c}]}".to_string()),
        1 => Just("{with: c, do: [{notify: c}]}".to_string()),
        1 => Just("{get: q, timeout: 3ms, else: [{put: q}]}".to_string()),
    ]
}

const OBJECTS: &str = "queues: {q: {capacity: 2}}\nevents: {e: {}}\nsemaphores: {s: {value: 1}}\nbarriers: {b: {parties: 2}}\n\
                       conditions: {c: {}}\nlocks: {l1: {}, l2: {}}";

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// With a process more that only sleeps nobody is told of a deadlock before it wakes. If there was one without it, nobody
    /// moves any more after that time; and if there was none, everybody finishes just the same. The sleeper is a native
    /// process, and there are cores for everybody, so that it never stands in anybody's way.
    #[test]
    fn a_deadlock_is_one(programs in prop::collection::vec(prop::collection::vec(step(), 1..6), 2..5)) {
        let names = ["t1", "t2", "t3", "t4"];
        let steps: Vec<String> = programs.iter().map(|steps| steps.join(", ")).collect();
        let threads: Vec<(&str, &str)> = names.iter().copied().zip(steps.iter().map(String::as_str)).collect();
        let group: String = threads.iter().map(|(name, steps)| format!("      {name}: {{do: [{steps}]}}\n")).collect();
        let alone = format!("name: case\nmachine: {{cores: 8}}\n{OBJECTS}\nprocesses:\n  p:\n    threads:\n{group}");
        let watched = format!("{alone}  watch: {{runtime: native, do: [{{sleep: 10s}}]}}\n");
        let (alone, _) = run(&alone, &[]);
        let (watched, records) = run(&watched, &[]);
        let watch = watched.cast.threads.iter().last().expect("a thread").0;
        let moves = |record: &&Record| match record.what {
            What::State { thread, .. } | What::Gil { thread, .. } | What::Object { thread, .. } => thread != watch,
            _ => false,
        };
        let last = records.iter().filter(moves).map(|record| record.at).max().expect("a record");
        let finished = |simulation: &Simulation| simulation.metrics.threads.values().take(threads.len()).map(|thread| thread.finish).collect::<Vec<_>>();
        prop_assert_eq!(finished(&alone), finished(&watched));
        let stuck = finished(&watched).contains(&None);
        prop_assert_eq!(alone.metrics.is_deadlock(), stuck);
        if stuck {
            // Told at the last instant at which anything happened, neither earlier nor later.
            prop_assert_eq!(alone.metrics.end, last);
        }
    }
}
