//! The results table as plain HTML; the script only sorts it and listens to its check boxes.

use crate::data::{PolicyReport, ReportData};
use crate::escape::html;
use crate::{format, headline};

/// Column heads: name, tool tip, whether small values are good.
const HEADS: [(&str, &str); 15] = [
    ("Policy", "Name, guard profile and source"),
    ("Objective", "Whether the attainment wanted was reached"),
    ("Attainment", "Share of requests within the objective"),
    ("Failed", "Share of requests that failed or timed out"),
    ("p50", "Median latency"),
    ("p95", "95th percentile of latency"),
    ("p99", "99th percentile of latency"),
    ("Replica-hours", "From order to end of process"),
    ("Cost", "Replica-hours times price"),
    ("A month", "Cost of 730 hours at this rate"),
    ("vs best", "Cost against the cheapest policy that keeps the objective"),
    ("Over bound", "Cost against the clairvoyant bound at equal attainment"),
    ("Gap closed", "Share of the cheapest HPA's or fixed count's cost above the bound that is saved"),
    ("Changes", "Executed changes of the desired count"),
    ("Flips/h", "Changes of scaling direction per hour"),
];

/// The whole table.
pub(crate) fn table(data: &ReportData) -> String {
    let mut out = vec!["<table id=\"results\"><thead><tr>".to_owned()];
    out.push(
        "<th class=\"pick\" scope=\"col\"><span class=\"sr\">Shown in the charts</span></th>".to_owned(),
    );
    for (name, tip) in HEADS {
        out.push(format!("<th scope=\"col\" title=\"{tip}\">{name}</th>"));
    }
    out.push("</tr></thead><tbody>".to_owned());
    let styles = styles(data);
    for index in headline::ranking(data) {
        row(&mut out, data, index, styles[index]);
    }
    out.push("</tbody></table>".to_owned());
    out.concat()
}

fn row(out: &mut Vec<String>, data: &ReportData, index: usize, style: usize) {
    let policy = &data.policies[index];
    let kept = headline::keeps(data, policy);
    let class = if kept { "keeps" } else { "misses" };
    out.push(format!("<tr class=\"{class}\" data-policy=\"{index}\">"));
    out.push(format!(
        "<td class=\"pick\"><label><input type=\"checkbox\" value=\"{index}\" disabled>\
         <span class=\"sr\">Show {name}</span>{swatch}</label></td>\
         <th scope=\"row\" data-v=\"{name}\"><span class=\"name\">{name}</span><small>{origin}</small></th>",
        name = html(&policy.name),
        swatch = swatch(style),
        origin = origin(policy),
    ));
    let state = if kept { "✓ keeps" } else { "✗ misses" };
    out.push(format!("<td class=\"state\" data-v=\"{}\">{state}</td>", i32::from(kept)));
    figures(out, data, policy);
    out.push("</tr>".to_owned());
}

fn figures(out: &mut Vec<String>, data: &ReportData, policy: &PolicyReport) {
    let s = &policy.summary;
    let best = headline::ranking(data).first().map(|&i| &data.policies[i]);
    let best = best.filter(|p| headline::keeps(data, p)).map(|p| p.summary.cost);
    let ratio = best.filter(|b| *b > 0.0).map(|b| s.cost / b);
    let relative = match ratio {
        Some(1.0) => "best".to_owned(),
        Some(r) => format::excess(r),
        None => "–".to_owned(),
    };
    let over = s.cost_over_bound.map_or_else(|| "–".to_owned(), format::excess);
    let ci = |key: &str, show: fn(f64) -> String| {
        let range = s.ci.get(key);
        range.map_or_else(String::new, |[low, high]| format!("{} to {}", show(*low), show(*high)))
    };
    let most = data.policies.iter().map(|p| p.summary.cost).fold(0.0, f64::max);
    cell(out, s.attainment, &format::percent(s.attainment), &ci("attainment", format::percent));
    cell(out, s.failed, &format::small_percent(s.failed), &ci("failed", format::small_percent));
    for (key, value) in [("p50_ms", s.p50_ms), ("p95_ms", s.p95_ms), ("p99_ms", s.p99_ms)] {
        let raw = value.unwrap_or(f64::MAX);
        cell(out, raw, &format::latency(value), &ci(key, |v| format::latency(Some(v))));
    }
    let hours = format::quantity(s.replica_hours);
    cell(out, s.replica_hours, &hours, &ci("replica_hours", format::quantity));
    let bar = if most > 0.0 { s.cost / most * 100.0 } else { 0.0 };
    let interval = small(&ci("cost", format::quantity));
    let text = format::quantity(s.cost);
    out.push(format!(
        "<td class=\"bar\" data-v=\"{}\" style=\"--bar:{bar:.1}%\">{text}{interval}</td>",
        s.cost
    ));
    let month = s.monthly_cost.map_or_else(|| "–".to_owned(), format::quantity);
    cell(out, s.monthly_cost.unwrap_or(f64::MAX), &month, "");
    cell(out, ratio.unwrap_or(f64::MAX), &relative, "");
    cell(out, s.cost_over_bound.unwrap_or(f64::MAX), &over, "");
    let closed =
        s.gap_closed.map_or_else(|| "–".to_owned(), |gap| format!("{:.0} %", (gap * 100.0).round() + 0.0));
    cell(out, -s.gap_closed.unwrap_or(f64::MIN), &closed, "");
    cell(out, s.scale_events as f64, &format::count(s.scale_events), "");
    cell(out, s.flips_per_hour, &format!("{:.2}", s.flips_per_hour), "");
}

fn cell(out: &mut Vec<String>, raw: f64, text: &str, interval: &str) {
    out.push(format!("<td data-v=\"{raw}\">{text}{}</td>", small(interval)));
}

fn small(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<small>{text}</small>") }
}

fn origin(policy: &PolicyReport) -> String {
    let parts = [policy.source.as_str(), policy.guards.as_str()];
    let parts: Vec<String> = parts.iter().filter(|p| !p.is_empty()).map(|p| html(p)).collect();
    parts.join(" · ")
}

/// Which line style each policy has, by its position in the data.
///
/// Hues differ first among the policies that the page shows at first, then down the table.
pub(crate) fn styles(data: &ReportData) -> Vec<usize> {
    let ranking = headline::ranking(data);
    let kept = |i: &usize| headline::keeps(data, &data.policies[*i]);
    let first_kept: Vec<usize> = ranking.iter().copied().filter(kept).take(2).collect();
    let missed = if first_kept.is_empty() { 2 } else { 1 };
    let first_missed = ranking.iter().copied().filter(|i| !kept(i)).take(missed);
    let mut order: Vec<usize> = first_kept.into_iter().chain(first_missed).collect();
    let rest: Vec<usize> = ranking.into_iter().filter(|i| !order.contains(i)).collect();
    order.extend(rest);
    let mut styles = vec![0; data.policies.len()];
    for (style, index) in order.into_iter().enumerate() {
        styles[index] = style;
    }
    styles
}

/// A sample of the line that stands for a policy: colour and dashes, as the script draws it.
fn swatch(style: usize) -> String {
    format!(
        "<svg class=\"swatch\" width=\"30\" height=\"12\" aria-hidden=\"true\">\
         <line class=\"line hue{} dash{}\" x1=\"1\" y1=\"6\" x2=\"29\" y2=\"6\"/></svg>",
        style % 6,
        style / 6 % 3
    )
}
