// The records of a run: the block of JSON, unpacked into columns.
//
// A record is three numbers: nanoseconds after the one before, its shape, and how many records back its cause stands.

/** A run as the rest of the page knows it. */
function decodeRun(source, data) {
  const count = source.shape.length;
  const at = new Float64Array(count);
  const cause = new Int32Array(count);
  let now = 0;
  for (let i = 0; i < count; i++) {
    now += source.after_ns[i];
    at[i] = now;
    cause[i] = source.back[i] ? i - source.back[i] : -1;
  }
  const threads = source.cast.threads.map((thread) => ({ ...thread, name: seen(thread.name), label: seen(thread.label) }));
  const run = {
    ...source,
    count,
    at,
    cause,
    states: data.states,
    shape: Uint32Array.from(source.shape),
    threads,
    gils: source.cast.gils.map(seen),
    locks: source.cast.locks.map(seen),
    objects: source.cast.objects.map(seen),
    spans: source.cast.spans.map(seen),
    processes: source.cast.processes.map(seen),
    cores: source.cast.cores,
    // A run that the page holds only in part is drawn as far as its records go.
    end: source.left_out || !source.result ? now : Math.max(source.result.ending.at_ns, now),
  };
  run.told = toldEvents(run);
  return run;
}

/** The shape of a record. */
function shapeOf(run, i) {
  return run.shapes[run.shape[i]];
}

/** Whether a record of this shape is a step for readers: accounts and plain dispatches are details of others. */
function isTold(shape) {
  return shape.kind !== "account" && !(shape.kind === "dispatch" && shape.preempted === null);
}

/** The numbers of all records that are steps, in order. */
function toldEvents(run) {
  const told = run.shapes.map(isTold);
  let count = 0;
  for (let i = 0; i < run.count; i++) if (told[run.shape[i]]) count++;
  const list = new Uint32Array(count);
  for (let i = 0, n = 0; i < run.count; i++) if (told[run.shape[i]]) list[n++] = i;
  return list;
}

/** The place of the last item of a sorted list that is not above a value; −1 if all are. */
function lastNotAbove(sorted, value, length = sorted.length) {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The name of a thread as a sentence says it. */
function who(run, thread) {
  return run.threads[thread].label;
}

/** The number of the state with this word. */
function stateOf(run, word) {
  return run.states.findIndex((state) => state.word === word);
}
