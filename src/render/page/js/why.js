// "Why is it waiting?" Read off the records: what the thread waits for, who has that and what the owner does meanwhile,
// what ended the wait, and the causes that the engine wrote down.

/** The explanation of one segment of a thread: `{brief, steps, causes}`; steps are sentences. */
function explain(run, thread, segment) {
  const lane = run.all.threads[thread];
  const [start, end] = [lane.start[segment], lane.end[segment]];
  const state = run.states[lane.state[segment]];
  const head = `${who(run, thread)} ${does(run, lane.state[segment])} since ${exact(start)}, until ${exact(end)}: ${exact(end - start)} in all.`;
  const wait = { run, thread, lane, segment, start, end, from: lane.from[segment], to: lane.to[segment] };
  const steps = reasonsOf(wait, state.word);
  return { brief: steps.brief, steps: [head, ...steps.list, ...endOf(wait)], causes: causesOf(run, wait.to >= 0 ? wait.to : wait.from) };
}

function reasonsOf(wait, word) {
  const { run, thread } = wait;
  if (word === "wants-gil" || word === "forced") return gilReasons(wait);
  if (word === "runnable" || word === "runnable-gil") return coreReasons(wait);
  if (word === "lock") return lockReasons(wait);
  if (run.states[wait.lane.state[wait.segment]].on_core) {
    return { brief: `${who(run, thread)} is not waiting: it is on a core.`, list: [] };
  }
  const others = { io: "an answer from outside: no core and no GIL would help", sleep: "its own alarm: it asked to sleep" };
  const what = others[word] || run.states[wait.lane.state[wait.segment]].meaning;
  return { brief: `${who(run, thread)} → ${what}`, list: [`It waits for ${what}.`] };
}

/** The GIL: who held it during the wait, until which timer, and who asked. */
function gilReasons({ run, thread, start, end, from, to }) {
  const { gil } = run.threads[thread];
  if (gil === null) return { brief: "", list: [] };
  const lane = run.all.gils[gil];
  const name = `GIL(${run.gils[gil]})`;
  const holds = [];
  const first = Math.max(lastNotAbove(lane.start, start, lane.length), 0);
  for (let i = first; i < lane.length && lane.start[i] < end; i++) if (lane.end[i] > start) holds.push(i);
  const request = requestBy(run, gil, thread, from, to);
  const list = [`It needs the ${name}.`, ...holds.slice(0, 3).map((i) => holdSentence(run, lane, i))];
  if (holds.length > 3) list.push(`… and ${holds.length - 3} more held it before ${who(run, thread)} got it.`);
  if (request) {
    const timer = exact(request.at - request.since);
    list.push(`A holder keeps it until it blocks, or until a waiter has waited ${timer} without a switch and asks: ${who(run, thread)} asked at ${exact(request.at)}.`);
  }
  const given = holds.length ? lane.to[holds[holds.length - 1]] : -1;
  if (given >= 0 && given < to && shapeOf(run, given).act === "drop") list.push(`${exact(run.at[given])}: ${tell(run, given)}`);
  const owner = holds.length ? `held by ${who(run, lane.who[holds[0]])}` : "free, not yet taken";
  const until = request ? `its timer ends ${exact(request.at)}` : "no request of its own was needed";
  return { brief: `${who(run, thread)} → ${name} → ${owner} → ${until} → ${to < 0 ? "still waiting at the end" : `over at ${exact(end)}`}`, list };
}

function holdSentence(run, lane, i) {
  const owner = lane.who[i];
  const inside = run.all.threads[owner].at(lane.start[i]);
  const doing = inside < 0 ? "" : `, which ${does(run, run.all.threads[owner].state[inside])}`;
  return `It is held by ${who(run, owner)}${doing}, from ${exact(lane.start[i])} to ${exact(lane.end[i])}.`;
}

/** The request that a thread made during a wait, if it made one. */
function requestBy(run, gil, thread, from, to) {
  const list = run.all.requests[gil];
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].record < from) low = middle + 1;
    else high = middle;
  }
  for (let i = low; i < list.length && (to < 0 || list[i].record <= to); i++) if (list[i].thread === thread) return list[i];
  return null;
}

function coreReasons({ run, thread, start, end, to }) {
  const busy = [];
  run.all.cores.forEach((lane, core) => {
    const place = lane.at(start);
    if (place >= 0) busy.push(`core ${core}: ${who(run, lane.who[place])} until ${exact(lane.end[place])}`);
  });
  const list = [busy.length ? `All cores it may use are busy: ${busy.slice(0, 6).join("; ")}${busy.length > 6 ? " …" : ""}.` : "It has just been woken."];
  return { brief: `${who(run, thread)} → a core → ${busy.length ? "all busy" : "being dispatched"} → ${to < 0 ? "still waiting at the end" : `over at ${exact(end)}`}`, list };
}

