//! A textbook's Gantt chart as text: a row for each core, the thread's name in each block, the times of the blocks' ends
//! below, idle time as a block, arrivals as arrows, then the table that belongs to it.
//!
//! | column | is |
//! |---|---|
//! | response | first run − arrival |
//! | turnaround | completion − arrival |
//! | waiting | for the GIL (`wants-gil` and `forced`) + for a core (`runnable` and `runnable-gil`) |
//!
//! The chart shows the beginning of the run as far as it fits into the width, and says so; the table is of the whole run.

use std::fmt::Write as _;
use std::io::Write;

use crate::ids::{CoreId, IdVec, ThreadId};
use crate::render::layout::{columns, crop, escape};
use crate::time::{Instant, Span};
use crate::trace::{Cast, State};

use super::axis::Unit;
use super::blocks::{Block, Layout};
use super::segments::{Segment, Stay};
use super::sink::{Put, Sink};
use super::walker::Mark;
use super::{End, Format, Settings};

/// So many rows of cores at most.
const MOST_ROWS: usize = 32;
/// Longer names are cut in the chart.
const LONGEST_NAME: usize = 16;

/// Keeps what fits into the chart, and the sums of the table.
pub(super) struct Gantt {
    title: String,
    width: usize,
    cores: IdVec<CoreId, Row>,
    threads: IdVec<ThreadId, Sums>,
}

/// The stays on one core.
#[derive(Clone, Debug, Default)]
struct Row {
    stays: Vec<(Stay, Instant)>,
    /// There were more.
    cut: bool,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    arrival: Option<Instant>,
    first_run: Option<Instant>,
    completion: Option<Instant>,
    for_gil: Span,
    for_core: Span,
}

impl Gantt {
    pub fn new(cast: &Cast, settings: &Settings) -> Gantt {
        Gantt {
            title: settings.title.clone(),
            width: settings.width,
            cores: IdVec::filled(cast.cores.len(), Row::default()),
            threads: IdVec::filled(cast.threads.len(), Sums::default()),
        }
    }

    fn stay(&mut self, stay: Stay, end: Instant) {
        if stay.since == end {
            return;
        }
        // A block takes two columns at least: more of them can never fit.
        let most = self.width;
        let row = &mut self.cores[stay.core];
        let room = row.stays.len() < most;
        match row.stays.last_mut() {
            Some((last, until)) if last.thread == stay.thread && *until == stay.since && !row.cut => *until = end,
            _ if room => row.stays.push((stay, end)),
            _ => row.cut = true,
        }
    }

    fn wait(&mut self, segment: &Segment) {
        let sums = &mut self.threads[segment.thread];
        match segment.state {
            State::WantsGil | State::Forced => sums.for_gil += segment.length(),
            State::Runnable | State::RunnableGil => sums.for_core += segment.length(),
            state if state.is_running() && !segment.length().is_zero() => {
                sums.first_run.get_or_insert(segment.start);
            }
            _ => {}
        }
    }
}

impl Format for Gantt {
    fn header<W: Write>(&mut self, _: &Cast, _: &mut Sink<W>) {}

    fn mark(&mut self, _: &Cast, at: Instant, mark: &Mark, _: &mut Vec<u8>) {
        match mark {
            Mark::Enters(open, _) => {
                self.threads[open.thread].arrival.get_or_insert(at);
            }
            Mark::Leaves(segment) => self.wait(segment),
            Mark::Ends(thread) => {
                let sums = &mut self.threads[*thread];
                sums.completion = Some(at);
                // A thread may end at the instant at which it arrives, without any other state.
                sums.arrival.get_or_insert(at);
            }
            Mark::Rises(stay) => self.stay(*stay, at),
            _ => {}
        }
    }

    fn footer<W: Write>(&mut self, cast: &Cast, end: &End, out: &mut Sink<W>) {
        let chart = Chart::of(self, cast, end);
        out.buffer().text(&chart.text(&escape(&self.title), end));
        self.table(cast, out);
    }
}

// ---------------------------------------------------------------------- the chart

/// What is drawn.
struct Chart {
    labels: Vec<String>,
    rows: Vec<Vec<Block>>,
    /// Who arrives when, in order.
    arrivals: Vec<(u64, Vec<String>)>,
    layout: Layout,
    unit: Unit,
    /// Columns before the chart.
    left: usize,
    width: usize,
    missing: usize,
}

