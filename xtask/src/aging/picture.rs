//! Pictures of the time-to-limit error against lead, as SVG.

use std::fmt::Write as _;

/// Where the pictures lie, from the repository root: of generated runs, and of the recorded one.
pub(super) const GENERATED: &str = "docs/aging-times.svg";
pub(super) const RECORDED: &str = "docs/aging-recorded.svg";

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 48.0;
/// Hours of lead to the right end, and the error at the upper end.
const LEADS: f64 = 24.0;
const MOST: f64 = 1.0;

/// A line: its name, colour, dashes, and points of lead in hours and error as a share.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) colour: &'static str,
    pub(super) dashes: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

fn x(lead: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * lead / LEADS
}

fn y(error: f64) -> f64 {
    HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * error.clamp(0.0, MOST) / MOST
}

/// Draws the lines; their names stand at their right ends, apart from each other.
pub(super) fn draw(title: &str, lines: &[Line]) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n<rect width=\"100%\" \
         height=\"100%\" fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"26\" font-size=\"15\" \
         font-weight=\"600\">{title}</text>\n"
    );
    axes(&mut out);
    let mut ends: Vec<(f64, &Line)> =
        lines.iter().filter_map(|line| Some((y(line.points.last()?.1), line))).collect();
    ends.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut below = f64::INFINITY;
    for (end, line) in ends {
        let points: Vec<String> =
            line.points.iter().map(|(lead, error)| format!("{:.1},{:.1}", x(*lead), y(*error))).collect();
        let Line { name, colour, dashes, .. } = line;
        let points = points.join(" ");
        below = end.min(below - 15.0);
        let (right, text) = (x(LEADS) + 8.0, below + 4.0);
        // Writing to a string cannot fail.
        writeln!(
            out,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" \
             stroke-dasharray=\"{dashes}\"/>\n<text x=\"{right}\" y=\"{text:.1}\" fill=\"{colour}\">{name}</text>"
        )
        .ok();
    }
    out.push_str("</svg>\n");
    out
}

fn axes(out: &mut String) {
    let (right, bottom) = (x(LEADS), y(0.0));
    for percent in [0, 15, 30, 50, 75, 100] {
        let at = y(f64::from(percent) / 100.0);
        writeln!(
            out,
            "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#ddd\"/>\n<text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\" fill=\"#555\">{percent} %</text>",
            LEFT - 6.0,
            at + 4.0
        )
        .ok();
    }
    for lead in [1, 3, 6, 9, 12, 15, 18, 21, 24] {
        writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">{lead}</text>",
            x(f64::from(lead)),
            bottom + 18.0
        )
        .ok();
    }
    writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">hours that are really left</text>",
        f64::midpoint(LEFT, right),
        bottom + 36.0
    )
    .ok();
}
