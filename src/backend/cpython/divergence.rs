//! What a real run does differently from the model, in one table, and the check that refuses what it cannot do at all.

use std::collections::BTreeSet;

use crate::backend::cpython::error::Refusal;
use crate::backend::cpython::find::Interpreter;
use crate::ids::{GroupId, Id, ProcId, ThreadId};
use crate::model::{Arrival, Form, GilRule, Length, Members, Op, PolicyName, Scenario, Sharing, StartMethod, Use};

/// How a difference is dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// A model that needs it is refused before anything starts (W504).
    Refused,
    /// Something real stands in for it (W505).
    Emulated,
    /// It holds for every real run and is only said.
    Stated,
}

/// One difference between the model and a real run.
#[derive(Debug, PartialEq, Eq)]
pub struct Divergence {
    /// A stable word.
    pub name: &'static str,
    /// How it is dealt with.
    pub handling: Handling,
    /// What is different.
    pub what: &'static str,
}

macro_rules! divergences {
    ($($name:ident $handling:ident $word:literal $what:literal)*) => {
        $(pub(super) static $name: Divergence =
            Divergence { name: $word, handling: Handling::$handling, what: $what };)*
        /// All of them: first what is refused, then what is emulated, then what cannot be seen or told apart.
        pub static DIVERGENCES: &[&Divergence] = &[$(&$name),*];
    };
}

divergences! {
    SCHEDULER Refused "scheduler" "the host's own scheduler runs; only models with `scheduler: fair` can run for real"
    SPEEDS Refused "core-speeds" "the host's cores have the speeds that they have"
    JOBS Refused "jobs" "periods and deadlines are those of a real-time system, which Python is not"
    NATIVE_PROCESS Refused "native-process" "a process without an interpreter; the backend `native` runs those"
    SUB_INTERPRETER Refused "sub-interpreter" "sub-interpreters are not started by the worker"
    BUILD Refused "build" "a free-threaded model needs a free-threaded interpreter, and all of its processes the same build"
    GIL_RULE Refused "gil-rule" "an interpreter has the GIL of its version: none has one that was proposed, and only 2.7 one of ticks"
    METHOD Refused "start-method" "this interpreter's multiprocessing does not have the model's start method"
    AFFINITY Refused "affinity" "threads are bound to cores with os.sched_setaffinity, which Python 2.7 lacks, and to cores that exist"
    NICE Refused "nice" "a nice value below zero needs privileges that a run must not have"
    QUOTA Refused "quota" "a quota needs a control group that a run must not make"
    FOREIGN_JOIN Refused "foreign-join" "multiprocessing joins a process only in the process that started it"
    OBJECTS Refused "objects" "Python 2.7 has no Barrier, no time-outs of locks and semaphores, and its Condition.wait does not say whether it waited in vain"
    MODULE Refused "module" "top-level code is not run by the worker: its children import the worker's own module"
    SHARING Refused "sharing" "objects that processes share, or that a fork copies, are not run by the worker"
    SHARED_START Refused "shared-start" "the members of a group of processes must all be started by one process"
    RANDOM_BLOCK Refused "random-straight-line" "straight-line code of random length cannot be emulated since 3.10"
    IO Emulated "io" "io without a device is select() on a pipe that stays silent, with the length as its time-out: a real blocking call, but the kernel's timer ends it, as it ends a sleep"
    DEVICE Emulated "device" "a device is a server process with a timer of its own that answers read() calls on pipes; it uses core time, and its answer comes one wake-up later"
    NATIVE Emulated "native" "native is one call of hashlib's PBKDF2; SHA3-512 or zlib where OpenSSL is missing (their lengths are less exact and they use the caches more)"
    NATIVE_GIL Emulated "native-holding-gil" "native_holding_gil is one C call that exhausts an iterator"
    STRAIGHT_LINE Emulated "straight-line" "straight-line code is the loop of `cpu` up to 3.9, where it has check points anyway, and since 3.10 the C call of native_holding_gil, which like it has none"
    ARRIVALS Emulated "arrivals" "threads that arrive by themselves exist before and sleep in the kernel until their instant; the implicit main thread waits without ever wanting the GIL"
    PROCESSES Emulated "processes" "processes that arrive by themselves with fork are forked before and wait for the common start; spawn and forkserver children are started at their time, one after another, by an extra process"
    PRINT Emulated "print" "lines are formatted by the real interpreter, but kept in the record and not written"
    CORES Emulated "cores" "a model with fewer cores than this run may use runs bound to the first of them, one with more runs on all there are; a prediction to compare with has to be made for that number (`Figures::cores`)"
    GIL_EVENTS Stated "gil-events" "grants and drops are inferred from when each thread's clock ran; they are exact to one reading of the clock (about 20 us); requests cannot be seen"
    FORCED Stated "forced" "waiting for another thread to take the GIL cannot be told from waiting for the GIL; both are `wants-gil`"
    INSIDE Stated "inside-objects" "waiting for the lock inside of a queue, an event or a semaphore cannot be told from waiting for the GIL; permits of semaphores, waiters of conditions and who is at a barrier are counted from what the threads noted, items of queues are what the queue itself says"
    STORES Stated "stores" "a variable is written right after its time is noted: if a switch falls between, another thread's later note may be of an earlier write"
    WAKE_UP Stated "wake-up" "a thread notices the end of a sleep, of io or of a lock wait only with the GIL; what it took longer than asked for, plus this host's usual lateness, counts as `wants-gil`"
    RUN_QUEUE Stated "run-queue" "time in the kernel's run queue is known as a sum for each gap, not where in the gap; it is drawn at the gap's end"
    START_UP Stated "start-up" "how much core time a process's start-up took is known, not when it was on a core; it is drawn right before its first line of Python"
    CORE Stated "core" "on which core a thread runs is not recorded"
    CHECK_INTERVAL Stated "check-interval" "2.7 has no switch interval: a model of another version runs there with a check interval of 100"
    NEXT_HOLDER Stated "next-holder" "who gets the GIL or a lock next is decided by the operating system and the interpreter"
    DEADLOCK Stated "deadlock" "a real deadlock does not end; it is reported as a run that hung"
    HORIZON Stated "horizon" "a C call that keeps the GIL is not cut off at the horizon: the run ends behind it, its records at the horizon"
    COLLECTOR Stated "collector" "the cyclic garbage collector is switched off"
    LAST_WORDS Stated "last-words" "a child process writes its results before it ends, which makes its end later by that long"
    STEP_COST Stated "step-cost" "every step costs a few microseconds of Python code of its own; `cpu` steps have it taken off, others not"
}

