//! Every number of a run, by the definitions of the model format. [`Meter`](crate::analysis::Meter) fills them in.

use std::collections::BTreeMap;

use crate::analysis::Samples;
use crate::analysis::now::{elapsed, sum};
use crate::ids::{CoreId, GilId, IdVec, LockId, ObjectId, ProcId, SpanId, ThreadId};
use crate::ratio::{Ratio, gcd};
use crate::time::{Instant, Span};
use crate::trace::{Cast, Ending, State};

/// So many bytes of printed text are kept with the metrics.
pub const MOST_OUTPUT: usize = 16 * 1024 * 1024;

/// The numbers of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// Of each thread.
    pub threads: IdVec<ThreadId, ThreadMetrics>,
    /// Of each GIL.
    pub gils: IdVec<GilId, GilMetrics>,
    /// Of each core.
    pub cores: IdVec<CoreId, CoreMetrics>,
    /// How long each lock was held.
    pub locks: IdVec<LockId, Span>,
    /// What each shared object other than a lock held.
    pub objects: IdVec<ObjectId, ObjectMetrics>,
    /// The stretches of work of each name.
    pub spans: IdVec<SpanId, SpanMetrics>,
    /// The exit code of each process that has ended.
    pub exits: IdVec<ProcId, Option<i32>>,
    /// What was printed, up to 16 MiB.
    pub output: Vec<Line>,
    /// How many lines were printed beyond that: they are in the timeline only.
    pub more_output: u64,
    /// How the run ended; `None` if the timeline stops before its end.
    pub ending: Option<Ending>,
    /// When the run ended.
    pub end: Instant,
    /// Last finish of a non-daemon thread (or the end of a run that did not finish) − first arrival.
    pub makespan: Span,
    /// Most threads at once in `python`, `native` or `native-gil`.
    pub max_running: u32,
    /// Most threads at once in `python` or `native-gil`.
    pub max_in_python: u32,
    /// How many records the timeline has.
    pub records: u64,
}

/// The numbers of one thread.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ThreadMetrics {
    /// When it became eligible for the first time; `None` = never.
    pub arrival: Option<Instant>,
    /// The first instant of real work; `None` = it never worked.
    pub first_run: Option<Instant>,
    /// When it ended; `None` = unfinished.
    pub finish: Option<Instant>,
    /// How long it was in each state.
    pub states: States,
    /// Context switches to it.
    pub switches: u64,
    /// Times it lost its core to another thread although it could go on.
    pub preemptions: u64,
    /// Times it ran on another core than the last time.
    pub migrations: u64,
    /// Work of `cpu` and `native_holding_gil` steps.
    pub python_work: Span,
    /// Work of `native` steps.
    pub native_work: Span,
    /// The single waits for the GIL, each from wanting it to having it. A wait that the end of the run (or of the
    /// process) cuts off counts with what it lasted, so that the sum is always the time in `wants-gil`.
    pub each_wait_gil: Samples,
    /// Its jobs, if it has a period or a deadline.
    pub jobs: JobMetrics,
}

/// The numbers of the jobs of one thread.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobMetrics {
    /// How many were released.
    pub released: u64,
    /// How many were finished.
    pub finished: u64,
    /// How many were due and not finished; also where they were finished later, or not by the end of the run.
    pub misses: u64,
    /// From the release to the first real work, of each finished job that did any.
    pub responses: Samples,
    /// From the release to the finish, of each finished job.
    pub turnarounds: Samples,
}

/// The numbers of one GIL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GilMetrics {
    /// How long it was locked, with or without a core.
    pub busy: Span,
    /// Grants to a thread other than the last holder.
    pub switches: u64,
    /// Drops made on request.
    pub forced: u64,
    /// Times the request flag went from clear to set.
    pub requests: u64,
}

/// What a shared object held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectMetrics {
    /// At the end: items, permits, the value of a variable.
    pub last: i64,
    /// For how long it held how many; values of zero length are left out.
    pub times: BTreeMap<i64, Span>,
}

