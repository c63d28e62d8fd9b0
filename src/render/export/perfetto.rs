//! Perfetto's binary format: a stream of `TracePacket`s. Field numbers are those of `perfetto_trace.proto`.
//!
//! | track | holds |
//! |---|---|
//! | a thread, below its process | a slice for each state, named by its word; instants: asks for the GIL, drops it, unlocks |
//! | a GIL | a slice for each hold, named by the holder |
//! | a core | a slice for each stay, named by the thread |
//! | threads that want a core | a counter |
//!
//! Arrows (flows) lead from the ask to the drop, from the drop to the next holder's slice on the GIL's track and from
//! there to what the holder then does; and from whatever ended a wait to the state that follows the wait. An act that
//! may start an arrow carries the arrow's id whether or not something follows; an id that nothing ends is no arrow.
//!
//! All packets are of one sequence with a clock of its own, on which every time stamp is the difference to the one before.
//! Names are interned: states and reasons in the first packet, a thread's with the track of the thread.
//! Process ids and thread ids are made up: they count up, and none is used twice, so that no two tracks are taken for one.

use std::io::Write;

use crate::ids::{CoreId, GilId, Id, ObjectId, ProcId, ThreadId};
use crate::time::Instant;
use crate::trace::{Cast, State, Why};

use super::arrows::{Point, Tail};
use super::protobuf::Fields;
use super::schema::*;
use super::segments::{Open, Stay};
use super::sink::Sink;
use super::walker::Mark;
use super::{End, Format};

/// Categories of events, by which viewers filter; interned.
#[derive(Clone, Copy)]
enum Category {
    State = 1,
    Core,
    Gil,
    Lock,
    WakeUp,
    Run,
}

const CATEGORIES: [(Category, &str); 6] = [
    (Category::State, "state"),
    (Category::Core, "core"),
    (Category::Gil, "gil"),
    (Category::Lock, "lock"),
    (Category::WakeUp, "wake-up"),
    (Category::Run, "run"),
];

/// Names of annotations; interned.
#[derive(Clone, Copy)]
enum Note {
    Why = 1,
    Core,
    Lock,
}

const NOTES: [(Note, &str); 3] = [(Note::Why, "why"), (Note::Core, "core"), (Note::Lock, "lock")];

/// Names of instants; interned behind the states' and reasons' words.
#[derive(Clone, Copy)]
enum Act {
    Asks = 100,
    Drops,
    DropsOnRequest,
    ReleasesLock,
    HandsLockOver,
}

const ACTS: [(Act, &str); 5] = [
    (Act::Asks, "asks for the GIL"),
    (Act::Drops, "drops the GIL"),
    (Act::DropsOnRequest, "drops the GIL on request"),
    (Act::ReleasesLock, "releases a lock"),
    (Act::HandsLockOver, "hands a lock over"),
];

/// Interned names of events: states from 1, reasons from 40, acts from 100, threads from 1000.
fn name_of_state(state: State) -> u64 {
    1 + state as u64
}
fn name_of_why(why: Why) -> u64 {
    40 + why as u64
}
fn name_of_thread(thread: ThreadId) -> u64 {
    1000 + thread.index() as u64
}

/// The arrows that one record may start: to the thread that it wakes, to what its own thread does next, and to the act
/// that it leads to.
#[derive(Clone, Copy)]
enum Arrow {
    Wakes = 0,
    Goes = 1,
    LeadsTo = 2,
    /// From the instant that is drawn for an effect; the record is the effect.
    Backwards = 3,
}

fn arrow(index: u64, arrow: Arrow) -> u64 {
    // Never 0, which would be no id.
    (index + 1).wrapping_mul(4) + arrow as u64
}

/// The numbers of tracks.
struct Tracks {
    cores: u64,
    gils: u64,
    processes: u64,
    threads: u64,
    objects: u64,
}

impl Tracks {
    const ROOT: u64 = 0;
    const ALL_CORES: u64 = 1;
    const ALL_GILS: u64 = 2;
    const RUNNABLE: u64 = 3;
    const FIRST: u64 = 4;

    fn new(cast: &Cast) -> Tracks {
        let cores = Tracks::FIRST;
        let gils = cores + cast.cores.len() as u64;
        let processes = gils + cast.gils.len() as u64;
        let threads = processes + cast.processes.len() as u64;
        Tracks { cores, gils, processes, threads, objects: threads + cast.threads.len() as u64 }
    }
    fn object(&self, object: ObjectId) -> u64 {
        self.objects + object.index() as u64
    }
    fn core(&self, core: CoreId) -> u64 {
        self.cores + core.index() as u64
    }
    fn gil(&self, gil: GilId) -> u64 {
        self.gils + gil.index() as u64
    }
    fn process(&self, process: ProcId) -> u64 {
        self.processes + process.index() as u64
    }
    fn thread(&self, thread: ThreadId) -> u64 {
        self.threads + thread.index() as u64
    }
}