/// Everything of a scenario that this interpreter on so many cores cannot do.
pub(super) fn refusals(scenario: &Scenario, interpreter: &Interpreter, cores: usize) -> Vec<Refusal> {
    let mut found = Vec::new();
    machine(scenario, &mut found);
    processes(scenario, interpreter, &mut found);
    threads(scenario, interpreter, cores, &mut found);
    objects(scenario, interpreter, &mut found);
    sharing(scenario, &mut found);
    starts_and_joins(scenario, &mut found);
    if has_blocks(interpreter) && scenario.programs().values().any(|program| program.ops.iter().any(is_random_block)) {
        refuse(&mut found, &RANDOM_BLOCK, format!("on {}", interpreter.name()));
    }
    found
}

/// Whether straight-line code has no check points on an interpreter.
pub(super) fn has_blocks(interpreter: &Interpreter) -> bool {
    interpreter.version >= (3, 10, 0)
}

fn is_random_block(op: &Op) -> bool {
    matches!(op, Op::StraightLine(Length::Random(_)))
}

fn refuse(found: &mut Vec<Refusal>, divergence: &'static Divergence, detail: String) {
    found.push(Refusal { divergence, detail });
}

fn machine(scenario: &Scenario, found: &mut Vec<Refusal>) {
    let machine = scenario.machine();
    if machine.scheduler.policy != PolicyName::Fair {
        refuse(found, &SCHEDULER, "another scheduler".to_owned());
    }
    if machine.cores.values().any(|speed| *speed != machine.scale) {
        refuse(found, &SPEEDS, "cores with speeds of their own".to_owned());
    }
}