impl Chart {
    fn of(gantt: &Gantt, cast: &Cast, end: &End) -> Chart {
        // A bar within a name would look like the end of a block.
        let name = |thread: ThreadId| crop(&escape(&cast.label(thread)).replace('|', "¦"), LONGEST_NAME, "…");
        // Where the stays of some core are not all known, the chart is over.
        let known =
            gantt.cores.values().filter(|row| row.cut).filter_map(|row| row.stays.last()).map(|(_, end)| end.ns());
        let horizon = known.min().unwrap_or(end.at.ns());
        let (labels, rows): (Vec<String>, Vec<Vec<Block>>) = rows(gantt, horizon, &name).into_iter().unzip();
        let left = labels.iter().map(String::len).max().unwrap_or_default().max("arrivals".len()) + 2;
        let arrivals = arrivals(gantt, horizon, &name);
        let room = gantt.width.saturating_sub(left);
        let times: Vec<u64> = arrivals.iter().map(|(time, _)| *time).collect();
        let missing = rows.len().saturating_sub(MOST_ROWS);
        let lay_out = |unit: Unit| Layout::of(&rows[..rows.len() - missing], &times, room, &|time| unit.exact(time));
        // The unit is that of the times that are shown, and how many are shown depends on how they are written.
        let layout = lay_out(Unit::of(Span::from_ns(end.at.ns())));
        let unit = Unit::of(Span::from_ns(layout.end()));
        let layout = lay_out(unit);
        Chart { labels, rows, arrivals, layout, unit, left, width: gantt.width, missing }
    }

    fn text(&self, title: &str, end: &End) -> String {
        let mut text = if title.is_empty() { String::new() } else { format!("{title}\n\n") };
        self.write_arrivals(&mut text);
        for (label, row) in self.labels.iter().zip(&self.rows).take(self.rows.len() - self.missing) {
            self.write_row(label, row, &mut text);
        }
        let _ = writeln!(text, "\n{}", self.note(end));
        text
    }

    fn note(&self, end: &End) -> String {
        let Unit { name, .. } = self.unit;
        let last = Instant::from_ns(self.layout.end());
        let mut note = format!("Times in {name}.");
        if !self.layout.to_scale {
            note += " Not to scale.";
        }
        if last < end.at {
            let _ = write!(note, " The first {last} of {}: more does not fit into {} columns.", end.at, self.width);
        }
        if self.missing > 0 {
            let _ = write!(note, " {} more rows of cores are not shown.", self.missing);
        }
        match end.word() {
            "finished" => {}
            word => {
                let _ = write!(note, " The run ended at {}: {word}.", end.at);
            }
        }
        note
    }

    /// An arrow at each time at which somebody arrives, and above it as many names as there is room for.
    fn write_arrivals(&self, text: &mut String) {
        let shown: Vec<_> = self.arrivals.iter().filter(|(time, _)| *time <= self.layout.end()).collect();
        let (mut names, mut arrows) = (" ".repeat(self.left), format!("{:1$}", "arrivals", self.left));
        for (place, (time, who)) in shown.iter().enumerate() {
            let column = self.left + self.layout.column(*time);
            let next = shown.get(place + 1).map_or(self.width, |(time, _)| self.left + self.layout.column(*time));
            if column < columns(&names) {
                // Two times in one column: one arrow stands for both.
                continue;
            }
            pad(&mut names, column);
            pad(&mut arrows, column);
            arrows.push('v');
            names += &summary(who, next.saturating_sub(column + 1));
        }
        let _ = writeln!(text, "{}\n{}", names.trim_end(), arrows.trim_end());
    }

    fn write_row(&self, label: &str, row: &[Block], text: &mut String) {
        let (mut line, mut times) = (format!("{label:0$}", self.left), " ".repeat(self.left));
        for block in row.iter().filter(|block| block.start < self.layout.end()) {
            let (from, to) = (self.layout.column(block.start), self.layout.column(block.end));
            pad(&mut times, self.left + from);
            times += &self.unit.exact(block.start);
            line.push('|');
            line += &centred(block.name.as_deref(), to.saturating_sub(from + 1));
        }
        let goes_on = row.last().is_some_and(|block| block.end > self.layout.end());
        line.push(if goes_on { '>' } else { '|' });
        pad(&mut times, self.left + self.layout.column(self.layout.end()));
        times += &self.unit.exact(self.layout.end());
        let _ = writeln!(text, "{}\n{}", line.trim_end(), times.trim_end());
    }
}

/// All cores with their blocks up to `horizon`; neighbours that nobody used share a row.
fn rows(gantt: &Gantt, horizon: u64, name: &dyn Fn(ThreadId) -> String) -> Vec<(String, Vec<Block>)> {
    let mut rows: Vec<(String, Vec<Block>)> = Vec::new();
    let mut unused_since: Option<u32> = None;
    for core in gantt.cores.ids() {
        let row = blocks(&gantt.cores[core], horizon, name);
        if row.iter().any(|block| block.name.is_some()) {
            unused_since = None;
            rows.push((format!("core {}", core.0), row));
        } else if let Some(first) = unused_since
            && let Some((label, _)) = rows.last_mut()
        {
            *label = format!("core {first}-{}", core.0);
        } else {
            unused_since = Some(core.0);
            rows.push((format!("core {}", core.0), row));
        }
    }
    rows
}