/// Writes packets.
pub(super) struct Perfetto {
    tracks: Tracks,
    /// The time of the last packet that had one.
    last: Instant,
}

impl Perfetto {
    pub fn new(cast: &Cast) -> Perfetto {
        Perfetto { tracks: Tracks::new(cast), last: Instant::ZERO }
    }

    // ------------------------------------------------------------------ descriptions

    /// One packet with a track; `intern` is a name that belongs to it.
    fn describe(out: &mut Vec<u8>, uuid: u64, intern: Option<(u64, &str)>, write: impl FnOnce(&mut Vec<u8>)) {
        out.message(PACKET, |packet| {
            in_sequence(packet, CONTINUES_SEQUENCE);
            if let Some((id, name)) = intern {
                packet.message(packet::INTERNED_DATA, |data| interned(data, EVENT_NAMES, id, name));
            }
            packet.message(packet::TRACK, |track| {
                track.uint(track::UUID, uuid);
                write(track);
            });
        });
    }

    /// A track that is neither a process nor a thread.
    fn lane(out: &mut Vec<u8>, uuid: u64, parent: Option<u64>, rank: usize, name: &str) {
        Perfetto::describe(out, uuid, None, |track| {
            track.string(track::NAME, name);
            if let Some(parent) = parent {
                track.uint(track::PARENT, parent);
            }
            track.uint(track::RANK, rank as u64);
            track.uint(track::CHILD_ORDER, BY_RANK);
            track.uint(track::MERGE, NEVER_MERGE);
        });
    }

    /// Processes and threads are shown in the order of their ranks only if the root says so.
    fn describe_machine(&self, cast: &Cast, out: &mut Vec<u8>) {
        Perfetto::describe(out, Tracks::ROOT, None, |track| {
            track.uint(track::CHILD_ORDER, BY_RANK);
            track.uint(track::PROCESS_ORDER, 1);
            track.uint(track::THREAD_ORDER, 1);
        });
        Perfetto::lane(out, Tracks::ALL_CORES, None, 0, "cores");
        for core in cast.cores.ids() {
            let name = format!("core {}", core.0);
            Perfetto::lane(out, self.tracks.core(core), Some(Tracks::ALL_CORES), core.index(), &name);
        }
        Perfetto::describe(out, Tracks::RUNNABLE, None, |track| {
            track.string(track::NAME, "threads that want a core");
            track.uint(track::RANK, 1);
            track.message(track::COUNTER, |counter| counter.uint(track::UNIT, UNIT_COUNT));
        });
        for (object, thing) in cast.objects.iter() {
            Perfetto::describe(out, self.tracks.object(object), None, |track| {
                track.string(track::NAME, &format!("{} {}", thing.kind.word(), thing.name));
                track.uint(track::RANK, 3 + object.index() as u64);
                track.message(track::COUNTER, |counter| counter.uint(track::UNIT, UNIT_COUNT));
            });
        }
    }

    fn describe_gils(&self, cast: &Cast, out: &mut Vec<u8>) {
        if cast.gils.is_empty() {
            return;
        }
        Perfetto::lane(out, Tracks::ALL_GILS, None, 2, "GILs");
        for (gil, name) in cast.gils.iter() {
            Perfetto::lane(out, self.tracks.gil(gil), Some(Tracks::ALL_GILS), gil.index(), &format!("GIL of {name}"));
        }
    }

    fn describe_process(&self, cast: &Cast, process: ProcId, out: &mut Vec<u8>) {
        Perfetto::describe(out, self.tracks.process(process), None, |track| {
            track.uint(track::RANK, process.index() as u64);
            track.message(track::PROCESS, |descriptor| {
                descriptor.uint(track::PID, pid(process));
                descriptor.string(track::PROCESS_NAME, &cast.processes[process]);
            });
        });
    }

    fn describe_thread(&self, cast: &Cast, thread: ThreadId, out: &mut Vec<u8>) {
        let name = cast.full_name(thread);
        let intern = Some((name_of_thread(thread), name.as_str()));
        Perfetto::describe(out, self.tracks.thread(thread), intern, |track| {
            track.string(track::NAME, &name);
            track.uint(track::RANK, thread.index() as u64);
            track.message(track::THREAD, |descriptor| {
                descriptor.uint(track::PID, pid(cast.threads[thread].process));
                // Behind the process ids: on Linux both come from one row of numbers.
                descriptor.uint(track::TID, 1 + (cast.processes.len() + thread.index()) as u64);
                descriptor.string(track::THREAD_NAME, &name);
            });
        });
    }

