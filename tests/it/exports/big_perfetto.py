"""Usage: big_perfetto.py TRACE RESULT: reads a long trace packet by packet with Perfetto's own schema, and compares its sums
with the result object of the same run. Nothing is kept of a packet that was read."""

import json
import mmap
import resource
import sys
import time
from collections import Counter

from check_perfetto import EVENT, Reader, packets


class Sums(Reader):
    """Reads as the small checker does, but keeps sums only."""

    def __init__(self):
        super().__init__()
        self.states, self.acts, self.arrows = Counter(), Counter(), [0, 0]

    @staticmethod
    def known(packet):
        # The quick way, which says less of what is wrong.
        size = packet.ByteSize()
        packet.DiscardUnknownFields()
        assert packet.ByteSize() == size, "a field is not in the schema"

    def event(self, event):
        super().event(event)
        for track, found in self.slices.items():
            for name, start, end, _ in found:
                self.states[track, name] += end - start
        self.slices.clear()
        for found in self.instants.values():
            self.acts.update(name for name, _ in found)
        self.instants.clear()
        self.counts.clear()
        self.arrows[0] += len(event.flow_ids)
        self.arrows[1] += len(event.terminating_flow_ids)
        # An arrow that has ended is of no more use.
        for flow in event.terminating_flow_ids:
            del self.tails[flow], self.heads[flow]


def main():
    trace, result = sys.argv[1:]
    begun, sums, count = time.monotonic(), Sums(), 0
    with open(trace, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for packet in packets(data):
            sums.packet(packet, count == 0)
            count += 1
        size = len(data)
    took = time.monotonic() - begun
    assert not any(sums.stacks.values()), "a slice is left open"
    with open(result, encoding="utf-8") as file:
        result = json.load(file)
    uuids = {track.name: uuid for uuid, track in sums.tracks.items()}
    for thread in result["threads"]:
        name = f"{thread['process']}/{thread['name']}"
        found = {state: time for (track, state), time in sums.states.items() if track == uuids[name] and time}
        expected = {state: time for state, time in thread["states_ns"].items() if time}
        assert found == expected, f"{name}: {found}, expected {expected}"
    metrics = result["metrics"]
    assert sums.acts["asks for the GIL"] == metrics["gil_requests"] > 0
    assert sums.acts["drops the GIL on request"] == metrics["gil_forced"] > 0
    assert sums.arrows[0] >= sums.arrows[1] > metrics["gil_forced"], "arrows"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{result['events']} events, {size} bytes: {count} packets read in {took:.1f} s, {peak} MiB at most")


main()
