//! How a run ends other than by finishing: deadlock, livelock, the event cap, and what Python itself refuses.

use crate::ids::ThreadId;
use crate::kernel::Kernel;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::Phase;
use crate::time::Span;
use crate::trace::{Ending, Observer, What};

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