impl ObjectMetrics {
    /// Of an object that holds so much at first.
    pub fn of(initial: i64) -> ObjectMetrics {
        ObjectMetrics { last: initial, times: BTreeMap::new() }
    }
}

/// The numbers of one core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreMetrics {
    /// Time in `python`, `native`, `native-gil`.
    pub busy: Span,
    /// Time in `overhead` and `start-up`.
    pub overhead: Span,
}

/// The numbers of all stretches of work of one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpanMetrics {
    /// How many began.
    pub begun: u64,
    /// How long each took that ended.
    pub latency: Samples,
}

impl SpanMetrics {
    /// How many ended.
    pub fn count(&self) -> u64 {
        self.latency.count()
    }

    /// How many ended in each second of a run that took so long; `None` of one that took no time.
    pub fn throughput(&self, makespan: Span) -> Option<Ratio> {
        let per_run = u128::from(self.count()).checked_mul(Span::from_ms(1000).ns().into());
        per_run.filter(|_| !makespan.is_zero()).map(|ended| Ratio::new(ended, makespan.ns().into()))
    }
}

/// A printed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Instant,
    /// By whom.
    pub thread: ThreadId,
    /// Without the line end.
    pub text: String,
}

/// A duration for every state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct States([Span; State::ALL.len()]);

impl States {
    /// The time in one state.
    pub fn of(&self, state: State) -> Span {
        self.0[state as usize]
    }

    /// Adds time in one state.
    pub fn add(&mut self, state: State, time: Span) {
        self.0[state as usize] += time;
    }

    /// The states with any time in them, in the order of [`State::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (State, Span)> {
        State::ALL.iter().map(|state| (*state, self.of(*state))).filter(|(_, time)| !time.is_zero())
    }

    /// The time in all states that `which` picks.
    pub fn sum(&self, which: impl Fn(State) -> bool) -> Span {
        self.iter().filter(|(state, _)| which(*state)).map(|(_, time)| time).sum()
    }
}

impl ThreadMetrics {
    /// Wall time on a core in `python`, `native`, `native-gil`.
    pub fn ran(&self) -> Span {
        self.states.sum(State::is_running)
    }

    /// Time in `wants-gil`.
    pub fn wait_gil(&self) -> Span {
        self.states.of(State::WantsGil)
    }

    /// Time in `runnable` and `runnable-gil`.
    pub fn wait_core(&self) -> Span {
        self.states.sum(State::wants_core)
    }

    /// wait_core + wait_gil + forced.
    pub fn waiting(&self) -> Span {
        self.wait_core() + self.wait_gil() + self.states.of(State::Forced)
    }

    /// Core time at speed 1, without the free-threading factor.
    pub fn work(&self) -> Span {
        self.python_work + self.native_work
    }

    /// first_run − arrival.
    pub fn response(&self) -> Option<Span> {
        Some(elapsed(self.arrival?, self.first_run?))
    }

    /// finish − arrival.
    pub fn turnaround(&self) -> Option<Span> {
        Some(elapsed(self.arrival?, self.finish?))
    }

    /// How long it has lived: its turnaround, or up to `end` while it is unfinished.
    pub fn life(&self, end: Instant) -> Span {
        self.arrival.map_or(Span::ZERO, |arrival| elapsed(arrival, self.finish.unwrap_or(end)))
    }
}

impl Metrics {
    /// The sum of a span over all threads (at most 584 years).
    pub fn total(&self, of: impl Fn(&ThreadMetrics) -> Span) -> Span {
        sum(self.threads.values().map(of))
    }

    /// The sum of a count over all threads.
    pub fn count(&self, of: impl Fn(&ThreadMetrics) -> u64) -> u64 {
        self.threads.values().map(of).sum()
    }

    /// The sum over all GILs.
    pub fn all_gils(&self) -> GilMetrics {
        let count = |of: fn(&GilMetrics) -> u64| self.gils.values().map(of).sum();
        GilMetrics {
            busy: sum(self.gils.values().map(|gil| gil.busy)),
            switches: count(|gil| gil.switches),
            forced: count(|gil| gil.forced),
            requests: count(|gil| gil.requests),
        }
    }

