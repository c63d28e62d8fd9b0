//! Whole reports, read as a user reads them, a program reads them, and a terminal reads them.

mod data;

use serde_json::Value;

use crate::analysis::play::{self, Play};
use crate::analysis::{Checker, Invariants, Lanes, Meter, Metrics, Outcome, Pace, Reason, Sketch, Story, evaluate};
use crate::ids::ThreadId;
use crate::model::expect::{Claim, Comparison, Expectation, Metric, MetricName, Value as Bound};
use crate::ratio::Ratio;
use crate::render::layout::{acts, columns};
use crate::render::*;
use crate::time::{Instant, Span};
use crate::trace::{Cast, Digest, Ending, GilAct, LockAct, State, WaitsFor, Why};

/// Everything of one run.
struct Scene {
    cast: Cast,
    facts: Facts,
    metrics: Metrics,
    lanes: Lanes,
    invariants: Invariants,
    outcomes: Vec<Outcome>,
    changes: Vec<Change>,
    hints: Vec<String>,
    events: Vec<String>,
    digest: Digest,
    excerpt: String,
}

fn scene(cast: Cast, play: &Play, name: &str, expectations: &[Expectation]) -> Scene {
    let facts = Facts {
        name: name.into(),
        about: None,
        digest: "0123456789abcdef".into(),
        variant: None,
        seed: 1,
        profile: "ideal".into(),
        provenance: "simulated",
        semantics: crate::trace::SEMANTICS,
        streams: "chacha8/v1".into(),
        intervals: vec![Span::from_ms(5); cast.gils.len()],
        free_threaded: cast.gils.is_empty(),
    };
    let mut digest = Digest::default();
    let mut lines = JsonLines::new(&cast, &facts, Vec::new());
    let mut all = (Meter::new(&cast), (Sketch::new(&cast, 1000), Checker::new(&cast)));
    let mut excerpt = Excerpt::new(&cast);
    play.watched_by(&mut (&mut all, (&mut lines, (&mut digest, &mut excerpt))));
    let (metrics, lanes) = (all.0.finish(), all.1.0.finish());
    let invariants = all.1.1.finish(Some((&metrics, &lanes)));
    let outcomes = evaluate(&cast, &metrics, expectations);
    let events = String::from_utf8(lines.finish().unwrap()).unwrap().lines().map(String::from).collect();
    let mut scene = Scene {
        facts,
        outcomes,
        changes: Vec::new(),
        hints: vec!["gilsim explain models/threads-cpu-12.yaml waster-2 --at 30ms".into()],
        excerpt: String::new(),
        cast: cast.clone(),
        metrics,
        lanes,
        invariants,
        events,
        digest,
    };
    let mut text = String::new();
    snapshot(&mut text, &scene.report(), &excerpt).unwrap();
    scene.excerpt = text;
    scene
}

impl Scene {
    fn report(&self) -> Report<'_> {
        Report {
            facts: &self.facts,
            cast: &self.cast,
            metrics: &self.metrics,
            lanes: &self.lanes,
            outcomes: &self.outcomes,
            invariants: &self.invariants,
            changes: &self.changes,
            hints: &self.hints,
            events: 1234,
            digest: self.digest,
        }
    }

    fn text(&self, style: Style) -> String {
        let mut out = String::new();
        text(&mut out, &self.report(), style).unwrap();
        out
    }

    fn ascii(&self) -> String {
        self.text(Style { ascii: true, ..Style::default() })
    }

    fn json(&self) -> Value {
        let mut out = String::new();
        json(&mut out, &self.report()).unwrap();
        assert!(!out.chars().any(|c| acts(c) && c != '\n'));
        serde_json::from_str(&out).unwrap()
    }
}

fn expect(text: &str, name: MetricName, bound: Span, because: Option<&str>) -> Expectation {
    let metric = Metric { name, selector: (name == MetricName::Finish).then(|| "*".to_string()) };
    let (op, value) = (Comparison::Equal(None), Bound::Time(bound));
    let claim = Claim::Metric { aggregate: None, metric, op, value };
    Expectation { text: text.into(), because: because.map(String::from), claim }
}

fn wasters(expectations: &[Expectation]) -> Scene {
    let (cast, play) = play::wasters(12);
    scene(cast, &play, "12 CPU wasters as threads", expectations)
}

