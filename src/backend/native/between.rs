//! Losses of the core between two chunks of work: while a thread takes a GIL, notes something, or goes to its next step.
//!
//! The kernel says for how long a thread was in a run queue since it last looked, not when. What was noted meanwhile says
//! when: two notes are well below a microsecond apart, so the loss is where the clock jumped.

use super::actor::{Mark, Stamp};
use crate::trace::{State, Why};

/// Time in the run queue below which a pause was no preemption, in nanoseconds.
pub(super) const QUEUED: u64 = 20_000;

/// When a thread last looked at its time in the run queue, and how much it had noted by then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub at: u64,
    pub stamps: usize,
}

/// Notes that a thread was in the run queue for so many nanoseconds between `seen` and `now`. The time in the run queue
/// after a wait belongs to that wait, which is noted: only the longest stretch in which it seemed to run can have held a
/// loss. `lost` is what it is called to lose the core in Python code.
pub(super) fn lost_between(stamps: &mut Vec<Stamp>, seen: Seen, now: u64, queued: u64, lost: State) {
    let state_of = |stamp: &Stamp| if let Mark::State(state, _) = stamp.mark { Some(state) } else { None };
    let mut state = stamps[..seen.stamps].iter().rev().find_map(state_of);
    let mut from = seen.at;
    let mut longest: Option<(u64, u64, usize, State)> = None;
    let ends = stamps[seen.stamps..].iter().map(|stamp| (stamp.at, state_of(stamp))).chain([(now, None)]);
    for (place, (to, next)) in (seen.stamps..).zip(ends) {
        if let Some(state) = state.filter(|state| state.is_running()) {
            longest = longest.max(Some((to.saturating_sub(from), to, place, state)));
        }
        (from, state) = (to, next.or(state));
    }
    let Some((length, to, place, state)) = longest.filter(|(length, ..)| *length > QUEUED) else { return };
    let off = if state == State::Native { State::Runnable } else { lost };
    let note = |at: u64, state: State, why: Why| Stamp { at, mark: Mark::State(state, why) };
    let loss = [note(to - queued.min(length), off, Why::Preempted), note(to, state, Why::Dispatched)];
    stamps.splice(place..place, loss);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::GilId;
    use crate::trace::GilAct;

    fn note(at: u64, state: State) -> Stamp {
        Stamp { at, mark: Mark::State(state, Why::Step) }
    }

    fn lane(stamps: &[Stamp]) -> Vec<(u64, &'static str)> {
        let word = |stamp: &Stamp| match stamp.mark {
            Mark::State(state, _) => state.word(),
            _ => "gil",
        };
        stamps.iter().map(|stamp| (stamp.at, word(stamp))).collect()
    }

    #[test]
    fn a_loss_is_where_the_clock_jumped() {
        let drop = Stamp { at: 4_000_400, mark: Mark::Gil(GilId(0), GilAct::Drop { forced: false }) };
        let mut stamps = vec![note(0, State::Python), note(500, State::Python), drop, note(4_000_500, State::Native)];
        let seen = Seen { at: 200, stamps: 1 };
        lost_between(&mut stamps, seen, 4_001_000, 3_990_000, State::RunnableGil);
        let expected = [(0, "python"), (500, "python"), (10_400, "runnable-gil"), (4_000_400, "python")];
        assert_eq!(lane(&stamps)[..4], expected);
        assert_eq!(lane(&stamps)[4..], [(4_000_400, "gil"), (4_000_500, "native")]);
        // Behind the last note.
        let mut stamps = vec![note(0, State::Native)];
        lost_between(&mut stamps, Seen { at: 100, stamps: 1 }, 900_000, 1_000_000, State::RunnableGil);
        assert_eq!(lane(&stamps), [(0, "native"), (100, "runnable"), (900_000, "native")]);
    }

    #[test]
    fn the_run_queue_after_a_wait_is_no_loss() {
        let woken = vec![note(0, State::Python), note(300, State::Sleep), note(9_000_000, State::Python)];
        let mut stamps = woken.clone();
        lost_between(&mut stamps, Seen { at: 0, stamps: 1 }, 9_010_000, 4_000_000, State::RunnableGil);
        assert_eq!(stamps, woken);
    }
}
