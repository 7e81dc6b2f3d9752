// The box beside the pointer, and the same in words for a screen reader.

const tip = byId("tip");

function showTip(x, y, content) {
  tip.replaceChildren(...content);
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = x + 16 + width > innerWidth - 8 ? x - 16 - width : x + 16;
  const top = y + 16 + height > innerHeight - 8 ? y - 16 - height : y + 16;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${Math.max(8, top)}px`;
}

function hideTip() {
  tip.hidden = true;
}

const windowAt = (series, length, t) => {
  const i = Math.floor((t - series.start) / series.step);
  return i >= 0 && i < length ? i : -1;
};

function rangeText(low, high) {
  return low === high ? significant(low, 4) : `${significant(low, 4)}–${significant(high, 4)}`;
}

function capacityReadout(t) {
  const demand = data.demand;
  const i = windowAt(demand, demand.mean.length, t);
  const peak = i >= 0 && demand.peak.length ? `, peak ${significant(demand.peak[i], 3)}` : "";
  const head = i < 0 ? null : `demand ${significant(demand.mean[i], 3)}${peak} replicas`;
  const rows = chosen().map((policy) => {
    const s = policy.series,
      j = windowAt(s, s.readyMin.length, t);
    return [
      policy,
      ...(j < 0
        ? ["–", "–", "–"]
        : [
            rangeText(s.readyMin[j], s.readyMax[j]),
            significant(s.starting[j], 4),
            significant(s.desired[j], 4),
          ]),
    ];
  });
  return { head, columns: ["ready", "starting", "desired"], rows };
}

function latencyReadout(t) {
  const rows = chosen().map((policy) => {
    const s = policy.series,
      j = windowAt(s, s.requests.length, t);
    return [
      policy,
      ...["p50", "p95", "p99"].map((q) => (j < 0 || !s.requests[j] ? "–" : latency(s[q][j]))),
    ];
  });
  return { columns: ["p50", "p95", "p99"], rows };
}

function attainmentReadout(t) {
  const rows = chosen().map((policy) => {
    const s = policy.series,
      j = windowAt(s, s.requests.length, t);
    if (j < 0 || !s.requests[j]) return [policy, "–", "–", "–"];
    return [
      policy,
      percent(1 - s.missed[j] / s.requests[j]),
      significant(s.failed[j], 4),
      significant(s.requests[j], 4),
    ];
  });
  return { columns: ["attainment", "failed", "requests"], rows };
}

function readoutContent(chart, t) {
  const { head, columns, rows } = chart.readout(t);
  const table = el(
    "table",
    {},
    el("thead", {}, el("tr", {}, el("td", {}), ...columns.map((c) => el("td", {}, c)))),
    el(
      "tbody",
      {},
      ...rows.map(([policy, ...values]) =>
        el("tr", {}, el("td", {}, swatch(policy), policy.name), ...values.map((v) => el("td", {}, v))),
      ),
    ),
  );
  return [
    el("p", {}, el("strong", {}, moment(t))),
    head ? el("p", {}, head) : null,
    rows.length ? table : null,
  ].filter(Boolean);
}

function speak(chart, t) {
  const { head, columns, rows } = chart.readout(t);
  const parts = rows.map(
    ([policy, ...values]) => `${policy.name}: ${columns.map((c, i) => `${c} ${values[i]}`).join(", ")}`,
  );
  byId("live").textContent = [moment(t), head, ...parts].filter(Boolean).join(". ");
}

function markContent(found) {
  const { head, line, text } = markText(found);
  return [
    el("p", {}, el("strong", {}, head)),
    el("p", {}, swatch(found.policy), " ", line),
    el("p", {}, text),
  ];
}
