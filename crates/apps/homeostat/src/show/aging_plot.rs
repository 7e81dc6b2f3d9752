//! Plots of signals as SVG: block means, the fitted trend, and the fan to the limit.

use std::fmt::Write as _;

use homeostat_forecast::aging::Trend;

use crate::commands::aging::Row;

const WIDTH: f64 = 900.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 20.0;
const PANEL: f64 = 220.0;
const GAP: f64 = 74.0;
const TOP: f64 = 76.0;
/// Panels at most, the nearest to their limits first.
const MOST: usize = 12;
/// Steps of the fan.
const FAN: u32 = 60;

/// Draws a panel for each row that has a trend.
pub(crate) fn render(rows: &[Row]) -> String {
    let mut drawn: Vec<(&Row, &Trend)> =
        rows.iter().filter_map(|row| Some((row, row.trend.as_ref()?))).collect();
    let hours = |row: &Row| row.verdict.to_limit.map_or(f64::INFINITY, |eta| eta.hours);
    drawn.sort_by(|a, b| hours(a.0).total_cmp(&hours(b.0)));
    let left_out = drawn.len().saturating_sub(MOST);
    drawn.truncate(MOST);
    let height = TOP + (PANEL + GAP) * drawn.len().max(1) as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n<rect width=\"100%\" \
         height=\"100%\" fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"26\" font-size=\"16\" \
         font-weight=\"600\">Signals of replicas: dots block means, line trend, fan 90 % to the limit</text>\n"
    );
    let note = match (drawn.len(), left_out) {
        (0, _) => "No signal has a trend yet.".to_owned(),
        (_, 0) => String::new(),
        (_, more) => format!("{more} more are not drawn."),
    };
    // Writing to a string cannot fail.
    writeln!(out, "<text x=\"{LEFT}\" y=\"44\" fill=\"#666\">{note}</text>").ok();
    for (i, (row, trend)) in drawn.iter().enumerate() {
        panel(&mut out, row, trend, TOP + (PANEL + GAP) * i as f64);
    }
    out.push_str("</svg>\n");
    out
}

/// Where things are in a panel.
struct Frame {
    top: f64,
    x: [f64; 2],
    y: [f64; 2],
}

impl Frame {
    fn x_of(&self, x: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (x - self.x[0]) / (self.x[1] - self.x[0])
    }

    fn y_of(&self, y: f64) -> f64 {
        self.top + PANEL * (1.0 - (y - self.y[0]) / (self.y[1] - self.y[0])).clamp(0.0, 1.0)
    }

    fn points(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        let text = points.map(|(x, y)| format!("{:.1},{:.1}", self.x_of(x), self.y_of(y)));
        text.collect::<Vec<_>>().join(" ")
    }
}

