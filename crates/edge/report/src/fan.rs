//! What policies expected, as a fan, beside what then came: a plain picture for each that forecasts.

use std::fmt::Write as _;

use crate::axis;
use crate::data::{Forecast, PolicyReport, ReportData};
use crate::escape::html;
use crate::{format, table, thin};

/// Room for all fans together, in bytes of the page.
const ROOM: usize = 240_000;
/// Most bytes of one window: five heights and six places.
const WINDOW_BYTES: usize = 80;
/// Most windows per fan: a little wider than a pixel.
const MOST_WINDOWS: usize = 720;

/// Unknown windows that a line goes across.
const BRIDGED: usize = 2;

const WIDTH: f64 = 1_240.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = WIDTH - 8.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = HEIGHT - 24.0;

/// The section; empty where no policy forecasts.
pub(crate) fn section(data: &ReportData) -> String {
    let count: usize = data.policies.iter().map(|policy| policy.forecasts.len()).sum();
    if count == 0 {
        return String::new();
    }
    let windows = (ROOM / WINDOW_BYTES / count).clamp(2, MOST_WINDOWS);
    let mut figures = String::new();
    for (policy, style) in data.policies.iter().zip(table::styles(data)) {
        for forecast in &policy.forecasts {
            figures += &figure(data, policy, &thin::forecast(forecast, windows), style % 6);
        }
    }
    format!(
        "<section class=\"fans\" aria-labelledby=\"h-fans\"><h2 id=\"h-fans\">Forecasts</h2>\
         <p class=\"lede\">Each forecast stands at the time that it was for, not at the time when it was \
         made.</p>{figures}</section>"
    )
}

fn figure(data: &ReportData, policy: &PolicyReport, forecast: &Forecast, hue: usize) -> String {
    let service = match policy.forecasts.len() {
        1 => String::new(),
        _ => format!(" of {}", html(&forecast.service)),
    };
    let title = format!(
        "What {} expected{service} {} ahead, and what came",
        html(&policy.name),
        format::span(forecast.ahead_s.round())
    );
    let key = [
        sample(&format!("band fill{hue}"), "expected, 5 to 95 %", true),
        sample(&format!("line hue{hue}"), "median", false),
        sample(&format!("line thin faint hue{hue}"), "99 %", false),
        sample("came", "came", false),
        format!("requests per second, mean of each {}", format::span(forecast.step_s)),
    ];
    format!(
        "<figure><figcaption><h3>{title}</h3><span class=\"key\">{}</span></figcaption>{}</figure>",
        key.concat(),
        picture(data, forecast, hue, &title)
    )
}

/// A sample for the key, as the script draws them.
fn sample(class: &str, text: &str, area: bool) -> String {
    let mark = if area {
        format!("<rect class=\"{class}\" x=\"1\" y=\"1\" width=\"20\" height=\"10\"/>")
    } else {
        format!("<line class=\"{class}\" x1=\"1\" y1=\"6\" x2=\"21\" y2=\"6\"/>")
    };
    format!("<span><svg width=\"22\" height=\"12\" aria-hidden=\"true\">{mark}</svg>{text}</span>")
}

