//! Shared objects other than locks. What an object answers is what the simulator says; who asks when, and who waits how
//! long for a notification, is real.

use std::collections::VecDeque;
use std::time::Duration;

use super::gil::Stop;
use super::sync::{Condvar, Mutex};
use crate::ids::ThreadId;
use crate::kernel::{Line, ObjectState};
use crate::model::{Form, Use};
use crate::trace::ObjectAct;

/// An object, and who waits for it.
pub(super) struct Object {
    inside: Mutex<Inside>,
    news: Condvar,
}

struct Inside {
    state: ObjectState,
    /// Who waits, longest first.
    lines: [VecDeque<ThreadId>; 2],
    /// Of a variable.
    value: i64,
}

impl Inside {
    fn notify(&mut self, line: Line, many: usize) {
        let line = &mut self.lines[line as usize];
        line.drain(..many.min(line.len()));
    }
}

impl Object {
    pub fn new(form: Form) -> Object {
        let value = if let Form::Variable { initial } = form { initial } else { 0 };
        let inside = Inside { state: ObjectState::new(form), lines: [VecDeque::new(), VecDeque::new()], value };
        Object { inside: Mutex::new(inside), news: Condvar::new() }
    }

    /// Asks, and tells what happened at the moment at which it did. If the object is not ready, the answer is where to wait;
    /// a patient thread is in that line from now on. `waited` is what a thread leaves in the object between two questions.
    pub fn ask(
        &self,
        me: ThreadId,
        verb: Use,
        waited: &mut bool,
        patient: bool,
        told: impl FnOnce(ObjectAct, i64),
    ) -> Option<Line> {
        let mut inside = self.inside.lock();
        let answer = inside.state.answer(verb, waited);
        if let Some((act, value)) = answer.act {
            told(act, value);
        }
        if let Some((line, many)) = answer.notify {
            inside.notify(line, many);
            self.news.notify_all();
        }
        let line = answer.line?;
        if patient {
            inside.lines[line as usize].push_back(me);
        }
        Some(line)
    }

    /// Lines up for a condition; tells how many then wait.
    pub fn line_up(&self, me: ThreadId, told: impl FnOnce(ObjectAct, i64)) {
        let mut inside = self.inside.lock();
        let line = &mut inside.lines[Line::First as usize];
        line.push_back(me);
        told(ObjectAct::Wait, line.len() as i64);
    }

    /// Notifies so many waiters of a condition; tells how many are left.
    pub fn notify(&self, many: usize, told: impl FnOnce(ObjectAct, i64)) {
        let mut inside = self.inside.lock();
        inside.notify(Line::First, many);
        told(ObjectAct::Notify, inside.lines[Line::First as usize].len() as i64);
        self.news.notify_all();
    }

    /// Waits in a line for a notification, as long as `left` says; tells whether there was one. `over` says whether the run
    /// is.
    pub fn wait(
        &self,
        me: ThreadId,
        line: Line,
        left: impl Fn() -> Option<Duration>,
        over: impl Fn() -> bool,
    ) -> Result<bool, Stop> {
        let mut inside = self.inside.lock();
        while inside.lines[line as usize].contains(&me) {
            let left = left();
            if over() {
                return Err(Stop);
            }
            if left.is_some_and(|left| left.is_zero()) {
                inside.lines[line as usize].retain(|each| *each != me);
                return Ok(false);
            }
            inside = self.news.wait_at_most(inside, left);
        }
        Ok(true)
    }

    /// Reads a variable.
    pub fn load(&self, told: impl FnOnce(ObjectAct, i64)) -> i64 {
        let inside = self.inside.lock();
        told(ObjectAct::Load, inside.value);
        inside.value
    }

    /// Writes a variable.
    pub fn store(&self, value: i64, told: impl FnOnce(ObjectAct, i64)) {
        let mut inside = self.inside.lock();
        inside.value = value;
        told(ObjectAct::Store, value);
    }

    /// Lets everybody who waits look whether the run is over.
    pub fn wake_all(&self) {
        drop(self.inside.lock());
        self.news.notify_all();
    }
}
