//! Writing series and event logs: whole files or nothing, gzip where the name ends in `.gz`.

mod resample;
mod rows;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use homeostat_core::load::{LoadStream, RequestSize};
use homeostat_core::{Instant, Span};
use serde::Serialize;

use crate::atomic::AtomicFile;
use crate::error::{BadOption, TraceError};
use crate::note::Note;
use crate::options::{Measure, ReadOptions};
use crate::read::open;
use crate::stamp::{iso, seconds};
use resample::Resample;
use rows::{Part, Parts, Row, rows};

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConvertTo {
    /// CSV with a time and a count per bin.
    Count,
    /// CSV with a time and a rate in requests per second.
    Rate,
    /// One value per line under a header, counts or rates as the trace has them. Needs even bins.
    Values,
    /// CSV with one row per request. Counts are spread evenly over their bins.
    Events,
}

impl FromStr for ConvertTo {
    type Err = BadOption;

    fn from_str(text: &str) -> Result<Self, BadOption> {
        match text.trim() {
            "count" => Ok(Self::Count),
            "rate" => Ok(Self::Rate),
            "values" => Ok(Self::Values),
            "events" => Ok(Self::Events),
            _ => Err(BadOption {
                option: "--to",
                found: text.to_owned(),
                expected: "one of count, rate, values, events".to_owned(),
                example: "count",
            }),
        }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Written {
    /// The file.
    pub path: PathBuf,
    /// Rows without the header.
    pub rows: u64,
    /// Requests in them; expected ones where rates were written.
    pub requests: f64,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// What was assumed on reading.
    pub notes: Vec<Note>,
}

/// Reads a trace and writes it in another form. With `step`, bins are cut and joined to multiples of it;
/// event logs need one to become a series. Keys are added up.
pub fn convert(
    path: &Path,
    options: &ReadOptions,
    out: &Path,
    to: ConvertTo,
    step: Option<Span>,
) -> Result<Written, TraceError> {
    let trace = open(path, options)?;
    let measure = match to {
        ConvertTo::Rate => Measure::Rate,
        ConvertTo::Values => trace.measure.unwrap_or(Measure::Count),
        ConvertTo::Count | ConvertTo::Events => Measure::Count,
    };
    let style = Style { to, measure, calendar: trace.calendar };
    let mut file = Target::create(out)?;
    let result = match (to, step) {
        (ConvertTo::Events, _) => write_events(trace.stream, &mut file, style, trace.measure.is_none()),
        (_, None) if trace.measure.is_none() => Err(TraceError::Option(BadOption {
            option: "--step",
            found: "(not given)".to_owned(),
            expected: "the length of a bin, to make a series of an event log".to_owned(),
            example: "--step 10s",
        })),
        (_, None) => write_rows(rows(trace.stream), &mut file, style),
        (_, Some(step)) => write_rows(Resample::new(trace.stream, step)?, &mut file, style),
    };
    let (rows, requests) = result?;
    Ok(Written { path: out.to_owned(), rows, requests, bytes: file.finish()?, notes: trace.notes })
}

/// Writes bins as CSV with `time,count` or `time,rate` (`t_s` instead of `time` without a calendar).
pub fn write_bins(
    stream: LoadStream,
    out: &Path,
    measure: Measure,
    calendar: bool,
) -> Result<Written, TraceError> {
    let to = if measure == Measure::Count { ConvertTo::Count } else { ConvertTo::Rate };
    let mut file = Target::create(out)?;
    let (rows, requests) = write_rows(rows(stream), &mut file, Style { to, measure, calendar })?;
    Ok(Written { path: out.to_owned(), rows, requests, bytes: file.finish()?, notes: Vec::new() })
}

/// How rows look.
#[derive(Debug, Clone, Copy)]
struct Style {
    to: ConvertTo,
    measure: Measure,
    calendar: bool,
}

impl Style {
    const fn time_name(self) -> &'static str {
        if self.calendar { "time" } else { "t_s" }
    }

    fn time(self, at: Instant) -> String {
        if self.calendar { iso(at) } else { seconds(Span(at.0)) }
    }
}

/// The file being written; its errors name it.
struct Target {
    path: PathBuf,
    file: AtomicFile,
}

impl Target {
    fn create(path: &Path) -> Result<Self, TraceError> {
        match AtomicFile::create(path, AtomicFile::wants_gzip(path)) {
            Ok(file) => Ok(Self { path: path.to_owned(), file }),
            Err(source) => Err(TraceError::Io { doing: "create", path: path.to_owned(), source }),
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) -> Result<(), TraceError> {
        let written: io::Result<()> = self.file.write_fmt(line).and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|source| TraceError::Io { doing: "write", path: self.path.clone(), source })
    }

