//! What we export is read by somebody else's parsers, and says what the records say.
//!
//! Every case is a cast with its records. Both are written down as plain JSON beside the exports; checkers in Python work
//! out from the records what an export must say and compare. `exports/setup.sh` fetches the parsers.

mod cases;
mod long;
mod runs;
mod tape;
mod viewers;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use gilsim::render::export::{Export, Settings, observer};
use gilsim::trace::{Cast, GilAct, LockAct, Observer, Record, State, What};
use serde_json::{Value, json};

const WIDTH: usize = 100;

/// A run to export.
struct Case {
    name: String,
    title: String,
    cast: Cast,
    records: Vec<Record>,
}

/// The folder of the parsers. Where they cannot be had the exports go unread, and the tests say so; in CI that is a failure.
pub fn tools() -> Option<&'static Path> {
    static TOOLS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let tools = TOOLS.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let tools = root.join("target/export-tools");
        let setup = Command::new("bash").arg(root.join("tests/it/exports/setup.sh")).arg(&tools).status();
        if setup.is_ok_and(|status| status.success()) {
            return Some(tools);
        }
        let needs = "tests/it/exports/setup.sh has failed: it needs bash, python3, pip and npm";
        assert!(std::env::var_os("CI").is_none(), "{needs}");
        eprintln!("SKIPPED: the exports are written but not read by other people's parsers; {needs}");
        None
    });
    tools.as_deref()
}

fn export(format: Export, case: &Case) -> Vec<u8> {
    let settings = Settings { title: case.title.clone(), width: WIDTH };
    let mut exporter = observer(format, &case.cast, &settings, Vec::new());
    for (index, record) in case.records.iter().enumerate() {
        exporter.record(index as u64, record);
    }
    exporter.finish().expect("a vector takes everything")
}

/// Writes all cases down, exports them, and lets the checker of the format judge. The files stay below
/// `target/export-cases/`, to be looked at.
fn check(name: &str, format: Export, cases: &[Case]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/export-cases").join(name).join(format.word());
    let _ = fs::remove_dir_all(&folder);
    let tools = tools();
    let mut check = Command::new(tools.unwrap_or(Path::new("")).join("venv/bin/python"));
    check.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/exports/check.py")).arg(format.word());
    check
        .env("EXPORT_TOOLS", tools.unwrap_or(Path::new("")))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUTF8", "1");
    for case in cases {
        let place = folder.join(case.name.replace('/', "__"));
        fs::create_dir_all(&place).expect("a new folder");
        fs::write(place.join("truth.json"), truth(case).to_string()).expect("a new file");
        fs::write(place.join(format!("out.{}", format.word())), export(format, case)).expect("a new file");
        check.arg(place);
    }
    if tools.is_none() {
        return;
    }
    let found = check.output().expect("python");
    let text = format!("{}{}", String::from_utf8_lossy(&found.stdout), String::from_utf8_lossy(&found.stderr));
    assert!(found.status.success(), "{text}");
}

/// A case without any of our own conclusions.
fn truth(case: &Case) -> Value {
    let cast = &case.cast;
    let threads: Vec<Value> =
        cast.threads.values().map(|actor| json!({"name": actor.name, "process": actor.process.0})).collect();
    let records: Vec<Value> = case.records.iter().enumerate().map(|(index, record)| plain(index, record)).collect();
    json!({
        "title": case.title, "width": WIDTH,
        "processes": cast.processes.values().collect::<Vec<_>>(), "threads": threads,
        "gils": cast.gils.values().collect::<Vec<_>>(), "locks": cast.locks.values().collect::<Vec<_>>(),
        "objects": cast.objects.values().map(|thing| format!("{} {}", thing.kind.word(), thing.name)).collect::<Vec<_>>(),
        "cores": cast.cores.len(), "records": records,
    })
}

fn plain(index: usize, record: &Record) -> Value {
    let what = match &record.what {
        What::State { thread, to, core, why, .. } => {
            json!({"kind": "state", "thread": thread.0, "to": to.word(), "core": core.map(|core| core.0), "why": why.word()})
        }
        What::Object { object, thread, value, .. } => {
            json!({"kind": "object", "object": object.0, "thread": thread.0, "value": value})
        }
        What::Gil { gil, thread, act } => {
            let (act, forced) = match act {
                GilAct::Request => ("request", false),
                GilAct::Grant { .. } => ("grant", false),
                GilAct::Drop { forced } => ("drop", *forced),
            };
            json!({"kind": "gil", "gil": gil.0, "thread": thread.0, "act": act, "forced": forced})
        }
        What::Lock { lock, thread, act } => {
            let act = match act {
                LockAct::Acquire => "acquire",
                LockAct::Release => "release",
                LockAct::HandOver => "hand-over",
            };
            json!({"kind": "lock", "lock": lock.0, "thread": thread.0, "act": act})
        }
        What::Exit { process, .. } => json!({"kind": "exit", "process": process.0}),
        What::End { ending } => json!({"kind": "end", "ending": ending.word()}),
        _ => json!({"kind": "other"}),
    };
    let mut what = what;
    what["i"] = json!(index);
    what["t"] = json!(record.at.ns());
    what["cause"] = json!(record.cause);
    what
}

