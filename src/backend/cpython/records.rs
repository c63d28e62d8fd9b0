//! From what every thread saw of itself to one timeline in the vocabulary of the trace.
//!
//! Grants and drops of a GIL cannot be observed without privileges; they are where one thread's Python stops and
//! another's begins. Where two threads seem to run Python at once (their clocks are read only every ~20 us), the one that
//! began later is right: it has just read its clock, the other one only believes that it still runs.

use std::collections::BTreeSet;

use crate::backend::cpython::divergence::{How, threads_of, ways};
use crate::backend::cpython::lane::{Act, Context, Lane};
use crate::backend::cpython::objects::visits;
use crate::backend::cpython::protocol::{Cost, Entry, Report, ThreadReport, Verb};
use crate::backend::noted::{Noted, Rank, timeline};
use crate::backend::reached::reached;
use crate::ids::{GilId, Id, IdVec, LockId, ObjectId, ProcId, ThreadId};
use crate::kernel::state_of;
use crate::model::{Form, Scenario};
use crate::time::{Instant, Span};
use crate::trace::{Ending, GilAct, LockAct, Record, State, What, Why};

/// A stretch in which one thread held a GIL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hold {
    from: u64,
    to: u64,
    thread: ThreadId,
}

/// The timeline of a report.
pub(super) fn records(scenario: &Scenario, report: &Report, patience: Span) -> (Vec<Record>, Ending) {
    let (ending, end) = ending(scenario, report);
    let context = context(scenario, report, &report.cost, patience);
    let starters = starters(scenario, report);
    let mut visits = visits(scenario, report);
    let mut lanes: IdVec<ThreadId, Lane> = IdVec::filled(scenario.threads().len(), Lane::default());
    for each in &report.threads {
        let thread = ThreadId::new(each.thread);
        let gil = scenario.gil_of(thread).is_some();
        let came = if starters[thread].is_some() { Why::Started } else { Why::Arrived };
        let visits = std::mem::take(&mut visits[thread]);
        lanes[thread] = Lane::of(each, &context, visits, gil, came, start_up(scenario, report, thread));
    }
    let ends = process_ends(scenario, report, end);
    for thread in lanes.ids() {
        end_lane(&mut lanes[thread], scenario, thread, &ends, end);
    }
    let holds: IdVec<GilId, Vec<Hold>> =
        scenario.gils().ids().map(|gil| settle(scenario, gil, &mut lanes, end)).collect();
    let mut writer = Writer { scenario, end, starters, events: Vec::new() };
    lanes.iter().for_each(|(thread, lane)| writer.lane(thread, lane));
    holds.iter().for_each(|(gil, holds)| writer.gil(gil, holds, &lanes));
    writer.accounts(report, &lanes, end);
    writer.exits(report, &ends);
    (writer.finish(ending.clone()), ending)
}

/// How the run ended and when.
fn ending(scenario: &Scenario, report: &Report) -> (Ending, u64) {
    let horizon = scenario.run().until.map(Instant::ns);
    if let Some((code, thread, at, detail)) = &report.refused {
        let code = if code == "E204" { "E204" } else { "E206" };
        let error = Ending::ModelError { code, thread: ThreadId::new(*thread), detail: detail.clone() };
        return (error, *at);
    }
    let cut = report.processes.iter().any(|process| process.ending == "horizon");
    let last = report.threads.iter().filter_map(|thread| thread.finished).max().unwrap_or(0);
    match horizon {
        Some(horizon) if cut || last >= horizon => (Ending::Horizon, horizon),
        // Behind everything, so that nothing is cut off.
        _ => (Ending::Finished, last + 1),
    }
}