    /// Time on a core in `python`, `native`, `native-gil`, over all cores ÷ makespan.
    pub fn cores_busy(&self) -> Ratio {
        share(self.total(ThreadMetrics::ran), self.makespan)
    }

    /// A thread's `ran` ÷ the sum over its process.
    pub fn share(&self, cast: &Cast, thread: ThreadId) -> Ratio {
        let process = cast.threads[thread].process;
        let mates = cast.threads.iter().filter(|(_, actor)| actor.process == process);
        share(self.threads[thread].ran(), sum(mates.map(|(id, _)| self.threads[id].ran())))
    }

    /// Jain's index over the `ran` of these threads, as far as they arrived: (Σx)² ÷ (n·Σx²). 1 where nobody ran: all
    /// are equal.
    pub fn fairness(&self, threads: impl IntoIterator<Item = ThreadId>) -> Ratio {
        let arrived = threads.into_iter().filter(|id| self.threads[*id].arrival.is_some());
        jain(arrived.map(|id| self.threads[id].ran().ns()).collect())
    }

    /// Whether the run ended because nobody could go on.
    pub fn is_deadlock(&self) -> bool {
        matches!(self.ending, Some(Ending::Deadlock { .. }))
    }

    /// The word of the ending; `interrupted` for a timeline without its end.
    pub fn ending_word(&self) -> &'static str {
        self.ending.as_ref().map_or("interrupted", Ending::word)
    }

    /// The end of the run as a place in time: `horizon`, `deadlock`, `end` …
    pub fn ending_place(&self) -> &'static str {
        match &self.ending {
            None | Some(Ending::Finished) => "end",
            Some(Ending::EventCap { .. }) => "event cap",
            Some(Ending::ModelError { .. }) => "error",
            Some(other) => other.word(),
        }
    }
}

/// One span as a fraction of another.
pub fn share(part: Span, whole: Span) -> Ratio {
    Ratio::new(part.ns().into(), whole.ns().into())
}

fn jain(mut values: Vec<u64>) -> Ratio {
    let shared = values.iter().fold(0, |shared, value| gcd(shared, u128::from(*value)));
    if shared == 0 {
        return Ratio::ONE;
    }
    values.iter_mut().for_each(|value| *value /= shared as u64);
    // Exact wherever the squares fit 128 bits: up to 10^6 threads of 1000 s each in nanoseconds without common divisor.
    // Beyond that the last bits of every value go.
    loop {
        if let Some(index) = jain_of(&values) {
            return index;
        }
        values.iter_mut().for_each(|value| *value >>= 1);
    }
}

fn jain_of(values: &[u64]) -> Option<Ratio> {
    let mut sum: u128 = 0;
    let mut squares: u128 = 0;
    for value in values {
        let value = u128::from(*value);
        sum = sum.checked_add(value)?;
        squares = squares.checked_add(value.checked_mul(value)?)?;
    }
    Some(Ratio::new(sum.checked_mul(sum)?, squares.checked_mul(values.len() as u128)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jains_index() {
        // (1+1+1+1)² / (4·4) = 1; (1+0+0+0)² / (4·1) = 1/4; (1+2+3)² / (3·14) = 36/42 = 6/7.
        assert_eq!(jain(vec![5, 5, 5, 5]), Ratio::ONE);
        assert_eq!(jain(vec![9, 0, 0, 0]), Ratio::new(1, 4));
        assert_eq!(jain(vec![10, 20, 30]), Ratio::new(6, 7));
        assert_eq!(jain(vec![0, 0]), Ratio::ONE);
        assert_eq!(jain(vec![]), Ratio::ONE);
    }

    #[test]
    fn jains_index_of_huge_values_does_not_overflow() {
        let hour = 3_600_000_000_000_000;
        assert_eq!(jain(vec![u64::MAX, u64::MAX - 1]).to_decimals(3), "1.000");
        assert_eq!(jain((0..100_000).map(|n| hour - n).collect()).to_decimals(3), "1.000");
    }
}
