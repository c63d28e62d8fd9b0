// What is wrong with a page for people who cannot see it well or at all: a list of sentences.
const wrong = [];
const shown = (element) => element.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true });
const about = (element) => `${element.tagName.toLowerCase()}#${element.id} ${JSON.stringify((element.textContent || "").trim().slice(0, 40))}`;

// Names.
const nameOf = (element) => {
  const by = element.getAttribute("aria-labelledby");
  if (by) return by.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim();
  const label = element.getAttribute("aria-label");
  if (label) return label.trim();
  if (element.labels?.length) return [...element.labels].map((one) => one.textContent).join(" ").trim();
  return element.matches("button, a, summary, option") ? element.textContent.trim() : "";
};
const named = "button, a[href], input, select, textarea, dialog, [role=img], [role=toolbar], [role=group], [role=region], [tabindex='0']";
for (const element of document.querySelectorAll(named)) if (shown(element) && !nameOf(element)) wrong.push(`has no name: ${about(element)}`);

// References.
const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) wrong.push(`two elements are called ${id}`);
for (const attribute of ["aria-labelledby", "aria-controls", "for"]) {
  for (const element of document.querySelectorAll(`[${attribute}]`)) {
    for (const id of element.getAttribute(attribute).split(/\s+/)) if (!document.getElementById(id)) wrong.push(`${attribute} names nobody: ${id}`);
  }
}

// Structure.
if (!document.documentElement.lang) wrong.push("the page has no language");
if (!document.title) wrong.push("the page has no title");
if (document.querySelectorAll("h1").length !== 1) wrong.push("there is one h1 in a page");
if (!document.querySelector("main")) wrong.push("the page has no main part");
if (document.querySelector("[tabindex]:not([tabindex='0']):not([tabindex='-1'])")) wrong.push("a tabindex above 0");
let level = 0;
for (const heading of [...document.querySelectorAll("h1, h2, h3, h4")].filter(shown)) {
  const next = Number(heading.tagName[1]);
  if (next > level + 1) wrong.push(`a level is left out before ${about(heading)}`);
  level = next;
}
for (const table of document.querySelectorAll("table")) {
  if (shown(table) && !table.caption && !nameOf(table)) wrong.push(`a table without a caption: ${about(table)}`);
  if (table.querySelector("th:not([scope])")) wrong.push(`a head without a scope: ${about(table)}`);
}
if (document.querySelectorAll("[aria-live=polite]").length < 2) wrong.push("nothing is said aloud");

// Targets.
for (const element of document.querySelectorAll("button, input, select, a[href]")) {
  const box = element.getBoundingClientRect();
  const passes = getComputedStyle(element).pointerEvents === "none" || element.matches(".skip");
  if (shown(element) && !passes && (box.width < 24 || box.height < 24)) wrong.push(`smaller than 24 pixels: ${about(element)} ${box.width} × ${box.height}`);
}

// Contrast. The colours of this page are opaque, so the ground is the first one that is painted.
const parse = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => {
  const part = (value) => ((value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const groundOf = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] > 0.99) return colour;
  }
  return [255, 255, 255];
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let looked = 0;
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !shown(element) || element.closest("script, style, :disabled, noscript, .skip, .spoken")) continue;
  looked++;
  const [a, b] = [light(parse(getComputedStyle(element).color)), light(groundOf(element))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) wrong.push(`contrast ${contrast.toFixed(2)}: ${about(element)}`);
}
if (looked < 20) wrong.push(`only ${looked} texts were looked at`);
return wrong;
