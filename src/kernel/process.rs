//! What `multiprocessing` does beside starting and joining: top-level code that runs again, and starts that may not be.
//!
//! # Divergence from CPython
//! - A forkserver never has the main module imported before it forks, as in all versions up to 3.13 (gh-126631): every child
//!   imports it.
//! - The server of forkserver children is no process of its own: the first child's first thread stands for it while it starts up.
//! - A `start()` that spawns or asks the server costs the parent nothing; CPython's took 0.7 ms.
//! - A fork of a process with several threads prints its warning once, whatever the warning filters; CPython shows it with
//!   `-W default` only, since it comes from `multiprocessing/popen_fork.py`.
//! - Of the traceback of a child whose start raises, the first and the last lines are printed, and the message is shortened.

use std::collections::BTreeMap;

use crate::ids::{GroupId, LockId, ProcId, ProgramId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::Birth;
use crate::model::{Cursor, Members, Program, Sharing, StartMethod};
use crate::trace::{LockAct, Observer, What};

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

    /// `start()` on the only thread of a group, unless it has been started.
    pub(super) fn ensure_started(&mut self, thread: ThreadId, group: GroupId) {
        match &self.scenario.groups()[group].members {
            Members::Threads(all) if self.next_member[group] < all.end => {
                self.start_thread(thread, group, ThreadId(all.start));
            }
            _ => self.threads[thread].cursor.advance(),
        }
    }

    /// The process of a thread has one more reason not to end, as one more non-daemon thread would be.
    pub(super) fn hold_open(&mut self, thread: ThreadId) {
        self.processes[self.scenario.threads()[thread].process].non_daemons += 1;
        self.non_daemons += 1;
    }

    /// The process of a thread has one reason less not to end.
    pub(super) fn let_end(&mut self, thread: ThreadId) {
        let process = self.scenario.threads()[thread].process;
        self.processes[process].non_daemons -= 1;
        self.non_daemons -= 1;
        if self.processes[process].non_daemons == 0 {
            self.end_process(process, 0, Cause::Thread(thread));
        }
        self.look_for_the_end(thread, true);
    }

    /// A child is started: what it has from its parent. Returns for whose first steps its `start()` waits: a server's, for
    /// which its first thread stands.
    pub(super) fn inherit(&mut self, starter: ThreadId, child: ProcId) -> Option<ThreadId> {
        let parent = self.scenario.threads()[starter].process;
        let method = self.scenario.processes()[child].start_method;
        let main = self.main_of(child);
        if method == StartMethod::Fork {
            self.processes[child].imported = self.is_imported(parent);
            self.copy_memory(starter, child);
            self.warn_about_fork(starter);
        }
        let costs = main.map(|main| self.costs_of(main).forkserver_server);
        if method == StartMethod::Forkserver && costs.is_some_and(|cost| !cost.is_zero()) {
            self.processes[child].starts_server = !std::mem::replace(&mut self.processes[parent].has_server, true);
        }
        // Who is spawned knows nothing of its parent's server.
        self.processes[child].has_server = method != StartMethod::Spawn && self.processes[parent].has_server;
        main.filter(|_| self.processes[child].starts_server)
    }

    /// Whether a process knows its main module as one that it has imported.
    pub(super) fn is_imported(&self, process: ProcId) -> bool {
        self.processes[process].imported || self.is_spawned(process)
    }

    /// Whether a new thread first stands for the server that its process is to be forked from. When that is up, `start()` in
    /// the parent has its answer.
    pub(super) fn begins_as_server(&mut self, thread: ThreadId) -> bool {
        let process = self.scenario.threads()[thread].process;
        if !self.processes[process].starts_server || self.processes[process].starting_up != Some(thread) {
            return false;
        }
        if std::mem::replace(&mut self.threads[thread].birth, Birth::Server) == Birth::Server {
            self.threads[thread].birth = Birth::StartingUp;
            self.wake_starter(thread);
            return false;
        }
        true
    }

    /// A child is forked: what it has of the declarations of which its parent has its own begins as that one is. The thread
    /// that forks is in the child, too; what others hold stays held there.
    pub(super) fn copy_memory(&mut self, forker: ThreadId, child: ProcId) {
        let parent = self.scenario.threads()[forker].process;
        let main = self.main_of(child);
        for (from, to) in copies(self.scenario.locks().iter().map(|(id, lock)| (id, lock.sharing)), parent, child) {
            self.copy_lock(from, to, forker, main);
            if let Some(owner) = self.locks[to].owner {
                self.write(Cause::Thread(forker), What::Lock { lock: to, thread: owner, act: LockAct::Acquire });
            }
        }
        let objects = self.scenario.objects().iter().map(|(id, object)| (id, object.sharing));
        for (from, to) in copies(objects, parent, child) {
            self.copy_object(from, to);
            self.copy_lock(self.objects[from].mutex, self.objects[to].mutex, forker, main);
        }
    }

    /// Since 3.12 a fork of a process with several threads warns (`warn_about_fork_with_threads` in `posixmodule.c`).
    pub(super) fn warn_about_fork(&mut self, forker: ThreadId) {
        let process = self.scenario.threads()[forker].process;
        let declared = &self.scenario.processes()[process];
        let others = self.processes[process].alive.len() > 1 || !self.is_main(forker);
        let warns = declared.python.is_some_and(|version| version >= (3, 12));
        if warns && others && !std::mem::replace(&mut self.processes[process].has_warned, true) {
            let text = format!(
                "DeprecationWarning: This process (pid={}) is multi-threaded, use of fork() may lead to deadlocks in the child.",
                declared.pid
            );
            self.put(forker, text);
        }
    }

    fn copy_lock(&mut self, from: LockId, to: LockId, forker: ThreadId, main: Option<ThreadId>) {
        let (owner, depth) = (self.locks[from].owner, self.locks[from].depth);
        let mine = owner == Some(forker) && main.is_some();
        let lock = &mut self.locks[to];
        lock.owner = if mine { main } else { owner };
        lock.vanished = owner.is_some() && !mine;
        lock.depth = depth;
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

/// Pairs of what a parent and its forked child have of the same declaration.
fn copies<I: Copy>(all: impl Iterator<Item = (I, Sharing)>, parent: ProcId, child: ProcId) -> Vec<(I, I)> {
    let mut froms = BTreeMap::new();
    let mut tos = Vec::new();
    for (id, sharing) in all {
        match sharing {
            Sharing::Copied { process, declared } if process == parent => {
                froms.insert(declared, id);
            }
            Sharing::Copied { process, declared } if process == child => tos.push((declared, id)),
            _ => {}
        }
    }
    tos.into_iter().filter_map(|(declared, to)| froms.get(&declared).map(|from| (*from, to))).collect()
}
