// What is shown: the range of time, the policies, the quantiles, the layout. One redraw per frame.

const whole = { from: 0, to: Math.max(data.span, 1) };
const SHORTEST = 60;

const view = {
  from: whole.from,
  to: whole.to,
  at: null,
  selected: new Set(),
  quantiles: new Set(["p50", "p99"]),
  split: false,
  listeners: [],
  crossListeners: [],
};

let pending = false;
function changed() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => {
    pending = false;
    view.listeners.forEach((listener) => listener());
  });
}

function setCross(t) {
  view.at = t;
  view.crossListeners.forEach((listener) => listener(t));
}

// Shows [from, to], kept inside the run and not shorter than a minute.
function show(from, to) {
  const length = Math.min(whole.to - whole.from, Math.max(SHORTEST, to - from));
  const start = Math.min(Math.max((from + to - length) / 2, whole.from), whole.to - length);
  view.from = start;
  view.to = start + length;
  changed();
}

// Makes the range `factor` times as long around time `around`.
function zoom(factor, around) {
  const t = Math.min(Math.max(around ?? (view.from + view.to) / 2, view.from), view.to);
  const length = Math.min(whole.to - whole.from, Math.max(SHORTEST, (view.to - view.from) * factor));
  const from = t - ((t - view.from) / (view.to - view.from)) * length;
  show(from, from + length);
}

function pan(share) {
  const by = (view.to - view.from) * share;
  show(view.from + by, view.to + by);
}

const showAll = () => show(whole.from, whole.to);
const chosen = () => ranked.filter((policy) => view.selected.has(policy.index));

function toggle(index, on) {
  if (on) view.selected.add(index);
  else view.selected.delete(index);
  changed();
}

// At first: the winner, the next that keeps the objective, and the cheapest that misses it.
function preselect() {
  const byCost = [...data.policies].sort((a, b) => a.cost - b.cost);
  const kept = byCost.filter((policy) => policy.keeps);
  const missed = byCost.filter((policy) => !policy.keeps).sort((a, b) => b.attainment - a.attainment);
  const picks = [...kept.slice(0, 2), ...missed.slice(0, kept.length ? 1 : 2)];
  picks.forEach((policy) => view.selected.add(policy.index));
}

// The window with the most missed requests under the chosen policies, with room around it.
function showWorst() {
  let worst = null;
  for (const policy of chosen()) {
    const { missed, start, step } = policy.series;
    for (let i = 0; i < missed.length; i++) {
      if (start + i * step >= data.scoredFrom && missed[i] > (worst ? worst.missed : 0)) {
        worst = { missed: missed[i], t: start + (i + 0.5) * step, step };
      }
    }
  }
  if (!worst) return;
  const half = Math.max(3 * HOUR, worst.step * 12);
  show(worst.t - half, worst.t + half);
  setCross(worst.t);
}
