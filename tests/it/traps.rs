//! Files that YAML readers stumble over, and numbers that are none.

// Some of these tests measure how long they take.
#![allow(clippy::disallowed_methods)]

use std::time::Instant;

use gilsim::model::{Code, Diagnostic, Limits, Options, Source, load};

use crate::errors::said;

const MODEL: &str = "name: x\nabout: |\n  one\n  two\nthreads:\n  a:\n    do:\n      - cpu: 5ms\n      - print: tab\n";

fn scenario(text: &str) -> String {
    let source = Source { name: "m.yaml".to_owned(), text: text.to_owned() };
    let loaded = load(&source, &Options::default()).unwrap_or_else(|findings| panic!("{}", findings[0]));
    format!("{:?}", loaded.scenario)
}

fn findings(text: &str, limits: Limits) -> Vec<Diagnostic> {
    let source = Source { name: "m.yaml".to_owned(), text: text.to_owned() };
    let options = Options { limits, ..Options::default() };
    load(&source, &options).map_or_else(|findings| findings, |loaded| loaded.warnings)
}

#[test]
fn line_ends_byte_order_marks_and_comments_do_not_change_a_model() {
    let plain = scenario(MODEL);
    assert_eq!(scenario(&MODEL.replace('\n', "\r\n")), plain);
    assert_eq!(scenario(&format!("\u{feff}{MODEL}")), plain);
    assert_eq!(scenario(&format!("# a comment\n---\n{MODEL}# the end")), plain);
    assert_eq!(scenario(MODEL.trim_end()), plain);
    assert_eq!(scenario(&MODEL.replace("5ms", "\"5ms\"")), plain);
}

#[test]
fn a_finding_behind_a_byte_order_mark_and_carriage_returns_is_in_its_place() {
    let text = format!("\u{feff}{}", MODEL.replace("5ms", "5").replace('\n', "\r\n"));
    let expected = "m.yaml:8:14: error E104: duration needs a unit\n   8 |       - cpu: 5\n     |              ^ did you mean 5ms or 5us?";
    assert_eq!(said(&text, None, &[]), expected);
    let unclosed = "\u{feff}name: é\r\nthreads: [\r\n";
    let expected = "m.yaml:2:10: error E101: not YAML: unclosed bracket '['\n   2 | threads: [\n     |          ^";
    assert_eq!(said(unclosed, None, &[]), expected);
}

#[test]
fn words_that_yaml_1_1_took_for_booleans_are_text() {
    let model = "name: no\nabout: on\nthreads: {a: {do: [print: yes]}}\n";
    assert!(scenario(model).starts_with("Scenario { name: \"no\", about: Some(\"on\")"));
}

#[test]
fn hostile_files_are_refused_at_once() {
    let lists = "[".repeat(100_000);
    let maps = "{a: ".repeat(30_000);
    let items = "- ".repeat(100_000);
    let steps = format!("name: x\nthreads:\n  a:\n    do:\n{}", nested_steps(200));
    for text in [lists, maps, items, steps] {
        let started = Instant::now();
        let found = findings(&text, Limits::default());
        assert_eq!(found[0].code, Code::E101);
        assert_eq!(found[0].message, "nested deeper than 64 levels");
        assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
    }
    let large = format!("name: x\nabout: {}\n", "a".repeat(1024 * 1024));
    let found = findings(&large, Limits::default());
    assert_eq!(found[0].message, "1048592 bytes are more than the 1048576 that a model may have");
    assert_eq!(found[0].help.as_deref(), Some("raise the limit with --max-model-size"));
    assert!(
        findings(&large, Limits { file_bytes: 1 << 21, ..Limits::default() })
            .iter()
            .all(|found| found.code != Code::E101)
    );
}

fn nested_steps(depth: usize) -> String {
    (0..depth).map(|level| format!("{0}- repeat: 2\n{0}  do:\n", " ".repeat(6 + level * 4))).collect()
}

