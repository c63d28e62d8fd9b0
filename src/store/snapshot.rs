//! Snapshot files: what a model printed when somebody last looked, in the format of the `insta` crate.
//!
//! A file begins with front matter between two lines `---`; the text follows. The front matter is kept as it is, line by
//! line, so that a file that `cargo insta` wrote stays the same where its text does. (insta's own reader is no public API.)

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::store::Whole;

/// The longest snapshot that is read, in bytes.
const LONGEST: u64 = 64 << 20;

/// What file names of snapshots begin and end with.
const PREFIX: &str = "model@";
const SUFFIX: &str = ".snap";

/// The longest name of a snapshot; file systems take 255 bytes.
const LONGEST_NAME: usize = 200;

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shot {
    /// The lines of the front matter.
    pub front: Vec<String>,
    /// The text, with one line end at its end.
    pub text: String,
}

impl Shot {
    /// A snapshot of a model that has none yet. `source` says who wrote it, `input` which file it is of.
    pub fn new(source: &str, input: &str, text: &str) -> Shot {
        let front = vec![format!("source: {}", scalar(source)), format!("input_file: {}", scalar(input))];
        Shot { front, text: normal(text) }
    }

    /// Reads a snapshot.
    pub fn parse(text: &str) -> Result<Shot, String> {
        let text = text.replace("\r\n", "\n");
        let Some(rest) = text.strip_prefix("---\n") else {
            return Err("no snapshot: it must begin with a line ---".into());
        };
        let end = if rest.starts_with("---\n") { Some(0) } else { rest.find("\n---\n").map(|end| end + 1) };
        let Some(end) = end else { return Err("no snapshot: a second line --- must end its front matter".into()) };
        Ok(Shot { front: rest[..end].lines().map(str::to_string).collect(), text: normal(&rest[end + 4..]) })
    }

    /// The whole file.
    pub fn file(&self) -> String {
        let front: String = self.front.iter().map(|line| format!("{line}\n")).collect();
        format!("---\n{front}---\n{}", self.text)
    }

    /// Reads a snapshot file.
    pub fn read(path: &Path) -> io::Result<Shot> {
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LONGEST {
            return Err(io::Error::other(format!("longer than {LONGEST} bytes")));
        }
        let text = String::from_utf8(bytes).map_err(|_| io::Error::other("not UTF-8"))?;
        Shot::parse(&text).map_err(io::Error::other)
    }

    /// Writes the file whole, and its folder if there is none.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let mut file = Whole::create(path)?;
        file.write_all(self.file().as_bytes())?;
        file.finish()
    }

    /// The value of a line of the front matter.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.front.iter().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
    }
}

/// The text with exactly one line end at its end.
fn normal(text: &str) -> String {
    format!("{}\n", text.trim_end())
}

/// A value of the front matter: plain where YAML takes it as it is, else quoted.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ');
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '.' | '/' | '_'));
    let word = ["true", "false", "null", "yes", "no", "on", "off"].contains(&text.to_ascii_lowercase().as_str());
    if begins && !word && !text.ends_with(' ') && text.chars().all(plain) {
        text.to_string()
    } else {
        format!("\"{}\"", text.escape_default().to_string().replace("\\'", "'"))
    }
}

/// The file name of a model's snapshot. `model` is its path below the folder of models, with `/` between its parts. A name
/// never leaves the folder of snapshots: its parts are letters, digits, `_`, `-` and `.`, and none begins with a dot.
pub fn shot_name(model: &str) -> Result<String, String> {
    let good = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    if !model.split('/').all(good) {
        return Err(format!(
            "\"{}\" cannot name a snapshot: each part is letters, digits, _, - and ., and begins with none of the last two",
            model.escape_debug()
        ));
    }
    let name = format!("{PREFIX}{}{SUFFIX}", model.replace('/', "__"));
    if name.len() > LONGEST_NAME {
        return Err(format!("\"{model}\" is too long to name a snapshot: at most {LONGEST_NAME} bytes with the rest"));
    }
    Ok(name)
}

/// The snapshots of models in a folder, in order of their names; none where there is no folder.
pub fn shots_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_front_matter_and_text() {
        let text = "---\nsource: tests/it/models.rs\ninput_file: models/a.yaml\n---\nformat   1\n\ndigest   x\n";
        let shot = Shot::parse(text).unwrap();
        assert_eq!(shot.value("source"), Some("tests/it/models.rs"));
        assert_eq!(shot.text, "format   1\n\ndigest   x\n");
        assert_eq!(shot.file(), text);
        assert_eq!(Shot::parse(&text.replace('\n', "\r\n")).unwrap(), shot);
        assert_eq!(Shot::new("tests/it/models.rs", "models/a.yaml", "format   1\n\ndigest   x\n\n").file(), text);
        assert_eq!(Shot::parse("---\n---\nx").unwrap().file(), "---\n---\nx\n");
        assert!(
            Shot::parse("format 1").is_err() && Shot::parse("---\nsource: x\n").is_err() && Shot::parse("").is_err()
        );
    }

    #[test]
    fn values_that_yaml_would_misread_are_quoted() {
        let cases =
            [("a/b.yaml", "a/b.yaml"), ("a: b", "\"a: b\""), ("no", "\"no\""), ("#x", "\"#x\""), ("1", "\"1\"")];
        for (text, written) in cases {
            assert_eq!(scalar(text), written);
        }
        assert_eq!(scalar("a\n---\nb\"'"), "\"a\\n---\\nb\\\"'\"");
    }

    #[test]
    fn names_stay_in_their_folder() {
        assert_eq!(shot_name("gil/convoy.yaml").unwrap(), "model@gil__convoy.yaml.snap");
        let long = "x".repeat(300);
        let hostile = [
            "../x.yaml",
            "a/../../x",
            "/etc/passwd",
            "a//b",
            "",
            ".x",
            "-x",
            "a\\b",
            "a\0b",
            "é",
            "a b",
            "con:",
            &long,
        ];
        for name in hostile {
            assert!(shot_name(name).is_err(), "{name}");
        }
    }
}
