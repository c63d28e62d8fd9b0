//! Steps that wait for others: locks, shared objects, time-outs.
//!
//! As in CPython, a thread looks first and drops the GIL only to wait; when it is notified it takes the GIL and asks again,
//! so it can come too late.

use super::actor::{Actor, Mark, Stamp};
use super::gil::Stop;
use crate::ids::{LockId, ObjectId};
use crate::kernel::{Line, state_of};
use crate::model::{Form, Length, Use};
use crate::trace::{Ending, LockAct, State, Why};

/// How long the next step may wait, and where the program goes on if that was in vain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// On the clock of the trial.
    deadline: u64,
    otherwise: u32,
}

impl Actor<'_, '_> {
    /// The next step waits for at most so long.
    pub(super) fn be_patient(&mut self, after: &Length, otherwise: u32) {
        let deadline = self.world.clock.now().saturating_add(self.length("timeout", after));
        self.patience = Some(Patience { deadline, otherwise });
    }

    /// Whether there is time left to wait.
    fn is_patient(&self) -> bool {
        self.patience.is_none_or(|patience| patience.deadline > self.world.clock.now())
    }

    /// When it does not want to wait any longer.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.patience.map(|patience| patience.deadline)
    }

    /// The step has waited in vain.
    pub(super) fn give_up(&mut self) {
        self.goes_on_at = self.patience.map(|patience| patience.otherwise);
    }

    /// Tries first; only who has to wait drops the GIL.
    pub(super) fn acquire(&mut self, lock: LockId) -> Result<(), Stop> {
        if !self.take_lock(lock, self.deadline())? {
            self.give_up();
        }
        Ok(())
    }

    fn take_lock(&mut self, lock: LockId, deadline: Option<u64>) -> Result<bool, Stop> {
        let (world, process, me) = (self.world, self.process, self.me);
        let mark = Mark::Lock(lock, LockAct::Acquire);
        let stamps = &mut self.log.stamps;
        let told = |stamps: &mut Vec<Stamp>| stamps.push(Stamp { at: world.clock.now(), mark: mark.clone() });
        if world.locks[lock].try_acquire(me, || told(stamps)) {
            return Ok(true);
        }
        let left = || deadline.map(|deadline| world.clock.until(deadline));
        let mut got = false;
        self.blocking((State::Lock, Why::LockBusy), |actor| {
            let told = || told(&mut actor.log.stamps);
            got = world.locks[lock].acquire((me, world.clock.now()), left, || world.is_over(process), told)?;
            Ok(())
        })?;
        Ok(got)
    }

    pub(super) fn release(&mut self, lock: LockId) -> Result<(), Stop> {
        let (world, stamps) = (self.world, &mut self.log.stamps);
        let released = world.locks[lock].release(self.me, world.clock.now(), |heir| {
            let mark = heir.map_or(Mark::Lock(lock, LockAct::Release), |heir| Mark::HandOver(lock, heir));
            stamps.push(Stamp { at: world.clock.now(), mark });
        });
        if released {
            return Ok(());
        }
        Err(self.not_mine(format!(
            "release of lock {} by a thread that does not own it",
            world.scenario.locks()[lock].name
        )))
    }

    fn not_mine(&self, detail: String) -> Stop {
        self.world.refuse(Ending::ModelError { code: "E204", thread: self.me, detail }, self.world.clock.now())
    }

    /// A step that uses a shared object.
    pub(super) fn use_object(&mut self, object: ObjectId, verb: Use) -> Result<(), Stop> {
        match (self.world.scenario.objects()[object].form, verb) {
            (Form::Condition { lock }, _) => self.use_condition(object, lock, verb),
            (Form::Variable { .. }, Use::Store(add)) => {
                let value = self.read.get(&object).map_or(add, |read| read.saturating_add(add));
                self.world.objects[object].store(value, self.teller(object));
                Ok(())
            }
            (Form::Variable { .. }, _) => {
                let value = self.world.objects[object].load(self.teller(object));
                self.read.insert(object, value);
                Ok(())
            }
            _ => self.visit(object, verb),
        }
    }

    /// Asks until the object is ready or the time is over.
    fn visit(&mut self, object: ObjectId, verb: Use) -> Result<(), Stop> {
        let mut waited = false;
        loop {
            let patient = self.is_patient();
            let (world, me) = (self.world, self.me);
            match world.objects[object].ask(me, verb, &mut waited, patient, self.teller(object)) {
                None => return Ok(()),
                // What waits only once is not asked again after a time-out.
                Some(line) if patient && (self.wait_in(object, line)? || !waited) => {}
                Some(_) => {
                    self.give_up();
                    return Ok(());
                }
            }
        }
    }

    /// Waits without the GIL; tells whether there was a notification.
    fn wait_in(&mut self, object: ObjectId, line: Line) -> Result<bool, Stop> {
        let (world, process, deadline) = (self.world, self.process, self.deadline());
        let state = state_of(world.scenario.objects()[object].form).expect("nobody waits for a variable");
        let mut notified = false;
        self.blocking((state, Why::ObjectBusy), |actor| {
            let left = || deadline.map(|deadline| world.clock.until(deadline));
            notified = world.objects[object].wait(actor.me, line, left, || world.is_over(process))?;
            Ok(())
        })?;
        Ok(notified)
    }

    /// A condition's lock must be the caller's. Who waits lets go of it, and takes it again however the wait ended.
    fn use_condition(&mut self, object: ObjectId, lock: LockId, verb: Use) -> Result<(), Stop> {
        let world = self.world;
        if !world.locks[lock].is_owned_by(self.me) {
            let does = if verb == Use::Wait { "wait for" } else { "notification of" };
            let name = &world.scenario.objects()[object].name;
            return Err(self.not_mine(format!("{does} condition {name} by a thread that does not own its lock")));
        }
        match verb {
            Use::Notify => world.objects[object].notify(1, self.teller(object)),
            Use::NotifyAll => world.objects[object].notify(usize::MAX, self.teller(object)),
            _ => self.wait_for_notification(object, lock)?,
        }
        Ok(())
    }

    fn wait_for_notification(&mut self, object: ObjectId, lock: LockId) -> Result<(), Stop> {
        let world = self.world;
        world.objects[object].line_up(self.me, self.teller(object));
        let depth = world.locks[lock].set_depth(1);
        self.release(lock)?;
        let notified = self.wait_in(object, Line::First)?;
        self.take_lock(lock, None)?;
        world.locks[lock].set_depth(depth);
        if !notified {
            self.give_up();
        }
        Ok(())
    }

    /// Notes what happens to an object.
    fn teller(&mut self, object: ObjectId) -> impl FnOnce(crate::trace::ObjectAct, i64) {
        let (world, stamps) = (self.world, &mut self.log.stamps);
        move |act, value| stamps.push(Stamp { at: world.clock.now(), mark: Mark::Object(object, act, value) })
    }
}
