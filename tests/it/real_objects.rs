//! The records of shared objects that real workers leave: on every interpreter, and on threads of this process.

use gilsim::backend::cpython::{Cpython, Options, find};
use gilsim::backend::native::Native;
use gilsim::ids::{Id, ObjectId};
use gilsim::model::{Form, Scenario};
use gilsim::trace::{Ending, LockAct, ObjectAct, Record, State, What};

use crate::real::{nothing_is_left, patiently, places, run, scenario};

/// What all versions have, then what 2.7 lacks.
const COMMON: &str = "
name: shared objects
machine: {cores: 2}
queues: {jobs: {capacity: 2}, free: {}}
semaphores: {slots: {value: 2}}
events: {go: {}}
conditions: {changed: {}}
variables: {counter: 5}
MORE_OBJECTS
threads:
  worker:
    count: 3
    do:
      - wait: go
      - repeat: 4
        do:
          - get: jobs
          - with: slots
            do: [{io: 2ms}]
          - load: counter
          - {store: counter, add: 2}
          - put: free
      - with: changed
        do: [{wait: changed}]
      MORE_STEPS
      - sleep: 20ms   # so that there is something to join
  feeder:
    do:
      - sleep: 5ms
      - set: go
      - repeat: 12
        do: [{cpu: 200us}, {put: jobs}]
      - repeat: 12
        do: [{get: free}, {cpu: 100us}]
      - {get: free, timeout: 1ms, else: [{put: free}]}
      - get: free
      - sleep: 50ms   # so that all wait for the notification, on a busy machine too
      - clear: go
      - {wait: go, timeout: 5ms, else: [{print: in vain}]}
      - with: changed
        do: [{notify: changed}]
      - with: changed
        do: [{notify_all: changed}]
      - {join: worker, timeout: 0ms, else: [{join: worker}]}
";

fn model(common: bool) -> String {
    let (objects, steps) = if common {
        ("", "")
    } else {
        (
            "barriers: {end: {parties: 3}}\nlocks: {l: {}}",
            "- {acquire: l, timeout: 1s}\n      - release: l\n      - barrier: end",
        )
    };
    COMMON.replace("MORE_OBJECTS", objects).replace("MORE_STEPS", steps)
}

/// The records of one object.
fn acts(records: &[Record], object: ObjectId) -> Vec<(ObjectAct, i64)> {
    let own = |record: &Record| match record.what {
        What::Object { object: which, act, value, .. } if which == object => Some((act, value)),
        _ => None,
    };
    records.iter().filter_map(own).collect()
}

/// What an object holds changes by what is done to it.
fn adds_up(name: &str, form: Form, acts: &[(ObjectAct, i64)]) {
    let count = |wanted: ObjectAct| acts.iter().filter(|(act, _)| *act == wanted).count();
    let mut now = match form {
        Form::Semaphore { permits } => permits as i64,
        Form::Variable { initial } => initial,
        _ => 0,
    };
    for (act, value) in acts {
        let step = value - now;
        let possible = match act {
            ObjectAct::Put | ObjectAct::Release | ObjectAct::Wait | ObjectAct::Arrive => step == 1,
            ObjectAct::Get | ObjectAct::Acquire | ObjectAct::Leave => step == -1,
            ObjectAct::Set => *value == 1,
            ObjectAct::Clear | ObjectAct::Load | ObjectAct::Open => *value == now,
            ObjectAct::Notify => step <= 0 && *value >= 0,
            ObjectAct::Store => true,
        };
        let possible = possible || (*act, *value) == (ObjectAct::Clear, 0);
        assert!(possible, "{name}: {} at {value} after {now}: {acts:?}", act.word());
        now = *value;
    }
    match form {
        Form::Queue { capacity: Some(2) } => {
            assert_eq!((count(ObjectAct::Put), count(ObjectAct::Get), now), (12, 12, 0), "{name}");
            assert!(acts.iter().all(|(_, value)| (0..=2).contains(value)), "{name}: {acts:?}");
        }
        Form::Semaphore { .. } => {
            assert_eq!((count(ObjectAct::Acquire), count(ObjectAct::Release), now), (12, 12, 2), "{name}");
            assert!(acts.iter().all(|(_, value)| (0..=2).contains(value)), "{name}: {acts:?}");
        }
        Form::Condition { .. } => {
            assert_eq!((count(ObjectAct::Wait), count(ObjectAct::Notify), now), (3, 2, 0), "{name}")
        }
        Form::Event => assert_eq!(now, 0, "{name}"),
        Form::Variable { .. } => assert_eq!((count(ObjectAct::Load), count(ObjectAct::Store)), (12, 12), "{name}"),
        _ => {}
    }
}

