//! Settings that `tune` chooses where the forecaster has days to learn from, tested by request on the days of
//! the main table.
//!
//! `bounds` tunes every family on the first days of a trace. A policy that forecasts knows nothing there, so
//! that what it is worth can't be seen; here it is tuned on later days of the tuning part. All that came
//! before them is known to its forecaster, as all that came before the test is.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{KEPT, cell, reached};
use crate::bounds::{Choice, START_UPS, TRACES, cut, cut_to, unreached};
use crate::product;

/// Ours, and the peer that learns from days before, too.
const FAMILIES: [&str; 2] = ["predictive", "aws_predictive"];
/// Days of the tuning part that come before those searched on, in the order of [`TRACES`].
const LEARNED: [u32; 5] = [22, 16, 2, 2, 2];
const ATTAINMENTS: [(&str, f64); 3] = [("99", 0.99), ("99.5", 0.995), ("99.9", 0.999)];

/// Runs what is missing and prints the table.
pub(super) fn run(root: &Path, choice: &Choice) -> Result<()> {
    let names = TRACES.map(|(trace, _)| trace);
    let heads = FAMILIES.map(|family| ATTAINMENTS.map(|(name, _)| format!("{family}, {name} %")).join(" | "));
    println!("| trace, start-up | {} |", heads.join(" | "));
    println!("|---|{}", "---|".repeat(FAMILIES.len() * ATTAINMENTS.len()));
    for ((trace, skip), learned) in TRACES.into_iter().zip(LEARNED) {
        if !choice.wants(trace, &names) {
            continue;
        }
        let learns = root.join(KEPT).join(format!("{trace}-learned.yaml"));
        cut_to(root, trace, learned, &learns)?;
        let days = Days { root, learns, test: cut(root, trace, skip)?, runs: choice.runs };
        for start_up in START_UPS.into_iter().filter(|start_up| choice.wants(start_up, &START_UPS)) {
            let mut cells = Vec::new();
            for family in FAMILIES {
                let name = format!("{trace}-{start_up}-{family}");
                let found = days.cells(family, start_up, &name)?;
                if found.is_none() {
                    eprintln!("skipped: {name}: no recorded data (set HOMEOSTAT_DATA), or nothing kept");
                }
                cells.extend(found.into_iter().flatten());
            }
            if cells.len() == FAMILIES.len() * ATTAINMENTS.len() {
                println!("| {trace}, {start_up} | {} |", cells.join(" | "));
            }
        }
    }
    Ok(())
}

/// The days of a trace to search on, and those to test on.
struct Days<'a> {
    root: &'a Path,
    learns: PathBuf,
    test: PathBuf,
    /// Whether what is missing is run.
    runs: bool,
}

impl Days<'_> {
    /// What the settings for each attainment come to on the test days. `None` where nothing is kept and
    /// nothing runs, or the data are missing.
    fn cells(&self, family: &str, start_up: &str, name: &str) -> Result<Option<Vec<String>>> {
        let wanted = ATTAINMENTS.map(|(name, _)| name).join(",");
        let out = self.root.join(KEPT).join(format!("{name}-chosen"));
        let out = out.to_string_lossy();
        let tune = ["--fidelity", "fluid", "--attainment", &*wanted, "--policy", family, "--out", &*out];
        let tuned =
            self.result("tune", &self.learns, &[&tune[..], &["--start-up", start_up]].concat(), name)?;
        let Some(tuned) = tuned else { return Ok(None) };
        let goals = tuned["tuned"].as_array().context("tune lists what it chose")?;
        let manifests: Vec<&str> = goals.iter().filter_map(|goal| goal["manifest"].as_str()).collect();
        let mut rows = Vec::new();
        if !manifests.is_empty() {
            let mut compare = vec!["--no-bound", "--start-up", start_up];
            compare.extend(manifests.iter().flat_map(|manifest| ["--policy", manifest]));
            let Some(tested) = self.result("compare", &self.test, &compare, name)? else { return Ok(None) };
            let policies = tested["policies"].as_array().context("a comparison lists its policies")?;
            rows = policies.iter().map(reached).collect::<Result<_>>()?;
        }
        let mut rows = rows.into_iter();
        let cell = |(goal, (_, wanted)): (&Value, (&str, f64))| match unreached(goal) {
            Some(none) => Ok(none),
            None => Ok(cell(rows.next().context("a row for each setting")?, wanted)),
        };
        goals.iter().zip(ATTAINMENTS).map(cell).collect::<Result<_>>().map(Some)
    }

    fn result(&self, command: &str, file: &Path, args: &[&str], name: &str) -> Result<Option<Value>> {
        let kept = self.root.join(KEPT).join(format!("{name}-{command}.json"));
        let file = file.to_string_lossy();
        // 1: an attainment that no setting reaches, which the table shows.
        product::kept(self.root, &kept, &[&[command, &*file], args].concat(), &[0, 1], self.runs)
    }
}
