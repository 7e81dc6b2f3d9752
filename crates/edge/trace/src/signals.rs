//! Signals of replicas over time in CSV: memory, descriptors, threads, latency, beside their load.

use std::collections::BTreeMap;
use std::path::Path;

use homeostat_core::{Instant, Span};

use crate::error::{Place, TraceError};
use crate::note::Note;
use crate::number::float;
use crate::shape::Shape;
use crate::source::Source;
use crate::stamp::{self, StampKind, StampReader};
use crate::table::Table;
use crate::zone::{Fold, Zone};

/// Units that a signal's name may end with.
const UNITS: [&str; 11] = ["mib", "gib", "kib", "bytes", "mb", "gb", "ms", "s", "percent", "count", "per_s"];
/// Signals that are counts without saying so.
const COUNTS: [&str; 5] = ["fds", "threads", "goroutines", "connections", "sockets"];
/// Rows at most.
const MOST: usize = 50_000_000;

/// How to read.
#[derive(Debug, Clone, Default)]
pub struct SignalOptions {
    /// Role and column: `time`, `replica`, `requests`, `requests_total`, or the name of a signal.
    pub map: Vec<(String, String)>,
    /// Zone of times without an offset.
    pub time_zone: Option<Zone>,
}

/// One reading of one signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignalReading {
    /// When.
    pub at: Instant,
    /// Value in the signal's unit; `None` where the cell is empty or NaN.
    pub value: Option<f64>,
    /// Load: requests/s, or whatever the column of requests counts in a row.
    pub load: Option<f64>,
    /// A counter of requests started anew: so did the process.
    pub restarted: bool,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Signals {
    /// Names of the signals, unit included.
    pub names: Vec<String>,
    /// Limits read from columns such as `memory_limit_mib`, by replica and signal: the last value.
    pub limits: BTreeMap<(String, String), f64>,
    /// Readings in order of time, by replica and signal.
    pub readings: BTreeMap<(String, String), Vec<SignalReading>>,
    /// What was assumed.
    pub notes: Vec<Note>,
}

/// The unit in a signal's name; `None` where there is none.
pub fn signal_unit(name: &str) -> Option<&str> {
    let by_suffix = UNITS
        .iter()
        .find(|unit| name.strip_suffix(**unit).is_some_and(|base| base.len() > 1 && base.ends_with('_')));
    by_suffix.copied().or_else(|| COUNTS.contains(&name).then_some("count"))
}

/// What a column is for.
struct Columns {
    time: usize,
    replica: Option<usize>,
    /// Column of requests, and whether it is a counter.
    load: Option<(usize, bool)>,
    /// Signal and its column.
    signals: Vec<(String, usize)>,
    /// Signal whose limit it is, and the column.
    limits: Vec<(String, usize)>,
}

/// Reads a file.
pub fn read_signals(path: &Path, options: &SignalOptions) -> Result<Signals, TraceError> {
    let source = Source::open(path)?;
    let shape = Shape::of(path, &source.probe)?;
    let mut signals = Signals::default();
    let columns = columns(path, &shape, options, &mut signals.notes)?;
    signals.names = columns.signals.iter().map(|(name, _)| name.clone()).collect();
    let stamps = stamps(path, &shape, columns.time, options)?;
    let mut table = Table::new(source, shape.delimiter, shape.header, shape.names.clone());
    let mut rows = 0;
    while table.advance()? {
        let cell = table.cell(columns.time)?;
        let at = stamps.read(cell, Fold::Earlier).ok_or_else(|| table.bad_time(columns.time))?;
        let replica = match columns.replica {
            Some(column) => String::from_utf8_lossy(table.cell(column)?).into_owned(),
            None => "all".to_owned(),
        };
        let load = columns.load.map(|(column, _)| value(&table, column)).transpose()?.flatten();
        for (name, column) in &columns.limits {
            if let Some(limit) = value(&table, *column)? {
                signals.limits.insert((replica.clone(), name.clone()), limit);
            }
        }
        for (name, column) in &columns.signals {
            let reading = SignalReading { at, value: value(&table, *column)?, load, restarted: false };
            signals.readings.entry((replica.clone(), name.clone())).or_default().push(reading);
        }
        rows += 1;
        if rows > MOST {
            return Err(Place::file(path).refuse(
                format!("there are more than {MOST} rows"),
                "fewer rows: keep one reading a minute",
                "time,replica,memory_mib",
            ));
        }
    }
    put_in_order(path, &mut signals);
    if columns.load.is_some_and(|(_, counter)| counter) {
        signals.readings.values_mut().for_each(|readings| rates(readings));
    }
    Ok(signals)
}

