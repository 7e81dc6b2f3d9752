// Drag, wheel, double click and keys on the time charts.

function position(chart, event) {
  const box = chart.root.getBoundingClientRect();
  const scale = chart.frame.width / (box.width || 1);
  const x = (event.clientX - box.left) * scale,
    y = (event.clientY - box.top) * scale;
  const { left, right } = chart.frame;
  return { x, y, t: chart.frame.time(Math.min(Math.max(x, left), right)) };
}

function listen(chart) {
  let drag = null;
  const { root } = chart;
  root.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { from: position(chart, event), box: svg("rect", { class: "brush" }) };
    root.setPointerCapture(event.pointerId);
    hideTip();
  });
  root.addEventListener("pointermove", (event) => {
    const at = position(chart, event);
    setCross(at.t);
    if (drag) drawBrush(chart, drag, at);
    else hover(chart, event, at);
  });
  root.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const at = position(chart, event),
      from = drag.from;
    drag.box.remove();
    drag = null;
    if (Math.abs(at.x - from.x) > 5) show(Math.min(at.t, from.t), Math.max(at.t, from.t));
  });
  root.addEventListener("pointercancel", () => {
    if (drag) drag.box.remove();
    drag = null;
  });
  root.addEventListener("pointerleave", () => {
    if (!drag) {
      setCross(null);
      hideTip();
    }
  });
  root.addEventListener("blur", hideTip);
  root.addEventListener("dblclick", showAll);
  root.addEventListener("wheel", (event) => wheel(chart, event), { passive: false });
  root.addEventListener("keydown", (event) => {
    if (key(chart, event)) event.preventDefault();
  });
}

function drawBrush(chart, drag, at) {
  const { left, right, top, bottom } = chart.frame;
  const clamp = (x) => Math.min(Math.max(x, left), right);
  const [a, b] = [clamp(drag.from.x), clamp(at.x)];
  for (const [name, value] of [
    ["x", Math.min(a, b)],
    ["width", Math.abs(b - a)],
    ["y", top],
    ["height", bottom - top],
  ]) {
    drag.box.setAttribute(name, value);
  }
  chart.root.append(drag.box);
}

function hover(chart, event, at) {
  if (chart.lane) {
    const found = markAt(chart.frame, at.x, at.y);
    pick(chart, found);
    if (found) showTip(event.clientX, event.clientY, markContent(found));
    else hideTip();
  } else if (chart.readout) {
    showTip(event.clientX, event.clientY, readoutContent(chart, at.t));
  }
}

function pick(chart, found) {
  if ((found && found.mark) === laneState.mark) return;
  laneState.policy = found && found.policy;
  laneState.mark = found && found.mark;
  chart.redraw();
}

function wheel(chart, event) {
  const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
  if (sideways && (view.from > whole.from || view.to < whole.to)) {
    event.preventDefault();
    pan(Math.sign(event.deltaX || event.deltaY) * 0.1);
  } else if (event.ctrlKey || event.metaKey || document.activeElement === chart.root) {
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, position(chart, event).t);
  }
}

function key(chart, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (sideways && event.shiftKey) pan(sideways * 0.2);
  else if (sideways && chart.lane) stepMark(chart, sideways);
  else if (sideways) stepCross(chart, sideways);
  else if (event.key === "+" || event.key === "=") zoom(0.5, view.at);
  else if (event.key === "-") zoom(2, view.at);
  else if (event.key === "0" || event.key === "Escape") {
    showAll();
    hideTip();
  } else return false;
  return true;
}

function stepCross(chart, direction) {
  const by = (view.to - view.from) / 100;
  const start = view.at ?? (view.from + view.to) / 2;
  const t = Math.min(Math.max(start + direction * by, view.from), view.to);
  setCross(t);
  if (!chart.readout) return;
  const box = chart.root.getBoundingClientRect();
  showTip(
    box.left + chart.frame.x(t) * (box.width / chart.frame.width),
    box.top + 20,
    readoutContent(chart, t),
  );
  speak(chart, t);
}

function stepMark(chart, direction) {
  const found = nextMark(direction);
  if (!found) return;
  pick(chart, found);
  setCross(found.mark[0]);
  const box = chart.root.getBoundingClientRect();
  showTip(
    box.left + chart.frame.x(found.mark[0]) * (box.width / chart.frame.width),
    box.bottom - 30,
    markContent(found),
  );
  byId("live").textContent = Object.values(markText(found)).join(". ");
}
