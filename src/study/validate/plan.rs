//! What is predicted and what is run: two scenarios of the same model, made apart from each other.
//!
//! The workers' one is loaded without any profile and is all that they ever see; the predictions never meet them.

use crate::analysis::comparison::Predictions;
use crate::backend::host::Facts;
use crate::model::{self, Diagnostic, Loaded, Options, Scenario, Validation};
use crate::study::observe_simulated;
use crate::study::validate::Request;
use crate::trace::Ending;

/// One variant, ready to be run.
pub(super) struct Plan {
    /// Its name; `None` = the model itself.
    pub variant: Option<String>,
    /// What the workers do.
    pub worker: Scenario,
    /// The scenario of the prediction that is judged.
    pub predicted: Scenario,
    /// What is claimed of it.
    pub predictions: Predictions,
    /// What the author has fixed.
    pub validation: Validation,
    /// How the host differs from the model's machine.
    pub note: Option<String>,
}

/// Why there is nothing to run.
pub(super) enum Obstacle {
    /// The model has errors.
    Model(Vec<Diagnostic>),
    /// It cannot be run here (W504).
    Refused(String),
}

/// The name by which the costs of a calibration are asked for.
pub const CALIBRATED: &str = "calibrated";

/// Loads a variant as the workers and as the predictions see it.
pub(super) fn plan(request: &Request<'_>, variant: Option<&str>) -> Result<Plan, Obstacle> {
    let written = load(request, variant, &[], None)?;
    let cores = written.scenario.machine().cores.len();
    let usable = Facts::read().usable_cores;
    let mut settings = Vec::new();
    let mut note = None;
    if usable < cores {
        let differs = format!("{} here, the model says {cores}", count(usable));
        if request.as_written {
            return Err(Obstacle::Refused(format!("W504: cannot be validated on this host as written: {differs}")));
        }
        settings.push(format!("machine.cores={usable}"));
        note = Some(format!("{differs}: predicted and measured for {usable}, and the verdict is about that"));
    }
    let worker = load(request, variant, &[&settings, request.worker_settings], None)?;
    if let Some(refusal) = request.workers.refusal(&worker.scenario) {
        return Err(Obstacle::Refused(refusal));
    }
    let predict = |profile: &str| {
        let loaded = load(request, variant, &[&settings, request.prediction_settings], Some(profile))?;
        Ok((observe_simulated(&loaded.scenario), loaded.scenario))
    };
    let (calibrated, predicted) = predict(&request.costs.name)?;
    let predictions = Predictions { calibrated, ideal: predict("ideal")?.0, linux: predict("linux")?.0 };
    match &predictions.calibrated.metrics.ending {
        Some(Ending::Finished | Ending::Horizon) => {}
        other => {
            let word = other.as_ref().map_or("nothing", Ending::word);
            let why = format!("W504: the predicted run ends with {word}, and a real one would not end");
            return Err(Obstacle::Refused(why));
        }
    }
    let variant = variant.map(str::to_owned);
    Ok(Plan { variant, worker: worker.scenario, predicted, predictions, validation: written.validation, note })
}

fn count(cores: usize) -> String {
    format!("{cores} core{}", if cores == 1 { "" } else { "s" })
}

fn load(
    request: &Request<'_>,
    variant: Option<&str>,
    settings: &[&[String]],
    profile: Option<&str>,
) -> Result<Loaded, Obstacle> {
    let base = &request.base;
    let mut sets: Vec<String> = base.sets.to_vec();
    sets.extend(profile.map(|profile| format!("machine.profile={profile}")));
    sets.extend(settings.iter().copied().flatten().cloned());
    let read = |path: &str| match (&request.costs.text, path) {
        (Some(text), CALIBRATED) => Ok(text.clone()),
        _ => (base.read_profile)(path),
    };
    let options = Options { variant, sets: &sets, read_profile: &read, ..*base };
    model::load(request.source, &options).map_err(Obstacle::Model)
}
