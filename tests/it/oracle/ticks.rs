//! The oracle: a simulator by brute force. Time advances by one microsecond; at every instant the rules are applied
//! until nothing more happens. There is no event queue and nothing is shared with the engine but the words for states.
//!
//! The rules of one instant, in the order in which [`Sim::instant`] applies them:
//! (1) due events: arrivals, ends of io and sleep, completed bursts; (2) free cores are given out; (3) threads on cores
//! execute their zero-time steps; (4) GIL waits time out, checks of 2.7; (5) quanta end; (6) preemption; (7) check points.
//! Whenever one of 3 to 7 has happened: from 1 again.
//!
//! Where the rules leave a choice, a comment that begins with "rule:" says what was chosen.

mod gil;

use std::collections::VecDeque;

use gilsim::trace::State;

use super::answer::{Answer, Counts, Finish};
use super::case::{self, Case, Flat, Rules, Scheduler};

/// Runs a case to the end of its last thread.
pub fn run(case: &Case) -> Answer {
    let mut sim = Sim::new(case);
    while sim.threads.iter().any(|thread| thread.place != Place::Done) {
        sim.instant();
        sim.advance();
        assert!(sim.now < 10_000_000, "no model of the tests lasts so long");
    }
    let threads = sim.threads.into_iter().map(|thread| thread.finish).collect();
    let gils = sim.processes.into_iter().filter(|process| process.interval.is_some()).map(|process| process.counts);
    Answer { threads, gils: gils.collect() }
}

struct Sim {
    now: u64,
    rules: Rules,
    /// Of round robin only.
    quantum: Option<u64>,
    /// Who is on each core.
    cores: Vec<Option<usize>>,
    /// Runnable threads in the order of the policy, apart from priorities.
    queue: Vec<usize>,
    /// Who was made runnable at this instant and has not been considered for preemption, in that order.
    woken: Vec<usize>,
    threads: Vec<Thread>,
    processes: Vec<Process>,
}

/// A process with its one GIL (if it is Python) and its one lock.
#[derive(Default)]
struct Process {
    interval: Option<u64>,
    holder: Option<usize>,
    last_holder: Option<usize>,
    switch_number: u64,
    request: bool,
    /// When the holder took the GIL.
    taken: u64,
    /// Of 2.7: how much Python code until the next check.
    ticks: u64,
    counts: Counts,
    lock_held: bool,
    lock_waiters: VecDeque<usize>,
}

#[derive(Default)]
struct Thread {
    process: usize,
    priority: i64,
    steps: Vec<Flat>,
    next_step: usize,
    place: Place,
    last_core: Option<usize>,
    quantum_end: u64,
    goal: Goal,
    /// The burst that is under way: what it is and how long it still takes.
    burst: Option<(State, u64)>,
    /// Since when it has wanted the GIL, over all its waits for it.
    wants_since: Option<u64>,
    /// Whether it dropped the GIL last for something of its own.
    comes_back: bool,
    /// Its virtual deadline, and how long it has held the GIL since that was set.
    deadline: Option<u64>,
    used: u64,
    finish: Finish,
}

/// Where a thread is.
#[derive(Clone, Copy, Default, PartialEq)]
enum Place {
    Absent {
        until: u64,
    },
    Queued,
    OnCore(usize),
    Parked {
        until: u64,
    },
    Forced,
    Asleep {
        state: State,
        until: u64,
    },
    LockWait,
    #[default]
    Done,
}

/// What a thread does next when it is on a core.
#[derive(Clone, Copy, Default, PartialEq)]
enum Goal {
    /// Takes the GIL if it needs it and has it not, then goes on with its burst, its next step or its end.
    #[default]
    Go,
    /// Its timed wait for the GIL, begun at this switch number, has timed out (nobody has signalled it).
    TimedOut { switch_number: u64 },
    /// Has just dropped the GIL.
    Dropped { on_request: bool, then: Then },
    /// Does what it dropped the GIL for.
    Then(Then),
}

/// What the GIL was dropped for.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    TakeAgain,
    Block(State, u64),
    Native(u64),
    Lock,
}

/// Set-up, the instant, and the passage of time.
impl Sim {
    fn new(case: &Case) -> Sim {
        let process = |process: &case::Process| {
            let interval = process.interval;
            Process { interval, ticks: interval.unwrap_or(0), ..Process::default() }
        };
        let processes = case.processes.iter().map(process).collect();
        let cores = vec![None; case.cores];
        let quantum = if let Scheduler::RoundRobin { quantum } = case.scheduler { Some(quantum) } else { None };
        let (queue, woken, threads) = (Vec::new(), Vec::new(), Vec::new());
        let mut sim = Sim { now: 0, rules: case.rules, quantum, cores, queue, woken, threads, processes };
        for (p, process) in case.processes.iter().enumerate() {
            sim.threads.extend(process.threads.iter().map(|thread| Thread {
                process: p,
                // Without priorities all threads are on one level.
                priority: if case.scheduler == Scheduler::Priority { thread.priority } else { 0 },
                steps: case::flat(&thread.steps, process.interval.is_none()),
                place: Place::Absent { until: process.at + thread.at },
                ..Thread::default()
            }));
        }
        sim
    }

