//! What `tune` found, for people and for scripts.
//!
//! The JSON has one entry in `tuned` for every policy and attainment, with the fields `policy`,
//! `attainment`, `space` (points), `runs` (full lengths of the tuning part,
//! request by request), `fluid_runs` (full lengths on the fluid twin), `frontier`, `chosen` (null
//! where nothing reaches the attainment), `limit` (null otherwise) and `manifest` (the path with
//! `--out`, else the text).

use comfy_table::CellAlignment;
use homeostat_policy::space::Value as Setting;
use homeostat_twin::search::Measured;
use serde_json::{Map, Value, json};

use crate::commands::tune::{Chosen, Goal, Row, Tuned, Tuning};
use crate::failure::Failure;
use crate::run::limit::{Cause, Limit};
use crate::show::json::figures;
use crate::show::table::{percent, plain};

/// Points of the frontier below this attainment are left out of tables.
const SHOWN: f64 = 0.9;

/// One JSON object.
pub(crate) fn json(tuning: &Tuning) -> Result<String, Failure> {
    let tuned: Vec<Value> = tuning
        .families
        .iter()
        .flat_map(|family| family.goals.iter().map(move |goal| entry(family, goal)))
        .collect();
    let object = json!({
        "scenario": tuning.scenario,
        "seed": tuning.seed,
        "tune_hours": tuning.tune_hours,
        "test_hours": tuning.test_hours,
        "tuned": tuned,
    });
    Ok(serde_json::to_string_pretty(&object)?)
}

fn entry(family: &Tuned, goal: &Goal) -> Value {
    let (chosen, limit, manifest) = match &goal.result {
        Ok(found) => {
            let path = found.path.as_ref().map(|path| path.display().to_string());
            (chosen(found), Value::Null, json!(path.unwrap_or_else(|| found.manifest.clone())))
        }
        Err(found) => (Value::Null, limited(found), Value::Null),
    };
    json!({
        "policy": family.family,
        "attainment": goal.attainment,
        "space": family.space,
        "runs": family.runs.requests,
        "fluid_runs": family.runs.fluid,
        "frontier": family.frontier.iter().map(point).collect::<Vec<_>>(),
        "chosen": chosen,
        "limit": limit,
        "manifest": manifest,
    })
}

fn settings(row: &Row) -> Map<String, Value> {
    row.settings.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
}

fn point(row: &Row) -> Value {
    let Measured { attainment, cost, replica_hours } = row.measured;
    json!({
        "settings": settings(row),
        "attainment": attainment,
        "cost": cost,
        "replica_hours": replica_hours,
    })
}

fn chosen(chosen: &Chosen) -> Value {
    let Measured { attainment, cost, replica_hours } = chosen.row.measured;
    let test: Map<String, Value> =
        figures(&chosen.test, true).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    json!({
        "settings": settings(&chosen.row),
        "tune": { "attainment": attainment, "cost": cost, "replica_hours": replica_hours },
        "test": test,
    })
}

fn limited(limit: &Limit) -> Value {
    let evidence = match limit.cause {
        Cause::Work { ceiling } => json!({ "attainment_with_enough_replicas": ceiling }),
        Cause::Maximum { max, share } => json!({ "max": max, "share_of_misses_at_max": share }),
        Cause::StartUp { without } | Cause::Bursts { without, .. } => {
            json!({ "attainment_without_start_up": without })
        }
    };
    json!({
        "cause": limit.cause.name(),
        "nearest": point(&limit.nearest),
        "evidence": evidence,
        "text": sentence(limit),
    })
}

/// Tables and sentences.
pub(crate) fn tables(tuning: &Tuning) -> String {
    let mut out = vec![format!(
        "{}: tuned on {:.1} h, tested on {:.1} h, objective {} ms, seed {}",
        tuning.scenario, tuning.tune_hours, tuning.test_hours, tuning.latency_ms, tuning.seed
    )];
    for family in &tuning.families {
        out.push(String::new());
        out.push(format!(
            "{}: {} settings declared, {:.1} fluid runs of the tuning part and {:.1} by request; its frontier:",
            family.family, family.space, family.runs.fluid, family.runs.requests
        ));
        out.push(table(family));
        for goal in &family.goals {
            out.extend(lines(family.family, goal));
        }
    }
    for family in &tuning.families {
        for goal in &family.goals {
            if let Ok(Chosen { path: None, manifest, .. }) = &goal.result {
                out.push(format!("\n---\n{}", manifest.trim_end()));
            }
        }
    }
    out.join("\n")
}

