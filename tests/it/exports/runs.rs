//! Timelines of every model and of every variant of it.

use std::fs;
use std::path::{Path, PathBuf};

use gilsim::model::{self, Options, Source};
use gilsim::study::{Simulation, simulate};

use super::Case;

/// All models with all their variants, simulated.
pub fn all() -> Vec<(Case, Simulation)> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let mut paths = Vec::new();
    find(&base, &mut paths);
    paths.sort();
    paths.iter().flat_map(|path| variants(&base, path)).collect()
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            find(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(path);
        }
    }
}

fn variants(base: &Path, path: &Path) -> Vec<(Case, Simulation)> {
    let name = path.strip_prefix(base).expect("below models").to_string_lossy().replace('\\', "/");
    let source = Source { name: name.clone(), text: fs::read_to_string(path).expect("a model") };
    let load = |variant| model::load(&source, &Options { variant, ..Options::default() });
    let base = load(None).unwrap_or_else(|findings| panic!("{name}: {findings:?}"));
    let mut runs = vec![run(name.clone(), &base)];
    for variant in &base.variants {
        // A variant may be there to show what is refused.
        if let Ok(loaded) = load(Some(&variant.name)) {
            runs.push(run(format!("{name} {}", variant.name), &loaded));
        }
    }
    runs
}

fn run(name: String, loaded: &model::Loaded) -> (Case, Simulation) {
    let mut records = Vec::new();
    let simulation = simulate(&loaded.scenario, &mut records);
    let title = loaded.scenario.name().to_string();
    (Case { name, title, cast: simulation.cast.clone(), records }, simulation)
}
