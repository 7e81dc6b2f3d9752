//! Puts the pieces of the page together.

use crate::data::ReportData;
use crate::escape::{self, html};
use crate::{ages, fan, format, headline, payload, table};

const PAGE: &str = include_str!("page/report.html");
const STYLE: &str = include_str!("page/report.css");
/// The script, in the order in which its parts need each other.
const SCRIPT: [&str; 13] = [
    include_str!("page/dom.js"),
    include_str!("page/data.js"),
    include_str!("page/format.js"),
    include_str!("page/scale.js"),
    include_str!("page/view.js"),
    include_str!("page/chart.js"),
    include_str!("page/panels.js"),
    include_str!("page/lane.js"),
    include_str!("page/scatter.js"),
    include_str!("page/readout.js"),
    include_str!("page/pointer.js"),
    include_str!("page/table.js"),
    include_str!("page/main.js"),
];

/// The page of `data`.
pub(crate) fn page(data: &ReportData) -> String {
    fill(PAGE, |slot| match slot {
        "title" => html(&data.title),
        "style" => STYLE.to_owned(),
        "script" => script(),
        "data" => escape::json(&payload::json(data)),
        "facts" => facts(data),
        "description" => paragraph("description", &data.description),
        "headline" => headline::section(data),
        "table" => table::table(data),
        "fans" => fan::section(data),
        "ages" => ages::section(data),
        "notes" => notes(data),
        "objective" => html(&headline::objective(data)),
        "cost" => html(if data.cost_unit.is_empty() { "cost units" } else { &data.cost_unit }),
        "command" => command(data),
        "generated_by" => html(&data.generated_by),
        _ => String::new(),
    })
}

/// Replaces each `{{slot}}` once; what is filled in is not looked at again.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, tail)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((slot, after)) = tail.split_once("}}") else {
            break;
        };
        out.push_str(&value(slot));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn script() -> String {
    let mut out = String::from("(() => {\n\"use strict\";\n");
    for part in SCRIPT {
        out.push_str(part);
    }
    out.push_str("})();\n");
    out
}

fn facts(data: &ReportData) -> String {
    let trace = &data.trace;
    let pairs = [
        ("Scenario", html(&data.scenario)),
        ("Trace", html(&trace.name)),
        ("Length", format::span(trace.span_s)),
        ("Requests scored", format::count(trace.requests)),
        ("Objective", headline::objective(data)),
        ("Policies", data.policies.len().to_string()),
    ];
    let known = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    let items: Vec<String> =
        known.map(|(name, value)| format!("<div><dt>{name}</dt><dd>{value}</dd></div>")).collect();
    items.concat()
}

fn notes(data: &ReportData) -> String {
    if data.notes.is_empty() {
        return String::new();
    }
    let items: Vec<String> = data.notes.iter().map(|note| format!("<li>{}</li>", html(note))).collect();
    format!("<section class=\"notes\"><h2>Notes</h2><ul>{}</ul></section>", items.concat())
}

fn paragraph(class: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<p class=\"{class}\">{}</p>", html(text)) }
}

fn command(data: &ReportData) -> String {
    if data.command.is_empty() {
        return String::new();
    }
    format!("<p>Made by this command:</p><pre><code>{}</code></pre>", html(&data.command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filled_in_text_is_not_expanded_again() {
        assert_eq!(fill("a{{x}}b{{y}}", |slot| format!("{{{{{slot}}}}}!")), "a{{x}}!b{{y}}!");
    }
}
