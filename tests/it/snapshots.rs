//! `gilsim diff` and `gilsim snapshot` as a user runs them, in folders of their own.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::models::root;

fn gilsim(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gilsim"));
    command.args(arguments).current_dir(folder).stdin(std::process::Stdio::null());
    command.env_remove("CLICOLOR_FORCE").output().expect("our program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn run(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = gilsim(folder, arguments);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    if out.is_empty() { err } else { out }
}

const MODEL: &str = "\
name: two
machine: {cores: 2}
threads:
  worker: {count: 2, do: [{cpu: 10ms}]}
";

/// A folder with two models.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    fs::create_dir_all(folder.path().join("models/sub")).expect("a folder");
    fs::write(folder.path().join("models/a.yaml"), MODEL).expect("a model");
    fs::write(folder.path().join("models/sub/b.yaml"), MODEL.replace("two", "other")).expect("a model");
    folder
}

fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let before = fs::read_to_string(&path).expect("a file");
    let after = before.replace(from, to);
    assert_ne!(before, after, "{file} has no {from}");
    fs::write(path, after).expect("written");
}

#[test]
fn snapshots_of_this_project_are_written_byte_for_byte_as_insta_does() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let models = root().join("models");
    let base = models.to_string_lossy();
    let ours = folder.path().join("snapshots");
    fs::create_dir(&ours).expect("a folder");
    let shots: Vec<_> =
        fs::read_dir(root().join("snapshots")).expect("snapshots").map(|entry| entry.expect("one").path()).collect();
    for (place, path) in shots.iter().enumerate() {
        let text = fs::read_to_string(path).expect("a snapshot");
        // A third is as insta wrote it, a third has an old text, a third is missing.
        let name = path.file_name().expect("a name");
        match place % 3 {
            0 => fs::write(ours.join(name), text).expect("written"),
            1 => fs::write(ours.join(name), text.replace("ms", "us")).expect("written"),
            _ => {}
        }
    }
    run(folder.path(), &["snapshot", "accept", "--models", &base, "--dir", "snapshots"], 0);
    for path in shots {
        let name = path.file_name().expect("a name");
        let insta = fs::read_to_string(&path).expect("a snapshot");
        let written = fs::read_to_string(ours.join(name)).expect("a snapshot").replace(&format!("{base}/"), "models/");
        assert!(insta == written, "{}", name.to_string_lossy());
    }
}

#[test]
fn accept_check_change_check_accept() {
    let folder = folder();
    let folder = folder.path();
    assert_eq!(
        run(folder, &["snapshot", "check"], 1),
        "models/a.yaml: has no snapshot; keep what it does now: gilsim snapshot accept\n\
         models/sub/b.yaml: has no snapshot; keep what it does now: gilsim snapshot accept\nsnapshots: 2 missing\n"
    );
    assert_eq!(run(folder, &["snapshot", "accept"], 0), "snapshots: 2 written\n");
    let front = "---\nsource: gilsim snapshot\ninput_file: models/sub/b.yaml\n---\nformat   1\n";
    let written = fs::read_to_string(folder.join("snapshots/model@sub__b.yaml.snap")).expect("a snapshot");
    assert!(written.starts_with(front) && written.ends_with('\n') && !written.ends_with("\n\n"), "{written}");
    assert_eq!(run(folder, &["snapshot", "check"], 0), "snapshots: 2 unchanged\n");
    edit(folder, "models/a.yaml", "10ms", "11ms");
    let said = run(folder, &["snapshot", "check"], 1);
    let expected = "models/a.yaml: changed\nThe run takes 22ms instead of 20ms.\n";
    assert!(said.starts_with(expected) && said.contains("\n  makespan      20ms -> 22ms\n"), "{said}");
    assert!(said.ends_with("snapshots: 1 changed, 1 unchanged\n"), "{said}");
    let github = run(folder, &["snapshot", "check", "--format", "github"], 1);
    assert!(
        github.starts_with("::error file=models/a.yaml,line=1,title=snapshot::The run takes 22ms instead of 20ms.")
    );
    assert_eq!(github.lines().count(), 1);
    // Without a terminal a review shows the blocks and keeps nothing.
    assert!(run(folder, &["snapshot", "review"], 1).starts_with(expected));
    assert_eq!(run(folder, &["snapshot", "check", "models/sub"], 0), "snapshots: 1 unchanged\n");
    assert_eq!(run(folder, &["snapshot", "accept", "models/a.yaml"], 0), "snapshots: 1 written\n");
    assert_eq!(run(folder, &["snapshot", "check"], 0), "snapshots: 2 unchanged\n");
}

/// A review on a terminal, which `script` makes, with these answers; what is on the screen at the end.
fn review(folder: &Path, answers: &str) -> Option<String> {
    let command = format!("'{}' snapshot review", env!("CARGO_BIN_EXE_gilsim"));
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = script.spawn() else {
        assert!(std::env::var_os("CI").is_none(), "script of util-linux is missing");
        eprintln!("SKIPPED: nobody can answer a review without a terminal: script of util-linux is missing");
        return None;
    };
    child.stdin.take().expect("piped").write_all(answers.as_bytes()).expect("answers");
    let output = child.wait_with_output().expect("it ends");
    Some(text(&output.stdout).replace('\r', ""))
}

