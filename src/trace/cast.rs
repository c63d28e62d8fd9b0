//! Who appears in a timeline: the names and numbers that a reader of records needs, taken from the scenario.

use crate::ids::{CoreId, GilId, GroupId, IdVec, LockId, ObjectId, ProcId, SpanId, ThreadId};
use crate::model::{Arrival, Form, Scenario};
use crate::trace::ObjectKind;

/// Everybody and everything that records name by number.
#[derive(Clone, Debug, PartialEq)]
pub struct Cast {
    /// The processes' names.
    pub processes: IdVec<ProcId, String>,
    /// For each process the declared group that it is a member of, where the model declares processes.
    pub process_groups: IdVec<ProcId, Option<GroupId>>,
    /// The declared groups' names.
    pub groups: IdVec<GroupId, String>,
    /// The threads.
    pub threads: IdVec<ThreadId, Actor>,
    /// The GILs' names.
    pub gils: IdVec<GilId, String>,
    /// The locks' names.
    pub locks: IdVec<LockId, String>,
    /// The shared objects other than locks.
    pub objects: IdVec<ObjectId, Thing>,
    /// The names of stretches of work.
    pub spans: IdVec<SpanId, String>,
    /// The work each core does per nanosecond, in units of `1 / scale` nanoseconds.
    pub cores: IdVec<CoreId, u64>,
    /// In how many units a nanosecond of work is counted.
    pub scale: u64,
}

/// A shared object as readers of records know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ObjectKind,
    /// What it holds at first: permits of a semaphore, the value of a variable; 0 of everything else.
    pub initial: i64,
}

/// A thread as readers of records know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Actor {
    /// Its process.
    pub process: ProcId,
    /// Its name within the process.
    pub name: String,
    /// The declared group it belongs to.
    pub group: GroupId,
    /// Whether it is a daemon.
    pub daemon: bool,
    /// Whether it waits for a `start` step (and may therefore never arrive).
    pub on_start: bool,
    /// The GIL it needs for Python code.
    pub gil: Option<GilId>,
    /// By how much its Python code takes longer, as a fraction (free-threaded builds).
    pub factor: (u64, u64),
    /// The cores it may use; `None` = all.
    pub affinity: Option<Box<[CoreId]>>,
}

impl Actor {
    /// Whether Python makes it by itself, for an object: it has a name that a model cannot declare, with a dot.
    pub fn is_helper(&self) -> bool {
        self.name.contains('.')
    }
}

impl Thing {
    fn of(object: &crate::model::Object) -> Thing {
        let (kind, initial) = match object.form {
            Form::Semaphore { permits } | Form::ProcessSemaphore { permits } => {
                (ObjectKind::Semaphore, i64::try_from(permits).unwrap_or(i64::MAX))
            }
            Form::Queue { .. } | Form::ProcessQueue { .. } => (ObjectKind::Queue, 0),
            Form::Event => (ObjectKind::Event, 0),
            Form::Condition { .. } => (ObjectKind::Condition, 0),
            Form::Barrier { .. } => (ObjectKind::Barrier, 0),
            Form::Variable { initial } => (ObjectKind::Variable, initial),
        };
        Thing { name: object.name.clone(), kind, initial }
    }
}

impl Cast {
    /// The cast of a scenario.
    pub fn of(scenario: &Scenario) -> Cast {
        let threads = scenario.threads().iter().map(|(id, thread)| {
            let factor = thread.interpreter.map(|interpreter| scenario.interpreters()[interpreter].factor);
            Actor {
                process: thread.process,
                name: thread.name.clone(),
                group: thread.group,
                daemon: thread.daemon,
                on_start: thread.arrival == Arrival::OnStart,
                gil: scenario.gil_of(id),
                factor: factor.map_or((1, 1), |factor| (factor.num() as u64, factor.den() as u64)),
                affinity: thread.affinity.clone(),
            }
        });
        Cast {
            processes: scenario.processes().values().map(|process| process.name.clone()).collect(),
            process_groups: scenario.processes().values().map(|process| process.group).collect(),
            groups: scenario.groups().values().map(|group| group.name.clone()).collect(),
            threads: threads.collect(),
            gils: scenario.gils().values().map(|gil| gil.name.clone()).collect(),
            locks: scenario.locks().values().map(|lock| lock.name.clone()).collect(),
            objects: scenario.objects().values().map(Thing::of).collect(),
            spans: scenario.spans().clone(),
            cores: scenario.machine().cores.clone(),
            scale: scenario.machine().scale,
        }
    }

    /// The full name of a thread, `process/thread`.
    pub fn full_name(&self, thread: ThreadId) -> String {
        let actor = &self.threads[thread];
        format!("{}/{}", self.processes[actor.process], actor.name)
    }

    /// Whether there is more than one process, so that full names tell more than short ones.
    pub fn has_processes(&self) -> bool {
        self.processes.len() > 1
    }

    /// The name to print: the thread's own, or the full one where the process says something that the thread does not.
    pub fn label(&self, thread: ThreadId) -> String {
        let actor = &self.threads[thread];
        if !self.has_processes() || self.processes[actor.process] == actor.name {
            actor.name.clone()
        } else {
            self.full_name(thread)
        }
    }

    /// The threads that a selector means: a full name `process/thread`, a thread name, a group name (all its members),
    /// a process name (all its threads but those that Python makes by itself; also the declared name of several processes), `prefix*` (of a thread's short or full name) or `*`. In declaration order, each once.
    pub fn select(&self, selector: &str) -> Vec<ThreadId> {
        let prefix = selector.strip_suffix('*');
        let of_process = |actor: &Actor| {
            self.processes[actor.process] == selector
                || self.process_groups[actor.process].is_some_and(|group| self.groups[group] == selector)
        };
        let matches = |id: ThreadId, actor: &Actor| match prefix {
            Some(prefix) => actor.name.starts_with(prefix) || self.full_name(id).starts_with(prefix),
            None => {
                actor.name == selector
                    || self.groups[actor.group] == selector
                    || (of_process(actor) && !actor.is_helper())
                    || self.full_name(id) == selector
            }
        };
        self.threads.iter().filter(|(id, actor)| matches(*id, actor)).map(|(id, _)| id).collect()
    }
}
