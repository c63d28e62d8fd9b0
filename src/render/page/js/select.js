// Stepping and choosing: events one by one, segments of a lane, lanes up and down; and saying where that led.

/** To the next (+1) or previous (−1) step, or so many of them. */
App.prototype.stepBy = function (count) {
  const last = Math.max(this.run.told.length - 1, 0);
  this.step = Math.min(Math.max(this.step + count, 0), last);
  this.segment = -1;
  this.arrived();
};

/** After the record has changed: brings it into view, tells it. */
App.prototype.arrived = function () {
  this.scale.reveal(this.now);
  this.tellSelection();
  this.changed();
};

/** To the next or previous segment of the lane. */
App.prototype.segmentBy = function (count) {
  const { lane } = this;
  if (!lane?.segments?.length) return;
  const here = this.segment >= 0 ? this.segment : lastNotAbove(lane.segments.start, this.now, lane.segments.length) - (count > 0 ? 0 : -1);
  const fresh = this.segment < 0 && count > 0 && here >= 0 && lane.segments.start[here] === this.now;
  this.segment = Math.min(Math.max(here + (fresh ? 0 : count), 0), lane.segments.length - 1);
  this.goToRecord(lane.segments.from[this.segment]);
  this.arrived();
};

/** To the next lane that has segments. */
App.prototype.laneBy = function (count) {
  let place = this.lanes.indexOf(this.lane);
  do place += count;
  while (this.lanes[place] && !this.lanes[place].segments);
  const lane = this.lanes[place];
  if (!lane) return;
  this.choose(lane, lane.segments.at(this.now));
  this.showLane(place);
  this.tellSelection();
  this.changed();
};

/** Scrolls a lane into view. */
App.prototype.showLane = function (place) {
  const scroll = $("scroll");
  const [top, height] = [this.tops[place], this.lanes[place].height];
  if (top < scroll.scrollTop) scroll.scrollTop = top - 26;
  else if (top + height > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = top + height - scroll.clientHeight;
};

/** Fits the selected segment, or the two marks, into view. */
App.prototype.fitSelection = function () {
  const { lane, segment, marks } = this;
  if (lane && segment >= 0) this.scale.fit(lane.segments.start[segment], lane.segments.end[segment]);
  else if (marks[0] !== null && marks[1] !== null && marks[0] !== marks[1]) this.scale.fit(Math.min(...marks), Math.max(...marks));
  this.changed();
};

/** Says which record and which segment are looked at. */
App.prototype.tellSelection = function () {
  const { run, lane, segment } = this;
  const total = run.told.length;
  const side = this.runs.length > 1 ? `${"AB"[this.side]} · ` : "";
  $("where").textContent = `${side}event ${total ? this.step + 1 : 0} of ${counted(total)}   t = ${exact(this.now)}`;
  if (this.hidden) return;
  $("sentence").textContent = total ? tell(run, this.record) : "Nothing happened.";
  $("selected").textContent = lane && segment >= 0 ? `Selected: ${describe(lane, segment)}` : lane ? `Lane: ${lane.label}` : "";
  $("changes-now").textContent = changesAt(run, this.now).join("  ·  ");
  for (const id of ["step-first", "step-back"]) $(id).disabled = this.step === 0;
  for (const id of ["step-next", "step-last"]) $(id).disabled = this.step >= total - 1;
  if (!$("why").hidden) this.why(true);
  if (!$("table-view").hidden) this.followInTable();
};
