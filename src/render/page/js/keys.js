// Keys: those of Perfetto for zoom and pan, arrows to step. They rest while somebody types, and can be switched off.

/** Every key: what it is called, what it does, and the action. */
function keysOf(app) {
  return [
    [["ArrowLeft", "ArrowRight"], "← →", "previous, next event", (key) => app.stepBy(key === "ArrowRight" ? 1 : -1)],
    [[",", "."], ", .", "previous, next segment of the lane", (key) => app.segmentBy(key === "." ? 1 : -1)],
    [["ArrowUp", "ArrowDown"], "↑ ↓", "lane above, below", (key) => app.laneBy(key === "ArrowDown" ? 1 : -1)],
    [["Home", "End"], "Home End", "first, last event", (key) => app.stepBy(key === "End" ? Infinity : -Infinity)],
    [["w", "s"], "w s", "zoom in, out", (key) => app.zoomBy(key === "w" ? 0.7 : 1 / 0.7)],
    [["a", "d"], "a d", "earlier, later", (key) => app.panBy(key === "d" ? 0.15 : -0.15)],
    [["f"], "f", "fit the selected segment, or A to B", () => app.fitSelection()],
    [["0"], "0", "fit everything", () => app.fitAll()],
    [["y"], "y", "why is it waiting?", () => app.why()],
    [["1", "2"], "1 2", "mark A, mark B, and their distance", (key) => app.mark(Number(key) - 1)],
    [["m"], "m", "measurements on top", () => app.toggleMeasured()],
    [["c"], "c", "compare two runs", () => app.toggleCompare()],
    [["p"], "p", "predict first", () => app.predict()],
    [["t"], "t", "table", () => app.showTable()],
    [["/"], "/", "find", () => app.openFind()],
    [["?"], "?", "this list", () => $("help").showModal()],
    [["Escape"], "Esc", "close", () => app.close()],
  ];
}

App.prototype.zoomBy = function (factor) {
  const { now, scale } = this;
  const seen = now >= scale.from && now <= scale.to;
  scale.zoom(factor, seen ? now : scale.from + scale.span / 2);
  this.changed();
};

App.prototype.panBy = function (part) {
  this.scale.pan(part);
  this.changed();
};

App.prototype.fitAll = function () {
  this.scale.fitAll();
  this.changed();
};

App.prototype.toggleMeasured = function () {
  if (!this.measured) return;
  this.showsMeasured = !this.showsMeasured;
  this.rearranged("tool-measured", this.showsMeasured);
};

App.prototype.toggleCompare = function () {
  if (this.runs.length < 2 || this.hidden) return;
  this.compared = !this.compared;
  $("compare").hidden = !this.compared;
  this.rearranged("tool-compare", this.compared);
};

App.prototype.rearranged = function (tool, pressed) {
  $(tool).setAttribute("aria-pressed", String(pressed));
  this.arrange();
  this.tellSelection();
  this.changed();
};

/** Closes the last thing that was opened. */
App.prototype.close = function () {
  if (!$("find").hidden) $("find").hidden = true;
  else if (!$("why").hidden) this.why(false);
  else if (!$("table-view").hidden) this.showTable(false);
  else if (this.segment >= 0) {
    this.segment = -1;
    this.tellSelection();
    this.changed();
  }
};

function listenToKeys(app) {
  const keys = keysOf(app);
  const actions = new Map(keys.flatMap(([names, , , action]) => names.map((name) => [name, action])));
  fill("help-keys", ...keys.map(([, shown, text]) => el("div", {}, el("dt", {}, el("kbd", {}, shown)), el("dd", {}, text))));
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || $("help").open) return;
    if (event.key === "Escape" && $("find").contains(event.target)) {
      $("find").hidden = true;
      return;
    }
    if (typing(event) || (!$("keys-on").checked && event.key.length === 1)) return;
    // In predict mode nothing may show the result.
    if (app.hidden && !["p", "?"].includes(event.key)) return;
    // Arrows scroll the boxes that have bars of their own.
    if (event.key.startsWith("Arrow") && event.target.closest?.(".wide-table")) return;
    const action = actions.get(event.key);
    if (!action) return;
    event.preventDefault();
    action(event.key);
  });
}
