//! `threading.Condition`, with the lock that belongs to it held by the caller.
//!
//! `wait` lines up, lets go of the lock however often it is held, parks, and takes the lock back as often; `notify` lets
//! those go on that have waited longest. Without the lock both are errors.

use super::{Line, State};
use crate::ids::{LockId, ObjectId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::After;
use crate::model::Use;
use crate::trace::{ObjectAct, Observer, What};

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// A step that uses a condition.
    pub(super) fn use_condition(&mut self, thread: ThreadId, object: ObjectId, verb: Use) {
        let lock = self.objects[object].mutex;
        debug_assert!(matches!(self.objects[object].state, State::Condition));
        if verb == Use::Wait && self.threads[thread].visit.waited {
            return self.come_back(thread, lock);
        }
        if self.locks[lock].owner != Some(thread) {
            let name = &self.scenario.objects()[object].name;
            let does = if verb == Use::Wait { "waits for" } else { "notifies" };
            return self.model_error("E204", thread, format!("{does} condition {name} without holding its lock"));
        }
        match verb {
            Use::Wait => self.wait_for_condition(thread, object, lock),
            Use::Notify => self.notify_condition(thread, object, 1),
            _ => self.notify_condition(thread, object, usize::MAX),
        }
    }

    fn wait_for_condition(&mut self, thread: ThreadId, object: ObjectId, lock: LockId) {
        if self.patience_is_over(thread) {
            return self.give_up(thread);
        }
        self.line_up(thread, object, Line::First);
        let value = self.objects[object].line(Line::First).len() as i64;
        self.write(Cause::Thread(thread), What::Object { object, thread, act: ObjectAct::Wait, value });
        let visit = &mut self.threads[thread].visit;
        visit.waited = true;
        visit.depth = std::mem::replace(&mut self.locks[lock].depth, 1);
        self.let_go(thread, lock);
        self.drop_gil(thread, After::Park(object, Line::First));
    }

    /// Back from the wait and with the GIL: the lock is taken again, whether there was a notification or a time-out.
    fn come_back(&mut self, thread: ThreadId, lock: LockId) {
        if !self.threads[thread].visit.inside {
            return self.acquire(thread, lock);
        }
        self.locks[lock].depth = self.threads[thread].visit.depth;
        if self.threads[thread].visit.timed_out { self.give_up(thread) } else { self.step_is_done(thread) }
    }

    fn notify_condition(&mut self, thread: ThreadId, object: ObjectId, many: usize) {
        let left = self.objects[object].line(Line::First).len().saturating_sub(many);
        let what = What::Object { object, thread, act: ObjectAct::Notify, value: left as i64 };
        let record = self.write(Cause::Thread(thread), what);
        self.notify(object, Line::First, many, record);
        self.step_is_done(thread);
    }
}
