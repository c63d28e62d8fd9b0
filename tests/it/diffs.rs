//! `diff`: a case worked by hand for each class, what follows from what, and laws that hold for all models.

use std::fs;

use gilsim::analysis::diff::{Class, Comparison, Ignore, WaitChange, Waits};
use gilsim::model::{self, Options, Source};
use gilsim::render::{self, DiffReport, DiffSide, JsonLines, Style};
use gilsim::rng;
use gilsim::study::{Told, scenario_digest, simulate};
use gilsim::time::Span;
use gilsim::trace::{Cast, Facts, Nobody};

use crate::models::{models, root};

fn told(yaml: &str, sets: &[&str], variant: Option<&str>) -> Told {
    let sets: Vec<String> = sets.iter().map(|set| set.to_string()).collect();
    let source = Source { name: "model".into(), text: yaml.into() };
    let options = Options { variant, sets: &sets, ..Options::default() };
    let scenario = model::load(&source, &options).unwrap_or_else(|errors| panic!("{errors:?}")).scenario;
    let facts = Facts::of(&scenario, scenario_digest(&scenario).hex(), variant.map(str::to_string), rng::VERSION);
    Told::by_model(&scenario, facts, Nobody)
}

fn compared(a: &Told, b: &Told) -> Comparison {
    a.against(b, &Ignore::default())
}

/// The classes of the causes, each with how often it occurs.
fn causes(comparison: &Comparison) -> Vec<(Class, u64)> {
    comparison.differences.iter().map(|difference| (difference.class, difference.times)).collect()
}

fn report(a: &Told, b: &Told, comparison: &Comparison, style: Style) -> String {
    let side = |name: &'static str, told| side(name, told);
    let mut text = String::new();
    let report = DiffReport { a: side("a.yaml", a), b: side("b.yaml", b), comparison };
    render::diff_text(&mut text, &report, style).expect("a string takes everything");
    text
}

fn side<'t>(name: &'t str, told: &'t Told) -> DiffSide<'t> {
    DiffSide {
        name,
        facts: &told.facts,
        cast: &told.cast,
        lanes: &told.lanes,
        digest: told.digest,
        records: told.track.len() as u64,
    }
}

fn model_text(name: &str) -> String {
    fs::read_to_string(root().join("models").join(name)).expect("a model")
}

/// One thread: 3 ms of work, 2 ms of I/O, 4 ms of work, a line, 1 ms of work.
const ONE: &str = "
name: one
threads:
  a:
    do: [{cpu: 3ms}, {io: 2ms}, {cpu: 4ms}, {print: hello}, {cpu: 1ms}]
";

#[test]
fn longer_io_moves_everything_after_it() {
    let comparison = compared(&told(ONE, &[], None), &told(ONE, &["threads.a.do.1.io=3ms"], None));
    assert_eq!(causes(&comparison), [(Class::Longer, 1)]);
    let difference = &comparison.differences[0];
    // In A the I/O of 3..5 ms ends at 5 ms, in B at 6 ms. After it: the take of the GIL at that instant, the line, the drop,
    // the exit, the account, the end of the thread and of the run: all of them only later.
    let a = difference.a.moment.as_ref().expect("in both");
    assert_eq!(
        (a.record.at.ns(), difference.b.moment.as_ref().expect("in both").record.at.ns()),
        (5_000_000, 6_000_000)
    );
    assert!(difference.follows[Class::Moved as usize] >= 4, "{:?}", difference.follows);
    assert_eq!(difference.follows[Class::New as usize] + difference.follows[Class::Gone as usize], 0);
    let back = compared(&told(ONE, &["threads.a.do.1.io=3ms"], None), &told(ONE, &[], None));
    assert_eq!(causes(&back), [(Class::Shorter, 1)]);
}

#[test]
fn more_work_is_longer_and_less_is_shorter() {
    let (base, more) = (told(ONE, &[], None), told(ONE, &["threads.a.do.2.cpu=5ms"], None));
    assert_eq!(causes(&compared(&base, &more)), [(Class::Longer, 1)]);
    assert_eq!(causes(&compared(&more, &base)), [(Class::Shorter, 1)]);
}

#[test]
fn a_step_too_many_is_new_and_one_too_few_is_gone() {
    let (base, more) =
        (told(ONE, &[], None), told(&ONE.replace("{print: hello}", "{print: hello}, {print: again}"), &[], None));
    assert_eq!(causes(&compared(&base, &more)), [(Class::New, 1)]);
    assert_eq!(causes(&compared(&more, &base)), [(Class::Gone, 1)]);
    let nothing_moved = compared(&base, &more).differences[0].consequences();
    assert_eq!(nothing_moved, 0, "a line takes no time");
}

#[test]
fn a_later_arrival_is_moved() {
    let late = ONE.replace("  a:\n", "  a:\n    at: 1ms\n");
    let comparison = compared(&told(ONE, &[], None), &told(&late, &[], None));
    assert_eq!(causes(&comparison), [(Class::Moved, 1)]);
}

