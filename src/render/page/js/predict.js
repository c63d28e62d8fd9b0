// Predict first: the results stay hidden until somebody has committed to an answer. The answer is computed, never typed in.

/** What can be asked of a run, with the value that is right. */
function questionsOf(run) {
  const { metrics, threads, ending } = run.result;
  const questions = [];
  if (ending.kind === "finished") {
    questions.push({ ask: "After how long is everything done?", value: metrics.makespan_ns, time: true });
  }
  const waits = threads.map((thread) => thread.states_ns["wants-gil"] || 0);
  const most = waits.indexOf(Math.max(...waits));
  if (waits[most] > 0) {
    questions.push({ ask: `How long does ${run.threads[most].label} wait for the GIL, all waits together?`, value: waits[most], time: true });
  }
  questions.push({ ask: "How many threads run Python code at once, at most?", value: metrics.max_in_python, time: false });
  return questions;
}

App.prototype.predict = function (on = !this.hidden) {
  this.hidden = on;
  document.querySelectorAll(".result").forEach((section) => section.id !== "compare" && (section.hidden = on));
  for (const id of ["compare", "why", "table-view", "find"]) if (on) $(id).hidden = true;
  $("tool-predict").setAttribute("aria-pressed", String(on));
  for (const id of ["tool-table", "tool-find", "tool-compare", "tool-measured", "tool-print"]) $(id).disabled = on;
  $("predict").hidden = !on;
  if (on) this.askQuestions();
  else this.reveal();
};

App.prototype.reveal = function () {
  $("compare").hidden = !(this.runs.length > 1 && this.compared);
  this.tellSelection();
  this.changed();
};

App.prototype.askQuestions = function () {
  const questions = questionsOf(this.runs[0].run);
  const inputs = questions.map((question) => el("input", {
    type: "text", autocomplete: "off", placeholder: question.time ? "a time, such as 120ms" : "a number",
  }));
  const form = el("form", { novalidate: true },
    ...questions.map((question, i) => el("label", {}, question.ask, inputs[i])),
    el("button", { type: "submit", class: "main-button" }, "Commit"));
  const answers = el("div", { "aria-live": "polite" });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = inputs.map((input, i) => (questions[i].time ? parseTime(input.value) : readCount(input.value)));
    const unclear = given.indexOf(null);
    if (unclear >= 0) {
      answers.replaceChildren(el("p", { class: "answer" }, questions[unclear].time ? "A time needs a number and a unit: 120ms, 0.12 s." : "A whole number, please."));
      return inputs[unclear].focus();
    }
    this.predict(false);
    $("predict").hidden = false;
    answers.replaceChildren(...questions.map((question, i) => el("p", { class: "answer" }, verdictOn(question, given[i]))));
    form.querySelector("button").remove();
    inputs.forEach((input) => (input.disabled = true));
  });
  fill("questions", form, answers);
  this.tellSelection();
  inputs[0].focus();
};

function readCount(text) {
  return /^\s*\d+\s*$/.test(text) ? Number(text) : null;
}

/** Within a twentieth counts as right for a time. */
function verdictOn(question, given) {
  const show = (value) => (question.time ? exact(value) : String(value));
  const right = question.time ? Math.abs(given - question.value) <= question.value / 20 : given === question.value;
  if (right) return `✓ ${question.ask} ${show(question.value)}: you said ${show(given)}.`;
  const times = question.time ? against(question.value, given) : "";
  return `✗ ${question.ask} You said ${show(given)}; it is ${show(question.value)}${times ? `, ${times}` : ""}.`;
}
