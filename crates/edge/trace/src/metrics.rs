//! Recorded metrics of a service: one row per stretch of time with rate, replicas, latency and CPU.
//!
//! CSV files have a time column and any of the columns in [`Role`]; units are in the names. Prometheus
//! ranges have one figure per file, named by `role=FILE` or by the name of the file. Several files are
//! joined by time.

mod prometheus;
mod role;
mod rows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use homeostat_core::{Instant, Span};

use crate::error::{BadOption, Place, TraceError};
use crate::note::Note;
use crate::zone::Zone;

pub use role::{MetricMap, Role};

/// Rows at most, over all files.
const MOST_ROWS: usize = 5_000_000;

/// How to read metrics.
#[derive(Debug, Clone, Default)]
pub struct MetricOptions {
    /// Which columns mean what, where their names don't say it.
    pub map: MetricMap,
    /// Zone of times without an offset.
    pub time_zone: Option<Zone>,
    /// Whether a time is the end of its stretch; default: it is for Prometheus ranges, not for CSV.
    pub at_end: Option<bool>,
}

/// One stretch of time; values in the units of their names, `None` where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MetricRow {
    /// Start of the stretch.
    pub at: Instant,
    /// Its length: up to the next row, or the usual step before a gap.
    pub span: Span,
    /// Values by role, see [`MetricRow::get`].
    values: [Option<f64>; Role::COUNT],
}

impl MetricRow {
    /// The value of a role: requests per second, counts, seconds, cores, shares.
    pub const fn get(&self, role: Role) -> Option<f64> {
        self.values[role as usize]
    }
}

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Rows in order of time.
    pub rows: Vec<MetricRow>,
    /// Whether times name dates.
    pub calendar: bool,
    /// What was assumed.
    pub notes: Vec<Note>,
}

/// A value with the place it came from.
#[derive(Debug, Clone, Copy)]
struct Found {
    value: f64,
    file: usize,
    row: u64,
}

/// Values by time and role while files are joined.
#[derive(Debug, Default)]
struct Joined {
    cells: BTreeMap<u64, [Option<Found>; Role::COUNT]>,
    files: Vec<PathBuf>,
    holes: u64,
    notes: Vec<Note>,
    calendar: bool,
    at_end: bool,
}

/// Reads and joins metrics. Each name is a file, or `role=FILE` for a Prometheus range.
pub fn read_metrics(names: &[String], options: &MetricOptions) -> Result<Metrics, TraceError> {
    let mut joined = Joined::default();
    for name in names {
        let (role, path) = named(name)?;
        joined.files.push(path.clone());
        let source = crate::source::Source::open(&path)?;
        let json = matches!(source.probe.trim_ascii_start().first(), Some(b'{' | b'['));
        joined.at_end = options.at_end.unwrap_or(json);
        match (json, role) {
            (true, role) => prometheus::read(source, role, &mut joined)?,
            (false, None) => rows::read(source, options, &mut joined)?,
            (false, Some((role, _))) => {
                return Err(Place::file(&path).refuse(
                    format!("`{}=` names one figure, but this is not a Prometheus range", role.name()),
                    "a CSV file by its name alone; --map says what its columns mean",
                    path.display().to_string(),
                ));
            }
        }
    }
    finish(joined, options)
}

/// `role=FILE` or `FILE`.
fn named(name: &str) -> Result<(Option<(Role, f64)>, PathBuf), TraceError> {
    if let Some((role, file)) = name.split_once('=')
        && !Path::new(name).exists()
    {
        return match Role::by_name(role).filter(|(role, _)| *role != Role::Time) {
            Some(role) => Ok((Some(role), PathBuf::from(file))),
            None => Err(TraceError::Option(BadOption {
                option: "METRICS",
                found: name.to_owned(),
                expected: format!("a file, or a figure and a file; figures are {}", Role::known()),
                example: "p99_s=p99.json",
            })),
        };
    }
    Ok((None, PathBuf::from(name)))
}

