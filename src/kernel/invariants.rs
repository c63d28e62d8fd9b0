//! What must hold between two instants: asserted after every one in debug builds and in all tests.

use crate::ids::{LockId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::core::Busy;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{Phase, Stage, Wait, Work};
use crate::trace::Observer;

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// Panics with a sentence if the kernel contradicts itself.
    pub(super) fn invariants(&self) {
        self.cores_and_threads_agree();
        self.gils_and_threads_agree();
        self.nobody_is_forgotten();
        self.quotas_and_threads_agree();
    }

    /// The maps from cores to threads and back are inverse, also for queues; affinity holds.
    fn cores_and_threads_agree(&self) {
        for (id, core) in self.cores.iter() {
            assert_eq!(core.thread.is_none(), self.free.contains(&id), "core {id:?}: free or not?");
            let Some(thread) = core.thread else {
                assert_eq!(core.busy, Busy::No, "core {id:?} is busy with nobody");
                continue;
            };
            assert_eq!(self.threads[thread].phase, Phase::OnCore(id), "{thread:?} is not where core {id:?} says");
            assert!(self.may_use(thread, id), "{thread:?} runs on core {id:?} against its affinity");
            assert_ne!(core.busy, Busy::No, "core {id:?}: {thread:?} neither works nor leaves");
        }
        let queued = self.threads.values().filter(|thread| matches!(thread.phase, Phase::Queued(_))).count();
        let waiting: usize = self.queues.iter().map(P::len).sum();
        assert_eq!((queued, waiting), (self.queued, self.queued), "threads in run queues");
    }

    /// A GIL's holder knows it, executes Python only with it, and each waiter is parked exactly once.
    fn gils_and_threads_agree(&self) {
        for (id, gil) in self.gils.iter() {
            if gil.locked {
                let holder = gil.last_holder.expect("a locked GIL has a holder");
                let phase = self.threads[holder].phase;
                assert!(
                    matches!(phase, Phase::OnCore(_) | Phase::Queued(_) | Phase::Throttled),
                    "the holder of {id:?} is {phase:?}"
                );
            }
            for (_, waiter) in &gil.waiters {
                assert_eq!(self.threads[*waiter].phase, Phase::Blocked(Wait::Gil), "{waiter:?} waits for {id:?}");
                assert_eq!(self.gil_of(*waiter), Some(id));
            }
            if gil.request {
                assert!(!gil.locked || self.requested.contains(&id), "a request on {id:?} that nobody looks at");
            }
        }
        for (id, thread) in self.threads.iter() {
            let in_python = thread
                .burst
                .is_some_and(|burst| matches!(burst.work, Work::Python | Work::PythonBlock | Work::NativeGil));
            if thread.stage == Stage::Burst && in_python && self.gil_of(id).is_some() {
                assert!(self.holds_gil(id), "{id:?} executes Python code without the GIL");
            }
            if let Phase::Blocked(_) | Phase::Done = thread.phase {
                assert!(!self.holds_gil(id), "{id:?} holds the GIL and is {:?}", thread.phase);
            }
        }
    }

    /// Work conservation: no core is free while a thread that may use it is runnable. Nobody waits for a lock that is
    /// free, or for an end that has come.
    fn nobody_is_forgotten(&self) {
        for (id, thread) in self.threads.iter() {
            match thread.phase {
                Phase::Queued(queue) => {
                    let forgotten = self.free.iter().any(|core| self.may_use(id, *core));
                    assert!(!forgotten, "{id:?} is in queue {queue} while a core is free for it");
                }
                Phase::Blocked(Wait::Lock(lock)) => {
                    let lost = self.locks[lock].owner.is_none() && !self.someone_is_on_the_way_to(lock, id);
                    assert!(!lost, "{id:?} waits for a lock that is free");
                }
                Phase::Blocked(Wait::Join(target)) => {
                    assert!(!self.has_ended(target), "{id:?} waits for an end that has come");
                }
                _ => {}
            }
        }
    }

    /// A release wakes one waiter; the others rightly wait until that one has had its chance.
    fn someone_is_on_the_way_to(&self, lock: LockId, than: ThreadId) -> bool {
        self.threads.iter().any(|(id, thread)| {
            let goes_for_it = thread.stage == Stage::LockRetry(lock) || thread.lock_since.is_some();
            id != than && goes_for_it && !matches!(thread.phase, Phase::Blocked(Wait::Lock(_)) | Phase::Done)
        })
    }
}
