//! A program as the kernel runs it: a flat list of operations with jump targets, and a cursor per thread.

use crate::ids::{DeviceId, GroupId, LockId, ObjectId, SpanId};
use crate::rng::{Distribution, Shape};
use crate::time::Span;

/// How long an operation takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Length {
    /// Always the same.
    Fixed(Span),
    /// Drawn anew each time, from the thread's own stream.
    Random(Box<Distribution>),
}

impl Default for Length {
    fn default() -> Self {
        Length::Fixed(Span::ZERO)
    }
}

impl From<Span> for Length {
    fn from(span: Span) -> Self {
        Length::Fixed(span)
    }
}

impl Length {
    /// The shortest and the longest that it can be.
    pub fn bounds(&self) -> (Span, Span) {
        let distribution = match self {
            Length::Fixed(span) => return (*span, *span),
            Length::Random(distribution) => distribution,
        };
        let (low, high) = match &distribution.shape {
            Shape::Uniform(low, high) => (*low, *high),
            Shape::Choice { values, .. } => {
                (values.iter().copied().min().unwrap_or(0), values.iter().copied().max().unwrap_or(0))
            }
            Shape::Normal(mean, 0) => (*mean, *mean),
            Shape::Exponential(0) => (0, 0),
            Shape::Pareto { scale, .. } => (*scale, if *scale == 0 { 0 } else { u64::MAX }),
            _ => (0, u64::MAX),
        };
        let clamp = |ns: u64| Span::from_ns(ns.clamp(distribution.min, distribution.max));
        (clamp(low), clamp(high))
    }

    /// Whether it never takes any time.
    pub fn is_zero(&self) -> bool {
        self.bounds().1.is_zero()
    }
}

/// One operation. Loops and branches are flattened: their operations name the places where the thread goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Python bytecode: on a core, with the GIL; may be asked to drop it at any check point.
    Cpu(Length),
    /// Python bytecode without a loop or a call: since 3.10 without a check point until its end.
    StraightLine(Length),
    /// C code that released the GIL: on a core, without it.
    Native(Length),
    /// C code that keeps the GIL: one uninterruptible unit.
    NativeHoldingGil(Length),
    /// A blocking call with the GIL released around it.
    Io {
        /// How long the device or the other side takes.
        length: Length,
        /// The device that serves it; none = unlimited.
        device: Option<DeviceId>,
    },
    /// `time.sleep`.
    Sleep(Length),
    /// `lock.acquire()`.
    Acquire(LockId),
    /// `lock.release()`.
    Release(LockId),
    /// A shared object is used.
    Use(ObjectId, Use),
    /// The next operation waits for at most so long, and if that was in vain the program goes on elsewhere.
    Timeout {
        /// How long.
        after: Length,
        /// The place where it goes on.
        otherwise: u32,
    },
    /// The next operation waits for what the last time-out has left, and goes on elsewhere if that was in vain.
    SameTimeout {
        /// The place where it goes on.
        otherwise: u32,
    },
    /// The program goes on elsewhere.
    Goto(u32),
    /// `start()` on members not yet started, one after another.
    Start {
        /// Whose members.
        group: GroupId,
        /// How many of them; `None` = all that are left.
        count: Option<u32>,
    },
    /// `start()` on the only member of a group, unless it has been started.
    Ensure(GroupId),
    /// `join()` on every member, one after another.
    Join(GroupId),
    /// A line of output; `{__name__}` and `{pid}` are replaced when it is printed.
    Print(Box<str>),
    /// Process id, thread count and `threading.enumerate()`, as the model's Python version prints them.
    Show,
    /// Enters a loop.
    Repeat {
        /// How often its body runs; `None` = forever.
        times: Option<u64>,
        /// The place after the matching [`Op::Again`].
        end: u32,
    },
    /// The end of a loop's body.
    Again {
        /// The first place of the body.
        start: u32,
    },
    /// A named stretch of work begins, wherever the thread is.
    Enter(SpanId),
    /// It ends, wherever the thread is.
    Leave(SpanId),
    /// Goes on with one of several branches, drawn from the thread's own stream.
    Choose {
        /// For each branch the sum of the weights up to and including its own.
        cumulative: Box<[u64]>,
        /// The first place of each branch.
        places: Box<[u32]>,
    },
}

