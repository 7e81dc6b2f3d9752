//! The tables of docs/rejuvenation.md: leaks over 72 h under `rejuvenate`, today's restarts and ablations; and
//! leaks under the World Cup's load beside HPA and `predictive`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::product;

/// Where results are kept, so that a table that was cut short goes on where it was.
const KEPT: &str = "target/rejuvenation";
const SEEDS: &str = "20";

/// Policies without a wish for the count, by the name of the row. The first does nothing.
const REPLACERS: [(&str, &str); 15] = [
    ("none (restart on OOM)", ""),
    ("nightly: max age 24 h, evicted", "{ restart: { max_age: 24h } }"),
    ("max age 4 h, evicted", "{ restart: { max_age: 4h } }"),
    ("max age 3 h, surge", "{ restart: { max_age: 3h, surge: true } }"),
    ("max age 4 h, surge", "{ restart: { max_age: 4h, surge: true } }"),
    ("max age 5 h, surge", "{ restart: { max_age: 5h, surge: true } }"),
    ("40 000 requests ± 10 %, evicted", "{ restart: { max_requests: 40000, jitter: 0.1 } }"),
    ("80 % of the limit, surge", "{ restart: { memory_percent: 80, surge: true } }"),
    ("90 % of the limit, evicted", "{ restart: { memory_percent: 90 } }"),
    ("90 % of the limit, surge", "{ restart: { memory_percent: 90, surge: true } }"),
    ("95 % of the limit, surge", "{ restart: { memory_percent: 95, surge: true } }"),
    ("**rejuvenate**", "{ rejuvenate: {} }"),
    ("ours without surge", "{ rejuvenate: { surge: false } }"),
    ("ours without load regression", "{ rejuvenate: { regress_load: false } }"),
    ("ours without persistence", "{ rejuvenate: { persistence: 1 } }"),
];

/// What the replacers stand beside.
const FIXED: &str = "{ static: { replicas: 10 } }";
const HPA: &str = "{ hpa: { cpu_percent: 60 } }";
const PREDICTIVE: &str = "{ predictive: {} }";

/// Leaks by which the world of the demo is changed: the line of its scenario.
const LEAKS: [(&str, &str); 3] = [
    ("even", "leak: { mib_per_hour: 120, mib_per_1000_requests: 15, cv: 0.3 }"),
    ("accelerating", "leak: { mib_per_hour: 60, acceleration_per_hour: 0.6, cv: 0.3 }"),
    ("in steps", "leak: { mib_per_hour: 230, step_mib: 150, cv: 0.3 }"),
];

/// Runs everything and prints the tables. Results of an earlier call are used again: delete
/// `target/rejuvenation` to measure anew.
pub(crate) fn run(root: &Path) -> Result<()> {
    for (beside, count) in [("a fixed count of 10", FIXED), ("HPA at 60 %", HPA)] {
        for (name, leak) in LEAKS {
            // The other shapes only where nothing else replaces.
            if name != "even" && count != FIXED {
                continue;
            }
            let world = world(root, leak)?;
            let file = write(root, &format!("{name}-{}", &count[2..5]), &world, &contenders(count))?;
            let file_name = file.to_string_lossy();
            let args = ["compare", &*file_name, "--no-bound", "--seeds", SEEDS];
            let Some(result) = product::kept(root, &file.with_extension("json"), &args, &[0])? else {
                bail!("{file_name} could not be run");
            };
            println!("Leaks {name}, beside {beside}\n");
            print(&result);
        }
    }
    combined(root)
}

/// The demo's world with this leak, without its policies.
fn world(root: &Path, leak: &str) -> Result<String> {
    let text = std::fs::read_to_string(root.join("scenarios/demo/aging.yaml"))?;
    let (world, _) = text.split_once("policies:").context("scenarios/demo/aging.yaml lists no policies")?;
    let lines = world.lines().map(|line| {
        if line.trim_start().starts_with("leak:") { format!("    {leak}") } else { line.to_owned() }
    });
    Ok(lines.collect::<Vec<String>>().join("\n") + "\n")
}

fn contenders(count: &str) -> Vec<(String, String)> {
    let row = |(name, policy): &(&str, &str)| {
        let all = if policy.is_empty() { count.to_owned() } else { format!("{count}, {policy}") };
        ((*name).to_owned(), format!("{{ together: [{all}] }}"))
    };
    REPLACERS.iter().map(row).collect()
}

