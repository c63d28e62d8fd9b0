//! For tests: casts and timelines written by hand.

use crate::ids::{CoreId, GilId, GroupId, IdVec, LockId, ProcId, SpanId, ThreadId};
use crate::time::{Instant, Span};
use crate::trace::{
    Actor, Cast, Ending, GilAct, LockAct, ObjectKind, Observer, Record, SpanAct, State, Thing, What, Why,
};

/// A thread that needs the GIL of the one process.
pub fn actor(name: &str, group: u32) -> Actor {
    Actor {
        process: ProcId(0),
        name: name.into(),
        group: GroupId(group),
        daemon: false,
        on_start: false,
        gil: Some(GilId(0)),
        factor: (1, 1),
        affinity: None,
    }
}

fn thing(name: &str, kind: ObjectKind) -> Thing {
    Thing { name: name.to_string(), kind, initial: 0 }
}

/// One process with one GIL, one lock `database`, a queue `jobs`, a variable `counter`, one group per thread.
pub fn cast(cores: usize, names: &[&str]) -> Cast {
    let group = |name: &&str| name.split('-').next().unwrap_or_default().to_string();
    let mut groups: Vec<String> = names.iter().map(group).collect();
    groups.dedup();
    let place = |name: &str| groups.iter().position(|own| *own == group(&name)).unwrap_or_default() as u32;
    Cast {
        processes: ["main".to_string()].into_iter().collect(),
        process_groups: [None].into_iter().collect(),
        threads: names.iter().map(|name| actor(name, place(name))).collect(),
        groups: groups.iter().cloned().collect(),
        gils: ["main".to_string()].into_iter().collect(),
        locks: ["database".to_string()].into_iter().collect(),
        objects: [thing("jobs", ObjectKind::Queue), thing("counter", ObjectKind::Variable)].into_iter().collect(),
        spans: IdVec::new(),
        cores: IdVec::filled(cores, 1),
        scale: 1,
    }
}

/// The same with stretches of work called `request`.
pub fn with_requests(mut cast: Cast) -> Cast {
    cast.spans.push("request".to_string());
    cast
}

/// The same threads in a free-threaded build with this factor.
pub fn free_threaded(mut cast: Cast, factor: (u64, u64)) -> Cast {
    cast.gils = IdVec::new();
    for actor in cast.threads.values_mut() {
        (actor.gil, actor.factor) = (None, factor);
    }
    cast
}

/// A timeline in the making. Times are milliseconds.
#[derive(Default)]
pub struct Play {
    pub records: Vec<Record>,
    at: u64,
    states: std::collections::BTreeMap<u32, State>,
}

impl Play {
    pub fn at(&mut self, ms: u64) -> &mut Play {
        self.at = Span::from_ms(ms).ns();
        self
    }

    pub fn at_ns(&mut self, ns: u64) -> &mut Play {
        self.at = ns;
        self
    }

    pub fn add(&mut self, what: What) -> &mut Play {
        self.records.push(Record { at: Instant::from_ns(self.at), what, cause: None });
        self
    }

    /// Names the cause of the last record.
    pub fn because(&mut self, cause: u64) -> &mut Play {
        self.records.last_mut().expect("a record").cause = Some(cause);
        self
    }

    pub fn state(&mut self, thread: u32, to: State, core: Option<u32>, why: Why) -> &mut Play {
        let from = self.states.insert(thread, to);
        self.add(What::State { thread: ThreadId(thread), from, to, core: core.map(CoreId), why })
    }

    /// On a core, at work.
    pub fn python(&mut self, thread: u32, core: u32) -> &mut Play {
        self.state(thread, State::Python, Some(core), Why::GilTaken)
    }

    /// Anything off a core.
    pub fn off(&mut self, thread: u32, to: State) -> &mut Play {
        let why = match to {
            State::WantsGil => Why::GilLocked,
            State::Done => Why::Finished,
            State::Io => Why::IoStarted,
            State::Lock => Why::LockBusy,
            _ => Why::Preempted,
        };
        self.state(thread, to, None, why)
    }

    pub fn dispatch(&mut self, core: u32, thread: u32, preempted: Option<u32>) -> &mut Play {
        let (core, thread, preempted) = (CoreId(core), ThreadId(thread), preempted.map(ThreadId));
        self.add(What::Dispatch { core, thread, switched: true, migrated: false, preempted })
    }

