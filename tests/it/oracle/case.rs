//! A small model as plain data, and the YAML text of the same model. All times are in microseconds.

use std::fmt::Write as _;

use gilsim::trace::State;

/// A model that the oracle and the engine both run.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub cores: usize,
    /// By which rules all GILs change hands.
    pub rules: Rules,
    pub scheduler: Scheduler,
    pub processes: Vec<Process>,
}

/// The GILs that the oracle knows: CPython's, and those that were proposed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rules {
    Cpython,
    NoForcedSwitch,
    IoPriority,
    HandOff,
    Bfs,
    /// 2.7, with the interval as ticks of a microsecond.
    Ticks,
}

impl Rules {
    pub const ALL: [Rules; 6] =
        [Rules::Cpython, Rules::NoForcedSwitch, Rules::IoPriority, Rules::HandOff, Rules::Bfs, Rules::Ticks];

    fn word(self) -> &'static str {
        match self {
            Rules::Cpython | Rules::Ticks => "cpython",
            Rules::NoForcedSwitch => "no-forced-switch",
            Rules::IoPriority => "io-priority",
            Rules::HandOff => "hand-off",
            Rules::Bfs => "bfs",
        }
    }
}

/// The scheduling policies that the oracle knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scheduler {
    Fifo,
    RoundRobin {
        quantum: u64,
    },
    /// Preemptive, without a quantum.
    Priority,
}

/// A process: Python with threads and one GIL, or a native program with exactly one thread.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    pub at: u64,
    /// The switch interval; `None` = a native program.
    pub interval: Option<u64>,
    pub threads: Vec<Thread>,
}

/// A thread.
#[derive(Clone, Debug, PartialEq)]
pub struct Thread {
    /// Counted from the start of its process.
    pub at: u64,
    pub priority: i64,
    pub steps: Vec<Step>,
}

/// A step of a program.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Cpu(u64),
    Native(u64),
    Holding(u64),
    Io(u64),
    Sleep(u64),
    Repeat(u64, Vec<Step>),
    /// Holds the one lock of the process.
    With(Vec<Step>),
}

/// A step without loops and blocks.
#[derive(Clone, Copy, Debug)]
pub enum Flat {
    Burst(State, u64),
    Block(State, u64),
    Acquire,
    Release,
}

/// The steps one after another, with loops unrolled.
pub fn flat(steps: &[Step], native: bool) -> Vec<Flat> {
    steps.iter().flat_map(|step| flat_step(step, native)).collect()
}

fn flat_step(step: &Step, native: bool) -> Vec<Flat> {
    match step {
        Step::Cpu(us) => vec![Flat::Burst(if native { State::Native } else { State::Python }, *us)],
        Step::Native(us) => vec![Flat::Burst(State::Native, *us)],
        Step::Holding(us) => vec![Flat::Burst(State::NativeGil, *us)],
        Step::Io(us) => vec![Flat::Block(State::Io, *us)],
        Step::Sleep(us) => vec![Flat::Block(State::Sleep, *us)],
        Step::Repeat(times, body) => flat(body, native).repeat(*times as usize),
        Step::With(body) => [vec![Flat::Acquire], flat(body, native), vec![Flat::Release]].concat(),
    }
}

impl Case {
    /// The model in the format of `gilsim help format`.
    pub fn yaml(&self) -> String {
        let mut text = String::from("name: oracle\n");
        let scheduler = match self.scheduler {
            Scheduler::Fifo => "fifo".to_string(),
            Scheduler::RoundRobin { quantum } => format!("{{round-robin: {{quantum: {quantum}us}}}}"),
            Scheduler::Priority => "{priority: {preemptive: true}}".to_string(),
        };
        let _ = writeln!(
            text,
            "machine: {{cores: {}, scheduler: {scheduler}, runqueue: global, tick: 0ms, profile: ideal}}",
            self.cores
        );
        self.locks(&mut text);
        match &self.processes[..] {
            [only @ Process { at: 0, interval: Some(interval), .. }] => {
                let _ = writeln!(text, "python: {}\nthreads:", python(*interval, self.rules));
                self.threads(&mut text, "  ", 0, only);
            }
            several => {
                text.push_str("processes:\n");
                several.iter().enumerate().for_each(|(p, process)| self.process(&mut text, p, process));
            }
        }
        text
    }

    /// Each process has a lock of its own, declared only where it is used.
    fn locks(&self, text: &mut String) {
        let uses = |process: &Process| process.threads.iter().any(|thread| has_lock(&thread.steps));
        let used = self.processes.iter().enumerate().filter(|(_, process)| uses(process));
        let names: Vec<_> = used.map(|(p, _)| format!("l{p}: {{kind: lock}}")).collect();
        if !names.is_empty() {
            let _ = writeln!(text, "locks: {{{}}}", names.join(", "));
        }
    }

    fn process(&self, text: &mut String, p: usize, process: &Process) {
        let at = process.at;
        if let Some(interval) = process.interval {
            let _ =
                writeln!(text, "  p{p}:\n    at: {at}us\n    python: {}\n    threads:", python(interval, self.rules));
            self.threads(text, "      ", p, process);
        } else {
            let thread = &process.threads[0];
            let (at, rest) = (at + thread.at, self.rest(thread, p));
            let _ = writeln!(text, "  p{p}: {{runtime: native, at: {at}us, {rest}}}");
        }
    }

    fn threads(&self, text: &mut String, indent: &str, p: usize, process: &Process) {
        for (t, thread) in process.threads.iter().enumerate() {
            let _ = writeln!(text, "{indent}t{t}: {{at: {}us, {}}}", thread.at, self.rest(thread, p));
        }
    }

    /// What threads and processes with `do` have in common; a priority has an effect (and may be written) under one policy.
    fn rest(&self, thread: &Thread, p: usize) -> String {
        let priority = match self.scheduler {
            Scheduler::Priority => format!("priority: {}, ", thread.priority),
            _ => String::new(),
        };
        format!("{priority}do: {}", steps(&thread.steps, p))
    }
}

fn python(interval: u64, rules: Rules) -> String {
    if rules == Rules::Ticks {
        return format!("{{version: \"2.7\", check_interval: {interval}, costs: {{tick: 1us}}}}");
    }
    let rules = rules.word();
    format!("{{version: \"3.12\", switch_interval: {interval}us, gil: {rules}}}")
}

fn has_lock(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::With(_) => true,
        Step::Repeat(_, body) => has_lock(body),
        _ => false,
    })
}

fn steps(list: &[Step], p: usize) -> String {
    let texts: Vec<_> = list.iter().map(|each| step(each, p)).collect();
    format!("[{}]", texts.join(", "))
}

fn step(step: &Step, p: usize) -> String {
    match step {
        Step::Cpu(us) => format!("{{cpu: {us}us}}"),
        Step::Native(us) => format!("{{native: {us}us}}"),
        Step::Holding(us) => format!("{{native_holding_gil: {us}us}}"),
        Step::Io(us) => format!("{{io: {us}us}}"),
        Step::Sleep(us) => format!("{{sleep: {us}us}}"),
        Step::Repeat(times, body) => format!("{{repeat: {times}, do: {}}}", steps(body, p)),
        Step::With(body) => format!("{{with: l{p}, do: {}}}", steps(body, p)),
    }
}
