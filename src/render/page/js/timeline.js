// The lanes on the screen: labels, canvas, and the one button that stands for the selected segment.

/** Draws everything that time and selection change. Its duration can be read as the measure `gilsim:draw`. */
App.prototype.draw = function () {
  if (this.hidden) return;
  const begun = performance.now();
  const scroll = $("scroll");
  const stage = $("stage");
  const gutter = $("labels").offsetWidth;
  const width = Math.max(Math.floor(stage.clientWidth - gutter - (scroll.offsetWidth - scroll.clientWidth)), 50);
  const height = Math.min(this.height, scroll.clientHeight || this.height);
  this.scale.width = width;
  $("tall").style.height = `${this.height}px`;
  $("pane").style.height = `${height}px`;
  const top = scroll.scrollTop;
  const ratio = window.devicePixelRatio || 1;
  const context = prepareFor("lanes", width, height);
  if (this.themeOld !== false || this.ratio !== ratio) this.retheme(context, ratio);
  const { theme, looks } = this;
  const first = Math.max(lastNotAbove(this.tops, top), 0);
  const last = Math.max(lastNotAbove(this.tops, top + height), first);
  const lanes = this.lanes.slice(first, last + 1);
  drawLanes(context, lanes, this.scale, looks, theme, this.tops[first] - top, { measured: this.showsMeasured, chosen: this.lane });
  drawGrid(context, this.scale, theme, height);
  this.drawLines(context, height);
  drawAxis(prepareFor("axis", width, 26), this.scale, theme, 26);
  drawOverview(prepareFor("overview", width, OVERVIEW_HEIGHT), this, theme);
  this.label(first, last, top);
  this.placeSegment(top);
  noteDrawn(begun);
};

function prepareFor(id, width, height) {
  const canvas = $(id);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  return prepare(canvas, width, height);
}

/** The first drawing is marked once; of the later ones the last is kept. */
function noteDrawn(begun) {
  performance.clearMeasures("gilsim:draw");
  performance.measure("gilsim:draw", { start: begun, end: performance.now() });
  if (!performance.getEntriesByName("gilsim:first-paint").length) performance.mark("gilsim:first-paint");
}

App.prototype.retheme = function (context, ratio) {
  this.theme = themeOf();
  this.looks = looksFor(context, this.theme, this.data.states, ratio);
  this.ratio = ratio;
  this.themeOld = false;
};

/** The instant that is looked at, and the marks. */
App.prototype.drawLines = function (context, height) {
  const { theme, scale } = this;
  this.marks.forEach((mark, place) => {
    if (mark !== null) drawLine(context, scale, mark, height, theme.accent, "AB"[place], theme.surface, [6, 3]);
  });
  drawLine(context, scale, this.now, height, theme.focus, "", theme.surface);
};

/** The labels of the lanes in view; those out of view do not exist. */
App.prototype.label = function (first, last, top) {
  const key = [first, last, this.lane && this.lanes.indexOf(this.lane), this.compared, this.showsMeasured].join();
  const labels = $("labels");
  if (this.labelled !== key) {
    this.labelled = key;
    const focused = document.activeElement?.dataset?.lane;
    const made = [];
    for (let i = first; i <= last; i++) made.push(this.labelOf(i));
    labels.replaceChildren(...made);
    if (focused !== undefined) labels.querySelector(`[data-lane="${focused}"]`)?.focus({ preventScroll: true });
  }
  for (const label of labels.children) label.style.top = `${this.tops[label.dataset.lane] - top}px`;
};

App.prototype.labelOf = function (i) {
  const lane = this.lanes[i];
  const height = `${lane.height}px`;
  if (!lane.segments) {
    const name = lane.kind === "heading" ? lane.label : `  ${lane.label}`;
    const made = el("div", { class: lane.kind === "heading" ? "heading" : "lane quiet", "data-lane": i }, name);
    made.style.height = height;
    return made;
  }
  const made = el("button", {
    class: "lane",
    type: "button",
    "data-lane": i,
    tabindex: lane === this.lane ? 0 : -1,
    "aria-current": lane === this.lane ? "true" : null,
    "aria-label": `lane ${lane.label}`,
    title: lane.label,
  }, lane.label);
  made.style.height = height;
  made.addEventListener("click", () => {
    this.choose(lane, lane.segments.at(this.now));
    this.tellSelection();
    this.changed();
  });
  return made;
};

/** The button over the selected segment: what a screen reader finds of the canvas. */
App.prototype.placeSegment = function (top) {
  const button = $("segment");
  const { lane, segment, scale } = this;
  const shown = lane && segment >= 0 && this.lanes.includes(lane);
  button.hidden = !shown;
  if (!shown) return;
  const [start, end] = [lane.segments.start[segment], lane.segments.end[segment]];
  const left = Math.max(scale.x(start), 0);
  const right = Math.min(scale.x(end), scale.width);
  button.hidden = right < 0 || left > scale.width;
  button.style.left = `${$("labels").offsetWidth + left - 1}px`;
  button.style.top = `${this.tops[this.lanes.indexOf(lane)] - top + 1}px`;
  button.style.width = `${Math.max(right - left, 0) + 1}px`;
  button.style.minWidth = "6px";
  button.style.height = `${lane.full - 2}px`;
  button.setAttribute("aria-label", `${describe(lane, segment)}. Press for why.`);
};
