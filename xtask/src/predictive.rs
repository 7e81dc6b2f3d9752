//! The predictive policy beside the cheapest HPA and fixed count at equal attainment: the table of
//! docs/predictive-scaling.md.
//!
//! Two days of each trace's test part, as in `bounds`. Every family is swept over declared settings on the
//! fluid twin; its cost at 99.9 % is the lower frontier of that sweep, linear between neighbours. Guards of
//! the predictive policy are its own, but for the window before a fall; the others have bounds only.

mod chosen;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::bounds::{Choice, START_UPS, TRACES, bound, cut};
use crate::product;

/// Settings of the predictive policy: `risk`.
const RISKS: [u32; 6] = [1, 3, 10, 30, 100, 300];
/// Its own guards, with a minute before a fall instead of five.
const SHORT: &str = "{ name: short, freshness: 2m, fall_band: 0.07, flips: { most: 12, per: 1h }, step: { \
                     up_share: 4.0, up_replicas: 10, down_share: 0.5, down_replicas: 1 }, stabilization: { \
                     up: 0s, down: 1m } }";
/// Of the HPA: CPU target in per cent, and the window before a fall in minutes.
const TARGETS: [u32; 10] = [45, 50, 55, 60, 65, 70, 75, 80, 85, 90];
const WINDOWS: [u32; 3] = [1, 5, 15];
/// Fixed counts.
const COUNTS: std::ops::RangeInclusive<u32> = 4..=32;
const COUNT_STEP: u32 = 5;
const WANTED: f64 = 0.999;
/// What is left out, one at a time: of the policy, or its own guards.
const WITHOUT: [(&str, &str, &str); 7] = [
    ("all", "", ""),
    ("no feedback", "feedback: false", ""),
    ("one quantile (0.99) for certain", "forecast: quantile", ""),
    ("forecast off, 25 % headroom", "forecast: 'off'", ""),
    ("linear model alone", "model: direct", ""),
    ("last value alone", "model: last", ""),
    ("bounds alone as guards", "", ", guards: { name: bounds }"),
];
const ABLATION: &str = "ablation";
const CHOSEN: &str = "chosen";
const KEPT: &str = "target/predictive";

/// What a family has at each setting: attainment and cost.
type Sweep = Vec<(f64, f64)>;

/// Runs what is missing and prints the table. Results of an earlier call are used again: delete
/// `target/predictive` to measure anew; `--kept` runs nothing. Names of traces and start-ups choose;
/// `ablation` prints instead what each part of the policy is worth, `chosen` what settings come to that were
/// chosen on the tuning part.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let names = TRACES.map(|(trace, _)| trace);
    if args.iter().any(|arg| arg == ABLATION) {
        return ablation(root, &Choice::of(args, &[&names[..], &[ABLATION]].concat())?);
    }
    if args.iter().any(|arg| arg == CHOSEN) {
        return chosen::run(root, &Choice::of(args, &[&names[..], &START_UPS, &[CHOSEN]].concat())?);
    }
    let choice = Choice::of(args, &[&names[..], &START_UPS].concat())?;
    println!("| trace, start-up | {} | at 99.9 % | HPA | fixed | bound | gap closed |", head().join(" | "));
    println!("|---|{}", "---|".repeat(RISKS.len() + 5));
    for (trace, skip) in TRACES.into_iter().filter(|(trace, _)| choice.wants(trace, &names)) {
        for start_up in START_UPS.into_iter().filter(|start_up| choice.wants(start_up, &START_UPS)) {
            let file = with_policies(root, trace, skip, &format!("{trace}.yaml"), &settings()?)?;
            let name = format!("{trace}-{start_up}");
            if let Some(result) = compared(root, choice.runs, &file, start_up, &name)? {
                let bound = bound(root, trace, start_up)?;
                println!("{}", line(&format!("{trace}, {start_up}"), &result, bound)?);
            }
        }
    }
    Ok(())
}

/// Prints attainment and cost with parts of the policy left out, a column per trace.
fn ablation(root: &Path, choice: &Choice) -> Result<()> {
    let names = TRACES.map(|(trace, _)| trace);
    let mut columns = Vec::new();
    for (trace, skip) in TRACES.into_iter().filter(|(trace, _)| choice.wants(trace, &names)) {
        let own = WITHOUT.map(|(name, spec, guards)| {
            format!("  - {{ name: '{name}', policy: {{ predictive: {{ {spec} }} }}{guards} }}\n")
        });
        let file = with_policies(root, trace, skip, &format!("{trace}-{ABLATION}.yaml"), &own.concat())?;
        let result = compared(root, choice.runs, &file, "120s", &format!("{trace}-{ABLATION}"))?;
        columns.extend(result.map(|result| (trace, result)));
    }
    println!("| | {} |", columns.iter().map(|(trace, _)| *trace).collect::<Vec<_>>().join(" | "));
    println!("|---|{}", "---|".repeat(columns.len()));
    for (row, (name, ..)) in WITHOUT.iter().enumerate() {
        let cells: Result<Vec<String>> = columns
            .iter()
            .map(|(_, result)| reached(&result["policies"][row]).map(|row| cell(row, WANTED)))
            .collect();
        println!("| {name} | {} |", cells?.join(" | "));
    }
    Ok(())
}

