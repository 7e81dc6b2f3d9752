//! Sorting rows by time in bounded memory.
//!
//! Up to [`RUN_ROWS`] rows are sorted in memory (20 MiB). A longer file is cut into sorted runs in a
//! temporary file, which are then merged through small buffers; the file goes away with the reader.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use homeostat_core::load::{Gaps, RequestSize};
use homeostat_core::{Instant, Span};

use super::{Cell, Event};
use crate::error::TraceError;

/// Rows that are sorted in memory at once.
pub(crate) const RUN_ROWS: usize = 1 << 19;
const ROW_BYTES: usize = 37;

/// A row as the sort sees it. The order of the fields is the order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    at: u64,
    key: u32,
    row: u64,
    tag: u8,
    a: u64,
    b: u64,
}

impl Row {
    fn bytes(self) -> [u8; ROW_BYTES] {
        let mut out = [0; ROW_BYTES];
        out[..8].copy_from_slice(&self.at.to_le_bytes());
        out[8..12].copy_from_slice(&self.key.to_le_bytes());
        out[12..20].copy_from_slice(&self.row.to_le_bytes());
        out[20] = self.tag;
        out[21..29].copy_from_slice(&self.a.to_le_bytes());
        out[29..].copy_from_slice(&self.b.to_le_bytes());
        out
    }

    fn from_bytes(bytes: &[u8; ROW_BYTES]) -> Self {
        let eight = |at: usize| {
            let mut part = [0; 8];
            part.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(part)
        };
        let key = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
        Self { at: eight(0), key, row: eight(12), tag: bytes[20], a: eight(21), b: eight(29) }
    }
}

impl From<Cell> for Row {
    fn from(cell: Cell) -> Self {
        let (shape, b) = match cell.gaps {
            Gaps::Poisson => (0, 0.0),
            Gaps::Gamma { cv } => (1, cv),
            Gaps::Weibull { shape } => (2, shape),
        };
        let tag = shape | if cell.value.is_none() { 4 } else { 0 };
        let a = cell.value.unwrap_or_default().to_bits();
        Self { at: cell.at.0, key: cell.key, row: cell.row, tag, a, b: b.to_bits() }
    }
}

impl From<Row> for Cell {
    fn from(row: Row) -> Self {
        let parameter = f64::from_bits(row.b);
        let gaps = match row.tag & 3 {
            1 => Gaps::Gamma { cv: parameter },
            2 => Gaps::Weibull { shape: parameter },
            _ => Gaps::Poisson,
        };
        let value = (row.tag & 4 == 0).then(|| f64::from_bits(row.a));
        Self { at: Instant(row.at), row: row.row, key: row.key, value, gaps }
    }
}

impl From<Event> for Row {
    fn from(event: Event) -> Self {
        let RequestSize { service, input_tokens, output_tokens } = event.size;
        let tag = u8::from(service.is_some())
            | u8::from(input_tokens.is_some()) << 1
            | u8::from(output_tokens.is_some()) << 2;
        let tokens =
            u64::from(input_tokens.unwrap_or_default()) | u64::from(output_tokens.unwrap_or_default()) << 32;
        Self { at: event.at.0, key: 0, row: event.row, tag, a: service.unwrap_or_default().0, b: tokens }
    }
}

impl From<Row> for Event {
    fn from(row: Row) -> Self {
        let size = RequestSize {
            service: (row.tag & 1 != 0).then_some(Span(row.a)),
            input_tokens: (row.tag & 2 != 0).then_some(row.b as u32),
            output_tokens: (row.tag & 4 != 0).then_some((row.b >> 32) as u32),
        };
        Self { at: Instant(row.at), row: row.row, size }
    }
}

/// Takes rows in any order.
pub(crate) struct Sorter {
    rows: Vec<Row>,
    run_rows: usize,
    spill: Option<Spill>,
}

impl Sorter {
    pub(crate) fn new() -> Self {
        Self::with_run(RUN_ROWS)
    }

    fn with_run(run_rows: usize) -> Self {
        Self { rows: Vec::new(), run_rows, spill: None }
    }

    pub(crate) fn push(&mut self, row: impl Into<Row>) -> Result<(), TraceError> {
        if self.rows.len() == self.run_rows {
            self.rows.sort_unstable();
            let spill = match &mut self.spill {
                Some(spill) => spill,
                none => none.insert(Spill::create()?),
            };
            spill.write(&self.rows)?;
            self.rows.clear();
        }
        self.rows.push(row.into());
        Ok(())
    }

