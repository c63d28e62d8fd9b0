"""A Gantt chart as text: the blocks of each row, and the numbers of the table."""

import unicodedata
from decimal import Decimal
from fractions import Fraction

from truth import same

FILE = "out.gantt"
UNITS = {"ns": 1, "us": 1000, "ms": 10**6, "s": 10**9}
RUNNING = {"python", "native", "native-gil"}


def span(text):
    if text == "-":
        return None
    number = text.rstrip("nums")
    return Fraction(Decimal(number)) * UNITS[text[len(number) :]]


def near(found, expected):
    """Tables print at most three decimals of a unit."""
    if found is None or expected is None:
        return found is expected
    return abs(found - expected) <= max(Fraction(1, 2), Fraction(expected, 1000))


def sums(truth, thread):
    changes, segments = truth.changes(thread), truth.segments(thread)
    if not changes:
        return [None] * 7
    arrival = changes[0]["t"]
    runs = [start for state, _, start, _, _ in segments if state in RUNNING]
    done = [r["t"] for r in changes if r["to"] == "done"]
    total = lambda states: sum(end - start for state, _, start, end, _ in segments if state in states)
    gil, core = total({"wants-gil", "forced"}), total({"runnable", "runnable-gil"})
    since = lambda times: times[0] - arrival if times else None
    return [arrival, done[0] if done else None, since(runs), since(done), gil + core, gil, core]


def check(folder, truth):
    with open(f"{folder}/{FILE}", encoding="utf-8") as file:
        text = file.read()
    hidden = {"Cc", "Cf", "Zl", "Zp"}
    assert not any(unicodedata.category(c) in hidden and c != "\n" for c in text), "a terminal would obey this"
    lines = text.split("\n")
    head = next(i for i, line in enumerate(lines) if line.split()[:2] == ["arrival", "completion"])
    chart = lines[1:head]
    wide = [line for line in chart if len(columns(line)) > truth.raw["width"] and "Times in" not in line]
    assert not wide, f"wider than {truth.raw['width']}: {wide}"
    check_chart(chart, truth)
    rows = lines[head + 1 : head + 1 + len(truth.threads)]
    for thread, row in enumerate(rows):
        found = [span(cell) for cell in row.split()[-7:]]
        expected = sums(truth, thread)
        assert all(map(near, found, expected)), f"{row}\nexpected {expected}"
    if len(truth.threads) > 1:
        average = lines[head + 1 + len(truth.threads)].split()
        assert average[:3] == ["average", "-", "-"]
        for place, cell in enumerate(average[3:], start=2):
            values = [sums(truth, t)[place] for t in range(len(truth.threads))]
            values = [v for v in values if v is not None]
            expected = Fraction(sum(values), len(values)) if values else None
            assert near(span(cell), expected), f"average of column {place}: {cell}, expected {expected}"


def columns(line):
    """A string with one character for each column of a terminal."""
    wide = lambda c: 0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
    return "".join(c.ljust(wide(c), "~")[: wide(c)] for c in line)


def check_chart(chart, truth):
    """Every row of a core: the times under its bars are those at which its blocks begin and end."""
    note = next(line for line in chart if line.startswith("Times in"))
    unit = UNITS[note.split()[2].rstrip(".")]
    stays = truth.stays()
    rows = [(columns(line), chart[i + 1]) for i, line in enumerate(chart) if line.startswith("core ")]
    assert rows, "no rows"
    for line, times in rows:
        label = line[: line.index("|")].split()[1]
        core = int(label.split("-")[0])
        bars = [i for i, c in enumerate(line) if c in "|>" and (i == len(line) - 1 or c == "|")]
        marks = times.split()
        assert len(bars) == len(marks), f"{line}\n{times}"
        starts = [times.index(m, bars[k]) for k, m in enumerate(marks)]
        assert starts == bars, f"{line}\n{times}"
        found = [Fraction(Decimal(m)) * unit for m in marks]
        last = found[-1]
        edges = {0, last}
        for _, start, end in stays[core]:
            edges |= {t for t in (start, end) if t <= last}
        same(f"edges of core {core}", found, sorted(edges))