/// The stays of a core, and idle blocks between them.
fn blocks(row: &Row, horizon: u64, name: &dyn Fn(ThreadId) -> String) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut at = 0;
    for (stay, end) in row.stays.iter().filter(|(stay, _)| stay.since.ns() < horizon) {
        if stay.since.ns() > at {
            blocks.push(Block { start: at, end: stay.since.ns(), name: None });
        }
        at = end.ns();
        blocks.push(Block { start: stay.since.ns(), end: at, name: Some(name(stay.thread)) });
    }
    if at < horizon {
        blocks.push(Block { start: at, end: horizon, name: None });
    }
    blocks
}

fn arrivals(gantt: &Gantt, horizon: u64, name: &dyn Fn(ThreadId) -> String) -> Vec<(u64, Vec<String>)> {
    let arrived = gantt.threads.iter().filter_map(|(thread, sums)| Some((sums.arrival?.ns(), thread)));
    let mut arrived: Vec<_> = arrived.filter(|(time, _)| *time < horizon.max(1)).collect();
    arrived.sort_unstable();
    let mut groups: Vec<(u64, Vec<String>)> = Vec::new();
    for (time, thread) in arrived {
        match groups.last_mut() {
            Some((last, names)) if *last == time => names.push(name(thread)),
            _ => groups.push((time, vec![name(thread)])),
        }
    }
    groups
}

/// As many names as fit, and how many more there are.
fn summary(names: &[String], room: usize) -> String {
    for count in (1..=names.len()).rev() {
        let mut text = names[..count].join(" ");
        if count < names.len() {
            let _ = write!(text, " +{}", names.len() - count);
        }
        if columns(&text) <= room {
            return text;
        }
    }
    Some(format!("({})", names.len())).filter(|text| text.len() <= room).unwrap_or_default()
}

/// A name in the middle of so many columns; idle time is a block too.
fn centred(name: Option<&str>, room: usize) -> String {
    let idle = if room >= "idle".len() { "idle" } else { "-" };
    let name = crop(name.unwrap_or(idle), room, "…");
    let free = room - columns(&name);
    format!("{}{name}{}", " ".repeat(free / 2), " ".repeat(free - free / 2))
}

fn pad(line: &mut String, column: usize) {
    let missing = column.saturating_sub(columns(line));
    line.extend(std::iter::repeat_n(' ', missing));
}

// ---------------------------------------------------------------------- the table

const HEADS: [&str; 7] = ["arrival", "completion", "response", "turnaround", "waiting", "for the GIL", "for a core"];

impl Gantt {
    fn table<W: Write>(&self, cast: &Cast, out: &mut Sink<W>) {
        let names: Vec<String> = cast.threads.ids().map(|thread| escape(&cast.label(thread))).collect();
        let widest = names.iter().map(|name| columns(name)).max().unwrap_or_default();
        let left = widest.max("average".len());
        let mut line = " ".repeat(left);
        HEADS.iter().for_each(|head| line += &format!("  {head}"));
        out.buffer().text("\n").text(&line).text("\n");
        for (name, sums) in names.iter().zip(self.threads.values()) {
            self.line(name, left, sums.cells(), out.buffer());
            out.settle();
        }
        if names.len() > 1 {
            self.line("average", left, self.averages(), out.buffer());
        }
        out.buffer().text("\nresponse = first run - arrival; turnaround = completion - arrival;\n");
        out.buffer().text("waiting = ready, but without the GIL or without a core\n");
    }

    fn line(&self, name: &str, left: usize, cells: [Option<Span>; 7], out: &mut Vec<u8>) {
        let mut line = name.to_string();
        pad(&mut line, left);
        for (head, cell) in HEADS.iter().zip(cells) {
            let text = cell.map_or("-".to_string(), Span::short);
            let _ = write!(line, "  {text:>0$}", head.len());
        }
        out.text(line.trim_end()).text("\n");
    }

    /// Over the threads that have a value, to the nearest nanosecond; there is no average of times.
    fn averages(&self) -> [Option<Span>; 7] {
        let rows: Vec<_> = self.threads.values().map(Sums::cells).collect();
        std::array::from_fn(|column| {
            let values: Vec<u64> = rows.iter().filter_map(|row| row[column]).map(Span::ns).collect();
            let sum: u128 = values.iter().map(|ns| u128::from(*ns)).sum();
            let count = values.len() as u128;
            let mean = (sum + count / 2).checked_div(count).filter(|_| column > 1)?;
            Some(Span::from_ns(mean as u64))
        })
    }
}

impl Sums {
    fn cells(&self) -> [Option<Span>; 7] {
        let since = |later: Option<Instant>| Some(later?.since(self.arrival?));
        let arrived = |span: Span| self.arrival.map(|_| span);
        [
            self.arrival.map(|at| at.since(Instant::ZERO)),
            self.completion.map(|at| at.since(Instant::ZERO)),
            since(self.first_run),
            since(self.completion),
            arrived(self.for_gil + self.for_core),
            arrived(self.for_gil),
            arrived(self.for_core),
        ]
    }
}
