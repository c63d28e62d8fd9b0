//! What the kernel tells a policy about a thread.

use crate::ids::ThreadId;
use crate::kernel::Kernel;
use crate::kernel::policy::{Enqueue, Facts, Policy};
use crate::kernel::thread::{Burst, Purpose, Work};
use crate::model::{Length, Op};
use crate::rng::Stream;
use crate::time::Span;
use crate::trace::Observer;

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// Tells a queue what is true of a thread now.
    pub(super) fn describe(&mut self, thread: ThreadId, queue: usize) {
        let facts = Facts {
            priority: self.priority_of(thread),
            burst: if P::LOOKS_AT_BURSTS { self.burst_ahead(thread) } else { Span::ZERO },
            deadline: self.present_deadline(thread),
        };
        self.queues[queue].update(&mut self.tasks, thread, facts);
    }

    /// A running thread begins another burst or another job: others may be more urgent now.
    pub(super) fn offer_core(&mut self, thread: ThreadId) {
        let Some(core) = self.threads[thread].core() else { return };
        let queue = self.queue_of(core);
        self.describe(thread, queue);
        if self.queues[queue].yields(&self.tasks, thread) {
            self.mark_reschedule(core, Enqueue::Preempted);
        }
    }

    /// What is left of the burst of a thread, or the length of its next one, as time on a core of speed 1, rounded up.
    fn burst_ahead(&mut self, thread: ThreadId) -> Span {
        let left = match self.threads[thread].burst {
            Some(burst) => burst.left - self.done_of_burst(thread),
            None => self.next_burst(thread).map_or(0, |burst| burst.left),
        };
        let scale = u128::from(self.scenario.machine().scale);
        Span::from_ns(u64::try_from(left.div_ceil(scale)).unwrap_or(u64::MAX))
    }

    /// The burst that a thread begins with the next step of its program that takes time; `None` if that blocks, or none comes.
    /// A random length is the next draw of its stream, which stays where it is: the thread may come to another step first.
    fn next_burst(&mut self, thread: ThreadId) -> Option<Burst> {
        let program = &self.scenario.programs()[self.scenario.threads()[thread].program];
        let mut cursor = self.threads[thread].cursor.clone();
        let mut choices: Option<Stream> = None;
        // Each operation is passed at most once on the way: a second round would pass none that the first did not.
        for _ in 0..program.ops.len() {
            let op = cursor.fetch(program)?;
            if let Some((work, purpose, length)) = burst_of(op) {
                let length = self.draw_ahead(thread, purpose, length);
                return Some(self.burst(thread, work, length));
            }
            if let Op::Choose { cumulative, places } = op {
                let choices = choices.get_or_insert_with(|| self.stream(thread, Purpose::Choose).clone());
                cursor.jump(places[choices.choose(cumulative)]);
                continue;
            }
            if matches!(op, Op::Io { .. } | Op::Sleep(_)) {
                return None;
            }
            cursor.advance();
        }
        None
    }
}

/// The kind and length of a step of work.
pub(super) fn burst_of(op: &Op) -> Option<(Work, Purpose, &Length)> {
    match op {
        Op::Cpu(length) => Some((Work::Python, Purpose::Cpu, length)),
        Op::StraightLine(length) => Some((Work::PythonBlock, Purpose::Cpu, length)),
        Op::NativeHoldingGil(length) => Some((Work::NativeGil, Purpose::Native, length)),
        Op::Native(length) => Some((Work::Native, Purpose::Native, length)),
        _ => None,
    }
}
