//! A series to forecast: any trace, as points that are cleaned later.

use std::path::Path;

use homeostat_core::load::{BinLoad, LoadItem};
use homeostat_core::{Instant, Span};
use homeostat_forecast::clean::{self, Cleaned, Measure, Options, Point};
use homeostat_trace::ReadOptions;

use crate::cli::ForecastArgs;
use crate::commands::trace;
use crate::failure::Failure;
use crate::input::traffic;

/// Most steps between two requests of an event log that are filled with zeros.
const MOST_ZEROS: u64 = 10_000_000;

/// A cleaned series and where it came from.
pub(crate) struct Recorded {
    /// The file, for messages.
    pub(crate) file: String,
    pub(crate) cleaned: Cleaned,
    /// Whether times name dates.
    pub(crate) calendar: bool,
    /// What was assumed on reading.
    pub(crate) notes: Vec<String>,
}

/// Points as they are in the file.
struct Points {
    points: Vec<Point>,
    measure: Measure,
    native: Option<Span>,
    calendar: bool,
    notes: Vec<String>,
}

/// Reads and cleans the series that the arguments name.
pub(crate) fn read(args: &ForecastArgs) -> Result<Recorded, Failure> {
    let path = traffic::locate(&args.file, Path::new(""))?;
    let file = path.display().to_string();
    let mut options = trace::options(&args.read)?;
    if let Some(column) = &args.column {
        options.map = Some(format!("rate={column}").parse()?);
    }
    let found = match homeostat_trace::open_raw(&path, &options, args.saturated.as_deref())? {
        Some(raw) => raw_points(&raw),
        None => streamed(&path, &options, args)?,
    };
    let Points { points, measure, native, calendar, notes } = found;
    let cleaned = clean::series(&points, &Options { measure, step: args.resample, native })
        .map_err(|refused| Failure::new(format!("{file}: {refused}")))?;
    Ok(Recorded { file, cleaned, calendar, notes })
}

fn raw_points(raw: &homeostat_trace::RawSeries) -> Points {
    let point =
        |row: &homeostat_trace::RawRow| Point { at: row.at, value: row.value, saturated: row.saturated };
    let measure = match raw.measure {
        homeostat_trace::Measure::Count => Measure::Count,
        homeostat_trace::Measure::Rate => Measure::Rate,
    };
    Points {
        points: raw.rows.iter().map(point).collect(),
        measure,
        native: raw.step,
        calendar: raw.calendar,
        notes: raw.notes.iter().map(ToString::to_string).collect(),
    }
}

/// Formats that are more than a series: bins that add up, or single requests.
fn streamed(path: &Path, options: &ReadOptions, args: &ForecastArgs) -> Result<Points, Failure> {
    if let Some(column) = &args.saturated {
        let problem = format!(
            "--saturated {column}: {} is no plain series; expected CSV with a time and a value in every row",
            path.display()
        );
        return Err(Failure::new(problem));
    }
    let trace = homeostat_trace::open(path, options)?;
    let mut out = Points {
        points: Vec::new(),
        measure: Measure::Count,
        native: trace.step,
        calendar: trace.calendar,
        notes: trace.notes.iter().map(ToString::to_string).collect(),
    };
    if trace.measure == Some(homeostat_trace::Measure::Rate) {
        out.measure = Measure::Rate;
    }
    for item in trace.stream {
        match item.map_err(Failure::new)? {
            LoadItem::Request { at, .. } => {
                out.native = Some(args.resample);
                request(&mut out.points, at, args.resample)?;
            }
            LoadItem::Bin { start, span, load } => {
                let native = *out.native.get_or_insert(span);
                bin(&mut out, start, span, native, load);
            }
        }
    }
    Ok(out)
}

/// Counts a request in its step; steps without one count zero.
fn request(points: &mut Vec<Point>, at: Instant, step: Span) -> Result<(), Failure> {
    let start = Instant(at.0 - at.0 % step.0);
    let next = points.last().map_or(start, |last| last.at + step);
    if next <= start {
        let steps = start.since(next).0 / step.0;
        if steps > MOST_ZEROS {
            let problem = format!("there is no request for {steps} steps; is a time wrong?");
            return Err(Failure::new(problem));
        }
        let zero = |n| Point { at: next + step * n, value: 0.0, saturated: false };
        points.extend((0..=steps).map(zero));
    }
    if let Some(last) = points.last_mut() {
        last.value += 1.0;
    }
    Ok(())
}

/// Adds a bin; those of several clients begin together.
fn bin(out: &mut Points, start: Instant, span: Span, native: Span, load: BinLoad) {
    let bins = span.as_secs_f64() / native.as_secs_f64().max(1e-9);
    let value = match load {
        BinLoad::Missing => return,
        BinLoad::Count(count) => count as f64 / bins,
        BinLoad::Rate { per_second, .. } => per_second,
    };
    match out.points.last_mut() {
        Some(last) if last.at == start => last.value += value,
        _ => {
            // A longer bin than usual holds its mean all the way.
            let pieces = span.0.div_ceil(native.0.max(1)).max(1);
            let piece = |n| Point { at: start + native * n, value, saturated: false };
            out.points.extend((0..pieces).map(piece));
        }
    }
}
