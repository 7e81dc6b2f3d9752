//! History and forecast as SVG: the median with a fan of quantiles, and past forecasts beside what came.

use std::fmt::Write as _;

use homeostat_core::Instant;
use homeostat_forecast::Series;
use homeostat_forecast::backtest::{AUTOMATIC, Forecasts};

use crate::commands::forecast::Result;
use crate::run::forecast::Backtest;

const WIDTH: f64 = 1_000.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 24.0;
const PANEL: f64 = 300.0;
const GAP: f64 = 76.0;
const TOP: f64 = 60.0;
/// Points of one line at most.
const MOST: usize = 1_200;
/// Past forecasts that are drawn.
const PAST: usize = 400;
/// Height of a band at most, over the highest line.
const MOST_BAND: f64 = 2.0;
/// Quantiles of the fan, from the outside in.
const FAN: [f64; 7] = [0.01, 0.99, 0.05, 0.95, 0.25, 0.75, 0.5];

/// A band between two lines, over times.
struct Band {
    class: &'static str,
    points: Vec<(Instant, f64, f64)>,
}

/// A line, broken where values are not known.
struct Line {
    class: &'static str,
    points: Vec<(Instant, Option<f64>)>,
}

struct Panel {
    title: String,
    bands: Vec<Band>,
    lines: Vec<Line>,
    /// Where the future begins.
    now: Option<Instant>,
}