#[test]
fn a_review_keeps_what_it_is_told_to_keep() {
    let scratch = folder();
    let folder = scratch.path();
    fs::write(folder.join("models/z.yaml"), MODEL.replace("two", "third")).expect("a model");
    run(folder, &["snapshot", "accept"], 0);
    for model in ["a.yaml", "sub/b.yaml", "z.yaml"] {
        edit(folder, &format!("models/{model}"), "10ms", "11ms");
    }
    let said = |answers: &str, last: &str| {
        let Some(screen) = review(folder, answers) else { return };
        assert!(screen.ends_with(&format!("{last}\n")), "{answers:?}: {screen}");
    };
    // An answer that is none is asked for again; what is skipped stays changed; the end of the input stops, as q does.
    said("q\n", "snapshots: 1 changed, 2 not looked at");
    said("\u{4}", "snapshots: 1 changed, 2 not looked at");
    said("s\nskip\nn\n", "snapshots: 3 changed");
    said("s\nmaybe\ny\nq\n", "snapshots: 2 changed, 1 written");
    if review(folder, "q\n").is_some() {
        let left = run(folder, &["snapshot", "check"], 1);
        assert!(left.ends_with("snapshots: 2 changed, 1 unchanged\n"), "{left}");
        assert!(!left.contains("sub/b.yaml: changed"), "the second one was kept: {left}");
    }
    said("yes\ny\n", "snapshots: 1 unchanged, 2 written");
    said("", "snapshots: 3 unchanged");
}

#[test]
fn comments_change_nothing_and_a_renamed_thread_does() {
    let folder = folder();
    let folder = folder.path();
    run(folder, &["snapshot", "accept"], 0);
    edit(folder, "models/a.yaml", "name: two", "# a comment\nname: two");
    run(folder, &["snapshot", "check"], 0);
    edit(folder, "models/a.yaml", "worker", "labourer");
    assert!(run(folder, &["snapshot", "check"], 1).contains("labourer-1"));
}

#[test]
fn an_order_that_is_pinned_leaves_costs_free() {
    let folder = folder();
    let folder = folder.path();
    assert_eq!(run(folder, &["snapshot", "accept", "--what", "order"], 0), "snapshots: 2 written\n");
    let shot = fs::read_to_string(folder.join("snapshots/model@a.yaml.snap")).expect("a snapshot");
    assert!(shot.contains("\n\npinned   order\norder    "), "{shot}");
    edit(folder, "models/a.yaml", "cpu: 10ms", "cpu: 9ms");
    assert_eq!(run(folder, &["snapshot", "check"], 0), "snapshots: 2 unchanged\n");
    let said = run(folder, &["snapshot", "check", "-v"], 0);
    assert!(said.contains("models/a.yaml: changed, but not in what is compared (order)\n"), "{said}");
    // The metrics can be read off any snapshot; placement only where it is pinned.
    assert!(
        run(folder, &["snapshot", "check", "--what", "metrics"], 1)
            .contains("Of what is compared this differs: metrics.")
    );
    assert!(run(folder, &["snapshot", "check", "--what", "placement"], 2).contains("does not pin placement"));
    // Another amount of work with another number of switches is another order.
    edit(folder, "models/a.yaml", "cpu: 9ms", "cpu: 19ms");
    assert!(run(folder, &["snapshot", "check"], 1).contains("Of what is compared this differs: order."));
    // Accepting keeps the pins.
    run(folder, &["snapshot", "accept"], 0);
    assert!(
        fs::read_to_string(folder.join("snapshots/model@a.yaml.snap"))
            .expect("a snapshot")
            .contains("pinned   order\n")
    );
}

#[test]
fn orphans_broken_models_and_hostile_names() {
    let folder = folder();
    let folder = folder.path();
    run(folder, &["snapshot", "accept"], 0);
    fs::remove_file(folder.join("models/a.yaml")).expect("removed");
    let orphan = "snapshots/model@a.yaml.snap: has no model any more; remove it if the model is gone for good\n";
    assert!(run(folder, &["snapshot", "check"], 1).starts_with(orphan));
    edit(folder, "models/sub/b.yaml", "count", "cuont");
    run(folder, &["snapshot", "check"], 2);
    fs::write(folder.join("models/-x.yaml"), MODEL).expect("a model");
    assert!(run(folder, &["snapshot", "accept"], 2).contains("cannot name a snapshot"));
    fs::remove_file(folder.join("models/-x.yaml")).expect("removed");
    assert!(run(folder, &["snapshot", "accept", "models/../models/sub"], 2).contains("cannot name a snapshot"));
    fs::write(folder.join("elsewhere.yaml"), MODEL).expect("a model");
    assert!(run(folder, &["snapshot", "accept", "elsewhere.yaml"], 2).contains("is not below --models models"));
    fs::write(folder.join("models/sub__c.yaml"), MODEL).expect("a model");
    fs::write(folder.join("models/sub/c.yaml"), MODEL).expect("a model");
    assert!(run(folder, &["snapshot", "accept"], 2).contains("would have the same snapshot"));
}

