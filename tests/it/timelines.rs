//! Stored timelines: what is written comes back as it was, and what is damaged is refused with its line.

use std::fs;

use gilsim::analysis::{Meter, Sketch};
use gilsim::model::{self, Options, Source};
use gilsim::render::JsonLines;
use gilsim::rng;
use gilsim::store::{Fault, Timeline};
use gilsim::study::{scenario_digest, simulate};
use gilsim::trace::{Cast, Digest, Facts, Observer, Record};

use crate::models::{models, root};

/// The timeline of a model or variant, as `run --format jsonl` writes it.
fn written(text: &str, variant: Option<&str>) -> (Facts, Cast, Digest, String) {
    let source = Source { name: "model".into(), text: text.into() };
    let options = Options { variant, ..Options::default() };
    let scenario = model::load(&source, &options).unwrap_or_else(|errors| panic!("{errors:?}")).scenario;
    let digest = scenario_digest(&scenario).hex();
    let facts = Facts::of(&scenario, digest, variant.map(str::to_string), rng::VERSION);
    let cast = Cast::of(&scenario);
    let mut lines = JsonLines::new(&cast, &facts, Vec::new());
    let simulation = simulate(&scenario, &mut lines);
    let text = String::from_utf8(lines.finish().expect("a vector takes everything")).expect("UTF-8");
    (facts, cast, simulation.digest, text)
}

fn read(text: &[u8], observer: &mut impl Observer) -> Result<(Facts, Cast), Fault> {
    let mut timeline = Timeline::open(text)?;
    timeline.read(observer)?;
    Ok((timeline.facts, timeline.cast))
}

#[test]
fn every_model_comes_back_byte_for_byte() {
    for name in models() {
        let text = fs::read_to_string(root().join("models").join(&name)).expect("a model");
        let source = Source { name: "model".into(), text: text.clone() };
        let variants = model::load(&source, &Options::default()).expect("a model").variants;
        let variants = variants.iter().map(|variant| Some(variant.name.as_str()));
        for variant in std::iter::once(None).chain(variants) {
            let (facts, cast, digest, text) = written(&text, variant);
            let (mut records, mut again): (Vec<Record>, Digest) = Default::default();
            let (read_facts, read_cast) = read(text.as_bytes(), &mut (&mut records, &mut again))
                .unwrap_or_else(|fault| panic!("{name} {variant:?}: {fault}"));
            assert_eq!((facts, cast, digest), (read_facts.clone(), read_cast.clone(), again), "{name} {variant:?}");
            let mut lines = JsonLines::new(&read_cast, &read_facts, Vec::new());
            records.iter().enumerate().for_each(|(index, record)| lines.record(index as u64, record));
            assert!(lines.finish().expect("a vector") == text.into_bytes(), "{name} {variant:?}");
        }
    }
}

