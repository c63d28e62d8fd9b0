// Starts the page when all of it has arrived.

function start() {
  const data = JSON.parse($("data").textContent);
  // The text is of no more use, and may be large.
  $("data").remove();
  const whys = new Map(data.whys.map((why) => [why.word, why.meaning]));
  const app = new App(data);
  for (const view of [...app.runs, app.measured].filter(Boolean)) Object.assign(view.run, { whys, all: view.all });
  summarize(app);
  showLegend(app);
  if (app.runs.length > 1) {
    compareTable(app);
    $("compare").hidden = $("tool-compare").hidden = false;
    $("tool-compare").setAttribute("aria-pressed", "true");
  }
  if (app.measured) {
    $("tool-measured").hidden = false;
    $("tool-measured").setAttribute("aria-pressed", "true");
    validationCard(app);
  }
  listen(app);
  app.tellSelection();
  if (location.hash === "#predict-first") app.predict(true);
  app.draw();
}

function listen(app) {
  const on = (id, action) => $(id).addEventListener("click", action);
  on("tool-predict", () => app.predict());
  on("tool-compare", () => app.toggleCompare());
  on("tool-measured", () => app.toggleMeasured());
  on("tool-table", () => app.showTable());
  on("tool-find", () => app.openFind());
  on("tool-help", () => $("help").showModal());
  on("tool-why", () => app.why());
  on("zoom-in", () => app.zoomBy(0.7));
  on("zoom-out", () => app.zoomBy(1 / 0.7));
  on("pan-left", () => app.panBy(-0.15));
  on("pan-right", () => app.panBy(0.15));
  on("fit-selection", () => app.fitSelection());
  on("fit-all", () => app.fitAll());
  on("step-first", () => app.stepBy(-Infinity));
  on("step-back", () => app.stepBy(-1));
  on("step-next", () => app.stepBy(1));
  on("step-last", () => app.stepBy(Infinity));
  on("mark-a", () => app.mark(0));
  on("mark-b", () => app.mark(1));
  listenToKeys(app);
  listenToLanes(app);
  listenToOverview(app);
  listenToTable(app);
  listenToFind(app);
  listenToPrinting(app);
  addEventListener("resize", () => app.changed());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    app.themeOld = true;
    showLegend(app);
    app.changed();
  });
}

document.addEventListener("DOMContentLoaded", start);
