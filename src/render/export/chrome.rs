//! The Trace Event Format: JSON that Chromium's viewer, Perfetto, and others read.
//!
//! Times are microseconds with three decimals, printed from whole nanoseconds. Every slice is an `X` event, written when it
//! ends, on the track of one thread, one core or one GIL, where slices follow each other without overlap. Track numbers are
//! unique in the whole file, not only within their process: processes come first, then the cores and the GILs as two
//! processes of their own.
//!
//! Arrows are pairs of `s` and `f` events, each bound to what is open on its track (`bp` of `f`: enclosing). Perfetto counts
//! a mark among that, the latest at an instant before all others; so an arrow is written after the act that it begins or
//! ends at. The arrow of a hand-off ends at the new hold on the track of the GIL, where no marks are: the taker may have
//! asked at the very instant at which it takes. It is written with the hold, when that is over.

use std::io::Write;

use crate::ids::{GilId, Id, IdVec, ThreadId};
use crate::time::Instant;
use crate::trace::Cast;

use super::arrows::{Point, Tail};
use super::segments::{Segment, Stay};
use super::sink::{Put, Sink};
use super::text::{json, json_inside};
use super::walker::{Hold, Mark};
use super::{End, Format, Settings};

/// Writes events.
pub(super) struct Chrome {
    title: String,
    numbers: Numbers,
    arrows: u64,
    /// Who dropped each GIL for its present holder.
    handed: IdVec<GilId, Option<Point>>,
}

/// A track: the numbers that the format calls `pid` and `tid`.
type Track = (u64, u64);

struct Numbers {
    processes: u64,
    threads: u64,
    cores: u64,
}

impl Numbers {
    fn cores_pid(&self) -> u64 {
        self.processes + 1
    }
    fn gils_pid(&self) -> u64 {
        self.processes + 2
    }
    fn thread(&self, cast: &Cast, thread: ThreadId) -> Track {
        (1 + cast.threads[thread].process.index() as u64, 1 + thread.index() as u64)
    }
    fn core(&self, core: impl Id) -> Track {
        (self.cores_pid(), 1 + self.threads + core.index() as u64)
    }
    fn gil(&self, gil: impl Id) -> Track {
        (self.gils_pid(), 1 + self.threads + self.cores + gil.index() as u64)
    }
}

impl Chrome {
    pub fn new(cast: &Cast, settings: &Settings) -> Chrome {
        let count = |len: usize| len as u64;
        let numbers = Numbers {
            processes: count(cast.processes.len()),
            threads: count(cast.threads.len()),
            cores: count(cast.cores.len()),
        };
        let handed = IdVec::filled(cast.gils.len(), None);
        Chrome { title: settings.title.clone(), numbers, arrows: 0, handed }
    }

    // ------------------------------------------------------------------ tracks

    fn name_processes<W: Write>(&self, cast: &Cast, out: &mut Sink<W>) {
        let machine = [(self.numbers.cores_pid(), "cores"), (self.numbers.gils_pid(), "GILs")];
        let processes = cast.processes.iter().map(|(id, name)| (1 + id.index() as u64, name.as_str()));
        for (pid, name) in processes.chain(machine.into_iter().take(if cast.gils.is_empty() { 1 } else { 2 })) {
            metadata(out.buffer(), "process_name", (pid, 0), "name", |out| json(out, name));
            metadata(out.buffer(), "process_sort_index", (pid, 0), "sort_index", |out| {
                out.number(pid);
            });
            out.settle();
        }
    }

    fn name_tracks<W: Write>(&self, cast: &Cast, out: &mut Sink<W>) {
        for thread in cast.threads.ids() {
            let track = self.numbers.thread(cast, thread);
            name_track(out.buffer(), track, |out| full_name(out, cast, thread));
            out.settle();
        }
        for core in cast.cores.ids() {
            name_track(out.buffer(), self.numbers.core(core), |out| json(out, &format!("core {}", core.0)));
        }
        for (gil, name) in cast.gils.iter() {
            name_track(out.buffer(), self.numbers.gil(gil), |out| json(out, &format!("GIL of {name}")));
            out.settle();
        }
    }

