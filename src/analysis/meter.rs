//! Computes [`Metrics`] on the way, from the same records that a reader sees.
//!
//! Memory does not grow with the horizon, but for the lines that the model prints.

use crate::analysis::metrics::{
    CoreMetrics, GilMetrics, Line, MOST_OUTPUT, Metrics, ObjectMetrics, SpanMetrics, ThreadMetrics,
};
use crate::analysis::now::{Now, Segment, elapsed};
use crate::ids::{GilId, IdVec, LockId, ObjectId, SpanId, ThreadId};
use crate::time::{Instant, Span};
use crate::trace::{Cast, Ending, GilAct, JobAct, LockAct, Observer, Record, SpanAct, State, What};

/// Watches a run and computes its metrics.
#[derive(Clone, Debug)]
pub struct Meter<'c> {
    cast: &'c Cast,
    at: Instant,
    now: Now,
    running: u32,
    in_python: u32,
    waits: IdVec<ThreadId, Wait>,
    gil_since: IdVec<GilId, Option<Instant>>,
    lock_since: IdVec<LockId, Option<Instant>>,
    object_since: IdVec<ObjectId, Instant>,
    jobs: IdVec<ThreadId, Job>,
    /// The stretches of work that each thread is in, the innermost last.
    open_spans: IdVec<ThreadId, Vec<(SpanId, Instant)>>,
    /// Bytes of printed text.
    printed: usize,
    metrics: Metrics,
}

/// A wait for the GIL under way: the time in `wants-gil` so far, and since when the thread is in it again.
/// Retries in between (`runnable`, `overhead`) belong to the same wait.
#[derive(Clone, Copy, Debug, Default)]
struct Wait {
    total: Span,
    since: Option<Instant>,
}

/// The present job of a thread. The one before ended at `since`; what ran before that was not for it.
#[derive(Clone, Copy, Debug, Default)]
struct Job {
    since: Instant,
    first_run: Option<Instant>,
}

impl Job {
    /// Looks whether the thread worked for the job during a segment.
    fn worked(&mut self, segment: &Segment) {
        let from = segment.from.max(self.since);
        if segment.state.is_running() && segment.to > from {
            self.first_run.get_or_insert(from);
        }
    }
}