/// Draws a result.
pub(crate) fn render(result: &Result) -> String {
    let mut panels = vec![future(result)];
    if let Some(backtest) = &result.backtest {
        panels.extend(past(&result.recorded.cleaned.series, backtest));
    }
    let height = TOP + (PANEL + GAP) * panels.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n<style>\
         .known{{stroke:#334155}}.middle{{stroke:#c2410c}}polyline{{fill:none;stroke-width:1.5}}\
         .wide{{fill:#fde3cf}}.interval{{fill:#f9c49a}}.half{{fill:#f19a5b}}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"16\" font-weight=\"600\">{}</text>\n",
        escaped(&title(result))
    );
    for (index, panel) in panels.iter().enumerate() {
        draw(&mut out, panel, TOP + (PANEL + GAP) * index as f64, result.recorded.calendar);
    }
    out.push_str("</svg>\n");
    out
}

fn title(result: &Result) -> String {
    let file = result.recorded.file.rsplit('/').next().unwrap_or_default();
    format!("{file}: forecast by {}", result.forecast.chosen.model)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The end of the history and the forecast.
fn future(result: &Result) -> Panel {
    let (series, paths) = (&result.recorded.cleaned.series, &result.forecast.paths);
    let shown = (paths.steps * 6).max(120).min(series.values.len());
    let first = series.values.len() - shown;
    let mut bands = ["wide", "interval", "half"].map(|class| Band { class, points: Vec::new() });
    let mut middle = Vec::new();
    for step in 0..if paths.count() > 0 { paths.steps } else { 0 } {
        let at = paths.from + paths.step * step as u64;
        let quantiles = paths.quantiles(step, FAN);
        for (band, pair) in bands.iter_mut().zip(quantiles.chunks(2)) {
            band.points.push((at, pair[0], pair[1]));
        }
        middle.push((at, Some(quantiles[6])));
    }
    let known = Line { class: "known", points: history(series, first, series.values.len()) };
    Panel {
        title: "History, median, and the quantiles 1 to 99 %, 5 to 95 %, 25 to 75 %".to_owned(),
        bands: bands.into(),
        lines: vec![known, Line { class: "middle", points: middle }],
        now: Some(paths.from),
    }
}

/// What the automatic choice said of the last targets at the furthest horizon, and what came.
fn past(series: &Series, backtest: &Backtest) -> Option<Panel> {
    let automatic: &Forecasts = backtest.forecasts.iter().find(|f| f.name == AUTOMATIC)?;
    let plan = &backtest.plan;
    let k = plan.horizons.len() - 1;
    let ahead = *plan.steps(series.step).get(k)?;
    let origins: Vec<(usize, usize)> = plan.origins(series).enumerate().collect();
    let shown = &origins[origins.len().saturating_sub(PAST)..];
    let mut band = Band { class: "interval", points: Vec::new() };
    let mut middle = Vec::new();
    for (place, origin) in shown {
        let at = series.at(origin + ahead - 1);
        let said = automatic.quantiles[place * plan.horizons.len() + k];
        if let Some([low, half, _, high, _]) = said {
            band.points.push((at, low, high));
            middle.push((at, Some(half)));
        }
    }
    let (from, to) = (shown.first()?.1 + ahead - 1, shown.last()?.1 + ahead);
    let known = Line { class: "known", points: history(series, from, to) };
    Some(Panel {
        title: format!("What was said {} before, 5 to 95 %, and what came", plan.horizons[k]),
        bands: vec![band],
        lines: vec![known, Line { class: "middle", points: middle }],
        now: None,
    })
}

/// Values from step `from` to `to`, thinned by means so that a line stays small.
fn history(series: &Series, from: usize, to: usize) -> Vec<(Instant, Option<f64>)> {
    let stride = (to - from).div_ceil(MOST).max(1);
    let mean = |start: usize| {
        let piece = &series.values[start..(start + stride).min(to)];
        let known: Vec<f64> = piece.iter().filter_map(|value| value.known()).collect();
        let value = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
        (series.at(start), value)
    };
    (from..to).step_by(stride).map(mean).collect()
}

/// Where times and values stand in a panel.
struct Frame {
    from: u64,
    span: f64,
    high: f64,
    top: f64,
}

impl Frame {
    fn of(panel: &Panel, top: f64) -> Self {
        let lines = || panel.lines.iter().flat_map(|line| line.points.iter());
        let bands = || panel.bands.iter().flat_map(|band| band.points.iter());
        let times = || lines().map(|(at, _)| at.0).chain(bands().map(|(at, ..)| at.0));
        let (from, to) = (times().min().unwrap_or(0), times().max().unwrap_or(1));
        let line = lines().filter_map(|(_, value)| *value).fold(0.0, f64::max);
        let band = bands().map(|(.., high)| *high).fold(0.0, f64::max);
        // A band far above all lines is cut, else nothing else could be seen.
        let high = if line > 0.0 { band.min(line * MOST_BAND).max(line) } else { band };
        Self { from, span: (to - from).max(1) as f64, high: if high > 0.0 { high * 1.05 } else { 1.0 }, top }
    }

    fn x(&self, at: Instant) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * at.0.saturating_sub(self.from) as f64 / self.span
    }

    fn y(&self, value: f64) -> f64 {
        self.top + PANEL * (1.0 - (value / self.high).min(1.0))
    }
}

fn draw(out: &mut String, panel: &Panel, top: f64, calendar: bool) {
    let frame = Frame::of(panel, top);
    let mut put = |text: std::fmt::Arguments| {
        // Writing to a string cannot fail.
        writeln!(out, "{text}").ok();
    };
    let title = escaped(&panel.title);
    put(format_args!("<text x=\"{LEFT}\" y=\"{:.1}\" font-weight=\"600\">{title}</text>", top - 10.0));
    for value in ticks(frame.high) {
        let (right, y) = (WIDTH - RIGHT, frame.y(value));
        put(format_args!("<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#e4e4e4\"/>"));
        let (x, y) = (LEFT - 8.0, y + 4.0);
        put(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{value}</text>"));
    }
    for n in 0..=4_u8 {
        let at = Instant(frame.from + (frame.span * f64::from(n) / 4.0) as u64);
        let (x, y) = (frame.x(at), top + PANEL + 18.0);
        let anchor = ["start", "middle", "middle", "middle", "end"][usize::from(n)];
        let label = label(at, calendar);
        put(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{label}</text>"));
    }
    legend(&mut put, panel, top);
    for band in panel.bands.iter().filter(|band| !band.points.is_empty()) {
        let upper = band.points.iter().map(|(at, _, high)| (*at, *high));
        let lower = band.points.iter().rev().map(|(at, low, _)| (*at, *low));
        let path: Vec<String> = upper.chain(lower).map(|(at, v)| point(&frame, at, v)).collect();
        put(format_args!("<polygon class=\"{}\" points=\"{}\"/>", band.class, path.join(" ")));
    }
    for line in &panel.lines {
        for piece in line.points.split(|(_, value)| value.is_none()).filter(|piece| !piece.is_empty()) {
            let path: Vec<String> =
                piece.iter().filter_map(|(at, v)| v.map(|v| point(&frame, *at, v))).collect();
            put(format_args!("<polyline class=\"{}\" points=\"{}\"/>", line.class, path.join(" ")));
        }
    }
    if let Some(now) = panel.now {
        let (x, end) = (frame.x(now), top + PANEL);
        put(format_args!("<path d=\"M{x:.1} {top}V{end}\" stroke=\"#888\" stroke-dasharray=\"3 3\"/>"));
    }
}

/// What the lines are, at the right of the title.
fn legend(put: &mut impl FnMut(std::fmt::Arguments), panel: &Panel, top: f64) {
    let names = [("known", "recorded"), ("middle", "median forecast")];
    let mut x = WIDTH - RIGHT - 250.0;
    for (class, name) in names.iter().filter(|(class, _)| panel.lines.iter().any(|line| line.class == *class))
    {
        let (y, end, text) = (top - 14.0, x + 24.0, x + 30.0);
        put(format_args!("<polyline class=\"{class}\" points=\"{x:.1},{y:.1} {end:.1},{y:.1}\"/>"));
        put(format_args!("<text x=\"{text:.1}\" y=\"{:.1}\">{name}</text>", y + 4.0));
        x += 110.0;
    }
}

fn point(frame: &Frame, at: Instant, value: f64) -> String {
    format!("{:.1},{:.1}", frame.x(at), frame.y(value))
}

/// Date and minute.
fn label(at: Instant, calendar: bool) -> String {
    if calendar {
        homeostat_trace::iso(at).get(..16).unwrap_or_default().replace('T', " ")
    } else {
        at.to_utc_string()
    }
}

/// Round numbers from zero to the top.
fn ticks(high: f64) -> Vec<f64> {
    let power = 10_f64.powi((high / 4.0).log10().floor() as i32);
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| high / s <= 5.0);
    let step = step.unwrap_or(high);
    let count = (high / step) as u32;
    (0..=count).map(|n| (f64::from(n) * step * 1e9).round() / 1e9).collect()
}
