//! The machine's parts, each with a case worked by hand: speeds, affinity, queues, ticks, costs, devices, arrivals.

use crate::common::{finish, in_state, run, span};
use gilsim::trace::State;

fn natives(machine: &str, programs: &[(&str, &str)]) -> String {
    let processes: String = programs
        .iter()
        .enumerate()
        .map(|(n, (fields, steps))| format!("  p{}: {{runtime: native, {fields}do: [{steps}]}}\n", n + 1))
        .collect();
    format!("name: case\nmachine: {machine}\nprocesses:\n{processes}")
}

fn ends(yaml: &str) -> Vec<String> {
    let (simulation, _) = run(yaml, &[]);
    simulation
        .cast
        .threads
        .ids()
        .map(|thread| finish(&simulation, &simulation.cast.full_name(thread)).to_string())
        .collect()
}

#[test]
fn a_slow_core_takes_longer_and_ends_on_the_next_nanosecond() {
    let two = [("", "{cpu: 10ms}"), ("", "{cpu: 10ms}")];
    assert_eq!(ends(&natives("{cores: {count: 2, speeds: [1, 0.5]}, scheduler: fifo}", &two)), ["10ms", "20ms"]);
    // 10 ms at speed 0.3 are 33.333… ms.
    let third = natives("{cores: {count: 2, speeds: [1, 0.3]}, scheduler: fifo}", &two);
    assert_eq!(ends(&third), ["10ms", "33.333334ms"]);
    // Work is counted at speed 1.
    assert_eq!(run(&third, &[]).0.metrics.total(|thread| thread.work()), span("20ms"));
}

#[test]
fn affinity_keeps_a_core_free() {
    let pinned = [("affinity: [0], ", "{cpu: 10ms}"), ("affinity: [0], ", "{cpu: 10ms}")];
    assert_eq!(ends(&natives("{cores: 2, scheduler: fifo}", &pinned)), ["10ms", "20ms"]);
    let apart = [("affinity: [1], ", "{cpu: 10ms}"), ("affinity: [0], ", "{cpu: 10ms}")];
    assert_eq!(ends(&natives("{cores: 2, scheduler: fifo}", &apart)), ["10ms", "10ms"]);
}

/// The third process waits in the first core's queue; the second core is idle at 5 ms and pulls it.
#[test]
fn an_idle_core_pulls_from_the_longest_queue() {
    let three = [("", "{cpu: 10ms}"), ("", "{cpu: 5ms}"), ("", "{cpu: 10ms}")];
    let (simulation, _) = run(&natives("{cores: 2, scheduler: fifo, runqueue: per-core}", &three), &[]);
    assert_eq!(finish(&simulation, "p3"), span("15ms"));
    assert_eq!(in_state(&simulation, "p3", State::Runnable), span("5ms"));
    // Not where its affinity forbids it.
    let pinned = [("", "{cpu: 10ms}"), ("", "{cpu: 5ms}"), ("affinity: [0], ", "{cpu: 10ms}")];
    assert_eq!(ends(&natives("{cores: 2, scheduler: fifo, runqueue: per-core}", &pinned))[2], "20ms");
}

/// Quanta of 5 ms end at the ticks of 4 ms: 0–8, 8–16, 16–18, 18–20.
#[test]
fn quanta_are_rounded_up_to_ticks() {
    let two = [("", "{cpu: 10ms}"), ("", "{cpu: 10ms}")];
    let machine = "{cores: 1, scheduler: {round-robin: {quantum: 5ms}}, tick: 4ms}";
    assert_eq!(ends(&natives(machine, &two)), ["18ms", "20ms"]);
}

/// 0–5 p1, 1 ms switch, 6–11 p2, switch, 12–17 p1, switch, 18–23 p2.
#[test]
fn a_context_switch_is_paid_between_different_threads_only() {
    let two = [("", "{cpu: 10ms}"), ("", "{cpu: 10ms}")];
    let machine = "{cores: 1, scheduler: {round-robin: {quantum: 5ms}}, costs: {context_switch: 1ms}}";
    let (simulation, _) = run(&natives(machine, &two), &[]);
    assert_eq!((finish(&simulation, "p1"), finish(&simulation, "p2")), (span("17ms"), span("23ms")));
    assert_eq!(simulation.metrics.count(|thread| thread.switches), 3);
    assert_eq!(simulation.metrics.count(|thread| thread.preemptions), 2);
    // Alone, a thread is never switched to.
    assert_eq!(ends(&natives(machine, &two[..1])), ["10ms"]);
}

/// A sleeper pays 40 us for waking on its idle core each time, 3 us where it takes its turn on a busy one.
#[test]
fn waking_costs_by_the_core_one_wakes_on() {
    let sleeper = ("", "{repeat: 3, do: [{sleep: 1ms}, {cpu: 1ms}]}");
    let idle = natives("{cores: 2, scheduler: fifo, costs: {wakeup: {idle: 40us, busy: 3us}}}", &[sleeper]);
    assert_eq!(ends(&idle), ["6.12ms"]);
    // Behind another process the second and third time: 3 us instead of 40.
    let shared = [("", "{sleep: 1ms}, {cpu: 1ms}"), ("", "{cpu: 5ms}")];
    let busy = natives("{cores: 1, scheduler: fifo, costs: {wakeup: {idle: 40us, busy: 3us}}}", &shared);
    assert_eq!(ends(&busy), ["6.003ms", "5ms"]);
}