/// Exactly the report of the page on teaching, but for the GIL's row, which names threads by `1` … `9`, `a` … and says so.
#[test]
fn twelve_wasters_as_text() {
    let mut scene = wasters(&[expect("makespan == 600ms", MetricName::Makespan, Span::from_ms(600), None)]);
    scene.hints.push("gilsim diff models/threads-cpu-12.yaml models/processes-cpu-12.yaml".into());
    let expected = "\
12 CPU wasters as threads                         4 cores, one GIL, interval 5ms

Finished after 600ms. The work is 600ms, so four cores gave no speed-up at all.
Why: 1 thread at a time may run Python code (max_in_python = 1).

              0ms       100ms     200ms     300ms     400ms     500ms     600ms
waster-1      #.....#.....#.....#.....#.....#.....#.....#.....#.....#
waster-2      #.....#.....#.....#.....#.....#.....#.....#.....#.....#
waster-3      .#.....#.....#.....#.....#.....#.....#.....#.....#.....#
waster-4      .#.....#.....#.....#.....#.....#.....#.....#.....#.....#
  ... 7 more like these (--all) ...
waster-12     .....#.....#.....#.....#.....#.....#.....#.....#.....#.....#
GIL           13579b13579b13579b13579b13579b13579b13579b13579b13579b13579b
core 0-3      average 1.0 of 4 busy
              # runs Python   . waits for the GIL   1 column = 10ms
              GIL: 1..c waster-1..waster-12

thread        finished  ran    waits GIL  waits core  share of life waiting
waster-1      545ms     50ms   495ms      0ms         91%
waster-12     600ms     50ms   550ms      0ms         92%
all 12        600ms     600ms  6270ms     0ms         91%

expectations  1 of 1 hold        invariants  9 of 9 hold        seed 1
next: gilsim explain models/threads-cpu-12.yaml waster-2 --at 30ms
      gilsim diff models/threads-cpu-12.yaml models/processes-cpu-12.yaml
";
    assert_eq!(scene.ascii(), expected);
}

/// The last lines of a report, from the first one that begins with `from` on.
fn tail(text: &str, from: &str) -> String {
    text.lines().skip_while(|line| !line.starts_with(from)).collect::<Vec<_>>().join("\n")
}

#[test]
fn failures_changes_and_broken_invariants() {
    let because = Some("one after the other");
    let mut scene = wasters(&[
        expect("makespan == 500ms", MetricName::Makespan, Span::from_ms(500), because),
        expect("finish(*) == 545ms", MetricName::Finish, Span::from_ms(545), None),
    ]);
    let change = |what: &str, ms, ending, command: Option<&str>| Change {
        what: what.into(),
        makespan: Span::from_ms(ms),
        ending,
        work: Span::from_ms(4000),
        command: command.map(String::from),
    };
    scene.changes = vec![
        change("it were free-threaded", 150, "finished", Some("--what-if x")),
        change("the cores were 8", 600, "finished", Some("a command that is much too long for this page")),
        change("the interval were 1us", 1200, "finished", None),
        change("a lock were taken twice", 3, "deadlock", None),
        change("it were endless", 1000, "horizon", None),
    ];
    scene.hints.clear();
    let mut play = Play::default();
    play.at(2).python(0, 0).python(1, 0).at(3).end(Ending::Horizon);
    let mut checker = Checker::new(&scene.cast);
    play.watched_by(&mut checker);
    scene.invariants = checker.finish(None);
    let expected = "\
would it change if ...     finished after
  it were free-threaded    150ms           4.00 times faster      --what-if x
  the cores were 8         600ms           the same
  the interval were 1us    1200ms          2.00 times slower
  a lock were taken twice  deadlock 3ms
  it were endless          work 4000ms

expectations  0 of 2 hold        invariants  6 of 8 hold        seed 1
FAILED  makespan == 500ms
        600ms, 100ms more than 500ms
        because one after the other
FAILED  finish(*) == 545ms
        waster-12: 600ms, 55ms more than 545ms (all: 545ms … 600ms)
BROKEN  invariant 1 at 2ms: core 0 runs waster-1 and waster-2 at the same time
BROKEN  invariant 3 at 2ms: waster-1 runs Python, but its GIL is held by nobody";
    assert_eq!(tail(&scene.ascii(), "would"), expected);
    // 52 columns: 18 of "2.00 times slower" and its distance, 18 of the result, and what is left for the name.
    let narrow = scene.text(Style { width: 52, ascii: true, ..Style::default() });
    assert!(narrow.contains("  the interval...  1200ms          2.00 times slower\n"), "{narrow}");
}

