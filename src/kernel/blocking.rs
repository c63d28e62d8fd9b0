//! Blocking calls and sleeps: off the core, without the GIL, until a time.

use std::collections::VecDeque;

use crate::ids::{DeviceId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::event::Event;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{Patience, Phase, Purpose, Stage, Visit, Wait};
use crate::model::Length;
use crate::time::{Instant, Span};
use crate::trace::{Observer, State, Why};

/// A device that serves a limited number of requests at once, first come, first served.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    at_once: u32,
    served: Vec<ThreadId>,
    waiting: VecDeque<(ThreadId, Span)>,
}

impl Device {
    pub fn new(at_once: u32) -> Device {
        Device { at_once, served: Vec::new(), waiting: VecDeque::new() }
    }
}

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// A blocking call begins; on a busy device it waits for its turn.
    pub(super) fn begin_io(&mut self, thread: ThreadId, length: Span, device: Option<DeviceId>) {
        let queued = device.filter(|device| self.devices[*device].served.len() as u32 >= self.devices[*device].at_once);
        let why = if queued.is_some() { Why::DeviceBusy } else { Why::IoStarted };
        self.block(thread, Wait::Io(device), State::Io, why, Cause::Thread(thread));
        match (queued, device) {
            (Some(device), _) => self.devices[device].waiting.push_back((thread, length)),
            (None, Some(device)) => self.serve(device, thread, length),
            (None, None) => self.wake_at(thread, length),
        }
    }

    fn serve(&mut self, device: DeviceId, thread: ThreadId, length: Span) {
        self.devices[device].served.push(thread);
        self.wake_at(thread, length);
    }

    /// `time.sleep`: the timer fires late by the timer slack.
    pub(super) fn begin_sleep(&mut self, thread: ThreadId, length: Span) {
        self.block(thread, Wait::Sleep, State::Sleep, Why::SleepStarted, Cause::Thread(thread));
        let late = self.draw(thread, Purpose::Timer, &self.scenario.machine().costs.timer_slack);
        self.wake_at(thread, length + late);
    }

    fn wake_at(&mut self, thread: ThreadId, after: Span) {
        let generation = self.threads[thread].generation;
        self.queue.push(self.now + after, Event::Wakes { thread, generation });
    }

    /// The next step waits for at most so long.
    pub(super) fn be_patient(&mut self, thread: ThreadId, after: &Length, otherwise: u32) {
        let deadline = self.now + self.draw(thread, Purpose::Timeout, after);
        self.threads[thread].deadline = deadline;
        self.stay_patient(thread, otherwise);
    }

    /// The next step waits for what is left of the last limit.
    pub(super) fn stay_patient(&mut self, thread: ThreadId, otherwise: u32) {
        let deadline = self.threads[thread].deadline;
        self.threads[thread].patience = Some(Patience { deadline, otherwise });
        self.threads[thread].cursor.advance();
    }

    /// Whether a thread does not want to wait any longer.
    pub(super) fn patience_is_over(&self, thread: ThreadId) -> bool {
        let state = &self.threads[thread];
        state.visit.timed_out || state.patience.is_some_and(|patience| patience.deadline <= self.now)
    }

    /// Until when a thread waits.
    pub(super) fn limit_of(&self, thread: ThreadId, wait: Wait) -> Option<Instant> {
        let limited = !matches!(wait, Wait::Lock(_)) || self.step_is_acquire(thread);
        self.threads[thread].patience.filter(|_| limited).map(|patience| patience.deadline)
    }

    /// A thread has waited in vain, and goes on elsewhere.
    pub(super) fn give_up(&mut self, thread: ThreadId) {
        let patience = self.threads[thread].patience.take().expect("who gives up had a limit");
        self.threads[thread].visit = Visit::default();
        self.threads[thread].cursor.jump(patience.otherwise);
    }

    /// A step that may wait is over, and not in vain.
    pub(super) fn step_is_done(&mut self, thread: ThreadId) {
        self.threads[thread].patience = None;
        self.threads[thread].visit = Visit::default();
        self.threads[thread].cursor.advance();
    }

    /// The wait of a thread is over at that time, and late by the timer slack.
    pub(super) fn time_out_at(&mut self, thread: ThreadId, deadline: Instant) {
        let late = self.draw(thread, Purpose::Timer, &self.scenario.machine().costs.timer_slack);
        let generation = self.threads[thread].generation;
        self.queue.push(deadline + late, Event::TimesOut { thread, generation });
    }

    /// A timed wait is over, and in vain. The thread needs a core, and the GIL, to find that out.
    pub(super) fn times_out(&mut self, thread: ThreadId) {
        match self.threads[thread].phase {
            Phase::Blocked(Wait::Gil) => return self.gil_timeout(thread),
            Phase::Blocked(wait) => self.leave_wait(thread, wait),
            phase => unreachable!("a time-out for a thread that is {phase:?}"),
        }
        self.threads[thread].visit.timed_out = true;
        self.wake(thread, Stage::Take, Why::TimedOut, Cause::Thread(thread));
    }

    /// A blocking call or a sleep ends. The thread takes the GIL back before it goes on.
    pub(super) fn wait_is_over(&mut self, thread: ThreadId) {
        let why = match self.threads[thread].phase {
            Phase::Blocked(Wait::Io(device)) => {
                self.leave_device(thread, device);
                Why::IoDone
            }
            Phase::Blocked(Wait::Sleep) => Why::SleepOver,
            phase => unreachable!("a timer for a thread that is {phase:?}"),
        };
        self.wake(thread, Stage::Take, why, Cause::Thread(thread));
    }

    /// A thread is done with a device, or gives up waiting for it: the next one is served.
    pub(super) fn leave_device(&mut self, thread: ThreadId, device: Option<DeviceId>) {
        let Some(device) = device else { return };
        let state = &mut self.devices[device];
        state.waiting.retain(|(each, _)| *each != thread);
        state.served.retain(|each| *each != thread);
        while (self.devices[device].served.len() as u32) < self.devices[device].at_once {
            let Some((next, length)) = self.devices[device].waiting.pop_front() else { return };
            self.serve(device, next, length);
        }
    }
}
