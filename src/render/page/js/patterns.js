// How each state looks: Okabe and Ito's colours, which people with any colour vision can tell apart, each with a pattern
// of its own, so that grey print says the same. Running is not green: green and orange are the pair people confuse.

/** Pattern and edge for each state's word; the colours come from the engine. `hollow` fills with the ground. */
const LOOKS = {
  "start-up": { pattern: "upright" },
  python: { pattern: "solid", light: true },
  native: { pattern: "level" },
  "native-gil": { pattern: "bars" },
  "wants-gil": { pattern: "hatch" },
  forced: { pattern: "back-hatch" },
  runnable: { pattern: "dots", edge: "#000000" },
  "runnable-gil": { pattern: "dashes", edge: "#000000" },
  io: { pattern: "waves", hollow: true },
  sleep: { pattern: "solid", hollow: true },
  lock: { pattern: "cross" },
  queue: { pattern: "cross" },
  event: { pattern: "cross" },
  condition: { pattern: "cross" },
  barrier: { pattern: "cross" },
  join: { pattern: "cross" },
  overhead: { pattern: "bars" },
  suspended: { pattern: "times" },
  done: { pattern: "solid", hollow: true },
};

/** The strokes of each pattern on a tile of 8 × 8, as lines `[x, y, x, y]`; dots are drawn as circles. */
const STROKES = {
  level: [[0, 2, 8, 2], [0, 6, 8, 6]],
  upright: [[2, 0, 2, 8], [6, 0, 6, 8]],
  dashes: [[0, 2, 3, 2], [4, 6, 7, 6]],
  bars: [[3, 0, 3, 8]],
  hatch: [[-2, 10, 10, -2], [-2, 2, 2, -2], [6, 10, 10, 6]],
  "back-hatch": [[-2, -2, 10, 10], [6, -2, 10, 2], [-2, 6, 2, 10]],
  cross: [[0, 8, 8, 0], [0, 0, 8, 8]],
  waves: [[0, 5, 2, 3], [2, 3, 4, 5], [4, 5, 6, 3], [6, 3, 8, 5]],
  times: [[2, 2, 6, 6], [2, 6, 6, 2]],
};

/** The colours of the page as it is now: light, dark, or paper. */
function themeOf(paper = false) {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  if (paper) {
    return { paper, surface: "#ffffff", sunk: "#f4f4f4", ink: "#000000", quiet: "#333333", line: "#bbbbbb", accent: "#000000", focus: "#000000" };
  }
  return { paper, surface: of("surface"), sunk: of("sunk"), ink: of("ink"), quiet: of("quiet"), line: of("line"), accent: of("accent"), focus: of("focus") };
}

/** For every state how to fill, to edge and to write on it. */
function looksFor(context, theme, states, ratio) {
  return states.map((state) => {
    const look = LOOKS[state.word];
    const colour = state.colour || theme.quiet;
    const base = look.hollow ? theme.surface : colour;
    const fill = look.pattern === "solid" ? base : tile(context, look.pattern, base, strokeOn(look, state.word, colour), ratio);
    // On paper and on light grounds a black edge, in the dark the colour itself would glow less; yellow needs it everywhere.
    const edge = look.edge || (look.hollow ? colour : null);
    return { base, fill, edge, text: look.light ? "#ffffff" : look.hollow ? theme.ink : "#000000", word: state.word };
  });
}

function strokeOn(look, word, colour) {
  if (look.hollow) return colour;
  return word === "native-gil" ? "#ffffff" : "rgba(0, 0, 0, 0.42)";
}

function tile(context, pattern, base, stroke, ratio) {
  const size = Math.round(8 * ratio);
  const canvas = el("canvas", { width: size, height: size });
  const pen = canvas.getContext("2d");
  pen.scale(size / 8, size / 8);
  pen.fillStyle = base;
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = pen.fillStyle = stroke;
  pen.lineWidth = pattern === "bars" ? 2.5 : 1.25;
  pen.beginPath();
  for (const [x, y, u, v] of STROKES[pattern] || []) {
    pen.moveTo(x, y);
    pen.lineTo(u, v);
  }
  for (const [x, y] of pattern === "dots" ? [[2, 2], [6, 6]] : []) {
    pen.moveTo(x + 1.4, y);
    pen.arc(x, y, 1.4, 0, 2 * Math.PI);
  }
  if (pattern === "dots") pen.fill();
  else pen.stroke();
  const made = context.createPattern(canvas, "repeat");
  made.setTransform(new DOMMatrix([8 / size, 0, 0, 8 / size, 0, 0]));
  return made;
}

/** A small picture of a state, for the legend. */
function swatch(states, state, theme) {
  const ratio = window.devicePixelRatio || 1;
  const canvas = el("canvas", { width: 28 * ratio, height: 16 * ratio, "aria-hidden": "true" });
  canvas.style.width = "28px";
  canvas.style.height = "16px";
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  paintBlock(context, looksFor(context, theme, states, ratio)[state], 0, 0, 28, 16);
  return canvas;
}
