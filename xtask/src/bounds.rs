//! Tuned policies and the bound on recorded traffic: the tables of docs/bound.md and docs/tuning.md.
//!
//! Five traces, three start-ups. Each is cut to some days of its test part (a whole World Cup takes hours),
//! with as many days of its tuning part to search on; the load is scaled to 20 replicas on what is cut out.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::product;

/// The traces, and the days of each part that are left out: the World Cup is quiet before.
pub(crate) const TRACES: [(&str, u32); 5] =
    [("world-cup", 14), ("nasa", 0), ("mongo-01", 0), ("ingress-05", 0), ("twitter", 0)];
pub(crate) const START_UPS: [&str; 3] = ["30s", "120s", "300s"];
const FAMILIES: [&str; 10] =
    ["hpa", "kpa", "keda", "watermark", "predictive", "phpa", "mark", "mu", "aws_predictive", "static"];
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
    /// Results of `tune`, family by family; those that were not run are left out.
    tuned: Vec<(&'static str, Value)>,
}

/// What to run: everything, unless arguments name traces, start-ups or families.
pub(crate) struct Choice<'a> {
    names: Vec<&'a str>,
    /// Whether what is missing is run.
    pub(crate) runs: bool,
}

impl<'a> Choice<'a> {
    /// From arguments, all of which have to be among `known`, but for `--kept`.
    pub(crate) fn of(args: &'a [String], known: &[&str]) -> Result<Self> {
        let names: Vec<&str> = args.iter().map(String::as_str).filter(|arg| *arg != "--kept").collect();
        if let Some(other) = names.iter().find(|name| !known.contains(name)) {
            bail!("`{other}` is none of {}", known.join(", "));
        }
        Ok(Self { names, runs: !args.iter().any(|arg| arg == "--kept") })
    }

    /// Whether `name` is wanted among `all` of its kind: it is named, or nothing of its kind is.
    pub(crate) fn wants(&self, name: &str, all: &[&str]) -> bool {
        self.names.contains(&name) || !all.iter().any(|other| self.names.contains(other))
    }
}

/// Runs everything and prints the tables. Results of an earlier call are used again: delete
/// `target/bounds` to measure anew; `--kept` prints what is there and runs nothing. Names of traces,
/// start-ups and families choose: `bounds twitter 300s hpa`.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let traces = TRACES.map(|(trace, _)| trace);
    let choice = Choice::of(args, &[&traces[..], &START_UPS, &FAMILIES].concat())?;
    let mut cases: Vec<Case> = Vec::new();
    let compare = ["compare", "--policy", "hpa-cpu-50", "--policy", "hpa-cpu-80"];
    for (trace, skip) in TRACES.into_iter().filter(|(trace, _)| choice.wants(trace, &traces)) {
        let file = cut(root, trace, skip)?;
        for start_up in START_UPS.into_iter().filter(|start_up| choice.wants(start_up, &START_UPS)) {
            let name = format!("{trace}-{start_up}-bound");
            match kept(root, &file, &name, start_up, &compare, choice.runs)? {
                Some(bound) => {
                    cases.push(Case { trace, start_up, file: file.clone(), bound, tuned: Vec::new() });
                }
                None => eprintln!("skipped: {trace}: no recorded data (set HOMEOSTAT_DATA)"),
            }
        }
    }
    if cases.is_empty() {
        bail!("no scenario could be run");
    }
    for family in FAMILIES.into_iter().filter(|family| choice.wants(family, &FAMILIES)) {
        let tune = ["tune", "--fidelity", "fluid", "--attainment", "99,99.5,99.9", "--policy", family];
        for case in &mut cases {
            let name = format!("{}-{}-{family}", case.trace, case.start_up);
            let tuned = kept(root, &case.file, &name, case.start_up, &tune, choice.runs)?;
            case.tuned.extend(tuned.map(|tuned| (family, tuned)));
        }
    }
    print_bounds(&cases);
    print_tuned(&cases);
    Ok(())
}

/// The benchmark scenario of a trace, cut to some days.
pub(crate) fn cut(root: &Path, trace: &str, skip: u32) -> Result<PathBuf> {
    let file = root.join(KEPT).join(format!("{trace}.yaml"));
    cut_to(root, trace, skip, &file)?;
    Ok(file)
}

