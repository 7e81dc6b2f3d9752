// The time charts: demand against capacity, latency, attainment, and the overview above them.

const bucketsOf = (series, length, frame) => buckets(series, length, frame.range, frame.pixels);

function drawDemand(frame, y) {
  const demand = data.demand;
  const { list } = bucketsOf(demand, demand.mean.length, frame);
  addPath(
    frame,
    "demand",
    areaPath(
      frame,
      list,
      () => 0,
      (b) => mean(demand.mean, b),
      y,
    ),
  );
  const peaks = demand.peak.length ? demand.peak : demand.mean;
  addPath(
    frame,
    "demand-peak",
    stepPath(frame, list, (b) => most(peaks, b), y),
  );
  return list.reduce((high, b) => Math.max(high, most(peaks, b) || 0), 0);
}

function highestDemand(frame) {
  const peaks = data.demand.peak.length ? data.demand.peak : data.demand.mean;
  return bucketsOf(data.demand, peaks.length, frame).list.reduce(
    (high, b) => Math.max(high, most(peaks, b) || 0),
    0,
  );
}

function highestCapacity(frame, policies) {
  let high = 0;
  for (const { series } of policies) {
    const [first, last] = windows(series, series.readyMax.length, frame.range.from, frame.range.to);
    for (let i = first; i < last; i++) high = Math.max(high, series.held[i] || series.readyMax[i] || 0);
  }
  return high;
}

function drawPolicyCapacity(frame, policy, y) {
  const { series } = policy;
  const { list } = bucketsOf(series, series.readyMin.length, frame);
  const low = (b) => least(series.readyMin, b),
    high = (b) => most(series.readyMax, b);
  addPath(frame, `band fill${hue(policy)}`, areaPath(frame, list, low, high, y));
  addPath(
    frame,
    `start fill${hue(policy)}`,
    areaPath(frame, list, high, (b) => most(series.held, b), y),
  );
  addPath(frame, lineClass(policy), stepPath(frame, list, low, y));
}

const ROW = { capacity: 104, latency: 96, attainment: 88 };
const ROW_NAME = 16;

// Height of one row: on paper all rows of a chart fit on one sheet.
const rowHeight = (each, count) => (printing ? Math.min(each, 860 / count) : each);
const inRows = () => view.split && view.selected.size > 1;
const panelHeight = (single, each) => () => {
  const count = view.selected.size;
  return inRows() ? count * rowHeight(each, count) + MARGIN.top + MARGIN.bottom : single;
};

// One row with all chosen policies, the best on top, or one named row for each.
function rows(frame, each) {
  const policies = chosen();
  if (!inRows()) return [{ policies: policies.slice().reverse(), top: frame.top, bottom: frame.bottom }];
  const height = rowHeight(each, policies.length);
  return policies.map((policy, i) => {
    const top = frame.top + i * height;
    frame.front.append(
      svg("text", { class: "label strong", x: frame.left + 6, y: top + 12 }, policy.name),
    );
    return { policies: [policy], top: top + ROW_NAME, bottom: top + height - 3 };
  });
}

function drawCapacity(frame, chart) {
  const high = Math.max(1, highestDemand(frame), highestCapacity(frame, chosen())) * 1.04;
  for (const row of rows(frame, ROW.capacity)) {
    const y = linearScale(0, high, row.bottom, row.top, (row.bottom - row.top) / 42);
    valueAxis(frame, y);
    drawDemand(frame, y);
    row.policies.forEach((policy) => drawPolicyCapacity(frame, policy, y));
  }
  chart.key.replaceChildren(
    sample("demand", "demand, mean", "area"),
    sample("demand-peak", "demand, peak"),
    sample("line hue5", "ready, least"),
    sample("band fill5", "ready, up to the most", "area"),
    sample("start fill5", "starting, on top", "area"),
    "in replicas",
  );
}

const QUANTILES = { p50: "thin faint", p95: "thin", p99: "thick" };
const shownQuantiles = () => Object.keys(QUANTILES).filter((q) => view.quantiles.has(q));

// The lines of one policy, and what the scale must hold.
function latencyLines(frame, policy, reach) {
  const { series } = policy;
  const found = bucketsOf(series, series.requests.length, frame);
  reach.seconds = Math.max(reach.seconds, found.seconds);
  return shownQuantiles().map((quantile) => {
    const values = new Map(found.list.map((b) => [b, most(series[quantile], b)]));
    for (const v of values.values()) {
      if (v === Infinity) reach.infinite = true;
      else if (v > 0) {
        reach.low = Math.min(reach.low, v);
        reach.high = Math.max(reach.high, v);
      }
    }
    return { quantile, list: found.list, value: (b) => values.get(b) };
  });
}

