// Find: a time goes there; a word goes to the next step whose record has it. Words are looked up in the few distinct
// shapes first, so that a million records are searched by number.

App.prototype.openFind = function () {
  $("find").hidden = false;
  $("find-text").focus();
  $("find-text").select();
};

/** Whether the words of a shape, without its surroundings, contain a text. */
function shapeHas(run, shape, needle) {
  const words = [shape.kind, shape.act, shape.text, shape.why, run.whys.get(shape.why), shape.ending, shape.detail];
  if (shape.thread !== undefined) words.push(run.threads[shape.thread].label, run.threads[shape.thread].full);
  if (shape.kind === "state") words.push(run.states[shape.to].word, run.states[shape.to].legend);
  if (shape.kind === "gil") words.push(run.gils[shape.gil], { request: "asked for the GIL", grant: "took the GIL", drop: "let go of the GIL" }[shape.act]);
  if (shape.kind === "job") words.push(JOB[shape.act]);
  if (shape.kind === "lock") words.push(run.locks[shape.lock]);
  if (shape.kind === "span") words.push(run.spans[shape.span]);
  if (shape.core !== undefined && shape.core !== null) words.push(`core ${shape.core}`);
  return words.some((word) => word && word.toLowerCase().includes(needle));
}

App.prototype.find = function (text, direction) {
  const answer = $("find-answer");
  if (this.hidden || !text.trim()) return;
  const time = parseTime(text);
  if (time !== null) {
    this.goToTime(time);
    answer.textContent = `the last event up to ${exact(time)}`;
    return this.arrived();
  }
  const { run } = this;
  const needles = text.toLowerCase().split(/\s+/).filter(Boolean);
  // The whole text first; if no shape has it, all of its words in any place.
  let has = run.shapes.map((shape) => shapeHas(run, shape, text.trim().toLowerCase()));
  if (!has.includes(true)) has = run.shapes.map((shape) => needles.every((needle) => shapeHas(run, shape, needle)));
  const { told } = run;
  for (let n = 1; n <= told.length; n++) {
    const place = (((this.step + n * direction) % told.length) + told.length) % told.length;
    if (!has[run.shape[told[place]]]) continue;
    this.step = place;
    this.segment = -1;
    const { thread } = shapeOf(run, told[place]);
    const lane = this.lanes.find((lane) => lane.kind === "thread" && lane.id === thread && lane.run === run);
    if (lane) {
      this.choose(lane, lane.segments.at(this.now));
      this.showLane(this.lanes.indexOf(lane));
    }
    answer.textContent = `event ${counted(place + 1)}`;
    return this.arrived();
  }
  answer.textContent = "not found";
};

function listenToFind(app) {
  $("find").addEventListener("submit", (event) => {
    event.preventDefault();
    app.find($("find-text").value, 1);
  });
  $("find-back").addEventListener("click", () => app.find($("find-text").value, -1));
}
