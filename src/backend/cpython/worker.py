"""The worker of gilsim's real backend: runs one scenario on this interpreter and reports when each thread ran.

Usage: python worker.py DIRECTORY PARENT, started by gilsim in a private directory. It reads one line of JSON (the job:
numbers, names and a closed list of step verbs; nothing in it is ever executed) from standard input and writes lines of
JSON to standard output. Standard library only; Python 2.7 and 3.6 or later, with and without a GIL.

How steps become real:
  cpu                  a loop of ordinary bytecode with a check point every iteration; the clock is read every ~20 us
  native               hashlib's PBKDF2 (or SHA-3, or zlib where OpenSSL is missing): one C call without the GIL
  native_holding_gil   one C call that exhausts an iterator and keeps the GIL
  io                   select() on a pipe that stays silent, timed; with a device a read() that a server process answers
  sleep, locks, start, join   time.sleep, threading.Lock and RLock, Thread and multiprocessing.Process
  other shared objects   threading.Semaphore, Event, Condition and Barrier, queue.Queue, an integer in a global dict
  timeout              an argument of the call of the next step; who has waited in vain goes on elsewhere

What is recorded: a pair of clock readings around every step, and inside `cpu` every gap between two readings, with what
the kernel counted meanwhile (context switches, time in the run queue). Counters are read without dropping the GIL.
"""
import collections
import gc
import itertools
import json
import marshal
import multiprocessing
import os
import select
import struct
import sys
import threading
import time
import traceback

try:
    import _thread as thread
    import queue
except ImportError:
    import Queue as queue
    import thread
try:
    import fcntl
    import resource
    import signal
except ImportError:
    fcntl = resource = signal = None
try:
    import ctypes
    libc = ctypes.PyDLL(None)  # PyDLL, unlike CDLL, keeps the GIL during its calls.
    libc.pread.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_longlong]
    libc.pread.restype = libc.write.restype = ctypes.c_ssize_t
    libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
except Exception:
    ctypes = libc = None

LINUX = sys.platform.startswith("linux")
ROUND = 1000  # Iterations of the cpu loop between two readings of the clock.
STEPS = ["cpu", "native", "native_holding_gil", "io", "sleep", "acquire", "release", "start", "join", "print", "show",
         "repeat", "again", "gap", "start_process", "join_process", "enter", "leave", "timeout", "goto", "choose",
         "take", "give", "put", "get", "set", "clear", "wait", "wait_notified", "notify", "notify_all", "meet", "load",
         "store"]
(CPU, NATIVE, HOLD, IO, SLEEP, ACQUIRE, RELEASE, START, JOIN, PRINT, SHOW, REPEAT, AGAIN, GAP, FORK, REAP, ENTER,
 LEAVE) = range(18)
TAKE, GIVE, PUT, GET, SET, CLEAR, WAIT, WAIT_NOTIFIED, NOTIFY, NOTIFY_ALL, MEET, LOAD, STORE = range(21, 34)
TIMED = frozenset(["acquire", "release", "join", "join_process"] + STEPS[TAKE:])  # Entries that end with an instant.
RETURN = 10  # Seconds that a thread has to come back to a core after the horizon.
MOST_ENTRIES = 400000  # of one thread's log.
REQUEST = struct.Struct("=IIdd")  # device, thread, asked at (clock), length (clock units)

try:
    xrange
except NameError:
    xrange = range

# ---------------------------------------------------------------- clocks and counters

if hasattr(time, "perf_counter_ns"):
    now, UNIT = time.perf_counter_ns, 1  # One nanosecond is so many units of `now`.
else:
    now, UNIT = getattr(time, "perf_counter", time.time), 1e-9


class Timespec(ctypes.Structure if ctypes else object):
    _fields_ = [("sec", ctypes.c_long), ("nsec", ctypes.c_long)] if ctypes else []


def _libc_thread_time(clock=3):
    """The core time of the calling thread (CLOCK_THREAD_CPUTIME_ID of Linux), or of whose clock this is."""
    value = Timespec()
    libc.clock_gettime(clock, ctypes.byref(value))
    return value.sec * 1000000000 + value.nsec


if hasattr(time, "thread_time_ns"):
    cpu_clock = time.thread_time_ns
elif hasattr(time, "clock_gettime"):
    def cpu_clock():
        return int(time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID) * 1e9)
elif libc is not None and LINUX:
    cpu_clock = _libc_thread_time
else:
    cpu_clock = None


class Counters(object):
    """What the kernel counts for the calling thread: voluntary and involuntary switches, nanoseconds in the run queue."""

    WHO = getattr(resource, "RUSAGE_THREAD", 1 if LINUX else None)

    def __init__(self):
        self.file, self.clock = -1, None
        if libc is not None and LINUX:
            self.clock = ~int(os.readlink("/proc/thread-self").split("/")[-1]) << 3 | 6
            self.text = ctypes.create_string_buffer(96)
            self.file = libc.open(b"/proc/thread-self/schedstat", os.O_RDONLY | 0o2000000)

    def read(self, queue=True):
        used = resource.getrusage(self.WHO) if resource and self.WHO is not None else None
        switches = (used.ru_nvcsw, used.ru_nivcsw) if used else (-1, -1)
        return switches + (self.queued() if queue else -1,)

    def queued(self):
        if self.file < 0:
            return -1
        size = libc.pread(self.file, self.text, 95, 0)
        return int(self.text.raw[:size].split()[1]) if size > 0 else -1


