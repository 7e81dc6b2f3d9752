//! Our forecasts beside those of outside models on the same series, origins and targets, scored by the same
//! code: docs/forecasting-peers.md and testing/peers/forecast.

mod conformal;
mod exchange;
mod files;
pub(crate) mod outside;
pub(crate) mod recorded;
mod scores;
pub(crate) mod tables;

use std::path::Path;

use anyhow::{Result, bail};

use exchange::Parts;
use files::{Difference, Losses, Scored};
use recorded::{TRACES, Trace};
use scores::OURS;

/// Where outside programs, series and forecasts are kept.
const KEPT: &str = "target/peers";

/// `cargo xtask peers`: runs the outside models, scores all and writes the tables. Forecasts of an
/// earlier call are used again: delete `target/peers` to run anew. `--ours` leaves the outside models'
/// figures as they are and renews ours and the differences; `--kept` scores the forecasts that are there
/// and runs no model; a part of a trace's name limits what is done for outside models to it. `ablation` makes
/// the table of our own models instead.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    if args.iter().any(|arg| arg == "ablation") {
        return ablation(root);
    }
    let only_ours = args.iter().any(|arg| arg == "--ours");
    let wanted: Vec<&String> = args.iter().filter(|arg| !arg.starts_with("--")).collect();
    let matches = |trace: &Trace| wanted.is_empty() || wanted.iter().any(|w| trace.name.contains(w.as_str()));
    if !only_ours && !args.iter().any(|arg| arg == "--kept") {
        for trace in TRACES.iter().filter(|trace| matches(trace)) {
            forecast_outside(root, trace)?;
        }
    }
    let mut kept = files::read_scores(root).unwrap_or_default();
    let mut losses = files::read_losses(root).unwrap_or_default();
    let mut differences = Vec::new();
    for trace in &TRACES {
        let Some(recorded) = trace.read(root)? else { bail!("the recorded data are needed") };
        let parts = Parts::of(&recorded);
        if !only_ours && matches(trace) {
            let answers = exchange::answers(&root.join(KEPT).join(trace.name))?;
            let (rows, best) = scores::outside(trace.name, &parts, &answers);
            kept.retain(|row| row.trace != trace.name || is_ours(row));
            kept.extend(rows);
            losses.retain(|l: &Losses| l.trace != trace.name);
            losses.extend(best);
        }
        differences.extend(renew(trace, &parts, &mut kept, &losses)?);
    }
    files::sort(&mut kept, &TRACES.map(|t| t.name), OURS);
    losses.sort_by_key(|l| TRACES.iter().position(|t| t.name == l.trace));
    files::write_scores(root, &kept)?;
    files::write_losses(root, &losses)?;
    files::write_differences(root, &differences)?;
    tables::write(root, &kept, &differences)
}

/// The parts of the hybrid alone, the hybrid, and the choice among all, on the test parts.
fn ablation(root: &Path) -> Result<()> {
    let mut rows = Vec::new();
    for trace in &TRACES {
        let Some(recorded) = trace.read(root)? else { bail!("the recorded data are needed") };
        let (series, plan) = Parts::of(&recorded).test;
        rows.extend(scores::of_models(trace.name, &series, &plan, &tables::ABLATION));
    }
    tables::write_ablation(root, &rows)
}

fn is_ours(row: &Scored) -> bool {
    row.model == OURS || row.model == "last"
}

/// Our rows and the differences anew. CPU time is measured in release builds only, else the kept one stays.
fn renew(trace: &Trace, parts: &Parts, kept: &mut Vec<Scored>, losses: &[Losses]) -> Result<Vec<Difference>> {
    let (series, plan) = &parts.test;
    let ours = scores::ours(series, plan);
    let before = kept.iter().find(|row| row.trace == trace.name && row.model == OURS).and_then(|r| r.cpu_us);
    let cpu_us = if cfg!(debug_assertions) { before } else { Some(scores::our_cpu_us(series)) };
    kept.retain(|row| row.trace != trace.name || !is_ours(row));
    for mut row in scores::our_rows(trace.name, parts, &ours) {
        row.cpu_us = cpu_us.filter(|_| row.model == OURS);
        kept.push(row);
    }
    scores::differences(trace.name, parts, &ours, losses)
}

fn forecast_outside(root: &Path, trace: &Trace) -> Result<()> {
    let Some(recorded) = trace.read(root)? else { bail!("the recorded data are needed") };
    let folder = root.join(KEPT).join(trace.name);
    exchange::write(&folder, trace, &recorded, &Parts::of(&recorded))?;
    outside::run(root, &folder)
}

#[cfg(test)]
mod tests;
