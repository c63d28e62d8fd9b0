//! The sentences of a comparison.

use crate::analysis::diff::{Class, Moment, Pace, Pair, Row, Told, Verdict, WaitChange, Waits};
use crate::ids::ThreadId;
use crate::ratio::Ratio;
use crate::render::diff::{DiffReport, grouped, ratio, row, times};
use crate::render::glyph::legend;
use crate::render::object_words::{holds, object_act};
use crate::time::Span;
use crate::trace::{Cast, GilAct, JobAct, LockAct, State, What};

/// What a teacher would say first: one or two sentences.
pub fn verdict_sentence(report: &DiffReport<'_>) -> String {
    let comparison = report.comparison;
    let records = grouped(report.a.records);
    if comparison.is_same() {
        let ignored = comparison.ignored;
        return match ignored {
            0 if report.a.digest == report.b.digest => {
                format!("The same timeline: {records} records, digest {}.", report.a.digest.hex())
            }
            0 => "The same timeline, but for details of context switches and names.".into(),
            _ => format!("The same timeline, but for {} differences that were to be ignored.", grouped(ignored)),
        };
    }
    let verdict = &comparison.verdict;
    let mut text = company(report) + &pace(verdict);
    let waits = waits(verdict);
    if !waits.is_empty() {
        text.push_str(": ");
        text.push_str(&waits);
    } else if row(report, "makespan").is_none_or(|row| !row.differs()) {
        text.push_str(", in another way");
    }
    text.push('.');
    if verdict.waits != WaitChange::Same && verdict.cores_full {
        text.push_str(&format!(" Next limit: the cores ({}).", verdict.cores));
    }
    text
}

/// Who is there in one of the two only, if these are few: the first thing to know.
fn company(report: &DiffReport<'_>) -> String {
    let names = |cast: &Cast, of: &dyn Fn(&Pair) -> Option<ThreadId>| {
        let threads: Vec<ThreadId> = report.comparison.threads.iter().filter_map(of).collect();
        let names: Vec<String> = threads.iter().map(|thread| cast.label(*thread)).collect();
        (1..=2).contains(&names.len()).then(|| names.join(" and "))
    };
    let gone = names(report.a.cast, &|pair| pair.0.filter(|_| pair.1.is_none()));
    let new = names(report.b.cast, &|pair| pair.1.filter(|_| pair.0.is_none()));
    match (gone, new) {
        (Some(gone), None) => format!("Without {gone} "),
        (None, Some(new)) => format!("With {new} "),
        _ => String::new(),
    }
}

fn pace(verdict: &Verdict) -> String {
    let (a, b) = verdict.makespan;
    let about = |times: Ratio| times.to_decimals(2) == "1.00";
    let apart = |more: Span, less: Span| more.less(less).short();
    match verdict.pace {
        Pace::Same => "B takes as long as A".into(),
        Pace::Faster(times) if about(times) => format!("B finishes {} earlier than A", apart(a, b)),
        Pace::Slower(times) if about(times) => format!("B takes {} longer than A", apart(b, a)),
        Pace::Faster(times) => format!("B is {} times faster", times.to_decimals(2)),
        Pace::Slower(times) => format!("B takes {} times as long", times.to_decimals(2)),
        Pace::Endings(a, b) => format!("A ends with {}, B with {}", ending(a), ending(b)),
        Pace::Work(a, b) => format!("In the same time B does {} of work, A {}", b.short(), a.short()),
    }
}

fn ending(word: &str) -> &'static str {
    match word {
        "finished" => "all threads finished",
        "horizon" => "the horizon",
        "deadlock" => "a deadlock",
        "livelock" => "a livelock",
        "event-cap" => "the event cap",
        "model-error" => "an error of the program",
        _ => "an interruption",
    }
}

fn waits(verdict: &Verdict) -> String {
    let waits = match verdict.waits {
        WaitChange::Same => return gils(verdict),
        WaitChange::Moved(from, to) => format!("the wait moved from {} to {}", noun(from), noun(to)),
        WaitChange::Gone(what) => format!("the wait for {} is gone", noun(what)),
        WaitChange::New(what) => format!("threads now wait for {}", noun(what)),
        WaitChange::Less(what, a, b) => {
            format!("less waiting for {}, {} instead of {}", noun(what), b.short(), a.short())
        }
        WaitChange::More(what, a, b) => {
            format!("more waiting for {}, {} instead of {}", noun(what), b.short(), a.short())
        }
    };
    let because = gils(verdict);
    if because.is_empty() { waits } else { format!("{waits}, because {because}") }
}

/// What happened to the GIL, where that changed how many threads run Python at once.
fn gils(verdict: &Verdict) -> String {
    let (a, b) = verdict.gils;
    let (at_once_a, at_once_b) = verdict.in_python;
    if a == b || at_once_a == at_once_b {
        return String::new();
    }
    let threads = |many: u32| if many == 1 { "one thread".to_string() } else { format!("{many} threads") };
    let count = |many: usize| if many == 1 { "one".to_string() } else { many.to_string() };
    let gil = if b == 1 { "a GIL".to_string() } else { format!("{b} GILs") };
    match (a, b) {
        (_, 0) => format!("without a GIL {} can run Python at once", threads(at_once_b)),
        (0, _) => format!("with {gil} only {} can run Python at once", threads(at_once_b)),
        _ => {
            let let_run = if b == 1 { "GIL lets" } else { "GILs let" };
            let (b, a) = (count(b), count(a));
            format!("{b} {let_run} {} run Python at once, and {a} only {}", threads(at_once_b), threads(at_once_a))
                .replace("only", if at_once_b > at_once_a { "only" } else { "as many as" })
        }
    }
}

