//! Reads timelines back that `run --format jsonl` wrote, or that a measurement did: a header line, then one record a line.
//!
//! Records go to observers one by one, so a file of any length is read in constant memory, and whoever watches a run can
//! watch a file. Every fault names its line, what is wrong there and what is allowed; nothing that a file says can make the
//! reader fail in another way.

mod header;
mod record;

use std::fmt;
use std::io::{self, BufRead, Read};

use crate::store::json::{self, Fields};
use crate::time::Instant;
use crate::trace::{Cast, Facts, Observer, What};

use self::record::Decoder;

/// The version of the format that is read.
pub const FORMAT: i128 = 1;

/// The longest line of a record, in bytes; the header may be a thousand times as long.
const LONGEST_LINE: u64 = 16 << 20;

/// No time of a timeline is later, and no span longer, in nanoseconds: 146 years. Sums of a few of them can be counted.
const LATEST: u64 = 1 << 62;

/// What is wrong with a stored timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1; 0 if the file cannot be read at all.
    pub line: u64,
    /// The sentence.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// A stored timeline whose header has been read.
#[derive(Debug)]
pub struct Timeline<R> {
    /// What the model says about itself.
    pub facts: Facts,
    /// Who appears.
    pub cast: Cast,
    lines: Lines<R>,
}

impl<R: BufRead> Timeline<R> {
    /// Reads the header.
    pub fn open(input: R) -> Result<Timeline<R>, Fault> {
        let mut lines = Lines { input, number: 0, bytes: Vec::new() };
        if !lines.advance(LONGEST_LINE << 10)? {
            return Err(lines.fault("the file is empty; a timeline begins with a header line"));
        }
        let read = fields(&lines.bytes).and_then(|fields| header::header(&fields));
        let (facts, cast) = read.map_err(|what| lines.fault(what))?;
        Ok(Timeline { facts, cast, lines })
    }

    /// Reads all records; returns how many there are. A file that stops before its end record is an error.
    pub fn read(&mut self, observer: &mut impl Observer) -> Result<u64, Fault> {
        let mut decoder = Decoder::new(&self.cast);
        let (mut index, mut ended, mut now) = (0, false, Instant::ZERO);
        while self.lines.advance(LONGEST_LINE)? {
            if ended {
                return Err(self.lines.fault("a record follows the end of the run"));
            }
            let record = fields(&self.lines.bytes).and_then(|fields| decoder.record(index, &fields));
            let record = record.map_err(|what| self.lines.fault(what))?;
            if record.at < now {
                return Err(self.lines.fault(format!("t goes back, from {} to {} ns", now.ns(), record.at.ns())));
            }
            now = record.at;
            ended = matches!(record.what, What::End { .. });
            observer.record(index, &record);
            index += 1;
        }
        if ended {
            return Ok(index);
        }
        self.lines.number += 1;
        Err(self.lines.fault("the file stops before the end of the run: it is truncated (a record of kind end is due)"))
    }
}

fn fields(line: &[u8]) -> Result<Fields<'_>, String> {
    let text = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_string())?;
    json::object(text).map_err(|fault| format!("byte {}: {}", fault.at + 1, fault.what))
}

/// The lines of a file, one at a time.
#[derive(Debug)]
struct Lines<R> {
    input: R,
    number: u64,
    bytes: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Reads the next line without its end; returns whether there is one.
    fn advance(&mut self, longest: u64) -> Result<bool, Fault> {
        self.number += 1;
        self.bytes.clear();
        let read = (&mut self.input).take(longest).read_until(b'\n', &mut self.bytes);
        let read = read.map_err(|error| self.unreadable(&error))?;
        if read == 0 {
            self.number -= 1;
            return Ok(false);
        }
        if self.bytes.pop() != Some(b'\n') {
            let what = if read as u64 == longest {
                format!("longer than {longest} bytes")
            } else {
                "the file ends in the middle of this line: it is truncated".into()
            };
            return Err(self.fault(what));
        }
        Ok(true)
    }

    fn fault(&self, what: impl Into<String>) -> Fault {
        Fault { line: self.number.max(1), what: what.into() }
    }

    fn unreadable(&self, error: &io::Error) -> Fault {
        self.fault(format!("cannot be read: {error}"))
    }
}
