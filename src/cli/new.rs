//! `gilsim new`: writes a first model, with comments, from a few flags.

use std::path::Path;

use crate::cli::Exit;
use crate::cli::args::New;
use crate::cli::output::{Failure, Screen};
use crate::time::{LONGEST, Span};

/// What each worker computes where the command line does not say what it does.
const WORK: Span = Span::from_ms(50);

/// Writes the model to stdout, or to a file that does not exist yet.
pub fn new(args: &New, screen: &Screen) -> Result<Exit, Failure> {
    if let Some(file) = args.output.as_deref().filter(|file| !args.force && *file != Path::new("-") && file.exists()) {
        let sentence = format!("{} exists; --force overwrites it, -o names another file", file.display());
        return Err(Failure::usage(sentence));
    }
    let model = First::of(args)?.text();
    screen.stream(args.output.as_deref(), |writer| writer.write_all(model.as_bytes()))?;
    if let Some(file) = args.output.as_deref().filter(|_| !screen.quiet) {
        screen.say(&format!("next: gilsim run {}", file.display()));
    }
    Ok(Exit::Holds)
}

/// What the model is made of.
struct First {
    cores: u32,
    processes: Option<u32>,
    threads: Option<u32>,
    cpu: Option<Span>,
    io: Option<Span>,
    /// The work of all threads together.
    work: Span,
}

impl First {
    fn of(args: &New) -> Result<First, Failure> {
        let cpu = args.cpu.or(if args.io.is_none() { Some(WORK) } else { None });
        let threads = args.threads.or(if args.processes.is_none() { Some(4) } else { None });
        let mut first =
            First { cores: args.cores, processes: args.processes, threads, cpu, io: args.io, work: Span::ZERO };
        let all = u128::from(first.workers()) * u128::from(cpu.unwrap_or(Span::ZERO).ns());
        match u64::try_from(all).map(Span::from_ns) {
            Ok(work) if work <= LONGEST => first.work = work,
            _ => return Err(Failure::usage("so much work is more than 1000h, the longest run there is")),
        }
        Ok(first)
    }

    /// All threads of all processes.
    fn workers(&self) -> u32 {
        self.processes.unwrap_or(1) * self.threads.unwrap_or(1)
    }

    fn text(&self) -> String {
        let First { cores, work, .. } = self;
        let (name, sum, workers) = (self.name(), self.sum(), self.workers());
        let (declared, place) = self.declared();
        format!(
            "# A first model. Run it with gilsim run, check its expectations with gilsim check; gilsim help format lists all fields.
name: {name}
about: What a reader should notice.
machine:
  cores: {cores}                 # also scheduler, devices, costs; profile: linux brings measured costs
python:
  version: \"3.13\"          # selects the rules of its GIL; build: free-threaded has none
  switch_interval: 5ms     # how long a thread waits for the GIL before it asks for it
{declared}run:
  seed: 1                  # random lengths, as in cpu: {{exponential: 5ms}}, come from it
expect:                    # checked by run and check; gilsim help metrics lists what can be expected
  - work == {work}         # {sum}
  - count(task) == {workers}
what_if:                   # variants: gilsim run --what-if free-threaded
  free-threaded:
    about: the same without a GIL
    set: {{python.build: free-threaded}}
    expect: inherit
  one-core:
    about: the same on one core
    set: {{machine.cores: 1}}
    expect: inherit
  twice-the-work:
    about: every task twice, one after the other
    set: {{{place}.do.0.repeat: 2}}
    expect:
      - count(task) == {}
",
            2 * workers,
        )
    }

    fn name(&self) -> String {
        let many = |count: u32, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
        let threads = self.threads.map(|threads| many(threads, "thread", "threads"));
        let processes = self.processes.map(|processes| many(processes, "process", "processes"));
        let who = match (processes, threads) {
            (Some(processes), Some(threads)) => format!("{processes} of {threads}"),
            (processes, threads) => processes.or(threads).unwrap_or_default(),
        };
        format!("{who} on {}", many(self.cores, "core", "cores"))
    }

    fn sum(&self) -> String {
        let workers = self.workers();
        match self.cpu {
            Some(cpu) => format!("{workers} x {cpu}"),
            None => "I/O is no work".to_owned(),
        }
    }

    /// The threads or processes, and the path of whoever has the steps.
    fn declared(&self) -> (String, &'static str) {
        let count = |count: u32| format!("count: {count}               # members are called worker-1, worker-2 ...");
        match (self.processes, self.threads) {
            (None, threads) => {
                let threads = count(threads.unwrap_or(1));
                (format!("threads:\n  worker:\n    {threads}\n{}", self.steps("    ")), "threads.worker")
            }
            (Some(processes), None) => {
                let processes = count(processes);
                (format!("processes:\n  worker:\n    {processes}\n{}", self.steps("    ")), "processes.worker")
            }
            (Some(processes), Some(threads)) => {
                let steps = self.steps("        ");
                let head = format!(
                    "processes:               # each has a GIL of its own\n  worker:\n    {}",
                    count(processes)
                );
                let threads = format!("threads:\n      thread:\n        count: {threads}");
                (format!("{head}\n    {threads}\n{steps}"), "processes.worker.threads.thread")
            }
        }
    }

    fn steps(&self, indent: &str) -> String {
        let mut text = format!("{indent}do:\n");
        text += &format!("{indent}  - repeat: 1        # how often\n{indent}    do:\n");
        text += &format!(
            "{indent}      - span: task   # a name for this stretch of work: run shows its latencies\n{indent}        do:\n"
        );
        if let Some(cpu) = self.cpu {
            text += &format!("{indent}          - cpu: {cpu}    # Python code: a core and the GIL\n");
        }
        if let Some(io) = self.io {
            text += &format!("{indent}          - io: {io}     # a blocking call: neither of them\n");
        }
        text
    }
}
