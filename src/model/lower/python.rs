//! The settings of an interpreter: a process's own, then the model's, then the profile's, field by field.

use crate::model::code::Code;
use crate::model::decode::At;
use crate::model::lower::above_zero;
use crate::model::report::Report;
use crate::model::scenario::{GilRule, NextHolder, PythonCosts, StartMethod};
use crate::model::spec::profile::Profile;
use crate::model::spec::python::{self as shapes, Build, GilWord, NextHolderWord, Python, StartMethodWord, Version};
use crate::ratio::Ratio;
use crate::time::{LONGEST, Span};

/// What holds without `switch_interval`: `DEFAULT_INTERVAL` of `Python/ceval_gil.c`.
pub const DEFAULT_INTERVAL: Span = Span::from_ms(5);

/// What holds without `check_interval`: `_Py_CheckInterval` of `Python/ceval.c` (2.7).
const CHECK_INTERVAL: u64 = 100;
/// What holds without `costs.tick`: a round number, so that a check comes every 10 us.
const TICK: Span = Span::from_ns(100);

/// An interpreter's settings, settled.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its version.
    pub version: Version,
    /// Whether it has a GIL.
    pub gil: bool,
    /// How long a waiter waits.
    pub interval: Span,
    /// Which waiter is woken.
    pub next_holder: NextHolder,
    /// By which rules its GIL changes hands.
    pub rule: GilRule,
    /// How children are made.
    pub start_method: StartMethod,
    /// Whether the starts of processes stand under the main guard, and where the model says so.
    pub main_guard: Option<At<bool>>,
    /// By how much its Python code takes longer; 1 with a GIL.
    pub factor: Ratio,
    /// What its actions cost.
    pub costs: PythonCosts,
}

/// Settles an interpreter's settings; the first layer is the strongest.
pub fn settle(layers: &[&Python], profile: &Profile, report: &mut Report) -> Settings {
    let from_profile = profile.python.as_ref().map(|python| &python.value);
    let version = pick(layers, |python| python.version).map_or(Version::DEFAULT, |version| version.value);
    let build = pick(layers, |python| python.build);
    let free = build.filter(|build| build.value == Build::FreeThreaded);
    if let Some(build) = free.filter(|_| version < Version(3, 13)) {
        let message = format!("Python {version} has no free-threaded build; 3.13 is the first");
        report.error(Code::E209, build.spot, message);
    }
    without_effect(version, layers, report);
    let interval = pick(layers, |python| python.switch_interval);
    above_zero("the switch interval", interval, report);
    let next_holder = pick(layers, |python| python.next_holder).or(from_profile.and_then(|python| python.next_holder));
    let stolen = pick(layers, |python| python.stolen_signals).or(from_profile.and_then(|python| python.stolen_signals));
    if let Some(At { spot, .. }) = stolen.filter(|stolen| stolen.value.0 > Ratio::ONE) {
        report.error(Code::E105, spot, "a share of signals is at most 100%");
    }
    let own = layers.iter().filter_map(|python| python.costs.as_ref());
    let costs: Vec<&shapes::PythonCosts> =
        own.chain(from_profile.and_then(|python| python.costs.as_ref())).map(|costs| &costs.value).collect();
    let factor = costs.iter().find_map(|costs| costs.free_threading_factor.as_ref());
    let two = version == Version::TWO;
    let rule = if two { ticks(layers, &costs, report) } else { rule(layers, free.is_some(), report) };
    Settings {
        version,
        gil: free.is_none(),
        interval: match rule {
            GilRule::Ticks { interval, tick } => Span::from_ns(tick.ns().saturating_mul(interval).min(LONGEST.ns())),
            _ => interval.map_or(DEFAULT_INTERVAL, |interval| interval.value),
        },
        next_holder: match next_holder.map(|next| next.value) {
            Some(NextHolderWord::Futex) => {
                NextHolder::Futex { stolen: stolen.map_or(Ratio::ZERO, |stolen| stolen.value.0) }
            }
            Some(NextHolderWord::Random) => NextHolder::Random,
            Some(NextHolderWord::Fifo) | None => NextHolder::Fifo,
        },
        rule,
        start_method: start_method(pick(layers, |python| python.start_method), version, report),
        main_guard: pick(layers, |python| python.main_guard),
        factor: factor.filter(|_| free.is_some()).map_or(Ratio::ONE, |factor| factor.value.of(version)),
        costs: settle_costs(&costs),
    }
}