/// The cases of every format.
fn all_cases() -> Vec<Case> {
    let mut all =
        vec![cases::scene(), cases::interrupted(), cases::nothing(), cases::one_core(40), cases::one_core(2000)];
    all.extend(cases::hostile());
    all
}

fn models() -> Vec<Case> {
    runs::all().into_iter().map(|(case, _)| case).collect()
}

#[test]
fn perfetto_is_what_its_schema_says() {
    check("hand-made", Export::Perfetto, &all_cases());
    check("models", Export::Perfetto, &models());
}

#[test]
fn chrome_is_what_json_says() {
    check("hand-made", Export::Chrome, &all_cases());
    check("models", Export::Chrome, &models());
}

#[test]
fn speedscope_is_what_its_schema_says() {
    check("hand-made", Export::Speedscope, &all_cases());
    check("models", Export::Speedscope, &models());
}

#[test]
fn csv_is_what_a_reader_of_csv_says() {
    check("hand-made", Export::Csv, &all_cases());
    check("models", Export::Csv, &models());
}

#[test]
fn svg_is_what_a_reader_of_xml_says() {
    check("hand-made", Export::Svg, &all_cases());
    check("models", Export::Svg, &models());
}

#[test]
fn gantt_is_what_a_reader_of_text_says() {
    check("hand-made", Export::Gantt, &all_cases());
    check("models", Export::Gantt, &models());
}

/// The numbers that reports print are sums of the pieces that exports show.
#[test]
fn metrics_are_sums_of_rows() {
    for (case, simulation) in runs::all() {
        let text = String::from_utf8(export(Export::Csv, &case)).expect("text");
        let mut sums: BTreeMap<(String, String), u64> = BTreeMap::new();
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let key = (format!("{}/{}", cells[0], cells[1]), cells[2].to_string());
            *sums.entry(key).or_default() += cells[6].parse::<u64>().expect("a number");
        }
        for (thread, metrics) in simulation.metrics.threads.iter() {
            for state in State::ALL.iter().filter(|state| **state != State::Done) {
                let key = (case.cast.full_name(thread), state.word().to_string());
                let sum = sums.get(&key).copied().unwrap_or_default();
                assert_eq!(sum, metrics.states.of(*state).ns(), "{}: {key:?}", case.name);
            }
        }
    }
}

/// The same records give the same bytes, and no format depends on the size of the writer's bites.
#[test]
fn bytes_are_determined() {
    struct Nibbler(Vec<u8>);
    impl std::io::Write for Nibbler {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let taken = bytes.len().min(7);
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for case in all_cases() {
        for format in Export::ALL {
            let settings = Settings { title: case.title.clone(), width: WIDTH };
            let mut exporter = observer(*format, &case.cast, &settings, Nibbler(Vec::new()));
            case.records.iter().enumerate().for_each(|(index, record)| exporter.record(index as u64, record));
            let nibbled = exporter.finish().expect("a vector takes everything").0;
            assert_eq!(nibbled, export(*format, &case), "{} of {}", format.word(), case.name);
        }
    }
}

/// A writer that refuses ends the work, not the run.
#[test]
fn an_error_of_the_writer_is_kept_for_the_end() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::new(std::io::ErrorKind::StorageFull, "no space"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let case = cases::one_core(2000);
    for format in Export::ALL {
        let mut exporter = observer(*format, &case.cast, &Settings::default(), Full);
        case.records.iter().enumerate().for_each(|(index, record)| exporter.record(index as u64, record));
        let error = exporter.finish().err().map(|error| error.kind());
        assert_eq!(error, Some(std::io::ErrorKind::StorageFull), "{}", format.word());
    }
}

#[test]
fn every_format_has_its_word() {
    for format in Export::ALL {
        assert_eq!(Export::from_word(format.word()), Some(*format));
    }
    assert_eq!(Export::from_word("text"), None);
}
