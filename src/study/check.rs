//! `check`: the errors and warnings of a model, then its expectations and those of its variants.

use crate::analysis::{Invariants, Outcome};
use crate::model::{self, Diagnostic, Options, Source};
use crate::study::simulate;
use crate::trace::{Digest, Ending, Nobody, Record};

/// What came of one model or variant.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The variant; `None` = the model itself.
    pub variant: Option<String>,
    /// Errors and warnings of the file as it stands with this variant.
    pub diagnostics: Vec<Diagnostic>,
    /// What came of the run; `None` if the model has errors.
    pub result: Option<Result>,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Result {
    /// What came of the expectations.
    pub outcomes: Vec<Outcome>,
    /// What came of the invariants.
    pub invariants: Invariants,
    /// How the run ended.
    pub ending: Ending,
    /// Whether the model says that it ends in a deadlock.
    pub expects_deadlock: bool,
    /// Whether two runs gave the same timeline, if that was asked.
    pub determinism: Option<Determinism>,
}

/// Whether two runs gave the same timeline.
#[derive(Clone, Debug, PartialEq)]
pub enum Determinism {
    /// They did.
    Same,
    /// They did not: this is the first record that differs.
    Differs(u64),
}

impl Checked {
    /// Whether there is no error and everything holds.
    pub fn holds(&self) -> bool {
        let holds = |result: &Result| {
            result.outcomes.iter().all(|outcome| outcome.holds)
                && result.invariants.broken().next().is_none()
                && !matches!(result.determinism, Some(Determinism::Differs(_)))
        };
        self.result.as_ref().is_some_and(holds)
    }
}

/// Checks a model and all its variants; a variant of a broken model is not looked at.
pub fn check(source: &Source, base: &Options, determinism: bool) -> Vec<Checked> {
    let first = check_one(source, base, None, determinism);
    let mut checked = vec![first];
    if let Ok(loaded) = model::load(source, base) {
        for variant in loaded.variants {
            let options = Options { variant: Some(&variant.name), ..*base };
            checked.push(check_one(source, &options, Some(variant.name.clone()), determinism));
        }
    }
    checked
}

fn check_one(source: &Source, options: &Options, variant: Option<String>, determinism: bool) -> Checked {
    let loaded = match model::load(source, options) {
        Ok(loaded) => loaded,
        Err(diagnostics) => return Checked { variant, diagnostics, result: None },
    };
    let first = simulate(&loaded.scenario, Nobody);
    let determinism = determinism.then(|| compare(&loaded.scenario, first.digest));
    let ending = first.metrics.ending.clone().expect("a run that is over has an ending");
    let result = Result {
        outcomes: first.outcomes,
        invariants: first.invariants,
        ending,
        expects_deadlock: first.expects_deadlock,
        determinism,
    };
    Checked { variant, diagnostics: loaded.warnings, result: Some(result) }
}

/// Runs again and compares; where the digests differ, twice more to find the first record that does.
fn compare(scenario: &model::Scenario, digest: Digest) -> Determinism {
    if simulate(scenario, Nobody).digest == digest {
        return Determinism::Same;
    }
    let (mut a, mut b): (Vec<Record>, Vec<Record>) = (Vec::new(), Vec::new());
    simulate(scenario, &mut a);
    simulate(scenario, &mut b);
    let differs = a.iter().zip(&b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
    Determinism::Differs(differs as u64)
}
