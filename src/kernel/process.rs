//! What `multiprocessing` does beside starting and joining: top-level code that runs again, and starts that may not be.
//!
//! # Divergence from CPython
//! - A forkserver never has the main module imported before it forks, as in all versions up to 3.13 (gh-126631): every child
//!   imports it.
//! - Of the traceback of a child whose start raises, the first and the last lines are printed, and the message is shortened.

use crate::ids::{ProgramId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::model::{Cursor, Program};
use crate::trace::Observer;

/// What a child prints that starts a process while it imports the main module (`_check_not_importing_main`).
const BOOTSTRAPPING: [&str; 5] = [
    "Traceback (most recent call last):",
    "  ...",
    "RuntimeError: ",
    "        An attempt has been made to start a new process before the",
    "        current process has finished its bootstrapping phase.",
];

impl<'a, P: Policy, O: Observer> Kernel<'a, P, O> {
    /// The top-level code of a process has run: what follows is the thread's own program.
    pub(super) fn module_is_over(&mut self, thread: ThreadId) {
        self.threads[thread].at_top_level = false;
        self.threads[thread].cursor = Cursor::default();
        self.process_is_up(self.scenario.threads()[thread].process);
    }

    /// What a thread runs now.
    pub(super) fn program_of(&self, thread: ThreadId) -> &'a Program {
        let declared = &self.scenario.threads()[thread];
        let module = self.scenario.processes()[declared.process].module.filter(|_| self.threads[thread].at_top_level);
        &self.scenario.programs()[module.unwrap_or(declared.program)]
    }

    /// What a thread may still run.
    pub(super) fn programs_of(&self, thread: ThreadId) -> impl Iterator<Item = ProgramId> + use<P, O> {
        let declared = &self.scenario.threads()[thread];
        self.scenario.processes()[declared.process].module.into_iter().chain([declared.program])
    }

    /// Whether a thread is in a child that imports the main module of its program, and may not start processes
    /// (`_inheriting` in `multiprocessing/spawn.py`).
    pub(super) fn is_inheriting(&self, thread: ThreadId) -> bool {
        self.threads[thread].at_top_level && self.is_spawned(self.scenario.threads()[thread].process)
    }

    /// A child starts a process while it imports the main module: it prints a RuntimeError and ends with exit code 1.
    /// Its parent learns that from the exit code only.
    pub(super) fn die_in_bootstrap(&mut self, thread: ThreadId) {
        for line in BOOTSTRAPPING {
            self.put(thread, line.to_owned());
        }
        let process = self.scenario.threads()[thread].process;
        // Threads that were to come when the interpreter is up will not.
        self.non_daemons -= std::mem::take(&mut self.processes[process].non_daemons);
        self.end_process(process, 1, Cause::Thread(thread));
        self.look_for_the_end(thread, true);
    }
}
