//! The shapes of what threads share: locks, queues and the like.

use crate::model::decode::At;
use crate::model::report::Report;
use crate::model::spec::shape::{shape, words};
use crate::model::tree::Node;

shape! {
    /// A `threading.Lock` or `RLock`; every process has its own.
    Lock "lock" {
        /// lock, or rlock: its owner may acquire it again
        kind: LockKind = "lock";
        /// none, or what the priority scheduler does about waiting for it: inherit = the owner has the priority of whoever waits;
        /// ceiling = it has the highest priority of all threads that use the lock
        protocol: ProtocolWord = "none";
        /// shared between processes, as multiprocessing's
        across: Across = "threads";
    } then across_lock
}

words! {
    /// The kinds of locks.
    LockKind {
        /// `threading.Lock`.
        Lock = "lock",
        /// `threading.RLock`.
        Rlock = "rlock",
    }
}

words! {
    /// What is done against priority inversion.
    ProtocolWord {
        /// Nothing.
        None = "none",
        /// The owner inherits the priority of its waiters.
        Inherit = "inherit",
        /// The owner has the highest priority of all users.
        Ceiling = "ceiling",
    }
}

words! {
    /// Between whom an object is shared.
    Across {
        /// The threads of one process.
        Threads = "threads",
        /// Processes.
        Processes = "processes",
    }
}

shape! {
    /// A `threading.Semaphore`.
    Semaphore "semaphore" {
        /// how many may hold it at once
        value: u64 = "1";
        /// shared between processes, as multiprocessing's
        across: Across = "threads";
    } then across_semaphore
}

shape! {
    /// A `queue.Queue`.
    Queue "queue" {
        /// how many items fit
        capacity: u64 = "unbounded";
        /// shared between processes, as multiprocessing's
        across: Across = "threads";
    } then across_queue
}

shape! {
    /// A `threading.Event`.
    Event "event" {
        /// shared between processes, as multiprocessing's
        across: Across = "threads";
    } then across_event
}

shape! {
    /// A `threading.Condition`.
    Condition "condition" {
        /// the lock that belongs to it
        lock: String = "one of its own";
    }
}

shape! {
    /// A `threading.Barrier`.
    Barrier "barrier" {
        /// how many threads it waits for
        parties: u64 = "required";
    }
}

shape! {
    /// A pool of workers.
    Pool "pool" {
        /// threads, processes, interpreters (concurrent.futures) or multiprocessing (Pool)
        kind: PoolKind = "threads";
        /// how many workers
        workers: u64 = "4";
        /// tasks handed over at once
        chunksize: u64 = "1";
    }
}

words! {
    /// The kinds of pools.
    PoolKind {
        /// `ThreadPoolExecutor`.
        Threads = "threads",
        /// `ProcessPoolExecutor`.
        Processes = "processes",
        /// `InterpreterPoolExecutor`.
        Interpreters = "interpreters",
        /// `multiprocessing.Pool`.
        Multiprocessing = "multiprocessing",
    }
}

/// Reports objects that are to be shared between processes, which is not simulated yet.
macro_rules! not_across {
    ($($name:ident $shape:ident)*) => {$(
        fn $name(object: &$shape, _: &Node, report: &mut Report) {
            if let Some(At { value: Across::Processes, key, .. }) = object.across {
                report.not_simulated("across: processes", key);
            }
        }
    )*};
}

not_across! { across_lock Lock across_semaphore Semaphore across_queue Queue across_event Event }
