//! `tune` against exhaustive search over the same spaces: the table of docs/tuning.md, as Markdown.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::product;

/// Scenarios by file, changes to them, and what runs both searches. Exhaustive search request by request
/// is affordable on the short ones only; on the others both searches run on the fluid twin.
const SCENARIOS: [(&str, &[&str], &str); 3] = [
    ("demo/daily", &["--scale-load", "0.5"], "auto"),
    ("benchmark/mongo-01", &[], "fluid"),
    ("benchmark/ingress-05", &[], "fluid"),
];
const FAMILIES: [&str; 4] = ["hpa", "kpa", "keda", "watermark"];
const ATTAINMENTS: &str = "99,99.5,99.9";
/// Where results are kept, so that a check that was cut short goes on where it was.
const KEPT: &str = "target/tuning";

/// Runs both searches and prints the table. Results of an earlier call are used again: delete
/// `target/tuning` to measure anew. Arguments choose scenarios by a part of their name; `--kept` prints
/// what is there and runs nothing.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let runs = !args.iter().any(|arg| arg == "--kept");
    let only: Vec<&String> = args.iter().filter(|arg| *arg != "--kept").collect();
    let mut rows = Vec::new();
    for (name, changes, fidelity) in SCENARIOS {
        if !only.is_empty() && !only.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        for family in FAMILIES {
            let exact = if fidelity == "auto" { "requests" } else { fidelity };
            let run = |fidelity, search| {
                let path = path(root, name, family, search);
                tune(
                    root,
                    &path,
                    name,
                    &[&["--policy", family][..], changes].concat(),
                    fidelity,
                    search,
                    runs,
                )
            };
            let (all, own) = (run(exact, "exhaustive")?, run(fidelity, "halving")?);
            if let (Some(all), Some(own)) = (all, own) {
                rows.push((name, family, all, own));
            } else {
                eprintln!(
                    "skipped: {name}, {family}: no recorded data (set HOMEOSTAT_DATA), or nothing kept"
                );
            }
        }
    }
    if rows.is_empty() {
        bail!("no scenario could be run");
    }
    print(&rows);
    Ok(())
}

fn path(root: &Path, name: &str, family: &str, search: &str) -> PathBuf {
    root.join(KEPT).join(format!("{}-{family}-{search}.json", name.replace('/', "-")))
}

fn tune(
    root: &Path,
    kept: &Path,
    name: &str,
    options: &[&str],
    fidelity: &str,
    search: &str,
    runs: bool,
) -> Result<Option<Value>> {
    let file = format!("scenarios/{name}.yaml");
    let how = ["--attainment", ATTAINMENTS, "--fidelity", fidelity, "--search", search];
    // 1: an attainment that no setting reaches, which the table shows.
    product::kept(root, kept, &[&["tune", &file], options, &how].concat(), &[0, 1], runs)
}

fn print(rows: &[(&str, &str, Value, Value)]) {
    println!("| scenario | policy | settings | runs: all | runs: tune | 99 % | 99.5 % | 99.9 % |");
    println!("|---|---|---|---|---|---|---|---|");
    let (mut late, mut cells) = (0, 0);
    for (name, family, all, own) in rows {
        let (all, own) = (&all["tuned"], &own["tuned"]);
        let mut line = vec![name.replace('/', " "), (*family).to_owned(), all[0]["space"].to_string()];
        line.extend([runs(&all[0]), runs(&own[0])]);
        for i in 0..ATTAINMENTS.split(',').count() {
            let cost = |entry: &Value| entry["chosen"]["tune"]["cost"].as_f64();
            let (text, loses) = cell(cost(&all[i]), cost(&own[i]));
            cells += u32::from(loses.is_some());
            late += u32::from(loses == Some(true));
            line.push(text);
        }
        println!("| {} |", line.join(" | "));
    }
    println!("\n{late} of {cells} cells are more than 1 % above the exhaustive search.");
}

/// A cell, and whether it loses more than it may, where there is something to lose.
fn cell(best: Option<f64>, found: Option<f64>) -> (String, Option<bool>) {
    match (best, found) {
        (Some(best), Some(found)) => {
            let loss = (found / best - 1.0) * 100.0;
            let text = format!("+{loss:.2} %");
            if loss > 1.0 { (format!("**{text}**"), Some(true)) } else { (text, Some(false)) }
        }
        (Some(_), None) => ("**not found**".to_owned(), Some(true)),
        (None, _) => ("none reaches".to_owned(), None),
    }
}

/// Full lengths, by request and on the fluid twin.
fn runs(entry: &Value) -> String {
    let number = |field: &str| entry[field].as_f64().unwrap_or(0.0);
    match (number("runs"), number("fluid_runs")) {
        (by_request, 0.0) => format!("{by_request:.0}"),
        (0.0, fluid) => format!("{fluid:.0} fluid"),
        (by_request, fluid) => format!("{by_request:.0} + {fluid:.0} fluid"),
    }
}
