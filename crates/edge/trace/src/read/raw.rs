//! Rows of a series as they stand in the file, for those who judge faults themselves.

use homeostat_core::{Instant, Span};

use crate::error::{Place, TraceError};
use crate::note::Note;
use crate::number::float;
use crate::options::Measure;
use crate::shape::Shape;
use crate::source::Lines;
use crate::stamp::StampReader;
use crate::table::Table;
use crate::zone::Fold;

/// One row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RawRow {
    /// Its time.
    pub at: Instant,
    /// Its value; NaN where the cell is empty or no number.
    pub value: f64,
    /// Whether the service was saturated, where a column says so.
    pub saturated: bool,
}

/// A series with its faults.
#[derive(Debug, Clone, PartialEq)]
pub struct RawSeries {
    /// Rows in the order of the file.
    pub rows: Vec<RawRow>,
    /// What values measure.
    pub measure: Measure,
    /// Length of a bin, where the caller gave it.
    pub step: Option<Span>,
    /// Whether times name calendar dates.
    pub calendar: bool,
    /// What was assumed, each thing once.
    pub notes: Vec<Note>,
}

impl Default for RawSeries {
    fn default() -> Self {
        Self { rows: Vec::new(), measure: Measure::Rate, step: None, calendar: false, notes: Vec::new() }
    }
}

/// Rows with a column of times. Only a time that can't be read is refused.
pub(crate) fn timed(
    mut table: Table,
    time: usize,
    stamps: &StampReader,
    values: &[usize],
    flag: Option<usize>,
) -> Result<Vec<RawRow>, TraceError> {
    let mut rows: Vec<RawRow> = Vec::new();
    while table.advance()? {
        let fold = rows.last().map_or(Fold::Earlier, |row| Fold::NotBefore(row.at));
        let at = stamps.read(table.cell(time)?, fold).ok_or_else(|| table.bad_time(time))?;
        let value = sum(values.iter().map(|column| table.cell(*column).unwrap_or_default()));
        let saturated = flag.is_some_and(|column| is_set(table.cell(column).unwrap_or_default()));
        rows.push(RawRow { at, value, saturated });
    }
    Ok(rows)
}

/// Evenly spaced rows; an empty line between rows is a row without a value.
pub(crate) fn even(
    mut lines: Lines,
    shape: &Shape,
    values: &[usize],
    flag: Option<usize>,
    (origin, step): (Instant, Span),
) -> Result<Vec<RawRow>, TraceError> {
    let (mut rows, mut skip, mut at) = (Vec::new(), shape.header, origin);
    let mut whole = 0;
    while let Some(line) = lines.next_line() {
        let line = line?;
        if skip {
            skip = line.is_empty();
            continue;
        }
        let cells: Vec<&[u8]> = line.split(|byte| *byte == shape.delimiter).map(<[u8]>::trim_ascii).collect();
        let cell = |column: usize| cells.get(column).copied().unwrap_or_default();
        let value = sum(values.iter().map(|column| cell(*column)));
        rows.push(RawRow { at, value, saturated: flag.is_some_and(|column| is_set(cell(column))) });
        if !line.is_empty() {
            whole = rows.len();
        }
        at = Instant(at.0.checked_add(step.0).ok_or_else(|| {
            Place::row(&lines.path, lines.row).refuse("its time is after 2554", "a shorter --step", "10s")
        })?);
    }
    rows.truncate(whole);
    Ok(rows)
}

/// The sum of the cells that are not empty; NaN where all are, or one is no number.
fn sum<'a>(cells: impl Iterator<Item = &'a [u8]>) -> f64 {
    let mut total: Option<f64> = None;
    for cell in cells.filter(|cell| !cell.is_empty()) {
        total = Some(total.unwrap_or(0.0) + float(cell).unwrap_or(f64::NAN));
    }
    total.unwrap_or(f64::NAN)
}

/// Whether a cell says yes.
fn is_set(cell: &[u8]) -> bool {
    let no = ["", "false", "no", "off"].iter().any(|no| cell.eq_ignore_ascii_case(no.as_bytes()));
    !no && float(cell) != Some(0.0)
}
