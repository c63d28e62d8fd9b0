//! Prediction against measurement: what is compared, how it looks so far, and what the rule says.

use crate::analysis::distance::{Counts, Distance, kolmogorov_smirnov};
use crate::analysis::interval::{Interval, Look, looks};
use crate::analysis::measure::{Known, Measure, measures};
use crate::analysis::verdict::{Band, Claim, Margin, Sequential, Verdict, existing};
use crate::analysis::{Invariants, Lanes, Metrics, Seen};
use crate::ids::ThreadId;
use crate::model::Validation;
use crate::model::expect::MetricName;
use crate::ratio::Ratio;
use crate::time::Span;
use crate::trace::Cast;

/// What is known of a run that is compared with another one.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Who appears.
    pub cast: Cast,
    /// Its numbers.
    pub metrics: Metrics,
    /// Its picture.
    pub lanes: Lanes,
    /// Its holds and blocking calls.
    pub seen: Seen,
    /// What came of the invariants.
    pub invariants: Invariants,
}

impl Observed {
    /// What measures are read from.
    pub fn known(&self) -> Known<'_> {
        Known { cast: &self.cast, metrics: &self.metrics, seen: &self.seen }
    }
}

/// The three predictions of one scenario.
#[derive(Clone, Debug)]
pub struct Predictions {
    /// With the costs that were measured here, or of the profile that was asked for: the one that is judged.
    pub calibrated: Observed,
    /// Where nothing costs anything.
    pub ideal: Observed,
    /// With the built-in costs of another machine.
    pub linux: Observed,
}

/// One comparison: a scenario's predictions and all trials so far.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The predictions.
    pub predictions: Predictions,
    /// The lines of the table.
    pub rows: Vec<Row>,
    /// The holds of each trial.
    holds: Vec<Counts>,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// What is compared.
    pub measure: Measure,
    /// The prediction that is judged.
    pub predicted: Option<Ratio>,
    /// The predictions without calibration: ideal, linux.
    pub uncalibrated: [Option<Ratio>; 2],
    /// How far apart they may be.
    pub margin: Margin,
    /// A difference that was recorded, with its cause.
    pub known: Option<Band>,
    /// Why it is not compared, if it is not.
    pub uncompared: Option<&'static str>,
    values: Vec<Option<Ratio>>,
    rule: Sequential,
}

impl Row {
    /// The verdict so far; none for what is not compared.
    pub fn verdict(&self) -> Option<Verdict> {
        self.uncompared.is_none().then(|| self.rule.verdict())
    }

    /// The median and its interval: of the look that decided, or of all trials so far.
    pub fn interval(&self) -> Option<Interval<Ratio>> {
        let so_far = || {
            let last = |value: &Option<Ratio>| value.unwrap_or(Ratio::whole(u128::MAX));
            Interval::so_far(&self.values.iter().map(last).collect::<Vec<_>>())
        };
        self.rule.seen().copied().or_else(so_far)
    }

    /// The measured median.
    pub fn median(&self) -> Option<Ratio> {
        self.interval().and_then(|interval| existing(interval.median))
    }

    /// measured ÷ a prediction.
    pub fn ratio_to(&self, predicted: Option<Ratio>) -> Option<Ratio> {
        let predicted = predicted.filter(|value| *value > Ratio::ZERO)?;
        self.median()?.times(Ratio::new(predicted.den(), predicted.num()))
    }
}

impl Comparison {
    /// Fixes what is compared and how, before the first trial. `unseen` are the metrics that the workers cannot show.
    pub fn new(validation: &Validation, cap: u64, predictions: Predictions, unseen: &[MetricName]) -> Comparison {
        let looks = looks(usize::try_from(cap).unwrap_or(usize::MAX));
        let measures = measures(validation, predictions.calibrated.known());
        let rows = measures.into_iter().map(|measure| row(measure, validation, &looks, &predictions, unseen));
        let rows = rows.collect();
        Comparison { predictions, rows, holds: Vec::new() }
    }

