//! The grammar of expectations: `[agg] metric op value [within percent]` and three special forms.

use crate::model::code::Code;
use crate::model::expect::{Aggregate, Claim, Comparison, Metric, MetricName, Scope, Unit, Value};
use crate::model::quantity;
use crate::model::tree::crop;
use crate::ratio::Ratio;

/// Why a text is not an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// E401 or E402.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// The bytes of the text that are wrong.
    pub at: (usize, usize),
    /// A word that is not known, and the words that are.
    pub unknown: Option<(String, Vec<&'static str>)>,
    /// What to do.
    pub help: Option<String>,
}

type Parsed<T> = Result<T, Fault>;

/// Reads an expectation.
pub fn parse(text: &str) -> Parsed<Claim> {
    let mut parser = Parser { tokens: lex(text)?, next: 0, end: text.len() };
    let claim = parser.claim()?;
    parser.finish()?;
    Ok(claim)
}

/// Reads a metric with its selector and perhaps an aggregate, as `validate` lists them.
pub fn parse_metric(text: &str) -> Parsed<(Option<Aggregate>, Metric)> {
    let mut parser = Parser { tokens: lex(text)?, next: 0, end: text.len() };
    let at = parser.here();
    let aggregate = parser.aggregate();
    if matches!(aggregate, Some(Aggregate::Any | Aggregate::All)) {
        let help = Some("a comparison needs one value: max, min, mean, total, p50, p95 or p99".to_owned());
        return Err(Fault { help, ..fault(Code::E401, at, "any and all make no value") });
    }
    let metric = parser.metric()?;
    parser.finish()?;
    Ok((aggregate, metric))
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Number,
    Operator,
    /// Text in quotes, without them.
    Quoted,
    /// What stands in parentheses, without them.
    Selector,
}

#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    text: String,
    at: (usize, usize),
}

fn fault(code: Code, at: (usize, usize), message: impl Into<String>) -> Fault {
    Fault { code, message: message.into(), at, unknown: None, help: None }
}

fn lex(text: &str) -> Parsed<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut from = 0;
    while let Some(first) = text[from..].chars().next() {
        if first.is_whitespace() {
            from += first.len_utf8();
            continue;
        }
        let token = token(text, from, first)?;
        from = token.at.1;
        tokens.push(token);
    }
    Ok(tokens)
}

fn token(text: &str, from: usize, first: char) -> Parsed<Token> {
    let rest = &text[from..];
    let run = |part: fn(char) -> bool| rest.find(|character| !part(character)).unwrap_or(rest.len());
    let (kind, length, inner) = match first {
        '"' | '\'' => {
            let length = closed(rest, first, from)?;
            (Kind::Quoted, length, &rest[1..length - 1])
        }
        '(' => {
            let length = closed(rest, ')', from)?;
            (Kind::Selector, length, rest[1..length - 1].trim())
        }
        '=' | '<' | '>' | '!' | '≤' | '≥' => {
            let length = run(|character| matches!(character, '=' | '<' | '>' | '!' | '≤' | '≥'));
            (Kind::Operator, length, &rest[..length])
        }
        _ if first.is_ascii_digit() || matches!(first, '-' | '+' | '.') => {
            let length =
                run(|character| !character.is_whitespace() && !matches!(character, '(' | ')' | '=' | '<' | '>'));
            (Kind::Number, length, &rest[..length])
        }
        _ if first.is_ascii_alphabetic() => {
            let length = run(|character| character.is_ascii_alphanumeric() || character == '_');
            (Kind::Word, length, &rest[..length])
        }
        _ => {
            let at = (from, from + first.len_utf8());
            return Err(fault(Code::E401, at, format!("\"{first}\" does not belong into an expectation")));
        }
    };
    Ok(Token { kind, text: inner.to_owned(), at: (from, from + length) })
}