/// Writes the benchmark scenario of a trace, cut to the days after `skip`, to `file`.
pub(crate) fn cut_to(root: &Path, trace: &str, skip: u32, file: &Path) -> Result<()> {
    let text = std::fs::read_to_string(root.join(format!("scenarios/benchmark/{trace}.yaml")))?;
    let cut = format!("  part: test\n  skip: {skip}d\n  take: {DAYS}d\n");
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(std::fs::write(file, text.replace("  part: test\n", &cut))?)
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
    let file = file.to_string_lossy();
    let args = [&[args[0], &*file], &args[1..], &["--start-up", start_up]].concat();
    // 1: an attainment that no setting reaches, which the table shows.
    product::kept(root, &result, &args, &[0, 1], runs)
}

/// The best schedule at 99.9 % that an earlier call has kept.
pub(crate) fn bound(root: &Path, trace: &str, start_up: &str) -> Result<Option<f64>> {
    let kept = root.join(KEPT).join(format!("{trace}-{start_up}-bound.json"));
    let Ok(text) = std::fs::read_to_string(kept) else { return Ok(None) };
    Ok(point_at(&serde_json::from_str(&text)?, 0.999).map(|(cost, _)| cost))
}

/// The best schedule and the lower bound at an attainment that the curve was asked for.
fn bound_at(case: &Case, attainment: f64) -> Option<(f64, f64)> {
    point_at(&case.bound, attainment)
}

fn point_at(result: &Value, attainment: f64) -> Option<(f64, f64)> {
    let points = result["bound"].as_array()?;
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

/// Rows by trace and start-up, columns by family (those that were run) and attainment: the attainment on the
/// test part, and the cost over the bound at the attainment asked for.
fn print_tuned(cases: &[Case]) {
    let was_run = |family: &&str| cases.iter().any(|case| case.tuned.iter().any(|(name, _)| name == family));
    let families: Vec<&str> = FAMILIES.into_iter().filter(was_run).collect();
    for wanted in ATTAINMENTS {
        println!("Tuned for {:.1} %: attainment on the test part / cost over the bound\n", wanted * 100.0);
        let heads: Vec<String> = families.iter().map(|family| format!(" {family} |")).collect();
        println!("| trace, start-up | bound |{} HPA at 50 % |", heads.concat());
        println!("|---|---|{}---|", "---|".repeat(families.len()));
        for case in cases {
            let bound = bound_at(case, wanted).map(|(best, _)| best);
            let cells: Vec<String> =
                families.iter().map(|family| format!(" {} |", tuned(case, family, wanted, bound))).collect();
            let hours = bound.map_or_else(|| "–".to_owned(), |bound| format!("{bound:.0}"));
            let stock = case.bound["policies"].as_array().and_then(|rows| rows.first());
            let stock = stock.map_or_else(|| "–".to_owned(), |row| cell(row, wanted, bound));
            println!("| {}, {} | {hours} |{} {stock} |", case.trace, case.start_up, cells.concat());
        }
        println!();
    }
}

fn tuned(case: &Case, family: &str, wanted: f64, bound: Option<f64>) -> String {
    let of_family = case.tuned.iter().find(|(name, _)| *name == family);
    let Some((_, result)) = of_family else { return "–".to_owned() };
    let entries = result["tuned"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |entry: &&Value| {
        entry["policy"] == family && entry["attainment"].as_f64().is_some_and(|a| (a - wanted).abs() < 1e-9)
    };
    let Some(entry) = entries.iter().find(of) else { return "–".to_owned() };
    if let Some(none) = unreached(entry) {
        return none;
    }
    cell(&entry["chosen"]["test"], wanted, bound)
}

/// The cell of an attainment that no setting reached, with what limits it.
pub(crate) fn unreached(goal: &Value) -> Option<String> {
    let none = || format!("none ({})", goal["limit"]["cause"].as_str().unwrap_or("?"));
    goal["chosen"].is_null().then(none)
}

/// Attainment, rounded down, and cost over the bound; bold where the attainment is reached.
fn cell(row: &Value, wanted: f64, bound: Option<f64>) -> String {
    let (attainment, cost) = (row["attainment"].as_f64().unwrap_or(0.0), row["cost"].as_f64());
    let over = cost.zip(bound).map_or_else(|| "–".to_owned(), |(cost, bound)| format!("{:.2}", cost / bound));
    let text = format!("{:.2} % / {over}", (attainment * 10_000.0).floor() / 100.0);
    if attainment >= wanted { format!("**{text}**") } else { text }
}
