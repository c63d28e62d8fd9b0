//! The README is executed: every command in a console block, and every line of output below it.
//!
//! In a block, `$ ` begins a command and what follows is its output, as printed to a pipe of 80 columns. A line `...`
//! stands for any number of lines. Blocks headed by *measured* have their command run and only their shape compared:
//! digits may differ. `cargo test` runs this file, so it is not run again; its place in `.ci/run` is checked instead.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

struct Block {
    measured: bool,
    lines: Vec<String>,
}

/// The console blocks of a Markdown text.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    let mut before = "";
    for line in text.lines() {
        match (inside, line.trim_end()) {
            (false, "```console") => {
                inside = true;
                blocks.push(Block { measured: before.contains("*measured"), lines: Vec::new() });
            }
            (true, "```") => inside = false,
            (true, _) => blocks.last_mut().expect("an open block").lines.push(line.to_string()),
            (false, "") => {}
            (false, _) => before = line,
        }
    }
    blocks
}

/// The commands of a block, each with its expected output.
fn commands(block: &Block) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    for line in &block.lines {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((command.to_string(), Vec::new())),
            None => commands.last_mut().expect("a block begins with a command").1.push(line.clone()),
        }
    }
    commands
}

/// What our program prints for a command, or `None` for commands that are not ours to run.
fn output(command: &str) -> Option<String> {
    let ours = command.strip_prefix("cargo run --release -- ").or_else(|| command.strip_prefix("gilsim "));
    let Some(arguments) = ours else {
        assert_eq!(command, "cargo test", "the README has a command that nobody tests");
        let ci = fs::read_to_string(root().join(".ci/run")).expect(".ci/run");
        assert_eq!(ci.trim_end().lines().last(), Some("cargo test"), "the last command of .ci/run");
        return None;
    };
    let arguments = split(arguments);
    let output = Command::new(env!("CARGO_BIN_EXE_gilsim"))
        .args(&arguments)
        .current_dir(root())
        .env_remove("CLICOLOR_FORCE")
        .output()
        .expect("our program runs");
    // Where there is no result there is talk.
    let shown = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Some(String::from_utf8(shown).expect("UTF-8"))
}

/// Splits at spaces, but for those inside quotation marks.
fn split(arguments: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in arguments.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if c == open => quote = None,
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().expect("a word").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether lines match, `...` standing for any number of them.
fn matches(expected: &[String], found: &[String]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((first, rest)) if first == "..." => (0..=found.len()).any(|skipped| matches(rest, &found[skipped..])),
        Some((first, rest)) => found.first() == Some(first) && matches(rest, &found[1..]),
    }
}

/// The shape of measured lines: figures may differ, and so may the spaces around them.
fn shape(line: &str) -> String {
    if line == "..." {
        return line.to_string();
    }
    let masked: String = line.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect();
    masked.split_whitespace().collect::<Vec<_>>().join(" ").replace(['.', '-', '+'], "").replace("##", "#")
}

#[test]
fn every_command_and_output_of_the_readme() {
    let text = fs::read_to_string(root().join("README.md")).expect("README.md");
    let blocks = blocks(&text);
    assert!(blocks.len() >= 4, "the README shows what the program prints");
    let mut wrong = Vec::new();
    for block in &blocks {
        for (command, mut expected) in commands(block) {
            let Some(found) = output(&command) else { continue };
            let mut found: Vec<String> = found.trim_end().lines().map(|line| line.trim_end().to_string()).collect();
            while expected.last().is_some_and(|line| line.is_empty()) {
                expected.pop();
            }
            if block.measured {
                expected.iter_mut().chain(&mut found).for_each(|line| *line = shape(line));
            }
            if !expected.is_empty() && !matches(&expected, &found) {
                wrong.push(format!("$ {command}\nprints:\n{}", found.join("\n")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_two_commands_of_a_fresh_machine() {
    let text = fs::read_to_string(root().join("README.md")).expect("README.md");
    for command in ["$ cargo run --release -- run models/threads-cpu-12.yaml", "$ cargo test"] {
        assert!(text.lines().any(|line| line == command), "the README shows {command}");
    }
}