    // ------------------------------------------------------------------ events

    /// One packet with an event on a track.
    fn event(&mut self, at: Instant, kind: Type, track: u64, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let since = at.since(self.last).ns();
        self.last = at;
        out.message(PACKET, |packet| {
            packet.uint(packet::TIMESTAMP, since);
            in_sequence(packet, CONTINUES_SEQUENCE);
            packet.message(packet::TRACK_EVENT, |event| {
                event.uint(event::TYPE, kind as u64);
                event.uint(event::TRACK, track);
                write(event);
            });
        });
    }

    fn end(&mut self, at: Instant, track: u64, out: &mut Vec<u8>) {
        self.event(at, Type::End, track, out, |_| {});
    }

    fn enters(&mut self, at: Instant, open: &Open, tail: Option<Tail>, out: &mut Vec<u8>) {
        if let Some(Tail::Thread(point)) = tail {
            self.event(at, Type::Instant, self.tracks.thread(point.thread), out, |event| {
                named(event, Category::WakeUp, name_of_why(open.why));
                event.fixed64(event::FLOW, arrow(open.index, Arrow::Backwards));
            });
        }
        self.event(at, Type::Begin, self.tracks.thread(open.thread), out, |event| {
            named(event, Category::State, name_of_state(open.state));
            note(event, Note::Why, event::INTERNED_TEXT, name_of_why(open.why));
            if let Some(core) = open.core {
                note(event, Note::Core, event::UINT, core.0.into());
            }
            let flow = match tail {
                None => return,
                Some(Tail::Act(point)) => arrow(point.index, Arrow::Wakes),
                Some(Tail::OwnTake(point)) => arrow(point.index, Arrow::Goes),
                Some(Tail::Thread(_)) => arrow(open.index, Arrow::Backwards),
            };
            event.fixed64(event::LAST_OF_FLOW, flow);
        });
    }

    /// An instant on the track of whoever acts; it ends the arrow from `from` and starts the ones given.
    fn acts(&mut self, at: Instant, act: Act, by: Point, from: Option<Point>, to: &[Arrow], out: &mut Vec<u8>) {
        self.event(at, Type::Instant, self.tracks.thread(by.thread), out, |event| {
            named(event, Category::Gil, act as u64);
            to.iter().for_each(|to| event.fixed64(event::FLOW, arrow(by.index, *to)));
            if let Some(from) = from {
                event.fixed64(event::LAST_OF_FLOW, arrow(from.index, Arrow::LeadsTo));
            }
        });
    }

    fn takes(&mut self, at: Instant, gil: GilId, by: Point, dropped: Option<Point>, out: &mut Vec<u8>) {
        self.event(at, Type::Begin, self.tracks.gil(gil), out, |event| {
            named(event, Category::Gil, name_of_thread(by.thread));
            event.fixed64(event::FLOW, arrow(by.index, Arrow::Wakes));
            event.fixed64(event::FLOW, arrow(by.index, Arrow::Goes));
            if let Some(dropped) = dropped {
                event.fixed64(event::LAST_OF_FLOW, arrow(dropped.index, Arrow::LeadsTo));
            }
        });
    }

    fn unlocks(&mut self, at: Instant, lock: &str, by: Point, hands_over: bool, out: &mut Vec<u8>) {
        self.event(at, Type::Instant, self.tracks.thread(by.thread), out, |event| {
            let act = if hands_over { Act::HandsLockOver } else { Act::ReleasesLock };
            named(event, Category::Lock, act as u64);
            event.message(event::ANNOTATION, |annotation| {
                annotation.uint(event::ANNOTATION_NAME, Note::Lock as u64);
                annotation.string(event::TEXT, lock);
            });
            event.fixed64(event::FLOW, arrow(by.index, Arrow::Wakes));
        });
    }

    fn sits(&mut self, at: Instant, stay: Stay, out: &mut Vec<u8>) {
        self.event(at, Type::Begin, self.tracks.core(stay.core), out, |event| {
            named(event, Category::Core, name_of_thread(stay.thread));
        });
    }
}

impl Format for Perfetto {
    const ARROWS: bool = true;

    fn header<W: Write>(&mut self, cast: &Cast, out: &mut Sink<W>) {
        first_packet(out.buffer());
        self.describe_machine(cast, out.buffer());
        self.describe_gils(cast, out.buffer());
        for process in cast.processes.ids() {
            self.describe_process(cast, process, out.buffer());
            out.settle();
        }
        for thread in cast.threads.ids() {
            self.describe_thread(cast, thread, out.buffer());
            out.settle();
        }
    }

