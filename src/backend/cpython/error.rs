//! Why a real run could not be made.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::backend::cpython::divergence::Divergence;

/// Why a real run could not be made. Whatever it is: no process is left behind.
#[derive(Debug)]
pub enum Error {
    /// No such interpreter.
    NotFound {
        /// What was asked for.
        spec: String,
        /// Where it was looked for.
        looked: String,
    },
    /// Something that is not an interpreter of CPython.
    NotCpython {
        /// Its path.
        path: PathBuf,
        /// What it said or did.
        detail: String,
    },
    /// This backend or this interpreter cannot do what the model asks for.
    Unsupported(Vec<Refusal>),
    /// The model asks for more than a real run may use.
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How much.
        asked: u64,
        /// How much is allowed.
        allowed: u64,
        /// Why, or how to raise it.
        hint: &'static str,
    },
    /// The private folder of the run could not be made.
    Scratch(PathBuf, io::Error),
    /// The interpreter could not be started.
    Start(PathBuf, io::Error),
    /// The worker ended before it had reported.
    Died {
        /// How it ended: `exit status: 1`, `signal: 9 (SIGKILL)`.
        status: String,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// The worker did not finish in time; a real deadlock looks like this.
    Hung {
        /// How long it had.
        seconds: f64,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// The worker wrote more than any run needs.
    Flood {
        /// The limit in bytes.
        limit: usize,
    },
    /// The worker wrote something else than its protocol.
    Protocol(String),
    /// The worker says that something went wrong in it.
    Worker(String),
    /// The interrupt flag was raised.
    Interrupted,
    /// Real runs need Linux.
    Platform,
}

/// One thing that this backend or this interpreter cannot do.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The row of the table of divergences.
    pub divergence: &'static Divergence,
    /// Where the model asks for it.
    pub detail: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotFound { spec, looked } => write!(f, "no Python interpreter `{spec}`: looked {looked}"),
            Error::NotCpython { path, detail } => {
                write!(f, "{} is not a usable CPython: {}", path.display(), detail.trim_end())
            }
            Error::Unsupported(refusals) => unsupported(f, refusals),
            Error::TooLarge { what, asked, allowed, hint } => {
                write!(f, "E304: {asked} {what}, but a real run may use {allowed}; {hint}")
            }
            Error::Scratch(path, error) => write!(f, "cannot make a private folder in {}: {error}", path.display()),
            Error::Start(path, error) => write!(f, "cannot start {}: {error}", path.display()),
            Error::Died { status, stderr } => {
                write!(f, "the worker ended before it had reported ({status}){}", told(stderr))
            }
            Error::Hung { seconds, stderr } => {
                write!(
                    f,
                    "the worker did not finish within {seconds:.1} s and was ended (a real deadlock looks like this){}",
                    told(stderr)
                )
            }
            Error::Flood { limit } => write!(f, "the worker wrote more than {limit} bytes and was ended"),
            Error::Protocol(detail) => write!(f, "the worker wrote something that is not a report: {detail}"),
            Error::Worker(detail) => write!(f, "the worker failed: {}", detail.trim_end()),
            Error::Interrupted => write!(f, "interrupted; the worker was ended"),
            Error::Platform => write!(f, "real runs need Linux"),
        }
    }
}

fn unsupported(f: &mut fmt::Formatter<'_>, refusals: &[Refusal]) -> fmt::Result {
    write!(f, "W504: the model cannot run for real as written")?;
    for refusal in refusals {
        write!(f, "\n  {}: {} ({})", refusal.divergence.name, refusal.detail, refusal.divergence.what)?;
    }
    Ok(())
}

fn told(stderr: &str) -> String {
    let last = stderr.trim_end().lines().last().unwrap_or_default();
    if last.is_empty() { String::new() } else { format!(": {last}") }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Scratch(_, error) | Error::Start(_, error) => Some(error),
            _ => None,
        }
    }
}
