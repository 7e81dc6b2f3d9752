//! Tuned policies and the bound on recorded traffic: the tables of docs/bound.md and docs/tuning.md.
//!
//! Five traces, three start-ups. Each is cut to some days of its test part (a whole World Cup takes hours),
//! with as many days of its tuning part to search on; the load is scaled to 20 replicas on what is cut out.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::product;

/// The traces, and the days of each part that are left out: the World Cup is quiet before.
const TRACES: [(&str, u32); 5] =
    [("world-cup", 14), ("nasa", 0), ("mongo-01", 0), ("ingress-05", 0), ("twitter", 0)];
const START_UPS: [&str; 3] = ["30s", "120s", "300s"];
const FAMILIES: [&str; 6] = ["hpa", "kpa", "keda", "watermark", "predictive", "static"];
const ATTAINMENTS: [f64; 3] = [0.99, 0.995, 0.999];
/// Days of each part.
const DAYS: u32 = 2;
/// Where results are kept, so that a table that was cut short goes on where it was.
const KEPT: &str = "target/bounds";

/// One trace at one start-up.
struct Case {
    trace: &'static str,
    start_up: &'static str,
    file: PathBuf,
    bound: Value,
    tuned: Option<Value>,
}

/// Runs everything and prints the tables. Results of an earlier call are used again: delete
/// `target/bounds` to measure anew; `--kept` prints what is there and runs nothing.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let runs = !args.iter().any(|arg| arg == "--kept");
    let mut cases: Vec<Case> = Vec::new();
    let compare = ["compare", "--policy", "hpa-cpu-50", "--policy", "hpa-cpu-80"];
    for (trace, skip) in TRACES {
        let file = scenario(root, trace, skip)?;
        for start_up in START_UPS {
            let name = format!("{trace}-{start_up}-bound");
            match kept(root, &file, &name, start_up, &compare, runs)? {
                Some(bound) => cases.push(Case { trace, start_up, file: file.clone(), bound, tuned: None }),
                None => eprintln!("skipped: {trace}: no recorded data (set HOMEOSTAT_DATA)"),
            }
        }
    }
    if cases.is_empty() {
        bail!("no scenario could be run");
    }
    let families = FAMILIES.map(|family| ["--policy", family]).concat();
    let tune = [&["tune", "--fidelity", "fluid", "--attainment", "99,99.5,99.9"], &families[..]].concat();
    for start_up in ["120s", "30s", "300s"] {
        for case in cases.iter_mut().filter(|case| case.start_up == start_up) {
            let name = format!("{}-{start_up}-tuned", case.trace);
            case.tuned = kept(root, &case.file, &name, start_up, &tune, runs)?;
        }
    }
    print_bounds(&cases);
    print_tuned(&cases);
    Ok(())
}

/// The benchmark scenario of a trace, cut to some days.
fn scenario(root: &Path, trace: &str, skip: u32) -> Result<PathBuf> {
    let text = std::fs::read_to_string(root.join(format!("scenarios/benchmark/{trace}.yaml")))?;
    let cut = format!("  part: test\n  skip: {skip}d\n  take: {DAYS}d\n");
    let folder = root.join(KEPT);
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{trace}.yaml"));
    std::fs::write(&file, text.replace("  part: test\n", &cut))?;
    Ok(file)
}

/// The result kept under this name, or that of a run.
fn kept(
    root: &Path,
    file: &Path,
    name: &str,
    start_up: &str,
    args: &[&str],
    runs: bool,
) -> Result<Option<Value>> {
    let result = root.join(KEPT).join(format!("{name}.json"));
    if !runs && !result.exists() {
        return Ok(None);
    }
    let file = file.to_string_lossy();
    let args = [&[args[0], &*file], &args[1..], &["--start-up", start_up]].concat();
    // 1: an attainment that no setting reaches, which the table shows.
    product::kept(root, &result, &args, &[0, 1])
}

/// The best schedule and the lower bound at an attainment that the curve was asked for.
fn bound_at(case: &Case, attainment: f64) -> Option<(f64, f64)> {
    let points = case.bound["bound"].as_array()?;
    let found =
        points.iter().find(|p| p["attainment"].as_f64().is_some_and(|a| (a - attainment).abs() < 1e-9))?;
    Some((found["cost"].as_f64()?, found["lower_cost"].as_f64()?))
}

fn print_bounds(cases: &[Case]) {
    println!(
        "| trace, start-up | best schedule / lower bound at 99 % | 99.5 % | 99.9 % | replica-hours of the best schedule at 99.9 % |"
    );
    println!("|---|---|---|---|---|");
    for case in cases {
        let ratio = |a: &f64| {
            bound_at(case, *a).map_or_else(|| "–".to_owned(), |(best, lower)| format!("{:.3}", best / lower))
        };
        let hours = bound_at(case, 0.999).map_or_else(|| "–".to_owned(), |(best, _)| format!("{best:.0}"));
        let ratios: Vec<String> = ATTAINMENTS.iter().map(ratio).collect();
        println!("| {}, {} | {} | {hours} |", case.trace, case.start_up, ratios.join(" | "));
    }
    println!();
}

/// Rows by trace and start-up, columns by family and attainment: the attainment on the test part, and the
/// cost over the bound at the attainment asked for.
fn print_tuned(cases: &[Case]) {
    for wanted in ATTAINMENTS {
        println!("Tuned for {:.1} %: attainment on the test part / cost over the bound\n", wanted * 100.0);
        let heads: Vec<String> = FAMILIES.iter().map(|family| format!(" {family} |")).collect();
        println!("| trace, start-up | bound |{} HPA at 50 % |", heads.concat());
        println!("|---|---|{}---|", "---|".repeat(FAMILIES.len()));
        for case in cases {
            let bound = bound_at(case, wanted).map(|(best, _)| best);
            let cells: Vec<String> =
                FAMILIES.iter().map(|family| format!(" {} |", tuned(case, family, wanted, bound))).collect();
            let hours = bound.map_or_else(|| "–".to_owned(), |bound| format!("{bound:.0}"));
            let stock = case.bound["policies"].as_array().and_then(|rows| rows.first());
            let stock = stock.map_or_else(|| "–".to_owned(), |row| cell(row, wanted, bound));
            println!("| {}, {} | {hours} |{} {stock} |", case.trace, case.start_up, cells.concat());
        }
        println!();
    }
}

fn tuned(case: &Case, family: &str, wanted: f64, bound: Option<f64>) -> String {
    let Some(result) = &case.tuned else { return "–".to_owned() };
    let entries = result["tuned"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |entry: &&Value| {
        entry["policy"] == family && entry["attainment"].as_f64().is_some_and(|a| (a - wanted).abs() < 1e-9)
    };
    let Some(entry) = entries.iter().find(of) else { return "–".to_owned() };
    if entry["chosen"].is_null() {
        return format!("none ({})", entry["limit"]["cause"].as_str().unwrap_or("?"));
    }
    cell(&entry["chosen"]["test"], wanted, bound)
}

/// Attainment, rounded down, and cost over the bound; bold where the attainment is reached.
fn cell(row: &Value, wanted: f64, bound: Option<f64>) -> String {
    let (attainment, cost) = (row["attainment"].as_f64().unwrap_or(0.0), row["cost"].as_f64());
    let over = cost.zip(bound).map_or_else(|| "–".to_owned(), |(cost, bound)| format!("{:.2}", cost / bound));
    let text = format!("{:.2} % / {over}", (attainment * 10_000.0).floor() / 100.0);
    if attainment >= wanted { format!("**{text}**") } else { text }
}
