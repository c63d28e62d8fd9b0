//! One thread of the model on one thread of the operating system: it does the steps and notes when.

use std::collections::BTreeMap;
use std::thread::Scope;

use super::between::{QUEUED, Seen, lost_between};
use super::clock::{CHUNK, Queue, cpu_time, spin};
use super::gil::{Moment, Stop};
use super::sharing::Patience;
use super::world::World;
use crate::ids::{GilId, GroupId, Id, LockId, ObjectId, ProcId, SpanId, ThreadId};
use crate::model::{Arrival, Cursor, Length, Members, Op};
use crate::rng::Stream;
use crate::trace::{Ending, GilAct, LockAct, ObjectAct, SpanAct, State, Why};

/// What a thread noted, and when.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stamp {
    pub at: u64,
    pub mark: Mark,
}

/// What can be noted.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    State(State, Why),
    Gil(GilId, GilAct),
    Lock(LockId, LockAct),
    /// With what the object holds afterwards.
    Object(ObjectId, ObjectAct, i64),
    /// The lock was handed over to this thread.
    HandOver(LockId, ThreadId),
    Output(String),
    Span(SpanId, SpanAct),
}

/// What a thread leaves.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    pub stamps: Vec<Stamp>,
    /// Executed in `cpu` and `native_holding_gil` steps.
    pub python_work: u64,
    /// Executed in `native` steps.
    pub native_work: u64,
    /// Asked for by all of these.
    pub demanded: u64,
    /// Core time that they used, without the checks for the GIL.
    pub used: u64,
    /// Whether it came to the end of its program.
    pub finished: bool,
}

/// A pause between two readings of the clock that is looked into: above the cost of a timer interrupt.
const GAP: u64 = 70_000;

/// The crew of a trial: whoever is started joins it.
#[derive(Clone, Copy)]
pub(super) struct Crew<'scope, 'env> {
    pub scope: &'scope Scope<'scope, 'env>,
    pub world: &'scope World<'env>,
    pub logs: &'scope super::sync::Mutex<Vec<(ThreadId, Log)>>,
}

impl Crew<'_, '_> {
    /// Starts a thread that becomes eligible at an instant.
    pub fn start(self, thread: ThreadId, at: u64, why: Why) {
        self.world.born(thread);
        self.scope.spawn(move || {
            let mut actor = Actor::new(self, thread);
            actor.live(at, why);
            self.logs.lock().push((thread, actor.log));
        });
    }

    /// Starts a process: all of its threads that arrive by themselves.
    pub fn start_process(self, process: ProcId, at: u64, why: Why) {
        let threads = self.world.scenario.processes()[process].threads.clone();
        for thread in threads.map(|thread| ThreadId::new(thread as usize)) {
            if let Arrival::At(after) = self.world.scenario.threads()[thread].arrival {
                self.start(thread, at.saturating_add(after.ns()), why);
            }
        }
    }
}

pub(super) struct Actor<'scope, 'env> {
    crew: Crew<'scope, 'env>,
    pub world: &'scope World<'env>,
    pub me: ThreadId,
    pub process: ProcId,
    gil: Option<GilId>,
    streams: BTreeMap<&'static str, Stream>,
    queue: Queue,
    /// When it last looked at its time in the run queue.
    seen: Seen,
    holds: bool,
    /// Of the step under way.
    pub patience: Option<Patience>,
    /// Where the program goes on, if not behind the step under way.
    pub goes_on_at: Option<u32>,
    /// What it has read of each variable.
    pub read: BTreeMap<ObjectId, i64>,
    pub log: Log,
}

impl<'scope, 'env> Actor<'scope, 'env> {
    fn new(crew: Crew<'scope, 'env>, me: ThreadId) -> Self {
        let world = crew.world;
        world.enlist(me);
        let process = world.scenario.threads()[me].process;
        let gil = world.scenario.gil_of(me);
        let log = Log { stamps: Vec::with_capacity(4096), ..Log::default() };
        Actor {
            crew,
            world,
            me,
            process,
            gil,
            streams: BTreeMap::new(),
            queue: Queue::new(),
            seen: Seen::default(),
            holds: false,
            patience: None,
            goes_on_at: None,
            read: BTreeMap::new(),
            log,
        }
    }

    fn note(&mut self, mark: Mark) {
        self.log.stamps.push(Stamp { at: self.world.clock.now(), mark });
    }

    fn state(&mut self, state: State, why: Why) {
        self.note(Mark::State(state, why));
    }

