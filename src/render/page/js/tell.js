// One sentence for each record, made of who, what and why. The table shows the same three parts.

/** What a thread does in a state, after its name. The rest say what the legend says. */
const DOES = {
  io: "waits in a blocking call",
  overhead: "keeps its core busy with overhead",
  suspended: "is stopped",
};

/** What happens to a job, after the name of its thread. */
const JOB = { release: "is released", finish: "finished a job", miss: "missed its deadline" };

function does(run, state) {
  const { word, legend } = run.states[state];
  return DOES[word] || legend;
}

/** The three parts of a record: `{who, what, why}`. */
function partsOf(run, i) {
  const shape = shapeOf(run, i);
  switch (shape.kind) {
    case "state":
      return { who: who(run, shape.thread), what: stateText(run, shape), why: stateReason(run, i, shape) };
    case "gil":
      return { who: who(run, shape.thread), ...gilText(run, i, shape) };
    case "lock":
      return { who: who(run, shape.thread), ...lockText(run, shape) };
    case "object":
      return { who: who(run, shape.thread), what: seen(shape.what), why: seen(shape.holds) };
    case "span":
      return { who: who(run, shape.thread), what: `${shape.act}s ${run.spans[shape.span]}`, why: "" };
    case "dispatch":
      return { who: who(run, shape.thread), what: `gets core ${shape.core}`, why: `more urgent than ${who(run, shape.preempted)}, which loses it` };
    case "job":
      return { who: who(run, shape.thread), what: JOB[shape.act], why: shape.act === "miss" ? "a job of it is not finished and should be" : "" };
    case "output":
      return { who: who(run, shape.thread), what: `printed “${seen(shape.text)}”`, why: "" };
    case "quota":
      return { who: `process ${run.processes[shape.process]}`, what: shape.throttled ? "has used up its quota" : "has a quota again", why: "" };
    case "exit":
      return { who: `process ${run.processes[shape.process]}`, what: `ended with exit code ${shape.code}`, why: "" };
    default:
      return { who: "the run", what: `ended: ${shape.ending || ""}`, why: seen(shape.detail || "") };
  }
}

/** The whole sentence. */
function tell(run, i) {
  if (!run.count) return "Nothing happened.";
  const { who: name, what, why } = partsOf(run, i);
  return `${name} ${what}${why ? `: ${why}` : ""}.`;
}

function stateText(run, { to, core }) {
  return core === null ? does(run, to) : `${does(run, to)} on core ${core}`;
}

function stateReason(run, i, shape) {
  if (shape.why === "gil-locked" || shape.why === "gil-requested") {
    const gil = run.threads[shape.thread].gil;
    const holder = gil === null ? -1 : holderAt(run, gil, i);
    if (holder >= 0 && holder !== shape.thread) {
      return `${who(run, holder)} holds it; a timed wait of ${exact(run.interval_ns?.[gil] ?? 0)} begins`;
    }
  }
  return run.whys.get(shape.why) || shape.why;
}

function gilText(run, i, { gil, act, switched, forced }) {
  const name = run.gils.length > 1 ? `the GIL of ${run.gils[gil]}` : "the GIL";
  if (act === "request") {
    const waited = run.interval_ns?.[gil];
    return { what: `asked for ${name}`, why: waited ? `it had waited ${exact(waited)} without a switch` : "its timed wait was over" };
  }
  if (act === "grant") {
    return { what: `took ${name}`, why: switched ? lastHolder(run, i, gil) : "nobody else had taken it meanwhile" };
  }
  if (!forced) return { what: `let go of ${name}`, why: "of its own accord" };
  const asked = run.cause[i] >= 0 ? shapeOf(run, run.cause[i]) : null;
  const asker = asked?.act === "request" ? `${who(run, asked.thread)} had asked for it` : "it was asked to";
  return { what: `let go of ${name}`, why: `${asker}, and this was a check point` };
}

/** Who held a GIL before the grant that is record `i`. */
function lastHolder(run, i, gil) {
  // A GIL changes hands often: its last grant is near, or the search is not worth its time.
  for (let k = i - 1; k >= 0 && i - k < 5000; k--) {
    const shape = shapeOf(run, k);
    if (shape.kind === "gil" && shape.gil === gil && shape.act === "grant") return `${who(run, shape.thread)} had held it last`;
  }
  return i < 5000 ? "nobody had held it before" : "another thread had held it last";
}