#[test]
fn a_narrow_page_leaves_columns_out_whole() {
    let text = wasters(&[]).text(Style { width: 40, ascii: true, ..Style::default() });
    let table: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("thread")).take(4).collect();
    let expected = [
        "thread        finished  ran    waits GIL",
        "waster-1      545ms     50ms   495ms",
        "waster-12     600ms     50ms   550ms",
        "all 12        600ms     600ms  6270ms",
    ];
    assert_eq!(table, expected);
}

/// Two native processes on two cores.
#[test]
fn native_processes_have_no_gil() {
    let mut cast = play::free_threaded(play::cast(2, &["codec-1", "codec-2"]), (1, 1));
    cast.processes = ["codec-1", "codec-2"].map(String::from).into_iter().collect();
    cast.process_groups = [None, None].into_iter().collect();
    cast.threads[ThreadId(1)].process = crate::ids::ProcId(1);
    let mut play = Play::default();
    for thread in [0, 1] {
        play.state(thread, State::Native, Some(thread), Why::Dispatched);
    }
    play.at(10).account(0, 0, 10, true).account(1, 0, 10, true).off(0, State::Done).off(1, State::Done);
    play.end(Ending::Finished);
    let mut scene = scene(cast, &play, "codecs", &[]);
    scene.facts.free_threaded = false;
    let text = scene.ascii();
    let first: Vec<&str> = text.lines().take(4).collect();
    assert!(first[0].starts_with("codecs ") && first[0].ends_with(" 2 cores, no GIL"));
    assert_eq!(first[2], "Finished after 10ms. The work is 20ms: two cores made it 2.0 times faster.");
    assert_eq!(first[3], "Why: codec-2 ran for all of its 10ms: its own work is the limit.");
    assert!(!text.contains("waits GIL") && text.contains("expectations  none"));
}

#[test]
fn a_deadlock_is_told_in_words() {
    let cast = play::cast(2, &["left", "right"]);
    let mut play = Play::default();
    play.at(0).grant(0).python(0, 0).lock(0, LockAct::Acquire).off(1, State::WantsGil);
    play.at(1).gil(0, GilAct::Drop { forced: false }).grant(1).off(0, State::Lock).python(1, 1);
    play.at(2).gil(1, GilAct::Drop { forced: false }).off(1, State::Join);
    let waits = |thread, what: &str, holder| WaitsFor { thread: ThreadId(thread), what: what.into(), holder };
    let cycle = vec![
        waits(0, "lock database", Some(ThreadId(1))),
        waits(1, "the end of main/left", Some(ThreadId(0))),
        waits(1, "lock own", Some(ThreadId(1))),
    ];
    play.account(0, 1, 0, false).account(1, 1, 0, false).end(Ending::Deadlock { cycle });
    let scene = scene(cast, &play, "deadlock", &[]);
    let text = scene.ascii();
    let told: Vec<&str> = text.lines().skip(2).take(5).collect();
    let expected = [
        "Deadlock after 2ms: nobody can ever go on. 0 of 2 threads had ended, 2ms of work",
        "were done.",
        "  left waits for lock database, held by right",
        "  right waits for the end of main/left",
        "  right waits for lock own, which it holds itself",
    ];
    assert_eq!(told, expected);
    let ending = &scene.json()["ending"];
    assert_eq!((&ending["kind"], &ending["at_ns"]), (&"deadlock".into(), &2_000_000.into()));
    assert_eq!(ending["threads"], serde_json::json!(["main/left", "main/right", "main/right"]));
}

