//! `gilsim new`: whatever it is asked for, what it writes is a model that holds.

use std::fs;
use std::process::{Command, Output};

use gilsim::model::{self, Options, Source};
use gilsim::study::simulate;
use gilsim::trace::Nobody;

use crate::models::root;

fn new(flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gilsim")).arg("new").args(flags).output().expect("our program runs")
}

/// Loads a text with a variant, and says what does not hold.
fn failures(text: &str, variant: Option<&str>) -> Vec<String> {
    let source = Source { name: "new.yaml".into(), text: text.into() };
    let options = Options { variant, ..Options::default() };
    let loaded = model::load(&source, &options).unwrap_or_else(|errors| panic!("{}\n{text}", errors[0]));
    let outcomes = simulate(&loaded.scenario, Nobody).outcomes;
    assert!(!outcomes.is_empty(), "{variant:?} expects nothing");
    outcomes.into_iter().filter(|outcome| !outcome.holds).map(|outcome| outcome.text).collect()
}

#[test]
fn every_combination_of_flags_is_a_model_that_holds() {
    let choices: [&[&[&str]]; 5] = [
        &[&[], &["--threads", "1"], &["--threads", "12"]],
        &[&[], &["--processes", "1"], &["--processes", "3"]],
        &[&[], &["--cpu", "1.5ms"], &["--cpu", "0ms"]],
        &[&[], &["--io", "20ms"]],
        &[&[], &["--cores", "1"], &["--cores", "64"]],
    ];
    let mut all: Vec<Vec<&str>> = vec![Vec::new()];
    for choice in choices {
        all = all.iter().flat_map(|flags| choice.iter().map(|more| [&flags[..], more].concat())).collect();
    }
    assert_eq!(all.len(), 3 * 3 * 3 * 2 * 3);
    for flags in all {
        let output = new(&flags);
        assert!(output.status.success(), "{flags:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        for variant in [None, Some("free-threaded"), Some("one-core"), Some("twice-the-work")] {
            assert_eq!(failures(&text, variant), [""; 0], "{flags:?} {variant:?}\n{text}");
        }
    }
}

#[test]
fn twelve_threads_of_fifty_milliseconds() {
    let text = String::from_utf8(new(&["--threads", "12", "--cpu", "50ms"]).stdout).expect("UTF-8");
    let added = text.replace("expect:    ", "expect:\n  - makespan == 600ms\n#");
    assert_ne!(added, text);
    assert_eq!(failures(&added, None), [""; 0]);
    assert!(text.contains("work == 600ms         # 12 x 50ms"), "{text}");
}

#[test]
fn a_file_is_not_overwritten_by_mistake() {
    let path = root().join("target/new-model.yaml");
    let _ = fs::remove_file(&path);
    let file = path.display().to_string();
    assert!(new(&["-o", &file]).status.success());
    fs::write(&path, "mine").expect("a file");
    let refused = new(&["-o", &file]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("exists; --force overwrites it"), "{refused:?}");
    assert_eq!(fs::read_to_string(&path).expect("a file"), "mine");
    assert!(new(&["-o", &file, "--force"]).status.success());
    assert!(fs::read_to_string(&path).expect("a file").starts_with("# A first model"));
}

#[test]
fn flags_that_make_no_model_are_refused() {
    for flags in [["--threads", "0"], ["--cpu", "50"], ["--cpu", "1000h"], ["--cores", "5000"]] {
        let output = new(&flags);
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{flags:?}");
    }
}
