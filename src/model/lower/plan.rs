//! A model as processes with groups of threads, counted but not yet multiplied out.

use std::collections::BTreeMap;

use crate::model::Limits;
use crate::model::code::Code;
use crate::model::decode::At;
use crate::model::lower::machine;
use crate::model::lower::python::{self, Settings};
use crate::model::policies::PolicyName;
use crate::model::program::Use;
use crate::model::report::Report;
use crate::model::scenario::Quota;
use crate::model::spec::Model;
use crate::model::spec::profile::Profile;
use crate::model::spec::python::{Python, Version};
use crate::model::spec::steps::{Action, Steps};
use crate::model::spec::threads::{InterpreterWord, Process, Runtime, Thread};
use crate::model::tree::Spot;

/// All processes of a model.
#[derive(Debug)]
pub struct Plan<'m> {
    /// Whether the model declares processes; if not, there is one, called main.
    pub declared: bool,
    /// The processes in the order of the file.
    pub processes: Vec<ProcessPlan<'m>>,
    /// The places of the declared processes by name.
    pub by_name: BTreeMap<&'m str, usize>,
}

/// A declared process with all its members.
#[derive(Debug)]
pub struct ProcessPlan<'m> {
    /// Its name.
    pub name: &'m str,
    /// Where the name stands.
    pub spot: Spot,
    /// How many members it has.
    pub count: u32,
    /// Its count, arrival and, if it has `do`, everything else that a thread has; `None` for the process that is not declared.
    pub thread: Option<&'m Thread>,
    /// Whether it has `do`: one main thread of the same name.
    pub single: bool,
    /// Its interpreter; `None` = native.
    pub python: Option<Settings>,
    /// Its groups of threads.
    pub groups: Vec<GroupPlan<'m>>,
    /// The places of its groups by name; empty if it has `do`.
    pub by_name: BTreeMap<&'m str, usize>,
    /// How much core time each member may use.
    pub quota: Option<Quota>,
    /// Whether some step starts it.
    pub started: bool,
    /// Its top-level code.
    pub module: &'m Steps,
    /// The process whose main module its members import again.
    pub imports: Option<usize>,
}

/// A declared thread with all its members.
#[derive(Debug)]
pub struct GroupPlan<'m> {
    /// Its name.
    pub name: &'m str,
    /// Where the name stands.
    pub spot: Spot,
    /// How many members it has in each process.
    pub count: u32,
    /// Its fields.
    pub thread: &'m Thread,
    /// What it does.
    pub steps: &'m Steps,
    /// Whether a step uses an object of its own process, so that its program is not the same in every member of the process.
    pub uses_process: bool,
    /// Whether some step starts it.
    pub started: bool,
}

/// A million threads with so many tickets each can still be counted in 64 bits.
const MOST_TICKETS: u64 = 1_000_000_000;

/// What a thread does whose steps could not be read.
static NO_STEPS: Steps = Steps(Vec::new());

impl GroupPlan<'_> {
    /// Whether its members have interpreters of their own.
    pub fn own_interpreter(&self) -> bool {
        self.thread.interpreter.is_some_and(|word| word.value == InterpreterWord::Own)
    }

    /// Whether its members are daemons.
    pub fn daemon(&self) -> bool {
        self.thread.daemon.is_some_and(|daemon| daemon.value)
    }
}

/// Whether a program names locks, other shared objects or groups.
fn uses_process(steps: &Steps) -> bool {
    let local = |action: &Action| {
        matches!(
            action,
            Action::With { .. }
                | Action::Acquire(_)
                | Action::Release(_)
                | Action::Use { .. }
                | Action::Start { .. }
                | Action::Join(_)
        )
    };
    steps.find(local).is_some()
}

fn places<'m>(groups: &[GroupPlan<'m>]) -> BTreeMap<&'m str, usize> {
    groups.iter().enumerate().map(|(place, group)| (group.name, place)).collect()
}

impl Plan<'_> {
    /// All groups that have members, with their processes.
    pub fn live(&self) -> impl Iterator<Item = (&ProcessPlan<'_>, &GroupPlan<'_>)> {
        let processes = self.processes.iter().filter(|process| process.count > 0);
        processes.flat_map(|process| {
            process.groups.iter().filter(|group| group.count > 0).map(move |group| (process, group))
        })
    }

    /// The code that the members of a process run before that of their threads: their own module, or the one that they
    /// import again, which takes in the main thread's steps where these stand outside of the main guard.
    pub fn top_level<'s>(&'s self, process: &'s ProcessPlan<'_>) -> impl Iterator<Item = &'s Steps> {
        let imported = process.imports.map(|program| &self.processes[program]);
        let own = (!process.started).then_some(process.module);
        let unguarded = imported.filter(|program| !program.is_guarded()).and_then(ProcessPlan::main_group);
        let module = imported.map(|program| program.module).or(own);
        module.into_iter().chain(unguarded.map(|group| group.steps))
    }
}