    /// The rows in order of time, key and row.
    pub(crate) fn finish(mut self) -> Result<Sorted, TraceError> {
        self.rows.sort_unstable();
        let mut runs: Vec<Run> = Vec::new();
        if let Some(spill) = &mut self.spill {
            runs = spill.runs()?;
        }
        runs.push(Run::Memory(self.rows.into_iter()));
        let mut sorted = Sorted { heap: BinaryHeap::new(), runs, spill: self.spill };
        for index in 0..sorted.runs.len() {
            sorted.refill(index)?;
        }
        Ok(sorted)
    }
}

/// Rows in order.
pub(crate) struct Sorted {
    heap: BinaryHeap<Reverse<(Row, usize)>>,
    runs: Vec<Run>,
    spill: Option<Spill>,
}

impl Sorted {
    fn refill(&mut self, index: usize) -> Result<(), TraceError> {
        let next = match &mut self.runs[index] {
            Run::Memory(rows) => rows.next(),
            Run::Disk { left: 0, .. } => None,
            Run::Disk { reader, left } => {
                *left -= 1;
                let mut bytes = [0; ROW_BYTES];
                let path = self.spill.as_ref().map(|spill| spill.path.clone()).unwrap_or_default();
                reader.read_exact(&mut bytes).map_err(|source| TraceError::Io {
                    doing: "read back",
                    path,
                    source,
                })?;
                Some(Row::from_bytes(&bytes))
            }
        };
        if let Some(row) = next {
            self.heap.push(Reverse((row, index)));
        }
        Ok(())
    }
}

impl Iterator for Sorted {
    type Item = Result<Row, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        // One run in memory is the normal case and needs no heap traffic.
        if let [Run::Memory(rows)] = self.runs.as_mut_slice() {
            let first = self.heap.pop().map(|Reverse((row, _))| row);
            return first.or_else(|| rows.next()).map(Ok);
        }
        let Reverse((row, index)) = self.heap.pop()?;
        if let Err(error) = self.refill(index) {
            return Some(Err(error));
        }
        Some(Ok(row))
    }
}

enum Run {
    Memory(std::vec::IntoIter<Row>),
    Disk { reader: BufReader<File>, left: u64 },
}

/// Sorted runs in a temporary file, which is removed when this goes away.
struct Spill {
    path: PathBuf,
    out: BufWriter<File>,
    lengths: Vec<u64>,
}

impl Spill {
    fn create() -> Result<Self, TraceError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("homeostat-sort-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => Ok(Self { path, out: BufWriter::with_capacity(1 << 18, file), lengths: Vec::new() }),
            Err(source) => Err(TraceError::Io { doing: "create the sort file", path, source }),
        }
    }

    fn write(&mut self, rows: &[Row]) -> Result<(), TraceError> {
        self.lengths.push(rows.len() as u64);
        rows.iter().try_for_each(|row| self.out.write_all(&row.bytes())).map_err(|source| TraceError::Io {
            doing: "write the sort file",
            path: self.path.clone(),
            source,
        })
    }

    fn runs(&mut self) -> Result<Vec<Run>, TraceError> {
        let open = || {
            self.out.flush()?;
            let mut start = 0;
            let mut runs = Vec::new();
            for left in &self.lengths {
                let mut file = File::open(&self.path)?;
                file.seek(SeekFrom::Start(start))?;
                start += left * ROW_BYTES as u64;
                runs.push(Run::Disk { reader: BufReader::with_capacity(1 << 16, file), left: *left });
            }
            Ok(runs)
        };
        let mut open = open;
        open().map_err(|source| TraceError::Io { doing: "read back", path: self.path.clone(), source })
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorts_through_runs(times in proptest::collection::vec(0..50_u64, 0..200), run in 1..40_usize) {
            let mut sorter = Sorter::with_run(run);
            let mut expected = Vec::new();
            for (row, at) in times.iter().enumerate() {
                let cell = Cell {
                    at: Instant(*at),
                    row: row as u64,
                    key: (row % 3) as u32,
                    value: (row % 5 != 0).then_some(row as f64),
                    gaps: if row % 2 == 0 { Gaps::Poisson } else { Gaps::Gamma { cv: row as f64 } },
                };
                sorter.push(cell).unwrap();
                expected.push(cell);
            }
            expected.sort_by_key(|cell| (cell.at, cell.key, cell.row));
            let sorted: Vec<Cell> = sorter.finish().unwrap().map(|row| row.unwrap().into()).collect();
            prop_assert_eq!(sorted, expected);
        }

        #[test]
        fn keeps_events(
            service in any::<Option<u64>>(),
            input in any::<Option<u32>>(),
            output in any::<Option<u32>>(),
        ) {
            let size = RequestSize { service: service.map(Span), input_tokens: input, output_tokens: output };
            let event = Event { at: Instant(3), row: 9, size };
            prop_assert_eq!(Event::from(Row::from_bytes(&Row::from(event).bytes())), event);
        }
    }
}
