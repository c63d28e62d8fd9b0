//! Every model: its snapshot, its determinism, and that its expectations can fail.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gilsim::cli::report;
use gilsim::model::{self, Members, Options, Source};
use gilsim::render::{self, Excerpt, Facts};
use gilsim::rng;
use gilsim::study::{Simulation, scenario_digest, simulate};
use gilsim::trace::{Cast, Nobody};

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All models, as paths below `models/`, in order.
pub fn models() -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let base = root().join("models");
    let mut found = Vec::new();
    walk(&base, &mut found);
    let yaml = found.iter().filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    let mut names: Vec<String> =
        yaml.map(|path| path.strip_prefix(&base).expect("below models").to_string_lossy().replace('\\', "/")).collect();
    names.sort();
    names
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join("models").join(name)).expect("a model")
}

fn load(name: &str, text: &str, sets: &[String], variant: Option<&str>) -> Result<model::Loaded, String> {
    let options = Options { sets, variant, ..Options::default() };
    let source = Source { name: name.to_string(), text: text.to_string() };
    let show =
        |findings: Vec<model::Diagnostic>| findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    model::load(&source, &options).map_err(show)
}

fn run(name: &str, text: &str, sets: &[String], variant: Option<&str>) -> Option<Simulation> {
    load(name, text, sets, variant).ok().map(|loaded| simulate(&loaded.scenario, Nobody))
}

#[test]
fn snapshots() {
    insta::with_settings!({
        snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::glob!("../../models", "**/*.yaml", |path| {
            let text = fs::read_to_string(path).expect("a model");
            let loaded = load("model", &text, &[], None).unwrap_or_else(|errors| panic!("{errors}"));
            let cast = Cast::of(&loaded.scenario);
            let mut excerpt = Excerpt::new(&cast);
            let simulation = simulate(&loaded.scenario, &mut excerpt);
            let facts = Facts::of(&loaded.scenario, scenario_digest(&loaded.scenario).hex(), None, rng::VERSION);
            let mut shot = String::new();
            render::snapshot(&mut shot, &report(&simulation, &facts), &excerpt).expect("a string takes everything");
            insta::assert_snapshot!("model", shot);
        });
    });
}

#[test]
fn every_model_has_a_snapshot_and_every_snapshot_a_model() {
    let expected: BTreeSet<String> =
        models().iter().map(|name| format!("model@{}.snap", name.replace('/', "__"))).collect();
    let found: BTreeSet<String> = fs::read_dir(root().join("snapshots"))
        .expect("snapshots")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("model@"))
        .collect();
    assert_eq!(expected, found);
}

#[test]
fn every_model_and_variant_holds() {
    for name in models() {
        let text = text(&name);
        let loaded = load(&name, &text, &[], None).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(!loaded.scenario.expectations().is_empty(), "{name} claims nothing");
        assert!(text.starts_with("# Claim: "), "{name} does not begin with its claim");
        let variants = loaded.variants.iter().map(|variant| Some(variant.name.as_str()));
        for variant in std::iter::once(None).chain(variants) {
            let simulation = run(&name, &text, &[], variant).unwrap_or_else(|| panic!("{name} {variant:?} has errors"));
            let failed: Vec<_> = simulation.outcomes.iter().filter(|outcome| !outcome.holds).collect();
            assert!(failed.is_empty(), "{name} {variant:?}: {failed:?}");
            let broken: Vec<_> = simulation.invariants.broken().collect();
            assert!(broken.is_empty(), "{name} {variant:?}: {broken:?}");
        }
    }
}

/// The same text twice, and the text with its top-level keys in every rotated order: the same timeline, byte for byte.
#[test]
fn every_model_is_deterministic() {
    for name in models() {
        let text = text(&name);
        let first = run(&name, &text, &[], None).expect("a model").digest;
        assert_eq!(first, run(&name, &text, &[], None).expect("a model").digest, "{name}");
        let keys = top_level(&text);
        for turn in 1..keys.len() {
            let turned: String = keys[turn..].iter().chain(&keys[..turn]).map(String::as_str).collect();
            let found = run(&name, &turned, &[], None).unwrap_or_else(|| panic!("{name} turned by {turn}")).digest;
            assert_eq!(first, found, "{name} with its keys turned by {turn}");
        }
    }
}

/// The keys of every map in the opposite order, but for those whose order has a meaning (declared threads, processes
/// and locks are numbered) and for lists: the same timeline.
#[test]
fn the_order_of_fields_means_nothing() {
    for name in models() {
        let text = text(&name);
        let lines: Vec<&str> =
            text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#')).collect();
        let turned = turned(&lines, "");
        assert_ne!(lines.join("\n"), turned.trim_end(), "{name} is not turned");
        let digest = |text: &str| run(&name, text, &[], None).unwrap_or_else(|| panic!("{name}:\n{text}")).digest;
        assert_eq!(digest(&text), digest(&turned), "{name}:\n{turned}");
    }
}

