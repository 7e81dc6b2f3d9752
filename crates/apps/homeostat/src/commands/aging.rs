//! `homeostat aging`.

use std::collections::BTreeMap;

use comfy_table::CellAlignment;
use homeostat_forecast::aging::{
    Action, Choice, Costs, Detector, Eta, Outlook, Settings, Trend, Verdict, Why, decide,
};
use homeostat_trace::{SignalReading, signal_unit};
use serde_json::{Value, json};

use crate::cli::AgingArgs;
use crate::failure::{Code, Failure, Outcome};
use crate::input::signals::{self, Limit};
use crate::show::table::plain;
use crate::show::{aging_plot, say, write_whole};

/// Hours until the next look, and until what is decided then has been done.
const REVIEW_HOURS: f64 = 0.25;

/// What is thought of one signal of one replica.
pub(crate) struct Row {
    pub(crate) replica: String,
    pub(crate) signal: String,
    pub(crate) limit: Option<f64>,
    pub(crate) verdict: Verdict,
    pub(crate) trend: Option<Trend>,
    choice: Choice,
    why: &'static str,
}

pub(crate) fn run(args: &AgingArgs) -> Outcome {
    let limits = signals::limits(&args.limit)?;
    let found = signals::read(args)?;
    for note in &found.notes {
        eprintln!("note: {note}");
    }
    if let Some(name) = limits.keys().find(|name| !found.names.contains(name)) {
        let names = found.names.join(", ");
        let example = format!("--limit {}=1000", found.names[0]);
        return Err(Failure::new(format!(
            "--limit {name}: there is no such signal; expected one of {names}, for example {example}"
        )));
    }
    let rows: Vec<Row> = found
        .readings
        .iter()
        .map(|((replica, signal), readings)| {
            let column = found.limits.get(&(replica.clone(), signal.clone())).copied();
            row(replica, signal, readings, limit(&limits, signal, column))
        })
        .collect();
    if rows.is_empty() {
        return Err(Failure::new(format!(
            "{}: there are no rows; expected at least one reading, for example 2026-03-01T00:00:00Z,a,812.5",
            args.file.display()
        )));
    }
    if let Some(path) = &args.plot {
        write_whole(path, &aging_plot::render(&rows))?;
    }
    if args.json {
        say(serde_json::to_string_pretty(&as_json(&rows))?)?;
    } else {
        say(table(&rows))?;
    }
    Ok(Code::Done)
}

/// The limit in the signal's unit; the error is a percentage of nothing.
fn limit(
    limits: &BTreeMap<String, Limit>,
    signal: &str,
    column: Option<f64>,
) -> Result<Option<f64>, &'static str> {
    match limits.get(signal) {
        Some(Limit::Value(value)) => Ok(Some(*value)),
        Some(Limit::Percent(percent)) => {
            column.map(|limit| Some(limit * percent / 100.0)).ok_or("no_limit_column")
        }
        None => Ok(column),
    }
}

fn row(
    replica: &str,
    signal: &str,
    readings: &[SignalReading],
    limit: Result<Option<f64>, &'static str>,
) -> Row {
    let known = limit.unwrap_or_default();
    let mut detector = Detector::new(Settings::default(), known);
    for reading in readings {
        if reading.restarted {
            detector.restarted(reading.at);
        }
        detector.update(reading.at, reading.value, reading.load);
    }
    let verdict = detector.verdict();
    let choice = choose(&verdict, detector.age_hours());
    let why = limit.err().filter(|_| verdict.why != Why::NoData).unwrap_or(verdict.why.code());
    Row {
        replica: replica.to_owned(),
        signal: signal.to_owned(),
        limit: known,
        verdict,
        trend: detector.trend(),
        choice,
        why,
    }
}

