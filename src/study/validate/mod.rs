//! Runs a model with actual workers, again and again, until the rule says whether its prediction holds.
//!
//! What is compared, how near it must be and when one may look are fixed before the first trial. Trials of several variants
//! alternate, so that a drift of the host meets all of them; the first trial of each warms up and is not looked at.

mod gate;
mod plan;

use std::sync::atomic::{AtomicBool, Ordering};

pub use gate::Gate;
pub use plan::CALIBRATED;

use crate::analysis::comparison::{Comparison, HoldDistance, Observed, Ranked, Ranking, Spread};
use crate::analysis::verdict::Verdict;
use crate::backend::real::{Failure, Workers};
use crate::model::{self, Diagnostic, Options, Scenario, Source};
use crate::rng::Stream;
use crate::study::observe;
use crate::trace::Record;
use plan::{Obstacle, Plan, plan};

/// The costs that the judged prediction is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Costs {
    /// The profile's name or path; [`CALIBRATED`] for the one in `text`.
    pub name: String,
    /// A calibration that was made for this.
    pub text: Option<String>,
}

/// Which variants are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variants {
    /// The model itself.
    Own,
    /// One of its variants.
    One(String),
    /// The model and all of its variants.
    All,
}

/// What to validate, and how.
pub struct Request<'a> {
    /// The model.
    pub source: &'a Source,
    /// How it is read.
    pub base: Options<'a>,
    /// Who does the work.
    pub workers: &'a Workers,
    /// Which variants.
    pub variants: Variants,
    /// At most so many trials; `None` = as the model says.
    pub runs: Option<u64>,
    /// Costs of the prediction.
    pub costs: &'a Costs,
    /// Refuse to predict for fewer cores than the model has.
    pub as_written: bool,
    /// Which trials count.
    pub gate: Gate,
    /// Count trials that the gate rejects as well; then no difference is the model's fault.
    pub keep_disturbed: bool,
    /// Settings that only the predictions see: to show that a wrong one is found out.
    pub prediction_settings: &'a [String],
    /// Settings that only the workers see: to show that nothing else reaches them.
    pub worker_settings: &'a [String],
    /// Keep what a page draws.
    pub keep_drawn: bool,
    /// Raised when the user has had enough.
    pub interrupted: &'a AtomicBool,
    /// Told of every trial: how many there are, how many were rejected, and how many there may be at most.
    pub progress: &'a dyn Fn(usize, usize, usize),
}

/// What came of a model.
#[derive(Debug)]
pub struct Validated {
    /// Its variants that were run or refused.
    pub cases: Vec<Case>,
    /// Whether the order of the variants was predicted right, if there are several.
    pub ranking: Option<Ranking>,
    /// Whether somebody interrupted it.
    pub interrupted: bool,
}

/// What came of one variant.
#[derive(Debug)]
pub struct Case {
    /// Its name; `None` = the model itself.
    pub variant: Option<String>,
    /// How the host differs from the model's machine.
    pub note: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of one variant.
#[derive(Debug)]
pub enum Outcome {
    /// It was run.
    Compared(Box<Compared>),
    /// It cannot be run here (W504).
    Refused(String),
    /// The workers failed.
    Broken(String),
}

/// A variant that was run.
#[derive(Debug)]
pub struct Compared {
    /// The table.
    pub comparison: Comparison,
    /// The distance of the holds, where a GIL is contested.
    pub holds: Option<HoldDistance>,
    /// The switch interval that it is related to, in nanoseconds.
    pub interval_ns: Option<u64>,
    /// The trial to draw: the one with the median makespan.
    pub typical: Option<Observed>,
    /// What a page draws, if that was asked for and there is a trial to draw.
    pub drawn: Option<Drawn>,
    /// Trials that did not count.
    pub rejected: usize,
    /// Why the last of them did not.
    pub reason: Option<&'static str>,
    /// Disturbed trials that count all the same.
    pub kept: usize,
    /// At most so many trials.
    pub cap: u64,
}

/// What a page draws of a variant that was run.
#[derive(Debug)]
pub struct Drawn {
    /// The scenario of the prediction.
    pub predicted: Scenario,
    /// The records of the typical trial.
    pub records: Vec<Record>,
    /// Where the threads finished in all trials that count.
    pub spreads: Vec<Spread>,
}

impl Compared {
    /// More than a fifth of all trials were disturbed.
    pub fn is_too_noisy(&self) -> bool {
        too_many(self.rejected, self.comparison.trials())
    }

