//! The command line, declared once: parser, help, completions and man pages come from here.

mod compare;

use std::path::PathBuf;

pub use compare::{Diff, DiffFormat, Ingredient, Snapshot, SnapshotAct, SnapshotArgs, SnapshotFormat};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::time::Span;

const EXAMPLES: &str = "\
Examples:
  gilsim run models/threads-cpu-12.yaml        why twelve threads are no faster
  gilsim run models/processes-cpu-12.yaml      why twelve processes are
  gilsim check models                          does every model keep its promises?
  gilsim diff models/gil/convoy.yaml --what-if no-cruncher
                                               what is different without it?
  gilsim help format                           how to write a model

Exit codes: 0 everything holds · 1 an expectation failed, or something differs · 2 model or usage error ·
3 a validation could not tell · 4 deadlock, livelock or event cap · 5 actual workers failed ·
74 output could not be written";

/// Simulates how threads and processes share cores under Python's Global Interpreter Lock.
#[derive(Debug, Parser)]
#[command(name = "gilsim", version, after_help = EXAMPLES, disable_help_subcommand = true, subcommand_required = true)]
#[command(arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to print.
    #[command(flatten)]
    pub look: Look,
}

/// How to print, on every command.
#[derive(Args, Clone, Debug)]
pub struct Look {
    /// Colours: they only double what the signs say. NO_COLOR and CLICOLOR_FORCE are honoured.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: When,
    /// Only ASCII signs.
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Columns to use; default: those of the terminal, or 80.
    #[arg(long, global = true, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..))]
    pub width: Option<u16>,
    /// No warnings.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more on stderr: events, digests.
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Simulate a model: how long, why that long, what would change it
    Run(Run),
    /// Check models: their errors, their expectations and those of their variants
    Check(Check),
    /// Compare two runs by meaning: what differs first, why, and what follows from it
    Diff(Diff),
    /// Keep what models do, and tell when it changes
    Snapshot(Snapshot),
    /// Run a model with actual workers, again and again, and say whether its prediction holds
    #[cfg(target_os = "linux")]
    Validate(Validate),
    /// Measure this host's costs into a profile
    #[cfg(target_os = "linux")]
    Calibrate(Calibrate),
    /// Explain a topic: format, steps, states, metrics, policies, errors; or a command
    Help {
        /// The topic or command.
        topic: Option<String>,
    },
    /// Write a first model, with comments
    New(New),
    /// Print the JSON Schema of models, for editors
    Schema,
    /// Print a completion script for a shell
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

/// `gilsim new`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  gilsim new --threads 12 --cpu 50ms -o model.yaml
  gilsim new --processes 4 --threads 2 --cpu 5ms --io 20ms
  gilsim new --io 50ms --cores 2 | gilsim run -")]
pub struct New {
    /// How many threads; in each process, if there are processes. Default: 4, or one main thread in each process.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub threads: Option<u32>,
    /// How many processes, each with a GIL of its own. Default: the threads of one process.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub processes: Option<u32>,
    /// How long each computes; default: 50ms, if there is no --io.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub cpu: Option<Span>,
    /// How long each waits for a blocking call after that.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub io: Option<Span>,
    /// How many cores the machine has.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub cores: u32,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Overwrite the file.
    #[arg(long)]
    pub force: bool,
}

fn duration(text: &str) -> Result<Span, String> {
    crate::model::duration(text).map_err(|fault| fault.message)
}

/// `gilsim run`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  gilsim run model.yaml
  gilsim run model.yaml --set machine.cores=2 --set threads.worker.count=8
  gilsim run model.yaml --what-if no-gil
  gilsim run model.yaml --profile linux --until 2s
  gilsim run model.yaml --format html -o page.html
  gilsim run model.yaml --format jsonl -o timeline.jsonl
  cat model.yaml | gilsim run -")]
pub struct Run {
    /// The model file; - reads standard input.
    pub model: PathBuf,
    /// Run this variant from the model's what_if.
    #[arg(long, value_name = "NAME")]
    pub what_if: Option<String>,
    #[command(flatten)]
    pub changes: Changes,
    /// What to print.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Show every lane and every row, also where many are alike.
    #[arg(long)]
    pub all: bool,
}

/// Changes to a model on the command line.
#[derive(Args, Clone, Debug, Default)]
pub struct Changes {
    /// Change a field of the model before it is checked, e.g. machine.cores=2.
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// The seed of random draws.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The cost profile: ideal, linux, or a file.
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
    /// The horizon.
    #[arg(long, value_name = "DURATION")]
    pub until: Option<String>,
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Limits on what a model may ask for; errors name the flag that raises them.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Most events of one run.
    #[arg(long, value_name = "N")]
    pub max_events: Option<u64>,
    /// Most threads of a model.
    #[arg(long, value_name = "N")]
    pub max_threads: Option<u32>,
    /// Most cores of a model.
    #[arg(long, value_name = "N")]
    pub max_cores: Option<u32>,
    /// Most operations of all programs.
    #[arg(long, value_name = "N")]
    pub max_steps: Option<u64>,
    /// Most YAML nodes of a model.
    #[arg(long, value_name = "N")]
    pub max_nodes: Option<usize>,
    /// Deepest nesting of a model's YAML.
    #[arg(long, value_name = "N")]
    pub max_depth: Option<usize>,
    /// Largest model file, in bytes.
    #[arg(long, value_name = "BYTES")]
    pub max_model_size: Option<u64>,
}

/// What `run` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A report to read
    Text,
    /// The results as one JSON object
    Json,
    /// The timeline, one JSON record a line
    Jsonl,
    /// The timeline, one line of text an event
    Timeline,
    /// One page to open in a browser, without a network
    Html,
    /// The stretches of all threads in their states, one row each
    Csv,
    /// For viewers that read Chrome's trace format
    Chrome,
    /// For the Perfetto viewer
    Perfetto,
    /// For the speedscope viewer
    Speedscope,
    /// A drawing for slides and paper
    Svg,
    /// A textbook's Gantt chart and table
    Gantt,
}

