//! Quotas: CFS bandwidth control (Linux, `Documentation/scheduler/sched-bwc.rst`).
//!
//! The threads of a process may use `budget` of core time in every period, all together. When it is used up, all of them
//! lose their cores until the next period begins, a holder of the GIL *with* the GIL: nobody in its interpreter goes on,
//! whatever cores are free. What is not used is lost; what was used beyond the budget is owed to the next period.
//!
//! # Divergence from Linux
//! - One budget for all cores. Linux hands it out to each core in slices of 5 ms (`sched_cfs_bandwidth_slice_us`), so that
//!   a core can still have some when another one has none, and each can overdraw by as much as its tick is late.
//! - A process is throttled at the nanosecond at which its budget is used up, not at the next tick.
//! - The first period begins with the process; in Linux when its group first runs. Periods follow each other without gap.
//! - What several cores use of the last nanoseconds at once may be as many too much as there are other cores; it is owed.
//! - A wake-up, a context switch, or a take or drop of the GIL that has begun is done first, and owed.

use crate::ids::{ProcId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::core::Busy;
use crate::kernel::event::Event;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::Phase;
use crate::model::Quota;
use crate::time::{Instant, Span};
use crate::trace::{Observer, State, What, Why};

/// The quota of one process, and what is left of it.
#[derive(Clone, Debug)]
pub(crate) struct Bandwidth {
    quota: Quota,
    /// What is left in this period, in nanoseconds; below zero = owed.
    left: i128,
    /// How many threads are on cores.
    running: u32,
    /// Up to when they have been charged.
    charged: Instant,
    /// When the next period begins.
    next: Instant,
    /// Whether nobody may run.
    throttled: bool,
    /// Who would run otherwise, in the order in which it was held back.
    held_back: Vec<ThreadId>,
    /// Of its pending event.
    pub generation: u32,
}

impl Bandwidth {
    pub fn new(quota: Quota) -> Bandwidth {
        Bandwidth {
            quota,
            left: quota.budget.ns().into(),
            running: 0,
            charged: Instant::ZERO,
            next: Instant::ZERO + quota.period,
            throttled: false,
            held_back: Vec::new(),
            generation: 0,
        }
    }

    /// Charges those who run. Where nobody has run for some periods, these are over.
    fn charge(&mut self, now: Instant) {
        self.left -= i128::from(now.since(self.charged).ns()) * i128::from(self.running);
        self.charged = now;
        if now >= self.next {
            let periods = now.since(self.next).ns() / self.quota.period.ns() + 1;
            self.next = self.next + self.quota.period * periods;
            let budget = i128::from(self.quota.budget.ns());
            self.left = (self.left + budget * i128::from(periods)).min(budget);
        }
    }

    /// What is due next, if anything is: the budget is used up, or filled up.
    fn due(&self, process: ProcId, now: Instant) -> Option<(Instant, Event)> {
        let generation = self.generation;
        let begins = (self.next, Event::PeriodBegins { process, generation });
        if self.throttled {
            return Some(begins);
        }
        let running = u128::from(self.running);
        if running == 0 {
            return None;
        }
        let lasts = u128::try_from(self.left).unwrap_or(0).div_ceil(running);
        let used = u64::try_from(lasts).ok().map(|lasts| now + Span::from_ns(lasts)).filter(|used| *used < self.next);
        Some(used.map_or(begins, |used| (used, Event::QuotaUsed { process, generation })))
    }
}

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// A process arrives, and its first period begins.
    pub(super) fn begin_periods(&mut self, process: ProcId) {
        let now = self.now;
        if let Some(bandwidth) = &mut self.bandwidths[process] {
            bandwidth.charged = now;
            bandwidth.next = now + bandwidth.quota.period;
        }
    }

    /// Whether the process of a thread has used up its quota.
    pub(super) fn is_throttled(&self, thread: ThreadId) -> bool {
        let process = self.scenario.threads()[thread].process;
        self.bandwidths[process].as_ref().is_some_and(|bandwidth| bandwidth.throttled)
    }

    /// A thread gets on a core or off it.
    pub(super) fn uses_quota(&mut self, thread: ThreadId, gets_on: bool) {
        let process = self.scenario.threads()[thread].process;
        let now = self.now;
        let Some(bandwidth) = &mut self.bandwidths[process] else { return };
        bandwidth.charge(now);
        if gets_on {
            bandwidth.running += 1
        } else {
            bandwidth.running -= 1
        }
        self.expect_quota(process);
    }

    /// Replaces what is due next.
    fn expect_quota(&mut self, process: ProcId) {
        let Some(bandwidth) = &mut self.bandwidths[process] else { return };
        bandwidth.generation += 1;
        if let Some((at, event)) = bandwidth.due(process, self.now) {
            self.queue.push(at, event);
        }
    }

    /// The budget is used up: whoever is on a core loses it, whoever waits for one waits in vain.
    pub(super) fn quota_used(&mut self, process: ProcId) {
        let now = self.now;
        let Some(bandwidth) = &mut self.bandwidths[process] else { return };
        bandwidth.charge(now);
        bandwidth.throttled = true;
        self.expect_quota(process);
        self.write(self.cause_of_quota(process), What::Quota { process, throttled: true });
        let own = |thread: &ThreadId| self.scenario.threads()[*thread].process == process;
        let idle = |core: &&crate::kernel::core::Core| core.busy != Busy::Overhead;
        let running: Vec<ThreadId> =
            self.cores.values().filter(idle).filter_map(|core| core.thread).filter(own).collect();
        running.into_iter().for_each(|thread| self.throttle(thread));
        let threads = self.scenario.processes()[process].threads.clone();
        for thread in threads.map(ThreadId) {
            if let Phase::Queued(queue) = self.threads[thread].phase {
                self.queues[queue as usize].dequeue(&mut self.tasks, thread);
                self.queued -= 1;
                self.hold_back(thread);
            }
        }
    }

    /// Whose running used the budget up: the first one that is on a core.
    fn cause_of_quota(&self, process: ProcId) -> Cause {
        let on_cores = self.cores.values().filter_map(|core| core.thread);
        let mut own = on_cores.filter(|thread| self.scenario.threads()[*thread].process == process);
        own.next().map_or(Cause::Root, Cause::Thread)
    }

    /// A thread loses its core, and keeps its GIL if it holds it.
    pub(super) fn throttle(&mut self, thread: ThreadId) {
        let state = if self.holds_gil(thread) { State::RunnableGil } else { State::Runnable };
        self.off_core(thread, Phase::Throttled);
        let cause = Cause::Thread(thread);
        self.log.state(thread, state, None, Why::Throttled, cause);
        self.threads[thread].runnable = (self.now, cause);
        self.hold_back(thread);
    }

    /// A thread that would run has to wait for the next period.
    pub(super) fn hold_back(&mut self, thread: ThreadId) {
        self.threads[thread].phase = Phase::Throttled;
        let process = self.scenario.threads()[thread].process;
        let bandwidth = self.bandwidths[process].as_mut().expect("who is held back has a quota");
        bandwidth.held_back.push(thread);
    }

    /// A thread that was held back ends.
    pub(super) fn forget_held_back(&mut self, thread: ThreadId) {
        let process = self.scenario.threads()[thread].process;
        if let Some(bandwidth) = &mut self.bandwidths[process] {
            bandwidth.held_back.retain(|each| *each != thread);
        }
    }

    /// The budget is filled up, and whoever was held back may run. It may still be owed, and is then left for the next period.
    pub(super) fn period_begins(&mut self, process: ProcId) {
        let now = self.now;
        let Some(bandwidth) = &mut self.bandwidths[process] else { return };
        bandwidth.charge(now);
        let released = bandwidth.throttled && bandwidth.left > 0;
        if released {
            bandwidth.throttled = false;
        }
        let held_back = if released { std::mem::take(&mut bandwidth.held_back) } else { Vec::new() };
        self.expect_quota(process);
        if !released {
            return;
        }
        let cause = held_back.first().map_or(Cause::Root, |thread| Cause::Thread(*thread));
        let record = self.write(cause, What::Quota { process, throttled: false });
        for thread in held_back {
            self.threads[thread].runnable.1 = record;
            self.join_queue(thread);
        }
    }

    /// A quota knows how many run, and nobody runs, or waits for a core, who may not.
    pub(super) fn quotas_and_threads_agree(&self) {
        for (process, bandwidth) in self.bandwidths.iter() {
            let Some(bandwidth) = bandwidth else { continue };
            let phases =
                || self.scenario.processes()[process].threads.clone().map(|id| self.threads[ThreadId(id)].phase);
            let running = phases().filter(|phase| matches!(phase, Phase::OnCore(_))).count();
            assert_eq!(running, bandwidth.running as usize, "{process:?} runs on so many cores");
            let held_back = phases().filter(|phase| *phase == Phase::Throttled).count();
            assert_eq!(held_back, bandwidth.held_back.len(), "threads that {process:?} holds back");
            assert!(bandwidth.throttled || held_back == 0, "{process:?} holds threads back for nothing");
            let queued = phases().any(|phase| matches!(phase, Phase::Queued(_)));
            assert!(!(bandwidth.throttled && queued), "{process:?} is throttled and waits for a core");
        }
    }
}
