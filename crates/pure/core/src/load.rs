//! Offered load: what a recorded trace or a generator delivers, one item after another.

use crate::time::{Instant, Span};

/// The shape of the gaps between requests when only their rate is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gaps {
    /// Independent arrivals.
    Poisson,
    /// Gamma-distributed gaps with this coefficient of variation.
    Gamma {
        /// Standard deviation over mean of the gaps.
        cv: f64,
    },
    /// Weibull-distributed gaps with this shape parameter.
    Weibull {
        /// Shape parameter; below one is burstier than Poisson.
        shape: f64,
    },
}

/// How much load falls into a bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BinLoad {
    /// Exactly this many requests, at times that are uniform and independent within the bin.
    Count(u64),
    /// A rate in requests per second; the count is random.
    Rate {
        /// Requests per second.
        per_second: f64,
        /// Shape of the gaps.
        gaps: Gaps,
    },
    /// Nothing is known of this bin. It offers no requests and is left out of averages.
    Missing,
}

/// What is known of the work of one recorded request.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RequestSize {
    /// Recorded time of service, where the trace has one.
    pub service: Option<Span>,
    /// Tokens of the prompt.
    pub input_tokens: Option<u32>,
    /// Tokens generated.
    pub output_tokens: Option<u32>,
}

/// One item of a trace. Items come in order of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LoadItem {
    /// Load over a stretch of time. Bins of several clients or keys may overlap only if they have the
    /// same start.
    Bin {
        /// Start of the bin.
        start: Instant,
        /// Length of the bin.
        span: Span,
        /// How much.
        load: BinLoad,
    },
    /// A single recorded request.
    Request {
        /// When it arrived.
        at: Instant,
        /// What is known of its work.
        size: RequestSize,
    },
}

impl LoadItem {
    /// When the item begins.
    pub const fn start(&self) -> Instant {
        match self {
            Self::Bin { start, .. } => *start,
            Self::Request { at, .. } => *at,
        }
    }
}

/// A failure to deliver the next item, already worded for the user: where, what, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LoadError(pub String);

/// A stream of load items in order of time. Memory does not grow with the length of the trace.
pub type LoadStream = Box<dyn Iterator<Item = Result<LoadItem, LoadError>> + Send>;
