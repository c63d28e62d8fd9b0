//! Where output goes: stdout is the result, stderr is talk.

use std::io::{self, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};

use crate::cli::Exit;
use crate::cli::args::{Look, When};
use crate::render::Style;
use crate::store::Whole;

/// Why a command stopped early.
#[derive(Debug)]
pub enum Failure {
    /// Nobody reads any more, which is no error.
    ClosedPipe,
    /// What to tell the user, and how to exit.
    Says(Exit, String),
}

impl Failure {
    /// Writing failed.
    pub fn output(error: io::Error) -> Failure {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Failure::ClosedPipe
        } else {
            Failure::Says(Exit::Output, format!("error: cannot write the output: {error}"))
        }
    }

    /// The command line asks for something that does not exist.
    pub fn usage(sentence: impl Into<String>) -> Failure {
        Failure::Says(Exit::Usage, format!("error: {}", sentence.into()))
    }
}

/// The terminal, or what stands in for it.
#[derive(Debug)]
pub struct Screen {
    choice: ColorChoice,
    width: usize,
    ascii: bool,
    /// No warnings.
    pub quiet: bool,
    /// More talk.
    pub verbose: bool,
}

impl Screen {
    /// What the command line and the environment ask for.
    pub fn new(look: &Look) -> Screen {
        let choice = match look.color {
            When::Auto => ColorChoice::Auto,
            When::Always => ColorChoice::Always,
            When::Never => ColorChoice::Never,
        };
        let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let width = look.width.map(usize::from).or_else(terminal).unwrap_or(80);
        Screen { choice, width: width.max(40), ascii: look.ascii, quiet: look.quiet, verbose: look.verbose }
    }

    /// The layout of texts on stdout, or in a file.
    pub fn style(&self, to_file: bool, all: bool) -> Style {
        let colour = match self.choice {
            ColorChoice::Auto => !to_file && AutoStream::choice(&io::stdout()) != ColorChoice::Never,
            choice => choice != ColorChoice::Never,
        };
        Style { width: self.width, ascii: self.ascii, colour, all, ..Style::default() }
    }

    /// Prints a result.
    pub fn print(&self, text: &str) -> Result<(), Failure> {
        self.stream(None, |writer| writer.write_all(text.as_bytes()))
    }

    /// Writes a result to stdout, or to a file that appears only when it is complete.
    pub fn stream(
        &self,
        file: Option<&Path>,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        match file.filter(|file| *file != Path::new("-")) {
            None => {
                let mut writer = io::BufWriter::new(io::stdout().lock());
                write(&mut writer).and_then(|()| writer.flush()).map_err(Failure::output)
            }
            Some(file) => {
                let named = |error: io::Error| {
                    Failure::Says(Exit::Output, format!("error: cannot write {}: {error}", file.display()))
                };
                let mut writer = Whole::create(file).map_err(named)?;
                write(&mut writer).map_err(named)?;
                writer.finish().map_err(named)
            }
        }
    }

    /// Asks something on stderr; the answer is awaited on the same line.
    pub fn ask(&self, text: &str) {
        let _ = write!(AutoStream::new(io::stderr(), self.choice), "{text}");
    }

    /// Says something on stderr. If nobody hears it, that is no error.
    pub fn say(&self, text: &str) {
        let _ = writeln!(AutoStream::new(io::stderr(), self.choice), "{}", text.trim_end());
    }
}
