//! Bins as rows: one per start, the keys added up.

use homeostat_core::load::{BinLoad, LoadItem, LoadStream, RequestSize};
use homeostat_core::{Instant, Span};

use crate::error::TraceError;

/// What a bin holds, both ways.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    pub(super) requests: f64,
    pub(super) per_second: f64,
}

impl Load {
    /// `None` for a hole.
    pub(super) fn of(load: BinLoad, span: Span) -> Option<Self> {
        let seconds = span.as_secs_f64();
        match load {
            BinLoad::Missing => None,
            BinLoad::Count(count) => {
                let requests = count as f64;
                Some(Self { requests, per_second: if seconds > 0.0 { requests / seconds } else { 0.0 } })
            }
            BinLoad::Rate { per_second, .. } => Some(Self { requests: per_second * seconds, per_second }),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self { requests: self.requests + other.requests, per_second: self.per_second + other.per_second }
    }
}

/// A bin to be written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    pub(super) start: Instant,
    pub(super) span: Span,
    pub(super) load: Option<Load>,
}

impl Row {
    fn join(&mut self, other: Self) {
        self.span = self.span.max(other.span);
        self.load = match (self.load, other.load) {
            (Some(a), Some(b)) => Some(a.plus(b)),
            (a, b) => a.or(b),
        };
    }
}

/// A row, or a request of an event log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    Bin(Row),
    Request(Instant, RequestSize),
}

/// Reads a stream, joining bins with the same start.
pub(super) struct Parts {
    stream: LoadStream,
    held: Option<Row>,
    next: Option<Part>,
}

impl Parts {
    pub(super) fn new(stream: LoadStream) -> Self {
        Self { stream, held: None, next: None }
    }

    fn step(&mut self) -> Result<Option<Part>, TraceError> {
        loop {
            if let Some(part) = self.next.take() {
                return Ok(Some(part));
            }
            let item = self.stream.next().transpose().map_err(|error| TraceError::Stream(error.0))?;
            let next = match item {
                None => return Ok(self.held.take().map(Part::Bin)),
                Some(LoadItem::Bin { start, span, load }) => Row { start, span, load: Load::of(load, span) },
                Some(LoadItem::Request { at, size }) => {
                    let request = Part::Request(at, size);
                    let Some(held) = self.held.take() else { return Ok(Some(request)) };
                    self.next = Some(request);
                    return Ok(Some(Part::Bin(held)));
                }
            };
            match &mut self.held {
                Some(held) if held.start == next.start => held.join(next),
                held => {
                    if let Some(done) = held.replace(next) {
                        return Ok(Some(Part::Bin(done)));
                    }
                }
            }
        }
    }
}

impl Iterator for Parts {
    type Item = Result<Part, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

/// The rows of a series; refuses requests.
pub(super) fn rows(stream: LoadStream) -> impl Iterator<Item = Result<Row, TraceError>> {
    Parts::new(stream).map(|part| match part? {
        Part::Bin(row) => Ok(row),
        Part::Request(at, _) => Err(TraceError::Stream(format!(
            "the request at {} belongs to no bin; give a length of bins with --step, for example `--step 10s`",
            at.to_utc_string()
        ))),
    })
}
