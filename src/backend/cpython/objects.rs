//! What happened to the shared objects, from the logs of all threads: what each held, and when a thread that waited for it
//! could go on.
//!
//! | object | a thread could go on |
//! |---|---|
//! | queue | when the item that it got was put, or the item whose place its own took was got; the queue itself tells the order |
//! | semaphore | the n-th that took a permit of p: at the (n - p)-th that was given back |
//! | event | when it was set, unless it was set before |
//! | condition | when it was notified: those first that have waited longest |
//! | barrier | when the last one came |

use std::collections::VecDeque;

use crate::backend::cpython::lane::Act;
use crate::backend::cpython::protocol::{Entry, Report, Verb};
use crate::ids::{Id, IdVec, LockId, ObjectId, ThreadId};
use crate::model::{Form, Scenario};
use crate::trace::{LockAct, ObjectAct};

/// One use of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Visit {
    /// When it could go on, if it had to wait and did not wait in vain.
    pub ready: Option<u64>,
    /// The lock that it had to take again behind that.
    pub lock: Option<LockId>,
    /// What it did, and when.
    pub acts: Vec<(u64, Act)>,
}

/// The uses of one object, with the thread and the number of the use among the thread's own.
struct Uses<'r> {
    object: ObjectId,
    seen: Vec<(ThreadId, usize, &'r Entry)>,
    visits: Vec<Visit>,
}

/// Each thread's uses of objects, in its order.
pub(super) fn visits(scenario: &Scenario, report: &Report) -> IdVec<ThreadId, VecDeque<Visit>> {
    let mut uses: IdVec<ObjectId, Uses> = scenario.objects().ids().map(Uses::none).collect();
    let mut visits: IdVec<ThreadId, VecDeque<Visit>> = IdVec::filled(scenario.threads().len(), VecDeque::new());
    for each in &report.threads {
        let entries = each.log.iter().filter(|entry| entry.verb.uses_object());
        for (number, entry) in entries.enumerate() {
            uses[ObjectId::new(entry.number())].seen.push((ThreadId::new(each.thread), number, entry));
            visits[ThreadId::new(each.thread)].push_back(Visit::default());
        }
    }
    for uses in uses.values_mut() {
        uses.replay(scenario.objects()[uses.object].form);
        for ((thread, number, _), visit) in uses.seen.iter().zip(std::mem::take(&mut uses.visits)) {
            visits[*thread][*number] = visit;
        }
    }
    visits
}