    fn instant(&mut self) {
        loop {
            self.due_events();
            self.give_out_cores();
            if !(self.zero_time_steps() || self.time_outs() || self.checks() || self.preempt() || self.check_points()) {
                break;
            }
        }
    }

    /// One microsecond passes.
    fn advance(&mut self) {
        for t in 0..self.threads.len() {
            let Some(state) = self.state(t) else { continue };
            self.threads[t].finish.add(state, 1);
            if let (Place::OnCore(_), Some((_, left))) = (self.threads[t].place, &mut self.threads[t].burst) {
                *left -= 1;
                if let (State::Python, Rules::Ticks) = (state, self.rules) {
                    self.processes[self.threads[t].process].ticks -= 1;
                }
            }
            // rule: an end that nobody was there to use until the instant was over is past, and the next quantum runs.
            if let (Some(quantum), true) = (self.quantum, self.threads[t].quantum_end == self.now) {
                self.threads[t].quantum_end += quantum;
            }
        }
        self.now += 1;
    }

    fn state(&self, t: usize) -> Option<State> {
        let thread = &self.threads[t];
        match thread.place {
            Place::Absent { .. } | Place::Done => None,
            Place::Queued if self.holds_gil(t) => Some(State::RunnableGil),
            Place::Queued => Some(State::Runnable),
            Place::OnCore(_) => Some(thread.burst.expect("time passes on a core only in a burst").0),
            Place::Parked { .. } => Some(State::WantsGil),
            Place::Forced => Some(State::Forced),
            Place::Asleep { state, .. } => Some(state),
            Place::LockWait => Some(State::Lock),
        }
    }

    /// Rule 1. Each kind in order of the threads' ids.
    fn due_events(&mut self) {
        let now = self.now;
        self.wake_all(|place| matches!(place, Place::Absent { until } if until == now));
        self.wake_all(|place| matches!(place, Place::Asleep { until, .. } if until == now));
        // A completed burst has no effect on others, so the order of these does not matter.
        for thread in &mut self.threads {
            thread.burst = thread.burst.filter(|(_, left)| *left > 0);
        }
    }

    /// Rule 4, also in the order of the ids.
    fn time_outs(&mut self) -> bool {
        let now = self.now;
        self.wake_all(|place| matches!(place, Place::Parked { until } if until == now))
    }

    fn wake_all(&mut self, due: impl Fn(Place) -> bool) -> bool {
        let due: Vec<_> = (0..self.threads.len()).filter(|t| due(self.threads[*t].place)).collect();
        due.iter().for_each(|t| self.wake(*t));
        !due.is_empty()
    }

    /// Rules 5 and 6.
    fn preempt(&mut self) -> bool {
        let mut woken = std::mem::take(&mut self.woken);
        // rule: the most urgent first, so that a lesser one does not take a core that it then loses.
        woken.sort_by_key(|t| std::cmp::Reverse(self.threads[*t].priority));
        let preempting = woken.iter().filter(|t| self.preempt_for(**t)).count();
        self.requeue_the_tired() || preempting > 0
    }

    /// Rule 6a; without priorities nobody has a higher one.
    fn preempt_for(&mut self, t: usize) -> bool {
        let priority = |t: usize| self.threads[t].priority;
        let running = self.cores.iter().enumerate().filter_map(|(core, on)| Some((priority((*on)?), core)));
        let lowest = running.min().filter(|(lowest, _)| *lowest < priority(t));
        let (Some((_, core)), Place::Queued) = (lowest, self.threads[t].place) else { return false };
        // The head of the whole queue is the head of its level, for the policy looks at levels first.
        let loser = self.cores[core].expect("the thread with that priority");
        self.leave(loser, Place::Queued);
        self.queue.insert(0, loser);
        self.on_core(t, core);
        true
    }

    /// Rules 5 and 6b. rule: in core order; a later core sees what became of an earlier one. A quantum that ends while
    /// nobody is queued has ended: who is queued later at this instant waits for the end of the next one.
    fn requeue_the_tired(&mut self) -> bool {
        let over = |core: &usize| self.cores[*core].is_some_and(|t| self.threads[t].quantum_end == self.now);
        if self.queue.is_empty() {
            return false;
        }
        let marked: Vec<_> = (0..self.cores.len()).filter(over).collect();
        for core in &marked {
            let tired = self.cores[*core].expect("the thread whose quantum is over");
            self.leave(tired, Place::Queued);
            self.queue.push(tired);
            let next = self.first().expect("at least the thread itself");
            self.on_core(next, *core);
        }
        !marked.is_empty()
    }

    /// Rule 7. rule: in the order of the processes.
    fn check_points(&mut self) -> bool {
        let in_cpu = |t: &Thread| matches!((t.place, t.burst), (Place::OnCore(_), Some((State::Python, _))));
        let asked = |p: &Process| p.holder.filter(|t| p.request && in_cpu(&self.threads[*t]));
        let asked: Vec<_> = self.processes.iter().filter_map(asked).collect();
        asked.iter().for_each(|t| self.drop_gil(*t, Then::TakeAgain));
        !asked.is_empty()
    }