function lockText(run, { lock, act }) {
  const name = `lock ${run.locks[lock]}`;
  if (act === "acquire") return { what: `acquired ${name}`, why: "it was free" };
  if (act === "release") return { what: `released ${name}`, why: "" };
  return { what: `got ${name}`, why: "its owner handed it over" };
}

/** Who holds a GIL when a record is written, or −1. */
function holderAt(run, gil, i) {
  const lane = run.all.gils[gil];
  // Several pieces of one hold may come one after the other; their records are in order.
  const place = lastNotAbove(lane.from, i, lane.length);
  if (place < 0) return -1;
  const ended = lane.to[place];
  return ended >= 0 && ended < i && ended !== lane.from[place + 1] ? -1 : lane.who[place];
}

/** A segment in words: who, what, from when to when, and for how long. */
function describe(lane, segment) {
  const { segments, run } = lane;
  const [start, end] = [segments.start[segment], segments.end[segment]];
  const time = `${exact(start)} to ${exact(end)} (${exact(end - start)})`;
  const name = who(run, segments.who[segment]);
  const action = does(run, segments.state[segment]);
  if (lane.kind === "thread") {
    const holder = run.states[segments.state[segment]].word === "wants-gil" ? holderDuring(run, lane.id, start) : null;
    return `${name}, ${action}, ${time}${holder ? `, held by ${holder}` : ""}`;
  }
  if (lane.kind === "core") return `${lane.label}: ${name}, ${action}, ${time}`;
  if (lane.kind === "object") return `${lane.label}: ${holdsAt(lane, segment)} since ${name} changed it, ${time}`;
  return `${lane.label}: held by ${name}, ${time}`;
}

/** How much a shared object holds during a segment, in words. */
function holdsAt(lane, segment) {
  return seen(shapeOf(lane.run, lane.segments.from[segment]).holds);
}

/** What was measured of a lane's thread at an instant, in words, and where it finished. */
function describeMeasured(app, lane, time) {
  const { segments, spread, id } = lane.measured;
  const { run } = app.measured;
  const segment = segments ? segments.at(time) : -1;
  const parts = segment < 0 ? [] : [`measured: ${describe({ kind: "thread", id, segments, run }, segment)}`];
  if (spread) {
    const [least, median, most] = [spread.least_ns, spread.median_ns, spread.most_ns].map(exact);
    parts.push(`finished in ${app.measured.runs} runs at ${least} to ${most}, median ${median}`);
  }
  return parts.join("; ") || null;
}

/** The name of who holds the GIL of a thread at an instant. */
function holderDuring(run, thread, time) {
  const { gil } = run.threads[thread];
  if (gil === null) return null;
  const lane = run.all.gils[gil];
  const place = lane.at(time);
  return place < 0 || lane.who[place] === thread ? null : who(run, lane.who[place]);
}

/** What an instant changed on cores, GILs and locks: `GIL main: cruncher → server`. */
function changesAt(run, time, most = 6) {
  const { cores, gils, locks } = run.all;
  const lanes = [
    ...gils.slice(0, 64).map((lane, id) => [`GIL ${run.gils[id]}`, lane]),
    ...cores.slice(0, 64).map((lane, id) => [`core ${id}`, lane]),
    ...locks.slice(0, 64).map((lane, id) => [`lock ${run.locks[id]}`, lane]),
  ];
  const changes = [];
  for (const [name, lane] of lanes) {
    const after = lane.at(time);
    const before = beforeAt(lane, time);
    const [was, is] = [before, after].map((place) => (place < 0 ? "nobody" : who(run, lane.who[place])));
    if (was !== is) changes.push(`${name}: ${was} → ${is}`);
  }
  return changes.length > most ? [...changes.slice(0, most), `and ${changes.length - most} more`] : changes;
}

/** The segment just before an instant, or −1. */
function beforeAt(lane, time) {
  let place = lastNotAbove(lane.start, time, lane.length);
  if (place >= 0 && lane.start[place] === time) place--;
  return place >= 0 && lane.end[place] >= time ? place : -1;
}
