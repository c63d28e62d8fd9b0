// What the page knows at any moment. Every file changes it and then calls `changed`, which draws once per frame.

class App {
  constructor(data) {
    this.data = data;
    this.runs = [data.primary, data.secondary].filter(Boolean).map((source) => {
      const run = decodeRun(source, data);
      return { run, all: segmentsOf(run) };
    });
    this.compared = this.runs.length > 1;
    this.measured = null;
    this.showsMeasured = false;
    this.hidden = false;
    this.marks = [null, null];
    /** Which run is looked at, and the place of the record in its list of steps. */
    this.side = 0;
    this.step = 0;
    this.lane = null;
    this.segment = -1;
    this.scale = new Scale(Math.max(...this.runs.map((view) => view.run.end)));
    if (data.measured) this.measure(data.measured);
    this.arrange();
    this.lane = this.lanes.find((lane) => lane.kind === "thread") || this.lanes.find((lane) => lane.segments);
  }

  measure(source) {
    // It is the same model, so its GILs have the same intervals.
    const run = { ...decodeRun(source, this.data), interval_ns: this.data.primary.interval_ns };
    this.measured = { run, all: segmentsOf(run), spreads: source.spreads, runs: source.runs, tables: source.tables, notes: source.notes };
    this.showsMeasured = true;
    const latest = Math.max(run.end, ...source.spreads.map((spread) => spread.most_ns));
    this.scale = new Scale(Math.max(this.scale.end, latest));
  }

  /** Makes the list of lanes anew. Lanes keep their identity, so that a selection survives. */
  arrange() {
    this.all ??= this.runs.flatMap((view, side) => {
      const title = this.runs.length > 1 ? `${"AB"[side]} · ` : "";
      return lanesOf(view.run, view.all, side, title);
    });
    if (this.measured) joinMeasured(this.all, this.runs[0].run, this.measured);
    this.lanes = this.all.filter((lane) => lane.side === 0 || this.compared);
    for (const lane of this.lanes) {
      const wide = lane.measured && this.showsMeasured;
      lane.full = wide ? 28 : lane.height;
      if (lane.measured) lane.height = wide ? 42 : 28;
    }
    let top = 0;
    this.tops = this.lanes.map((lane) => (top += lane.height) - lane.height);
    this.height = top;
    if (this.lane && !this.lanes.includes(this.lane)) this.choose(this.lanes.find((lane) => lane.segments), -1);
  }

  get run() {
    return this.runs[this.side].run;
  }

  /** The record that is looked at. */
  get record() {
    return this.run.told[this.step] ?? 0;
  }

  /** The instant that is looked at. */
  get now() {
    return this.run.count ? this.run.at[this.record] : 0;
  }

  /** Selects a lane, and a segment in it if there is one. */
  choose(lane, segment) {
    this.lane = lane;
    this.segment = segment;
    if (lane && lane.side !== this.side) {
      const { now } = this;
      this.side = lane.side;
      this.goToTime(now);
    }
  }

  /** Looks at a record: at the last step that is not after it. */
  goToRecord(record) {
    this.step = Math.max(lastNotAbove(this.run.told, record), 0);
  }

  /** Looks at the last step that is not after an instant. */
  goToTime(time) {
    this.goToRecord(Math.max(lastNotAbove(this.run.at, time), 0));
  }

  changed() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }
}
