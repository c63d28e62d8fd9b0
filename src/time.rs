//! Simulated time: integer nanoseconds, an instant and a span kept apart by their types.
//!
//! There is no floating point on this clock, so a sum of spans is exact on every platform.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub};

/// A point on the simulated clock, in nanoseconds since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

/// A length of simulated time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

/// The longest span a model may name: 1000 hours.
pub const LONGEST: Span = Span(1000 * 3600 * 1_000_000_000);

impl Instant {
    /// The start of every run.
    pub const ZERO: Instant = Instant(0);
    /// Later than every instant of a run.
    pub const NEVER: Instant = Instant(u64::MAX);

    /// The instant `ns` nanoseconds after the start.
    pub const fn from_ns(ns: u64) -> Instant {
        Instant(ns)
    }

    /// Nanoseconds since the start.
    pub const fn ns(self) -> u64 {
        self.0
    }

    /// The span from `earlier` to this instant. Panics if `earlier` is later: time never goes back.
    pub fn since(self, earlier: Instant) -> Span {
        Span(self.0.checked_sub(earlier.0).expect("time never goes back"))
    }

    /// The first multiple of `grid` that is not before this instant; a zero grid has every instant on it.
    pub fn round_up(self, grid: Span) -> Instant {
        if grid.0 == 0 { self } else { Instant(self.0.div_ceil(grid.0) * grid.0) }
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// A span of `ns` nanoseconds.
    pub const fn from_ns(ns: u64) -> Span {
        Span(ns)
    }

    /// A span of `us` microseconds.
    pub const fn from_us(us: u64) -> Span {
        Span(us * 1_000)
    }

    /// A span of `ms` milliseconds.
    pub const fn from_ms(ms: u64) -> Span {
        Span(ms * 1_000_000)
    }

    /// Nanoseconds.
    pub const fn ns(self) -> u64 {
        self.0
    }

    /// Whether this is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// What is left when `taken` is gone; nothing if more is taken than there is.
    pub fn less(self, taken: Span) -> Span {
        Span(self.0.saturating_sub(taken.0))
    }

    /// This span with at most three decimals of its unit, for tables; `Display` is exact.
    pub fn short(self) -> String {
        let (unit, name) = self.unit();
        let step = (unit / 1000).max(1);
        Span((self.0 + step / 2) / step * step).in_unit(unit, name)
    }

    /// The unit in which people name a span of this size: ns, us, ms (up to 10 s), s.
    fn unit(self) -> (u64, &'static str) {
        match self.0 {
            0 => (1_000_000, "ms"),
            1..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "us"),
            1_000_000..10_000_000_000 => (1_000_000, "ms"),
            _ => (1_000_000_000, "s"),
        }
    }

    fn in_unit(self, unit: u64, name: &str) -> String {
        let (whole, rest) = (self.0 / unit, self.0 % unit);
        if rest == 0 {
            return format!("{whole}{name}");
        }
        let digits = unit.ilog10() as usize;
        let decimals = format!("{rest:0digits$}");
        format!("{whole}.{}{name}", decimals.trim_end_matches('0'))
    }
}

/// Exact, in the unit people would use: `600ms`, `5.112ms`, `500us`, `0ms`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = self.unit();
        f.pad(&self.in_unit(unit, name))
    }
}

/// As the span since the start.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(self.0).fmt(f)
    }
}

impl Add<Span> for Instant {
    type Output = Instant;
    fn add(self, span: Span) -> Instant {
        Instant(self.0.checked_add(span.0).expect("an instant beyond the clock"))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.checked_add(other.0).expect("a span beyond the clock"))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.checked_sub(other.0).expect("a span below zero"))
    }
}

impl Mul<u64> for Span {
    type Output = Span;
    fn mul(self, times: u64) -> Span {
        Span(self.0.checked_mul(times).expect("a span beyond the clock"))
    }
}

impl Sum for Span {
    fn sum<I: Iterator<Item = Span>>(spans: I) -> Span {
        spans.fold(Span::ZERO, Span::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_print_exactly_and_in_the_usual_unit() {
        let cases = [
            (0, "0ms"),
            (1, "1ns"),
            (999, "999ns"),
            (1_500, "1.5us"),
            (100_000, "100us"),
            (5_112_000, "5.112ms"),
            (600_000_000, "600ms"),
            (6_270_000_000, "6270ms"),
            (10_000_000_000, "10s"),
            (12_345_678_901, "12.345678901s"),
        ];
        for (ns, text) in cases {
            assert_eq!(Span::from_ns(ns).to_string(), text);
        }
        assert_eq!(Span::from_ns(5_112_345).short(), "5.112ms");
        assert_eq!(Span::from_ns(999_999_600).short(), "1000ms");
    }

    #[test]
    fn rounding_up_to_a_grid() {
        let grid = Span::from_ms(4);
        assert_eq!(Instant::from_ns(1).round_up(grid), Instant::from_ns(4_000_000));
        assert_eq!(Instant::from_ns(8_000_000).round_up(grid), Instant::from_ns(8_000_000));
        assert_eq!(Instant::from_ns(7).round_up(Span::ZERO), Instant::from_ns(7));
    }
}
