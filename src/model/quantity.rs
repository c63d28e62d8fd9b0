//! Durations, rates, percents and numbers, read exactly: no float ever touches them.

use crate::model::code::Code;
use crate::ratio::Ratio;
use crate::time::{LONGEST, Span};

/// The units of durations with their nanoseconds, longest words first where one ends another.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The regular expression of durations.
pub fn duration_pattern() -> String {
    format!("^[0-9]+(\\.[0-9]+)?({})$", units())
}

/// The regular expression of rates.
pub fn rate_pattern() -> String {
    format!("^[0-9]+(\\.[0-9]+)?/({})$", units())
}

fn units() -> String {
    UNITS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join("|")
}

/// Why a text is not the quantity it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// E104, E105 or E108.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What may have been meant, as it would be written.
    pub values: Vec<String>,
}

impl Fault {
    fn new(code: Code, message: impl Into<String>) -> Fault {
        Fault { code, message: message.into(), values: Vec::new() }
    }

    fn with(mut self, values: impl IntoIterator<Item = String>) -> Fault {
        self.values = values.into_iter().collect();
        self
    }
}

/// Reads a duration: a plain decimal number and its unit, `100us`, `1.5s`, `2min`.
pub fn duration(text: &str) -> Result<Span, Fault> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if is_not_finite(rest) {
        return Err(Fault::new(Code::E105, format!("a duration must be a finite number, found {text}")));
    }
    let (number, unit) = split_number(rest);
    if number.is_empty() {
        return Err(Fault::new(Code::E108, format!("expected a duration such as 5ms, found \"{}\"", crop(text))));
    }
    if !is_plain(number) {
        let message = format!("a duration is a plain decimal number and its unit, found \"{}\"", crop(text));
        return Err(Fault::new(Code::E108, message));
    }
    if negative {
        return Err(Fault::new(Code::E105, "a duration cannot be negative"));
    }
    let Some((_, ns)) = UNITS.iter().find(|(word, _)| *word == unit) else {
        return Err(unit_fault(number, unit));
    };
    exact(number, *ns)
}

/// The duration `number × unit`, if it is a whole number of nanoseconds from 0 to 1000 h.
fn exact(number: &str, unit: u64) -> Result<Span, Fault> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let too_long = || Fault::new(Code::E105, "a duration cannot be longer than 1000h");
    let too_fine = || Fault::new(Code::E105, "a duration cannot be finer than 1ns");
    let (whole, decimals) = (whole.trim_start_matches('0'), decimals.trim_end_matches('0'));
    // 1000 h are 3.6e15 ns: more than 16 digits are too long, and more than 13 decimals too fine, in any unit.
    if whole.len() > 16 {
        return Err(too_long());
    }
    if decimals.len() > 13 {
        return Err(too_fine());
    }
    let digits = |part: &str| part.bytes().fold(0u128, |sum, byte| sum * 10 + u128::from(byte - b'0'));
    let scale = 10u128.pow(decimals.len() as u32);
    let part = digits(decimals) * u128::from(unit);
    if part % scale != 0 {
        return Err(too_fine());
    }
    let ns = digits(whole) * u128::from(unit) + part / scale;
    let span = u64::try_from(ns).map(Span::from_ns).map_err(|_| too_long())?;
    if span > LONGEST { Err(too_long()) } else { Ok(span) }
}

/// Whether a text is digits, or digits with a point between them.
fn is_plain(number: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    number.split_once('.').map_or_else(|| digits(number), |(whole, decimals)| digits(whole) && digits(decimals))
}

