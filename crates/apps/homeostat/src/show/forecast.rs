//! A forecast and its back-test as tables and as JSON.

use std::fmt::Write as _;

use comfy_table::CellAlignment;
use homeostat_core::Instant;
use homeostat_forecast::Why;
use homeostat_forecast::backtest::Row;
use homeostat_forecast::clean::Note;
use serde_json::{Value, json};

use crate::commands::forecast::Result;
use crate::run::forecast::Backtest;
use crate::show::table::{plain, thousands};

/// Quantiles of the forecast that are printed.
const LEVELS: [f64; 5] = [0.05, 0.5, 0.9, 0.95, 0.99];
/// Rows of the printed forecast.
const ROWS: usize = 12;
/// Notes of one kind that are printed.
const NOTES: usize = 5;

/// Why a model is in use: a stable word and a sentence.
const fn why(why: Why) -> (&'static str, &'static str) {
    match why {
        Why::OnlyOne => ("only_one", "nothing else has learned enough yet"),
        Why::LeastError => ("least_error", "its error of late is the least"),
        Why::SimplestAsGood => {
            ("simplest_as_good", "no other is better by more than chance, and it is the simplest")
        }
        Why::Constant => ("constant", "all values were the same"),
        Why::Told => ("told", "it was asked for"),
        Why::NoData => ("no_data", "no value was ever known"),
    }
}

fn when(result: &Result, at: Instant) -> String {
    if result.recorded.calendar { homeostat_trace::iso(at) } else { at.to_utc_string() }
}

/// The forecast as JSON.
pub(crate) fn json(result: &Result) -> Value {
    let (paths, chosen) = (&result.forecast.paths, result.forecast.chosen);
    let step = |step: usize| {
        let [q05, q50, q90, q95, q99] = paths.quantiles(step, LEVELS);
        let at = when(result, paths.from + paths.step * step as u64);
        json!({ "at": at, "q05": q05, "q50": q50, "q90": q90, "q95": q95, "q99": q99 })
    };
    let steps = if paths.count() > 0 { paths.steps } else { 0 };
    let mut out = json!({
        "model": chosen.model,
        "why": why(chosen.why).0,
        "step_s": result.recorded.cleaned.series.step.as_secs_f64(),
        "forecast": (0..steps).map(step).collect::<Vec<_>>(),
        "notes": result.recorded.cleaned.notes.iter().map(|note| note_json(result, note)).collect::<Vec<_>>(),
    });
    if let Some(backtest) = &result.backtest {
        out["backtest"] = rows_json(backtest, result.timing);
    }
    out
}

fn note_json(result: &Result, note: &Note) -> Value {
    json!({
        "reason": note.reason.code(),
        "from": when(result, note.from),
        "until": when(result, note.until),
        "count": note.count,
    })
}

fn rows_json(backtest: &Backtest, timing: bool) -> Value {
    let row = |(index, row): (usize, &Row)| {
        let mut out = json!({
            "model": row.model,
            "chosen": row.chosen,
            "horizon_s": row.horizon.as_secs_f64(),
            "wape": row.wape,
            "mase": row.mase,
            "pinball_50": row.pinball_50,
            "pinball_90": row.pinball_90,
            "pinball_99": row.pinball_99,
            "coverage_90": row.coverage_90,
            "width_90": row.width_90,
        });
        if timing {
            out["cpu_seconds"] = json!(backtest.cpu_seconds[index % backtest.cpu_seconds.len()]);
        }
        out
    };
    backtest.rows.iter().enumerate().map(row).collect()
}

/// The forecast for people.
pub(crate) fn text(result: &Result) -> String {
    let mut text = headline(result);
    let mut line = |line: String| {
        // Writing to a string cannot fail.
        writeln!(text, "{line}").ok();
    };
    for note in &result.recorded.notes {
        line(format!("note: {note}"));
    }
    for told in notes(result) {
        line(format!("cleaned: {told}"));
    }
    line(quantiles(result));
    let chosen = result.forecast.chosen;
    let (_, because) = why(chosen.why);
    line(format!("model: {}, because {because}", chosen.model));
    if let Some(backtest) = &result.backtest {
        line(String::new());
        line(backtest_text(result, backtest));
    }
    text.trim_end().to_owned()
}

