//! The stable JSON of a comparison: scripts may rely on its names; docs/comparing.md describes them.
//!
//! `fidelity` is there for fluid runs only. `seeds` lists the seeds, so that any one of them can be run
//! again by itself; `requests` are those scored in the run with the first seed. Figures are means over the
//! seeds, and with several of them `ci` holds `[low, high]` of the 95 % interval of each mean and `runs` the
//! figures of each seed, for paired comparisons. Infinite percentiles are null. `bound` is the clairvoyant
//! bound of the first seed by rising attainment; null where there is none or `--no-bound` was given.
//! `aging` is there where a service has a memory limit: counts summed over the seeds, and the replicas at
//! the end.
//! `cost_over_bound` (null below an attainment of 0.90) and `gap_closed` are those of the first seed.

use homeostat_twin::outcome::Aging;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::run::against::{Against, Change, Delta};
use crate::run::bound::{Bound, Point};
use crate::run::money::{Saving, Savings};
use crate::run::{Comparison, Figures, Row};

/// What was worked out from the comparison.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extra<'a> {
    pub(crate) savings: Option<&'a Savings>,
    pub(crate) against: Option<&'a Against>,
}

/// One object. Everything but `timing` is the same to the byte from run to run.
pub(crate) fn render(comparison: &Comparison, extra: &Extra<'_>, timing: bool) -> Result<String, Failure> {
    let mut object = json!({ "scenario": comparison.scenario });
    if let Some(fidelity) = comparison.fidelity.said() {
        object["fidelity"] = json!(fidelity);
    }
    object["seeds"] = json!(comparison.seeds);
    object["requests"] = json!(comparison.requests);
    object["objective"] =
        json!({ "latency_ms": comparison.latency_ms, "attainment": comparison.attainment_wanted });
    object["scored_hours"] = json!(comparison.scored_hours);
    object["currency"] = json!(comparison.currency);
    object["bound"] = json!(comparison.bound.as_ref().map(bound));
    object["policies"] = comparison.rows.iter().map(|row| policy(row, comparison)).collect();
    object["savings"] = json!(extra.savings.map(savings));
    if let Some(changed) = extra.against {
        object["against"] = against(changed);
    }
    if comparison.stopped {
        object["unfinished"] = json!(comparison.unfinished);
    }
    if timing {
        let seconds = |row: &Row| (row.name.clone(), json!({ "cpu_seconds": row.cpu_seconds }));
        let policies: Map<String, Value> = comparison.rows.iter().map(seconds).collect();
        object["timing"] = json!({ "policies": policies });
    }
    Ok(serde_json::to_string_pretty(&object)?)
}

fn bound(bound: &Bound) -> Value {
    let point = |point: &Point| {
        json!({
            "attainment": point.attainment,
            "cost": point.best.map(|found| found.cost),
            "replica_hours": point.best.map(|found| found.replica_hours),
            "lower_cost": point.lower_cost,
        })
    };
    bound.points.iter().map(point).collect()
}

fn policy(row: &Row, comparison: &Comparison) -> Value {
    let mut object = Map::new();
    object.insert("name".to_owned(), json!(row.name));
    object.insert("guards".to_owned(), json!(row.guards));
    for (name, value) in figures(&row.mean, row.interval.is_none()) {
        object.insert(name.to_owned(), value);
        if name == "cost" {
            object.insert("monthly_cost".to_owned(), number(comparison.monthly(row.mean.cost)));
            object.insert("cost_over_bound".to_owned(), json!(comparison.over_bound(row)));
            object.insert("gap_closed".to_owned(), json!(comparison.gap_closed(row)));
        }
    }
    if let Some(aging) = &row.first.aging {
        object.insert("aging".to_owned(), aging_of(aging, row));
    }
    if let Some([low, high]) = &row.interval {
        let pairs = low.named().into_iter().zip(high.named());
        let ci: Map<String, Value> = pairs
            .map(|((name, low), (_, high))| (name.to_owned(), json!([number(low), number(high)])))
            .collect();
        object.insert("ci".to_owned(), Value::Object(ci));
        let runs = comparison.seeds.iter().zip(&row.runs).map(|(seed, run)| {
            let seed = ("seed".to_owned(), json!(seed));
            let named = figures(run, true).into_iter().map(|(name, value)| (name.to_owned(), value));
            Value::Object(std::iter::once(seed).chain(named).collect())
        });
        object.insert("runs".to_owned(), runs.collect());
    }
    Value::Object(object)
}

/// Sums over all seeds, and the replicas at the end of the run with the first one.
fn aging_of(first: &Aging, row: &Row) -> Value {
    let sum = &row.aging;
    json!({
        "oom_kills": sum.oom_kills,
        "rejuvenations": sum.rejuvenations,
        "lost_to_oom": sum.lost_to_oom,
        "lost_to_rejuvenation": sum.lost_to_rejuvenation,
        "surges_cancelled": sum.surges_cancelled,
        "replicas": first.replicas,
    })
}

fn savings(savings: &Savings) -> Value {
    let saving = |saving: &Saving| {
        let mut object = json!({
            "name": saving.name,
            "monthly": number(saving.monthly),
            "share": number(saving.share),
        });
        if let Some([low, high]) = saving.interval {
            object["monthly_ci"] = json!([number(low), number(high)]);
        }
        object
    };
    json!({
        "baseline": savings.baseline,
        "policies": savings.policies.iter().map(saving).collect::<Vec<_>>(),
    })
}

fn against(against: &Against) -> Value {
    let verdict = |worse: bool| if worse { "worse" } else { "not worse" };
    let delta = |delta: &Delta| {
        let interval = delta.interval.map(|[low, high]| json!([number(low), number(high)]));
        let values = json!({
            "old": number(delta.old),
            "new": number(delta.new),
            "difference": number(delta.difference),
            "ci": interval,
        });
        (delta.figure.to_owned(), values)
    };
    let change = |change: &Change| {
        let mut object = json!({ "name": change.name, "verdict": verdict(!change.worse.is_empty()) });
        object["worse"] = json!(change.worse);
        object["monthly_saving"] = number(change.monthly_saving);
        object["monthly_saving_ci"] =
            json!(change.monthly_interval.map(|[low, high]| [number(low), number(high)]));
        object["saving_share"] = number(change.saving_share);
        object["changes"] = change.deltas.iter().map(delta).collect::<Map<String, Value>>().into();
        object
    };
    json!({
        "file": against.file,
        "seeds": against.seeds,
        "tolerance": against.tolerance,
        "verdict": verdict(against.worse()),
        "policies": against.changes.iter().map(change).collect::<Vec<_>>(),
        "added": against.added,
        "removed": against.removed,
    })
}

/// The figures by name, in the order of tables.
pub(crate) fn figures(figures: &Figures, single: bool) -> Vec<(&'static str, Value)> {
    let whole = |(name, value): (&'static str, f64)| {
        let value = if name == "scale_events" && single { json!(value as u64) } else { number(value) };
        (name, value)
    };
    figures.named().into_iter().map(whole).collect()
}

/// Infinite becomes null.
fn number(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { Value::Null }
}
