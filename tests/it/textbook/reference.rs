//! A second scheduler, written from the rules of the textbooks: one core, millisecond by millisecond, no event queue, no
//! code of the simulator.

/// What a policy compares.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// The shortest burst; nobody is interrupted.
    Sjf,
    /// The shortest remainder.
    Stcf,
    /// The earliest deadline.
    Edf,
    /// The shortest period.
    RateMonotonic,
    /// Quantum and allotment of each queue, and the period of the boost (0 = never).
    Mlfq(Vec<(u64, u64)>, u64),
    /// The quantum.
    Stride(u64),
}

/// A thread: bursts, each followed by so much I/O (0 = the next burst follows at once).
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub arrival: u64,
    pub bursts: Vec<(u64, u64)>,
    pub tickets: u64,
    /// Period and relative deadline, for one burst without I/O that is repeated.
    pub periodic: Option<(u64, u64)>,
}

/// What became of a thread.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub finish: Option<u64>,
    pub misses: u64,
    /// Of its finished jobs.
    pub turnarounds: Vec<u64>,
}

#[derive(Clone, Debug, Default)]
struct State {
    outcome: Outcome,
    /// Which burst, and how much of it is left.
    burst: usize,
    left: u64,
    /// When its I/O is over.
    back: Option<u64>,
    present: bool,
    /// Jobs released and finished.
    released: u64,
    done: u64,
    /// Multi-level feedback queue: level, what is left of the turn and of the allotment.
    level: usize,
    turn: u64,
    allotment: u64,
    pass: u128,
}

/// Divided by tickets that are powers of two up to 64 without a remainder.
const STRIDE: u128 = 64;

pub struct Reference<'r> {
    rule: &'r Rule,
    jobs: &'r [Job],
    states: Vec<State>,
    /// Who waits, in the order of coming; one queue for each level.
    queues: Vec<Vec<usize>>,
    running: Option<usize>,
    reached: u128,
    now: u64,
}

/// Runs jobs up to a horizon, which they all reach or end before.
pub fn run(rule: &Rule, jobs: &[Job], until: u64) -> Vec<Outcome> {
    let levels = if let Rule::Mlfq(levels, _) = rule { levels.len() } else { 1 };
    let states = vec![State::default(); jobs.len()];
    let queues = vec![Vec::new(); levels];
    let mut reference = Reference { rule, jobs, states, queues, running: None, reached: 0, now: 0 };
    while reference.now <= until {
        reference.tick();
        reference.now += 1;
    }
    reference.states.into_iter().map(|state| state.outcome).collect()
}

