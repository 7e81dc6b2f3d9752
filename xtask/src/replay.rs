//! The search of `tune` against kept exhaustive scans: what it finds, over many seeds, without a run.
//!
//! A scan is the part that `homeostat tune … --policy FAMILY --search exhaustive --shard 1/1 --out
//! target/tuning/scans/NAME-FAMILY.json` writes. The search sees full lengths only: short stretches aren't in
//! a scan.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use homeostat_policy::space::spaces;
use homeostat_twin::search::{Found, Halving, Measured, Plan, Rung, Search, cheapest};
use serde_json::Value;

/// Where scans are kept.
const SCANS: &str = "target/tuning/scans";
/// As in the table of docs/tuning.md.
const WANTED: [f64; 3] = [0.99, 0.995, 0.999];
/// Seeds of the search's own sample.
const SEEDS: u64 = 30;

/// One exhaustive scan.
struct Scan {
    name: String,
    dimensions: Vec<usize>,
    measured: Vec<Measured>,
}

/// Prints the loss against the best of each scan; an argument chooses scans by a part of their name.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root.join(SCANS))
        .with_context(|| format!("no scans under {SCANS}; docs/tuning.md says how to make one"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.retain(|path| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        path.extension().is_some_and(|e| e == "json") && args.iter().all(|part| name.contains(part.as_str()))
    });
    paths.sort();
    if paths.is_empty() {
        bail!("no scan under {SCANS} is named so");
    }
    println!(
        "| scan | settings | runs | over 1 % at 99 % | 99.5 % | 99.9 % | mean loss at 99 % | 99.5 % | 99.9 % |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for path in paths {
        print(&read(&path)?);
    }
    Ok(())
}

fn read(path: &Path) -> Result<Scan> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let part: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let results = part["results"].as_array().with_context(|| format!("{name}: not a part of a scan"))?;
    let measured: Vec<Measured> =
        results.iter().map(|pair| serde_json::from_value(pair[1].clone())).collect::<Result<_, _>>()?;
    let family = part["common"]["policies"][0].as_str().unwrap_or_default();
    let space = spaces().into_iter().find(|space| space.family == family);
    let space = space.with_context(|| format!("{name}: no family {family}"))?;
    if space.size() != measured.len() {
        bail!("{name}: {} runs of {}; the scan is not whole", measured.len(), space.size());
    }
    Ok(Scan { name, dimensions: space.dimensions(), measured })
}

fn print(scan: &Scan) {
    let all: Vec<Found> =
        scan.measured.iter().enumerate().map(|(point, m)| Found { point, measured: *m }).collect();
    let (mut over, mut losses, mut runs) = ([0_u32; WANTED.len()], [0.0; WANTED.len()], 0);
    for seed in 1..=SEEDS {
        let found = search(scan, seed);
        runs = runs.max(found.len());
        for (i, wanted) in WANTED.into_iter().enumerate() {
            let Some(best) = cheapest(&all, wanted) else { continue };
            let cost = cheapest(&found, wanted).map_or(f64::INFINITY, |found| found.measured.cost);
            let loss = (cost / best.measured.cost - 1.0) * 100.0;
            over[i] += u32::from(loss > 1.0);
            losses[i] += loss / SEEDS as f64;
        }
    }
    let over = over.map(|n| format!("{n} of {SEEDS}")).join(" | ");
    let losses = losses.map(|loss| format!("{loss:.2} %")).join(" | ");
    println!("| {} | {} | {runs} | {over} | {losses} |", scan.name, all.len());
}

/// What the search finds with the budget that `tune` gives it.
fn search(scan: &Scan, seed: u64) -> Vec<Found> {
    let settings = (scan.measured.len() / 4).min(100);
    let mut search = Halving::new(Plan {
        dimensions: scan.dimensions.clone(),
        wanted: WANTED.to_vec(),
        rungs: vec![Rung { length: 1.0, price: 1.0 }],
        settings,
        budget: 0.4 * settings as f64,
        seed,
    });
    loop {
        let trials = search.ask();
        if trials.is_empty() {
            return search.found();
        }
        for trial in trials {
            search.tell(trial, scan.measured[trial.point]);
        }
    }
}
