//! When a thread reached a boundary of a named stretch of work.
//!
//! The model lets it begin or end where the step before has ended, also off the core; a real thread reads its clock only
//! when it is back, with a core and the GIL. The wait for both, right before, is what lies between.

use crate::trace::State;

/// A thread that has just come back reads its clock within so many nanoseconds: a few lines of Python, or a few
/// instructions of ours.
const PROMPT: u64 = 50_000;

/// The instant at which a thread reached a boundary that it noted at `noted`; `changes` are its states until then, each
/// from its instant on, the latest first.
pub(super) fn reached(noted: u64, changes: impl Iterator<Item = (u64, State)>) -> u64 {
    let waits = |state: State| state.wants_core() || matches!(state, State::WantsGil | State::Forced | State::Overhead);
    let mut changes = changes.skip_while(|(at, _)| *at > noted);
    match changes.next() {
        Some((at, state)) if state.is_running() && noted - at <= PROMPT => {
            changes.take_while(|(_, state)| waits(*state)).last().map_or(noted, |(at, _)| at)
        }
        _ => noted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_before_a_boundary_belongs_to_the_stretch_behind_it() {
        let states = [(0, State::Python), (10, State::Io), (1000, State::Runnable), (1100, State::WantsGil)];
        let back = (6000, State::Python);
        let at = |noted: u64| reached(noted, states.iter().chain([&back]).copied().rev());
        // Right behind the wait: the I/O ended at 1000. Much later, or without a wait: where it was noted.
        assert_eq!((at(6005), at(6000 + PROMPT + 1), at(5)), (1000, 6000 + PROMPT + 1, 5));
        assert_eq!(reached(7, std::iter::empty()), 7);
    }
}
