//! The command line: parses arguments, reads files, prints, exits. The only floor that reads the environment.

mod args;
mod check;
mod diff;
mod help;
mod input;
mod output;
mod progress;
mod run;
mod shots;
mod snapshot;

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
    /// The run ended in a deadlock, a livelock, at the event cap or in an error of the modelled program.
    Stuck,
    /// Output could not be written.
    Output,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Holds => 0,
            Exit::Fails => 1,
            Exit::Usage => 2,
            Exit::Stuck => 4,
            Exit::Output => 74,
        }
    }

    /// Of several causes the first that applies of output, usage, stuck, fails.
    pub fn and(self, other: Exit) -> Exit {
        let order = [Exit::Output, Exit::Usage, Exit::Stuck, Exit::Fails, Exit::Holds];
        order.into_iter().find(|exit| [self, other].contains(exit)).expect("every exit is in the order")
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
        Command::Help { topic } => help::help(topic.as_deref(), screen),
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
