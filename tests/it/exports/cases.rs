//! Timelines that no simulator is needed for.

use gilsim::ids::{CoreId, ProcId, ThreadId};
use gilsim::time::Span;
use gilsim::trace::{Ending, LockAct, State, WaitsFor, What, Why};

use super::Case;
use super::tape::{Tape, cast};

const MAIN: u32 = 0;
const A: u32 = 1;
const B: u32 = 2;
const CODEC: u32 = 3;

/// A bit of everything: a start, forced and voluntary drops, a lock released and handed over, a join, states that are
/// still open at the end, a newcomer on a core that is named before its predecessor.
pub fn scene() -> Case {
    let mut tape = Tape::default();
    scene_up_to_lock(&mut tape);
    scene_from_lock(&mut tape);
    tape.end(Ending::Horizon);
    case("scene", tape)
}

/// The same, broken off.
pub fn interrupted() -> Case {
    let mut tape = Tape::default();
    scene_up_to_lock(&mut tape);
    case("interrupted", tape)
}

fn case(name: &str, tape: Tape) -> Case {
    let cast = cast(&[("main", &["main", "a", "b"]), ("codec", &["codec"])], 2);
    Case { name: name.to_string(), title: format!("The {name}"), cast, records: tape.records }
}

fn scene_up_to_lock(tape: &mut Tape) {
    let grant = tape.grant(MAIN);
    let main = tape.state(MAIN, State::Python, Some(0), Why::GilTaken, grant);
    tape.state(CODEC, State::Native, Some(1), Why::Step, None);
    // The new thread is named before the one that makes room for it.
    tape.at(2000);
    tape.drops(MAIN, None);
    tape.state(A, State::Overhead, Some(0), Why::Started, main);
    tape.state(MAIN, State::Event, None, Why::ChildStarting, main);
    tape.at(3000);
    let grant = tape.grant(A);
    let a = tape.state(A, State::Python, Some(0), Why::GilTaken, grant);
    tape.state(MAIN, State::Runnable, None, Why::ChildRan, a);
    tape.at(5000);
    tape.state(CODEC, State::Io, None, Why::IoStarted, None);
    tape.state(MAIN, State::WantsGil, None, Why::GilLocked, grant);
    // A request, a drop, a take: one instant.
    tape.at(10_000);
    let (core, thread) = (CoreId(1), ThreadId(MAIN));
    tape.write(None, What::Dispatch { core, thread, switched: true, migrated: true, preempted: None });
    let request = tape.request(MAIN);
    tape.drops(A, request);
    let grant = tape.grant(MAIN);
    tape.lock(MAIN, LockAct::Acquire, None);
    let main = tape.state(MAIN, State::Python, Some(1), Why::GilTaken, grant);
    tape.state(A, State::WantsGil, None, Why::GilLocked, grant);
    tape.at(11_000);
    tape.state(B, State::WantsGil, None, Why::GilLocked, grant);
    tape.at(12_000);
    tape.drops(MAIN, None);
    let grant = tape.grant(A);
    tape.state(A, State::Python, Some(0), Why::GilTaken, grant);
    tape.state(MAIN, State::Io, None, Why::IoStarted, main);
    tape.at(14_000);
    tape.write(None, What::Output { thread: ThreadId(A), text: "a line".to_string() });
    tape.drops(A, None);
    let grant = tape.grant(B);
    tape.state(B, State::Python, Some(0), Why::GilTaken, grant);
    tape.state(A, State::Lock, None, Why::LockBusy, main);
}