/// Sorts what is not in order.
fn put_in_order(path: &Path, signals: &mut Signals) {
    let mut sorted = false;
    for readings in signals.readings.values_mut() {
        if !readings.is_sorted_by_key(|reading| reading.at) {
            readings.sort_by_key(|reading| reading.at);
            sorted = true;
        }
    }
    if sorted {
        let text = format!("{}: times were not in order; rows were sorted by time", path.display());
        signals.notes.push(Note::new("sorted", text));
    }
}

/// A counter of requests becomes requests/s; where it falls, it started anew.
fn rates(readings: &mut [SignalReading]) {
    let mut before: Option<(Instant, f64)> = None;
    for reading in readings {
        let Some(count) = reading.load.take() else { continue };
        if let Some((at, last)) = before {
            let passed: Span = reading.at.since(at);
            reading.restarted = count < last;
            let grown = if reading.restarted { count } else { count - last };
            reading.load = (!passed.is_zero()).then(|| grown / passed.as_secs_f64());
        }
        before = Some((reading.at, count));
    }
}

/// A number; `None` where the cell is empty, null, NaN or infinite.
fn value(table: &Table, column: usize) -> Result<Option<f64>, TraceError> {
    let cell = table.cell(column)?;
    if cell.is_empty() || cell.eq_ignore_ascii_case(b"null") || cell.eq_ignore_ascii_case(b"nan") {
        return Ok(None);
    }
    match float(cell) {
        Some(number) => Ok(Some(number).filter(|number| number.is_finite())),
        None => Err(table.bad_cell(column, cell, "is not a number", "a number, or nothing", "812.5")),
    }
}

fn columns(
    path: &Path,
    shape: &Shape,
    options: &SignalOptions,
    notes: &mut Vec<Note>,
) -> Result<Columns, TraceError> {
    let header = Place { path, row: Some(1), column: None };
    let example = "time,replica,memory_mib,requests";
    if !shape.header {
        return Err(header.refuse("there is no header", "a header that names the columns", example));
    }
    for (role, column) in &options.map {
        if shape.index(column).is_none() {
            return Err(Place { column: Some(column), ..header }.refuse(
                "there is no such column",
                format!("one of {}", shape.names.join(", ")),
                format!("--map {role}={}", shape.names.last().map_or("x", String::as_str)),
            ));
        }
    }
    let mapped = |role: &str| {
        let entry = options.map.iter().find(|(name, _)| name == role);
        entry.and_then(|(_, column)| shape.index(column))
    };
    let one_of = |roles: &[&str]| {
        roles.iter().find_map(|role| mapped(role)).or_else(|| roles.iter().find_map(|r| shape.index(r)))
    };
    let Some(time) = one_of(&["time", "timestamp", "ts"]) else {
        return Err(header.refuse(
            format!("none of the columns {} is a time", shape.names.join(", ")),
            "a column `time`, or --map to say which one it is",
            "--map time=currentTime",
        ));
    };
    let load = one_of(&["requests"])
        .map(|at| (at, false))
        .or_else(|| one_of(&["requests_total"]).map(|at| (at, true)));
    let replica = one_of(&["replica", "pod", "instance"]);
    let mut found = Columns { time, replica, load, signals: Vec::new(), limits: Vec::new() };
    choose(shape, options, &mut found);
    if found.signals.is_empty() {
        return Err(header.refuse(
            format!("none of the columns {} is a signal with a unit in its name", shape.names.join(", ")),
            format!("a name that ends in one of _{}, or --map to name one", UNITS.join(", _")),
            "--map memory_bytes=usedMemory",
        ));
    }
    let used = |index: usize| {
        index == time
            || replica == Some(index)
            || load.is_some_and(|(at, _)| at == index)
            || found.signals.iter().chain(&found.limits).any(|(_, at)| *at == index)
    };
    let left: Vec<&str> =
        (0..shape.names.len()).filter(|i| !used(*i)).map(|i| shape.names[i].as_str()).collect();
    if !left.is_empty() {
        let text = format!("{}: columns not used: {}", path.display(), left.join(", "));
        notes.push(Note::new("ignored-columns", text));
    }
    Ok(found)
}