#[test]
fn limits_count_what_a_model_becomes() {
    let model = "name: x\nprocesses: {a: {count: 1000, threads: {b: {count: 2, do: [start: c, join: c]}, c: {count: 3, do: []}}}}\n";
    let said = |limits: Limits| findings(model, limits).iter().map(|found| found.message.clone()).collect::<Vec<_>>();
    assert_eq!(said(Limits::default()), [""; 0]);
    let threads = said(Limits { threads: 4999, ..Limits::default() });
    assert_eq!(threads, ["5000 threads in all; a model has at most 4999"]);
    let steps = said(Limits { steps: 1999, ..Limits::default() });
    assert_eq!(steps, ["2000 steps in all; a model has at most 1999"]);
}

#[test]
fn parameters_cannot_explode() {
    let many = vec!["1ms"; 1000].join(", ");
    let steps = vec!["{cpu: {choice: $p}}"; 1000].join(", ");
    let model = format!("name: x\nparams: {{p: [{many}]}}\nthreads: {{a: {{do: [{steps}]}}}}\n");
    let found = findings(&model, Limits::default());
    assert!(found.iter().any(|found| found.message == "too many nodes after parameters"), "{}", found[0]);
}

#[test]
fn thousands_of_errors_are_found_in_reasonable_time() {
    let steps: String =
        (0..20_000).map(|step| format!("- {{stat: group{step}}}\n- {{start: group{step}}}\n")).collect();
    let started = Instant::now();
    let found = findings(&format!("name: x\nthreads:\n a:\n  do:\n{}", steps.replace("- ", "  - ")), Limits::default());
    assert_eq!(found.len(), 500);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn nothing_of_a_model_reaches_the_terminal_as_a_control_character() {
    let model = "name: \"\\e]0;x\\a\"\nthreads: {\"a\\e[2J\\u202e\": {do: [{\"cpu\\u0085\\u200b\": 5ms}]}}\n";
    let text = said(model, None, &[]);
    assert!(text.contains("\"a\\x1b[2J\\u{202e}\" is not a usable name"), "{text}");
    assert!(text.contains("unknown step \"cpu\\u{85}\\u{200b}\""), "{text}");
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text}");
}

#[test]
fn numbers_that_are_none_name_what_is_allowed() {
    let whole = |found: &str| format!("E108: expected a whole number, found {found}");
    let cases = [
        ("1e12", whole("1e12")),
        ("1.5", whole("1.5")),
        ("0x10", whole("0x10")),
        ("1_000", whole("1_000")),
        ("+5", whole("+5")),
        ("5.", whole("5.")),
        ("\"12\"", whole("\"12\"")),
        ("'12'", whole("\"12\"")),
        ("twelve", whole("\"twelve\"")),
        ("true", whole("true")),
        ("~", whole("nothing")),
        ("[1]", whole("a list")),
        ("{a: 1}", whole("a map")),
        (".nan", whole(".nan")),
        ("-.inf", whole("-.inf")),
        ("1e400", whole("1e400")),
        ("010", "E108: a number does not begin with 0, found 010".to_owned()),
        ("00", "E108: a number does not begin with 0, found 00".to_owned()),
        ("-1", "E105: expected a number of at least 0, found -1".to_owned()),
        ("9223372036854775808", "E304: 9223372036854775808 members; a model has at most 1000000 threads".to_owned()),
        ("18446744073709551616", "E105: 18446744073709551616 is too large".to_owned()),
        ("1000001", "E304: 1000001 members; a model has at most 1000000 threads".to_owned()),
        ("$n", "E203: no parameter called \"n\"".to_owned()),
    ];
    for (number, expected) in cases {
        let text = said(&format!("name: x\nthreads: {{a: {{count: {number}, do: []}}}}\n"), None, &[]);
        let first = text.lines().next().unwrap_or_default();
        assert!(first.ends_with(&format!("error {expected}")), "{number}: {first}");
    }
    assert_eq!(said("name: x\nthreads: {a: {count: 0, do: []}, b: {count: 12, do: []}}\n", None, &[]), "");
}