fn pick<T>(layers: &[&Python], field: impl Fn(&Python) -> Option<At<T>>) -> Option<At<T>> {
    layers.iter().find_map(|layer| field(layer))
}

/// Settings that this version does not look at.
fn without_effect(version: Version, layers: &[&Python], report: &mut Report) {
    let two = version == Version::TWO;
    let ignored = [
        ("switch_interval", pick(layers, |python| python.switch_interval).filter(|_| two).map(|at| at.key)),
        ("gil", pick(layers, |python| python.gil).filter(|_| two).map(|at| at.key)),
        ("check_interval", pick(layers, |python| python.check_interval).filter(|_| !two).map(|at| at.key)),
    ];
    for (field, key) in ignored {
        if let Some(key) = key {
            report.warning(Code::W507, key, format!("Python {version} does not look at {field}"));
        }
    }
}

/// The rules of 2.7.
fn ticks(layers: &[&Python], costs: &[&shapes::PythonCosts], report: &mut Report) -> GilRule {
    let tick = costs.iter().find_map(|costs| costs.tick);
    above_zero("a tick", tick, report);
    let interval = pick(layers, |python| python.check_interval);
    if let Some(interval) = interval.filter(|interval| i32::try_from(interval.value).is_err()) {
        let message = format!("a check interval is an int of C: at most {}", i32::MAX);
        report.error(Code::E105, interval.spot, message);
    }
    // Zero ticks are one: the ticker is counted down first.
    let interval = interval.map_or(CHECK_INTERVAL, |interval| interval.value.max(1));
    GilRule::Ticks { interval, tick: tick.map_or(TICK, |tick| tick.value.max(Span::from_ns(1))) }
}

/// The rules of the GIL. Some have an order of their own among the waiters; without a GIL there is nothing to rule.
fn rule(layers: &[&Python], free: bool, report: &mut Report) -> GilRule {
    let Some(word) = pick(layers, |python| python.gil) else { return GilRule::Cpython };
    if free && word.value != GilWord::Cpython {
        report.warning(Code::W507, word.key, "a free-threaded build has no GIL");
    }
    let own_order = matches!(word.value, GilWord::IoPriority | GilWord::HandOff | GilWord::Bfs);
    if let Some(next) = pick(layers, |python| python.next_holder).filter(|_| own_order) {
        report.warning(Code::W507, next.key, "this GIL has an order of its own among its waiters");
    }
    match word.value {
        GilWord::Cpython => GilRule::Cpython,
        GilWord::NoForcedSwitch => GilRule::NoForcedSwitch,
        GilWord::IoPriority => GilRule::IoPriority,
        GilWord::HandOff => GilRule::HandOff,
        GilWord::Bfs => GilRule::Bfs,
    }
}

fn start_method(chosen: Option<At<StartMethodWord>>, version: Version, report: &mut Report) -> StartMethod {
    let Some(At { value, spot, .. }) = chosen else {
        // On Linux; 3.14 changed it (gh-84559).
        return if version >= Version(3, 14) { StartMethod::Forkserver } else { StartMethod::Fork };
    };
    if value != StartMethodWord::Fork && version < Version(3, 4) {
        report.error(
            Code::E209,
            spot,
            format!("Python {version} only forks; 3.4 was the first with other start methods"),
        );
    }
    match value {
        StartMethodWord::Fork => StartMethod::Fork,
        StartMethodWord::Spawn => StartMethod::Spawn,
        StartMethodWord::Forkserver => StartMethod::Forkserver,
    }
}

fn settle_costs(layers: &[&shapes::PythonCosts]) -> PythonCosts {
    let pick = |cost: fn(&shapes::PythonCosts) -> Option<At<Span>>| {
        layers.iter().find_map(|layer| cost(layer)).map_or(Span::ZERO, |cost| cost.value)
    };
    PythonCosts {
        thread_start: pick(|costs| costs.thread_start),
        fork: pick(|costs| costs.fork),
        spawn: pick(|costs| costs.spawn),
        forkserver: pick(|costs| costs.forkserver),
        forkserver_server: pick(|costs| costs.forkserver_server),
        interpreter_start: pick(|costs| costs.interpreter_start),
        import_main: pick(|costs| costs.import_main),
        pickle: pick(|costs| costs.pickle),
        gil_take: pick(|costs| costs.gil_take),
        gil_drop: pick(|costs| costs.gil_drop),
        gil_signal: pick(|costs| costs.gil_signal),
        gil_signal_empty: pick(|costs| costs.gil_signal_empty),
    }
}
