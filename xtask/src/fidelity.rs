//! How near fluid runs come to runs by request: the table of docs/performance.md.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use crate::product;

/// Scenarios and how much of them is run; all of it where nothing is said.
const SCENARIOS: [(&str, Option<&str>); 6] = [
    ("scenarios/demo/daily.yaml", None),
    ("scenarios/benchmark/world-cup.yaml", Some("2d")),
    ("scenarios/benchmark/twitter.yaml", Some("2d")),
    ("scenarios/benchmark/nasa.yaml", Some("2d")),
    ("scenarios/benchmark/mongo-01.yaml", None),
    ("scenarios/benchmark/ingress-05.yaml", None),
];
const POLICIES: [&str; 6] = ["static", "hpa-cpu-50", "hpa-cpu-80", "kpa", "keda-rps", "watermark"];
/// Where scenarios that are cut short are written.
const CUT: &str = "target/fidelity";

/// Runs everything both ways and prints the differences; `--seeds N` takes means over N seeds.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    println!("| scenario | policy | attainment | fluid, points | replica-hours | fluid, % | times faster |");
    println!("|---|---|---|---|---|---|---|");
    for (file, take) in SCENARIOS {
        let text = std::fs::read_to_string(root.join(file))?;
        let text = take.map_or(text.clone(), |take| {
            text.replace("  part: test\n", &format!("  part: test\n  take: {take}\n"))
        });
        let cut = root.join(CUT).join(Path::new(file).file_name().unwrap_or_default());
        std::fs::create_dir_all(root.join(CUT))?;
        std::fs::write(&cut, text)?;
        let (Some(exact), Some(fluid)) =
            (compare(root, &cut, "requests", args)?, compare(root, &cut, "fluid", args)?)
        else {
            eprintln!("skipped: {file}: no recorded data (set HOMEOSTAT_DATA)");
            continue;
        };
        rows(&exact, &fluid);
    }
    Ok(())
}

fn compare(root: &Path, file: &Path, fidelity: &str, args: &[String]) -> Result<Option<Value>> {
    let file = file.to_string_lossy();
    let policies = POLICIES.map(|policy| ["--policy", policy]).concat();
    let mut all = vec!["compare", &*file, "--no-bound", "--timing", "--fidelity", fidelity];
    all.extend(args.iter().map(String::as_str));
    product::json(root, &[&all[..], &policies[..]].concat(), &[0])
}

fn rows(exact: &Value, fluid: &Value) {
    let list = |result: &Value| result["policies"].as_array().cloned().unwrap_or_default();
    for (a, b) in list(exact).iter().zip(&list(fluid)) {
        let number = |row: &Value, field: &str| row[field].as_f64().unwrap_or(f64::NAN);
        let name = a["name"].as_str().unwrap_or_default();
        let seconds =
            |result: &Value| result["timing"]["policies"][name]["cpu_seconds"].as_f64().unwrap_or(f64::NAN);
        let attained = number(a, "attainment");
        let points = (number(b, "attainment") - attained) * 100.0;
        let hours = number(a, "replica_hours");
        let off = (number(b, "replica_hours") / hours - 1.0) * 100.0;
        let marked = |text: String, holds: bool| if holds { text } else { format!("**{text}**") };
        println!(
            "| {} | {name} | {:.3} % | {} | {hours:.0} | {} | {:.0} |",
            exact["scenario"].as_str().unwrap_or_default(),
            attained * 100.0,
            marked(format!("{points:+.3}"), points.abs() <= 0.1),
            marked(format!("{off:+.2}"), off.abs() <= 1.0),
            seconds(exact) / seconds(fluid)
        );
    }
}
