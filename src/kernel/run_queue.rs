//! Run queues: who joins them, who gets a core from them, and who loses one. The policy decides, the kernel acts.

use crate::ids::{CoreId, Id, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::core::Busy;
use crate::kernel::event::Event;
use crate::kernel::log::Cause;
use crate::kernel::policy::{Enqueue, Policy};
use crate::kernel::thread::{Phase, Stage, WokenOn};
use crate::model::RunQueue;
use crate::trace::{Observer, State, Why};

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    // ------------------------------------------------------------------ into the run queue

    /// A blocked or new thread becomes runnable. It does `stage` when it has a core.
    pub(super) fn wake(&mut self, thread: ThreadId, stage: Stage, why: Why, cause: Cause) {
        let woken = matches!(self.threads[thread].phase, Phase::Blocked(_));
        self.rest(thread, false);
        let on = if self.free_core_for(thread).is_some() { WokenOn::Idle } else { WokenOn::Busy };
        let state = &mut self.threads[thread];
        assert!(matches!(state.phase, Phase::Absent | Phase::Blocked(_)), "a wake-up of the wakeful");
        state.generation += 1;
        state.stage = stage;
        state.woken = woken.then_some(on);
        state.runnable = (self.now, cause);
        if self.is_throttled(thread) {
            self.hold_back(thread);
        } else {
            self.join_queue(thread);
        }
        self.log.state(thread, State::Runnable, None, why, cause);
        // What it waited for is over, and with that its step; or it has just arrived.
        if matches!(stage, Stage::Begin | Stage::Take) {
            self.reach(thread, cause);
        }
    }

    /// A thread that may run joins a run queue.
    pub(super) fn join_queue(&mut self, thread: ThreadId) {
        let queue = self.place(thread);
        self.threads[thread].phase = Phase::Queued(queue);
        self.charge_queue(queue as usize);
        self.enqueue(thread, queue as usize, Enqueue::Woken);
        self.woken.push(thread);
        self.unserved = true;
        self.unarmed |= self.queues.len() > 1;
    }

    /// A thread joins a run queue.
    pub(super) fn enqueue(&mut self, thread: ThreadId, queue: usize, why: Enqueue) {
        self.describe(thread, queue);
        self.queues[queue].enqueue(&mut self.tasks, thread, why);
        self.queued += 1;
        if self.queues[queue].joining_shortens_slices() {
            self.disarm(queue);
        }
    }

    /// The queue of a woken thread: the only one; or its last core's if that is free, else a free core's, else its last
    /// core's (a new thread's: the shortest).
    fn place(&self, thread: ThreadId) -> u32 {
        if self.scenario.machine().run_queue == RunQueue::Global {
            return 0;
        }
        let idle = |core: CoreId| self.free.contains(&core) && self.queues[core.index()].is_empty();
        let last = self.threads[thread].last_core.filter(|core| self.may_use(thread, *core));
        let home = last.unwrap_or_else(|| {
            let allowed = self.cores.ids().filter(|core| self.may_use(thread, *core));
            allowed.min_by_key(|core| self.load(*core)).expect("a thread may use some core")
        });
        if idle(home) {
            return home.0;
        }
        let other = self.free.iter().copied().find(|core| self.may_use(thread, *core) && idle(*core));
        other.unwrap_or(home).0
    }

    /// Threads on a core and in its queue.
    fn load(&self, core: CoreId) -> usize {
        self.queues[core.index()].len() + usize::from(self.cores[core].thread.is_some())
    }

    /// Whether a thread's affinity allows a core.
    pub(super) fn may_use(&self, thread: ThreadId, core: CoreId) -> bool {
        self.scenario.threads()[thread].affinity.as_ref().is_none_or(|cores| cores.contains(&core))
    }

    /// The core that a runnable thread would get at once, unless others wait for it: its last one, or the first free one
    /// that it may use.
    pub(super) fn free_core_for(&self, thread: ThreadId) -> Option<CoreId> {
        if self.is_throttled(thread) || self.usable(thread) <= self.rivals(thread) {
            return None;
        }
        match self.threads[thread].phase {
            Phase::Queued(queue) if self.queues.len() > 1 => {
                Some(CoreId(queue)).filter(|core| self.is_free_for(*core, thread))
            }
            _ => {
                let home = self.threads[thread].last_core.filter(|home| self.is_free_for(*home, thread));
                home.or_else(|| self.free.iter().copied().find(|core| self.may_use(thread, *core)))
            }
        }
    }

    /// How many free cores a thread may use.
    fn usable(&self, thread: ThreadId) -> usize {
        if !self.pinned {
            return self.free.len();
        }
        self.free.iter().filter(|core| self.may_use(thread, **core)).count()
    }

    /// How many other queued threads may use a free core that this one may use.
    fn rivals(&self, thread: ThreadId) -> usize {
        if !self.pinned {
            return self.queued - usize::from(matches!(self.threads[thread].phase, Phase::Queued(_)));
        }
        let shares = |other: ThreadId| {
            other != thread
                && matches!(self.threads[other].phase, Phase::Queued(_))
                && self.free.iter().any(|core| self.may_use(thread, *core) && self.may_use(other, *core))
        };
        self.threads.ids().filter(|other| shares(*other)).count()
    }

    // ------------------------------------------------------------------ giving out cores

    /// Free cores are given out, in core order; a thread whose last core is free as well gets that one.
    pub(super) fn give_out_cores(&mut self) {
        self.unserved = false;
        if self.queued == 0 {
            return;
        }
        let free: Vec<CoreId> = self.free.iter().copied().collect();
        for core in free {
            while self.cores[core].thread.is_none()
                && let Some(thread) = self.pick_next(core)
            {
                let home = self.threads[thread].last_core.filter(|home| self.is_free_for(*home, thread));
                self.on_core(home.filter(|_| self.queues.len() == 1).unwrap_or(core), thread, None);
            }
        }
    }

    fn is_free_for(&self, core: CoreId, thread: ThreadId) -> bool {
        self.cores[core].thread.is_none() && self.may_use(thread, core)
    }

    /// The policy's choice for a core; an idle core with a queue of its own pulls from the longest other one.
    fn pick_next(&mut self, core: CoreId) -> Option<ThreadId> {
        let own = self.queue_of(core);
        let picked = self.pick_from(own, core);
        if picked.is_some() || self.queues.len() == 1 || self.queued == 0 {
            return picked;
        }
        let mut others: Vec<usize> = (0..self.queues.len()).filter(|other| !self.queues[*other].is_empty()).collect();
        others.sort_by_key(|other| std::cmp::Reverse(self.queues[*other].len()));
        let (from, thread) =
            others.into_iter().find_map(|other| self.pick_from(other, core).map(|thread| (other, thread)))?;
        self.charge_queue(from);
        self.queues[from].dequeue(&mut self.tasks, thread);
        self.enqueue(thread, own, Enqueue::Pulled);
        self.pick_from(own, core)
    }

    fn pick_from(&mut self, queue: usize, core: CoreId) -> Option<ThreadId> {
        let threads = self.scenario.threads();
        let mut may_run =
            |thread: ThreadId| threads[thread].affinity.as_ref().is_none_or(|cores| cores.contains(&core));
        let picked = self.queues[queue].pick_next(&mut self.tasks, &mut may_run);
        self.queued -= usize::from(picked.is_some());
        picked
    }

    /// Gives a free core to one particular queued thread.
    pub(super) fn pick(&mut self, core: CoreId, thread: ThreadId) {
        let Phase::Queued(queue) = self.threads[thread].phase else { unreachable!("who is picked is queued") };
        let picked = self.queues[queue as usize].pick_next(&mut self.tasks, &mut |each| each == thread);
        assert_eq!(picked, Some(thread), "the policy gives out whom it was asked for");
        self.queued -= 1;
        self.on_core(core, thread, None);
    }

    // ------------------------------------------------------------------ preemption

    /// Preemption of threads that still want their core: by woken ones, and at ends of quanta. Returns whether any core
    /// was looked at.
    pub(super) fn preempt(&mut self) -> bool {
        let mut woken = std::mem::take(&mut self.woken);
        // The most urgent first, so that a lesser one does not take a core that it then loses.
        if woken.len() > 1 {
            let (tasks, policy) = (&self.tasks, &self.queues[0]);
            woken.sort_by_key(|thread| policy.yields_first(tasks, *thread));
        }
        let mut preempted = false;
        for thread in woken.drain(..) {
            if let Phase::Queued(queue) = self.threads[thread].phase {
                preempted |= self.preempt_for(thread, queue as usize);
            }
        }
        self.woken = woken;
        let due: Vec<CoreId> =
            self.rescheduled.iter().copied().filter(|core| self.cores[*core].busy != Busy::Overhead).collect();
        due.iter().for_each(|core| self.reschedule(*core));
        preempted || !due.is_empty()
    }

    /// A woken thread takes the core of whoever yields first, if anybody does. A core that is busy with overhead is only
    /// marked. Returns whether a core has changed hands.
    fn preempt_for(&mut self, thread: ThreadId, queue: usize) -> bool {
        let mut victim: Option<(i128, CoreId)> = None;
        for core in self.cores.ids() {
            let Some(running) = self.cores[core].thread.filter(|_| self.queue_of(core) == queue) else { continue };
            if self.cores[core].reschedule.is_some() || !self.may_use(thread, core) {
                continue;
            }
            self.charge(core);
            self.describe(running, queue);
            if !self.queues[queue].wakeup_preempts(&self.tasks, thread, running) {
                continue;
            }
            let yields = self.queues[queue].yields_first(&self.tasks, running);
            if victim.is_none_or(|(most, _)| yields > most) {
                victim = Some((yields, core));
            }
        }
        let Some((_, core)) = victim else { return false };
        if self.cores[core].busy == Busy::Overhead {
            self.mark_reschedule(core, Enqueue::Preempted);
            return false;
        }
        let running = self.put_back(core, queue, Enqueue::Preempted);
        self.queues[queue].pick_next(&mut self.tasks, &mut |each| each == thread);
        self.queued -= 1;
        self.change_hands(core, queue, running, thread, Enqueue::Preempted);
        true
    }

    /// Puts the thread of a core back into the queue.
    fn put_back(&mut self, core: CoreId, queue: usize, why: Enqueue) -> ThreadId {
        let running = self.cores[core].thread.expect("a core that changes hands has a thread");
        self.charge(core);
        self.enqueue(running, queue, why);
        running
    }

    /// A quantum is over. If nobody waits, nothing happens, and it stays over until the instant is: who comes to wait later
    /// at this instant still finds it so.
    pub(super) fn quantum_ends(&mut self, core: CoreId) {
        self.cores[core].armed = false;
        if self.queues[self.queue_of(core)].is_empty() {
            self.unarmed = true;
        } else {
            self.mark_reschedule(core, Enqueue::QuantumOver);
        }
    }

    pub(super) fn mark_reschedule(&mut self, core: CoreId, why: Enqueue) {
        self.cores[core].reschedule = Some(why);
        self.rescheduled.insert(core);
    }

    /// Puts the thread of a core back into the queue and asks the policy again. If it is re-selected, nothing happened.
    fn reschedule(&mut self, core: CoreId) {
        self.rescheduled.remove(&core);
        let why = self.cores[core].reschedule.take().expect("a marked core has a reason");
        let queue = self.queue_of(core);
        let running = self.put_back(core, queue, why);
        let next = self.pick_from(queue, core).expect("at least the running thread may run");
        if next == running {
            self.unarmed = true;
            self.ready.insert(core);
        } else {
            self.change_hands(core, queue, running, next, why);
        }
    }

    /// A core goes from a thread that could go on to another one.
    fn change_hands(&mut self, core: CoreId, queue: usize, running: ThreadId, next: ThreadId, why: Enqueue) {
        let holds = self.holds_gil(running);
        self.off_core(running, Phase::Queued(queue as u32));
        let state = if holds { State::RunnableGil } else { State::Runnable };
        let (why, by) = match why {
            Enqueue::QuantumOver => (Why::QuantumOver, running),
            Enqueue::Woken | Enqueue::Preempted | Enqueue::Pulled => (Why::Preempted, next),
        };
        self.threads[running].runnable = (self.now, Cause::Thread(by));
        self.log.state(running, state, None, why, Cause::Thread(by));
        self.on_core(core, next, Some(running));
    }

    /// Forgets the timers of quanta on the cores of a queue, so that they are armed anew.
    fn disarm(&mut self, queue: usize) {
        for core in self.cores.ids() {
            if self.queue_of(core) == queue && std::mem::take(&mut self.cores[core].armed) {
                self.cores[core].quantum += 1;
                self.unarmed = true;
            }
        }
    }

    /// Arms the timers of quanta wherever somebody waits and a timer is missing. Returns whether one is due at once.
    pub(super) fn arm_quanta(&mut self) -> bool {
        if self.queued == 0 || !std::mem::take(&mut self.unarmed) {
            return false;
        }
        let mut at_once = false;
        for core in self.cores.ids() {
            let state = &self.cores[core];
            let queue = self.queue_of(core);
            let Some(running) = state.thread.filter(|_| !state.armed && state.busy != Busy::Overhead) else { continue };
            if self.queues[queue].is_empty() {
                continue;
            }
            self.charge(core);
            let Some(slice) = self.queues[queue].slice(&self.tasks, running) else { continue };
            let until = (self.now + slice).round_up(self.scenario.machine().tick);
            let state = &mut self.cores[core];
            state.quantum += 1;
            state.armed = true;
            let generation = state.quantum;
            at_once |= until == self.now;
            self.queue.push(until, Event::QuantumEnd { core, generation });
        }
        at_once
    }
}
