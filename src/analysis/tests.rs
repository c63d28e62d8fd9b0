//! Timelines written by hand, with numbers worked by hand; and random ones against laws.

use proptest::prelude::*;

use crate::analysis::play::{self, Play};
use crate::analysis::{Checker, Invariants, Lanes, Meter, Metrics, Sketch};
use crate::ids::{CoreId, GilId, GroupId, IdVec, LockId, ProcId, SpanId, ThreadId};
use crate::ratio::Ratio;
use crate::time::{Instant, Span};
use crate::trace::{Cast, Ending, GilAct, LockAct, Observer, SpanAct, State, WaitsFor, Why};

/// Everything that watches a run, at once.
pub(super) fn watch(cast: &Cast, play: &Play, columns: u32) -> (Metrics, Lanes, Invariants) {
    let mut all = (Meter::new(cast), (Sketch::new(cast, columns), Checker::new(cast)));
    play.watched_by(&mut all);
    let (meter, (sketch, checker)) = all;
    let (metrics, lanes) = (meter.finish(), sketch.finish());
    let invariants = checker.finish(Some((&metrics, &lanes)));
    (metrics, lanes, invariants)
}

fn meter(cast: &Cast, play: &Play) -> Metrics {
    watch(cast, play, 64).0
}

const A: ThreadId = ThreadId(0);
const B: ThreadId = ThreadId(1);

fn ms(ms: u64) -> Span {
    Span::from_ms(ms)
}

fn at(ms: u64) -> Option<Instant> {
    Some(Instant::ZERO + Span::from_ms(ms))
}

/// Two threads in stretches of one name, one of them inside another one; what never ended is only counted, and an end
/// without a beginning (a damaged timeline) is nothing.
#[test]
fn named_stretches_of_work() {
    let cast = play::with_requests(play::cast(2, &["a", "b"]));
    let mut play = Play::default();
    play.at(1).span(0, 0, SpanAct::Begin).at(2).span(0, 0, SpanAct::Begin).span(1, 0, SpanAct::Begin);
    play.at(5).span(0, 0, SpanAct::End).at(9).span(0, 0, SpanAct::End).span(0, 0, SpanAct::End);
    play.at(20).end(Ending::Horizon);
    let span = &meter(&cast, &play).spans[SpanId(0)];
    assert_eq!((span.begun, span.count()), (3, 2));
    assert_eq!(span.latency.values().collect::<Vec<_>>(), [(ms(3), 1), (ms(8), 1)]);
    // 2 in 20 ms are 100 in a second.
    assert_eq!((span.throughput(ms(20)), span.throughput(ms(0))), (Some(Ratio::whole(100)), None));
}

#[test]
fn two_threads_under_a_gil() {
    let cast = play::cast(2, &["a", "b"]);
    let (metrics, _, invariants) = watch(&cast, &play::two_threads(), 64);
    assert_eq!((metrics.makespan, metrics.end), (ms(20), Instant::ZERO + ms(20)));
    assert_eq!((metrics.max_running, metrics.max_in_python), (1, 1));
    // Busy all the time: 20 ms of 20 ms, one core's worth of two.
    let gil = metrics.gils[GilId(0)];
    assert_eq!((gil.busy, gil.switches, gil.requests, gil.forced), (ms(20), 4, 2, 2));
    assert_eq!(metrics.cores_busy(), Ratio::ONE);
    assert_eq!((metrics.cores[CoreId(0)].busy, metrics.cores[CoreId(1)].busy), (ms(10), ms(10)));
    let (a, b) = (&metrics.threads[A], &metrics.threads[B]);
    assert_eq!((a.arrival, a.first_run, a.finish), (at(0), at(0), at(15)));
    assert_eq!((b.arrival, b.first_run, b.finish), (at(0), at(5), at(20)));
    assert_eq!((a.ran(), a.wait_gil(), a.waiting(), a.work()), (ms(10), ms(5), ms(5), ms(10)));
    assert_eq!((b.ran(), b.wait_gil(), b.response(), b.turnaround()), (ms(10), ms(10), Some(ms(5)), Some(ms(20))));
    assert_eq!(b.each_wait_gil.values().collect::<Vec<_>>(), [(ms(5), 2)]);
    assert_eq!(metrics.count(|thread| thread.switches), 2);
    assert_eq!(metrics.exits[ProcId(0)], Some(0));
    assert_eq!(metrics.fairness(cast.threads.ids()), Ratio::ONE);
    assert_eq!(metrics.share(&cast, B), Ratio::new(1, 2));
    assert_eq!((invariants.checked(), invariants.hold()), (9, 9), "{invariants:?}");
}