    /// Adds a trial and looks, if it is time to.
    pub fn add(&mut self, trial: &Observed) {
        for row in &mut self.rows {
            row.values.push(row.measure.value(trial.known()));
            row.rule.look(&row.values);
        }
        self.holds.push(crate::analysis::distance::counts(&trial.seen.holds));
    }

    /// How many trials there are.
    pub fn trials(&self) -> usize {
        self.holds.len()
    }

    /// The verdict so far: all that the model requires must hold.
    pub fn verdict(&self) -> Verdict {
        let required = self.rows.iter().filter(|row| row.measure.required);
        let verdicts = required.map(|row| row.verdict().unwrap_or(Verdict::Inconclusive));
        verdicts.reduce(Verdict::and).unwrap_or(Verdict::Inconclusive)
    }

    /// Whether more trials could change the verdict: not once something has failed or everything is told.
    pub fn is_decided(&self) -> bool {
        self.verdict() != Verdict::Inconclusive
    }

    /// The distance of the measured holds from the predicted ones. `draw` gives a number below its argument.
    pub fn hold_distance(&self, draw: &mut dyn FnMut(u64) -> u64) -> Option<HoldDistance> {
        let predicted = crate::analysis::distance::counts(&self.predictions.calibrated.seen.holds);
        let distance = crate::analysis::distance::bootstrap(&self.holds, &predicted, draw)?;
        let mut all = Counts::new();
        for (value, count) in self.holds.iter().flatten() {
            *all.entry(*value).or_default() += count;
        }
        Some(HoldDistance { wasserstein: distance, largest_gap: kolmogorov_smirnov(&all, &predicted)? })
    }

    /// The trial whose makespan is the median: the one to draw.
    pub fn typical(makespans: &[u64]) -> Option<usize> {
        let mut order: Vec<usize> = (0..makespans.len()).collect();
        order.sort_by_key(|trial| makespans[*trial]);
        order.get(makespans.len().checked_sub(1)? / 2).copied()
    }
}

/// How far the measured holds of GILs are from the predicted ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldDistance {
    /// Wasserstein, in nanoseconds, with its interval.
    pub wasserstein: Distance,
    /// Kolmogorov–Smirnov.
    pub largest_gap: Ratio,
}

impl HoldDistance {
    /// At most a quarter of the switch interval, and surely so.
    pub fn verdict(&self, interval_ns: u64) -> Verdict {
        let margin = Ratio::new(u128::from(interval_ns), 4);
        match (self.wasserstein.high <= margin, self.wasserstein.low > margin) {
            (true, _) => Verdict::Agrees,
            (_, true) => Verdict::Disagrees,
            _ => Verdict::Inconclusive,
        }
    }
}

fn row(
    measure: Measure,
    validation: &Validation,
    looks: &[Look],
    predictions: &Predictions,
    unseen: &[MetricName],
) -> Row {
    let predicted = measure.value(predictions.calibrated.known());
    let margin = Margin::fixed(measure.class, validation.tolerance.filter(|_| measure.required));
    let recorded = validation.known.iter().find(|known| known.metric == measure.text);
    let known = recorded.map(|known| Band { least: known.least, most: known.most, because: known.because.clone() });
    let few = measure.class.least().filter(|(least, _)| predicted.is_some_and(|predicted| predicted < *least));
    let uncompared = match measure.metric() {
        Some(metric) if unseen.contains(&metric) => Some("these workers cannot show it"),
        _ => few.map(|(_, why)| why),
    };
    let claim = Claim { predicted, margin, known: known.clone() };
    let uncalibrated = [&predictions.ideal, &predictions.linux].map(|run| measure.value(run.known()));
    let rule = Sequential::new(claim, looks.to_vec());
    Row { measure, predicted, uncalibrated, margin, known, uncompared, values: Vec::new(), rule }
}

