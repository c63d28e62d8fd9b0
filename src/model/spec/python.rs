//! The shapes under `python`.

use std::fmt;

use crate::model::code::Code;
use crate::model::decode::{Decode, Percent, map, scalar};
use crate::model::report::Report;
use crate::model::schema::{self, Json};
use crate::model::spec::shape::{shape, words};
use crate::model::tree::{Form, Node, Spot, Value, crop};
use crate::ratio::Ratio;
use crate::time::Span;

shape! {
    /// The interpreter: defaults for every process; a process's own `python` is merged field by field.
    Python "python" {
        /// quoted; selects the GIL, lock implementation, thread names and start method default
        version: Version = "\"3.13\"";
        /// gil, or free-threaded (3.13 and later)
        build: Build = "gil";
        /// how long a WAITER for the GIL waits before it asks (sys.setswitchinterval)
        switch_interval: Span = "5ms";
        /// 2.7: ticks between two checks
        check_interval: u64 = "100";
        /// which waiter a drop wakes: who has waited longest; as glibc's condition variable does; or any
        next_holder: NextHolderWord = "fifo, or of the profile";
        /// by which rules the GIL changes hands: CPython's, or some that were proposed for it
        gil: GilWord = "cpython";
        /// futex: how often who asked for the GIL, not asleep yet, takes the signal meant for another waiter
        stolen_signals: Percent = "0%, or of the profile";
        /// how multiprocessing makes a child
        start_method: StartMethodWord = "fork; 3.14: forkserver";
        /// whether the starts of processes stand under `if __name__ == "__main__"`; with false a spawned or forkserver child
        /// runs the main thread's `do` again while it imports the module, and its first start of a process raises
        main_guard: bool = "true";
        /// what Python's own actions cost; each wins over the profile
        costs: PythonCosts = "of the profile";
    }
}

shape! {
    /// What Python's own actions cost.
    PythonCosts "python costs" {
        /// paid by a new thread on a core without the GIL
        thread_start: Span = "0us";
        /// paid by the parent of a forked process, holding its GIL
        fork: Span = "0ms";
        /// paid by a spawned child on a core without a GIL
        spawn: Span = "0ms";
        /// paid by a forkserver child on a core without a GIL
        forkserver: Span = "0ms";
        /// paid once, before the first forkserver child, by its server on a core; that start() waits for it
        forkserver_server: Span = "0ms";
        /// paid by a thread with an interpreter of its own, on a core without a GIL
        interpreter_start: Span = "0ms";
        /// paid by a spawned or forkserver child, holding its own GIL
        import_main: Span = "0ms";
        /// paid by whoever took the GIL, holding it
        gil_take: Span = "0us";
        /// paid by whoever dropped the GIL, after the drop
        gil_drop: Span = "0us";
        /// 2.7: how long a tick takes
        tick: Span = "100ns";
        /// 2.7: paid by whoever lets go of the GIL and wakes a waiter (a system call), while the GIL is free
        gil_signal: Span = "0us";
        /// 2.7: the same call while every waiter is on its way already
        gil_signal_empty: Span = "0us";
        /// paid for each object that crosses processes, by each side: one C call that keeps the GIL
        pickle: Span = "0us";
        /// by how much Python code takes longer in a free-threaded build; also by version, as in {"3.13": 1.4, "3.14": 1.1}
        free_threading_factor: Factor = "1.0";
    }
}

words! {
    /// The builds of CPython.
    Build {
        /// With a GIL.
        Gil = "gil",
        /// Without.
        FreeThreaded = "free-threaded",
    }
}

words! {
    /// Which waiter a drop of the GIL wakes.
    NextHolderWord {
        /// Whoever has wanted it longest.
        Fifo = "fifo",
        /// As glibc's condition variable on Linux does.
        Futex = "futex",
        /// Any.
        Random = "random",
    }
}

words! {
    /// By which rules the GIL changes hands.
    GilWord {
        /// As in the chosen version of CPython.
        Cpython = "cpython",
        /// As in CPython, but whoever drops on request does not wait for the switch.
        NoForcedSwitch = "no-forced-switch",
        /// Threads back from a blocking call ask at once and go first.
        IoPriority = "io-priority",
        /// A drop makes the oldest waiter the owner.
        HandOff = "hand-off",
        /// The earliest virtual deadline first.
        Bfs = "bfs",
    }
}