/// A block of lines with its keys in the opposite order, and so every block below them.
fn turned(lines: &[&str], parent: &str) -> String {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let own = lines.first().map_or(0, |line| depth(line));
    let starts = (0..lines.len()).filter(|place| depth(lines[*place]) == own);
    let starts: Vec<usize> = starts.chain([lines.len()]).collect();
    let is_map = lines.first().is_some_and(|line| !line.trim_start().starts_with("- "));
    let mut parts: Vec<String> = starts
        .windows(2)
        .map(|pair| {
            let head = lines[pair[0]];
            let below = &lines[pair[0] + 1..pair[1]];
            let key = head.trim();
            let keeps = !is_map || !key.trim_end().ends_with(':');
            let below = if keeps { below.iter().map(|line| format!("{line}\n")).collect() } else { turned(below, key) };
            format!("{head}\n{below}")
        })
        .collect();
    let numbered = ["threads:", "processes:", "locks:"].contains(&parent);
    if is_map && !numbered {
        parts.reverse();
    }
    parts.concat()
}

/// The top-level keys of a model with everything below them.
fn top_level(text: &str) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let begins = line.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
        match keys.last_mut() {
            Some(key) if !begins => key.push_str(&format!("{line}\n")),
            _ => keys.push(format!("{line}\n")),
        }
    }
    keys
}

/// An expectation that cannot fail says nothing: twice the interval, a core more or less, another scheduler, another choice
/// of the next holder, or one member more or less of the first group turns some line of every model red.
#[test]
fn every_model_is_sensitive_to_something() {
    for name in models() {
        let text = text(&name);
        let scenario = load(&name, &text, &[], None).unwrap_or_else(|errors| panic!("{errors}")).scenario;
        let mut changes = Vec::new();
        if let Some(gil) = scenario.gils().values().next() {
            changes.push(format!("python.switch_interval={}", gil.interval * 2));
            changes.push("python.next_holder=random".to_string());
            changes.push("python.next_holder=futex".to_string());
        }
        changes.push("machine.scheduler=fifo".to_string());
        changes.push("machine.scheduler=fair".to_string());
        changes.push(format!("machine.cores={}", scenario.machine().cores.len() + 1));
        if scenario.machine().cores.len() > 1 {
            changes.push(format!("machine.cores={}", scenario.machine().cores.len() - 1));
        }
        if let Some(first) = scenario.groups().values().next() {
            let section = if text.contains("\nprocesses:") { "processes" } else { "threads" };
            let (Members::Threads(members) | Members::Processes(members)) = &first.members;
            for count in [members.len() + 1, members.len() - 1] {
                changes.push(format!("{section}.{}.count={count}", first.name));
            }
        }
        let red = changes.iter().any(|change| {
            let changed = run(&name, &text, std::slice::from_ref(change), None);
            changed.is_some_and(|simulation| simulation.outcomes.iter().any(|outcome| !outcome.holds))
        });
        assert!(red, "{name}: none of {changes:?} makes any expectation fail");
    }
}

/// Every record names the record that made it happen, an earlier one; only arrivals, releases, what they do at their
/// instant, and the end come from nowhere.
#[test]
fn every_record_of_every_model_has_a_cause_and_every_chain_an_arrival() {
    use gilsim::trace::{JobAct, Record, What};
    for name in models() {
        let scenario = load(&name, &text(&name), &[], None).unwrap_or_else(|errors| panic!("{errors}")).scenario;
        let mut records: Vec<Record> = Vec::new();
        simulate(&scenario, &mut records);
        // When which thread arrives or is released.
        let arrives = |record: &Record| match record.what {
            What::State { from: None, thread, .. } => Some((record.at, thread)),
            What::Job { act: JobAct::Release, thread, .. } => Some((record.at, thread)),
            _ => None,
        };
        let arrivals: BTreeSet<_> = records.iter().filter_map(arrives).collect();
        for (index, record) in records.iter().enumerate() {
            match record.cause {
                Some(cause) => {
                    assert!(cause < index as u64, "{name}: record {index} is caused by {cause}, which comes later");
                    assert!(records[cause as usize].at <= record.at, "{name}: record {index} precedes its cause");
                }
                None => {
                    let root = match record.what {
                        What::End { .. } => true,
                        What::Job { act, .. } => act != JobAct::Finish,
                        // A core turns to somebody else, or a process ends, because a thread that has just arrived lets go.
                        What::Dispatch { .. } | What::Exit { .. } => arrivals.iter().any(|(at, _)| *at == record.at),
                        What::State { thread, .. }
                        | What::Gil { thread, .. }
                        | What::Lock { thread, .. }
                        | What::Object { thread, .. }
                        | What::Span { thread, .. }
                        | What::Output { thread, .. }
                        | What::Account { thread, .. } => arrivals.contains(&(record.at, thread)),
                        What::Quota { .. } => false,
                    };
                    assert!(root, "{name}: record {index} has no cause: {record:?}");
                }
            }
        }
    }
}
