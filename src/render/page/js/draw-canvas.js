// Draws lanes. A segment of two pixels or more is a block; shorter ones share their pixel's column by their time, so
// that a short run is seen at any zoom and a column shows how much of it was what.

/** A canvas that fits its place on the screen, cleared; returns its context in screen pixels. */
function prepare(canvas, width, height, ratio = window.devicePixelRatio || 1) {
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

function paintBlock(context, look, x, y, width, height) {
  context.fillStyle = look.fill;
  context.fillRect(x, y, width, height);
  if (look.edge && width >= 3) {
    context.strokeStyle = look.edge;
    context.lineWidth = 1;
    context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  }
}

/**
 * The columns of one lane while it is being drawn: pixels that several segments share. Bars are collected and drawn state
 * by state, each from its top down to the bottom of the lane, those below over those above: so neighbours that are alike
 * become one, and a million segments stay a few thousand rectangles.
 */
class Columns {
  constructor(context, looks, states) {
    this.context = context;
    this.looks = looks;
    /** What runs stands at the bottom. */
    this.order = [...states.keys()].sort((a, b) => states[b].running - states[a].running);
    this.running = states.map((state) => state.running);
    this.share = new Float64Array(states.length);
    /** For each state its bars, as left, right, top. */
    this.bars = states.map(() => []);
    this.gaps = [];
  }

  /** Begins a lane; `grain` is the width of a column. */
  begin(y, height, grain) {
    this.y = y;
    this.bottom = y + height;
    this.grain = grain;
    this.column = -1;
    this.filled = 0;
  }

  /** A part of a column goes to a state; `whole` says that its segment is wider than a column. */
  add(column, state, part, whole) {
    if (column !== this.column) {
      this.flush();
      this.column = column;
      this.mixed = false;
    }
    this.share[state] += part;
    this.filled += part;
    this.mixed ||= !whole;
  }

  /** Ends a column: by shares where short segments lie in it, else as what most of it is. */
  flush() {
    if (this.filled > 0) {
      if (this.mixed) this.stack();
      else if (this.filled > 0.5) this.bar(this.share.indexOf(Math.max(...this.share)), this.y);
    }
    this.share.fill(0);
    this.filled = 0;
  }

  /** One state on the other; what runs is at least two pixels high, so that a short run is seen. */
  stack() {
    const height = this.bottom - this.y;
    let top = this.bottom;
    let last = -1;
    for (const state of this.order) {
      const part = this.share[state];
      if (part <= 0) continue;
      top = Math.max(top - Math.max(Math.round(part * height), this.running[state] ? 2 : 1), this.y);
      this.bar(state, top);
      last = state;
    }
    // Rounding leaves a pixel now and then; it belongs to the uppermost.
    if (top > this.y && this.filled > 0.99) this.bar(last, this.y);
  }

  bar(state, top) {
    const bars = this.bars[state];
    const n = bars.length;
    const left = this.column * this.grain;
    if (n && bars[n - 1] === top && bars[n - 2] === left) bars[n - 2] = left + this.grain;
    else bars.push(left, left + this.grain, top);
  }

  /** Draws what was collected, and keeps blocks apart where that was asked for. */
  end(ground) {
    this.flush();
    const { context, bottom } = this;
    for (const state of this.order.toReversed()) {
      const bars = this.bars[state];
      if (bars.length) context.fillStyle = this.looks[state].fill;
      for (let i = 0; i < bars.length; i += 3) context.fillRect(bars[i], bars[i + 2], bars[i + 1] - bars[i], bottom - bars[i + 2]);
      bars.length = 0;
    }
    context.fillStyle = ground;
    for (const x of this.gaps) context.fillRect(x, this.y, 1, bottom - this.y);
    this.gaps.length = 0;
  }
}

/**
 * Draws the segments of a lane that are in view. `name` gives the text of a block, where it has room. With `holders`,
 * `{ground, mark, thread}`, neighbours are kept apart by a gap, and the blocks of one thread are underlined.
 */
function drawSegments(context, columns, segments, scale, y, height, name, holders = null) {
  const { start, end, state } = segments;
  const { from, to } = scale;
  const { looks } = columns;
  let i = Math.max(lastNotAbove(start, from, segments.length), 0);
  const many = lastNotAbove(start, to, segments.length) - i > 2 * scale.width;
  const grain = many ? 2 : 1;
  const right = scale.width / grain;
  const perTime = right / scale.span;
  columns.begin(y, height, grain);
  for (; i < segments.length && start[i] < to; i++) {
    if (end[i] <= from) continue;
    const x0 = Math.max((start[i] - from) * perTime, 0);
    const x1 = Math.min((end[i] - from) * perTime, right);
    const first = Math.floor(x0);
    const last = Math.floor(x1);
    if (first === last) {
      columns.add(first, state[i], x1 - x0, false);
      continue;
    }
    const whole = x1 - x0 >= 2;
    columns.add(first, state[i], first + 1 - x0, whole);
    if (last > first + 1) block((first + 1) * grain, last * grain, i);
    columns.add(last, state[i], x1 - last, whole);
  }
  columns.end(holders?.ground);

  function block(x, right, i) {
    const width = right - x;
    paintBlock(context, looks[state[i]], x, y, width, height);
    if (holders && width >= 3) columns.gaps.push(x - 1);
    if (holders && segments.who[i] === holders.thread) {
      context.fillStyle = holders.mark;
      context.fillRect(x, y + height + 1, width, 3);
    }
    if (width > 24) writeOn(context, looks[state[i]], name(i), x, y, width, height);
  }
}

/** Writes on a block, on a plate of its colour, because letters on a pattern are hard to read. */
function writeOn(context, look, text, x, y, width, height) {
  if (!text) return;
  context.font = "12px system-ui, 'Liberation Sans', 'DejaVu Sans', sans-serif";
  const wide = context.measureText(text).width;
  if (wide + 10 > width) return;
  if (look.fill !== look.base) {
    context.fillStyle = look.base;
    context.fillRect(x + 3, y + 3, wide + 6, height - 6);
  }
  context.fillStyle = look.text;
  context.textBaseline = "middle";
  context.fillText(text, x + 6, y + height / 2 + 0.5);
}

/** What stands on a block: threads say what they do, shared objects how much they hold, everything else who has it. */
function blockText(lane, i) {
  const { segments, run } = lane;
  if (lane.kind === "thread") return run.states[segments.state[i]].legend;
  if (lane.kind === "object") return holdsAt(lane, i);
  return who(run, segments.who[i]);
}

/** How lanes that show who has something tell their blocks apart; threads need no such help. */
function holdersOf(lane, theme, { chosen }) {
  if (lane.kind === "thread") return null;
  const same = chosen?.kind === "thread" && chosen.run === lane.run;
  return { ground: theme.surface, mark: theme.focus, thread: same ? chosen.id : -1 };
}

/** The timed waits that ended in a request, and the arrow up to the GIL. */
function drawRequests(context, lane, scale, y, height, theme) {
  const list = lane.requests;
  const middle = y + height / 2 + 3;
  let before = -9;
  let low = 0;
  let high = list.length;
  while (low < high) {
    const half = (low + high) >> 1;
    if (list[half].at < scale.from) low = half + 1;
    else high = half;
  }
  context.strokeStyle = context.fillStyle = theme.ink;
  context.lineWidth = 1.5;
  for (let i = low; i < list.length && list[i].since <= scale.to; i++) {
    const x = scale.x(list[i].at);
    if (x - before < 3) continue;
    const room = x - before;
    before = x;
    const start = Math.max(scale.x(list[i].since), 0);
    if (x - start > 10) {
      context.setLineDash([5, 3]);
      context.beginPath();
      context.moveTo(start + 1, middle);
      context.lineTo(x, middle);
      context.stroke();
      context.setLineDash([]);
      const text = `${who(lane.run, list[i].thread)} waits`;
      context.font = "11px system-ui, 'Liberation Sans', 'DejaVu Sans', sans-serif";
      const wide = context.measureText(text).width;
      if (wide + 24 < x - start) {
        context.fillStyle = theme.surface;
        context.fillRect(start + 6, middle - 7, wide + 8, 14);
        context.fillStyle = theme.ink;
        context.textBaseline = "middle";
        context.fillText(text, start + 10, middle + 0.5);
      }
    }
    arrow(context, x, y, middle, room >= 6);
  }
}

/** An arrow upwards; where many stand side by side, only their shafts. */
function arrow(context, x, top, bottom, headed) {
  context.beginPath();
  context.moveTo(x, bottom);
  context.lineTo(x, top + 4);
  context.stroke();
  if (!headed) return;
  context.beginPath();
  context.moveTo(x, top - 1);
  context.lineTo(x - 4, top + 6);
  context.lineTo(x + 4, top + 6);
  context.fill();
}

/** Draws lanes one below the other, from `y` on; returns where they end. */
function drawLanes(context, lanes, scale, looks, theme, y, options = {}) {
  const columns = lanes.length ? new Columns(context, looks, lanes[0].run.states) : null;
  for (const lane of lanes) {
    if (y > (options.bottom ?? Infinity)) break;
    if (y + lane.height >= 0) drawLane(context, columns, lane, scale, theme, y, options);
    y += lane.height;
  }
  return y;
}

function drawLane(context, columns, lane, scale, theme, y, options) {
  context.fillStyle = lane.kind === "heading" ? theme.sunk : theme.surface;
  context.fillRect(0, y, scale.width, lane.height);
  context.fillStyle = theme.line;
  context.fillRect(0, y + lane.height - 1, scale.width, 1);
  if (lane.kind === "requests") drawRequests(context, lane, scale, y, lane.height, theme);
  if (!lane.segments) return;
  const height = (lane.full || lane.height) - 8;
  drawSegments(context, columns, lane.segments, scale, y + 4, height, (i) => blockText(lane, i), holdersOf(lane, theme, options));
  if (options.measured && lane.measured) drawMeasured(context, columns, lane, scale, y + 4 + height + 2, theme);
}