fn processes(scenario: &Scenario, interpreter: &Interpreter, found: &mut Vec<Refusal>) {
    for process in scenario.processes().values() {
        if process.python.is_none() {
            refuse(found, &NATIVE_PROCESS, format!("process {}", process.name));
        }
        if process.quota.is_some() {
            refuse(found, &QUOTA, format!("process {}", process.name));
        }
        let method = method_word(process.start_method);
        if process.module.is_some() {
            refuse(found, &MODULE, format!("process {}", process.name));
        }
        let is_child = process.group.is_some();
        if is_child && !interpreter.start_methods.iter().any(|each| each == method) {
            refuse(found, &METHOD, format!("process {} by {method}, on {}", process.name, interpreter.name()));
        }
    }
    let has = |rule: GilRule| match rule {
        GilRule::Cpython => true,
        GilRule::Ticks { .. } => interpreter.version.0 < 3,
        _ => false,
    };
    for gil in scenario.gils().values().filter(|gil| !has(gil.rule)) {
        refuse(found, &GIL_RULE, format!("the GIL of {}, on {}", gil.name, interpreter.name()));
    }
    let builds: BTreeSet<bool> = scenario.interpreters().values().map(|each| each.gil.is_none()).collect();
    if builds.len() > 1 || (builds.contains(&true) && !interpreter.free_threaded) {
        refuse(found, &BUILD, format!("on {}", interpreter.name()));
    }
}

/// What several processes share, or have copies of.
fn sharing(scenario: &Scenario, found: &mut Vec<Refusal>) {
    let locks = scenario.locks().values().map(|lock| (&lock.name, lock.sharing));
    let objects = scenario.objects().values().map(|object| (&object.name, object.sharing));
    for (name, sharing) in locks.chain(objects) {
        if !matches!(sharing, Sharing::Within(_)) {
            refuse(found, &SHARING, name.clone());
        }
    }
}

fn objects(scenario: &Scenario, interpreter: &Interpreter, found: &mut Vec<Refusal>) {
    if interpreter.version.0 >= 3 {
        return;
    }
    for object in scenario.objects().values().filter(|object| matches!(object.form, Form::Barrier { .. })) {
        refuse(found, &OBJECTS, format!("barrier {}, on {}", object.name, interpreter.name()));
    }
    for ops in scenario.programs().values().flat_map(|program| program.ops.windows(2)) {
        let [Op::Timeout { .. }, step] = ops else { continue };
        if let Some(what) = has_no_timeout(scenario, step) {
            refuse(found, &OBJECTS, format!("a time-out for {what}, on {}", interpreter.name()));
        }
    }
}

/// What a step waits for, if 2.7 cannot wait for it in vain.
fn has_no_timeout(scenario: &Scenario, step: &Op) -> Option<String> {
    match step {
        Op::Acquire(lock) => Some(format!("lock {}", scenario.locks()[*lock].name)),
        Op::Use(object, Use::Acquire | Use::Wait) => {
            let object = &scenario.objects()[*object];
            (object.form != Form::Event).then(|| object.name.clone())
        }
        _ => None,
    }
}

fn threads(scenario: &Scenario, interpreter: &Interpreter, cores: usize, found: &mut Vec<Refusal>) {
    for (id, thread) in scenario.threads().iter() {
        let name = || format!("thread {}", scenario.full_name(id));
        if thread.own_interpreter {
            refuse(found, &SUB_INTERPRETER, name());
        }
        if thread.deadline.is_some() {
            refuse(found, &JOBS, name());
        }
        if thread.nice < 0 {
            refuse(found, &NICE, format!("{} with nice {}", name(), thread.nice));
        }
        let beyond = thread.affinity.iter().flatten().any(|core| core.index() >= cores);
        if thread.affinity.is_some() && (interpreter.version.0 < 3 || beyond) {
            refuse(found, &AFFINITY, format!("{} on {}, {cores} cores", name(), interpreter.name()));
        }
    }
}

