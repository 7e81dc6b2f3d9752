//! Integrals of replica counts over time: hours to pay, and series to draw.

use homeostat_core::{Instant, Span};

use super::series::{Merge, Series, Windows};

/// Replica counts of a service at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Taking traffic.
    pub(crate) ready: u32,
    /// Ordered and not ready.
    pub(crate) starting: u32,
    /// All that are paid for, draining ones included.
    pub(crate) existing: u32,
    /// Asked for.
    pub(crate) desired: u32,
}

/// ∫ counts dt in replica-nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Area {
    pub(crate) ready: u128,
    pub(crate) starting: u128,
    pub(crate) desired: u128,
}

impl Merge for Area {
    fn merge(&mut self, next: &Self) {
        self.ready += next.ready;
        self.starting += next.starting;
        self.desired += next.desired;
    }
}

/// The ledger of one service.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    scored_from: Instant,
    at: u64,
    counts: Counts,
    closed: bool,
    scored_ns: u128,
    windows: Windows<Area>,
}

impl Ledger {
    pub(crate) fn new(start: Instant, scored_from: Instant, step: Span) -> Self {
        Self {
            scored_from,
            at: start.0,
            counts: Counts::default(),
            closed: false,
            scored_ns: 0,
            windows: Windows::new(start, step),
        }
    }

    /// From `now` on these counts hold.
    pub(crate) fn set(&mut self, now: Instant, counts: Counts) {
        self.pass(now.0);
        self.counts = counts;
    }

    /// Nothing after `end` is counted.
    pub(crate) fn close(&mut self, end: Instant) {
        self.pass(end.0);
        self.closed = true;
    }

    /// Replica-hours in the scored window so far.
    pub(crate) fn replica_hours(&self) -> f64 {
        self.scored_ns as f64 / Span::HOUR.0 as f64
    }

    /// The windows so far.
    pub(crate) const fn windows(&mut self) -> &mut Windows<Area> {
        &mut self.windows
    }

    fn pass(&mut self, to: u64) {
        if self.closed || to <= self.at {
            return;
        }
        let scored = to.saturating_sub(self.at.max(self.scored_from.0));
        self.scored_ns += u128::from(scored) * u128::from(self.counts.existing);
        while self.at < to {
            let (area, end) = self.windows.at(self.at);
            let elapsed = u128::from(end.min(to) - self.at);
            area.ready += elapsed * u128::from(self.counts.ready);
            area.starting += elapsed * u128::from(self.counts.starting);
            area.desired += elapsed * u128::from(self.counts.desired);
            self.at = end.min(to);
        }
    }
}

/// Replica counts over time in windows of `step`, summed over the services.
pub(crate) fn count_series<'a>(
    series: &mut Series,
    ledgers: impl Iterator<Item = &'a mut Ledger>,
    step: Span,
    span: Span,
) {
    let length = span.0.div_ceil(step.0) as usize;
    for values in [&mut series.ready, &mut series.starting, &mut series.desired] {
        values.resize(length, 0.0);
    }
    for ledger in ledgers {
        let windows = ledger.windows();
        windows.widen(step);
        for (i, area) in windows.items().iter().enumerate().take(length) {
            let covered = step.0.min(span.0 - step.0 * i as u64) as f64;
            series.ready[i] += area.ready as f64 / covered;
            series.starting[i] += area.starting as f64 / covered;
            series.desired[i] += area.desired as f64 / covered;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_counted_in_the_scored_window_only() {
        let counts = Counts { ready: 1, starting: 1, existing: 2, desired: 2 };
        let at = |hours| Instant::ZERO + Span::HOUR * hours;
        let mut ledger = Ledger::new(at(0), at(2), Span::MINUTE);
        ledger.set(at(0), counts);
        ledger.set(at(5), Counts::default());
        ledger.close(at(6));
        ledger.set(at(9), counts);
        assert_eq!(ledger.replica_hours(), 6.0);
    }
}
