//! The command line: parses arguments, reads files, prints, exits. The only floor that reads the environment.

mod args;
mod check;
mod diff;
mod help;
mod input;
mod new;
mod output;
mod pages;
mod progress;
mod report;
mod run;
mod shots;
mod snapshot;
#[cfg(target_os = "linux")]
mod validate;

pub use report::report;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use self::args::{Cli, Command};
use self::output::{Failure, Screen};

/// How a command ends: the exit codes of the manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, and everything holds.
    Holds,
    /// An expectation or an invariant failed.
    Fails,
    /// The model or the command line is wrong.
    Usage,
    /// A validation could not tell: too much noise, or too few trials.
    Inconclusive,
    /// Actual workers failed: no interpreter, or one that died or hung.
    Workers,
    /// The run ended in a deadlock, a livelock, at the event cap or in an error of the modelled program.
    Stuck,
    /// Output could not be written.
    Output,
    /// Somebody stopped it; what was finished was printed.
    Interrupted,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Holds => 0,
            Exit::Fails => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::Stuck => 4,
            Exit::Workers => 5,
            Exit::Output => 74,
            Exit::Interrupted => 130,
        }
    }

    /// Of several causes the first that applies of output, usage, workers, stuck, fails, inconclusive.
    pub fn and(self, other: Exit) -> Exit {
        let bad = [Exit::Interrupted, Exit::Output, Exit::Usage, Exit::Workers, Exit::Stuck, Exit::Fails];
        let mut order = bad.into_iter().chain([Exit::Inconclusive, Exit::Holds]);
        order.find(|exit| [self, other].contains(exit)).expect("every exit is in the order")
    }
}

/// Runs the command of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout and are no error; a closed pipe is none either.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { Exit::Holds.code() });
        }
    };
    let screen = Screen::new(&cli.look);
    let exit = match run(&cli, &screen) {
        Ok(exit) => exit,
        Err(Failure::ClosedPipe) => Exit::Holds,
        Err(Failure::Says(exit, sentence)) => {
            if !sentence.is_empty() {
                screen.say(&sentence);
            }
            exit
        }
    };
    ExitCode::from(exit.code())
}

fn run(cli: &Cli, screen: &Screen) -> Result<Exit, Failure> {
    match &cli.command {
        Command::Run(args) => run::run(args, screen),
        Command::Check(args) => check::check(args, screen),
        Command::Diff(args) => diff::diff(args, screen),
        Command::Snapshot(args) => snapshot::snapshot(args, screen),
        #[cfg(target_os = "linux")]
        Command::Validate(args) => validate::validate(args, screen),
        #[cfg(target_os = "linux")]
        Command::Calibrate(args) => validate::calibrate(args, screen),
        Command::Help { topic } => help::help(topic.as_deref(), screen),
        Command::New(args) => new::new(args, screen),
        Command::Schema => screen.print(&crate::model::schema()).map(|()| Exit::Holds),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "gilsim", &mut script);
            screen.print(&String::from_utf8_lossy(&script)).map(|()| Exit::Holds)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(Failure::output)?;
            screen.print(&String::from_utf8_lossy(&page)).map(|()| Exit::Holds)
        }
    }
}
