//! From the log of one thread to its states.
//!
//! What a log says for sure: at every reading of the clock inside a step of Python code, and at both ends of every other
//! step, the thread was on a core and held the GIL. What lies between is inferred here, with the kernel's counters:
//!
//! | seen | inferred |
//! |---|---|
//! | a gap inside `cpu` with voluntary switches | `wants-gil`; if the kernel counted time in the run queue, that much `runnable` at its end |
//! | a gap with involuntary switches only | `runnable-gil`: it lost its core, not the GIL (`runnable` without a GIL) |
//! | a gap without any switch | nothing: an interrupt or the hypervisor; the thread kept core and GIL |
//! | a blocking step that lasted longer than its length plus this host's usual lateness | first `runnable`, for as long as the kernel counted time in the run queue, then `wants-gil` |
//! | a `native` step that lasted longer than the core time it used | the same |

use std::collections::VecDeque;

use crate::backend::cpython::objects::Visit;
use crate::backend::cpython::protocol::{Begun, Entry, ThreadReport, Verb};
use crate::ids::{Id, IdVec, LockId, ObjectId, SpanId, ThreadId};
use crate::trace::{LockAct, ObjectAct, SpanAct, State, Why};

/// A state from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub at: u64,
    pub state: State,
    pub why: Why,
}

/// Something that a thread did and that is not a state.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    Lock(LockId, LockAct),
    /// With what the object holds afterwards.
    Object(ObjectId, ObjectAct, i64),
    Output(String),
    Span(SpanId, SpanAct),
}

/// The life of one thread.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lane {
    pub changes: Vec<Change>,
    pub acts: Vec<(u64, Act)>,
}

/// What the inference needs to know of the run, in nanoseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    /// The grain: one round of the `cpu` loop.
    pub round: u64,
    /// How late a timer usually wakes a thread here.
    pub late: u64,
    /// What a blocking step may take beyond that before the rest counts as waiting for the GIL.
    pub patience: u64,
    /// Where the run is cut off.
    pub horizon: Option<u64>,
    /// When each lock was released, in order.
    pub releases: IdVec<LockId, Vec<u64>>,
    /// When each thread first ran.
    pub firsts: IdVec<ThreadId, Option<u64>>,
    /// When each thread finished.
    pub finishes: IdVec<ThreadId, Option<u64>>,
    /// In which state threads wait for each object.
    pub waits: IdVec<ObjectId, Option<State>>,
}

/// Waits shorter than this leave no trace: the two readings of a clock around a step that did not block.
const NOTICED: u64 = 20_000;

impl Lane {
    /// The states of a thread, from its arrival to its end or to what it was last seen to begin.
    /// `gil` says whether it needs one, `came` how it came; the first thread of a child process has a `start_up`: the
    /// core time that went before its first line.
    /// `visits` are its uses of objects.
    pub fn of(
        report: &ThreadReport,
        context: &Context,
        visits: VecDeque<Visit>,
        gil: bool,
        came: Why,
        start_up: Option<u64>,
    ) -> Lane {
        let mut writer = Writer { lane: Lane::default(), context, visits, gil, last: 0 };
        let Some(born) = report.born else { return writer.lane };
        writer.begin(report, born, came, start_up);
        report.log.iter().for_each(|entry| writer.entry(entry));
        match report.finished {
            Some(finished) => writer.to(finished, State::Done, Why::Finished),
            None => writer.under_way(report),
        }
        writer.lane
    }

    /// Forgets everything from an instant on.
    pub fn clip(&mut self, end: u64) {
        self.changes.retain(|change| change.at < end);
        self.acts.retain(|(at, _)| *at < end);
    }

    /// A daemon's end: its process ended.
    pub fn end(&mut self, at: u64) {
        self.changes.push(Change { at, state: State::Done, why: Why::ProcessEnded });
    }

    /// The state at an instant.
    pub fn at(&self, at: u64) -> Option<State> {
        self.changes[..self.changes.partition_point(|change| change.at <= at)].last().map(|change| change.state)
    }

    /// The stretches in which the thread holds its GIL; an open one ends at `end`.
    pub fn holds(&self, end: u64) -> Vec<(u64, u64)> {
        let mut stretches: Vec<(u64, u64)> = Vec::new();
        let mut since = None;
        for change in &self.changes {
            match (since, holds(change.state)) {
                (None, true) => since = Some(change.at),
                (Some(from), false) => {
                    stretches.push((from, change.at));
                    since = None;
                }
                _ => {}
            }
        }
        stretches.extend(since.map(|from| (from, end)));
        stretches
    }

