//! How far apart two distributions of durations are, in exact integers, and how sure one can be of that.
//!
//! Values of one trial depend on each other (a late switch delays the next ones), so the uncertainty comes from drawing
//! whole trials again, not single values.

use std::collections::BTreeMap;

use crate::analysis::Samples;
use crate::ratio::Ratio;

/// Durations with how often each occurs.
pub type Counts = BTreeMap<u64, u64>;

/// The counts of samples.
pub fn counts(samples: &Samples) -> Counts {
    samples.values().map(|(value, count)| (value.ns(), count)).collect()
}

/// The Wasserstein distance in nanoseconds: the area between the two distribution functions, which is how far the one
/// would have to be moved on average to become the other. `None` if either is empty.
pub fn wasserstein(a: &Counts, b: &Counts) -> Option<Ratio> {
    let (all_a, all_b) = totals(a, b)?;
    let mut area = 0u128;
    let mut before: Option<u64> = None;
    let (mut below_a, mut below_b) = (0u128, 0u128);
    for value in edges(a, b) {
        if let Some(before) = before {
            area += (below_a * all_b).abs_diff(below_b * all_a) * u128::from(value - before);
        }
        below_a += u128::from(a.get(&value).copied().unwrap_or(0));
        below_b += u128::from(b.get(&value).copied().unwrap_or(0));
        before = Some(value);
    }
    Some(Ratio::new(area, all_a * all_b))
}

/// The Kolmogorov–Smirnov distance: the largest difference of the two distribution functions, from 0 to 1. It is shown,
/// not judged: for the two nearly constant distributions that a GIL makes it is 1 however near they are.
pub fn kolmogorov_smirnov(a: &Counts, b: &Counts) -> Option<Ratio> {
    let (all_a, all_b) = totals(a, b)?;
    let (mut below_a, mut below_b, mut largest) = (0u128, 0u128, 0u128);
    for value in edges(a, b) {
        below_a += u128::from(a.get(&value).copied().unwrap_or(0));
        below_b += u128::from(b.get(&value).copied().unwrap_or(0));
        largest = largest.max((below_a * all_b).abs_diff(below_b * all_a));
    }
    Some(Ratio::new(largest, all_a * all_b))
}

fn totals(a: &Counts, b: &Counts) -> Option<(u128, u128)> {
    let total = |counts: &Counts| counts.values().map(|count| u128::from(*count)).sum::<u128>();
    let (a, b) = (total(a), total(b));
    (a > 0 && b > 0).then_some((a, b))
}

/// All values of both, in order, each once.
fn edges(a: &Counts, b: &Counts) -> Vec<u64> {
    let mut edges: Vec<u64> = a.keys().chain(b.keys()).copied().collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// How often trials are drawn again.
pub const REPLICATES: usize = 2000;

/// The Wasserstein distance of all trials together from a prediction, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distance {
    /// The lower end.
    pub low: Ratio,
    /// Of all trials together.
    pub value: Ratio,
    /// The upper end.
    pub high: Ratio,
}

/// Draws whole trials with replacement, as many as there are, again and again. `draw` gives a number below its argument;
/// with a fixed stream behind it the answer is the same every time.
pub fn bootstrap(trials: &[Counts], predicted: &Counts, draw: &mut dyn FnMut(u64) -> u64) -> Option<Distance> {
    let all: Vec<&Counts> = trials.iter().collect();
    let value = wasserstein(&pooled(&all), predicted)?;
    let mut replicates = Vec::with_capacity(REPLICATES);
    for _ in 0..REPLICATES {
        let drawn: Vec<&Counts> = trials.iter().map(|_| &trials[draw(trials.len() as u64) as usize]).collect();
        replicates.extend(wasserstein(&pooled(&drawn), predicted));
    }
    replicates.sort_unstable();
    let at = |per_mille: usize| replicates[(replicates.len() - 1) * per_mille / 1000];
    Some(Distance { low: at(25), value, high: at(975) })
}

fn pooled(trials: &[&Counts]) -> Counts {
    let mut pooled = Counts::new();
    for (value, count) in trials.iter().flat_map(|trial| trial.iter()) {
        *pooled.entry(*value).or_default() += count;
    }
    pooled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    fn of(values: &[u64]) -> Counts {
        let mut counts = Counts::new();
        values.iter().for_each(|value| *counts.entry(*value).or_default() += 1);
        counts
    }

    #[test]
    fn moving_everything_by_d_is_a_distance_of_d() {
        let (a, b) = (of(&[10, 20, 30]), of(&[17, 27, 37]));
        assert_eq!(wasserstein(&a, &b), Some(Ratio::whole(7)));
        assert_eq!(wasserstein(&a, &a), Some(Ratio::ZERO));
        // Half of the mass moves by 100.
        assert_eq!(wasserstein(&of(&[0, 0]), &of(&[0, 100])), Some(Ratio::whole(50)));
        // Different numbers of values: each of the three counts a third.
        assert_eq!(wasserstein(&of(&[0]), &of(&[0, 0, 30])), Some(Ratio::whole(10)));
        assert_eq!(wasserstein(&Counts::new(), &a), None);
    }

    #[test]
    fn kolmogorov_smirnov_is_the_largest_gap() {
        assert_eq!(kolmogorov_smirnov(&of(&[1, 2, 3, 4]), &of(&[3, 4, 5, 6])), Some(Ratio::new(1, 2)));
        assert_eq!(kolmogorov_smirnov(&of(&[5]), &of(&[6])), Some(Ratio::ONE));
        assert_eq!(kolmogorov_smirnov(&of(&[5]), &of(&[5, 5])), Some(Ratio::ZERO));
    }

    #[test]
    fn the_bootstrap_is_reproducible_and_draws_whole_trials() {
        let trials: Vec<Counts> = (0..11).map(|trial| of(&vec![5_000 + trial * 10; 50])).collect();
        let run = || {
            let mut stream = Stream::new(1, "bootstrap");
            bootstrap(&trials, &of(&[5_000]), &mut |below| stream.below(below)).expect("a distance")
        };
        let distance = run();
        assert_eq!(distance, run());
        assert_eq!(distance.value, Ratio::whole(50));
        // Eleven values of standard deviation 31.6: the mean of eleven varies by 9.5, so ±19 covers 95 %.
        assert!(distance.low > Ratio::whole(25) && distance.low < Ratio::whole(40), "{distance:?}");
        assert!(distance.high > Ratio::whole(60) && distance.high < Ratio::whole(75), "{distance:?}");
    }
}
