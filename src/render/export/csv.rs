//! A table with one row for each stretch of one thread in one state, in the order in which the stretches end.
//!
//! RFC 4180: a header, commas, quotes where needed, lines that end with CR LF. Names that a spreadsheet would take for
//! formulas get an apostrophe in front. `core` is empty off core; times are whole nanoseconds since the start
//! of the run; `why` is the reason for which the thread entered the state. What is open when the run ends, ends with it;
//! stretches of no length are left out. An ended thread has no row.

use std::io::Write;

use crate::time::Instant;
use crate::trace::Cast;

use super::segments::Segment;
use super::sink::{Put, Sink};
use super::text::csv;
use super::walker::Mark;
use super::{End, Format};

/// Writes rows.
pub(super) struct Csv;

impl Format for Csv {
    fn header<W: Write>(&mut self, _: &Cast, out: &mut Sink<W>) {
        out.buffer().text("process,thread,state,core,start_ns,end_ns,duration_ns,why\r\n");
    }

    fn mark(&mut self, cast: &Cast, _: Instant, mark: &Mark, out: &mut Vec<u8>) {
        if let Mark::Leaves(segment) = mark
            && !segment.length().is_zero()
        {
            row(cast, segment, out);
        }
    }

    fn footer<W: Write>(&mut self, _: &Cast, _: &End, _: &mut Sink<W>) {}
}

fn row(cast: &Cast, segment: &Segment, out: &mut Vec<u8>) {
    let actor = &cast.threads[segment.thread];
    csv(out, &cast.processes[actor.process]);
    out.push(b',');
    csv(out, &actor.name);
    out.text(",").text(segment.state.word()).text(",");
    if let Some(core) = segment.core {
        out.number(core.0.into());
    }
    out.text(",").number(segment.start.ns()).text(",").number(segment.end.ns());
    out.text(",").number(segment.length().ns()).text(",").text(segment.why.word()).text("\r\n");
}
