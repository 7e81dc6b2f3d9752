//! What is in a trace: one pass, bounded memory, and what looks wrong.

mod fft;
mod meter;
mod periods;
mod pieces;
mod report;
mod runs;
mod scales;
mod suspects;

use std::path::Path;

use homeostat_core::load::{LoadItem, RequestSize};
use homeostat_core::{Instant, Span};

use crate::error::{Place, TraceError};
use crate::options::ReadOptions;
use crate::read::open;
use meter::Meter;
use pieces::{Piece, Pieces};
use scales::Scales;
use suspects::Suspects;

pub use report::{
    Dispersion, Finding, FindingKind, Holes, Inspection, Peak, Period, RatePoint, Stretch, Summary,
};

/// Reads a trace once and says what is in it. `points` is the most points of the series for a plot, at
/// most 2000.
pub fn inspect(path: &Path, options: &ReadOptions, points: usize) -> Result<Inspection, TraceError> {
    let mut trace = open(path, options)?;
    let mut survey = Survey::default();
    let mut pieces = Pieces::default();
    for item in &mut trace.stream {
        let item = item.map_err(|error| TraceError::Stream(error.0))?;
        survey.items += 1;
        if let LoadItem::Request { size, .. } = item {
            survey.sizes.add(size);
        }
        pieces.push(item, |piece| survey.add(piece));
    }
    pieces.finish(|piece| survey.add(piece));
    if survey.start.is_none() {
        return Err(Place::file(path).refuse("the trace has no rows", "rows", "2024-05-01T13:30:00Z,12"));
    }
    Ok(report::inspection(path, &trace, survey, points.clamp(1, 2_000)))
}

/// Everything that is counted on the way.
#[derive(Default)]
struct Survey {
    items: u64,
    start: Option<Instant>,
    end: Instant,
    requests: f64,
    known: Span,
    gaps: Moments,
    last_event: Option<Instant>,
    sizes: Sizes,
    meter: Meter,
    scales: Scales,
    suspects: Suspects,
}

impl Survey {
    fn add(&mut self, piece: Piece) {
        let start = piece.start;
        self.start.get_or_insert(start);
        if piece.is_event() {
            let from = self.last_event.unwrap_or(start).max(self.end.min(start));
            let gap = start.since(from);
            if self.last_event.is_some() {
                self.gaps.add(gap.as_secs_f64());
                self.suspects.silence(from, gap);
            }
            self.last_event = Some(start);
            // The silence before a request is known to be empty.
            self.load(Piece { start: from, span: gap, requests: Some(0.0) });
        } else {
            self.suspects.bin(piece);
        }
        self.load(piece);
    }

    fn load(&mut self, piece: Piece) {
        if let Some(requests) = piece.requests {
            self.requests += requests;
            self.known += piece.span;
        }
        self.end = self.end.max(piece.start + piece.span);
        self.meter.add(piece);
        self.scales.add(piece);
    }

    fn mean_per_second(&self) -> f64 {
        let seconds = self.known.as_secs_f64();
        if seconds > 0.0 { self.requests / seconds } else { 0.0 }
    }
}

/// Mean, spread and range of a stream of numbers (Welford).
#[derive(Debug, Clone, Copy)]
struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
    least: f64,
    most: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { count: 0, mean: 0.0, squares: 0.0, least: f64::INFINITY, most: 0.0 }
    }
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let delta = value - self.mean;
        self.mean += delta / self.count as f64;
        self.squares += delta * (value - self.mean);
        self.least = self.least.min(value);
        self.most = self.most.max(value);
    }

    /// Standard deviation over mean.
    fn cv(&self) -> Option<f64> {
        (self.count > 1 && self.mean > 0.0).then(|| (self.squares / self.count as f64).sqrt() / self.mean)
    }

    fn summary(&self) -> Option<Summary> {
        (self.count > 0).then_some(Summary {
            count: self.count,
            mean: self.mean,
            min: self.least,
            max: self.most,
        })
    }
}

/// Sizes of recorded requests.
#[derive(Debug, Clone, Copy, Default)]
struct Sizes {
    input: Moments,
    output: Moments,
    service_s: Moments,
}

impl Sizes {
    fn add(&mut self, size: RequestSize) {
        if let Some(tokens) = size.input_tokens {
            self.input.add(f64::from(tokens));
        }
        if let Some(tokens) = size.output_tokens {
            self.output.add(f64::from(tokens));
        }
        if let Some(service) = size.service {
            self.service_s.add(service.as_secs_f64());
        }
    }
}
