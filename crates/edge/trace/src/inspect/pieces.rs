//! Items as disjoint pieces of the time line: bins with the same start become one.

use homeostat_core::load::{BinLoad, LoadItem};
use homeostat_core::{Instant, Span};

/// A stretch of time and what is expected in it; an event has no length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Piece {
    pub(crate) start: Instant,
    pub(crate) span: Span,
    /// Requests; `None` when nothing is known.
    pub(crate) requests: Option<f64>,
}

impl Piece {
    pub(crate) const fn is_event(&self) -> bool {
        self.span.is_zero()
    }

    pub(crate) fn end(&self) -> Instant {
        self.start + self.span
    }

    /// Requests per second.
    pub(crate) fn rate(&self) -> Option<f64> {
        self.requests.map(|requests| requests / self.span.as_secs_f64())
    }

    fn of(item: LoadItem) -> Self {
        match item {
            LoadItem::Request { at, .. } => Self { start: at, span: Span::ZERO, requests: Some(1.0) },
            LoadItem::Bin { start, span, load } => {
                let requests = match load {
                    BinLoad::Count(count) => Some(count as f64),
                    BinLoad::Rate { per_second, .. } => Some(per_second * span.as_secs_f64()),
                    BinLoad::Missing => None,
                };
                Self { start, span, requests }
            }
        }
    }
}

/// Joins items that share a start.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    held: Option<Piece>,
}

impl Pieces {
    pub(crate) fn push(&mut self, item: LoadItem, mut out: impl FnMut(Piece)) {
        let next = Piece::of(item);
        if let Some(held) = &mut self.held {
            if held.start == next.start && !held.is_event() && !next.is_event() {
                held.span = held.span.max(next.span);
                held.requests = match (held.requests, next.requests) {
                    (Some(a), Some(b)) => Some(a + b),
                    (a, b) => a.or(b),
                };
                return;
            }
            out(*held);
        }
        self.held = Some(next);
    }

    pub(crate) fn finish(self, out: impl FnOnce(Piece)) {
        if let Some(held) = self.held {
            out(held);
        }
    }
}
