//! A difference as each timeline tells it: the record with its causes, or what the thread was doing instead.

use crate::analysis::diff::identity::Identity;
use crate::analysis::diff::nodes::Side;
use crate::analysis::diff::track::NONE;
use crate::ids::ThreadId;
use crate::time::Instant;
use crate::trace::{Record, State};

/// Causes that are told.
const CAUSES: usize = 2;

/// A record, and what its thread was in the middle of.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// The record's number.
    pub index: u64,
    /// The record.
    pub record: Record,
    /// The state that the thread was in, and since when.
    pub during: Option<(State, Instant)>,
}

/// One timeline's side of a difference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The record; `None` if this timeline has none.
    pub moment: Option<Moment>,
    /// The record that made it happen, the one that made that happen, and so on.
    pub causes: Vec<Moment>,
    /// Whose it is.
    pub thread: Option<ThreadId>,
    /// The record of the state in which the thread is when the difference first shows.
    pub doing: Option<Moment>,
}

/// The side of `own`, whose record of the difference is `index`; `other` may have one as well.
pub(super) fn told(
    own: &Side<'_>,
    index: u32,
    other: &Side<'_>,
    other_index: u32,
    identity: &Identity,
    is_a: bool,
    owner: u32,
) -> Told {
    let at = |side: &Side<'_>, index: u32| if index == NONE { u64::MAX } else { side.item(index).at };
    let first = at(own, index).min(at(other, other_index));
    let (known, from) = if index == NONE { (other_index, other) } else { (index, own) };
    let of_thread = from.item(known).kind.of_thread();
    let pair = identity.threads.get(owner as usize).filter(|_| of_thread);
    let thread = pair.and_then(|(a, b)| if is_a { *a } else { *b });
    let mut causes = Vec::new();
    let mut next = if index == NONE { NONE } else { own.item(index).cause };
    while next != NONE && causes.len() < CAUSES {
        causes.push(moment(own, next));
        next = own.item(next).cause;
    }
    Told {
        moment: (index != NONE).then(|| moment(own, index)),
        causes,
        thread,
        doing: own.doing(thread, first).map(|index| moment(own, index)),
    }
}

fn moment(side: &Side<'_>, index: u32) -> Moment {
    let during = side.state_during(index).map(|item| (item.state(), Instant::from_ns(item.at)));
    let record = side.track.record(index, during.map(|(state, _)| state));
    Moment { index: index.into(), record, during }
}
