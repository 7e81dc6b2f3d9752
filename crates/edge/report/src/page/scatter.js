// Cost against attainment: markers by policy, the objective, and the clairvoyant bound where there is one.

const SHAPES = [
  "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0Z",
  "M-5.5-5.5h11v11h-11Z",
  "M0-7L6.5 5H-6.5Z",
  "M0-7.5L7 0L0 7.5L-7 0Z",
  "M0 7L6.5-5H-6.5Z",
  "M-2.2-6.5h4.4v4.3h4.3v4.4h-4.3v4.3h-4.4v-4.3h-4.3v-4.4h4.3Z",
];

function costScale(left, right) {
  const costs = data.policies.map((p) => p.cost).filter(Number.isFinite);
  const bound = (data.bound || [])
    .flatMap(([, cost, lower]) => [cost, lower ?? cost])
    .filter(Number.isFinite);
  const all = [...costs, ...bound];
  if (!all.length) all.push(0, 1);
  const low = Math.min(...all),
    high = Math.max(...all);
  if (low > 0 && high > 2.5 * low) return costLogScale(low * 0.92, high * 1.12, left, right);
  return linearScale(low > 0.6 * high ? low - (high - low) * 0.2 : 0, high * 1.02, left, right, 8);
}

function costLogScale(low, high, left, right) {
  const a = Math.log10(low),
    b = Math.log10(high);
  const at = (value) => left + ((Math.log10(value) - a) / (b - a)) * (right - left);
  at.logarithmic = true;
  at.ticks = [];
  for (let e = Math.floor(a); e <= b; e++) {
    for (const factor of [1, 1.5, 2, 3, 4, 5, 7]) {
      const value = factor * 10 ** e;
      if (value >= low && value <= high) at.ticks.push({ y: at(value), text: significant(value, 4) });
    }
  }
  return at;
}

function drawScatter() {
  const parent = byId("scatter");
  const width = printing ? 690 : Math.max(320, parent.clientWidth || 1000);
  const height = printing ? 380 : 440;
  const frame = { left: 66, right: width - 20, top: 10, bottom: height - 42 };
  const root = svg("svg", {
    class: "plot",
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": "Cost against attainment",
  });
  root.style.cursor = "default";
  frame.behind = root;
  const misses = data.policies
    .map((p) => 1 - p.attainment)
    .concat((data.bound || []).map(([a]) => 1 - a));
  const positive = misses.concat(1 - data.attainment).filter((m) => m > 1e-7);
  const y = attainmentScale(
    Math.max(10 * (1 - data.attainment), 1e-5, ...positive) * 1.3,
    Math.min(0.001, ...positive) * 0.8,
    frame.bottom,
    frame.top,
  );
  const x = costScale(frame.left, frame.right);
  const level = y(1 - data.attainment);
  root.append(
    svg("rect", {
      class: "keeps-zone",
      x: frame.left,
      y: frame.top,
      width: frame.right - frame.left,
      height: Math.max(0, level - frame.top),
    }),
  );
  valueAxis(frame, y);
  for (const tick of x.ticks) {
    root.append(
      svg("line", { class: "grid", x1: tick.y, x2: tick.y, y1: frame.top, y2: frame.bottom }),
      svg("text", { x: tick.y, y: frame.bottom + 17, "text-anchor": "middle" }, tick.text),
    );
  }
  root.append(
    svg(
      "text",
      { x: frame.right, y: height - 6, "text-anchor": "end" },
      `cost, ${data.costUnit || "cost units"}${x.logarithmic ? " (logarithmic)" : ""} →`,
    ),
    svg("line", { class: "axis", x1: frame.left, x2: frame.right, y1: frame.bottom, y2: frame.bottom }),
    svg("line", { class: "objective", x1: frame.left, x2: frame.right, y1: level, y2: level }),
  );
  const taken = [];
  if (data.bound && data.bound.length) drawBound(root, x, y, taken);
  drawPoints(root, frame, x, y, taken);
  placeText(
    root,
    frame,
    taken,
    frame.right,
    level,
    `objective ${percent(data.attainment)}: kept above this line`,
    "strong",
  );
  if (data.bound && data.bound.length) nameBound(root, frame, x, y, taken);
  parent.replaceChildren(root);
}

function drawBound(root, x, y, taken) {
  const points = [...data.bound]
    .sort((a, b) => a[0] - b[0])
    .map(([a, cost, lower]) => ({ x: x(cost), y: y(1 - a), low: lower == null ? null : x(lower) }));
  const path = (list, key) =>
    list.map((p, i) => `${i ? "L" : "M"}${round(p[key])} ${round(p.y)}`).join("");
  const lower = points.filter((p) => p.low !== null);
  if (lower.length) {
    root.append(
      svg("path", {
        class: "gap",
        d: `${path(points, "x")}${path(lower.slice().reverse(), "low").replace("M", "L")}Z`,
      }),
      svg("path", { class: "lower", d: path(lower, "low") }),
    );
  }
  root.append(svg("path", { class: "bound", d: path(points, "x") }));
  keepClear(taken, points);
  keepClear(
    taken,
    lower.map((p) => ({ x: p.low, y: p.y })),
  );
}

