//! Opening a trace: find the format, build the stages, collect the notes.

use std::path::Path;

use homeostat_core::load::{BinLoad, LoadError, LoadItem};
use homeostat_core::{Instant, Span};

use super::bins::Bins;
use super::events::{EventRows, InOrder, service_unit};
use super::merge::{Keys, Merge};
use super::missing::{Artefacts, ZeroRuns};
use super::mooncake::Mooncake;
use super::series::{Clock, SeriesRows};
use super::servegen::{self, ServeGenRows};
use super::sort::Sorter;
use super::values::Values;
use super::{Cell, Cells, Event, Events, Items, RawSeries, Trace, prometheus, raw};
use crate::columns::{Columns, Finder};
use crate::error::{BadOption, Place, TraceError, shown};
use crate::note::Note;
use crate::options::{Format, Measure, OnDuplicate, ReadOptions};
use crate::shape::Shape;
use crate::source::{Lines, Source};
use crate::stamp::{self, StampKind, StampReader};
use crate::table::Table;
use crate::zone::Zone;

/// Opens a trace. Reads the beginning only, except where rows must be sorted by time first (files with
/// keys, `ServeGen`, Prometheus, `sort`): those are read through once, in bounded memory.
pub fn open(path: &Path, options: &ReadOptions) -> Result<Trace, TraceError> {
    let source = Source::open(path)?;
    let mut opening = Opening { path, options, notes: Vec::new(), calendar: false };
    let found = match opening.json_format(&source)? {
        Some(Format::Mooncake) => opening.mooncake(source),
        Some(_) => opening.prometheus(source)?,
        None => opening.delimited(source)?,
    };
    Ok(opening.finish(found))
}

/// Opens a series as it was written, faults and all, for those who judge them: rows in any order, times that
/// occur twice, and cells that are no number come through. `saturated` names a column that says when the
/// service was saturated (anything but empty, 0, `false` and `no`). `None` where the file is no plain series
/// (events, keys, JSON) or `options` settle faults already: then there is [`open`].
pub fn open_raw(
    path: &Path,
    options: &ReadOptions,
    saturated: Option<&str>,
) -> Result<Option<RawSeries>, TraceError> {
    let settled = !options.artefacts.is_empty()
        || options.missing_zeros.is_some()
        || options.on_duplicate != OnDuplicate::Refuse
        || options.key.is_some();
    let source = Source::open(path)?;
    let mut opening = Opening { path, options, notes: Vec::new(), calendar: false };
    if settled || opening.json_format(&source)?.is_some() {
        return Ok(None);
    }
    opening.raw(source, saturated)
}

/// What a reader hands over.
struct Found {
    format: Format,
    measure: Option<Measure>,
    step: Option<Span>,
    items: Items,
}

struct Opening<'a> {
    path: &'a Path,
    options: &'a ReadOptions,
    notes: Vec<Note>,
    calendar: bool,
}