impl Joined {
    /// Keeps a value, unless there is another one in its place.
    fn keep(&mut self, at: Instant, role: Role, found: Found, column: &str) -> Result<(), TraceError> {
        if self.cells.len() > MOST_ROWS {
            return Err(Place::file(&self.files[found.file]).refuse(
                format!("there are more than {MOST_ROWS} rows"),
                "metrics of some weeks by the minute",
                "one row a minute",
            ));
        }
        let cell = &mut self.cells.entry(at.0).or_insert([None; Role::COUNT])[role as usize];
        if let Some(other) = *cell {
            let place = Place::row(&self.files[found.file], found.row).column(column);
            let there = self.files[other.file].display();
            return Err(place.refuse(
                format!(
                    "there is a value of {} for this time already, in row {} of {there}",
                    role.name(),
                    other.row
                ),
                "every time once, in order",
                "2024-05-01T13:30:00Z",
            ));
        }
        *cell = Some(found);
        Ok(())
    }
}

fn finish(joined: Joined, options: &MetricOptions) -> Result<Metrics, TraceError> {
    let first = joined.files.first().cloned().unwrap_or_default();
    if joined.cells.len() < 3 {
        return Err(Place::file(&first).refuse(
            format!("there are {} rows of metrics", joined.cells.len()),
            "a row for each of many stretches of time",
            "one row a minute over a day",
        ));
    }
    let times: Vec<u64> = joined.cells.keys().copied().collect();
    let mut steps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_unstable();
    let step = steps[steps.len() / 2];
    let mut notes = joined.notes;
    if joined.holes > 0 {
        notes.push(Note::new(
            "holes",
            format!("{} values are NaN or empty and count as unknown", joined.holes),
        ));
    }
    let long = steps.iter().filter(|s| **s > step + step / 2).count();
    if long > 0 {
        let (usual, longest) = (Span(step), Span(steps[steps.len() - 1]));
        let text = format!(
            "{long} gaps between rows: {usual} is usual, the longest is {longest}; a row covers {usual}"
        );
        notes.push(Note::new("gaps", text));
    }
    let short = steps.iter().filter(|s| **s < step - step / 2).count();
    if short * 20 > steps.len() {
        let text = format!(
            "{short} rows are less than half of the usual {} apart: do the files share their times?",
            Span(step)
        );
        notes.push(Note::new("uneven", text));
    }
    let shift = if joined.at_end { step } else { 0 };
    let mut rows = Vec::with_capacity(times.len());
    for (i, (at, cells)) in joined.cells.iter().enumerate() {
        let next = times.get(i + 1).map_or(step, |next| next - at);
        let span = Span(if next > step + step / 2 { step } else { next });
        let mut values = cells.map(|cell| cell.map(|found| found.value));
        if let Some(count) = values[Role::Requests as usize]
            && values[Role::Rate as usize].is_none()
        {
            values[Role::Rate as usize] = Some(count / span.as_secs_f64());
        }
        rows.push(MetricRow { at: Instant(at.saturating_sub(shift)), span, values });
    }
    check_units(&rows, &first, options)?;
    Ok(Metrics { rows, calendar: joined.calendar, notes })
}

/// Latencies that can't be meant: seconds under a name in milliseconds make a service answer in no time.
fn check_units(rows: &[MetricRow], path: &Path, options: &MetricOptions) -> Result<(), TraceError> {
    for role in Role::LATENCIES {
        let mut values: Vec<f64> = rows.iter().filter_map(|row| row.get(role)).collect();
        values.sort_by(f64::total_cmp);
        let Some(middle) = values.get(values.len() / 2) else { continue };
        let said = options.map.names(role);
        if *middle < 1e-3 && !said {
            let name = format!("{}_ms", role.name());
            return Err(Place::file(path).column(&name).refuse(
                format!("half of the latencies are below {:.6} ms: are these seconds?", middle * 1e3),
                format!(
                    "milliseconds; --map {0}_s={name} reads them as seconds, --map {0}_ms={name} as they are",
                    role.name()
                ),
                "180.5",
            ));
        }
        if *middle > 600.0 && !said {
            let name = format!("{}_s", role.name());
            return Err(Place::file(path).column(&name).refuse(
                format!("half of the latencies are above {middle:.0} s: are these milliseconds?"),
                format!(
                    "seconds; --map {0}_ms={name} reads them as milliseconds, --map {0}_s={name} as they are",
                    role.name()
                ),
                "0.18",
            ));
        }
    }
    Ok(())
}

/// Start-ups of single replicas, in seconds: a CSV file with `ordered` and `ready`, or with `duration_s`.
pub fn read_starts(path: &Path, options: &MetricOptions) -> Result<Vec<f64>, TraceError> {
    rows::starts(path, options)
}
