// Lanes: the segments of every thread, core, GIL, lock and other shared object, read off the records in one pass.

/** Growing columns of segments: from, to, state (its colour), who, and the records that began and ended it. */
class Segments {
  constructor() {
    this.length = 0;
    this.open = false;
    this.grow(16);
  }

  grow(size) {
    const columns = { start: Float64Array, end: Float64Array, state: Uint8Array, who: Int32Array, from: Uint32Array, to: Int32Array };
    for (const [name, Type] of Object.entries(columns)) {
      const column = new Type(size);
      if (this[name]) column.set(this[name].subarray(0, this.length));
      this[name] = column;
    }
  }

  /** Begins a segment and ends the one before. */
  begin(at, state, who, record) {
    this.finish(at, record);
    if (this.length === this.start.length) this.grow(this.length * 2);
    const i = this.length++;
    this.start[i] = at;
    this.state[i] = state;
    this.who[i] = who;
    this.from[i] = record;
    this.to[i] = -1;
    this.open = true;
  }

  /** Ends the open segment, if there is one. A segment without any time never was. */
  finish(at, record) {
    if (!this.open) return;
    const i = this.length - 1;
    this.open = false;
    this.end[i] = at;
    this.to[i] = record;
    if (this.start[i] === at) this.length = i;
  }

  /** The segment at a time, or −1. */
  at(time) {
    const i = lastNotAbove(this.start, time, this.length);
    return i >= 0 && time < this.end[i] ? i : -1;
  }
}

/** All segments of a run. Requests are records: `{at, since, thread, record}` for each GIL. */
function segmentsOf(run) {
  const many = (count) => Array.from({ length: count }, () => new Segments());
  const all = {
    threads: many(run.threads.length),
    cores: many(run.cores),
    gils: many(run.gils.length),
    locks: many(run.locks.length),
    objects: many(run.objects.length),
    requests: run.gils.map(() => []),
  };
  const reader = new Reader(run, all);
  for (let i = 0; i < run.count; i++) reader.read(i);
  reader.close();
  return all;
}

/** Reads records one after the other and keeps what must be remembered between them. */
class Reader {
  constructor(run, all) {
    this.run = run;
    this.all = all;
    this.python = stateOf(run, "python");
    this.done = stateOf(run, "done");
    this.shown = new Set(["native-gil", "runnable-gil", "overhead"].map((word) => stateOf(run, word)));
    this.core = new Int32Array(run.threads.length).fill(-1);
    this.holds = new Int32Array(run.threads.length).fill(-1);
    this.granted = new Float64Array(run.gils.length);
  }

  read(i) {
    const shape = shapeOf(this.run, i);
    if (shape.kind === "state") this.state(i, shape);
    else if (shape.kind === "gil") this.gil(i, shape);
    else if (shape.kind === "lock") this.lock(i, shape);
    else if (shape.kind === "object") this.object(i, shape);
  }

  state(i, { thread, to, core }) {
    const { all, run } = this;
    const at = run.at[i];
    if (to === this.done) all.threads[thread].finish(at, i);
    else all.threads[thread].begin(at, to, thread, i);
    const before = this.core[thread];
    // The core may have gone to somebody else at this very instant, before this thread's own record.
    if (before >= 0 && all.cores[before].open && all.cores[before].who[all.cores[before].length - 1] === thread) {
      all.cores[before].finish(at, i);
    }
    if (core !== null) all.cores[core].begin(at, to, thread, i);
    this.core[thread] = core === null ? -1 : core;
    this.paintHold(i, thread, to);
  }

  /** A GIL is drawn in the colour of what its holder does with it. */
  paintHold(i, thread, to) {
    const gil = this.holds[thread];
    if (gil < 0) return;
    const lane = this.all.gils[gil];
    const state = this.shown.has(to) ? to : this.python;
    const last = lane.length - 1;
    if (!lane.open || lane.state[last] === state) return;
    if (lane.start[last] === this.run.at[i]) lane.state[last] = state;
    else lane.begin(this.run.at[i], state, thread, i);
  }

  gil(i, { gil, thread, act }) {
    const at = this.run.at[i];
    const lane = this.all.gils[gil];
    if (act === "grant") {
      this.holds[thread] = gil;
      lane.begin(at, this.python, thread, i);
      this.granted[gil] = at;
    } else if (act === "drop") {
      this.holds[thread] = -1;
      lane.finish(at, i);
    } else {
      // The timer began with the wait, or anew when somebody took the GIL meanwhile.
      const cause = this.run.cause[i];
      const since = Math.max(cause < 0 ? at : this.run.at[cause], this.granted[gil]);
      this.all.requests[gil].push({ at, since, thread, record: i });
    }
  }

  lock(i, { lock, thread, act }) {
    const lane = this.all.locks[lock];
    if (act === "release") lane.finish(this.run.at[i], i);
    else lane.begin(this.run.at[i], this.python, thread, i);
  }

  /** A queue with items in it, an event that is set: how much an object holds, from one change to the next. */
  object(i, { object, thread, value }) {
    const lane = this.all.objects[object];
    if (value === 0) lane.finish(this.run.at[i], i);
    else lane.begin(this.run.at[i], this.python, thread, i);
  }

  close() {
    const { threads, cores, gils, locks, objects } = this.all;
    for (const lane of [...threads, ...cores, ...gils, ...locks, ...objects]) lane.finish(this.run.end, -1);
  }
}

/** How long a lane was in each state: what tables say must be the sum of what is drawn. */
function totalsOf(segments, states) {
  const totals = new Array(states).fill(0);
  for (let i = 0; i < segments.length; i++) totals[segments.state[i]] += segments.end[i] - segments.start[i];
  return totals;
}

/** The lanes of one run from top to bottom, headings among them. `side` is 0 for A, 1 for B. */
function lanesOf(run, all, side, title) {
  const lanes = [];
  const heading = (label) => lanes.push({ kind: "heading", label, height: 26, side, run });
  const lane = (kind, id, label, segments, height = 28) =>
    lanes.push({ kind, id, label, segments, height, side, run });
  heading(`${title}cores`);
  all.cores.forEach((segments, id) => lane("core", id, `core ${id}`, segments));
  if (run.gils.length) heading(run.gils.length === 1 ? `${title}GIL` : `${title}GILs`);
  all.gils.forEach((segments, id) => {
    lane("gil", id, `GIL ${run.gils[id]}`, segments);
    if (all.requests[id].length) {
      lanes.push({ kind: "requests", id, label: "requests", segments: null, requests: all.requests[id], height: 24, side, run });
    }
  });
  threadLanes(run, all, title, heading, lane);
  if (run.locks.length) heading(`${title}locks`);
  all.locks.forEach((segments, id) => lane("lock", id, run.locks[id], segments));
  if (run.objects.length) heading(`${title}queues and the like`);
  all.objects.forEach((segments, id) => lane("object", id, run.objects[id], segments));
  return lanes;
}

/** The threads, process by process. A process of one thread needs no heading of its own. */
function threadLanes(run, all, title, heading, lane) {
  const members = run.processes.map(() => []);
  run.threads.forEach((thread, id) => members[thread.process].push(id));
  const alone = members.every((ids) => ids.length <= 1) || run.processes.length === 1;
  if (alone) heading(`${title}threads`);
  members.forEach((ids, process) => {
    if (!alone && ids.length) heading(`${title}process ${run.processes[process]}`);
    for (const id of ids) lane("thread", id, alone ? run.threads[id].label : run.threads[id].name, all.threads[id]);
  });
}
