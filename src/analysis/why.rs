//! Why a run took as long as it did, as data: render makes the sentences.
//!
//! Everything is computed from the metrics. The thread that ended last tells what limited the run: what it spent most of
//! its life on.

use crate::analysis::metrics::{Metrics, ThreadMetrics};
use crate::ids::ThreadId;
use crate::ratio::Ratio;
use crate::time::{Instant, Span};
use crate::trace::{Cast, State};

/// The story of a run: how long, how much work, and what limited it.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// From the first arrival to the last finish of a non-daemon thread, or to the end.
    pub makespan: Span,
    /// The work of all threads.
    pub work: Span,
    /// The time of all threads in I/O and sleep.
    pub away: Span,
    /// How many cores there are.
    pub cores: usize,
    /// How many threads had arrived, and how many of those had ended.
    pub threads: (usize, usize),
    /// The time compared with the work.
    pub pace: Pace,
    /// What limited the run, the main reason first; empty if nothing ran.
    pub reasons: Vec<Reason>,
}

/// How the time of a run compares with its work. Within a twentieth counts as equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// No work, no I/O, no sleep.
    Nothing,
    /// There is one core, so there is nothing to compare.
    OneCore,
    /// So many times faster than one after the other.
    Faster(Ratio),
    /// As long as the work.
    Same,
    /// So many times as long as the work, and no I/O or sleep explains it.
    Slower(Ratio),
    /// Longer than the work because of I/O and sleep; so many times faster than work, I/O and sleep one after the other.
    Away(Ratio),
}

/// Something that limited a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Only the holder of a GIL may run Python code.
    Gil {
        /// Who waited for it.
        thread: ThreadId,
        /// How long, with the forced waits.
        waited: Span,
        /// Of what life.
        life: Span,
        /// Most threads at once in Python code.
        at_once: u32,
        /// How many GILs there are.
        gils: usize,
    },
    /// A thread waits for the GIL each time it comes back from I/O or sleep, longer than it then works.
    Convoy {
        /// Who.
        thread: ThreadId,
        /// How often.
        waits: u64,
        /// The median wait.
        typical: Span,
        /// All waits.
        total: Span,
        /// Of what life.
        life: Span,
    },
    /// Native code did not let go of the GIL.
    KeepsGil {
        /// Who held it longest that way.
        thread: ThreadId,
        /// How long.
        time: Span,
    },
    /// Threads that held a GIL had no core: their interpreters stood still.
    Stalled {
        /// How long, all threads together.
        time: Span,
    },
    /// More threads than cores.
    Cores {
        /// Who waited.
        thread: ThreadId,
        /// How long.
        waited: Span,
        /// Of what life.
        life: Span,
        /// Cores busy on average.
        busy: Ratio,
    },
    /// The last thread spent its life in this state: I/O, sleep, start-up, a lock …
    State {
        /// Who.
        thread: ThreadId,
        /// Where.
        state: State,
        /// How long.
        time: Span,
        /// Of what life.
        life: Span,
    },
    /// The last thread ran most of its life: its own work is the limit.
    OwnWork {
        /// Who.
        thread: ThreadId,
        /// How long.
        ran: Span,
        /// Of what life.
        life: Span,
    },
    /// The last thread arrived late.
    Late {
        /// Who.
        thread: ThreadId,
        /// When.
        arrival: Instant,
    },
}

/// The story that the metrics of a run tell.
pub fn story(cast: &Cast, metrics: &Metrics) -> Story {
    let work = metrics.total(ThreadMetrics::work);
    let away = metrics.total(away);
    let arrived = metrics.threads.values().filter(|thread| thread.arrival.is_some());
    Story {
        makespan: metrics.makespan,
        work,
        away,
        cores: cast.cores.len(),
        threads: (arrived.clone().count(), arrived.filter(|thread| thread.finish.is_some()).count()),
        pace: pace(metrics.makespan, work, away, cast.cores.len()),
        reasons: reasons(cast, metrics),
    }
}

/// Time in I/O and sleep.
fn away(thread: &ThreadMetrics) -> Span {
    thread.states.of(State::Io) + thread.states.of(State::Sleep)
}

fn times(part: Span, whole: Span) -> Ratio {
    Ratio::new(part.ns().into(), whole.ns().into())
}

fn pace(makespan: Span, work: Span, away: Span, cores: usize) -> Pace {
    let twentieth = Ratio::new(21, 20);
    let (faster, slower) = (times(work, makespan), times(makespan, work));
    let serial = Span::from_ns(work.ns().saturating_add(away.ns()));
    if serial.is_zero() || makespan.is_zero() {
        Pace::Nothing
    } else if !away.is_zero() && (work.is_zero() || slower > twentieth) {
        Pace::Away(times(serial, makespan))
    } else if cores == 1 {
        Pace::OneCore
    } else if faster > twentieth {
        Pace::Faster(faster)
    } else if slower > twentieth {
        Pace::Slower(slower)
    } else {
        Pace::Same
    }
}

fn reasons(cast: &Cast, metrics: &Metrics) -> Vec<Reason> {
    let Some(last) = last_thread(cast, metrics) else { return Vec::new() };
    let mut reasons = parts_of_life(cast, metrics, last);
    if let Some(convoy) = convoy(cast, metrics) {
        let same = |reason: &Reason| matches!((reason, &convoy), (Reason::Gil { thread, .. }, Reason::Convoy { thread: of, .. }) if thread == of);
        reasons.retain(|reason| !same(reason));
        let place = if convoy.thread() == Some(last) { 0 } else { reasons.len() };
        reasons.insert(place, convoy);
    }
    reasons.extend(keeps_gil(metrics));
    reasons.extend(stalled(metrics));
    reasons
}

