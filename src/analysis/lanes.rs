//! The picture of a run while it runs: columns of time per thread, per GIL and per core.
//!
//! When more than the given number of columns is full they are merged, twofold and fivefold in turn: widths are
//! 1, 2, 10, 20, 100, 200 … ns. Each divides all later ones, so merging is exact, and a view can group columns into widths
//! that people read (1, 2, 5 × 10ⁿ). Memory is O(threads × columns), whatever the horizon.

use crate::analysis::Lane;
use crate::analysis::metrics::States;
use crate::analysis::now::{Now, Segment};
use crate::ids::{CoreId, GilId, IdVec, ThreadId};
use crate::time::{Instant, Span};
use crate::trace::{Cast, GilAct, Observer, Record, State, What};

/// The columns of a whole run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// How wide a column is.
    pub width: Span,
    /// When the run ended.
    pub end: Instant,
    /// What each thread did, from its arrival to its end.
    pub threads: IdVec<ThreadId, Lane<State>>,
    /// Who held each GIL.
    pub gils: IdVec<GilId, Lane<ThreadId>>,
    /// Who was on each core, doing what.
    pub cores: IdVec<CoreId, Lane<(ThreadId, State)>>,
}

impl Lanes {
    /// How many columns there are, the last one perhaps not full.
    pub fn columns(&self) -> u32 {
        self.end.ns().div_ceil(self.width.ns()) as u32
    }

    /// The sums of a thread's drawn segments: what tables must agree with.
    pub fn totals(&self, thread: ThreadId) -> States {
        let mut totals = States::default();
        self.threads[thread].parts().for_each(|part| totals.add(part.what, part.time));
        totals
    }

    /// The sum of a core's drawn segments in `python`, `native`, `native-gil`.
    pub fn core_busy(&self, core: CoreId) -> Span {
        let parts = self.cores[core].parts().filter(|part| part.what.1.is_running());
        parts.map(|part| part.time).sum()
    }

    /// The sum of a GIL's drawn segments.
    pub fn gil_busy(&self, gil: GilId) -> Span {
        self.gils[gil].parts().map(|part| part.time).sum()
    }

    /// The smallest of the widths 1, 2, 5 × 10ⁿ that fits the run into `columns` columns, as a multiple of [`Lanes::width`].
    pub fn readable_factor(&self, columns: u32) -> u64 {
        let fits = |factor: u64| self.end.ns().div_ceil(self.width.ns() * factor) <= u64::from(columns.max(1));
        let decades = (0..u64::MAX.ilog10()).map(|power| 10u64.pow(power));
        let mut widths = decades.flat_map(|decade| [1, 2, 5].map(|digit| digit * decade));
        let own = self.width.ns();
        widths.find(|width| width.is_multiple_of(own) && fits(width / own)).map_or(1, |width| width / own)
    }
}

/// Watches a run and draws its lanes.
#[derive(Clone, Debug)]
pub struct Sketch {
    limit: u64,
    at: Instant,
    now: Now,
    holders: IdVec<GilId, Option<(ThreadId, Instant)>>,
    lanes: Lanes,
}

impl Sketch {
    /// A picture of a run with this cast in at most `columns` columns.
    pub fn new(cast: &Cast, columns: u32) -> Sketch {
        Sketch {
            limit: columns.max(1).into(),
            at: Instant::ZERO,
            now: Now::new(cast.threads.len()),
            holders: IdVec::filled(cast.gils.len(), None),
            lanes: Lanes {
                width: Span::from_ns(1),
                end: Instant::ZERO,
                threads: IdVec::filled(cast.threads.len(), Lane::default()),
                gils: IdVec::filled(cast.gils.len(), Lane::default()),
                cores: IdVec::filled(cast.cores.len(), Lane::default()),
            },
        }
    }

    /// The lanes, once the run is over (or as far as it got).
    pub fn finish(mut self) -> Lanes {
        let open: Vec<Segment> = self.now.open(self.at).collect();
        open.iter().for_each(|segment| self.draw(segment));
        for gil in self.holders.ids() {
            self.draw_holder(gil);
        }
        self.lanes.end = self.at;
        self.lanes
    }

    fn advance(&mut self, to: Instant) {
        self.at = self.at.max(to);
        let width = self.lanes.width.ns();
        let mut factor = 1;
        while self.at.ns() > self.limit.saturating_mul(width * factor) {
            factor *= next_factor(width * factor);
        }
        if factor > 1 {
            self.widen(factor);
        }
    }

    fn widen(&mut self, factor: u64) {
        let width = self.lanes.width.ns();
        self.lanes.threads.values_mut().for_each(|lane| *lane = lane.widened(width, factor));
        self.lanes.gils.values_mut().for_each(|lane| *lane = lane.widened(width, factor));
        self.lanes.cores.values_mut().for_each(|lane| *lane = lane.widened(width, factor));
        self.lanes.width = Span::from_ns(width * factor);
    }

    fn draw(&mut self, segment: &Segment) {
        let (width, from, to) = (self.lanes.width.ns(), segment.from.ns(), segment.to.ns());
        self.lanes.threads[segment.thread].add(width, segment.state, from, to);
        if let Some(core) = segment.core.filter(|_| segment.state.on_core()) {
            self.lanes.cores[core].add(width, (segment.thread, segment.state), from, to);
        }
    }

    fn draw_holder(&mut self, gil: GilId) {
        if let Some((thread, since)) = self.holders[gil].take() {
            self.lanes.gils[gil].add(self.lanes.width.ns(), thread, since.ns(), self.at.ns());
        }
    }
}

/// From 1 ns to 2 ns, from 2 ns to 10 ns, and so on.
fn next_factor(width: u64) -> u64 {
    if width.ilog10() == (width.saturating_mul(5)).ilog10() { 2 } else { 5 }
}

impl Observer for Sketch {
    fn record(&mut self, _: u64, record: &Record) {
        self.advance(record.at);
        match &record.what {
            What::State { thread, to, core, .. } => {
                if let Some(segment) = self.now.turn(self.at, *thread, *to, *core) {
                    self.draw(&segment);
                }
            }
            What::Gil { gil, thread, act: GilAct::Grant { .. } } => {
                self.draw_holder(*gil);
                self.holders[*gil] = Some((*thread, self.at));
            }
            What::Gil { gil, act: GilAct::Drop { .. }, .. } => self.draw_holder(*gil),
            _ => {}
        }
    }
}
