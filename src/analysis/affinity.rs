//! Who sits on which core, who wants one, and whether a core is wasted: in constant time per change.
//!
//! Threads with the same affinity form a class, so that the question "may anybody who waits use this idle core?" does not
//! look at every thread.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{CoreId, IdVec, ProcId, ThreadId};
use crate::trace::{Cast, State};

/// The occupation of all cores.
#[derive(Clone, Debug)]
pub(in crate::analysis) struct Seats {
    /// How many threads are on each core.
    taken: IdVec<CoreId, u32>,
    crowded: BTreeSet<CoreId>,
    idle: BTreeSet<CoreId>,
    /// The class of each thread; the first class may use all cores.
    classes: IdVec<ThreadId, usize>,
    /// The cores of each class; `None` = all.
    allowed: Vec<Option<Box<[CoreId]>>>,
    /// How many of each class want a core.
    wanting: Vec<u32>,
    /// Processes that have used up their quota: their threads want a core and may not have one.
    throttled: IdVec<ProcId, bool>,
    processes: IdVec<ThreadId, ProcId>,
}

impl Seats {
    /// All cores are idle.
    pub fn new(cast: &Cast) -> Seats {
        let mut places: BTreeMap<Option<Box<[CoreId]>>, usize> = BTreeMap::from([(None, 0)]);
        let mut allowed = vec![None];
        let mut class = |affinity: &Option<Box<[CoreId]>>| {
            *places.entry(affinity.clone()).or_insert_with(|| {
                allowed.push(affinity.clone());
                allowed.len() - 1
            })
        };
        let classes = cast.threads.values().map(|actor| class(&actor.affinity)).collect();
        Seats {
            taken: IdVec::filled(cast.cores.len(), 0),
            crowded: BTreeSet::new(),
            idle: cast.cores.ids().collect(),
            classes,
            wanting: vec![0; allowed.len()],
            throttled: IdVec::filled(cast.processes.len(), false),
            processes: cast.threads.values().map(|actor| actor.process).collect(),
            allowed,
        }
    }

    /// The class of a thread.
    pub fn class(&self, thread: ThreadId) -> usize {
        self.classes[thread]
    }

    /// A core with more than one thread.
    pub fn crowded(&self) -> Option<CoreId> {
        self.crowded.first().copied()
    }

    /// An idle core, and a class that wants it.
    pub fn wasted(&self) -> Option<(CoreId, usize)> {
        let any = *self.idle.first()?;
        let wanting = self.wanting.iter().enumerate().filter(|(_, count)| **count > 0);
        wanting.map(|(class, _)| class).find_map(|class| match &self.allowed[class] {
            None => Some((any, class)),
            Some(cores) => cores.iter().find(|core| self.idle.contains(core)).map(|core| (*core, class)),
        })
    }

    /// A thread changes its state and core.
    pub fn turn(&mut self, thread: ThreadId, before: (Option<State>, Option<CoreId>), after: (State, Option<CoreId>)) {
        let class = self.classes[thread];
        if !self.throttled[self.processes[thread]] {
            self.wanting[class] -= u32::from(before.0.is_some_and(State::wants_core));
            self.wanting[class] += u32::from(after.0.wants_core());
        }
        if let Some(core) = before.1.filter(|_| before.0.is_some_and(State::on_core)) {
            self.taken[core] -= 1;
            self.count(core);
        }
        if let Some(core) = after.1.filter(|_| after.0.on_core()) {
            self.taken[core] += 1;
            self.count(core);
        }
    }

    /// A process is throttled from now on, or no longer. `wants` are its threads that want a core.
    pub fn throttle(&mut self, process: ProcId, throttled: bool, wants: impl Iterator<Item = ThreadId>) {
        if std::mem::replace(&mut self.throttled[process], throttled) == throttled {
            return;
        }
        for thread in wants {
            let wanting = &mut self.wanting[self.classes[thread]];
            if throttled { *wanting -= 1 } else { *wanting += 1 }
        }
    }

    /// Whether a thread may have a core.
    pub fn may_run(&self, thread: ThreadId) -> bool {
        !self.throttled[self.processes[thread]]
    }

    fn count(&mut self, core: CoreId) {
        match self.taken[core] {
            0 => self.idle.insert(core),
            1 => self.idle.remove(&core) | self.crowded.remove(&core),
            _ => self.crowded.insert(core),
        };
    }
}
