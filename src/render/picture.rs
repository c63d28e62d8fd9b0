//! The picture of a run: one row for each thread, then GILs and cores, over columns of equal time.

use std::fmt;

use crate::analysis::{Lane, share};
use crate::ids::{CoreId, GilId, Id, ThreadId};
use crate::render::glyph::{colour, glyph, holder_glyph, legend, partly};
use crate::render::layout::{Line, Page, columns, escape, fit};
use crate::render::report::Report;
use crate::render::rows::{Row, groups, rows};
use crate::time::Span;
use crate::trace::State;

/// Of a folded group this many first members are drawn.
const FIRST: usize = 4;

/// A GIL or core that nobody has.
const FREE: char = '-';

/// A picture being drawn.
struct Picture<'p, 'w, 'r, W> {
    page: &'p mut Page<'w, W>,
    report: &'r Report<'r>,
    /// Columns of the names.
    names: usize,
    /// How many columns of the lanes make one column of the picture.
    factor: u64,
    /// One column of the picture.
    column: Span,
    /// Whether some thread ran for less than half of some column.
    partly: bool,
    /// Whether nobody has some GIL or core in some column.
    free: bool,
}

/// Draws the picture; nothing for a run in which no time passed.
pub(in crate::render) fn picture<W: fmt::Write>(page: &mut Page<'_, W>, report: &Report<'_>) -> fmt::Result {
    if report.lanes.end.ns() == 0 || report.cast.threads.is_empty() {
        return Ok(());
    }
    let rows = rows(report.cast, &page.style, FIRST);
    let gils = gils_to_draw(report, page.style.all);
    let names = name_columns(page.width(), report, &rows, &gils);
    // The mark for native code that keeps the GIL and a space stand between a name and its lane.
    let room = page.width() - names - 2;
    let factor = report.lanes.readable_factor(u32::try_from(room).unwrap_or(u32::MAX));
    let column = report.lanes.width * factor;
    let mut picture = Picture { page, report, names, factor, column, partly: false, free: false };
    picture.axis(room)?;
    for row in &rows {
        picture.row(row)?;
    }
    for gil in &gils {
        picture.gil(*gil)?;
    }
    picture.cores()?;
    picture.legend(!gils.is_empty())?;
    picture.page.blank()
}

/// The state that a column shows: running if the thread ran for half of it, partly running if for less, else the state that
/// lasted longest. The last value says whether it is not partly running.
pub(in crate::render) fn state_cell(cell: &[(State, Span)], column: Span, ascii: bool) -> (char, anstyle::Style, bool) {
    let ran: Span = cell.iter().filter(|(state, _)| state.is_running()).map(|(_, time)| *time).sum();
    let half = ran.ns() >= column.ns().div_ceil(2);
    // Of equals the first in the order of states.
    let longest = |running: bool| {
        let states = cell.iter().filter(move |(state, _)| state.is_running() == running).rev();
        states.max_by_key(|(_, time)| *time).map(|(state, _)| *state)
    };
    let Some(state) = longest(!ran.is_zero()) else { return (' ', anstyle::Style::new(), true) };
    let whole = ran.is_zero() || half;
    (if whole { glyph(state, ascii) } else { partly(ascii) }, colour(state), whole)
}

/// A GIL that only one thread uses shows nothing that the thread's own row does not show.
fn gils_to_draw(report: &Report<'_>, all: bool) -> Vec<GilId> {
    let mut users = vec![0; report.cast.gils.len()];
    report.cast.threads.values().filter_map(|actor| actor.gil).for_each(|gil| users[gil.index()] += 1);
    report.cast.gils.ids().filter(|gil| all || users[gil.index()] > 1).collect()
}

fn name_columns(width: usize, report: &Report<'_>, rows: &[Row], gils: &[GilId]) -> usize {
    let threads = rows.iter().filter_map(|row| match row {
        Row::Thread(id) => Some(report.cast.label(*id)),
        _ => None,
    });
    let gils = gils.iter().map(|gil| gil_name(report, *gil));
    let longest = threads.chain(gils).chain([core_names(report)]).map(|name| columns(&escape(&name))).max();
    longest.unwrap_or(0).clamp(12, (width / 3).min(24))
}

fn gil_name(report: &Report<'_>, gil: GilId) -> String {
    if report.cast.gils.len() == 1 { "GIL".into() } else { format!("GIL {}", report.cast.gils[gil]) }
}

fn core_names(report: &Report<'_>) -> String {
    match report.cast.cores.len() {
        0 | 1 => "core 0".into(),
        count => format!("core 0-{}", count - 1),
    }
}