impl Uses<'_> {
    fn none(object: ObjectId) -> Self {
        Uses { object, seen: Vec::new(), visits: Vec::new() }
    }

    fn replay(&mut self, form: Form) {
        self.visits = vec![Visit::default(); self.seen.len()];
        match form {
            Form::Queue { capacity } => self.queue(capacity),
            Form::Semaphore { permits } => self.semaphore(permits),
            Form::Event => self.event(),
            Form::Condition { lock } => self.condition(lock),
            Form::Barrier { parties } => self.barrier(parties),
            Form::Variable { .. } => self.variable(),
            Form::ProcessSemaphore { .. } | Form::ProcessQueue { .. } => unreachable!("refused before anything starts"),
        }
    }

    fn entry(&self, place: usize) -> &Entry {
        self.seen[place].2
    }

    /// The places of the uses that were not in vain, in the order in which they happened; at one instant what lets others go
    /// on goes first.
    fn in_order(&self) -> Vec<usize> {
        let mut places: Vec<usize> =
            (0..self.seen.len()).filter(|place| self.entry(*place).happened().is_some()).collect();
        places.sort_by_key(|place| {
            let entry = self.entry(*place);
            (entry.happened(), matches!(entry.verb, Verb::Take | Verb::Get | Verb::Load))
        });
        places
    }

    fn note(&mut self, place: usize, at: u64, act: ObjectAct, value: i64) {
        self.visits[place].acts.push((at, Act::Object(self.object, act, value)));
    }

    fn queue(&mut self, capacity: Option<u64>) {
        let (mut puts, mut gets) = (Vec::new(), Vec::new());
        for place in self.in_order() {
            let Entry { verb, numbers: [_, items, at], .. } = *self.entry(place);
            let at = at as u64;
            let (act, own, other, head_start) = match verb {
                Verb::Put => (ObjectAct::Put, &mut puts, &gets, capacity),
                _ => (ObjectAct::Get, &mut gets, &puts, Some(0)),
            };
            let partner = head_start.and_then(|ahead| (own.len() as u64).checked_sub(ahead));
            let ready = partner.and_then(|partner| other.get(partner as usize).copied());
            own.push(at);
            self.visits[place].ready = ready;
            self.note(place, at, act, items);
        }
    }

    fn semaphore(&mut self, permits: u64) {
        let (mut taken, mut given, mut left) = (0u64, Vec::new(), i64::try_from(permits).unwrap_or(i64::MAX));
        for place in self.in_order() {
            let at = self.entry(place).numbers[2] as u64;
            if self.entry(place).verb == Verb::Give {
                given.push(at);
                left = left.saturating_add(1);
                self.note(place, at, ObjectAct::Release, left);
            } else {
                let partner = taken.checked_sub(permits).and_then(|partner| given.get(partner as usize));
                self.visits[place].ready = partner.copied();
                taken += 1;
                left -= 1;
                self.note(place, at, ObjectAct::Acquire, left);
            }
        }
    }

    fn event(&mut self) {
        let mut flips = Vec::new();
        for place in self.in_order() {
            let Entry { verb, begin, .. } = *self.entry(place);
            if matches!(verb, Verb::Set | Verb::Clear) {
                let set = verb == Verb::Set;
                flips.push((begin, set));
                self.note(place, begin, if set { ObjectAct::Set } else { ObjectAct::Clear }, i64::from(set));
            }
        }
        for place in 0..self.seen.len() {
            let begin = self.entry(place).begin;
            let (past, future) = flips.split_at(flips.partition_point(|(at, _)| *at <= begin));
            let was_set = past.last().is_some_and(|(_, set)| *set);
            let set = future.iter().find(|(_, set)| *set && !was_set);
            self.visits[place].ready = set.map(|(at, _)| *at);
        }
    }

    /// All that concerns the line is done with the lock held, so the clocks tell its order.
    fn condition(&mut self, lock: LockId) {
        let mut steps = Vec::new();
        for place in 0..self.seen.len() {
            let entry = self.entry(place);
            steps.push((entry.begin, place, false));
            steps.extend(entry.in_vain().map(|_| (entry.end, place, true)));
        }
        steps.sort_unstable();
        let mut line: VecDeque<usize> = VecDeque::new();
        for (at, place, leaves) in steps {
            match self.entry(place).verb {
                Verb::WaitNotified if leaves => line.retain(|each| *each != place),
                Verb::WaitNotified => {
                    line.push_back(place);
                    self.note(place, at, ObjectAct::Wait, line.len() as i64);
                    self.lets_go(place, lock);
                }
                verb => {
                    let many = if verb == Verb::Notify { 1.min(line.len()) } else { line.len() };
                    for waiter in line.drain(..many) {
                        self.visits[waiter].ready = Some(at);
                    }
                    self.note(place, at, ObjectAct::Notify, line.len() as i64);
                }
            }
        }
    }

    /// Who waits for a condition lets go of its lock, and takes it again.
    fn lets_go(&mut self, place: usize, lock: LockId) {
        let Entry { begin, end, .. } = *self.entry(place);
        self.visits[place].lock = Some(lock);
        let acts = [(begin, LockAct::Release), (end, LockAct::Acquire)];
        self.visits[place].acts.extend(acts.map(|(at, act)| (at, Act::Lock(lock, act))));
    }

    /// The place in the round says who opened it.
    fn barrier(&mut self, parties: u64) {
        let parties = i64::try_from(parties).unwrap_or(i64::MAX);
        let mut opened = Vec::new();
        for (left, place) in (0i64..).zip(self.in_order()) {
            let Entry { begin, numbers: [_, came, at], .. } = *self.entry(place);
            let (at, inside) = (at as u64, parties - 1 - left % parties);
            if came == parties - 1 {
                opened.push(at);
                self.note(place, at, ObjectAct::Open, inside);
            } else {
                self.note(place, begin, ObjectAct::Arrive, came + 1);
                self.note(place, at, ObjectAct::Leave, inside);
            }
        }
        for place in 0..self.seen.len() {
            let begin = self.entry(place).begin;
            let opener = self.entry(place).numbers[1] == parties - 1;
            let next = opened.get(opened.partition_point(|at| *at < begin)).copied();
            self.visits[place].ready = next.filter(|_| !opener);
        }
    }

    fn variable(&mut self) {
        for place in 0..self.seen.len() {
            let Entry { verb, begin, numbers: [_, value, _], .. } = *self.entry(place);
            self.note(place, begin, if verb == Verb::Load { ObjectAct::Load } else { ObjectAct::Store }, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When, what, and what the object held then.
    type Told = (u64, ObjectAct, i64);

    /// The uses of one object as (verb, begin, end, what came of it, when; -1 = in vain), each by a thread of its own: when
    /// each could go on, and what happened to the object in order.
    fn replay(form: Form, uses: &[(Verb, u64, u64, i64, i64)]) -> (Vec<Option<u64>>, Vec<Told>) {
        let entry = |(verb, begin, end, came, at): (Verb, u64, u64, i64, i64)| Entry {
            verb,
            begin,
            end,
            numbers: [0, came, at],
            lines: Vec::new(),
        };
        let entries: Vec<Entry> = uses.iter().copied().map(entry).collect();
        let mut uses = Uses::none(ObjectId::new(0));
        uses.seen = entries.iter().enumerate().map(|(thread, entry)| (ThreadId::new(thread), 0, entry)).collect();
        uses.replay(form);
        let mut acts: Vec<Told> = Vec::new();
        for (at, act) in uses.visits.iter().flat_map(|visit| &visit.acts) {
            if let Act::Object(_, act, value) = act {
                acts.push((*at, *act, *value));
            }
        }
        acts.sort_by_key(|(at, ..)| *at);
        (uses.visits.iter().map(|visit| visit.ready).collect(), acts)
    }

    #[test]
    fn a_getter_waits_for_its_item_and_a_putter_for_its_place() {
        use Verb::{Get, Put};
        // Room for one: the getter from 0 gets the item of 10; the second put, from 20, waits for the get at 40.
        let uses = [
            (Get, 0, 16, 0, 15),
            (Put, 9, 11, 1, 10),
            (Put, 20, 21, 1, 20),
            (Put, 30, 41, 1, 41),
            (Get, 40, 40, 0, 40),
        ];
        let (ready, acts) = replay(Form::Queue { capacity: Some(1) }, &uses);
        assert_eq!(ready, [Some(10), None, Some(15), Some(40), Some(20)]);
        use ObjectAct::{Get as Got, Put as Was};
        assert_eq!(acts, [(10, Was, 1), (15, Got, 0), (20, Was, 1), (40, Got, 0), (41, Was, 1)]);
        // A time-out takes nothing.
        let (ready, acts) = replay(Form::Queue { capacity: None }, &[(Get, 0, 5, 5, -1)]);
        assert_eq!((ready, acts), (vec![None], vec![]));
    }

    #[test]
    fn a_taker_waits_for_the_permit_that_was_given_back() {
        use Verb::{Give, Take};
        let uses = [
            (Take, 0, 1, 0, 1),
            (Take, 2, 11, 0, 11),
            (Give, 10, 12, 0, 10),
            (Take, 3, 31, 0, 31),
            (Give, 30, 30, 0, 30),
        ];
        let (ready, acts) = replay(Form::Semaphore { permits: 1 }, &uses);
        assert_eq!(ready, [None, Some(10), None, Some(30), None]);
        assert_eq!(acts.iter().map(|(_, _, left)| *left).collect::<Vec<_>>(), [0, 1, 0, 1, 0]);
    }

    #[test]
    fn an_event_remembers() {
        use Verb::{Clear, Set, Wait};
        let uses = [
            (Wait, 0, 12, 0, 12),
            (Set, 10, 10, 0, 10),
            (Wait, 20, 20, 0, 20),
            (Clear, 30, 30, 0, 30),
            (Wait, 40, 60, 20, -1),
        ];
        let (ready, acts) = replay(Form::Event, &uses);
        assert_eq!(ready, [Some(10), None, None, None, None]);
        assert_eq!(acts, [(10, ObjectAct::Set, 1), (30, ObjectAct::Clear, 0)]);
    }

    #[test]
    fn notifications_go_to_those_first_that_have_waited_longest() {
        use Verb::{Notify, NotifyAll, WaitNotified};
        // The one that came second had left when the second notification came.
        let uses = [
            (WaitNotified, 5, 50, 0, 50),
            (WaitNotified, 1, 40, 0, 40),
            (WaitNotified, 3, 35, 30, -1),
            (Notify, 20, 20, 0, 20),
            (NotifyAll, 45, 45, 0, 45),
        ];
        let (ready, acts) = replay(Form::Condition { lock: LockId(0) }, &uses);
        assert_eq!(ready, [Some(45), Some(20), None, None, None]);
        assert_eq!(acts.iter().map(|(_, _, waiting)| *waiting).collect::<Vec<_>>(), [1, 2, 3, 2, 0]);
    }

    #[test]
    fn a_barrier_opens_for_the_last_one() {
        use ObjectAct::{Arrive, Leave, Open};
        let meet = |begin, end, place| (Verb::Meet, begin, end, place, end as i64);
        let uses = [meet(1, 22, 0), meet(20, 21, 1), meet(30, 42, 0), meet(40, 41, 1)];
        let (ready, acts) = replay(Form::Barrier { parties: 2 }, &uses);
        assert_eq!(ready, [Some(21), None, Some(41), None]);
        let round = |at: u64| [(at, Arrive, 1), (at + 20, Open, 1), (at + 21, Leave, 0)];
        let mut expected = round(1).to_vec();
        expected.extend([(30, Arrive, 1), (41, Open, 1), (42, Leave, 0)]);
        assert_eq!(acts, expected);
    }
}