/// What a step does with a shared object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// `Semaphore.acquire()`
    Acquire,
    /// `Semaphore.release()`
    Release,
    /// `Queue.put()`
    Put,
    /// `Queue.get()`
    Get,
    /// An item is written into the pipe of a `multiprocessing.Queue`.
    Send,
    /// An item is read from the pipe of a `multiprocessing.Queue`.
    Receive,
    /// `Event.set()`
    Set,
    /// `Event.clear()`
    Clear,
    /// `Event.wait()` or `Condition.wait()`
    Wait,
    /// `Condition.notify()`
    Notify,
    /// `Condition.notify_all()`
    NotifyAll,
    /// `Barrier.wait()`
    Meet,
    /// A variable is read.
    Load,
    /// What the thread has read, plus this, is written; of a thread that has read nothing, this alone.
    Store(i64),
}

impl Use {
    /// Whether the thread may have to wait for others.
    pub fn may_wait(self) -> bool {
        matches!(self, Use::Acquire | Use::Put | Use::Get | Use::Receive | Use::Wait | Use::Meet)
    }
}

/// The flat list of operations that all members of a group run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// The operations in order; the program ends behind the last one.
    pub ops: Vec<Op>,
}

/// Where a thread is in its program: plain data, so that a run can be copied, printed and resumed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The place of the operation that is next or under way.
    pub place: u32,
    /// How many members a `start` or `join` under the cursor has dealt with.
    pub done: u32,
    /// For every loop entered, how often its body still has to run; `None` = forever.
    loops: Vec<Option<u64>>,
}

impl Cursor {
    /// The operation under the cursor, once loops and ends of branches have been stepped over; `None` at the end of the program.
    pub fn fetch<'p>(&mut self, program: &'p Program) -> Option<&'p Op> {
        loop {
            let op = program.ops.get(self.place as usize)?;
            match op {
                Op::Repeat { times: Some(0), end } => self.place = *end,
                Op::Repeat { times, .. } => {
                    self.loops.push(*times);
                    self.place += 1;
                }
                Op::Again { start } => self.again(*start),
                Op::Goto(place) => self.place = *place,
                _ => return Some(op),
            }
        }
    }

    /// Goes on behind the operation under the cursor.
    pub fn advance(&mut self) {
        self.place += 1;
        self.done = 0;
    }

    /// Goes on elsewhere in the same list of steps.
    pub fn jump(&mut self, place: u32) {
        self.place = place;
        self.done = 0;
    }

    fn again(&mut self, start: u32) {
        let left = self.loops.last_mut().expect("the end of a loop that was entered");
        match left {
            Some(1) => {
                self.loops.pop();
                self.place += 1;
            }
            Some(times) => {
                *times -= 1;
                self.place = start;
            }
            None => self.place = start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(program: &Program, limit: usize) -> Vec<u32> {
        let mut cursor = Cursor::default();
        let mut seen = Vec::new();
        while seen.len() < limit && cursor.fetch(program).is_some() {
            seen.push(cursor.place);
            cursor.advance();
        }
        seen
    }

    #[test]
    fn nested_loops_run_as_often_as_they_say() {
        // repeat 2 { show, repeat 3 { join }, repeat 0 { print } }
        let program = Program {
            ops: vec![
                Op::Repeat { times: Some(2), end: 9 },
                Op::Show,
                Op::Repeat { times: Some(3), end: 5 },
                Op::Join(GroupId(0)),
                Op::Again { start: 3 },
                Op::Repeat { times: Some(0), end: 8 },
                Op::Print("never".into()),
                Op::Again { start: 6 },
                Op::Again { start: 1 },
            ],
        };
        assert_eq!(places(&program, 100), [1, 3, 3, 3, 1, 3, 3, 3]);
    }

    #[test]
    fn a_branch_goes_on_behind_the_last_one() {
        // repeat 2 { choose [{show}, {join}] }: the second branch, then the first one.
        let program = Program {
            ops: vec![
                Op::Repeat { times: Some(2), end: 7 },
                Op::Choose { cumulative: [1, 2].into(), places: [2, 4].into() },
                Op::Show,
                Op::Goto(6),
                Op::Join(GroupId(0)),
                Op::Goto(6),
                Op::Again { start: 1 },
            ],
        };
        let mut cursor = Cursor::default();
        let mut seen = Vec::new();
        let mut branches = [4, 2].into_iter();
        while let Some(op) = cursor.fetch(&program) {
            seen.push(cursor.place);
            match op {
                Op::Choose { .. } => cursor.jump(branches.next().expect("two rounds")),
                _ => cursor.advance(),
            }
        }
        assert_eq!(seen, [1, 4, 1, 2]);
    }

    #[test]
    fn an_endless_loop_does_not_end() {
        let program = Program { ops: vec![Op::Repeat { times: None, end: 3 }, Op::Show, Op::Again { start: 1 }] };
        assert_eq!(places(&program, 5), [1; 5]);
    }
}
