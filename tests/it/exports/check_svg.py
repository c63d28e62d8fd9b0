"""An SVG drawing, read with Python's own XML parser."""

import re
import unicodedata
import xml.etree.ElementTree as ET

FILE = "out.svg"
SVG = "{http://www.w3.org/2000/svg}"
HIDDEN = {"Cc", "Cf", "Zl", "Zp"}


def safe(name):
    return "".join("\ufffd" if unicodedata.category(c) in HIDDEN else c for c in name)


def bars(path):
    """The rectangles of a path: [(x from, x to)]."""
    d = path.get("d")
    found = re.findall(r"M([\d.]+) (\d+)H([\d.]+)V(\d+)H([\d.]+)Z", d)
    assert "".join(f"M{a} {b}H{c}V{e}H{f}Z" for a, b, c, e, f in found) == d, d
    assert all(a == f for a, _, _, _, f in found)
    return [(float(a), float(c)) for a, _, c, _, _ in found]


def look(fill):
    match = re.fullmatch(r"url\(#gilsim-([a-z-]+)\)", fill)
    return match.group(1) if match else {"#0072B2": "python", "#FFFFFF": "sleep"}.get(fill, fill)


def check(folder, truth):
    with open(f"{folder}/{FILE}", "rb") as file:
        data = file.read()
    root = ET.fromstring(data)
    assert root.tag == SVG + "svg" and root.get("role") == "img"
    assert {e.tag for e in root.iter()} <= {
        SVG + t for t in ("svg", "title", "desc", "defs", "pattern", "rect", "path", "circle", "g", "text")
    }
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    assert (root.find(SVG + "title").text or "") == safe(truth.title)
    assert set(root.get("aria-labelledby").split()) <= set(ids)
    for element in root.iter():
        for value in element.attrib.values():
            for used in re.findall(r"url\(#(.*?)\)", value):
                assert used in ids, f"{used} is not defined"
            assert "javascript" not in value and "http" not in value
    groups = root.findall(SVG + "g")
    lanes = [g for g in groups if g.find(SVG + "path") is not None or g.find(SVG + "rect") is None]
    legend = [g for g in groups if g not in lanes]
    expected = [f"core {core}" for core in range(truth.cores)] + [safe(f"GIL of {gil}") for gil in truth.gils]
    expected += [safe(truth.full_name(t)) for t in range(len(truth.threads))]
    names = [g.find(SVG + "title").text for g in lanes]
    columns = "each column stands for" in data.decode()
    if len(truth.threads) <= 100 and truth.cores <= 32:
        assert names == expected, f"{names} {expected}"
    scale = right_edge(root, truth) / max(truth.end, 1)
    first = truth.cores + len(truth.gils)
    drawn = set()
    for thread in range(min(len(truth.threads), 100)):
        lane = lanes[first + thread]
        found = {look(p.get("fill")): bars(p) for p in lane.findall(SVG + "path")}
        drawn |= found.keys()
        if columns:
            continue
        wanted = {}
        for state, _, start, end, _ in truth.segments(thread):
            wanted.setdefault(state, []).append((start * scale, end * scale))
        assert found.keys() == wanted.keys(), f"{names[first + thread]}: {found.keys()} {wanted.keys()}"
        for state in found:
            assert len(found[state]) == len(wanted[state])
            for a, b in zip(found[state], wanted[state]):
                assert all(abs(x - y) <= 0.011 for x, y in zip(a, b)), f"{state}: {a} {b}"
    shown = [g.find(SVG + "text").text for g in legend]
    states = [s for s in shown if s != "GIL held" and not s.startswith("+")]
    assert set(states) >= drawn - {"#BBBBBB", "#DDDDDD"}
    if not columns:
        assert set(states) == drawn, f"the legend shows {states}, the lanes {drawn}"
    assert ("GIL held" in shown) == any(truth.holds().values())


def right_edge(root, truth):
    """The length of the axis: the first line of the grid."""
    grid = root.find(SVG + "path").get("d")
    left, right = re.match(r"M(\d+) \d+H(\d+)", grid).groups()
    return int(right) - int(left)