/// Three threads of 10 ms, factor 1.1, two cores, quantum 11 ms: a and b run 11 ms each (10 × 1.1), c waits 11 ms for a core.
///
/// ```text
/// ms  0          11         22
/// a   ###########|
/// b   ###########|
/// c   :::::::::::###########|
/// ```
#[test]
fn two_cores_without_a_gil() {
    let mut cast = play::free_threaded(play::cast(2, &["a", "b", "c"]), (11, 10));
    cast.scale = 10;
    cast.cores = IdVec::filled(2, 10);
    let mut play = Play::default();
    play.at(0).dispatch(0, 0, None).dispatch(1, 1, None).python(0, 0).python(1, 1).off(2, State::Runnable);
    play.at(11).account(0, 10, 0, true).account(1, 10, 0, true).dispatch(0, 2, None);
    play.off(0, State::Done).off(1, State::Done).python(2, 0);
    play.at(22).account(2, 10, 0, true).off(2, State::Done).end(Ending::Finished);
    let (metrics, _, invariants) = watch(&cast, &play, 64);
    let c = &metrics.threads[ThreadId(2)];
    assert_eq!((metrics.makespan, metrics.max_in_python, metrics.max_running), (ms(22), 2, 2));
    assert_eq!((c.ran(), c.wait_core(), c.response()), (ms(11), ms(11), Some(ms(11))));
    // 33 ms on cores in 22 ms.
    assert_eq!(metrics.cores_busy(), Ratio::new(3, 2));
    assert_eq!(metrics.total(|thread| thread.work()), ms(30));
    assert_eq!(metrics.all_gils().busy, Span::ZERO);
    assert_eq!(invariants.hold(), 9, "{invariants:?}");
}

/// One core: b takes it from a at 4 ms for 3 ms, then a goes on, holding the GIL in neither case (native work).
#[test]
fn a_preemption_counts_for_the_loser() {
    let cast = play::free_threaded(play::cast(1, &["a", "b"]), (1, 1));
    let mut play = Play::default();
    let native = |play: &mut Play, thread| {
        play.state(thread, State::Native, Some(0), Why::Dispatched);
    };
    play.at(0).dispatch(0, 0, None);
    native(&mut play, 0);
    play.at(4).dispatch(0, 1, Some(0)).off(0, State::Runnable);
    native(&mut play, 1);
    play.at(7).account(1, 0, 3, true).dispatch(0, 0, None).off(1, State::Done);
    native(&mut play, 0);
    play.at(9).account(0, 0, 6, true).off(0, State::Done).end(Ending::Finished);
    let (metrics, _, invariants) = watch(&cast, &play, 64);
    let a = &metrics.threads[A];
    assert_eq!((a.preemptions, a.switches, a.wait_core(), a.native_work), (1, 2, ms(3), ms(6)));
    assert_eq!(metrics.threads[B].preemptions, 0);
    assert_eq!(metrics.threads[B].arrival, at(4));
    assert_eq!(invariants.hold(), 9, "{invariants:?}");
}

/// a runs Python until the horizon at 10 ms; b, a daemon, waits; c is never started.
#[test]
fn unfinished_at_the_horizon() {
    let mut cast = play::cast(2, &["a", "b", "c"]);
    cast.threads[B].daemon = true;
    let mut play = Play::default();
    play.at(2).grant(0).python(0, 0).off(1, State::WantsGil);
    play.at(10).account(0, 8, 0, false).end(Ending::Horizon);
    let metrics = meter(&cast, &play);
    // Until the horizon, from the first arrival.
    assert_eq!((metrics.makespan, metrics.end), (ms(8), Instant::ZERO + ms(10)));
    assert_eq!((metrics.threads[A].finish, metrics.threads[A].turnaround()), (None, None));
    assert_eq!((metrics.threads[A].ran(), metrics.threads[A].work()), (ms(8), ms(8)));
    assert_eq!(metrics.gils[GilId(0)].busy, ms(8));
    // A wait that is cut off counts as far as it got.
    assert_eq!(metrics.threads[B].each_wait_gil.largest(), Some(ms(8)));
    assert_eq!(
        (metrics.threads[ThreadId(2)].arrival, metrics.threads[ThreadId(2)].life(metrics.end)),
        (None, Span::ZERO)
    );
}

