// The table of events: the same records in words, the form for screen readers and for reading in order.

const ROWS = 100;

/** What the table can be of: A and B, or the prediction and what was measured. */
App.prototype.tableRuns = function () {
  const names = this.runs.length > 1 ? ["A", "B"] : ["predicted"];
  const runs = this.runs.map((view, side) => [side, names[side], view.run]);
  return this.measured ? [...runs, ["measured", "measured, the typical run", this.measured.run]] : runs;
};

/** The run that the table shows. What was measured is chosen by hand; else it is the one that is looked at. */
App.prototype.tableRun = function () {
  return $("table-run").value === "measured" ? this.measured.run : this.run;
};

/** The steps that the chosen thread takes part in; all of them without a choice. */
App.prototype.tableRecords = function () {
  const run = this.tableRun();
  const chosen = $("table-thread").value;
  if (chosen === "") return run.told;
  const mine = run.shapes.map((shape) => shape.thread === Number(chosen));
  return run.told.filter((record) => mine[run.shape[record]]);
};

App.prototype.showTable = function (show = $("table-view").hidden) {
  $("table-view").hidden = !show || this.hidden;
  $("tool-table").setAttribute("aria-pressed", String(!$("table-view").hidden));
  if ($("table-view").hidden) return;
  this.followInTable();
  $("table-view").focus({ preventScroll: true });
  $("table-view").scrollIntoView({ block: "nearest" });
};

/** The choices above the table: the runs once, the threads for each run anew. */
App.prototype.fillChoices = function () {
  const runs = this.tableRuns();
  if (!$("table-run").options.length) fill("table-run", ...runs.map(([value, name]) => el("option", { value }, name)));
  $("table-runs").hidden = runs.length < 2;
  if ($("table-run").value !== "measured") $("table-run").value = this.side;
  const run = this.tableRun();
  if (this.tabled === run) return;
  this.tabled = run;
  const options = run.threads.slice(0, 2000).map((thread, id) => el("option", { value: id }, thread.label));
  fill("table-thread", el("option", { value: "" }, "all"), ...options);
  this.records = this.tableRecords();
};

/** The record of the table's run that is looked at: the last one up to that instant. */
App.prototype.recordInTable = function () {
  const run = this.tableRun();
  return run === this.run ? this.record : Math.max(lastNotAbove(run.at, this.now), 0);
};

/** Shows the page of the table that has this row. */
App.prototype.turnTo = function (row) {
  const { records } = this;
  const run = this.tableRun();
  const current = records[lastNotAbove(records, this.recordInTable())];
  const pages = Math.max(Math.ceil(records.length / ROWS), 1);
  this.page = Math.min(Math.max(Math.floor(row / ROWS), 0), pages - 1);
  const first = this.page * ROWS;
  const shown = Array.from(records.subarray(first, first + ROWS));
  const rows = shown.map((record) => {
    const { who: name, what, why } = partsOf(run, record);
    return [exact(run.at[record]), name, what, why];
  });
  const table = tableOf("Events in order", ["time", "thread", "event", "reason"], rows, () => false);
  [...table.tBodies[0].rows].forEach((tr, i) => {
    tr.dataset.record = shown[i];
    if (shown[i] === current) tr.setAttribute("aria-current", "true");
  });
  $("events").replaceChildren(...table.childNodes);
  $("table-place").textContent = `${counted(records.length ? first + 1 : 0)} to ${counted(first + shown.length)} of ${counted(records.length)}`;
  for (const id of ["table-first", "table-back"]) $(id).disabled = this.page === 0;
  for (const id of ["table-next", "table-last"]) $(id).disabled = this.page >= pages - 1;
};

/** Keeps the table at the record that is looked at. */
App.prototype.followInTable = function () {
  this.fillChoices();
  this.turnTo(Math.max(lastNotAbove(this.records, this.recordInTable()), 0));
};

function listenToTable(app) {
  $("table-run").addEventListener("change", () => {
    const side = Number($("table-run").value);
    if (app.runs[side] && side !== app.side) {
      if (side === 1 && !app.compared) app.toggleCompare();
      app.choose(app.lanes.find((lane) => lane.kind === "thread" && lane.side === side), -1);
      app.tellSelection();
      app.changed();
    } else app.followInTable();
  });
  $("table-thread").addEventListener("change", () => {
    app.records = app.tableRecords();
    app.turnTo(0);
  });
  $("table-first").addEventListener("click", () => app.turnTo(0));
  $("table-back").addEventListener("click", () => app.turnTo((app.page - 1) * ROWS));
  $("table-next").addEventListener("click", () => app.turnTo((app.page + 1) * ROWS));
  $("table-last").addEventListener("click", () => app.turnTo(app.records.length - 1));
  $("events").addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-record]");
    if (!row) return;
    const record = Number(row.dataset.record);
    const run = app.tableRun();
    if (run === app.run) app.goToRecord(record);
    else app.goToTime(run.at[record]);
    app.arrived();
  });
}
