//! Bins of another length: a grid of multiples of the step, loads cut at its lines.
//!
//! A bin of which more is missing than known is a hole; otherwise its count is what was recorded, and its
//! rate is the mean over the known part. What lies before the start or after the end is not missing, so
//! no request is lost at the edges.

use homeostat_core::load::LoadStream;
use homeostat_core::{Instant, Span};

use super::rows::{self, Load, Parts, Row};
use crate::error::{BadOption, TraceError};

/// Puts a stream on a grid.
pub(super) struct Resample {
    parts: Parts,
    step: Span,
    /// The grid bin that is being filled.
    bin: Option<Bin>,
    /// The item that reaches beyond it.
    rest: Option<Part>,
    ended: bool,
}

#[derive(Debug, Clone, Copy)]
struct Bin {
    start: Instant,
    requests: f64,
    known: u64,
    missing: u64,
    /// Holds a recorded request, so all of it counts as known.
    log: bool,
}

/// What is left of an item.
#[derive(Debug, Clone, Copy)]
struct Part {
    start: Instant,
    end: Instant,
    per_ns: Option<f64>,
    log: bool,
}

impl Part {
    fn of(part: rows::Part) -> Self {
        match part {
            rows::Part::Request(at, _) => Self { start: at, end: at, per_ns: None, log: true },
            rows::Part::Bin(Row { start, span, load }) => {
                let per_ns = load.map(|load| load.requests / span.0.max(1) as f64);
                Self { start, end: start + span.max(Span(1)), per_ns, log: false }
            }
        }
    }
}

impl Resample {
    pub(super) fn new(stream: LoadStream, step: Span) -> Result<Self, TraceError> {
        if step.is_zero() {
            return Err(TraceError::Option(BadOption {
                option: "--step",
                found: step.to_string(),
                expected: "a length above zero".to_owned(),
                example: "--step 10s",
            }));
        }
        Ok(Self { parts: Parts::new(stream), step, bin: None, rest: None, ended: false })
    }

    fn grid(&self, at: Instant) -> Instant {
        Instant(at.0 - at.0 % self.step.0)
    }

    /// Adds to the current bin what falls into it; the bin when it is complete.
    fn fill(&mut self, part: Part) -> Option<Bin> {
        let mut bin = match self.bin.take() {
            Some(bin) => bin,
            None => Bin { start: self.grid(part.start), requests: 0.0, known: 0, missing: 0, log: part.log },
        };
        let border = bin.start + self.step;
        if part.start >= border {
            self.rest = Some(part);
            return Some(self.next_bin(bin, part));
        }
        if part.start == part.end {
            bin.requests += 1.0;
            bin.log = true;
            self.bin = Some(bin);
            return None;
        }
        let end = part.end.min(border);
        let length = end.since(part.start).0;
        if let Some(per_ns) = part.per_ns {
            bin.requests += per_ns * length as f64;
            bin.known += length;
        } else {
            bin.missing += length;
        }
        if part.end > border {
            self.rest = Some(Part { start: border, ..part });
        }
        self.bin = Some(bin);
        if part.end >= border { self.bin.take() } else { None }
    }

    /// Moves to the bin after `bin`: between requests of a log every bin is known to be empty.
    fn next_bin(&mut self, bin: Bin, part: Part) -> Bin {
        let start = bin.start + self.step;
        let log = bin.log && part.log;
        self.bin = Some(Bin { start, requests: 0.0, known: 0, missing: 0, log });
        bin
    }

    fn row(&self, bin: Bin) -> Row {
        let known = if bin.log { self.step.0 } else { bin.known };
        let load = (known > 0 && known >= bin.missing)
            .then(|| Load { requests: bin.requests, per_second: bin.requests / Span(known).as_secs_f64() });
        Row { start: bin.start, span: self.step, load }
    }

    fn step(&mut self) -> Result<Option<Row>, TraceError> {
        loop {
            let part = match self.rest.take() {
                Some(part) => part,
                None if self.ended => return Ok(None),
                None => match self.parts.next().transpose()? {
                    Some(part) => Part::of(part),
                    None => {
                        self.ended = true;
                        return Ok(self.bin.take().map(|bin| self.row(bin)));
                    }
                },
            };
            if let Some(bin) = self.fill(part) {
                return Ok(Some(self.row(bin)));
            }
        }
    }
}

impl Iterator for Resample {
    type Item = Result<Row, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
