// Tool bar, picker, printing, and the start of it all.

function button(text, label, action) {
  return el("button", { type: "button", onclick: action, "aria-label": label, title: label }, text);
}

function checkbox(text, checked, action) {
  const box = el("input", { type: "checkbox", onchange: () => action(box.checked) });
  box.checked = checked;
  return el("label", {}, box, text);
}

function setQuantile(name, on) {
  if (on) view.quantiles.add(name);
  else view.quantiles.delete(name);
  changed();
}

function chip(policy) {
  const box = el("input", { type: "checkbox", onchange: () => toggle(policy.index, box.checked) });
  const share = el("output", {});
  const root = el(
    "label",
    { class: "chip", title: `${policy.name}: attainment in the range shown` },
    box,
    swatch(policy),
    el("span", { class: "name" }, policy.name),
    share,
  );
  view.listeners.push(() => {
    const on = view.selected.has(policy.index);
    box.checked = on;
    root.classList.toggle("off", !on);
    const { requests, missed } = totals(policy, view.from, view.to);
    const attained = requests > 0 ? 1 - missed / requests : NaN;
    share.textContent = on ? percent(attained) : "";
    share.classList.toggle("bad", attained < data.attainment);
  });
  return root;
}

function selectAll(on) {
  data.policies.forEach((policy) =>
    on ? view.selected.add(policy.index) : view.selected.delete(policy.index),
  );
  changed();
}

function buildToolbar() {
  const range = el("span", { class: "range", role: "status" });
  const all = button("Whole run", "Show the whole run", showAll);
  const quantiles = ["p50", "p95", "p99"].map((q) =>
    checkbox(q, view.quantiles.has(q), (on) => setQuantile(q, on)),
  );
  const split = checkbox("one row per policy", view.split, (on) => {
    view.split = on;
    changed();
  });
  byId("toolbar").append(
    el(
      "div",
      { class: "row" },
      range,
      el(
        "span",
        { class: "buttons" },
        button("−", "Zoom out", () => zoom(2, view.at)),
        button("+", "Zoom in", () => zoom(0.5, view.at)),
        button("◀", "Earlier", () => pan(-0.5)),
        button("▶", "Later", () => pan(0.5)),
        all,
        button(
          "Worst window",
          "Go to the window with the most missed requests under the policies shown",
          showWorst,
        ),
      ),
      el("span", { class: "group" }, "Latency:", ...quantiles),
      el("span", { class: "group" }, "Layout:", split),
      el(
        "span",
        { class: "group buttons" },
        "Policies:",
        button("All", "Show all policies", () => selectAll(true)),
        button("None", "Show no policy", () => selectAll(false)),
      ),
    ),
    el("div", { class: "row", role: "group", "aria-label": "Policies shown" }, ...ranked.map(chip)),
  );
  view.listeners.push(() => {
    range.textContent = rangeOf(view.from, view.to);
    all.disabled = view.from <= whole.from && view.to >= whole.to;
  });
}

function drawNow() {
  view.listeners.forEach((listener) => listener());
}

function start() {
  document.documentElement.classList.add("js");
  if (!data.policies.length) return;
  preselect();
  buildTable();
  buildToolbar();
  view.listeners.push(drawScatter);
  buildPanels();
  charts.forEach(listen);
  drawNow();
  new ResizeObserver(changed).observe(byId("charts"));
  addEventListener("beforeprint", () => {
    printing = true;
    drawNow();
  });
  addEventListener("afterprint", () => {
    printing = false;
    drawNow();
  });
}

start();