impl<W: fmt::Write> Picture<'_, '_, '_, W> {
    /// Times above every tenth column.
    fn axis(&mut self, room: usize) -> fmt::Result {
        let mut axis = String::new();
        let columns = self.report.lanes.end.ns().div_ceil(self.column.ns());
        for column in (0..=columns).step_by(10) {
            let label = Span::from_ns(column.saturating_mul(self.column.ns())).to_string();
            let place = column as usize;
            let free = place == 0 || axis.len() + 2 <= place;
            if free && place + label.len() <= room {
                axis.push_str(&" ".repeat(place - axis.len()));
                axis.push_str(&label);
            }
        }
        self.page.text(format!("{}{axis}", " ".repeat(self.names + 2)))
    }

    fn row(&mut self, row: &Row) -> fmt::Result {
        let Row::Thread(id) = row else {
            return self.page.text(format!("  {}", row.folded().unwrap_or_default()));
        };
        let keeps = !self.report.lanes.totals(*id).of(State::NativeGil).is_zero();
        let mut line = self.head(&self.report.cast.label(*id), if keeps { '!' } else { ' ' });
        for cell in self.cells(&self.report.lanes.threads[*id]) {
            let (glyph, colour) = self.thread_cell(&cell);
            line.coloured(colour, glyph);
        }
        self.page.line(&line)
    }

    fn head(&self, name: &str, mark: char) -> Line {
        Line::of(format!("{}{mark} ", fit(&escape(name), self.names, self.page.style.ellipsis())))
    }

    fn cells<K: Copy + Ord>(&self, lane: &Lane<K>) -> Vec<Vec<(K, Span)>> {
        lane.widened(self.report.lanes.width.ns(), self.factor).cells()
    }

    fn thread_cell(&mut self, cell: &[(State, Span)]) -> (char, anstyle::Style) {
        let (glyph, colour, whole) = state_cell(cell, self.column, self.page.style.ascii);
        self.partly |= !whole;
        (glyph, colour)
    }

    fn gil(&mut self, gil: GilId) -> fmt::Result {
        let mut line = self.head(&gil_name(self.report, gil), ' ');
        let cells = self.cells(&self.report.lanes.gils[gil]);
        let holders = self.holders(cells, |thread| *thread);
        line.plain(holders);
        self.page.line(&line)
    }

    /// Who had it longest in each column; free columns up to the end of the run.
    fn holders<K>(&mut self, cells: Vec<Vec<(K, Span)>>, who: impl Fn(&K) -> ThreadId) -> String {
        let columns = self.report.lanes.end.ns().div_ceil(self.column.ns()) as usize;
        let holder = |cell: &Vec<(K, Span)>| {
            let longest = cell.iter().rev().max_by_key(|(_, time)| *time);
            longest.map_or(FREE, |(key, _)| holder_glyph(who(key).index()))
        };
        let rest = std::iter::repeat_n(FREE, columns.saturating_sub(cells.len()));
        let row: String = cells.iter().map(holder).chain(rest).collect();
        self.free |= row.contains(FREE);
        row
    }

    fn cores(&mut self) -> fmt::Result {
        if self.page.style.all {
            for core in self.report.cast.cores.ids() {
                self.core(core)?;
            }
        }
        let busy = share(self.report.metrics.total(|thread| thread.ran()), self.report.metrics.makespan);
        let mut line = self.head(&core_names(self.report), ' ');
        line.plain(format!("average {} of {} busy", busy.to_decimals(1), self.report.cast.cores.len()));
        self.page.line(&line)
    }

    fn core(&mut self, core: CoreId) -> fmt::Result {
        let mut line = self.head(&format!("core {}", core.0), ' ');
        let cells = self.cells(&self.report.lanes.cores[core]);
        let holders = self.holders(cells, |(thread, _)| *thread);
        line.plain(holders);
        self.page.line(&line)
    }

    /// What the glyphs mean, as far as they occur.
    fn legend(&mut self, gils: bool) -> fmt::Result {
        let totals = |state: State| self.report.metrics.total(|thread| thread.states.of(state));
        let mut entries: Vec<(Line, usize)> = Vec::new();
        for state in State::ALL.iter().filter(|state| **state != State::Done && !totals(**state).is_zero()) {
            let mut entry = Line::default();
            entry.coloured(colour(*state), glyph(*state, self.page.style.ascii).to_string());
            entry.plain(format!(" {}", legend(*state)));
            entries.push((entry.clone(), entry.columns()));
        }
        let partly = self.partly.then(|| format!("{} ran for less than half", partly(self.page.style.ascii)));
        for text in partly.into_iter().chain([format!("1 column = {}", self.column)]) {
            entries.push((Line::of(text.clone()), columns(&text)));
        }
        let mut line = self.head("", ' ');
        for (entry, width) in entries {
            if line.columns() > self.names + 2 && line.columns() + width > self.page.width() {
                self.page.line(&line)?;
                line = self.head("", ' ');
            }
            line.append(entry);
            line.plain("   ");
        }
        self.page.line(&line)?;
        if gils || self.page.style.all { self.holder_legend(gils) } else { Ok(()) }
    }

    /// Which thread each glyph of a GIL's row stands for, a large group as a range, as far as the names fit.
    fn holder_legend(&mut self, gils: bool) -> fmt::Result {
        let entry = |ids: &[ThreadId]| {
            let glyphs = self.range(ids, |id| holder_glyph(id.index()).to_string());
            format!("{glyphs} {}", self.range(ids, |id| escape(&self.report.cast.label(id))))
        };
        let ids: Vec<ThreadId> = self.report.cast.threads.ids().collect();
        let ids = groups(self.report.cast, &ids);
        let room = self.page.width() - self.names - 2;
        let free = self.free.then(|| format!("{FREE} nobody"));
        let mut text = if gils { "GIL: " } else { "cores: " }.to_string();
        for (place, next) in free.into_iter().chain(ids.into_iter().map(entry)).enumerate() {
            let next = if place == 0 { next } else { format!(", {next}") };
            if columns(&text) + columns(&next) + 2 > room {
                text.push_str(if self.page.style.ascii { ".." } else { "…" });
                break;
            }
            text.push_str(&next);
        }
        let mut line = self.head("", ' ');
        line.plain(text);
        self.page.line(&line)
    }

    fn range(&self, ids: &[ThreadId], name: impl Fn(ThreadId) -> String) -> String {
        let dots = if self.page.style.ascii { ".." } else { "…" };
        match ids {
            [] => String::new(),
            [only] => name(*only),
            [first, .., last] => format!("{}{dots}{}", name(*first), name(*last)),
        }
    }
}
