//! What threads share: locks and other objects of a scenario.

use crate::ids::{LockId, ProcId};
use crate::time::Span;

/// Whose a shared object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// The threads of one process share it.
    Within(ProcId),
    /// The threads of one process share it; if that is forked by one that has its own of the same declaration, it begins as
    /// that one is at the fork.
    Copied {
        /// The process.
        process: ProcId,
        /// The number of the declaration.
        declared: u32,
    },
    /// All processes share it: it belongs to the operating system.
    Across,
}

impl Sharing {
    /// The one process whose threads use it.
    pub fn process(self) -> Option<ProcId> {
        match self {
            Sharing::Within(process) | Sharing::Copied { process, .. } => Some(process),
            Sharing::Across => None,
        }
    }
}

/// A `threading.Lock` or `RLock`, or `multiprocessing`'s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Its declared name, preceded by the process's where the model declares processes.
    pub name: String,
    /// Whose it is.
    pub sharing: Sharing,
    /// Whether its owner may acquire it again.
    pub reentrant: bool,
    /// Whether `release` hands the lock over to a waiter that has waited for more than this (CPython 3.13's `PyMutex`,
    /// `TIME_TO_BE_FAIR_NS`); `None` = never, a released lock is free for whoever comes first (a semaphore, up to 3.12).
    pub fair_after: Option<Span>,
    /// What its owner's priority is, for the priority scheduler.
    pub protocol: Protocol,
}

/// What is done against priority inversion at a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Nothing: the owner keeps its own priority.
    None,
    /// The owner has at least the priority of whoever waits for it.
    Inherit,
    /// The owner has at least this priority: the highest of all threads whose program acquires the lock.
    Ceiling(i64),
}

/// Something other than a lock that threads share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its declared name, preceded by the process's where the model declares processes.
    pub name: String,
    /// Whose it is.
    pub sharing: Sharing,
    /// What it is.
    pub form: Form,
    /// The rule of the lock inside of it, as [`Lock::fair_after`].
    pub fair_after: Option<Span>,
}

/// What a shared object is, and how it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A `threading.Semaphore`.
    Semaphore {
        /// How many may hold it at once.
        permits: u64,
    },
    /// A `queue.Queue`.
    Queue {
        /// How many items fit; `None` = any number.
        capacity: Option<u64>,
    },
    /// A `multiprocessing.Semaphore`: a POSIX semaphore.
    ProcessSemaphore {
        /// How many may hold it at once.
        permits: u64,
    },
    /// The places and the pipe of a `multiprocessing.Queue`.
    ProcessQueue {
        /// How many items fit; `None` = any number.
        capacity: Option<u64>,
    },
    /// A `threading.Event` or `multiprocessing.Event`, not set.
    Event,
    /// A `threading.Condition`.
    Condition {
        /// The lock that belongs to it.
        lock: LockId,
    },
    /// A `threading.Barrier`.
    Barrier {
        /// How many threads it waits for.
        parties: u64,
    },
    /// An integer that threads read and write.
    Variable {
        /// Its value at first.
        initial: i64,
    },
}

impl Form {
    /// Whether threads may wait for it.
    pub fn is_waited_for(self) -> bool {
        !matches!(self, Form::Variable { .. })
    }
}