/// Who ended last, or did not end: the thread on whose life the makespan hangs. A thread that only waits for others to
/// end says nothing, unless there is nobody else.
fn last_thread(cast: &Cast, metrics: &Metrics) -> Option<ThreadId> {
    let arrived = metrics.threads.iter().filter(|(_, thread)| thread.arrival.is_some());
    let joins = |thread: &ThreadMetrics| {
        let join = thread.states.of(State::Join);
        !join.is_zero() && join.ns() >= thread.life(metrics.end).ns() / 2
    };
    let by_end = |(id, thread): &(ThreadId, &ThreadMetrics)| {
        (!joins(thread), !cast.threads[*id].daemon, thread.finish.unwrap_or(Instant::NEVER), *id)
    };
    arrived.max_by_key(by_end).map(|(id, _)| id)
}

/// The parts of a thread's life that make a quarter of it or more, the largest first.
fn parts_of_life(cast: &Cast, metrics: &Metrics, id: ThreadId) -> Vec<Reason> {
    let thread = &metrics.threads[id];
    let life = thread.life(metrics.end);
    let waited = thread.wait_gil() + thread.states.of(State::Forced);
    let mut parts = vec![(waited, gil_reason(cast, metrics, id, waited, life))];
    let cores = Reason::Cores { thread: id, waited: thread.wait_core(), life, busy: metrics.cores_busy() };
    parts.push((thread.wait_core(), cores));
    let other = thread.states.iter().filter(|(state, _)| {
        let counted = state.is_running() || state.wants_core() || matches!(state, State::WantsGil | State::Forced);
        !counted && *state != State::Done
    });
    parts.extend(other.map(|(state, time)| (time, Reason::State { thread: id, state, time, life })));
    let ran = thread.ran();
    parts.push((ran, Reason::OwnWork { thread: id, ran, life }));
    parts.extend(late(metrics, id));
    parts.retain(|(time, _)| time.ns() > 0 && time.ns() >= life.ns() / 4);
    parts.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    let limits = parts.into_iter().map(|(_, reason)| reason).enumerate();
    // Work is a reason only where nothing else takes longer.
    limits.filter(|(place, reason)| *place == 0 || !reason.is_own_work()).map(|(_, reason)| reason).collect()
}

fn gil_reason(cast: &Cast, metrics: &Metrics, thread: ThreadId, waited: Span, life: Span) -> Reason {
    Reason::Gil { thread, waited, life, at_once: metrics.max_in_python, gils: cast.gils.len() }
}

fn late(metrics: &Metrics, thread: ThreadId) -> Option<(Span, Reason)> {
    let arrival = metrics.threads[thread].arrival?;
    let first = metrics.threads.values().filter_map(|thread| thread.arrival).min()?;
    Some((arrival.since(first), Reason::Late { thread, arrival }))
}

/// The thread that suffers most from waiting for the GIL after each I/O or sleep.
fn convoy(cast: &Cast, metrics: &Metrics) -> Option<Reason> {
    let suffers = |(id, thread): (ThreadId, &ThreadMetrics)| {
        let (waits, life, total) = (thread.each_wait_gil.count(), thread.life(metrics.end), thread.wait_gil());
        let typical = thread.each_wait_gil.percentile(50)?;
        let works = Span::from_ns(thread.ran().ns() / waits.max(1));
        let is_convoy = waits >= 3
            && !away(thread).is_zero()
            && typical.ns() >= works.ns().saturating_mul(2)
            && total.ns() >= life.ns() / 4;
        is_convoy.then_some((total, Reason::Convoy { thread: id, waits, typical, total, life }))
    };
    let arrived = metrics.threads.iter().filter(|(id, _)| cast.threads[*id].gil.is_some());
    // max_by_key keeps the last of equals; the first declared is the one to name.
    arrived.rev().filter_map(suffers).max_by_key(|(total, _)| *total).map(|(_, reason)| reason)
}

fn keeps_gil(metrics: &Metrics) -> Option<Reason> {
    let kept = |thread: &ThreadMetrics| thread.states.of(State::NativeGil);
    let waited = metrics.total(ThreadMetrics::wait_gil);
    let (thread, most) = metrics.threads.iter().rev().max_by_key(|(_, thread)| kept(thread))?;
    let heavy = !waited.is_zero() && metrics.total(kept).ns() >= metrics.all_gils().busy.ns() / 4;
    (heavy && !kept(most).is_zero()).then(|| Reason::KeepsGil { thread, time: kept(most) })
}

fn stalled(metrics: &Metrics) -> Option<Reason> {
    let time = metrics.total(|thread| thread.states.of(State::RunnableGil));
    (time.ns() > metrics.makespan.ns() / 10).then_some(Reason::Stalled { time })
}

impl Reason {
    /// Whom it is about, if it is about one thread.
    pub fn thread(&self) -> Option<ThreadId> {
        match self {
            Reason::Stalled { .. } => None,
            Reason::Gil { thread, .. }
            | Reason::Convoy { thread, .. }
            | Reason::KeepsGil { thread, .. }
            | Reason::Cores { thread, .. }
            | Reason::State { thread, .. }
            | Reason::OwnWork { thread, .. }
            | Reason::Late { thread, .. } => Some(*thread),
        }
    }

    fn is_own_work(&self) -> bool {
        matches!(self, Reason::OwnWork { .. })
    }
}

#[cfg(test)]
mod tests;
