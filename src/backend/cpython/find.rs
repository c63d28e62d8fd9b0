//! Finds interpreters and asks each who it is. A model never names one: only whoever calls gilsim does.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::backend::cpython::error::Error;
use crate::backend::cpython::scratch::Scratch;
use crate::backend::cpython::spawn::{Failure, Order, run};

/// An interpreter that answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Interpreter {
    /// The executable that it names itself, so that wrapper scripts are run once and not in every trial.
    pub path: PathBuf,
    /// (major, minor, micro).
    pub version: (u8, u8, u8),
    /// `cpython`.
    pub implementation: String,
    /// Whether it was built without a GIL (`--disable-gil`).
    pub free_threaded: bool,
    /// Its own description: version, date, compiler.
    pub build: String,
    /// The start methods of its `multiprocessing`.
    pub start_methods: Vec<String>,
    /// Whether its `hashlib` has OpenSSL, the best source of native work.
    pub openssl: bool,
}

impl Interpreter {
    /// `3.13.0`, with a `t` for a free-threaded build.
    pub fn name(&self) -> String {
        let (major, minor, micro) = self.version;
        format!("{major}.{minor}.{micro}{}", if self.free_threaded { "t" } else { "" })
    }

    /// Keeps the environment, the user's and the site's folders out of the run; no bytecode files.
    pub(super) fn isolation(&self) -> &'static [&'static str] {
        if self.version >= (3, 4, 0) { ISOLATED } else { ISOLATED_OLD }
    }
}

const ISOLATED: &[&str] = &["-I", "-S", "-B"];
/// Before 3.4 there is no `-I`.
const ISOLATED_OLD: &[&str] = &["-E", "-s", "-S", "-B"];

/// Where to look. Only the command line reads the environment; it fills this.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// The folders of PATH, in order.
    pub path: Vec<PathBuf>,
    /// The user's home, for what pyenv and uv have installed.
    pub home: Option<PathBuf>,
    /// Where private folders are made.
    pub scratch: PathBuf,
}

/// What a search for `all` came to.
#[derive(Debug, Default)]
pub struct Found {
    /// Those that answered, each once.
    pub interpreters: Vec<Interpreter>,
    /// Those that did not, and why.
    pub skipped: Vec<Error>,
}

/// Finds what `spec` means: a path (anything with a slash), a command on PATH (`python3.13`), a version (`3.13`,
/// `3.13.0`, `3.13t`: PATH first, then pyenv's and uv's folders), or `all`.
pub fn find(spec: &str, places: &Places) -> Result<Found, Error> {
    if spec == "all" {
        return Ok(probe_all(every(places), places));
    }
    let candidates = if spec.contains('/') { vec![PathBuf::from(spec)] } else { named(spec, places) };
    let mut found = Found::default();
    for candidate in &candidates {
        match probe(candidate, places) {
            Ok(interpreter) => {
                found.interpreters.push(interpreter);
                return Ok(found);
            }
            Err(error) => found.skipped.push(error),
        }
    }
    Err(found
        .skipped
        .into_iter()
        .next()
        .unwrap_or_else(|| Error::NotFound { spec: spec.to_owned(), looked: looked(places) }))
}

/// The interpreter that runs when nobody names one: `python3` on PATH.
pub fn default_interpreter(places: &Places) -> Result<Interpreter, Error> {
    let mut found = find("python3", places)?;
    Ok(found.interpreters.remove(0))
}

fn looked(places: &Places) -> String {
    format!("in the {} folders of PATH and in what pyenv and uv have installed", places.path.len())
}

/// The candidates for a name or a version, best first.
fn named(spec: &str, places: &Places) -> Vec<PathBuf> {
    let digits = spec.starts_with(|first: char| first.is_ascii_digit());
    let command = if digits { format!("python{spec}") } else { spec.to_owned() };
    let on_path = places.path.iter().map(|folder| folder.join(&command));
    let version = command.strip_prefix("python").unwrap_or_default();
    let installed = installed(places).into_iter().filter(|path| !version.is_empty() && is_version(path, version));
    on_path.chain(installed).filter(|path| is_program(path)).collect()
}

