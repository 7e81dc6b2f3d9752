// One time chart: frame, axes, clip, cross-hair. What it draws is passed in.

const MARGIN = { left: 66, right: 14, top: 8, bottom: 24 };
let chartCount = 0;
let printing = false;
const charts = [];

// `draw(frame)` returns nothing and appends to `frame.layer`; `describe(t)` gives rows for the cross-hair.
function timeChart(parent, options) {
  const key = el("span", { class: "key" });
  const figure = el(
    "figure",
    {},
    options.title ? el("figcaption", {}, el("h3", {}, options.title), key) : null,
  );
  const root = svg("svg", {
    class: "plot",
    tabindex: 0,
    role: "img",
    "aria-label": options.label,
    "aria-describedby": "keys",
  });
  figure.append(root);
  parent.append(figure);
  const chart = { ...options, figure, root, key, id: `clip${++chartCount}`, frame: null };
  charts.push(chart);
  chart.redraw = () => redraw(chart);
  view.listeners.push(chart.redraw);
  view.crossListeners.push((t) => moveCross(chart, t));
  return chart;
}

function chartWidth(chart) {
  return printing ? 690 : Math.max(320, Math.floor(chart.figure.clientWidth) || 1000);
}

function redraw(chart) {
  const width = chartWidth(chart);
  const height = typeof chart.height === "function" ? chart.height() : chart.height;
  const { root } = chart;
  root.setAttribute("viewBox", `0 0 ${width} ${height}`);
  root.replaceChildren();
  const range = chart.whole ? whole : view;
  const frame = {
    width,
    height,
    left: MARGIN.left,
    right: width - MARGIN.right,
    top: MARGIN.top,
    bottom: height - MARGIN.bottom,
    range,
  };
  frame.x = (t) => frame.left + ((t - range.from) / (range.to - range.from)) * (frame.right - frame.left);
  frame.time = (x) =>
    range.from + ((x - frame.left) / (frame.right - frame.left)) * (range.to - range.from);
  frame.pixels = frame.right - frame.left;
  frame.behind = svg("g", {});
  frame.layer = svg("g", { "clip-path": `url(#${chart.id})` });
  frame.front = svg("g", {});
  root.append(
    svg(
      "defs",
      {},
      svg(
        "clipPath",
        { id: chart.id },
        svg("rect", { x: frame.left, y: 0, width: frame.pixels, height: frame.bottom }),
      ),
    ),
    frame.behind,
    frame.layer,
    frame.front,
  );
  chart.frame = frame;
  timeAxis(frame);
  warmUp(frame, chart.nameWarmUp);
  chart.draw(frame, chart);
  chart.cross = svg("line", { class: "cross", y1: frame.top, y2: frame.bottom, visibility: "hidden" });
  root.append(chart.cross);
  moveCross(chart, view.at);
}

function timeAxis(frame) {
  let clear = -Infinity;
  const ticks = timeTicks(frame.range.from, frame.range.to, Math.max(2, frame.pixels / 85));
  const first = ticks.find((tick) => frame.x(tick.t) > frame.left + 12);
  if (first && frame.range.to - frame.range.from < 2 * DAY && !ticks.some((tick) => tick.strong)) {
    first.text = `${day(first.t)}, ${first.text}`;
  }
  for (const tick of ticks) {
    const x = Math.round(frame.x(tick.t)) + 0.5;
    frame.behind.append(svg("line", { class: "grid", x1: x, x2: x, y1: frame.top, y2: frame.bottom }));
    const half = tick.text.length * 3.4;
    if (x - half < clear || x + half > frame.width || x - half < 0) continue;
    clear = x + half + 8;
    frame.behind.append(
      svg(
        "text",
        {
          x,
          y: frame.bottom + 16,
          "text-anchor": "middle",
          class: tick.strong ? "strong" : null,
        },
        tick.text,
      ),
    );
  }
  frame.behind.append(
    svg("line", {
      class: "axis",
      x1: frame.left,
      x2: frame.right,
      y1: frame.bottom + 0.5,
      y2: frame.bottom + 0.5,
    }),
  );
}