    /// The verdict. A noisy host never blames the model.
    pub fn verdict(&self) -> Verdict {
        let verdict = self.comparison.verdict();
        let blames = verdict == Verdict::Disagrees && self.kept > 0;
        if self.is_too_noisy() || blames { Verdict::Inconclusive } else { verdict }
    }
}

fn too_many(rejected: usize, accepted: usize) -> bool {
    rejected * 5 > rejected + accepted
}

impl Validated {
    /// The verdict over all variants that could be run; what nobody could run is inconclusive.
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.cases.iter().filter_map(|case| match &case.outcome {
            Outcome::Compared(compared) => Some(compared.verdict()),
            Outcome::Broken(_) => Some(Verdict::Inconclusive),
            Outcome::Refused(_) => None,
        });
        let verdict = verdicts.reduce(Verdict::and).unwrap_or(Verdict::Inconclusive);
        let wrong = self.ranking.as_ref().is_some_and(|ranking| !ranking.wrong.is_empty());
        if wrong { verdict.and(Verdict::Disagrees) } else { verdict }
    }

    /// Whether the workers failed somewhere.
    pub fn is_broken(&self) -> bool {
        self.cases.iter().any(|case| matches!(case.outcome, Outcome::Broken(_)))
    }
}

/// Validates a model; in case of an error in it the answer holds all findings.
pub fn validate(request: &Request<'_>) -> Result<Validated, Vec<Diagnostic>> {
    let loaded = model::load(request.source, &request.base)?;
    let variants: Vec<Option<String>> = match &request.variants {
        Variants::Own => vec![None],
        Variants::One(name) => vec![Some(name.clone())],
        Variants::All => {
            let own = loaded.variants.iter().map(|variant| Some(variant.name.clone()));
            std::iter::once(None).chain(own).collect()
        }
    };
    let mut cases: Vec<Running> = Vec::new();
    for variant in variants {
        cases.push(Running::new(request, variant)?);
    }
    run(request, &mut cases);
    let interrupted = request.interrupted.load(Ordering::Relaxed);
    let ranking = ranking(&cases);
    Ok(Validated { cases: cases.into_iter().map(Running::finish).collect(), ranking, interrupted })
}

/// A variant under way.
struct Running {
    variant: Option<String>,
    note: Option<String>,
    state: Result<Box<Going>, Outcome>,
}

struct Going {
    plan: Plan,
    cap: u64,
    comparison: Comparison,
    trials: Vec<Observed>,
    /// The records of each of them, if a page is to draw one; else nothing.
    records: Vec<Vec<Record>>,
    rejected: usize,
    kept: usize,
    reason: Option<&'static str>,
}

impl Running {
    fn new(request: &Request<'_>, variant: Option<String>) -> Result<Running, Vec<Diagnostic>> {
        match plan(request, variant.as_deref()) {
            Ok(plan) => {
                let cap = request.runs.unwrap_or(plan.validation.runs);
                let predictions = plan.predictions.clone();
                let comparison = Comparison::new(&plan.validation, cap, predictions, request.workers.unseen());
                let (variant, note) = (plan.variant.clone(), plan.note.clone());
                Ok(Running { variant, note, state: Ok(Box::new(Going::new(plan, cap, comparison))) })
            }
            Err(Obstacle::Refused(why)) => Ok(Running { variant, note: None, state: Err(Outcome::Refused(why)) }),
            Err(Obstacle::Model(findings)) => Err(findings),
        }
    }

