//! The stable JSON of a comparison: scripts may rely on its names.
//!
//! `seeds` lists the seeds, so that any one of them can be run again by itself; `requests` are those
//! scored in the run with the first seed. Figures are means over the seeds, and with several of them
//! `ci` holds `[low, high]` of the 95 % interval of each mean. Infinite percentiles are null.
//! `bound` is the clairvoyant bound of the first seed by rising attainment; null where there is none or
//! `--no-bound` was given. `cost_over_bound` (null below an attainment of 0.90) and `gap_closed` are those
//! of the run with the first seed.

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::run::bound::{Bound, Point};
use crate::run::{Comparison, Figures, Row};

/// One object. Everything but `timing` is the same to the byte from run to run.
pub(crate) fn render(comparison: &Comparison, timing: bool) -> Result<String, Failure> {
    let mut object = json!({
        "scenario": comparison.scenario,
        "seeds": comparison.seeds,
        "requests": comparison.requests,
        "bound": comparison.bound.as_ref().map(bound),
        "policies": comparison.rows.iter().map(|row| policy(comparison, row)).collect::<Vec<_>>(),
    });
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

fn policy(comparison: &Comparison, row: &Row) -> Value {
    let mut object = Map::new();
    object.insert("name".to_owned(), json!(row.name));
    object.insert("guards".to_owned(), json!(row.guards));
    for (name, value) in figures(&row.mean, row.interval.is_none()) {
        object.insert(name.to_owned(), value);
        if name == "cost" {
            object.insert("cost_over_bound".to_owned(), json!(comparison.over_bound(row)));
            object.insert("gap_closed".to_owned(), json!(comparison.gap_closed(row)));
        }
    }
    if let Some([low, high]) = &row.interval {
        let pairs = low.named().into_iter().zip(high.named());
        let ci: Map<String, Value> = pairs
            .map(|((name, low), (_, high))| (name.to_owned(), json!([number(low), number(high)])))
            .collect();
        object.insert("ci".to_owned(), Value::Object(ci));
    }
    Value::Object(object)
}

fn figures(figures: &Figures, single: bool) -> Vec<(&'static str, Value)> {
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