/// The first sentence for every ending.
#[test]
fn every_ending_has_its_sentence() {
    let a = ThreadId(0);
    let endings = [
        (Ending::Horizon, "Stopped at the horizon, 3ms. 0 of 1 thread had ended, 3ms of work were done."),
        (
            Ending::Livelock { threads: vec![a] },
            "Livelock at 3ms: a runs without letting time pass. 0 of 1 thread had ended, 3ms of work were done.",
        ),
        (
            Ending::EventCap { threads: vec![a; 5] },
            "Stopped by the event cap at 3ms (a, a, a and 2 more run). 0 of 1 thread had ended, 3ms of work were done.",
        ),
        (
            Ending::EventCap { threads: vec![] },
            "Stopped by the event cap at 3ms. 0 of 1 thread had ended, 3ms of work were done.",
        ),
        (
            Ending::ModelError { code: "E204", thread: a, detail: "it does not hold the lock".into() },
            "Error E204 at 3ms in a: it does not hold the lock. 0 of 1 thread had ended, 3ms of work were done.",
        ),
    ];
    for (ending, sentence) in endings {
        let mut play = Play::default();
        play.at(0).grant(0).python(0, 0).at(3).account(0, 3, 0, false).end(ending);
        let scene = scene(play::cast(1, &["a"]), &play, "m", &[]);
        let text = scene.text(Style { width: 200, ..Style::default() });
        assert_eq!(text.lines().nth(2), Some(sentence));
    }
    let mut play = Play::default();
    play.at(0).grant(0).python(0, 0).at(3).output(0, "still here");
    let text = scene(play::cast(1, &["a"]), &play, "m", &[]).text(Style { width: 200, ..Style::default() });
    let sentence = "Interrupted at 3ms: this is only a part. 0 of 1 thread had ended, 0ms of work was done.";
    assert_eq!(text.lines().nth(2), Some(sentence));
}

/// Every reason has its sentence.
#[test]
fn reasons_in_words() {
    let scene = wasters(&[]);
    let (thread, life, half) = (ThreadId(1), Span::from_ms(20), Span::from_ms(10));
    let say = |reason: Reason| crate::render::words::reason(&scene.report(), &reason);
    let gil = |at_once, gils| Reason::Gil { thread, waited: half, life, at_once, gils };
    let each = "each GIL lets 1 thread at a time run Python code; waster-2 waited 10ms of its 20ms for its GIL.";
    let cases = [
        (gil(1, 1), "1 thread at a time may run Python code (max_in_python = 1)."),
        // Free-threaded processes beside one with a GIL.
        (gil(3, 1), each),
        (gil(2, 2), each),
        (
            Reason::Convoy { thread, waits: 20, typical: Span::from_ms(5), total: half, life },
            "waster-2 waits for the GIL each time it comes back: 20 times, 5ms as a rule, 10ms of its 20ms.",
        ),
        (
            Reason::KeepsGil { thread, time: half },
            "native code that does not let go of the GIL: waster-2 kept it for 10ms.",
        ),
        (
            Reason::Stalled { time: half },
            "threads that held a GIL waited 10ms for a core, and their interpreters stood still.",
        ),
        (
            Reason::Cores { thread, waited: life, life, busy: Ratio::new(7, 2) },
            "twelve threads share four cores (3.5 busy on average); waster-2 waited all of its 20ms for one.",
        ),
        (
            Reason::State { thread, state: State::StartUp, time: half, life },
            "waster-2 spent 10ms of its 20ms starting up.",
        ),
        (Reason::OwnWork { thread, ran: half, life }, "waster-2 ran for 10ms of its 20ms: its own work is the limit."),
        (Reason::Late { thread, arrival: Instant::from_ns(1_500_000) }, "waster-2 arrived only at 1.5ms."),
    ];
    for (reason, sentence) in cases {
        assert_eq!(say(reason), sentence);
    }
}

/// The first sentence compares the time with the work, for every pace.
#[test]
fn paces_in_words() {
    let scene = wasters(&[]);
    let say = |makespan, work, away, pace| {
        let span = Span::from_ms;
        let (makespan, work, away) = (span(makespan), span(work), span(away));
        let story = Story { makespan, work, away, cores: 4, threads: (12, 12), pace, reasons: Vec::new() };
        crate::render::words::headline(&scene.report(), &story)
    };
    let cases = [
        (say(150, 600, 0, Pace::Faster(Ratio::whole(4))), "The work is 600ms: four cores made it 4.0 times faster."),
        (say(600, 600, 0, Pace::OneCore), "The work is 600ms, on one core."),
        (
            say(660, 600, 0, Pace::Slower(Ratio::new(11, 10))),
            "The work is 600ms, so four cores gave no speed-up: it took 1.1 times as long.",
        ),
        (say(50, 0, 400, Pace::Away(Ratio::whole(8))), "All of it is I/O and sleep: 400ms, all threads together."),
        (
            say(257, 40, 1960, Pace::Away(Ratio::new(2000, 257))),
            "The work is 40ms, I/O and sleep are 1960ms: side by side they were 7.8 times faster than one after the other.",
        ),
        (say(50, 1, 49, Pace::Away(Ratio::ONE)), "The work is 1ms, I/O and sleep are 49ms, one after the other."),
        (
            say(100, 1, 49, Pace::Away(Ratio::new(1, 2))),
            "The work is 1ms, I/O and sleep are 49ms: together less than the 100ms it took.",
        ),
        (say(7, 0, 0, Pace::Nothing), "No thread had any work to do."),
    ];
    for (said, sentence) in cases {
        assert_eq!(said.split_once(". ").unwrap().1, sentence);
    }
}

