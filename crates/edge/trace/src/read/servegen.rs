//! `ServeGen` rate tables: per client and window a rate and the fitted shape of the gaps.
//!
//! Rows are ordered by client, so they are sorted by time first (in bounded memory, see
//! [`super::sort`]). A window that a client does not have means a rate of zero.

use std::collections::HashMap;

use homeostat_core::load::Gaps;

use super::Cell;
use crate::error::TraceError;
use crate::number;
use crate::shape::Shape;
use crate::stamp::StampReader;
use crate::table::Table;
use crate::zone::Fold;

/// The columns that must be there.
pub(crate) const COLUMNS: [&str; 6] = ["client", "t_s", "rate_rps", "iat_cv", "iat_family", "param1"];

/// Reads the rows in the order of the file.
pub(crate) struct ServeGenRows {
    table: Table,
    stamps: StampReader,
    /// Indexes of [`COLUMNS`].
    columns: [usize; 6],
    only: Option<Vec<u8>>,
    clients: HashMap<Vec<u8>, u32>,
}

impl ServeGenRows {
    /// `None` when a column is missing.
    pub(crate) fn new(table: Table, shape: &Shape, stamps: StampReader, only: Option<&str>) -> Option<Self> {
        let mut columns = [0; 6];
        for (slot, name) in columns.iter_mut().zip(COLUMNS) {
            *slot = shape.index(name)?;
        }
        let only = only.map(|key| key.as_bytes().to_owned());
        Some(Self { table, stamps, columns, only, clients: HashMap::new() })
    }

    fn step(&mut self) -> Result<Option<Cell>, TraceError> {
        let [client, time, rate, ..] = self.columns;
        loop {
            if !self.table.advance()? {
                return Ok(None);
            }
            let name = self.table.cell(client)?;
            if self.only.as_deref().is_some_and(|only| only != name) {
                continue;
            }
            let next = self.clients.len() as u32;
            let key = match self.clients.get(name) {
                Some(key) => *key,
                None => *self.clients.entry(name.to_owned()).or_insert(next),
            };
            let at = self
                .stamps
                .read(self.table.cell(time)?, Fold::Earlier)
                .ok_or_else(|| self.table.bad_time(time))?;
            let value = Some(self.positive(rate, true, "0.25")?);
            return Ok(Some(Cell { at, row: self.table.row, key, value, gaps: self.gaps()? }));
        }
    }

    fn gaps(&self) -> Result<Gaps, TraceError> {
        let [_, _, _, cv, family, parameter] = self.columns;
        match self.table.cell(family)? {
            b"Gamma" => Ok(Gaps::Gamma { cv: self.positive(cv, false, "1.5")? }),
            b"Weibull" => Ok(Gaps::Weibull { shape: self.positive(parameter, false, "0.7")? }),
            other => {
                Err(self.table.bad_cell(family, other, "is not a known family", "Gamma or Weibull", "Gamma"))
            }
        }
    }

    fn positive(&self, column: usize, zero: bool, example: &str) -> Result<f64, TraceError> {
        let cell = self.table.cell(column)?;
        match number::rate(cell) {
            Ok(value) if zero || value > 0.0 => Ok(value),
            Ok(_) => Err(self.table.bad_cell(column, cell, "is zero", "a number above 0", example)),
            Err(bad) => Err(self.table.bad_cell(column, cell, bad.says(), "a number, 0 or more", example)),
        }
    }
}

impl Iterator for ServeGenRows {
    type Item = Result<Cell, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
