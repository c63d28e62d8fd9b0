//! Timelines written by hand, with their differences counted by hand.

use super::*;
use crate::analysis::play::{Play, cast};
use crate::analysis::{Meter, Metrics};
use crate::trace::{Cast, Ending, SEMANTICS, State, Why};

fn facts() -> Facts {
    Facts {
        name: "play".into(),
        about: None,
        digest: "00".into(),
        variant: None,
        seed: 1,
        profile: "ideal".into(),
        provenance: "simulated",
        semantics: SEMANTICS,
        streams: "none".into(),
        intervals: vec![Span::from_ms(5)],
        free_threaded: false,
    }
}

fn watched(cast: &Cast, play: &Play) -> (Metrics, Track) {
    let (mut meter, mut track) = (Meter::new(cast), Track::default());
    play.watched_by(&mut (&mut meter, &mut track));
    (meter.finish(), track)
}

fn compared(a: &Play, b: &Play, ignore: Ignore) -> Comparison {
    let (cast, facts) = (cast(4, &["a", "b"]), facts());
    let (of_a, of_b) = (watched(&cast, a), watched(&cast, b));
    fn run<'r>(cast: &'r Cast, facts: &'r Facts, of: &'r (Metrics, Track)) -> Run<'r> {
        Run { facts, cast, metrics: &of.0, track: &of.1 }
    }
    compare(&run(&cast, &facts, &of_a), &run(&cast, &facts, &of_b), &ignore)
}

/// Class, times and number of consequences of each cause.
fn causes(comparison: &Comparison) -> Vec<(Class, u64, u64)> {
    comparison.differences.iter().map(|found| (found.class, found.times, found.consequences())).collect()
}

fn diff(a: &Play, b: &Play) -> Vec<(Class, u64, u64)> {
    causes(&compared(a, b, Ignore::default()))
}

/// a works until `until`; b waits for a lock until then, works for 3 ms and has I/O of `io`.
fn handed(until: u64, io: u64) -> Play {
    let mut play = Play::default();
    play.python(0, 0).off(1, State::Lock); // 0, 1
    play.at(until).off(0, State::Done).because(0); // 2
    play.state(1, State::Python, Some(1), Why::LockHandedOver).because(2); // 3
    play.at(until + 3).off(1, State::Io).because(3); // 4
    play.at(until + 3 + io).off(1, State::Done).because(4).end(Ending::Finished); // 5, 6
    play
}

#[test]
fn what_a_differing_record_causes_follows_from_it() {
    // a ends 1 ms later. It follows: b gets the lock later (a longer wait), its I/O begins and ends later, so does the run.
    assert_eq!(diff(&handed(5, 2), &handed(6, 2)), [(Class::Longer, 1, 4)]);
    assert_eq!(diff(&handed(6, 2), &handed(5, 2)), [(Class::Shorter, 1, 4)]);
    assert_eq!(diff(&handed(5, 2), &handed(5, 2)), []);
}

#[test]
fn a_step_of_another_length_in_a_thread_that_is_late_already_is_a_cause_of_its_own() {
    // As before, and b's I/O takes 1 ms longer: its end is no consequence any more, the end of the run follows from the first.
    assert_eq!(diff(&handed(5, 2), &handed(6, 3)), [(Class::Longer, 1, 3), (Class::Longer, 1, 0)]);
    assert_eq!(diff(&handed(5, 2), &handed(5, 3)), [(Class::Longer, 1, 1)]);
}

/// I/O of these lengths begins every 10 ms, and the next work begins with the next 10 ms.
fn regular(lengths: &[u64]) -> Play {
    let mut play = Play::default();
    for (round, length) in lengths.iter().enumerate() {
        let at = round as u64 * 10;
        play.at(at).python(0, 0);
        play.at(at + 2).off(0, State::Io);
        play.at(at + 2 + length).off(0, State::Sleep);
    }
    play.at(100).off(0, State::Done).end(Ending::Finished);
    play
}

