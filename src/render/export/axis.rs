//! Time axes: one unit for a whole axis, ticks at round numbers.

use crate::time::Span;

/// The unit in which all times of a picture are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    ns: u64,
    /// Its name: `ms`.
    pub name: &'static str,
}

impl Unit {
    /// The unit for times up to `longest`: the one that people would use for it.
    pub fn of(longest: Span) -> Unit {
        let (ns, name) = match longest.ns() {
            1..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "us"),
            0 | 1_000_000..10_000_000_000 => (1_000_000, "ms"),
            _ => (1_000_000_000, "s"),
        };
        Unit { ns, name }
    }

    /// A time in this unit, exact, without the unit's name.
    pub fn exact(self, ns: u64) -> String {
        let (whole, rest) = (ns / self.ns, ns % self.ns);
        if rest == 0 {
            return whole.to_string();
        }
        let digits = self.ns.ilog10() as usize;
        format!("{whole}.{}", format!("{rest:0digits$}").trim_end_matches('0'))
    }
}

/// The smallest of 1, 2, 5, 10, 20, 50 … nanoseconds of which at most `most` fit into `total`.
pub(super) fn step(total: u64, most: u64) -> u64 {
    let mut decade: u64 = 1;
    loop {
        for digit in [1, 2, 5] {
            let step = decade.saturating_mul(digit);
            if total / step <= most {
                return step;
            }
        }
        decade = decade.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        for (total, most, expected) in
            [(0, 8, 1), (8, 8, 1), (9, 8, 2), (600_000_000, 8, 100_000_000), (u64::MAX, 8, 5_000_000_000_000_000_000)]
        {
            assert_eq!(step(total, most), expected, "{total}");
        }
    }

    #[test]
    fn one_unit_for_all() {
        let unit = Unit::of(Span::from_ms(600));
        assert_eq!(unit.name, "ms");
        assert_eq!([0, 500, 5_000_000, 5_120_000].map(|ns| unit.exact(ns)), ["0", "0.0005", "5", "5.12"]);
    }
}
