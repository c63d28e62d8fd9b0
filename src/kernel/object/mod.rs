//! Shared objects other than locks, built as `threading.py` and `queue.py` build them: a lock, conditions over it, and a
//! state that is looked at only while the lock is held.
//!
//! A *visit* is one call of a method. The thread takes the lock and asks the state. If that is not ready for it, it lines
//! up, lets go of the lock and of the GIL, and parks; whoever notifies it makes it runnable, and it takes the GIL, then
//! the lock, and asks again. So it can come too late for what it was woken for, as in Python.
//!
//! A new kind of object is one file with its state and its answers, and one line in [`State`] below.
//!
//! # Divergence from CPython
//! - The lock that `Condition.wait` makes for each waiter is the waiter's place in line; nobody else ever wants it.
//! - Python 2.7's `Condition.wait(timeout)` polls, at intervals that grow to 50 ms; here a time-out is exact.

mod barrier;
mod condition;
mod event;
mod posix;
mod queue;
mod semaphore;

use std::collections::VecDeque;

use crate::ids::{Id, IdVec, LockId, ObjectId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::deadlock::state_of;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::kernel::thread::{After, Phase, Stage, Wait};
use crate::model::{Form, Scenario, Use};
use crate::trace::{ObjectAct, Observer, What, Why};

/// Where threads line up: a queue has a line of getters and one of putters, the others have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Line {
    /// `not_empty` of a queue; the only one of everything else.
    First,
    /// `not_full` of a queue.
    Second,
}

/// What a state answers to a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Whether the visit is over; if not, where to line up.
    pub line: Option<Line>,
    /// Whom to notify: so many of this line, those first that have waited longest.
    pub notify: Option<(Line, usize)>,
    /// What has happened, for the record, and what the object holds now.
    pub act: Option<(ObjectAct, i64)>,
}

impl Answer {
    /// The visit is over, and this has happened.
    fn done(act: ObjectAct, value: impl TryInto<i64>) -> Answer {
        Answer { line: None, notify: None, act: Some((act, value.try_into().unwrap_or(i64::MAX))) }
    }

    /// The visit is over, and nothing has changed.
    const NOTHING: Answer = Answer { line: None, notify: None, act: None };

    /// Not yet.
    fn wait(line: Line) -> Answer {
        Answer { line: Some(line), notify: None, act: None }
    }

    /// And so many of a line may go on.
    fn notify(self, line: Line, many: usize) -> Answer {
        Answer { notify: Some((line, many)), ..self }
    }
}

/// A shared object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// The lock that is held during a visit.
    pub mutex: LockId,
    /// Who waits, longest first.
    pub lines: [VecDeque<ThreadId>; 2],
    state: State,
}

/// What an object is and holds, apart from who waits for it. Workers on real threads ask it too.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Semaphore(semaphore::Semaphore),
    Queue(queue::Queue),
    Posix(posix::Posix),
    Event(event::Event),
    Barrier(barrier::Barrier),
    Condition,
    Variable(i64),
}

impl State {
    /// The state as it begins.
    pub fn new(form: Form) -> State {
        match form {
            Form::Semaphore { permits } => State::Semaphore(semaphore::Semaphore { permits }),
            Form::Queue { capacity } => State::Queue(queue::Queue { items: 0, capacity }),
            Form::ProcessSemaphore { permits } => State::Posix(posix::Posix::Semaphore { permits }),
            Form::ProcessQueue { capacity } => State::Posix(posix::Posix::Queue { capacity, items: 0, sent: 0 }),
            Form::Event => State::Event(event::Event { set: false }),
            Form::Barrier { parties } => State::Barrier(barrier::Barrier::new(parties)),
            Form::Condition { .. } => State::Condition,
            Form::Variable { initial } => State::Variable(initial),
        }
    }

    /// The answer to a visitor with the lock. `waited` is what it left in the state when it lined up.
    pub fn answer(&mut self, verb: Use, waited: &mut bool) -> Answer {
        match self {
            State::Semaphore(semaphore) => semaphore.answer(verb),
            State::Queue(queue) => queue.answer(verb),
            State::Event(event) => event.answer(verb, waited),
            State::Barrier(barrier) => barrier.answer(waited),
            State::Posix(_) | State::Condition | State::Variable(_) => unreachable!("none of these is visited"),
        }
    }
}

impl Object {
    /// The object as it begins. `spare` is a lock for those that have none of their own.
    fn new(object: &crate::model::Object, spare: LockId) -> Object {
        let mutex = if let Form::Condition { lock } = object.form { lock } else { spare };
        Object { mutex, lines: [VecDeque::new(), VecDeque::new()], state: State::new(object.form) }
    }

    /// The line itself.
    pub fn line(&mut self, line: Line) -> &mut VecDeque<ThreadId> {
        &mut self.lines[line as usize]
    }
}

