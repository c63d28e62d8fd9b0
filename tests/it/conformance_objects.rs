//! What threads do with shared objects, on the simulation, on threads with a GIL in user space, and on CPythons: the same
//! claims for all. Python 2.7 sits out what it does not have.

use gilsim::analysis::ObjectMetrics;
use gilsim::ids::Id;
use gilsim::trace::State;

use crate::conformance::{Seat, arms_and, on_each};

fn on_all(yaml: &str, check: impl Fn(&Seat)) {
    on_each(arms_and(&["2.7", "3.13"]), yaml, 2, check);
}

/// What was printed, in order.
fn lines(seat: &Seat) -> Vec<&str> {
    seat.metrics.output.iter().map(|line| line.text.as_str()).collect()
}

/// When a line was printed.
fn at_ms(seat: &Seat, text: &str) -> f64 {
    let line = seat.metrics.output.iter().find(|line| line.text == text);
    line.unwrap_or_else(|| panic!("{}: nobody printed {text}", seat.arm)).at.ns() as f64 / 1e6
}

fn in_state_ms(seat: &Seat, name: &str, state: State) -> f64 {
    seat.metrics.threads[Id::new(seat.of(name))].states.of(state).ns() as f64 / 1e6
}

/// What an object held, and for how long.
fn object<'s>(seat: &'s Seat, name: &str) -> &'s ObjectMetrics {
    let found = seat.cast.objects.iter().find(|(_, thing)| thing.name == name);
    &seat.metrics.objects[found.unwrap_or_else(|| panic!("no {name}")).0]
}

/// The least and the most that an object held for a time.
fn held(seat: &Seat, name: &str) -> (i64, i64) {
    let times = &object(seat, name).times;
    let bound = |value: Option<(&i64, _)>| *value.expect("it held something").0;
    (bound(times.first_key_value()), bound(times.last_key_value()))
}

/// What an object held at the end.
fn value(seat: &Seat, name: &str) -> i64 {
    object(seat, name).last
}

#[test]
fn a_bounded_queue_holds_its_producer_back() {
    let yaml = "
queues: {jobs: {capacity: 4}}
threads:
  consumer: {count: 2, do: [{repeat: 6, do: [{get: jobs}, {io: 8ms}]}]}
  producer: {do: [{repeat: 12, do: [{cpu: 1ms}, {put: jobs}]}]}";
    on_all(yaml, |seat| {
        // Two consumers, twelve jobs of 8 ms, the first of which comes after 1 ms.
        seat.within("makespan", seat.makespan_ms(), 49.0, 60.0);
        // The last job fits in at the eighth `get`: each consumer's fourth, after three jobs; alone it takes 12 ms.
        seat.within("finish", seat.finish_ms("producer"), 25.0, 35.0);
        seat.within("back-pressure", in_state_ms(seat, "producer", State::Queue), 5.0, 25.0);
        assert_eq!(held(seat, "jobs"), (0, 4), "{}", seat.arm);
        assert_eq!(value(seat, "jobs"), 0, "{}: twelve put, twelve taken", seat.arm);
    });
}

#[test]
fn a_queue_without_bound_holds_nobody_back() {
    let yaml = "
queues: {jobs: {}}
threads:
  consumer: {do: [{repeat: 12, do: [{get: jobs}, {io: 4ms}]}]}
  producer: {do: [{repeat: 12, do: [{cpu: 1ms}, {put: jobs}]}]}";
    on_all(yaml, |seat| {
        // 12 x 4 ms behind the first job. The producer is busy for 12 ms, and 8 jobs or more are then left.
        seat.within("makespan", seat.makespan_ms(), 49.0, 60.0);
        assert!(seat.finish_ms("producer") < seat.finish_ms("consumer") / 2.0, "{}", seat.arm);
        assert!(in_state_ms(seat, "producer", State::Queue) < 1.0, "{}", seat.arm);
        assert!(held(seat, "jobs").1 >= 6, "{}: {:?}", seat.arm, held(seat, "jobs"));
    });
}

