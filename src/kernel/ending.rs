//! How a run ends other than by finishing: deadlock, livelock, the event cap, and what Python itself refuses.

use std::collections::BTreeSet;

use crate::ids::ThreadId;
use crate::kernel::Kernel;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{Joinable, Phase, Wait};
use crate::model::Arrival;
use crate::time::Span;
use crate::trace::{Ending, Observer, WaitsFor, What};

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// The run is over; the first ending counts.
    pub(super) fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }

    /// The modelled program did something that Python refuses.
    pub(super) fn model_error(&mut self, code: &'static str, thread: ThreadId, detail: String) {
        let detail = format!("{} {detail}", self.scenario.full_name(thread));
        self.end(Ending::ModelError { code, thread, detail });
    }

    pub(super) fn end_in_livelock(&mut self) {
        let threads = self.on_cores();
        self.end(Ending::Livelock { threads });
    }

    pub(super) fn end_at_event_cap(&mut self) {
        let threads = self.on_cores();
        self.end(Ending::EventCap { threads });
    }

    fn on_cores(&self) -> Vec<ThreadId> {
        self.cores.values().filter_map(|core| core.thread).collect()
    }

    /// Nothing is pending: if somebody is left, nobody can ever go on.
    pub(super) fn end_without_events(&mut self) {
        let blocked = |thread: &ThreadId| matches!(self.threads[*thread].phase, Phase::Blocked(_));
        let stuck: Vec<ThreadId> = self.threads.ids().filter(blocked).collect();
        if stuck.is_empty() {
            return self.end(Ending::Finished);
        }
        let cycle = stuck.iter().find_map(|thread| self.cycle_from(*thread)).unwrap_or(stuck);
        let cycle = cycle.iter().filter_map(|thread| self.waits_for(*thread)).collect();
        self.end(Ending::Deadlock { cycle });
    }

    /// Called when a thread has begun to wait for a lock or an end: if that can never come, the thread is stuck, which is
    /// noticed the moment it happens. The run is over when nobody is left whom it waits for.
    pub(super) fn look_for_deadlock(&mut self, thread: ThreadId) {
        if self.is_stuck(thread) {
            self.stuck.get_or_insert(thread);
            self.end_if_stuck();
        }
    }

    /// Ends the run if some thread is stuck, and so is every other non-daemon thread.
    pub(super) fn end_if_stuck(&mut self) {
        let Some(first) = self.stuck else { return };
        let lasting = |thread: &ThreadId| {
            let declared = &self.scenario.threads()[*thread];
            let phase = self.threads[*thread].phase;
            !declared.daemon && phase != Phase::Done && (phase != Phase::Absent || declared.arrival != Arrival::OnStart)
        };
        let mut lasting = self.threads.ids().filter(lasting).peekable();
        if lasting.peek().is_none() || !lasting.all(|thread| self.is_stuck(thread)) {
            return;
        }
        let cycle = self.cycle_from(first).unwrap_or_else(|| vec![first]);
        let cycle = cycle.iter().filter_map(|thread| self.waits_for(*thread)).collect();
        self.end(Ending::Deadlock { cycle });
    }

    /// Whether a thread waits, perhaps through others, in a cycle or for somebody who has ended.
    fn is_stuck(&self, thread: ThreadId) -> bool {
        let mut seen = BTreeSet::new();
        let mut next = thread;
        while seen.insert(next) {
            match self.waits_for(next).map(|wait| wait.holder) {
                Some(Some(holder)) => next = holder,
                _ => return self.threads[next].phase == Phase::Done,
            }
        }
        true
    }

    /// The cycle that a thread waits in, starting with it.
    fn cycle_from(&self, thread: ThreadId) -> Option<Vec<ThreadId>> {
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
    fn waits_for(&self, thread: ThreadId) -> Option<WaitsFor> {
        let Phase::Blocked(wait) = self.threads[thread].phase else { return None };
        let scenario = self.scenario;
        let (what, holder) = match wait {
            Wait::Lock(lock) => {
                let owner = self.locks[lock].owner;
                let ended = owner.is_some_and(|owner| self.threads[owner].phase == Phase::Done);
                let whose = if ended { ", whose owner has ended without releasing it" } else { "" };
                (format!("lock {}{whose}", scenario.locks()[lock].name), owner)
            }
            Wait::Join(Joinable::Thread(other)) => (format!("the end of {}", scenario.full_name(other)), Some(other)),
            Wait::Join(Joinable::Process(process)) => {
                let alive = &self.processes[process].alive;
                let only = alive.values().next().copied().filter(|_| alive.len() == 1);
                (format!("the end of process {}", scenario.processes()[process].name), only)
            }
            Wait::ChildRuns(child) => (format!("the first run of {}", scenario.full_name(child)), Some(child)),
            Wait::Gil | Wait::Forced | Wait::Io(_) | Wait::Sleep => return None,
        };
        Some(WaitsFor { thread, what, holder })
    }

    // ------------------------------------------------------------------ the last records

    /// Writes the accounts of a thread.
    pub(super) fn write_account(&mut self, thread: ThreadId, finished: bool) {
        if !O::WATCHES {
            return;
        }
        let scale = u128::from(self.scenario.machine().scale);
        let (above, below) = self.factor_of[thread];
        let accounts = self.threads[thread].accounts;
        let cpu = accounts.cpu * u128::from(below) / (scale * u128::from(above));
        let ns = |ns: u128| Span::from_ns(u64::try_from(ns).expect("work beyond the clock"));
        let what = What::Account {
            thread,
            python_work: ns(cpu) + ns(accounts.native_gil / scale),
            native_work: ns(accounts.native / scale),
            demanded: ns(accounts.demanded_ns),
            finished,
        };
        self.write(Cause::Thread(thread), what);
    }

    /// Closes the timeline: accounts of the unfinished, then the ending.
    pub(super) fn write_end(&mut self) {
        for thread in self.threads.ids() {
            if !matches!(self.threads[thread].phase, Phase::Absent | Phase::Done) {
                self.pause_burst(thread);
                self.write_account(thread, false);
            }
        }
        let ending = self.ending.clone().expect("a run that is over has an ending");
        self.write(Cause::Root, What::End { ending });
    }
}