fn context(scenario: &Scenario, report: &Report, cost: &Cost, patience: Span) -> Context {
    let mut context = Context {
        round: cost.round as u64,
        late: cost.late as u64,
        patience: patience.ns(),
        horizon: scenario.run().until.map(Instant::ns),
        releases: IdVec::filled(scenario.locks().len(), Vec::new()),
        firsts: IdVec::filled(scenario.threads().len(), None),
        finishes: IdVec::filled(scenario.threads().len(), None),
        waits: scenario.objects().values().map(|object| state_of(object.form)).collect(),
    };
    for thread in &report.threads {
        context.firsts[ThreadId::new(thread.thread)] = thread.first;
        context.finishes[ThreadId::new(thread.thread)] = thread.finished;
        for entry in &thread.log {
            if let Some(lock) = lets_go(scenario, entry) {
                context.releases[lock].push(entry.begin);
            }
        }
    }
    context.releases.values_mut().for_each(|releases| releases.sort_unstable());
    context
}

/// The lock that is free when a step has begun.
fn lets_go(scenario: &Scenario, entry: &Entry) -> Option<LockId> {
    match entry.verb {
        Verb::Release => Some(LockId::new(entry.number())),
        Verb::WaitNotified => match scenario.objects()[ObjectId::new(entry.number())].form {
            Form::Condition { lock } => Some(lock),
            _ => None,
        },
        _ => None,
    }
}

/// Who started whom by a step: threads, and the threads of processes.
fn starters(scenario: &Scenario, report: &Report) -> IdVec<ThreadId, Option<ThreadId>> {
    let mut starters = IdVec::filled(scenario.threads().len(), None);
    for each in &report.threads {
        let starter = Some(ThreadId::new(each.thread));
        for entry in &each.log {
            match entry.verb {
                Verb::Start => starters[ThreadId::new(entry.number())] = starter,
                Verb::StartProcess => {
                    let children = threads_of(scenario, ProcId::new(entry.number()));
                    children.into_iter().for_each(|child| starters[child] = starter);
                }
                _ => {}
            }
        }
    }
    starters
}

/// The core time that starting up its process took, if the thread is the first of a child process.
fn start_up(scenario: &Scenario, report: &Report, thread: ThreadId) -> Option<u64> {
    let process = scenario.threads()[thread].process;
    let first = scenario.processes()[process].threads.start as usize == thread.index();
    let child = first && matches!(ways(scenario)[process.index()], How::Step | How::Later);
    let found = report.processes.iter().find(|each| child && each.process == process.index())?;
    Some(found.start_up.unwrap_or(0))
}

/// When each process ended: with its last non-daemon thread (or the last of all, if there are only daemons).
fn process_ends(scenario: &Scenario, report: &Report, end: u64) -> IdVec<ProcId, u64> {
    let end_of = |process: ProcId| {
        let own = |each: &&ThreadReport| scenario.threads()[ThreadId::new(each.thread)].process == process;
        let daemon = |each: &&ThreadReport| scenario.threads()[ThreadId::new(each.thread)].daemon;
        let only_daemons = report.threads.iter().filter(own).all(|each| daemon(&each));
        let counted = report.threads.iter().filter(own).filter(|each| only_daemons || !daemon(each));
        let left = counted.clone().any(|each| each.born.is_some() && each.finished.is_none());
        if left { end } else { counted.filter_map(|each| each.finished).max().unwrap_or(end) }
    };
    scenario.processes().ids().map(end_of).collect()
}

/// A daemon ends with its process, everything ends at the end.
fn end_lane(lane: &mut Lane, scenario: &Scenario, thread: ThreadId, ends: &IdVec<ProcId, u64>, end: u64) {
    let ended = ends[scenario.threads()[thread].process];
    if ended < end && lane.changes.last().is_some_and(|last| last.state != State::Done || last.at > ended) {
        lane.clip(ended);
        if !lane.changes.is_empty() {
            lane.end(ended);
        }
    }
    lane.clip(end);
}