fn adds_up_all(name: &str, scenario: &Scenario, records: &[Record]) {
    for (object, declared) in scenario.objects().iter() {
        adds_up(&format!("{name} {}", declared.name), declared.form, &acts(records, object));
    }
    let states = |wanted: State| {
        records.iter().filter(|record| matches!(record.what, What::State { to, .. } if to == wanted)).count()
    };
    for state in [State::Event, State::Queue, State::Condition, State::Join] {
        assert!(states(state) > 0, "{name}: never {}", state.word());
    }
    let lock = |wanted: LockAct| {
        records.iter().filter(|record| matches!(record.what, What::Lock { act, .. } if act == wanted)).count()
    };
    // Every wait for the condition lets go of its lock and takes it again.
    assert_eq!(lock(LockAct::Acquire), lock(LockAct::Release), "{name}");
    let printed = |record: &&Record| matches!(&record.what, What::Output { text, .. } if text == "in vain");
    assert_eq!(records.iter().filter(printed).count(), 1, "{name}");
}

#[test]
fn every_object_on_every_interpreter() {
    let _alone = crate::common::alone();
    let scratch = tempfile::tempdir().expect("a folder");
    for interpreter in find("all", &places(scratch.path())).expect("a search").interpreters {
        let (name, old) = (interpreter.name(), interpreter.version.0 < 3);
        let backend = Cpython::new(interpreter, Options::new(scratch.path()));
        patiently(|| {
            let (scenario, trial) = run(&backend, &model(old));
            assert_eq!(trial.ending, Ending::Finished, "{name}");
            adds_up_all(&name, &scenario, &trial.records);
        });
        if old {
            let refusals = backend.refusals(&scenario(&model(false)));
            let named: Vec<&str> = refusals.iter().map(|refusal| refusal.divergence.name).collect();
            assert_eq!(named, ["objects", "objects"], "{name}: the barrier, and the time-out of a lock: {refusals:?}");
        }
        nothing_is_left(scratch.path());
    }
}

#[test]
fn every_object_on_threads_of_this_process() {
    let _alone = crate::common::alone();
    patiently(|| {
        let scenario = scenario(&model(false));
        let trial = Native::default().run_trial(&scenario).expect("a trial");
        assert_eq!(trial.ending, Ending::Finished);
        adds_up_all("native", &scenario, &trial.records);
    });
}

/// Whoever uses a condition without its lock is refused by all, with one code.
#[test]
fn a_condition_needs_its_lock() {
    let _alone = crate::common::alone();
    let scratch = tempfile::tempdir().expect("a folder");
    let cpython = Cpython::new(crate::real::python3(scratch.path()), Options::new(scratch.path()));
    for verb in ["wait", "notify", "notify_all"] {
        let scenario = scenario(&format!(
            "{{name: m, machine: {{cores: 2}}, conditions: {{c: {{}}}}, threads: {{a: {{do: [{{cpu: 1ms}}, {{{verb}: c}}]}}}}}}"
        ));
        let endings = [
            cpython.run_trial(&scenario).expect("a trial").ending,
            Native::default().run_trial(&scenario).expect("a trial").ending,
            gilsim::study::simulate(&scenario, &mut Vec::new()).metrics.ending.expect("an ending"),
        ];
        for ending in endings {
            assert!(
                matches!(ending, Ending::ModelError { code: "E204", thread, .. } if thread.index() == 0),
                "{verb}: {ending:?}"
            );
        }
    }
    nothing_is_left(scratch.path());
}

/// Who waits at the horizon is in the state of what it waits for.
#[test]
fn the_horizon_finds_waiters_waiting() {
    let _alone = crate::common::alone();
    let scratch = tempfile::tempdir().expect("a folder");
    let cpython = Cpython::new(crate::real::python3(scratch.path()), Options::new(scratch.path()));
    let yaml = "{name: m, machine: {cores: 2}, run: {until: 150ms}, queues: {q: {}}, events: {e: {}}, barriers: {b: {parties: 2}}, \
                semaphores: {s: {value: 0}}, threads: {get: {do: [{get: q}]}, wait: {do: [{wait: e}]}, meet: {do: [{barrier: b}]}, \
                take: {do: [{acquire: s}]}, alive: {do: [{sleep: 1s}]}}}";
    let scenario = scenario(yaml);
    patiently(|| wait_to_the_end(&cpython.run_trial(&scenario).expect("a trial").records));
    patiently(|| wait_to_the_end(&Native::default().run_trial(&scenario).expect("a trial").records));
    nothing_is_left(scratch.path());
}

fn wait_to_the_end(records: &[Record]) {
    for (thread, state) in [State::Queue, State::Event, State::Barrier, State::Lock].into_iter().enumerate() {
        let own = |record: &Record| match record.what {
            What::State { thread: who, to, .. } if who.index() == thread => Some(to),
            _ => None,
        };
        let last = records.iter().filter_map(own).rfind(|state| *state != State::Done);
        assert_eq!(last, Some(state));
    }
}
