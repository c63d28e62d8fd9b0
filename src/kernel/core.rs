//! Cores. A thread gets on and off a core only through [`Kernel::on_core`] and [`Kernel::off_core`].

use crate::ids::{CoreId, Id, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::event::Event;
use crate::kernel::log::Cause;
use crate::kernel::policy::{Enqueue, Policy};
use crate::kernel::thread::{Phase, Purpose, Stage, Wait, WokenOn, Work};
use crate::model::Length;
use crate::time::{Instant, Span};
use crate::trace::{Observer, State, What, Why};

/// A core.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    /// Units of work per nanosecond.
    pub rate: u64,
    /// Who is on it.
    pub thread: Option<ThreadId>,
    /// Who was on it last, or is now.
    pub last: Option<ThreadId>,
    /// What it is busy with.
    pub busy: Busy,
    /// Of its pending [`Event::CoreDone`].
    pub generation: u32,
    /// Up to when its thread has been charged for it.
    pub charged: Instant,
    /// Of its pending [`Event::QuantumEnd`].
    pub quantum: u32,
    /// Whether that event is pending.
    pub armed: bool,
    /// Its thread is to be put back into the queue, for this reason.
    pub reschedule: Option<Enqueue>,
}

/// What a core is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Busy {
    /// With steps that take no time, or with nothing.
    No,
    /// With a wake-up, a context switch, a migration, a take or a drop.
    Overhead,
    /// With the burst of its thread, since then.
    Burst(Instant),
}

impl Core {
    pub fn new(rate: u64) -> Core {
        Core {
            rate,
            thread: None,
            last: None,
            busy: Busy::No,
            generation: 0,
            charged: Instant::ZERO,
            quantum: 0,
            armed: false,
            reschedule: None,
        }
    }
}

impl<'s, P: Policy, O: Observer> Kernel<'s, P, O> {
    // ------------------------------------------------------------------ the two doors

    /// A thread that the policy has picked gets a core. `preempted` lost it for that.
    pub(super) fn on_core(&mut self, core: CoreId, thread: ThreadId, preempted: Option<ThreadId>) {
        let wakeup = self.wakeup_cost(thread).map_or(Span::ZERO, |cost| self.draw(thread, Purpose::Wakeup, cost));
        let cost = wakeup + self.switch_cost(core, thread);
        let waking = self.threads[thread].woken.take().is_some();
        let state = &mut self.cores[core];
        assert!(state.thread.is_none(), "two threads on one core");
        let switched = state.last.is_some_and(|last| last != thread);
        let migrated = self.threads[thread].last_core.is_some_and(|last| last != core);
        let (since, woken_by) = self.threads[thread].runnable;
        let waited = since < self.now;
        let cause = state.last.filter(|_| waited).map_or(woken_by, Cause::Thread);
        state.thread = Some(thread);
        state.last = Some(thread);
        state.charged = self.now + cost;
        self.free.remove(&core);
        self.threads[thread].phase = Phase::OnCore(core);
        self.threads[thread].last_core = Some(core);
        self.threads[thread].because = (Why::Dispatched, cause);
        self.uses_quota(thread, true);
        if switched || migrated {
            self.write(cause, What::Dispatch { core, thread, switched, migrated, preempted });
        }
        if cost.is_zero() {
            self.ready.insert(core);
        } else {
            self.overhead(core, thread, cost, if waking { Why::Waking } else { Why::Switching });
        }
        self.unarmed = true;
    }

    /// A thread leaves its core, for the given phase. A burst in progress is interrupted.
    pub(super) fn off_core(&mut self, thread: ThreadId, to: Phase) {
        self.pause_burst(thread);
        self.uses_quota(thread, false);
        let core = self.threads[thread].core().expect("who leaves a core is on one");
        self.charge(core);
        if matches!(to, Phase::Blocked(_) | Phase::Throttled | Phase::Done) {
            let queue = self.queue_of(core);
            self.charge_queue(queue);
            self.queues[queue].dequeue(&mut self.tasks, thread);
        }
        let state = &mut self.cores[core];
        state.thread = None;
        state.busy = Busy::No;
        state.generation += 1;
        state.quantum += 1;
        state.armed = false;
        state.reschedule = None;
        self.rescheduled.remove(&core);
        self.ready.remove(&core);
        self.free.insert(core);
        self.unserved = true;
        self.threads[thread].phase = to;
    }

