//! What goes to the worker and what comes back: one line of JSON in, lines of JSON out.
//!
//! Nothing of a prediction is in the job: only what the model itself says, and how far apart two readings of a clock may
//! be. Nothing in it is executed: steps are verbs of a closed list with numbers, names only label.

use serde_json::{Map, Value, json};

use crate::backend::cpython::divergence::{How, members, method_word, threads_of, ways};
use crate::backend::cpython::draws::{Walk, length_of};
use crate::ids::{Id, IdVec, ObjectId, ProcId, ThreadId};
use crate::model::{Arrival, Form, Gil, GilRule, Length, Members, Object, Op, Scenario, Use};
use crate::time::Span;

// ---------------------------------------------------------------- the job

/// The line that tells the worker what to run.
pub(super) fn job(scenario: &Scenario, walks: &IdVec<ThreadId, Walk>, gap: Span, has_blocks: bool) -> String {
    let job = json!({
        "until": scenario.run().until.map(|until| until.ns()),
        "gap": gap.ns(),
        "processes": processes(scenario),
        "threads": scenario.threads().ids().map(|id| thread(scenario, id, &walks[id])).collect::<Vec<_>>(),
        "programs": scenario.programs().values().map(|program| {
            program.ops.iter().map(|each| op(scenario, each, has_blocks)).collect::<Vec<_>>()
        }).collect::<Vec<_>>(),
        "locks": scenario.locks().values().map(|lock| {
            json!({"process": lock.sharing.process().map(Id::index), "reentrant": lock.reentrant})
        }).collect::<Vec<_>>(),
        "objects": scenario.objects().values().map(object).collect::<Vec<_>>(),
        "devices": scenario.devices().values().map(|device| json!({"at_once": device.at_once})).collect::<Vec<_>>(),
        "groups": scenario.groups().iter().map(|(id, group)| json!({
            "kind": if matches!(group.members, Members::Threads(_)) { "threads" } else { "processes" },
            "members": members(scenario, id),
            "started": group.started,
        })).collect::<Vec<_>>(),
    });
    format!("{job}\n")
}

fn processes(scenario: &Scenario) -> Vec<Value> {
    let ways = ways(scenario);
    let process = |id: ProcId| {
        let declared = &scenario.processes()[id];
        let interval = interval_of(scenario, id).unwrap_or(Span::from_ms(5));
        json!({
            "how": match ways[id.index()] {
                How::Root => "root",
                How::Held => "held",
                How::Later => "later",
                How::Step => "step",
            },
            "method": method_word(declared.start_method),
            "at": at(declared.arrival).unwrap_or(0),
            "switch_interval": interval.ns(),
            "check_interval": check_interval_of(scenario, id),
            "threads": threads_of(scenario, id).iter().map(|thread| thread.index()).collect::<Vec<_>>(),
        })
    };
    scenario.processes().ids().map(process).collect()
}

/// The switch interval of the GIL that the threads of a process share.
fn interval_of(scenario: &Scenario, process: ProcId) -> Option<Span> {
    gil_of(scenario, process).map(|gil| gil.interval)
}

/// The check interval of 2.7's.
fn check_interval_of(scenario: &Scenario, process: ProcId) -> Option<u64> {
    match gil_of(scenario, process)?.rule {
        GilRule::Ticks { interval, .. } => Some(interval),
        _ => None,
    }
}

fn gil_of(scenario: &Scenario, process: ProcId) -> Option<&Gil> {
    let gil = scenario.interpreters().values().find(|each| each.process == process)?.gil?;
    scenario.gils().get(gil)
}

fn at(arrival: Arrival) -> Option<u64> {
    match arrival {
        Arrival::At(span) => Some(span.ns()),
        Arrival::OnStart => None,
    }
}

fn thread(scenario: &Scenario, id: ThreadId, walk: &Walk) -> Value {
    let declared = &scenario.threads()[id];
    let cores = declared.affinity.as_ref().map(|cores| cores.iter().map(|core| core.index()).collect::<Vec<_>>());
    json!({
        "process": declared.process.index(),
        "python_name": declared.python_name,
        "main": declared.python_name == "MainThread",
        "daemon": declared.daemon,
        "at": at(declared.arrival),
        "nice": declared.nice,
        "cores": cores,
        "program": declared.program.index(),
        "draws": walk.draws,
    })
}

