//! `homeostat validate`.

use homeostat_calibrate::Record;
use homeostat_calibrate::replay::{Replay, replay};
use homeostat_core::{Instant, Span};
use homeostat_twin::scenario::Validation;
use serde_json::{Value, json};

use crate::cli::ValidateArgs;
use crate::failure::{Code, Failure, Outcome};
use crate::input::metrics;
use crate::input::scenario;
use crate::run::progress::Progress;
use crate::show::table::plain;
use crate::show::{fit_plot, say, write_whole};

/// Windows that a judgement needs.
const LEAST: usize = 20;

pub(crate) fn run(args: &ValidateArgs) -> Outcome {
    let world = scenario::read(&args.scenario)?;
    let read = metrics::read(&args.read)?;
    for note in &read.notes {
        eprintln!("note: {note}");
    }
    let names = args.read.metrics.join(", ");
    let part = part(&read.record, args)?;
    let refuse = |problem: &str| Err(Failure::new(format!("{names}: {problem}")));
    if !part.has(|s| s.rate) || !part.has(|s| s.ready) {
        return refuse("rate and ready replicas are needed to replay it; expected columns rate and ready");
    }
    if part.figures().is_empty() {
        return refuse(
            "there is no latency to compare with; expected columns such as p50_ms, p95_ms, p99_ms",
        );
    }
    let (start, end) = (part.samples.first().map_or(Instant::ZERO, |s| s.at), part.samples.last());
    let span = end.map_or(Span::ZERO, |s| s.at.since(start));
    let progress = Progress::over(1, start, span, false).titled("replay");
    let replayed = replay(&world.scenario, &part, args.seed, &mut |now| {
        progress.of(0).at(now);
        false
    });
    progress.finish();
    let replay =
        replayed.map_err(|stop| Failure::new(format!("{names}: replay of {}: {stop}", world.origin)))?;
    if replay.windows[0] < LEAST {
        let [counted, left_out] = replay.windows;
        return refuse(&format!(
            "only {counted} windows can be compared ({left_out} are saturated or draining); expected at least {LEAST}, \
             for example --part 0:100"
        ));
    }
    let Some(stamp) = stamp(&replay, args, &names) else {
        return refuse("there is no 99th percentile to compare with; expected a column p99_ms");
    };
    if let Some(path) = &args.out {
        write_whole(path, &stamp_text(&stamp))?;
    }
    if let Some(path) = &args.plot {
        write_whole(path, &fit_plot::render_replay(&replay))?;
    }
    let problem = stamp.problem();
    if args.json {
        say(serde_json::to_string_pretty(&as_json(&replay, &stamp))?)?;
    } else {
        say(table(&replay))?;
        if args.out.is_none() {
            say(format!("\n{}", stamp_text(&stamp).trim_end()))?;
        }
    }
    if let Some(problem) = problem {
        eprintln!("missed: {problem}: don't believe the twin of {} before that is understood", world.origin);
        return Ok(Code::Missed);
    }
    Ok(Code::Done)
}

/// The part of the record that is replayed: the last 40 %, or what `--part` says.
fn part(record: &Record, args: &ValidateArgs) -> Result<Record, Failure> {
    let text = args.part.as_deref().unwrap_or("60:100");
    let bad =
        || Failure::new(format!("--part {text}: expected two percentages of the time, for example 60:100"));
    let (from, to) = text.split_once(':').ok_or_else(bad)?;
    let share = |text: &str| text.trim().parse::<f64>().ok().filter(|x| (0.0..=100.0).contains(x));
    let (from, to) = (share(from).ok_or_else(bad)?, share(to).ok_or_else(bad)?);
    if from >= to {
        return Err(bad());
    }
    let (head, _) = if to < 100.0 { record.split(to / 100.0) } else { (record.clone(), Record::default()) };
    Ok(if from > 0.0 { head.split(from / to).1 } else { head })
}

fn stamp(replay: &Replay, args: &ValidateArgs, names: &str) -> Option<Validation> {
    let rounded = |x: f64| (x * 1e5).round() / 1e5;
    let part = args.part.as_deref().unwrap_or("60:100");
    Some(Validation {
        p99_error: rounded(replay.error("p99")?),
        attainment_error: replay.attainment_error().map(rounded),
        limit: args.limit,
        attainment_limit: args.attainment_limit,
        record: format!("{names}, {part} %"),
        windows: replay.windows[0] as u64,
    })
}

/// The stamp as it goes into a scenario.
fn stamp_text(stamp: &Validation) -> String {
    let attainment = stamp.attainment_error.map_or(String::new(), |e| format!("  attainment_error: {e}\n"));
    format!(
        "validation:\n  p99_error: {}\n{attainment}  limit: {}\n  attainment_limit: {}\n  record: {}\n  windows: {}\n",
        stamp.p99_error,
        stamp.limit,
        stamp.attainment_limit,
        serde_json::Value::String(stamp.record.clone()),
        stamp.windows
    )
}

fn as_json(replay: &Replay, stamp: &Validation) -> Value {
    json!({
        "errors": replay.errors,
        "recorded_attainment": replay.recorded_attainment,
        "twin_attainment": replay.twin_attainment,
        "attainment_derived": replay.derived,
        "windows": { "compared": replay.windows[0], "left_out": replay.windows[1] },
        "validation": stamp,
        "problem": stamp.problem(),
        "series": replay.series,
    })
}

fn table(replay: &Replay) -> String {
    let mut table = plain(&["figure", "twin against record", "a window, median", "9 windows in 10"]);
    let percent = |x: f64| format!("{:.1} %", x * 100.0);
    for error in &replay.errors {
        table.add_row([
            error.figure.to_owned(),
            format!("{:+.1} %", error.overall * 100.0),
            percent(error.window_median),
            percent(error.window_p90),
        ]);
    }
    let mut lines = vec![table.to_string()];
    if let (Some(record), Some(twin)) = (replay.recorded_attainment, replay.twin_attainment) {
        let source = if replay.derived { " (derived from its percentiles)" } else { "" };
        lines.push(format!(
            "attainment: {:.3} % in the record{source}, {:.3} % in the twin",
            record * 100.0,
            twin * 100.0
        ));
    }
    let [compared, left_out] = replay.windows;
    lines.push(format!("windows: {compared} compared, {left_out} left out as saturated or draining"));
    lines.join("\n")
}