    /// A thread blocks: off its core until something happens.
    pub(super) fn block(&mut self, thread: ThreadId, wait: Wait, state: State, why: Why, cause: Cause) {
        self.off_core(thread, Phase::Blocked(wait));
        if wait.needs_another() {
            match self.limit_of(thread, wait) {
                Some(deadline) => self.time_out_at(thread, deadline),
                None => self.rest(thread, true),
            }
        }
        self.log.state(thread, state, None, why, cause);
    }

    /// What the wake-up of a thread costs, if it was asleep.
    fn wakeup_cost(&self, thread: ThreadId) -> Option<&'s Length> {
        let costs = &self.scenario.machine().costs;
        self.threads[thread].woken.map(|on| match on {
            WokenOn::Idle => &costs.wakeup_idle,
            WokenOn::Busy => &costs.wakeup_busy,
        })
    }

    /// What it costs a core to turn to a thread.
    ///
    /// # Divergence from real machines
    /// Cold caches cost the same each time, however long the thread was away and however much memory it uses.
    fn switch_cost(&self, core: CoreId, thread: ThreadId) -> Span {
        let costs = &self.scenario.machine().costs;
        let switch = self.cores[core].last.is_some_and(|last| last != thread);
        let last = self.threads[thread].last_core;
        let migration = last.is_some_and(|last| last != core);
        let cold = last.is_some() && (migration || switch);
        let only = |happens: bool, cost: Span| if happens { cost } else { Span::ZERO };
        only(switch, costs.context_switch) + only(migration, costs.migration) + only(cold, costs.cache_warmup)
    }

    /// Whether it never costs anything to bring a thread onto a core.
    pub(super) fn dispatch_is_free(&self, core: CoreId, thread: ThreadId) -> bool {
        self.wakeup_cost(thread).is_none_or(Length::is_zero) && self.switch_cost(core, thread).is_zero()
    }

    // ------------------------------------------------------------------ time on a core

    /// The thread on a core pays for something before it goes on.
    pub(super) fn spend(&mut self, thread: ThreadId, cost: Span) {
        if let Some(core) = self.threads[thread].core().filter(|_| !cost.is_zero()) {
            self.overhead(core, thread, cost, Why::Switching);
        }
    }

    fn overhead(&mut self, core: CoreId, thread: ThreadId, cost: Span, why: Why) {
        let state = &mut self.cores[core];
        debug_assert!(!matches!(state.busy, Busy::Burst(_)), "overhead in the middle of a burst");
        let from = if state.busy == Busy::Overhead { state.charged } else { self.now };
        state.busy = Busy::Overhead;
        state.charged = from + cost;
        state.generation += 1;
        let (until, generation) = (state.charged, state.generation);
        self.ready.remove(&core);
        self.queue.push(until, Event::CoreDone { core, generation });
        let cause = self.threads[thread].because.1;
        self.log.state(thread, State::Overhead, Some(core), why, cause);
    }

    /// The burst of a thread starts or goes on. Returns whether it takes any time.
    pub(super) fn start_burst(&mut self, thread: ThreadId) -> bool {
        let core = self.threads[thread].core().expect("a burst needs a core");
        let burst = self.threads[thread].burst.expect("a burst to start");
        if burst.left == 0 {
            self.threads[thread].burst = None;
            self.finish_burst(thread, burst.work);
            return false;
        }
        self.threads[thread].stage = Stage::Burst;
        let state = &mut self.cores[core];
        state.busy = Busy::Burst(self.now);
        state.generation += 1;
        let takes = burst.left.div_ceil(u128::from(state.rate));
        let until = self.now + Span::from_ns(u64::try_from(takes).expect("a burst beyond the clock"));
        let generation = state.generation;
        self.queue.push(until, Event::CoreDone { core, generation });
        let (why, cause) = self.threads[thread].because;
        let shown = self.state_in(thread, burst.work);
        self.log.state(thread, shown, Some(core), why, cause);
        self.arm_check(thread);
        true
    }

    /// What a core was busy with is done.
    pub(super) fn core_done(&mut self, core: CoreId) {
        let thread = self.cores[core].thread.expect("a busy core has a thread");
        match self.cores[core].busy {
            Busy::Overhead => {
                self.cores[core].busy = Busy::No;
                if self.is_throttled(thread) {
                    return self.throttle(thread);
                }
                if self.loses_core_in_system_call(core, thread) {
                    return;
                }
            }
            Busy::Burst(_) => {
                self.cores[core].busy = Busy::No;
                let burst = self.threads[thread].burst.take().expect("a busy core has a burst");
                self.account(thread, burst.work, burst.left);
                self.finish_burst(thread, burst.work);
            }
            Busy::No => unreachable!("an idle core is done with something"),
        }
        self.ready.insert(core);
        self.unarmed = true;
    }

    /// Interrupts the burst of a thread, if one is in progress, and accounts for what was done.
    pub(super) fn pause_burst(&mut self, thread: ThreadId) {
        let Some(core) = self.threads[thread].core() else { return };
        let Busy::Burst(_) = self.cores[core].busy else { return };
        let done = self.done_of_burst(thread);
        let state = &mut self.cores[core];
        state.busy = Busy::No;
        state.generation += 1;
        let burst = self.threads[thread].burst.as_mut().expect("a busy core has a burst");
        burst.left -= done;
        let work = burst.work;
        self.threads[thread].stage = Stage::Go;
        self.account(thread, work, done);
        self.pass_check(thread, work);
    }

    /// How much of its burst a thread has done on its present core, in the machine's units.
    pub(super) fn done_of_burst(&self, thread: ThreadId) -> u128 {
        let Some(core) = self.threads[thread].core().map(|core| &self.cores[core]) else { return 0 };
        match core.busy {
            Busy::Burst(began) => self.done_since(thread, began, core.rate),
            Busy::No | Busy::Overhead => 0,
        }
    }

    fn done_since(&self, thread: ThreadId, began: Instant, rate: u64) -> u128 {
        let burst = self.threads[thread].burst.expect("a busy core has a burst");
        burst.left.min(u128::from(self.now.since(began).ns()) * u128::from(rate))
    }

    /// The state in which a burst of a thread is shown: where there is no GIL, nobody keeps it.
    fn state_in(&self, thread: ThreadId, work: Work) -> State {
        match work {
            Work::StartUp => State::StartUp,
            Work::Python if self.is_native(thread) => State::Native,
            Work::Python | Work::PythonBlock => State::Python,
            Work::Native => State::Native,
            Work::NativeGil if self.gil_of(thread).is_none() => State::Native,
            Work::NativeGil => State::NativeGil,
        }
    }

    fn account(&mut self, thread: ThreadId, work: Work, units: u128) {
        if work == Work::Python {
            self.count_ticks(thread, units);
        }
        let native_process = self.is_native(thread);
        let accounts = &mut self.threads[thread].accounts;
        match work {
            Work::StartUp => {}
            Work::Python if native_process => accounts.native += units,
            Work::Python | Work::PythonBlock => accounts.cpu += units,
            Work::Native => accounts.native += units,
            Work::NativeGil => accounts.native_gil += units,
        }
    }

    /// Charges the thread on a core for the time since the last charge.
    pub(super) fn charge(&mut self, core: CoreId) {
        let state = &mut self.cores[core];
        if state.charged >= self.now {
            return;
        }
        let (thread, ran) = (state.thread.expect("only a busy core charges"), self.now.since(state.charged));
        state.charged = self.now;
        let queue = self.queue_of(core);
        self.queues[queue].charge(&mut self.tasks, thread, ran);
    }

    /// Charges every running thread of a queue, where the policy looks at them.
    pub(super) fn charge_queue(&mut self, queue: usize) {
        if !P::LOOKS_AT_RUNNING {
            return;
        }
        for core in self.cores.ids() {
            if self.cores[core].thread.is_some() && self.queue_of(core) == queue {
                self.charge(core);
            }
        }
    }

    /// Which run queue serves a core.
    pub(super) fn queue_of(&self, core: CoreId) -> usize {
        if self.queues.len() == 1 { 0 } else { core.index() }
    }
}
