//! Rows that share a time: duplicates are refused or folded, keys are added or kept apart.

use std::iter::Peekable;
use std::path::PathBuf;

use homeostat_core::Instant;
use homeostat_core::load::{BinLoad, Gaps};

use super::{Cell, Cells};
use crate::error::{Place, TraceError};
use crate::options::{Measure, OnDuplicate};

/// What becomes of the keys of one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// One load per time: the sum.
    Add,
    /// One load per time and key, for keys whose gaps have different shapes.
    Keep,
}

/// Folds cells into loads, in order of time.
pub(crate) struct Merge {
    pub(crate) path: PathBuf,
    /// Name of the time column, for messages.
    pub(crate) column: String,
    pub(crate) measure: Measure,
    pub(crate) on_duplicate: OnDuplicate,
    pub(crate) keys: Keys,
    pub(crate) cells: Peekable<Cells>,
    pub(crate) last: Option<(Instant, u64)>,
}

/// The load of one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Merged {
    pub(crate) at: Instant,
    pub(crate) load: BinLoad,
}

impl Merge {
    fn step(&mut self) -> Option<Result<Merged, TraceError>> {
        let first = match self.cells.next()? {
            Ok(cell) => cell,
            Err(error) => return Some(Err(error)),
        };
        if let Err(error) = self.in_order(first) {
            return Some(Err(error));
        }
        let mut total = match self.fold_duplicates(first) {
            Ok(value) => value,
            Err(error) => return Some(Err(error)),
        };
        while self.keys == Keys::Add
            && let Some(Ok(cell)) = self.cells.next_if(|next| matches!(next, Ok(cell) if cell.at == first.at))
        {
            match self.fold_duplicates(cell) {
                Ok(Some(value)) => total = Some(total.unwrap_or_default() + value),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(Merged { at: first.at, load: self.load(total, first.gaps) }))
    }

    fn in_order(&mut self, cell: Cell) -> Result<(), TraceError> {
        if let Some((at, row)) = self.last
            && cell.at < at
        {
            return Err(Place::row(&self.path, cell.row).column(&self.column).refuse(
                format!("{} is before {} of row {row}", cell.at.to_utc_string(), at.to_utc_string()),
                "rows in order of time; sort the file, or let it be sorted with --sort",
                "--sort",
            ));
        }
        self.last = Some((cell.at, cell.row));
        Ok(())
    }

    /// Takes all rows of the same time and key.
    fn fold_duplicates(&mut self, first: Cell) -> Result<Option<f64>, TraceError> {
        let same = |cell: &Cell| cell.at == first.at && cell.key == first.key;
        let mut sum = first.value;
        let mut rows = u32::from(first.value.is_some());
        while let Some(Ok(cell)) = self.cells.next_if(|next| matches!(next, Ok(cell) if same(cell))) {
            if self.on_duplicate == OnDuplicate::Refuse {
                return Err(self.duplicate(first, cell));
            }
            let Some(value) = cell.value else { continue };
            if self.on_duplicate != OnDuplicate::First {
                sum = Some(sum.unwrap_or_default() + value);
                rows += 1;
            }
        }
        if self.on_duplicate == OnDuplicate::Mean {
            sum = sum.map(|sum| sum / f64::from(rows.max(1)));
        }
        Ok(sum)
    }

    fn duplicate(&self, first: Cell, second: Cell) -> TraceError {
        Place::row(&self.path, second.row).column(&self.column).refuse(
            format!("{} was already in row {}", second.at.to_utc_string(), first.row),
            "every time once; say --on-duplicate first, sum or mean, \
             or --map key=COLUMN if the rows belong to several series",
            "--on-duplicate sum",
        )
    }

    fn load(&self, value: Option<f64>, gaps: Gaps) -> BinLoad {
        match (value, self.measure) {
            (None, _) => BinLoad::Missing,
            (Some(count), Measure::Count) => BinLoad::Count((count + 0.5) as u64),
            (Some(per_second), Measure::Rate) => BinLoad::Rate { per_second, gaps },
        }
    }
}

impl Iterator for Merge {
    type Item = Result<Merged, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step()
    }
}
