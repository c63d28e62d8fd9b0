//! The oracle's GIL.

use gilsim::trace::State;

use super::{Goal, Place, Process, Sim, Then, Thread};
use crate::oracle::case::Rules;

impl Sim {
    pub(super) fn process(&mut self, t: usize) -> &mut Process {
        &mut self.processes[self.threads[t].process]
    }

    pub(super) fn holds_gil(&self, t: usize) -> bool {
        self.processes[self.threads[t].process].holder == Some(t)
    }

    /// Whether a thread needs the GIL to go on and has it not.
    pub(super) fn lacks_gil(&self, t: usize) -> bool {
        let python = self.processes[self.threads[t].process].interval.is_some();
        let native = matches!(self.threads[t].burst, Some((State::Native, _)));
        python && !native && !self.holds_gil(t)
    }

    /// Takes the GIL, or waits for it; asks for it first if a wait begun at switch number `timed_out` was in vain.
    pub(super) fn take_gil(&mut self, t: usize, timed_out: Option<u64>) {
        if self.process(t).holder.is_none() {
            return self.grant(t);
        }
        self.threads[t].wants_since.get_or_insert(self.now);
        let never = self.rules == Rules::Ticks;
        let until = if never { u64::MAX } else { self.now + self.process(t).interval.expect("a GIL") };
        let at_once = self.asks_at_once(t);
        let process = self.process(t);
        let switch_number = process.switch_number;
        if (timed_out == Some(switch_number) || at_once) && !process.request {
            process.request = true;
            process.counts.requests += 1;
        }
        self.threads[t].goal = Goal::TimedOut { switch_number };
        self.leave(t, Place::Parked { until });
    }

    /// Rule 4 under 2.7, in the order of the cores: a holder whose ticks are used up lets go of the GIL and takes it again,
    /// whether anybody wants it or not.
    pub(super) fn checks(&mut self) -> bool {
        let due = |t: &usize| {
            let in_python = matches!(self.threads[*t].burst, Some((State::Python, _)));
            in_python && self.holds_gil(*t) && self.processes[self.threads[*t].process].ticks == 0
        };
        if self.rules != Rules::Ticks {
            return false;
        }
        let due: Vec<_> = self.cores.iter().flatten().copied().filter(due).collect();
        for t in &due {
            let process = self.process(*t);
            process.ticks = process.interval.expect("a GIL");
            self.drop_gil(*t, Then::TakeAgain);
        }
        !due.is_empty()
    }

    /// Whether a thread may ask without having waited.
    fn asks_at_once(&mut self, t: usize) -> bool {
        let ahead = self.now + self.process(t).interval.expect("a GIL");
        let holder = self.process(t).holder.expect("it is locked");
        match self.rules {
            Rules::IoPriority => self.threads[t].comes_back,
            Rules::Bfs => {
                let [mine, other] = [t, holder].map(|t| *self.threads[t].deadline.get_or_insert(ahead));
                mine < other
            }
            Rules::Cpython | Rules::NoForcedSwitch | Rules::HandOff | Rules::Ticks => false,
        }
    }

    fn grant(&mut self, t: usize) {
        self.threads[t].wants_since = None;
        let now = self.now;
        let process = self.process(t);
        process.taken = now;
        process.holder = Some(t);
        process.request = false;
        if process.last_holder != Some(t) {
            process.last_holder = Some(t);
            process.switch_number += 1;
            process.counts.switches += 1;
        }
        // It is one thread at most: the GIL is free while a thread is forced, and the next grant wakes it.
        let p = self.threads[t].process;
        let forced = self.threads.iter().position(|each| each.process == p && each.place == Place::Forced);
        forced.into_iter().for_each(|forced| self.wake(forced));
    }

    /// rule: a drop at the end of a thread counts as forced if a request was pending, although nobody is forced then.
    pub(super) fn drop_gil(&mut self, t: usize, then: Then) {
        let now = self.now;
        let process = self.process(t);
        let (held, slice) = (now - process.taken, process.interval.expect("a GIL"));
        let on_request = process.request;
        process.holder = None;
        process.last_holder = Some(t);
        process.counts.forced += u64::from(on_request);
        let thread = &mut self.threads[t];
        thread.goal = Goal::Dropped { on_request, then };
        thread.comes_back = then != Then::TakeAgain;
        thread.used += held;
        if thread.used >= slice {
            (thread.used, thread.deadline) = (0, Some(now + slice));
        }
        self.signal(self.threads[t].process);
    }

    /// Wakes the parked thread that comes first: as a rule the one that has wanted the GIL longest. If a core is left for it, it takes the GIL at once.
    fn signal(&mut self, p: usize) {
        let parked = |t: &Thread| t.process == p && matches!(t.place, Place::Parked { .. });
        let waiters = (0..self.threads.len()).filter(|t| parked(&self.threads[*t]));
        let key = |t: &Thread| match self.rules {
            Rules::IoPriority => (u64::from(!t.comes_back), t.wants_since),
            Rules::Bfs => (t.deadline.expect("who waits has one"), None),
            Rules::Cpython | Rules::NoForcedSwitch | Rules::HandOff | Rules::Ticks => (0, t.wants_since),
        };
        let Some(t) = waiters.min_by_key(|t| key(&self.threads[*t])) else { return };
        self.threads[t].goal = Goal::Go;
        let free: Vec<_> = (0..self.cores.len()).filter(|core| self.cores[*core].is_none()).collect();
        if free.len() > self.queue.len() {
            let last = self.threads[t].last_core.filter(|last| free.contains(last));
            self.on_core(t, last.unwrap_or(free[0]));
            self.grant(t);
        } else {
            // Whoever gets the GIL handed has it before it has a core.
            (self.rules == Rules::HandOff).then(|| self.grant(t));
            self.wake(t);
        }
    }

    /// The dropper waits until somebody else has taken the GIL, if it was asked to drop and nobody has yet.
    pub(super) fn check_forced(&mut self, t: usize, on_request: bool, then: Then) {
        self.threads[t].goal = Goal::Then(then);
        let forces = self.rules != Rules::NoForcedSwitch;
        let process = self.process(t);
        if forces && on_request && process.last_holder == Some(t) {
            process.request = false;
            self.leave(t, Place::Forced);
        }
    }
}