#[test]
fn lines_that_change_places_are_reordered() {
    let two = ONE.replace("{print: hello}", "{print: one}, {print: two}");
    let turned = ONE.replace("{print: hello}", "{print: two}, {print: one}");
    let comparison = compared(&told(&two, &[], None), &told(&turned, &[], None));
    assert_eq!(causes(&comparison), [(Class::Reordered, 1)]);
}

/// Two threads on two cores, pinned; in B they have changed cores.
const PINNED: &str = "
name: pinned
machine: {cores: 2}
threads:
  a: {affinity: [0], do: [{native: 5ms}]}
  b: {at: 1ms, affinity: [1], do: [{native: 3ms}]}
";

#[test]
fn another_core_is_no_difference_where_placement_is_ignored() {
    let (a, b) = (
        told(PINNED, &[], None),
        told(&PINNED.replace("[0]", "[2]").replace("[1]", "[0]").replace("[2]", "[1]"), &[], None),
    );
    let comparison = compared(&a, &b);
    assert!(!comparison.is_same());
    assert!(
        comparison.differences.iter().all(|difference| difference.class == Class::OtherCore),
        "{:?}",
        causes(&comparison)
    );
    let ignored = a.against(&b, &Ignore { placement: true, ..Ignore::default() });
    assert!(ignored.is_same() && ignored.ignored > 0, "{:?}", causes(&ignored));
    assert!(report(&a, &b, &ignored, Style::default()).starts_with("The same timeline, but for"));
}

#[test]
fn small_shifts_can_be_ignored_absolutely_or_by_percent() {
    let (a, b) = (told(ONE, &[], None), told(ONE, &["threads.a.do.1.io=2010us"], None));
    // 10 us of 5 ms are 0.2 %.
    let same = |ignore: Ignore| a.against(&b, &ignore).is_same();
    assert!(!same(Ignore::default()));
    assert!(!same(Ignore { millionths: 1_000, ..Ignore::default() }));
    assert!(same(Ignore { millionths: 10_000, ..Ignore::default() }));
    assert!(!same(Ignore { span: Span::from_us(10), ..Ignore::default() }));
    assert!(same(Ignore { span: Span::from_us(11), ..Ignore::default() }));
}

#[test]
fn another_result_is_another_reason() {
    // The deadlock of this model does not happen where the switch interval is longer.
    let text = model_text("sync/deadlock.yaml");
    let (a, b) = (told(&text, &[], None), told(&text, &[], Some("long-interval")));
    let comparison = compared(&a, &b);
    assert!(
        report(&a, &b, &comparison, Style::default())
            .starts_with("A ends with a deadlock, B with all threads finished")
    );
    assert_eq!(comparison.setup.len(), 1, "{:?}", comparison.setup);
    assert_eq!(causes(&comparison).len(), 1, "{:?}", causes(&comparison));
}

/// Two threads that share a GIL, each 250 times work and I/O: some 100,000 events with `max` rounds.
fn long(rounds: u32, inserted: &str) -> String {
    format!(
        "
name: long
machine: {{cores: 2}}
threads:
  a:
    do:
      - repeat: {half}
        do: [{{cpu: 3ms}}, {{io: 2ms}}]
{inserted}
      - repeat: {half}
        do: [{{cpu: 3ms}}, {{io: 2ms}}]
  b:
    do: [{{repeat: {rounds}, do: [{{cpu: 7ms}}, {{io: 1ms}}]}}]
",
        half = rounds / 2
    )
}

#[test]
fn one_inserted_millisecond_among_100_000_records_is_one_difference() {
    for inserted in ["      - cpu: 1ms", "      - io: 1ms", "      - sleep: 1ms", "      - native: 1ms"] {
        let rounds = if inserted.contains("cpu") { 12_000 } else { 800 };
        let (a, b) = (told(&long(rounds, ""), &[], None), told(&long(rounds, inserted), &[], None));
        assert!(rounds < 12_000 || a.track.len() > 100_000, "{} records", a.track.len());
        let comparison = compared(&a, &b);
        assert_eq!(comparison.differences.len(), 1, "{inserted}: {:?}", causes(&comparison));
        let difference = &comparison.differences[0];
        assert_eq!(difference.times, 1, "{inserted}");
        assert!(difference.consequences() > a.track.len() as u64 / 4, "{inserted}: {}", difference.consequences());
        // It is found where it was inserted: after half of the rounds of a.
        let at = difference.a.moment.as_ref().or(difference.b.moment.as_ref()).expect("some record").record.at;
        let end =
            a.metrics.threads.values().map(|thread| thread.finish.expect("finished").ns()).max().expect("threads");
        assert!(at.ns() > end / 4 && at.ns() < end, "{inserted}: {at}");
    }
}

#[test]
fn two_changes_of_one_thread_are_two_differences_and_the_same_in_a_loop_is_one() {
    let two = told(ONE, &["threads.a.do.1.io=3ms", "threads.a.do.4.cpu=2ms"], None);
    let comparison = compared(&told(ONE, &[], None), &two);
    assert_eq!(causes(&comparison), [(Class::Longer, 1), (Class::Longer, 1)]);
    let looped = long(20, "");
    let longer = looped.replace("io: 2ms", "io: 3ms");
    let comparison = compared(&told(&looped, &[], None), &told(&longer, &[], None));
    assert_eq!(causes(&comparison), [(Class::Longer, 20)]);
}

