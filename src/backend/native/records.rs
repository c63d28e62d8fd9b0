//! From what every thread noted to one timeline.

use crate::backend::native::actor::{Log, Mark, Stamp};
use crate::backend::noted::{Noted, Rank, timeline};
use crate::backend::reached::reached;
use crate::ids::{Id, IdVec, ProcId, ThreadId};
use crate::model::Scenario;
use crate::time::Span;
use crate::trace::{Ending, GilAct, LockAct, Record, State, What};

/// The timeline up to `end`. `ends` says when each process ended.
pub(super) fn records(
    scenario: &Scenario,
    logs: &[(ThreadId, Log)],
    ends: &IdVec<ProcId, Option<u64>>,
    ending: &Ending,
    end: u64,
) -> Vec<Record> {
    let mut events: Vec<Noted> = Vec::new();
    for (thread, log) in logs {
        lane(*thread, log, end, &mut events);
    }
    for (process, ended) in ends.iter() {
        let first = ThreadId::new(scenario.processes()[process].threads.start as usize);
        let exit = |at: u64| (at, Rank::Exit, first, What::Exit { process, code: 0 });
        events.extend(ended.filter(|at| *at <= end).map(exit));
    }
    // Who started whom is not noted.
    let starters = IdVec::filled(scenario.threads().len(), None);
    timeline(scenario, events, starters, ending.clone(), end)
}

/// What one thread noted, without states of no length and without what came after the end.
fn lane(thread: ThreadId, log: &Log, end: u64, events: &mut Vec<Noted>) {
    let mut from: Option<State> = None;
    let mut done = None;
    for (place, Stamp { at, mark }) in log.stamps.iter().enumerate() {
        if *at > end {
            break;
        }
        let (rank, what) = match mark {
            Mark::State(to, why) => {
                let replaced = next_state(&log.stamps[place + 1..]).is_some_and(|next| next == *at) && from.is_some();
                if from == Some(*to) || replaced {
                    continue;
                }
                done = (*to == State::Done).then_some((*at, log.finished));
                let what = What::State { thread, from, to: *to, core: None, why: *why };
                from = Some(*to);
                (Rank::State, what)
            }
            Mark::Gil(gil, act) => {
                let rank = match act {
                    GilAct::Drop { .. } => Rank::Drop,
                    GilAct::Request => Rank::Request,
                    GilAct::Grant { .. } => Rank::Grant,
                };
                (rank, What::Gil { gil: *gil, thread, act: *act })
            }
            Mark::Lock(lock, act) => {
                let rank = if *act == LockAct::Acquire { Rank::Acquire } else { Rank::Release };
                (rank, What::Lock { lock: *lock, thread, act: *act })
            }
            Mark::Object(object, act, value) => {
                (Rank::of(*act), What::Object { object: *object, thread, act: *act, value: *value })
            }
            Mark::HandOver(lock, heir) => {
                (Rank::Release, What::Lock { lock: *lock, thread: *heir, act: LockAct::HandOver })
            }
            Mark::Span(span, act) => {
                let states = log.stamps[..place].iter().rev().filter_map(|stamp| match stamp.mark {
                    Mark::State(state, _) => Some((stamp.at, state)),
                    _ => None,
                });
                let what = What::Span { span: *span, thread, act: *act };
                events.push((reached(*at, states), Rank::Span, thread, what));
                continue;
            }
            Mark::Output(text) => (Rank::Output, What::Output { thread, text: text.clone() }),
        };
        events.push((*at, rank, thread, what));
    }
    if from.is_some() {
        let (at, finished) = done.unwrap_or((end, false));
        let [python_work, native_work, demanded] = [log.python_work, log.native_work, log.demanded].map(Span::from_ns);
        let what = What::Account { thread, python_work, native_work, demanded, finished };
        events.push((at, Rank::Account, thread, what));
    }
}

/// When the next change of state was noted.
fn next_state(stamps: &[Stamp]) -> Option<u64> {
    stamps.iter().find(|stamp| matches!(stamp.mark, Mark::State(..))).map(|stamp| stamp.at)
}
