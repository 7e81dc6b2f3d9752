//! One value per line, evenly spaced: the times come from the step.

use homeostat_core::load::{BinLoad, Gaps, LoadItem};
use homeostat_core::{Instant, Span};

use crate::error::{Place, TraceError, shown};
use crate::number;
use crate::options::Measure;
use crate::source::Lines;

/// Reads the lines of a single column. Empty lines between values are holes.
pub(crate) struct Values {
    pub(crate) lines: Lines,
    /// Lines of the header that are still to be skipped.
    pub(crate) skip: u32,
    pub(crate) column: String,
    pub(crate) measure: Measure,
    pub(crate) at: Instant,
    pub(crate) step: Span,
    /// Empty lines that wait for a value: at the end of the file they mean nothing.
    pub(crate) blanks: u64,
    pub(crate) waiting: Option<BinLoad>,
}

/// Reads a value by what it measures; an empty cell is a hole.
pub(crate) fn load(cell: &[u8], measure: Measure) -> Result<BinLoad, number::BadValue> {
    if cell.is_empty() {
        return Ok(BinLoad::Missing);
    }
    Ok(match measure {
        Measure::Count => BinLoad::Count(match number::digits(cell) {
            Some(count) if count as f64 <= number::MAX_EXACT => count,
            _ => number::count(cell)? as u64,
        }),
        Measure::Rate => BinLoad::Rate { per_second: number::rate(cell)?, gaps: Gaps::Poisson },
    })
}

/// What to tell the user about a load that was refused.
pub(crate) fn advice(measure: Measure, bad: number::BadValue, column: &str) -> (String, &'static str) {
    match (measure, bad) {
        (Measure::Count, number::BadValue::Fraction) => {
            (format!("a whole number; say --map rate={column} if these are requests per second"), "12")
        }
        (Measure::Count, _) => ("a whole number of requests, 0 or more, or nothing".to_owned(), "12"),
        (Measure::Rate, _) => ("a rate in requests per second, 0 or more, or nothing".to_owned(), "0.25"),
    }
}

/// Cuts the quotes that some exports put around numbers.
fn unquote(cell: &[u8]) -> &[u8] {
    cell.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(cell).trim_ascii()
}

impl Values {
    fn bin(&mut self, load: BinLoad) -> Result<LoadItem, TraceError> {
        let start = self.at;
        let Some(next) = start.0.checked_add(self.step.0) else {
            return Err(Place::row(&self.lines.path, self.lines.row).refuse(
                "the trace goes beyond the year 2554",
                "a shorter step",
                "--step 1s",
            ));
        };
        self.at = Instant(next);
        Ok(LoadItem::Bin { start, span: self.step, load })
    }

    fn step(&mut self) -> Option<Result<LoadItem, TraceError>> {
        loop {
            if self.waiting.is_some() && self.blanks > 0 {
                self.blanks -= 1;
                return Some(self.bin(BinLoad::Missing));
            }
            if let Some(load) = self.waiting.take() {
                return Some(self.bin(load));
            }
            let cell = match self.lines.next_line()? {
                Ok(line) => unquote(line),
                Err(error) => return Some(Err(error)),
            };
            // A header may follow empty lines.
            if self.skip > 0 {
                self.skip -= u32::from(!cell.is_empty());
                continue;
            }
            if cell.is_empty() {
                self.blanks += 1;
                continue;
            }
            match load(cell, self.measure) {
                Ok(load) => self.waiting = Some(load),
                Err(bad) => {
                    let problem = format!("`{}` {}", shown(cell), bad.says());
                    let (expected, example) = advice(self.measure, bad, &self.column);
                    let place = Place::row(&self.lines.path, self.lines.row).column(&self.column);
                    return Some(Err(place.refuse(problem, expected, example)));
                }
            }
        }
    }
}

impl Iterator for Values {
    type Item = Result<LoadItem, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step()
    }
}
