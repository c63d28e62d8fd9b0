//! How far long work has got: a bar with rate and remaining time on a terminal, a line every few seconds otherwise, on
//! stderr. Nothing for short work, nothing with `-q`.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::backend::Stopwatch;
use crate::cli::output::Screen;
use crate::model::Scenario;
use crate::trace::{Observer, Record, What};

/// Work is long from here on, in milliseconds.
const LONG: u64 = 1_000;
/// Between two pictures of a bar, and between two lines.
const BAR_EVERY: u64 = 200;
const LINE_EVERY: u64 = 5_000;
/// An observer looks at the clock once in so many records.
const RECORDS: u64 = 8_192;
/// The whole of one piece of work.
const WHOLE: u64 = 1_000_000;
/// Signs of a bar.
const BAR: u64 = 30;

/// One or more pieces of work that go on at the same time.
#[derive(Debug)]
pub struct Progress {
    label: &'static str,
    pieces: u64,
    clock: Stopwatch,
    how: How,
    /// Columns of the terminal; no limit where there is none.
    width: usize,
    /// Millionths of all pieces, and records (or bytes) so far.
    done: AtomicU64,
    counted: AtomicU64,
    unit: &'static str,
    /// When something was last shown, in milliseconds; 0 = never.
    shown: AtomicU64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Silent,
    Bar,
    Lines,
}

impl Progress {
    /// Work that begins now.
    pub fn begin(screen: &Screen, shown: bool, label: &'static str, unit: &'static str, pieces: u64) -> Progress {
        let how = match (screen.quiet || !shown, io::stderr().is_terminal()) {
            (true, _) => How::Silent,
            (false, true) => How::Bar,
            (false, false) => How::Lines,
        };
        let zero = AtomicU64::default;
        let width = if how == How::Bar { screen.style(false, false).columns() } else { usize::MAX };
        Progress {
            label,
            pieces,
            clock: Stopwatch::start(),
            how,
            width,
            done: zero(),
            counted: zero(),
            unit,
            shown: zero(),
        }
    }

    /// An observer of one piece, the run of a scenario: up to its horizon, or until its threads have ended.
    pub fn watch(&self, scenario: &Scenario) -> Watch<'_> {
        let horizon = scenario.run().until.map_or(0, |until| until.ns());
        let threads = scenario.threads().len() as u64;
        Watch { progress: self, horizon, threads, ended: 0, next: RECORDS, counted: 0, done: 0 }
    }

    /// A reader of one piece of so many bytes.
    pub fn reader<R: Read>(&self, input: R, bytes: u64) -> Reader<'_, R> {
        Reader { progress: self, input, bytes, read: 0, done: 0 }
    }

    /// Of all pieces so many things have been done, out of so many at most.
    pub fn reach(&self, counted: u64, most: u64) {
        let done = u128::from(counted) * u128::from(WHOLE) / u128::from(most.max(1));
        let so_far = (self.done.load(Ordering::Relaxed), self.counted.load(Ordering::Relaxed));
        self.advance((done as u64).saturating_sub(so_far.0), counted.saturating_sub(so_far.1));
    }

    fn advance(&self, done: u64, counted: u64) {
        let done = self.done.fetch_add(done, Ordering::Relaxed) + done;
        let counted = self.counted.fetch_add(counted, Ordering::Relaxed) + counted;
        if self.how == How::Silent {
            return;
        }
        let now = self.clock.milliseconds();
        let shown = self.shown.load(Ordering::Relaxed);
        if !due(self.how, now, shown) {
            return;
        }
        // Of two who want to show something at once, one does.
        if self.shown.compare_exchange(shown, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.show(&line(self.label, self.unit, done / self.pieces.max(1), counted, now));
        }
    }

    fn show(&self, line: &str) {
        // A bar that is wider than its terminal would leave its first part behind.
        let line: String = line.chars().take(self.width.saturating_sub(1)).collect();
        // If nobody hears it, that is no error.
        let _ = match self.how {
            How::Bar => write!(io::stderr(), "\r\x1b[K{line}"),
            _ => writeln!(io::stderr(), "{line}"),
        };
    }
}