    /// One trial; the first one of all is not looked at.
    fn trial(&mut self, request: &Request<'_>, warm_up: bool) {
        let Ok(going) = &mut self.state else { return };
        match request.workers.run(&going.plan.worker) {
            Ok(_) if warm_up => {}
            Ok(measured) => {
                let reason = request.gate.rejects(&measured.noise);
                going.reason = reason.or(going.reason);
                if reason.is_some() && !request.keep_disturbed {
                    going.rejected += 1;
                    return;
                }
                going.kept += usize::from(reason.is_some());
                let observed = observe(&going.plan.worker, &measured.records);
                going.comparison.add(&observed);
                going.trials.push(observed);
                if request.keep_drawn {
                    going.records.push(measured.records);
                }
            }
            Err(Failure::Interrupted) => request.interrupted.store(true, Ordering::Relaxed),
            Err(Failure::Refused(why)) => self.state = Err(Outcome::Refused(why)),
            Err(Failure::Broken(why)) => self.state = Err(Outcome::Broken(why)),
        }
    }

    /// Whether another trial can tell more.
    fn wants_more(&self) -> bool {
        let Ok(going) = &self.state else { return false };
        let trials = going.comparison.trials();
        let quiet = !too_many(going.rejected, trials);
        // A fifth of all trials is a quarter of those that count.
        let hopeless = going.rejected as u64 > (going.cap / 4).max(1);
        !hopeless && (trials as u64) < going.cap && !(quiet && going.comparison.is_decided())
    }

    fn finish(self) -> Case {
        let outcome = match self.state {
            Ok(going) => Outcome::Compared(Box::new(going.finish())),
            Err(outcome) => outcome,
        };
        Case { variant: self.variant, note: self.note, outcome }
    }
}

impl Going {
    fn new(plan: Plan, cap: u64, comparison: Comparison) -> Going {
        let (trials, records) = (Vec::new(), Vec::new());
        Going { plan, cap, comparison, trials, records, rejected: 0, kept: 0, reason: None }
    }

    fn finish(self) -> Compared {
        let mut stream = Stream::new(1, "validate/bootstrap");
        let holds = self.comparison.hold_distance(&mut |below| stream.below(below));
        let interval_ns = self.plan.worker.gils().values().map(|gil| gil.interval.ns()).min();
        let makespans: Vec<u64> = self.trials.iter().map(|trial| trial.metrics.makespan.ns()).collect();
        let typical = Comparison::typical(&makespans);
        let (mut trials, mut records) = (self.trials, self.records);
        let drawn = typical.filter(|trial| *trial < records.len()).map(|trial| Drawn {
            predicted: self.plan.predicted,
            records: records.swap_remove(trial),
            spreads: Spread::of(&trials),
        });
        Compared {
            comparison: self.comparison,
            holds,
            interval_ns,
            typical: typical.map(|trial| trials.swap_remove(trial)),
            drawn,
            rejected: self.rejected,
            kept: self.kept,
            reason: self.reason,
            cap: self.cap,
        }
    }
}

/// Rounds over all variants, forwards and backwards in turn, until each has its verdict or its last trial.
fn run(request: &Request<'_>, cases: &mut [Running]) {
    let is_over = || request.interrupted.load(Ordering::Relaxed);
    for case in cases.iter_mut().filter(|_| !is_over()) {
        case.trial(request, true);
    }
    let mut forwards = true;
    while !is_over() && cases.iter().any(Running::wants_more) {
        let mut order: Vec<&mut Running> = cases.iter_mut().filter(|case| case.wants_more()).collect();
        if !forwards {
            order.reverse();
        }
        for case in order {
            if !is_over() {
                case.trial(request, false);
            }
        }
        forwards = !forwards;
        let count = |of: fn(&Going) -> usize| {
            cases.iter().filter_map(|case| case.state.as_ref().ok()).map(|going| of(going)).sum()
        };
        let most = count(|going| going.cap as usize + going.rejected);
        (request.progress)(count(|going| going.comparison.trials()), count(|going| going.rejected), most);
    }
}

fn ranking(cases: &[Running]) -> Option<Ranking> {
    let ranked = cases.iter().filter_map(|case| {
        let going = case.state.as_ref().ok()?;
        if too_many(going.rejected, going.comparison.trials()) {
            return None;
        }
        let row = going.comparison.rows.iter().find(|row| row.measure.text == "makespan")?;
        let name = case.variant.clone().unwrap_or_else(|| "the model".to_owned());
        Some(Ranked { name, predicted: row.predicted?, measured: row.interval()? })
    });
    let ranked: Vec<Ranked> = ranked.collect();
    (ranked.len() > 1).then(|| Ranking::of(ranked))
}