fn scene_from_lock(tape: &mut Tape) {
    tape.at(16_000);
    let main = tape.state(MAIN, State::WantsGil, None, Why::GilLocked, None);
    tape.at(17_000);
    tape.state(CODEC, State::Lock, None, Why::LockBusy, main);
    tape.at(20_000);
    let request = tape.request(MAIN);
    tape.drops(B, request);
    tape.state(B, State::Forced, None, Why::GilRequested, request);
    // The dropper is woken by the take, the waiter for the lock by its release.
    tape.at(20_500);
    let grant = tape.grant(MAIN);
    let main = tape.state(MAIN, State::Python, Some(1), Why::GilTaken, grant);
    tape.state(B, State::Runnable, None, Why::GilSwitched, grant);
    tape.at(20_700);
    tape.state(B, State::WantsGil, None, Why::GilLocked, grant);
    tape.at(21_000);
    let release = tape.lock(MAIN, LockAct::Release, main);
    tape.state(A, State::Runnable, None, Why::LockReleased, release);
    tape.at(22_000);
    tape.lock(A, LockAct::Acquire, None);
    tape.state(A, State::WantsGil, None, Why::GilLocked, grant);
    tape.at(23_000);
    tape.drops(MAIN, None);
    let grant = tape.grant(B);
    tape.state(MAIN, State::Done, None, Why::Finished, main);
    let work = Span::from_ms(7);
    let thread = ThreadId(MAIN);
    let (python_work, native_work, demanded) = (work, Span::ZERO, work);
    tape.write(None, What::Account { thread, python_work, native_work, demanded, finished: true });
    let b = tape.state(B, State::Python, Some(0), Why::GilTaken, grant);
    tape.at(24_000);
    let hand_over = tape.lock(CODEC, LockAct::HandOver, b);
    tape.state(CODEC, State::Runnable, None, Why::LockHandedOver, hand_over);
    tape.at(25_000);
    let codec = tape.state(CODEC, State::Native, Some(1), Why::Dispatched, hand_over);
    tape.at(26_000);
    tape.drops(B, None);
    let grant = tape.grant(A);
    tape.state(A, State::NativeGil, Some(0), Why::GilTaken, grant);
    tape.state(B, State::Join, None, Why::Joining, b);
    // The end of a process wakes whoever joined it.
    tape.at(30_000);
    let exit = tape.write(codec, What::Exit { process: ProcId(1), code: 0 });
    tape.state(CODEC, State::Done, None, Why::Finished, codec);
    tape.state(B, State::Overhead, Some(1), Why::Joined, exit);
    tape.at(31_000);
    tape.state(B, State::RunnableGil, None, Why::Preempted, None);
    tape.state(A, State::RunnableGil, None, Why::Preempted, None);
    tape.at(31_500);
    tape.state(B, State::Suspended, None, Why::Step, None);
}

/// A run without threads and without time.
pub fn nothing() -> Case {
    let mut tape = Tape::default();
    tape.end(Ending::Finished);
    Case { name: "nothing".to_string(), title: String::new(), cast: cast(&[("main", &[])], 1), records: tape.records }
}

/// Three threads that take turns on one core, and end in a deadlock.
pub fn one_core(turns: u64) -> Case {
    let cast = cast(&[("main", &["worker-1", "worker-2", "worker-3"])], 1);
    let mut tape = Tape::default();
    let mut running: Option<u32> = None;
    (1..3).for_each(|thread| {
        tape.state(thread, State::WantsGil, None, Why::GilLocked, None);
    });
    for turn in 0..turns {
        tape.at(turn * 5000 + turn % 3);
        let next = (turn % 3) as u32;
        let request = running.and_then(|_| tape.request(next));
        if let Some(thread) = running {
            tape.drops(thread, request);
        }
        let grant = tape.grant(next);
        tape.state(next, State::Python, Some(0), Why::GilTaken, grant);
        if let Some(thread) = running.replace(next) {
            tape.state(thread, State::WantsGil, None, Why::GilLocked, grant);
        }
    }
    let wait = WaitsFor { thread: ThreadId(0), what: "lock database".to_string(), holder: Some(ThreadId(1)) };
    tape.at(turns * 5000);
    tape.end(Ending::Deadlock { cycle: vec![wait] });
    let name = format!("one core, {turns} turns");
    Case { title: name.clone(), name, cast, records: tape.records }
}

/// Names that some format or its reader might trip over.
const HOSTILE: [&str; 28] = [
    "a \"quoted\" name",
    "it's",
    "</script><img src=x onerror=alert(1)>",
    "]]>",
    "<!-- -->",
    "&amp;&lt;&#0;",
    "two\nlines",
    "carriage\rreturn",
    "\r",
    "\tfirst a tab",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{7}\u{8}\u{0}",
    "\u{9b}2J",
    "right\u{202e}to left",
    "\u{2066}isolated\u{2069}",
    "zero\u{200b}width\u{feff}",
    "line\u{2028}and\u{2029}paragraph",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "a,b;c",
    "back\\slash\\u0041",
    "{pid} %s ${x} {{y}}",
    "url(javascript:alert(1))",
    "日本語の名前",
    "e\u{301}🧵",
    "",
];

/// Each hostile text as the name of everything that has one.
pub fn hostile() -> Vec<Case> {
    let case = |(number, text): (usize, &&str)| {
        let mut case = scene();
        case.name = format!("hostile-{number}");
        case.title = text.to_string();
        case.cast.threads.values_mut().enumerate().for_each(|(n, actor)| actor.name = format!("{text}{n}"));
        case.cast.processes.values_mut().enumerate().for_each(|(n, name)| *name = format!("{text}{n}"));
        case.cast.gils.values_mut().for_each(|name| *name = text.to_string());
        case.cast.locks.values_mut().for_each(|name| *name = text.to_string());
        case
    };
    HOSTILE.iter().enumerate().map(case).collect()
}