#[test]
fn a_migration_is_paid_on_the_other_core() {
    // p3 sleeps from 1 to 2 ms; its core is then taken by p2, so it waits and runs on the core that p1 leaves at 4 ms.
    let three = [("", "{cpu: 4ms}"), ("", "{sleep: 1ms}, {cpu: 9ms}"), ("", "{cpu: 1ms}, {sleep: 1ms}, {cpu: 1ms}")];
    let machine = "{cores: 2, scheduler: fifo, costs: {migration: 100us}}";
    let (simulation, _) = run(&natives(machine, &three), &[]);
    assert_eq!(finish(&simulation, "p3"), span("5.1ms"));
    assert_eq!(simulation.metrics.count(|thread| thread.migrations), 1);
}

#[test]
fn timers_fire_late_by_their_slack_and_io_does_not() {
    let machine = "{cores: 1, costs: {timer_slack: 50us}}";
    assert_eq!(ends(&natives(machine, &[("", "{sleep: 1ms}, {cpu: 1ms}")])), ["2.05ms"]);
    assert_eq!(ends(&natives(machine, &[("", "{io: 1ms}, {cpu: 1ms}")])), ["2ms"]);
}

#[test]
fn costs_that_spread_are_drawn_each_time_from_the_thread_s_own_stream() {
    let sleeps = |costs: &str, more: &str| {
        let machine = format!("{{cores: 2, costs: {{{costs}}}}}");
        let sleeper = [("", "{repeat: 400, do: [{sleep: 1ms}]}"), ("", more)];
        run(&natives(&machine, &sleeper), &[]).0
    };
    let end = |costs: &str, more: &str| finish(&sleeps(costs, more), "p1");
    for cost in ["timer_slack", "wakeup"] {
        let fixed = end(&format!("{cost}: 50us"), "");
        assert_eq!(fixed, span("420ms"), "{cost}");
        assert_eq!(end(&format!("{cost}: {{uniform: [50us, 50us]}}"), ""), fixed, "{cost}");
        // 400 draws with a deviation of 100 / √12 us: five standard errors of the sum are 5 · 28.87 · √400 = 2887 us.
        let drawn = end(&format!("{cost}: {{uniform: [0us, 100us]}}"), "");
        assert!(drawn != fixed && drawn.ns().abs_diff(fixed.ns()) < 2_887_000, "{cost}: {drawn}");
        // Somebody else's sleeps draw from a stream of their own.
        assert_eq!(end(&format!("{cost}: {{uniform: [0us, 100us]}}"), "{sleep: 7us}"), drawn, "{cost}");
    }
}

#[test]
fn a_device_serves_so_many_at_once() {
    for (at_once, last) in [(1, "40ms"), (2, "20ms"), (4, "10ms")] {
        let machine = format!("{{cores: 4, devices: {{disk: {{at_once: {at_once}}}}}}}");
        let four = natives(&machine, &[("count: 4, ", "{io: 10ms, device: disk}")]);
        assert_eq!(run(&four, &[]).0.metrics.makespan, span(last), "{at_once} at once");
    }
}

#[test]
fn arrivals_come_one_after_the_other() {
    let (simulation, _) = run(
        "
name: arrivals
threads: {job: {count: 3, at: 2ms, arrivals: {every: 10ms}, do: [{cpu: 1ms}]}}
",
        &[],
    );
    let ends = ["job-1", "job-2", "job-3"].map(|name| finish(&simulation, name).to_string());
    assert_eq!(ends, ["3ms", "13ms", "23ms"]);
}

/// The costs of Python's own actions, each once: 1 ms fork by the parent; 3 ms thread start by the child; 100 us a take.
#[test]
fn python_s_own_costs() {
    let forked = "
name: fork
python: {start_method: fork, costs: {fork: 1ms}}
processes:
  main: {do: [{start: child}, {print: started}, {join: child}]}
  child: {count: 2, do: [{cpu: 5ms}]}
";
    let (simulation, _) = run(forked, &[]);
    assert_eq!(in_state(&simulation, "main/main", State::StartUp), span("2ms"));
    assert_eq!((finish(&simulation, "child-1"), finish(&simulation, "child-2")), (span("6ms"), span("7ms")));
    let spawned =
        run(forked, &["python.start_method=spawn", "python.costs.spawn=30ms", "python.costs.import_main=2ms"]).0;
    assert_eq!(finish(&spawned, "child-1"), span("37ms"));
    let threads = "
name: take
python: {costs: {thread_start: 3ms, gil_take: 100us}}
threads: {w: {do: [{cpu: 1ms}, {io: 1ms}, {cpu: 1ms}]}}
";
    assert_eq!(finish(&run(threads, &[]).0, "w"), span("6.2ms"));
}