/// Who held a GIL when; takes it from those who only believed to hold it.
fn settle(scenario: &Scenario, gil: GilId, lanes: &mut IdVec<ThreadId, Lane>, end: u64) -> Vec<Hold> {
    let users: Vec<ThreadId> =
        scenario.threads().ids().filter(|thread| scenario.gil_of(*thread) == Some(gil)).collect();
    let mut claims = Vec::new();
    for thread in &users {
        claims.extend(lanes[*thread].holds(end).into_iter().map(|(from, to)| Hold { from, to, thread: *thread }));
    }
    let holds = latest_wins(&claims);
    for thread in users {
        let own = |hold: &&Hold| hold.thread == thread;
        let claimed = claims.iter().filter(own);
        let held: Vec<&Hold> = holds.iter().filter(own).collect();
        lanes[thread].carve(&difference(claimed, &held));
    }
    holds
}

/// At every instant the claim that began last.
fn latest_wins(claims: &[Hold]) -> Vec<Hold> {
    let mut edges: Vec<(u64, bool, Hold)> = Vec::with_capacity(claims.len() * 2);
    for claim in claims.iter().filter(|claim| claim.from < claim.to) {
        edges.push((claim.from, true, *claim));
        edges.push((claim.to, false, *claim));
    }
    // Ends first: who stops at an instant does not hold at it.
    edges.sort_by_key(|(at, starts, claim)| (*at, *starts, claim.thread));
    let mut active: BTreeSet<(u64, ThreadId)> = BTreeSet::new();
    let mut holds: Vec<Hold> = Vec::new();
    let mut current: Option<(u64, ThreadId)> = None;
    let mut edges = edges.into_iter().peekable();
    while let Some((at, starts, claim)) = edges.next() {
        if starts {
            active.insert((claim.from, claim.thread))
        } else {
            active.remove(&(claim.from, claim.thread))
        };
        let more = edges.peek().is_some_and(|(next, ..)| *next == at);
        let holder = active.last().map(|(_, thread)| *thread);
        if more || holder == current.map(|(_, thread)| thread) {
            continue;
        }
        if let Some((from, thread)) = current {
            holds.push(Hold { from, to: at, thread });
        }
        current = holder.map(|thread| (at, thread));
    }
    holds
}

/// What is claimed and not held; both sorted.
fn difference<'h>(claimed: impl Iterator<Item = &'h Hold>, held: &[&Hold]) -> Vec<(u64, u64)> {
    let mut pieces = Vec::new();
    let mut next = 0;
    for claim in claimed {
        let mut from = claim.from;
        while next < held.len() && held[next].from < claim.to {
            if held[next].from > from {
                pieces.push((from, held[next].from));
            }
            from = held[next].to;
            next += 1;
        }
        if from < claim.to {
            pieces.push((from, claim.to));
        }
    }
    pieces
}

struct Writer<'s> {
    scenario: &'s Scenario,
    end: u64,
    starters: IdVec<ThreadId, Option<ThreadId>>,
    events: Vec<Noted>,
}