/// Takes the bar away, so that what is printed next stands alone.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.how == How::Bar && self.shown.load(Ordering::Relaxed) > 0 {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// Whether something is shown now, after it was shown last at `shown`.
fn due(how: How, now: u64, shown: u64) -> bool {
    let every = match how {
        How::Silent => return false,
        How::Bar => BAR_EVERY,
        How::Lines => LINE_EVERY,
    };
    now >= LONG.max(shown + every)
}

/// What is shown: how much of the whole is done, how fast, and how long it will take. `done` counts millionths.
fn line(label: &str, unit: &str, done: u64, counted: u64, milliseconds: u64) -> String {
    let seconds = milliseconds.max(1);
    let rate = u128::from(counted) * 1000 / u128::from(seconds);
    let rate = match rate {
        0..10_000 => rate.to_string(),
        10_000..10_000_000 => format!("{} thousand", rate / 1_000),
        _ => format!("{} million", rate / 1_000_000),
    };
    if done == 0 {
        return format!("{label}: {}s, {rate} {unit} a second", milliseconds / 1000);
    }
    let left = u128::from(milliseconds) * u128::from(WHOLE.saturating_sub(done)) / u128::from(done);
    let full = (done * BAR / WHOLE).min(BAR) as usize;
    let bar = format!("{}{}", "#".repeat(full), "-".repeat(BAR as usize - full));
    let percent = (done / 10_000).min(100);
    format!("{label} [{bar}] {percent:>3}%  {rate} {unit} a second, {}s left", left.div_ceil(1000))
}

/// Watches a run for its progress.
#[derive(Debug)]
pub struct Watch<'p> {
    progress: &'p Progress,
    horizon: u64,
    threads: u64,
    ended: u64,
    next: u64,
    counted: u64,
    done: u64,
}

impl Observer for Watch<'_> {
    fn record(&mut self, index: u64, record: &Record) {
        self.ended += u64::from(matches!(record.what, What::Account { .. }));
        if index >= self.next {
            self.next = index + RECORDS;
            self.advance(index, record.at.ns());
        }
    }
}

impl Watch<'_> {
    #[cold]
    fn advance(&mut self, index: u64, at: u64) {
        let (part, whole) =
            if self.horizon > 0 { (at.min(self.horizon), self.horizon) } else { (self.ended, self.threads) };
        let done = (u128::from(part) * u128::from(WHOLE) / u128::from(whole.max(1))) as u64;
        self.progress.advance(done - self.done, index - self.counted);
        (self.done, self.counted) = (done, index);
    }
}

/// Reads a file for its progress.
#[derive(Debug)]
pub struct Reader<'p, R> {
    progress: &'p Progress,
    input: R,
    bytes: u64,
    read: u64,
    done: u64,
}

impl<R: Read> Read for Reader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.read += read as u64;
        let whole = u128::from(self.bytes.max(self.read).max(1));
        let done = (u128::from(self.read) * u128::from(WHOLE) / whole) as u64;
        self.progress.advance(done.saturating_sub(self.done), read as u64);
        self.done = self.done.max(done);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_how_fast_and_how_long() {
        // A quarter of the whole in 2 s: 6 s are left. 5,000,000 records in 2 s are 2,500 thousand a second.
        let quarter = "simulating [#######-----------------------]  25%  2500 thousand records a second, 6s left";
        assert_eq!(line("simulating", "records", 250_000, 5_000_000, 2_000), quarter);
        assert_eq!(line("simulating", "records", 0, 8_000, 4_000), "simulating: 4s, 2000 records a second");
        assert!(
            line("reading", "bytes", WHOLE, 1 << 40, 1_000).contains("100%  1099511 million bytes a second, 0s left")
        );
        assert!(line("reading", "bytes", WHOLE + 5, 0, 0).contains("100%"));
    }

    #[test]
    fn short_work_shows_nothing_and_long_work_not_too_often() {
        let shown = |how| {
            let mut last = 0;
            let mut times: Vec<u64> = Vec::new();
            for now in (0..12_000).step_by(100) {
                if due(how, now, last) {
                    last = now;
                    times.push(now);
                }
            }
            times
        };
        assert!(shown(How::Silent).is_empty());
        assert_eq!(shown(How::Lines), [5_000, 10_000]);
        assert_eq!(shown(How::Bar)[..3], [1_000, 1_200, 1_400]);
    }
}
