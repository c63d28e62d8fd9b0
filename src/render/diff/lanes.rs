//! The lanes of both timelines, A above B for each thread, on one scale.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use crate::analysis::Lanes;
use crate::analysis::diff::Pair;
use crate::ids::ThreadId;
use crate::render::diff::{DiffReport, DiffSide};
use crate::render::glyph::{colour, glyph, legend, partly};
use crate::render::layout::{Line, Page, columns, escape, fit};
use crate::render::picture::state_cell;
use crate::time::Span;
use crate::trace::State;

/// Threads drawn before the rest is left out; each takes two lines.
const MOST: usize = 8;

/// Draws the threads.
pub(super) fn lanes<W: Write>(page: &mut Page<'_, W>, report: &DiffReport<'_>) -> fmt::Result {
    let threads = &report.comparison.threads;
    let end = report.a.lanes.end.max(report.b.lanes.end);
    if end.ns() == 0 || threads.is_empty() {
        return Ok(());
    }
    let shown: Vec<_> = if page.style.all || threads.len() <= MOST {
        threads.iter().collect()
    } else {
        threads[..MOST - 1].iter().chain(threads.last()).collect()
    };
    let name = |pair: &Pair| {
        let of = |side: &DiffSide<'_>, thread: Option<ThreadId>| thread.map(|thread| side.cast.label(thread));
        escape(&of(&report.a, pair.0).or_else(|| of(&report.b, pair.1)).unwrap_or_default())
    };
    let names = shown.iter().map(|pair| columns(&name(pair))).max().unwrap_or(0).clamp(4, (page.width() / 4).min(24));
    let room = page.width().saturating_sub(names + 6).max(10);
    let column = common_column(report.a.lanes, report.b.lanes, room as u64);
    let mut drawing = Drawing { column, room, seen: BTreeSet::new(), partly: false };
    for (place, pair) in shown.iter().enumerate() {
        if place == MOST - 1 && shown.len() < threads.len() {
            page.text(format!("  ... {} more threads (--all) ...", threads.len() - shown.len()))?;
        }
        let head = fit(&name(pair), names, page.style.ellipsis());
        drawing.lane(page, &format!("{head}  A  "), &report.a, pair.0)?;
        drawing.lane(page, &format!("{}  B  ", " ".repeat(names)), &report.b, pair.1)?;
    }
    drawing.legend(page, names + 5)
}

/// The narrowest of the widths 1, 2, 5 × 10ⁿ that both can be drawn in and that fits both into the room.
fn common_column(a: &Lanes, b: &Lanes, room: u64) -> Span {
    let end = a.end.max(b.end).ns();
    let decades = (0..u64::MAX.ilog10()).map(|power| 10u64.pow(power));
    let mut widths = decades.flat_map(|decade| [1, 2, 5].map(|digit| digit * decade));
    let drawable = |width: u64| width.is_multiple_of(a.width.ns()) && width.is_multiple_of(b.width.ns());
    let found = widths.find(|width| drawable(*width) && end.div_ceil(*width) <= room);
    Span::from_ns(found.unwrap_or(a.width.max(b.width).ns()))
}

struct Drawing {
    column: Span,
    room: usize,
    seen: BTreeSet<State>,
    partly: bool,
}

impl Drawing {
    fn lane<W: Write>(
        &mut self,
        page: &mut Page<'_, W>,
        head: &str,
        side: &DiffSide<'_>,
        thread: Option<ThreadId>,
    ) -> fmt::Result {
        let mut line = Line::of(head);
        let Some(thread) = thread else {
            line.plain("(is not there)");
            return page.line(&line);
        };
        let own = side.lanes.width.ns();
        let cells = side.lanes.threads[thread].widened(own, (self.column.ns() / own).max(1)).cells();
        for cell in cells.iter().take(self.room) {
            self.seen.extend(cell.iter().map(|(state, _)| *state));
            let (glyph, colour, whole) = state_cell(cell, self.column, page.style.ascii);
            self.partly |= !whole;
            line.coloured(colour, glyph.to_string());
        }
        page.line(&line)
    }

    fn legend<W: Write>(&self, page: &mut Page<'_, W>, indent: usize) -> fmt::Result {
        let ascii = page.style.ascii;
        let mut entries: Vec<(anstyle::Style, String, String)> = Vec::new();
        for state in self.seen.iter().filter(|state| **state != State::Done) {
            entries.push((colour(*state), glyph(*state, ascii).to_string(), format!(" {}", legend(*state))));
        }
        let plain = anstyle::Style::new();
        if self.partly {
            entries.push((plain, partly(ascii).to_string(), " ran for less than half".into()));
        }
        entries.push((plain, String::new(), format!("same scale, 1 column = {}", self.column)));
        let indent = " ".repeat(indent.min(page.width() / 3));
        let mut line = Line::of(indent.clone());
        for (colour, sign, text) in entries {
            let width = columns(&sign) + columns(&text);
            if line.columns() > indent.len() && line.columns() + width > page.width() {
                page.line(&line)?;
                line = Line::of(indent.clone());
            }
            line.coloured(colour, sign);
            line.plain(text + "   ");
        }
        page.line(&line)
    }
}
