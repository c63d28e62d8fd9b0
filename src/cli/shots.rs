//! Texts of snapshots: from a file, or of a model as it is now.

use std::path::Path;

use crate::analysis::Fingerprints;
use crate::cli::args::Ingredient;
use crate::cli::input;
use crate::cli::output::Failure;
use crate::cli::report;
use crate::model::Scenario;
use crate::render::{self, Excerpt};
use crate::store::Shot;
use crate::study::simulate;
use crate::trace::{Cast, Digest, Facts};

/// Reads a snapshot file.
pub fn read(path: &Path) -> Result<Shot, Failure> {
    Shot::read(path).map_err(|error| Failure::usage(format!("cannot read {}: {error}", input::name(path))))
}

/// What a model's snapshot would hold now, with its fingerprints.
pub struct Fresh {
    /// The text without pins.
    pub text: String,
    prints: Fingerprints,
}

/// Simulates and renders a snapshot.
pub fn fresh(scenario: &Scenario, facts: &Facts) -> Fresh {
    let cast = Cast::of(scenario);
    let (mut excerpt, mut prints) = (Excerpt::new(&cast), Fingerprints::default());
    let simulation = simulate(scenario, (&mut excerpt, &mut prints));
    let report = report(&simulation, facts);
    let mut text = String::new();
    render::snapshot(&mut text, &report, &excerpt).expect("a string takes everything");
    Fresh { text, prints }
}

/// What a timeline can be compared by: expectations are the model's, and only a run of the simulator checks invariants.
pub fn of_records(text: &str) -> String {
    let claims = |line: &&str| line.starts_with("expectations ") || line.starts_with("invariants ");
    text.lines().filter(|line| !claims(line)).map(|line| format!("{line}\n")).collect()
}

impl Fresh {
    /// The fingerprint of one ingredient.
    pub fn print(&self, what: Ingredient) -> String {
        let digest = match what {
            Ingredient::Order => self.prints.order,
            Ingredient::Placement => self.prints.placement,
            Ingredient::Times => self.prints.times,
            Ingredient::Metrics => Digest::of(render::shot_metrics(&self.text).as_bytes()),
        };
        digest.hex()
    }

    /// The text with the lines that pin these ingredients; nothing is added for none.
    pub fn pinned(&self, what: &[Ingredient]) -> String {
        if what.is_empty() {
            return self.text.clone();
        }
        let words: Vec<&str> = what.iter().map(|what| what.word()).collect();
        let lines = what.iter().map(|what| format!("{:<8} {}\n", what.word(), self.print(*what)));
        format!("{}\npinned   {}\n{}", self.text, words.join(", "), lines.collect::<String>())
    }
}

impl Ingredient {
    /// All of them.
    pub const ALL: [Ingredient; 4] = [Ingredient::Order, Ingredient::Placement, Ingredient::Times, Ingredient::Metrics];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Ingredient::Order => "order",
            Ingredient::Placement => "placement",
            Ingredient::Times => "times",
            Ingredient::Metrics => "metrics",
        }
    }

    /// The ingredients that a snapshot pins.
    pub fn pinned_by(text: &str) -> Vec<Ingredient> {
        let words = render::shot_value(text, "pinned").unwrap_or_default();
        let known = |word: &str| Ingredient::ALL.into_iter().find(|what| what.word() == word.trim());
        words.split(',').filter_map(known).collect()
    }
}