    /// From its arrival to its end.
    fn live(&mut self, at: u64, why: Why) {
        self.settle_down();
        let lived = self.world.sleep_until(self.process, at).and_then(|()| {
            self.log.stamps.push(Stamp { at, mark: Mark::State(State::Runnable, why) });
            self.program()
        });
        self.log.finished = lived.is_ok();
        let done = if lived.is_ok() { Why::Finished } else { Why::ProcessEnded };
        let end = self.end(Mark::State(State::Done, done));
        self.world.has_ended(self.me, end);
    }

    /// It ends at the instant at which it drops its GIL for the last time, or now.
    fn end(&mut self, done: Mark) -> u64 {
        let mut end = self.world.clock.now();
        self.look_back(end);
        let (world, stamps) = (self.world, &mut self.log.stamps);
        if let (true, Some(gil)) = (std::mem::take(&mut self.holds), self.gil) {
            world.gils[gil].release_finally(self.me.index(), |moment| {
                if let Moment::Drop { forced } = moment {
                    end = world.clock.now();
                    stamps.push(Stamp { at: end, mark: Mark::Gil(gil, GilAct::Drop { forced }) });
                }
            });
        }
        stamps.push(Stamp { at: end, mark: done });
        end
    }

    /// Nice value and cores. What the kernel refuses was refused before.
    fn settle_down(&self) {
        let declared = &self.world.scenario.threads()[self.me];
        if declared.nice != 0 {
            // On Linux this concerns the calling thread only.
            let _ = rustix::process::setpriority_process(None, i32::from(declared.nice));
        }
        if let Some(cores) = &declared.affinity {
            let _ = super::bind(cores.iter().map(|core| core.index()));
        }
    }

    fn program(&mut self) -> Result<(), Stop> {
        self.take()?;
        self.world.has_run(self.me);
        let scenario = self.world.scenario;
        let program = &scenario.programs()[scenario.threads()[self.me].program];
        let mut cursor = Cursor::default();
        while let Some(op) = cursor.fetch(program) {
            if self.world.is_over(self.process) {
                return Err(Stop);
            }
            if let Op::Choose { cumulative, places } = op {
                let branch = self.stream("choose").choose(cumulative);
                cursor.jump(places[branch]);
                continue;
            }
            self.step(op)?;
            if !matches!(op, Op::Timeout { .. }) {
                self.patience = None;
            }
            match self.goes_on_at.take() {
                Some(place) => cursor.jump(place),
                None => cursor.advance(),
            }
        }
        Ok(())
    }

    fn step(&mut self, op: &Op) -> Result<(), Stop> {
        match op {
            Op::Cpu(length) => {
                let length = self.length("cpu", length);
                self.log.demanded += length;
                self.python(length, true)
            }
            Op::StraightLine(length) => {
                let length = self.length("cpu", length);
                self.log.demanded += length;
                self.python(length, self.checks_everywhere())
            }
            Op::Native(length) => {
                let length = self.length("native", length);
                self.log.demanded += length;
                self.blocking((State::Native, Why::Step), |actor| {
                    let done = actor.burn(length, false, State::Runnable, State::Native);
                    actor.log.native_work += done.map_or(0, |()| length);
                    done
                })
            }
            Op::NativeHoldingGil(length) => {
                let length = self.length("native", length);
                self.log.demanded += length;
                self.state(State::NativeGil, Why::Step);
                self.burn(length, false, self.preempted(), State::NativeGil)?;
                self.log.python_work += length;
                self.state(State::Python, Why::Step);
                Ok(())
            }
            Op::Io { length, device } => self.io(length, *device),
            Op::Sleep(length) => {
                let length = self.length("sleep", length);
                self.blocking((State::Sleep, Why::SleepStarted), |actor| actor.sleep(length))
            }
            Op::Acquire(lock) => self.acquire(*lock),
            Op::Release(lock) => self.release(*lock),
            Op::Start { group, count } => self.start(*group, *count),
            Op::Join(group) => self.join(*group),
            Op::Print(text) => {
                let pid = self.world.scenario.processes()[self.process].pid;
                let text = text.replace("{__name__}", "__main__").replace("{pid}", &pid.to_string());
                self.note(Mark::Output(text));
                Ok(())
            }
            Op::Enter(span) => {
                self.note(Mark::Span(*span, SpanAct::Begin));
                Ok(())
            }
            Op::Leave(span) => {
                self.note(Mark::Span(*span, SpanAct::End));
                Ok(())
            }
            Op::Show | Op::Repeat { .. } | Op::Again { .. } | Op::Choose { .. } | Op::Goto(_) => Ok(()),
            Op::SameTimeout { .. } | Op::Ensure(_) => unreachable!("refused before anything starts"),
            Op::Use(object, verb) => self.use_object(*object, *verb),
            Op::Timeout { after, otherwise } => {
                self.be_patient(after, *otherwise);
                Ok(())
            }
        }
    }

