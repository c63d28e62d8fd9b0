//! Exact fractions: speeds, cost factors, shares, and the values that expectations compare.

use std::cmp::Ordering;
use std::fmt;

/// A non-negative fraction in lowest terms. Comparisons are exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    num: u128,
    den: u128,
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Ratio = Ratio { num: 0, den: 1 };
    /// One.
    pub const ONE: Ratio = Ratio { num: 1, den: 1 };

    /// `num / den`; a zero denominator gives zero, as a share of nothing.
    pub fn new(num: u128, den: u128) -> Ratio {
        if den == 0 {
            return Ratio::ZERO;
        }
        let shared = gcd(num, den).max(1);
        Ratio { num: num / shared, den: den / shared }
    }

    /// A whole number.
    pub fn whole(number: u128) -> Ratio {
        Ratio { num: number, den: 1 }
    }

    /// Reads a plain decimal, `12`, `0.25`, `1.10`: exactly, never through a float. At most 18 digits on each side.
    pub fn parse(text: &str) -> Option<Ratio> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.len() <= 18 && part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(decimals) || text.ends_with('.') {
            return None;
        }
        let scale = 10u128.pow(decimals.len() as u32);
        let part = |part: &str| if part.is_empty() { Some(0) } else { part.parse::<u128>().ok() };
        Some(Ratio::new(part(whole)? * scale + part(decimals)?, scale))
    }

    /// The numerator in lowest terms.
    pub fn num(self) -> u128 {
        self.num
    }

    /// The denominator in lowest terms.
    pub fn den(self) -> u128 {
        self.den
    }

    /// The exact product; `None` if it needs more than 128 bits.
    pub fn times(self, other: Ratio) -> Option<Ratio> {
        // Cross-cancelling first keeps the products small.
        let (a, b) = (Ratio::new(self.num, other.den), Ratio::new(other.num, self.den));
        Some(Ratio { num: a.num.checked_mul(b.num)?, den: a.den.checked_mul(b.den)? })
    }

    /// Rounded to the nearest multiple of `1 / 10^decimals`, written with exactly that many decimals.
    pub fn to_decimals(self, decimals: u32) -> String {
        let scale = 10u128.pow(decimals);
        let (whole, rest) = (self.num / self.den, self.num % self.den);
        // rest < den; halve both where the product would not fit. The error is far below the last digit.
        let (mut rest, mut den) = (rest, self.den);
        while rest.checked_mul(scale * 2).is_none() {
            rest >>= 1;
            den >>= 1;
        }
        let rounded = (rest * scale * 2 + den) / (den * 2);
        let (whole, part) = (whole + rounded / scale, rounded % scale);
        if decimals == 0 { whole.to_string() } else { format!("{whole}.{part:0width$}", width = decimals as usize) }
    }
}

/// With as many decimals as it needs, at most three.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_decimals(3);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Ratio) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Exact, also where the cross products need more than 128 bits: compares whole parts, then the reciprocals of the rests.
impl Ord for Ratio {
    fn cmp(&self, other: &Ratio) -> Ordering {
        let (mut a, mut b) = (*self, *other);
        let mut turned = false;
        loop {
            let order = (a.num / a.den).cmp(&(b.num / b.den));
            let (rest_a, rest_b) = (a.num % a.den, b.num % b.den);
            let order = order.then_with(|| match (rest_a, rest_b) {
                (0, 0) => Ordering::Equal,
                (0, _) => Ordering::Less,
                (_, 0) => Ordering::Greater,
                _ => Ordering::Equal,
            });
            if order != Ordering::Equal || rest_a == 0 {
                return if turned { order.reverse() } else { order };
            }
            (a, b) = (Ratio { num: a.den, den: rest_a }, Ratio { num: b.den, den: rest_b });
            turned = !turned;
        }
    }
}

/// The greatest common divisor.
pub fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The least common multiple of two positive numbers; `None` beyond 64 bits.
pub fn lcm(a: u64, b: u64) -> Option<u64> {
    (a / gcd(a.into(), b.into()) as u64).checked_mul(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly() {
        assert_eq!(Ratio::parse("1.10"), Some(Ratio::new(11, 10)));
        assert_eq!(Ratio::parse("0.333"), Some(Ratio::new(333, 1000)));
        assert_eq!(Ratio::parse("12"), Some(Ratio::whole(12)));
        for bad in ["", ".", ".5", "5.", "-1", "1e3", "1_0", "1.2.3", "nan", "1234567890123456789"] {
            assert_eq!(Ratio::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn comparison_is_exact_where_products_overflow() {
        let big = u128::MAX / 3;
        assert!(Ratio::new(big, big - 1) > Ratio::new(big + 1, big));
        assert!(Ratio::new(1, 3) < Ratio::new(334, 1000));
        assert_eq!(Ratio::new(2, 6).cmp(&Ratio::new(1, 3)), Ordering::Equal);
    }

    #[test]
    fn rounding_carries_into_the_whole_part() {
        assert_eq!(Ratio::new(9_999_999, 10_000_000).to_decimals(3), "1.000");
        assert_eq!(Ratio::new(2, 3).to_string(), "0.667");
        assert_eq!(Ratio::new(4, 1).to_string(), "4");
    }
}