#[test]
fn whoever_is_in_step_again_can_be_late_anew_and_the_same_cause_is_counted() {
    // Rounds two and four are longer; the sleep up to the next round takes up the slack.
    let (a, b) = (regular(&[1, 1, 1, 1]), regular(&[1, 3, 1, 3]));
    let comparison = compared(&a, &b, Ignore::default());
    // I/O longer twice; of the sleeps that follow each is shorter, as the record that ends it says.
    assert_eq!(comparison.differences[0].class, Class::Longer);
    assert_eq!(comparison.differences[0].times, 2);
    assert_eq!(comparison.differences.len(), 1, "{:?}", causes(&comparison));
    assert_eq!(comparison.differences[0].follows[Class::Shorter as usize], 2);
}

#[test]
fn grants_that_overtake_each_other_are_reordered() {
    let grants = |first: u32, second: u32| {
        let mut play = Play::default();
        play.off(0, State::WantsGil).off(1, State::WantsGil);
        play.at(1).grant(first).python(first, 0);
        play.at(3).gil(first, crate::trace::GilAct::Drop { forced: false }).off(first, State::Io);
        play.grant(second).python(second, 1);
        play.at(5).off(second, State::Io).end(Ending::Horizon);
        play
    };
    let classes: Vec<Class> = diff(&grants(0, 1), &grants(1, 0)).into_iter().map(|(class, ..)| class).collect();
    let comparison = compared(&grants(0, 1), &grants(1, 0), Ignore::default());
    let all: u64 = comparison.differences.iter().map(|found| found.follows[Class::Reordered as usize]).sum();
    assert!(all + classes.iter().filter(|class| **class == Class::Reordered).count() as u64 >= 1, "{classes:?}");
}

#[test]
fn reasons_and_cores_are_compared() {
    let once = |why: Why, core: u32| {
        let mut play = Play::default();
        play.state(0, State::Python, Some(core), why);
        play.at(4).off(0, State::Done).end(Ending::Finished);
        play
    };
    assert_eq!(diff(&once(Why::Dispatched, 0), &once(Why::Step, 0)), [(Class::OtherReason, 1, 0)]);
    assert_eq!(diff(&once(Why::Step, 0), &once(Why::Step, 2)), [(Class::OtherCore, 1, 0)]);
    let ignored = compared(&once(Why::Step, 0), &once(Why::Step, 2), Ignore { placement: true, ..Ignore::default() });
    assert!(ignored.is_same());
    assert_eq!(ignored.ignored, 1);
}

#[test]
fn what_only_the_longer_timeline_has_follows_from_the_end_of_the_other() {
    let upto = |rounds: u64| {
        let mut play = Play::default();
        for round in 0..rounds {
            play.at(round * 2).python(0, 0);
            play.at(round * 2 + 1).off(0, State::Runnable);
        }
        play.end(Ending::Horizon);
        play
    };
    // The third timeline has one round more: two records. The end comes later, and both follow from that.
    assert_eq!(diff(&upto(2), &upto(3)), [(Class::Moved, 1, 2)]);
    assert_eq!(diff(&upto(3), &upto(2)), [(Class::Moved, 1, 2)]);
}

#[test]
fn another_ending_at_the_same_time_is_another_reason() {
    let ends = |ending: Ending| {
        let mut play = Play::default();
        play.python(0, 0).at(5).off(0, State::Done).end(ending);
        play
    };
    assert_eq!(diff(&ends(Ending::Finished), &ends(Ending::Horizon)), [(Class::OtherReason, 1, 0)]);
}

#[test]
fn both_sides_tell_the_difference_with_its_causes() {
    let comparison = compared(&handed(5, 2), &handed(6, 2), Ignore::default());
    let (a, b) = (&comparison.differences[0].a, &comparison.differences[0].b);
    let moment = a.moment.as_ref().expect("in A");
    assert_eq!((moment.index, moment.record.at.ns(), moment.record.cause), (2, 5_000_000, Some(0)));
    assert_eq!(moment.during.map(|(state, since)| (state, since.ns())), Some((State::Python, 0)));
    assert_eq!(a.causes.iter().map(|cause| cause.index).collect::<Vec<_>>(), [0]);
    assert_eq!(b.moment.as_ref().map(|moment| moment.record.at.ns()), Some(6_000_000));
}