    pub(super) fn length(&mut self, purpose: &'static str, length: &Length) -> u64 {
        match length {
            Length::Fixed(span) => span.ns(),
            Length::Random(distribution) => distribution.sample(self.stream(purpose)),
        }
    }

    /// The thread's own stream for a purpose: the one that a simulation draws from.
    fn stream(&mut self, purpose: &'static str) -> &mut Stream {
        let scenario = self.world.scenario;
        let name = format!("{}/{purpose}", scenario.threads()[self.me].stream);
        self.streams.entry(purpose).or_insert_with(|| Stream::new(scenario.run().seed, &name))
    }

    /// `cpu`: a free-threaded interpreter takes the model's factor longer.
    /// Whether straight-line code has check points, as before 3.10.
    fn checks_everywhere(&self) -> bool {
        let interpreter = self.world.scenario.threads()[self.me].interpreter;
        interpreter.is_none_or(|id| self.world.scenario.interpreters()[id].checks_everywhere)
    }

    fn python(&mut self, length: u64, checks: bool) -> Result<(), Stop> {
        let scenario = self.world.scenario;
        let interpreter = scenario.threads()[self.me].interpreter.map(|id| &scenario.interpreters()[id]);
        let factor = interpreter.map_or((1, 1), |each| (each.factor.num(), each.factor.den()));
        let longer = u128::from(length) * factor.0 / factor.1;
        self.burn(longer as u64, checks && self.gil.is_some(), self.preempted(), State::Python)?;
        self.log.python_work += length;
        Ok(())
    }

    /// What it is called to lose the core here.
    fn preempted(&self) -> State {
        if self.gil.is_some() { State::RunnableGil } else { State::Runnable }
    }

    /// Work of so much core time, in chunks; between two of them is a check point.
    fn burn(&mut self, length: u64, checks: bool, lost: State, state: State) -> Result<(), Stop> {
        let mut spent = 0;
        let mut before = self.world.clock.now();
        self.look_back(before);
        let mut cpu = cpu_time();
        while spent < length {
            spin((length - spent).min(CHUNK.ns()));
            let now = self.world.clock.now();
            if now - before > GAP {
                self.gap(before, now, lost, state);
            }
            let used = cpu_time();
            spent += used - cpu;
            self.log.used += used - cpu;
            (cpu, before) = (used, now);
            if self.world.is_over(self.process) {
                return Err(Stop);
            }
            if checks && self.requested() {
                self.check_point()?;
                (cpu, before) = (cpu_time(), self.world.clock.now());
            }
        }
        Ok(())
    }

    fn requested(&self) -> bool {
        self.gil.is_some_and(|gil| self.world.gils[gil].requested())
    }

    /// The clock jumped: was somebody else on the core?
    fn gap(&mut self, before: u64, now: u64, lost: State, state: State) {
        let queued = self.queue.since_last().min(now - before);
        if queued > QUEUED {
            self.log.stamps.push(Stamp { at: now - queued, mark: Mark::State(lost, Why::Preempted) });
            self.log.stamps.push(Stamp { at: now, mark: Mark::State(state, Why::Dispatched) });
        }
        self.seen = Seen { at: now, stamps: self.log.stamps.len() };
    }

    /// Was somebody else on the core since it last looked, between two chunks of work?
    fn look_back(&mut self, now: u64) {
        let queued = self.queue.since_last();
        if queued > QUEUED {
            let lost = self.preempted();
            lost_between(&mut self.log.stamps, self.seen, now, queued, lost);
        }
        self.seen = Seen { at: now, stamps: self.log.stamps.len() };
    }

    /// The eval breaker is set.
    fn check_point(&mut self) -> Result<(), Stop> {
        self.give((State::WantsGil, Why::GilLocked));
        self.take()
    }

