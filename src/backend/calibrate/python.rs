//! What an interpreter's own actions cost here, measured by a script of ours in it.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::backend::calibrate::figure::Figure;
use crate::backend::cpython::{Interpreter, run_script};

/// The script, as it is shipped.
const SCRIPT: &str = include_str!("calibrate.py");

/// The costs of one interpreter.
#[derive(Clone, Debug)]
pub struct PythonFigures {
    /// Its version, and `t` where it was built without a GIL.
    pub name: String,
    /// Named as in the script.
    pub figures: Vec<(&'static str, Figure)>,
    /// Why there are none.
    pub error: Option<String>,
}

/// What the script measures, and how.
const NAMES: [(&str, &str); 8] = [
    ("thread_start", "from Thread.start() to the thread's first line"),
    ("fork", "os.fork(), in the parent"),
    ("spawn", "multiprocessing, from start() to the child's first line"),
    ("forkserver", "the same, the server already running"),
    ("interpreter_start", "a sub-interpreter, created by the interpreter's private module"),
    ("gil_hold", "two threads that read the clock in a loop, switch interval 5 ms"),
    ("gil_gap", "between the last reading of the one and the first of the other"),
    ("sleep_late", "time.sleep(0.001)"),
];

impl PythonFigures {
    /// A figure by its name.
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|(each, _)| *each == name).map(|(_, figure)| figure)
    }
}

/// Runs the script.
pub(super) fn measure(interpreter: &Interpreter, scratch: &Path) -> PythonFigures {
    let name = interpreter.name();
    let told = run_script(interpreter, SCRIPT, Duration::from_secs(60), scratch).map_err(|error| error.to_string());
    let read = told.and_then(|text| serde_json::from_str::<Value>(&text).map_err(|error| error.to_string()));
    match read {
        Ok(value) => PythonFigures { name, figures: figures(&value), error: None },
        Err(error) => PythonFigures { name, figures: Vec::new(), error: Some(error) },
    }
}

fn figures(value: &Value) -> Vec<(&'static str, Figure)> {
    let values = |name: &str| {
        let list = value.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(Value::as_u64).collect::<Vec<u64>>()
    };
    NAMES.iter().map(|(name, how)| (*name, Figure::new(values(name), how))).collect()
}
