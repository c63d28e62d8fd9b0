//! Names that steps use: each must be declared where the step can see it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::code::Code;
use crate::model::decode::{At, Named};
use crate::model::lower::declared::{Objects, Shape, named};
use crate::model::lower::plan::{GroupPlan, Plan, ProcessPlan};
use crate::model::report::Report;
use crate::model::spec::Model;
use crate::model::spec::objects::Across;
use crate::model::spec::steps::{Action, Step, Steps};
use crate::model::tree::{Spot, crop};

/// What the steps of a model use.
#[derive(Debug, Default)]
pub struct Uses {
    /// For each process of the plan the declared objects that it uses, by their places in [`Objects::all`].
    pub objects: Vec<BTreeSet<usize>>,
    /// The names of the devices that are used.
    pub devices: BTreeSet<String>,
}

impl Uses {
    /// Whether some process uses the object at this place.
    pub fn by_anyone(&self, place: usize) -> bool {
        self.objects.iter().any(|used| used.contains(&place))
    }
}

/// What `start` and `join` name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A group of threads of process `.0`: number `.1`.
    Threads(usize, usize),
    /// A process.
    Process(usize),
}

/// What `start` and `join` mean by a name in process `here`: threads of this process, else processes.
pub fn target(plan: &Plan, here: usize, name: &str) -> Option<Target> {
    let group = plan.processes[here].by_name.get(name).map(|group| Target::Threads(here, *group));
    group.or_else(|| plan.by_name.get(name).map(|process| Target::Process(*process)))
}

/// Checks all names that steps use.
pub fn check(model: &Model, plan: &Plan, objects: &Objects, report: &mut Report) -> Uses {
    let uses = Uses { objects: vec![BTreeSet::new(); plan.processes.len()], devices: BTreeSet::new() };
    let devices = model.machine.as_ref().and_then(|machine| machine.value.devices.as_ref());
    let mut checker = Checker { plan, objects, devices: places(devices), uses, seen: BTreeMap::new(), report };
    checker.conditions();
    for (here, process) in plan.processes.iter().enumerate() {
        for group in &process.groups {
            process.steps_of(group).for_each(|steps| checker.steps(here, process, group, steps));
        }
    }
    for (here, process) in plan.processes.iter().enumerate().filter(|(_, process)| process.imports.is_some()) {
        plan.top_level(process).for_each(|steps| checker.imported(here, steps));
    }
    checker.uses
}

/// Declared names with their places.
type Places<'m> = BTreeMap<&'m str, usize>;

fn places<T>(named: Option<&At<Named<T>>>) -> Places<'_> {
    named.iter().flat_map(|named| named.value.names()).enumerate().map(|(place, name)| (name, place)).collect()
}

struct Checker<'c, 'm> {
    plan: &'c Plan<'m>,
    objects: &'c Objects<'m>,
    devices: Places<'m>,
    uses: Uses,
    /// For each object the process that named it first.
    seen: BTreeMap<usize, usize>,
    report: &'c mut Report,
}

impl Checker<'_, '_> {
    /// The locks of conditions.
    fn conditions(&mut self) {
        for object in &self.objects.all {
            if let Shape::Condition(condition) = object.shape
                && let Some(name) = &condition.lock
                && self.objects.lock_of(condition).is_none()
            {
                undeclared("lock", name, self.objects.names(&["lock"]), self.report);
            }
        }
    }

    fn steps(&mut self, here: usize, process: &ProcessPlan, group: &GroupPlan, steps: &Steps) {
        steps.each(&mut |step| match &step.action {
            Action::Io { device: Some(device), .. } => self.device(device),
            Action::Start { group: name, .. } | Action::Join(name) => self.target(here, process, name),
            _ => self.object(here, group, step),
        });
    }

