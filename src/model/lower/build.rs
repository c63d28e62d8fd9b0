//! Multiplies a plan out: every process, interpreter and thread with its number.

pub mod across;

use std::collections::BTreeMap;

use crate::ids::{DeviceId, GilId, GroupId, IdVec, InterpId, LockId, ObjectId, ProcId, ProgramId, SpanId, ThreadId};
use crate::model::decode::At;
use crate::model::expect::Expectation;
use crate::model::lower::arrivals::arrivals;
use crate::model::lower::declared::{Declared, Objects, Shape};
use crate::model::lower::plan::{GroupPlan, Plan, ProcessPlan};
use crate::model::lower::programs::{Names, compile, spans};
use crate::model::lower::python::{DEFAULT_INTERVAL, Settings};
use crate::model::lower::references::Uses;
use crate::model::lower::{ceilings, machine, member};
use crate::model::program::Program;
use crate::model::report::Report;
use crate::model::scenario::{
    Arrival, Form, Gil, Group, Interpreter, Lock, Machine, Members, Object, Process, Protocol, Run, Scenario, Sharing,
    StartMethod, Thread,
};
use crate::model::spec::Model;
use crate::model::spec::objects::{Across as Word, LockKind};
use crate::model::spec::python::Version;
use crate::model::spec::threads::Thread as ThreadShape;
use crate::time::Span;

/// The process id of the first process; the others follow in declaration order.
const FIRST_PID: u32 = 1000;
/// What holds without `tickets`.
const DEFAULT_TICKETS: u64 = 100;
/// CPython's `TIME_TO_BE_FAIR_NS` (`Python/lock.c`, 3.13): a mutex whose waiter has waited longer is handed over.
const TIME_TO_BE_FAIR: Span = Span::from_ms(1);

/// What a scenario is built from.
pub struct Parts<'p, 'm> {
    /// The shapes.
    pub model: &'m Model,
    /// The processes and groups, within the limits.
    pub plan: &'p Plan<'m>,
    /// What is declared for them to share.
    pub objects: &'p Objects<'m>,
    /// What their steps use.
    pub uses: &'p Uses,
    /// The machine.
    pub machine: Machine,
    /// The run.
    pub run: Run,
    /// The expectations.
    pub expectations: Vec<Expectation>,
}

/// Builds the scenario.
pub fn build(parts: Parts, report: &mut Report) -> Scenario {
    let Parts { model, plan, objects, uses, mut machine, run, expectations } = parts;
    let devices = machine::devices(model, report);
    let device_ids: BTreeMap<&str, DeviceId> = devices.iter().map(|(id, device)| (device.name.as_str(), id)).collect();
    let spans = spans(plan);
    let span_ids: BTreeMap<&str, SpanId> = spans.iter().map(|(id, name)| (name.as_str(), id)).collect();
    let numbers = Numbers { devices: &device_ids, spans: &span_ids };
    let mut builder = Builder::new((plan, objects, uses), numbers, run.seed, machine.cores.len(), report);
    builder.process_groups();
    builder.across();
    for index in 0..plan.processes.len() {
        builder.process(index);
    }
    let Builder { processes, interpreters, gils, groups, threads, programs, mut locks, objects, .. } = builder;
    ceilings::raise(&mut locks, &threads, &programs);
    machine::rescale(&mut machine, interpreters.values().map(|interpreter| interpreter.factor));
    let text = |field: &Option<At<String>>| field.as_ref().map(|at| at.value.clone());
    let profile = model.machine.as_ref().and_then(|machine| text(&machine.value.profile));
    Scenario {
        name: text(&model.name).unwrap_or_default(),
        about: text(&model.about),
        profile: profile.unwrap_or_else(|| "ideal".to_owned()),
        machine,
        devices,
        locks,
        objects,
        processes,
        interpreters,
        gils,
        groups,
        threads,
        programs,
        spans,
        run,
        expectations,
    }
}

/// What the whole model shares and steps name.
#[derive(Clone, Copy)]
struct Numbers<'b> {
    devices: &'b BTreeMap<&'b str, DeviceId>,
    spans: &'b BTreeMap<&'b str, SpanId>,
}

struct Builder<'b, 'm> {
    plan: &'b Plan<'m>,
    declared: &'b Objects<'m>,
    uses: &'b Uses,
    numbers: Numbers<'b>,
    seed: u64,
    cores: usize,
    report: &'b mut Report,
    processes: IdVec<ProcId, Process>,
    interpreters: IdVec<InterpId, Interpreter>,
    gils: IdVec<GilId, Gil>,
    groups: IdVec<GroupId, Group>,
    threads: IdVec<ThreadId, Thread>,
    programs: IdVec<ProgramId, Program>,
    locks: IdVec<LockId, Lock>,
    objects: IdVec<ObjectId, Object>,
    /// What all processes share, by its name.
    across: across::Shared<'m>,
}

