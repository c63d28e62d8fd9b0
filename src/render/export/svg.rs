//! A drawing for slides and paper: a lane for each core, each GIL and each thread, an axis, a legend of what occurs.
//!
//! The bytes depend on the records and the title alone. Fonts are whatever the reader has; nothing is loaded.
//!
//! Each piece is drawn exactly as long as no lane has more than [`MOST_COLUMNS`] of them. When one has, all lanes turn
//! into columns of equal width, at most so many: each shows the look that took most of it, and where something ran for
//! less than half of a column, a strip at the foot says so (the `+` of the text lanes: without it, threads that run in
//! short turns would seem never to run). The picture says that it did so. At most [`MOST_CORES`] cores, [`MOST_GILS`]
//! GILs and [`MOST_THREADS`] threads are drawn, the first ones; the picture says how many are missing.

use std::io::Write;

use crate::ids::{Id, ThreadId};
use crate::time::{Instant, Span};
use crate::trace::{Cast, State};

use super::axis::{Unit, step};
use super::columns::{Columns, MOST_COLUMNS};
use super::drawing::{Bar, Drawing, Row};
use super::palette::{HELD, HELD_LOOK};
use super::sink::Sink;
use super::walker::Mark;
use super::{End, Format, Settings};

/// So many cores are drawn.
const MOST_CORES: usize = 32;
/// So many GILs are drawn.
const MOST_GILS: usize = 32;
/// So many threads are drawn.
const MOST_THREADS: usize = 100;

/// Keeps what is to be drawn.
pub(super) struct Svg {
    title: String,
    lanes: Lanes,
    kept: Kept,
    /// Holds so far, for the two greys.
    holds: u64,
}

/// How the lanes are numbered: cores, GILs, threads.
#[derive(Clone, Copy)]
struct Lanes {
    cores: usize,
    gils: usize,
    threads: usize,
}

impl Lanes {
    fn core(&self, core: impl Id) -> Option<usize> {
        Some(core.index()).filter(|place| *place < self.cores)
    }
    fn gil(&self, gil: impl Id) -> Option<usize> {
        Some(gil.index()).filter(|place| *place < self.gils).map(|place| self.cores + place)
    }
    fn thread(&self, thread: ThreadId) -> Option<usize> {
        Some(thread.index()).filter(|place| *place < self.threads).map(|place| self.cores + self.gils + place)
    }
    fn len(&self) -> usize {
        self.cores + self.gils + self.threads
    }
}

/// Every piece of every lane, or columns.
enum Kept {
    Pieces(Vec<Vec<Piece>>),
    Columns(Columns),
}

#[derive(Clone, Copy)]
struct Piece {
    start: u64,
    end: u64,
    look: u8,
    thread: ThreadId,
}

impl Svg {
    pub fn new(cast: &Cast, settings: &Settings) -> Svg {
        let lanes = Lanes {
            cores: cast.cores.len().min(MOST_CORES),
            gils: cast.gils.len().min(MOST_GILS),
            threads: cast.threads.len().min(MOST_THREADS),
        };
        Svg { title: settings.title.clone(), lanes, kept: Kept::Pieces(vec![Vec::new(); lanes.len()]), holds: 0 }
    }

    fn keep(&mut self, lane: Option<usize>, piece: Piece) {
        let Some(lane) = lane.filter(|_| piece.start < piece.end) else { return };
        if let Kept::Pieces(pieces) = &mut self.kept {
            if pieces[lane].len() < MOST_COLUMNS {
                return pieces[lane].push(piece);
            }
            self.kept = Kept::Columns(columns_of(pieces, piece.end));
        }
        if let Kept::Columns(columns) = &mut self.kept {
            columns.add(lane, piece.start, piece.end, piece.look.min(HELD_LOOK));
        }
    }

    /// What is drawn in a lane.
    fn bars(&self, lane: usize, end: u64) -> Vec<Bar> {
        match &self.kept {
            Kept::Pieces(pieces) => pieces[lane].iter().map(bar).collect(),
            Kept::Columns(columns) => bars_of(columns, lane, end),
        }
    }