/// Whether an installed interpreter's folder carries this version: `3.13` means any `3.13.x`, `3.13t` a free-threaded one.
fn is_version(path: &Path, version: &str) -> bool {
    let mut folders = path.iter().rev().skip(2).map(|folder| folder.to_string_lossy());
    let Some(folder) = folders.next() else { return false };
    let folder = folder.trim_start_matches("cpython-");
    let (version, threaded) = version.strip_suffix('t').map_or((version, false), |version| (version, true));
    let rest = folder.strip_prefix(version);
    let freed = folder.contains("freethreaded") || folder.ends_with('t');
    freed == threaded && rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

/// What pyenv and uv have installed, sorted by folder, the newest last.
fn installed(places: &Places) -> Vec<PathBuf> {
    let Some(home) = &places.home else { return Vec::new() };
    let roots = [home.join(".pyenv/versions"), home.join(".local/share/uv/python")];
    let mut found = Vec::new();
    for root in roots {
        let Ok(entries) = fs::read_dir(root) else { continue };
        let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        folders.sort();
        found.extend(folders.into_iter().map(|folder| folder.join("bin/python")));
    }
    found
}

/// Everything that looks like an interpreter.
fn every(places: &Places) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in &places.path {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        let mut programs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        programs.retain(|path| path.file_name().is_some_and(|name| is_interpreter_name(&name.to_string_lossy())));
        programs.sort();
        found.extend(programs);
    }
    found.extend(installed(places));
    found.retain(|path| is_program(path));
    found
}

/// `python`, `python3`, `python3.13`, `python3.13t`.
fn is_interpreter_name(name: &str) -> bool {
    let Some(version) = name.strip_prefix("python") else { return false };
    let version = version.strip_suffix('t').unwrap_or(version);
    version.split('.').all(|part| part.bytes().all(|byte| byte.is_ascii_digit())) && !version.ends_with('.')
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

fn probe_all(candidates: Vec<PathBuf>, places: &Places) -> Found {
    let mut found = Found::default();
    let mut seen = Vec::new();
    for candidate in candidates {
        let real = candidate.canonicalize().unwrap_or_else(|_| candidate.clone());
        if seen.contains(&real) {
            continue;
        }
        seen.push(real);
        match probe(&candidate, places) {
            Ok(interpreter) => {
                let same = |other: &Interpreter| other.path.canonicalize().ok() == interpreter.path.canonicalize().ok();
                if !found.interpreters.iter().any(same) {
                    found.interpreters.push(interpreter);
                }
            }
            Err(error) => found.skipped.push(error),
        }
    }
    found.interpreters.sort_by_key(|each| (each.version, each.free_threaded));
    found
}

const QUESTIONS: &str = "
import sys, json
try:
    import sysconfig
    free = bool(sysconfig.get_config_var('Py_GIL_DISABLED'))
except ImportError:
    free = False
try:
    import multiprocessing
    methods = getattr(multiprocessing, 'get_all_start_methods', lambda: ['fork'])()
except ImportError:
    methods = []
try:
    from _hashlib import pbkdf2_hmac
    openssl = True
except ImportError:
    openssl = False
import platform
print(json.dumps([sys.executable, list(sys.version_info[:3]), platform.python_implementation().lower(), free,
                  sys.version.replace('\\n', ' '), methods, openssl]))
";

/// Runs a candidate, isolated, and asks it who it is.
fn probe(path: &Path, places: &Places) -> Result<Interpreter, Error> {
    let not_cpython = |detail: String| Error::NotCpython { path: path.to_owned(), detail };
    if !is_program(path) {
        return Err(not_cpython(if path.exists() { "not an executable file" } else { "no such file" }.to_owned()));
    }
    let scratch = Scratch::new(&places.scratch).map_err(|error| Error::Scratch(places.scratch.clone(), error))?;
    let mut last = String::new();
    for isolation in [ISOLATED, ISOLATED_OLD] {
        let arguments = isolation.iter().copied().chain(["-c", QUESTIONS]).map(OsString::from).collect();
        let order = Order {
            program: path,
            arguments,
            folder: scratch.path(),
            input: b"",
            time: Duration::from_secs(10),
            most_output: 1 << 16,
            cores: None,
            interrupted: None,
        };
        match run(&order) {
            Ok(outcome) if outcome.status.success() => {
                return answers(&outcome.stdout).ok_or_else(|| not_cpython("its answers make no sense".to_owned()));
            }
            Ok(outcome) => last = format!("{}: {}", outcome.status, outcome.stderr.lines().next().unwrap_or_default()),
            Err(Failure::Start(error)) => return Err(Error::Start(path.to_owned(), error)),
            Err(failure) => return Err(not_cpython(said(&failure).to_owned())),
        }
    }
    Err(not_cpython(last))
}

fn said(failure: &Failure) -> &'static str {
    match failure {
        Failure::Hung { .. } => "it did not answer within 10 s",
        Failure::Flood => "it answered with more than 64 KiB",
        Failure::Start(_) | Failure::Interrupted => "it was not asked to the end",
    }
}

