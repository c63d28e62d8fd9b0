"""A Perfetto file, read packet by packet with Perfetto's own schema."""

from google.protobuf import unknown_fields
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as schema

from truth import same

FILE = "out.perfetto"
EVENT = schema.TrackEvent
FIRST_TRACK_PARENT = 0


def packets(data):
    """The file as a stream: one length-delimited packet after the other, as viewers read it."""
    at = 0
    while at < len(data):
        assert data[at] == 0x0A, f"byte {at}: not a packet"
        at, length, shift = at + 1, 0, 0
        while True:
            length |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
            if data[at - 1] < 0x80:
                break
        packet = schema.TracePacket()
        packet.ParseFromString(data[at : at + length])
        at += length
        yield packet


def no_unknown_fields(message):
    unknown = unknown_fields.UnknownFieldSet(message)
    assert len(unknown) == 0, f"{type(message).__name__}: field {unknown[0].field_number} is not in the schema"
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for each in value if not hasattr(value, "ListFields") else [value]:
            no_unknown_fields(each)


class Reader:
    def __init__(self):
        self.now = None
        self.tracks = {}
        self.names, self.categories, self.notes, self.texts = {}, {}, {}, {}
        self.stacks = {}
        self.slices = {}  # track -> [(name, start, end, notes)]
        self.instants = {}  # track -> [(name, time)]
        self.counts = {}
        self.tails, self.heads = {}, {}  # flow id -> (time, track, name)

    @staticmethod
    def known(packet):
        no_unknown_fields(packet)

    def packet(self, packet, first):
        self.known(packet)
        assert packet.trusted_packet_sequence_id == 1
        if first:
            assert packet.sequence_flags == packet.SEQ_INCREMENTAL_STATE_CLEARED
            clocks = {c.clock_id: c for c in packet.clock_snapshot.clocks}
            assert clocks[6].timestamp == 0 and clocks[64].timestamp == 0 and clocks[64].is_incremental
            assert packet.trace_packet_defaults.timestamp_clock_id == 64
            self.now = 0
        else:
            assert packet.sequence_flags == packet.SEQ_NEEDS_INCREMENTAL_STATE
        self.intern(packet.interned_data)
        if packet.HasField("track_descriptor"):
            self.describe(packet.track_descriptor)
        if packet.HasField("track_event"):
            assert packet.HasField("timestamp"), "an event without a time"
            self.now += packet.timestamp  # unsigned: time cannot go back
            self.event(packet.track_event)

    def intern(self, data):
        for field, table, text in [
            (data.event_categories, self.categories, lambda e: e.name),
            (data.event_names, self.names, lambda e: e.name),
            (data.debug_annotation_names, self.notes, lambda e: e.name),
            (data.debug_annotation_string_values, self.texts, lambda e: e.str.decode()),
        ]:
            for entry in field:
                assert entry.iid not in table, f"{entry.iid} is interned twice"
                table[entry.iid] = text(entry)

    def describe(self, track):
        assert track.uuid not in self.tracks, f"track {track.uuid} is described twice"
        parent = track.parent_uuid
        assert parent == 0 or parent in self.tracks, "a track before its parent"
        self.tracks[track.uuid] = track

    def event(self, event):
        track = event.track_uuid
        assert track in self.tracks, f"an event on track {track}, which nobody described"
        if event.type == EVENT.TYPE_SLICE_END:
            assert self.stacks.get(track), f"an end without a begin on {self.tracks[track].name}"
            name, start, notes = self.stacks[track].pop()
            self.slices.setdefault(track, []).append((name, start, self.now, notes))
            return
        if event.type == EVENT.TYPE_COUNTER:
            assert self.tracks[track].HasField("counter")
            self.counts.setdefault(track, []).append((self.now, event.counter_value))
            return
        name = self.names[event.name_iid] if event.name_iid else event.name
        assert [self.categories[iid] for iid in event.category_iids], "an event without a category"
        notes = {}
        for note in event.debug_annotations:
            value = self.texts[note.string_value_iid] if note.string_value_iid else note.uint_value
            notes[self.notes[note.name_iid]] = note.string_value or value
        for flow in event.terminating_flow_ids:
            assert flow in self.tails, f"the arrow {flow} to {name} has no begin"
            assert flow not in self.heads, f"the arrow {flow} ends twice"
            self.heads[flow] = (self.now, track, name)
        for flow in event.flow_ids:
            assert flow not in self.tails, f"the arrow {flow} begins twice"
            self.tails[flow] = (self.now, track, name)
        if event.type == EVENT.TYPE_SLICE_BEGIN:
            stack = self.stacks.setdefault(track, [])
            assert not stack, f"two slices at once on {self.tracks[track].name}"
            stack.append((name, self.now, notes))
        else:
            assert event.type == EVENT.TYPE_INSTANT
            self.instants.setdefault(track, []).append((name, self.now))


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    whole = schema.Trace()
    whole.ParseFromString(data)
    reader, count = Reader(), 0
    for packet in packets(data):
        reader.packet(packet, count == 0)
        count += 1
    assert count == len(whole.packet)
    for track, stack in reader.stacks.items():
        assert not stack, f"{reader.tracks[track].name} is left open"
    return reader


