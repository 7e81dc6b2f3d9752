// Numbers and times as people read them. Times are seconds since the start of the trace.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MINUTE = 60,
  HOUR = 3600,
  DAY = 86400;
const pad = (n) => String(n).padStart(2, "0");
const calendar = data.start !== null && data.start !== undefined;

function significant(value, figures) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : "∞";
  if (value === 0) return "0";
  const digits = Math.min(6, Math.max(0, figures - 1 - Math.floor(Math.log10(Math.abs(value)))));
  const [whole, rest] = value.toFixed(digits).split(".");
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") : whole;
  return rest && Number(rest) ? `${grouped}.${rest.replace(/0+$/, "")}` : grouped;
}

function latency(ms) {
  if (!Number.isFinite(ms)) return Number.isNaN(ms) ? "–" : "∞";
  if (ms < 1000) return `${significant(ms, 3)} ms`;
  return ms < 120000 ? `${significant(ms / 1000, 3)} s` : `${significant(ms / 60000, 3)} min`;
}

// A share as a percentage, rounded down, with enough digits to tell 99.9 % from 99.99 %.
function percent(share) {
  if (!Number.isFinite(share)) return "–";
  if (share >= 1) return "100 %";
  const digits = Math.min(4, Math.max(1, Math.ceil(1 - Math.log10((1 - share) * 100))));
  const unit = 10 ** digits;
  return `${Math.floor(share * 100 * unit + 1e-6) / unit} %`;
}

function span(seconds) {
  if (seconds < 2 * MINUTE) return `${significant(seconds, 3)} s`;
  if (seconds < 2 * HOUR) return `${significant(seconds / MINUTE, 3)} min`;
  if (seconds < 2 * DAY) return `${significant(seconds / HOUR, 3)} h`;
  return `${significant(seconds / DAY, 3)} days`;
}

const dateOf = (t) => new Date((data.start + t) * 1000);

function clock(t, seconds) {
  const at = calendar ? dateOf(t) : new Date(Math.round(t) * 1000);
  const text = `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}`;
  return seconds ? `${text}:${pad(at.getUTCSeconds())}` : text;
}

function day(t) {
  if (!calendar) return `day ${Math.floor(Math.round(t) / DAY) + 1}`;
  return `${dateOf(t).getUTCDate()} ${MONTHS[dateOf(t).getUTCMonth()]}`;
}

// A full moment: date, time and the reference.
function moment(t) {
  if (!calendar) return `${day(t)}, ${clock(t, true)} elapsed`;
  return `${day(t)} ${dateOf(t).getUTCFullYear()}, ${clock(t, true)} UTC`;
}

// A range of time in one line.
function rangeOf(from, to) {
  const fine = to - from < HOUR;
  const year = (t) => (calendar ? ` ${dateOf(t).getUTCFullYear()}` : "");
  const sameDay = day(from) === day(to);
  const end = sameDay ? clock(to, fine) : `${day(to)}${year(to)}, ${clock(to, fine)}`;
  const start = `${day(from)}${year(from)}, ${clock(from, fine)}`;
  return `${start} – ${end}${calendar ? " UTC" : ""} (${span(to - from)})`;
}

const TIME_STEPS = [
  1,
  2,
  5,
  10,
  15,
  30,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
  28 * DAY,
  91 * DAY,
  365 * DAY,
];

// Tick positions and labels between two times, at most `count` of them.
function timeTicks(from, to, count) {
  const step = TIME_STEPS.find((s) => (to - from) / s <= count) || TIME_STEPS[TIME_STEPS.length - 1];
  const monday = step >= 7 * DAY && calendar ? 4 * DAY : 0;
  const origin = (calendar ? data.start : 0) - monday;
  const ticks = [];
  for (let at = Math.ceil((from + origin) / step) * step; at <= to + origin; at += step) {
    const t = at - origin;
    const midnight = (at + monday) % DAY === 0;
    ticks.push({ t, text: midnight ? day(t) : clock(t, step < MINUTE), strong: midnight && step < DAY });
  }
  return ticks;
}
