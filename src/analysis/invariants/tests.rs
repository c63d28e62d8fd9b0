//! Every invariant is broken once, by a timeline that is right but for one thing.

use crate::analysis::play::{self, Play};
use crate::analysis::tests::watch;
use crate::analysis::{Checker, Invariants, Verdict};
use crate::ids::{CoreId, GilId, ThreadId};
use crate::time::{Instant, Span};
use crate::trace::{Cast, Ending, GilAct, State, What, Why};

fn check(cast: &Cast, play: &Play) -> Invariants {
    watch(cast, play, 64).2
}

/// Exactly the invariant `number` is broken, at `ms`, and says so.
fn breaks(invariants: &Invariants, number: usize, ms: u64, sentence: &str) {
    let broken: Vec<_> = invariants.broken().collect();
    assert_eq!(broken, [(number, Instant::ZERO + Span::from_ms(ms), sentence)]);
    assert_eq!((invariants.checked(), invariants.hold()), (9, 8));
}

fn free(names: &[&str], cores: usize) -> Cast {
    play::free_threaded(play::cast(cores, names), (1, 1))
}

#[test]
fn a_core_with_two_threads() {
    let cast = free(&["a", "b"], 3);
    let mut play = Play::default();
    play.at(1).python(0, 1).at(2).python(1, 1).at(3).off(1, State::Io);
    play.at(9).end(Ending::Horizon);
    breaks(&check(&cast, &play), 1, 2, "core 1 runs a and b at the same time");
}

#[test]
fn a_gil_with_two_holders() {
    let cast = play::cast(2, &["a", "b"]);
    let mut play = Play::default();
    play.at(0).grant(0).at(4).grant(1).at(5).end(Ending::Horizon);
    breaks(&check(&cast, &play), 2, 4, "b takes the GIL of main, but a holds it");

    let mut play = Play::default();
    play.at(0).grant(0).at(4).gil(1, GilAct::Drop { forced: false }).at(5).end(Ending::Horizon);
    breaks(&check(&cast, &play), 2, 4, "b drops the GIL of main, but does not hold it");
}

#[test]
fn python_without_the_gil() {
    let cast = play::cast(2, &["a", "b"]);
    let mut play = Play::default();
    play.at(0).grant(0).python(0, 0).at(3).python(1, 1).at(5).end(Ending::Horizon);
    breaks(&check(&cast, &play), 3, 3, "b runs Python, but its GIL is held by a");

    // Nobody changes state, but the GIL is gone.
    let mut play = Play::default();
    play.at(0).grant(0).python(0, 0).at(3).gil(0, GilAct::Drop { forced: false }).at(5).end(Ending::Horizon);
    breaks(&check(&cast, &play), 3, 3, "a runs Python, but its GIL is held by nobody");
}

#[test]
fn a_life_with_a_gap() {
    let cast = free(&["a"], 1);
    let mut play = Play::default();
    play.at(0).python(0, 0);
    let (from, to) = (Some(State::Sleep), State::Io);
    play.at(2).add(What::State { thread: ThreadId(0), from, to, core: None, why: Why::IoStarted });
    play.at(5).end(Ending::Horizon);
    breaks(&check(&cast, &play), 4, 2, "a leaves the state sleep, but it was python");

    let mut play = Play::default();
    play.at(0).python(0, 0).at(5).end(Ending::Finished);
    breaks(&check(&cast, &play), 4, 5, "the run is finished, but a has not ended");
}

#[test]
fn work_that_was_not_done() {
    let cast = free(&["a"], 1);
    let end = |play: &mut Play| {
        play.off(0, State::Done).end(Ending::Finished);
    };
    let mut play = Play::default();
    end(play.at(0).python(0, 0).at(5).account(0, 6, 0, true));
    breaks(&check(&cast, &play), 5, 5, "the time that a ran does not make 6ms of work");

    let mut play = Play::default();
    let (python_work, demanded) = (Span::from_ms(5), Span::from_ms(7));
    let account = What::Account { thread: ThreadId(0), python_work, native_work: Span::ZERO, demanded, finished: true };
    end(play.at(0).python(0, 0).at(5).add(account));
    breaks(&check(&cast, &play), 5, 5, "a did 5ms of work, but 7ms were demanded");

    // At half speed with factor 1.25, 10 ms make 10 / 2 / 1.25 = 4 ms.
    let mut cast = play::free_threaded(cast, (5, 4));
    (cast.scale, cast.cores[CoreId(0)]) = (20, 10);
    for (work, holds) in [(4, true), (5, false)] {
        let mut play = Play::default();
        end(play.at(0).python(0, 0).at(10).account(0, work, 0, true));
        assert_eq!(check(&cast, &play).hold() == 9, holds, "{work} ms of work");
    }
}

#[test]
fn more_busy_time_than_cores() {
    // The same core twice: the first invariant sees it as well.
    let cast = free(&["a", "b"], 1);
    let mut play = Play::default();
    play.at(1).python(0, 0).python(1, 0).at(5).end(Ending::Horizon);
    let invariants = check(&cast, &play);
    let numbers: Vec<usize> = invariants.broken().map(|(number, ..)| number).collect();
    assert_eq!(numbers, [1, 6]);
    let (_, _, sentence) = invariants.broken().nth(1).unwrap();
    assert_eq!(sentence, "8000000ns on 1 cores in 4ms");
}