/// The comparison of a scenario's policies on the fluid twin, kept under `name`. `None` where it isn't kept
/// and nothing runs, or the data are missing.
fn compared(root: &Path, runs: bool, file: &Path, start_up: &str, name: &str) -> Result<Option<Value>> {
    let kept = root.join(KEPT).join(format!("{name}.json"));
    let file = file.to_string_lossy();
    let args = ["compare", &*file, "--start-up", start_up, "--fidelity", "fluid", "--no-bound"];
    let result = product::kept(root, &kept, &args, &[0], runs)?;
    if runs && result.is_none() {
        eprintln!("skipped: {name}: no recorded data (set HOMEOSTAT_DATA)");
    }
    Ok(result)
}

/// Attainment and replica-hours of a policy.
fn reached(row: &Value) -> Result<(f64, f64)> {
    let number = |field: &str| row[field].as_f64().context("a number");
    Ok((number("attainment")?, number("replica_hours")?))
}

/// Attainment, rounded down, and replica-hours, bold where the attainment wanted is reached.
fn cell((attained, cost): (f64, f64), wanted: f64) -> String {
    let bold = if attained >= wanted { "**" } else { "" };
    format!("{bold}{:.2} % / {cost:.0}{bold}", (attained * 1e4).floor() / 100.0)
}

fn head() -> Vec<String> {
    RISKS.iter().map(|risk| format!("risk {risk}")).collect()
}

/// All settings as policies.
fn settings() -> Result<String> {
    let mut text = String::new();
    for risk in RISKS {
        let own = format!("policy: {{ predictive: {{ risk: {risk} }} }}");
        writeln!(text, "  - name: predictive/{risk}\n    {own}")?;
        writeln!(text, "  - name: predictive/{risk}-short\n    {own}\n    guards: {SHORT}")?;
    }
    for target in TARGETS {
        for window in WINDOWS {
            let own = format!("hpa: {{ cpu_percent: {target}, scale_down_window: {window}m }}");
            writeln!(text, "  - {{ name: hpa/{target}-{window}, policy: {{ {own} }} }}")?;
        }
    }
    for count in COUNTS.map(|count| count * COUNT_STEP) {
        writeln!(text, "  - {{ name: static/{count}, policy: {{ static: {{ replicas: {count} }} }} }}")?;
    }
    Ok(text)
}

/// The cut scenario with these policies, written to `name`.
fn with_policies(root: &Path, trace: &str, skip: u32, name: &str, policies: &str) -> Result<PathBuf> {
    let scenario = std::fs::read_to_string(cut(root, trace, skip)?)?;
    let folder = root.join(KEPT);
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(name);
    std::fs::write(&file, format!("{scenario}policies:\n{policies}"))?;
    Ok(file)
}

/// One line of the table.
fn line(name: &str, result: &Value, bound: Option<f64>) -> Result<String> {
    let mut sweeps: BTreeMap<&str, Sweep> = BTreeMap::new();
    let mut cells = String::new();
    for row in result["policies"].as_array().context("a comparison lists its policies")? {
        let (family, setting) =
            row["name"].as_str().and_then(|n| n.split_once('/')).context("a name of ours")?;
        let point = reached(row)?;
        sweeps.entry(family).or_default().push(point);
        if family == "predictive" && !setting.ends_with("-short") {
            write!(cells, " {} |", cell(point, WANTED))?;
        }
    }
    let at = |family: &str| sweeps.get(family).and_then(|sweep| frontier(sweep, WANTED));
    let (ours, hpa, fixed) = (at("predictive"), at("hpa"), at("static"));
    let reference = [hpa, fixed].into_iter().flatten().reduce(f64::min);
    let gap = match (ours, reference, bound) {
        (Some(ours), Some(reference), Some(bound)) if reference > bound => {
            format!("{:.0} %", 100.0 * (reference - ours) / (reference - bound))
        }
        _ => "–".to_owned(),
    };
    let shown = |cost: Option<f64>| cost.map_or_else(|| "–".to_owned(), |cost| format!("{cost:.0}"));
    let (ours, hpa, fixed, bound) = (shown(ours), shown(hpa), shown(fixed), shown(bound));
    Ok(format!("| {name} |{cells} {ours} | {hpa} | {fixed} | {bound} | {gap} |"))
}

/// The least cost at an attainment: linear between the neighbours of the lower frontier; `None` where no
/// setting reaches it.
fn frontier(sweep: &Sweep, wanted: f64) -> Option<f64> {
    let above =
        sweep.iter().filter(|(attained, _)| *attained >= wanted).min_by(|a, b| a.1.total_cmp(&b.1))?;
    // The nearest below that is cheaper.
    let below = sweep
        .iter()
        .filter(|(attained, cost)| *attained < wanted && *cost < above.1)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let Some(below) = below else { return Some(above.1) };
    let share = (wanted - below.0) / (above.0 - below.0);
    Some(below.1 + (above.1 - below.1) * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frontier_is_linear_between_neighbours_and_absent_where_it_is_not_reached() {
        let sweep = vec![(0.95, 100.0), (0.99, 140.0), (0.98, 150.0), (1.0, 200.0), (0.97, 400.0)];
        assert_eq!(frontier(&sweep, 0.995), Some(170.0));
        assert_eq!(frontier(&sweep, 0.9), Some(100.0));
        assert_eq!(frontier(&sweep[..3].to_vec(), 0.995), None);
    }
}
