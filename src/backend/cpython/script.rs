//! Runs one of our own scripts in an interpreter, isolated like the worker, and returns what it prints.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::backend::cpython::error::Error;
use crate::backend::cpython::find::Interpreter;
use crate::backend::cpython::scratch::Scratch;
use crate::backend::cpython::spawn::{Failure, Order, run};

/// Runs a script to its end. Its private folder, below `parent`, is the working directory.
pub(in crate::backend) fn run_script(
    interpreter: &Interpreter,
    text: &str,
    time: Duration,
    parent: &Path,
) -> Result<String, Error> {
    let scratch = Scratch::new(parent).map_err(|error| Error::Scratch(parent.to_owned(), error))?;
    let script = scratch.path().join("script.py");
    fs::write(&script, text).map_err(|error| Error::Scratch(script.clone(), error))?;
    let mut arguments: Vec<OsString> = interpreter.isolation().iter().map(OsString::from).collect();
    arguments.push(script.into());
    let order = Order {
        program: &interpreter.path,
        arguments,
        folder: scratch.path(),
        input: b"",
        time,
        most_output: 1 << 20,
        cores: None,
        interrupted: None,
    };
    let outcome = run(&order).map_err(|failure| match failure {
        Failure::Start(error) => Error::Start(interpreter.path.clone(), error),
        Failure::Hung { stderr } => Error::Hung { seconds: time.as_secs_f64(), stderr },
        Failure::Flood => Error::Flood { limit: order.most_output },
        Failure::Interrupted => Error::Interrupted,
    })?;
    if outcome.status.success() {
        Ok(String::from_utf8_lossy(&outcome.stdout).into_owned())
    } else {
        Err(Error::Died { status: outcome.status.to_string(), stderr: outcome.stderr })
    }
}
