//! Jobs: what a thread with a `period` or a `deadline` does between a release and the end of its program.
//!
//! The first release is the arrival; with a period T the next ones follow every T, whatever has become of the job before.
//! A release during an unfinished job waits, and its job begins when that has ended. A job is missed at the instant at which
//! it is due and not finished; it is finished nevertheless, however late. A job that ends exactly when it is due has met its
//! deadline: the check comes last of all that happens at an instant.
//!
//! Between two jobs the thread sleeps until the next release (`clock_nanosleep` with an absolute time, the way periodic
//! threads are written). That timer has no slack: Linux gives none to real-time threads.

use crate::ids::ThreadId;
use crate::kernel::Kernel;
use crate::kernel::event::Event;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{After, Phase, Stage, Wait};
use crate::model::Cursor;
use crate::time::Instant;
use crate::trace::{JobAct, Observer, State, What, Why};

/// How far a thread has come with its jobs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Jobs {
    /// How many have been released.
    pub released: u64,
    /// How many have been finished: the present or next one has this number, from 0.
    pub finished: u64,
    /// How many have come due.
    pub due: u64,
    /// When the first was released.
    first: Instant,
}

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// Whether a thread has jobs.
    fn has_jobs(&self, thread: ThreadId) -> bool {
        self.scenario.threads()[thread].deadline.is_some()
    }

    /// When the job with this number, from 0, is released.
    fn release_of(&self, thread: ThreadId, number: u64) -> Instant {
        let first = self.threads[thread].jobs.first;
        self.scenario.threads()[thread].period.map_or(first, |period| first + period * number)
    }

    /// When the job with this number is due.
    fn due_at(&self, thread: ThreadId, number: u64) -> Option<Instant> {
        let deadline = self.scenario.threads()[thread].deadline?;
        Some(self.release_of(thread, number) + deadline)
    }

    /// When the present or next job of a thread is due.
    pub(super) fn present_deadline(&self, thread: ThreadId) -> Option<Instant> {
        self.due_at(thread, self.threads[thread].jobs.finished)
    }

    /// The first release of a thread that arrives.
    pub(super) fn first_release(&mut self, thread: ThreadId, cause: Cause) {
        if self.has_jobs(thread) {
            self.threads[thread].jobs.first = self.now;
            self.expect_due(thread);
            self.count_release(thread, cause);
        }
    }

    /// A later release: of a thread that waits for it, or is late.
    pub(super) fn release_job(&mut self, thread: ThreadId) {
        let record = self.count_release(thread, Cause::Root);
        if self.threads[thread].phase == Phase::Blocked(Wait::Release) {
            self.wake(thread, Stage::Take, Why::Released, record);
        }
    }

    fn count_release(&mut self, thread: ThreadId, cause: Cause) -> Cause {
        let number = self.threads[thread].jobs.released;
        self.threads[thread].jobs.released += 1;
        if self.scenario.threads()[thread].period.is_some() {
            self.queue.push(self.release_of(thread, number + 1), Event::Release(thread));
        }
        self.write_job(thread, number, JobAct::Release, cause)
    }

    /// Looks at the next job when it is due. One after the other: a thread has one such event.
    fn expect_due(&mut self, thread: ThreadId) {
        let next = self.threads[thread].jobs.due;
        if let Some(at) = self.due_at(thread, next) {
            self.queue.push(at, Event::Due(thread));
        }
    }

    /// A job is due: finished or missed.
    pub(super) fn job_is_due(&mut self, thread: ThreadId) {
        let jobs = self.threads[thread].jobs;
        self.threads[thread].jobs.due += 1;
        if self.scenario.threads()[thread].period.is_some() {
            self.expect_due(thread);
        }
        if jobs.finished <= jobs.due {
            self.write_job(thread, jobs.due, JobAct::Miss, Cause::Thread(thread));
        }
    }

    /// The end of a program: of the thread, or of a job after which others come.
    pub(super) fn end_of_program(&mut self, thread: ThreadId) {
        if !self.has_jobs(thread) {
            return self.finish(thread);
        }
        let number = self.threads[thread].jobs.finished;
        self.threads[thread].jobs.finished += 1;
        self.write_job(thread, number, JobAct::Finish, Cause::Thread(thread));
        if self.scenario.threads()[thread].period.is_none() {
            return self.finish(thread);
        }
        self.threads[thread].cursor = Cursor::default();
        self.drop_gil(thread, After::NextJob);
    }

    /// A thread waits for its next release, unless it is late: then it goes on with the job that waits already.
    pub(super) fn next_job(&mut self, thread: ThreadId) {
        let jobs = self.threads[thread].jobs;
        if jobs.released > jobs.finished {
            self.threads[thread].stage = Stage::Take;
            self.offer_core(thread);
        } else {
            self.block(thread, Wait::Release, State::Sleep, Why::JobDone, Cause::Thread(thread));
        }
    }

    fn write_job(&mut self, thread: ThreadId, number: u64, act: JobAct, cause: Cause) -> Cause {
        let released = self.release_of(thread, number);
        self.write(cause, What::Job { thread, number: number + 1, released, act })
    }
}
