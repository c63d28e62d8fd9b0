"""Measures what CPython's own actions cost on this host: one line of JSON, name -> list of nanoseconds.

Standard library only; 2.7 and 3.6 or later. Started by gilsim in a private directory, isolated.
"""
import json
import os
import sys
import threading
import time

try:
    now = time.perf_counter_ns
except AttributeError:
    clock = getattr(time, "perf_counter", time.time)
    now = lambda: int(clock() * 1e9)  # noqa: E731

found = {}


def measure(name, times, once):
    """Some interpreters cannot do everything: what fails is left out."""
    values = []
    try:
        once()
        for _ in range(times):
            values.append(once())
    except Exception as error:
        found.setdefault("failed", {})[name] = "%s: %s" % (type(error).__name__, error)
    found[name] = values


def thread_start():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(now()))
    before = now()
    thread.start()
    thread.join()
    return seen[0] - before


def fork():
    before = now()
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    after = now()
    os.waitpid(pid, 0)
    return after - before


def child(pipe):
    pipe.send(now())


def process_start(method):
    import multiprocessing
    context = multiprocessing.get_context(method)

    def once():
        near, far = context.Pipe()
        process = context.Process(target=child, args=(far,))
        before = now()
        process.start()
        first = near.recv()
        process.join()
        return first - before

    return once


def interpreter_start():
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    before = now()
    made = interpreters.create()
    after = now()
    interpreters.destroy(made)
    return after - before


def sleep_late():
    before = now()
    time.sleep(0.001)
    return now() - before - 1000000


def turns(count, seconds):
    """Threads read the clock as fast as they can: who ran when, as stretches without a pause of a millisecond."""
    end = now() + int(seconds * 1e9)
    stretches = []

    def run(who):
        first = last = now()
        while last < end:
            at = now()
            if at - last > 1000000:
                stretches.append((first, last, who))
                first = at
            last = at

    threads = [threading.Thread(target=run, args=(who,)) for who in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stretches.sort()
    # The first and the last ones are cut by the start and by the end.
    return stretches[count:-count]


def turns_of_two():
    stretches = turns(2, 0.5)
    found["gil_hold"] = [last - first for first, last, _ in stretches]
    found["gil_gap"] = [b[0] - a[1] for a, b in zip(stretches, stretches[1:]) if b[0] > a[1]]


def turns_of_many():
    """For each turn whether the next one is again that of the thread before it, which is the one that asked: 0 or 1."""
    who = [who for _, _, who in turns(8, 1.5)]
    found["returns"] = [int(who[n] == who[n + 2]) for n in range(len(who) - 2)]


def main():
    measure("thread_start", 60, thread_start)
    measure("sleep_late", 40, sleep_late)
    turns_of_two()
    turns_of_many()
    measure("fork", 15, fork)
    if sys.version_info >= (3, 4):
        measure("spawn", 4, process_start("spawn"))
        measure("forkserver", 6, process_start("forkserver"))
    if sys.version_info >= (3, 8):
        measure("interpreter_start", 5, interpreter_start)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
