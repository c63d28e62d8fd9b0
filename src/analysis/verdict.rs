//! Whether a prediction holds: an equivalence test with three outcomes, fixed before the first trial.
//!
//! The measured median must be shown to lie within a margin around the prediction; that it could not be shown to lie
//! outside is not enough. A margin ε bounds the ratio of measured to predicted by 1/(1+ε) and 1+ε, so twice too slow and
//! twice too fast are equally wrong. Everything is compared exactly, as fractions.

use crate::analysis::interval::{Interval, Look};
use crate::model::expect::{MetricName, Unit};
use crate::ratio::Ratio;
use crate::time::Span;

/// What came of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The interval of the median lies within the margin.
    Agrees,
    /// It lies outside.
    Disagrees,
    /// It lies outside of the margin, and within the band that was recorded for a difference whose cause is known.
    KnownDivergence,
    /// It lies across an edge of the margin, or there was too much noise or too few trials to tell.
    Inconclusive,
}

impl Verdict {
    /// Its words in reports.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Agrees => "AGREES",
            Verdict::Disagrees => "DISAGREES",
            Verdict::KnownDivergence => "KNOWN DIVERGENCE",
            Verdict::Inconclusive => "INCONCLUSIVE",
        }
    }

    /// The verdict on two things that both must hold: what disagrees dominates, then what could not be told.
    pub fn and(self, other: Verdict) -> Verdict {
        let order = [Verdict::Disagrees, Verdict::Inconclusive, Verdict::KnownDivergence, Verdict::Agrees];
        order.into_iter().find(|each| [self, other].contains(each)).expect("every verdict is in the order")
    }
}

/// How a metric is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Makespans, finishes, turnarounds.
    Time,
    /// Work and time on cores.
    Work,
    /// How busy the cores are.
    Utilisation,
    /// Shares and fairness.
    Share,
    /// Single and summed waits.
    Wait,
    /// Counts of events.
    Count,
    /// Lengths of the holds of a GIL.
    Hold,
}

/// How far prediction and measurement may be apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margin {
    /// ε: the larger one is at most 1 + ε times the other.
    pub relative: Ratio,
    /// A distance that is always allowed, in the metric's own unit (nanoseconds for times).
    pub floor: Ratio,
    /// Whether the model's author has set it wider than the margin of the class.
    pub widened: bool,
}

impl Class {
    /// The class of a metric; `None` for what is no quantity of a run (names, exit codes).
    pub fn of(metric: MetricName) -> Option<Class> {
        use MetricName as M;
        Some(match metric {
            M::Exit | M::Count => return None,
            M::Makespan | M::Finish | M::FirstRun | M::Response | M::Turnaround | M::Latency => Class::Time,
            M::Work | M::PythonWork | M::NativeWork | M::Ran | M::GilBusy | M::Held | M::Startup => Class::Work,
            M::CoresBusy => Class::Utilisation,
            M::Share | M::Fairness => Class::Share,
            _ if metric.unit() == Unit::Time => Class::Wait,
            _ => Class::Count,
        })
    }

    /// The margin when prediction and measurement share a calibration.
    pub fn margin(self) -> Margin {
        let percent = |percent: u128| Ratio::new(percent, 100);
        let (relative, floor) = match self {
            Class::Time => (percent(5), Ratio::ZERO),
            Class::Work => (percent(3), Ratio::ZERO),
            // Five points of one core.
            Class::Utilisation => (percent(5), Ratio::new(1, 20)),
            Class::Share => (percent(10), Ratio::ZERO),
            Class::Wait => (percent(20), Ratio::whole(Span::from_us(200).ns().into())),
            Class::Count => (percent(15), Ratio::ZERO),
            Class::Hold => (percent(5), Ratio::ZERO),
        };
        Margin { relative, floor, widened: false }
    }

    /// Less than this is not compared, and why: of a few events half a dozen more or less say nothing.
    pub fn least(self) -> Option<(Ratio, &'static str)> {
        match self {
            Class::Count => Some((Ratio::whole(50), "fewer than 50 predicted")),
            Class::Share => Some((Ratio::new(1, 50), "less than 2 % predicted")),
            _ => None,
        }
    }
}

impl Margin {
    /// The class's margin, or the tolerance that the model's author has set for it.
    pub fn fixed(class: Class, tolerance: Option<Ratio>) -> Margin {
        let own = class.margin();
        tolerance.map_or(own, |relative| Margin { relative, widened: relative > own.relative, ..own })
    }

    /// What the measured value may lie between; no lower end where even nothing is near enough.
    fn edges(self, predicted: Ratio) -> (Option<Ratio>, Ratio) {
        let factor = add(Ratio::ONE, self.relative);
        let by_ratio = over(predicted, factor);
        let low = less(predicted, self.floor).map(|by_floor| by_floor.min(by_ratio));
        let high = predicted.times(factor).unwrap_or(predicted).max(add(predicted, self.floor));
        (low.filter(|low| *low > Ratio::ZERO), high)
    }
}

