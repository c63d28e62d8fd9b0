//! Random cases from a seed, and the search for a smaller case that fails in the same way.

use super::case::{Case, Process, Rules, Scheduler, Step, Thread};

/// SplitMix64 (Steele, Lea and Flood 2014): a few lines that never change with a dependency.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `least` to `most`, both included.
    pub fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    /// Once in so many times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.within(1, n) == 1
    }

    /// Small lengths make many ties; a few are longer than any interval or quantum.
    fn length(&mut self) -> u64 {
        match self.within(0, 9) {
            0 => 0,
            1..=6 => self.within(1, 8),
            7 | 8 => self.within(1, 20),
            _ => self.within(20, 60),
        }
    }

    fn arrival(&mut self) -> u64 {
        if self.one_in(2) { 0 } else { self.within(0, 12) }
    }
}

/// The case of a seed.
pub fn case(seed: u64) -> Case {
    let mut random = Random(seed);
    let scheduler = match random.within(0, 2) {
        0 => Scheduler::Fifo,
        1 => Scheduler::RoundRobin { quantum: random.within(1, 10) },
        _ => Scheduler::Priority,
    };
    let processes = match random.within(0, 5) {
        0..=2 => vec![python(&mut random, 6, 0)],
        3 => (0..2).map(|_| late_python(&mut random)).collect(),
        4 => (0..random.within(1, 6)).map(|_| native(&mut random)).collect(),
        _ => vec![late_python(&mut random), native(&mut random), native(&mut random)],
    };
    let cores = random.within(1, 3) as usize;
    // Every second case has CPython's GIL.
    let rules = if random.one_in(2) { Rules::Cpython } else { Rules::ALL[random.within(1, 5) as usize] };
    Case { cores, rules, scheduler, processes }
}

fn late_python(random: &mut Random) -> Process {
    let at = random.arrival();
    python(random, 3, at)
}

fn python(random: &mut Random, most: u64, at: u64) -> Process {
    let interval = random.within(3, 20);
    let threads = (0..random.within(1, most)).map(|_| thread(random, true));
    Process { at, interval: Some(interval), threads: threads.collect() }
}

fn native(random: &mut Random) -> Process {
    Process { at: 0, interval: None, threads: vec![thread(random, false)] }
}

fn thread(random: &mut Random, python: bool) -> Thread {
    let priority = random.within(0, 3) as i64;
    Thread { at: random.arrival(), priority, steps: steps(random, python, 5, 2, true) }
}

/// A lock is never taken inside itself: the thread would wait for itself.
fn steps(random: &mut Random, python: bool, most: u64, depth: u64, lock: bool) -> Vec<Step> {
    (0..random.within(1, most)).map(|_| step(random, python, depth, lock)).collect()
}

fn step(random: &mut Random, python: bool, depth: u64, lock: bool) -> Step {
    match random.within(0, 11) {
        0..=2 => Step::Cpu(random.length()),
        3 | 4 => Step::Io(random.length()),
        5 => Step::Sleep(random.length()),
        6 if depth > 0 => Step::Repeat(random.within(0, 4), steps(random, python, 3, depth - 1, lock)),
        7 | 8 if python && lock && depth > 0 => Step::With(steps(random, python, 3, depth - 1, false)),
        9 if python => Step::Native(random.length()),
        10 if python => Step::Holding(random.length()),
        _ => Step::Cpu(random.length()),
    }
}

/// The smallest case that still fails, by taking away one thing after another as long as that is possible.
pub fn shrink(mut case: Case, fails: &dyn Fn(&Case) -> bool) -> Case {
    while let Some(smaller) = smaller(&case).into_iter().find(|each| fails(each)) {
        case = smaller;
    }
    case
}

/// Cases with one thing less: a process, a thread, a core, a step or some time.
fn smaller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut Case)| {
        let mut changed = case.clone();
        change(&mut changed);
        all.push(changed);
    };
    for (p, process) in case.processes.iter().enumerate() {
        if case.processes.len() > 1 {
            add(&|case| drop(case.processes.remove(p)));
        }
        add(&|case| case.processes[p].at = 0);
        for (t, thread) in process.threads.iter().enumerate() {
            if process.threads.len() > 1 {
                add(&|case| drop(case.processes[p].threads.remove(t)));
            }
            for steps in smaller_lists(&thread.steps) {
                add(&|case| case.processes[p].threads[t].steps.clone_from(&steps));
            }
            add(&|case| case.processes[p].threads[t].at = thread.at / 2);
            add(&|case| case.processes[p].threads[t].at = thread.at.saturating_sub(1));
        }
    }
    if case.cores > 1 {
        add(&|case| case.cores -= 1);
    }
    all.retain(|each| each != case);
    all
}

fn smaller_lists(steps: &[Step]) -> Vec<Vec<Step>> {
    let mut all = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        let (before, after) = (&steps[..place], &steps[place + 1..]);
        if steps.len() > 1 {
            all.push([before, after].concat());
        }
        all.extend(replacements(step).iter().map(|instead| [before, instead, after].concat()));
    }
    all
}

/// What may stand for a step: its body alone, the same with a smaller body, or a shorter one.
fn replacements(step: &Step) -> Vec<Vec<Step>> {
    let shorter = |make: fn(u64) -> Step, us: u64| match us {
        0 => vec![],
        _ => vec![vec![make(us / 2)], vec![make(us - 1)]],
    };
    let bodies = |body: &Vec<Step>, make: &dyn Fn(Vec<Step>) -> Step| {
        let inner = smaller_lists(body).into_iter().map(|body| vec![make(body)]);
        std::iter::once(body.clone()).chain(inner).collect::<Vec<_>>()
    };
    match step {
        Step::Cpu(us) => shorter(Step::Cpu, *us),
        Step::Native(us) => shorter(Step::Native, *us),
        Step::Holding(us) => shorter(Step::Holding, *us),
        Step::Io(us) => shorter(Step::Io, *us),
        Step::Sleep(us) => shorter(Step::Sleep, *us),
        Step::Repeat(times, body) => {
            let mut all = bodies(body, &|body| Step::Repeat(*times, body));
            all.extend(times.checked_sub(1).map(|fewer| vec![Step::Repeat(fewer, body.clone())]));
            all
        }
        Step::With(body) => bodies(body, &Step::With),
    }
}
