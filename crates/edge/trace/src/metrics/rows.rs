//! Metrics in CSV: a time and values in columns.

use std::path::Path;

use homeostat_core::Instant;

use super::role::Role;
use super::{Found, Joined, MetricOptions};
use crate::error::{Place, TraceError, shown};
use crate::note::Note;
use crate::number::float;
use crate::shape::Shape;
use crate::source::Source;
use crate::stamp::{self, StampKind, StampReader};
use crate::table::Table;
use crate::zone::{Fold, Zone};

/// A column that is used.
struct Column {
    index: usize,
    role: Role,
    factor: f64,
}

/// Reads a file into the join.
pub(super) fn read(source: Source, options: &MetricOptions, joined: &mut Joined) -> Result<(), TraceError> {
    let path = source.path.clone();
    let shape = Shape::of(&path, &source.probe)?;
    let columns = columns(&path, &shape, options, joined)?;
    let stamps = stamps(&path, &shape, columns.0, options, joined)?;
    let mut table = Table::new(source, shape.delimiter, shape.header, shape.names.clone());
    let file = joined.files.len() - 1;
    let mut last: Option<(Instant, u64)> = None;
    while table.advance()? {
        let cell = table.cell(columns.0)?;
        let at = stamps.read(cell, Fold::Earlier).ok_or_else(|| table.bad_time(columns.0))?;
        if let Some((before, row)) = last.filter(|(before, _)| at <= *before) {
            let what = if at == before { "is that of" } else { "is before that of" };
            return Err(table.bad_cell(
                columns.0,
                cell,
                &format!("{what} row {row}"),
                "times that rise from row to row; sort the file and remove duplicates",
                stamp::EXAMPLE,
            ));
        }
        last = Some((at, table.row));
        for column in &columns.1 {
            match value(&table, column)? {
                Some(value) => {
                    let found = Found { value, file, row: table.row };
                    let name = shape.names.get(column.index).map_or("", String::as_str);
                    joined.keep(at, column.role, found, name)?;
                }
                None => joined.holes += 1,
            }
        }
    }
    Ok(())
}

/// A value in the role's own unit; `None` where the cell is empty or NaN.
fn value(table: &Table, column: &Column) -> Result<Option<f64>, TraceError> {
    let cell = table.cell(column.index)?;
    if cell.is_empty() || cell.eq_ignore_ascii_case(b"null") {
        return Ok(None);
    }
    let refuse = |problem: &str, expected: &str, example: &str| {
        Err(table.bad_cell(column.index, cell, problem, expected, example))
    };
    if column.role == Role::Saturated {
        return match cell.to_ascii_lowercase().as_slice() {
            b"1" | b"true" | b"yes" => Ok(Some(1.0)),
            b"0" | b"false" | b"no" => Ok(Some(0.0)),
            _ => refuse("is neither true nor false", "1 or 0", "1"),
        };
    }
    let Some(number) = float(cell) else { return refuse("is not a number", "a number, or nothing", "12.5") };
    check(number, column).map_or_else(|(problem, expected, example)| refuse(problem, expected, example), Ok)
}