fn answers(stdout: &[u8]) -> Option<Interpreter> {
    let text = std::str::from_utf8(stdout).ok()?;
    let Value::Array(answers) = serde_json::from_str(text.lines().last()?).ok()? else { return None };
    let [executable, version, implementation, free_threaded, build, methods, openssl] = &answers[..] else {
        return None;
    };
    let part = |index: usize| version.get(index)?.as_u64().and_then(|part| u8::try_from(part).ok());
    let interpreter = Interpreter {
        path: PathBuf::from(executable.as_str()?),
        version: (part(0)?, part(1)?, part(2)?),
        implementation: implementation.as_str()?.to_owned(),
        free_threaded: free_threaded.as_bool()?,
        build: build.as_str()?.to_owned(),
        start_methods: methods.as_array()?.iter().filter_map(|each| each.as_str().map(str::to_owned)).collect(),
        openssl: openssl.as_bool()?,
    };
    let supported = interpreter.version >= (3, 6, 0) || (interpreter.version.0, interpreter.version.1) == (2, 7);
    (interpreter.implementation == "cpython" && supported && interpreter.path.is_absolute()).then_some(interpreter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_interpreters() {
        for name in ["python", "python3", "python3.13", "python3.13t", "python2.7"] {
            assert!(is_interpreter_name(name), "{name}");
        }
        for name in ["python3-config", "python3.11-config", "pythonw.exe", "python3.", "pypy3", "python-argcomplete"] {
            assert!(!is_interpreter_name(name), "{name}");
        }
    }

    #[test]
    fn versions_of_folders() {
        let pyenv = Path::new("/home/u/.pyenv/versions/3.1.4/bin/python");
        assert!(is_version(pyenv, "3.1") && is_version(pyenv, "3.1.4") && !is_version(pyenv, "3.13"));
        let uv = Path::new("/home/u/.local/share/uv/python/cpython-3.13.1+freethreaded-linux-x86_64-gnu/bin/python");
        assert!(is_version(uv, "3.13t") && !is_version(uv, "3.13"));
    }

    #[test]
    fn answers_that_are_none() {
        for text in ["", "[]", "hello", "[1,2,3,4,5,6,7]", r#"["/p",[3,5,0],"cpython",false,"b",[],true]"#] {
            assert!(answers(text.as_bytes()).is_none(), "{text}");
        }
        assert!(answers(br#"["/p",[3,6,0],"cpython",false,"b",["fork"],true]"#).is_some());
    }
}