impl Reference<'_> {
    fn tick(&mut self) {
        self.boost();
        for job in 0..self.jobs.len() {
            if self.jobs[job].arrival == self.now {
                self.release(job);
                self.states[job].left = self.jobs[job].bursts[0].0;
                self.ready(job);
            }
        }
        self.later_releases();
        for job in 0..self.jobs.len() {
            if self.states[job].back == Some(self.now) {
                self.states[job].back = None;
                self.ready(job);
            }
        }
        self.end_of_burst();
        self.choose();
        self.deadlines();
        if let Some(job) = self.running {
            let state = &mut self.states[job];
            state.left -= 1;
            state.turn = state.turn.saturating_sub(1);
            state.allotment = state.allotment.saturating_sub(1);
            state.pass += STRIDE / u128::from(self.jobs[job].tickets);
        }
    }

    // ------------------------------------------------------------------ coming and going

    fn release(&mut self, job: usize) {
        self.states[job].released += 1;
    }

    fn later_releases(&mut self) {
        for job in 0..self.jobs.len() {
            let Some((period, _)) = self.jobs[job].periodic else { continue };
            let since = self.now.saturating_sub(self.jobs[job].arrival);
            if since > 0 && since.is_multiple_of(period) {
                self.release(job);
                if !self.states[job].present {
                    self.states[job].left = self.jobs[job].bursts[0].0;
                    self.ready(job);
                }
            }
        }
    }

    fn ready(&mut self, job: usize) {
        if let Rule::Stride(quantum) = self.rule {
            self.reach();
            let state = &mut self.states[job];
            state.pass = state.pass.max(self.reached);
            state.turn = *quantum;
        }
        if let Rule::Mlfq(levels, _) = self.rule {
            let state = &mut self.states[job];
            let (quantum, allotment) = levels[state.level];
            state.turn = quantum;
            if state.outcome == Outcome::default() && state.burst == 0 {
                state.allotment = allotment;
            }
        }
        self.states[job].present = true;
        let level = self.states[job].level;
        self.queues[level].push(job);
    }

    /// The smallest pass of all who are there, which never falls.
    fn reach(&mut self) {
        let smallest = self.states.iter().filter(|state| state.present).map(|state| state.pass).min();
        self.reached = self.reached.max(smallest.unwrap_or(0));
    }

    /// The running thread may have come to the end of a burst, and of its program.
    fn end_of_burst(&mut self) {
        let Some(job) = self.running.filter(|job| self.states[*job].left == 0) else { return };
        let declared = &self.jobs[job];
        if let Some((period, _)) = declared.periodic {
            let state = &mut self.states[job];
            let released = declared.arrival + state.done * period;
            state.outcome.turnarounds.push(self.now - released);
            state.done += 1;
            if state.released > state.done {
                state.left = declared.bursts[0].0;
            } else {
                self.leave(job);
            }
            return;
        }
        let io = declared.bursts[self.states[job].burst].1;
        self.states[job].burst += 1;
        let next = declared.bursts.get(self.states[job].burst).map(|burst| burst.0);
        match next {
            Some(length) if io == 0 => self.states[job].left = length,
            Some(length) => {
                self.leave(job);
                self.states[job].left = length;
                self.states[job].back = Some(self.now + io);
            }
            None => {
                self.leave(job);
                self.states[job].outcome.finish = Some(self.now);
            }
        }
    }

    fn leave(&mut self, job: usize) {
        self.reach();
        self.sink(job);
        self.states[job].present = false;
        self.running = None;
    }

    fn deadlines(&mut self) {
        for job in 0..self.jobs.len() {
            let Some((period, deadline)) = self.jobs[job].periodic else { continue };
            let first = self.jobs[job].arrival + deadline;
            if self.now >= first && (self.now - first).is_multiple_of(period) {
                let due = (self.now - first) / period + 1;
                self.states[job].outcome.misses += u64::from(self.states[job].done < due);
            }
        }
    }

    // ------------------------------------------------------------------ who is next

    fn key(&self, job: usize) -> u128 {
        let (declared, state) = (&self.jobs[job], &self.states[job]);
        match self.rule {
            Rule::Sjf | Rule::Stcf => state.left.into(),
            Rule::Edf => declared
                .periodic
                .map_or(u128::MAX, |(period, deadline)| (declared.arrival + state.done * period + deadline).into()),
            Rule::RateMonotonic => declared.periodic.map_or(u128::MAX, |(period, _)| period.into()),
            Rule::Stride(_) => state.pass,
            Rule::Mlfq(..) => 0,
        }
    }

    fn choose(&mut self) {
        if let Rule::Mlfq(..) = self.rule {
            return self.choose_level();
        }
        let least = self.queues[0].iter().map(|job| (self.key(*job), *job)).min();
        match (self.running, least) {
            (Some(running), Some((key, _))) => {
                let turn_over = matches!(self.rule, Rule::Stride(_)) && self.states[running].turn == 0;
                let preempts = matches!(self.rule, Rule::Stcf | Rule::Edf | Rule::RateMonotonic);
                if turn_over || (preempts && key < self.key(running)) {
                    self.queues[0].push(running);
                    self.running = None;
                    self.refill(running);
                    let least = self.queues[0].iter().map(|job| (self.key(*job), *job)).min();
                    self.dispatch(least.expect("somebody").1);
                }
            }
            (None, Some((_, job))) => self.dispatch(job),
            (Some(running), None) if self.states[running].turn == 0 => self.refill(running),
            _ => {}
        }
    }

    fn refill(&mut self, job: usize) {
        if let Rule::Stride(quantum) = self.rule {
            self.states[job].turn = *quantum;
        }
    }

    fn dispatch(&mut self, job: usize) {
        self.queues.iter_mut().for_each(|queue| queue.retain(|each| *each != job));
        self.running = Some(job);
    }

    // ------------------------------------------------------------------ multi-level feedback queue

    /// Rule 5: everybody to the top, in the order of the queues.
    fn boost(&mut self) {
        let Rule::Mlfq(levels, period) = self.rule else { return };
        if *period == 0 || self.now == 0 || !self.now.is_multiple_of(*period) {
            return;
        }
        let all: Vec<usize> = self.queues.iter_mut().flat_map(std::mem::take).collect();
        self.queues[0] = all;
        for state in &mut self.states {
            (state.level, state.turn, state.allotment) = (0, levels[0].0, levels[0].1);
        }
    }

    /// Rule 4: whose allotment is used up moves down. Returns whether it did.
    fn sink(&mut self, job: usize) -> bool {
        let Rule::Mlfq(levels, _) = self.rule else { return false };
        let state = &mut self.states[job];
        if state.allotment > 0 || state.level + 1 == levels.len() {
            return false;
        }
        state.level += 1;
        (state.turn, state.allotment) = levels[state.level];
        true
    }

    /// Rules 1 and 2.
    fn choose_level(&mut self) {
        let Rule::Mlfq(levels, _) = self.rule else { return };
        if let Some(running) = self.running {
            let sunk = self.sink(running);
            let level = self.states[running].level;
            let turn_over = !sunk && self.states[running].turn == 0;
            if turn_over {
                self.states[running].turn = levels[level].0;
            }
            if sunk || turn_over {
                self.queues[level].push(running);
            } else if self.queues[..level].iter().any(|queue| !queue.is_empty()) {
                self.queues[level].insert(0, running);
            } else {
                return;
            }
            self.running = None;
        }
        if let Some(next) = self.queues.iter().flatten().next().copied() {
            self.dispatch(next);
        }
    }
}
