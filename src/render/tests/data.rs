//! What programs read: JSON, JSON lines, timelines, snapshots.

use super::*;

#[test]
fn json_says_everything() {
    let scene = wasters(&[expect("makespan == 600ms", MetricName::Makespan, Span::from_ms(600), None)]);
    let json = scene.json();
    assert_eq!((&json["format"], &json["gilsim"]), (&1.into(), &VERSION.into()));
    assert_eq!(json["model"]["name"], "12 CPU wasters as threads");
    assert_eq!((&json["variant"], &json["seed"], &json["profile"]), (&Value::Null, &1.into(), &"ideal".into()));
    assert_eq!(
        json["ending"],
        serde_json::json!({"kind": "finished", "at_ns": 600_000_000, "detail": "", "threads": []})
    );
    let metrics = serde_json::json!({
        "makespan_ns": 600_000_000, "work_ns": 600_000_000, "python_work_ns": 600_000_000, "native_work_ns": 0,
        "cores_busy": "1.000", "max_running": 1, "max_in_python": 1,
        "gil_busy_ns": 600_000_000, "gil_switches": 120, "gil_forced": 108, "gil_requests": 108,
        "context_switches": 0, "preemptions": 0, "migrations": 0, "fairness": "1.000"
    });
    assert_eq!(json["metrics"], metrics);
    let waster = &json["threads"][0];
    assert_eq!(
        (&waster["process"], &waster["name"], &waster["group"]),
        (&"main".into(), &"waster-1".into(), &"waster".into())
    );
    assert_eq!(
        (&waster["arrival_ns"], &waster["first_run_ns"], &waster["finish_ns"]),
        (&0.into(), &0.into(), &545_000_000.into())
    );
    assert_eq!(waster["states_ns"], serde_json::json!({"python": 50_000_000, "wants-gil": 495_000_000}));
    assert_eq!(waster["exit"], 0);
    let gil =
        serde_json::json!({"name": "main", "busy_ns": 600_000_000, "switches": 120, "forced": 108, "requests": 108});
    assert_eq!(json["gils"], Value::Array(vec![gil]));
    assert_eq!(json["cores"][3], serde_json::json!({"id": 3, "busy_ns": 0, "overhead_ns": 0}));
    let outcome = serde_json::json!({"text": "makespan == 600ms", "holds": true, "value": "600ms", "because": null});
    assert_eq!(json["expectations"][0], outcome);
    assert_eq!(json["invariants"], serde_json::json!({"checked": 9, "hold": 9, "broken": []}));
    assert_eq!((&json["events"], &json["timeline_digest"]), (&1234.into(), &scene.digest.hex().into()));
    // The order of the top level is part of the format.
    let mut text = String::new();
    crate::render::json(&mut text, &scene.report()).unwrap();
    let order = ["format", "model", "ending", "metrics", "threads", "gils", "cores", "output", "events"];
    let order = order.map(|key| format!("\n  \"{key}\": "));
    assert!(order.map(|key| text.find(&key).unwrap()).is_sorted());
}

#[test]
fn json_lines_number_all_records() {
    let scene = wasters(&[]);
    let lines: Vec<Value> = scene.events.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["provenance"], "simulated");
    assert_eq!(lines.len() as u64, scene.metrics.records + 1);
    assert!(lines[1..].iter().enumerate().all(|(index, line)| line["i"] == index && line.get("cause").is_some()));
    let state = "{\"t\": 0, \"kind\": \"state\", \"core\": null, \"proc\": \"main\", \"thread\": \"waster-2\", \
                 \"from\": null, \"to\": \"wants-gil\", \"why\": \"gil-locked\", \"cause\": null, \"i\": 2}";
    assert_eq!(scene.events[3], state);
    let kinds: std::collections::BTreeSet<&str> = lines[1..].iter().filter_map(|line| line["kind"].as_str()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["account", "end", "exit", "gil", "state"]);
}

#[test]
fn every_kind_of_record_is_a_line() {
    let cast = play::cast(2, &["a", "b"]);
    let mut play = Play::default();
    play.at(0).grant(0).python(0, 0).dispatch(0, 1, Some(0)).lock(0, LockAct::HandOver).output(0, "say \"hi\"\u{1b}");
    play.at(5).gil(1, GilAct::Request).gil(0, GilAct::Drop { forced: true }).account(0, 5, 0, false).exit(-9);
    play.end(Ending::EventCap { threads: vec![ThreadId(1)] });
    let scene = scene(cast, &play, "m", &[]);
    let timeline = [
        "           0ms  a     gil grant       main",
        "           0ms  a     python          gil-taken, core 0",
        "           0ms  a     lock hand-over  database",
        "           0ms  a     output          say \"hi\"\\u{1b}",
        "           5ms  b     gil request     main",
        "           5ms  a     gil drop        main, on request",
        "           5ms  main  exit            -9",
        "           5ms  -     end             event-cap: main/b",
        "",
    ]
    .join("\n");
    assert!(scene.excerpt.contains(&timeline), "{}", scene.excerpt);
    let acts = ["grant", "hand-over", "request", "drop"];
    assert!(acts.iter().all(|act| scene.events.iter().any(|line| line.contains(&format!("\"act\": \"{act}\"")))));
    let mut lines = Timeline::new(&scene.cast, Vec::new());
    play.watched_by(&mut lines);
    assert_eq!(String::from_utf8(lines.finish().unwrap()).unwrap(), timeline);
}

/// A writer that is full after some bytes, and that nobody writes to after it has said so.
struct Full(Option<usize>);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.expect("nobody writes after an error").checked_sub(bytes.len());
        self.0.map(|_| bytes.len()).ok_or(std::io::ErrorKind::StorageFull.into())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_reported_once() {
    let (cast, play) = play::wasters(2);
    let facts = wasters(&[]).facts;
    let mut lines = (JsonLines::new(&cast, &facts, Full(Some(300))), Timeline::new(&cast, Full(Some(300))));
    play.watched_by(&mut lines);
    assert_eq!(lines.0.finish().err().map(|error| error.kind()), Some(std::io::ErrorKind::StorageFull));
    assert_eq!(lines.1.finish().err().map(|error| error.kind()), Some(std::io::ErrorKind::StorageFull));
}

#[test]
fn a_snapshot_is_cropped_and_says_so() {
    let scene = wasters(&[]);
    let lines: Vec<&str> = scene.excerpt.lines().collect();
    assert_eq!(lines[..3], ["format   1", "model    0123456789abcdef", "seed     1"]);
    let events = lines.iter().filter(|line| line.contains("ms  waster-")).count();
    // 613 records without twelve accounts; 200 are shown.
    assert_eq!(events, 200);
    assert!(lines.contains(&"... 401 more lines ..."));
    assert_eq!(scene.metrics.records, 613);
    assert_eq!(lines.last(), Some(&format!("digest   {}", scene.digest.hex()).as_str()));
    assert!(lines.iter().all(|line| columns(line) <= 100));
    assert!(lines.contains(&"gil_switches   120"));
}