fn unit_fault(number: &str, unit: &str) -> Fault {
    let word = unit.trim();
    if word.is_empty() {
        return Fault::new(Code::E104, "duration needs a unit").with([format!("{number}ms"), format!("{number}us")]);
    }
    if let Some((known, _)) = UNITS.iter().find(|(known, _)| *known == word) {
        return Fault::new(Code::E104, "no space between a number and its unit").with([format!("{number}{known}")]);
    }
    let message = format!("unknown unit \"{}\"; units are ns, us, ms, s, min, h", crop(word));
    let lower = word.to_lowercase();
    let meant = match lower.as_str() {
        "n" | "nsec" | "nanosecond" | "nanoseconds" => "ns",
        "u" | "usec" | "microsecond" | "microseconds" => "us",
        "msec" | "millis" | "millisecond" | "milliseconds" => "ms",
        "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "mins" | "minute" | "minutes" => "min",
        "hour" | "hours" | "hr" => "h",
        _ => UNITS.iter().find(|(known, _)| *known == lower).map_or("", |(known, _)| known),
    };
    let fault = Fault::new(Code::E104, message);
    if meant.is_empty() { fault } else { fault.with([format!("{number}{meant}")]) }
}

/// The number in front and the rest. An exponent belongs to the number, so that `1e3ms` is not taken for a unit `e3ms`.
fn split_number(text: &str) -> (&str, &str) {
    let in_number = |byte: u8| byte.is_ascii_digit() || byte == b'.' || byte == b'_' || byte == b'+';
    let mut end = text.bytes().position(|byte| !in_number(byte)).unwrap_or(text.len());
    let rest = &text.as_bytes()[end..];
    if end > 0 && rest.len() > 1 && matches!(rest[0], b'e' | b'E') && matches!(rest[1], b'0'..=b'9' | b'+' | b'-') {
        let more = rest[1..].iter().position(|byte| !byte.is_ascii_digit() && !matches!(byte, b'+' | b'-'));
        end += 1 + more.unwrap_or(rest.len() - 1);
    }
    text.split_at(end)
}

fn is_not_finite(text: &str) -> bool {
    let word = text.trim_start_matches(['.', '+']).to_ascii_lowercase();
    matches!(word.as_str(), "nan" | "inf" | "infinity")
}

fn crop(text: &str) -> String {
    crate::model::tree::crop(text)
}

/// Reads a plain decimal number such as `0.5`.
pub fn decimal(text: &str) -> Result<Ratio, Fault> {
    if text.starts_with('-') || is_not_finite(text) {
        return Err(Fault::new(Code::E105, format!("expected a number of at least 0, found {}", crop(text))));
    }
    let found =
        || Fault::new(Code::E108, format!("expected a plain decimal number such as 0.5, found \"{}\"", crop(text)));
    Ratio::parse(text).ok_or_else(found)
}

/// Reads a whole number without leading zeros, underscores or exponents.
pub fn whole(text: &str) -> Result<u64, Fault> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = format!("expected a whole number, found {}", crop(text));
        let plain: String = text.chars().filter(|character| *character != '_').collect();
        let fault = Fault::new(Code::E108, message);
        let usable = plain != text && !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit());
        return Err(if usable { fault.with([plain]) } else { fault });
    }
    if digits != text {
        return Err(Fault::new(Code::E105, format!("expected a number of at least 0, found {}", crop(text))));
    }
    if digits.len() > 1 && digits.starts_with('0') {
        let plain = digits.trim_start_matches('0');
        let plain = if plain.is_empty() { "0" } else { plain };
        let message = format!("a number does not begin with 0, found {}", crop(text));
        return Err(Fault::new(Code::E108, message).with([plain.to_owned()]));
    }
    digits.parse().map_err(|_| Fault::new(Code::E105, format!("{} is too large", crop(text))))
}

/// Reads a whole number that may be negative.
pub fn integer(text: &str) -> Result<i64, Fault> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let number = i128::from(whole(digits)?);
    let number = if negative { -number } else { number };
    i64::try_from(number).map_err(|_| Fault::new(Code::E105, format!("{} is too large", crop(text))))
}

/// Reads a percentage such as `20%` as a fraction.
pub fn percent(text: &str) -> Result<Ratio, Fault> {
    let fault = || Fault::new(Code::E108, format!("expected a percentage such as 20%, found \"{}\"", crop(text)));
    let number = text.strip_suffix('%').ok_or_else(fault)?;
    let number = Ratio::parse(number).ok_or_else(fault)?;
    number.times(Ratio::new(1, 100)).ok_or_else(fault)
}

