//! Reads YAML into a [`Node`] tree. The only module that knows serde and the YAML crate.
//!
//! The crate says what is a map, a list or a scalar, and where it stands. What a scalar *is* we decide ourselves, from the
//! characters of the file: by the time YAML has resolved them `3.10` is 3.1 and `010` is 10.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::budget::BudgetBreach;
use serde_yaml::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Budget, Error, Location, Options, Spanned};

use crate::model::Limits;
use crate::model::code::Code;
use crate::model::report::Report;
use crate::model::tree::{Entry, Form, Key, Node, Scalar, Spot, Value, crop};

/// Reads text number `source` of the report from byte `from` on. `None` if it is not one readable document; the report then
/// says why. Of duplicate keys the first counts, and all others are reported.
pub(in crate::model) fn read(source: u32, from: usize, limits: &Limits, report: &mut Report) -> Option<Node> {
    let text = report.text(source).get(from..).unwrap_or_default().to_owned();
    let reader = Reader { source, from, text: &text };
    if text.len() as u64 > limits.file_bytes {
        reader.too_large(limits, report);
        return None;
    }
    match parse(&text, limits) {
        Ok(raw) => Some(reader.node(&raw, report)),
        Err(error) => {
            reader.refuse(&error, limits, report);
            None
        }
    }
}

/// Parses on a stack that fits the depth limit: serde's layers take tens of kilobytes a level where nothing is optimised, and
/// the caller's thread may have little.
fn parse(text: &str, limits: &Limits) -> Result<Raw, Error> {
    let work = || serde_yaml::from_str_with_options::<Raw>(text, options(limits));
    let stack = (depth(limits) + 16) * 64 * 1024;
    std::thread::scope(|scope| match std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, work) {
        Ok(parser) => parser.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        Err(_) => work(),
    })
}

/// The depth limit; what works on the tree recurses too, so that no flag raises it beyond this.
fn depth(limits: &Limits) -> usize {
    limits.depth.min(256)
}

fn options(limits: &Limits) -> Options {
    let mut budget = Budget::default();
    budget.max_nodes = limits.nodes;
    budget.max_events = limits.nodes.saturating_mul(4);
    budget.max_aliases = limits.nodes;
    budget.max_anchors = limits.nodes;
    budget.max_depth = depth(limits);
    budget.flow_nesting_limit = depth(limits);
    budget.max_documents = 1;
    // The ratio is a guess at malice; the number of nodes after aliases is the limit that counts.
    budget.enforce_alias_anchor_ratio = false;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.with_snippet = false;
    options.strict_booleans = true;
    options.non_finite_float_policy = NonFiniteFloatPolicy::AsString;
    options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
    options.merge_keys = MergeKeyPolicy::AsOrdinary;
    options.reject_unsupported_tags = true;
    options.alias_limits.max_total_replayed_events = limits.nodes.saturating_mul(2);
    options
}

/// What serde delivers: a value and where the crate saw it.
struct Raw {
    value: RawValue,
    /// Where it is used and where it is written; they differ for aliases.
    used: Location,
    written: Location,
}

enum RawValue {
    Nothing,
    /// A number or a boolean, whatever its value.
    Typed,
    Text(String),
    List(Vec<Raw>),
    Map(Vec<(Raw, Raw)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        let Spanned { value, referenced, defined } = Spanned::<RawValue>::deserialize(deserializer)?;
        Ok(Raw { value, used: referenced, written: defined })
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawValue, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Nothing)
    }
    fn visit_none<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Nothing)
    }
    fn visit_bool<E>(self, _: bool) -> Result<RawValue, E> {
        Ok(RawValue::Typed)
    }
    fn visit_i64<E>(self, _: i64) -> Result<RawValue, E> {
        Ok(RawValue::Typed)
    }
    fn visit_u64<E>(self, _: u64) -> Result<RawValue, E> {
        Ok(RawValue::Typed)
    }
    fn visit_i128<E>(self, _: i128) -> Result<RawValue, E> {
        Ok(RawValue::Typed)
    }
    fn visit_u128<E>(self, _: u128) -> Result<RawValue, E> {
        Ok(RawValue::Typed)
    }
    fn visit_f64<E>(self, _: f64) -> Result<RawValue, E> {
        Ok(RawValue::Typed)
    }
    fn visit_str<E>(self, text: &str) -> Result<RawValue, E> {
        Ok(RawValue::Text(text.to_owned()))
    }
    fn visit_bytes<E>(self, _: &[u8]) -> Result<RawValue, E> {
        Ok(RawValue::Typed)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(RawValue::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut lines: A) -> Result<RawValue, A::Error> {
        let mut map = Vec::new();
        while let Some(line) = lines.next_entry()? {
            map.push(line);
        }
        Ok(RawValue::Map(map))
    }
}

/// Turns what serde delivers into nodes with places in the whole text.
struct Reader<'t> {
    source: u32,
    from: usize,
    text: &'t str,
}