    /// In these stretches, sorted and apart, somebody else held the GIL.
    pub fn carve(&mut self, pieces: &[(u64, u64)]) {
        for (from, to) in pieces {
            let first = self.changes.partition_point(|change| change.at < *from);
            let behind = self.changes.partition_point(|change| change.at <= *to);
            let Some(resumed) = self.changes[..behind].last().copied() else { continue };
            let lost = Change { at: *from, state: State::WantsGil, why: Why::GilLocked };
            let back = Change {
                at: *to,
                state: resumed.state,
                why: if resumed.at == *to { resumed.why } else { Why::GilTaken },
            };
            self.changes.splice(first..behind, [lost, back]);
        }
        self.changes.dedup_by(|later, earlier| later.state == earlier.state);
    }
}

/// Whether a thread in this state holds the GIL of its interpreter.
fn holds(state: State) -> bool {
    state.in_python() || state == State::RunnableGil
}

struct Writer<'c> {
    lane: Lane,
    context: &'c Context,
    /// The uses of objects that come next.
    visits: VecDeque<Visit>,
    gil: bool,
    /// Up to here the log has been read.
    last: u64,
}

impl Writer<'_> {
    fn to(&mut self, at: u64, state: State, why: Why) {
        let changes = &mut self.lane.changes;
        let at = changes.last().map_or(at, |last| at.max(last.at));
        match changes.last_mut() {
            Some(last) if last.state == state => {}
            // A state of no length never was.
            Some(last) if last.at == at => *last = Change { at, state, why },
            _ => changes.push(Change { at, state, why }),
        }
    }

    /// It cannot go on although nothing blocks it.
    fn lost(&mut self, at: u64) {
        let (state, why) = if self.gil { (State::WantsGil, Why::GilLocked) } else { (State::Runnable, Why::Preempted) };
        self.to(at, state, why);
    }

    fn python(&mut self, at: u64) {
        let kept = self.lane.changes.last().is_some_and(|last| last.state == State::RunnableGil);
        self.to(at, State::Python, if self.gil && !kept { Why::GilTaken } else { Why::Dispatched });
        self.last = at;
    }

    fn begin(&mut self, report: &ThreadReport, born: u64, came: Why, start_up: Option<u64>) {
        let first = report.first.unwrap_or(u64::MAX).max(born);
        let late = first - born > self.context.patience;
        let by_itself = if self.gil && late && start_up.is_none() { State::WantsGil } else { State::Runnable };
        self.to(born, by_itself, came);
        if report.first.is_none() {
            return;
        }
        if let Some(start_up) = start_up {
            // When it was on a core while it was started up is not known, only for how long in all.
            self.to(first.saturating_sub(start_up).max(born), State::StartUp, Why::Dispatched);
        }
        self.python(first);
    }

    fn entry(&mut self, entry: &Entry) {
        let (begin, end, [first, second, third]) = (entry.begin, entry.end, entry.numbers);
        let (used, queued) = (begin.saturating_add(self.share(begin, end, first.max(0) as u64)), third.max(0) as u64);
        if entry.verb != Verb::Gap && begin > self.last + self.context.patience {
            // Between two steps there are only a few lines of Python: it was not running them.
            self.lost(self.last);
            self.python(begin);
        }
        match entry.verb {
            Verb::Cpu => self.last = end,
            Verb::Gap => self.gap(entry),
            Verb::Native => {
                self.to(begin, State::Native, Why::Step);
                self.late(used, queued, end, Why::Preempted);
            }
            Verb::Hold => self.native_gil(begin, used, end),
            Verb::Io => {
                let due = if first > 0 { first as u64 } else { begin.saturating_add(second.max(0) as u64) };
                self.to(begin, State::Io, Why::IoStarted);
                self.late(due.saturating_add(self.context.late), queued, end, Why::IoDone);
            }
            Verb::Sleep => {
                let due = begin.saturating_add(second.max(0) as u64);
                self.to(begin, State::Sleep, Why::SleepStarted);
                self.late(due.saturating_add(self.context.late), queued, end, Why::SleepOver);
            }
            Verb::Acquire => self.acquire(entry),
            Verb::Release => self.act(begin, Act::Lock(LockId::new(entry.number()), LockAct::Release)),
            Verb::Start => {
                let ran = self.context.firsts[ThreadId::new(entry.number())].unwrap_or(end);
                self.blocked((State::Event, Why::ChildStarting), begin, ran, end);
            }
            Verb::Join => {
                let ended = self.context.finishes[ThreadId::new(entry.number())].unwrap_or(end);
                let ended = self.in_vain(entry).unwrap_or(ended);
                self.blocked((State::Join, Why::Joining), begin, ended, end);
            }
            Verb::StartProcess => {
                let used = begin.saturating_add(second.max(0) as u64);
                self.blocked((State::StartUp, Why::Step), begin, used, end);
            }
            Verb::JoinProcess => self.blocked((State::Join, Why::Joining), begin, end, end),
            Verb::Enter => self.act(begin, Act::Span(SpanId::new(entry.number()), SpanAct::Begin)),
            Verb::Leave => self.act(begin, Act::Span(SpanId::new(entry.number()), SpanAct::End)),
            Verb::Take | Verb::Give | Verb::Put | Verb::Get | Verb::Set | Verb::Clear | Verb::Wait => self.visit(entry),
            Verb::WaitNotified | Verb::Notify | Verb::NotifyAll | Verb::Meet | Verb::Load | Verb::Store => {
                self.visit(entry);
            }
            Verb::Print | Verb::Show => entry.lines.iter().for_each(|line| self.act(begin, Act::Output(line.clone()))),
        }
    }

    /// Of the core time of a C call, what it used before the horizon; where in the call it had a core is not known.
    fn share(&self, begin: u64, end: u64, used: u64) -> u64 {
        match self.context.horizon.filter(|horizon| (begin + 1..end).contains(horizon)) {
            Some(horizon) => (u128::from(used) * u128::from(horizon - begin) / u128::from(end - begin)) as u64,
            None => used,
        }
    }

    fn act(&mut self, at: u64, act: Act) {
        self.lane.acts.push((at, act));
        self.last = at;
    }

    /// A blocking step that could go on at `due`.
    fn blocked(&mut self, (state, why): (State, Why), begin: u64, due: u64, end: u64) {
        if end - begin > NOTICED {
            self.to(begin, state, why);
            self.late(due.max(begin), 0, end, why);
        }
        self.python(end);
    }

    /// A step that could go on at `due` went on at `end`: it waited for a core, for as long as the kernel says, and then
    /// for the GIL.
    fn late(&mut self, due: u64, queued: u64, end: u64, why: Why) {
        let ready = due.saturating_add(queued).min(end);
        if end > due.saturating_add(self.context.patience) {
            if queued > NOTICED {
                self.to(due, State::Runnable, why);
            }
            if self.gil && end > ready.saturating_add(self.context.patience) {
                self.lost(ready);
            }
        }
        self.python(end);
    }

    /// It cannot be interrupted, but it can lose its core; where in the step is not known.
    fn native_gil(&mut self, begin: u64, used: u64, end: u64) {
        self.to(begin, State::NativeGil, Why::Step);
        if end > used.saturating_add(self.context.patience) {
            let lost = if self.gil { State::RunnableGil } else { State::Runnable };
            self.to(used, lost, Why::Preempted);
        }
        self.python(end);
    }

    /// The owner before released it at some instant that is known from that thread's own log.
    fn acquire(&mut self, entry: &Entry) {
        let (begin, end, lock) = (entry.begin, entry.end, LockId::new(entry.number()));
        let ready = self.in_vain(entry).or_else(|| self.released(lock, begin, end));
        self.waited((State::Lock, Why::LockBusy), begin, ready, end);
        if entry.happened().is_some() {
            self.act(end, Act::Lock(lock, LockAct::Acquire));
        }
    }

    /// The last release of a lock in a stretch of time.
    fn released(&self, lock: LockId, begin: u64, end: u64) -> Option<u64> {
        let releases = &self.context.releases[lock];
        releases[..releases.partition_point(|at| *at <= end)].last().copied().filter(|released| *released > begin)
    }

    /// When a step that waited in vain could go on: its time-out, and this host's usual lateness.
    fn in_vain(&self, entry: &Entry) -> Option<u64> {
        entry.in_vain().map(|due| due.saturating_add(self.context.late))
    }

    /// A step that could go on at `ready`, or that did not wait at all.
    fn waited(&mut self, waits: (State, Why), begin: u64, ready: Option<u64>, end: u64) {
        match ready.filter(|ready| *ready > begin) {
            Some(ready) => self.blocked(waits, begin, ready, end),
            None if end - begin > self.context.patience => {
                self.lost(begin);
                self.python(end);
            }
            None => {}
        }
    }

    /// A use of an object: it waited until it could go on, and perhaps for a lock.
    fn visit(&mut self, entry: &Entry) {
        let Some(visit) = self.visits.pop_front() else { return };
        let (begin, end) = (entry.begin, entry.happened().unwrap_or(entry.end).max(entry.begin));
        let ready = self.in_vain(entry).or(visit.ready);
        if let Some(state) = self.context.waits[ObjectId::new(entry.number())] {
            let notified = ready.filter(|ready| *ready > begin).unwrap_or(begin).min(end);
            match visit.lock.and_then(|lock| self.released(lock, notified, end)) {
                None => self.waited((state, Why::ObjectBusy), begin, ready, end),
                Some(released) => {
                    self.to(begin, state, Why::ObjectBusy);
                    self.blocked((State::Lock, Why::LockBusy), notified, released, end);
                }
            }
        }
        self.lane.acts.extend(visit.acts);
        self.last = end;
    }

    fn gap(&mut self, entry: &Entry) {
        let [voluntary, involuntary, queued] = entry.numbers;
        let lost = (entry.end - entry.begin).saturating_sub(self.context.round);
        let from = entry.begin + (entry.end - entry.begin - lost) / 2;
        let (to, queued) = (from + lost, (queued.max(0) as u64).min(lost));
        match (self.gil, voluntary != 0, involuntary > 0) {
            (true, true, _) => {
                self.lost(from);
                if queued > self.context.patience {
                    self.to(to - queued, State::Runnable, Why::GilSignal);
                }
            }
            (true, false, true) => self.to(from, State::RunnableGil, Why::Preempted),
            (false, false, true) => self.to(from, State::Runnable, Why::Preempted),
            (false, true, _) => self.to(from, State::Suspended, Why::Step),
            (_, false, false) => return self.last = entry.end,
        }
        self.python(to);
        self.last = entry.end;
    }

    /// What it was last seen to begin, and not to end.
    fn under_way(&mut self, report: &ThreadReport) {
        let Some(Begun { verb, at: begin, number, used }) = report.begun.filter(|begun| begun.at >= self.last) else {
            return;
        };
        let state = match verb {
            Verb::Native => (State::Native, Why::Step),
            Verb::Hold => (State::NativeGil, Why::Step),
            Verb::Io => (State::Io, Why::IoStarted),
            Verb::Sleep => (State::Sleep, Why::SleepStarted),
            Verb::Acquire => (State::Lock, Why::LockBusy),
            verb if verb.uses_object() => match self.context.waits[ObjectId::new(number as usize)] {
                Some(state) => (state, Why::ObjectBusy),
                None => return,
            },
            Verb::Start => (State::Event, Why::ChildStarting),
            Verb::Join | Verb::JoinProcess => (State::Join, Why::Joining),
            _ => return,
        };
        self.to(begin, state.0, state.1);
        match (verb, used) {
            // What the kernel did not count it spent without a core. Where in the call is not known.
            (Verb::Native, Some(used)) if used < number => {
                self.to(begin.saturating_add(used), State::Runnable, Why::Preempted);
            }
            (Verb::Hold, Some(used)) => {
                let lost = if self.gil { State::RunnableGil } else { State::Runnable };
                self.to(begin.saturating_add(used), lost, Why::Preempted);
            }
            (Verb::Native | Verb::Io | Verb::Sleep, _) if self.gil => {
                self.lost(begin.saturating_add(number).saturating_add(self.context.late));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(verb: Verb, begin: u64, end: u64, numbers: [i64; 3]) -> Entry {
        Entry {
            verb,
            begin: begin * 1000,
            end: end * 1000,
            numbers: numbers.map(|number| number * 1000),
            lines: Vec::new(),
        }
    }

    fn lane(log: Vec<Entry>, finished: Option<u64>) -> Vec<(u64, &'static str)> {
        let context = Context { round: 20_000, late: 70_000, patience: 200_000, ..Context::default() };
        let report = ThreadReport {
            thread: 0,
            born: Some(0),
            first: Some(10_000),
            finished: finished.map(|at| at * 1000),
            begun: None,
            log,
            totals: None,
        };
        let lane = Lane::of(&report, &context, VecDeque::new(), true, Why::Arrived, None);
        lane.changes.iter().map(|change| (change.at / 1000, change.state.word())).collect()
    }

    #[test]
    fn gaps_are_what_the_kernel_counted() {
        let gap = |numbers| vec![entry(Verb::Gap, 1000, 6020, numbers), entry(Verb::Cpu, 20, 9000, [4000, 4000, 4000])];
        let start = [(0, "runnable"), (10, "python")];
        assert_eq!(lane(gap([2, 0, 0]), Some(9001))[2..], [(1010, "wants-gil"), (6010, "python"), (9001, "done")]);
        let queued = lane(gap([2, 1, 3000]), Some(9001));
        assert_eq!(queued[2..5], [(1010, "wants-gil"), (3010, "runnable"), (6010, "python")]);
        assert_eq!(lane(gap([0, 1, 5000]), Some(9001))[2..4], [(1010, "runnable-gil"), (6010, "python")]);
        assert_eq!(lane(gap([0, 0, 0]), Some(9001)), [start[0], start[1], (9001, "done")]);
    }

    #[test]
    fn a_late_sleeper_wanted_the_gil() {
        let sleep = |end| vec![entry(Verb::Sleep, 20, end, [0, 1000, 0])];
        assert_eq!(lane(sleep(1100), Some(1101))[2..], [(20, "sleep"), (1100, "python"), (1101, "done")]);
        let late = lane(sleep(6200), Some(6201));
        assert_eq!(late[2..], [(20, "sleep"), (1090, "wants-gil"), (6200, "python"), (6201, "done")]);
    }

    #[test]
    fn native_ends_with_the_core_time_it_used() {
        let log = vec![entry(Verb::Native, 20, 9000, [3000, 3000, 0])];
        assert_eq!(lane(log, Some(9001))[2..4], [(20, "native"), (3020, "wants-gil")]);
        let log = vec![entry(Verb::Native, 20, 9000, [3000, 3000, 2000])];
        assert_eq!(lane(log, Some(9001))[2..5], [(20, "native"), (3020, "runnable"), (5020, "wants-gil")]);
    }

    #[test]
    fn a_call_under_way_ran_for_as_long_as_the_kernel_says() {
        let under_way = |verb, used: Option<u64>| {
            let context = Context { late: 70_000, patience: 200_000, ..Context::default() };
            let begun = Begun { verb, at: 20_000, number: 9_000_000, used };
            let (born, first, begun) = (Some(0), Some(10_000), Some(begun));
            let report = ThreadReport { thread: 0, born, first, finished: None, begun, log: Vec::new(), totals: None };
            let lane = Lane::of(&report, &context, VecDeque::new(), true, Why::Arrived, None);
            lane.changes[2..].iter().map(|change| (change.at / 1000, change.state.word())).collect::<Vec<_>>()
        };
        assert_eq!(under_way(Verb::Native, Some(3_000_000)), [(20, "native"), (3020, "runnable")]);
        assert_eq!(under_way(Verb::Hold, Some(3_000_000)), [(20, "native-gil"), (3020, "runnable-gil")]);
    }

    #[test]
    fn what_somebody_else_held_is_carved_out() {
        let mut lane = Lane::default();
        for (at, state) in [(0, State::Python), (100, State::Io), (200, State::Python), (300, State::Done)] {
            lane.changes.push(Change { at, state, why: Why::Step });
        }
        assert_eq!(lane.holds(1000), [(0, 100), (200, 300)]);
        lane.carve(&[(40, 60), (80, 100)]);
        let states: Vec<_> = lane.changes.iter().map(|change| (change.at, change.state)).collect();
        let expected = [
            (0, "python"),
            (40, "wants-gil"),
            (60, "python"),
            (80, "wants-gil"),
            (100, "io"),
            (200, "python"),
            (300, "done"),
        ];
        assert_eq!(states.iter().map(|(at, state)| (*at, state.word())).collect::<Vec<_>>(), expected);
        assert_eq!(lane.holds(1000), [(0, 40), (60, 80), (200, 300)]);
    }
}
