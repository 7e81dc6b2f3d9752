//! The stable JSON of a comparison: scripts may rely on its names.
//!
//! `fidelity` is there for fluid runs only. `seeds` lists the seeds, so that any one of them can be run
//! again by itself; `requests` are those scored in the run with the first seed. Figures are means over the
//! seeds, and with several of them `ci` holds `[low, high]` of the 95 % interval of each mean. Infinite
//! percentiles are null, and so are `bound` and `cost_over_bound` until something computes them.

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::run::{Comparison, Figures, Row};

/// One object. Everything but `timing` is the same to the byte from run to run.
pub(crate) fn render(comparison: &Comparison, timing: bool) -> Result<String, Failure> {
    let mut object = json!({ "scenario": comparison.scenario });
    if let Some(fidelity) = comparison.fidelity.said() {
        object["fidelity"] = json!(fidelity);
    }
    object["seeds"] = json!(comparison.seeds);
    object["requests"] = json!(comparison.requests);
    object["bound"] = Value::Null;
    object["policies"] = comparison.rows.iter().map(policy).collect();
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

fn policy(row: &Row) -> Value {
    let mut object = Map::new();
    object.insert("name".to_owned(), json!(row.name));
    object.insert("guards".to_owned(), json!(row.guards));
    for (name, value) in figures(&row.mean, row.interval.is_none()) {
        object.insert(name.to_owned(), value);
        if name == "cost" {
            object.insert("cost_over_bound".to_owned(), Value::Null);
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
