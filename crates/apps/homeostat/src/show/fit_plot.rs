//! Plots of a fit and of a replay as SVG: measured against modelled latency.

use std::fmt::Write as _;

use homeostat_calibrate::Fit;
use homeostat_calibrate::replay::Replay;

const WIDTH: f64 = 900.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const PANEL: f64 = 260.0;
const GAP: f64 = 70.0;
const TOP: f64 = 56.0;
/// Points drawn at most in each series.
const MOST: usize = 1_500;

/// A dot: where, how high, in which colour.
struct Dot {
    x: f64,
    y: f64,
    class: &'static str,
}

/// One picture with axes.
struct Panel<'a> {
    title: &'a str,
    x_name: &'a str,
    dots: Vec<Dot>,
    lines: Vec<(&'static str, Vec<(f64, f64)>)>,
}

/// Latency by utilisation and over time, measured and fitted.
pub(crate) fn render(fit: &Fit) -> String {
    let stride = fit.points.len().div_ceil(MOST).max(1);
    let (mut by_load, mut over_time) = (Vec::new(), Vec::new());
    let mut curves = [Vec::new(), Vec::new()];
    let mut fitted = Vec::new();
    for point in fit.points.iter().step_by(stride) {
        for (k, own) in ["p50", "p99"].into_iter().enumerate() {
            let class = if point.class == "used" { own } else { "out" };
            if let Some(y) = point.measured_ms[k] {
                by_load.push(Dot { x: point.utilisation, y, class });
                if k == 1 {
                    over_time.push(Dot { x: point.at_s / 3_600.0, y, class });
                }
            }
            curves[k].push((point.utilisation.min(0.96), point.fitted_ms[k]));
        }
        fitted.push((point.at_s / 3_600.0, point.fitted_ms[1]));
    }
    let [p50, p99] = curves.map(banded);
    let panels = [
        Panel {
            title: "p50 and p99 by utilisation: dots measured, lines fitted, grey not used",
            x_name: "utilisation",
            dots: by_load,
            lines: vec![("p50", p50), ("p99", p99)],
        },
        Panel { title: "p99 over time", x_name: "hours", dots: over_time, lines: vec![("p99", fitted)] },
    ];
    svg("Measured and fitted latency, ms", &panels)
}

/// Latency over time in the record and in the twin.
pub(crate) fn render_replay(replay: &Replay) -> String {
    let stride = replay.series.len().div_ceil(MOST).max(1);
    let names = [("p50", 1), ("p95", 2), ("p99", 3)];
    let panels: Vec<Panel> = names
        .into_iter()
        .map(|(name, k)| {
            let windows = || replay.series.iter().step_by(stride);
            let dots = windows().filter_map(|w| {
                let class = if w.counts { "p50" } else { "out" };
                Some(Dot { x: w.at_s / 3_600.0, y: w.recorded_ms[k]?, class })
            });
            let twin = windows().filter_map(|w| Some((w.at_s / 3_600.0, w.twin_ms[k]?))).collect();
            let lines = vec![("p99", twin)];
            Panel { title: name, x_name: "hours", dots: dots.collect(), lines }
        })
        .collect();
    svg("Latency in ms: dots the record (grey: not compared), line the twin", &panels)
}

/// The mean over narrow bands of x: a curve where the count of replicas varies.
fn banded(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    const BANDS: usize = 40;
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let size = points.len().div_ceil(BANDS).max(1);
    let mean = |chunk: &[(f64, f64)]| {
        let n = chunk.len() as f64;
        (chunk.iter().map(|p| p.0).sum::<f64>() / n, chunk.iter().map(|p| p.1).sum::<f64>() / n)
    };
    points.chunks(size).map(mean).collect()
}

