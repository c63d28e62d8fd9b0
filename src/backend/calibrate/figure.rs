//! One measured cost: its values, and what can be said of them.

use crate::time::Span;

/// Values of one cost, in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Sorted.
    values: Vec<u64>,
    /// How they were obtained.
    pub how: &'static str,
}

/// With fewer values nothing is said.
const FEWEST: usize = 4;

impl Figure {
    /// A figure of these values.
    pub fn new(mut values: Vec<u64>, how: &'static str) -> Figure {
        values.sort_unstable();
        Figure { values, how }
    }

    /// The median.
    pub fn median(&self) -> Option<Span> {
        (self.values.len() >= FEWEST).then(|| self.at(50))
    }

    fn at(&self, percent: usize) -> Span {
        Span::from_ns(self.values[(self.values.len() - 1) * percent / 100])
    }

    /// Whether most values are near each other: the range from the 10th to the 90th percentile is not wider than the median,
    /// or than two microseconds, below which clocks and caches decide.
    pub fn is_good(&self) -> bool {
        let Some(median) = self.median() else { return false };
        self.at(90).less(self.at(10)).ns() <= median.ns().max(2_000)
    }

    /// `31us (28us to 40us in 80 %, 200 times): pipe ping-pong …`, with a warning where it was not measured well.
    pub fn says(&self) -> String {
        let Some(median) = self.median() else {
            return format!("NOT MEASURED ({} values): {}", self.values.len(), self.how);
        };
        let warning = if self.is_good() { "" } else { "NOT MEASURED WELL, the spread is large: " };
        let [low, high] = [10, 90].map(|percent| self.at(percent).short());
        format!("{warning}{} ({low} to {high} in 80 %, {} times): {}", median.short(), self.values.len(), self.how)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_told() {
        let good = Figure::new((0..100).map(|n| 30_000 + n * 10).collect(), "x");
        assert!(good.is_good());
        assert_eq!(good.says(), "30.49us (30.09us to 30.89us in 80 %, 100 times): x");
        let bad = Figure::new((0..100).map(|n| 1_000 + n * 1_000).collect(), "x");
        assert!(!bad.is_good() && bad.says().starts_with("NOT MEASURED WELL"));
        let none = Figure::new(vec![1, 2], "x");
        assert_eq!((none.median(), none.is_good()), (None, false));
        assert_eq!(none.says(), "NOT MEASURED (2 values): x");
    }
}