/// A difference whose cause is known: the measured value divided by the predicted one stays within this band.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// The least ratio.
    pub least: Ratio,
    /// The largest.
    pub most: Ratio,
    /// The cause.
    pub because: String,
}

/// What is claimed of one metric before the first trial. `None` as a value means that there is none, as the finish of a
/// thread that does not finish; it counts as later than any other.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The predicted value.
    pub predicted: Option<Ratio>,
    /// How near the measurement must be.
    pub margin: Margin,
    /// A difference that was recorded.
    pub known: Option<Band>,
}

/// A value for order statistics: what does not exist comes last.
fn place(value: Option<Ratio>) -> Ratio {
    value.unwrap_or(Ratio::whole(u128::MAX))
}

/// The interval of the values of all trials so far.
pub fn interval(look: Look, values: &[Option<Ratio>]) -> Option<Interval<Ratio>> {
    Interval::at(look, &values.iter().copied().map(place).collect::<Vec<_>>())
}

/// What does not exist, turned back.
pub fn existing(value: Ratio) -> Option<Ratio> {
    Some(value).filter(|value| *value != place(None))
}

impl Claim {
    /// The verdict at one look.
    pub fn judge(&self, seen: &Interval<Ratio>) -> Verdict {
        let verdict = self.compare(seen);
        match &self.known {
            Some(band) if verdict != Verdict::Agrees => self.within(band, seen),
            _ => verdict,
        }
    }

    fn compare(&self, seen: &Interval<Ratio>) -> Verdict {
        let Some(predicted) = self.predicted else {
            return match (existing(seen.low), existing(seen.high)) {
                (None, _) => Verdict::Agrees,
                (Some(_), Some(_)) => Verdict::Disagrees,
                _ => Verdict::Inconclusive,
            };
        };
        let (low, high) = self.margin.edges(predicted);
        let above_low = low.is_none_or(|low| low < seen.low);
        match low {
            _ if above_low && seen.high < high => Verdict::Agrees,
            _ if seen.low > high => Verdict::Disagrees,
            Some(low) if seen.high < low => Verdict::Disagrees,
            // Nothing predicted, nothing seen.
            None if seen.high == high => Verdict::Agrees,
            _ => Verdict::Inconclusive,
        }
    }

    /// A known difference must stay what it was: outside of its band it is a new one.
    fn within(&self, band: &Band, seen: &Interval<Ratio>) -> Verdict {
        let edge = |ratio: Ratio| self.predicted.and_then(|predicted| predicted.times(ratio));
        let (Some(low), Some(high)) = (edge(band.least), edge(band.most)) else { return Verdict::Inconclusive };
        if low <= seen.low && seen.high <= high {
            Verdict::KnownDivergence
        } else if seen.low > high || seen.high < low {
            Verdict::Disagrees
        } else {
            Verdict::Inconclusive
        }
    }
}

/// A claim that is looked at again and again; its first verdict stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequential {
    /// The claim.
    pub claim: Claim,
    looks: Vec<Look>,
    settled: Option<(Verdict, Interval<Ratio>)>,
}

impl Sequential {
    /// A claim with its looks.
    pub fn new(claim: Claim, looks: Vec<Look>) -> Sequential {
        Sequential { claim, looks, settled: None }
    }

    /// Looks at the trials so far, if it is time for a look and there is no verdict yet.
    pub fn look(&mut self, values: &[Option<Ratio>]) {
        let due = self.looks.iter().find(|look| look.trials == values.len());
        let (Some(look), None) = (due, &self.settled) else { return };
        let seen = interval(*look, values).expect("a look has as many values as it asks for");
        let verdict = self.claim.judge(&seen);
        if verdict != Verdict::Inconclusive {
            self.settled = Some((verdict, seen));
        }
    }

    /// The verdict so far.
    pub fn verdict(&self) -> Verdict {
        self.settled.as_ref().map_or(Verdict::Inconclusive, |(verdict, _)| *verdict)
    }

    /// What the verdict was given on, if there is one.
    pub fn seen(&self) -> Option<&Interval<Ratio>> {
        self.settled.as_ref().map(|(_, seen)| seen)
    }
}

fn add(a: Ratio, b: Ratio) -> Ratio {
    Ratio::new(a.num() * b.den() + b.num() * a.den(), a.den() * b.den())
}

fn less(a: Ratio, b: Ratio) -> Option<Ratio> {
    let num = (a.num() * b.den()).checked_sub(b.num() * a.den())?;
    Some(Ratio::new(num, a.den() * b.den()))
}

fn over(a: Ratio, b: Ratio) -> Ratio {
    a.times(Ratio::new(b.den(), b.num())).unwrap_or(a)
}

#[cfg(test)]
mod tests;
