//! What the differences mean for the whole run: the metrics side by side, and where the waiting went.

use crate::analysis::diff::Run;
use crate::analysis::{Metrics, ThreadMetrics, share};
use crate::ratio::Ratio;
use crate::time::Span;
use crate::trace::{Cast, State};

/// Something in which the two runs are set up differently, as a name and the two values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// What.
    pub what: &'static str,
    /// Its value in A.
    pub a: String,
    /// Its value in B.
    pub b: String,
}

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// A duration.
    Time(Span),
    /// A number.
    Number(Ratio),
}

/// A metric of both runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its stable name.
    pub name: &'static str,
    /// What it is, to read.
    pub title: &'static str,
    /// In A.
    pub a: Amount,
    /// In B.
    pub b: Amount,
}

/// What threads wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// The GIL, with forced waits.
    Gil,
    /// A core.
    Cores,
    /// A lock, queue, condition, barrier or event.
    Locks,
    /// Start-up and overhead.
    Costs,
}

/// How B's pace compares with A's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The same makespan.
    Same,
    /// So many times faster.
    Faster(Ratio),
    /// So many times as long.
    Slower(Ratio),
    /// The endings cannot be compared: A's and B's words.
    Endings(&'static str, &'static str),
    /// Both ran to the horizon: the work done in A and in B.
    Work(Span, Span),
}

/// Where the waiting went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitChange {
    /// As much as before, or hardly any.
    Same,
    /// From one thing to another.
    Moved(Waits, Waits),
    /// All of it is gone.
    Gone(Waits),
    /// There was none.
    New(Waits),
    /// Less of it than before.
    Less(Waits, Span, Span),
    /// More of it than before.
    More(Waits, Span, Span),
}

/// What it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The two makespans.
    pub makespan: (Span, Span),
    /// B's pace.
    pub pace: Pace,
    /// Where the waiting went.
    pub waits: WaitChange,
    /// How many GILs threads with Python code have in A and in B.
    pub gils: (usize, usize),
    /// Threads in Python at once in A and in B.
    pub in_python: (u32, u32),
    /// B's cores.
    pub cores: usize,
    /// Whether all of B's cores are busy nearly all the time: the next limit.
    pub cores_full: bool,
}

fn waited(metrics: &Metrics, what: Waits) -> Span {
    metrics.total(|thread: &ThreadMetrics| match what {
        Waits::Gil => thread.wait_gil() + thread.states.of(State::Forced),
        Waits::Cores => thread.wait_core(),
        Waits::Locks => thread.states.sum(|state| {
            matches!(state, State::Lock | State::Queue | State::Condition | State::Barrier | State::Event)
        }),
        Waits::Costs => thread.states.sum(|state| matches!(state, State::StartUp | State::Overhead)),
    })
}

const ALL: [Waits; 4] = [Waits::Gil, Waits::Cores, Waits::Locks, Waits::Costs];

/// The verdict on two runs.
pub(super) fn verdict(a: &Run<'_>, b: &Run<'_>) -> Verdict {
    let cores_busy = b.metrics.cores_busy();
    let full = Ratio::new(b.cast.cores.len() as u128 * 19, 20);
    Verdict {
        makespan: (a.metrics.makespan, b.metrics.makespan),
        pace: pace(a.metrics, b.metrics),
        waits: wait_change(a.metrics, b.metrics),
        gils: (gils(a.cast), gils(b.cast)),
        in_python: (a.metrics.max_in_python, b.metrics.max_in_python),
        cores: b.cast.cores.len(),
        cores_full: cores_busy >= full,
    }
}

fn gils(cast: &Cast) -> usize {
    let mut used: Vec<_> = cast.threads.values().filter_map(|actor| actor.gil).collect();
    used.sort_unstable();
    used.dedup();
    used.len()
}

fn pace(a: &Metrics, b: &Metrics) -> Pace {
    let (of_a, of_b) = (a.makespan, b.makespan);
    if a.ending_word() != b.ending_word() {
        return Pace::Endings(a.ending_word(), b.ending_word());
    }
    if a.ending_word() == "horizon" && of_a == of_b {
        let work = |metrics: &Metrics| metrics.total(ThreadMetrics::work);
        return if work(a) == work(b) { Pace::Same } else { Pace::Work(work(a), work(b)) };
    }
    let times = |more: Span, less: Span| Ratio::new(more.ns().into(), less.ns().max(1).into());
    match of_b.cmp(&of_a) {
        std::cmp::Ordering::Equal => Pace::Same,
        std::cmp::Ordering::Less => Pace::Faster(times(of_a, of_b)),
        std::cmp::Ordering::Greater => Pace::Slower(times(of_b, of_a)),
    }
}

