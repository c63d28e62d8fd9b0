//! The backend's `sync` over loom. A timed wait ends when it is signalled or when the clock fires for it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use loom::sync::{Condvar as LoomCondvar, Mutex as LoomMutex, MutexGuard};

pub use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

pub struct Mutex<T>(LoomMutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Mutex<T> {
        Mutex(LoomMutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("nobody panics")
    }
}

/// One condition variable, and what the clock must know of it.
#[derive(Default)]
struct Timed {
    cond: LoomCondvar,
    /// Threads in a timed wait.
    waiting: Cell<usize>,
    /// The next of them to wake has timed out.
    expired: Cell<bool>,
}

pub struct Condvar(Arc<Timed>);

thread_local! {
    // loom runs all of its threads on one of ours, one step at a time.
    static ALL: RefCell<Vec<Arc<Timed>>> = const { RefCell::new(Vec::new()) };
}

/// Forgets the condition variables of the execution before.
pub fn reset() {
    ALL.with_borrow_mut(Vec::clear);
}

/// Lets one timed wait be over. If nobody waits, nothing happens.
pub fn tick() {
    // A point at which loom may switch, so that a tick can fall between any two steps of the others.
    loom::thread::yield_now();
    let timed = ALL.with_borrow(|all| all.iter().find(|timed| timed.waiting.get() > 0).cloned());
    if let Some(timed) = timed {
        timed.expired.set(true);
        timed.cond.notify_one();
    }
}

impl Condvar {
    pub fn new() -> Condvar {
        let timed = Arc::new(Timed::default());
        ALL.with_borrow_mut(|all| all.push(timed.clone()));
        Condvar(timed)
    }

    pub fn wait<'m, T>(&self, guard: MutexGuard<'m, T>) -> MutexGuard<'m, T> {
        self.0.cond.wait(guard).expect("nobody panics")
    }

    pub fn wait_for<'m, T>(&self, guard: MutexGuard<'m, T>, _: Duration) -> (MutexGuard<'m, T>, bool) {
        self.0.waiting.set(self.0.waiting.get() + 1);
        let guard = self.0.cond.wait(guard).expect("nobody panics");
        self.0.waiting.set(self.0.waiting.get() - 1);
        (guard, self.0.expired.take())
    }

    pub fn notify_one(&self) {
        self.0.cond.notify_one();
    }

    pub fn notify_all(&self) {
        self.0.cond.notify_all();
    }
}