impl Plan<'_> {
    /// Whether the members of a process put something into a queue.
    pub fn puts(&self, process: &ProcessPlan, queue: &str) -> bool {
        let put = |action: &Action| matches!(action, Action::Use { verb: Use::Put, object } if object.value == queue);
        let own = process.groups.iter().map(|group| group.steps);
        own.chain(self.top_level(process)).any(|steps| steps.find(put).is_some())
    }
}

impl<'m> ProcessPlan<'m> {
    /// Whether the starts of its children stand under the main guard.
    pub fn is_guarded(&self) -> bool {
        self.python.as_ref().and_then(|python| python.main_guard).is_none_or(|guard| guard.value)
    }

    /// Everything that the members of a group run, but for what they import again.
    pub fn steps_of<'s>(&'s self, group: &'s GroupPlan<'_>) -> impl Iterator<Item = &'s Steps> {
        let main = self.main_group().is_some_and(|main| std::ptr::eq(main.name, group.name));
        main.then_some(self.module).into_iter().chain([group.steps])
    }

    /// The group of its main thread, if that is declared.
    pub fn main_group(&self) -> Option<&GroupPlan<'m>> {
        self.groups.iter().find(|group| self.single || group.name == "main")
    }
}

/// The plan of a model.
pub fn plan<'m>(model: &'m Model, profile: &Profile, limits: &Limits, report: &mut Report) -> Plan<'m> {
    let shared: Option<&Python> = model.python.as_ref().map(|python| &python.value);
    let policy = model.machine.as_ref().and_then(|machine| machine.value.scheduler.as_ref());
    let mut planner =
        Planner { shared, profile, limits, policy: policy.map_or(PolicyName::Fair, |at| at.value.policy), report };
    let processes = match (&model.processes, &model.threads) {
        (Some(processes), _) => {
            let items = processes.value.0.iter();
            items.map(|item| planner.process(&item.name, item.spot, &item.value)).collect()
        }
        (None, Some(threads)) => {
            let python = planner.settings(None);
            let items = threads.value.0.iter();
            let groups: Vec<GroupPlan> =
                items.map(|item| planner.group(&item.name, item.spot, &item.value.0, Some(&python))).collect();
            vec![ProcessPlan {
                name: "main",
                spot: threads.key,
                count: 1,
                thread: None,
                single: false,
                python: Some(python),
                by_name: places(&groups),
                groups,
                quota: None,
                started: false,
                module: &NO_STEPS,
                imports: None,
            }]
        }
        (None, None) => Vec::new(),
    };
    let declared = model.processes.is_some();
    let named = processes.iter().enumerate().filter(|_| declared).map(|(place, process)| (process.name, place));
    Plan { declared, by_name: named.collect(), processes }
}

struct Planner<'p, 'm> {
    shared: Option<&'m Python>,
    profile: &'p Profile,
    limits: &'p Limits,
    policy: PolicyName,
    report: &'p mut Report,
}