#[test]
fn an_idle_core_while_somebody_waits() {
    let cast = free(&["a", "b"], 2);
    let mut play = Play::default();
    play.at(0).python(0, 0).at(3).off(1, State::Runnable).at(5).end(Ending::Horizon);
    breaks(&check(&cast, &play), 7, 3, "core 1 is idle, but b waits for a core");

    // b may not use core 1: nothing is wasted.
    let mut cast = cast;
    cast.threads[ThreadId(1)].affinity = Some([CoreId(0)].into());
    assert_eq!(check(&cast, &play).hold(), 9);
    cast.threads[ThreadId(1)].affinity = Some([CoreId(0), CoreId(1)].into());
    breaks(&check(&cast, &play), 7, 3, "core 1 is idle, but b waits for a core");
}

#[test]
fn a_free_gil_while_somebody_waits() {
    let cast = play::cast(1, &["a", "b", "c"]);
    let wakes = |way: Option<(State, Why)>| {
        let mut play = Play::default();
        play.at(0).grant(0).python(0, 0).off(1, State::WantsGil).off(2, State::WantsGil);
        play.at(4).gil(0, GilAct::Drop { forced: false }).state(0, State::Native, Some(0), Why::Step);
        if let Some((state, why)) = way {
            play.state(1, state, None, why);
        }
        play.at(6).end(Ending::Horizon);
        check(&cast, &play)
    };
    breaks(&wakes(None), 8, 4, "the GIL of main is free, but b waits for it");
    breaks(&wakes(Some((State::Io, Why::IoStarted))), 8, 4, "the GIL of main is free, but c waits for it");
    // A woken waiter is on its way: the GIL is free meanwhile and may be barged.
    assert_eq!(wakes(Some((State::Runnable, Why::GilSignal))).hold(), 9);
    assert_eq!(wakes(Some((State::Runnable, Why::GilTimeout))).hold(), 9);
}

#[test]
fn whoever_was_interrupted_in_native_code_is_not_on_the_way_to_the_gil() {
    let cast = play::cast(1, &["a", "b", "c"]);
    let mut play = Play::default();
    play.at(0).grant(0).python(0, 0).off(1, State::WantsGil);
    play.at(4).gil(0, GilAct::Drop { forced: false }).off(0, State::Io);
    play.state(1, State::Runnable, None, Why::GilSignal).state(2, State::Native, Some(0), Why::Step);
    play.at(5).state(1, State::WantsGil, None, Why::GilLocked).state(2, State::Runnable, None, Why::QuantumOver);
    play.state(0, State::Native, Some(0), Why::Step);
    play.at(6).end(Ending::Horizon);
    breaks(&check(&cast, &play), 8, 5, "the GIL of main is free, but b waits for it");
}

#[test]
fn a_barged_waiter_parks_again() {
    let cast = play::cast(2, &["a", "b", "c"]);
    let mut play = Play::default();
    play.at(0).grant(0).python(0, 0).off(1, State::WantsGil);
    play.at(4).gil(0, GilAct::Drop { forced: false }).off(0, State::Io).state(1, State::Overhead, Some(1), Why::Waking);
    play.at(5).grant(2).python(2, 0);
    play.at(6).off(1, State::WantsGil);
    play.at(7).gil(2, GilAct::Drop { forced: false }).off(2, State::Io);
    play.at(8).end(Ending::Horizon);
    // At 4 ms all is well: b is on its way. At 7 ms nobody was signalled.
    breaks(&check(&cast, &play), 8, 7, "the GIL of main is free, but b waits for it");
}

#[test]
fn a_table_that_differs_from_the_picture() {
    let cast = play::cast(2, &["a", "b"]);
    let (metrics, lanes, _) = watch(&cast, &play::two_threads(), 64);
    let check = |metrics: &_, lanes: &_| {
        let mut checker = Checker::new(&cast);
        play::two_threads().watched_by(&mut checker);
        checker.finish(Some((metrics, lanes)))
    };
    let mut wrong = metrics.clone();
    wrong.threads[ThreadId(1)].states.add(State::Io, Span::from_ns(1));
    breaks(&check(&wrong, &lanes), 9, 20, "the table and the picture of b differ");
    let mut wrong = metrics.clone();
    wrong.gils[GilId(0)].busy = Span::from_ms(19);
    breaks(&check(&wrong, &lanes), 9, 20, "the table and the picture of the GIL of main differ");
    let mut wrong = metrics.clone();
    wrong.cores[CoreId(1)].busy = Span::from_ms(19);
    breaks(&check(&wrong, &lanes), 9, 20, "the table and the picture of core 1 differ");
}

#[test]
fn without_views_eight_are_checked() {
    let cast = play::cast(2, &["a", "b"]);
    let mut checker = Checker::new(&cast);
    play::two_threads().watched_by(&mut checker);
    let invariants = checker.finish(None);
    assert_eq!((invariants.checked(), invariants.hold()), (8, 8));
    assert_eq!(invariants.0[8], Verdict::Unchecked);
}