    // ------------------------------------------------------------------ events

    fn state(&self, cast: &Cast, segment: &Segment, out: &mut Vec<u8>) {
        let track = self.numbers.thread(cast, segment.thread);
        slice(out, track, segment.start, segment.end, |out| {
            out.text(",\"cat\":\"state\",\"name\":\"").text(segment.state.word());
            out.text("\",\"args\":{\"why\":\"").text(segment.why.word()).push(b'"');
            if let Some(core) = segment.core {
                out.text(",\"core\":").number(core.0.into());
            }
            out.push(b'}');
        });
    }

    fn stay(&self, cast: &Cast, stay: &Stay, end: Instant, out: &mut Vec<u8>) {
        slice(out, self.numbers.core(stay.core), stay.since, end, |out| {
            out.text(",\"cat\":\"core\",\"name\":");
            full_name(out, cast, stay.thread);
        });
    }

    fn hold(&self, cast: &Cast, hold: &Hold, end: Instant, out: &mut Vec<u8>) {
        slice(out, self.numbers.gil(hold.gil), hold.since, end, |out| {
            out.text(",\"cat\":\"gil\",\"name\":");
            full_name(out, cast, hold.thread);
        });
    }

    /// The arrow to a hold that is over; to the thread itself where the hold had no length, so that nothing is drawn of it.
    fn hand_off(&mut self, cast: &Cast, hold: &Hold, end: Instant, out: &mut Vec<u8>) {
        let Some(dropped) = self.handed[hold.gil].take() else { return };
        let drawn = hold.since < end;
        let head = if drawn { self.numbers.gil(hold.gil) } else { self.numbers.thread(cast, hold.thread) };
        self.arrow(cast, dropped, head, hold.since, "hand-off", out);
    }

    fn act(&self, cast: &Cast, at: Instant, by: Point, category: &str, name: &str, out: &mut Vec<u8>) {
        event(out, 'i', self.numbers.thread(cast, by.thread), at);
        out.text(",\"s\":\"t\",\"cat\":\"").text(category).text("\",\"name\":\"").text(name).text("\"}");
    }

    fn arrow(&mut self, cast: &Cast, from: Point, head: Track, at: Instant, name: &str, out: &mut Vec<u8>) {
        self.arrows += 1;
        let tail = self.numbers.thread(cast, from.thread);
        for (phase, track, at, binding) in [('s', tail, from.at, ""), ('f', head, at, "\"bp\":\"e\",")] {
            event(out, phase, track, at);
            out.text(",").text(binding).text("\"cat\":\"arrow\",\"id\":").number(self.arrows);
            out.text(",\"name\":\"").text(name).text("\"}");
        }
    }
}

impl Format for Chrome {
    const ARROWS: bool = true;