words! {
    /// How `multiprocessing` makes a child.
    StartMethodWord {
        /// A copy of the parent.
        Fork = "fork",
        /// A new interpreter.
        Spawn = "spawn",
        /// A fork of a clean server process.
        Forkserver = "forkserver",
    }
}

/// A Python version, major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u8, pub u8);

impl Version {
    /// What holds without a `version`.
    pub const DEFAULT: Version = Version(3, 13);
    /// The only one with the GIL of ticks.
    pub const TWO: Version = Version(2, 7);
    /// The oldest and the newest of Python 3.
    pub const KNOWN: std::ops::RangeInclusive<Version> = Version(3, 2)..=Version(3, 14);

    /// Reads `3.13`.
    pub fn parse(text: &str) -> Option<Version> {
        let (major, minor) = text.split_once('.')?;
        let number = |part: &str| {
            let plain = part.len() <= 2
                && part.bytes().all(|byte| byte.is_ascii_digit())
                && !(part.len() == 2 && part.starts_with('0'));
            if plain { part.parse().ok() } else { None }
        };
        Some(Version(number(major)?, number(minor)?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl Decode for Version {
    fn kind() -> String {
        "\"2.7\" | \"3.2\" … \"3.14\"".to_owned()
    }
    fn schema() -> Json {
        let known = (0..=u8::MAX).map(|minor| Version(3, minor)).filter(|version| Version::KNOWN.contains(version));
        let words: Vec<String> =
            std::iter::once(Version(2, 7)).chain(known).map(|version| version.to_string()).collect();
        schema::one_word(words.iter().map(String::as_str))
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Version> {
        let scalar = scalar(node, "a Python version such as \"3.13\"", report)?;
        if scalar.form == Form::Typed {
            let quoted = format!("\"{}\"", scalar.text);
            report.error(Code::E106, node.spot, "a Python version needs quotes").values(&[quoted]);
            return None;
        }
        supported(&scalar.text, node.spot, report)
    }
}

fn supported(text: &str, spot: Spot, report: &mut Report) -> Option<Version> {
    let version = Version::parse(text);
    let known = version.filter(|version| *version == Version::TWO || Version::KNOWN.contains(version));
    if known.is_none() {
        let message = format!("Python \"{}\" is not supported", crop(text));
        report.error(Code::E106, spot, message).help("supported are \"2.7\" and \"3.2\" to \"3.14\"");
    }
    known
}

/// `1.1`, or one factor for each version.
#[derive(Clone, Debug, PartialEq)]
pub enum Factor {
    /// The same for every version.
    Same(Ratio),
    /// From each version on.
    ByVersion(Vec<(Version, Ratio)>),
}

impl Factor {
    /// The factor of a version: its own, or that of the latest version before it; 1 before all of them.
    pub fn of(&self, version: Version) -> Ratio {
        match self {
            Factor::Same(factor) => *factor,
            Factor::ByVersion(factors) => {
                let before = factors.iter().filter(|(from, _)| *from <= version);
                before.max_by_key(|(from, _)| *from).map_or(Ratio::ONE, |(_, factor)| *factor)
            }
        }
    }
}

impl Decode for Factor {
    fn kind() -> String {
        "decimal".to_owned()
    }
    fn schema() -> Json {
        schema::either([Ratio::schema(), schema::of_type("object")])
    }
    fn decode(node: &Node, report: &mut Report) -> Option<Factor> {
        if !matches!(node.value, Value::Map(_)) {
            return factor(node, report).map(Factor::Same);
        }
        let mut factors = Vec::new();
        for entry in map(node, "factors by version", report)? {
            let version = supported(&entry.key.text, entry.key.spot, report);
            factors.extend(version.zip(factor(&entry.value, report)));
        }
        Some(Factor::ByVersion(factors))
    }
}

/// A cost factor: from 0.1 to 10, so that work stays countable, with at most three decimals, so that it stays exact.
fn factor(node: &Node, report: &mut Report) -> Option<Ratio> {
    let factor = Ratio::decode(node, report)?;
    let fits = (Ratio::new(1, 10)..=Ratio::whole(10)).contains(&factor) && 1000 % factor.den() == 0;
    if !fits {
        report.error(Code::E105, node.spot, "a factor is from 0.1 to 10, with at most three decimals");
    }
    fits.then_some(factor)
}