fn table(family: &Tuned) -> String {
    let mut table = plain(&["attained", "cost", "replica-hours", "settings", "chosen for"]);
    let low = |row: &Row| row.measured.attainment < SHOWN;
    let all = family.frontier.iter().all(low);
    for row in family.frontier.iter().filter(|row| all || !low(row)) {
        let takes =
            |goal: &&Goal| goal.result.as_ref().is_ok_and(|chosen| chosen.row.settings == row.settings);
        let goals: Vec<String> = family
            .goals
            .iter()
            .filter(takes)
            .map(|goal| format!("{} %", percent_name(goal.attainment)))
            .collect();
        table.add_row([
            percent(row.measured.attainment),
            format!("{:.1}", row.measured.cost),
            format!("{:.1}", row.measured.replica_hours),
            words(&row.settings),
            goals.join(", "),
        ]);
    }
    for column in 0..3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

fn lines(family: &str, goal: &Goal) -> Vec<String> {
    let wanted = percent_name(goal.attainment);
    match &goal.result {
        Ok(chosen) => {
            let test = &chosen.test;
            let held = if test.attainment >= goal.attainment { "✓" } else { "✗" };
            let mut lines = vec![format!(
                "{held} {family} for {wanted} %: {}; unseen part: {} at cost {:.1} ({:.1} replica-hours){}",
                words(&chosen.row.settings),
                percent(test.attainment),
                test.cost,
                test.replica_hours,
                if test.attainment >= goal.attainment { "" } else { ", which misses it" }
            )];
            lines.extend(chosen.path.as_ref().map(|path| format!("  written to {}", path.display())));
            lines
        }
        Err(limit) => vec![format!("✗ {family} for {wanted} %: {}", sentence(limit))],
    }
}

/// What came nearest and what limits it.
fn sentence(limit: &Limit) -> String {
    let nearest = format!(
        "no setting tried reaches it; {} comes nearest with {} at cost {:.1}",
        words(&limit.nearest.settings),
        percent(limit.nearest.measured.attainment),
        limit.nearest.measured.cost
    );
    let why = match limit.cause {
        Cause::Work { ceiling } => format!(
            "the work itself limits it: with twice the replicas of the peak at all times {} is reached; only a \
             longer objective or faster service helps",
            percent(ceiling)
        ),
        Cause::Maximum { max, share } => format!(
            "the maximum limits it: {:.0} % of the misses fall while all {max} replicas are asked for; raise \
             replicas.max or try --max-replicas {}",
            share * 100.0,
            max.saturating_mul(2)
        ),
        Cause::StartUp { without } => format!(
            "start-up limits it: with replicas that start at once the same setting reaches {}; shorten it, or \
             use a policy that acts ahead",
            percent(without)
        ),
        Cause::Bursts { blind, without } => format!(
            "bursts limit it: load rises within the {blind} that scrape, window and delay take, since even with \
             replicas that start at once the same setting reaches {} only; more spare capacity than these \
             settings hold, or a schedule, helps",
            percent(without)
        ),
    };
    format!("{nearest}; {why}")
}

fn words(settings: &[(&'static str, Setting)]) -> String {
    let words: Vec<String> = settings.iter().map(|(name, value)| format!("{name} {value}")).collect();
    words.join(", ")
}

/// An attainment in per cent without trailing zeros: `99.9`.
pub(crate) fn percent_name(attainment: f64) -> String {
    let text = format!("{:.6}", attainment * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attainments_are_named_as_they_are_typed() {
        assert_eq!(percent_name(0.999), "99.9");
        assert_eq!(percent_name(0.99), "99");
        assert_eq!(percent_name(0.99995), "99.995");
    }
}