impl Reader<'_> {
    fn node(&self, raw: &Raw, report: &mut Report) -> Node {
        let spot = self.spot(raw.used);
        match &raw.value {
            RawValue::Nothing => Node { spot, value: Value::Nothing },
            RawValue::Typed => self.scalar(spot, self.written(raw).to_owned(), Form::Typed),
            // Numbers that are no numbers, and those too large for the crate, come as text; in quotes they are text.
            RawValue::Text(text) if is_not_finite(text) && !self.written(raw).starts_with(['"', '\'']) => {
                self.scalar(spot, self.written(raw).to_owned(), Form::Typed)
            }
            RawValue::Text(text) => {
                let form = if self.written(raw) == text { Form::Word } else { Form::Quoted };
                self.scalar(spot, text.clone(), form)
            }
            RawValue::List(items) => {
                let items = items.iter().map(|item| self.node(item, report)).collect();
                Node { spot, value: Value::List(items) }
            }
            RawValue::Map(lines) => self.map(spot, lines, report),
        }
    }

    fn scalar(&self, spot: Spot, text: String, form: Form) -> Node {
        Node { spot, value: Value::Scalar(Scalar { text, form }) }
    }

    fn map(&self, spot: Spot, lines: &[(Raw, Raw)], report: &mut Report) -> Node {
        let mut first: BTreeMap<String, Spot> = BTreeMap::new();
        let mut entries = Vec::with_capacity(lines.len());
        for (key, value) in lines {
            let value = self.node(value, report);
            let Some(key) = self.key(key, report) else { continue };
            if let Some(earlier) = first.get(&key.text) {
                let message = format!("duplicate key \"{}\"", crop(&key.text));
                report.error(Code::E101, key.spot, message).label(*earlier, "first here");
                continue;
            }
            first.insert(key.text.clone(), key.spot);
            entries.push(Entry { key, value });
        }
        // A block map has no opening mark; its first key is the place to point at.
        let start = entries.first().filter(|_| spot.start == spot.end).map_or(spot, |entry| entry.key.spot);
        Node { spot: start, value: Value::Map(entries) }
    }

    fn key(&self, raw: &Raw, report: &mut Report) -> Option<Key> {
        let spot = self.spot(raw.used);
        let text = match &raw.value {
            RawValue::Text(text) => text.clone(),
            RawValue::Typed => self.written(raw).to_owned(),
            _ => {
                report.error(Code::E101, spot, "a key must be a word");
                return None;
            }
        };
        if text == "<<" {
            report.error(Code::E101, spot, "merge keys are not supported").help("write the fields out");
            return None;
        }
        Some(Key { text, spot, patched: None })
    }

    /// The characters of a scalar as they stand in the file.
    fn written(&self, raw: &Raw) -> &str {
        let (start, end) = self.bytes(raw.written);
        self.text.get(start..end).unwrap_or_default()
    }

    fn spot(&self, location: Location) -> Spot {
        let (start, end) = self.bytes(location);
        self.bytes_to_spot(start, end)
    }

    fn bytes_to_spot(&self, start: usize, end: usize) -> Spot {
        let at = |byte: usize| u32::try_from(byte.min(self.text.len()) + self.from).unwrap_or(u32::MAX);
        Spot { source: self.source, start: at(start), end: at(end) }
    }

    /// Byte offsets of a location. Errors of the scanner only know characters, which have to be counted.
    fn bytes(&self, location: Location) -> (usize, usize) {
        let span = location.span();
        let length = self.text.len() as u64;
        if let (Some(start), Some(bytes)) = (span.byte_offset(), span.byte_len())
            && start <= length
            && bytes <= length
        {
            return (start as usize, (start + bytes) as usize);
        }
        let byte =
            |character: u64| self.text.char_indices().nth(character as usize).map_or(self.text.len(), |(at, _)| at);
        (byte(span.offset()), byte(span.offset() + span.len()))
    }

    fn too_large(&self, limits: &Limits, report: &mut Report) {
        let message =
            format!("{} bytes are more than the {} that a model may have", self.text.len(), limits.file_bytes);
        report.error(Code::E101, self.bytes_to_spot(0, 0), message).help("raise the limit with --max-model-size");
    }

    fn refuse(&self, error: &Error, limits: &Limits, report: &mut Report) {
        let spot = error.location().map_or(self.bytes_to_spot(0, 0), |location| self.spot(location));
        let (message, help) = reason(error, limits);
        let finding = report.error(Code::E101, spot, message);
        if let Some(help) = help {
            finding.help(help);
        }
    }
}

fn is_not_finite(text: &str) -> bool {
    matches!(text, ".nan" | ".inf" | "-.inf")
}