/// The signals that the user named; without any, every column with a unit in its name. Columns with
/// `_limit_` in their name are limits.
fn choose(shape: &Shape, options: &SignalOptions, found: &mut Columns) {
    const ROLES: [&str; 8] =
        ["time", "timestamp", "ts", "replica", "pod", "instance", "requests", "requests_total"];
    let named = options.map.iter().filter(|(role, _)| !ROLES.contains(&role.as_str()));
    let named: Vec<(String, usize)> =
        named.filter_map(|(role, column)| Some((role.clone(), shape.index(column)?))).collect();
    let by_name = shape.names.iter().enumerate().filter(|(index, name)| {
        *index != found.time && found.load.is_none_or(|(at, _)| at != *index) && signal_unit(name).is_some()
    });
    let by_name: Vec<(String, usize)> = by_name.map(|(index, name)| (name.clone(), index)).collect();
    let only_limits = named.iter().all(|(name, _)| name.contains("_limit_"));
    let all = if only_limits { [named, by_name].concat() } else { named };
    for (name, index) in all {
        if name.contains("_limit_") {
            found.limits.push((name.replacen("_limit_", "_", 1), index));
        } else {
            found.signals.push((name, index));
        }
    }
}

fn stamps(
    path: &Path,
    shape: &Shape,
    time: usize,
    options: &SignalOptions,
) -> Result<StampReader, TraceError> {
    let name = &shape.names[time];
    let cell = shape.first.get(time).map(Vec::as_slice).unwrap_or_default();
    let kind = StampKind::of(cell, name).ok_or_else(|| {
        let problem = format!("`{}` is not a time", crate::error::shown(cell));
        Place::row(path, 2).column(name).refuse(problem, stamp::EXPECTED, stamp::EXAMPLE)
    })?;
    let zone = options.time_zone.clone().filter(|zone| *zone != Zone::utc());
    Ok(StampReader { kind, zone, origin: Instant::ZERO })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Signals {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signals.csv");
        std::fs::write(&path, text).unwrap();
        read_signals(&path, &SignalOptions::default()).unwrap()
    }

    #[test]
    fn units_are_read_from_names() {
        assert_eq!(signal_unit("memory_mib"), Some("mib"));
        assert_eq!(signal_unit("fds"), Some("count"));
        assert_eq!(signal_unit("memory"), None);
        assert_eq!(signal_unit("_s"), None);
    }

    #[test]
    fn replicas_signals_limits_and_a_counter_that_starts_anew() {
        let signals = read(
            "time,replica,memory_mib,memory_limit_mib,requests_total\n0,a,1,100,50\n120,a,3,100,10\n\
             60,a,2,100,110\n0,b,,100,\n",
        );
        assert_eq!(signals.names, ["memory_mib"]);
        assert_eq!(signals.limits[&("a".to_owned(), "memory_mib".to_owned())], 100.0);
        let a = &signals.readings[&("a".to_owned(), "memory_mib".to_owned())];
        assert_eq!(a.iter().map(|r| r.value).collect::<Vec<_>>(), [Some(1.0), Some(2.0), Some(3.0)]);
        assert_eq!(a.iter().map(|r| r.load).collect::<Vec<_>>(), [None, Some(1.0), Some(10.0 / 60.0)]);
        assert!(a[2].restarted && !a[1].restarted);
        assert_eq!(signals.readings.len(), 2);
        assert_eq!(signals.notes.len(), 1);
    }
}