/// `gilsim check`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  gilsim check models
  gilsim check model.yaml --determinism
  gilsim check models --format github")]
pub struct Check {
    /// Model files, or folders of them; - reads standard input.
    #[arg(required = true)]
    pub models: Vec<PathBuf>,
    #[command(flatten)]
    pub changes: Changes,
    /// Run everything twice and compare the timelines.
    #[arg(long)]
    pub determinism: bool,
    /// What to print.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: CheckFormat,
}

/// What `check` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// A line a model, details where something fails
    Text,
    /// The results as one JSON object
    Json,
    /// JUnit XML, a test case an expectation
    Junit,
    /// SARIF 2.1.0
    Sarif,
    /// GitHub annotations
    Github,
}

/// `gilsim validate`
#[cfg(target_os = "linux")]
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  gilsim validate model.yaml
  gilsim validate model.yaml --python 3.13,3.12
  gilsim validate model.yaml --backend native
  gilsim validate model.yaml --what-if all
  gilsim validate model.yaml --profile this-host.yaml --runs 11
  gilsim validate model.yaml --format html -o page.html")]
pub struct Validate {
    /// Model files, or folders of them; - reads standard input.
    #[arg(required = true)]
    pub models: Vec<PathBuf>,
    /// Who does the work; default: CPython, or native where there is no Python.
    #[arg(long, value_name = "BACKEND")]
    pub backend: Option<WorkersArg>,
    /// Interpreters: paths, commands, versions, or all; several with commas, or given several times.
    #[arg(long, value_name = "PYTHON", conflicts_with = "backend", value_delimiter = ',')]
    pub python: Vec<String>,
    /// At most so many trials of each variant.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: Option<u64>,
    /// Run this variant from the model's what_if; all = the model and all of them, and their ranking.
    #[arg(long, value_name = "NAME")]
    pub what_if: Option<String>,
    /// Count disturbed trials too: to see what a busy host does. The report says so.
    #[arg(long)]
    pub despite_noise: bool,
    /// Do not predict for the cores of this host where the model has more.
    #[arg(long)]
    pub as_written: bool,
    #[command(flatten)]
    pub changes: Changes,
    /// What to print.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ReportFormat,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Show every lane.
    #[arg(long)]
    pub all: bool,
}

/// Who does the work.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WorkersArg {
    /// An interpreter of CPython
    Cpython,
    /// Threads of this process, with a GIL in user space
    Native,
}

/// What `validate` prints.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// A report to read
    Text,
    /// The results as one JSON object
    Json,
    /// A page to open in a browser: one model, predicted and measured
    Html,
}

/// `gilsim calibrate`
#[cfg(target_os = "linux")]
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  gilsim calibrate -o this-host.yaml
  gilsim calibrate --python 3.13 --python 3.12 -o this-host.yaml
  gilsim run model.yaml --profile this-host.yaml")]
pub struct Calibrate {
    /// An interpreter: a path, a command, a version, or all. The first one's costs become the profile's.
    #[arg(long, value_name = "PYTHON")]
    pub python: Vec<String>,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