/// What would be done: a level over its limit without a leak is the limit's fault.
fn choose(verdict: &Verdict, age_hours: f64) -> Choice {
    let outlook = Outlook {
        leak: verdict.leak,
        to_limit: verdict.to_limit.filter(|_| verdict.leak),
        age_hours,
        review_hours: REVIEW_HOURS,
        scale_out_wins_hours: 0.0,
        raise_wins_hours: 0.0,
        on_node: 1,
        node_share: 0.0,
    };
    let choice = decide(&outlook, &Costs::default());
    if verdict.why == Why::OverLimit && !verdict.leak {
        return Choice { action: Action::RaiseLimit, in_hours: 0.0, ..choice };
    }
    choice
}

fn unit(signal: &str) -> String {
    let unit = signal_unit(signal).unwrap_or("");
    let known =
        [("mib", "MiB"), ("gib", "GiB"), ("kib", "KiB"), ("mb", "MB"), ("gb", "GB"), ("percent", "%")];
    let written = known.iter().find(|(short, _)| *short == unit).map_or(unit, |(_, long)| *long);
    written.to_owned()
}

fn as_json(rows: &[Row]) -> Value {
    let finite = |value: f64| if value.is_finite() { json!(value) } else { Value::Null };
    let replica = |row: &Row| {
        let eta = |pick: fn(Eta) -> f64| row.verdict.to_limit.map_or(Value::Null, |eta| finite(pick(eta)));
        let known = row.trend.is_some() && row.verdict.slope_low != row.verdict.slope_high;
        let slope = |value: f64| if known { finite(value) } else { Value::Null };
        json!({
            "replica": row.replica,
            "signal": row.signal,
            "unit": unit(&row.signal),
            "leak": row.verdict.leak,
            "slope_per_hour": slope(row.verdict.slope_per_hour),
            "slope_low": slope(row.verdict.slope_low),
            "slope_high": slope(row.verdict.slope_high),
            "hours_to_limit": eta(|eta| eta.hours),
            "hours_low": eta(|eta| eta.low),
            "hours_high": eta(|eta| eta.high),
            "action": row.choice.action.word(),
            "why": row.why,
        })
    };
    let due = rows.iter().filter(|row| row.choice.in_hours.is_finite()).map(|row| {
        json!({
            "replica": row.replica,
            "signal": row.signal,
            "action": row.choice.action.word(),
            "in_hours": row.choice.in_hours,
        })
    });
    json!({ "replicas": rows.iter().map(replica).collect::<Vec<_>>(), "due": due.collect::<Vec<_>>() })
}

fn table(rows: &[Row]) -> String {
    let columns =
        ["replica", "signal", "leak", "slope per h", "90 %", "hours to limit", "90 %", "action", "why"];
    let mut table = plain(&columns);
    for row in rows {
        let verdict = &row.verdict;
        let known = verdict.slope_low != verdict.slope_high;
        let (slope, range) = if known {
            let range = format!("{} to {}", number(verdict.slope_low), number(verdict.slope_high));
            (format!("{} {}", number(verdict.slope_per_hour), unit(&row.signal)), range)
        } else {
            ("–".to_owned(), String::new())
        };
        let (hours, span) = verdict.to_limit.map_or_else(
            || ("–".to_owned(), String::new()),
            |eta| (number(eta.hours), format!("{} to {}", number(eta.low), number(eta.high))),
        );
        table.add_row([
            row.replica.clone(),
            row.signal.clone(),
            if verdict.leak { "yes" } else { "no" }.to_owned(),
            slope,
            range,
            hours,
            span,
            action(&row.choice),
            row.why.to_owned(),
        ]);
    }
    for column in 3..7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

fn action(choice: &Choice) -> String {
    let word = choice.action.word();
    match choice.in_hours {
        _ if choice.action == Action::Nothing => word.to_owned(),
        0.0 => format!("{word} now"),
        hours => format!("{word} in {hours:.1} h"),
    }
}

/// Three digits that matter.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "∞".to_owned();
    }
    let digits = (2 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 6) as usize;
    format!("{value:.digits$}")
}
