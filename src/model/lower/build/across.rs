//! What all processes share: `multiprocessing`'s objects, each made of its parts.
//!
//! Locks and semaphores are POSIX semaphores. A queue (`multiprocessing/queues.py`) is a semaphore for its capacity, a pipe
//! with a lock at each end, and in every process that puts something in a buffer with a thread that feeds the pipe from it:
//!
//! - `put` takes a place, starts the feeder if it is the first one of its process, and appends to the buffer;
//! - the feeder takes an item from the buffer, pickles it, and writes it into the pipe with the writers' lock held;
//! - `get` reads from the pipe with the readers' lock held, gives the place back, and unpickles.
//!
//! # Divergence from CPython
//! - A pipe has room for everything that the queue has room for; a real one holds 64 KiB.
//! - An item is pickled by one C call that keeps the GIL, whatever it consists of.
//! - A `get` with a time-out gives the place back behind the readers' lock, too, as the one without does.
//! - `Event` is `threading`'s between processes: `set` does not wait until all waiters have woken up.

use std::collections::BTreeMap;

use super::{Builder, Home, fair_after, nice, priority, tickets};
use crate::ids::{GroupId, LockId, ObjectId, ProcId};
use crate::model::decode::At;
use crate::model::lower::declared::{Declared, Objects, Shape};
use crate::model::lower::plan::ProcessPlan;
use crate::model::lower::{ceilings, machine};
use crate::model::program::{Length, Op, Program, Use};
use crate::model::scenario::{Arrival, Form, Group, Lock, Members, Object, Protocol, Sharing, Thread};
use crate::model::spec::objects::{Across, LockKind};
use crate::time::Span;

/// What all processes share of a queue.
#[derive(Clone, Copy, Debug)]
pub struct Pipe {
    /// The queue itself: its places and what is in the pipe.
    pub queue: ObjectId,
    /// Held by who reads.
    pub read: LockId,
    /// Held by who writes.
    pub write: LockId,
}

/// What a process that puts something has of its own.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    /// What has been put and not been written into the pipe.
    pub buffer: ObjectId,
    /// The feeder thread.
    pub feeder: GroupId,
}

/// A queue as one process sees it.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// What it shares with the others.
    pub pipe: Pipe,
    /// What it has of its own, if it puts something.
    pub feed: Option<Feed>,
    /// What pickling an item costs it, and unpickling one.
    pub pickle: Span,
}

impl End {
    fn pickled(&self) -> Option<Op> {
        (!self.pickle.is_zero()).then_some(Op::NativeHoldingGil(Length::Fixed(self.pickle)))
    }

    /// `put()`.
    pub fn put(&self) -> Vec<Op> {
        let Some(Feed { buffer, feeder }) = self.feed else { return Vec::new() };
        vec![Op::Use(self.pipe.queue, Use::Put), Op::Ensure(feeder), Op::Use(buffer, Use::Put)]
    }

    /// `get()`. With a limit the second wait has what the first one has left of it; the place where the program goes on if
    /// that was in vain is to be filled in, and has to let go of the readers' lock.
    pub fn get(&self, limited: bool) -> Vec<Op> {
        let Pipe { queue, read, .. } = self.pipe;
        let mut ops = vec![Op::Acquire(read)];
        ops.extend(limited.then_some(Op::SameTimeout { otherwise: 0 }));
        ops.extend([Op::Use(queue, Use::Receive), Op::Release(read), Op::Use(queue, Use::Get)]);
        ops.extend(self.pickled());
        ops
    }

    /// What the feeder thread of a process does.
    pub fn feeder(&self) -> Option<Program> {
        let Pipe { queue, write, .. } = self.pipe;
        let mut ops = vec![Op::Repeat { times: None, end: 0 }, Op::Use(self.feed?.buffer, Use::Get)];
        ops.extend(self.pickled());
        ops.extend([Op::Acquire(write), Op::Use(queue, Use::Send), Op::Release(write), Op::Again { start: 1 }]);
        ops[0] = Op::Repeat { times: None, end: ops.len() as u32 };
        Some(Program { ops })
    }
}

/// What all processes share.
#[derive(Default)]
pub(super) struct Shared<'m> {
    pub locks: BTreeMap<&'m str, LockId>,
    pub objects: BTreeMap<&'m str, ObjectId>,
    queues: BTreeMap<&'m str, Pipe>,
}

