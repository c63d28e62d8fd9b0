//! Reading models: files, folders, standard input, and what the command line changes in them.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::cli::args::{Changes, LimitArgs};
use crate::cli::output::{Failure, Screen};
use crate::model::{Diagnostic, Limits, Source};
use crate::render::count_findings;

/// Reads a model; `-` is standard input. A file larger than the limit is not read to its end.
pub fn read(path: &Path, limits: &Limits) -> Result<Source, Unread> {
    let name = name(path);
    let most = limits.file_bytes.saturating_add(1);
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.map_err(|error| Unread::Failed(format!("cannot read {name}: {error}")))?;
    Source::from_bytes(&name, bytes).map_err(Unread::Wrong)
}

/// Why a model could not be read.
#[derive(Debug)]
pub enum Unread {
    /// The operating system says so.
    Failed(String),
    /// It is no text.
    Wrong(Box<Diagnostic>),
}

impl Unread {
    /// Says it on stderr.
    pub fn report(&self, screen: &Screen) {
        match self {
            Unread::Failed(sentence) => screen.say(&format!("error: {sentence}")),
            Unread::Wrong(finding) => report(std::slice::from_ref(finding), screen),
        }
    }
}

/// What a model is called in messages.
pub fn name(path: &Path) -> String {
    if path == Path::new("-") { "<stdin>".to_string() } else { path.display().to_string() }
}

/// Says on stderr what is wrong with a model; warnings only if they are wanted.
pub fn report(findings: &[Diagnostic], screen: &Screen) {
    let wanted: Vec<Diagnostic> =
        findings.iter().filter(|finding| finding.is_error() || !screen.quiet).cloned().collect();
    wanted.iter().for_each(|finding| screen.say(&finding.to_string()));
    if wanted.iter().any(Diagnostic::is_error) {
        screen.say(&format!("{}. How to write a model: gilsim help format", count_findings(&wanted)));
    }
}

/// The models that the arguments of `check` name: folders stand for all `.yaml` files below them, in order of their names.
pub fn models(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = found.len();
            walk(path, &mut found)?;
            if found.len() == before {
                return Err(Failure::usage(format!("no .yaml file below {}", path.display())));
            }
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::usage(format!("cannot read {}: {error}", folder.display()));
    let entries: io::Result<Vec<PathBuf>> =
        fs::read_dir(folder).and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
    let mut entries = entries.map_err(failed)?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            walk(&entry, found)?;
        } else if entry.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
            found.push(entry);
        }
    }
    Ok(())
}

/// The settings that the flags stand for: each flag is one field of the model.
pub fn settings(changes: &Changes) -> Vec<String> {
    let mut sets = changes.set.clone();
    sets.extend(changes.seed.map(|seed| format!("run.seed={seed}")));
    sets.extend(changes.profile.as_ref().map(|profile| format!("machine.profile={profile}")));
    sets.extend(changes.until.as_ref().map(|until| format!("run.until={until}")));
    sets.extend(changes.limits.max_events.map(|events| format!("run.max_events={events}")));
    sets
}

/// The limits that the flags raise or lower.
pub fn limits(flags: &LimitArgs) -> Limits {
    let mut limits = Limits::default();
    limits.file_bytes = flags.max_model_size.unwrap_or(limits.file_bytes);
    limits.threads = flags.max_threads.unwrap_or(limits.threads);
    limits.cores = flags.max_cores.unwrap_or(limits.cores);
    limits.steps = flags.max_steps.unwrap_or(limits.steps);
    limits.nodes = flags.max_nodes.unwrap_or(limits.nodes);
    limits.depth = flags.max_depth.unwrap_or(limits.depth);
    limits
}

/// Reads a profile that a model names by its path.
pub fn read_profile(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| error.to_string())
}
