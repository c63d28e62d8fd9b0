// The words and numbers around the lanes. All numbers come from the result object, the same that `--format json` prints.

const METRICS = [
  ["makespan", (m) => exact(m.makespan_ns), "makespan_ns"],
  ["work", (m) => short(m.work_ns), "work_ns"],
  ["cores busy", (m) => m.cores_busy, "cores_busy"],
  ["most running at once", (m) => counted(m.max_running), "max_running"],
  ["most in Python at once", (m) => counted(m.max_in_python), "max_in_python"],
  ["GIL held", (m) => short(m.gil_busy_ns), "gil_busy_ns"],
  ["GIL switches", (m) => counted(m.gil_switches), "gil_switches"],
  ["GIL requests", (m) => counted(m.gil_requests), "gil_requests"],
  ["made to let go", (m) => counted(m.gil_forced), "gil_forced"],
  ["context switches", (m) => counted(m.context_switches), "context_switches"],
  ["preemptions", (m) => counted(m.preemptions), "preemptions"],
  ["fairness", (m) => m.fairness, "fairness"],
];

function summarize(app) {
  const [{ run }] = app.runs;
  const { result } = run;
  const name = seen(result.model.name) + (result.variant ? ` (${seen(result.variant)})` : "");
  $("name").textContent = document.title = name;
  const origin = result.provenance === "simulated" ? "" : ` · ${result.provenance}`;
  $("machine").textContent = `${run.machine} · seed ${result.seed} · profile ${seen(result.profile)}${origin}`;
  const why = run.reasons.map((reason, i) => `${i ? "Also" : "Why"}: ${seen(reason)}`);
  fill("sentences", ...[
    ...app.data.remarks.map((remark, i) => el("p", i ? {} : { class: "headline" }, seen(remark))),
    el("p", { class: "headline" }, `${app.measured ? "Predicted: " : ""}${seen(run.headline)}`),
    ...run.cycle.map((sentence) => el("p", {}, seen(sentence))),
    ...why.map((sentence) => el("p", {}, sentence)),
    ...(run.about ? [el("p", { class: "about" }, seen(run.about.trim()))] : []),
  ]);
  fill("metrics", ...METRICS.map(([label, text, key]) =>
    el("div", {}, el("dt", {}, label), el("dd", { "data-metric": key }, text(result.metrics)))));
  fill("more", ...detailsOf(app));
  cropped(run);
  $("source").textContent = `gilsim ${result.gilsim} · model ${result.model.digest} · timeline ${result.timeline_digest} · ${counted(result.records)} records`;
}

function cropped(run) {
  $("cropped").hidden = !run.left_out;
  $("cropped").textContent = `Only the first ${counted(run.count)} records are drawn, up to ${exact(run.end)}; ${counted(run.left_out)} later ones are left out. The numbers above are of the whole run.`;
}

function detailsOf(app) {
  return [threadTotals(app), changesCard(app.runs[0].run), checksCard(app.runs[0].run), outputCard(app.runs[0].run)].filter(Boolean);
}

const card = (title, id, full, ...children) => el("section", { class: full ? "card full" : "card", id }, el("h2", {}, title), ...children);

/** Where each thread's time went: sums of the segments that the lanes draw. */
function threadTotals(app) {
  const [{ run, all }] = app.runs;
  const { states } = app.data;
  const totals = all.threads.map((segments) => totalsOf(segments, states.length));
  const used = states.map((_, state) => state).filter((state) => totals.some((row) => row[state] > 0));
  const most = 200;
  const rows = totals.slice(0, most).map((row, id) => {
    const { finish_ns } = run.result.threads[id];
    return [run.threads[id].label, finish_ns === null ? "unfinished" : exact(finish_ns), ...used.map((state) => short(row[state]))];
  });
  const table = tableOf("Time of each thread in each state", ["thread", "finished", ...used.map((state) => states[state].legend)], rows);
  [...table.tBodies[0].rows].forEach((row, id) => used.forEach((state, place) => {
    row.cells[place + 2].dataset.state = states[state].word;
    row.cells[place + 2].dataset.ns = totals[id][state];
  }));
  const sums = used.map((state) => short(totals.reduce((sum, row) => sum + row[state], 0)));
  const foot = [`all ${totals.length}`, exact(run.result.metrics.makespan_ns), ...sums].map((text, i) => el(i ? "td" : "th", i ? { class: "number" } : { scope: "row" }, text));
  if (totals.length > 1) table.append(el("tfoot", {}, el("tr", {}, ...foot)));
  const more = totals.length > most ? [el("p", { class: "note" }, `and ${totals.length - most} more threads`)] : [];
  return card("Where the time went", "totals", true, table, ...more);
}