// Grid lines and labels; labels too close to each other, or to the level named apart, are left out.
function valueAxis(frame, scale, level) {
  let clear = Infinity;
  for (const tick of scale.ticks) {
    const y = Math.round(tick.y) + 0.5;
    if (y < 0 || y > frame.bottom + 1) continue;
    frame.behind.append(svg("line", { class: "grid", x1: frame.left, x2: frame.right, y1: y, y2: y }));
    if (Math.abs(clear - y) < 12 || (level !== undefined && Math.abs(level - y) < 13)) continue;
    clear = y;
    frame.behind.append(svg("text", { x: frame.left - 7, y: y + 4, "text-anchor": "end" }, tick.text));
  }
}

function warmUp(frame, named) {
  if (!(data.scoredFrom > frame.range.from)) return;
  const end = Math.min(frame.right, frame.x(data.scoredFrom));
  frame.behind.append(
    svg("rect", {
      class: "warm",
      x: frame.left,
      y: frame.top,
      width: Math.max(0, end - frame.left),
      height: frame.bottom - frame.top,
    }),
  );
  if (named && end - frame.left > 60) {
    frame.front.append(svg("text", { x: frame.left + 5, y: frame.top + 12 }, "warm-up"));
  }
}

function moveCross(chart, t) {
  if (!chart.cross || !chart.frame) return;
  const visible = t !== null && t >= chart.frame.range.from && t <= chart.frame.range.to;
  chart.cross.setAttribute("visibility", visible ? "visible" : "hidden");
  if (!visible) return;
  const x = chart.frame.x(t);
  chart.cross.setAttribute("x1", x);
  chart.cross.setAttribute("x2", x);
}

const round = (value) => Math.round(value * 10) / 10;

// A line in steps; NaN leaves a gap.
function stepPath(frame, list, value, y) {
  let path = "",
    open = false;
  for (const bucket of list) {
    const v = value(bucket);
    if (Number.isNaN(v)) {
      open = false;
      continue;
    }
    const [x0, x1, at] = [round(frame.x(bucket.t0)), round(frame.x(bucket.t1)), round(y(v))];
    path += open ? `V${at}H${x1}` : `M${x0} ${at}H${x1}`;
    open = true;
  }
  return path;
}

// An area in steps between two values.
function areaPath(frame, list, low, high, y) {
  let path = "";
  let run = [];
  const flush = () => {
    if (!run.length) return;
    path += `M${run[0].x0} ${run[0].low}`;
    for (const r of run) path += `V${r.high}H${r.x1}`;
    for (const r of run.slice().reverse()) path += `V${r.low}H${r.x0}`;
    path += "Z";
    run = [];
  };
  for (const bucket of list) {
    const [a, b] = [low(bucket), high(bucket)];
    if (Number.isNaN(a) || Number.isNaN(b) || a === b) {
      flush();
      continue;
    }
    run.push({
      x0: round(frame.x(bucket.t0)),
      x1: round(frame.x(bucket.t1)),
      low: round(y(a)),
      high: round(y(b)),
    });
  }
  flush();
  return path;
}

// A line through the middles of the windows; NaN leaves a gap.
function middlePath(frame, list, value, y) {
  let path = "",
    open = false,
    from = null;
  for (const bucket of list) {
    const v = value(bucket);
    if (Number.isNaN(v)) {
      if (open && from) path += `h0.1`;
      open = false;
      continue;
    }
    path += `${open ? "L" : "M"}${round(frame.x((bucket.t0 + bucket.t1) / 2))} ${round(y(v))}`;
    from = open ? null : bucket;
    open = true;
  }
  return path;
}

function addPath(frame, className, path) {
  if (path) frame.layer.append(svg("path", { class: className, d: path }));
}

function levelLine(frame, y, text) {
  frame.front.append(
    svg("line", { class: "objective", x1: frame.left, x2: frame.right, y1: y, y2: y }),
    svg("text", { class: "strong", x: frame.left - 7, y: y + 4, "text-anchor": "end" }, text),
  );
}
