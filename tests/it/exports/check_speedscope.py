"""A speedscope file, validated against speedscope's own schema."""

import json
import os

import jsonschema

from truth import same

FILE = "out.speedscope"
TOOLS = os.environ["EXPORT_TOOLS"]

with open(f"{TOOLS}/speedscope-schema.json", encoding="utf-8") as file:
    VALIDATOR = jsonschema.Draft7Validator(json.load(file))


def check(folder, truth):
    with open(f"{folder}/{FILE}", encoding="utf-8") as file:
        text = file.read()
    assert "</script" not in text and "\x1b" not in text
    data = json.loads(text)
    VALIDATOR.validate(data)
    frames = [f["name"] for f in data["shared"]["frames"]]
    assert len(frames) == len(set(frames))
    alive = [t for t in range(len(truth.threads)) if truth.changes(t)]
    same("profiles", [p["name"] for p in data["profiles"]], [truth.full_name(t) for t in alive])
    for thread, profile in zip(alive, data["profiles"]):
        assert profile["unit"] == "nanoseconds"
        at, stack, found = profile["startValue"], [], []
        for event in profile["events"]:
            assert event["at"] >= at, f"{profile['name']}: time goes back"
            at = event["at"]
            if event["type"] == "O":
                stack.append(event)
            else:
                opened = stack.pop()
                assert opened["frame"] == event["frame"]
                found.append((frames[event["frame"]], opened["at"], at))
        assert not stack and at <= profile["endValue"] == truth.end
        same(profile["name"], found, [(s, start, end) for s, _, start, end, _ in truth.segments(thread)])
    suffix = "" if truth.ending != "interrupted" else f" (interrupted at "
    assert data["name"].startswith(truth.title + suffix)
