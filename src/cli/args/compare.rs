//! The arguments of commands that compare.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::args::{Changes, LimitArgs};

/// `gilsim diff`
#[derive(Args, Debug)]
#[command(after_help = "\
A and B are models (.yaml), stored timelines (.jsonl, from run --format jsonl) or snapshots (.snap).
Without B the model is compared with itself changed: --what-if, --set, --seed, --profile and --until
change the second side only.

Examples:
  gilsim diff models/threads-cpu-12.yaml models/processes-cpu-12.yaml
  gilsim diff models/gil/convoy.yaml --what-if no-cruncher
  gilsim diff model.yaml --set python.switch_interval=500us --ignore placement
  gilsim diff yesterday.jsonl today.jsonl --ignore 'time<1%'

Exit codes: 0 the same · 1 different · 2 model, file or usage error")]
pub struct Diff {
    /// The first side.
    pub a: PathBuf,
    /// The second side.
    pub b: Option<PathBuf>,
    /// Let the second side be this variant from its model's what_if.
    #[arg(long, value_name = "NAME")]
    pub what_if: Option<String>,
    #[command(flatten)]
    pub changes: Changes,
    /// Look away from some differences: placement (on which core), time<1%, time<5us.
    #[arg(long, value_name = "WHAT")]
    pub ignore: Vec<String>,
    /// What to print.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: DiffFormat,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Show every difference and every lane.
    #[arg(long)]
    pub all: bool,
}

/// What `diff` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// A report to read
    Text,
    /// The comparison as one JSON object
    Json,
    /// A page to open in a browser: both runs on one scale
    Html,
}

/// `gilsim snapshot`
#[derive(Args, Debug)]
#[command(after_help = "\
A snapshot holds what a model printed when somebody last looked. MODEL is a file or folder below
--models; without it all are meant. Snapshots are the files that cargo insta reads and writes.

Examples:
  gilsim snapshot accept                  keep what the models do now
  gilsim snapshot check                   has anything changed since?
  gilsim snapshot check --format github   the same, as annotations of a pull request
  gilsim snapshot accept --what order     pin the order of events only; costs may change

Exit codes: 0 nothing changed · 1 something changed · 2 model, file or usage error")]
pub struct Snapshot {
    /// What to do.
    #[command(subcommand)]
    pub act: SnapshotAct,
}

/// What to do with snapshots.
#[derive(Debug, Subcommand)]
pub enum SnapshotAct {
    /// Tell which models no longer do what their snapshots hold
    Check(SnapshotArgs),
    /// Keep what the models do now
    Accept(SnapshotArgs),
    /// Ask about each change: keep it, leave it as it is, or stop
    Review(SnapshotArgs),
}

/// Which snapshots, and what of them.
#[derive(Args, Debug)]
pub struct SnapshotArgs {
    /// Models, or folders of them.
    pub models: Vec<PathBuf>,
    /// The folder of the models.
    #[arg(long = "models", value_name = "FOLDER", default_value = "models")]
    pub base: PathBuf,
    /// The folder of the snapshots.
    #[arg(long, value_name = "FOLDER", default_value = "snapshots")]
    pub dir: PathBuf,
    /// Compare only this: order, placement, times, metrics. With accept: pin only this from now on.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub what: Vec<Ingredient>,
    /// What to print.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: SnapshotFormat,
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// What a fingerprint is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Ingredient {
    /// Who did what in which order
    Order,
    /// On which core
    Placement,
    /// When
    Times,
    /// The metrics
    Metrics,
}

/// What `snapshot` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SnapshotFormat {
    /// A block for each change
    Text,
    /// GitHub annotations
    Github,
}