/// What is wrong with a document, and what to do. Limits are named with the flag that raises them.
fn reason(error: &Error, limits: &Limits) -> (String, Option<&'static str>) {
    let text = error.to_string();
    let deep = || (format!("nested deeper than {} levels", depth(limits)), Some("raise the limit with --max-depth"));
    let documents = || ("more than one document".to_owned(), Some("put each model into a file of its own"));
    let large = || {
        (format!("more than {} nodes (aliases count in full)", limits.nodes), Some("raise the limit with --max-nodes"))
    };
    match error {
        Error::MultipleDocuments { .. } | Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => documents(),
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => deep(),
        Error::Budget { .. } | Error::AliasReplayLimitExceeded { .. } => large(),
        Error::UnsupportedTag { .. } => ("tags are not supported".to_owned(), Some("write the plain value")),
        Error::RecursiveReferencesRequireWeakTypes { .. } => ("an alias inside of what it names".to_owned(), None),
        // The rest comes as text only, also breaches inside of an alias and the scanner's own limit on open brackets; tests
        // watch the wording.
        _ if text.contains("recursion limit exceeded") || text.contains("breached: Depth") => deep(),
        _ if text.contains("breached: ") => large(),
        _ if text.contains("found a tab") || text.contains("tabs disallowed") => {
            ("not YAML: a tab where only spaces may stand".to_owned(), Some("indent with spaces"))
        }
        _ => (format!("not YAML: {}", text.split(" at line ").next().unwrap_or_default()), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::diagnostic::Source;

    fn tree(text: &str) -> Result<Node, String> {
        let mut report = Report::default();
        let source = report.add_text(Source { name: "m.yaml".to_owned(), text: text.to_owned() });
        let node = read(source, 0, &Limits::default(), &mut report);
        let found = report.finish();
        node.ok_or_else(|| found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    fn scalars(text: &str) -> Vec<(String, Form)> {
        let node = tree(text).expect("readable");
        let entries = node.map().expect("a map");
        let scalar = |entry: &Entry| entry.value.scalar().map(|scalar| (scalar.text.clone(), scalar.form));
        entries.iter().filter_map(scalar).collect()
    }

    #[test]
    fn scalars_keep_what_was_written() {
        let text = "a: 3.10\nb: 010\nc: \"3.10\"\nd: 'it''s'\ne: yes\nf: true\ng: .nan\nh: 1_000\ni: 1e400\nj: &x 007\nk: *x\n";
        let found = scalars(text);
        let found: Vec<_> = found.iter().map(|(text, form)| (text.as_str(), *form)).collect();
        let expected = [
            ("3.10", Form::Typed),
            ("010", Form::Typed),
            ("3.10", Form::Quoted),
            ("it's", Form::Quoted),
            ("yes", Form::Word),
            ("true", Form::Typed),
            (".nan", Form::Typed),
        ];
        assert_eq!(found[..7], expected);
        assert_eq!([found[7].0, found[8].0, found[9].0, found[10].0], ["1_000", "1e400", "007", "007"]);
    }

    #[test]
    fn line_ends_and_a_byte_order_mark_do_not_matter() {
        let plain = scalars("a: |\n  x\n  y\nb: one\n  two\n");
        assert_eq!(scalars("a: |\r\n  x\r\n  y\r\nb: one\r\n  two\r\n"), plain);
        assert_eq!(scalars("\u{feff}a: |\n  x\n  y\nb: one\n  two\n"), plain);
        assert_eq!(plain[1].0, "one two");
    }

    #[test]
    fn all_duplicate_keys_are_reported_and_the_first_counts() {
        let mut report = Report::default();
        let text = "a: 1\na: 2\n1: x\n01: y\n1: z\n\"a\": 3\n".to_owned();
        let source = report.add_text(Source { name: "m.yaml".to_owned(), text });
        let node = read(source, 0, &Limits::default(), &mut report).expect("readable");
        assert_eq!(node.get("a").map(Node::found).as_deref(), Some("1"));
        let lines: Vec<usize> = report.finish().iter().map(|found| found.place.line).collect();
        assert_eq!(lines, [2, 5, 6]);
    }

    #[test]
    fn an_alias_is_shown_where_it_is_used() {
        let node = tree("a: &x [5]\nb: *x\n").expect("readable");
        let Some(Node { value: Value::List(items), .. }) = node.get("b") else { panic!("a list") };
        assert_eq!((items[0].spot.start, items[0].spot.end), (13, 15));
        assert_eq!(items[0].scalar().map(|scalar| scalar.text.as_str()), Some("5"));
    }

    #[test]
    fn bombs_are_refused_with_the_flag_that_raises_the_limit() {
        let laughs = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned()
            + &(b'b'..b'j')
                .map(|c| {
                    let (this, last) = (char::from(c), char::from(c - 1));
                    format!("{this}: &{this} [{}]\n", vec![format!("*{last}"); 9].join(","))
                })
                .collect::<String>();
        let wide = format!("a: &a [{}]\nb:\n{}", vec!["x"; 20_000].join(","), "- *a\n".repeat(2_000));
        for bomb in [laughs, wide] {
            let error = tree(&bomb).unwrap_err();
            assert!(error.contains("more than 200000 nodes") && error.contains("--max-nodes"), "{error}");
        }
    }

    #[test]
    fn depth_is_limited_in_every_style() {
        let blocks: String = (0..500).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        for deep in ["[".repeat(100_000), "{a: ".repeat(30_000), "- ".repeat(100_000), blocks] {
            let error = tree(&deep).unwrap_err();
            assert!(error.contains("nested deeper than 64 levels") && error.contains("--max-depth"), "{error}");
        }
        let fits = format!("{}{}", "[".repeat(64), "]".repeat(64));
        assert!(tree(&fits).is_ok());
    }
}
