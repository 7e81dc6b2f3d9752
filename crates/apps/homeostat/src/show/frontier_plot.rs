//! The frontiers of a tuning as SVG: cost to the right, misses upwards from few to many on a logarithmic
//! scale, a line per family, rings around the settings chosen.

use std::fmt::Write as _;

use crate::commands::tune::{Tuned, Tuning};
use crate::show::tuned::percent_name;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 50.0;
/// One colour per family, readable to the colour-blind (Okabe and Ito).
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
/// Misses at the ends of the scale.
const FEWEST: f64 = 1e-4;
const MOST: f64 = 0.1;

/// The drawing.
pub(crate) fn draw(tuning: &Tuning) -> String {
    let costs = || tuning.families.iter().flat_map(visible).map(|(cost, _)| cost);
    let (low, high) = costs().fold((f64::INFINITY, 0.0_f64), |(a, b), cost| (a.min(cost), b.max(cost)));
    let (low, high) = if low < high { (low * 0.95, high * 1.05) } else { (0.0, high.max(1.0) * 1.1) };
    let x = |cost: f64| LEFT + (cost - low) / (high - low) * (WIDTH - LEFT - RIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    svg.push_str(&axes(&tuning.scenario, low, high, x));
    for (i, family) in tuning.families.iter().enumerate() {
        svg.push_str(&line(family, COLOURS[i % COLOURS.len()], i, x));
    }
    svg.push_str("</svg>\n");
    svg
}

/// Cost and attainment of the points of a frontier that are on the scale.
fn visible(family: &Tuned) -> impl Iterator<Item = (f64, f64)> + '_ {
    let points = family.frontier.iter().map(|row| (row.measured.cost, row.measured.attainment));
    points.filter(|(_, attainment)| 1.0 - attainment <= MOST)
}

fn y(attainment: f64) -> f64 {
    let misses = (1.0 - attainment).clamp(FEWEST, MOST);
    let share = (misses / FEWEST).ln() / (MOST / FEWEST).ln();
    TOP + share * (HEIGHT - TOP - BOTTOM)
}

fn axes(scenario: &str, low: f64, high: f64, x: impl Fn(f64) -> f64) -> String {
    let mut out = String::new();
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for attainment in [0.9999, 0.9995, 0.999, 0.995, 0.99, 0.95, 0.9] {
        let at = y(attainment);
        let label = percent_name(attainment);
        // Writing to a string cannot fail.
        writeln!(
            out,
            "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{label} %</text>",
            LEFT - 6.0,
            at + 4.0
        )
        .ok();
    }
    for i in 0..=4 {
        let cost = low + (high - low) * f64::from(i) / 4.0;
        writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{cost:.0}</text>",
            x(cost),
            bottom + 18.0
        )
        .ok();
    }
    let name = scenario.replace('&', "&amp;").replace('<', "&lt;");
    writeln!(
        out,
        "<path d=\"M{LEFT} {TOP}V{bottom}H{right}\" fill=\"none\" stroke=\"#333\"/>\n\
         <text x=\"{LEFT}\" y=\"18\" font-weight=\"bold\">{name}: attainment against cost, tuning part</text>\n\
         <text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">cost</text>",
        HEIGHT - 12.0
    )
    .ok();
    out
}

fn line(family: &Tuned, colour: &str, nth: usize, x: impl Fn(f64) -> f64) -> String {
    let points: Vec<(f64, f64)> = visible(family).map(|(cost, a)| (x(cost), y(a))).collect();
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let mut out = format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n",
        path.join(" ")
    );
    for (x, y) in points {
        writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"{colour}\"/>").ok();
    }
    for chosen in family.goals.iter().filter_map(|goal| goal.result.as_ref().ok()) {
        let measured = chosen.row.measured;
        let (cx, cy) = (x(measured.cost), y(measured.attainment));
        writeln!(
            out,
            "<circle cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"6\" fill=\"none\" stroke=\"{colour}\" \
             stroke-width=\"2\"/>"
        )
        .ok();
    }
    let (legend, at) = (WIDTH - RIGHT + 16.0, TOP + 18.0 * (nth as f64 + 1.0));
    writeln!(
        out,
        "<rect x=\"{legend}\" y=\"{:.1}\" width=\"14\" height=\"4\" fill=\"{colour}\"/><text x=\"{:.1}\" \
         y=\"{at:.1}\">{}</text>",
        at - 6.0,
        legend + 20.0,
        family.family
    )
    .ok();
    out
}