fn svg(title: &str, panels: &[Panel]) -> String {
    let height = TOP + (PANEL + GAP) * panels.len() as f64;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n<style>.p50{{color:#1f6f8b}}\
         .p99{{color:#c2410c}}.out{{color:#b8b8b8}}circle{{fill:currentColor;fill-opacity:.45}}\
         polyline{{fill:none;stroke:currentColor;stroke-width:2}}</style>\n<rect width=\"100%\" height=\"100%\" \
         fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"24\" font-size=\"16\" font-weight=\"600\">{title}</text>\n"
    );
    for (i, panel) in panels.iter().enumerate() {
        draw(&mut out, panel, TOP + (PANEL + GAP) * i as f64);
    }
    out.push_str("</svg>\n");
    out
}

fn draw(out: &mut String, panel: &Panel, top: f64) {
    let all = || {
        let lines = panel.lines.iter().flat_map(|(_, points)| points.iter().copied());
        panel.dots.iter().map(|d| (d.x, d.y)).chain(lines).filter(|(x, y)| x.is_finite() && *y > 0.0)
    };
    let x_top = all().map(|p| p.0).fold(1e-9, f64::max);
    let mut ys: Vec<f64> = all().map(|p| p.1).collect();
    ys.sort_by(f64::total_cmp);
    let at = |q: f64| ys.get((q * ys.len() as f64) as usize).or(ys.last()).copied().unwrap_or(1.0);
    let (low, high) = ((at(0.002) * 0.8).max(1e-6), at(0.998) * 1.25);
    let span = (high / low).ln().max(1e-9);
    let x_of = |x: f64| LEFT + (WIDTH - LEFT - RIGHT) * x / x_top;
    let y_of = |y: f64| top + PANEL - PANEL * ((y.max(1e-9) / low).ln() / span).clamp(0.0, 1.0);
    let mut put = |text: std::fmt::Arguments| {
        // Writing to a string cannot fail.
        writeln!(out, "{text}").ok();
    };
    put(format_args!("<text x=\"{LEFT}\" y=\"{:.1}\" font-weight=\"600\">{}</text>", top - 8.0, panel.title));
    for y in ticks(low, high) {
        let (right, at) = (WIDTH - RIGHT, y_of(y));
        put(format_args!("<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#e4e4e4\"/>"));
        put(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{y}</text>",
            LEFT - 8.0,
            at + 4.0
        ));
    }
    for i in 0..=5 {
        let x = x_top * f64::from(i) / 5.0;
        let (at, under) = (x_of(x), top + PANEL + 16.0);
        put(format_args!("<text x=\"{at:.1}\" y=\"{under:.1}\" text-anchor=\"middle\">{x:.2}</text>"));
    }
    let (middle, under) = (x_of(x_top / 2.0), top + PANEL + 34.0);
    put(format_args!(
        "<text x=\"{middle:.1}\" y=\"{under:.1}\" text-anchor=\"middle\">{}</text>",
        panel.x_name
    ));
    for dot in panel.dots.iter().filter(|d| d.x.is_finite() && d.y > 0.0) {
        put(format_args!(
            "<circle class=\"{}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2\"/>",
            dot.class,
            x_of(dot.x),
            y_of(dot.y)
        ));
    }
    for (class, points) in &panel.lines {
        let path: Vec<String> =
            points.iter().map(|(x, y)| format!("{:.1},{:.1}", x_of(*x), y_of(*y))).collect();
        put(format_args!("<polyline class=\"{class}\" points=\"{}\"/>", path.join(" ")));
    }
}

/// Round numbers within the range: one, two and five times powers of ten, more where those are few.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let with = |steps: &[f64]| -> Vec<f64> {
        let all = (first..=last).flat_map(|power| steps.iter().map(move |m| m * 10_f64.powi(power)));
        all.map(|y| (y * 1e6).round() / 1e6).filter(|y| (low..=high).contains(y)).collect()
    };
    let few = with(&[1.0, 2.0, 5.0]);
    if few.len() >= 4 { few } else { with(&[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0]) }
}
