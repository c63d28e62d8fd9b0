// Elements. Text goes in as text, never as markup.

/** The element with this id. */
function $(id) {
  return document.getElementById(id);
}

/** A new element with attributes and children; strings become text. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** Puts children in the place of all that an element had. */
function fill(id, ...children) {
  $(id).replaceChildren(...children);
}

/** A table: a caption, the heads, and rows of cells; the first cell of a row names it. */
function tableOf(caption, heads, rows, isNumber = (column) => column > 0) {
  const cls = (column) => (isNumber(column) ? { class: "number" } : {});
  const head = el("tr", {}, ...heads.map((text, i) => el("th", { scope: "col", ...cls(i) }, text)));
  const body = rows.map((row) =>
    el("tr", {}, ...row.map((cell, i) => el(i ? "td" : "th", i ? cls(i) : { scope: "row" }, cell))));
  return el("table", {}, el("caption", { class: "spoken" }, caption), el("thead", {}, head), el("tbody", {}, ...body));
}

/** Whether somebody is typing. */
function typing(event) {
  return event.target instanceof Element && event.target.closest("input:not([type=checkbox]), select, textarea") !== null;
}
