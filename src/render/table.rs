//! The table of threads: when each finished, how long it ran, and on what it waited.

use std::fmt;

use crate::analysis::{ThreadMetrics, share};
use crate::ids::ThreadId;
use crate::ratio::Ratio;
use crate::render::layout::{Page, columns, crop, escape, fit};
use crate::render::report::Report;
use crate::render::rows::{Row, rows};
use crate::time::{Instant, Span};
use crate::trace::State;

/// Between two columns.
const GAP: usize = 2;

/// A column: its title and the cell of each row.
pub(in crate::render) struct Column {
    /// Its title.
    pub title: &'static str,
    /// The cells.
    pub cells: Vec<String>,
    /// Columns with a higher number are left out first where the page is too narrow.
    pub rank: u8,
}

/// States that get a column of their own if some thread was in them, with its title.
const STATES: [(State, &str); 12] = [
    (State::Forced, "forced"),
    (State::Io, "I/O"),
    (State::Sleep, "sleeps"),
    (State::Lock, "lock"),
    (State::Queue, "queue"),
    (State::Event, "event"),
    (State::Condition, "condition"),
    (State::Barrier, "barrier"),
    (State::Join, "joins"),
    (State::StartUp, "starts"),
    (State::Overhead, "overhead"),
    (State::Suspended, "stopped"),
];

/// Prints the table.
pub(in crate::render) fn table<W: fmt::Write>(page: &mut Page<'_, W>, report: &Report<'_>) -> fmt::Result {
    if report.cast.threads.is_empty() {
        return Ok(());
    }
    let rows: Vec<Row> =
        rows(report.cast, &page.style, 1).into_iter().filter(|row| !matches!(row, Row::Like(_))).collect();
    let names = names(report, &rows, page.width() / 3, page.style.ellipsis());
    grid(page, "thread", &names, numbers(report, &rows))
}

/// Prints names with their columns, as many as fit.
pub(in crate::render) fn grid<W: fmt::Write>(
    page: &mut Page<'_, W>,
    head: &str,
    names: &[String],
    mut table: Vec<Column>,
) -> fmt::Result {
    let name_width = names.iter().map(|name| columns(name)).max().unwrap_or(0).max(12);
    while table.len() > 1 && name_width + table.iter().map(Column::width).sum::<usize>() > page.width() {
        let last = table.iter().enumerate().max_by_key(|(_, column)| column.rank).map_or(0, |(place, _)| place);
        table.remove(last);
    }
    for line in 0..=names.len() {
        let name = line.checked_sub(1).map_or(head, |row| names[row].as_str());
        let cells = table.iter().map(|column| column.cell(line));
        page.text(fit(name, name_width, page.style.ellipsis()) + &cells.collect::<String>())?;
    }
    page.blank()
}

fn names(report: &Report<'_>, rows: &[Row], most: usize, ellipsis: &str) -> Vec<String> {
    let name = |row: &Row| match row {
        Row::Thread(id) => escape(&report.cast.label(*id)),
        row => row.folded().unwrap_or_default(),
    };
    let mut names: Vec<String> = rows.iter().map(|row| crop(&name(row), most, ellipsis)).collect();
    if report.cast.threads.len() > 1 {
        names.push(format!("all {}", report.cast.threads.len()));
    }
    names
}

impl Column {
    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| columns(cell)).max().unwrap_or(0);
        GAP + cells.max(self.title.len())
    }

    /// The title is line 0.
    fn cell(&self, line: usize) -> String {
        let text = line.checked_sub(1).map_or(self.title, |row| &self.cells[row]);
        format!("{}{}", " ".repeat(GAP), fit(text, self.width() - GAP, ""))
    }
}

/// All columns that have something to say.
fn numbers(report: &Report<'_>, rows: &[Row]) -> Vec<Column> {
    let spans = |title, rank, of: &dyn Fn(&ThreadMetrics) -> Span| Column {
        title,
        rank,
        cells: cells(report, rows, |id| of(&report.metrics.threads[id]).short(), report.metrics.total(of).short()),
    };
    let mut table = vec![
        Column { title: "finished", rank: 0, cells: cells(report, rows, |id| finished(report, id), last(report)) },
        spans("ran", 1, &ThreadMetrics::ran),
    ];
    if !report.cast.gils.is_empty() {
        table.push(spans("waits GIL", 2, &ThreadMetrics::wait_gil));
    }
    table.push(spans("waits core", 3, &ThreadMetrics::wait_core));
    for (rank, (state, title)) in (5..).zip(STATES) {
        let time = |thread: &ThreadMetrics| thread.states.of(state);
        if !report.metrics.total(time).is_zero() {
            table.push(spans(title, rank, &time));
        }
    }
    table.push(shares(report, rows));
    table
}

fn cells(report: &Report<'_>, rows: &[Row], of: impl Fn(ThreadId) -> String, all: String) -> Vec<String> {
    let cell = |row: &Row| match row {
        Row::Thread(id) => of(*id),
        _ => String::new(),
    };
    let mut cells: Vec<String> = rows.iter().map(cell).collect();
    if report.cast.threads.len() > 1 {
        cells.push(all);
    }
    cells
}

fn finished(report: &Report<'_>, id: ThreadId) -> String {
    let thread = &report.metrics.threads[id];
    match (thread.finish, thread.arrival) {
        (Some(finish), _) => since_start(finish),
        (None, Some(_)) => "unfinished".into(),
        (None, None) => "not started".into(),
    }
}

/// When the last one finished; a dash if some did not.
fn last(report: &Report<'_>) -> String {
    let finishes: Option<Vec<Instant>> = report.metrics.threads.values().map(|thread| thread.finish).collect();
    finishes.and_then(|all| all.into_iter().max()).map_or("-".into(), since_start)
}

fn since_start(at: Instant) -> String {
    Span::from_ns(at.ns()).short()
}

/// How much of its life a thread waited for the GIL or a core.
fn shares(report: &Report<'_>, rows: &[Row]) -> Column {
    let (metrics, end) = (report.metrics, report.metrics.end);
    let of = |id: ThreadId| {
        let thread = &metrics.threads[id];
        percent(share(thread.waiting(), thread.life(end)))
    };
    let all = percent(share(metrics.total(ThreadMetrics::waiting), metrics.total(|thread| thread.life(end))));
    Column { title: "share of life waiting", rank: 4, cells: cells(report, rows, of, all) }
}

fn percent(share: Ratio) -> String {
    let hundred = share.times(Ratio::whole(100)).unwrap_or(Ratio::ZERO);
    format!("{}%", hundred.to_decimals(0))
}
