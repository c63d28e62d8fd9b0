//! What the operating system keeps for several processes: POSIX semaphores and pipes.
//!
//! `multiprocessing`'s `Semaphore` first tries (`sem_trywait`, with the GIL), and only if that fails lets go of the GIL and
//! waits. A `Queue` has a semaphore for its places, and a pipe; reading and writing that always lets go of the GIL. A woken
//! waiter tries again as soon as it has a core, and takes the GIL only then: whoever is quicker has what it was woken for.

use super::{Answer, Line, State};
use crate::ids::{ObjectId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::deadlock::state_of;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{After, Stage, Wait};
use crate::model::Use;
use crate::trace::{ObjectAct, Observer, What, Why};

/// Who waits for something to read; or for a permit.
const READERS: Line = Line::First;
/// Who waits for a place.
const PUTTERS: Line = Line::Second;

/// One of them.
#[derive(Clone, Debug)]
pub(crate) enum Posix {
    /// A semaphore.
    Semaphore {
        /// Permits that are left.
        permits: u64,
    },
    /// A queue.
    Queue {
        /// How many places there are.
        capacity: Option<u64>,
        /// Items for which a place is taken.
        items: u64,
        /// Items in the pipe.
        sent: u64,
    },
}

impl Posix {
    fn answer(&mut self, verb: Use) -> Answer {
        match self {
            Posix::Semaphore { permits } if verb == Use::Release => {
                *permits = permits.saturating_add(1);
                Answer::done(ObjectAct::Release, *permits).notify(READERS, 1)
            }
            Posix::Semaphore { permits: 0 } => Answer::wait(READERS),
            Posix::Semaphore { permits } => {
                *permits -= 1;
                Answer::done(ObjectAct::Acquire, *permits)
            }
            Posix::Queue { capacity, items, sent } => queue(verb, *capacity, items, sent),
        }
    }
}

fn queue(verb: Use, capacity: Option<u64>, items: &mut u64, sent: &mut u64) -> Answer {
    match verb {
        Use::Put if capacity.is_some_and(|capacity| *items >= capacity) => Answer::wait(PUTTERS),
        Use::Put => {
            *items += 1;
            Answer::done(ObjectAct::Put, *items)
        }
        Use::Send => {
            *sent += 1;
            Answer::NOTHING.notify(READERS, 1)
        }
        Use::Receive if *sent == 0 => Answer::wait(READERS),
        Use::Receive => {
            *sent -= 1;
            Answer::NOTHING
        }
        _ => {
            *items -= 1;
            Answer::done(ObjectAct::Get, *items).notify(PUTTERS, 1)
        }
    }
}

/// What those in a line try again.
pub(super) fn retried(state: &State, line: Line) -> Option<Use> {
    match (state, line) {
        (State::Posix(Posix::Semaphore { .. }), _) => Some(Use::Acquire),
        (State::Posix(Posix::Queue { .. }), PUTTERS) => Some(Use::Put),
        (State::Posix(Posix::Queue { .. }), READERS) => Some(Use::Receive),
        _ => None,
    }
}

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// A step that uses a semaphore or a queue of the operating system, by a thread that holds the GIL.
    pub(super) fn use_posix(&mut self, thread: ThreadId, object: ObjectId, verb: Use) {
        if self.threads[thread].visit.timed_out {
            return self.give_up(thread);
        }
        if matches!(verb, Use::Send | Use::Receive) {
            return self.drop_gil(thread, After::Posix(object, verb));
        }
        match self.attempt(thread, object, verb) {
            None => self.posix_is_done(thread, verb),
            Some(_) if self.patience_is_over(thread) => self.give_up(thread),
            Some(_) => self.drop_gil(thread, After::Posix(object, verb)),
        }
    }

    /// The system call itself, without the GIL.
    pub(in crate::kernel) fn call_posix(&mut self, thread: ThreadId, object: ObjectId, verb: Use) {
        self.threads[thread].stage = Stage::Take;
        match self.attempt(thread, object, verb) {
            None => self.posix_is_done(thread, verb),
            Some(_) if self.patience_is_over(thread) => self.threads[thread].visit.timed_out = true,
            Some(line) => {
                self.line_up(thread, object, line);
                let state = state_of(self.scenario.objects()[object].form).expect("threads wait for it");
                self.block(thread, Wait::Object(object, line), state, Why::ObjectBusy, Cause::Thread(thread));
                self.look_for_deadlock(thread);
            }
        }
    }

    /// Does it, or says where to wait.
    fn attempt(&mut self, thread: ThreadId, object: ObjectId, verb: Use) -> Option<Line> {
        let State::Posix(posix) = &mut self.objects[object].state else { unreachable!("only these are used so") };
        let answer = posix.answer(verb);
        let mut cause = Cause::Thread(thread);
        if let Some((act, value)) = answer.act {
            cause = self.write(cause, What::Object { object, thread, act, value });
        }
        if let Some((line, many)) = answer.notify {
            self.notify(object, line, many, cause);
        }
        answer.line
    }

    /// An item that is put and not sent keeps its process: that joins the feeder before it ends (`_finalize_join`).
    fn posix_is_done(&mut self, thread: ThreadId, verb: Use) {
        self.step_is_done(thread);
        match verb {
            Use::Put => self.hold_open(thread),
            Use::Send => self.let_end(thread),
            _ => {}
        }
    }
}
