// Mouse, pen and fingers on the lanes: a click chooses, a drag pans, two fingers zoom, the wheel zooms with Ctrl. Keys and
// buttons do the same.

/** The lane and segment under the pointer. */
App.prototype.under = function (event) {
  const box = $("lanes").getBoundingClientRect();
  const y = event.clientY - box.top + $("scroll").scrollTop;
  const lane = this.lanes[lastNotAbove(this.tops, y)];
  const time = this.scale.time(event.clientX - box.left);
  if (!lane?.segments) return { lane: null, time };
  const below = this.showsMeasured && lane.measured && y - this.tops[this.lanes.indexOf(lane)] >= lane.full;
  return { lane, segment: lane.segments.at(time), time, below };
};

/** Keeps the instants that are held under their pointers: one pans, two zoom as well. */
function follow(scale, [one, two]) {
  const apart = two ? two.x - one.x : 0;
  const span = Math.abs(apart) > 10 ? ((two.time - one.time) / apart) * scale.width : scale.span;
  if (span <= 0) return;
  const from = one.time - (one.x / scale.width) * span;
  scale.show(from, from + span);
}

function listenToLanes(app) {
  const canvas = $("lanes");
  /** The pointers that are down: where they are, where they began, and the instants that they hold. */
  const held = new Map();
  let far = false;
  const placeOf = (event) => event.clientX - canvas.getBoundingClientRect().left;
  const letGo = (event) => {
    held.delete(event.pointerId);
    canvas.classList.toggle("dragging", far && held.size > 0);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || held.size === 2) return;
    const x = placeOf(event);
    held.set(event.pointerId, { x, begun: x, time: app.scale.time(x) });
    far = held.size > 1;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const pointer = held.get(event.pointerId);
    if (!pointer) return showHover(app, event);
    pointer.x = placeOf(event);
    far ||= Math.abs(pointer.x - pointer.begun) > 4;
    if (!far) return;
    canvas.classList.add("dragging");
    follow(app.scale, [...held.values()]);
    app.changed();
  });
  canvas.addEventListener("pointerup", (event) => {
    if (held.has(event.pointerId) && !far) app.click(app.under(event));
    letGo(event);
  });
  // The browser takes a finger that scrolls up or down.
  canvas.addEventListener("pointercancel", letGo);
  canvas.addEventListener("pointerleave", () => ($("hover").hidden = true));
  canvas.addEventListener("wheel", (event) => turned(app, event), { passive: false });
  $("scroll").addEventListener("scroll", () => app.changed());
  // Under the pointer the canvas answers; the keyboard reaches the segment itself.
  $("segment").addEventListener("click", () => app.why(true));
}

/** The wheel alone scrolls, as everywhere; sideways it pans, with Ctrl it zooms around the pointer. */
function turned(app, event) {
  const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  if (!event.ctrlKey && !event.metaKey && !sideways) return;
  event.preventDefault();
  const amount = event.deltaY || event.deltaX;
  if (sideways) app.scale.pan(Math.sign(event.deltaX || amount) * 0.08);
  else app.scale.zoom(amount > 0 ? 1.25 : 0.8, app.under(event).time);
  app.changed();
}

App.prototype.click = function ({ lane, segment, time }) {
  if (lane) this.choose(lane, segment);
  this.goToTime(time);
  this.tellSelection();
  this.changed();
};

function showHover(app, event) {
  const hover = $("hover");
  const { lane, segment, time, below } = app.under(event);
  const text = below ? describeMeasured(app, lane, time) : lane && segment >= 0 ? describe(lane, segment) : null;
  hover.hidden = !text || app.hidden;
  if (hover.hidden) return;
  hover.textContent = text;
  const pane = $("pane").getBoundingClientRect();
  const x = Math.min(event.clientX - pane.left + 14, pane.width - hover.offsetWidth - 8);
  const y = event.clientY - pane.top;
  hover.style.left = `${x}px`;
  hover.style.top = `${y + 18 + hover.offsetHeight > pane.height ? y - hover.offsetHeight - 8 : y + 18}px`;
}