#[test]
fn a_run_without_anything_is_a_report_too() {
    let mut play = Play::default();
    play.at(0).end(Ending::Finished);
    let mut cast = play::cast(1, &[]);
    cast.processes = crate::ids::IdVec::new();
    let scene = scene(cast, &play, "nothing", &[]);
    assert_eq!(scene.ascii().lines().nth(2), Some("Finished after 0ms. No thread had any work to do."));
    assert_eq!(scene.json()["threads"], serde_json::json!([]));
}

#[test]
fn printed_lines_are_cropped() {
    let mut play = Play::default();
    play.at(0).grant(0).python(0, 0);
    (0..14).for_each(|n| {
        play.at(n).output(0, &format!("line {n} \u{1b}[31m"));
    });
    play.at(20).end(Ending::Horizon);
    let scene = scene(play::cast(1, &["a"]), &play, "m", &[]);
    let text = scene.ascii();
    let lines: Vec<&str> = text.lines().skip_while(|line| *line != "printed").take(13).collect();
    assert_eq!(lines[1], "       0ms  a  line 0 \\u{1b}[31m");
    assert_eq!(
        (lines[10], lines[11], lines[12]),
        ("       9ms  a  line 9 \\u{1b}[31m", "  ... 4 more lines (--all) ...", "")
    );
    let all = scene.text(Style { all: true, ..Style::default() });
    assert!(all.contains("line 13") && !all.contains("more lines"));
}

/// Names, texts and models of every shape, at every width: no line is too wide, and nothing acts on the terminal.
#[test]
fn no_line_is_ever_wider_than_the_page() {
    let nasty = [
        "漢字漢字漢字漢字漢字漢字漢字",
        "\u{1b}]0;owned\u{7}",
        "\u{202e}rtl",
        "e\u{301}\u{301}\u{301}",
        "\u{2764}\u{fe0f}",
    ];
    let long = "x".repeat(300);
    let names: Vec<&str> = nasty.into_iter().chain([long.as_str(), "a-1", "a-2"]).collect();
    let cast = play::cast(64, &names);
    let mut play = Play::default();
    play.at(0).grant(0).state(0, State::NativeGil, Some(0), Why::Step).output(0, &long).output(1, "\u{9b}31m\r\n\t");
    for (thread, state) in (1..8).zip([State::Io, State::Sleep, State::Lock, State::Queue, State::Forced, State::Join])
    {
        play.off(thread, state);
    }
    play.at(1).off(0, State::RunnableGil).at(12_345).end(Ending::Horizon);
    let mut scenes =
        vec![scene(cast, &play, &long, &[expect(&long, MetricName::Finish, Span::from_ms(1), Some(&long))])];
    scenes.push(wasters(&[expect("x", MetricName::Makespan, Span::from_ms(1), Some("\u{1b}[2J"))]));
    for scene in &mut scenes {
        scene.hints.extend([long.clone(), "two words".into()]);
        let (what, command) = (long.clone(), Some(long.clone()));
        scene.changes.push(Change {
            what,
            makespan: Span::from_ms(1),
            ending: "model-error",
            work: Span::ZERO,
            command,
        });
        for (width, all) in (40..=200).flat_map(|width| [(width, false), (width, true)]) {
            let plain = scene.text(Style { width, all, ascii: width % 2 == 0, ..Style::default() });
            for line in plain.lines() {
                assert!(columns(line) <= width, "{width}: {line:?}");
                assert!(!line.chars().any(acts), "{line:?}");
            }
            // Colours double the glyphs: without them the text is the same.
            if width % 10 != 0 {
                continue;
            }
            let coloured = scene.text(Style { width, all, ascii: width % 2 == 0, colour: true, ..Style::default() });
            assert_eq!(without_colours(&coloured), plain);
            assert_ne!(coloured, plain);
        }
    }
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or("", |(_, rest)| rest))
}
