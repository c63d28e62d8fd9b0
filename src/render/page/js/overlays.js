// What lies over the lanes: the axis, the instant that is looked at, the marks A and B, and measurements.

function drawAxis(context, scale, theme, height) {
  context.font = "12px system-ui, 'Liberation Sans', 'DejaVu Sans', sans-serif";
  context.textBaseline = "middle";
  context.fillStyle = theme.surface;
  context.fillRect(0, 0, scale.width, height);
  for (const tick of scale.ticks()) {
    const x = Math.round(scale.x(tick));
    context.fillStyle = theme.quiet;
    context.fillRect(x, height - 6, 1, 6);
    const text = exact(Math.round(tick));
    const wide = context.measureText(text).width;
    if (x + 4 + wide < scale.width) context.fillText(text, x + 4, height / 2);
  }
}

/** Faint lines down through the lanes, where the axis has its numbers. */
function drawGrid(context, scale, theme, height) {
  context.save();
  context.globalAlpha = theme.paper ? 0.5 : 0.35;
  context.fillStyle = theme.quiet;
  for (const tick of scale.ticks()) context.fillRect(Math.round(scale.x(tick)), 0, 1, height);
  context.restore();
}

/** A line at an instant, with a small flag. */
function drawLine(context, scale, time, height, colour, flag, ground, dash = []) {
  const x = Math.round(scale.x(time)) + 0.5;
  if (x < -1 || x > scale.width + 1) return;
  context.strokeStyle = ground;
  context.lineWidth = 4;
  context.beginPath();
  context.moveTo(x, 0);
  context.lineTo(x, height);
  context.globalAlpha = 0.55;
  context.stroke();
  context.globalAlpha = 1;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.setLineDash(dash);
  context.stroke();
  context.setLineDash([]);
  if (!flag) return;
  context.font = "bold 12px system-ui, 'Liberation Sans', 'DejaVu Sans', sans-serif";
  const wide = context.measureText(flag).width + 10;
  const left = Math.min(x, scale.width - wide);
  context.fillStyle = colour;
  context.fillRect(left, 3, wide, 18);
  context.fillStyle = ground;
  context.textBaseline = "middle";
  context.fillText(flag, left + 5, 12.5);
}

/** The measured segments as a thin strip, and from the earliest to the latest finish a whisker. */
function drawMeasured(context, columns, lane, scale, y, theme) {
  const { segments, spread } = lane.measured;
  if (segments) drawSegments(context, columns, segments, scale, y, 8, () => "");
  if (!spread) return;
  const [least, median, most] = [spread.least_ns, spread.median_ns, spread.most_ns].map((time) => scale.x(time));
  const middle = y + 4;
  context.strokeStyle = theme.ink;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(least, middle);
  context.lineTo(most, middle);
  for (const x of [least, most]) {
    context.moveTo(x, middle - 5);
    context.lineTo(x, middle + 5);
  }
  context.stroke();
  context.fillStyle = theme.ink;
  context.beginPath();
  context.arc(median, middle, 3.5, 0, 2 * Math.PI);
  context.fill();
}

/** Joins measurements to the lanes of the threads with the same full names. */
function joinMeasured(lanes, run, measured) {
  const found = new Map(measured.run.threads.map((thread, id) => [thread.full, id]));
  const spreads = new Map(measured.spreads.map((spread) => [spread.thread, spread]));
  for (const lane of lanes) {
    if (lane.kind !== "thread" || lane.run !== run) continue;
    const { full } = run.threads[lane.id];
    const id = found.get(full);
    const segments = id === undefined ? null : measured.all.threads[id];
    const spread = spreads.get(full);
    if (segments || spread) lane.measured = { id, segments, spread };
  }
}