/// An object; its size is what the maker of it in Python wants to know.
fn object(object: &Object) -> Value {
    let (kind, size) = match object.form {
        Form::Semaphore { permits } => ("semaphore", json!(permits)),
        Form::Queue { capacity } => ("queue", json!(capacity.unwrap_or(0))),
        Form::Event => ("event", Value::Null),
        Form::Condition { lock } => ("condition", json!(lock.index())),
        Form::Barrier { parties } => ("barrier", json!(parties)),
        Form::Variable { initial } => ("variable", json!(initial)),
        Form::ProcessSemaphore { .. } | Form::ProcessQueue { .. } => unreachable!("refused before anything starts"),
    };
    json!({"process": object.sharing.process().map(Id::index), "kind": kind, "size": size})
}

/// A step as the worker knows it. Where straight-line code `has_blocks`, it is emulated by a call that keeps the GIL.
fn op(scenario: &Scenario, op: &Op, has_blocks: bool) -> Value {
    let length = length_of(op).map(|(_, length)| match length {
        Length::Fixed(span) => Some(span.ns()),
        Length::Random(_) => None,
    });
    match op {
        Op::StraightLine(_) if has_blocks => json!(["native_holding_gil", length]),
        Op::Cpu(_) | Op::StraightLine(_) => json!(["cpu", length]),
        Op::Native(_) => json!(["native", length]),
        Op::NativeHoldingGil(_) => json!(["native_holding_gil", length]),
        Op::Io { device, .. } => json!(["io", length, device.map(|device| device.index())]),
        Op::Sleep(_) => json!(["sleep", length]),
        Op::Acquire(lock) => json!(["acquire", lock.index()]),
        Op::Release(lock) => json!(["release", lock.index()]),
        Op::Start { group, count } => json!(["start", group.index(), count]),
        Op::Join(group) => json!(["join", group.index()]),
        Op::Print(text) => json!(["print", text]),
        Op::Show => json!(["show"]),
        Op::Repeat { times, end } => json!(["repeat", times, end]),
        Op::Again { start } => json!(["again", start]),
        Op::Enter(span) => json!(["enter", span.index()]),
        Op::Leave(span) => json!(["leave", span.index()]),
        Op::Choose { places, .. } => json!(["choose", places]),
        Op::Use(object, verb) => use_of(*object, *verb, scenario.objects()[*object].form),
        Op::Timeout { otherwise, .. } => json!(["timeout", length, otherwise]),
        Op::Goto(place) => json!(["goto", place]),
        Op::SameTimeout { .. } | Op::Ensure(_) => unreachable!("refused before anything starts"),
    }
}

/// A step that uses an object; one that uses a condition names its lock too.
fn use_of(object: ObjectId, verb: Use, form: Form) -> Value {
    let (object, lock) = (object.index(), if let Form::Condition { lock } = form { Some(lock.index()) } else { None });
    match verb {
        Use::Acquire => json!(["take", object]),
        Use::Release => json!(["give", object]),
        Use::Put => json!(["put", object]),
        Use::Get => json!(["get", object]),
        Use::Send | Use::Receive => unreachable!("refused before anything starts"),
        Use::Set => json!(["set", object]),
        Use::Clear => json!(["clear", object]),
        Use::Wait if lock.is_none() => json!(["wait", object]),
        Use::Wait => json!(["wait_notified", object, lock]),
        Use::Notify => json!(["notify", object, lock]),
        Use::NotifyAll => json!(["notify_all", object, lock]),
        Use::Meet => json!(["meet", object]),
        Use::Load => json!(["load", object]),
        Use::Store(add) => json!(["store", object, add]),
    }
}

// ---------------------------------------------------------------- the report

/// What the worker said, in nanoseconds since the common start.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    pub hello: Hello,
    pub cost: Cost,
    /// What `native` steps were, where there were any.
    pub native: Option<String>,
    pub threads: Vec<ThreadReport>,
    pub processes: Vec<ProcessReport>,
    /// The modelled program did what Python refuses: code, thread, when, what.
    pub refused: Option<(String, usize, u64, String)>,
    /// Core time of the worker's first process.
    pub cpu: Option<u64>,
    /// Exit codes of child processes.
    pub codes: Vec<(usize, i32)>,
}