function changesCard(run) {
  if (!run.changes.length) return null;
  const rows = run.changes.map((change) => [seen(change.what), change.outcome, change.against]);
  const outcome = run.result.ending.kind === "horizon" ? "work done" : "finished after";
  return card("Would it change if …", "what-if", false, tableOf("Simulated changes", ["change", outcome, "against this run"], rows));
}

function checksCard(run) {
  const { expectations, invariants } = run.result;
  const row = (expectation) => [
    seen(expectation.text),
    el("span", { class: expectation.holds ? "holds" : "fails" }, expectation.holds ? "holds" : "fails"),
    seen(expectation.value),
  ];
  const children = expectations.length ? [tableOf("Expectations", ["expectation", "", "value"], expectations.map(row), () => false)] : [];
  const line = el("p", { class: "note" }, `${invariants.hold} of ${invariants.checked} invariants hold.`);
  return card("Checked", "checked", false, ...children, line);
}

function outputCard(run) {
  const { output } = run.result;
  if (!output.length) return null;
  const lines = output.slice(0, 500).map((line) => `${exact(line.at_ns)}  ${seen(line.thread)}  ${seen(line.text)}`);
  if (output.length > 500) lines.push(`… and ${output.length - 500} more lines`);
  return card("Printed", "printed", false, el("pre", {}, lines.join("\n")));
}

/** What a validation compared, and what came of it: the tables and the notes of its report. */
function validationCard(app) {
  const { tables, notes } = app.measured;
  const [judged, ...others] = tables.map(({ caption, rows }) => {
    const [heads, ...body] = rows.map((row) => row.cells.map(seen));
    return { caption, table: tableOf(caption, heads, body, (column) => column > 0 && column < 5) };
  });
  $("validation").hidden = !judged;
  if (!judged) return;
  const folded = others.map(({ caption, table }) => el("details", {}, el("summary", {}, caption), table));
  fill("validation-tables", judged.table, ...notes.map((note) => el("p", { class: "note" }, seen(note))), ...folded);
}

/** The metrics of two runs side by side. */
function compareTable(app) {
  const [a, b] = app.runs.map((view) => view.run.result);
  const title = (side, result) => `${side} ${seen(result.variant || result.model.name)}`;
  const rows = METRICS.map(([label, text, key]) => {
    const [x, y] = [a.metrics[key], b.metrics[key]];
    const change = key.endsWith("_ns") ? against(y, x) : x === y ? "the same" : "";
    return [label, text(a.metrics), text(b.metrics), change];
  });
  fill("compare-table", tableOf("A and B", ["", title("A", a), title("B", b), "B against A"], rows));
}

/** The legend: only states that occur, each with its colour and its pattern. */
function showLegend(app) {
  const used = new Set();
  for (const { all } of app.runs) {
    for (const lane of all.threads) for (let i = 0; i < lane.length; i++) used.add(lane.state[i]);
  }
  const theme = themeOf();
  fill("legend", ...[...used].sort((a, b) => a - b).map((state) =>
    el("li", { title: app.data.states[state].meaning }, swatch(app.data.states, state, theme), app.data.states[state].legend)),
  ...(app.measured ? [el("li", { title: "below each thread; the whisker goes from the earliest to the latest finish, the dot is the median" }, `┝●┥ measured, ${app.measured.runs} runs`)] : []));
}
