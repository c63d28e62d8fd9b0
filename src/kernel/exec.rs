//! What a thread on a core does while no time passes: one `match` over its stage, one over its operation.

use crate::ids::ThreadId;
use crate::kernel::Kernel;
use crate::kernel::core::Busy;
use crate::kernel::facts::burst_of;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{After, Birth, Burst, Purpose, Stage, Work};
use crate::model::{Length, Op};
use crate::rng::Stream;
use crate::time::Span;
use crate::trace::{Observer, Why};

/// So many steps of one thread at one instant are a livelock.
const MOST_STEPS_AT_ONCE: u32 = 1_000_000;

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// Threads on cores execute their zero-time steps, in core order, until each needs time or leaves its core.
    pub(super) fn run_ready(&mut self) {
        while let Some(core) = self.ready.pop_first() {
            let mut steps = 0;
            while let Some(thread) = self.cores[core].thread
                && self.needs_no_time(thread)
            {
                self.perform(thread);
                steps += 1;
                if steps > MOST_STEPS_AT_ONCE {
                    self.end_in_livelock();
                }
                if self.ending.is_some() {
                    return;
                }
            }
        }
    }

    fn needs_no_time(&self, thread: ThreadId) -> bool {
        let core = self.threads[thread].core().expect("a thread with a core is on it");
        self.cores[core].busy == Busy::No
    }

    /// One step.
    fn perform(&mut self, thread: ThreadId) {
        match self.threads[thread].stage {
            Stage::Begin => self.begin(thread),
            Stage::Take => self.take(thread),
            Stage::Retry { timed_out } => self.retry(thread, timed_out),
            Stage::CheckPoint => self.check_point(thread),
            Stage::Granted => self.granted(thread),
            Stage::Go => self.go(thread),
            Stage::Burst => unreachable!("a burst takes time"),
            Stage::ForcedCheck(after) => self.forced_check(thread, after),
            Stage::After(after) => self.after_drop(thread, after),
            Stage::LockRetry(lock) => self.lock_retry(thread, lock),
        }
    }

    /// What a drop of the GIL was for.
    fn after_drop(&mut self, thread: ThreadId, after: After) {
        match after {
            After::TakeAgain | After::InstantIo => self.threads[thread].stage = Stage::Take,
            After::Native => {
                self.threads[thread].because = (Why::Step, Cause::Thread(thread));
                self.start_burst(thread);
            }
            After::Io { length, device } => self.begin_io(thread, length, device),
            After::Sleep(length) => self.begin_sleep(thread, length),
            After::Lock(lock) => self.wait_for_lock(thread, lock),
            After::Park(object, line) => self.park(thread, object, line),
            After::Posix(object, verb) => self.call_posix(thread, object, verb),
            After::ChildRuns(child) => self.wait_for_child(thread, child),
            After::Join(target) => self.wait_for_end(thread, target),
            After::NextJob => self.next_job(thread),
        }
    }

    /// A thread that has all it needs goes on with its burst, or executes the operation under its cursor.
    fn go(&mut self, thread: ThreadId) {
        if self.threads[thread].burst.is_some() {
            self.start_burst(thread);
            return;
        }
        if self.threads[thread].birth != Birth::Ready && self.import_main(thread) {
            return;
        }
        self.first_run(thread);
        let program = self.program_of(thread);
        match self.threads[thread].cursor.fetch(program) {
            Some(op) => self.execute(thread, op),
            None if self.threads[thread].at_top_level => self.module_is_over(thread),
            None => self.end_of_program(thread),
        }
    }

    /// One operation.
    fn execute(&mut self, thread: ThreadId, op: &Op) {
        match op {
            Op::Cpu(_) | Op::StraightLine(_) | Op::NativeHoldingGil(_) | Op::Native(_) => self.work(thread, op),
            Op::Io { length, device } => {
                let length = self.draw(thread, Purpose::Io, length);
                self.threads[thread].cursor.advance();
                let instant = length.is_zero() && device.is_none();
                let after = if instant { After::InstantIo } else { After::Io { length, device: *device } };
                self.drop_gil(thread, after);
            }
            Op::Sleep(length) => {
                let length = self.draw(thread, Purpose::Sleep, length);
                self.threads[thread].cursor.advance();
                self.drop_gil(thread, After::Sleep(length));
            }
            Op::Acquire(lock) => self.acquire(thread, *lock),
            Op::Use(object, verb) => self.use_object(thread, *object, *verb),
            Op::Timeout { after, otherwise } => self.be_patient(thread, after, *otherwise),
            Op::SameTimeout { otherwise } => self.stay_patient(thread, *otherwise),
            Op::Release(lock) => self.release(thread, *lock),
            Op::Start { group, count } => self.start(thread, *group, *count),
            Op::Ensure(group) => self.ensure_started(thread, *group),
            Op::Join(group) => self.join(thread, *group),
            Op::Print(text) => self.print(thread, text),
            Op::Show => self.show(thread),
            Op::Enter(_) | Op::Leave(_) => self.pass(thread, op, Cause::Thread(thread)),
            Op::Choose { cumulative, places } => {
                let branch = self.stream(thread, Purpose::Choose).choose(cumulative);
                self.threads[thread].cursor.jump(places[branch]);
            }
            Op::Repeat { .. } | Op::Again { .. } | Op::Goto(_) => unreachable!("the cursor steps over these"),
        }
    }

    /// A step of work begins: a burst of so many units.
    fn work(&mut self, thread: ThreadId, op: &Op) {
        let (work, purpose, length) = burst_of(op).expect("a step of work");
        let interruptible = work == Work::PythonBlock && self.checks_everywhere(thread);
        let work = if interruptible { Work::Python } else { work };
        let length = self.draw(thread, purpose, length);
        self.threads[thread].accounts.demanded_ns += u128::from(length.ns());
        self.threads[thread].burst = Some(self.burst(thread, work, length));
        if P::LOOKS_AT_BURSTS {
            self.offer_core(thread);
        }
        if work == Work::Native {
            self.drop_gil(thread, After::Native);
        } else {
            self.start_burst(thread);
        }
    }

    /// So much work in the machine's units.
    pub(super) fn burst(&self, thread: ThreadId, work: Work, length: Span) -> Burst {
        let scale = u128::from(self.scenario.machine().scale);
        let factor = if matches!(work, Work::Python | Work::PythonBlock) { self.factor_of[thread] } else { (1, 1) };
        Burst { work, left: u128::from(length.ns()) * scale * u128::from(factor.0) / u128::from(factor.1) }
    }

    /// A burst is over: the thread goes on behind its step.
    pub(super) fn finish_burst(&mut self, thread: ThreadId, work: Work) {
        let state = &mut self.threads[thread];
        state.because = (Why::Step, Cause::Thread(thread));
        match work {
            Work::StartUp => {
                state.stage = match state.birth {
                    Birth::Server => Stage::Begin,
                    Birth::StartingUp => Stage::Take,
                    _ => Stage::Go,
                }
            }
            Work::Python | Work::NativeGil => {
                state.cursor.advance();
                state.stage = Stage::Go;
            }
            Work::PythonBlock => {
                state.cursor.advance();
                state.stage = Stage::CheckPoint;
            }
            Work::Native => {
                state.cursor.advance();
                state.stage = Stage::Take;
            }
        }
    }

    /// A burst of start-up, which is not work.
    pub(super) fn start_up(&mut self, thread: ThreadId, span: Span) {
        let left = u128::from(span.ns()) * u128::from(self.scenario.machine().scale);
        self.threads[thread].burst = Some(Burst { work: Work::StartUp, left });
        self.start_burst(thread);
    }

    /// The length of a step, or a cost, drawn from the thread's own stream where it is random.
    pub(super) fn draw(&mut self, thread: ThreadId, purpose: Purpose, length: &Length) -> Span {
        match length {
            Length::Fixed(span) => *span,
            Length::Random(distribution) => Span::from_ns(distribution.sample(self.stream(thread, purpose))),
        }
    }

    /// What [`draw`](Self::draw) will give next, and still gives afterwards.
    pub(super) fn draw_ahead(&mut self, thread: ThreadId, purpose: Purpose, length: &Length) -> Span {
        match length {
            Length::Fixed(span) => *span,
            Length::Random(distribution) => {
                Span::from_ns(distribution.sample(&mut self.stream(thread, purpose).clone()))
            }
        }
    }

    /// A thread's own stream for a purpose, made when first needed.
    pub(super) fn stream(&mut self, thread: ThreadId, purpose: Purpose) -> &mut Stream {
        let name = &self.scenario.threads()[thread].stream;
        let seed = self.scenario.run().seed;
        self.threads[thread].streams[purpose as usize]
            .get_or_insert_with(|| Box::new(Stream::new(seed, &format!("{name}/{}", purpose.word()))))
    }
}