def check(folder, truth):
    reader = read(f"{folder}/{FILE}")
    tracks = reader.tracks
    root = tracks[0]
    assert root.process_ordering == root.PROCESS_ORDERING_EXPLICIT
    assert root.thread_ordering == root.THREAD_ORDERING_EXPLICIT

    processes = [t.process for t in tracks.values() if t.HasField("process")]
    same("processes", [p.process_name for p in processes], truth.processes)
    threads = [t for t in tracks.values() if t.HasField("thread")]
    same("threads", [t.name for t in threads], [truth.full_name(t) for t in range(len(truth.threads))])
    same("threads", [t.thread.thread_name for t in threads], [t.name for t in threads])
    pids = [p.pid for p in processes]
    same("the processes of threads", [t.thread.pid for t in threads], [pids[t["process"]] for t in truth.threads])
    numbers = pids + [t.thread.tid for t in threads]
    assert len(numbers) == len(set(numbers)) and 0 not in numbers, "numbers of processes and threads are not unique"
    assert all(t.sibling_merge_behavior == 2 for t in tracks.values() if t.parent_uuid), "tracks that may be merged"

    def slices(track):
        return [s for s in reader.slices.get(track.uuid, []) if s[1] < s[2]]

    for thread, track in enumerate(threads):
        expected = [(s, start, end, why, core) for s, core, start, end, why in truth.segments(thread)]
        found = [(name, start, end, notes["why"], notes.get("core")) for name, start, end, notes in slices(track)]
        same(f"states of {track.name}", found, expected)

    named = {t.name: t for t in tracks.values() if t.parent_uuid}
    for core, stays in truth.stays().items():
        found = [(name, start, end) for name, start, end, _ in slices(named[f"core {core}"])]
        same(f"core {core}", found, [(truth.full_name(t), s, e) for t, s, e in stays])
    gil_tracks = [t for t in tracks.values() if t.parent_uuid == 2]
    same("GILs", [t.name for t in gil_tracks], [f"GIL of {name}" for name in truth.gils])
    for gil, holds in truth.holds().items():
        found = [(name, start, end) for name, start, end, _ in slices(gil_tracks[gil])]
        same(f"GIL {gil}", found, [(truth.full_name(t), s, e) for t, s, e in holds])

    counters = [t for t in tracks.values() if t.HasField("counter")]
    same("counters", [t.name for t in counters], ["threads that want a core", *truth.raw["objects"]])
    held = {t.name: reader.counts[t.uuid] for t in counters[1:] if t.uuid in reader.counts}
    assert held == truth.held(), f"found {held}, expected {truth.held()}"
    counts = reader.counts[counters[0].uuid]
    assert all(a[1] != b[1] for a, b in zip(counts, counts[1:])), "a count that does not change"
    expected = truth.counts()
    if not expected or expected[0][0] > counts[0][0]:
        expected.insert(0, (counts[0][0], 0))
    same("threads that want a core", [c for c in counts if c[0] < truth.end or truth.end == 0], expected)

    arrows(reader, truth, [t.uuid for t in threads], [t.uuid for t in gil_tracks])
    ends = [name for name, at in reader.instants[1] if at == truth.end]
    same("the end", ends, [f"the run ends: {truth.ending}"])


def arrows(reader, truth, threads, gils):
    drawn = [(reader.tails[flow], head) for flow, head in reader.heads.items()]
    for (tail_at, _, tail), (head_at, _, head) in drawn:
        assert tail_at <= head_at, f"an arrow back in time, from {tail} to {head}"
    asks, hand_offs, own, others = [], [], [], []
    for (tail_at, tail_track, tail), (head_at, head_track, head) in drawn:
        if tail == "asks for the GIL":
            assert head == "drops the GIL on request"
            asks.append((tail_at, threads.index(tail_track), head_at, threads.index(head_track)))
        elif head_track in gils:
            assert tail.startswith("drops the GIL")
            gil = gils.index(head_track)
            taker = [truth.full_name(t) for t in range(len(threads))].index(head)
            hand_offs.append((tail_at, threads.index(tail_track), head_at, taker, gil))
        elif tail_track in gils and reader.names and tail == truth.full_name(threads.index(head_track)):
            own.append((head_at, threads.index(head_track)))
        else:
            if tail_track in gils:
                tail_thread = [truth.full_name(t) for t in range(len(threads))].index(tail)
            else:
                tail_thread = threads.index(tail_track)
            assert tail_at == head_at, "a wake-up takes no time"
            others.append((tail_thread, head_at, threads.index(head_track)))
    expected_others, expected_own = truth.wake_ups()
    same("requests", sorted(asks), sorted(truth.requests()))
    same("hand-offs", sorted(hand_offs), sorted(truth.hand_offs()))
    same("takes that lead on", sorted(own), sorted(expected_own))
    same("wake-ups", sorted(others), sorted(expected_others))
