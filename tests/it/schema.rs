//! The JSON Schema that editors use: it is current, and somebody else's validator reads it as we read models.

use std::fs;
use std::process::Command;

use gilsim::model::{self, Options, Source};

use crate::exports::tools;
use crate::models::{models, root};

#[test]
fn the_schema_beside_the_models_is_current() {
    let stored = fs::read_to_string(root().join("models/schema.json")).unwrap_or_default();
    assert!(stored == model::schema(), "write it again: gilsim schema > models/schema.json");
}

/// Models with one mistake each.
const BROKEN: [&str; 22] = [
    "threads: {a: {do: []}}",
    "name: x",
    "name: x\nthreads: {a: {do: []}}\nprocesses: {p: {do: []}}",
    "name: x\nthreads: {a: {}}",
    "name: x\nthreads: {a: {do: [cpu: 5]}}",
    "name: x\nthreads: {a: {do: [cpu: 5 ms]}}",
    "name: x\nthreads: {a: {do: [cpu: -5ms]}}",
    "name: x\nthreads: {a: {do: [cpuu: 5ms]}}",
    "name: x\nthreads: {a: {do: [{cpu: 5ms, io: 5ms}]}}",
    "name: x\nthreads: {a: {do: [{cpu: 5ms, do: []}]}}",
    "name: x\nthreads: {a: {do: [repeat: 3]}}",
    "name: x\nthreads: {a: {do: [choose: [{weight: 1}]]}}",
    "name: x\nthreads: {a: {count: -1, do: []}}",
    "name: x\nthreads: {a: {daemon: \"true\", do: []}}",
    "name: x\nthreads: {a.b: {do: []}}",
    "name: x\nthreads: {a: {do: [], arrivals: {every: 1ms, poisson: 1/s}}}",
    "name: x\nthreads: {a: {do: [cpu: {uniform: [1ms, 2ms], normal: [1ms, 1ms]}]}}",
    "name: x\nmachine: {scheduler: {fifo: {quantum: 1ms}}}\nthreads: {a: {do: []}}",
    "name: x\nmachine: {cores: four}\nthreads: {a: {do: []}}",
    "name: x\npython: {version: 3.13}\nthreads: {a: {do: []}}",
    "name: x\nprocesses: {p: {do: [], quota: {period: 1ms}}}",
    "name: x\nextra: 1\nthreads: {a: {do: []}}",
];

fn is_read(text: &str) -> bool {
    model::load(&Source { name: "m.yaml".into(), text: text.into() }, &Options::default()).is_ok()
}

#[test]
fn models_are_valid_and_broken_ones_are_not() {
    let Some(tools) = tools() else { return };
    let folder = root().join("target/schema-cases");
    fs::create_dir_all(&folder).expect("a folder");
    let mut check = Command::new(tools.join("venv/bin/python"));
    check.arg(root().join("tests/it/schema/check.py")).arg(root().join("models/schema.json"));
    check.args(models().iter().map(|name| root().join("models").join(name))).arg("--");
    for (number, text) in BROKEN.iter().enumerate() {
        assert!(!is_read(text), "this is no mistake: {text}");
        let path = folder.join(format!("{number}.yaml"));
        fs::write(&path, text).expect("a new file");
        check.arg(path);
    }
    let found = check.env("PYTHONUTF8", "1").output().expect("python");
    let text = format!("{}{}", String::from_utf8_lossy(&found.stdout), String::from_utf8_lossy(&found.stderr));
    assert!(found.status.success(), "{text}");
}
