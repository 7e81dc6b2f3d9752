//! Event logs: one row per request, with what is known of its work.

use std::path::PathBuf;

use homeostat_core::load::{LoadItem, RequestSize};
use homeostat_core::{Instant, Span};

use super::{Event, Events};
use crate::columns::Columns;
use crate::error::{Place, TraceError};
use crate::number;
use crate::stamp::StampReader;
use crate::table::Table;
use crate::zone::Fold;

/// Reads rows of an event log.
pub(crate) struct EventRows {
    pub(crate) table: Table,
    pub(crate) time: usize,
    pub(crate) stamps: StampReader,
    pub(crate) columns: Columns,
    /// Nanoseconds in the unit of the service column.
    pub(crate) service_unit: f64,
    pub(crate) last: Instant,
    /// Rows come in order of time.
    pub(crate) ordered: bool,
}

/// Nanoseconds in the unit that a column of service times has, by its suffix; seconds otherwise.
pub(crate) fn service_unit(column: &str) -> (f64, &'static str) {
    let lower = column.to_ascii_lowercase();
    if lower.ends_with("_ms") || lower.ends_with("_millis") || lower.ends_with("milliseconds") {
        (1e6, "milliseconds")
    } else if lower.ends_with("_us") || lower.ends_with("microseconds") {
        (1e3, "microseconds")
    } else if lower.ends_with("_ns") || lower.ends_with("nanoseconds") {
        (1.0, "nanoseconds")
    } else {
        (1e9, "seconds")
    }
}

impl EventRows {
    fn step(&mut self) -> Result<Option<Event>, TraceError> {
        if !self.table.advance()? {
            return Ok(None);
        }
        let fold = if self.ordered { Fold::NotBefore(self.last) } else { Fold::Earlier };
        let at = self
            .stamps
            .read(self.table.cell(self.time)?, fold)
            .ok_or_else(|| self.table.bad_time(self.time))?;
        self.last = at;
        let size = RequestSize {
            service: self.service()?,
            input_tokens: self.tokens(self.columns.input)?,
            output_tokens: self.tokens(self.columns.output)?,
        };
        Ok(Some(Event { at, row: self.table.row, size }))
    }

    fn tokens(&self, column: Option<usize>) -> Result<Option<u32>, TraceError> {
        let Some(column) = column else { return Ok(None) };
        let cell = self.table.cell(column)?;
        if cell.is_empty() {
            return Ok(None);
        }
        number::tokens(cell).map(Some).ok_or_else(|| {
            let problem = "is not a number of tokens";
            self.table.bad_cell(
                column,
                cell,
                problem,
                "a whole number from 0 to 4294967295, or nothing",
                "512",
            )
        })
    }

    fn service(&self) -> Result<Option<Span>, TraceError> {
        let Some(column) = self.columns.service else { return Ok(None) };
        let cell = self.table.cell(column)?;
        if cell.is_empty() {
            return Ok(None);
        }
        match number::rate(cell).map(|value| value * self.service_unit) {
            Ok(nanos) if nanos < u64::MAX as f64 => Ok(Some(Span((nanos + 0.5) as u64))),
            _ => Err(self.table.bad_cell(
                column,
                cell,
                "is not a time of service",
                "a number of seconds (or ms, us, ns as the name of the column ends), or nothing",
                "0.25",
            )),
        }
    }
}

impl Iterator for EventRows {
    type Item = Result<Event, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

/// Checks that requests come in order of time, and makes load items of them.
pub(crate) struct InOrder {
    pub(crate) path: PathBuf,
    pub(crate) column: String,
    pub(crate) events: Events,
    pub(crate) last: Option<(Instant, u64)>,
}

impl Iterator for InOrder {
    type Item = Result<LoadItem, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let event = match self.events.next()? {
            Ok(event) => event,
            Err(error) => return Some(Err(error)),
        };
        if let Some((at, row)) = self.last
            && event.at < at
        {
            return Some(Err(Place::row(&self.path, event.row).column(&self.column).refuse(
                format!("{} is before {} of row {row}", event.at.to_utc_string(), at.to_utc_string()),
                "requests in order of time; sort the file, or let it be sorted with --sort",
                "--sort",
            )));
        }
        self.last = Some((event.at, event.row));
        Some(Ok(LoadItem::Request { at: event.at, size: event.size }))
    }
}
