// The strip above the axis: the whole run in little, and the window that is in view. Dragging moves the window or
// chooses a new one; the buttons and keys beside it do the same without dragging.

const OVERVIEW_HEIGHT = 46;

/** For each column the time of all threads in three kinds: running, waiting for the GIL or a core, anything else. */
function overviewOf(segmentLists, states, end, width) {
  const kind = states.map((state) => (state.running ? 0 : state.wants_core || ["wants-gil", "forced"].includes(state.word) ? 1 : 2));
  const sums = [0, 1, 2].map(() => new Float64Array(width + 1));
  const perTime = width / end;
  for (const { length, start, end: ends, state } of segmentLists) {
    for (let i = 0; i < length; i++) {
      const sum = sums[kind[state[i]]];
      let x = start[i] * perTime;
      const right = ends[i] * perTime;
      while (x < right) {
        const column = Math.floor(x);
        const next = Math.min(column + 1, right);
        sum[column] += next - x;
        // A step too small for the numbers must not stand still.
        x = next > x ? next : column + 1;
      }
    }
  }
  return sums;
}

function drawOverview(context, app, theme) {
  const { width } = app.scale;
  const key = `${width} ${app.compared}`;
  if (app.overview?.key !== key) {
    const lists = app.runs.slice(0, app.compared ? 2 : 1).flatMap((view) => view.all.threads);
    app.overview = { key, sums: overviewOf(lists, app.data.states, app.scale.full, width) };
  }
  const { sums } = app.overview;
  const words = ["python", "wants-gil", "sleep"].map((word) => stateOf(app.runs[0].run, word));
  let top = 0;
  for (let x = 0; x < width; x++) top = Math.max(top, sums[0][x] + sums[1][x] + sums[2][x]);
  context.fillStyle = theme.surface;
  context.fillRect(0, 0, width, OVERVIEW_HEIGHT);
  const colours = [app.looks[words[0]].base, app.looks[words[1]].base, theme.line];
  for (let x = 0; x < width; x++) {
    let bottom = OVERVIEW_HEIGHT - 3;
    sums.forEach((sum, kind) => {
      const height = (sum[x] / (top || 1)) * (OVERVIEW_HEIGHT - 8);
      context.fillStyle = colours[kind];
      context.fillRect(x, bottom - height, 1, height);
      bottom -= height;
    });
  }
  drawWindow(context, app, theme);
}

function drawWindow(context, app, theme) {
  const { width, from, to, full } = app.scale;
  const left = (from / full) * width;
  const right = Math.max((to / full) * width, left + 3);
  context.fillStyle = theme.surface;
  context.globalAlpha = 0.6;
  context.fillRect(0, 0, left, OVERVIEW_HEIGHT);
  context.fillRect(right, 0, width - right, OVERVIEW_HEIGHT);
  context.globalAlpha = 1;
  context.strokeStyle = theme.accent;
  context.lineWidth = 2;
  context.strokeRect(left + 1, 1, Math.max(right - left - 2, 1), OVERVIEW_HEIGHT - 2);
}

/** Dragging inside a window moves it; anywhere else it chooses a new one. A click centres the window. */
function listenToOverview(app) {
  const canvas = $("overview");
  let drag = null;
  const timeAt = (event) => ((event.clientX - canvas.getBoundingClientRect().left) / app.scale.width) * app.scale.full;
  canvas.addEventListener("pointerdown", (event) => {
    const time = timeAt(event);
    const { from, to, full, span } = app.scale;
    const moves = span < full * 0.98 && time >= from && time <= to;
    drag = { time, from, to, moves, far: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const time = timeAt(event);
    drag.far ||= Math.abs(time - drag.time) > app.scale.full / 200;
    if (!drag.far) return;
    if (drag.moves) app.scale.show(drag.from + time - drag.time, drag.to + time - drag.time);
    else app.scale.show(Math.min(time, drag.time), Math.max(time, drag.time));
    app.changed();
  });
  canvas.addEventListener("pointerup", (event) => {
    if (drag && !drag.far) {
      const { span } = app.scale;
      app.scale.show(timeAt(event) - span / 2, timeAt(event) + span / 2);
      app.changed();
    }
    drag = null;
  });
  canvas.addEventListener("pointercancel", () => (drag = null));
}
