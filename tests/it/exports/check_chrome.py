"""A file in the Trace Event Format, read with Python's own JSON parser."""

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

    check_arrows(events, slices, thread_tracks, truth)
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


def check_arrows(events, slices, threads, truth):
    tails, arrows = {}, []
    for e in events:
        if e["ph"] not in "sf":
            continue
        thread, at = threads[(e["pid"], e["tid"])], ns(e["ts"])
        if e["ph"] == "s":
            assert e["id"] not in tails
            tails[e["id"]] = (thread, at, e["name"], e["cat"])
            around = slices.get((e["pid"], e["tid"]), [])
            inside = any(start <= at < end for start, end, _ in around)
            assert inside or at in (truth.end, 0), f"an arrow from nowhere: {e}"
        else:
            tail = tails.pop(e["id"])
            assert tail[2:] == (e["name"], e["cat"])
            arrows.append((e["name"], tail[0], tail[1], thread, at))
    assert not tails, "arrows without heads"

    def close(at, moved):
        return moved in (at, at - 1)

    def match(what, found, expected):
        assert len(found) == len(expected), f"{what}: found {len(found)}, expected {len(expected)}"
        for (a, tail_at, b, head_at), (ea, etail, eb, ehead) in zip(found, expected):
            assert (a, b, head_at) == (ea, eb, ehead) and close(etail, tail_at), f"{what}: {found} {expected}"

    def of(test):
        return sorted(((a, t, b, h) for name, a, t, b, h in arrows if test(name)), key=lambda x: (x[3], x[2], x[0]))

    def order(expected):
        return sorted(expected, key=lambda x: (x[3], x[2], x[0]))

    match("requests", of("request".__eq__), order([(a, t, b, h) for t, a, h, b in truth.requests()]))
    match("hand-offs", of("hand-off".__eq__), order([(a, t, b, h) for t, a, h, b, _ in truth.hand_offs()]))
    others, _ = truth.wake_ups()
    wake = lambda name: name not in ("request", "hand-off")
    match("wake-ups", of(wake), order([(a, t, b, t) for a, t, b in others]))