type Bad = (&'static str, &'static str, &'static str);

/// What no metric can be.
fn check(number: f64, column: &Column) -> Result<Option<f64>, Bad> {
    if number.is_nan() {
        return Ok(None);
    }
    if number < 0.0 {
        return Err(("is negative", "0 or more", "12.5"));
    }
    let value = number * column.factor;
    if value > 1e12 {
        return Err(("is too large", "at most 1e12", "12.5"));
    }
    match column.role {
        Role::Ready | Role::Desired if value > 1e6 => {
            Err(("is too large for a count of replicas", "at most 1000000", "12"))
        }
        Role::Attained if value > 1.000_001 => {
            Err(("is more than everything", "a share from 0 to 1, or attained_percent up to 100", "0.999"))
        }
        Role::CpuShare if value > 100.0 => {
            Err(("is more than a hundred times the request", "CPU in percent of the request", "65"))
        }
        _ => Ok(Some(value)),
    }
}

/// Value of a Prometheus sample under the same rules.
pub(super) fn checked(number: f64, role: Role, factor: f64) -> Result<Option<f64>, String> {
    let column = Column { index: 0, role, factor };
    check(number, &column).map_err(|(problem, expected, _)| format!("{problem}; expected {expected}"))
}

/// The time column and the others.
fn columns(
    path: &Path,
    shape: &Shape,
    options: &MetricOptions,
    joined: &mut Joined,
) -> Result<(usize, Vec<Column>), TraceError> {
    let header = Place { path, row: Some(1), column: None };
    if !shape.header {
        let example = "time,rate,ready,desired,p50_ms,p95_ms,p99_ms,cpu_percent";
        return Err(header.refuse("there is no header", "a header that names the columns", example));
    }
    let mut used: Vec<Column> = Vec::new();
    for (role, factor, name) in options.map.entries() {
        // With several files a mapped column may be in another one.
        if let Some(index) = shape.index(name) {
            used.push(Column { index, role: *role, factor: *factor });
        } else if joined.files.len() == 1 {
            let known = shape.names.join(", ");
            return Err(Place { column: Some(name), ..header }.refuse(
                "there is no such column",
                format!("one of {known}"),
                format!("--map {}={}", role.name(), shape.names.first().map_or("x", String::as_str)),
            ));
        }
    }
    let mut ignored = Vec::new();
    for (index, name) in shape.names.iter().enumerate() {
        if used.iter().any(|c| c.index == index) {
            continue;
        }
        match Role::by_name(name) {
            Some((role, _)) if options.map.names(role) => ignored.push(name.as_str()),
            Some((role, _)) if used.iter().any(|c| c.role == role) => {
                return Err(Place { column: Some(name), ..header }.refuse(
                    format!("a second column means {}", role.name()),
                    "one, or a choice with --map",
                    format!("--map {}={name}", role.name()),
                ));
            }
            Some((role, factor)) => used.push(Column { index, role, factor }),
            None => ignored.push(name.as_str()),
        }
    }
    let time = used.iter().position(|c| c.role == Role::Time).map(|i| used.remove(i).index);
    let Some(time) = time else {
        return Err(header.refuse(
            format!("none of the columns {} is a time", shape.names.join(", ")),
            "a column of times, or --map to say which one it is",
            "--map time=ts",
        ));
    };
    if used.is_empty() {
        return Err(header.refuse(
            format!("none of the columns {} is known", shape.names.join(", ")),
            format!("some of {}; latency and CPU with their unit in the name", Role::known()),
            "--map rate=rps,p99_ms=latency",
        ));
    }
    if !ignored.is_empty() {
        let text = format!("{}: columns not used: {}", path.display(), ignored.join(", "));
        joined.notes.push(Note::new("ignored-columns", text));
    }
    Ok((time, used))
}

fn stamps(
    path: &Path,
    shape: &Shape,
    time: usize,
    options: &MetricOptions,
    joined: &mut Joined,
) -> Result<StampReader, TraceError> {
    let name = &shape.names[time];
    let cell = shape.first.get(time).map(Vec::as_slice).unwrap_or_default();
    let kind = StampKind::of(cell, name).ok_or_else(|| {
        let problem = format!("`{}` is not a time", shown(cell));
        Place::row(path, 2).column(name).refuse(problem, stamp::EXPECTED, stamp::EXAMPLE)
    })?;
    joined.calendar |= kind.has_calendar();
    let zone = options.time_zone.clone().filter(|zone| *zone != Zone::utc());
    Ok(StampReader { kind, zone, origin: Instant::ZERO })
}

/// Start-ups in seconds, a row for each.
pub(super) fn starts(path: &Path, options: &MetricOptions) -> Result<Vec<f64>, TraceError> {
    let source = Source::open(path)?;
    let shape = Shape::of(path, &source.probe)?;
    let one_of = |names: &[&str]| names.iter().find_map(|name| shape.index(name));
    let ordered = one_of(&["ordered", "created", "creationtimestamp", "ordered_s", "created_s"]);
    let ready = one_of(&["ready", "ready_at", "ready_s"]);
    let duration = one_of(&["duration_s", "seconds", "start_up_s"]);
    let mut joined = Joined::default();
    let stamps = match (ordered, ready, duration) {
        (Some(ordered), Some(_), None) => Some(stamps(path, &shape, ordered, options, &mut joined)?),
        (None, None, Some(_)) => None,
        _ => {
            return Err(Place { path, row: Some(1), column: None }.refuse(
                format!("the columns are {}", shape.names.join(", ")),
                "columns `ordered` and `ready` with times, or `duration_s`",
                "ordered,ready",
            ));
        }
    };
    let mut table = Table::new(source, shape.delimiter, shape.header, shape.names.clone());
    let mut delays = Vec::new();
    while table.advance()? {
        let time = |column: usize| -> Result<Instant, TraceError> {
            let cell = table.cell(column)?;
            stamps.as_ref().and_then(|s| s.read(cell, Fold::Earlier)).ok_or_else(|| table.bad_time(column))
        };
        if let (Some(a), Some(b)) = (ordered, ready) {
            let (from, to) = (time(a)?, time(b)?);
            if to < from {
                let cell = table.cell(b)?;
                let problem = "is before the order";
                return Err(table.bad_cell(b, cell, problem, "a time after `ordered`", stamp::EXAMPLE));
            }
            delays.push(to.since(from).as_secs_f64());
        } else if let Some(column) = duration {
            let cell = table.cell(column)?;
            let seconds = float(cell).filter(|s| (0.0..1e7).contains(s));
            let refuse = || table.bad_cell(column, cell, "is not a start-up", "seconds, 0 or more", "75");
            delays.push(seconds.ok_or_else(refuse)?);
        }
    }
    Ok(delays)
}