    /// Rule 2.
    fn give_out_cores(&mut self) {
        for core in 0..self.cores.len() {
            while self.cores[core].is_none()
                && let Some(t) = self.first()
            {
                let last = self.threads[t].last_core.filter(|last| self.cores[*last].is_none());
                self.on_core(t, last.unwrap_or(core));
            }
        }
    }

    /// The policy's first runnable thread: of the highest level the first.
    fn first(&self) -> Option<usize> {
        self.queue.iter().min_by_key(|t| -self.threads[**t].priority).copied()
    }

    fn wake(&mut self, t: usize) {
        self.threads[t].place = Place::Queued;
        self.queue.push(t);
        self.woken.push(t);
    }

    fn on_core(&mut self, t: usize, core: usize) {
        self.queue.retain(|each| *each != t);
        self.cores[core] = Some(t);
        self.threads[t].quantum_end = self.quantum.map_or(u64::MAX, |quantum| self.now + quantum);
        self.threads[t].place = Place::OnCore(core);
        self.threads[t].last_core = Some(core);
    }

    /// A thread on a core leaves it.
    fn leave(&mut self, t: usize, place: Place) {
        let Place::OnCore(core) = self.threads[t].place else { panic!("not on a core") };
        self.cores[core] = None;
        self.threads[t].place = place;
    }
}

/// Rule 3: what threads do in no time.
impl Sim {
    /// rule: always the lowest core that has such work, also when a higher core gave it some.
    fn zero_time_steps(&mut self) -> bool {
        let mut any = false;
        while let Some(t) = self.cores.iter().flatten().copied().find(|t| self.has_work(*t)) {
            while self.has_work(t) {
                self.step(t);
            }
            any = true;
        }
        any
    }

    /// Whether a thread is on a core and does not need time to go on.
    fn has_work(&self, t: usize) -> bool {
        let thread = &self.threads[t];
        let needs_time = thread.goal == Goal::Go && thread.burst.is_some() && !self.lacks_gil(t);
        matches!(thread.place, Place::OnCore(_)) && !needs_time
    }

    fn step(&mut self, t: usize) {
        let goal = std::mem::replace(&mut self.threads[t].goal, Goal::Go);
        match goal {
            Goal::Go if self.lacks_gil(t) => self.take_gil(t, None),
            Goal::Go => self.begin(t),
            Goal::TimedOut { switch_number } => self.take_gil(t, Some(switch_number)),
            Goal::Dropped { on_request, then } => self.check_forced(t, on_request, then),
            Goal::Then(Then::Native(us)) => self.threads[t].burst = Some((State::Native, us)).filter(|_| us > 0),
            // `io: 0` does not leave the core, `sleep: 0` does. rule: so it is in native programs too.
            Goal::Then(Then::TakeAgain | Then::Block(State::Io, 0)) => {}
            Goal::Then(Then::Block(state, us)) => self.leave(t, Place::Asleep { state, until: self.now + us }),
            Goal::Then(Then::Lock) => self.lock_without_gil(t),
        }
    }

    /// The next step begins, or the thread ends; it has what it needs for that.
    fn begin(&mut self, t: usize) {
        let thread = &mut self.threads[t];
        let step = thread.steps.get(thread.next_step).copied();
        thread.next_step += 1;
        let python = self.process(t).interval.is_some();
        match step {
            None => self.end(t),
            Some(Flat::Burst(State::Native, us)) if python => self.drop_gil(t, Then::Native(us)),
            Some(Flat::Burst(state, us)) => self.threads[t].burst = Some((state, us)).filter(|_| us > 0),
            Some(Flat::Block(state, us)) if python => self.drop_gil(t, Then::Block(state, us)),
            Some(Flat::Block(state, us)) => self.threads[t].goal = Goal::Then(Then::Block(state, us)),
            // 2.7 lets go of the GIL also for a lock that is free.
            Some(Flat::Acquire) if python && self.rules == Rules::Ticks => self.drop_gil(t, Then::Lock),
            Some(Flat::Acquire) if self.process(t).lock_held => self.drop_gil(t, Then::Lock),
            Some(Flat::Acquire) => self.process(t).lock_held = true,
            Some(Flat::Release) => self.release_lock(t),
        }
    }

    /// rule: the GIL is dropped while the thread is still on its core, for a core is needed to do anything.
    fn end(&mut self, t: usize) {
        if self.holds_gil(t) {
            self.drop_gil(t, Then::TakeAgain);
        }
        self.leave(t, Place::Done);
        self.threads[t].finish.at = Some(self.now);
    }

    fn lock_without_gil(&mut self, t: usize) {
        if !self.process(t).lock_held {
            self.process(t).lock_held = true;
            return;
        }
        self.process(t).lock_waiters.push_back(t);
        self.threads[t].goal = Goal::Then(Then::Lock);
        self.leave(t, Place::LockWait);
    }

    fn release_lock(&mut self, t: usize) {
        self.process(t).lock_held = false;
        let waiter = self.process(t).lock_waiters.pop_front();
        waiter.into_iter().for_each(|waiter| self.wake(waiter));
    }
}
