//! Named stretches of work: they begin and end at the instant at which their thread reaches them, which needs neither a
//! core nor the GIL. So the stretch of a request that has just arrived, or whose I/O has just ended, includes the wait
//! for both: what a client sees, not what the thread would measure of itself.

use crate::ids::ThreadId;
use crate::kernel::Kernel;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::model::Op;
use crate::trace::{Observer, SpanAct, What};

/// So many boundaries are passed off the core at one instant; what is beyond them is left to the thread's own steps,
/// which are counted.
const MOST_AT_ONCE: u32 = 1000;

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// A thread has done a step, or has just arrived: whatever stretches end and begin here do so now.
    pub(super) fn reach(&mut self, thread: ThreadId, cause: Cause) {
        if self.scenario.spans().is_empty() {
            return;
        }
        let scenario = self.scenario;
        let program = &scenario.programs()[scenario.threads()[thread].program];
        for _ in 0..MOST_AT_ONCE {
            match self.threads[thread].cursor.fetch(program) {
                Some(op @ (Op::Enter(_) | Op::Leave(_))) => self.pass(thread, op, cause),
                _ => return,
            }
        }
    }

    /// One boundary.
    pub(super) fn pass(&mut self, thread: ThreadId, boundary: &Op, cause: Cause) {
        let (span, act) = match boundary {
            Op::Enter(span) => (*span, SpanAct::Begin),
            Op::Leave(span) => (*span, SpanAct::End),
            _ => unreachable!("only the boundaries of stretches are passed"),
        };
        self.threads[thread].cursor.advance();
        self.write(cause, What::Span { span, thread, act });
    }
}
