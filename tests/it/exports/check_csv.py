"""A CSV file, read with Python's own reader."""

import csv
import io
import unicodedata

from truth import same

FILE = "out.csv"
HEADER = ["process", "thread", "state", "core", "start_ns", "end_ns", "duration_ns", "why"]


def safe(name):
    """A name as the file's documentation says it is written: formulas get an apostrophe, what is invisible is replaced."""
    keep = {"\t", "\n", "\r"}
    hidden = {"Cc", "Cf", "Zl", "Zp"}
    shown = "".join("\ufffd" if unicodedata.category(c) in hidden and c not in keep else c for c in name)
    return "'" + shown if name[:1] in ("=", "+", "-", "@", "\t", "\r") and name else shown


def check(folder, truth):
    with open(f"{folder}/{FILE}", encoding="utf-8", newline="") as file:
        text = file.read()
    assert text.endswith("\r\n") and "\x1b" not in text
    # Line ends inside quotes belong to the field: the reader must see them as they are.
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert rows[0] == HEADER
    assert all(len(row) == len(HEADER) for row in rows)
    assert not any(cell[:1] in "=+-@\t\r" for row in rows for cell in row if cell), "a spreadsheet would compute this"
    found = {}
    for process, thread, state, core, start, end, length, why in rows[1:]:
        assert int(end) - int(start) == int(length) > 0
        core = int(core) if core else None
        found.setdefault((process, thread), []).append((state, core, int(start), int(end), why))
    ends = [int(row[5]) for row in rows[1:]]
    assert ends == sorted(ends), "rows are in the order of their ends"
    expected = {}
    for thread, actor in enumerate(truth.threads):
        key = (safe(truth.processes[actor["process"]]), safe(actor["name"]))
        if truth.segments(thread):
            expected.setdefault(key, []).extend(truth.segments(thread))
    assert found.keys() == expected.keys(), f"{found.keys()} {expected.keys()}"
    for key in found:
        same(str(key), sorted(found[key], key=str), sorted(expected[key], key=str))