/// Who the worker is.
#[derive(Clone, Debug, Default)]
pub(super) struct Hello {
    pub version: String,
    pub build: String,
    pub gil: bool,
    pub cpu_clock: bool,
    pub counters: bool,
}

/// What a unit of each kind of work cost, just before the run. All in nanoseconds of core time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cost {
    /// One round of the `cpu` loop: so many iterations and one reading of the clock. The grain of the timeline.
    pub round: f64,
    /// One iteration of it.
    pub iteration: f64,
    /// One reading of the clock: the probe.
    pub read: f64,
    /// One reading of the kernel's counters, made at the start of a step and after each gap.
    pub counters: f64,
    /// The worker's own Python code around a step.
    pub step: f64,
    /// How late this host's timers wake a thread, in nanoseconds of wall time.
    pub late: f64,
    /// One unit of `native` work, where there was any.
    pub native: Option<f64>,
    /// One unit of `native_holding_gil` work, where there was any.
    pub hold: Option<f64>,
}

/// What a process left.
#[derive(Clone, Debug)]
pub(super) struct ProcessReport {
    pub process: usize,
    pub ending: String,
    /// Its first line of Python.
    pub born: u64,
    /// When it wrote its results.
    pub ended: u64,
    pub cpu: Option<u64>,
    /// Core time up to its first line of Python, for children.
    pub start_up: Option<u64>,
}

/// What a thread left.
#[derive(Clone, Debug)]
pub(super) struct ThreadReport {
    pub thread: usize,
    pub born: Option<u64>,
    pub first: Option<u64>,
    pub finished: Option<u64>,
    /// The step it last began.
    pub begun: Option<Begun>,
    pub log: Vec<Entry>,
    /// Voluntary and involuntary switches, nanoseconds in the run queue, nanoseconds of core time; -1 = unknown.
    pub totals: Option<[i64; 4]>,
}

/// A step that began and perhaps never ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begun {
    pub verb: Verb,
    /// When.
    pub at: u64,
    /// Its length in nanoseconds, or the member or object that it is about.
    pub number: u64,
    /// Core time in nanoseconds that a C call had used when the horizon was over, where the kernel says so.
    pub used: Option<u64>,
}

macro_rules! verbs {
    ($($variant:ident $word:literal)*) => {
        /// What an entry of a log is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Verb { $($variant,)* }
        impl Verb {
            fn from_word(word: &str) -> Option<Verb> {
                match word { $($word => Some(Verb::$variant),)* _ => None }
            }
        }
    };
}

verbs! {
    Cpu "cpu" Native "native" Hold "native_holding_gil" Io "io" Sleep "sleep" Acquire "acquire" Release "release"
    Start "start" Join "join" Print "print" Show "show" Gap "gap" StartProcess "start_process"
    JoinProcess "join_process" Enter "enter" Leave "leave" Take "take" Give "give" Put "put" Get "get" Set "set" Clear "clear" Wait "wait"
    WaitNotified "wait_notified" Notify "notify" NotifyAll "notify_all" Meet "meet" Load "load" Store "store"
}

impl Verb {
    /// Whether it uses a shared object other than a lock.
    pub fn uses_object(self) -> bool {
        use Verb::{Clear, Get, Give, Load, Meet, Notify, NotifyAll, Put, Set, Store, Take, Wait, WaitNotified};
        let own = [Take, Give, Put, Get, Set, Clear, Wait, WaitNotified, Notify, NotifyAll, Meet, Load, Store];
        own.contains(&self)
    }
}

/// One entry of a thread's log.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub verb: Verb,
    pub begin: u64,
    pub end: u64,
    /// By verb. `cpu`: core time used, length, executed. Other work: core time used, length, nanoseconds in the run
    /// queue if it was late. `io`, `sleep`: when the answer was written (0 = no server), length, the same. A start: the
    /// number of the other, core time used. Locks, objects, joins: the number of the other, what came of it (items of a
    /// queue, the place at a barrier, the value of a variable), when; or the time-out and -1, if it was in vain. A gap:
    /// voluntary switches, involuntary ones, nanoseconds in the run queue (-1 = unknown).
    pub numbers: [i64; 3],
    /// Printed lines.
    pub lines: Vec<String>,
}