impl<'c> Meter<'c> {
    /// A meter for a run with this cast.
    pub fn new(cast: &'c Cast) -> Meter<'c> {
        Meter {
            cast,
            at: Instant::ZERO,
            now: Now::new(cast.threads.len()),
            running: 0,
            in_python: 0,
            waits: IdVec::filled(cast.threads.len(), Wait::default()),
            gil_since: IdVec::filled(cast.gils.len(), None),
            lock_since: IdVec::filled(cast.locks.len(), None),
            object_since: IdVec::filled(cast.objects.len(), Instant::ZERO),
            jobs: IdVec::filled(cast.threads.len(), Job::default()),
            open_spans: IdVec::filled(cast.threads.len(), Vec::new()),
            printed: 0,
            metrics: Metrics {
                threads: IdVec::filled(cast.threads.len(), ThreadMetrics::default()),
                gils: IdVec::filled(cast.gils.len(), GilMetrics::default()),
                cores: IdVec::filled(cast.cores.len(), CoreMetrics::default()),
                locks: IdVec::filled(cast.locks.len(), Span::ZERO),
                objects: cast.objects.values().map(|thing| ObjectMetrics::of(thing.initial)).collect(),
                spans: IdVec::filled(cast.spans.len(), SpanMetrics::default()),
                exits: IdVec::filled(cast.processes.len(), None),
                output: Vec::new(),
                more_output: 0,
                ending: None,
                end: Instant::ZERO,
                makespan: Span::ZERO,
                max_running: 0,
                max_in_python: 0,
                records: 0,
            },
        }
    }

    /// The metrics, once the run is over (or as far as it got).
    pub fn finish(mut self) -> Metrics {
        let open: Vec<Segment> = self.now.open(self.at).collect();
        open.iter().for_each(|segment| self.spend(segment));
        for thread in self.cast.threads.ids() {
            self.end_wait(thread);
        }
        for gil in self.cast.gils.ids() {
            self.gil_free(gil);
        }
        for lock in self.cast.locks.ids() {
            self.lock_free(lock);
        }
        for object in self.cast.objects.ids() {
            self.object_held(object);
        }
        self.metrics.end = self.at;
        self.metrics.makespan = self.makespan();
        self.metrics
    }

    fn makespan(&self) -> Span {
        let threads = || self.metrics.threads.iter();
        let finished = self.metrics.ending == Some(Ending::Finished);
        let last = threads().filter(|(id, _)| finished && !self.cast.threads[*id].daemon);
        let last = last.filter_map(|(_, thread)| thread.finish).max().unwrap_or(self.at);
        let first = threads().filter_map(|(_, thread)| thread.arrival).min();
        first.map_or(Span::ZERO, |first| elapsed(first, last))
    }

    /// Only what holds while time passes counts as a maximum: states of zero length do not.
    fn advance(&mut self, to: Instant) {
        if to > self.at {
            self.metrics.max_running = self.metrics.max_running.max(self.running);
            self.metrics.max_in_python = self.metrics.max_in_python.max(self.in_python);
            self.at = to;
        }
    }

    fn state(&mut self, thread: ThreadId, to: State, segment: Option<Segment>) {
        if let Some(segment) = segment {
            self.running -= u32::from(segment.state.is_running());
            self.in_python -= u32::from(segment.state.in_python());
            self.spend(&segment);
        }
        self.running += u32::from(to.is_running());
        self.in_python += u32::from(to.in_python());
        self.turn_wait(thread, to);
        let metrics = &mut self.metrics.threads[thread];
        metrics.arrival.get_or_insert(self.at);
        if to == State::Done {
            metrics.finish.get_or_insert(self.at);
        }
    }

    fn spend(&mut self, segment: &Segment) {
        let (state, length) = (segment.state, segment.length());
        self.jobs[segment.thread].worked(segment);
        let thread = &mut self.metrics.threads[segment.thread];
        thread.states.add(state, length);
        if state.is_running() && !length.is_zero() {
            thread.first_run.get_or_insert(segment.from);
        }
        if let Some(core) = segment.core.filter(|_| state.on_core()) {
            let core = &mut self.metrics.cores[core];
            *(if state.is_running() { &mut core.busy } else { &mut core.overhead }) += length;
        }
    }

    fn turn_wait(&mut self, thread: ThreadId, to: State) {
        self.waits[thread].leave(self.at);
        if to == State::WantsGil {
            self.waits[thread].since = Some(self.at);
        } else if to.in_python() || to == State::Done {
            self.end_wait(thread);
        }
    }

    fn end_wait(&mut self, thread: ThreadId) {
        let total = self.waits[thread].end(self.at);
        if !total.is_zero() {
            self.metrics.threads[thread].each_wait_gil.add(total);
        }
    }

    fn gil(&mut self, gil: GilId, thread: ThreadId, act: GilAct) {
        match act {
            GilAct::Request => self.metrics.gils[gil].requests += 1,
            GilAct::Grant { switched } => {
                self.metrics.gils[gil].switches += u64::from(switched);
                self.gil_since[gil].get_or_insert(self.at);
                self.end_wait(thread);
            }
            GilAct::Drop { forced } => {
                self.metrics.gils[gil].forced += u64::from(forced);
                self.gil_free(gil);
            }
        }
    }

    fn gil_free(&mut self, gil: GilId) {
        if let Some(since) = self.gil_since[gil].take() {
            self.metrics.gils[gil].busy += elapsed(since, self.at);
        }
    }

    fn job(&mut self, thread: ThreadId, released: Instant, act: JobAct) {
        let jobs = &mut self.metrics.threads[thread].jobs;
        match act {
            JobAct::Release => jobs.released += 1,
            JobAct::Miss => jobs.misses += 1,
            JobAct::Finish => {
                jobs.finished += 1;
                jobs.turnarounds.add(elapsed(released, self.at));
                // What it is doing until now belongs to this job, and from now on to the next.
                let open = self.now.open_of(thread, self.at);
                open.iter().for_each(|segment| self.jobs[thread].worked(segment));
                let done = std::mem::replace(&mut self.jobs[thread], Job { since: self.at, first_run: None });
                if let Some(first_run) = done.first_run {
                    jobs.responses.add(elapsed(released, first_run));
                }
            }
        }
    }

    fn lock(&mut self, lock: LockId, act: LockAct) {
        match act {
            LockAct::Acquire | LockAct::HandOver => {
                self.lock_since[lock].get_or_insert(self.at);
            }
            LockAct::Release => self.lock_free(lock),
        }
    }

    fn span(&mut self, span: SpanId, thread: ThreadId, act: SpanAct) {
        let open = &mut self.open_spans[thread];
        match act {
            SpanAct::Begin => {
                self.metrics.spans[span].begun += 1;
                open.push((span, self.at));
            }
            SpanAct::End => {
                let Some(place) = open.iter().rposition(|(each, _)| *each == span) else { return };
                let (_, since) = open.remove(place);
                self.metrics.spans[span].latency.add(elapsed(since, self.at));
            }
        }
    }

    fn lock_free(&mut self, lock: LockId) {
        if let Some(since) = self.lock_since[lock].take() {
            self.metrics.locks[lock] += elapsed(since, self.at);
        }
    }
}

impl Meter<'_> {
    /// An object has held what it holds up to now.
    fn object_held(&mut self, object: ObjectId) {
        let since = std::mem::replace(&mut self.object_since[object], self.at);
        let held = &mut self.metrics.objects[object];
        if since < self.at {
            *held.times.entry(held.last).or_default() += elapsed(since, self.at);
        }
    }
}

