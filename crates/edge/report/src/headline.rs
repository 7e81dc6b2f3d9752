//! The answer to the question that the report was made for.

use crate::data::{PolicyReport, ReportData};
use crate::escape::html;
use crate::format;

/// Whether the policy reaches the wanted attainment.
pub(crate) fn keeps(data: &ReportData, policy: &PolicyReport) -> bool {
    policy.summary.attainment >= data.objective.attainment - 1e-12
}

/// Positions of the policies: those that keep the objective by cost, then the others by attainment.
pub(crate) fn ranking(data: &ReportData) -> Vec<usize> {
    let mut order: Vec<usize> = (0..data.policies.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&data.policies[a], &data.policies[b]);
        let kept = keeps(data, b).cmp(&keeps(data, a));
        let by_cost = a.summary.cost.total_cmp(&b.summary.cost);
        let by_attainment = b.summary.attainment.total_cmp(&a.summary.attainment);
        kept.then(if keeps(data, a) { by_cost } else { by_attainment.then(by_cost) })
    });
    order
}

/// The objective in words.
pub(crate) fn objective(data: &ReportData) -> String {
    let share = format::percent(data.objective.attainment);
    format!("{share} of requests within {}", format::latency(Some(data.objective.latency_ms)))
}

/// A cost with its unit, as HTML.
pub(crate) fn cost(data: &ReportData, value: f64) -> String {
    let unit = if data.cost_unit.is_empty() { "cost units" } else { &data.cost_unit };
    format!("{} {}", format::quantity(value), html(unit))
}

/// The headline as HTML.
pub(crate) fn section(data: &ReportData) -> String {
    let order = ranking(data);
    let ranked: Vec<&PolicyReport> = order.iter().map(|&i| &data.policies[i]).collect();
    let Some(&first) = ranked.first() else {
        return verdict("bad", "No policy was run.", "");
    };
    if !keeps(data, first) {
        return nobody(data, first);
    }
    let name = strong(first);
    let share = format::percent(first.summary.attainment);
    let lead = if ranked.len() == 1 {
        format!("{name}, the only policy run, keeps the objective")
    } else {
        format!("{name} keeps the objective at the least cost")
    };
    let month = first.summary.monthly_cost.map(|month| format!(" ({} a month)", cost(data, month)));
    let lead = format!(
        "{lead}: {share} within {}, for {}{}.",
        format::latency(Some(data.objective.latency_ms)),
        cost(data, first.summary.cost),
        month.unwrap_or_default()
    );
    let details = [bound(first), doubt(data, first), runner_up(data, &ranked), cheaper(data, &ranked)];
    let details: Vec<String> = details.into_iter().flatten().collect();
    verdict("good", &lead, &details.join(" "))
}

fn nobody(data: &ReportData, closest: &PolicyReport) -> String {
    let lead = format!("No policy keeps the objective of {}.", objective(data));
    let rest = format!(
        "{} comes closest with {}, for {}. Costs of policies that miss the objective are no savings.",
        strong(closest),
        format::percent(closest.summary.attainment),
        cost(data, closest.summary.cost)
    );
    verdict("bad", &lead, &rest)
}

fn runner_up(data: &ReportData, ranked: &[&PolicyReport]) -> Option<String> {
    let (first, rest) = ranked.split_first()?;
    let Some(next) = rest.iter().find(|p| keeps(data, p)) else {
        return (!rest.is_empty()).then(|| "No other policy keeps it.".to_owned());
    };
    let ratio = next.summary.cost / first.summary.cost;
    let interval = |p: &PolicyReport| p.summary.ci.get("cost").copied();
    let blurred = interval(first).zip(interval(next)).is_some_and(|(a, b)| a[1] >= b[0]);
    let hedge = if blurred { "; their 95 % intervals overlap, so this is no clear win" } else { "" };
    Some(if ratio == 1.0 {
        format!("{} keeps it at the same cost.", strong(next))
    } else {
        let more = format::excess(ratio);
        let more = more.trim_start_matches('+');
        format!("The next that keeps it is {}, {more} dearer{hedge}.", strong(next))
    })
}

fn bound(first: &PolicyReport) -> Option<String> {
    let over = first.summary.cost_over_bound.filter(|over| *over >= 1.0)?;
    let more = format::excess(over);
    let more = more.trim_start_matches('+');
    Some(format!("It costs {more} more than the best schedule found with full knowledge of the future."))
}

fn doubt(data: &ReportData, first: &PolicyReport) -> Option<String> {
    let [low, _] = *first.summary.ci.get("attainment")?;
    (low < data.objective.attainment).then(|| {
        format!("Its 95 % interval of attainment reaches down to {}: not certain.", format::percent(low))
    })
}

fn cheaper(data: &ReportData, ranked: &[&PolicyReport]) -> Option<String> {
    let first = ranked.first()?;
    let tempting: Vec<String> = ranked
        .iter()
        .filter(|p| !keeps(data, p) && p.summary.cost < first.summary.cost)
        .map(|p| format!("{} ({})", html(&p.name), format::percent(p.summary.attainment)))
        .collect();
    match tempting.len() {
        0 => None,
        1..=3 => Some(format!("Cheaper but missing it: {}.", tempting.join(", "))),
        n => Some(format!("Cheaper but missing it: {} and {} more.", tempting[..2].join(", "), n - 2)),
    }
}

fn strong(policy: &PolicyReport) -> String {
    format!("<strong>{}</strong>", html(&policy.name))
}

fn verdict(class: &str, lead: &str, rest: &str) -> String {
    let rest = if rest.is_empty() { String::new() } else { format!("<p class=\"rest\">{rest}</p>") };
    format!("<div class=\"verdict {class}\"><p class=\"lead\">{lead}</p>{rest}</div>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Objective, Summary};

    fn data(policies: &[(&str, f64, f64)]) -> ReportData {
        let policy = |&(name, attainment, cost): &(&str, f64, f64)| PolicyReport {
            name: name.into(),
            summary: Summary { attainment, cost, ..Summary::default() },
            ..PolicyReport::default()
        };
        ReportData {
            objective: Objective { latency_ms: 1000.0, attainment: 0.999 },
            policies: policies.iter().map(policy).collect(),
            ..ReportData::default()
        }
    }

    #[test]
    fn the_cheapest_that_keeps_the_objective_wins() {
        let text = section(&data(&[("dear", 0.9999, 20.0), ("low", 0.99, 5.0), ("fit", 0.9995, 10.0)]));
        assert!(text.contains("<strong>fit</strong> keeps the objective at the least cost"), "{text}");
        assert!(text.contains("Cheaper but missing it: low (99 %)"), "{text}");
        assert!(text.contains("+100 % of this cost") || text.contains("dear"), "{text}");
    }

    #[test]
    fn nobody_wins_when_nobody_keeps_it() {
        let text = section(&data(&[("a", 0.99, 20.0), ("b", 0.98, 5.0)]));
        assert!(text.contains("No policy keeps the objective of 99.9 % of requests within 1 s"), "{text}");
        assert!(text.contains("<strong>a</strong> comes closest"), "{text}");
        assert!(section(&data(&[])).contains("No policy was run."));
    }

    #[test]
    fn overlapping_intervals_are_no_clear_win() {
        let mut two = data(&[("a", 1.0, 10.0), ("b", 1.0, 10.5)]);
        two.policies[0].summary.ci.insert("cost".into(), [9.0, 11.0]);
        two.policies[1].summary.ci.insert("cost".into(), [9.5, 11.5]);
        assert!(section(&two).contains("no clear win"));
    }
}