    pub fn gil(&mut self, thread: u32, act: GilAct) -> &mut Play {
        self.add(What::Gil { gil: GilId(0), thread: ThreadId(thread), act })
    }

    pub fn grant(&mut self, thread: u32) -> &mut Play {
        self.gil(thread, GilAct::Grant { switched: true })
    }

    pub fn lock(&mut self, thread: u32, act: LockAct) -> &mut Play {
        self.add(What::Lock { lock: LockId(0), thread: ThreadId(thread), act })
    }

    pub fn output(&mut self, thread: u32, text: &str) -> &mut Play {
        self.add(What::Output { thread: ThreadId(thread), text: text.into() })
    }

    pub fn span(&mut self, thread: u32, span: u32, act: SpanAct) -> &mut Play {
        self.add(What::Span { span: SpanId(span), thread: ThreadId(thread), act })
    }

    pub fn account(&mut self, thread: u32, python_ms: u64, native_ms: u64, finished: bool) -> &mut Play {
        let (python_work, native_work) = (Span::from_ms(python_ms), Span::from_ms(native_ms));
        let demanded = python_work + native_work;
        self.add(What::Account { thread: ThreadId(thread), python_work, native_work, demanded, finished })
    }

    pub fn exit(&mut self, code: i32) -> &mut Play {
        self.add(What::Exit { process: ProcId(0), code })
    }

    pub fn end(&mut self, ending: Ending) -> &mut Play {
        self.add(What::End { ending })
    }

    pub fn watched_by(&self, observer: &mut impl Observer) {
        self.records.iter().enumerate().for_each(|(index, record)| observer.record(index as u64, record));
    }
}

/// `a` and `b` have 10 ms of Python each; interval 5 ms, two cores, no costs.
///
/// ```text
/// ms   0    5    10   15   20
/// a    #####.....#####|            ran 10, waited 5
/// b    .....#####.....#####|       ran 10, waited 5 + 5
/// GIL  aaaaabbbbbaaaaabbbbb        4 switches, 2 requests, 2 forced drops
/// ```
/// At 15 ms `a` ends by itself, so the last drop before `b` goes on is not forced.
pub fn two_threads() -> Play {
    let mut play = Play::default();
    play.at(0).dispatch(0, 0, None).grant(0).dispatch(1, 1, None).python(0, 0).off(1, State::WantsGil);
    for (ms, out, into, core) in [(5, 0, 1, 1), (10, 1, 0, 0)] {
        play.at(ms).gil(into, GilAct::Request).gil(out, GilAct::Drop { forced: true }).grant(into);
        play.off(out, State::WantsGil).python(into, core);
    }
    play.at(15).gil(0, GilAct::Drop { forced: false }).account(0, 10, 0, true).grant(1);
    play.off(0, State::Done).python(1, 1);
    play.at(20).gil(1, GilAct::Drop { forced: false }).account(1, 10, 0, true).off(1, State::Done).exit(0);
    play.end(Ending::Finished);
    play
}

/// `count` wasters of 50 ms under one GIL, interval 5 ms, four cores, no costs: they take turns of 5 ms.
///
/// Each has 10 turns; with 12 of them the last turn ends at 12 × 50 = 600 ms. Every turn is a switch (120). Every turn but
/// the last one of each thread ends on request (9 × 12 = 108). Waster 1 ends with turn 109, at 545 ms.
pub fn wasters(count: u32) -> (Cast, Play) {
    let names: Vec<String> = (1..=count).map(|n| format!("waster-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut play = Play::default();
    let core = |turn: u32| turn % 2;
    play.at(0).grant(0).python(0, core(0));
    (1..count).for_each(|waster| {
        play.off(waster, State::WantsGil);
    });
    let turns = 10 * count;
    for turn in 1..=turns {
        let (out, into) = ((turn - 1) % count, turn % count);
        let ends = turn > turns - count;
        play.at(5 * u64::from(turn));
        if !ends {
            play.gil(into, GilAct::Request);
        } else {
            play.account(out, 50, 0, true);
        }
        play.gil(out, GilAct::Drop { forced: !ends });
        if turn < turns {
            play.grant(into);
        }
        play.off(out, if ends { State::Done } else { State::WantsGil });
        if turn < turns {
            play.python(into, core(turn));
        }
    }
    play.exit(0).end(Ending::Finished);
    (cast(4, &names), play)
}
