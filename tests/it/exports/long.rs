//! A long file: a million events in CI (`GILSIM_BIG=1`), fifty thousand elsewhere.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use super::tools;

const MODEL: &str = "
name: a long timeline
machine: {cores: 4}
python: {version: '3.13', switch_interval: 200us}
threads:
  server: {count: 16, do: [{repeat: forever, do: [{io: {exponential: 400us}}, {cpu: {exponential: 40us}}]}]}
  cruncher: {count: 2, do: [{repeat: forever, do: [{cpu: 10ms}]}]}
run: {until: 500ms, seed: 1}
";

/// The official schema reads every packet; times of all threads in all states, and what happened to the GIL, add up to what
/// `--format json` says of the same run. `GILSIM_BIG=10` makes ten million events of it, and takes a quarter of an hour: on 24
/// November 2026 it was 10,063,372 events in 538,406,081 bytes, written in 12 s with 41 MiB by the optimised program, and all
/// of its 21,653,967 packets were read.
#[test]
fn a_long_perfetto_file_is_read_packet_by_packet() {
    let Some(tools) = tools() else { return };
    let until = match std::env::var("GILSIM_BIG").as_deref() {
        Err(_) => "500ms",
        Ok("10") => "130s",
        Ok(_) => "13s",
    };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let model = folder.path().join("long.yaml");
    std::fs::write(&model, MODEL).expect("written");
    let export = |format: &str| {
        let file = folder.path().join(format);
        let mut command = Command::new(env!("CARGO_BIN_EXE_gilsim"));
        command.arg("run").arg(&model).args(["--quiet", "--until", until, "--format", format]);
        let ended = command.stdout(File::create(&file).expect("a new file")).status().expect("our program runs");
        assert!(ended.success());
        file
    };
    let (trace, result) = (export("perfetto"), export("json"));
    let found = Command::new(tools.join("venv/bin/python"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/exports/big_perfetto.py"))
        .args([trace, result])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python");
    let text = format!("{}{}", String::from_utf8_lossy(&found.stdout), String::from_utf8_lossy(&found.stderr));
    assert!(found.status.success(), "{text}");
    print!("{text}");
}
