//! From what every thread noted to one timeline.

use crate::backend::native::actor::{Log, Mark, Stamp};
use crate::backend::reached::reached;
use crate::ids::{GilId, Id, IdVec, LockId, ProcId, ThreadId};
use crate::model::{Arrival, Scenario};
use crate::time::{Instant, Span};
use crate::trace::{Ending, GilAct, LockAct, Record, State, What};

/// The order within an instant: what is given up goes first, changes of state close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Drop,
    Release,
    Request,
    Grant,
    Acquire,
    Span,
    Output,
    State,
    Account,
    Exit,
}

/// The timeline up to `end`. `ends` says when each process ended.
pub(super) fn records(
    scenario: &Scenario,
    logs: &[(ThreadId, Log)],
    ends: &IdVec<ProcId, Option<u64>>,
    ending: &Ending,
    end: u64,
) -> Vec<Record> {
    let mut events: Vec<(u64, Rank, ThreadId, What)> = Vec::new();
    for (thread, log) in logs {
        lane(*thread, log, end, &mut events);
    }
    for (process, ended) in ends.iter() {
        let first = ThreadId::new(scenario.processes()[process].threads.start as usize);
        let exit = |at: u64| (at, Rank::Exit, first, What::Exit { process, code: 0 });
        events.extend(ended.filter(|at| *at <= end).map(exit));
    }
    events.sort_by_key(|(at, rank, thread, _)| (*at, *rank, *thread));
    let mut causes = Causes::new(scenario);
    let mut records: Vec<Record> = Vec::with_capacity(events.len() + 1);
    for (at, _, thread, what) in events {
        let cause = causes.of(&what, thread, records.len() as u64);
        records.push(Record { at: Instant::from_ns(at), what, cause });
    }
    let last = records.last().map_or(Instant::ZERO, |record| record.at);
    let at = if *ending == Ending::Finished { last } else { Instant::from_ns(end).max(last) };
    let cause = (records.len() as u64).checked_sub(1);
    records.push(Record { at, what: What::End { ending: ending.clone() }, cause });
    records
}

/// What one thread noted, without states of no length and without what came after the end.
fn lane(thread: ThreadId, log: &Log, end: u64, events: &mut Vec<(u64, Rank, ThreadId, What)>) {
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

/// Who made what happen.
struct Causes<'s> {
    scenario: &'s Scenario,
    states: IdVec<ThreadId, Option<u64>>,
    grants: IdVec<ThreadId, Option<u64>>,
    drops: IdVec<GilId, Option<u64>>,
    releases: IdVec<LockId, Option<u64>>,
}

impl Causes<'_> {
    fn new(scenario: &Scenario) -> Causes<'_> {
        Causes {
            scenario,
            states: IdVec::filled(scenario.threads().len(), None),
            grants: IdVec::filled(scenario.threads().len(), None),
            drops: IdVec::filled(scenario.gils().len(), None),
            releases: IdVec::filled(scenario.locks().len(), None),
        }
    }

    fn of(&mut self, what: &What, thread: ThreadId, index: u64) -> Option<u64> {
        let own = self.states[thread].or(index.checked_sub(1));
        match what {
            What::Gil { gil, act: GilAct::Grant { .. }, .. } => {
                self.grants[thread] = Some(index);
                self.drops[*gil].or(own)
            }
            What::Gil { gil, act: GilAct::Drop { .. }, .. } => {
                self.drops[*gil] = Some(index);
                self.grants[thread].or(own)
            }
            What::Lock { lock, act: LockAct::Acquire, .. } => self.releases[*lock].or(own),
            What::Lock { lock, .. } => {
                self.releases[*lock] = Some(index);
                own
            }
            What::State { from, to, .. } => {
                self.states[thread] = Some(index);
                let by_itself = matches!(self.scenario.threads()[thread].arrival, Arrival::At(_));
                match from {
                    None if by_itself => None,
                    Some(_) if to.in_python() => self.grants[thread].or(own),
                    _ => own,
                }
            }
            _ => own,
        }
    }
}