    fn mark(&mut self, cast: &Cast, at: Instant, mark: &Mark, out: &mut Vec<u8>) {
        match *mark {
            Mark::Leaves(segment) => self.end(at, self.tracks.thread(segment.thread), out),
            Mark::Enters(open, tail) => self.enters(at, &open, tail, out),
            Mark::Ends(_) => {}
            Mark::Sits(stay) => self.sits(at, stay, out),
            Mark::Rises(stay) => self.end(at, self.tracks.core(stay.core), out),
            Mark::Asks(_, by) => self.acts(at, Act::Asks, by, None, &[Arrow::LeadsTo], out),
            Mark::Drops { by, forced, asked, .. } => {
                let act = if forced { Act::DropsOnRequest } else { Act::Drops };
                self.acts(at, act, by, asked, &[Arrow::LeadsTo, Arrow::Wakes], out);
            }
            Mark::Frees(hold) => self.end(at, self.tracks.gil(hold.gil), out),
            Mark::Takes { hold, by, dropped } => self.takes(at, hold.gil, by, dropped, out),
            Mark::Unlocks { lock, by, hands_over } => self.unlocks(at, &cast.locks[lock], by, hands_over, out),
            // A counter's value is a signed number in two's complement.
            Mark::Holds { object, value } => {
                let track = self.tracks.object(object);
                self.event(at, Type::Counter, track, out, |event| event.uint(event::COUNT, value as u64));
            }
            Mark::Runnable(count) => {
                self.event(at, Type::Counter, Tracks::RUNNABLE, out, |event| event.uint(event::COUNT, count));
            }
        }
    }

    fn footer<W: Write>(&mut self, _: &Cast, end: &End, out: &mut Sink<W>) {
        let text = format!("the run ends: {}", end.word());
        self.event(end.at, Type::Instant, Tracks::ALL_CORES, out.buffer(), |event| {
            event.uint(event::CATEGORY, Category::Run as u64);
            event.string(event::NAME_IN_FULL, &text);
        });
    }
}

fn pid(process: ProcId) -> u64 {
    1 + process.index() as u64
}

fn in_sequence(packet: &mut Vec<u8>, flags: u64) {
    packet.uint(packet::SEQUENCE, SEQUENCE);
    packet.uint(packet::SEQUENCE_FLAGS, flags);
}

fn named(event: &mut Vec<u8>, category: Category, name: u64) {
    event.uint(event::CATEGORY, category as u64);
    event.uint(event::NAME, name);
}

fn note(event: &mut Vec<u8>, name: Note, field: u32, value: u64) {
    event.message(event::ANNOTATION, |annotation| {
        annotation.uint(event::ANNOTATION_NAME, name as u64);
        annotation.uint(field, value);
    });
}

fn interned(data: &mut Vec<u8>, field: u32, id: u64, name: &str) {
    data.message(field, |entry| {
        entry.uint(1, id);
        entry.string(2, name);
    });
}

/// The clock, and every name that does not depend on the model.
fn first_packet(out: &mut Vec<u8>) {
    out.message(PACKET, |packet| {
        in_sequence(packet, BEGINS_SEQUENCE);
        packet.uint(packet::FIRST_ON_SEQUENCE, 1);
        packet.message(packet::CLOCK_SNAPSHOT, |snapshot| {
            clock(snapshot, BOOT_CLOCK, false);
            clock(snapshot, OUR_CLOCK, true);
            // `primary_trace_clock`
            snapshot.uint(2, BOOT_CLOCK);
        });
        packet.message(packet::DEFAULTS, |defaults| defaults.uint(packet::TIMESTAMP_CLOCK, OUR_CLOCK));
        packet.message(packet::INTERNED_DATA, |data| {
            CATEGORIES.iter().for_each(|(id, name)| interned(data, EVENT_CATEGORIES, *id as u64, name));
            ACTS.iter().for_each(|(id, name)| interned(data, EVENT_NAMES, *id as u64, name));
            NOTES.iter().for_each(|(id, name)| interned(data, ANNOTATION_NAMES, *id as u64, name));
            for state in State::ALL {
                interned(data, EVENT_NAMES, name_of_state(*state), state.word());
            }
            for why in Why::ALL {
                interned(data, EVENT_NAMES, name_of_why(*why), why.word());
                interned(data, ANNOTATION_TEXTS, name_of_why(*why), why.word());
            }
        });
    });
}

/// One clock of a `ClockSnapshot`: both show 0 when the run begins.
fn clock(snapshot: &mut Vec<u8>, id: u64, is_incremental: bool) {
    snapshot.message(1, |clock| {
        clock.uint(1, id);
        clock.uint(2, 0);
        if is_incremental {
            clock.uint(3, 1);
        }
    });
}
