//! Records written by hand.

use gilsim::ids::{CoreId, GilId, GroupId, IdVec, LockId, ProcId, ThreadId};
use gilsim::time::Instant;
use gilsim::trace::{Actor, Cast, Ending, GilAct, LockAct, Record, State, What, Why};

/// A tape on which records are written one after the other.
#[derive(Default)]
pub struct Tape {
    pub records: Vec<Record>,
    now: u64,
    states: std::collections::BTreeMap<ThreadId, State>,
}

pub const GIL: GilId = GilId(0);
pub const LOCK: LockId = LockId(0);

impl Tape {
    /// From now on it is so late.
    pub fn at(&mut self, us: u64) {
        self.now = us * 1000;
    }

    pub fn write(&mut self, cause: Option<u64>, what: What) -> Option<u64> {
        self.records.push(Record { at: Instant::from_ns(self.now), what, cause });
        Some(self.records.len() as u64 - 1)
    }

    pub fn state(&mut self, thread: u32, to: State, core: Option<u32>, why: Why, cause: Option<u64>) -> Option<u64> {
        let thread = ThreadId(thread);
        let from = self.states.insert(thread, to);
        self.write(cause, What::State { thread, from, to, core: core.map(CoreId), why })
    }

    pub fn request(&mut self, thread: u32) -> Option<u64> {
        self.write(None, What::Gil { gil: GIL, thread: ThreadId(thread), act: GilAct::Request })
    }

    pub fn grant(&mut self, thread: u32) -> Option<u64> {
        self.write(None, What::Gil { gil: GIL, thread: ThreadId(thread), act: GilAct::Grant { switched: true } })
    }

    pub fn drops(&mut self, thread: u32, request: Option<u64>) -> Option<u64> {
        let act = GilAct::Drop { forced: request.is_some() };
        self.write(request, What::Gil { gil: GIL, thread: ThreadId(thread), act })
    }

    pub fn lock(&mut self, thread: u32, act: LockAct, cause: Option<u64>) -> Option<u64> {
        self.write(cause, What::Lock { lock: LOCK, thread: ThreadId(thread), act })
    }

    pub fn end(&mut self, ending: Ending) {
        self.write(None, What::End { ending });
    }
}

/// A cast of processes with their threads; the threads of the first process share the only GIL.
pub fn cast(processes: &[(&str, &[&str])], cores: usize) -> Cast {
    let mut cast = Cast {
        processes: IdVec::new(),
        process_groups: IdVec::filled(processes.len(), None),
        groups: ["all".to_string()].into_iter().collect(),
        threads: IdVec::new(),
        gils: processes.iter().take(1).map(|(name, _)| name.to_string()).collect(),
        locks: ["database".to_string()].into_iter().collect(),
        objects: Default::default(),
        spans: ["request".to_string()].into_iter().collect(),
        cores: (0..cores).map(|_| 1).collect(),
        scale: 1,
    };
    for (process, threads) in processes {
        let process: ProcId = cast.processes.push(process.to_string());
        for name in *threads {
            cast.threads.push(Actor {
                process,
                name: name.to_string(),
                group: GroupId(0),
                daemon: false,
                on_start: false,
                gil: Some(GIL).filter(|_| process.0 == 0),
                factor: (1, 1),
                affinity: None,
            });
        }
    }
    cast
}