#[test]
fn threads_against_processes() {
    let (a, b) =
        (told(&model_text("threads-cpu-12.yaml"), &[], None), told(&model_text("processes-cpu-12.yaml"), &[], None));
    let comparison = compared(&a, &b);
    assert_eq!(comparison.verdict.waits, WaitChange::Moved(Waits::Gil, Waits::Cores));
    assert_eq!(comparison.differences.len(), 1, "{:?}", causes(&comparison));
    let text = report(&a, &b, &comparison, Style { width: 200, ..Style::default() });
    let first = "B is 4.00 times faster: the wait moved from the GIL to the cores, because 12 GILs let 4 threads run Python \
                 at once, and one only one thread. Next limit: the cores (4).";
    assert_eq!(text.lines().next(), Some(first));
    let back = compared(&b, &a);
    assert_eq!(back.verdict.waits, WaitChange::Moved(Waits::Cores, Waits::Gil));
}

/// diff(a, a) is empty; diff(a, b) and diff(b, a) mirror each other; stored timelines compare as their models do.
#[test]
fn laws_of_all_models_and_variants() {
    for name in models() {
        let text = model_text(&name);
        let base = told(&text, &[], None);
        assert!(compared(&base, &base).is_same() && compared(&base, &base).ignored == 0, "{name}");
        assert!(report(&base, &base, &compared(&base, &base), Style::default()).starts_with("The same timeline: "));
        let source = Source { name: "model".into(), text: text.clone() };
        for variant in model::load(&source, &Options::default()).expect("a model").variants {
            let other = told(&text, &[], Some(&variant.name));
            let (there, back) = (compared(&base, &other), compared(&other, &base));
            assert_eq!(there.is_same(), back.is_same(), "{name} {}", variant.name);
            assert_eq!(there.is_same(), base.equals(&other), "{name} {}", variant.name);
            let all = |comparison: &Comparison| -> u64 {
                comparison.differences.iter().map(|difference| difference.times + difference.consequences()).sum()
            };
            assert_eq!(all(&there) > 0, all(&back) > 0);
            for (forth, back) in there.rows.iter().zip(&back.rows) {
                assert_eq!((forth.a, forth.b), (back.b, back.a), "{name} {}", variant.name);
            }
        }
    }
}

#[test]
fn a_stored_timeline_compares_as_its_model_does() {
    let text = model_text("gil/convoy.yaml");
    let stored = |variant| {
        let source = Source { name: "model".into(), text: text.clone() };
        let scenario = model::load(&source, &Options { variant, ..Options::default() }).expect("a model").scenario;
        let facts = Facts::of(&scenario, scenario_digest(&scenario).hex(), variant.map(str::to_string), rng::VERSION);
        let cast = Cast::of(&scenario);
        let mut lines = JsonLines::new(&cast, &facts, Vec::new());
        simulate(&scenario, &mut lines);
        Told::by_timeline(&lines.finish().expect("a vector")[..], Nobody).expect("a timeline")
    };
    let (a, b) = (stored(None), stored(Some("short-interval")));
    let models = (told(&text, &[], None), told(&text, &[], Some("short-interval")));
    assert_eq!(compared(&a, &b), compared(&models.0, &models.1));
    assert!(compared(&a, &models.0).is_same() && a.equals(&models.0));
    assert_eq!(a.metrics, models.0.metrics);
    assert_eq!(a.lanes, models.0.lanes);
}

#[test]
fn reports_fit_narrow_pages_and_nothing_in_them_acts_on_a_terminal() {
    let hostile = ONE.replace("name: one", "name: \"\\e[31m\\u202eevil\"").replace("hello", "\"\\e]0;x\\a\"");
    let more = hostile.replace("print: \"", "print: \"more ");
    let (a, b) = (told(&hostile, &[], None), told(&more, &[], None));
    for (width, ascii) in [(40, true), (40, false), (61, false), (200, true)] {
        let text = report(&a, &b, &compared(&a, &b), Style { width, ascii, ..Style::default() });
        assert!(text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
        let acts = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
        assert!(!text.chars().any(acts), "{text}");
    }
}

#[test]
fn json_says_the_same() {
    let (a, b) = (told(ONE, &[], None), told(ONE, &["threads.a.do.1.io=3ms"], None));
    let comparison = compared(&a, &b);
    let mut text = String::new();
    let report = DiffReport { a: side("a.yaml", &a), b: side("b.yaml", &b), comparison: &comparison };
    render::diff_json(&mut text, &report).expect("a string takes everything");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&json["same"], &json["differences"][0]["class"]), (&false.into(), &"longer".into()));
    assert_eq!(json["changed"][0], serde_json::json!({"metric": "makespan", "a_ns": 10_000_000, "b_ns": 11_000_000}));
    assert_eq!(json["differences"][0]["a"]["record"]["t"], 5_000_000);
    assert_eq!(json["differences"][0]["consequences"], json["consequences"]);
}