fn headline(result: &Result) -> String {
    let series = &result.recorded.cleaned.series;
    let known = series.values.iter().filter(|value| value.known().is_some()).count();
    format!(
        "{}: {} steps of {} from {} to {}, {:.1} % known{}\n",
        result.recorded.file,
        thousands(series.values.len() as u64),
        series.step,
        when(result, series.start),
        when(result, series.at(series.values.len())),
        known as f64 * 100.0 / series.values.len().max(1) as f64,
        if result.recorded.cleaned.count.is_some() { "; values are per second" } else { "" },
    )
}

/// What the cleaning changed, the first of each kind with its time.
fn notes(result: &Result) -> Vec<String> {
    let all = &result.recorded.cleaned.notes;
    let mut lines = Vec::new();
    let mut told: Vec<(&str, usize)> = Vec::new();
    for note in all {
        let code = note.reason.code();
        let times = match told.iter_mut().find(|(known, _)| *known == code) {
            Some((_, times)) => times,
            None => {
                told.push((code, 0));
                let Some((_, times)) = told.last_mut() else { continue };
                times
            }
        };
        *times += 1;
        if *times <= NOTES {
            let (from, until) = (when(result, note.from), when(result, note.until));
            let says = note.reason.says();
            lines.push(format!("{code}: {says} ({}, {from} to {until})", note.count));
        }
    }
    for (code, times) in told.iter().filter(|(_, times)| *times > NOTES) {
        lines.push(format!("{code}: {} more", times - NOTES));
    }
    lines
}

/// Codes and counts, for messages.
pub(crate) fn reasons(notes: &[Note]) -> Vec<String> {
    notes.iter().map(|note| format!("{}: {}", note.reason.code(), note.count)).collect()
}

fn quantiles(result: &Result) -> String {
    let paths = &result.forecast.paths;
    let mut table = plain(&["from", "5 %", "50 %", "90 %", "95 %", "99 %"]);
    let every = paths.steps.div_ceil(ROWS).max(1);
    // The last step is always there.
    for step in (0..paths.steps).rev().step_by(every).collect::<Vec<_>>().into_iter().rev() {
        let at = when(result, paths.from + paths.step * step as u64);
        let cells = paths.quantiles(step, LEVELS).map(number);
        table.add_row(std::iter::once(at).chain(cells));
    }
    right(&mut table, 6);
    table.to_string()
}

fn backtest_text(result: &Result, backtest: &Backtest) -> String {
    let mut columns = vec![
        "model",
        "in use",
        "ahead",
        "WAPE",
        "MASE",
        "pinball 50",
        "pinball 90",
        "pinball 99",
        "coverage 90",
        "width 90",
    ];
    if result.timing {
        columns.push("CPU s");
    }
    let mut table = plain(&columns);
    for (index, row) in backtest.rows.iter().enumerate() {
        let mark = if row.chosen { "→ " } else { "  " };
        let mut cells = vec![
            format!("{mark}{}", row.model),
            if row.share > 0.0 { format!("{:.0} %", row.share * 100.0) } else { String::new() },
            row.horizon.to_string(),
            digits(row.wape, 4),
            digits(row.mase, 3),
            digits(row.pinball_50, 4),
            digits(row.pinball_90, 4),
            digits(row.pinball_99, 4),
            row.coverage_90.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0)),
            digits(row.width_90, 3),
        ];
        if result.timing {
            cells.push(format!("{:.2}", backtest.cpu_seconds[index % backtest.cpu_seconds.len()]));
        }
        table.add_row(cells);
    }
    right(&mut table, columns.len());
    let most = backtest.rows.iter().map(|row| row.n).max().unwrap_or(0);
    let few =
        if most < homeostat_forecast::backtest::FEWEST { "; few: differences may be chance" } else { "" };
    format!(
        "Back-test from {}: {} origins every {}, {} targets known{few}; pinball and width over the mean\n{table}",
        when(result, backtest.first),
        thousands(backtest.origins as u64),
        result.recorded.cleaned.series.step * backtest.plan.every as u64,
        thousands(most as u64),
    )
}

fn right(table: &mut comfy_table::Table, columns: usize) {
    for column in 1..columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

fn digits(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

/// Four digits that matter.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let digits = (3 - value.abs().max(1e-3).log10().floor() as i32).clamp(0, 6) as usize;
    format!("{value:.digits$}")
}
