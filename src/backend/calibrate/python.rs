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
    /// Of the turns of eight computing threads: how many went straight back to the thread that had asked, and how many
    /// there were.
    pub returns: (usize, usize),
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

/// Fewer turns than this say little: of 100 the share is known to 5 points, one standard deviation.
const FEWEST_TURNS: usize = 100;

impl PythonFigures {
    /// How often, in percent, a signal is stolen by who asked; nothing where turns were too few.
    pub fn stolen_signals(&self) -> Option<usize> {
        let (back, all) = self.returns;
        (all >= FEWEST_TURNS).then(|| (back * 100 + all / 2) / all)
    }

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
        Ok(value) => {
            let figures = NAMES.iter().map(|(name, how)| (*name, Figure::new(values(&value, name), how))).collect();
            let returns = values(&value, "returns");
            let back = returns.iter().filter(|back| **back == 1).count();
            PythonFigures { name, figures, returns: (back, returns.len()), error: None }
        }
        Err(error) => PythonFigures { name, figures: Vec::new(), returns: (0, 0), error: Some(error) },
    }
}

fn values(value: &Value, name: &str) -> Vec<u64> {
    let list = value.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_u64).collect()
}