/** A lock: its owner, and what the owner waits for, as far as the chain goes. */
function lockReasons(wait) {
  const { run, end, to } = wait;
  const list = [];
  const names = [who(run, wait.thread)];
  const met = new Set();
  let { thread, from, to: ended } = wait;
  for (;;) {
    met.add(thread);
    const owner = ownerFor(run, from);
    if (owner < 0) break;
    const lock = lockBetween(run, thread, owner, ended, wait.start);
    list.push(`${who(run, thread)} needs ${lock}, held by ${who(run, owner)}.`);
    names.push(lock, `held by ${who(run, owner)}`);
    const doing = doingAt(run, owner, wait);
    if (!doing) break;
    list.push(`${who(run, owner)} ${does(run, doing.state)} meanwhile.`);
    if (run.states[doing.state].word !== "lock") break;
    if (met.has(owner)) {
      list.push("This is a circle: nobody in it can ever go on.");
      break;
    }
    [thread, from, ended] = [owner, doing.from, doing.to];
  }
  return { brief: `${names.join(" → ")} → ${to < 0 ? "never released" : `over at ${exact(end)}`}`, list };
}

/** What an owner does while another waits. At the end of a run that is its last state, also one of no time. */
function doingAt(run, owner, { start, end, to }) {
  for (let i = run.count - 1; to < 0 && i >= 0 && run.count - i < 5000; i--) {
    const shape = shapeOf(run, i);
    if (shape.kind === "state" && shape.thread === owner) return { state: shape.to, from: i, to: -1 };
  }
  const lane = run.all.threads[owner];
  const i = lane.at(Math.max(end - 1, start));
  return i < 0 ? null : { state: lane.state[i], from: lane.from[i], to: lane.to[i] };
}

/** Who owned the lock when a wait for it began: the record of the wait names what its owner last did as its cause. */
function ownerFor(run, record) {
  const cause = run.cause[record];
  return cause >= 0 ? (shapeOf(run, cause).thread ?? -1) : -1;
}

/** The lock that one thread waits for and another holds: the release that ended the wait names it, or what is held then. */
function lockBetween(run, thread, owner, ended, time) {
  const release = ended >= 0 && run.cause[ended] >= 0 ? shapeOf(run, run.cause[ended]) : null;
  if (release?.kind === "lock") return `lock ${run.locks[release.lock]}`;
  const holds = (lane) => {
    const place = lane.at(time);
    return place >= 0 && lane.who[place] === owner;
  };
  const held = run.locks.filter((_, lock) => holds(run.all.locks[lock]));
  return held.length === 1 ? `lock ${held[0]}` : held.length ? `one of the locks ${held.join(", ")}` : "a lock";
}

/** What ended a segment. */
function endOf({ run, end, to }) {
  if (to < 0) return [run.left_out ? "The page holds no later records." : "Nothing ended it before the run was over."];
  return [`It ended at ${exact(end)}: ${tell(run, to)}`];
}

/** The chain of causes back from a record, newest first, as the engine wrote them down. */
function causesOf(run, record, most = 6) {
  const chain = [];
  for (let i = record; i >= 0 && chain.length < most; i = run.cause[i]) chain.push(`${exact(run.at[i])}  ${tell(run, i)}`);
  return chain;
}

/** Shows or hides the explanation of the selected segment; without one, of what the thread does at this instant. */
App.prototype.why = function (show = $("why").hidden) {
  const box = $("why");
  box.hidden = !show || this.hidden;
  $("tool-why").setAttribute("aria-expanded", String(!box.hidden));
  if (box.hidden) return;
  const { run } = this;
  const found = this.waitInQuestion();
  if (!found) return fill("why", el("p", {}, "Choose a thread first: ↑ and ↓, or a click on its lane."));
  if (found.segment < 0) return fill("why", el("p", {}, `${who(run, found.thread)} is not alive at ${exact(this.now)}.`));
  const { brief, steps, causes } = explain(run, found.thread, found.segment);
  fill(
    "why",
    el("p", { class: "brief" }, brief),
    el("ol", {}, ...steps.map((step) => el("li", {}, step))),
    el("h3", {}, "What led to its end, step by step back"),
    el("ol", {}, ...causes.map((cause) => el("li", {}, cause))),
  );
};

App.prototype.waitInQuestion = function () {
  const { lane, run } = this;
  if (!lane?.segments) return null;
  if (lane.kind === "thread") {
    const here = this.segment >= 0 ? this.segment : lane.segments.at(this.now);
    // At the very end of the run the last segments are over, and still the ones in question.
    return { thread: lane.id, segment: here >= 0 ? here : beforeAt(lane.segments, this.now) };
  }
  const inside = this.segment >= 0 ? this.segment : lane.segments.at(this.now);
  if (inside < 0) return null;
  const thread = lane.segments.who[inside];
  return { thread, segment: run.all.threads[thread].at(lane.segments.start[inside]) };
};