def core_time():
    """All core time of this process, in nanoseconds."""
    used = resource.getrusage(resource.RUSAGE_SELF) if resource else None
    return used and int((used.ru_utime + used.ru_stime) * 1e9)


def wait_until(instant):
    left = (instant - now()) / UNIT * 1e-9
    if left > 0:
        select.select([SILENT], [], [], left)


# ---------------------------------------------------------------- lifelines

def end_with(pipe):
    """Lets the kernel kill this process when the last writer of `pipe` is gone. No thread waits for that, so nothing
    disturbs the GIL, and it works in the middle of a C call and for a stopped process too."""
    if LINUX:
        fcntl.fcntl(pipe, getattr(fcntl, "F_SETSIG", 10), int(signal.SIGKILL))
        fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_NONBLOCK | getattr(os, "O_ASYNC", 0o20000)
        fcntl.fcntl(pipe, fcntl.F_SETFL, flags)
        try:
            os.read(pipe, 1)
            os._exit(3)  # It was closed (or talked) before the kernel watched it.
        except OSError:
            pass
    else:
        thread.start_new_thread(lambda: (os.read(pipe, 1), os._exit(3)), ())


def end_with_parent(parent):
    """The same through prctl(PR_SET_PDEATHSIG): a second rope for the first process."""
    if libc is not None and LINUX:
        libc.prctl(1, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(3)


# ---------------------------------------------------------------- work

STOP = []  # Filled at the horizon.


def burn(rounds, rest, limit, gap, before):
    """Ordinary bytecode: so many rounds of ROUND iterations, and one of `rest`. Tells `gap` about every pause longer
    than `limit` since `before`. Returns the rounds that it did, and its last reading of the clock."""
    for done in xrange(rounds):
        i = ROUND
        while i:
            i -= 1
        after = now()
        if after - before > limit:
            gap(before, after)
        if STOP:
            return done + 1, after
        before = after
    i = rest
    while i:
        i -= 1
    after = now()
    if after - before > limit:
        gap(before, after)
    return rounds, after


def hold(size):
    """One C call that keeps the GIL and takes the same time for every item."""
    collections.deque(itertools.repeat(None, size), 0)


def native_call():
    """A C call that drops the GIL for all of its length: its name, the call, the size of a first try, the largest size."""
    try:
        from _hashlib import pbkdf2_hmac
        return "PBKDF2 of OpenSSL", lambda size: pbkdf2_hmac("sha256", b"gilsim", b"salt", size), 4000, 1 << 31
    except ImportError:
        pass
    try:
        from hashlib import sha3_512
        data = memoryview(bytes(1 << 29))  # Zero pages, all the same one: no memory, no memory traffic.
        return "SHA3-512 of hashlib (no OpenSSL here)", lambda size: sha3_512(data[:size]), 1 << 19, len(data)
    except ImportError:
        import zlib
        data = os.urandom(1 << 16) * (1 << 10)  # No repetition within zlib's window: the time is linear in the size.
        return "zlib.compress (no OpenSSL here)", lambda size: zlib.compress(buffer(data, 0, size), 1), 1 << 19, len(data)


def median(values):
    return sorted(values)[len(values) // 2]


def timed(call, times):
    """The median cost of a call in nanoseconds, by the thread's CPU clock where there is one."""
    clock, unit = (cpu_clock, 1) if cpu_clock else (now, UNIT)
    costs = []
    for _ in xrange(times):
        begin = clock()
        call()
        costs.append((clock() - begin) / float(unit))
    return median(costs)


def linear(call, size, times=7):
    """Nanoseconds per unit of size and for none, from a size and a quarter of it."""
    call(size)
    large, small = timed(lambda: call(size), times), timed(lambda: call(size // 4), times)
    unit = max((large - small) / (size - size // 4), 1e-3)
    return {"unit": unit, "fixed": max(large - unit * size, 0.0)}


def calibrate(verbs):
    """Measures, in the thread that runs this, what a unit of each kind of work costs."""
    none = lambda before, after: None  # noqa: E731
    endless = float("inf")
    burn(200, 0, endless, none, 0)
    cost = {"round": timed(lambda: burn(150, 0, endless, none, 0), 15) / 150.0}
    cost["read"] = timed(lambda: [now() for _ in xrange(1000)], 7) / 1000.0
    cost["iteration"] = max(cost["round"] - cost["read"], 1.0) / ROUND
    counters = Counters()
    cost["counters"] = timed(counters.read, 21)
    cost["step"] = 0.0
    COST.update(cost)
    dummy = Actor(None, [("cpu", 0)] * 300)
    dummy.limit = endless
    cost["step"] = timed(dummy.run, 5) / 300.0
    if "native_holding_gil" in verbs:
        cost["hold"] = linear(hold, 100000)
    if "native" in verbs:
        cost["native"] = linear(NATIVE_CALL[1], NATIVE_CALL[2])
    late = []
    for _ in xrange(9):
        begin = now()
        select.select([SILENT], [], [], 0.001)
        late.append((now() - begin) / UNIT - 1e6)
    cost["late"] = max(median(late), 0.0)
    COST.update(cost)


COST = {}

# ---------------------------------------------------------------- devices


def serve_devices(devices, directory):
    """The process behind all devices: each serves `at_once` requests, first come, first served, with a timer of its own."""
    try:
        with open("/proc/self/timerslack_ns", "w") as slack:
            slack.write("1")
    except (IOError, OSError):
        pass
    requests = os.open(os.path.join(directory, "device"), os.O_RDWR)
    replies, busy, queues = {}, [], [collections.deque() for _ in devices]
    free = [device["at_once"] for device in devices]
    while True:
        left = max(min(busy)[0] - now(), 0) / UNIT * 1e-9 if busy else None
        if select.select([requests], [], [], left)[0]:
            data = os.read(requests, REQUEST.size)
            device, who, asked, length = REQUEST.unpack(data)
            queues[device].append((asked, length, who))
        for done in sorted(entry for entry in busy if entry[0] <= now()):
            busy.remove(done)
            due, device, who = done
            if who not in replies:
                replies[who] = os.open(os.path.join(directory, "reply-%d" % who), os.O_RDWR)
            os.write(replies[who], struct.pack("=d", now()))
            free[device] += 1
            if queues[device]:  # The next one has waited for this very end.
                queues[device][0] = (due,) + queues[device][0][1:]
        for device, queue in enumerate(queues):
            while queue and free[device]:
                begin, length, who = queue.popleft()
                free[device] -= 1
                busy.append((begin + length, device, who))


# ---------------------------------------------------------------- threads

class Halt(Exception):
    """The modelled program did what Python refuses; the run ends."""


class Actor(object):
    """A thread of the model: its program, and the log of what it did and when."""

    def __init__(self, number, ops=None):
        self.spec = JOB["threads"][number] if number is not None else {"process": 0, "draws": {}}
        self.number = number
        self.draws = dict((verb, iter(lengths)) for verb, lengths in self.spec["draws"].items())
        self.ops = [self.prepare(op) for op in (JOB["programs"][self.spec["program"]] if ops is None else ops)]
        self.log, self.loops, self.read = [], [], {}
        self.patience = None  # Of the next step: how long it may wait, and the place where it goes on if that was in vain.
        self.born = self.first = self.finished = self.begun = self.thread = None
        self.counters = self.before = self.after = None
        self.over = False  # It has left its program.
        self.mark = self.used = None  # Core time when the C call under way began, and what it had used at the horizon.
        self.queued = 0  # What the run queue had cost when it was last looked at.
        self.limit = max(JOB["gap"], 2.5 * COST.get("round", 0.0)) * UNIT

    def prepare(self, op):
        """Looks up the method once, and turns a fixed length into amounts of work."""
        verb = STEPS.index(op[0])
        amount = self.amount(verb, op[1]) if verb <= SLEEP and op[1] is not None else None
        return (getattr(Actor, op[0]), amount) + tuple(op[1:])

    @staticmethod
    def amount(verb, length):
        if verb == CPU:
            left = max(length - COST["step"], 0.0)
            rounds = int(left // COST["round"])
            return rounds, int((left - rounds * COST["round"]) / COST["iteration"]), length
        if verb in (NATIVE, HOLD):
            cost = COST["native" if verb == NATIVE else "hold"]
            size = max(int((length - cost["fixed"]) / cost["unit"]), 1)
            if verb == NATIVE and size > NATIVE_CALL[3]:
                raise ValueError("native: %.3f s is longer than %s can take" % (length * 1e-9, NATIVE_CALL[0]))
            return size, length
        return length * 1e-9, length

    def drawn(self, verb, op):
        return op[1] or self.amount(verb, next(self.draws["native" if verb == HOLD else STEPS[verb]]))

    def run(self):
        """The whole program. Every method of a step returns the place of the next one."""
        ops, place, size = self.ops, 0, len(self.ops)
        while place < size and not STOP:
            op = ops[place]
            place = op[0](self, place, op)
        return place >= size

    def cpu(self, place, op):
        rounds, rest, length = self.drawn(CPU, op)
        self.counts = (self.counters or NO_COUNTERS).read(rounds > 50)
        self.queued = max(self.queued, self.counts[2])
        begin = now()
        self.begun = (CPU, place, begin, length)
        before = cpu_clock() if cpu_clock else 0
        done, after = burn(rounds, rest, self.limit, self.gap, begin)
        used = (cpu_clock() if cpu_clock else 0) - before
        executed = length if done == rounds else int(done * COST["round"])
        end = now()
        if end - after > self.limit:
            self.gap(after, end)
        self.log.append((CPU, place, begin, end, used, length, executed))
        return place + 1

    def gap(self, before, after):
        """The clock jumped: what did the kernel count meanwhile? Without a switch it was only an interrupt."""
        last, self.counts = self.counts, self.counters.read()
        self.queued = self.counts[2]
        if self.counts[:2] == last[:2] != (-1, -1):
            return
        wait = self.counts[2] - last[2] if last[2] >= 0 else -1
        self.log.append((GAP, 0, before, after, self.counts[0] - last[0], self.counts[1] - last[1], wait))
        if len(self.log) > MOST_ENTRIES:
            PROCESS.fail("thread %d has more than %d entries in its log" % (self.number, MOST_ENTRIES))

    def native(self, place, op):
        return self.call(NATIVE, NATIVE_CALL[1], place, op)

    def native_holding_gil(self, place, op):
        return self.call(HOLD, hold, place, op)

    def call(self, verb, function, place, op):
        size, length = self.drawn(verb, op)
        begin = now()
        before = self.mark = cpu_clock() if cpu_clock else 0
        self.begun = (verb, place, begin, length)
        function(size)
        used = (cpu_clock() if cpu_clock else 0) - before
        end = now()
        self.log.append((verb, place, begin, end, used, length, self.waited(begin, end, used)))
        return place + 1

    def waited(self, begin, end, length):
        """After a step that took longer than it should: how much of that the run queue cost."""
        if self.counters is None or (end - begin) / UNIT < length + COST["late"] + JOB["gap"]:
            return 0
        last, self.queued = self.queued, self.counters.queued()
        return self.queued - last

    def io(self, place, op):
        seconds, length = self.drawn(IO, op)
        begin = now()
        self.begun = (IO, place, begin, length)
        if op[3] is None:
            select.select([SILENT], [], [], seconds)
            replied = None
        else:
            replied = self.ask(op[3], begin, length)
        end = now()
        self.log.append((IO, place, begin, end, replied, length, self.waited(begin, end, length)))
        return place + 1

    def ask(self, device, begin, length):
        request = REQUEST.pack(device, self.number, begin, length * UNIT)
        if libc is not None:
            libc.write(self.request, request, len(request))  # Without dropping the GIL: the read below does that.
        else:
            os.write(self.request, request)
        return struct.unpack("=d", os.read(self.reply, 8))[0]

    def sleep(self, place, op):
        seconds, length = self.drawn(SLEEP, op)
        begin = now()
        self.begun = (SLEEP, place, begin, length)
        time.sleep(seconds)
        end = now()
        self.log.append((SLEEP, place, begin, end, None, length, self.waited(begin, end, length)))
        return place + 1

    def timeout(self, place, op):
        length = op[2] if op[2] is not None else next(self.draws["timeout"])
        self.patience = length, op[3]
        return place + 1

    def goto(self, place, op):
        return op[2]

    def waits(self, verb, place, op, call):
        """A step that may have to wait. `call` gets the time-out in seconds or None and answers with what came of it and
        when (None = at its end), or with None if it waited in vain. An entry in vain has the time-out and no instant."""
        (length, otherwise), self.patience = self.patience or (None, None), None
        begin = now()
        self.begun = (verb, place, begin, op[2])
        came = call(None if length is None else length * 1e-9)
        end = now()
        if came is None:
            self.log.append((verb, place, begin, end, op[2], length, None))
            return otherwise
        self.log.append((verb, place, begin, end, op[2], came[0], came[1] or end))
        return place + 1

    def acts(self, verb, place, op, call):
        """A step that does not wait for others."""
        begin = now()
        call()
        self.log.append((verb, place, begin, now(), op[2], 0, begin))
        return place + 1

    def acquire(self, place, op):
        following = self.waits(ACQUIRE, place, op, lambda seconds: taken(PROCESS.locks[op[2]], seconds))
        if self.log[-1][6] is not None:
            PROCESS.owners[op[2]].append(self)
        return following

    def release(self, place, op):
        self.check_owner(op[2], "releases a lock that it does not hold")
        PROCESS.owners[op[2]].pop()
        return self.acts(RELEASE, place, op, PROCESS.locks[op[2]].release)

    def check_owner(self, lock, complaint):
        owners = PROCESS.owners[lock]
        if not owners or owners[-1] is not self:
            self.refuse("E204", complaint, lock)

    # ------------------------------------------------------------ shared objects

    def take(self, place, op):
        return self.waits(TAKE, place, op, lambda seconds: taken(PROCESS.objects[op[2]], seconds))

    def give(self, place, op):
        return self.acts(GIVE, place, op, PROCESS.objects[op[2]].release)

    def put(self, place, op):
        def call(seconds):
            item = []
            try:
                PROCESS.objects[op[2]].put(item, True, seconds)
                return item
            except queue.Full:
                return None
        return self.waits(PUT, place, op, call)

    def get(self, place, op):
        def call(seconds):
            try:
                return PROCESS.objects[op[2]].get(True, seconds)
            except queue.Empty:
                return None
        return self.waits(GET, place, op, call)

    def set(self, place, op):
        return self.acts(SET, place, op, PROCESS.objects[op[2]].set)

    def clear(self, place, op):
        return self.acts(CLEAR, place, op, PROCESS.objects[op[2]].clear)

    def wait(self, place, op):
        return self.waits(WAIT, place, op, lambda seconds: (0, None) if PROCESS.objects[op[2]].wait(seconds) else None)

    def wait_notified(self, place, op):
        """Condition.wait: meanwhile the lock is not this thread's, however often it held it."""
        lock = op[3]
        self.check_owner(lock, "waits for a condition without holding its lock")

        def call(seconds):
            owners, PROCESS.owners[lock] = PROCESS.owners[lock], []
            notified = PROCESS.objects[op[2]].wait(seconds)
            PROCESS.owners[lock] = owners
            return (0, None) if notified or seconds is None else None
        return self.waits(WAIT_NOTIFIED, place, op, call)

    def notify(self, place, op):
        self.check_owner(op[3], "notifies a condition without holding its lock")
        return self.acts(NOTIFY, place, op, PROCESS.objects[op[2]].notify)

    def notify_all(self, place, op):
        self.check_owner(op[3], "notifies a condition without holding its lock")
        return self.acts(NOTIFY_ALL, place, op, PROCESS.objects[op[2]].notify_all)

    def meet(self, place, op):
        def call(_):
            index = PROCESS.objects[op[2]].wait()
            return index, HERE.opened if index == PROCESS.objects[op[2]].parties - 1 else None
        return self.waits(MEET, place, op, call)

    def load(self, place, op):
        begin = now()
        value = self.read[op[2]] = VARIABLES[op[2]]
        self.log.append((LOAD, place, begin, begin, op[2], value, begin))
        return place + 1

    def store(self, place, op):
        value = self.read.get(op[2], 0) + op[3]
        begin = now()
        VARIABLES[op[2]] = value
        self.log.append((STORE, place, begin, begin, op[2], value, begin))
        return place + 1

    # ------------------------------------------------------------ threads and output

    def start(self, place, op):
        left, todo = PROCESS.members(op[2]), op[3]
        if not left and todo != 0 and JOB["groups"][op[2]]["members"]:
            self.refuse("E206", "starts a group all of whose members have been started", op[2])
        while left and todo != 0:
            PROCESS.start(self, place, left.pop(0), op[2])
            todo = None if todo is None else todo - 1
        return place + 1

    def join(self, place, op):
        group = JOB["groups"][op[2]]
        targets = list(PROCESS.started.get(op[2], ()))
        if group["members"] and group["started"] and not targets:
            self.refuse("E206", "joins a group none of whose members has been started", op[2])
        patience, last = self.patience, now() + (self.patience or (0,))[0] * UNIT
        for verb, member, target in targets or [(JOIN, key, PROCESS.actors[key].thread) for key in group["members"]]:
            if patience:
                self.patience = max(last - now(), 0) / UNIT, patience[1]
            following = self.waits(verb, place, (None, None, member), lambda seconds: joined(target, seconds))
            if self.log[-1][6] is None:
                return following
        self.patience = None
        return place + 1

    def print_(self, place, op):
        text = op[2].replace("{__name__}", __name__).replace("{pid}", str(os.getpid()))
        self.log.append((PRINT, place, now(), now(), text.split("\n")))
        return place + 1

    def show(self, place, op):
        shown = [str(each) for each in threading.enumerate()]
        lines = ["  Process ID:  %d" % os.getpid(), "Thread Count:  %d" % len(shown)] + shown
        self.log.append((SHOW, place, now(), now(), lines))
        return place + 1

    def repeat(self, place, op):
        if op[2] == 0:
            return op[3]
        self.loops.append(op[2])
        return place + 1

    def again(self, place, op):
        left = self.loops[-1]
        if left == 1:
            self.loops.pop()
            return place + 1
        if left is not None:
            self.loops[-1] = left - 1
        return op[2]

    def enter(self, place, op):
        return self.pass_boundary(ENTER, place, op)

    def leave(self, place, op):
        return self.pass_boundary(LEAVE, place, op)

    def pass_boundary(self, verb, place, op):
        at = now()
        self.log.append((verb, place, at, at, op[2]))
        return place + 1

    def choose(self, place, op):
        return op[2][next(self.draws["choose"])]

    def refuse(self, code, detail, target):
        PROCESS.refused.append((code, self.number, now(), detail, target))
        PROCESS.over("refused")
        raise Halt()

    # ------------------------------------------------------------ life

    def live(self, instant=None):
        """The body of the real thread. A thread that arrives by itself waits for its instant without the GIL."""
        try:
            if instant is None:
                self.first = now()
            self.arm()
            if instant is not None:
                wait_until(instant - COST["late"] * UNIT)
                self.first = now()
            self.before = self.counters.read() + (cpu_clock() if cpu_clock else 0,)
            self.queued = self.before[2]
            complete = self.run()
            self.finished = now() if complete else None
        except Halt:
            pass
        except BaseException:
            PROCESS.fail(traceback.format_exc())
        self.leave()

    def arm(self):
        self.counters = Counters()
        if self.spec["nice"]:
            os.nice(self.spec["nice"])  # On Linux this concerns the calling thread only.
        if self.spec["cores"]:
            usable = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, [usable[core] for core in self.spec["cores"]])
        if any(op[0] == Actor.io and op[3] is not None for op in self.ops):
            reply = os.path.join(DIRECTORY, "reply-%d" % self.number)
            os.mkfifo(reply)
            self.reply = os.open(reply, os.O_RDWR)
            self.request = os.open(os.path.join(DIRECTORY, "device"), os.O_RDWR)

    def away(self):
        """Whether it is in the middle of a step that does not end when STOP is set, or has not begun."""
        begun, last = self.begun, self.log[-1:]
        blocking = begun is not None and begun[0] not in (CPU, FORK) and (not last or begun[2] >= last[0][3])
        return self.first is None or blocking

    def cut(self, last):
        """At the horizon, from another thread: what the C call under way has used of a core."""
        begun, mark, clock = self.begun, self.mark, self.counters and self.counters.clock
        if begun and begun[0] in (NATIVE, HOLD) and self.away() and cpu_clock and clock:
            used, at = _libc_thread_time(clock) - mark, now()
            if self.begun is begun and (at - begun[2]) / UNIT - used > JOB["gap"]:
                self.used = max(int(used - (at - last) / UNIT), 0)  # It may have run since the horizon.

    def leave(self):
        self.over = True
        if self.counters and self.before:
            self.after = self.counters.read() + (cpu_clock() if cpu_clock else 0,)
        if not self.spec["daemon"] or PROCESS.only_daemons:
            PROCESS.alive.pop()
            if not PROCESS.alive and not STOP:
                PROCESS.over("finished")

    def result(self):
        totals = [b - a for a, b in zip(self.before, self.after)] if self.after and self.before else None
        return {"thread": self.number, "born": self.born, "first": self.first, "finished": self.finished,
                "begun": self.begun and self.begun + (self.used,), "log": self.log[:], "totals": totals}


HERE = threading.local()
VARIABLES = {}


def taken(lock, seconds):
    """Takes a lock or a permit. 2.7 knows no time-out here."""
    return (0, None) if (lock.acquire() if seconds is None else lock.acquire(True, seconds)) else None


def joined(target, seconds):
    target.join(seconds)
    return None if target.is_alive() else (0, None)


def opens():
    """Runs in the thread that comes to a barrier last, when all have come and nobody has left."""
    HERE.opened = now()


class Queue(queue.Queue, object):
    """Tells whoever puts or gets, from within the queue's own lock, how many items there are then, and when that was."""

    def _put(self, item):
        self.queue.append(item)
        item[:] = len(self.queue), now()

    def _get(self):
        self.queue.popleft()
        return len(self.queue), now()


def make_object(spec, locks):
    kind, size = spec["kind"], spec["size"]
    if kind == "semaphore":
        return threading.Semaphore(size)
    if kind == "queue":
        return Queue(size)
    if kind == "event":
        return threading.Event()
    if kind == "condition":
        return threading.Condition(locks[size])
    return threading.Barrier(size, opens)


class NoCounters(object):
    def read(self, queue=True):
        return resource.getrusage(Counters.WHO)[14:16] + (-1,) if resource else (-1, -1, -1)


NO_COUNTERS = NoCounters()  # Costs a dummy step what the counters cost a real one.
for _name in STEPS:
    if not hasattr(Actor, _name):
        setattr(Actor, _name, getattr(Actor, _name + "_", None))

# ---------------------------------------------------------------- processes


class Process(object):
    """A process of the model, running in this real process."""

    def __init__(self, number):
        self.number, self.spec = number, JOB["processes"][number]
        self.locks = dict((key, threading.RLock() if lock["reentrant"] else threading.Lock())
                          for key, lock in enumerate(JOB["locks"]) if lock["process"] == number)
        self.owners = dict((key, []) for key in self.locks)
        self.objects = {}
        for key, spec in enumerate(JOB["objects"]):
            if spec["process"] == number and spec["kind"] == "variable":
                VARIABLES[key] = spec["size"]
            elif spec["process"] == number:
                self.objects[key] = make_object(spec, self.locks)
        self.actors = dict((key, Actor(key)) for key in self.spec["threads"])
        self.left, self.started, self.children = {}, {}, []
        self.refused, self.failed, self.codes, self.alive = [], [], {}, []
        self.only_daemons = all(actor.spec["daemon"] for actor in self.actors.values())
        self.ended, self.signal = os.pipe()
        self.finishing = threading.Lock()
        if hasattr(sys, "setswitchinterval"):
            sys.setswitchinterval(self.spec["switch_interval"] * 1e-9)
        elif self.spec["check_interval"] is not None:
            sys.setcheckinterval(self.spec["check_interval"])

    def members(self, group):
        if group not in self.left:
            self.left[group] = list(JOB["groups"][group]["members"])
        return self.left[group]

    def start(self, starter, place, member, group):
        """A real start() by a step of `starter`."""
        begin = now()
        starter.begun = (START, place, begin, member)
        if JOB["groups"][group]["kind"] == "threads":
            verb, target = (START, JOIN), self.thread(member)
            self.actors[member].born = begin
            self.counted(member)
        else:
            verb, target = (FORK, REAP), make_process(member, begin)
            self.children.append((member, target))
        before = cpu_clock() if cpu_clock else 0
        target.start()
        used = (cpu_clock() if cpu_clock else 0) - before
        starter.log.append((verb[0], place, begin, now(), member, used))
        self.started.setdefault(group, []).append((verb[1], member, target))

    def thread(self, key, instant=None):
        actor = self.actors[key]
        actor.thread = threading.Thread(target=actor.live, args=(instant,), name=actor.spec["python_name"])
        actor.thread.daemon = actor.spec["daemon"]
        return actor.thread

    def counted(self, key):
        if not self.actors[key].spec["daemon"] or self.only_daemons:
            self.alive.append(key)

    def run(self, arrived, last):
        """Runs all threads, from the instant when the process arrived, and waits for their end without the GIL."""
        own = [key for key in self.spec["threads"] if self.actors[key].spec["at"] is not None]
        main = [key for key in own if self.actors[key].spec["main"]]
        instants = dict((key, arrived + self.actors[key].spec["at"] * UNIT) for key in own)
        for key in own:
            self.actors[key].born = instants[key]
            self.counted(key)
        for key in own:
            if key not in main:
                self.thread(key, instants[key]).start()
        if last is not None:
            thread.start_new_thread(self.keep, (last,))
        for key in main:
            self.actors[key].thread = threading.current_thread()
            self.actors[key].live(instants[key])
        while not select.select([self.ended], [], [])[0]:
            pass
        for member, child in self.children:
            child.join()
            self.codes[member] = child.exitcode
        self.finish(os.read(self.ended, 64).decode().split()[0])

    def keep(self, last):
        """Ends the run at the horizon, whatever the threads do. Until then it sleeps in the kernel."""
        wait_until(last)
        for actor in self.actors.values():
            actor.cut(last)
        STOP.append(True)
        time.sleep(0.03)
        self.settle()
        self.finish("horizon")
        if LIFE:
            collect({})
        os._exit(0)

    def settle(self):
        """Waits until whoever was cut off in the middle of Python code is back on a core and has noted its last gap."""
        patience = now() + RETURN * 1000000000 * UNIT
        while not all(actor.over or actor.away() for actor in self.actors.values()):
            if now() > patience:
                return self.fail("a thread was without a core for %d s at the horizon: the host is too busy" % RETURN)
            time.sleep(0.002)

    def over(self, word):
        os.write(self.signal, (word + " ").encode())

    def fail(self, detail):
        self.failed.append(detail)
        STOP.append(True)
        self.over("failed")

    def finish(self, word):
        """Writes the results, once."""
        if not self.finishing.acquire(False):
            while True:
                time.sleep(60)
        begin = now()
        data = {"process": self.number, "ending": word, "refused": self.refused, "failed": self.failed,
                "codes": self.codes, "children": [member for member, _ in self.children], "threads": [actor.result() for actor in self.actors.values()],
                "born": BORN, "ended": begin, "cpu": core_time(), "start_up": START_UP}
        write_file("result-%d" % self.number, data)


def write_file(name, data):
    """Whole or not at all."""
    path = os.path.join(DIRECTORY, name)
    with open(path + ".tmp", "wb") as target:
        marshal.dump(data, target)
    os.rename(path + ".tmp", path)


def read_file(name, patience=0.0):
    end = time.time() + patience
    while True:
        try:
            with open(os.path.join(DIRECTORY, name), "rb") as source:
                return marshal.load(source)
        except (IOError, OSError):
            if time.time() > end:
                return None
            time.sleep(0.001)


def make_process(number, arrived):
    method = JOB["processes"][number]["method"]
    context = multiprocessing.get_context(method) if hasattr(multiprocessing, "get_context") else multiprocessing
    return context.Process(target=child, args=(number, arrived, DIRECTORY))


def child(number, arrived, directory):
    """The main function of every child process. `arrived` is None for one that waits for the common start."""
    born, used = now(), core_time()
    if LIFE:
        os.close(LIFE.pop())
    settle(directory)
    watch = os.open(os.path.join(directory, "life"), os.O_RDONLY | os.O_NONBLOCK)
    end_with(watch)
    globals().update(BORN=born, START_UP=used)
    if arrived is None:
        write_file("begun-%d" % number, born)
    run_here(number, arrived)


def settle(directory):
    """What every process needs before it runs threads of the model."""
    global DIRECTORY, SILENT, JOB, NATIVE_CALL
    DIRECTORY = directory
    del STOP[:]
    SILENT = os.pipe()[0]
    gc.disable()
    if JOB is None:
        JOB, cost = read_file("job")
        COST.update(cost)
        NATIVE_CALL = native_call() if "native" in COST else None


def run_here(number, arrived):
    global PROCESS
    PROCESS = Process(number)
    zero = read_file("zero", 60.0)
    if arrived is None:
        arrived = zero + JOB["processes"][number]["at"] * UNIT
    PROCESS.run(arrived, None if JOB["until"] is None else zero + JOB["until"] * UNIT)


START_UP = None  # The core time of this process up to its first line.
BORN = DIRECTORY = SILENT = JOB = PROCESS = NATIVE_CALL = None
LIFE = []  # The first process's end of the lifeline of all others.

# ---------------------------------------------------------------- the first process


def say(**line):
    data = (json.dumps(line) + "\n").encode()
    while data:
        data = data[os.write(1, data):]


def read_job():
    data = b""
    while not data.endswith(b"\n"):
        piece = os.read(0, 1 << 16)
        if not piece:
            os._exit(3)
        data += piece
    return json.loads(data.decode())


def prepare(directory):
    """Calibrates in a thread, shares the job with the processes to come, and starts what serves them."""
    global NATIVE_CALL
    verbs = set(op[0] for program in JOB["programs"] for op in program)
    NATIVE_CALL = native_call() if "native" in verbs else None
    calibration = threading.Thread(target=calibrate, args=(verbs,))
    calibration.start()
    calibration.join()
    write_file("job", (JOB, COST))
    os.mkfifo(os.path.join(directory, "life"))
    LIFE.append(os.open(os.path.join(directory, "life"), os.O_RDWR))
    if JOB["devices"]:
        os.mkfifo(os.path.join(directory, "device"))
        if os.fork() == 0:
            serve(directory)
    methods = set(process["method"] for process in JOB["processes"] if process["how"] != "root")
    if "forkserver" in methods:
        from multiprocessing import forkserver
        forkserver.ensure_running()
    elif "spawn" in methods and sys.version_info >= (3, 8):
        from multiprocessing import resource_tracker
        resource_tracker.ensure_running()


def serve(directory):
    try:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.close(LIFE.pop())
        end_with(os.open(os.path.join(directory, "life"), os.O_RDONLY | os.O_NONBLOCK))
        serve_devices(JOB["devices"], directory)
    finally:
        os._exit(1)


def start_clock():
    """Time zero: late enough for every thread to be at its gate."""
    widest = max(len(process["threads"]) for process in JOB["processes"])
    zero = now() + (20 + widest) * 1000000 * UNIT
    write_file("zero", zero)
    return zero


def launch(held, later):
    """Children that arrive together wait for the common start; spawned ones are started at their time."""
    children = []
    for number in held:
        children.append((number, make_process(number, None)))
        children[-1][1].start()
    for number in held:
        if read_file("begun-%d" % number, 30.0) is None:
            return say(error="process %d did not come up" % number)
    zero = start_clock()
    last = float("inf") if JOB["until"] is None else zero + JOB["until"] * UNIT
    for number in sorted(later, key=lambda each: JOB["processes"][each]["at"]):
        arrived = zero + JOB["processes"][number]["at"] * UNIT
        if arrived >= last:
            break
        wait_until(arrived)
        children.append((number, make_process(number, arrived)))
        children[-1][1].start()
    for number, process in children:
        process.join()
    return dict((number, process.exitcode) for number, process in children)


def collect(codes):
    """Passes on what every process has left."""
    zero, last = read_file("zero"), 0
    relative = lambda stamp: None if stamp is None else int(round((stamp - zero) / UNIT))  # noqa: E731
    known = list(codes) or [number for number, process in enumerate(JOB["processes"]) if process["how"] == "root"]
    for number in known:
        result = read_file("result-%d" % number, 2.0)
        if result is None:
            say(error="process %d ended without a result (exit code %s)" % (number, codes.get(number)))
            continue
        codes.update(result["codes"])
        known.extend(result["children"])
        for lost in result["failed"]:
            say(error=lost)
        for code, who, at, detail, target in result["refused"]:
            say(refused={"code": code, "thread": who, "at": relative(at), "detail": detail, "target": target})
        for each in result["threads"]:
            pass_on(each, relative)
        say(process={"process": number, "ending": result["ending"], "born": relative(result["born"]),
                     "ended": relative(result["ended"]), "cpu": result["cpu"], "start_up": result["start_up"]})
        last = max(last, relative(result["ended"]))
    say(end={"codes": sorted(codes.items()), "ended": last, "cpu": core_time()})


def pass_on(result, relative):
    log = []
    for entry in result["log"]:
        entry = [STEPS[entry[0]], entry[1], relative(entry[2]), relative(entry[3])] + list(entry[4:])
        if entry[0] == "io":
            entry[4] = relative(entry[4])
        elif entry[0] in TIMED:
            entry[6] = -1 if entry[6] is None else max(relative(entry[6]), 0)
        log.append(entry)
    begun = result["begun"]
    if begun:
        begun = [STEPS[begun[0]], begun[1], relative(begun[2])] + list(begun[3:])
    say(thread={"thread": result["thread"], "born": relative(result["born"]), "first": relative(result["first"]),
                "finished": relative(result["finished"]), "begun": begun, "log": log, "totals": result["totals"]})


def hello():
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    interval = getattr(sys, "getswitchinterval", lambda: 0.0)()
    say(hello={"version": list(sys.version_info[:3]), "build": sys.version, "gil": gil, "interval": interval,
               "cpu_clock": cpu_clock is not None, "counters": libc is not None, "pid": os.getpid()})


def main(directory, parent):
    global JOB
    end_with_parent(parent)
    JOB = read_job()
    end_with(0)
    settle(directory)
    hello()
    prepare(directory)
    say(cost=COST, native=NATIVE_CALL and NATIVE_CALL[0])
    kinds = dict((how, [number for number, process in enumerate(JOB["processes"]) if process["how"] == how])
                 for how in ("root", "held", "later"))
    codes = {}
    if kinds["root"]:
        start_clock()
        globals().update(BORN=read_file("zero"))
        run_here(kinds["root"][0], None)
    else:
        codes = launch(kinds["held"], kinds["later"])
    collect(codes or {})
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
