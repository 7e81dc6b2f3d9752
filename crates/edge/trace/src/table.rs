//! Rows of delimited text: one record buffer, cells by column, refusals that know their place.

use std::io::Read;
use std::path::{Path, PathBuf};

use csv::ByteRecord;

use crate::error::{Place, TraceError, shown};
use crate::source::{Source, io_error};
use crate::stamp;

/// A reader of delimited rows.
pub(crate) struct Table {
    pub(crate) path: PathBuf,
    reader: csv::Reader<Box<dyn Read + Send>>,
    record: ByteRecord,
    /// Line on which the current row starts, from 1.
    pub(crate) row: u64,
    names: Vec<String>,
}

impl Table {
    /// Starts after the header, if there is one. `names` are the columns as the user knows them.
    pub(crate) fn new(source: Source, delimiter: u8, header: bool, names: Vec<String>) -> Self {
        let reader = csv::ReaderBuilder::new()
            .has_headers(header)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(1 << 16)
            .from_reader(source.reader);
        Self { path: source.path, reader, record: ByteRecord::new(), row: 0, names }
    }

    /// Moves to the next row; `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, TraceError> {
        match self.reader.read_byte_record(&mut self.record) {
            Ok(more) => {
                self.row = self.record.position().map_or(0, csv::Position::line);
                Ok(more)
            }
            Err(error) => Err(csv_error(&self.path, error)),
        }
    }

    /// A cell of the current row, trimmed.
    pub(crate) fn cell(&self, column: usize) -> Result<&[u8], TraceError> {
        self.record.get(column).map(<[u8]>::trim_ascii).ok_or_else(|| {
            let found = self.record.len();
            self.place(column).refuse(
                format!("the row ends after {found} of {} columns", self.names.len()),
                "a cell in every column",
                self.names.join(","),
            )
        })
    }

    /// The current row, in one column.
    pub(crate) fn place(&self, column: usize) -> Place<'_> {
        let name = self.names.get(column).map_or("", String::as_str);
        Place::row(&self.path, self.row).column(name)
    }

    /// Refuses a cell that is no time.
    pub(crate) fn bad_time(&self, column: usize) -> TraceError {
        let cell = self.record.get(column).unwrap_or_default();
        self.bad_cell(column, cell, "is not a time", stamp::EXPECTED, stamp::EXAMPLE)
    }

    /// Refuses a cell.
    pub(crate) fn bad_cell(
        &self,
        column: usize,
        cell: &[u8],
        problem: &str,
        expected: &str,
        example: &str,
    ) -> TraceError {
        let problem = if cell.trim_ascii().is_empty() {
            "the cell is empty".to_owned()
        } else {
            format!("`{}` {problem}", shown(cell))
        };
        self.place(column).refuse(problem, expected, example)
    }
}

/// Words an error of the CSV parser.
fn csv_error(path: &Path, error: csv::Error) -> TraceError {
    let row = error.position().map(csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => io_error(path, source),
        other => Place { path, row, column: None }.refuse(
            format!("the row cannot be parsed ({other:?})"),
            "comma separated values",
            "2024-05-01T13:30:00Z,12",
        ),
    }
}
