//! The sentences of a report: how a run ended, how long it took, and why.

use crate::analysis::{Pace, Reason, Story};
use crate::ids::ThreadId;
use crate::ratio::Ratio;
use crate::render::report::Report;
use crate::time::Span;
use crate::trace::{Ending, State, WaitsFor};

/// The first sentences: how long, and compared with what.
pub(in crate::render) fn headline(report: &Report<'_>, story: &Story) -> String {
    let end = report.metrics.end;
    let pace = pace(story);
    let progress = progress(story);
    match &report.metrics.ending {
        Some(Ending::Finished) => format!("Finished after {}. {pace}", story.makespan),
        Some(Ending::Horizon) => format!("Stopped at the horizon, {end}. {progress}"),
        Some(Ending::Deadlock { .. }) => format!("Deadlock after {end}: nobody can ever go on. {progress}"),
        Some(Ending::Livelock { threads }) => {
            format!("Livelock at {end}: {} without letting time pass. {progress}", run(report, threads))
        }
        Some(Ending::EventCap { threads }) => {
            let on_cores = if threads.is_empty() { String::new() } else { format!(" ({})", run(report, threads)) };
            format!("Stopped by the event cap at {end}{on_cores}. {progress}")
        }
        Some(Ending::ModelError { code, thread, detail }) => {
            format!("Error {code} at {end} in {}: {detail}. {progress}", report.cast.label(*thread))
        }
        None => format!("Interrupted at {end}: this is only a part. {progress}"),
    }
}

fn pace(story: &Story) -> String {
    let (work, away, makespan) = (story.work, story.away, story.makespan);
    let cores = counted(story.cores, "core");
    match story.pace {
        Pace::Nothing => "No thread had any work to do.".into(),
        Pace::OneCore => format!("The work is {work}, on one core."),
        Pace::Same => format!("The work is {work}, so {cores} gave no speed-up at all."),
        Pace::Faster(times) => format!("The work is {work}: {cores} made it {} times faster.", times.to_decimals(1)),
        Pace::Slower(times) => {
            format!("The work is {work}, so {cores} gave no speed-up: it took {} times as long.", times.to_decimals(1))
        }
        Pace::Away(_) if work.is_zero() => format!("All of it is I/O and sleep: {away}, all threads together."),
        Pace::Away(times) if times > Ratio::new(21, 20) => format!(
            "The work is {work}, I/O and sleep are {away}: side by side they were {} times faster than one after the other.",
            times.to_decimals(1)
        ),
        Pace::Away(times) if times >= Ratio::new(19, 20) => {
            format!("The work is {work}, I/O and sleep are {away}, one after the other.")
        }
        Pace::Away(_) => {
            format!("The work is {work}, I/O and sleep are {away}: together less than the {makespan} it took.")
        }
    }
}

/// What a run that did not finish has done.
fn progress(story: &Story) -> String {
    let (arrived, finished) = story.threads;
    let threads = format!("{finished} of {arrived} thread{} had ended", if arrived == 1 { "" } else { "s" });
    format!("{threads}, {} of work {} done.", story.work.short(), if story.work.is_zero() { "was" } else { "were" })
}

fn run(report: &Report<'_>, threads: &[ThreadId]) -> String {
    let names: Vec<String> = threads.iter().take(3).map(|id| report.cast.label(*id)).collect();
    let more = threads.len().saturating_sub(3);
    let names = names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{names} {}", if threads.len() == 1 { "runs" } else { "run" })
}

/// A number in words up to twelve, with its noun.
fn counted(count: usize, noun: &str) -> String {
    const WORDS: [&str; 13] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    let number = WORDS.get(count).map_or_else(|| count.to_string(), |word| (*word).to_string());
    format!("{number} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The cycle of a deadlock, one sentence for each thread.
pub(in crate::render) fn cycle(report: &Report<'_>) -> Vec<String> {
    let Some(Ending::Deadlock { cycle }) = &report.metrics.ending else { return Vec::new() };
    let sentence = |wait: &WaitsFor| {
        let holder = wait.holder.filter(|holder| !is_awaited(report, wait, *holder));
        let who = report.cast.label(wait.thread);
        let held = match holder {
            Some(holder) if holder == wait.thread => ", which it holds itself".to_string(),
            Some(holder) => format!(", held by {}", report.cast.label(holder)),
            None => String::new(),
        };
        format!("{who} waits for {}{held}", wait.what)
    };
    cycle.iter().map(sentence).collect()
}

/// Whether what a thread waits for names the holder already: the end of a thread, say.
fn is_awaited(report: &Report<'_>, wait: &WaitsFor, holder: ThreadId) -> bool {
    let name = &report.cast.threads[holder].name;
    !wait.what.starts_with("lock ") && wait.what.ends_with(name.as_str())
}

/// One sentence for a reason.
pub(in crate::render) fn reason(report: &Report<'_>, reason: &Reason) -> String {
    let name = |id: &ThreadId| report.cast.label(*id);
    let threads = report.metrics.threads.values().filter(|thread| thread.arrival.is_some()).count();
    match reason {
        Reason::Gil { gils: 1, at_once: at_once @ 0..=1, .. } => {
            format!("1 thread at a time may run Python code (max_in_python = {at_once}).")
        }
        Reason::Gil { thread, waited, life, .. } => format!(
            "each GIL lets 1 thread at a time run Python code; {} waited {} for its GIL.",
            name(thread),
            part(*waited, *life)
        ),
        Reason::Convoy { thread, waits, typical, total, life } => format!(
            "{} waits for the GIL each time it comes back: {waits} times, {} as a rule, {}.",
            name(thread),
            typical.short(),
            part(*total, *life)
        ),
        Reason::KeepsGil { thread, time } => {
            format!("native code that does not let go of the GIL: {} kept it for {}.", name(thread), time.short())
        }
        Reason::Stalled { time } => {
            let time = time.short();
            format!("threads that held a GIL waited {time} for a core, and their interpreters stood still.")
        }
        Reason::Cores { thread, waited, life, busy } => format!(
            "{} share {} ({} busy on average); {} waited {} for one.",
            counted(threads, "thread"),
            counted(report.cast.cores.len(), "core"),
            busy.to_decimals(1),
            name(thread),
            part(*waited, *life)
        ),
        Reason::State { thread, state, time, life } => {
            format!("{} spent {} {}.", name(thread), part(*time, *life), spent(*state))
        }
        Reason::OwnWork { thread, ran, life } => {
            format!("{} ran for {}: its own work is the limit.", name(thread), part(*ran, *life))
        }
        Reason::Late { thread, arrival } => format!("{} arrived only at {arrival}.", name(thread)),
    }
}

/// A part of a thread's life.
fn part(time: Span, life: Span) -> String {
    let whole = life.short();
    if time == life { format!("all of its {whole}") } else { format!("{} of its {whole}", time.short()) }
}

fn spent(state: State) -> &'static str {
    match state {
        State::StartUp => "starting up",
        State::Io => "waiting for I/O",
        State::Sleep => "asleep",
        State::Lock => "waiting for a lock",
        State::Queue => "waiting for a queue",
        State::Event => "waiting for an event or a start",
        State::Condition => "waiting for a condition",
        State::Barrier => "waiting at a barrier",
        State::Join => "waiting for others to end",
        State::Overhead => "in wake-ups, context switches and takes of the GIL",
        State::Suspended => "stopped",
        State::Python | State::Native | State::NativeGil => "running",
        State::WantsGil | State::Forced => "waiting for the GIL",
        State::Runnable | State::RunnableGil => "waiting for a core",
        State::Done => "at its end",
    }
}