fn write(root: &Path, name: &str, world: &str, policies: &[(String, String)]) -> Result<PathBuf> {
    let rows: Vec<String> = policies
        .iter()
        .map(|(name, policy)| format!("  - {{ name: \"{name}\", policy: {policy} }}\n"))
        .collect();
    let folder = root.join(KEPT);
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{name}.yaml"));
    std::fs::write(&file, format!("{world}policies:\n{}", rows.concat()))?;
    Ok(file)
}

fn rows(result: &Value) -> &[Value] {
    result["policies"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn count(row: &Value, field: &str) -> u64 {
    row["aging"][field].as_u64().unwrap_or(0)
}

fn print(result: &Value) {
    println!(
        "| policy | OOM kills | replaced | lost to kills | lost to replacements | attained | replica-hours |"
    );
    println!("|---|---|---|---|---|---|---|");
    for row in rows(result) {
        println!("| {} |{}", row["name"].as_str().unwrap_or("?"), cells(row));
    }
    let safe = |row: &&Value| count(row, "oom_kills") + count(row, "lost_to_rejuvenation") == 0;
    let ours = |row: &&Value| row["name"].as_str().is_some_and(|name| name.contains("rejuvenate"));
    let peer =
        |row: &&Value| !row["name"].as_str().is_some_and(|n| n.contains("rejuvenate") || n.contains("ours"));
    let hours = |row: &Value| row["replica_hours"].as_f64().unwrap_or(f64::INFINITY);
    let best = rows(result).iter().filter(safe).filter(peer).min_by(|a, b| hours(a).total_cmp(&hours(b)));
    if let (Some(ours), Some(best)) = (rows(result).iter().find(ours), best) {
        println!(
            "\nReplica-hours over the best safe peer ({}): {:.4}\n",
            best["name"].as_str().unwrap_or("?"),
            hours(ours) / hours(best)
        );
    }
}

fn cells(row: &Value) -> String {
    let counts = ["oom_kills", "rejuvenations", "lost_to_oom", "lost_to_rejuvenation"];
    let counts: Vec<String> = counts.iter().map(|field| format!(" {} |", count(row, field))).collect();
    let attained = (row["attainment"].as_f64().unwrap_or(0.0) * 100_000.0).floor() / 1_000.0;
    format!("{} {attained:.3} % | {:.2} |", counts.concat(), row["replica_hours"].as_f64().unwrap_or(0.0))
}

/// Three days of the World Cup's busy weeks, leaks, and starts of two minutes.
fn combined(root: &Path) -> Result<()> {
    let text = std::fs::read_to_string(root.join("scenarios/benchmark/world-cup.yaml"))?;
    let world = text
        .replace("  part: test\n", "  part: test\n  skip: 14d\n  take: 3d\n")
        .replace(
            "    start_up:",
            "    memory_mib: 2048\n    memory_limit_mib: 4096\n    leak: { mib_per_hour: 120, \
             mib_per_1000_requests: 2.5, cv: 0.3 }\n    memory: { noise_mib: 10 }\n    start_up:",
        )
        .replace("name: world-cup", "name: world-cup-leaks");
    let pair = |name: &str, all: &[&str]| (name.to_owned(), format!("{{ together: [{}] }}", all.join(", ")));
    let ours = "{ rejuvenate: {} }";
    let peer = "{ restart: { memory_percent: 90, surge: true } }";
    let policies = [
        pair("hpa", &[HPA]),
        pair("hpa + 90 % of the limit", &[HPA, peer]),
        pair("hpa + rejuvenate", &[HPA, ours]),
        pair("predictive", &[PREDICTIVE]),
        pair("predictive + 90 % of the limit", &[PREDICTIVE, peer]),
        pair("predictive + rejuvenate", &[PREDICTIVE, ours]),
    ];
    let file = write(root, "combined", &world, &policies)?;
    let file_name = file.to_string_lossy();
    let args = ["compare", &*file_name, "--fidelity", "fluid"];
    let Some(result) = product::kept(root, &file.with_extension("json"), &args, &[0])? else {
        eprintln!("skipped: combined: no recorded data (set HOMEOSTAT_DATA)");
        return Ok(());
    };
    println!("Combined: World Cup, 72 h, leaks, starts of 120 s\n");
    println!(
        "| policy | OOM kills | replaced | lost to kills | lost to replacements | attained | replica-hours | over \
         bound | surges cancelled |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for row in rows(&result) {
        let name = row["name"].as_str().unwrap_or("?");
        let over =
            row["cost_over_bound"].as_f64().map_or_else(|| "–".to_owned(), |over| format!("{over:.3}"));
        println!("| {name} |{} {over} | {} |", cells(row), count(row, "surges_cancelled"));
    }
    Ok(())
}
