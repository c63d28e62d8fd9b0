"""What a timeline says, worked out from its records a second time and in another way than the exports do it.

A case is a folder with `truth.json` (the cast and all records) and one file for each export."""

import json

WAITING_FOR_A_CORE = {"runnable", "runnable-gil"}
ON_CORE = {"start-up", "python", "native", "native-gil", "overhead"}


class Truth:
    def __init__(self, folder):
        with open(f"{folder}/truth.json", encoding="utf-8") as file:
            self.raw = json.load(file)
        self.processes = self.raw["processes"]
        self.threads = self.raw["threads"]
        self.gils = self.raw["gils"]
        self.locks = self.raw["locks"]
        self.cores = self.raw["cores"]
        self.title = self.raw["title"]
        self.records = self.raw["records"]
        self.end = self.records[-1]["t"] if self.records else 0
        last = self.records[-1] if self.records else {}
        self.ending = last["ending"] if last.get("kind") == "end" else "interrupted"

    def full_name(self, thread):
        return self.processes[self.threads[thread]["process"]] + "/" + self.threads[thread]["name"]

    def changes(self, thread):
        return [r for r in self.records if r["kind"] == "state" and r["thread"] == thread]

    def segments(self, thread, empty=False):
        """(state, core, start, end, why), without those of no length."""
        changes = self.changes(thread)
        ends = [r["t"] for r in changes[1:]] + [self.end]
        found = [
            (r["to"], r["core"] if r["to"] in ON_CORE else None, r["t"], end, r["why"])
            for r, end in zip(changes, ends)
            if r["to"] != "done"
        ]
        return found if empty else [s for s in found if s[2] < s[3]]

    def stays(self):
        """core -> [(thread, start, end)], neighbours of one thread as one."""
        stays = {core: [] for core in range(self.cores)}
        for thread in range(len(self.threads)):
            for state, core, start, end, why in self.segments(thread):
                if core is not None:
                    stays[core].append((start, end, thread))
        merged = {}
        for core, pieces in stays.items():
            merged[core] = []
            for start, end, thread in sorted(pieces):
                if merged[core] and merged[core][-1][0] == thread and merged[core][-1][2] == start:
                    start = merged[core].pop()[1]
                merged[core].append((thread, start, end))
        return merged

    def holds(self):
        """gil -> [(thread, start, end)]"""
        holds = {gil: [] for gil in range(len(self.gils))}
        holder = {}
        for r in self.records:
            if r["kind"] == "gil" and r["act"] == "grant":
                holder[r["gil"]] = (r["thread"], r["t"])
            if r["kind"] == "gil" and r["act"] == "drop" and r["gil"] in holder:
                thread, since = holder.pop(r["gil"])
                holds[r["gil"]].append((thread, since, r["t"]))
        for gil, (thread, since) in holder.items():
            holds[gil].append((thread, since, self.end))
        return {gil: [h for h in all if h[1] < h[2]] for gil, all in holds.items()}

    def counts(self):
        """[(time, threads that want a core from then on)], one entry for each time at which the number differs."""
        edges = {}
        for thread in range(len(self.threads)):
            for state, core, start, end, why in self.segments(thread):
                if state in WAITING_FOR_A_CORE:
                    edges[start] = edges.get(start, 0) + 1
                    edges[end] = edges.get(end, 0) - 1
        count, found = 0, []
        for time in sorted(edges):
            if edges[time] and time < self.end:
                count += edges[time]
                found.append((time, count))
        return found

    def held(self):
        """{name of a shared object: [(time, what it holds from then on)]}"""
        held = {}
        for r in self.records:
            if r["kind"] == "object":
                held.setdefault(self.raw["objects"][r["object"]], []).append((r["t"], r["value"]))
        return held

    def requests(self):
        """[(time, thread, time of the drop, thread that dropped)]"""
        asked, found = {}, []
        for r in self.records:
            if r["kind"] != "gil":
                continue
            if r["act"] == "request":
                asked[r["gil"]] = r
            elif r["act"] == "drop":
                ask = asked.pop(r["gil"], None)
                if ask and r["forced"]:
                    found.append((ask["t"], ask["thread"], r["t"], r["thread"]))
            else:
                asked.pop(r["gil"], None)
        return found

    def hand_offs(self):
        """[(time of the drop, thread, time of the grant, thread, gil)]"""
        dropped, found = {}, []
        for r in self.records:
            if r["kind"] == "gil" and r["act"] == "drop":
                dropped[r["gil"]] = r
            if r["kind"] == "gil" and r["act"] == "grant":
                drop = dropped.pop(r["gil"], None)
                if drop and drop["thread"] != r["thread"]:
                    found.append((drop["t"], drop["thread"], r["t"], r["thread"], r["gil"]))
        return found

    def wake_ups(self):
        """[(thread that did it, time, thread that waited)], and [(time, thread)] of those who go on with the GIL taken."""
        by_index = {r["i"]: r for r in self.records}
        before, others, own = {}, [], []
        for r in self.records:
            if r["kind"] != "state":
                continue
            state = before.get(r["thread"])
            before[r["thread"]] = r["to"]
            cause = by_index.get(r["cause"])
            active = ON_CORE | WAITING_FOR_A_CORE
            if state in active or r["to"] not in active or cause is None or cause["kind"] not in ("state", "gil", "lock", "object", "exit"):
                continue
            # A hand-over names the new owner, the end of a process no thread: who did it is their cause.
            indirect = cause["kind"] == "exit" or (cause["kind"] == "lock" and cause["act"] == "hand-over")
            actor = by_index[cause["cause"]]["thread"] if indirect else cause["thread"]
            if actor != r["thread"]:
                others.append((actor, r["t"], r["thread"]))
            elif cause["kind"] == "gil" and cause["act"] == "grant":
                own.append((r["t"], r["thread"]))
        return others, own


def same(what, found, expected):
    """Two lists that should be equal; says where they are not."""
    found, expected = list(found), list(expected)
    for place, (a, b) in enumerate(zip(found, expected)):
        assert a == b, f"{what}, number {place}: found {a}, expected {b}"
    assert len(found) == len(expected), f"{what}: found {len(found)}, expected {len(expected)}"
