//! speedscope's JSON: one evented profile for each thread, a frame for each state.
//!
//! The format wants the profiles one after the other, so the changes of state are kept until the end of the run, packed
//! into eight bytes each. The first [`MOST_CHANGES`] are kept; the file's name says where a longer run was cut.

use std::io::Write;

use crate::ids::{IdVec, ThreadId};
use crate::time::{Instant, LONGEST};
use crate::trace::{Cast, State};

use super::sink::{Put, Sink};
use super::text::{json, json_inside};
use super::walker::Mark;
use super::{End, Format, Settings};

/// So many changes of state are kept: 80 MB of them. Viewers give up earlier.
pub const MOST_CHANGES: usize = 10_000_000;

/// The format's own name, by which readers know it.
const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";

/// A state takes the lowest bits of a change, the time the rest.
const STATE_BITS: u32 = 5;
const _: () = assert!(State::ALL.len() <= 1 << STATE_BITS && LONGEST.ns() < 1 << (u64::BITS - STATE_BITS));

/// Keeps changes.
pub(super) struct Speedscope {
    title: String,
    most: usize,
    changes: IdVec<ThreadId, Vec<u64>>,
    kept: usize,
    /// When the limit was reached.
    cut: Option<Instant>,
}

impl Speedscope {
    pub fn new(cast: &Cast, settings: &Settings) -> Speedscope {
        let changes = IdVec::filled(cast.threads.len(), Vec::new());
        Speedscope { title: settings.title.clone(), most: MOST_CHANGES, changes, kept: 0, cut: None }
    }

    fn keep(&mut self, thread: ThreadId, state: State, at: Instant) {
        if self.kept == self.most {
            self.cut.get_or_insert(at);
        }
        if self.cut.is_some() {
            return;
        }
        self.kept += 1;
        self.changes[thread].push(at.ns() << STATE_BITS | state as u64);
    }

    fn profile<W: Write>(&self, cast: &Cast, thread: ThreadId, end: Instant, out: &mut Sink<W>) {
        let actor = &cast.threads[thread];
        let changes = &self.changes[thread];
        let buffer = out.buffer();
        buffer.text("{\"type\":\"evented\",\"unit\":\"nanoseconds\",\"name\":\"");
        json_inside(buffer, &cast.processes[actor.process]);
        buffer.push(b'/');
        json_inside(buffer, &actor.name);
        buffer.text("\",\"startValue\":0,\"endValue\":").number(end.ns()).text(",\"events\":[");
        let mut first = true;
        for (place, change) in changes.iter().enumerate() {
            let (start, state) = unpack(*change);
            let left = changes.get(place + 1).map_or(end.ns(), |next| unpack(*next).0);
            if state == State::Done as u64 || left == start {
                continue;
            }
            let buffer = out.buffer();
            buffer.text(if std::mem::take(&mut first) { "" } else { "," });
            buffer.text("{\"type\":\"O\",\"frame\":").number(state).text(",\"at\":").number(start);
            buffer.text("},{\"type\":\"C\",\"frame\":").number(state).text(",\"at\":").number(left).text("}");
            out.settle();
        }
        out.buffer().text("]}");
    }
}

/// The time and the state of a change.
fn unpack(change: u64) -> (u64, u64) {
    (change >> STATE_BITS, change & ((1 << STATE_BITS) - 1))
}

impl Format for Speedscope {
    fn header<W: Write>(&mut self, _: &Cast, out: &mut Sink<W>) {
        let buffer = out.buffer();
        buffer.text("{\"$schema\":\"").text(SCHEMA).text("\",\"exporter\":\"gilsim\",\"shared\":{\"frames\":[");
        for state in State::ALL {
            buffer.text(if *state == State::ALL[0] { "" } else { "," });
            buffer.text("{\"name\":\"").text(state.word()).text("\"}");
        }
        buffer.text("]},\n\"profiles\":[");
    }

    fn mark(&mut self, _: &Cast, at: Instant, mark: &Mark, _: &mut Vec<u8>) {
        match mark {
            Mark::Enters(open, _) => self.keep(open.thread, open.state, at),
            Mark::Ends(thread) => self.keep(*thread, State::Done, at),
            _ => {}
        }
    }

    fn footer<W: Write>(&mut self, cast: &Cast, end: &End, out: &mut Sink<W>) {
        let last = self.cut.unwrap_or(end.at);
        let mut first = true;
        for thread in cast.threads.ids().filter(|thread| !self.changes[*thread].is_empty()) {
            out.buffer().text(if std::mem::take(&mut first) { "\n" } else { ",\n" });
            self.profile(cast, thread, last, out);
        }
        out.buffer().text("\n],\"activeProfileIndex\":0,\"name\":");
        json(out.buffer(), &self.name(end));
        out.buffer().text("}\n");
    }
}

impl Speedscope {
    /// The title, and what is missing.
    fn name(&self, end: &End) -> String {
        let title = &self.title;
        match (self.cut, &end.ending) {
            (Some(cut), _) => format!("{title} (only up to {cut}: the first {} changes of state)", self.most),
            (None, Some(_)) => title.clone(),
            (None, None) => format!("{title} (interrupted at {})", end.at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{GroupId, ProcId};
    use crate::trace::Actor;

    fn cast() -> Cast {
        let actor = Actor {
            process: ProcId(0),
            name: "a".to_string(),
            group: GroupId(0),
            daemon: false,
            on_start: false,
            gil: None,
            factor: (1, 1),
            affinity: None,
        };
        Cast {
            processes: ["main".to_string()].into_iter().collect(),
            process_groups: [None].into_iter().collect(),
            groups: ["a".to_string()].into_iter().collect(),
            threads: [actor].into_iter().collect(),
            gils: IdVec::new(),
            locks: IdVec::new(),
            objects: IdVec::new(),
            spans: IdVec::new(),
            cores: [1].into_iter().collect(),
            scale: 1,
        }
    }

    #[test]
    fn a_long_run_is_cut_and_says_so() {
        let cast = cast();
        let mut kept = Speedscope::new(&cast, &Settings::default());
        kept.most = 2;
        for (at, state) in [(0, State::Python), (5, State::Io), (7, State::Python), (9, State::Done)] {
            kept.keep(ThreadId(0), state, Instant::from_ns(at));
        }
        let mut out = Sink::new(Vec::new());
        kept.footer(&cast, &End { at: Instant::from_ns(9), ending: None }, &mut out);
        let text = String::from_utf8(out.finish().expect("a vector takes everything")).expect("text");
        assert!(text.contains("timeline (only up to 7ns: the first 2 changes of state)"), "{text}");
        assert!(text.contains("\"endValue\":7,") && text.ends_with("}\n") && !text.contains("\"at\":9"), "{text}");
    }
}