impl Writer<'_> {
    fn add(&mut self, at: u64, rank: Rank, thread: ThreadId, what: What) {
        self.events.push((at, rank, thread, what));
    }

    fn lane(&mut self, thread: ThreadId, lane: &Lane) {
        let mut from = None;
        for change in &lane.changes {
            let what = What::State { thread, from, to: change.state, core: None, why: change.why };
            self.add(change.at, Rank::State, thread, what);
            from = Some(change.state);
        }
        for (at, act) in &lane.acts {
            match act {
                Act::Output(text) => self.add(*at, Rank::Output, thread, What::Output { thread, text: text.clone() }),
                Act::Span(span, act) => {
                    let before = lane.changes.iter().rev().map(|change| (change.at, change.state));
                    let what = What::Span { span: *span, thread, act: *act };
                    self.add(reached(*at, before), Rank::Span, thread, what);
                }
                Act::Lock(lock, act) => {
                    let rank = if *act == LockAct::Acquire { Rank::Acquire } else { Rank::Release };
                    self.add(*at, rank, thread, What::Lock { lock: *lock, thread, act: *act });
                }
                Act::Object(object, act, value) => {
                    let what = What::Object { object: *object, thread, act: *act, value: *value };
                    self.add(*at, Rank::of(*act), thread, what);
                }
            }
        }
    }

    fn gil(&mut self, gil: GilId, holds: &[Hold], lanes: &IdVec<ThreadId, Lane>) {
        let mut last = None;
        for hold in holds {
            let thread = hold.thread;
            let switched = last.replace(thread) != Some(thread);
            self.add(hold.from, Rank::Grant, thread, What::Gil { gil, thread, act: GilAct::Grant { switched } });
            if hold.to < self.end {
                let forced = lanes[thread].at(hold.to) == Some(State::WantsGil);
                self.add(hold.to, Rank::Drop, thread, What::Gil { gil, thread, act: GilAct::Drop { forced } });
            }
        }
    }

    fn accounts(&mut self, report: &Report, lanes: &IdVec<ThreadId, Lane>, end: u64) {
        for each in &report.threads {
            let thread = ThreadId::new(each.thread);
            let Some(last) = lanes[thread].changes.last() else { continue };
            let at = if last.state == State::Done { last.at } else { end };
            let finished = each.finished.is_some_and(|finished| finished <= at);
            let [python_work, native_work, demanded] = work(each);
            self.add(at, Rank::Account, thread, What::Account { thread, python_work, native_work, demanded, finished });
        }
    }

    fn exits(&mut self, report: &Report, ends: &IdVec<ProcId, u64>) {
        for each in report.processes.iter().filter(|each| each.ending == "finished") {
            let process = ProcId::new(each.process);
            let code = report.codes.iter().find(|(number, _)| *number == each.process).map_or(0, |(_, code)| *code);
            let first = ThreadId::new(self.scenario.processes()[process].threads.start as usize);
            self.add(ends[process].min(self.end), Rank::Exit, first, What::Exit { process, code });
        }
    }

    /// Sorts, names causes, and closes.
    fn finish(self, ending: Ending) -> Vec<Record> {
        timeline(self.scenario, self.events, self.starters, ending, self.end)
    }
}

/// Work executed (Python, native) and demanded, in calibrated units.
fn work(report: &ThreadReport) -> [Span; 3] {
    let mut sums = [0u64; 3];
    for entry in &report.log {
        let length = entry.numbers[1].max(0) as u64;
        let executed = entry.numbers[2].max(0) as u64;
        match entry.verb {
            Verb::Cpu => sums[0] += executed,
            Verb::Hold => sums[0] += length,
            Verb::Native => sums[1] += length,
            _ => continue,
        }
        sums[2] += length;
    }
    let ended = report.log.last().map_or(0, |entry| entry.end);
    let under_way = report.begun.filter(|begun| begun.at >= ended);
    if let Some(begun) = under_way.filter(|begun| matches!(begun.verb, Verb::Native | Verb::Hold)) {
        sums[2] += begun.number;
    }
    sums.map(Span::from_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(thread: u32, from: u64, to: u64) -> Hold {
        Hold { from, to, thread: ThreadId(thread) }
    }

    #[test]
    fn who_began_last_holds() {
        let claims = [hold(0, 0, 100), hold(1, 40, 45), hold(1, 90, 150), hold(2, 150, 160)];
        let holds = latest_wins(&claims);
        assert_eq!(holds, [hold(0, 0, 40), hold(1, 40, 45), hold(0, 45, 90), hold(1, 90, 150), hold(2, 150, 160)]);
        let held: Vec<&Hold> = holds.iter().filter(|hold| hold.thread == ThreadId(0)).collect();
        assert_eq!(difference(claims[..1].iter(), &held), [(40, 45), (90, 100)]);
    }
}