impl Wait {
    fn leave(&mut self, at: Instant) {
        if let Some(since) = self.since.take() {
            self.total += elapsed(since, at);
        }
    }

    /// The thread has the GIL. It is still in `wants-gil` if it gets and loses the GIL within one instant; then the next
    /// wait begins here.
    fn end(&mut self, at: Instant) -> Span {
        let parked = self.since.is_some();
        self.leave(at);
        self.since = parked.then_some(at);
        std::mem::take(&mut self.total)
    }
}

impl Meter<'_> {
    /// Keeps a printed line while there is room for it.
    fn print(&mut self, thread: ThreadId, text: &str) {
        self.printed += text.len();
        if self.printed <= MOST_OUTPUT {
            self.metrics.output.push(Line { at: self.at, thread, text: text.to_owned() });
        } else {
            self.metrics.more_output += 1;
        }
    }
}

impl Observer for Meter<'_> {
    fn record(&mut self, _: u64, record: &Record) {
        self.advance(record.at);
        self.metrics.records += 1;
        match &record.what {
            What::State { thread, to, core, .. } => {
                let segment = self.now.turn(self.at, *thread, *to, *core);
                self.state(*thread, *to, segment);
            }
            What::Dispatch { thread, switched, migrated, preempted, .. } => {
                self.metrics.threads[*thread].switches += u64::from(*switched);
                self.metrics.threads[*thread].migrations += u64::from(*migrated);
                if let Some(loser) = preempted {
                    self.metrics.threads[*loser].preemptions += 1;
                }
            }
            What::Gil { gil, thread, act } => self.gil(*gil, *thread, *act),
            What::Lock { lock, act, .. } => self.lock(*lock, *act),
            What::Object { object, value, .. } => {
                self.object_held(*object);
                self.metrics.objects[*object].last = *value;
            }
            What::Job { thread, released, act, .. } => self.job(*thread, *released, *act),
            What::Span { span, thread, act } => self.span(*span, *thread, *act),
            What::Output { thread, text } => self.print(*thread, text),
            What::Account { thread, python_work, native_work, .. } => {
                self.metrics.threads[*thread].python_work = *python_work;
                self.metrics.threads[*thread].native_work = *native_work;
            }
            What::Exit { process, code } => self.metrics.exits[*process] = Some(*code),
            What::Quota { .. } => {}
            What::End { ending } => self.metrics.ending = Some(ending.clone()),
        }
    }
}