impl<'m> Planner<'_, 'm> {
    fn settings(&mut self, own: Option<&Python>) -> Settings {
        let layers: Vec<&Python> = own.into_iter().chain(self.shared).collect();
        python::settle(&layers, self.profile, self.report)
    }

    fn process(&mut self, name: &'m str, spot: Spot, shape: &'m Process) -> ProcessPlan<'m> {
        let native = shape.runtime.is_some_and(|runtime| runtime.value == Runtime::Native);
        if let (true, Some(python)) = (native, &shape.python) {
            self.report.warning(Code::W507, python.key, "a native process has no interpreter");
        }
        let own = shape.python.as_ref().map(|python| &python.value);
        let python = (!native).then(|| self.settings(own));
        let groups: Vec<GroupPlan> = match &shape.threads {
            Some(threads) => {
                let items = threads.value.0.iter();
                items.map(|item| self.group(&item.name, item.spot, &item.value.0, python.as_ref())).collect()
            }
            None => {
                let mut only = self.group(name, spot, &shape.thread, python.as_ref());
                only.count = 1;
                vec![only]
            }
        };
        let count = self.count(shape.thread.count);
        let single = shape.threads.is_none();
        let by_name = if single { BTreeMap::new() } else { places(&groups) };
        let thread = Some(&shape.thread);
        let quota = shape.quota.as_ref().and_then(|quota| machine::quota(quota, self.report));
        let module = shape.module.as_ref().map_or(&NO_STEPS, |module| &module.value);
        ProcessPlan {
            name,
            spot,
            count,
            thread,
            single,
            python,
            groups,
            by_name,
            quota,
            started: false,
            module,
            imports: None,
        }
    }

    fn group(&mut self, name: &'m str, spot: Spot, thread: &'m Thread, python: Option<&Settings>) -> GroupPlan<'m> {
        let steps = thread.steps.as_ref().map_or(&NO_STEPS, |steps| &steps.value);
        let group = GroupPlan {
            name,
            spot,
            count: self.count(thread.count),
            thread,
            steps,
            uses_process: uses_process(steps),
            started: false,
        };
        self.check_fields(&group, python);
        group
    }

    fn count(&mut self, count: Option<At<u64>>) -> u32 {
        let Some(At { value, spot, .. }) = count else { return 1 };
        let fits = u32::try_from(value).ok().filter(|count| *count <= self.limits.threads);
        fits.unwrap_or_else(|| {
            let message = format!("{value} members; a model has at most {} threads", self.limits.threads);
            self.report.error(Code::E304, spot, message).help("raise the limit with --max-threads");
            1
        })
    }

    fn check_fields(&mut self, group: &GroupPlan, python: Option<&Settings>) {
        let thread = group.thread;
        if let Some(nice) = thread.nice.filter(|nice| !(-20..=19).contains(&nice.value)) {
            self.report.error(Code::E105, nice.spot, "nice is from -20 to 19");
        }
        if let Some(tickets) = thread.tickets.filter(|tickets| !(1..=MOST_TICKETS).contains(&tickets.value)) {
            self.report.error(Code::E105, tickets.spot, format!("a thread has 1 to {MOST_TICKETS} tickets"));
        }
        if let Some(word) = thread.interpreter.filter(|_| group.own_interpreter()) {
            match python.map(|python| python.version) {
                None => {
                    self.report.error(Code::E209, word.spot, "a native process has no interpreter");
                }
                Some(version) if version < Version(3, 12) => {
                    let message =
                        format!("Python {version} has one GIL for all interpreters; 3.12 is the first with own ones");
                    self.report.error(Code::E209, word.spot, message);
                }
                Some(_) => {}
            }
        }
        self.without_effect(thread);
    }

    /// Fields that the chosen scheduler does not look at.
    fn without_effect(&mut self, thread: &Thread) {
        let policy = self.policy;
        let fair = policy == PolicyName::Fair;
        let by_priority = policy == PolicyName::Priority;
        let by_tickets = matches!(policy, PolicyName::Lottery | PolicyName::Stride);
        let ignored = [
            ("nice", thread.nice.filter(|nice| !fair && nice.value != 0).map(|nice| nice.key)),
            (
                "priority",
                thread.priority.filter(|priority| !by_priority && priority.value != 0).map(|priority| priority.key),
            ),
            ("tickets", thread.tickets.filter(|_| !by_tickets).map(|tickets| tickets.key)),
        ];
        for (field, key) in ignored {
            if let Some(key) = key {
                let message = format!("the {} scheduler does not look at {field}", policy.word());
                self.report.warning(Code::W507, key, message);
            }
        }
    }
}

/// Whether all members and all their operations fit the limits; if not, that is reported.
pub fn fits(plan: &Plan, limits: &Limits, report: &mut Report) -> bool {
    let (mut processes, mut threads, mut steps, mut affinity) = (0u128, 0u128, 0u128, 0u128);
    for process in &plan.processes {
        let members = u128::from(process.count);
        processes += members;
        for group in &process.groups {
            let here = members * u128::from(group.count);
            threads += here;
            affinity += here * group.thread.affinity.as_ref().map_or(0, |cores| cores.value.len() as u128);
            let copies = if group.uses_process { members } else { 1 };
            steps += copies * u128::from(group.steps.operations());
        }
        steps += members * plan.top_level(process).map(|steps| u128::from(steps.operations())).sum::<u128>();
    }
    let spot = plan.processes.first().map_or(Spot::default(), |process| process.spot);
    let checks = [
        (threads, u128::from(limits.threads), "threads", "--max-threads"),
        (processes, u128::from(limits.threads), "processes", "--max-threads"),
        (steps, u128::from(limits.steps), "steps", "--max-steps"),
        (affinity, u128::from(limits.threads) * 16, "cores in affinity lists", "--max-threads"),
    ];
    let mut fits = true;
    for (found, limit, what, flag) in checks.into_iter().filter(|(found, limit, ..)| found > limit) {
        let message = format!("{found} {what} in all; a model has at most {limit}");
        report.error(Code::E304, spot, message).help(format!("raise the limit with {flag}"));
        fits = false;
    }
    fits
}
