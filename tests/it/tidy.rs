//! The laws of the house that a compiler does not check: who may import whom, what may be used where, how long a file is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder with an ending, in order of their names.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(path);
        }
    }
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/")
}

/// Code without comments, strings left in; what stands below `#[cfg(test)] mod` is a test and has no floor.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file");
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The floor of a source file: the first folder or file name below `src/`.
fn floor(path: &str) -> &str {
    let below = path.strip_prefix("src/").expect("a source file");
    below.split('/').next().expect("a name").trim_end_matches(".rs")
}

/// For each floor the floors that it may name. A new floor needs a line here and in the map of `src/lib.rs`.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("ids", &[]),
    ("ratio", &[]),
    ("rng", &[]),
    ("model", &["time", "ids", "ratio", "rng"]),
    ("trace", &["time", "ids", "ratio", "model"]),
    ("kernel", &["time", "ids", "ratio", "rng", "model", "trace"]),
    ("policy", &["time", "ids", "ratio", "rng", "model", "kernel"]),
    ("backend", &["time", "ids", "ratio", "rng", "model", "trace", "kernel", "policy"]),
    ("analysis", &["time", "ids", "ratio", "model", "trace"]),
    ("render", &["time", "ids", "ratio", "rng", "model", "trace", "analysis", "policy"]),
    ("store", &["time", "ids", "ratio", "model", "trace"]),
    ("study", &["time", "ids", "ratio", "rng", "model", "trace", "analysis", "backend", "store"]),
    ("cli", &["time", "ids", "ratio", "rng", "model", "trace", "analysis", "backend", "store", "study", "render"]),
];

#[test]
fn nobody_imports_upwards() {
    let mut wrong = Vec::new();
    for path in files(&root().join("src"), "rs") {
        let name = relative(&path);
        if ["src/lib.rs", "src/main.rs"].contains(&name.as_str()) || name.ends_with("tests.rs") {
            continue;
        }
        let own = floor(&name);
        let allowed = MAY_NAME.iter().find(|(floor, _)| *floor == own);
        let Some((_, allowed)) = allowed else {
            wrong.push(format!("{name}: floor {own} has no line in the table"));
            continue;
        };
        let code = code(&path);
        for named in names_after(&code, "crate::") {
            let known = MAY_NAME.iter().any(|(floor, _)| *floor == named);
            if known && named != own && !allowed.contains(&named.as_str()) {
                wrong.push(format!("{name}: {own} must not name {named}"));
            }
        }
        if code.contains("super::super") {
            wrong.push(format!("{name}: super::super hides where a name comes from"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names that follow a prefix, also inside braces: `crate::{a, b::c}` names a and b.
fn names_after(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            None => {
                names.insert(word(rest));
            }
            Some(list) => {
                let mut depth = 0;
                let mut start = true;
                for (i, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && c.is_alphabetic() => {
                            names.insert(word(&list[i..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    names
}

/// What floors must not use besides other floors.
const MUST_NOT_USE: &[(&str, &[&str])] = &[
    (
        "kernel",
        &["std::fs", "std::env", "std::io", "std::thread", "std::process", "std::time", "println!", "f32", "f64"],
    ),
    (
        "policy",
        &["std::fs", "std::env", "std::io", "std::thread", "std::process", "std::time", "println!", "f32", "f64"],
    ),
    ("trace", &["std::fs", "std::env", "std::thread", "std::process", "std::time", "println!", "f32", "f64", "serde"]),
    (
        "analysis",
        &["std::fs", "std::env", "std::thread", "std::process", "std::time", "println!", "f32", "f64", "serde"],
    ),
    ("render", &["std::fs", "std::env", "std::process", "println!", "serde"]),
    ("model", &["std::fs", "std::env", "std::process", "std::time", "println!"]),
    ("study", &["println!"]),
    ("store", &["println!", "std::env"]),
];

#[test]
fn floors_keep_to_their_tools() {
    let mut wrong = Vec::new();
    for path in files(&root().join("src"), "rs") {
        let name = relative(&path);
        if name.ends_with("tests.rs") {
            continue;
        }
        let code = code(&path);
        for (floor_name, forbidden) in MUST_NOT_USE {
            if floor(&name) == *floor_name {
                let used = forbidden.iter().filter(|word| uses(&code, word));
                wrong.extend(used.map(|word| format!("{name}: {floor_name} must not use {word}")));
            }
        }
        let only_in = [("serde", "src/model/yaml.rs"), ("rand_chacha", "src/rng.rs"), ("libm", "src/rng.rs")];
        for (word, home) in only_in {
            if name != home && code.contains(&format!("{word}::")) {
                wrong.push(format!("{name}: {word} is used in {home} only"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a word stands in the code as a word.
fn uses(code: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().is_some_and(is_name);
        let after = code[at + word.len()..].chars().next().is_some_and(is_name);
        !before && (!after || word.ends_with('!'))
    })
}

#[test]
fn files_are_short() {
    let all = ["rs", "js", "css", "html"].iter().flat_map(|ending| files(&root().join("src"), ending));
    let long: Vec<String> = all
        .filter(|path| !relative(path).ends_with("tests.rs"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source file");
            let lines = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().count();
            (relative(&path), lines)
        })
        .filter(|(_, lines)| *lines > 500)
        .map(|(name, lines)| format!("{name}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "longer than 500 lines without their tests:\n{}", long.join("\n"));
}

#[test]
fn the_map_in_lib_rs_names_every_floor() {
    let map = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let map: String = map.lines().filter(|line| line.starts_with("//!")).collect();
    for (floor, _) in MAY_NAME {
        assert!(uses(&map, floor), "the map in src/lib.rs does not name {floor}");
    }
}