impl Opening<'_> {
    fn origin(&self) -> Instant {
        self.options.start.unwrap_or_default()
    }

    fn note(&mut self, code: &'static str, text: impl Into<String>) {
        self.notes.push(Note::new(code, text));
    }

    /// Which of the JSON formats it is; `None` for delimited text.
    fn json_format(&self, source: &Source) -> Result<Option<Format>, TraceError> {
        if let Some(format @ (Format::Mooncake | Format::Prometheus)) = self.options.format {
            return Ok(Some(format));
        }
        let text = source.probe.trim_ascii_start();
        if self.options.format.is_some() || !matches!(text.first(), Some(b'{' | b'[')) {
            return Ok(None);
        }
        let has = |needle: &[u8]| text.windows(needle.len()).any(|window| window == needle);
        let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if line.windows(14).any(|window| window == b"\"input_length\"") {
            Ok(Some(Format::Mooncake))
        } else if has(b"\"resultType\"") || has(b"\"status\"") {
            Ok(Some(Format::Prometheus))
        } else {
            Err(Place::row(self.path, 1).refuse(
                format!("`{}` is JSON of an unknown kind", shown(line)),
                "Mooncake JSON lines, or the answer of Prometheus to query_range",
                r#"{"timestamp": 0, "input_length": 512, "output_length": 64}"#,
            ))
        }
    }

    fn mooncake(&mut self, source: Source) -> Found {
        self.relative("milliseconds");
        let events = Mooncake { lines: Lines::new(source), origin: self.origin() };
        self.events(Format::Mooncake, "timestamp", Box::new(events))
    }

    fn prometheus(&mut self, source: Source) -> Result<Found, TraceError> {
        let measure = match self.options.map.as_ref().and_then(|map| map.value.as_ref()) {
            Some((measure, _)) => *measure,
            None => {
                self.note("measure", "samples are read as requests per second (--map count=value to change)");
                Measure::Rate
            }
        };
        self.calendar = true;
        let matrix = prometheus::read(source, measure)?;
        if matrix.series > 1 {
            self.note("key", format!("{} series are added by time", matrix.series));
        }
        if matrix.not_numbers > 0 {
            self.note("not-a-number", format!("{} samples are NaN and count as missing", matrix.not_numbers));
        }
        let cells: Cells = Box::new(matrix.sorted.map(|row| row.map(Cell::from)));
        self.binned(Format::Prometheus, "values", measure, Keys::Add, cells)
    }

    fn delimited(&mut self, source: Source) -> Result<Found, TraceError> {
        let shape = Shape::of(self.path, &source.probe)?;
        let mapped = self.options.map.is_some();
        let azure = shape.has(&["TIMESTAMP", "ContextTokens", "GeneratedTokens"]);
        match self.options.format {
            Some(Format::ServeGen) => self.servegen(source, &shape),
            None if !mapped && shape.has(&servegen::COLUMNS) => self.servegen(source, &shape),
            Some(Format::AzureLlm) if !azure => Err(Place::row(self.path, 1).refuse(
                format!("the header is `{}`", shape.names.join(",")),
                "the columns of the Azure LLM traces",
                "TIMESTAMP,ContextTokens,GeneratedTokens",
            )),
            _ => {
                let finder = Finder { path: self.path, shape: &shape, notes: &mut self.notes };
                let columns = { finder }.find(self.options.map.as_ref())?;
                let azure = azure && !mapped;
                self.by_columns(source, &shape, columns, azure)
            }
        }
    }

    fn by_columns(
        &mut self,
        source: Source,
        shape: &Shape,
        columns: Columns,
        azure: bool,
    ) -> Result<Found, TraceError> {
        if let (Some(key), None) = (&self.options.key, columns.key) {
            return Err(TraceError::Option(BadOption {
                option: "--key",
                found: key.clone(),
                expected: format!(
                    "a trace with a column of keys; --map names that of {}",
                    self.path.display()
                ),
                example: "--map time=time,count=count,key=app",
            }));
        }
        let said = self.options.format;
        let asked = self.options.map.as_ref().is_some_and(|map| map.time.is_some());
        let events = said == Some(Format::Events)
            || said.is_none_or(|format| format == Format::AzureLlm)
                && columns.value.is_none()
                && (columns.has_sizes() || asked || shape.width() == 1);
        match columns.time {
            Some(time) if events => self.event_rows(source, shape, time, columns, azure),
            time => match columns.value.clone() {
                None => Err(self.no_load(shape)),
                Some((measure, _)) if shape.width() == 1 => self.values(source, shape, measure),
                Some((measure, values)) => {
                    let time = if said == Some(Format::Values) { None } else { time };
                    self.series(source, shape, time, (measure, values), columns.key)
                }
            },
        }
    }

    /// Refuses a file whose columns mean nothing to us.
    fn no_load(&self, shape: &Shape) -> TraceError {
        let names: Vec<&str> = shape.names.iter().take(20).map(String::as_str).collect();
        let example = match names.as_slice() {
            [time, value, ..] => format!("--map time={time},count={value}"),
            _ => "--map count=#1".to_owned(),
        };
        Place { path: self.path, row: shape.header_row(), column: None }.refuse(
            format!("none of the columns {} is known", names.join(", ")),
            "a time and a count or a rate (time,requests), or --map to say which columns those are; \
             for an event log --format events",
            example,
        )
    }

    /// The step where only the caller can know it.
    fn told_step(&self) -> Result<Span, TraceError> {
        match self.options.step {
            Some(step) if !step.is_zero() => Ok(step),
            given => Err(TraceError::Option(BadOption {
                option: "--step",
                found: given.map_or_else(|| "(not given)".to_owned(), |step| step.to_string()),
                expected: format!("the time between rows of {}, which has no times", self.path.display()),
                example: "--step 10s",
            })),
        }
    }

    fn values(&mut self, source: Source, shape: &Shape, measure: Measure) -> Result<Found, TraceError> {
        let step = self.told_step()?;
        self.relative("the step");
        let values = Values {
            lines: Lines::new(source),
            skip: u32::from(shape.header),
            column: shape.names.first().cloned().unwrap_or_default(),
            measure,
            at: self.origin(),
            step,
            blanks: 0,
            waiting: None,
        };
        Ok(Found {
            format: Format::Values,
            measure: Some(measure),
            step: Some(step),
            items: Box::new(values),
        })
    }

    fn raw(&mut self, source: Source, saturated: Option<&str>) -> Result<Option<RawSeries>, TraceError> {
        let shape = Shape::of(self.path, &source.probe)?;
        let mapped = self.options.map.is_some();
        if !mapped && shape.has(&servegen::COLUMNS)
            || !matches!(self.options.format, None | Some(Format::Values | Format::Series))
        {
            return Ok(None);
        }
        let mut finder = Finder { path: self.path, shape: &shape, notes: &mut self.notes };
        let columns = finder.find(self.options.map.as_ref())?;
        let flag = saturated.map(|name| finder.column(name)).transpose()?;
        let (Some((measure, values)), None) = (columns.value, columns.key) else { return Ok(None) };
        let time = columns.time.filter(|_| self.options.format != Some(Format::Values));
        let mut series = RawSeries { measure, step: self.options.step, ..RawSeries::default() };
        match time {
            Some(time) => {
                let stamps = self.stamps(&shape, time)?;
                let table = Self::table(source, &shape);
                series.rows = raw::timed(table, time, &stamps, &values, flag)?;
            }
            None => {
                let step = self.told_step()?;
                self.relative("the step");
                let lines = Lines::new(source);
                series.rows = raw::even(lines, &shape, &values, flag, (self.origin(), step))?;
            }
        }
        (series.notes, series.calendar) = (std::mem::take(&mut self.notes), self.calendar);
        Ok(Some(series))
    }

    fn table(source: Source, shape: &Shape) -> Table {
        Table::new(source, shape.delimiter, shape.header, shape.names.clone())
    }

    fn series(
        &mut self,
        source: Source,
        shape: &Shape,
        time: Option<usize>,
        (measure, values): (Measure, Vec<usize>),
        key: Option<usize>,
    ) -> Result<Found, TraceError> {
        let (clock, column, format) = match time {
            Some(time) => {
                let stamps = self.stamps(shape, time)?;
                (Clock::Column(time, stamps), shape.names[time].clone(), Format::Series)
            }
            None => {
                let step = self.told_step()?;
                self.relative("the step");
                (Clock::Even { at: self.origin(), step }, "#".to_owned(), Format::Values)
            }
        };
        let sorted = key.is_some() || self.options.sort;
        let rows = SeriesRows {
            table: Self::table(source, shape),
            clock,
            measure,
            values,
            key,
            only: self.options.key.as_ref().map(|key| key.as_bytes().to_owned()),
            keys: std::collections::HashMap::new(),
            grid: self.options.step.filter(|step| key.is_some() && !step.is_zero()),
            ordered: !sorted,
            last: None,
        };
        let cells = if sorted { sort_cells(rows)? } else { rows.boxed() };
        self.binned(format, &column, measure, Keys::Add, cells)
    }

    fn servegen(&mut self, source: Source, shape: &Shape) -> Result<Found, TraceError> {
        let wrong = || {
            Place::row(self.path, 1).refuse(
                format!("the header is `{}`", shape.names.join(",")),
                "the columns of a ServeGen rate table",
                "client,t_s,rate_rps,iat_cv,iat_family,param1,param2",
            )
        };
        let time = shape.index("t_s").ok_or_else(wrong)?;
        let missing = wrong();
        let stamps = self.stamps(shape, time)?;
        let rows = ServeGenRows::new(Self::table(source, shape), shape, stamps, self.options.key.as_deref());
        let cells = sort_cells(rows.ok_or(missing)?)?;
        self.binned(Format::ServeGen, "t_s", Measure::Rate, Keys::Keep, cells)
    }

    fn event_rows(
        &mut self,
        source: Source,
        shape: &Shape,
        time: usize,
        columns: Columns,
        azure: bool,
    ) -> Result<Found, TraceError> {
        let stamps = self.stamps(shape, time)?;
        let mut unit = 1e9;
        if let Some(column) = columns.service {
            let name = &shape.names[column];
            let (nanos, says) = service_unit(name);
            unit = nanos;
            self.note("service-unit", format!("times of service in column `{name}` are read as {says}"));
        }
        let ordered = !self.options.sort;
        let events = EventRows {
            table: Self::table(source, shape),
            time,
            stamps,
            columns,
            service_unit: unit,
            last: Instant::ZERO,
            ordered,
        };
        let events: Events = if ordered { Box::new(events) } else { sort_events(events)? };
        let format = if azure { Format::AzureLlm } else { Format::Events };
        Ok(self.events(format, &shape.names[time], events))
    }

    fn events(&self, format: Format, column: &str, events: Events) -> Found {
        let (path, column) = (self.path.to_owned(), column.to_owned());
        let items = Box::new(InOrder { path, column, events, last: None });
        Found { format, measure: None, step: None, items }
    }

    fn binned(
        &mut self,
        format: Format,
        column: &str,
        measure: Measure,
        keys: Keys,
        cells: Cells,
    ) -> Result<Found, TraceError> {
        let merge = Merge {
            path: self.path.to_owned(),
            column: column.to_owned(),
            measure,
            on_duplicate: self.options.on_duplicate,
            keys,
            cells: cells.peekable(),
            last: None,
        };
        let hole = match keys {
            Keys::Keep => BinLoad::Rate { per_second: 0.0, gaps: homeostat_core::load::Gaps::Poisson },
            Keys::Add => BinLoad::Missing,
        };
        let given = self.options.step.filter(|step| !step.is_zero());
        let mut bins = Bins::new(self.path.to_owned(), merge, given, hole);
        bins.prime()?;
        let step = bins.step();
        if let Some((step, even)) = step
            && given.is_none()
        {
            let text = if even {
                format!("a row covers {step}, the usual time between rows (--step to change)")
            } else {
                format!("rows are not evenly spaced, {step} in the median; a row lasts to the next")
            };
            self.note("step", text);
        }
        Ok(Found { format, measure: Some(measure), step: step.map(|(step, _)| step), items: Box::new(bins) })
    }

    /// How the times of a column are written, from its first cell.
    fn stamps(&mut self, shape: &Shape, time: usize) -> Result<StampReader, TraceError> {
        let name = &shape.names[time];
        let cell = shape.first.get(time).map(Vec::as_slice).unwrap_or_default();
        let row = if shape.header { 2 } else { 1 };
        let kind = StampKind::of(cell, name).ok_or_else(|| {
            let problem = format!("`{}` is not a time", shown(cell));
            Place::row(self.path, row).column(name).refuse(problem, stamp::EXPECTED, stamp::EXAMPLE)
        })?;
        match kind {
            StampKind::Relative(unit) => self.relative(unit.name()),
            StampKind::Epoch(unit) => {
                self.note("epoch", format!("times in `{name}` are {} since 1970", unit.name()));
            }
            StampKind::IsoLocal if self.options.time_zone.is_none() => {
                self.note("time-zone", "times have no offset and are read as UTC (--time-zone to change)");
            }
            StampKind::IsoLocal | StampKind::IsoOffset => {}
        }
        self.calendar |= kind.has_calendar();
        if kind.has_calendar() && self.options.start.is_some() {
            self.note("start", "the file has calendar times; the given start is not used");
        }
        let zone = self.options.time_zone.clone().filter(|zone| *zone != Zone::utc());
        Ok(StampReader { kind, zone, origin: self.origin() })
    }

    /// Says that times count from the start of the trace.
    fn relative(&mut self, unit: &str) {
        self.calendar = self.options.start.is_some();
        if !self.calendar {
            let text = format!("times count from the start of the trace, by {unit} (--start to give a date)");
            self.note("no-calendar", text);
        }
    }

    fn finish(self, found: Found) -> Trace {
        let mut items = found.items;
        if !self.options.artefacts.is_empty() {
            items = Box::new(Artefacts::new(self.options.artefacts.clone(), items));
        }
        if let Some(least) = self.options.missing_zeros {
            items = Box::new(ZeroRuns::new(least, items));
        }
        Trace {
            format: found.format,
            calendar: self.calendar,
            measure: found.measure,
            step: found.step,
            notes: self.notes,
            stream: Box::new(UntilError { items: Some(items) }),
        }
    }
}

fn sort_cells(cells: impl Iterator<Item = Result<Cell, TraceError>>) -> Result<Cells, TraceError> {
    let mut sorter = Sorter::new();
    for cell in cells {
        sorter.push(cell?)?;
    }
    Ok(Box::new(sorter.finish()?.map(|row| row.map(Cell::from))))
}

fn sort_events(events: impl Iterator<Item = Result<Event, TraceError>>) -> Result<Events, TraceError> {
    let mut sorter = Sorter::new();
    for event in events {
        sorter.push(event?)?;
    }
    Ok(Box::new(sorter.finish()?.map(|row| row.map(Event::from))))
}

/// Ends after the first error.
struct UntilError {
    items: Option<Items>,
}

impl Iterator for UntilError {
    type Item = Result<LoadItem, LoadError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.items.as_mut()?.next() {
            Some(Ok(item)) => Some(Ok(item)),
            Some(Err(error)) => {
                self.items = None;
                Some(Err(error.into()))
            }
            None => {
                self.items = None;
                None
            }
        }
    }
}
