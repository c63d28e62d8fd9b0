//! The shapes of what threads share: locks, queues and the like.

use crate::model::spec::shape::{shape, words};

shape! {
    /// A `threading.Lock` or `RLock`, or multiprocessing's: POSIX semaphores, never handed over.
    Lock "lock" {
        /// lock, or rlock: its owner may acquire it again
        kind: LockKind = "lock";
        /// none, or what the priority scheduler does about waiting for it: inherit = the owner has the priority of whoever waits;
        /// ceiling = it has the highest priority of all threads that use the lock
        protocol: ProtocolWord = "none";
        /// threads; processes: multiprocessing's, shared by all; copies: each process its own, which a fork copies as it is
        across: Across = "threads";
    }
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
        /// All processes.
        Processes = "processes",
        /// The threads of each process by themselves; a forked child begins with a copy.
        Copies = "copies",
    }
}

shape! {
    /// A `threading.Semaphore`, or multiprocessing's: a POSIX semaphore.
    Semaphore "semaphore" {
        /// how many may hold it at once
        value: u64 = "1";
        /// threads; processes: multiprocessing's, shared by all; copies: each process its own, which a fork copies as it is
        across: Across = "threads";
    }
}

shape! {
    /// A `queue.Queue`, or multiprocessing's: a pipe, into which a feeder thread of each process puts what it has pickled.
    Queue "queue" {
        /// how many items fit
        capacity: u64 = "unbounded";
        /// threads; processes: multiprocessing's, shared by all; copies: each process its own, which a fork copies as it is
        across: Across = "threads";
    }
}

shape! {
    /// A `threading.Event`, or multiprocessing's.
    Event "event" {
        /// threads; processes: multiprocessing's, shared by all; copies: each process its own, which a fork copies as it is
        across: Across = "threads";
    }
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