/// Reads all lines of a worker. The outer error is not a report at all, the inner one the worker's own.
pub(super) fn report(stdout: &[u8]) -> Result<Result<Report, String>, String> {
    let text = std::str::from_utf8(stdout).map_err(|_| "not UTF-8".to_owned())?;
    let mut report = Report::default();
    let (mut complete, mut failed) = (false, None);
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).map_err(|error| format!("{error} in {}", start_of(line)))?;
        let part = value.as_object().ok_or_else(|| format!("not an object: {}", start_of(line)))?;
        complete |= part.contains_key("end");
        failed = failed.or_else(|| part.get("error").and_then(Value::as_str).map(str::to_owned));
        read_part(&mut report, part).ok_or_else(|| format!("a part is missing in {}", start_of(line)))?;
    }
    match failed {
        Some(detail) => Ok(Err(detail)),
        None if complete => Ok(Ok(report)),
        None => Err("the end is missing".to_owned()),
    }
}

fn start_of(line: &str) -> String {
    line.chars().take(80).collect::<String>().escape_debug().to_string()
}

/// Adds a line to the report; `None` if something is missing in it. Lines of unknown kinds are no report.
fn read_part(report: &mut Report, part: &Map<String, Value>) -> Option<()> {
    let (kind, value) = part.iter().find(|(key, _)| key.as_str() != "native").or_else(|| part.iter().next())?;
    match kind.as_str() {
        "hello" => report.hello = hello(value)?,
        "cost" => {
            report.cost = cost(value)?;
            report.native = part.get("native").and_then(Value::as_str).map(str::to_owned);
        }
        "thread" => report.threads.push(thread_report(value)?),
        "process" => report.processes.push(process_report(value)?),
        "refused" => report.refused = report.refused.take().or(Some(refused(value)?)),
        "end" => {
            report.cpu = value.get("cpu")?.as_u64();
            report.codes = value.get("codes")?.as_array()?.iter().filter_map(code).collect();
        }
        "error" => {}
        _ => return None,
    }
    Some(())
}

fn hello(value: &Value) -> Option<Hello> {
    let version = value.get("version")?.as_array()?.iter().map(|part| part.as_u64().map(|part| part.to_string()));
    Some(Hello {
        version: version.collect::<Option<Vec<_>>>()?.join("."),
        build: value.get("build")?.as_str()?.replace('\n', " "),
        gil: value.get("gil")?.as_bool()?,
        cpu_clock: value.get("cpu_clock")?.as_bool()?,
        counters: value.get("counters")?.as_bool()?,
    })
}

fn cost(value: &Value) -> Option<Cost> {
    let number = |name: &str| value.get(name)?.as_f64();
    let unit = |name: &str| value.get(name)?.get("unit")?.as_f64();
    Some(Cost {
        round: number("round")?,
        iteration: number("iteration")?,
        read: number("read")?,
        counters: number("counters")?,
        step: number("step")?,
        late: number("late")?,
        native: unit("native"),
        hold: unit("hold"),
    })
}

fn refused(value: &Value) -> Option<(String, usize, u64, String)> {
    let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
    Some((text("code")?, index(value.get("thread")?)?, stamp(value.get("at")?)?, text("detail")?))
}

fn process_report(value: &Value) -> Option<ProcessReport> {
    Some(ProcessReport {
        process: index(value.get("process")?)?,
        ending: value.get("ending")?.as_str()?.to_owned(),
        born: stamp(value.get("born")?)?,
        ended: stamp(value.get("ended")?)?,
        cpu: value.get("cpu")?.as_u64(),
        start_up: value.get("start_up")?.as_u64(),
    })
}

fn thread_report(value: &Value) -> Option<ThreadReport> {
    Some(ThreadReport {
        thread: index(value.get("thread")?)?,
        born: stamp(value.get("born")?),
        first: stamp(value.get("first")?),
        finished: stamp(value.get("finished")?),
        begun: maybe(value.get("begun")?, begun)?,
        log: value.get("log")?.as_array()?.iter().map(entry).collect::<Option<_>>()?,
        totals: maybe(value.get("totals")?, totals)?,
    })
}