/// Where the waiting went: what was waited for most in A, and in B. Less than a hundredth of all lives is no waiting.
fn wait_change(a: &Metrics, b: &Metrics) -> WaitChange {
    let most = |metrics: &Metrics| {
        let waits = ALL.map(|what| (waited(metrics, what), what));
        let life = metrics.total(|thread| thread.life(metrics.end));
        let most = waits.into_iter().rev().max_by_key(|(time, _)| *time);
        most.filter(|(time, _)| time.ns() > 0 && time.ns() >= life.ns() / 100).map(|(_, what)| what)
    };
    let both = |what: Waits| (waited(a, what), waited(b, what));
    match (most(a), most(b)) {
        (None, None) => WaitChange::Same,
        (None, Some(what)) => WaitChange::New(what),
        (Some(what), None) => match both(what) {
            (_, Span::ZERO) => WaitChange::Gone(what),
            (before, after) => WaitChange::Less(what, before, after),
        },
        (Some(from), Some(to)) if from != to && both(from).1 < both(from).0 => WaitChange::Moved(from, to),
        (Some(_), Some(what)) => {
            let (before, after) = both(what);
            let near = before.ns().abs_diff(after.ns()) <= before.ns() / 100;
            match before.cmp(&after) {
                _ if near => WaitChange::Same,
                std::cmp::Ordering::Less => WaitChange::More(what, before, after),
                _ => WaitChange::Less(what, before, after),
            }
        }
    }
}

/// The metrics that say what the runs are about, and all others that differ.
pub(super) fn rows(a: &Metrics, b: &Metrics) -> Vec<Row> {
    type Value = fn(&Metrics) -> Amount;
    fn count(number: u64) -> Ratio {
        Ratio::whole(number.into())
    }
    let table: [(&'static str, &'static str, Value); 17] = [
        ("makespan", "finished after", |m| Amount::Time(m.makespan)),
        ("max_in_python", "threads in Python (max)", |m| Amount::Number(count(m.max_in_python.into()))),
        ("cores_busy", "cores busy (average)", |m| Amount::Number(share(m.total(ThreadMetrics::ran), m.makespan))),
        ("wait_gil", "waits for the GIL", |m| Amount::Time(m.total(ThreadMetrics::wait_gil))),
        ("wait_core", "waits for a core", |m| Amount::Time(m.total(ThreadMetrics::wait_core))),
        ("gil_switches", "GIL switches", |m| Amount::Number(count(m.all_gils().switches))),
        ("work", "work done", |m| Amount::Time(m.total(ThreadMetrics::work))),
        ("forced", "made to let go of the GIL", |m| Amount::Time(m.total(|t| t.states.of(State::Forced)))),
        ("in_io", "in I/O", |m| Amount::Time(m.total(|t| t.states.of(State::Io)))),
        ("in_sleep", "asleep", |m| Amount::Time(m.total(|t| t.states.of(State::Sleep)))),
        ("wait_lock", "waits for locks", |m| Amount::Time(waited(m, Waits::Locks))),
        ("overhead", "start-up and overhead", |m| Amount::Time(waited(m, Waits::Costs))),
        ("gil_forced", "forced GIL switches", |m| Amount::Number(count(m.all_gils().forced))),
        ("gil_requests", "requests for the GIL", |m| Amount::Number(count(m.all_gils().requests))),
        ("switches", "context switches", |m| Amount::Number(count(m.count(|t| t.switches)))),
        ("preemptions", "preemptions", |m| Amount::Number(count(m.count(|t| t.preemptions)))),
        ("migrations", "migrations", |m| Amount::Number(count(m.count(|t| t.migrations)))),
    ];
    let rows = table
        .into_iter()
        .enumerate()
        .map(|(place, (name, title, of))| (place, Row { name, title, a: of(a), b: of(b) }));
    rows.filter(|(place, row)| *place == 0 || row.a != row.b).map(|(_, row)| row).collect()
}

impl Row {
    /// Whether the two runs differ in it.
    pub fn differs(&self) -> bool {
        self.a != self.b
    }
}

/// Reads one metric of a run, as text.
type Reader = fn(&Run<'_>) -> String;

/// In what the two runs are set up differently.
pub(super) fn setup(a: &Run<'_>, b: &Run<'_>) -> Vec<Setup> {
    let mut setup = Vec::new();
    let mut add = |what, of_a: String, of_b: String| {
        if of_a != of_b {
            setup.push(Setup { what, a: of_a, b: of_b });
        }
    };
    let both = |of: fn(&Run<'_>) -> String| (of(a), of(b));
    let of: [(&'static str, Reader); 11] = [
        ("cores", |run| run.cast.cores.len().to_string()),
        ("processes", |run| run.cast.processes.len().to_string()),
        ("threads", |run| run.cast.threads.len().to_string()),
        ("GILs", |run| run.cast.gils.len().to_string()),
        ("switch interval", |run| intervals(run.facts)),
        ("Python code takes", |run| factor(run.cast)),
        ("profile", |run| run.facts.profile.clone()),
        ("seed", |run| run.facts.seed.to_string()),
        ("random streams", |run| run.facts.streams.clone()),
        ("rules", |run| format!("version {}", run.facts.semantics)),
        ("timeline", |run| run.facts.provenance.to_string()),
    ];
    for (what, of) in of {
        let (of_a, of_b) = both(of);
        add(what, of_a, of_b);
    }
    setup
}

/// By how much Python code takes longer, at most.
fn factor(cast: &Cast) -> String {
    let factors = cast.threads.values().map(|actor| Ratio::new(actor.factor.0.into(), actor.factor.1.into()));
    format!("{} times", factors.max().unwrap_or(Ratio::ONE))
}

/// The switch interval, or the range of several.
fn intervals(facts: &crate::trace::Facts) -> String {
    match (facts.intervals.iter().min(), facts.intervals.iter().max()) {
        (Some(least), Some(most)) if least == most => least.to_string(),
        (Some(least), Some(most)) => format!("{least} to {most}"),
        _ => "-".into(),
    }
}
