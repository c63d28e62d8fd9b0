//! The interval of a median by order statistics: it assumes nothing about how the values are distributed.
//!
//! With n independent values the true median lies between the k-th smallest and the k-th largest unless fewer than k of
//! the values fall on one side of it, which is a binomial tail: no normality, no variance, no outlier rule.

/// A number of trials at which one may look, and the ranks (from 1) of the interval of the median.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// How many trials there must be.
    pub trials: usize,
    /// The rank of the interval's lower end.
    pub lower: usize,
    /// The rank of its upper end.
    pub upper: usize,
}

/// The looks of a validation. Coverages 98.8 %, 97.3 %, 97.1 %: the chance that any of the three is wrong on one side is
/// at most (1.2 + 2.7 + 2.9) / 2 = 3.4 %.
pub const LOOKS: [Look; 3] = [
    Look { trials: 11, lower: 2, upper: 10 },
    Look { trials: 21, lower: 6, upper: 16 },
    Look { trials: 31, lower: 10, upper: 22 },
];

/// The fewest trials that allow any verdict: from least to largest value, coverage 93.75 %.
pub const FEWEST: usize = 5;

/// The looks that a cap on the trials allows; below eleven trials a single one, from the least to the largest value.
pub fn looks(cap: usize) -> Vec<Look> {
    let whole: Vec<Look> = LOOKS.into_iter().filter(|look| look.trials <= cap).collect();
    match cap {
        0..FEWEST => Vec::new(),
        FEWEST..11 => vec![Look { trials: cap, lower: 1, upper: cap }],
        _ => whole,
    }
}

/// A median and its interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval<T> {
    /// The smallest value seen.
    pub least: T,
    /// The lower end.
    pub low: T,
    /// The median; of an even number of values the lower of the two in the middle.
    pub median: T,
    /// The upper end.
    pub high: T,
    /// How many values there are.
    pub trials: usize,
}

impl<T: Copy + Ord> Interval<T> {
    /// The interval of the first values, as many as the look asks for.
    pub fn at(look: Look, values: &[T]) -> Option<Interval<T>> {
        let mut sorted = values.get(..look.trials)?.to_vec();
        sorted.sort_unstable();
        Some(Interval {
            least: *sorted.first()?,
            low: sorted[look.lower - 1],
            median: sorted[(look.trials - 1) / 2],
            high: sorted[look.upper - 1],
            trials: look.trials,
        })
    }

    /// What can be said of however many values there are, for reports of runs that stopped early: from the least to the
    /// largest, or by the ranks of the last look that was reached.
    pub fn so_far(values: &[T]) -> Option<Interval<T>> {
        let reached = LOOKS.into_iter().rev().find(|look| look.trials <= values.len());
        let all = Look { trials: values.len(), lower: 1, upper: values.len() };
        Interval::at(reached.unwrap_or(all), values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chance that fewer than `rank` of `trials` fair coins show heads, times 2^trials.
    fn tail(trials: u128, rank: u128) -> u128 {
        let choose = |k: u128| (0..k).fold(1u128, |product, i| product * (trials - i) / (i + 1));
        (0..rank).map(choose).sum()
    }

    #[test]
    fn coverages_are_as_stated() {
        // In tenths of a percent, rounded: 1 - 2 P(fewer than `lower` heads).
        for (look, coverage) in LOOKS.iter().zip([988, 973, 971]) {
            let (n, all) = (look.trials as u128, 1u128 << look.trials);
            assert_eq!(look.lower + look.upper, look.trials + 1, "symmetric");
            let outside = 2 * tail(n, look.lower as u128);
            assert_eq!((1000 * (all - outside) + all / 2) / all, coverage);
        }
        let one_sided: u128 = LOOKS.iter().map(|l| (tail(l.trials as u128, l.lower as u128) << 31) >> l.trials).sum();
        assert!(one_sided * 1000 < 35u128 << 31, "the union bound is below 3.5 %");
    }

    #[test]
    fn ranks_are_taken_from_the_first_trials_only() {
        let values: Vec<u32> = (1..=11).rev().chain([1000; 10]).collect();
        let first = Interval::at(LOOKS[0], &values).expect("eleven values");
        assert_eq!((first.least, first.low, first.median, first.high), (1, 2, 6, 10));
        assert_eq!(Interval::at(LOOKS[2], &values), None);
        let few = Interval::so_far(&[3, 1, 2]).expect("three values");
        assert_eq!((few.low, few.median, few.high), (1, 2, 3));
        assert_eq!(Interval::<u32>::so_far(&[]), None);
    }

    #[test]
    fn a_cap_leaves_the_looks_that_fit() {
        let trials = |cap| looks(cap).iter().map(|look| look.trials).collect::<Vec<_>>();
        assert_eq!(trials(4), [0; 0]);
        assert_eq!(trials(7), [7]);
        assert_eq!(trials(11), [11]);
        assert_eq!(trials(30), [11, 21]);
        assert_eq!(trials(1000), [11, 21, 31]);
    }
}