#[test]
fn a_semaphore_lets_as_many_in_as_it_has_permits() {
    let yaml = "
semaphores: {slots: {value: 2}}
threads: {request: {count: 6, do: [{with: slots, do: [{io: 10ms}]}]}}";
    on_all(yaml, |seat| {
        // Six, two at a time, 10 ms each.
        seat.within("makespan", seat.makespan_ms(), 30.0, 33.0);
        assert_eq!(held(seat, "slots").0, 0, "{}", seat.arm);
        assert_eq!(value(seat, "slots"), 2, "{}: all were given back", seat.arm);
        let mut waits: Vec<f64> = (1..=6).map(|n| in_state_ms(seat, &format!("request-{n}"), State::Lock)).collect();
        waits.sort_by(f64::total_cmp);
        // Two do not wait, two for one round, two for two.
        seat.within("no wait", waits[1], 0.0, 1.0);
        seat.within("one round", waits[3], 7.0, 12.0);
        seat.within("two rounds", waits[5], 15.0, 24.0);
    });
}

#[test]
fn an_event_remembers_and_a_condition_does_not() {
    let yaml = "
events: {ready: {}}
conditions: {changed: {}}
threads:
  signaller: {do: [{sleep: 20ms}, {set: ready}, {with: changed, do: [{notify_all: changed}]}, {print: signalled}]}
  early: {do: [{wait: ready}, {print: early}]}
  waiter: {do: [{with: changed, do: [{wait: changed}]}, {print: notified}]}
  late: {do: [{sleep: 50ms}, {wait: ready}, {print: late}]}";
    on_all(yaml, |seat| {
        for told in ["early", "notified"] {
            seat.within(told, at_ms(seat, told), 18.0, 23.0);
        }
        seat.within("wait", in_state_ms(seat, "early", State::Event), 15.0, 21.0);
        seat.within("wait", in_state_ms(seat, "waiter", State::Condition), 15.0, 21.0);
        // The one that comes late does not wait at all.
        seat.within("late", at_ms(seat, "late"), 45.0, 53.0);
        assert!(in_state_ms(seat, "late", State::Event) < 1.0, "{}", seat.arm);
    });
    let lost = "
conditions: {changed: {}}
threads:
  signaller: {do: [{with: changed, do: [{notify_all: changed}]}]}
  late: {do: [{sleep: 20ms}, {with: changed, do: [{wait: changed, timeout: 30ms, else: [{print: nobody}]}]}]}";
    on_all(lost, |seat| seat.within("time-out", at_ms(seat, "nobody"), 50.0, 55.0));
}

#[test]
fn a_condition_notifies_those_first_that_have_waited_longest() {
    let waiter = |name: &str, after: u32| {
        format!("  {name}: {{do: [{{sleep: {after}ms}}, {{with: c, do: [{{wait: c}}]}}, {{print: {name}}}]}}\n")
    };
    let yaml = format!(
        "conditions: {{c: {{}}}}\nthreads:\n{}{}{}  caller: {{do: [{{sleep: 140ms}}, {{repeat: 3, do: [{{with: c, do: \
         [{{notify: c}}]}}, {{sleep: 20ms}}]}}]}}",
        waiter("third", 85),
        waiter("first", 5),
        waiter("second", 45),
    );
    on_all(&yaml, |seat| {
        assert_eq!(lines(seat), ["first", "second", "third"], "{}", seat.arm);
        seat.within("first", at_ms(seat, "first"), 130.0, 145.0);
        seat.within("third", at_ms(seat, "third"), 170.0, 190.0);
    });
}

