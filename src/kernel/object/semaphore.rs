//! `threading.Semaphore`: a number of permits under a condition.
//!
//! `acquire` waits while there is none and takes one; `release` gives one back and notifies one waiter. The waiter then
//! competes for the permit with everybody else.

use super::{Answer, Line};
use crate::model::Use;
use crate::trace::ObjectAct;

/// Permits that are left.
#[derive(Clone, Debug)]
pub(crate) struct Semaphore {
    pub permits: u64,
}

impl Semaphore {
    pub fn answer(&mut self, verb: Use) -> Answer {
        if verb == Use::Release {
            self.permits = self.permits.saturating_add(1);
            return Answer::done(ObjectAct::Release, self.permits).notify(Line::First, 1);
        }
        if self.permits == 0 {
            return Answer::wait(Line::First);
        }
        self.permits -= 1;
        Answer::done(ObjectAct::Acquire, self.permits)
    }
}
