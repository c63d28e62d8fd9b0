use super::*;
use crate::analysis::play::{self, Play};
use crate::analysis::tests::watch;
use crate::ids::IdVec;
use crate::trace::{Ending, GilAct, Why};

fn of(cast: &Cast, play: &Play) -> Story {
    story(cast, &watch(cast, play, 64).0)
}

fn ms(ms: u64) -> Span {
    Span::from_ms(ms)
}

#[test]
fn two_threads_wait_for_the_gil() {
    let story = of(&play::cast(2, &["a", "b"]), &play::two_threads());
    assert_eq!((story.pace, story.threads), (Pace::Same, (2, 2)));
    // b ended last: 10 ms of its 20 ms waiting, and its own work no longer than that.
    let thread = ThreadId(1);
    assert_eq!(story.reasons, [Reason::Gil { thread, waited: ms(10), life: ms(20), at_once: 1, gils: 1 }]);
}

#[test]
fn cores_are_the_limit_without_a_gil() {
    let cast = play::free_threaded(play::cast(2, &["a", "b", "c", "d"]), (1, 1));
    let mut play = Play::default();
    play.at(0).python(0, 0).python(1, 1).off(2, State::Runnable).off(3, State::Runnable);
    play.at(50).account(0, 50, 0, true).account(1, 50, 0, true).off(0, State::Done).off(1, State::Done);
    play.python(2, 0).python(3, 1);
    play.at(100).account(2, 50, 0, true).account(3, 50, 0, true).off(2, State::Done).off(3, State::Done);
    play.end(Ending::Finished);
    let story = of(&cast, &play);
    // 200 ms of work in 100 ms.
    assert_eq!(story.pace, Pace::Faster(Ratio::whole(2)));
    let (thread, busy) = (ThreadId(3), Ratio::whole(2));
    assert_eq!(story.reasons, [Reason::Cores { thread, waited: ms(50), life: ms(100), busy }]);
}

/// Three times: 1 ms of I/O, 5 ms of waiting for the GIL, 1 ms of work. The cruncher is a daemon.
#[test]
fn a_convoy() {
    let mut cast = play::cast(2, &["server", "cruncher"]);
    cast.threads[ThreadId(1)].daemon = true;
    let mut play = Play::default();
    play.at(0).grant(1).python(1, 1);
    for round in 0..3 {
        play.at(7 * round).off(0, State::Io).at(7 * round + 1).off(0, State::WantsGil);
        play.at(7 * round + 6).gil(1, GilAct::Drop { forced: true }).grant(0).off(1, State::WantsGil).python(0, 0);
        play.at(7 * round + 7).gil(0, GilAct::Drop { forced: false }).grant(1).python(1, 1);
    }
    play.account(0, 3, 0, true).account(1, 18, 0, false).off(0, State::Done).off(1, State::Done);
    play.end(Ending::Finished);
    let story = of(&cast, &play);
    // 21 ms of work in 21 ms.
    assert_eq!(story.pace, Pace::Same);
    let convoy = Reason::Convoy { thread: ThreadId(0), waits: 3, typical: ms(5), total: ms(15), life: ms(21) };
    assert_eq!(story.reasons, [convoy]);
}

#[test]
fn waiting_for_io() {
    let cast = play::cast(4, &["a"]);
    let mut play = Play::default();
    play.at(0).grant(0).python(0, 0).at(1).gil(0, GilAct::Drop { forced: false }).off(0, State::Io);
    play.at(50).account(0, 1, 0, true).off(0, State::Done).end(Ending::Finished);
    let story = of(&cast, &play);
    assert_eq!((story.pace, story.away), (Pace::Away(Ratio::ONE), ms(49)));
    let (thread, state) = (ThreadId(0), State::Io);
    assert_eq!(story.reasons, [Reason::State { thread, state, time: ms(49), life: ms(50) }]);
}

#[test]
fn whoever_joins_is_not_the_reason() {
    let cast = play::free_threaded(play::cast(2, &["worker", "main"]), (1, 1));
    let mut play = Play::default();
    play.at(0).off(1, State::Join).python(0, 0);
    play.at(9).account(0, 9, 0, true).off(0, State::Done).off(1, State::Done).end(Ending::Finished);
    let worker = Reason::OwnWork { thread: ThreadId(0), ran: ms(9), life: ms(9) };
    assert_eq!(of(&cast, &play).reasons, [worker]);
}

#[test]
fn late_native_stalled_and_keeping() {
    let cast = play::cast(1, &["a", "b"]);
    let mut play = Play::default();
    play.at(0).grant(0).state(0, State::NativeGil, Some(0), Why::Step);
    play.at(10).off(1, State::WantsGil);
    play.at(20).off(0, State::RunnableGil).state(1, State::Overhead, Some(0), Why::Switching);
    play.at(30).end(Ending::Horizon);
    let story = of(&cast, &play);
    let (a, b) = (ThreadId(0), ThreadId(1));
    let words: Vec<(Option<ThreadId>, &str)> = story
        .reasons
        .iter()
        .map(|reason| {
            let word = match reason {
                Reason::Gil { .. } => "gil",
                Reason::State { state, .. } => state.word(),
                Reason::Late { .. } => "late",
                Reason::KeepsGil { .. } => "keeps",
                Reason::Stalled { .. } => "stalled",
                _ => "other",
            };
            (reason.thread(), word)
        })
        .collect();
    assert_eq!(
        words,
        [(Some(b), "gil"), (Some(b), "overhead"), (Some(b), "late"), (Some(a), "keeps"), (None, "stalled")]
    );
}

#[test]
fn nothing_at_all() {
    let nobody = play::cast(1, &[]);
    let mut play = Play::default();
    play.at(0).end(Ending::Finished);
    let story = of(&nobody, &play);
    assert_eq!((story.pace, story.reasons, story.makespan), (Pace::Nothing, vec![], Span::ZERO));
    // No cores, no processes, no records either.
    let mut empty = nobody;
    (empty.cores, empty.processes) = (IdVec::new(), IdVec::new());
    assert_eq!(of(&empty, &Play::default()).pace, Pace::Nothing);
}

#[test]
fn paces() {
    let pace = |makespan, work, away, cores| pace(ms(makespan), ms(work), ms(away), cores);
    assert_eq!(pace(600, 600, 0, 4), Pace::Same);
    assert_eq!(pace(150, 600, 0, 4), Pace::Faster(Ratio::whole(4)));
    assert_eq!(pace(600, 600, 0, 1), Pace::OneCore);
    assert_eq!(pace(660, 600, 0, 4), Pace::Slower(Ratio::new(11, 10)));
    assert_eq!(pace(257, 40, 1960, 4), Pace::Away(Ratio::new(2000, 257)));
    assert_eq!(pace(50, 0, 50, 4), Pace::Away(Ratio::ONE));
    assert_eq!(pace(0, 0, 0, 4), Pace::Nothing);
    assert_eq!(pace(630, 600, 0, 4), Pace::Same);
    assert_eq!(pace(631, 600, 0, 4), Pace::Slower(Ratio::new(631, 600)));
}
