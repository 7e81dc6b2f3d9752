//! The shape of a delimited file, from its first rows: delimiter, header, names of the columns.

use csv::ByteRecord;

use crate::error::{Place, TraceError};
use crate::number::float;
use crate::stamp::StampKind;

/// What the first rows say.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) delimiter: u8,
    pub(crate) header: bool,
    /// Names of the columns; `#1`, `#2`, … without a header.
    pub(crate) names: Vec<String>,
    /// The first row of data.
    pub(crate) first: Vec<Vec<u8>>,
}

impl Shape {
    pub(crate) fn of(path: &std::path::Path, probe: &[u8]) -> Result<Self, TraceError> {
        let line =
            probe.split(|b| *b == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
        let delimiter = [b',', b';', b'\t'].into_iter().find(|d| line.contains(d)).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(probe);
        let mut record = ByteRecord::new();
        let mut row = || -> Vec<Vec<u8>> {
            let more = reader.read_byte_record(&mut record).unwrap_or(false);
            let cells = record.iter().map(|cell| cell.trim_ascii().to_owned());
            if more { cells.collect() } else { Vec::new() }
        };
        let top = row();
        if top.iter().all(Vec::is_empty) {
            return Err(Place::file(path).refuse("there are no rows", "a header and rows", "time,requests"));
        }
        let header = !top.iter().any(|cell| is_value(cell));
        let (names, first) = if header {
            (top.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect(), row())
        } else {
            ((1..=top.len()).map(|n| format!("#{n}")).collect(), top)
        };
        if first.is_empty() {
            return Err(Place::file(path).refuse(
                "there is a header and nothing else",
                "rows after the header",
                "2024-05-01T13:30:00Z,12",
            ));
        }
        Ok(Self { delimiter, header, names, first })
    }

    pub(crate) const fn width(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn header_row(&self) -> Option<u64> {
        self.header.then_some(1)
    }

    /// Whether the header has all of these columns.
    pub(crate) fn has(&self, wanted: &[&str]) -> bool {
        self.header && wanted.iter().all(|name| self.index(name).is_some())
    }

    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether the first row has a calendar time in this column.
    pub(crate) fn is_date(&self, column: usize) -> bool {
        self.first
            .get(column)
            .and_then(|cell| StampKind::of(cell, &self.names[column]))
            .is_some_and(StampKind::has_calendar)
    }

    /// Whether the first row has a whole number (or nothing) in this column.
    pub(crate) fn is_whole(&self, column: usize) -> bool {
        self.first.get(column).is_some_and(|cell| {
            cell.is_empty()
                || (!cell.contains(&b'.') && float(cell).is_some_and(|value| value.fract() == 0.0))
        })
    }
}

/// Whether a cell is a number or a time, thus data rather than a name. `nan` and `inf` count as names.
fn is_value(cell: &[u8]) -> bool {
    cell.iter().any(u8::is_ascii_digit) && (float(cell).is_some() || StampKind::of(cell, "").is_some())
}