    fn object(&mut self, here: usize, group: &GroupPlan, step: &Step) {
        let Some((name, kinds)) = named(step) else { return };
        let place = self.objects.by_name.get(name.value.as_str()).copied();
        let Some(place) = place.filter(|place| kinds.contains(&self.objects.all[*place].shape.word())) else {
            return undeclared(&one_of(kinds), name, self.objects.names(kinds), self.report);
        };
        self.used(here, group, name, place);
        if let Shape::Condition(condition) = self.objects.all[place].shape
            && let Some(lock) = self.objects.lock_of(condition)
        {
            self.used(here, group, name, lock);
        }
    }

    /// What a child imports again makes objects of its own.
    fn imported(&mut self, here: usize, steps: &Steps) {
        let mut used = BTreeSet::new();
        steps.each(&mut |step| {
            let Some((name, _)) = named(step) else { return };
            let Some(place) = self.objects.by_name.get(name.value.as_str()).copied() else { return };
            used.insert(place);
            if let Shape::Condition(condition) = self.objects.all[place].shape {
                used.extend(self.objects.lock_of(condition));
            }
        });
        self.uses.objects[here].extend(used);
    }

    fn used(&mut self, here: usize, group: &GroupPlan, name: &At<String>, place: usize) {
        let word = self.objects.all[place].shape.word();
        if group.own_interpreter() {
            let message = format!(
                "\"{}\" has interpreters of its own, which cannot use the {word} \"{}\"",
                group.name, name.value
            );
            self.report.error(Code::E207, name.spot, message).help("with interpreter: shared they can");
        }
        let across = self.objects.all[place].shape.across();
        if across == Across::Processes
            && self.plan.processes[here].python.is_none()
            && !matches!(word, "lock" | "semaphore")
        {
            let message = format!("a native process has no {word} of Python's multiprocessing");
            self.report.error(Code::E209, name.spot, message);
        }
        let first = *self.seen.entry(place).or_insert(here);
        if first != here && across == Across::Threads {
            let other = self.plan.processes[first].name;
            let message = format!(
                "the {word} \"{}\" is already used in \"{other}\", and {word}s do not cross processes",
                name.value
            );
            let help = match self.objects.all[place].shape {
                Shape::Condition(_) | Shape::Barrier(_) | Shape::Variable(_) => format!("declare a {word} for each"),
                _ => "across: processes shares it; across: copies gives each process its own".to_owned(),
            };
            self.report.error(Code::E208, name.spot, message).help(help);
        }
        self.uses.objects[here].insert(place);
    }

    fn device(&mut self, name: &At<String>) {
        if self.devices.contains_key(name.value.as_str()) {
            self.uses.devices.insert(name.value.clone());
        } else {
            undeclared("device", name, self.devices.keys().copied(), self.report);
        }
    }

    fn target(&mut self, here: usize, process: &ProcessPlan, name: &At<String>) {
        if target(self.plan, here, &name.value).is_none() {
            let known = process.by_name.keys().chain(self.plan.by_name.keys()).copied();
            undeclared("group", name, known, self.report);
        }
    }
}

/// `lock, semaphore or condition`.
fn one_of(kinds: &[&str]) -> String {
    match kinds {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => kinds.concat(),
    }
}

fn undeclared<'n>(kind: &str, name: &At<String>, known: impl Iterator<Item = &'n str> + Clone, report: &mut Report) {
    const SHOWN: usize = 12;
    let finding = report.error(Code::E203, name.spot, format!("no {kind} called \"{}\"", crop(&name.value)));
    finding.suggest(&name.value, known.clone());
    let shown: Vec<&str> = known.take(SHOWN + 1).collect();
    finding.help(match shown.len() {
        0 => format!("no {kind} is declared"),
        length if length > SHOWN => format!("declared: {}, …", shown[..SHOWN].join(", ")),
        _ => format!("declared: {}", shown.join(", ")),
    });
}

/// The place of a target's name.
pub fn spot(plan: &Plan, target: Target) -> Spot {
    match target {
        Target::Threads(process, group) => plan.processes[process].groups[group].spot,
        Target::Process(process) => plan.processes[process].spot,
    }
}
