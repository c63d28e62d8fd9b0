//! Who can never go on, noticed the moment it is so.
//!
//! A thread that rests waits for somebody else, without a limit: for a lock, for an end, for a first run, or in the line of
//! a shared object. It may still go on if somebody who does not rest can bring that about, perhaps through others. When
//! every non-daemon thread rests and none of them may go on, the run is over: that is a deadlock. Threads that take turns
//! without getting anywhere (livelock) or wait for very long (starvation) do not rest.

use std::collections::BTreeSet;

use crate::ids::{Id, IdVec, LockId, ObjectId, ProgramId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{Joinable, Phase, Wait};
use crate::model::{Arrival, Form, Members, Op, Scenario, Use};
use crate::trace::{Ending, Observer, State, WaitsFor};

/// So many lines of a deadlock without a cycle are told.
const MOST_TOLD: usize = 100;

/// The state in which a thread waits for an object; nobody waits for a variable.
pub(crate) fn state_of(form: Form) -> Option<State> {
    match form {
        Form::Semaphore { .. } | Form::ProcessSemaphore { .. } => Some(State::Lock),
        Form::Queue { .. } | Form::ProcessQueue { .. } => Some(State::Queue),
        Form::Event => Some(State::Event),
        Form::Condition { .. } => Some(State::Condition),
        Form::Barrier { .. } => Some(State::Barrier),
        Form::Variable { .. } => None,
    }
}

/// For each program the objects whose waiters it may notify.
pub(super) fn notifiers(scenario: &Scenario) -> IdVec<ProgramId, Box<[ObjectId]>> {
    let notified = |op: &Op| match op {
        Op::Use(
            object,
            Use::Release | Use::Put | Use::Get | Use::Send | Use::Set | Use::Notify | Use::NotifyAll | Use::Meet,
        ) => Some(*object),
        _ => None,
    };
    let of = |program: &crate::model::Program| {
        let objects: BTreeSet<ObjectId> = program.ops.iter().filter_map(notified).collect();
        objects.into_iter().collect()
    };
    scenario.programs().values().map(of).collect()
}

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// A thread has begun to wait, or has ceased to.
    pub(super) fn rest(&mut self, thread: ThreadId, rests: bool) {
        let before = std::mem::replace(&mut self.threads[thread].rests, rests);
        if !self.scenario.threads()[thread].daemon {
            self.resting += u32::from(rests);
            self.resting -= u32::from(before);
        }
    }

    /// Called when a thread has begun to rest, or has ended: ends the run if nobody can go on who would have to.
    pub(super) fn look_for_deadlock(&mut self, last: ThreadId) {
        if self.non_daemons == 0 || self.resting < self.non_daemons {
            return;
        }
        let stuck = |thread: &ThreadId| self.threads[*thread].rests && !self.scenario.threads()[*thread].daemon;
        let stuck: Vec<ThreadId> = self.threads.ids().filter(stuck).collect();
        if self.may_go_on() {
            return;
        }
        let first = std::iter::once(last).chain(stuck.iter().copied());
        let cycle = first.into_iter().find_map(|thread| self.cycle_from(thread));
        let told = cycle.unwrap_or(stuck);
        let cycle = told.iter().take(MOST_TOLD).filter_map(|thread| self.waits_for(*thread)).collect();
        self.end(Ending::Deadlock { cycle });
    }

    /// Whether some non-daemon thread that rests may go on, thanks to threads that do not.
    fn may_go_on(&self) -> bool {
        let mut reached: BTreeSet<ThreadId> = self.threads.ids().filter(|thread| self.is_live(*thread)).collect();
        let resting: Vec<ThreadId> = self.threads.ids().filter(|thread| self.threads[*thread].rests).collect();
        loop {
            let help = Help::of(self, &reached);
            let new: Vec<ThreadId> = (resting.iter().copied())
                .filter(|thread| !reached.contains(thread) && self.is_helped(*thread, &reached, &help))
                .collect();
            if new.iter().any(|thread| !self.scenario.threads()[*thread].daemon) {
                return true;
            }
            let before = reached.len();
            reached.extend(new);
            reached.extend(help.started);
            if reached.len() == before {
                return false;
            }
        }
    }

    /// Whether a thread goes on by itself, or will arrive by itself.
    fn is_live(&self, thread: ThreadId) -> bool {
        match self.threads[thread].phase {
            Phase::Absent => self.scenario.threads()[thread].arrival != Arrival::OnStart,
            Phase::Done => false,
            _ => !self.threads[thread].rests,
        }
    }

    fn is_helped(&self, thread: ThreadId, reached: &BTreeSet<ThreadId>, help: &Help) -> bool {
        let Phase::Blocked(wait) = self.threads[thread].phase else { return true };
        match wait {
            Wait::Lock(lock) if self.locks[lock].vanished => false,
            Wait::Lock(lock) => self.locks[lock].owner.is_none_or(|owner| reached.contains(&owner)),
            Wait::Object(object, _) => help.objects.contains(&object),
            Wait::Join(Joinable::Thread(other)) | Wait::ChildRuns(other) => reached.contains(&other),
            Wait::Join(Joinable::Process(process)) => {
                let lasting = |thread: &&ThreadId| !self.scenario.threads()[**thread].daemon;
                let mut lasting = self.processes[process].alive.values().filter(lasting);
                !self.processes[process].arrived || lasting.all(|thread| reached.contains(thread))
            }
            Wait::Gil | Wait::Forced | Wait::Io(_) | Wait::Sleep | Wait::Release => true,
        }
    }

    /// The cycle that a thread waits in, starting with it.
    pub(super) fn cycle_from(&self, thread: ThreadId) -> Option<Vec<ThreadId>> {
        let mut chain = vec![thread];
        let mut seen = BTreeSet::from([thread]);
        loop {
            let next = self.waits_for(*chain.last().expect("a chain has a start"))?.holder?;
            if next == thread {
                return Some(chain);
            }
            if !seen.insert(next) {
                return None;
            }
            chain.push(next);
        }
    }

    /// What a blocked thread waits for, and who would have to act. A process is waited for through its only thread.
    pub(super) fn waits_for(&self, thread: ThreadId) -> Option<WaitsFor> {
        let Phase::Blocked(wait) = self.threads[thread].phase else { return None };
        let scenario = self.scenario;
        let (what, holder) = match wait {
            Wait::Lock(lock) => (self.lock_in_words(lock), self.locks[lock].holder()),
            Wait::Object(object, line) => (self.object_in_words(object, line as usize), None),
            Wait::Join(Joinable::Thread(other)) => (format!("the end of {}", scenario.full_name(other)), Some(other)),
            Wait::Join(Joinable::Process(process)) => {
                let alive = &self.processes[process].alive;
                let only = alive.values().next().copied().filter(|_| alive.len() == 1);
                (format!("the end of process {}", scenario.processes()[process].name), only)
            }
            Wait::ChildRuns(child) => (format!("the first run of {}", scenario.full_name(child)), Some(child)),
            Wait::Gil | Wait::Forced | Wait::Io(_) | Wait::Sleep | Wait::Release => return None,
        };
        Some(WaitsFor { thread, what, holder })
    }

    fn lock_in_words(&self, lock: LockId) -> String {
        let owner = self.locks[lock].owner;
        let ended = owner.is_some_and(|owner| self.threads[owner].phase == Phase::Done);
        let whose = if self.locks[lock].vanished {
            ", held since the fork by a thread that is not in this process"
        } else if ended {
            ", whose owner has ended without releasing it"
        } else {
            ""
        };
        match self.scenario.locks().iter().nth(lock.index()) {
            Some((_, declared)) => format!("lock {}{whose}", declared.name),
            None => {
                let object = ObjectId::new(lock.index() - self.scenario.locks().len());
                format!("the lock inside of {}{whose}", self.scenario.objects()[object].name)
            }
        }
    }

    fn object_in_words(&self, object: ObjectId, line: usize) -> String {
        let declared = &self.scenario.objects()[object];
        let name = &declared.name;
        match (declared.form, line) {
            (Form::Queue { .. } | Form::ProcessQueue { .. }, 0) => format!("an item in queue {name}"),
            (Form::Queue { .. } | Form::ProcessQueue { .. }, _) => format!("room in queue {name}"),
            (Form::Semaphore { .. } | Form::ProcessSemaphore { .. }, _) => format!("a permit of semaphore {name}"),
            (Form::Event, _) => format!("event {name}"),
            (Form::Condition { .. }, _) => format!("a notification of condition {name}"),
            (Form::Barrier { .. }, _) => format!("the others at barrier {name}"),
            (Form::Variable { .. }, _) => unreachable!("nobody waits for a variable"),
        }
    }
}