/// Who starts and who joins which group of processes.
fn starts_and_joins(scenario: &Scenario, found: &mut Vec<Refusal>) {
    for (group, declared) in scenario.groups().iter() {
        if matches!(declared.members, Members::Threads(_)) {
            continue;
        }
        let starters = processes_that(scenario, |op| matches!(op, Op::Start { group: of, .. } if *of == group));
        let joiners = processes_that(scenario, |op| matches!(op, Op::Join(of) if *of == group));
        if starters.len() > 1 {
            refuse(found, &SHARED_START, format!("group {} is started by {} processes", declared.name, starters.len()));
        }
        if joiners.iter().any(|joiner| !starters.contains(joiner)) {
            refuse(found, &FOREIGN_JOIN, format!("group {}", declared.name));
        }
    }
}

fn processes_that(scenario: &Scenario, does: impl Fn(&Op) -> bool) -> BTreeSet<ProcId> {
    let threads = scenario.threads().values();
    let doers = threads.filter(|thread| scenario.programs()[thread.program].ops.iter().any(&does));
    doers.map(|thread| thread.process).collect()
}

/// The emulations that a scenario uses.
pub(super) fn emulations(scenario: &Scenario) -> Vec<&'static Divergence> {
    let does = |wanted: fn(&Op) -> bool| scenario.programs().values().any(|program| program.ops.iter().any(wanted));
    let processes = ways(scenario).iter().any(|way| matches!(way, How::Held | How::Later));
    let table: [(bool, &'static Divergence); 9] = [
        (does(|op| matches!(op, Op::Io { device: None, .. })), &IO),
        (does(|op| matches!(op, Op::Io { device: Some(_), .. })), &DEVICE),
        (does(|op| matches!(op, Op::Native(_))), &NATIVE),
        (does(|op| matches!(op, Op::NativeHoldingGil(_))), &NATIVE_GIL),
        (does(|op| matches!(op, Op::StraightLine(_))), &STRAIGHT_LINE),
        (true, &ARRIVALS),
        (processes, &PROCESSES),
        (does(|op| matches!(op, Op::Print(_) | Op::Show)), &PRINT),
        (true, &CORES),
    ];
    table.into_iter().filter(|(used, _)| *used).map(|(_, row)| row).collect()
}

/// The word of `multiprocessing`.
pub(super) fn method_word(method: StartMethod) -> &'static str {
    match method {
        StartMethod::Fork => "fork",
        StartMethod::Spawn => "spawn",
        StartMethod::Forkserver => "forkserver",
    }
}

/// How a process of the model becomes a process of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The worker itself is it.
    Root,
    /// Forked beforehand; waits for the common start.
    Held,
    /// Started by the worker at its time.
    Later,
    /// Started by a step of the model.
    Step,
}

/// For every process how it comes to be.
pub(super) fn ways(scenario: &Scenario) -> Vec<How> {
    let alone = |process: &crate::model::Process| process.arrival != Arrival::OnStart;
    let by_steps = scenario.processes().values().any(|process| !alone(process));
    let programs = scenario.processes().values().filter(|process| alone(process)).count();
    let way = |process: &crate::model::Process| {
        let is_program = process.group.is_none() || process.name == "main" || by_steps;
        match (alone(process), is_program, process.start_method) {
            (false, ..) => How::Step,
            (true, true, _) if programs == 1 => How::Root,
            (true, true, _) | (true, false, StartMethod::Fork) => How::Held,
            (true, false, _) => How::Later,
        }
    };
    scenario.processes().values().map(way).collect()
}

/// The members of a group, as numbers of threads or processes.
pub(super) fn members(scenario: &Scenario, group: GroupId) -> Vec<usize> {
    let (Members::Threads(range) | Members::Processes(range)) = &scenario.groups()[group].members;
    range.clone().map(|member| member as usize).collect()
}

/// The threads of a process.
pub(super) fn threads_of(scenario: &Scenario, process: ProcId) -> Vec<ThreadId> {
    scenario.processes()[process].threads.clone().map(|thread| ThreadId::new(thread as usize)).collect()
}
