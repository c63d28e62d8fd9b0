//! Fingerprints of parts of a timeline: a user can pin the order of events and leave their times free.

use std::fmt::Write;

use crate::ids::Id;
use crate::trace::{Digest, Observer, Record, State, What};

/// Watches a run and takes its fingerprints.
#[derive(Clone, Debug, Default)]
pub struct Fingerprints {
    /// Who did what in which order. Times, cores and context switches do not enter, nor does overhead, so that costs may
    /// change without it.
    pub order: Digest,
    /// Which thread was on which core, in order.
    pub placement: Digest,
    /// When something happened, whatever it was.
    pub times: Digest,
}

impl Observer for Fingerprints {
    fn record(&mut self, _: u64, record: &Record) {
        // A digest takes everything.
        let _ = writeln!(self.times, "{}", record.at.ns());
        let _ = match &record.what {
            What::Dispatch { core, thread, .. } => writeln!(self.placement, "{} {}", core.0, thread.0),
            What::State { to: State::Overhead, .. } | What::Account { .. } => Ok(()),
            What::State { thread, to, core, .. } => {
                if let Some(core) = core {
                    let _ = writeln!(self.placement, "{} {}", core.0, thread.0);
                }
                writeln!(self.order, "{} {}", thread.index(), to.word())
            }
            what => writeln!(self.order, "{what:?}"),
        };
    }
}