/// a holds the lock from 0 to 4 ms and hands it to b, who releases it at 6 ms; taken again from 8 ms to the end at 9 ms.
#[test]
fn locks_are_held() {
    let cast = play::free_threaded(play::cast(2, &["a", "b"]), (1, 1));
    let mut play = Play::default();
    play.at(0).lock(0, LockAct::Acquire).python(0, 0).off(1, State::Lock);
    play.at(4).lock(1, LockAct::HandOver).python(1, 1);
    play.at(6).lock(1, LockAct::Release);
    play.at(8).lock(0, LockAct::Acquire);
    play.at(9).end(Ending::Horizon);
    let metrics = meter(&cast, &play);
    assert_eq!(metrics.locks[LockId(0)], ms(6 + 1));
    assert_eq!(metrics.threads[B].states.of(State::Lock), ms(4));
}

#[test]
fn a_deadlock_ends_where_it_is_found() {
    let cast = play::free_threaded(play::cast(2, &["a", "b"]), (1, 1));
    let mut play = Play::default();
    play.at(0).python(0, 0).python(1, 1);
    let cycle = vec![WaitsFor { thread: A, what: "lock database".into(), holder: Some(B) }];
    play.at(3).off(0, State::Lock).off(1, State::Lock).end(Ending::Deadlock { cycle });
    let metrics = meter(&cast, &play);
    assert!(metrics.is_deadlock());
    assert_eq!(metrics.makespan, ms(3));
    assert_eq!(metrics.ending_place(), "deadlock");
}

/// b wants the GIL at 0, is woken at 5 ms, needs a core for 2 ms, finds the GIL locked, waits from 7 to 9 ms and has it.
/// One wait of 5 + 2 = 7 ms. At 9 ms it gets and loses the GIL at once and waits anew until 12 ms: a wait of 3 ms.
#[test]
fn a_retry_belongs_to_the_same_wait() {
    let cast = play::cast(1, &["a", "b"]);
    let mut play = Play::default();
    play.at(0).off(1, State::WantsGil);
    play.at(5).off(1, State::Runnable);
    play.at(7).off(1, State::WantsGil);
    play.at(9).grant(1).gil(1, GilAct::Drop { forced: false }).grant(0);
    play.at(12).grant(1).python(1, 0);
    play.at(13).end(Ending::Horizon);
    let b = &meter(&cast, &play).threads[B];
    assert_eq!(b.each_wait_gil.values().collect::<Vec<_>>(), [(ms(3), 1), (ms(7), 1)]);
    assert_eq!(b.wait_gil().ns(), b.each_wait_gil.sum_ns() as u64);
}

#[test]
fn states_of_zero_length_are_no_maximum() {
    let cast = play::free_threaded(play::cast(3, &["a", "b"]), (1, 1));
    let mut play = Play::default();
    play.at(0).python(0, 0).python(1, 1).off(1, State::Io);
    play.at(5).python(1, 1).off(0, State::Done);
    play.at(6).end(Ending::Horizon);
    let metrics = meter(&cast, &play);
    assert_eq!((metrics.max_running, metrics.max_in_python), (1, 1));
}

#[test]
fn overhead_and_start_up_are_not_busy() {
    let cast = play::cast(1, &["a"]);
    let mut play = Play::default();
    play.at(0).state(0, State::StartUp, Some(0), Why::Started);
    play.at(2).state(0, State::Overhead, Some(0), Why::Switching);
    play.at(3).grant(0).python(0, 0);
    play.at(7).end(Ending::Horizon);
    let core = meter(&cast, &play).cores[CoreId(0)];
    assert_eq!((core.busy, core.overhead), (ms(4), ms(3)));
}

/// 600 ms in at most 64 columns: 1, 2, 10 … 10 ms; one column less and the next width is 20 ms.
#[test]
fn columns_widen_exactly() {
    let cast = play::free_threaded(play::cast(1, &["a"]), (1, 1));
    let mut play = Play::default();
    for n in 0..300 {
        play.at(2 * n).python(0, 0).at(2 * n + 1).off(0, State::Io);
    }
    play.at(600).off(0, State::Done).end(Ending::Finished);
    let lanes = |columns| watch(&cast, &play, columns).1;
    assert_eq!((lanes(64).width, lanes(60).width, lanes(59).width), (ms(10), ms(10), ms(20)));
    let lanes = lanes(60);
    assert_eq!(lanes.columns(), 60);
    let cells = lanes.threads[A].cells();
    // Every column: 5 ms of Python and 5 ms of I/O.
    assert_eq!(cells, vec![vec![(State::Python, ms(5)), (State::Io, ms(5))]; 60]);
    assert_eq!(lanes.totals(A).of(State::Python), ms(300));
    assert_eq!((lanes.readable_factor(60), lanes.readable_factor(30), lanes.readable_factor(29)), (1, 2, 5));
}

