//! Load by the bin: how many requests a stretch of time brings.
//!
//! A bin has the same count as in the request twin, from the same draws. Within a bin requests are
//! independent, so that the count of a part of it is binomial.

use homeostat_core::draw::{Draws, Key};
use homeostat_core::load::{BinLoad, LoadItem, LoadStream};
use homeostat_core::{Instant, Span};

use super::check;
use crate::engine::Stop;

/// From this variance on a binomial count is drawn as a normal one.
const NORMAL_FROM: f64 = 16.0;

/// Load of the present and all bins to come.
pub(super) struct Load {
    stream: LoadStream,
    key: Key,
    bins: u64,
    ahead: Option<LoadItem>,
    error: Option<Stop>,
    /// End of the present bin; its start while there is none yet.
    pub(super) until: Instant,
    /// Requests still to come before `until`.
    left: u64,
    /// Requests per second over the present bin.
    pub(super) rate: f64,
    /// End of the last bin seen.
    pub(super) end: Instant,
}

impl Load {
    pub(super) fn new(stream: LoadStream, key: Key) -> Self {
        let mut new = Self {
            stream,
            key: key.child("arrivals"),
            bins: 0,
            ahead: None,
            error: None,
            until: Instant::ZERO,
            left: 0,
            rate: 0.0,
            end: Instant::ZERO,
        };
        new.look_ahead();
        new.until = new.start().unwrap_or_default();
        new
    }

    /// The start of the first item.
    pub(super) fn start(&self) -> Option<Instant> {
        self.ahead.as_ref().map(LoadItem::start)
    }

    /// Why there is no more, if not for the end of the trace.
    pub(super) fn error(&mut self) -> Option<Stop> {
        self.error.take()
    }

    fn look_ahead(&mut self) {
        self.ahead = match self.stream.next() {
            Some(Ok(item)) => match check::item(&item) {
                Ok(()) => Some(item),
                Err(error) => {
                    self.error = Some(Stop::Unsupported(error));
                    None
                }
            },
            Some(Err(error)) => {
                self.error = Some(Stop::Trace(error));
                None
            }
            None => None,
        };
    }

    /// Goes on to the next bin, or to the gap before it. Returns false at the end of the trace.
    pub(super) fn next_bin(&mut self) -> bool {
        let Some(start) = self.start() else { return false };
        (self.left, self.rate) = (0, 0.0);
        if start > self.until {
            self.until = start;
            return true;
        }
        let mut length = Span::ZERO;
        while let Some(LoadItem::Bin { start: same, span, load }) = self.ahead {
            if same != start {
                break;
            }
            self.left += self.count(load, span);
            length = length.max(span);
            self.end = self.end.max(start + span);
            self.look_ahead();
        }
        self.until = start + length;
        self.rate = self.left as f64 / length.as_secs_f64().max(1e-9);
        true
    }

    fn count(&mut self, load: BinLoad, span: Span) -> u64 {
        let mut draws = self.key.at(self.bins);
        self.bins += 1;
        match load {
            BinLoad::Missing => 0,
            BinLoad::Count(count) => count,
            BinLoad::Rate { per_second, .. } => draws.poisson(per_second * span.as_secs_f64()),
        }
    }

    /// Requests from `from` to `to`, which lie in the present bin.
    pub(super) fn take(&mut self, from: Instant, to: Instant, draws: &mut Draws) -> u64 {
        let count = if to >= self.until {
            self.left
        } else {
            part(self.left, to.since(from).0 as f64 / self.until.since(from).0 as f64, draws)
        };
        self.left -= count;
        count
    }

    /// Requests of the last [`Self::take`] that come later after all.
    pub(super) const fn put_back(&mut self, count: u64) {
        self.left += count;
    }
}

/// A binomial count.
fn part(n: u64, p: f64, draws: &mut Draws) -> u64 {
    let mean = n as f64 * p;
    let variance = mean * (1.0 - p);
    if variance >= NORMAL_FROM {
        return ((mean + variance.sqrt() * draws.normal() + 0.5).max(0.0) as u64).min(n);
    }
    draws.binomial(n, p)
}
