"""A file in the Trace Event Format, read with Python's own JSON parser."""

import bisect
import json
from decimal import Decimal

from truth import same

FILE = "out.chrome"


def ns(text):
    value = Decimal(text) * 1000
    assert value == int(value), f"{text} is not a whole number of nanoseconds"
    return int(value)


def check(folder, truth):
    with open(f"{folder}/{FILE}", encoding="utf-8") as file:
        text = file.read()
    assert "</script" not in text and "\x1b" not in text, "dangerous where it is embedded or shown"
    data = json.loads(text, parse_float=Decimal)
    events = data["traceEvents"]
    assert data["otherData"] == {"title": truth.title, "end_ns": str(truth.end), "ending": truth.ending}
    allowed = {"M", "X", "i", "s", "f", "C"}
    assert {e["ph"] for e in events} <= allowed

    meta = {}
    for e in events:
        if e["ph"] == "M" and e["name"] in ("process_name", "thread_name"):
            key = (e["name"], e["pid"], e["tid"])
            assert key not in meta, f"{key} is named twice"
            meta[key] = e["args"]["name"]
    tracks = {(pid, tid): name for (kind, pid, tid), name in meta.items() if kind == "thread_name"}
    tids = [tid for _, tid in tracks]
    assert len(tids) == len(set(tids)), "track numbers are not unique"
    count = len(truth.processes)
    names = [meta[("process_name", pid, 0)] for pid in range(1, count + 1)]
    same("processes", names, truth.processes)
    thread_tracks = {}
    for thread, actor in enumerate(truth.threads):
        key = (actor["process"] + 1, thread + 1)
        assert tracks[key] == truth.full_name(thread)
        thread_tracks[key] = thread

    slices = {}
    for e in events:
        if e["ph"] == "X":
            slices.setdefault((e["pid"], e["tid"]), []).append((ns(e["ts"]), ns(e["ts"]) + ns(e["dur"]), e))
    for key, found in slices.items():
        assert key in tracks, f"slices on {key}, which has no name"
        for (_, end, a), (start, _, b) in zip(found, found[1:]):
            assert end <= start, f"{tracks[key]}: {a} and {b} overlap"
    for key, thread in thread_tracks.items():
        found = [(e["name"], e["args"].get("core"), s, t, e["args"]["why"]) for s, t, e in slices.get(key, [])]
        same(f"states of {tracks[key]}", found, truth.segments(thread))
    machine = [key for key in tracks if key not in thread_tracks]
    cores, gils = machine[: truth.cores], machine[truth.cores :]
    for core, stays in truth.stays().items():
        assert tracks[cores[core]] == f"core {core}"
        found = [(e["name"], s, t) for s, t, e in slices.get(cores[core], [])]
        same(f"core {core}", found, [(truth.full_name(t), s, e) for t, s, e in stays])
    for gil, holds in truth.holds().items():
        assert tracks[gils[gil]] == f"GIL of {truth.gils[gil]}"
        found = [(e["name"], s, t) for s, t, e in slices.get(gils[gil], [])]
        same(f"GIL {gil}", found, [(truth.full_name(t), s, e) for t, s, e in holds])

    check_arrows(events, slices, thread_tracks, gils, truth)
    counted = [e for e in events if e["ph"] == "C"]
    counts = [(ns(e["ts"]), e["args"]["threads"]) for e in counted if e["name"] == "threads that want a core"]
    held = {}
    for e in counted:
        if e["name"] != "threads that want a core":
            held.setdefault(e["name"], []).append((ns(e["ts"]), e["args"]["holds"]))
    assert held == truth.held(), f"found {held}, expected {truth.held()}"
    expected = truth.counts()
    if not expected or expected[0][0] > counts[0][0]:
        expected.insert(0, (counts[0][0], 0))
    same("threads that want a core", [c for c in counts if c[0] < truth.end or truth.end == 0], expected)
    asks = [(ns(e["ts"]), thread_tracks[(e["pid"], e["tid"])]) for e in events if e["name"] == "asks for the GIL"]
    expected = [(r["t"], r["thread"]) for r in truth.records if r["kind"] == "gil" and r["act"] == "request"]
    same("requests", asks, expected)


def check_arrows(events, slices, threads, gils, truth):
    """An arrow begins at an act that was written before it, or within a slice; it ends within a slice that is open."""
    tails, arrows, acts = {}, [], set()
    for e in events:
        if e["ph"] == "i":
            acts.add((e["pid"], e["tid"], e["ts"]))
        if e["ph"] not in "sf":
            continue
        key, at = (e["pid"], e["tid"]), ns(e["ts"])
        # Slices of a track follow each other: the last that has begun is the only one that can be open.
        found = slices.get(key, [])
        last = bisect.bisect_right(found, at, key=lambda each: each[0]) - 1
        around = [found[last][2]] if last >= 0 and at < found[last][1] else []
        assert around or (*key, e["ts"]) in acts or at in (truth.end, 0), f"an arrow to or from nothing: {e}"
        if e["ph"] == "s":
            assert e["id"] not in tails
            tails[e["id"]] = (threads[key], at, e["name"], e["cat"])
        else:
            tail = tails.pop(e["id"])
            assert tail[2:] == (e["name"], e["cat"]) and e["bp"] == "e"
            # A hand-off ends at the new hold, on the track of its GIL; at the thread, if that hold has no length.
            head = around[0]["name"] if key in gils else threads[key]
            if e["name"] == "hand-off":
                head = (head, gils.index(key)) if key in gils else (truth.full_name(head), None)
            arrows.append((e["name"], tail[0], tail[1], head, at))
    assert not tails, "arrows without heads"

    def of(test):
        return [(a, t, b, h) for name, a, t, b, h in arrows if test(name)]

    same("requests", sorted(of("request".__eq__)), sorted([(a, t, b, h) for t, a, h, b in truth.requests()]))
    drawn = {(gil, hold[0], hold[1]) for gil, holds in truth.holds().items() for hold in holds}
    taken = [(a, t, (truth.full_name(b), gil if (gil, b, h) in drawn else None), h) for t, a, h, b, gil in truth.hand_offs()]
    order = lambda arrow: (arrow[0], arrow[1], arrow[3], str(arrow[2]))
    same("hand-offs", sorted(of("hand-off".__eq__), key=order), sorted(taken, key=order))
    others, _ = truth.wake_ups()
    wake = lambda name: name not in ("request", "hand-off")
    # Where nothing is drawn for what a thread did, the arrow begins in the slice that ended with it, a nanosecond earlier.
    same("wake-ups", sorted((a, b, h) for a, _, b, h in of(wake)), sorted([(a, b, t) for a, t, b in others]))
    assert all(h - t in (0, 1) for _, t, _, h in of(wake)), "a wake-up takes no time"
