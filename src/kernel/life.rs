//! Births and deaths: arrivals, `start`, start-up, the first run, the end of a program, of a process, of the run.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::ids::{GroupId, Id, ProcId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::event::Event;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{After, Birth, Joinable, Phase, Stage, Wait};
use crate::model::{Arrival, Members, StartMethod};
use crate::time::Span;
use crate::trace::{Ending, Observer, State, What, Why};

/// A process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Process {
    /// Whether it has arrived.
    pub arrived: bool,
    /// Who pays for the start of its interpreter, until that is up; its other threads are held back.
    pub starting_up: Option<ThreadId>,
    /// Whether it has ended.
    pub ended: bool,
    /// Whether it has printed the warning about forks of several threads.
    pub has_warned: bool,
    /// Whether it is forked from a process that imported its main module.
    pub imported: bool,
    /// Whether it knows a forkserver, its own or its parent's.
    pub has_server: bool,
    /// Whether the server that it is forked from has to be started first.
    pub starts_server: bool,
    /// Its non-daemon threads that have not ended, also those that will arrive at a time of their own.
    pub non_daemons: u32,
    /// Its threads that will arrive at a time of their own.
    pub to_come: u32,
    /// Its threads that have arrived and not ended, in the order of their arrival.
    pub alive: BTreeMap<u64, ThreadId>,
    /// How many threads have arrived.
    arrivals: u64,
    /// Arrived before the interpreter was up.
    held_back: Vec<(ThreadId, Cause, Why)>,
}

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    // ------------------------------------------------------------------ arrivals

    /// A process becomes eligible, and with it its threads, each at its own time.
    pub(super) fn process_arrives(&mut self, process: ProcId, cause: Cause, why: Why) {
        let scenario = self.scenario;
        let declared = &scenario.processes()[process];
        let threads = || declared.threads.clone().map(|thread| ThreadId::new(thread as usize));
        let at = |thread: ThreadId| match scenario.threads()[thread].arrival {
            Arrival::At(after) => Some((thread, after)),
            Arrival::OnStart => None,
        };
        self.processes_to_come -= u32::from(declared.arrival != Arrival::OnStart);
        self.processes_alive += 1;
        self.processes[process].arrived = true;
        self.begin_periods(process);
        if self.is_spawned(process) || declared.module.is_some() {
            self.processes[process].starting_up = self.main_of(process);
        }
        for (thread, after) in threads().filter_map(at) {
            if !scenario.threads()[thread].daemon {
                self.processes[process].non_daemons += 1;
                self.non_daemons += u32::from(declared.arrival == Arrival::OnStart);
            }
            self.processes[process].to_come += 1;
            // What comes at a time of its own comes in the order of ids, whichever process it belongs to.
            if after.is_zero() && why == Why::Started {
                self.arrives(thread, cause, why);
            } else {
                self.queue.push(self.now + after, Event::Arrives(thread));
            }
        }
        // A process without threads is over as soon as it is there.
        let process_state = &self.processes[process];
        if process_state.to_come == 0 && process_state.alive.is_empty() && process_state.held_back.is_empty() {
            self.end_process(process, 0, cause);
            self.end_if_all_have_ended(cause);
        }
    }

    /// A thread becomes eligible.
    pub(super) fn arrives(&mut self, thread: ThreadId, cause: Cause, why: Why) {
        let process = &mut self.processes[self.scenario.threads()[thread].process];
        process.to_come -= 1;
        if process.ended {
            return;
        }
        if process.starting_up.is_some_and(|first| first != thread) {
            process.held_back.push((thread, cause, why));
            return;
        }
        process.arrivals += 1;
        process.alive.insert(process.arrivals, thread);
        self.threads[thread].place_among_living = process.arrivals;
        self.first_release(thread, cause);
        self.wake(thread, Stage::Begin, why, cause);
    }

    // ------------------------------------------------------------------ start-up

    /// Whether a process is a child made by spawn or forkserver. The program itself is not: a process that starts by
    /// itself in a model where processes are started by steps, or that is called `main`.
    pub(super) fn is_spawned(&self, process: ProcId) -> bool {
        let declared = &self.scenario.processes()[process];
        let is_program = declared.name == "main" || declared.group.is_none() || self.starts_processes;
        let is_child = declared.arrival == Arrival::OnStart || !is_program;
        declared.python.is_some() && declared.start_method != StartMethod::Fork && is_child
    }

    /// The first thread of a process: the main one, or whoever arrives first.
    pub(super) fn main_of(&self, process: ProcId) -> Option<ThreadId> {
        let threads = self.scenario.processes()[process].threads.clone().map(ThreadId);
        let at = |thread: ThreadId| match self.scenario.threads()[thread].arrival {
            Arrival::At(after) => Some((after, !self.is_main(thread), thread)),
            Arrival::OnStart => None,
        };
        threads.filter_map(at).min().map(|(.., thread)| thread)
    }

    /// Whether a thread is the main thread of its process.
    pub(super) fn is_main(&self, thread: ThreadId) -> bool {
        self.scenario.threads()[thread].python_name == "MainThread"
    }

    /// Whether a thread has to start up the interpreter of its process.
    fn starts_up_process(&self, thread: ThreadId) -> bool {
        self.processes[self.scenario.threads()[thread].process].starting_up == Some(thread)
    }

    /// What a new thread pays on a core before it may ask for the GIL.
    pub(super) fn begin(&mut self, thread: ThreadId) {
        let declared = &self.scenario.threads()[thread];
        let costs = self.costs_of(thread);
        if self.begins_as_server(thread) {
            return self.start_up(thread, costs.forkserver_server);
        }
        let mut cost = Span::ZERO;
        if self.starts_up_process(thread) && self.is_spawned(declared.process) {
            cost += match self.scenario.processes()[declared.process].start_method {
                StartMethod::Fork => Span::ZERO,
                StartMethod::Spawn => costs.spawn,
                StartMethod::Forkserver => costs.forkserver,
            };
        }
        if declared.own_interpreter {
            cost += costs.interpreter_start;
        }
        if declared.interpreter.is_some() && !self.is_main(thread) {
            cost += costs.thread_start;
        }
        self.threads[thread].birth = Birth::StartingUp;
        if cost.is_zero() {
            self.threads[thread].stage = Stage::Take;
        } else {
            self.start_up(thread, cost);
        }
    }

    /// A child made by spawn or forkserver imports the main module again, holding its own GIL. Returns whether it does
    /// so now.
    pub(super) fn import_main(&mut self, thread: ThreadId) -> bool {
        let cost = self.costs_of(thread).import_main;
        let began = std::mem::replace(&mut self.threads[thread].birth, Birth::Importing);
        let imports = self.starts_up_process(thread) && self.is_spawned(self.scenario.threads()[thread].process);
        if began == Birth::Importing || !imports || cost.is_zero() {
            return false;
        }
        self.start_up(thread, cost);
        true
    }

    /// The first time that a thread executes code of its own: whoever waits for that goes on.
    pub(super) fn first_run(&mut self, thread: ThreadId) {
        if std::mem::replace(&mut self.threads[thread].birth, Birth::Ready) == Birth::Ready {
            return;
        }
        if self.starts_up_process(thread) {
            let process = self.scenario.threads()[thread].process;
            match self.scenario.processes()[process].module {
                Some(_) => self.threads[thread].at_top_level = true,
                None => self.process_is_up(process),
            }
        }
        self.wake_starter(thread);
    }

    /// Whoever waits in `start()` for a thread goes on.
    pub(super) fn wake_starter(&mut self, thread: ThreadId) {
        if let Some(starter) = self.starters.remove(&thread) {
            self.wake(starter, Stage::Take, Why::ChildRan, Cause::Thread(thread));
        }
    }

    /// The interpreter of a process is up: its other threads may begin.
    pub(super) fn process_is_up(&mut self, process: ProcId) {
        self.processes[process].starting_up = None;
        for (thread, cause, why) in std::mem::take(&mut self.processes[process].held_back) {
            self.processes[process].to_come += 1;
            self.arrives(thread, cause, why);
        }
    }

    // ------------------------------------------------------------------ start

    /// `start()` on the next member; a thread waits until the new thread has run, a process goes its own way.
    pub(super) fn start(&mut self, thread: ThreadId, group: GroupId, count: Option<u32>) {
        let members = self.scenario.groups()[group].members.clone();
        if matches!(members, Members::Processes(_)) && self.is_inheriting(thread) {
            return self.die_in_bootstrap(thread);
        }
        let (Members::Threads(all) | Members::Processes(all)) = &members;
        let done = self.threads[thread].cursor.done;
        let next = self.next_member[group];
        if count.is_some_and(|count| done >= count) || (count.is_none() && done > 0 && next >= all.end) {
            return self.threads[thread].cursor.advance();
        }
        if all.is_empty() {
            return self.threads[thread].cursor.advance();
        }
        if next >= all.end {
            let name = &self.scenario.groups()[group].name;
            return self.model_error(
                "E206",
                thread,
                format!("cannot start {name}: all of its members have been started"),
            );
        }
        match members {
            Members::Threads(_) => self.start_thread(thread, group, ThreadId::new(next as usize)),
            Members::Processes(_) => self.start_process(thread, group, ProcId::new(next as usize)),
        }
    }

    pub(super) fn start_thread(&mut self, starter: ThreadId, group: GroupId, child: ThreadId) {
        self.next_member[group] += 1;
        self.threads[starter].cursor.done += 1;
        let declared = &self.scenario.threads()[child];
        if !declared.daemon {
            self.processes[declared.process].non_daemons += 1;
            self.non_daemons += 1;
        }
        self.processes[declared.process].to_come += 1;
        self.arrives(child, Cause::Thread(starter), Why::Started);
        if !self.is_native(starter) {
            self.drop_gil(starter, After::ChildRuns(child));
        }
    }

    /// `Thread.start()` waits for the new thread's `_started` event.
    pub(super) fn wait_for_child(&mut self, thread: ThreadId, child: ThreadId) {
        let process = self.scenario.threads()[child].process;
        let far_enough = if self.processes[process].starts_server { Birth::StartingUp } else { Birth::Ready };
        if self.threads[child].birth >= far_enough {
            self.threads[thread].stage = Stage::Take;
            return;
        }
        self.starters.insert(child, thread);
        self.block(thread, Wait::ChildRuns(child), State::Event, Why::ChildStarting, Cause::Thread(thread));
    }

    fn start_process(&mut self, starter: ThreadId, group: GroupId, child: ProcId) {
        let fork = self.scenario.processes()[child].start_method == StartMethod::Fork;
        let cost = if fork { self.costs_of(starter).fork } else { Span::ZERO };
        if !cost.is_zero() && !std::mem::replace(&mut self.threads[starter].fork_paid, true) {
            return self.start_up(starter, cost);
        }
        self.threads[starter].fork_paid = false;
        self.next_member[group] += 1;
        self.threads[starter].cursor.done += 1;
        let waits = self.inherit(starter, child);
        self.process_arrives(child, Cause::Thread(starter), Why::Started);
        if let Some(first) = waits {
            self.drop_gil(starter, After::ChildRuns(first));
        }
    }

    // ------------------------------------------------------------------ join

    /// `join()` on every started member, one after another.
    pub(super) fn join(&mut self, thread: ThreadId, group: GroupId) {
        let targets = self.joinable(group);
        let (Members::Threads(all) | Members::Processes(all)) = &self.scenario.groups()[group].members;
        if targets.is_empty() && !all.is_empty() && self.scenario.groups()[group].started {
            let name = &self.scenario.groups()[group].name;
            return self.model_error(
                "E206",
                thread,
                format!("cannot join {name}: none of its members has been started"),
            );
        }
        while let Some(target) = targets.get(self.threads[thread].cursor.done as usize) {
            if !self.has_ended(*target) {
                if self.patience_is_over(thread) {
                    return self.give_up(thread);
                }
                return self.drop_gil(thread, After::Join(*target));
            }
            self.threads[thread].cursor.done += 1;
        }
        self.step_is_done(thread);
    }

    /// The members of a group that can be joined now: all of them, or those started so far.
    fn joinable(&self, group: GroupId) -> Vec<Joinable> {
        let declared = &self.scenario.groups()[group];
        let end = |all: &Range<u32>| if declared.started { self.next_member[group] } else { all.end };
        match &declared.members {
            Members::Threads(all) => {
                (all.start..end(all)).map(|member| Joinable::Thread(ThreadId::new(member as usize))).collect()
            }
            Members::Processes(all) => {
                (all.start..end(all)).map(|member| Joinable::Process(ProcId::new(member as usize))).collect()
            }
        }
    }

    /// Whether a thread or process has ended.
    pub(super) fn has_ended(&self, target: Joinable) -> bool {
        match target {
            Joinable::Thread(thread) => self.threads[thread].phase == Phase::Done,
            Joinable::Process(process) => self.processes[process].ended,
        }
    }

    /// `join()` parks the thread until its target has ended.
    pub(super) fn wait_for_end(&mut self, thread: ThreadId, target: Joinable) {
        if self.has_ended(target) || self.patience_is_over(thread) {
            self.threads[thread].stage = Stage::Take;
            return;
        }
        self.joiners.entry(target).or_default().push(thread);
        self.block(thread, Wait::Join(target), State::Join, Why::Joining, Cause::Thread(thread));
        self.look_for_deadlock(thread);
    }

    fn wake_joiners(&mut self, target: Joinable, cause: Cause) {
        for joiner in self.joiners.remove(&target).unwrap_or_default() {
            if self.threads[joiner].phase == Phase::Blocked(Wait::Join(target)) {
                self.wake(joiner, Stage::Take, Why::Joined, cause);
            }
        }
    }

    // ------------------------------------------------------------------ ends

    /// A thread on a core has reached the end of its program.
    pub(super) fn finish(&mut self, thread: ThreadId) {
        self.end_thread(thread, Why::Finished, Cause::Thread(thread));
        let declared = &self.scenario.threads()[thread];
        let process = &mut self.processes[declared.process];
        if !declared.daemon {
            process.non_daemons -= 1;
            self.non_daemons -= 1;
        }
        // A process with non-daemon threads ends with the last of them; a process of daemons with its last thread.
        if process.non_daemons == 0 && (!declared.daemon || (process.alive.is_empty() && process.to_come == 0)) {
            self.end_process(declared.process, 0, Cause::Thread(thread));
        }
        self.look_for_the_end(thread, !declared.daemon);
    }

    /// A thread has ended: was it the last one that counts, or the last hope of others?
    pub(super) fn look_for_the_end(&mut self, thread: ThreadId, counts: bool) {
        if self.non_daemons == 0 && counts {
            self.end_all(Cause::Thread(thread));
        } else {
            self.end_if_all_have_ended(Cause::Thread(thread));
        }
        self.look_for_deadlock(thread);
    }

    /// A thread ends, wherever it is.
    fn end_thread(&mut self, thread: ThreadId, why: Why, cause: Cause) {
        self.drop_gil_for_good(thread);
        if let Some(gil) = self.gil_of(thread) {
            self.stop_wanting(gil, thread);
        }
        match self.threads[thread].phase {
            Phase::OnCore(_) => self.off_core(thread, Phase::Done),
            Phase::Queued(queue) => {
                self.queues[queue as usize].dequeue(&mut self.tasks, thread);
                self.queued -= 1;
            }
            Phase::Throttled => self.forget_held_back(thread),
            Phase::Blocked(wait) => {
                self.rest(thread, false);
                self.leave_wait(thread, wait);
            }
            Phase::Absent | Phase::Done => unreachable!("only the living end"),
        }
        let state = &mut self.threads[thread];
        state.phase = Phase::Done;
        state.generation += 1;
        let process = self.scenario.threads()[thread].process;
        let place = self.threads[thread].place_among_living;
        self.processes[process].alive.remove(&place);
        self.log.state(thread, State::Done, None, why, cause);
        self.write_account(thread, why == Why::Finished);
        self.wake_joiners(Joinable::Thread(thread), Cause::Thread(thread));
    }

    /// A blocked thread that ends is no longer in anybody's list.
    pub(super) fn leave_wait(&mut self, thread: ThreadId, wait: Wait) {
        match wait {
            Wait::Gil => {
                let gil = self.gil_of(thread).expect("who waits for a GIL has one");
                let ticket = self.threads[thread].gil_ticket;
                self.gils[gil].waiters.remove(&(ticket, thread));
            }
            Wait::Forced => {
                let gil = self.gil_of(thread).expect("who dropped a GIL has one");
                self.gils[gil].forced.retain(|each| *each != thread);
            }
            Wait::Lock(lock) => {
                self.locks[lock].waiters.retain(|each| *each != thread);
                self.owner_may_be_lifted(lock);
            }
            Wait::Object(object, line) => self.leave_line(thread, object, line),
            Wait::ChildRuns(child) => {
                self.starters.remove(&child);
            }
            Wait::Io(device) => self.leave_device(thread, device),
            Wait::Join(target) => {
                if let Some(joiners) = self.joiners.get_mut(&target) {
                    joiners.retain(|each| *each != thread);
                }
            }
            Wait::Sleep | Wait::Release => {}
        }
    }

    /// A process ends with this exit code, and with it all threads that it still has: when its last non-daemon thread has
    /// ended, its daemons.
    pub(super) fn end_process(&mut self, process: ProcId, code: i32, cause: Cause) {
        for thread in self.processes[process].alive.values().copied().collect::<Vec<_>>() {
            self.end_thread(thread, Why::ProcessEnded, cause);
        }
        self.processes[process].ended = true;
        self.processes_alive -= 1;
        let record = self.write(cause, What::Exit { process, code });
        self.wake_joiners(Joinable::Process(process), record);
    }

    /// The last non-daemon thread of the model has ended: what is left are daemons, and the run is over.
    fn end_all(&mut self, cause: Cause) {
        for process in self.scenario.processes().ids() {
            if self.processes[process].arrived && !self.processes[process].ended {
                self.end_process(process, 0, cause);
            }
        }
        self.end(Ending::Finished);
    }

    /// A model without any non-daemon thread is over when all its processes are.
    fn end_if_all_have_ended(&mut self, cause: Cause) {
        if self.non_daemons == 0 && self.processes_alive == 0 && self.processes_to_come == 0 {
            self.end_all(cause);
        }
    }
}