/// All shared objects of a scenario, each with a lock behind the declared ones.
pub(super) fn all(scenario: &Scenario) -> IdVec<ObjectId, Object> {
    let declared = scenario.locks().len();
    let object =
        |(id, object): (ObjectId, &crate::model::Object)| Object::new(object, LockId::new(declared + id.index()));
    scenario.objects().iter().map(object).collect()
}

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// A step that uses a shared object, by a thread that holds the GIL.
    pub(super) fn use_object(&mut self, thread: ThreadId, object: ObjectId, verb: Use) {
        match self.objects[object].state {
            State::Condition => self.use_condition(thread, object, verb),
            State::Variable(value) => self.use_variable(thread, object, verb, value),
            State::Posix(_) => self.use_posix(thread, object, verb),
            _ if self.threads[thread].visit.inside => self.ask(thread, object, verb),
            _ => self.acquire(thread, self.objects[object].mutex),
        }
    }

    /// A visitor has the lock, and asks.
    fn ask(&mut self, thread: ThreadId, object: ObjectId, verb: Use) {
        let mut waited = self.threads[thread].visit.waited;
        if waited && self.threads[thread].visit.timed_out {
            // What waits only once has its answer: it was in vain.
            self.let_go(thread, self.objects[object].mutex);
            return self.give_up(thread);
        }
        let answer = self.objects[object].state.answer(verb, &mut waited);
        self.threads[thread].visit.waited = waited;
        let mut cause = Cause::Thread(thread);
        if let Some((act, value)) = answer.act {
            cause = self.write(cause, What::Object { object, thread, act, value });
        }
        if let Some((line, many)) = answer.notify {
            self.notify(object, line, many, cause);
        }
        let mutex = self.objects[object].mutex;
        match answer.line {
            None => {
                self.let_go(thread, mutex);
                self.step_is_done(thread);
            }
            Some(_) if self.patience_is_over(thread) => {
                self.let_go(thread, mutex);
                self.give_up(thread);
            }
            Some(line) => {
                self.line_up(thread, object, line);
                self.let_go(thread, mutex);
                self.threads[thread].visit.inside = false;
                self.drop_gil(thread, After::Park(object, line));
            }
        }
    }

    /// Who lines up is found by notifications from now on, also before it is parked.
    fn line_up(&mut self, thread: ThreadId, object: ObjectId, line: Line) {
        self.objects[object].line(line).push_back(thread);
        self.threads[thread].visit.in_line = true;
    }

    /// The GIL is dropped: the thread parks, unless it has been notified meanwhile.
    pub(super) fn park(&mut self, thread: ThreadId, object: ObjectId, line: Line) {
        if !self.threads[thread].visit.in_line {
            self.threads[thread].stage = Stage::Take;
        } else if self.patience_is_over(thread) {
            self.leave_line(thread, object, line);
            self.threads[thread].visit.timed_out = true;
            self.threads[thread].stage = Stage::Take;
        } else {
            let state = state_of(self.scenario.objects()[object].form).expect("nobody waits for a variable");
            self.block(thread, Wait::Object(object, line), state, Why::ObjectBusy, Cause::Thread(thread));
            self.look_for_deadlock(thread);
        }
    }

    /// So many of a line may go on.
    fn notify(&mut self, object: ObjectId, line: Line, many: usize, cause: Cause) {
        let many = many.min(self.objects[object].line(line).len());
        let retried = posix::retried(&self.objects[object].state, line);
        let stage = retried.map_or(Stage::Take, |verb| Stage::After(After::Posix(object, verb)));
        for waiter in self.objects[object].line(line).drain(..many).collect::<Vec<_>>() {
            self.threads[waiter].visit.in_line = false;
            if self.threads[waiter].phase == Phase::Blocked(Wait::Object(object, line)) {
                self.wake(waiter, stage, Why::Notified, cause);
            }
        }
    }

    /// A thread is no longer in line: its time is over, or it has ended.
    pub(super) fn leave_line(&mut self, thread: ThreadId, object: ObjectId, line: Line) {
        self.objects[object].line(line).retain(|each| *each != thread);
        self.threads[thread].visit.in_line = false;
    }

    /// A forked child's object begins as its parent's is. Nobody waits there.
    pub(super) fn copy_object(&mut self, from: ObjectId, to: ObjectId) {
        self.objects[to].state = self.objects[from].state.clone();
    }

    /// A read, or a write, of an integer: each is one bytecode, and whoever is switched out between two of them holds an
    /// old value.
    fn use_variable(&mut self, thread: ThreadId, object: ObjectId, verb: Use, value: i64) {
        let registers = &mut self.threads[thread].registers;
        let (act, value) = if let Use::Store(add) = verb {
            let read = registers.get(&object).copied().unwrap_or(0);
            (ObjectAct::Store, read.saturating_add(add))
        } else {
            registers.insert(object, value);
            (ObjectAct::Load, value)
        };
        self.objects[object].state = State::Variable(value);
        self.write(Cause::Thread(thread), What::Object { object, thread, act, value });
        self.step_is_done(thread);
    }
}