fn panel(out: &mut String, row: &Row, trend: &Trend, top: f64) {
    let past = -trend.hours.first().copied().unwrap_or(0.0);
    // As far as the limit where it is near, else as far as half of what was seen.
    let near = row.verdict.to_limit.map(|eta| eta.hours * 1.1).filter(|hours| *hours <= 3.0 * past);
    let ahead = near.unwrap_or(past / 2.0).max(0.5);
    let steps = || (0..=FAN).map(|i| ahead * f64::from(i) / f64::from(FAN));
    let fan: Vec<[f64; 3]> = steps().map(|hours| trend.ahead(hours)).collect();
    let limit = row.limit.filter(|_| near.is_some());
    let levels = trend.values.iter().copied().chain(fan.iter().map(|band| band[1])).chain(limit);
    let (low, high) =
        levels.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
    let margin = ((high - low) * 0.08).max(high.abs() * 1e-6).max(1e-9);
    let frame = Frame { top, x: [-past, ahead], y: [low - margin, high + margin] };
    axes(out, row, &frame);
    let mut put = |text: std::fmt::Arguments| {
        // Writing to a string cannot fail.
        writeln!(out, "{text}").ok();
    };
    let upper = steps().zip(fan.iter().map(|band| band[2]));
    let lower = steps().zip(fan.iter().map(|band| band[0])).collect::<Vec<_>>().into_iter().rev();
    let around = frame.points(upper.chain(lower));
    put(format_args!("<polygon points=\"{around}\" fill=\"#c2410c\" fill-opacity=\".18\"/>"));
    let middle = frame.points(steps().zip(fan.iter().map(|band| band[1])));
    put(format_args!(
        "<polyline points=\"{middle}\" fill=\"none\" stroke=\"#c2410c\" stroke-width=\"2\" \
         stroke-dasharray=\"5 4\"/>"
    ));
    for (x, y) in trend.hours.iter().zip(&trend.values) {
        let (x, y) = (frame.x_of(*x), frame.y_of(*y));
        put(format_args!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\" fill=\"#1f6f8b\" fill-opacity=\".5\"/>"
        ));
    }
    let fitted = (0..trend.hours.len()).map(|i| (trend.hours[i], trend.fitted(i)));
    let fitted = frame.points(fitted);
    put(format_args!("<polyline points=\"{fitted}\" fill=\"none\" stroke=\"#c2410c\" stroke-width=\"2\"/>"));
    if let Some(limit) = limit {
        let (y, right) = (frame.y_of(limit), WIDTH - RIGHT);
        put(format_args!("<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#b91c1c\" stroke-dasharray=\"2 3\"/>"));
        put(format_args!("<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#b91c1c\">limit</text>", LEFT + 6.0, y - 4.0));
    }
}

/// Title, grid and numbers.
fn axes(out: &mut String, row: &Row, frame: &Frame) {
    let mut put = |text: std::fmt::Arguments| {
        // Writing to a string cannot fail.
        writeln!(out, "{text}").ok();
    };
    let eta = row.verdict.to_limit.map_or_else(String::new, |eta| {
        format!(", limit in {:.1} h ({:.1} to {:.1})", eta.hours, eta.low, eta.high)
    });
    put(format_args!(
        "<text x=\"{LEFT}\" y=\"{:.1}\" font-weight=\"600\">{} {}: {:.3} per hour ({:.3} to {:.3}){eta}, {}</text>",
        frame.top - 8.0,
        escaped(&row.replica),
        escaped(&row.signal),
        row.verdict.slope_per_hour,
        row.verdict.slope_low,
        row.verdict.slope_high,
        row.verdict.why.code(),
    ));
    for i in 0..=4 {
        let share = f64::from(i) / 4.0;
        let value = frame.y[0] + share * (frame.y[1] - frame.y[0]);
        let (at, right) = (frame.y_of(value), WIDTH - RIGHT);
        put(format_args!("<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#e4e4e4\"/>"));
        put(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            at + 4.0,
            short(value, frame.y[1] - frame.y[0])
        ));
    }
    let under = frame.top + PANEL + 16.0;
    for i in 0..=5 {
        let hours = frame.x[0] + f64::from(i) / 5.0 * (frame.x[1] - frame.x[0]);
        let x = frame.x_of(hours);
        put(format_args!("<text x=\"{x:.1}\" y=\"{under:.1}\" text-anchor=\"middle\">{hours:.1}</text>"));
    }
    let (x, bottom) = (frame.x_of(0.0), frame.top + PANEL);
    put(format_args!("<path d=\"M{x:.1} {:.1}V{bottom:.1}\" stroke=\"#888\"/>", frame.top));
    put(format_args!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">hours from now</text>",
        f64::midpoint(LEFT, WIDTH - RIGHT),
        under + 18.0
    ));
}

/// A value with as many digits as the range needs.
fn short(value: f64, range: f64) -> String {
    let digits = (1 - range.abs().max(1e-9).log10().floor() as i32).clamp(0, 6) as usize;
    format!("{value:.digits$}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
