//! From what workers noted to one timeline: the part that all backends that measure share. They sort what happened, name
//! the causes as far as they were seen, and close the timeline.

use crate::ids::{GilId, IdVec, LockId, ObjectId, ThreadId};
use crate::model::{Arrival, Scenario};
use crate::time::Instant;
use crate::trace::{Ending, GilAct, LockAct, ObjectAct, Record, What, Why};

/// The order within an instant: what is given up goes first, changes of state close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::backend) enum Rank {
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

impl Rank {
    /// The rank of what happens to a shared object: what may let others go on is before what they then do.
    pub fn of(act: ObjectAct) -> Rank {
        match act {
            ObjectAct::Get | ObjectAct::Acquire | ObjectAct::Leave | ObjectAct::Load => Rank::Acquire,
            _ => Rank::Release,
        }
    }
}

/// When it happened in nanoseconds, its rank within the instant, to whom, and what.
pub(in crate::backend) type Noted = (u64, Rank, ThreadId, What);

/// The timeline of what was noted. It ends with its last record where all threads have finished, else not before `end`.
/// `starters` are the threads that started others, where that was seen.
pub(in crate::backend) fn timeline(
    scenario: &Scenario,
    mut noted: Vec<Noted>,
    starters: IdVec<ThreadId, Option<ThreadId>>,
    ending: Ending,
    end: u64,
) -> Vec<Record> {
    noted.sort_by_key(|(at, rank, thread, _)| (*at, *rank, *thread));
    let mut causes = Causes::new(scenario, starters);
    let mut records: Vec<Record> = Vec::with_capacity(noted.len() + 1);
    for (at, _, thread, what) in noted {
        let cause = causes.of(&what, thread, records.len() as u64);
        records.push(Record { at: Instant::from_ns(at), what, cause });
    }
    let last = records.last().map_or(Instant::ZERO, |record| record.at);
    let at = if ending == Ending::Finished { last } else { Instant::from_ns(end).max(last) };
    let cause = (records.len() as u64).checked_sub(1);
    records.push(Record { at, what: What::End { ending }, cause });
    records
}

/// Who made what happen, as far as it was seen.
struct Causes<'s> {
    scenario: &'s Scenario,
    starters: IdVec<ThreadId, Option<ThreadId>>,
    states: IdVec<ThreadId, Option<u64>>,
    grants: IdVec<ThreadId, Option<u64>>,
    drops: IdVec<GilId, Option<u64>>,
    releases: IdVec<LockId, Option<u64>>,
    /// What last may have let users of an object go on.
    changes: IdVec<ObjectId, Option<u64>>,
}

impl Causes<'_> {
    fn new(scenario: &Scenario, starters: IdVec<ThreadId, Option<ThreadId>>) -> Causes<'_> {
        Causes {
            scenario,
            starters,
            states: IdVec::filled(scenario.threads().len(), None),
            grants: IdVec::filled(scenario.threads().len(), None),
            drops: IdVec::filled(scenario.gils().len(), None),
            releases: IdVec::filled(scenario.locks().len(), None),
            changes: IdVec::filled(scenario.objects().len(), None),
        }
    }

    /// The cause of what is about to be written as record `index`.
    fn of(&mut self, what: &What, thread: ThreadId, index: u64) -> Option<u64> {
        let before = index.checked_sub(1);
        let own = self.states[thread].or(before);
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
            What::Object { object, act, .. } if Rank::of(*act) == Rank::Acquire => self.changes[*object].or(own),
            What::Object { object, .. } => {
                self.changes[*object] = Some(index);
                own
            }
            What::State { from, to, why, .. } => {
                self.states[thread] = Some(index);
                let by_itself = matches!(self.scenario.threads()[thread].arrival, Arrival::At(_));
                match (from, self.starters[thread]) {
                    (None, Some(starter)) => self.states[starter].or(before),
                    (None, None) if by_itself => None,
                    (Some(_), _) if *why == Why::GilTaken && to.in_python() => self.grants[thread].or(own),
                    _ => own,
                }
            }
            _ => own,
        }
    }
}