    fn header<W: Write>(&mut self, cast: &Cast, out: &mut Sink<W>) {
        let buffer = out.buffer();
        buffer.text("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
        // The first event has no comma before it.
        buffer.text("{\"ph\":\"M\",\"name\":\"process_labels\",\"pid\":").number(self.numbers.cores_pid());
        buffer.text(",\"tid\":0,\"args\":{\"labels\":");
        json(buffer, &self.title);
        buffer.text("}}");
        self.name_processes(cast, out);
        self.name_tracks(cast, out);
    }

    fn mark(&mut self, cast: &Cast, at: Instant, mark: &Mark, out: &mut Vec<u8>) {
        match mark {
            Mark::Leaves(segment) => self.state(cast, segment, out),
            Mark::Enters(open, Some(Tail::Act(from) | Tail::Thread(from))) => {
                self.arrow(cast, *from, self.numbers.thread(cast, open.thread), at, open.why.word(), out);
            }
            // A thread goes on after its own take where the arrow from the drop ends.
            Mark::Enters(..) | Mark::Ends(_) | Mark::Sits(_) => {}
            Mark::Rises(stay) => self.stay(cast, stay, at, out),
            Mark::Asks(_, by) => self.act(cast, at, *by, "gil", "asks for the GIL", out),
            Mark::Drops { by, forced, asked, .. } => {
                let name = if *forced { "drops the GIL on request" } else { "drops the GIL" };
                self.act(cast, at, *by, "gil", name, out);
                if let Some(asked) = asked {
                    self.arrow(cast, *asked, self.numbers.thread(cast, by.thread), at, "request", out);
                }
            }
            Mark::Frees(hold) => {
                self.hold(cast, hold, at, out);
                self.hand_off(cast, hold, at, out);
            }
            Mark::Takes { dropped, hold, .. } => self.handed[hold.gil] = *dropped,
            Mark::Unlocks { by, hands_over, .. } => {
                let name = if *hands_over { "hands a lock over" } else { "releases a lock" };
                self.act(cast, at, *by, "lock", name, out);
            }
            Mark::Holds { object, value } => {
                let thing = &cast.objects[*object];
                event(out, 'C', (self.numbers.cores_pid(), 0), at);
                out.text(",\"name\":");
                json(out, &format!("{} {}", thing.kind.word(), thing.name));
                out.text(",\"args\":{\"holds\":").text(&value.to_string()).text("}}");
            }
            Mark::Runnable(count) => {
                event(out, 'C', (self.numbers.cores_pid(), 0), at);
                out.text(",\"name\":\"threads that want a core\",\"args\":{\"threads\":").number(*count).text("}}");
            }
        }
    }

    fn footer<W: Write>(&mut self, _: &Cast, end: &End, out: &mut Sink<W>) {
        let buffer = out.buffer();
        buffer.text("\n],\"otherData\":{\"title\":");
        json(buffer, &self.title);
        buffer.text(",\"end_ns\":\"").number(end.at.ns());
        buffer.text("\",\"ending\":\"").text(end.word()).text("\"}}\n");
    }
}

/// The head of an event that is not the first.
fn event(out: &mut Vec<u8>, phase: char, (pid, tid): Track, at: Instant) {
    out.text(",\n{\"ph\":\"").text(phase.encode_utf8(&mut [0; 4])).text("\",\"pid\":").number(pid);
    out.text(",\"tid\":").number(tid).text(",\"ts\":").micros(at.ns());
}

/// A slice, unless it has no length: those have no place between two others.
fn slice(out: &mut Vec<u8>, track: Track, start: Instant, end: Instant, rest: impl FnOnce(&mut Vec<u8>)) {
    if start == end {
        return;
    }
    event(out, 'X', track, start);
    out.text(",\"dur\":").micros(end.since(start).ns());
    rest(out);
    out.push(b'}');
}

fn metadata(out: &mut Vec<u8>, name: &str, (pid, tid): Track, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
    out.text(",\n{\"ph\":\"M\",\"name\":\"").text(name).text("\",\"pid\":").number(pid);
    out.text(",\"tid\":").number(tid).text(",\"args\":{\"").text(key).text("\":");
    value(out);
    out.text("}}");
}

/// Names a track and keeps it at the place of its number.
fn name_track(out: &mut Vec<u8>, track: Track, name: impl FnOnce(&mut Vec<u8>)) {
    metadata(out, "thread_name", track, "name", name);
    metadata(out, "thread_sort_index", track, "sort_index", |out| {
        out.number(track.1);
    });
}

/// `process/thread` as a JSON string.
fn full_name(out: &mut Vec<u8>, cast: &Cast, thread: ThreadId) {
    let actor = &cast.threads[thread];
    out.push(b'"');
    json_inside(out, &cast.processes[actor.process]);
    out.push(b'/');
    json_inside(out, &actor.name);
    out.push(b'"');
}