/// Reads a rate such as `100/s` as the mean time between two events, to the nearest nanosecond.
pub fn rate(text: &str) -> Result<Span, Fault> {
    let fault = || Fault::new(Code::E108, format!("expected a rate such as 100/s, found \"{}\"", crop(text)));
    let (number, unit) = text.split_once('/').ok_or_else(fault)?;
    let number = Ratio::parse(number).ok_or_else(fault)?;
    let (_, ns) = UNITS.iter().find(|(word, _)| *word == unit).ok_or_else(fault)?;
    let range = || Fault::new(Code::E105, "a rate must leave between 1ns and 1000h from one event to the next");
    if number == Ratio::ZERO {
        return Err(range());
    }
    let above = u128::from(*ns).checked_mul(number.den()).ok_or_else(range)?;
    let gap = (above + number.num() / 2) / number.num();
    let gap = u64::try_from(gap).map(Span::from_ns).map_err(|_| range())?;
    if gap.is_zero() || gap > LONGEST { Err(range()) } else { Ok(gap) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        let cases = [
            ("0ns", 0),
            ("0ms", 0),
            ("0h", 0),
            ("1ns", 1),
            ("999ns", 999),
            ("1us", 1_000),
            ("1µs", 1_000),
            ("1μs", 1_000),
            ("0.001us", 1),
            ("100us", 100_000),
            ("5ms", 5_000_000),
            ("5.112345ms", 5_112_345),
            ("007ms", 7_000_000),
            ("1.50ms", 1_500_000),
            ("1.5s", 1_500_000_000),
            ("0.000000001s", 1),
            ("0.0000000010000s", 1),
            ("0.1s", 100_000_000),
            ("0.3s", 300_000_000),
            ("2min", 120_000_000_000),
            ("1.5min", 90_000_000_000),
            ("1h", 3_600_000_000_000),
            ("0.5h", 1_800_000_000_000),
            ("1000h", 3_600_000_000_000_000),
            ("60000min", 3_600_000_000_000_000),
            ("3600000000000000ns", 3_600_000_000_000_000),
            ("000000000000000000000000001ns", 1),
        ];
        for (text, ns) in cases {
            assert_eq!(duration(text), Ok(Span::from_ns(ns)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_says_why() {
        let cases = [
            ("5", Code::E104, "duration needs a unit", "5ms or 5us"),
            ("0", Code::E104, "duration needs a unit", "0ms or 0us"),
            ("1.5", Code::E104, "duration needs a unit", "1.5ms or 1.5us"),
            ("5 ms", Code::E104, "no space between a number and its unit", "5ms"),
            ("5msec", Code::E104, "unknown unit \"msec\"; units are ns, us, ms, s, min, h", "5ms"),
            ("5 seconds", Code::E104, "unknown unit \"seconds\"; units are ns, us, ms, s, min, h", "5s"),
            ("5MS", Code::E104, "unknown unit \"MS\"; units are ns, us, ms, s, min, h", "5ms"),
            ("5m", Code::E104, "unknown unit \"m\"; units are ns, us, ms, s, min, h", "5min"),
            ("5d", Code::E104, "unknown unit \"d\"; units are ns, us, ms, s, min, h", ""),
            ("-1", Code::E105, "a duration cannot be negative", ""),
            ("-5ms", Code::E105, "a duration cannot be negative", ""),
            (".nan", Code::E105, "a duration must be a finite number, found .nan", ""),
            ("NaN", Code::E105, "a duration must be a finite number, found NaN", ""),
            ("-.inf", Code::E105, "a duration must be a finite number, found -.inf", ""),
            ("inf", Code::E105, "a duration must be a finite number, found inf", ""),
            ("1001h", Code::E105, "a duration cannot be longer than 1000h", ""),
            ("3600000000000001ns", Code::E105, "a duration cannot be longer than 1000h", ""),
            ("99999999999999999999999999s", Code::E105, "a duration cannot be longer than 1000h", ""),
            ("9999999999999999h", Code::E105, "a duration cannot be longer than 1000h", ""),
            ("0.1ns", Code::E105, "a duration cannot be finer than 1ns", ""),
            ("1.0000000001s", Code::E105, "a duration cannot be finer than 1ns", ""),
            ("0.00000000000000000000001h", Code::E105, "a duration cannot be finer than 1ns", ""),
            ("", Code::E108, "expected a duration such as 5ms, found \"\"", ""),
            ("ms", Code::E108, "expected a duration such as 5ms, found \"ms\"", ""),
            ("fast", Code::E108, "expected a duration such as 5ms, found \"fast\"", ""),
            ("$work", Code::E108, "expected a duration such as 5ms, found \"$work\"", ""),
            ("+5ms", Code::E108, "a duration is a plain decimal number and its unit, found \"+5ms\"", ""),
            ("1e3ms", Code::E108, "a duration is a plain decimal number and its unit, found \"1e3ms\"", ""),
            ("1_000ms", Code::E108, "a duration is a plain decimal number and its unit, found \"1_000ms\"", ""),
            (".5ms", Code::E108, "a duration is a plain decimal number and its unit, found \".5ms\"", ""),
            ("5.ms", Code::E108, "a duration is a plain decimal number and its unit, found \"5.ms\"", ""),
            ("1.2.3ms", Code::E108, "a duration is a plain decimal number and its unit, found \"1.2.3ms\"", ""),
        ];
        for (text, code, message, values) in cases {
            let fault = duration(text).expect_err(text);
            assert_eq!(
                (fault.code, fault.message.as_str(), fault.values.join(" or ").as_str()),
                (code, message, values)
            );
        }
        assert_eq!(duration("1e400").expect_err("huge").code, Code::E108);
    }

    #[test]
    fn what_prints_reads_back() {
        for ns in [0, 1, 999, 1_000, 123_456_789, 5_112_000, 10_000_000_001, LONGEST.ns()] {
            assert_eq!(duration(&Span::from_ns(ns).to_string()), Ok(Span::from_ns(ns)));
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(whole("12"), Ok(12));
        assert_eq!(whole("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(whole("1_000").expect_err("underscore").values, ["1000"]);
        assert_eq!(whole("010").expect_err("octal").values, ["10"]);
        for (text, code) in [
            ("-1", Code::E105),
            ("1.5", Code::E108),
            ("1e12", Code::E108),
            ("0x10", Code::E108),
            ("", Code::E108),
            ("-", Code::E108),
            ("_", Code::E108),
            ("+1", Code::E108),
            ("18446744073709551616", Code::E105),
        ] {
            assert_eq!(whole(text).expect_err(text).code, code, "{text}");
        }
        assert_eq!(integer("-20"), Ok(-20));
        assert_eq!(integer("-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(integer("9223372036854775808").expect_err("large").code, Code::E105);
        assert_eq!(integer("--1").expect_err("twice").code, Code::E105);
    }

    #[test]
    fn percents_and_rates() {
        assert_eq!(percent("20%"), Ok(Ratio::new(1, 5)));
        assert_eq!(percent("0.5%"), Ok(Ratio::new(1, 200)));
        assert_eq!(percent("20").expect_err("bare").code, Code::E108);
        assert_eq!(rate("100/s"), Ok(Span::from_ms(10)));
        assert_eq!(rate("3/s"), Ok(Span::from_ns(333_333_333)));
        assert_eq!(rate("0.5/min"), Ok(Span::from_ns(120_000_000_000)));
        for (text, code) in
            [("100", Code::E108), ("0/s", Code::E105), ("9999999999/s", Code::E105), ("x/s", Code::E108)]
        {
            assert_eq!(rate(text).expect_err(text).code, code, "{text}");
        }
    }
}
