//! All interleavings of a few threads that share the GIL of the backend `native`.
//!
//! loom's timed waits never time out, so the shim's do when a clock thread says so, which may be at any step. What must hold:
//! one holder at a time; no hand-off is lost (loom reports threads that wait for ever); whoever drops on request does not
//! take the GIL again before somebody else had it; nobody asks a holder that has only just taken it. That each of these can
//! be seen to fail is shown with a protocol that leaves a rule out.
#![cfg(test)]

#[path = "../../../src/backend/native/gil.rs"]
#[allow(dead_code)]
mod gil;
mod sync;

use std::time::Duration;

use gil::{CPYTHON, Gil, Moment, Rules};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};

/// What the checks know, outside of the protocol.
#[derive(Default)]
struct Ghost {
    inside: AtomicUsize,
    /// Who has dropped on request and has not seen anybody else take it; 0 = nobody.
    owed: AtomicUsize,
}

struct Room {
    gil: Gil,
    ghost: Ghost,
}

impl Room {
    fn new(rules: Rules) -> Room {
        Room { gil: Gil::new(Duration::from_millis(5), rules), ghost: Ghost::default() }
    }

    fn take(&self, me: usize) {
        self.gil
            .take(me, |moment| {
                if matches!(moment, Moment::Grant { .. }) {
                    let owed = self.ghost.owed.swap(0, Ordering::SeqCst);
                    assert_ne!(owed, me + 1, "forced to switch, and nobody else had the GIL");
                }
            })
            .expect("nobody stops");
        assert_eq!(self.ghost.inside.fetch_add(1, Ordering::SeqCst), 0, "two holders");
    }

    fn drop(&self, me: usize) {
        self.ghost.inside.fetch_sub(1, Ordering::SeqCst);
        self.gil.release(me, |moment| {
            if moment == (Moment::Drop { forced: true }) {
                self.ghost.owed.store(me + 1, Ordering::SeqCst);
            }
        });
    }

    /// Some bytecode: at every check point the GIL is dropped if somebody asks.
    fn run(&self, me: usize, checks: usize) {
        self.take(me);
        for _ in 0..checks {
            if self.gil.requested() {
                self.drop(me);
                self.take(me);
            }
        }
        self.ghost.inside.fetch_sub(1, Ordering::SeqCst);
        self.gil.release_finally(me, |_| {});
    }
}

/// Runs `threads` threads and a clock that fires `ticks` times, in all interleavings with at most `preemptions`.
fn explore(rules: Rules, threads: usize, checks: usize, ticks: usize, preemptions: usize) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(move || {
        sync::reset();
        let room = Arc::new(Room::new(rules));
        let others: Vec<_> = (1..threads)
            .map(|me| {
                let room = room.clone();
                loom::thread::spawn(move || room.run(me, checks))
            })
            .collect();
        let clock = loom::thread::spawn(move || (0..ticks).for_each(|_| sync::tick()));
        room.run(0, checks);
        others.into_iter().for_each(|thread| thread.join().expect("a thread"));
        clock.join().expect("the clock");
    });
}

#[test]
fn two_threads_and_a_clock_never_break_it() {
    explore(CPYTHON, 2, 2, 2, 3);
}

#[test]
fn three_threads_and_a_clock_never_break_it() {
    explore(CPYTHON, 3, 1, 1, 2);
}

#[test]
#[should_panic(expected = "forced to switch")]
fn without_the_forced_switch_the_dropper_is_back_first() {
    explore(Rules { forced_switch: false, ..CPYTHON }, 2, 2, 2, 3);
}

#[test]
#[should_panic(expected = "just taken the GIL")]
fn without_the_switch_number_a_new_holder_is_asked() {
    explore(Rules { compare_switch_number: false, ..CPYTHON }, 3, 1, 1, 2);
}
