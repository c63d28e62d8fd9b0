//! The pages under test, written below `target/pages/`, where they can be opened by hand as well.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gilsim::analysis::comparison::Spread;
use gilsim::cli::report;
use gilsim::model::{self, Options, Source};
use gilsim::render::{Facts, Measured, PageInput, Recording, View, page};
use gilsim::study::{self, Simulation};
use gilsim::time::Span;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of pages and pictures.
pub fn folder() -> PathBuf {
    let folder = root().join("target/pages");
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Runs our program on a model of this repository, or on a model given as text.
fn gilsim(model: &str, more: &[&str]) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gilsim"));
    let output = command.current_dir(root()).args(["run", model, "--quiet"]).args(more).output().expect("it runs");
    assert!(matches!(output.status.code(), Some(0 | 4)), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The page of a model.
pub fn of_model(model: &str) -> PathBuf {
    of_model_with(model, &[])
}

/// The page of a model with more arguments.
pub fn of_model_with(model: &str, more: &[&str]) -> PathBuf {
    let name = Path::new(model).file_stem().expect("a name").to_string_lossy().into_owned();
    let file = folder().join(format!("{name}.html"));
    // Every test writes its own file in one go; two tests that want the same page write the same bytes.
    let whole = gilsim(model, &[&["--format", "html"], more].concat());
    fs::write(&file, whole).expect("written");
    file
}

/// A model given as text, in a file.
pub fn model_file(name: &str, yaml: &str) -> String {
    let file = folder().join(format!("{name}.yaml"));
    fs::write(&file, yaml).expect("written");
    file.to_string_lossy().into_owned()
}

/// What `--format json` prints of a model.
pub fn result_of(model: &str) -> Value {
    serde_json::from_slice(&gilsim(model, &["--format", "json"])).expect("JSON")
}

/// The records of a model, as `--format jsonl` prints them.
pub fn records_of(model: &str) -> Vec<Value> {
    let text = String::from_utf8(gilsim(model, &["--format", "jsonl"])).expect("UTF-8");
    text.lines().skip(1).map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// A simulated run with everything that a page needs.
pub struct Run {
    simulation: Simulation,
    facts: Facts,
    records: Recording,
}

impl Run {
    /// Simulates a model of this repository with settings.
    pub fn of(model: &str, sets: &[&str], limit: usize) -> Run {
        let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
        let text = fs::read_to_string(root().join(model)).expect("a model");
        let options = Options { sets: &sets, ..Options::default() };
        let loaded = model::load(&Source { name: model.into(), text }, &options).expect("a valid model");
        let variant = (!sets.is_empty()).then(|| sets.join(", "));
        let facts = Facts::of(&loaded.scenario, "0".repeat(32), variant, "1");
        let mut records = Recording::of_at_most(limit);
        let simulation = study::simulate(&loaded.scenario, &mut records);
        Run { simulation, facts, records }
    }

    /// Gives everybody and everything other names.
    pub fn rename(&mut self, names: &[&str]) {
        let cast = &mut self.simulation.cast;
        let mut names = names.iter().cycle().map(|name| name.to_string());
        for name in cast.threads.values_mut().map(|thread| &mut thread.name) {
            *name = names.next().expect("without end");
        }
        for name in cast.processes.values_mut().chain(cast.gils.values_mut()).chain(cast.locks.values_mut()) {
            *name = names.next().expect("without end");
        }
    }

    /// The run as a page takes it.
    pub fn view(&self) -> View<'_> {
        let report = report(&self.simulation, &self.facts);
        View { report, records: &self.records }
    }

    /// The run as if it had been measured, its threads finishing up to a tenth earlier or later.
    pub fn measured<'a>(&'a self, spreads: &'a [Spread]) -> Measured<'a> {
        Measured { cast: &self.simulation.cast, records: &self.records, runs: 5, spreads, tables: &[], notes: &[] }
    }

    /// A spread around each thread's finish.
    pub fn spreads(&self) -> Vec<Spread> {
        let threads = self.simulation.metrics.threads.iter();
        let finished = threads.filter_map(|(id, thread)| Some((id, thread.finish?.ns())));
        finished
            .map(|(id, finish)| Spread {
                thread: self.simulation.cast.full_name(id),
                least: Span::from_ns(finish / 10 * 9),
                median: Span::from_ns(finish),
                most: Span::from_ns(finish / 10 * 11),
            })
            .collect()
    }
}

/// Writes a page.
pub fn write(name: &str, input: &PageInput<'_>) -> PathBuf {
    let file = folder().join(format!("{name}.html"));
    let mut whole = Vec::new();
    page(&mut whole, input).expect("a vector takes everything");
    fs::write(&file, whole).expect("written");
    file
}