/// A deadlock, a held lock, output, I/O, two cores: some 4 KB.
const SMALL: &str = "
name: small
machine: {cores: 2}
locks: {left: {}, right: {}}
threads:
  a:
    do: [{with: left, do: [{cpu: 6ms}, {print: \"a \\u202e \\\"hi\\\"\"}, {with: right, do: [{cpu: 1ms}]}]}]
  b:
    do: [{with: right, do: [{io: 1ms}, {cpu: 6ms}, {with: left, do: [{cpu: 1ms}]}]}]
";

fn small() -> String {
    let (_, _, _, text) = written(SMALL, None);
    assert!((3_000..9_000).contains(&text.len()), "{}", text.len());
    text
}

/// Reads a damaged timeline with everybody who would watch it; only the absence of panics counts.
fn survive(bytes: &[u8]) -> Result<(), Fault> {
    let mut timeline = Timeline::open(bytes)?;
    let cast = timeline.cast.clone();
    let (mut meter, mut sketch) = (Meter::new(&cast), Sketch::new(&cast, 100));
    let read = timeline.read(&mut (&mut meter, &mut sketch));
    meter.finish();
    sketch.finish();
    read.map(|_| ())
}

#[test]
fn every_truncation_is_an_error_that_names_its_line() {
    let text = small();
    assert_eq!(survive(text.as_bytes()), Ok(()));
    for length in 0..text.len() {
        let fault = survive(&text.as_bytes()[..length]).expect_err("truncated");
        let lines = text.as_bytes()[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(fault.line, lines + 1, "{length}: {fault}");
        assert!(length == 0 || fault.what.contains("truncated"), "{length}: {fault}");
    }
}

#[test]
fn flipped_bits_are_errors_or_other_timelines_but_never_panics() {
    let text = small();
    let mut random = 1u64;
    let mut refused = 0;
    for _ in 0..1_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut bytes = text.clone().into_bytes();
        let place = (random >> 24) as usize % bytes.len();
        bytes[place] ^= 1 << (random >> 8 & 7);
        refused += u32::from(survive(&bytes).is_err());
    }
    assert!(refused > 600, "only {refused} of 1000 were noticed");
}

#[test]
fn damage_is_named_with_its_line_and_what_is_allowed() {
    let text = small();
    let cases = [
        ("\"format\": 1", "\"format\": 2", "line 1: \"format\" is 2; this version of gilsim reads format 1"),
        (
            "\"provenance\": \"simulated\"",
            "\"provenance\": \"dreamt\"",
            "line 1: \"provenance\" must be simulated or measured",
        ),
        ("{\"format\"", "{\"from\"", "line 1: not a timeline: a header with \"format\" is due here"),
        (
            "\"threads\": [",
            "\"strands\": [",
            "line 1: the header names no \"threads\"; write the timeline again with this version of gilsim",
        ),
        (
            "\"speeds\": [1, 1]",
            "\"speeds\": [1]",
            "line 1: \"speeds\" must be as many numbers as \"cores\" says, at most 65536",
        ),
        (
            "\"locks\": [\"left\", \"right\"]",
            "\"locks\": [\"left\", \"left\"]",
            "line 1: \"locks\" names \"left\" twice",
        ),
        ("\"i\": 0}", "\"i\": 1}", "line 2: \"i\" is 1; records are numbered without gaps, and 0 is due"),
        (
            "\"cause\": null, \"i\": 0}",
            "\"cause\": 0, \"i\": 0}",
            "line 2: \"cause\" is 0; a cause comes before its record, 0",
        ),
        (
            "\"kind\": \"gil\"",
            "\"kind\": \"gill\"",
            "line 2: \"kind\" is \"gill\"; allowed are state, dispatch, gil, lock, object, job, span, quota, output, account, exit, end",
        ),
        (
            "\"t\": 0, \"kind\": \"gil\"",
            "\"t\": -1, \"kind\": \"gil\"",
            "line 2: \"t\" must be a whole number from 0 to 4611686018427387904",
        ),
        (
            "\"proc\": \"main\", \"thread\": \"a\", \"act\"",
            "\"proc\": \"main\", \"thread\": \"z\", \"act\"",
            "line 2: \"thread\" is \"z\", whom the header does not name",
        ),
        ("\"act\": \"grant\"", "\"act\": \"grasp\"", "line 2: \"act\" is \"grasp\"; allowed are request, grant, drop"),
    ];
    for (from, to, sentence) in cases {
        let damaged = text.replacen(from, to, 1);
        assert_ne!(damaged, text, "{from}");
        assert_eq!(survive(damaged.as_bytes()).expect_err(sentence).to_string(), sentence);
    }
    let mut lines: Vec<&str> = text.lines().collect();
    lines.push(lines[lines.len() - 1]);
    let doubled = lines.join("\n") + "\n";
    assert!(survive(doubled.as_bytes()).expect_err("two ends").what.contains("follows the end"));
    let swapped = text.replacen("\"t\": 0,", "\"t\": 90000000,", 1);
    assert!(survive(swapped.as_bytes()).expect_err("time goes back").what.contains("t goes back, from 90000000"));
}

#[test]
fn a_measured_timeline_is_read_as_well() {
    let text = small().replacen("\"provenance\": \"simulated\"", "\"provenance\": \"measured\"", 1);
    let (facts, _) = read(text.as_bytes(), &mut Vec::new()).expect("a timeline");
    assert_eq!(facts.provenance, "measured");
}