    fn rows(&self, cast: &Cast, end: u64) -> Vec<Row> {
        let mut rows = vec![Row::Heading("cores".to_string())];
        let lanes = self.lanes;
        let lane = |place: Option<usize>, label: String, name: String, named: bool| {
            Some(Row::Lane { label, name, bars: self.bars(place?, end), named })
        };
        rows.extend(
            cast.cores
                .ids()
                .map_while(|core| lane(lanes.core(core), core.0.to_string(), format!("core {}", core.0), true)),
        );
        if lanes.gils > 0 {
            rows.push(Row::Heading("GIL held by".to_string()));
        }
        rows.extend(
            cast.gils
                .iter()
                .map_while(|(gil, name)| lane(lanes.gil(gil), name.clone(), format!("GIL of {name}"), true)),
        );
        let alone = each_thread_is_a_process(cast);
        let mut process = None;
        for (thread, actor) in cast.threads.iter().take(lanes.threads) {
            let before = process.replace(actor.process);
            if !alone && before != Some(actor.process) {
                rows.push(Row::Heading(format!("process {}", cast.processes[actor.process])));
            } else if alone && before.is_none() {
                rows.push(Row::Heading("processes".to_string()));
            }
            let label = if alone { cast.label(thread) } else { actor.name.clone() };
            rows.extend(lane(lanes.thread(thread), label, cast.full_name(thread), false));
        }
        rows
    }

    /// What a reader must know of how the picture came about.
    fn notes(&self, cast: &Cast, end: &End) -> Vec<String> {
        let mut notes = vec![format!("0 to {}; the run ended: {}.", end.at, end.word())];
        if let Kept::Columns(columns) = &self.kept {
            let width = Span::from_ns(columns.width);
            notes.push(format!(
                "Too much to draw piece by piece: each column stands for {width} and shows what took most of it."
            ));
        }
        let drawn = [
            (self.lanes.cores, cast.cores.len(), "cores"),
            (self.lanes.gils, cast.gils.len(), "GILs"),
            (self.lanes.threads, cast.threads.len(), "threads"),
        ];
        let missing = drawn.iter().filter(|(drawn, all, _)| drawn < all);
        notes.extend(missing.map(|(drawn, all, what)| format!("The first {drawn} of {all} {what} are drawn.")));
        notes
    }
}

/// Whether a heading for each process would only double the names below it.
fn each_thread_is_a_process(cast: &Cast) -> bool {
    let alone = cast.threads.iter().all(|(thread, actor)| thread.index() == actor.process.index());
    alone && cast.has_processes()
}

fn columns_of(pieces: &[Vec<Piece>], now: u64) -> Columns {
    let mut columns = Columns::new(pieces.len(), step(now, MOST_COLUMNS as u64 - 1));
    for (lane, pieces) in pieces.iter().enumerate() {
        for piece in pieces {
            columns.add(lane, piece.start, piece.end, piece.look.min(HELD_LOOK));
        }
    }
    columns
}

fn bar(piece: &Piece) -> Bar {
    let Piece { start, end, look, thread } = *piece;
    Bar { start, end, look: Some(look), also: None, thread: Some(thread) }
}

/// Neighbours that look alike become one.
fn bars_of(columns: &Columns, lane: usize, end: u64) -> Vec<Bar> {
    let runs = |look: u8| look == HELD_LOOK || State::ALL.get(look as usize).is_some_and(|state| state.is_running());
    let mut bars: Vec<Bar> = Vec::new();
    for (place, shown) in columns.shown(lane, end, runs).into_iter().enumerate() {
        let start = place as u64 * columns.width;
        let stop = (start + columns.width).min(end);
        match bars.last_mut() {
            Some(last) if (last.look, last.also) == (shown.most, shown.also) => last.end = stop,
            _ => bars.push(Bar { start, end: stop, look: shown.most, also: shown.also, thread: None }),
        }
    }
    bars
}

impl Format for Svg {
    fn header<W: Write>(&mut self, _: &Cast, _: &mut Sink<W>) {}

    fn mark(&mut self, _: &Cast, at: Instant, mark: &Mark, _: &mut Vec<u8>) {
        match mark {
            Mark::Leaves(segment) => {
                let (start, end) = (segment.start.ns(), segment.end.ns());
                let piece = Piece { start, end, look: segment.state as u8, thread: segment.thread };
                self.keep(self.lanes.thread(segment.thread), piece);
                self.keep(segment.core.and_then(|core| self.lanes.core(core)), piece);
            }
            Mark::Frees(hold) => {
                self.holds += 1;
                let look = HELD_LOOK + (self.holds % HELD.len() as u64) as u8;
                let piece = Piece { start: hold.since.ns(), end: at.ns(), look, thread: hold.thread };
                self.keep(self.lanes.gil(hold.gil), piece);
            }
            _ => {}
        }
    }

    fn footer<W: Write>(&mut self, cast: &Cast, end: &End, out: &mut Sink<W>) {
        let total = end.at.ns().max(1);
        let drawing = Drawing {
            title: &self.title,
            notes: self.notes(cast, end),
            rows: self.rows(cast, total),
            total,
            unit: Unit::of(Span::from_ns(total)),
        };
        drawing.write(&|thread| cast.label(thread), out);
    }
}
