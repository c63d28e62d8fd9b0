// The table of events: the same records in words, the form for screen readers and for reading in order.

const ROWS = 100;

/** The steps that the chosen thread takes part in; all of them without a choice. */
App.prototype.tableRecords = function () {
  const { run } = this;
  const chosen = $("table-thread").value;
  if (chosen === "") return run.told;
  const mine = run.shapes.map((shape) => shape.thread === Number(chosen));
  return run.told.filter((record) => mine[run.shape[record]]);
};

App.prototype.showTable = function (show = $("table-view").hidden) {
  $("table-view").hidden = !show || this.hidden;
  $("tool-table").setAttribute("aria-pressed", String(!$("table-view").hidden));
  if ($("table-view").hidden) return;
  this.fillThreads();
  this.records = this.tableRecords();
  this.turnTo(lastNotAbove(this.records, this.record));
  $("table-view").focus({ preventScroll: true });
  $("table-view").scrollIntoView({ block: "nearest" });
};

App.prototype.fillThreads = function () {
  if ($("table-thread").options.length) return;
  const options = this.run.threads.slice(0, 2000).map((thread, id) => el("option", { value: id }, thread.label));
  fill("table-thread", el("option", { value: "" }, "all"), ...options);
};

/** Shows the page of the table that has this row. */
App.prototype.turnTo = function (row) {
  const { run, records } = this;
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
    if (shown[i] === this.record) tr.setAttribute("aria-current", "true");
  });
  $("events").replaceChildren(...table.childNodes);
  $("table-place").textContent = `${counted(records.length ? first + 1 : 0)} to ${counted(first + shown.length)} of ${counted(records.length)}`;
  for (const id of ["table-first", "table-back"]) $(id).disabled = this.page === 0;
  for (const id of ["table-next", "table-last"]) $(id).disabled = this.page >= pages - 1;
};

/** Keeps the table at the record that is looked at. */
App.prototype.followInTable = function () {
  const row = lastNotAbove(this.records, this.record);
  if (row >= 0) this.turnTo(row);
};

function listenToTable(app) {
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
    app.goToRecord(Number(row.dataset.record));
    app.arrived();
  });
}
