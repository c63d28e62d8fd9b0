//! `threading.Event`: a flag under a condition. It has a memory: who waits for an event that is set goes on at once.
//!
//! `wait` waits at most once: a waiter that was notified goes on, even if the flag has been cleared before it runs, and one
//! whose time-out was over has waited in vain, even if the flag has been set before it runs.

use super::{Answer, Line};
use crate::model::Use;
use crate::trace::ObjectAct;

/// The flag.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub set: bool,
}

impl Event {
    pub fn answer(&mut self, verb: Use, waited: &mut bool) -> Answer {
        match verb {
            Use::Set => {
                self.set = true;
                Answer::done(ObjectAct::Set, 1u8).notify(Line::First, usize::MAX)
            }
            Use::Clear => {
                self.set = false;
                Answer::done(ObjectAct::Clear, 0u8)
            }
            _ if self.set || *waited => Answer::NOTHING,
            _ => {
                *waited = true;
                Answer::wait(Line::First)
            }
        }
    }
}