    fn finish(self) -> Result<u64, TraceError> {
        let path = self.path;
        self.file.finish().map_err(|source| TraceError::Io { doing: "write", path, source })
    }
}

fn write_rows(
    rows: impl Iterator<Item = Result<Row, TraceError>>,
    out: &mut Target,
    style: Style,
) -> Result<(u64, f64), TraceError> {
    let name = if style.measure == Measure::Count { "count" } else { "rate" };
    if style.to == ConvertTo::Values {
        out.line(format_args!("{name}"))?;
    } else {
        out.line(format_args!("{},{name}", style.time_name()))?;
    }
    let (mut written, mut total, mut carry) = (0, 0.0, 0.0);
    let mut even: Option<Row> = None;
    for row in rows {
        let row = row?;
        let value = row.load.map(|load| match style.measure {
            Measure::Rate => (load.per_second, load.requests),
            Measure::Count => {
                // What rounding takes from one bin it gives to the next.
                let whole = (load.requests + carry + 0.5).floor().max(0.0);
                carry += load.requests - whole;
                (whole, whole)
            }
        });
        total += value.map_or(0.0, |(_, requests)| requests);
        let cell = value.map_or_else(String::new, |(value, _)| value.to_string());
        if style.to == ConvertTo::Values {
            written += write_values(out, &cell, row, &mut even)?;
        } else {
            out.line(format_args!("{},{cell}", style.time(row.start)))?;
            written += 1;
        }
    }
    Ok((written, total))
}

/// Writes the lines of one bin: one, or a blank one per step of a hole.
fn write_values(out: &mut Target, cell: &str, row: Row, even: &mut Option<Row>) -> Result<u64, TraceError> {
    let first = *even.get_or_insert(row);
    let on_grid = row.start.since(first.start).0.checked_rem(first.span.0) == Some(0);
    let steps = if row.load.is_none() { row.span.0 / first.span.0.max(1) } else { 1 };
    if !on_grid || row.span != first.span * steps {
        return Err(TraceError::Option(BadOption {
            option: "--step",
            found: "(not given)".to_owned(),
            expected: format!("a step to make the bins even; {} has another length", style_time(row)),
            example: "--step 1m",
        }));
    }
    for _ in 0..steps {
        out.line(format_args!("{cell}"))?;
    }
    Ok(steps)
}

fn style_time(row: Row) -> String {
    format!("the bin at {}", row.start.to_utc_string())
}

fn write_events(
    stream: LoadStream,
    out: &mut Target,
    style: Style,
    log: bool,
) -> Result<(u64, f64), TraceError> {
    let time = style.time_name();
    if log {
        out.line(format_args!("{time},input_tokens,output_tokens,service_time_s"))?;
    } else {
        out.line(format_args!("{time}"))?;
    }
    let (mut written, mut carry) = (0_u64, 0.0);
    for part in Parts::new(stream) {
        match part? {
            Part::Request(at, size) => {
                written += 1;
                write_request(out, &style.time(at), size, log)?;
            }
            Part::Bin(Row { start, span, load }) => {
                let requests = load.map_or(0.0, |load| load.requests);
                let whole = (requests + carry + 0.5).floor().max(0.0);
                carry += requests - whole;
                let count = whole as u64;
                for index in 0..count {
                    let offset = u128::from(span.0) * (2 * u128::from(index) + 1) / (2 * u128::from(count));
                    write_request(
                        out,
                        &style.time(start + Span(offset as u64)),
                        RequestSize::default(),
                        log,
                    )?;
                }
                written += count;
            }
        }
    }
    Ok((written, written as f64))
}

fn write_request(out: &mut Target, time: &str, size: RequestSize, log: bool) -> Result<(), TraceError> {
    if !log {
        return out.line(format_args!("{time}"));
    }
    let number = |value: Option<u32>| value.map_or_else(String::new, |value| value.to_string());
    let (input, output) = (number(size.input_tokens), number(size.output_tokens));
    let service = size.service.map_or_else(String::new, seconds);
    out.line(format_args!("{time},{input},{output},{service}"))
}