impl<'b, 'm> Builder<'b, 'm> {
    /// Makes what all processes share and somebody uses.
    pub(super) fn across(&mut self) {
        let declared: &'b Objects<'m> = self.declared;
        for (place, object) in declared.all.iter().enumerate() {
            if object.shape.across() == Across::Processes && self.uses.by_anyone(place) {
                self.shared(object);
            }
        }
    }

    fn shared(&mut self, object: &'b Declared<'m>) {
        let number = |at: Option<At<u64>>| at.map(|at| at.value);
        let form = match object.shape {
            Shape::Lock(lock) => {
                let reentrant = lock.kind.is_some_and(|kind| kind.value == LockKind::Rlock);
                let lock = self.shared_lock(object.name.to_owned(), reentrant, ceilings::protocol(lock));
                self.across.locks.insert(object.name, lock);
                return;
            }
            Shape::Semaphore(semaphore) => Form::ProcessSemaphore { permits: number(semaphore.value).unwrap_or(1) },
            Shape::Queue(queue) => Form::ProcessQueue { capacity: number(queue.capacity) },
            _ => Form::Event,
        };
        let name = object.name.to_owned();
        let id = self.objects.push(Object { name, sharing: Sharing::Across, form, fair_after: None });
        if let Shape::Queue(_) = object.shape {
            let [read, write] =
                ["read", "write"].map(|end| self.shared_lock(format!("{}.{end}", object.name), false, Protocol::None));
            self.across.queues.insert(object.name, Pipe { queue: id, read, write });
        } else {
            self.across.objects.insert(object.name, id);
        }
    }

    /// `multiprocessing`'s lock is a semaphore: nobody hands it over.
    fn shared_lock(&mut self, name: String, reentrant: bool, protocol: Protocol) -> LockId {
        self.locks.push(Lock { name, sharing: Sharing::Across, reentrant, fair_after: None, protocol })
    }

    /// What a member of a process has of the queues that all share: a buffer and a feeder thread where it puts something.
    pub(super) fn queue_ends(&mut self, index: usize, process: ProcId, name: &str) -> BTreeMap<&'m str, End> {
        let plan: &'b ProcessPlan<'m> = &self.plan.processes[index];
        let Some(python) = &plan.python else { return BTreeMap::new() };
        let mut ends = BTreeMap::new();
        let mut next = self.threads.len() as u32 + plan.groups.iter().map(|group| group.count).sum::<u32>();
        for (queue, pipe) in self.across.queues.clone() {
            let feed = self.plan.puts(plan, queue).then(|| {
                let name = self.object_name(name, &format!("{queue}.buffer"));
                let fair_after = fair_after(Some(python.version), false);
                let (sharing, form) = (Sharing::Within(process), Form::Queue { capacity: None });
                let buffer = self.objects.push(Object { name, sharing, form, fair_after });
                let members = Members::Threads(next..next + 1);
                next += 1;
                Feed {
                    buffer,
                    feeder: self.groups.push(Group { name: format!("{queue}.feeder"), members, started: true }),
                }
            });
            ends.insert(queue, End { pipe, feed, pickle: python.costs.pickle });
        }
        ends
    }

    /// The feeder threads of a member of a process. They come from its main thread, and have its place on the machine.
    pub(super) fn feeders(&mut self, home: &Home, ends: &BTreeMap<&str, End>) {
        for (queue, end) in ends {
            let (Some(feed), Some(program)) = (end.feed, end.feeder()) else { continue };
            let like = home.plan.main_group().or(home.plan.groups.first()).map(|group| group.thread);
            let like = like.expect("who puts something has a thread");
            let program = self.programs.push(program);
            let affinity = like.affinity.as_ref().map(|cores| machine::affinity(cores, self.cores, self.report));
            self.threads.push(Thread {
                name: format!("{queue}.feeder"),
                python_name: "QueueFeederThread".to_owned(),
                stream: format!("{}/{queue}.feeder", home.stream(self.plan.declared)),
                group: feed.feeder,
                process: home.id,
                interpreter: home.main,
                own_interpreter: false,
                program,
                arrival: Arrival::OnStart,
                daemon: true,
                nice: nice(like),
                priority: priority(like),
                tickets: tickets(like),
                period: None,
                deadline: None,
                affinity,
            });
        }
    }
}