/// A value that may be null, but not wrong.
fn maybe<T>(value: &Value, parse: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    if value.is_null() { Some(None) } else { parse(value).map(Some) }
}

fn totals(value: &Value) -> Option<[i64; 4]> {
    value.as_array()?.iter().map(Value::as_i64).collect::<Option<Vec<_>>>()?.try_into().ok()
}

fn begun(value: &Value) -> Option<Begun> {
    Some(Begun {
        verb: verb(value.get(0)?)?,
        at: stamp(value.get(2)?)?,
        number: value.get(3)?.as_u64()?,
        used: value.get(4)?.as_u64(),
    })
}

fn entry(value: &Value) -> Option<Entry> {
    let fields = value.as_array()?;
    let verb = verb(fields.first()?)?;
    let mut numbers = [0; 3];
    for (number, field) in numbers.iter_mut().zip(fields.iter().skip(4)) {
        *number = field.as_i64().or_else(|| field.as_f64().map(|field| field as i64)).unwrap_or(0);
    }
    let lines = fields.get(4).and_then(Value::as_array).into_iter().flatten();
    let lines = lines.map(|line| line.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    let (begin, end) = (stamp(fields.get(2)?)?, stamp(fields.get(3)?)?);
    (begin <= end).then_some(Entry { verb, begin, end, numbers, lines })
}

fn verb(value: &Value) -> Option<Verb> {
    Verb::from_word(value.as_str()?)
}

/// A stamp; what happened before the common start happened at it.
fn stamp(value: &Value) -> Option<u64> {
    value.as_i64().map(|stamp| u64::try_from(stamp).unwrap_or(0))
}

fn index(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|index| usize::try_from(index).ok())
}

fn code(value: &Value) -> Option<(usize, i32)> {
    let code = value.get(1)?.as_i64().and_then(|code| i32::try_from(code).ok());
    Some((index(value.get(0)?)?, code?))
}

impl Entry {
    /// The number of the lock, object, thread, process or span that the entry is about.
    pub fn number(&self) -> usize {
        usize::try_from(self.numbers[0]).unwrap_or(usize::MAX)
    }

    /// When it happened; `None` = it waited in vain.
    pub fn happened(&self) -> Option<u64> {
        u64::try_from(self.numbers[2]).ok()
    }

    /// When its time-out was over, if the step waited in vain.
    pub fn in_vain(&self) -> Option<u64> {
        self.happened().is_none().then(|| self.begin.saturating_add(self.numbers[1].max(0) as u64))
    }
}

impl Report {
    /// A child process that was ended by a signal, and by which; `multiprocessing` counts those below zero.
    pub fn killed(&self) -> Option<(usize, i32)> {
        self.codes.iter().find(|(_, code)| *code < 0).map(|(process, code)| (*process, -code))
    }

    /// Whether it speaks only of what the scenario has.
    pub fn fits(&self, scenario: &Scenario) -> bool {
        let (threads, processes) = (scenario.threads().len(), scenario.processes().len());
        let entry = |entry: &Entry| match entry.verb {
            Verb::Acquire | Verb::Release => entry.number() < scenario.locks().len(),
            Verb::Enter | Verb::Leave => entry.number() < scenario.spans().len(),
            Verb::Start | Verb::Join => entry.number() < threads,
            Verb::StartProcess | Verb::JoinProcess => entry.number() < processes,
            verb if verb.uses_object() => entry.number() < scenario.objects().len(),
            _ => true,
        };
        let begun = |begun: Begun| !begun.verb.uses_object() || begun.number < scenario.objects().len() as u64;
        self.threads.iter().all(|each| each.thread < threads && each.log.iter().all(entry))
            && self.threads.iter().filter_map(|each| each.begun).all(begun)
            && self.processes.iter().all(|each| each.process < processes)
            && self.codes.iter().all(|(process, _)| *process < processes)
            && self.refused.iter().all(|(_, thread, ..)| *thread < threads)
    }
}