// Marks the course of a line as taken, so that no text is put on it.
function keepClear(taken, line) {
  for (let i = 1; i < line.length; i++) {
    for (let part = 0; part <= 1; part += 0.1) {
      const x = line[i - 1].x + (line[i].x - line[i - 1].x) * part;
      const y = line[i - 1].y + (line[i].y - line[i - 1].y) * part;
      taken.push({ x0: x - 3, x1: x + 3, y0: y - 3, y1: y + 3 });
    }
  }
}

function nameBound(root, frame, x, y, taken) {
  const [attainment, cost, lower] = data.bound.reduce((best, point) =>
    point[0] > best[0] ? point : best,
  );
  const text =
    lower == null ? "clairvoyant: best found" : "clairvoyant: best found, and lower bound (dashed)";
  placeText(root, frame, taken, x(cost), y(1 - attainment), text);
}

// Places for a text of some width around a point: beside it, above, below, then further away.
function placesFor(wide) {
  const near = [
    [13, 4],
    [-13 - wide, 4],
    [-wide / 2, -15],
    [-wide / 2, 24],
    [12, -10],
    [12, 18],
    [-12 - wide, -10],
    [-12 - wide, 18],
  ];
  const far = [];
  for (const away of [28, 42, 58, 76, 96]) {
    for (const dx of [14, -14 - wide, -wide / 2, 40, -40 - wide])
      far.push([dx, 4 + away], [dx, 4 - away]);
  }
  return [...near.map((place) => ({ place })), ...far.map((place) => ({ place, leader: true }))];
}

// Puts a text where nothing is yet, with a line to its point where that is far away.
function placeText(root, frame, taken, x, y, text, className) {
  const wide = text.length * (className === "strong" ? 7.4 : 6.6) * (printing ? 0.84 : 1);
  const box = ([dx, dy]) => ({ x0: x + dx, x1: x + dx + wide, y0: y + dy - 11, y1: y + dy + 4 });
  const free = (a) =>
    a.x0 > frame.left &&
    a.x1 < frame.right + 16 &&
    a.y0 > frame.top - 8 &&
    a.y1 < frame.bottom &&
    !taken.some((b) => a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1);
  const places = placesFor(wide);
  const { place, leader } = places.find((p) => free(box(p.place))) || places[0];
  const at = box(place);
  taken.push(at);
  if (leader) {
    const [ex, ey] = [Math.min(Math.max(x, at.x0), at.x1), place[1] > 0 ? at.y0 + 1 : at.y1];
    const length = Math.hypot(ex - x, ey - y) || 1;
    root.append(
      svg("line", {
        class: "leader",
        x1: x + ((ex - x) / length) * 8,
        y1: y + ((ey - y) / length) * 8,
        x2: ex,
        y2: ey,
      }),
    );
  }
  root.append(svg("text", { class: `label ${className || ""}`, x: x + place[0], y: y + place[1] }, text));
}

function drawPoints(root, frame, x, y, taken) {
  const spots = data.policies.map((policy) => ({
    policy,
    x: x(policy.cost),
    y: y(1 - policy.attainment),
  }));
  spots.forEach((s) => taken.push({ x0: s.x - 8, x1: s.x + 8, y0: s.y - 8, y1: s.y + 8 }));
  for (const s of spots) {
    drawWhiskers(root, s, x, y);
    const hollow = Math.floor(s.policy.style / 6) % 2 === 1;
    if (view.selected.has(s.policy.index)) {
      root.append(
        svg("circle", { class: `ring hue${hue(s.policy)}`, cx: round(s.x), cy: round(s.y), r: 11 }),
      );
    }
    const price = `${significant(s.policy.cost, 4)} ${data.costUnit || "cost units"}`;
    const what = `${s.policy.name}: ${percent(s.policy.attainment)} for ${price}`;
    const marker = svg(
      "path",
      {
        class: `marker hue${hue(s.policy)} ${hollow ? "hollow" : `fill${hue(s.policy)}`}`,
        d: SHAPES[hue(s.policy)],
        transform: `translate(${round(s.x)} ${round(s.y)})`,
        onclick: () => toggle(s.policy.index, !view.selected.has(s.policy.index)),
        onpointermove: (event) =>
          showTip(event.clientX, event.clientY, [el("p", {}, what), el("p", {}, s.policy.guards)]),
        onpointerleave: hideTip,
      },
      svg("title", {}, what),
    );
    root.append(marker);
  }
  for (const s of [...spots].sort((a, b) => b.policy.keeps - a.policy.keeps || a.x - b.x)) {
    const name = s.policy.name.length > 34 ? `${s.policy.name.slice(0, 33)}…` : s.policy.name;
    placeText(root, frame, taken, s.x, s.y, name, view.selected.has(s.policy.index) ? "strong" : "");
  }
}

function drawWhiskers(root, { policy, x: cx, y: cy }, x, y) {
  let path = "";
  if (policy.costCi) path += `M${x(policy.costCi[0])} ${cy}H${x(policy.costCi[1])}`;
  if (policy.attainmentCi)
    path += `M${cx} ${y(1 - policy.attainmentCi[0])}V${y(1 - policy.attainmentCi[1])}`;
  if (path) root.append(svg("path", { class: `whisker hue${hue(policy)}`, d: path }));
}