fn picture(data: &ReportData, forecast: &Forecast, hue: usize, title: &str) -> String {
    let drawn = [&forecast.p99, &forecast.p95, &forecast.arrived];
    let high = drawn.into_iter().flatten().flatten().copied().filter(|v| v.is_finite()).fold(0.0, f32::max);
    let scale = Scale {
        start_s: forecast.start_s,
        step_s: forecast.step_s,
        per_second: (RIGHT - LEFT) / data.trace.span_s.max(forecast.step_s),
        per_rate: (BOTTOM - TOP) / (f64::from(high) * 1.04).max(1e-9),
    };
    let mut out =
        format!("<svg class=\"fan\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">");
    grid(&mut out, data, &scale);
    let mut path = |class: &str, path: String| {
        // Writing to a string cannot fail.
        write!(out, "<path class=\"{class}\" d=\"{path}\"/>").ok();
    };
    path(&format!("band fill{hue}"), scale.band(&forecast.p5, &forecast.p95));
    path(&format!("line thin faint hue{hue}"), scale.line(&forecast.p99));
    path("came", scale.line(&forecast.arrived));
    path(&format!("line hue{hue}"), scale.line(&forecast.p50));
    out.push_str("</svg>");
    out
}

/// Lines and labels of both axes.
fn grid(out: &mut String, data: &ReportData, scale: &Scale) {
    for rate in axis::values((BOTTOM - TOP) / scale.per_rate, 5.0) {
        let y = scale.y(rate as f32).round() + 0.5;
        let (text, label) = (format::short(rate), y + 4.0);
        write!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y}\" y2=\"{y}\"/>\
             <text x=\"{}\" y=\"{label}\" text-anchor=\"end\">{text}</text>",
            LEFT - 7.0
        )
        .ok();
    }
    for (at_s, text) in axis::times(data.trace.start_unix_s, data.trace.span_s, 12.0) {
        let x = (LEFT + at_s * scale.per_second).round() + 0.5;
        write!(out, "<line class=\"grid\" x1=\"{x}\" x2=\"{x}\" y1=\"{TOP}\" y2=\"{BOTTOM}\"/>").ok();
        if x < RIGHT - 20.0 {
            write!(out, "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{text}</text>", BOTTOM + 16.0).ok();
        }
    }
    let warm = (data.trace.scored_from_s * scale.per_second).clamp(0.0, RIGHT - LEFT);
    let (y, height) = (BOTTOM + 0.5, BOTTOM - TOP);
    write!(out, "<rect class=\"warm\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{warm:.1}\" height=\"{height}\"/>")
        .ok();
    write!(out, "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y}\" y2=\"{y}\"/>").ok();
}

/// From windows and rates to places in the picture.
struct Scale {
    start_s: f64,
    step_s: f64,
    per_second: f64,
    per_rate: f64,
}

impl Scale {
    /// The middle of a window.
    fn x(&self, window: usize) -> f64 {
        LEFT + (self.start_s + self.step_s * (window as f64 + 0.5)) * self.per_second
    }

    fn y(&self, rate: f32) -> f64 {
        BOTTOM - f64::from(rate) * self.per_rate
    }

    fn point(&self, window: usize, rate: f32) -> String {
        format!("{:.1} {:.1}", self.x(window).min(RIGHT), self.y(rate))
    }

    /// A line through the windows that are known, broken where several are not.
    fn line(&self, rates: &[Option<f32>]) -> String {
        let parts: Vec<String> =
            runs(rates).iter().map(|run| format!("M{}", self.points(run, false))).collect();
        parts.concat()
    }

    /// The area between two lines.
    fn band(&self, low: &[Option<f32>], high: &[Option<f32>]) -> String {
        let lows = runs(low);
        let part =
            |(low, high): (&Run, &Run)| format!("M{}L{}Z", self.points(high, false), self.points(low, true));
        lows.iter().zip(&runs(high)).map(part).collect()
    }

    fn points(&self, run: &Run, back: bool) -> String {
        let mut points: Vec<String> = run.iter().map(|&(window, rate)| self.point(window, rate)).collect();
        if back {
            points.reverse();
        }
        points.join("L")
    }
}

/// Windows with their values.
type Run = Vec<(usize, f32)>;

/// The finite values, apart where too many windows between them are unknown.
fn runs(rates: &[Option<f32>]) -> Vec<Run> {
    let known = rates.iter().enumerate().filter_map(|(window, rate)| Some((window, (*rate)?)));
    let known: Run = known.filter(|(_, rate)| rate.is_finite()).collect();
    known.chunk_by(|before, next| next.0 - before.0 <= BRIDGED + 1).map(<[_]>::to_vec).collect()
}