impl<'b, 'm> Builder<'b, 'm> {
    fn new(
        (plan, declared, uses): (&'b Plan<'m>, &'b Objects<'m>, &'b Uses),
        numbers: Numbers<'b>,
        seed: u64,
        cores: usize,
        report: &'b mut Report,
    ) -> Self {
        Builder {
            plan,
            declared,
            uses,
            numbers,
            seed,
            cores,
            report,
            processes: IdVec::new(),
            interpreters: IdVec::new(),
            gils: IdVec::new(),
            groups: IdVec::new(),
            threads: IdVec::new(),
            programs: IdVec::new(),
            locks: IdVec::new(),
            objects: IdVec::new(),
            across: across::Shared::default(),
        }
    }

    /// Declared processes are the first groups, so that the number of a process is the number of its group.
    fn process_groups(&mut self) {
        let mut next = 0;
        for process in self.plan.processes.iter().filter(|_| self.plan.declared) {
            let members = Members::Processes(next..next + process.count);
            next += process.count;
            self.groups.push(Group { name: process.name.to_owned(), members, started: process.started });
        }
    }

    fn process(&mut self, index: usize) {
        let plan: &'b ProcessPlan<'m> = &self.plan.processes[index];
        let arrivals = match plan.thread {
            Some(thread) => arrivals(thread, plan.count, self.seed, &format!("{}/arrivals", plan.name), self.report),
            None => vec![Span::ZERO; plan.count as usize],
        };
        // Programs that mean the same in every member of the process.
        let mut shared: BTreeMap<usize, ProgramId> = BTreeMap::new();
        for (number, at) in (0..plan.count).zip(arrivals) {
            let arrival = if plan.started { Arrival::OnStart } else { Arrival::At(at) };
            self.member(index, number, arrival, &mut shared);
        }
    }

    fn member(&mut self, index: usize, number: u32, arrival: Arrival, shared: &mut BTreeMap<usize, ProgramId>) {
        let plan: &'b ProcessPlan<'m> = &self.plan.processes[index];
        let id = ProcId(self.processes.len() as u32);
        let name = member(plan.name, plan.count, number);
        let locks = self.locks(index, id, &name);
        let objects = self.objects(index, id, &name, &locks);
        let names = Names {
            devices: self.numbers.devices,
            spans: self.numbers.spans,
            objects,
            locks,
            queues: self.queue_ends(index, id, &name),
            groups: self.thread_groups(index),
            processes: &self.plan.by_name,
        };
        let first = self.threads.len() as u32;
        let main = self.main_interpreter(plan, id, &name);
        let home = Home { plan, id, name: &name, number, main };
        let mut children = 0;
        for (place, group) in plan.groups.iter().enumerate() {
            let program = if group.uses_process { None } else { shared.get(&place).copied() };
            let program = program.unwrap_or_else(|| self.programs.push(compile([group.steps], &names)));
            shared.insert(place, program);
            let group_id = if plan.single { GroupId(index as u32) } else { names.groups[group.name] };
            self.group(&home, group, group_id, program, &mut children);
        }
        self.feeders(&home, &names.queues);
        let module = self.module(plan, names);
        self.processes.push(Process {
            module,
            group: self.plan.declared.then_some(GroupId(index as u32)),
            arrival,
            start_method: plan.python.as_ref().map_or(StartMethod::Fork, |python| python.start_method),
            python: plan.python.as_ref().map(|python| (python.version.0, python.version.1)),
            threads: first..self.threads.len() as u32,
            quota: plan.quota,
            pid: FIRST_PID + id.0,
            name,
        });
    }

    /// The top-level code that a member of a process runs. Names of groups in it mean those of the program, all of which
    /// are processes where a child can get so far.
    fn module(&mut self, plan: &ProcessPlan, names: Names) -> Option<ProgramId> {
        let imports = plan.imports.is_some();
        let names = if imports { Names { groups: BTreeMap::new(), ..names } } else { names };
        let program = compile(self.plan.top_level(plan), &names);
        (!program.ops.is_empty()).then(|| self.programs.push(program))
    }

    /// What is declared and belongs to a member of a process: everything, or what it uses where the model declares
    /// processes.
    fn declared(&self, index: usize) -> Vec<&'b Declared<'m>> {
        let all = self.declared.all.iter().enumerate();
        // Who is forked has a copy of what its parent has, and hands it on, whether it uses it or not.
        let copied =
            |place: &usize, object: &Declared| object.shape.across() == Word::Copies && self.uses.by_anyone(*place);
        let own = |place: &usize, object: &Declared| match object.shape.across() {
            Word::Processes => false,
            _ => !self.plan.declared || self.uses.objects[index].contains(place) || copied(place, object),
        };
        all.filter(|(place, object)| own(place, object)).map(|(_, object)| object).collect()
    }

    /// Whose an object of a member of a process is.
    fn sharing(&self, object: &Declared, process: ProcId) -> Sharing {
        match object.shape.across() {
            Word::Copies => Sharing::Copied { process, declared: self.declared.by_name[object.name] as u32 },
            _ => Sharing::Within(process),
        }
    }

    /// The name of an object of a member of a process.
    fn object_name(&self, process: &str, name: &str) -> String {
        if self.plan.declared { format!("{process}/{name}") } else { name.to_owned() }
    }

    /// The locks of a member of a process, also under the names of the conditions that they belong to.
    fn locks(&mut self, index: usize, process: ProcId, name: &str) -> BTreeMap<&'m str, LockId> {
        let version = self.plan.processes[index].python.as_ref().map(|python| python.version);
        let mut ids = self.across.locks.clone();
        for object in self.declared(index) {
            let (reentrant, protocol) = match object.shape {
                Shape::Lock(lock) => {
                    (lock.kind.is_some_and(|kind| kind.value == LockKind::Rlock), ceilings::protocol(lock))
                }
                // `Condition()` makes an RLock.
                Shape::Condition(condition) if condition.lock.is_none() => (true, Protocol::None),
                _ => continue,
            };
            let lock = Lock {
                name: self.object_name(name, object.name),
                sharing: self.sharing(object, process),
                reentrant,
                fair_after: fair_after(version, reentrant),
                protocol,
            };
            ids.insert(object.name, self.locks.push(lock));
        }
        for object in self.declared(index) {
            if let Shape::Condition(condition) = object.shape
                && let Some(lock) = self.declared.lock_of(condition)
                && let Some(id) = ids.get(self.declared.all[lock].name).copied()
            {
                ids.insert(object.name, id);
            }
        }
        ids
    }