#[test]
fn a_picture_of_gil_and_cores() {
    let cast = play::cast(2, &["a", "b"]);
    let (_, lanes, _) = watch(&cast, &play::two_threads(), 20);
    let holders: Vec<ThreadId> = lanes.gils[GilId(0)].cells().into_iter().map(|cell| cell[0].0).collect();
    let (five_a, five_b) = ([A; 5], [B; 5]);
    assert_eq!(holders, [five_a, five_b, five_a, five_b].concat());
    assert_eq!(lanes.core_busy(CoreId(0)), ms(10));
}

#[test]
fn a_cut_timeline_has_what_it_got_to() {
    let cast = play::cast(2, &["a", "b"]);
    let whole = play::two_threads();
    for length in 0..whole.records.len() {
        let mut cut = Play::default();
        cut.records.extend_from_slice(&whole.records[..length]);
        let (metrics, lanes, invariants) = watch(&cast, &cut, 3);
        assert_eq!(metrics.ending_word(), "interrupted");
        assert_eq!(lanes.totals(A), metrics.threads[A].states);
        assert_eq!(invariants.hold(), 9, "{length}: {invariants:?}");
    }
}

/// A cast with many threads, processes and odd affinities, for random timelines.
fn crowd() -> Cast {
    let mut cast = play::cast(3, &["a-1", "a-2", "b-1", "b-2", "c"]);
    cast.processes = ["x".to_string(), "y".to_string()].into_iter().collect();
    cast.process_groups = [None, None].into_iter().collect();
    for (id, affinity) in [(0, vec![0]), (1, vec![1, 2])] {
        cast.threads[ThreadId(id)].affinity = Some(affinity.into_iter().map(CoreId).collect());
    }
    cast.threads[ThreadId(4)].process = ProcId(1);
    cast.threads[ThreadId(4)].group = GroupId(2);
    cast
}

proptest! {
    /// Whatever the records say, in whatever order: nobody panics, and pictures and tables agree.
    #[test]
    fn lanes_and_metrics_agree(
        steps in prop::collection::vec((0u64..3_000, 0u32..5, 0usize..State::ALL.len(), 0u32..3, 0u32..6), 0..200),
        columns in 1u32..40,
    ) {
        let cast = crowd();
        let mut play = Play::default();
        let mut now = 0;
        let mut done = [false; 5];
        for (gap, thread, state, core, extra) in steps {
            now += gap;
            play.at_ns(now);
            match extra {
                0 => { play.grant(thread); }
                1 => { play.gil(thread, GilAct::Drop { forced: true }); }
                _ if done[thread as usize] => {}
                _ => {
                    let to = State::ALL[state];
                    done[thread as usize] = to == State::Done;
                    play.state(thread, to, to.on_core().then_some(core), Why::Step);
                }
            }
        }
        play.at_ns(now + 5).end(Ending::Horizon);
        let (metrics, lanes, _) = watch(&cast, &play, columns);
        for thread in cast.threads.ids() {
            prop_assert_eq!(metrics.threads[thread].states, lanes.totals(thread));
            prop_assert_eq!(u128::from(metrics.threads[thread].wait_gil().ns()), metrics.threads[thread].each_wait_gil.sum_ns());
            let widened = lanes.threads[thread].widened(lanes.width.ns(), lanes.readable_factor(10));
            let drawn: Span = widened.parts().map(|part| part.time).sum();
            let lived: Span = metrics.threads[thread].states.sum(|_| true);
            prop_assert_eq!(drawn, lived);
        }
        for core in cast.cores.ids() {
            prop_assert_eq!(metrics.cores[core].busy, lanes.core_busy(core));
        }
        prop_assert!(lanes.columns() <= columns);
    }
}

#[test]
fn observers_can_be_absent() {
    let cast = play::cast(2, &["a", "b"]);
    let mut none: Option<Meter> = None;
    play::two_threads().watched_by(&mut none);
    let mut some = Some(Meter::new(&cast));
    some.record(0, &play::two_threads().records[0]);
    assert_eq!(some.unwrap().finish().records, 1);
}
