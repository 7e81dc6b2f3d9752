// Reads the data block: arrays are 16-bit codes in base64, on a linear or a logarithmic scale.

function decode(packed) {
  const bytes = atob(packed.d);
  const values = new Float64Array(bytes.length >> 1);
  for (let i = 0; i < values.length; i++) {
    const code = bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8);
    if (code === 65535) values[i] = NaN;
    else if (code === 65534) values[i] = Infinity;
    else if (packed.k === "lin") values[i] = code * packed.s;
    else values[i] = code === 0 ? 0 : Math.exp(packed.a + ((code - 1) / 64999) * packed.w);
  }
  return values;
}

function decodeSeries(packed) {
  const series = { start: packed.start, step: packed.step };
  for (const [name, value] of Object.entries(packed)) {
    if (value && value.d !== undefined) series[name] = decode(value);
  }
  return series;
}

const data = JSON.parse(byId("data").textContent);
data.demand = decodeSeries(data.demand);
data.policies.forEach((policy, index) => {
  policy.index = index;
  policy.series = decodeSeries(policy.series);
  policy.keeps = policy.attainment >= data.attainment - 1e-12;
});

// As in the table: the line styles follow its order.
const ranked = [...data.policies].sort((a, b) => a.style - b.style);

// First and last + 1 window of a series inside [from, to], in seconds.
function windows(series, length, from, to) {
  const first = Math.max(0, Math.floor((from - series.start) / series.step));
  const last = Math.min(length, Math.ceil((to - series.start) / series.step));
  return [first, Math.max(first, last)];
}

// Groups of neighbouring windows, each about one pixel wide or wider.
function buckets(series, length, view, pixels) {
  const [first, last] = windows(series, length, view.from, view.to);
  const by = Math.max(1, Math.ceil((last - first) / Math.max(1, pixels)));
  const list = [];
  for (let i = Math.floor(first / by) * by; i < last; i += by) {
    const end = Math.min(length, i + by);
    list.push({
      from: i,
      to: end,
      t0: series.start + i * series.step,
      t1: series.start + end * series.step,
    });
  }
  return { list, seconds: by * series.step };
}

function least(values, bucket) {
  let found = NaN;
  for (let i = bucket.from; i < bucket.to; i++) if (!(values[i] >= found)) found = values[i];
  return found;
}

function most(values, bucket) {
  let found = NaN;
  for (let i = bucket.from; i < bucket.to; i++)
    if (!(values[i] <= found) && !Number.isNaN(values[i])) found = values[i];
  return found;
}

function sum(values, bucket) {
  let total = 0;
  for (let i = bucket.from; i < bucket.to; i++) total += values[i];
  return total;
}

function mean(values, bucket) {
  return sum(values, bucket) / (bucket.to - bucket.from);
}

// Requests, missed and failed inside [from, to].
function totals(policy, from, to) {
  const series = policy.series;
  const [first, last] = windows(series, series.requests.length, from, to);
  const bucket = { from: first, to: last };
  return {
    requests: sum(series.requests, bucket),
    missed: sum(series.missed, bucket),
    failed: sum(series.failed, bucket),
  };
}