    /// `take_gil`.
    fn take(&mut self) -> Result<(), Stop> {
        let Some(gil) = self.gil else {
            self.state(State::Python, Why::Dispatched);
            return Ok(());
        };
        let (world, stamps) = (self.world, &mut self.log.stamps);
        world.gils[gil].take(self.me.index(), |moment| {
            let at = world.clock.now();
            match moment {
                Moment::Locked => stamps.push(Stamp { at, mark: Mark::State(State::WantsGil, Why::GilLocked) }),
                Moment::Request => stamps.push(Stamp { at, mark: Mark::Gil(gil, GilAct::Request) }),
                Moment::Grant { switched } => {
                    stamps.push(Stamp { at, mark: Mark::Gil(gil, GilAct::Grant { switched }) });
                    stamps.push(Stamp { at, mark: Mark::State(State::Python, Why::GilTaken) });
                }
                Moment::Drop { .. } | Moment::Forced | Moment::Switched => {}
            }
        })?;
        self.holds = true;
        Ok(())
    }

    /// `drop_gil`; then it is in the state `next`.
    fn give(&mut self, next: (State, Why)) {
        let Some(gil) = self.gil else { return self.state(next.0, next.1) };
        let (world, stamps) = (self.world, &mut self.log.stamps);
        let mut waits = false;
        world.gils[gil].release(self.me.index(), |moment| {
            let at = world.clock.now();
            match moment {
                Moment::Drop { forced } => {
                    waits = forced;
                    let (state, why) = if forced { (State::Forced, Why::GilRequested) } else { next };
                    stamps.push(Stamp { at, mark: Mark::Gil(gil, GilAct::Drop { forced }) });
                    stamps.push(Stamp { at, mark: Mark::State(state, why) });
                }
                Moment::Switched => {
                    waits = false;
                    stamps.push(Stamp { at, mark: Mark::State(next.0, next.1) });
                }
                _ => {}
            }
        });
        self.holds = false;
        if waits {
            // Somebody had taken it before the dropper could begin to wait.
            self.state(next.0, next.1);
        }
    }

    /// `Py_BEGIN_ALLOW_THREADS` … `Py_END_ALLOW_THREADS`.
    pub(super) fn blocking(
        &mut self,
        state: (State, Why),
        act: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.give(state);
        act(self)?;
        self.take()
    }

    fn sleep(&self, length: u64) -> Result<(), Stop> {
        if length == 0 {
            // A sleep of no length is a real call that leaves the core until its timer, which is late, has fired.
            let _ = rustix::thread::nanosleep(&rustix::thread::Timespec { tv_sec: 0, tv_nsec: 0 });
            return Ok(());
        }
        self.world.sleep_until(self.process, self.world.clock.now() + length)
    }

    fn io(&mut self, length: &Length, device: Option<crate::ids::DeviceId>) -> Result<(), Stop> {
        let length = self.length("io", length);
        self.blocking((State::Io, Why::IoStarted), |actor| {
            let (world, process) = (actor.world, actor.process);
            let device = device.map(|device| &world.devices[device]);
            device.map_or(Ok(()), |device| device.enter(actor.me, || world.is_over(process)))?;
            let slept = if length == 0 { Ok(()) } else { actor.sleep(length) };
            device.iter().for_each(|device| device.leave());
            slept
        })
    }

    fn start(&mut self, group: GroupId, count: Option<u32>) -> Result<(), Stop> {
        let world = self.world;
        let Some(members) = world.next_members(group, count) else {
            let detail = format!("start of {}: none is left", world.scenario.groups()[group].name);
            return Err(world.refuse(Ending::ModelError { code: "E206", thread: self.me, detail }, world.clock.now()));
        };
        let threads = matches!(world.scenario.groups()[group].members, Members::Threads(_));
        for member in members {
            let now = world.clock.now();
            if !threads {
                self.crew.start_process(ProcId::new(member), now, Why::Started);
                continue;
            }
            let thread = ThreadId::new(member);
            self.crew.start(thread, now, Why::Started);
            self.blocking((State::Event, Why::ChildStarting), |actor| actor.world.wait_for_run(actor.process, thread))?;
        }
        Ok(())
    }

    fn join(&mut self, group: GroupId) -> Result<(), Stop> {
        let (Members::Threads(range) | Members::Processes(range)) = self.world.scenario.groups()[group].members.clone();
        for member in range.map(|member| member as usize) {
            if !self.world.has_member_ended(group, member) {
                let (deadline, mut ended) = (self.deadline(), false);
                self.blocking((State::Join, Why::Joining), |actor| {
                    ended = actor.world.wait_for_member(actor.process, group, member, deadline)?;
                    Ok(())
                })?;
                if !ended {
                    self.give_up();
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
