//! The README's table: the benchmark scenarios under the built-in policies, as Markdown.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::product;

/// The traces of the table, by scenario file.
const SCENARIOS: [&str; 6] = ["world-cup", "twitter", "nasa", "mongo-01", "ingress-05", "azure-llm"];
/// The policies of the table.
const POLICIES: [&str; 11] = [
    "static",
    "hpa-cpu-50",
    "hpa-cpu-80",
    "kpa",
    "keda-rps",
    "watermark",
    "phpa",
    "mark",
    "mu",
    "aws-predictive",
    "predictive",
];

/// Where results are kept, so that a table that was cut short goes on where it was.
const KEPT: &str = "target/table";

/// Runs the comparisons and prints the table. Results of an earlier call are used again: delete
/// `target/table` to measure anew.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut columns = Vec::new();
    for name in SCENARIOS {
        match compare(root, name)? {
            Some(result) => columns.push((name, result)),
            None => eprintln!("skipped: {name}: no recorded data (set HOMEOSTAT_DATA)"),
        }
    }
    if columns.is_empty() {
        bail!("no scenario could be run");
    }
    print(&columns);
    Ok(())
}

fn compare(root: &Path, name: &str) -> Result<Option<Value>> {
    let file = format!("scenarios/benchmark/{name}.yaml");
    let policies = POLICIES.map(|policy| ["--policy", policy]).concat();
    let args = [&["compare", &file, "--no-bound"], &policies[..]].concat();
    product::kept(root, &root.join(KEPT).join(format!("{name}.json")), &args, &[0], true)
}

fn print(columns: &[(&str, Value)]) {
    let head: Vec<String> = columns.iter().map(|(name, _)| format!(" {name} |")).collect();
    println!("| policy |{}", head.concat());
    println!("|---|{}", "---|".repeat(columns.len()));
    for policy in POLICIES {
        let cells: Vec<String> =
            columns.iter().map(|(_, result)| format!(" {} |", cell(result, policy))).collect();
        println!("| {policy} |{}", cells.concat());
    }
    let requests: Vec<String> = columns.iter().map(|(_, r)| format!(" {} M |", millions(r))).collect();
    println!("| requests |{}", requests.concat());
}

/// Attainment, rounded down, and replica-hours; bold where the cheapest that keeps 99.9 %.
fn cell(result: &Value, policy: &str) -> String {
    let rows = result["policies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let number = |row: &Value, field: &str| row[field].as_f64().unwrap_or(f64::NAN);
    let wanted = 0.999;
    let keeps = |row: &&Value| number(row, "attainment") >= wanted;
    let best = rows.iter().filter(keeps).map(|row| number(row, "cost")).fold(f64::INFINITY, f64::min);
    let Some(row) = rows.iter().find(|row| row["name"] == policy) else { return "–".to_owned() };
    let attained = (number(row, "attainment") * 10_000.0).floor() / 100.0;
    let text = format!("{attained:.2} % / {:.0}", number(row, "replica_hours"));
    if keeps(&row) && number(row, "cost") <= best { format!("**{text}**") } else { text }
}

fn millions(result: &Value) -> String {
    let requests = result["requests"].as_f64().unwrap_or(0.0) / 1e6;
    if requests < 1.0 { format!("{requests:.2}") } else { format!("{requests:.0}") }
}
