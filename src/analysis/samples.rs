//! A list of single values with exact count, sum, least and largest, and percentiles by nearest rank.

use std::collections::BTreeMap;

use crate::time::Span;

/// How many different values are kept exactly.
pub const EXACT: usize = 65_536;

/// Beyond [`EXACT`] different values each counts as the middle of its bucket, which keeps this many leading bits:
/// the relative error is then at most 1 / 2048, below 0.05 %.
const LEADING_BITS: u32 = 11;

/// Single values, such as the waits of a thread for the GIL. Memory is bounded: by [`EXACT`] entries, then by buckets.
///
/// Percentiles are exact up to [`EXACT`] different values, afterwards off by at most 0.05 %; count, sum, least and
/// largest are always exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    counts: BTreeMap<u64, u64>,
    coarse: bool,
    count: u64,
    sum: u128,
    ends: Option<(u64, u64)>,
}

impl Samples {
    /// Adds one value.
    pub fn add(&mut self, value: Span) {
        self.add_times(value.ns(), 1);
    }

    /// Adds all values of another list.
    pub fn merge(&mut self, other: &Samples) {
        let (sum, ends) = (self.sum + other.sum, [self.ends, other.ends]);
        for (value, count) in &other.counts {
            self.add_times(*value, *count);
        }
        self.coarse |= other.coarse;
        // A bucket's middle is neither the sum's nor an end's business.
        self.sum = sum;
        let ends = ends.iter().flatten().copied();
        self.ends = ends.reduce(|(low, high), (least, largest)| (low.min(least), high.max(largest)));
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The sum in nanoseconds.
    pub fn sum_ns(&self) -> u128 {
        self.sum
    }

    /// The arithmetic mean, rounded down to a nanosecond.
    pub fn mean(&self) -> Option<Span> {
        let mean = self.sum.checked_div(self.count.into())?;
        u64::try_from(mean).ok().map(Span::from_ns)
    }

    /// The smallest value.
    pub fn least(&self) -> Option<Span> {
        self.ends.map(|(least, _)| Span::from_ns(least))
    }

    /// The largest value.
    pub fn largest(&self) -> Option<Span> {
        self.ends.map(|(_, largest)| Span::from_ns(largest))
    }

    /// Whether percentiles are exact.
    pub fn is_exact(&self) -> bool {
        !self.coarse
    }

    /// The different values in ascending order, each with how often it occurs.
    pub fn values(&self) -> impl Iterator<Item = (Span, u64)> {
        self.counts.iter().map(|(value, count)| (self.within_ends(*value), *count))
    }

    /// The percentile by nearest rank: the smallest value that at least `percent` of all values do not exceed.
    pub fn percentile(&self, percent: u8) -> Option<Span> {
        let rank = nearest_rank(percent, self.count);
        let mut seen = 0;
        self.values().find_map(|(value, count)| {
            seen += count;
            (seen >= rank).then_some(value)
        })
    }

    fn add_times(&mut self, value: u64, count: u64) {
        let (least, largest) = self.ends.unwrap_or((value, value));
        self.ends = Some((least.min(value), largest.max(value)));
        self.count += count;
        self.sum += u128::from(value) * u128::from(count);
        let key = if self.coarse { bucket(value) } else { value };
        *self.counts.entry(key).or_default() += count;
        if self.counts.len() > EXACT && !self.coarse {
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        self.coarse = true;
        for (value, count) in std::mem::take(&mut self.counts) {
            *self.counts.entry(bucket(value)).or_default() += count;
        }
    }

    /// The middle of the first or last bucket may lie outside of what was seen.
    fn within_ends(&self, value: u64) -> Span {
        let (least, largest) = self.ends.unwrap_or((value, value));
        Span::from_ns(value.clamp(least, largest))
    }
}

/// The 1-based place of a percentile among `count` sorted values.
pub(in crate::analysis) fn nearest_rank(percent: u8, count: u64) -> u64 {
    let rank = (u128::from(count) * u128::from(percent)).div_ceil(100);
    (rank as u64).max(1)
}

/// The middle of the bucket of all values with the same leading bits.
fn bucket(value: u64) -> u64 {
    let dropped = (u64::BITS - value.leading_zeros()).saturating_sub(LEADING_BITS);
    let low = value >> dropped << dropped;
    low + ((1 << dropped) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Samples {
        let mut samples = Samples::default();
        values.into_iter().for_each(|value| samples.add(Span::from_ns(value)));
        samples
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        // Sorted: 15 20 35 40 50. Ranks: p50 = ceil(2.5) = 3rd, p95 = ceil(4.75) = 5th.
        let samples = of([35, 20, 15, 50, 40]);
        let at = |percent| samples.percentile(percent).unwrap().ns();
        assert_eq!([at(1), at(50), at(60), at(95), at(99)], [15, 35, 35, 50, 50]);
        assert_eq!((samples.count(), samples.sum_ns(), samples.mean()), (5, 160, Some(Span::from_ns(32))));
        assert_eq!((samples.least(), samples.largest()), (Some(Span::from_ns(15)), Some(Span::from_ns(50))));
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(Samples::default().percentile(50), None);
        assert_eq!(Samples::default().largest(), None);
    }

    #[test]
    fn beyond_the_limit_the_error_is_as_stated() {
        let step = 1_000_003;
        let many = 2 * EXACT as u64;
        let samples = of((1..=many).map(|n| n * step));
        assert!(!samples.is_exact());
        assert!(samples.counts.len() <= EXACT);
        assert_eq!(samples.sum_ns(), u128::from(step) * u128::from(many * (many + 1) / 2));
        for percent in [1, 50, 95, 99, 100] {
            let exact = nearest_rank(percent, many) * step;
            let got = samples.percentile(percent).unwrap().ns();
            assert!(got.abs_diff(exact) * 2048 <= exact, "p{percent}: {got} for {exact}");
        }
        assert!(of(1..=EXACT as u64).is_exact());
    }

    #[test]
    fn buckets_hold_their_values() {
        for value in [0, 1, 2047, 2048, 2049, 1 << 40, u64::MAX] {
            assert!(bucket(value).abs_diff(value) <= value / 2048, "{value}");
        }
    }

    #[test]
    fn merging_keeps_what_is_exact() {
        let mut both = of([1, 2, 3]);
        both.merge(&of([10, 20]));
        assert_eq!(both, of([1, 2, 3, 10, 20]));
        let mut none = Samples::default();
        none.merge(&of([7]));
        none.merge(&Samples::default());
        assert_eq!(none, of([7]));
    }
}
