//! What the GIL stands on, in one place so that a model checker can take its place: see `tests/loom/`.

use std::sync::{Condvar as StdCondvar, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(super) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// A mutex that a panicking thread does not take along: whoever panics here ends the trial anyway.
#[derive(Debug, Default)]
pub(super) struct Mutex<T>(StdMutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Mutex<T> {
        Mutex(StdMutex::new(value))
    }

    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A condition variable.
#[derive(Debug, Default)]
pub(super) struct Condvar(StdCondvar);

impl Condvar {
    pub fn new() -> Condvar {
        Condvar::default()
    }

    pub fn wait<'m, T>(&self, guard: MutexGuard<'m, T>) -> MutexGuard<'m, T> {
        self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for at most so long; says whether the time was over.
    pub fn wait_for<'m, T>(&self, guard: MutexGuard<'m, T>, time: Duration) -> (MutexGuard<'m, T>, bool) {
        let (guard, result) = self.0.wait_timeout(guard, time).unwrap_or_else(PoisonError::into_inner);
        (guard, result.timed_out())
    }

    /// Waits for at most so long, or for as long as it takes.
    pub fn wait_at_most<'m, T>(&self, guard: MutexGuard<'m, T>, time: Option<Duration>) -> MutexGuard<'m, T> {
        match time {
            Some(time) => self.wait_for(guard, time).0,
            None => self.wait(guard),
        }
    }

    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}
