//! Rows of a series: a time, and a count or a rate in one or several columns.

use std::collections::HashMap;

use homeostat_core::load::{BinLoad, Gaps};
use homeostat_core::{Instant, Span};

use super::values::{advice, load};
use super::{Cell, Cells};
use crate::error::TraceError;
use crate::options::Measure;
use crate::stamp::StampReader;
use crate::table::Table;
use crate::zone::Fold;

/// Where the times of the rows come from.
pub(crate) enum Clock {
    /// A column.
    Column(usize, StampReader),
    /// Evenly spaced rows.
    Even {
        /// Time of the next row.
        at: Instant,
        /// Time between rows.
        step: Span,
    },
}

/// Reads rows of a series.
pub(crate) struct SeriesRows {
    pub(crate) table: Table,
    pub(crate) clock: Clock,
    pub(crate) measure: Measure,
    pub(crate) values: Vec<usize>,
    pub(crate) key: Option<usize>,
    /// Keep only this key.
    pub(crate) only: Option<Vec<u8>>,
    pub(crate) keys: HashMap<Vec<u8>, u32>,
    /// Times are cut down to multiples of this before keys are merged.
    pub(crate) grid: Option<Span>,
    /// Rows come in order of time, so a repeated wall-clock hour can be told apart.
    pub(crate) ordered: bool,
    pub(crate) last: Option<Instant>,
}

impl SeriesRows {
    fn step(&mut self) -> Result<Option<Cell>, TraceError> {
        loop {
            if !self.table.advance()? {
                return Ok(None);
            }
            let Some(key) = self.key()? else { continue };
            let mut at = self.time()?;
            self.last = Some(at);
            if let Some(grid) = self.grid {
                at = Instant(at.0 - at.0 % grid.0.max(1));
            }
            let value = self.value()?;
            return Ok(Some(Cell { at, row: self.table.row, key, value, gaps: Gaps::Poisson }));
        }
    }

    /// Number of the row's key; `None` when the row is not wanted.
    fn key(&mut self) -> Result<Option<u32>, TraceError> {
        let Some(column) = self.key else { return Ok(Some(0)) };
        let cell = self.table.cell(column)?;
        if self.only.as_deref().is_some_and(|only| only != cell) {
            return Ok(None);
        }
        if let Some(key) = self.keys.get(cell) {
            return Ok(Some(*key));
        }
        let key = self.keys.len() as u32;
        self.keys.insert(cell.to_owned(), key);
        Ok(Some(key))
    }

    fn time(&mut self) -> Result<Instant, TraceError> {
        match &mut self.clock {
            Clock::Even { at, step } => {
                let now = *at;
                *at += *step;
                Ok(now)
            }
            Clock::Column(column, stamps) => {
                let fold = match self.last {
                    Some(last) if self.ordered => Fold::After(last),
                    _ => Fold::Earlier,
                };
                stamps.read(self.table.cell(*column)?, fold).ok_or_else(|| self.table.bad_time(*column))
            }
        }
    }

    /// The sum of the value columns; `None` when all are empty.
    fn value(&self) -> Result<Option<f64>, TraceError> {
        let mut total = None;
        for column in &self.values {
            let cell = self.table.cell(*column)?;
            let value = load(cell, self.measure).map_err(|bad| {
                let name = self.table.place(*column).column.unwrap_or_default();
                let (expected, example) = advice(self.measure, bad, name);
                self.table.bad_cell(*column, cell, bad.says(), &expected, example)
            })?;
            match value {
                BinLoad::Missing => {}
                BinLoad::Count(count) => total = Some(total.unwrap_or(0.0) + count as f64),
                BinLoad::Rate { per_second, .. } => total = Some(total.unwrap_or(0.0) + per_second),
            }
        }
        Ok(total)
    }

    pub(crate) fn boxed(self) -> Cells {
        Box::new(self)
    }
}

impl Iterator for SeriesRows {
    type Item = Result<Cell, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
