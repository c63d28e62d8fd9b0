//! What the threads of a trial share: GILs, locks, devices, who has begun, who has ended, and whether it is over.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Duration;

use super::clock::Clock;
use super::gil::{CPYTHON, Gil, Rules, Stop};
use super::lock::{Device, Lock};
use super::object::Object;
use super::sync::{Condvar, Mutex};
use crate::ids::{DeviceId, GilId, GroupId, Id, IdVec, LockId, ObjectId, ProcId, ThreadId};
use crate::model::{Arrival, GilRule, Members, Scenario};
use crate::trace::Ending;

/// Everything that is shared.
pub(super) struct World<'s> {
    pub scenario: &'s Scenario,
    pub clock: Clock,
    pub gils: IdVec<GilId, Gil>,
    pub locks: IdVec<LockId, Lock>,
    pub objects: IdVec<ObjectId, Object>,
    pub devices: IdVec<DeviceId, Device>,
    handles: IdVec<ThreadId, OnceLock<Thread>>,
    over: AtomicBool,
    ended: IdVec<ProcId, AtomicBool>,
    board: Mutex<Board>,
    news: Condvar,
}

/// Who has come how far.
pub(super) struct Board {
    ran: IdVec<ThreadId, bool>,
    finished: IdVec<ThreadId, bool>,
    /// Members of each group that a `start` step has started.
    started: IdVec<GroupId, usize>,
    /// Threads that keep their process alive.
    alive: IdVec<ProcId, usize>,
    /// When each process ended.
    pub ends: IdVec<ProcId, Option<u64>>,
    /// What the modelled program did that Python refuses, and when.
    pub refused: Option<(Ending, u64)>,
}

/// The rules of a model's GIL, where they are CPython's or some of them.
pub(super) fn rules(rule: GilRule) -> Option<Rules> {
    match rule {
        GilRule::Cpython => Some(CPYTHON),
        GilRule::NoForcedSwitch => Some(Rules { forced_switch: false, ..CPYTHON }),
        GilRule::IoPriority | GilRule::HandOff | GilRule::Bfs | GilRule::Ticks { .. } => None,
    }
}

fn gil(gil: &crate::model::Gil) -> Gil {
    let rules = rules(gil.rule).expect("other rules are refused");
    Gil::new(Duration::from_nanos(gil.interval.ns()), rules)
}