fn noun(what: Waits) -> &'static str {
    match what {
        Waits::Gil => "the GIL",
        Waits::Cores => "the cores",
        Waits::Locks => "locks and events",
        Waits::Costs => "start-up and overhead",
    }
}

/// The last cell of a row.
pub(super) fn against(row: &Row) -> String {
    let (a, b) = (ratio(row.a), ratio(row.b));
    let (more, less) = if b >= a { (b, a) } else { (a, b) };
    let times = times(more, less);
    match (a == b, a == Ratio::ZERO, b == Ratio::ZERO, times) {
        (true, ..) => "the same".into(),
        (_, true, ..) => "new".into(),
        (_, _, true, _) => "gone".into(),
        (_, _, _, None) => "nearly the same".into(),
        (_, _, _, Some(times)) if row.name == "makespan" && b < a => format!("{times} times faster"),
        (_, _, _, Some(times)) if b < a => format!("{times} times less"),
        (_, _, _, Some(times)) => format!("{times} times as {}", if row.name == "makespan" { "long" } else { "much" }),
    }
}

/// A class in a sentence.
pub(super) fn class(class: Class) -> &'static str {
    match class {
        Class::New => "only in B",
        Class::Gone => "only in A",
        Class::Reordered => "in another order",
        Class::OtherReason => "for another reason",
        Class::Longer => "longer in B",
        Class::Shorter => "shorter in B",
        Class::Moved => "at another time",
        Class::OtherCore => "on another core",
    }
}

/// One side of a difference.
pub(super) fn told(cast: &Cast, told: &Told) -> String {
    match (&told.moment, &told.doing) {
        (Some(moment), _) => {
            let after = moment.during.map(|(state, since)| {
                let lasted = Span::from_ns(moment.record.at.ns().saturating_sub(since.ns()));
                format!(", after {lasted} in which it {}", does(state))
            });
            format!("{}{}", happened(cast, moment), after.unwrap_or_default())
        }
        (None, Some(doing)) => {
            format!("nothing of the kind: {} since {}", did(cast, &doing.record.what), doing.record.at)
        }
        (None, None) if told.thread.is_some() => "nothing of the kind: it has not begun".into(),
        (None, None) => "nothing of the kind: it does not exist".into(),
    }
}

/// Who did what when.
pub(super) fn happened(cast: &Cast, moment: &Moment) -> String {
    format!("{} at {}", did(cast, &moment.record.what), moment.record.at)
}

/// Who did what.
fn did(cast: &Cast, what: &What) -> String {
    let name = |thread: &ThreadId| cast.label(*thread);
    match what {
        What::State { thread, to, core, why, .. } => {
            let core = core.map(|core| format!(" on core {}", core.0)).unwrap_or_default();
            format!("{} {}{core} ({})", name(thread), does(*to), why.meaning())
        }
        What::Dispatch { core, thread, migrated, .. } => {
            let migrated = if *migrated { ", coming from another core" } else { "" };
            format!("core {} turns to {}{migrated}", core.0, name(thread))
        }
        What::Gil { thread, act, .. } => format!("{} {}", name(thread), gil_act(*act)),
        What::Lock { lock, thread, act } => {
            let verb = match act {
                LockAct::Acquire => "takes",
                LockAct::Release => "releases",
                LockAct::HandOver => "is handed",
            };
            format!("{} {verb} the lock {}", name(thread), cast.locks[*lock])
        }
        What::Object { object, thread, act, value } => {
            format!(
                "{} {} ({})",
                name(thread),
                object_act(*act, &cast.objects[*object]),
                holds(&cast.objects[*object], *value)
            )
        }
        What::Job { thread, number, act, .. } => {
            let did = match act {
                JobAct::Release => "is released",
                JobAct::Finish => "is finished",
                JobAct::Miss => "misses its deadline",
            };
            format!("job {number} of {} {did}", name(thread))
        }
        What::Span { span, thread, act } => format!("{} {}s {}", name(thread), act.word(), cast.spans[*span]),
        What::Output { thread, text } => format!("{} prints \"{text}\"", name(thread)),
        What::Account { thread, python_work, native_work, .. } => {
            format!("{} has done {python_work} of Python and {native_work} of native work", name(thread))
        }
        What::Quota { process, throttled: true } => {
            format!("process {} has used up its quota", cast.processes[*process])
        }
        What::Quota { process, .. } => format!("process {} has a quota again", cast.processes[*process]),
        What::Exit { process, code } => format!("process {} ends with code {code}", cast.processes[*process]),
        What::End { ending } => format!("the run ends ({})", ending.word()),
    }
}

/// What a thread does in a state, as a verb.
fn does(state: State) -> &'static str {
    match state {
        State::Io => "waits for I/O",
        State::Overhead => "has overhead",
        State::NativeGil => "runs native code and keeps the GIL",
        State::Suspended => "is stopped",
        state => legend(state),
    }
}

fn gil_act(act: GilAct) -> &'static str {
    match act {
        GilAct::Request => "asks for the GIL, having waited for one switch interval",
        GilAct::Grant { .. } => "takes the GIL",
        GilAct::Drop { forced: true } => "drops the GIL, as asked",
        GilAct::Drop { forced: false } => "drops the GIL",
    }
}
