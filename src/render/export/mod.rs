//! Timelines for other programs and for paper: each format is an observer of records that writes into what it is handed.
//!
//! | format | memory | for |
//! |---|---|---|
//! | [`Export::Perfetto`] | constant | the Perfetto viewer: tracks, arrows, counters |
//! | [`Export::Chrome`] | constant | every viewer that reads the Trace Event Format |
//! | [`Export::Speedscope`] | 8 bytes for each change of state, at most [`MOST_CHANGES`] of them | time by state, thread by thread |
//! | [`Export::Csv`] | constant | spreadsheets, data frames |
//! | [`Export::Svg`] | at most 600 pieces or columns for each of at most 164 lanes | slides and paper |
//! | [`Export::Gantt`] | what fits into the width, and five numbers for each thread | a textbook's chart and table |
//!
//! "Constant" means that it does not grow with the length of the run; all of them hold something for each thread.
//!
//! An export cannot fail while the simulation runs: the first error of the writer is remembered, all later records are
//! ignored, and [`Exporter::finish`] returns the error. A run that is broken off before its last record leaves a file
//! that is complete in its format and says `interrupted` (but for CSV, which has no place for it).

mod arrows;
mod axis;
mod blocks;
mod chrome;
mod columns;
mod csv;
mod drawing;
mod gantt;
mod palette;
mod perfetto;
mod protobuf;
mod schema;
mod segments;
mod sink;
mod speedscope;
mod svg;
mod text;
mod walker;

use std::io::{self, Write};

use crate::time::Instant;
use crate::trace::{Cast, Ending, Observer, Record};

pub use speedscope::MOST_CHANGES;

use chrome::Chrome;
use csv::Csv;
use gantt::Gantt;
use perfetto::Perfetto;
use sink::Sink;
use speedscope::Speedscope;
use svg::Svg;
use walker::{Mark, Walker};

/// A format of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// Perfetto's own binary format: a stream of `TracePacket`s with `TrackEvent`s.
    Perfetto,
    /// The Trace Event Format, JSON.
    Chrome,
    /// speedscope's JSON, one evented profile for each thread.
    Speedscope,
    /// One row for each stretch of one thread in one state.
    Csv,
    /// A drawing.
    Svg,
    /// A Gantt chart as text, with the table that belongs to it.
    Gantt,
}

impl Export {
    /// All of them.
    pub const ALL: &[Export] =
        &[Export::Perfetto, Export::Chrome, Export::Speedscope, Export::Csv, Export::Svg, Export::Gantt];

    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Export::Perfetto => "perfetto",
            Export::Chrome => "chrome",
            Export::Speedscope => "speedscope",
            Export::Csv => "csv",
            Export::Svg => "svg",
            Export::Gantt => "gantt",
        }
    }

    /// The one of that name.
    pub fn from_word(word: &str) -> Option<Export> {
        Export::ALL.iter().copied().find(|each| each.word() == word)
    }

    /// Whether its bytes are no text, so that they should not go to a terminal.
    pub fn is_binary(self) -> bool {
        self == Export::Perfetto
    }
}

/// What an export says besides the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What the timeline is of; the model's name.
    pub title: String,
    /// The columns that text may use.
    pub width: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { title: "timeline".to_string(), width: 80 }
    }
}

/// Makes the observer that writes a run into `out` in some format. It buffers by itself.
pub fn observer<'a, W: Write>(format: Export, cast: &'a Cast, settings: &Settings, out: W) -> Exporter<'a, W> {
    Exporter(match format {
        Export::Perfetto => Kind::Perfetto(Stream::new(cast, Perfetto::new(cast), out)),
        Export::Chrome => Kind::Chrome(Stream::new(cast, Chrome::new(cast, settings), out)),
        Export::Speedscope => Kind::Speedscope(Stream::new(cast, Speedscope::new(cast, settings), out)),
        Export::Csv => Kind::Csv(Stream::new(cast, Csv, out)),
        Export::Svg => Kind::Svg(Stream::new(cast, Svg::new(cast, settings), out)),
        Export::Gantt => Kind::Gantt(Stream::new(cast, Gantt::new(cast, settings), out)),
    })
}

/// Writes a run in one format. To be handed all its records, then to be finished.
pub struct Exporter<'a, W>(Kind<'a, W>);

enum Kind<'a, W> {
    Perfetto(Stream<'a, W, Perfetto>),
    Chrome(Stream<'a, W, Chrome>),
    Speedscope(Stream<'a, W, Speedscope>),
    Csv(Stream<'a, W, Csv>),
    Svg(Stream<'a, W, Svg>),
    Gantt(Stream<'a, W, Gantt>),
}

macro_rules! with_stream {
    ($kind:expr, $stream:ident => $body:expr) => {
        match $kind {
            Kind::Perfetto($stream) => $body,
            Kind::Chrome($stream) => $body,
            Kind::Speedscope($stream) => $body,
            Kind::Csv($stream) => $body,
            Kind::Svg($stream) => $body,
            Kind::Gantt($stream) => $body,
        }
    };
}

impl<W: Write> Exporter<'_, W> {
    /// Completes the file and gives the writer back, flushed; or the first error that the writer made.
    pub fn finish(self) -> io::Result<W> {
        with_stream!(self.0, stream => stream.finish())
    }
}

impl<W: Write> Observer for Exporter<'_, W> {
    fn record(&mut self, index: u64, record: &Record) {
        with_stream!(&mut self.0, stream => stream.record(index, record));
    }
}

/// How one format is written. What it is told while the run goes on it appends to a buffer.
trait Format {
    /// Whether it draws arrows from causes to effects; finding where they begin costs a look-up for each record.
    const ARROWS: bool = false;

    /// Before the first record.
    fn header<W: Write>(&mut self, cast: &Cast, out: &mut Sink<W>);

    /// Something begins, ends or happens.
    fn mark(&mut self, cast: &Cast, at: Instant, mark: &Mark, out: &mut Vec<u8>);

    /// After the last one.
    fn footer<W: Write>(&mut self, cast: &Cast, end: &End, out: &mut Sink<W>);
}

/// How the records ended.
struct End {
    /// The time of the last record.
    at: Instant,
    /// How the run ended; `None` if it was broken off.
    ending: Option<Ending>,
}

impl End {
    /// Its stable word.
    fn word(&self) -> &'static str {
        self.ending.as_ref().map_or("interrupted", Ending::word)
    }
}

/// One format, what it needs to know of the run so far, and where it goes.
struct Stream<'a, W, F> {
    cast: &'a Cast,
    walker: Walker,
    format: F,
    out: Sink<W>,
}

impl<'a, W: Write, F: Format> Stream<'a, W, F> {
    fn new(cast: &'a Cast, mut format: F, out: W) -> Self {
        let mut out = Sink::new(out);
        format.header(cast, &mut out);
        Stream { cast, walker: Walker::new(cast, F::ARROWS), format, out }
    }

    fn record(&mut self, index: u64, record: &Record) {
        if self.out.has_failed() {
            return;
        }
        let (cast, format, out) = (self.cast, &mut self.format, &mut self.out);
        self.walker.record(index, record, &mut |at, mark| {
            format.mark(cast, at, &mark, out.buffer());
            out.settle();
        });
    }

    fn finish(mut self) -> io::Result<W> {
        let (cast, format, out) = (self.cast, &mut self.format, &mut self.out);
        let end = self.walker.finish(&mut |at, mark| {
            format.mark(cast, at, &mark, out.buffer());
            out.settle();
        });
        self.format.footer(self.cast, &end, &mut self.out);
        self.out.finish()
    }
}
