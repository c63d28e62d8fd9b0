//! No input panics: random bytes, random YAML, and models with random damage.

use gilsim::model::{Limits, Options, Source, load};
use proptest::prelude::*;

const MODELS: [&str; 3] = [
    "name: convoy\npython: {switch_interval: 5ms}\nthreads:\n  server:\n    do:\n      - repeat: 20\n        do:\n          - io: 1ms\n          \
     - cpu: 100us\n  cruncher:\n    daemon: true\n    do: [{repeat: forever, do: [cpu: 10ms]}]\nrun: {until: 1s}\n\
     expect: [finish(server) >= 120ms]\nwhat_if:\n  alone: {set: {threads.cruncher.count: 0}, expect: inherit}\n",
    "name: mix\nmachine:\n  cores: {count: 2, speeds: [1, 0.5]}\n  scheduler: {round-robin: {quantum: 10ms}}\n  profile: linux\n  \
     devices: {disk: {at_once: 1}}\n  costs: {wakeup: {idle: 3us}}\nlocks: {l: {kind: rlock}}\nparams: {w: 5ms}\nprocesses:\n  \
     web: {count: 3, arrivals: {poisson: 100/s}, threads: {main: {do: [start: w, join: w]}, w: {count: 4, do: [{with: l, do: [cpu: $w]}]}}}\n  \
     codec: {runtime: native, do: [cpu: {uniform: [1ms, 2ms]}, {io: 1ms, device: disk}]}\nrun: {seed: 7}\n",
    "name: free\npython: {version: \"3.14\", build: free-threaded, costs: {free_threading_factor: 1.1}}\nthreads:\n  \
     a: {count: 2, interpreter: own, nice: 5, affinity: [0], at: 1ms, do: [cpu: {normal: [5ms, 1ms], min: 1ms}, show: threads]}\n\
     expect:\n  - {that: \"max wait_gil(a-*) <= 20% of makespan\", because: why}\n",
];

fn survives(text: &str, variant: Option<&str>, sets: &[String]) {
    let source = Source { name: "m.yaml".to_owned(), text: text.to_owned() };
    // Small limits keep a model of a million threads from being built for every case.
    let limits = Limits { threads: 1000, ..Limits::default() };
    let options = Options { variant, sets, limits, ..Options::default() };
    match load(&source, &options) {
        Ok(loaded) => {
            assert!(loaded.warnings.iter().all(|found| !found.is_error()));
            let again = load(&source, &options).expect("the same again");
            assert_eq!(format!("{:?}", loaded.scenario), format!("{:?}", again.scenario));
            runs(&source, &options);
        }
        Err(findings) => {
            assert!(findings.iter().any(gilsim::model::Diagnostic::is_error));
            for found in &findings {
                let text = found.to_string();
                assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
            }
        }
    }
}

/// What loads runs, for a while, and breaks no invariant.
fn runs(source: &Source, options: &Options) {
    let sets: Vec<String> = options.sets.iter().cloned().chain(["run.max_events=2000".to_owned()]).collect();
    let Ok(loaded) = load(source, &Options { sets: &sets, ..*options }) else { return };
    let simulation = gilsim::study::simulate(&loaded.scenario, gilsim::trace::Nobody);
    let broken: Vec<_> = simulation.invariants.broken().collect();
    assert!(broken.is_empty(), "{broken:?}\n{}", source.text);
}

/// Words that a damaged model may get somewhere.
const PIECES: [&str; 40] = [
    "0",
    "-1",
    "1e9",
    "99999999999999999999",
    "5",
    "0ms",
    "1000h",
    "0.1ns",
    "forever",
    "~",
    "[]",
    "{}",
    "[",
    "}",
    "&x ",
    "*x",
    "<<: *x",
    "!t ",
    "\t",
    "\r",
    "\u{feff}",
    "\u{1b}",
    "é",
    "$w",
    "$",
    "do: [start: w]",
    "repeat: 3",
    "count: 0",
    "count: 1000",
    "daemon: true",
    "interpreter: own",
    "arrivals: {every: 1000h}",
    "sleep: 0ms",
    "acquire: l",
    "release: l",
    "main",
    "w-1",
    "\n---\n",
    "# ",
    "'",
];

fn damaged() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0usize..12, 0usize..=PIECES.len());
    (0usize..MODELS.len(), prop::collection::vec(change, 1..6)).prop_map(|(model, changes)| {
        let mut text: Vec<char> = MODELS[model].chars().collect();
        for (at, removed, piece) in changes {
            let at = at.index(text.len().max(1)).min(text.len());
            let end = (at + removed).min(text.len());
            let piece: Vec<char> = PIECES.get(piece).unwrap_or(&"").chars().collect();
            text.splice(at..end, piece);
        }
        text.into_iter().collect()
    })
}

#[test]
fn the_undamaged_models_are_valid() {
    for model in MODELS {
        let source = Source { name: "m.yaml".to_owned(), text: model.to_owned() };
        if let Err(findings) = load(&source, &Options::default()) {
            panic!("{}", findings[0]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        match Source::from_bytes("m.yaml", bytes) {
            Ok(source) => survives(&source.text, None, &[]),
            Err(found) => prop_assert!(found.to_string().contains("E101")),
        }
    }

    #[test]
    fn random_yaml(text in "[a-z0-9:{}\\[\\], \n\"'&*!|>#$.-]{0,120}") {
        survives(&text, None, &[]);
        survives(&format!("name: x\nthreads: {{a: {{do: [{text}]}}}}\n"), None, &[]);
    }

    #[test]
    fn damaged_models(text in damaged()) {
        survives(&text, None, &[]);
        survives(&text, Some("alone"), &[]);
    }

    #[test]
    fn random_expectations(text in "(any |max |p95 )?(makespan|finish|work|count|gil_busy|held)?(\\([a-z*-]{0,8}\\))? ?(==|<=|about|>)? ?[0-9.]{0,4}(ms|%|x| of| x)? ?(makespan|within)? ?[0-9%]{0,3}") {
        let model = format!("name: x\nthreads: {{a: {{do: []}}}}\nexpect: [{text:?}]\n");
        survives(&model, None, &[]);
    }

    #[test]
    fn random_settings(
        model in 0usize..MODELS.len(),
        path in "(threads|machine|python|processes|run|locks|what_if)?(\\.(server|web|cores|do|0|1|costs|count|[a-z]{1,3})){0,5}",
        value in "[a-z0-9:{}\\[\\], \"-]{0,12}",
    ) {
        survives(MODELS[model], None, &[format!("{path}={value}")]);
        survives(MODELS[model], None, &[value]);
    }
}
