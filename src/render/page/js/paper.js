// Printing: the lanes are drawn anew on white, with labels and axis, in pieces that fit a page and are never split.

const PAPER = { width: 1040, gutter: 150, height: 560, lanes: 240 };

/** Draws what is in view on as many canvases as it needs. */
function drawPaper(app) {
  const theme = themeOf(true);
  const lanes = app.lanes.slice(0, PAPER.lanes);
  const pieces = [];
  let piece = [];
  let height = 0;
  for (const lane of lanes) {
    if (height + lane.height > PAPER.height) {
      pieces.push(piece);
      [piece, height] = [[], 0];
    }
    piece.push(lane);
    height += lane.height;
  }
  pieces.push(piece);
  const more = app.lanes.length - lanes.length;
  const notes = more > 0 ? [el("p", {}, `and ${more} more lanes`)] : [];
  fill("paper", ...pieces.map((piece) => paperPiece(app, piece, theme)), ...notes);
  $("paper").hidden = false;
}

function paperPiece(app, lanes, theme) {
  const ratio = 2;
  const axis = 26;
  const height = lanes.reduce((sum, lane) => sum + lane.height, axis);
  const canvas = el("canvas");
  const context = prepare(canvas, PAPER.width, height, ratio);
  const looks = looksFor(context, theme, app.data.states, ratio);
  const scale = Object.create(app.scale, { width: { value: PAPER.width - PAPER.gutter } });
  context.fillStyle = theme.surface;
  context.fillRect(0, 0, PAPER.width, height);
  context.save();
  context.translate(PAPER.gutter, 0);
  context.beginPath();
  context.rect(0, 0, scale.width, height);
  context.clip();
  drawAxis(context, scale, theme, axis);
  context.translate(0, axis);
  drawLanes(context, lanes, scale, looks, theme, 0, { measured: app.showsMeasured });
  drawGrid(context, scale, theme, height);
  context.restore();
  paperLabels(context, lanes, theme, axis);
  return canvas;
}

function paperLabels(context, lanes, theme, top) {
  context.fillStyle = theme.ink;
  context.textBaseline = "middle";
  let y = top;
  for (const lane of lanes) {
    context.font = `${lane.kind === "heading" ? "bold 11px" : "12px"} system-ui, 'Liberation Sans', sans-serif`;
    const left = lane.kind === "heading" ? 4 : 14;
    context.fillText(lane.label, left, y + lane.height / 2, PAPER.gutter - left - 6);
    y += lane.height;
  }
}

function listenToPrinting(app) {
  const clear = () => {
    $("paper").hidden = true;
    $("paper").replaceChildren();
  };
  const paper = matchMedia("print");
  paper.addEventListener("change", () => (paper.matches ? drawPaper(app) : clear()));
  addEventListener("beforeprint", () => !app.hidden && drawPaper(app));
  addEventListener("afterprint", clear);
  $("tool-print").addEventListener("click", () => window.print());
}