#[test]
fn nobody_passes_a_barrier_before_all_have_come() {
    let worker = |name: &str, io: u32| {
        format!(
            "  {name}: {{do: [{{repeat: 3, do: [{{print: come}}, {{io: {io}ms}}, {{barrier: b}}, {{print: gone}}]}}]}}\n"
        )
    };
    let yaml = format!(
        "barriers: {{b: {{parties: 3}}}}\nthreads:\n{}{}{}",
        worker("quick", 1),
        worker("steady", 5),
        worker("slow", 10)
    );
    on_all(&yaml, |seat| {
        // Three rounds, as long as the slowest.
        seat.within("makespan", seat.makespan_ms(), 30.0, 33.0);
        seat.within("the quick one waits", in_state_ms(seat, "quick", State::Barrier), 25.0, 30.0);
        let mut inside = 0;
        for line in lines(seat) {
            inside += if line == "come" { 1 } else { -1 };
            assert!((0..=3).contains(&inside), "{}: {:?}", seat.arm, lines(seat));
        }
        // Who is gone for the third time has seen nine come.
        let ninth = lines(seat).iter().enumerate().filter(|(_, line)| **line == "come").nth(8).expect("nine came").0;
        let gone_before = lines(seat)[..ninth].iter().filter(|line| **line == "gone").count();
        assert!((4..=6).contains(&gone_before), "{}: {:?}", seat.arm, lines(seat));
        assert_eq!(value(seat, "b"), 0, "{}: all have left", seat.arm);
    });
}

#[test]
fn a_timeout_bounds_a_wait_and_not_a_step() {
    let yaml = "
locks: {long: {}}
queues: {answers: {}}
semaphores: {permit: {value: 0}}
events: {never: {}}
threads:
  holder: {do: [{with: long, do: [{io: 60ms}]}, {repeat: 2, do: [{put: answers}]}]}
  impatient:
    do:
      - sleep: 5ms
      - {acquire: long, timeout: 10ms, else: [{print: lock}]}
      - {acquire: permit, timeout: 10ms, else: [{print: permit}]}
      - {wait: never, timeout: 10ms, else: [{print: event}]}
      - {join: holder, timeout: 5ms, else: [{print: join}]}
      - {get: answers, timeout: 0ms, else: [{print: nothing}]}
  patient:
    do:
      - sleep: 5ms
      - {acquire: long, timeout: 500ms, else: [{print: never}]}
      - print: got it
      - release: long
      - {get: answers, timeout: 500ms, else: [{print: never}]}
      - {join: holder, timeout: 500ms, else: [{print: never}]}";
    on_all(yaml, |seat| {
        assert_eq!(lines(seat), ["lock", "permit", "event", "join", "nothing", "got it"], "{}", seat.arm);
        for (what, due) in [("lock", 15.0), ("permit", 25.0), ("event", 35.0), ("join", 40.0), ("got it", 60.0)] {
            seat.within(what, at_ms(seat, what), 0.9 * due, due + 3.0);
        }
        assert!(in_state_ms(seat, "impatient", State::Lock) > 15.0, "{}: two waits of 10 ms", seat.arm);
        // One of two answers was taken.
        assert_eq!(value(seat, "answers"), 1, "{}", seat.arm);
    });
}

#[test]
fn updates_are_lost_without_a_lock_and_only_then() {
    let adders = |body: &str| {
        format!(
            "variables: {{counter: 0}}\nlocks: {{guard: {{}}}}\nthreads: {{adder: {{count: 2, do: [{{repeat: 10, do: [{body}]}}]}}}}"
        )
    };
    let update = "{load: counter}, {cpu: 3ms}, {store: counter, add: 1}";
    on_all(&adders(update), |seat| {
        // At least 2: whoever writes last has read something before, and a thread's last read is behind its own ninth
        // write, or behind one of the other's that overwrote it, so it reads 1 or more. All 20 only if no switch falls
        // between a read and a write; but there is one about every 5 ms, and nearly all the time lies between.
        assert!((2..20).contains(&value(seat, "counter")), "{}: {}", seat.arm, value(seat, "counter"));
        // Core time of 60 ms under one GIL.
        seat.within("makespan", seat.makespan_ms(), 57.0, 66.0);
    });
    on_all(&adders(&format!("{{with: guard, do: [{update}]}}")), |seat| {
        assert_eq!(value(seat, "counter"), 20, "{}: nothing is lost", seat.arm);
    });
}