    /// The other shared objects of a member of a process.
    fn objects(
        &mut self,
        index: usize,
        process: ProcId,
        name: &str,
        locks: &BTreeMap<&'m str, LockId>,
    ) -> BTreeMap<&'m str, ObjectId> {
        let version = self.plan.processes[index].python.as_ref().map(|python| python.version);
        let mut ids = self.across.objects.clone();
        for object in self.declared(index) {
            let number = |at: Option<At<u64>>| at.map(|at| at.value);
            let form = match object.shape {
                Shape::Lock(_) => continue,
                Shape::Semaphore(semaphore) => Form::Semaphore { permits: number(semaphore.value).unwrap_or(1) },
                Shape::Queue(queue) => Form::Queue { capacity: number(queue.capacity) },
                Shape::Event(_) => Form::Event,
                Shape::Condition(_) => match locks.get(object.name) {
                    Some(lock) => Form::Condition { lock: *lock },
                    None => continue,
                },
                Shape::Barrier(barrier) => Form::Barrier { parties: number(barrier.parties).unwrap_or(1) },
                Shape::Variable(initial) => Form::Variable { initial },
            };
            let fair_after = fair_after(version, false);
            let name = self.object_name(name, object.name);
            let sharing = self.sharing(object, process);
            ids.insert(object.name, self.objects.push(Object { name, sharing, form, fair_after }));
        }
        ids
    }

    /// Makes the groups of threads of a member of a process.
    fn thread_groups(&mut self, index: usize) -> BTreeMap<&'b str, GroupId> {
        let plan: &'b Plan<'m> = self.plan;
        let mut ids: BTreeMap<&'b str, GroupId> = BTreeMap::new();
        let process = &plan.processes[index];
        let mut next = self.threads.len() as u32;
        for group in process.groups.iter().filter(|_| !process.single) {
            let members = Members::Threads(next..next + group.count);
            next += group.count;
            let id = self.groups.push(Group { name: group.name.to_owned(), members, started: group.started });
            ids.insert(group.name, id);
        }
        ids
    }

    /// The interpreter that the threads of a process share, if some thread is in it.
    fn main_interpreter(&mut self, plan: &ProcessPlan, process: ProcId, name: &str) -> Option<InterpId> {
        let python = plan.python.as_ref()?;
        let needed = plan.groups.iter().any(|group| group.count > 0 && !group.own_interpreter());
        needed.then(|| self.interpreter(python, python.interval, process, name.to_owned()))
    }

    fn interpreter(&mut self, python: &Settings, interval: Span, process: ProcId, name: String) -> InterpId {
        let gil = python
            .gil
            .then(|| self.gils.push(Gil { name, interval, next_holder: python.next_holder, rule: python.rule }));
        let checks_everywhere = python.version < Version(3, 10);
        let (factor, costs) = (python.factor, python.costs);
        self.interpreters.push(Interpreter { process, gil, checks_everywhere, factor, costs })
    }

    fn group(&mut self, home: &Home, group: &GroupPlan, id: GroupId, program: ProgramId, children: &mut u32) {
        let arrivals = self.thread_arrivals(home, group);
        let affinity = group.thread.affinity.as_ref().map(|cores| machine::affinity(cores, self.cores, self.report));
        for (number, at) in (0..group.count).zip(arrivals) {
            let name = if home.plan.single { home.name.to_owned() } else { member(group.name, group.count, number) };
            let interpreter = match &home.plan.python {
                Some(python) if group.own_interpreter() => {
                    // `sys.setswitchinterval` is for the GIL of its caller; a new one begins with the default
                    // (`_gil_initialize`, 3.12).
                    Some(self.interpreter(python, DEFAULT_INTERVAL, home.id, format!("{}/{name}", home.name)))
                }
                _ => home.main,
            };
            let main = home.plan.single || name == "main";
            *children += u32::from(!main);
            self.threads.push(Thread {
                python_name: home.python_name(group, &name, main, *children),
                stream: format!("{}/{}#{}", home.stream(self.plan.declared), group.name, number + 1),
                name,
                group: id,
                process: home.id,
                interpreter,
                own_interpreter: group.own_interpreter() && interpreter.is_some(),
                program,
                arrival: if group.started { Arrival::OnStart } else { Arrival::At(at) },
                daemon: group.daemon(),
                nice: nice(group.thread),
                priority: priority(group.thread),
                tickets: tickets(group.thread),
                period: group.thread.period(),
                deadline: group.thread.deadline().or(group.thread.period()),
                affinity: affinity.clone(),
            });
        }
    }

    /// When the members of a group arrive after their process. A process with `do` arrives as a whole.
    fn thread_arrivals(&mut self, home: &Home, group: &GroupPlan) -> Vec<Span> {
        if home.plan.single {
            return vec![Span::ZERO];
        }
        let prefix = if self.plan.declared { format!("{}/", home.stream(true)) } else { String::new() };
        arrivals(group.thread, group.count, self.seed, &format!("{prefix}{}/arrivals", group.name), self.report)
    }
}