/// The length of what opens here and must be closed.
fn closed(rest: &str, close: char, from: usize) -> Parsed<usize> {
    let end = rest[1..].find(close).map(|end| end + 2);
    end.ok_or_else(|| fault(Code::E401, (from, from + rest.len()), format!("{close} is missing")))
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn here(&self) -> (usize, usize) {
        self.peek().map_or((self.end, self.end), |token| token.at)
    }

    /// The next token, which must be of this kind.
    fn take(&mut self, kind: Kind, expected: &str) -> Parsed<Token> {
        match self.tokens.get(self.next) {
            Some(token) if token.kind == kind => {
                self.next += 1;
                Ok(token.clone())
            }
            _ => Err(self.expected(expected)),
        }
    }

    fn expected(&self, expected: &str) -> Fault {
        let found = self.peek().map_or("the end".to_owned(), |token| format!("\"{}\"", crop(&token.text)));
        fault(Code::E401, self.here(), format!("expected {expected}, found {found}"))
    }

    /// Whether the next token is this word, which is then taken.
    fn word(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == Kind::Word && token.text == word);
        self.next += usize::from(found);
        found
    }

    fn finish(&self) -> Parsed<()> {
        if self.peek().is_some() { Err(self.expected("nothing more")) } else { Ok(()) }
    }

    fn claim(&mut self) -> Parsed<Claim> {
        if self.word("deadlock") {
            return self.deadlock();
        }
        if self.word("output") {
            if !self.word("contains") {
                return Err(self.expected("contains"));
            }
            return Ok(Claim::OutputContains(self.take(Kind::Quoted, "a text in quotes")?.text));
        }
        if self.word("time") {
            return self.time_of();
        }
        self.comparison()
    }

    fn deadlock(&mut self) -> Parsed<Claim> {
        let operator = self.take(Kind::Operator, "==")?;
        if operator.text != "==" {
            return Err(fault(Code::E401, operator.at, "deadlock is compared with =="));
        }
        match (self.word("true"), self.word("false")) {
            (true, _) => Ok(Claim::Deadlock(true)),
            (_, true) => Ok(Claim::Deadlock(false)),
            _ => Err(self.expected("true or false")),
        }
    }

    fn time_of(&mut self) -> Parsed<Claim> {
        if !self.word("of") {
            return Err(self.expected("of"));
        }
        let text = self.take(Kind::Quoted, "a text in quotes")?.text;
        let op = self.operator()?;
        let at = self.here();
        match self.value()? {
            Value::Time(value) => Ok(Claim::TimeOf { text, op: self.within(op)?, value }),
            _ => Err(fault(Code::E402, at, "the time of a line is compared with a duration")),
        }
    }

    fn comparison(&mut self) -> Parsed<Claim> {
        let start = self.here();
        let aggregate = self.aggregate();
        let metric = self.metric()?;
        if let (Some(_), None) = (aggregate, &metric.selector) {
            let message = format!("{} is one value, so there is nothing to choose from", metric.name.word());
            let fault = fault(Code::E402, start, message);
            let threads = metric.name.scope() == Scope::RunOrThreads;
            let help = threads.then(|| format!("name threads, as in {}(*)", metric.name.word()));
            return Err(Fault { help, ..fault });
        }
        let op = self.operator()?;
        let at = self.here();
        let value = self.value()?;
        same_unit(&metric, &value, at)?;
        Ok(Claim::Metric { aggregate, metric, op: self.within(op)?, value })
    }

    fn aggregate(&mut self) -> Option<Aggregate> {
        let aggregate = match self.peek().filter(|token| token.kind == Kind::Word)?.text.as_str() {
            "any" => Aggregate::Any,
            "all" => Aggregate::All,
            "max" => Aggregate::Max,
            "min" => Aggregate::Min,
            "mean" => Aggregate::Mean,
            "total" => Aggregate::Total,
            "p50" => Aggregate::Percentile(50),
            "p95" => Aggregate::Percentile(95),
            "p99" => Aggregate::Percentile(99),
            _ => return None,
        };
        self.next += 1;
        Some(aggregate)
    }

    fn metric(&mut self) -> Parsed<Metric> {
        let token = self.take(Kind::Word, "a metric")?;
        let Some(name) = MetricName::ALL.iter().copied().find(|name| name.word() == token.text) else {
            let known = MetricName::ALL.iter().map(|name| name.word()).collect();
            let fault = fault(Code::E402, token.at, format!("unknown metric \"{}\"", crop(&token.text)));
            let help = Some("all metrics: gilsim help metrics".to_owned());
            return Err(Fault { unknown: Some((token.text, known)), help, ..fault });
        };
        let selector = match self.peek() {
            Some(Token { kind: Kind::Selector, text, .. }) => Some(text.clone()),
            _ => None,
        };
        let metric = Metric { name, selector };
        scope(&metric, token.at, self.here())?;
        self.next += usize::from(metric.selector.is_some());
        Ok(metric)
    }

    fn operator(&mut self) -> Parsed<Comparison> {
        if self.word("about") {
            return Ok(Comparison::About(Ratio::new(5, 100)));
        }
        let token = self.take(Kind::Operator, "one of == <= >= < > about")?;
        match token.text.as_str() {
            "==" => Ok(Comparison::Equal(None)),
            "<=" => Ok(Comparison::AtMost),
            ">=" => Ok(Comparison::AtLeast),
            "<" => Ok(Comparison::Less),
            ">" => Ok(Comparison::More),
            other => {
                let fault = fault(Code::E401, token.at, format!("unknown comparison \"{}\"", crop(other)));
                Err(Fault { help: Some("comparisons are == <= >= < > about".to_owned()), ..fault })
            }
        }
    }

    fn within(&mut self, op: Comparison) -> Parsed<Comparison> {
        let at = self.here();
        if !self.word("within") {
            return Ok(op);
        }
        let token = self.take(Kind::Number, "a percentage")?;
        let margin = quantity::percent(&token.text).map_err(|wrong| fault(Code::E401, token.at, wrong.message))?;
        match op {
            Comparison::Equal(_) => Ok(Comparison::Equal(Some(margin))),
            Comparison::About(_) => Ok(Comparison::About(margin)),
            _ => Err(fault(Code::E401, at, "within goes with == and about only")),
        }
    }

    fn value(&mut self) -> Parsed<Value> {
        let token = self.take(Kind::Number, "a duration, a number, or a part of a metric")?;
        let text = token.text.as_str();
        let bad = |message: String| fault(Code::E401, token.at, message);
        if text.ends_with('%') {
            let factor = quantity::percent(text).map_err(|wrong| bad(wrong.message))?;
            return if self.word("of") {
                self.metric().map(|metric| Value::Times(factor, metric))
            } else {
                Err(self.expected("of"))
            };
        }
        let number = text.strip_suffix('x').unwrap_or(text);
        if number != text || self.word("x") {
            let factor = Ratio::parse(number).ok_or_else(|| bad(format!("\"{}\" is not a number", crop(number))))?;
            return self.metric().map(|metric| Value::Times(factor, metric));
        }
        match Ratio::parse(text) {
            Some(number) => Ok(Value::Number(number)),
            None => quantity::duration(text).map(Value::Time).map_err(|wrong| bad(wrong.message)),
        }
    }
}

