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
use crate::bounds::{Choice, START_UPS, TRACES, cut, cut_to};
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
        let test = cut(root, trace, skip)?;
        for start_up in START_UPS.into_iter().filter(|start_up| choice.wants(start_up, &START_UPS)) {
            let cells: Result<Vec<Option<String>>> = FAMILIES
                .iter()
                .map(|family| {
                    Case { root, family, start_up, name: format!("{trace}-{start_up}-{family}") }.cells(
                        &learns,
                        &test,
                        choice.runs,
                    )
                })
                .collect();
            if let Some(cells) = cells?.into_iter().collect::<Option<Vec<String>>>() {
                println!("| {trace}, {start_up} | {} |", cells.join(" | "));
            }
        }
    }
    Ok(())
}

/// A family on one trace at one start-up.
struct Case<'a> {
    root: &'a Path,
    family: &'a str,
    start_up: &'a str,
    name: String,
}

impl Case<'_> {
    /// What the settings for each attainment come to on the test days. `None` where it isn't kept and nothing
    /// runs, or the data are missing.
    fn cells(&self, learns: &Path, test: &Path, runs: bool) -> Result<Option<String>> {
        let wanted = ATTAINMENTS.map(|(name, _)| name).join(",");
        let manifests = self.kept("chosen");
        let out = manifests.to_string_lossy();
        let tune = ["--fidelity", "fluid", "--attainment", &*wanted, "--policy", self.family, "--out", &*out];
        let Some(tuned) = self.result("tune", learns, &tune, runs)? else { return Ok(None) };
        let goals = tuned["tuned"].as_array().context("tune lists what it chose")?;
        let chosen: Vec<bool> = goals.iter().map(|goal| !goal["chosen"].is_null()).collect();
        let files: Vec<String> = ATTAINMENTS
            .iter()
            .zip(&chosen)
            .filter(|(_, chosen)| **chosen)
            .map(|((name, _), _)| {
                manifests.join(format!("{}-{name}.yaml", self.family)).to_string_lossy().into_owned()
            })
            .collect();
        let mut compare = vec!["--no-bound"];
        compare.extend(files.iter().flat_map(|file| ["--policy", &**file]));
        let tested =
            if files.is_empty() { Some(Value::Null) } else { self.result("compare", test, &compare, runs)? };
        let Some(tested) = tested else { return Ok(None) };
        let mut rows = tested["policies"].as_array().into_iter().flatten();
        let cells: Result<Vec<String>> = ATTAINMENTS
            .iter()
            .zip(goals)
            .map(|((_, wanted), goal)| {
                if goal["chosen"].is_null() {
                    return Ok(format!("none ({})", goal["limit"]["cause"].as_str().unwrap_or("?")));
                }
                Ok(cell(reached(rows.next().context("a row for each setting")?)?, *wanted))
            })
            .collect();
        Ok(Some(cells?.join(" | ")))
    }

    fn kept(&self, kind: &str) -> PathBuf {
        self.root.join(KEPT).join(format!("{}-{kind}", self.name))
    }

    fn result(&self, command: &str, file: &Path, args: &[&str], runs: bool) -> Result<Option<Value>> {
        let kept = self.kept(&format!("{command}.json"));
        if !runs && !kept.exists() {
            return Ok(None);
        }
        let file = file.to_string_lossy();
        let args = [&[command, &*file, "--start-up", self.start_up], args].concat();
        // 1: an attainment that no setting reaches, which the table shows.
        product::kept(self.root, &kept, &args, &[0, 1])
    }
}