function drawLatency(frame, chart) {
  const objective = data.latencyMs > 0 ? data.latencyMs : 1000;
  const reach = { low: objective, high: objective, infinite: false, seconds: 0 };
  const lines = new Map(chosen().map((policy) => [policy, latencyLines(frame, policy, reach)]));
  for (const row of rows(frame, ROW.latency)) {
    const y = latencyScale(reach.low * 0.85, reach.high * 1.2, row.bottom, row.top, reach.infinite);
    valueAxis(frame, y, y(objective));
    for (const policy of row.policies) {
      for (const { quantile, list, value } of lines.get(policy)) {
        addPath(frame, `${lineClass(policy)} ${QUANTILES[quantile]}`, middlePath(frame, list, value, y));
      }
    }
    levelLine(frame, y(objective), latency(objective));
  }
  chart.key.replaceChildren(
    ...shownQuantiles().map((q) => sample(`line hue5 ${QUANTILES[q]}`, q)),
    sample("objective", `objective ${latency(objective)}`),
    `worst window in each ${span(reach.seconds)}; ∞ = failed`,
  );
}

// Shares of missed and of failed requests of one policy per bucket.
function attainmentLines(frame, policy, reach) {
  const { series } = policy;
  const found = bucketsOf(series, series.requests.length, frame);
  reach.seconds = Math.max(reach.seconds, found.seconds);
  const share = (values) => (b) => {
    const requests = sum(series.requests, b);
    return requests > 0 ? sum(values, b) / requests : NaN;
  };
  const missed = share(series.missed);
  for (const b of found.list) if (missed(b) > reach.worst) reach.worst = missed(b);
  return { list: found.list, missed, failed: share(series.failed) };
}

function drawAttainment(frame, chart) {
  const wanted = 1 - data.attainment;
  const reach = { worst: Math.max(0.1, wanted), seconds: 0 };
  const best = Math.max(Math.min(0.001, wanted / 5), 1e-6);
  const lines = new Map(chosen().map((policy) => [policy, attainmentLines(frame, policy, reach)]));
  for (const row of rows(frame, ROW.attainment)) {
    const y = attainmentScale(reach.worst, best, row.bottom, row.top);
    valueAxis(frame, y, y(wanted));
    for (const policy of row.policies) {
      const { list, missed, failed } = lines.get(policy);
      addPath(frame, `${lineClass(policy)} thin faint`, middlePath(frame, list, failed, y));
      addPath(frame, lineClass(policy), middlePath(frame, list, missed, y));
    }
    levelLine(frame, y(wanted), percent(data.attainment));
  }
  chart.key.replaceChildren(
    sample("line hue5", "within the objective"),
    sample("line hue5 thin faint", "not failed"),
    sample("objective", `objective ${percent(data.attainment)}`),
    `share of requests that arrived in each ${span(reach.seconds)}`,
  );
}

function drawOverview(frame) {
  const y = linearScale(0, Math.max(1, highestDemand(frame)), frame.bottom, frame.top + 2, 1);
  drawDemand(frame, y);
  const full = view.from <= whole.from && view.to >= whole.to;
  if (!full) {
    const x0 = frame.x(view.from),
      x1 = frame.x(view.to);
    frame.front.append(
      svg("rect", {
        class: "window",
        x: x0,
        y: frame.top,
        width: Math.max(2, x1 - x0),
        height: frame.bottom - frame.top,
      }),
    );
  }
  frame.front.append(
    svg("text", { x: frame.left - 7, y: frame.top + 14, "text-anchor": "end" }, "whole run"),
  );
}

function buildPanels() {
  const parent = byId("charts");
  timeChart(byId("overview"), {
    label: "Overview: demand over the whole run, with the range shown below",
    height: 74,
    whole: true,
    draw: drawOverview,
  });
  timeChart(parent, {
    title: "Demand against capacity",
    label: "Demand and ready and starting replicas over time",
    height: panelHeight(300, ROW.capacity),
    draw: drawCapacity,
    nameWarmUp: true,
    readout: capacityReadout,
  });
  timeChart(parent, {
    title: "Latency",
    label: "Latency quantiles over time, logarithmic",
    height: panelHeight(240, ROW.latency),
    draw: drawLatency,
    readout: latencyReadout,
  });
  timeChart(parent, {
    title: "Attainment",
    label: "Share of requests within the objective over time",
    height: panelHeight(220, ROW.attainment),
    draw: drawAttainment,
    readout: attainmentReadout,
  });
  timeChart(parent, {
    title: "Decisions",
    label: "Changes of the desired count; left and right arrow keys go from one to the next",
    height: () => Math.max(1, view.selected.size) * laneHeight() + MARGIN.top + MARGIN.bottom,
    draw: drawLane,
    lane: true,
  });
}