/// Where one thread finished in several runs, since their beginnings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The thread's full name.
    pub thread: String,
    /// The earliest.
    pub least: Span,
    /// The one in the middle.
    pub median: Span,
    /// The latest.
    pub most: Span,
}

impl Spread {
    /// Of every thread that finished in all of these runs: one that did not would make the others look nearer than they are.
    pub fn of(runs: &[Observed]) -> Vec<Spread> {
        let Some(first) = runs.first() else { return Vec::new() };
        let spread = |thread: ThreadId| {
            let finishes = runs.iter().map(|run| run.metrics.threads[thread].finish.map(|finish| finish.ns()));
            let mut finishes = finishes.collect::<Option<Vec<u64>>>()?;
            finishes.sort_unstable();
            let at = |place: usize| Span::from_ns(finishes[place]);
            let last = finishes.len() - 1;
            let thread = first.cast.full_name(thread);
            Some(Spread { thread, least: at(0), median: at(last / 2), most: at(last) })
        };
        first.cast.threads.ids().filter_map(spread).collect()
    }
}

/// One of several variants in their order: its name, its predicted makespan, and the measured one.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// The variant.
    pub name: String,
    /// The prediction.
    pub predicted: Ratio,
    /// The measurement.
    pub measured: Interval<Ratio>,
}

/// Whether the order of variants was predicted right.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// From the shortest predicted makespan to the longest.
    pub order: Vec<Ranked>,
    /// Pairs that were predicted right, predicted wrong, and too near each other to tell.
    pub pairs: (usize, usize, usize),
    /// The pairs that were predicted wrong.
    pub wrong: Vec<(String, String)>,
}

impl Ranking {
    /// Compares every pair. A pair that is predicted to be within five percent claims nothing.
    pub fn of(mut order: Vec<Ranked>) -> Ranking {
        order.sort_by(|a, b| a.predicted.cmp(&b.predicted).then(a.measured.median.cmp(&b.measured.median)));
        let mut ranking = Ranking { order: Vec::new(), pairs: (0, 0, 0), wrong: Vec::new() };
        for (place, first) in order.iter().enumerate() {
            for second in &order[place + 1..] {
                let claims = first.predicted.times(Ratio::new(105, 100)).is_some_and(|edge| edge < second.predicted);
                if claims && first.measured.high < second.measured.low {
                    ranking.pairs.0 += 1;
                } else if claims && first.measured.low > second.measured.high {
                    ranking.pairs.1 += 1;
                    ranking.wrong.push((first.name.clone(), second.name.clone()));
                } else {
                    ranking.pairs.2 += 1;
                }
            }
        }
        ranking.order = order;
        ranking
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(name: &str, predicted: u128, low: u128, high: u128) -> Ranked {
        let [predicted, low, high] = [predicted, low, high].map(Ratio::whole);
        Ranked { name: name.into(), predicted, measured: Interval { least: low, low, median: low, high, trials: 11 } }
    }

    #[test]
    fn pairs_are_right_wrong_or_too_near() {
        let ranking = Ranking::of(vec![
            ranked("threads", 600, 590, 610),
            ranked("processes", 300, 300, 320),
            ranked("free", 310, 250, 260),
            ranked("slow", 900, 500, 550),
        ]);
        let names: Vec<&str> = ranking.order.iter().map(|each| each.name.as_str()).collect();
        assert_eq!(names, ["processes", "free", "threads", "slow"]);
        // Processes and free are within 5 %; threads before slow is wrong; the other four are right.
        assert_eq!(ranking.pairs, (4, 1, 1));
        assert_eq!(ranking.wrong, [("threads".into(), "slow".into())]);
    }

    #[test]
    fn the_typical_trial_is_the_median() {
        assert_eq!(Comparison::typical(&[50, 10, 30]), Some(2));
        assert_eq!(Comparison::typical(&[]), None);
    }
}
