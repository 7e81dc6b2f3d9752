// Scales from values to pixels, with their ticks.

function linearScale(low, high, bottom, top, count) {
  if (!(high > low)) high = low + 1;
  const range = high - low;
  const raw = range / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
  const end = high;
  const start = Math.floor(low / step + 1e-9) * step;
  const at = (value) => bottom + ((value - start) / (end - start)) * (top - bottom);
  at.ticks = [];
  for (let i = 0; start + i * step <= end + step * 1e-6; i++) {
    const value = start + i * step;
    at.ticks.push({ y: at(value), text: significant(value, 4) });
  }
  return at;
}

// Logarithmic, for latencies: infinite values lie on a line of their own above the top.
function latencyScale(low, high, bottom, top, infinite) {
  const a = Math.log10(Math.max(low, 1e-3)),
    b = Math.log10(Math.max(high, 1e-2));
  const room = infinite ? 22 : 0;
  const at = (value) => {
    if (value === Infinity) return top + 4;
    const part = (Math.log10(Math.max(value, low, 1e-3)) - a) / (b - a || 1);
    return bottom + part * (top + room - bottom);
  };
  const factors = b - a > 2.2 ? [1] : b - a > 1.1 ? [1, 3] : [1, 2, 5];
  at.ticks = [];
  for (let e = Math.floor(a); e <= Math.ceil(b); e++) {
    for (const factor of factors) {
      const value = factor * 10 ** e;
      if (value >= low * 0.999 && value <= high * 1.001)
        at.ticks.push({ y: at(value), text: latency(value) });
    }
  }
  if (infinite) at.ticks.push({ y: at(Infinity), text: "∞" });
  return at;
}

// Attainment by its misses, logarithmic: 0, 90, 99, 99.9, 99.99 %; no miss at all lies above.
function attainmentScale(worst, best, bottom, top) {
  const low = Math.log10(Math.min(1, worst)),
    high = Math.log10(best);
  const ceiling = top + 4;
  const at = (missShare) => {
    if (!(missShare > 0)) return ceiling;
    const part = (low - Math.log10(missShare)) / (low - high);
    return Math.max(ceiling, bottom + Math.min(1.06, Math.max(0, part)) * (top + 22 - bottom));
  };
  at.ticks = [{ y: ceiling, text: "100 %" }];
  for (let e = 0; e >= -7; e--) {
    const share = 10 ** e;
    if (e <= low + 1e-9 && e >= high - 1e-9) at.ticks.push({ y: at(share), text: percent(1 - share) });
  }
  return at;
}
