//! What a comparison needs beyond metrics: the lengths of all holds of contested GILs, and how often threads blocked.

use crate::analysis::Samples;
use crate::ids::{GilId, Id, IdVec, ThreadId};
use crate::time::Instant;
use crate::trace::{Cast, GilAct, Observer, Record, State, What};

/// Watches a run, simulated or measured.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Lengths of holds, from each grant to the drop that ends it, of GILs that several threads share.
    pub holds: Samples,
    /// How often each thread began to sleep or a blocking call.
    pub calls: IdVec<ThreadId, u64>,
    shared: IdVec<GilId, bool>,
    since: IdVec<GilId, Option<Instant>>,
}

impl Seen {
    /// An observer for a run with this cast.
    pub fn new(cast: &Cast) -> Seen {
        let mut users = vec![0; cast.gils.len()];
        cast.threads.values().filter_map(|actor| actor.gil).for_each(|gil| users[gil.index()] += 1);
        Seen {
            holds: Samples::default(),
            calls: IdVec::filled(cast.threads.len(), 0),
            shared: users.into_iter().map(|users| users > 1).collect(),
            since: IdVec::filled(cast.gils.len(), None),
        }
    }
}

impl Observer for Seen {
    fn record(&mut self, _: u64, record: &Record) {
        match record.what {
            What::Gil { gil, act: GilAct::Grant { .. }, .. } => self.since[gil] = Some(record.at),
            What::Gil { gil, act: GilAct::Drop { .. }, .. } => {
                let since = self.since[gil].take().filter(|_| self.shared[gil]);
                since.into_iter().for_each(|since| self.holds.add(record.at.since(since)));
            }
            What::State { thread, from, to: to @ (State::Io | State::Sleep), .. } if from != Some(to) => {
                self.calls[thread] += 1;
            }
            _ => {}
        }
    }
}