#[test]
fn diff_of_files_of_all_kinds() {
    let folder = folder();
    let folder = folder.path();
    run(folder, &["snapshot", "accept"], 0);
    run(folder, &["run", "models/a.yaml", "--format", "jsonl", "-o", "a.jsonl"], 0);
    run(folder, &["run", "models/a.yaml", "--set", "threads.worker.count=3", "--format", "jsonl", "-o", "b.jsonl"], 0);
    let same = run(folder, &["diff", "a.jsonl", "models/a.yaml"], 0);
    assert!(same.starts_with("The same timeline: ") && same.lines().count() == 1, "{same}");
    assert!(run(folder, &["diff", "a.jsonl", "b.jsonl"], 1).contains("threads"));
    let more = run(folder, &["diff", "models/a.yaml", "--set", "threads.worker.count=3"], 1);
    assert!(more.contains("models/a.yaml --set threads.worker.count=3"), "{more}");
    assert_eq!(run(folder, &["diff", "snapshots/model@a.yaml.snap", "models/a.yaml"], 0), "The same snapshot.\n");
    let other = run(folder, &["diff", "models/a.yaml", "snapshots/model@sub__b.yaml.snap"], 1);
    assert!(
        other.starts_with("The timeline is the same, byte for byte; the text differs (another model).\n"),
        "{other}"
    );
    let two = run(folder, &["diff", "snapshots/model@a.yaml.snap", "snapshots/model@sub__b.yaml.snap"], 1);
    assert_eq!(two, other, "two snapshots");
    // A timeline knows nothing of expectations; everything else in the snapshot is compared with it.
    assert_eq!(run(folder, &["diff", "snapshots/model@a.yaml.snap", "a.jsonl"], 0), "The same snapshot.\n");
    let mixed = run(folder, &["diff", "snapshots/model@a.yaml.snap", "b.jsonl"], 1);
    assert!(mixed.contains("makespan"), "{mixed}");
    let json = run(folder, &["diff", "snapshots/model@a.yaml.snap", "b.jsonl", "--format", "json"], 1);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["same"], &json["timeline_differs"]), (&false.into(), &true.into()));
    let row = json["rows"].as_array().expect("rows").iter().find(|row| row["name"] == "makespan").expect("makespan");
    assert_ne!(row["a"], row["b"]);
    let page = run(folder, &["diff", "snapshots/model@a.yaml.snap", "models/a.yaml", "--format", "html"], 2);
    assert!(page.contains("a snapshot has no timeline to draw"), "{page}");
    assert!(run(folder, &["diff", "models/a.yaml"], 2).contains("name a second file, or say --what-if or --set"));
    assert!(run(folder, &["diff", "models/a.yaml", "b.jsonl", "--what-if", "x"], 2).contains("is no model"));
    assert!(
        run(folder, &["diff", "models/a.yaml", "a.jsonl", "--ignore", "colour"], 2).contains("allowed are placement")
    );
    assert!(run(folder, &["diff", "models/a.yaml", "missing.jsonl"], 2).contains("cannot read missing.jsonl"));
    let whole = fs::read_to_string(folder.join("a.jsonl")).expect("a timeline");
    fs::write(folder.join("cut.jsonl"), &whole[..whole.len() - 10]).expect("written");
    let said = run(folder, &["diff", "cut.jsonl", "a.jsonl"], 2);
    assert!(said.starts_with("error: cut.jsonl: line ") && said.contains("truncated"), "{said}");
    let json = run(folder, &["diff", "a.jsonl", "b.jsonl", "--format", "json"], 1);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).expect("JSON")["same"], false);
    // A measured timeline has the same form, and names its origin.
    let measured = fs::read_to_string(folder.join("b.jsonl")).expect("a timeline");
    let measured = measured.replacen("\"provenance\": \"simulated\"", "\"provenance\": \"measured\"", 1);
    fs::write(folder.join("measured.jsonl"), measured).expect("written");
    let said = run(folder, &["diff", "models/a.yaml", "measured.jsonl"], 1);
    assert!(said.contains("measured.jsonl") && said.contains("first difference at 0ms, worker-3"), "{said}");
    run(folder, &["diff", "a.jsonl", "b.jsonl", "-o", "report.txt"], 1);
    assert!(folder.join("report.txt").exists());
}

#[test]
fn a_closed_pipe_is_no_error_and_short_work_has_no_progress() {
    let folder = folder();
    let program = env!("CARGO_BIN_EXE_gilsim");
    edit(folder.path(), "models/a.yaml", "count: 2", "count: 1");
    let script = format!("'{program}' diff models/a.yaml --set machine.cores=1 | true; echo ${{PIPESTATUS[0]}}");
    let output = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output().expect("a shell");
    let code = text(&output.stdout);
    assert!(["0\n", "1\n"].contains(&code.as_str()), "{code}");
    assert_eq!(text(&output.stderr), "");
    let output = gilsim(folder.path(), &["run", "models/a.yaml", "--format", "json"]);
    assert_eq!(text(&output.stderr), "");
}