/// What threads that may go on can bring about.
struct Help {
    /// Objects whose waiters they may notify.
    objects: BTreeSet<ObjectId>,
    /// Threads that they may start.
    started: BTreeSet<ThreadId>,
}

impl Help {
    fn of<P: Policy, O: Observer>(kernel: &Kernel<'_, P, O>, reached: &BTreeSet<ThreadId>) -> Help {
        let scenario = kernel.scenario;
        let programs: BTreeSet<ProgramId> = reached.iter().flat_map(|thread| kernel.programs_of(*thread)).collect();
        let mut help = Help { objects: BTreeSet::new(), started: BTreeSet::new() };
        for program in programs {
            help.objects.extend(kernel.notifiers[program].iter());
            for op in &scenario.programs()[program].ops {
                if let Op::Start { group, .. } | Op::Ensure(group) = op {
                    help.started.extend(absent(kernel, &scenario.groups()[*group].members));
                }
            }
        }
        help
    }
}

/// The members of a group that have not been started.
fn absent<P: Policy, O: Observer>(kernel: &Kernel<'_, P, O>, members: &Members) -> Vec<ThreadId> {
    let threads = match members {
        Members::Threads(all) => all.clone().collect::<Vec<u32>>(),
        Members::Processes(all) => {
            let processes = all.clone().map(|process| &kernel.scenario.processes()[crate::ids::ProcId(process)]);
            processes.flat_map(|process| process.threads.clone()).collect()
        }
    };
    let absent = |thread: &ThreadId| kernel.threads[*thread].phase == Phase::Absent;
    threads.into_iter().map(ThreadId).filter(absent).collect()
}