/// The member of a process that threads are made for.
struct Home<'h, 'm> {
    plan: &'h ProcessPlan<'m>,
    id: ProcId,
    name: &'h str,
    number: u32,
    main: Option<InterpId>,
}

impl Home<'_, '_> {
    /// Its part of stream names. It has its number even where it is the only member, so that another member changes no draws.
    fn stream(&self, declared: bool) -> String {
        if declared { format!("{}#{}", self.plan.name, self.number + 1) } else { self.plan.name.to_owned() }
    }

    /// The name in `threading.enumerate()`: since 3.10 with the name of the function (bpo-41982).
    fn python_name(&self, group: &GroupPlan, name: &str, main: bool, number: u32) -> String {
        match self.plan.python.as_ref().map(|python| python.version) {
            None => name.to_owned(),
            Some(_) if main => "MainThread".to_owned(),
            Some(version) if version >= Version(3, 10) => format!("Thread-{number} ({})", group.name),
            Some(_) => format!("Thread-{number}"),
        }
    }
}

fn nice(thread: &ThreadShape) -> i8 {
    thread.nice.map_or(0, |nice| nice.value.clamp(-20, 19) as i8)
}

fn tickets(thread: &ThreadShape) -> u64 {
    thread.tickets.map_or(DEFAULT_TICKETS, |tickets| tickets.value)
}

fn priority(thread: &ThreadShape) -> i64 {
    thread.priority.map_or(0, |priority| priority.value)
}

/// Since 3.13 a `Lock` is a `PyMutex`, since 3.14 an `RLock` is one too; before, and in native programs, a semaphore.
fn fair_after(version: Option<Version>, reentrant: bool) -> Option<Span> {
    let since = if reentrant { Version(3, 14) } else { Version(3, 13) };
    version.filter(|version| *version >= since).map(|_| TIME_TO_BE_FAIR)
}