impl World<'_> {
    pub fn new(scenario: &Scenario, clock: Clock) -> World<'_> {
        let threads = scenario.threads().len();
        let processes = scenario.processes().len();
        let ns = Duration::from_nanos;
        World {
            scenario,
            clock,
            gils: scenario.gils().values().map(gil).collect(),
            locks: scenario
                .locks()
                .values()
                .map(|lock| Lock::new(lock.reentrant, lock.fair_after.map(|fair| ns(fair.ns()))))
                .collect(),
            objects: scenario.objects().values().map(|object| Object::new(object.form)).collect(),
            devices: scenario.devices().values().map(|device| Device::new(device.at_once)).collect(),
            handles: (0..threads).map(|_| OnceLock::new()).collect(),
            over: AtomicBool::new(false),
            ended: (0..processes).map(|_| AtomicBool::new(false)).collect(),
            board: Mutex::new(Board {
                ran: IdVec::filled(threads, false),
                finished: IdVec::filled(threads, false),
                started: IdVec::filled(scenario.groups().len(), 0),
                alive: IdVec::filled(processes, 0),
                ends: IdVec::filled(processes, None),
                refused: None,
            }),
            news: Condvar::new(),
        }
    }

    /// Whether a thread of this process has to end now.
    pub fn is_over(&self, process: ProcId) -> bool {
        self.over.load(Ordering::Relaxed) || self.ended[process].load(Ordering::Relaxed)
    }

    /// A thread can be woken from now on.
    pub fn enlist(&self, thread: ThreadId) {
        let _ = self.handles[thread].set(std::thread::current());
    }

    /// Sleeps in the kernel until an instant, or until it is over.
    pub fn sleep_until(&self, process: ProcId, at: u64) -> Result<(), Stop> {
        loop {
            if self.is_over(process) {
                return Err(Stop);
            }
            let left = self.clock.until(at);
            if left.is_zero() {
                return Ok(());
            }
            std::thread::park_timeout(left);
        }
    }

    /// Whether a thread keeps its process alive: daemons do not, unless there is nobody else.
    fn counts(&self, thread: ThreadId) -> bool {
        let declared = &self.scenario.threads()[thread];
        let mut mates = self.scenario.processes()[declared.process].threads.clone();
        !declared.daemon || mates.all(|mate| self.scenario.threads()[ThreadId::new(mate as usize)].daemon)
    }

    /// A thread will run.
    pub fn born(&self, thread: ThreadId) {
        if self.counts(thread) {
            self.board.lock().alive[self.scenario.threads()[thread].process] += 1;
        }
    }

    /// A thread has run its first Python code. Only its starter waits for that: whoever arrives by itself has no reason
    /// to queue for the board, where it would be off the core without having been preempted.
    pub fn has_run(&self, thread: ThreadId) {
        if self.scenario.threads()[thread].arrival != Arrival::OnStart {
            return;
        }
        self.board.lock().ran[thread] = true;
        self.news.notify_all();
    }

    /// A thread has ended, by itself or because it had to.
    pub fn has_ended(&self, thread: ThreadId, at: u64) {
        let process = self.scenario.threads()[thread].process;
        let mut board = self.board.lock();
        board.finished[thread] = true;
        if self.counts(thread) {
            board.alive[process] -= 1;
            if board.alive[process] == 0 {
                board.ends[process] = Some(at);
                self.ended[process].store(true, Ordering::Relaxed);
            }
        }
        drop(board);
        if self.is_over(process) {
            self.wake(process);
        }
        self.news.notify_all();
    }

    /// Ends the waits of a process that is over.
    fn wake(&self, process: ProcId) {
        let own = |thread: &ThreadId| self.scenario.threads()[*thread].process == process;
        for thread in self.scenario.threads().ids().filter(own) {
            self.handles[thread].get().iter().for_each(|handle| handle.unpark());
            self.scenario.gil_of(thread).iter().for_each(|gil| self.gils[*gil].stop());
        }
        let locks = self.scenario.locks().iter().filter(|(_, lock)| lock.sharing.process() == Some(process));
        locks.for_each(|(lock, _)| self.locks[lock].wake_all());
        let objects = self.scenario.objects().iter().filter(|(_, object)| object.sharing.process() == Some(process));
        objects.for_each(|(object, _)| self.objects[object].wake_all());
        self.devices.values().for_each(Device::wake_all);
    }

    /// Ends the whole run.
    pub fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.scenario.processes().ids().for_each(|process| self.wake(process));
        drop(self.board.lock());
        self.news.notify_all();
    }

    /// The program did something that Python refuses: the run ends here.
    pub fn refuse(&self, ending: Ending, at: u64) -> Stop {
        self.board.lock().refused.get_or_insert((ending, at));
        self.news.notify_all();
        Stop
    }

    /// Waits, as a thread of `process`, until something has happened to a thread, or until an instant; tells whether it has.
    fn wait_until(
        &self,
        process: ProcId,
        deadline: Option<u64>,
        happened: impl Fn(&Board) -> bool,
    ) -> Result<bool, Stop> {
        let mut board = self.board.lock();
        while !happened(&board) {
            let left = deadline.map(|deadline| self.clock.until(deadline));
            if self.is_over(process) {
                return Err(Stop);
            }
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(false);
            }
            board = self.news.wait_at_most(board, left);
        }
        Ok(true)
    }

    /// Waits until a thread has run.
    pub fn wait_for_run(&self, process: ProcId, thread: ThreadId) -> Result<(), Stop> {
        self.wait_until(process, None, |board| board.ran[thread] || board.finished[thread]).map(drop)
    }

    /// Whether a member of a joined group has ended: a thread, or a process.
    fn member_ended(&self, board: &Board, group: GroupId, member: usize) -> bool {
        match self.scenario.groups()[group].members {
            Members::Threads(_) => board.finished[ThreadId::new(member)],
            Members::Processes(_) => board.ends[ProcId::new(member)].is_some(),
        }
    }

    /// Whether there is nothing to wait for.
    pub fn has_member_ended(&self, group: GroupId, member: usize) -> bool {
        self.member_ended(&self.board.lock(), group, member)
    }

    /// Waits for the end of a member of a group, at most until an instant; tells whether it has come.
    pub fn wait_for_member(
        &self,
        process: ProcId,
        group: GroupId,
        member: usize,
        deadline: Option<u64>,
    ) -> Result<bool, Stop> {
        self.wait_until(process, deadline, |board| self.member_ended(board, group, member))
    }

    /// The next members of a group to start; `None` if there are not so many left.
    pub fn next_members(&self, group: GroupId, count: Option<u32>) -> Option<Vec<usize>> {
        let (Members::Threads(range) | Members::Processes(range)) = &self.scenario.groups()[group].members;
        let mut board = self.board.lock();
        let begun = board.started[group];
        let left = range.len() - begun;
        let wanted = count.map_or(left, |count| count as usize);
        if wanted > left || left == 0 {
            return None;
        }
        board.started[group] += wanted;
        Some(range.clone().skip(begun).take(wanted).map(|member| member as usize).collect())
    }

    /// Waits until all processes that began have ended, something was refused, or `patience` is over (false).
    pub fn wait_for_all(&self, mut patience: impl FnMut() -> Option<Duration>) -> bool {
        let mut board = self.board.lock();
        loop {
            if board.refused.is_some() || board.alive.values().all(|alive| *alive == 0) {
                return true;
            }
            let Some(time) = patience() else { return false };
            board = self.news.wait_for(board, time).0;
        }
    }

    /// What is known at the end.
    pub fn into_board(self) -> Board {
        self.board.into_inner()
    }
}
