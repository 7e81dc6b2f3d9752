//! Replicas at the end of the run with their age and what they have leaked, and what aging did before.

use crate::data::{Aging, PolicyReport, ReportData};
use crate::escape::html;

/// Replicas shown per policy, those nearest to their limit.
const MOST: usize = 12;

/// The section; empty where no policy's replicas have a memory limit.
pub(crate) fn section(data: &ReportData) -> String {
    let known: Vec<(&PolicyReport, &Aging)> = data
        .policies
        .iter()
        .filter_map(|policy| policy.aging.as_ref().map(|aging| (policy, aging)))
        .collect();
    if known.is_empty() {
        return String::new();
    }
    let heads = ["Policy", "OOM kills", "Replaced", "Lost to kills", "Lost to replacements"];
    let sums: Vec<String> = known.iter().map(|(policy, aging)| sums(&policy.name, aging)).collect();
    let lists: Vec<String> = known.iter().map(|(policy, aging)| replicas(&policy.name, aging)).collect();
    format!(
        "<section class=\"ages\"><h2>Aging</h2>{}<details><summary>Replicas at the end</summary>{}</details>\
         </section>",
        table(&heads, &sums.concat()),
        lists.concat()
    )
}

fn table(heads: &[&str], rows: &str) -> String {
    let heads: Vec<String> = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table><thead><tr>{}</tr></thead>\
         <tbody>{rows}</tbody></table></div>",
        "Aging",
        heads.concat()
    )
}

fn sums(name: &str, aging: &Aging) -> String {
    let counts =
        [aging.oom_kills, aging.rejuvenations, aging.lost_to_oom, aging.lost_to_rejuvenation].map(cell);
    format!("<tr><th scope=\"row\">{}</th>{}</tr>", html(name), counts.concat())
}

fn cell(value: impl std::fmt::Display) -> String {
    format!("<td>{value}</td>")
}

fn replicas(name: &str, aging: &Aging) -> String {
    let mut replicas: Vec<_> = aging.replicas.iter().collect();
    replicas.sort_by(|a, b| b.of_limit().total_cmp(&a.of_limit()).then(a.replica.cmp(&b.replica)));
    let row = |age: &&crate::ReplicaAge| {
        let limit =
            age.limit_mib.map_or_else(|| "–".to_owned(), |_| format!("{:.0} %", age.of_limit() * 100.0));
        let cells = [
            cell(format!("{:.1} h", age.age_hours)),
            cell(age.requests),
            cell(format!("{:.0} MiB", age.memory_mib)),
            cell(format!("{:.0} MiB", age.leaked_mib)),
            cell(limit),
        ];
        format!("<tr><th scope=\"row\">{}</th>{}</tr>", age.replica, cells.concat())
    };
    let rows: Vec<String> = replicas.iter().take(MOST).map(row).collect();
    let left = replicas.len().saturating_sub(MOST);
    let more = if left > 0 { format!("<p>and {left} more with less</p>") } else { String::new() };
    let heads = ["Replica", "Age", "Requests", "Memory", "Leaked", "Of the limit"];
    format!("<h3>{}</h3>{}{more}", html(name), table(&heads, &rows.concat()))
}