/// Whether a metric is asked about what it is about.
fn scope(metric: &Metric, at: (usize, usize), selector_at: (usize, usize)) -> Parsed<()> {
    let word = metric.name.word();
    let missing = |example: &str, what: &str| {
        let fault = fault(Code::E402, at, format!("{word} needs {what}"));
        Err(Fault { help: Some(format!("as in {word}({example})")), ..fault })
    };
    match (metric.name.scope(), metric.selector.as_deref()) {
        (Scope::Run, Some(_)) => Err(fault(Code::E402, selector_at, format!("{word} is about the whole run"))),
        (_, Some("")) => Err(fault(Code::E402, selector_at, "a selector is a name, prefix* or *")),
        (Scope::Threads, None) => missing("*", "threads"),
        (Scope::Processes, None) => missing("*", "a process"),
        (Scope::Lock, None) => missing("database", "a lock"),
        (Scope::Queue, None) => missing("jobs", "a queue"),
        (Scope::Variable, None) => missing("counter", "a variable"),
        (Scope::Kind, None) => missing("thread", "what to count"),
        (Scope::Span, None) => missing("request", "the name of a span"),
        _ => Ok(()),
    }
}

/// Whether a metric can be compared with a value.
fn same_unit(metric: &Metric, value: &Value, at: (usize, usize)) -> Parsed<()> {
    let word = metric.name.word();
    let (found, number) = match value {
        Value::Time(_) => (Unit::Time, None),
        Value::Number(number) => (Unit::Number, Some(*number)),
        Value::Times(_, other) => (other.name.unit(), None),
    };
    match (metric.name.unit(), found) {
        (Unit::Time, Unit::Number) => {
            let fault = fault(Code::E402, at, format!("{word} is a time and is compared with a duration"));
            Err(Fault { help: number.map(|number| format!("write {number}ms, or {number}us")), ..fault })
        }
        (Unit::Number, Unit::Time) => {
            Err(fault(Code::E402, at, format!("{word} is a number and is compared with a number")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn metric(name: MetricName, selector: Option<&str>) -> Metric {
        Metric { name, selector: selector.map(str::to_owned) }
    }

    #[test]
    fn every_form_of_the_grammar() {
        let plain = |metric, op, value| Claim::Metric { aggregate: None, metric, op, value };
        let ms = |ms| Value::Time(Span::from_ms(ms));
        let makespan = || metric(MetricName::Makespan, None);
        let cases = [
            ("makespan == 600ms", plain(makespan(), Comparison::Equal(None), ms(600))),
            ("makespan<=600ms", plain(makespan(), Comparison::AtMost, ms(600))),
            ("makespan about 600ms", plain(makespan(), Comparison::About(Ratio::new(1, 20)), ms(600))),
            ("makespan about 600ms within 10%", plain(makespan(), Comparison::About(Ratio::new(1, 10)), ms(600))),
            ("makespan == 600ms within 1%", plain(makespan(), Comparison::Equal(Some(Ratio::new(1, 100))), ms(600))),
            (
                "makespan >= 1.0 x work",
                plain(makespan(), Comparison::AtLeast, Value::Times(Ratio::ONE, metric(MetricName::Work, None))),
            ),
            (
                "gil_busy < 20% of makespan",
                plain(metric(MetricName::GilBusy, None), Comparison::Less, Value::Times(Ratio::new(1, 5), makespan())),
            ),
            (
                "cores_busy > 3.9",
                plain(metric(MetricName::CoresBusy, None), Comparison::More, Value::Number(Ratio::new(39, 10))),
            ),
            (
                "total wait_gil(waster-*) == 0ms",
                Claim::Metric {
                    aggregate: Some(Aggregate::Total),
                    metric: metric(MetricName::WaitGil, Some("waster-*")),
                    op: Comparison::Equal(None),
                    value: ms(0),
                },
            ),
            (
                "p95 each_wait_gil(web-1/server) <= 5ms",
                Claim::Metric {
                    aggregate: Some(Aggregate::Percentile(95)),
                    metric: metric(MetricName::EachWaitGil, Some("web-1/server")),
                    op: Comparison::AtMost,
                    value: ms(5),
                },
            ),
            ("deadlock == false", Claim::Deadlock(false)),
            ("output contains \"RuntimeError\"", Claim::OutputContains("RuntimeError".to_owned())),
            (
                "time of \"all started\" >= 100ms",
                Claim::TimeOf { text: "all started".to_owned(), op: Comparison::AtLeast, value: Span::from_ms(100) },
            ),
        ];
        for (text, claim) in cases {
            assert_eq!(parse(text), Ok(claim), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_pointed_at() {
        let cases = [
            ("", Code::E401, (0, 0), "expected a metric, found the end"),
            ("makespan", Code::E401, (8, 8), "expected one of == <= >= < > about, found the end"),
            ("makespan = 5ms", Code::E401, (9, 10), "unknown comparison \"=\""),
            (
                "makespan == ",
                Code::E401,
                (12, 12),
                "expected a duration, a number, or a part of a metric, found the end",
            ),
            ("makespan == 5ms 6ms", Code::E401, (16, 19), "expected nothing more, found \"6ms\""),
            ("makespan == 5msec", Code::E401, (12, 17), "unknown unit \"msec\"; units are ns, us, ms, s, min, h"),
            ("makespan >= 5ms within 5%", Code::E401, (16, 22), "within goes with == and about only"),
            ("makespan == 600", Code::E402, (12, 15), "makespan is a time and is compared with a duration"),
            ("gil_switches == 5ms", Code::E402, (16, 19), "gil_switches is a number and is compared with a number"),
            (
                "makespan >= 2 x gil_switches",
                Code::E402,
                (12, 13),
                "makespan is a time and is compared with a duration",
            ),
            ("finish == 5ms", Code::E402, (0, 6), "finish needs threads"),
            ("makespan(a) == 5ms", Code::E402, (8, 11), "makespan is about the whole run"),
            ("max makespan == 5ms", Code::E402, (0, 3), "makespan is one value, so there is nothing to choose from"),
            ("makespam == 5ms", Code::E402, (0, 8), "unknown metric \"makespam\""),
            ("latency == 5ms", Code::E402, (0, 7), "latency needs the name of a span"),
            ("finish(a == 5ms", Code::E401, (6, 15), ") is missing"),
            ("output contains RuntimeError", Code::E401, (16, 28), "expected a text in quotes, found \"RuntimeError\""),
            ("deadlock == maybe", Code::E401, (12, 17), "expected true or false, found \"maybe\""),
            ("makespan == é", Code::E401, (12, 14), "\"é\" does not belong into an expectation"),
        ];
        for (text, code, at, message) in cases {
            let fault = parse(text).expect_err(text);
            assert_eq!((fault.code, fault.at, fault.message.as_str()), (code, at, message), "{text}");
        }
    }
}
