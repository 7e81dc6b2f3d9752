//! What a monitoring system would have recorded of a run: throughput and latency by the time of the
//! answer, in windows of equal length that never merge.
//!
//! [`super::Series`] counts requests by their arrival, because a promise is kept or broken then. A
//! service's own metrics count them when they answer, so that under overload they show the throughput and
//! not the load. Records made for calibration, and replays compared with records, need the latter.

use homeostat_core::{Instant, Span};

use super::histogram::Histogram;

/// Windows at most; what comes later goes to the last one.
const MOST: usize = 1 << 20;

/// What was answered in one window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answered {
    /// Answers that succeeded.
    pub requests: u64,
    /// Those of them within the objective.
    pub met: u64,
    /// Sum of their times in nanoseconds.
    pub total_ns: u128,
    /// Their times.
    pub times: Histogram<4>,
}

/// Answers by window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    start: u64,
    step: u64,
    windows: Vec<Answered>,
}

impl Meter {
    /// Nothing yet, in windows of `step` from `start`.
    pub(crate) fn new(start: Instant, step: Span) -> Self {
        Self { start: start.0, step: step.0.max(1), windows: Vec::new() }
    }

    /// The windows, the first one from the start of the trace.
    pub fn windows(&self) -> &[Answered] {
        &self.windows
    }

    fn at(&mut self, arrival: Instant, time: Span) -> &mut Answered {
        let index = ((arrival + time).0.saturating_sub(self.start) / self.step).min(MOST as u64 - 1) as usize;
        if index >= self.windows.len() {
            self.windows.resize_with(index + 1, Answered::default);
        }
        &mut self.windows[index]
    }

    /// Counts an answer.
    pub(crate) fn add(&mut self, arrival: Instant, time: Span, met: bool) {
        let window = self.at(arrival, time);
        window.requests += 1;
        window.met += u64::from(met);
        window.total_ns += u128::from(time.0);
        window.times.add(time);
    }

    /// Takes an answer back that was counted before.
    pub(crate) fn take_back(&mut self, arrival: Instant, time: Span, met: bool) {
        let window = self.at(arrival, time);
        window.requests -= 1;
        window.met -= u64::from(met);
        window.total_ns -= u128::from(time.0);
        window.times.take_back(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_count_when_they_come() {
        let mut meter = Meter::new(Instant::ZERO, Span::MINUTE);
        meter.add(Instant(59_000_000_000), Span::from_secs(2), false);
        meter.add(Instant(1), Span::SECOND, true);
        let counts: Vec<(u64, u64)> = meter.windows().iter().map(|w| (w.requests, w.met)).collect();
        assert_eq!(counts, [(1, 1), (1, 0)]);
        meter.take_back(Instant(59_000_000_000), Span::from_secs(2), false);
        assert_eq!(meter.windows()[1].times.total(), 0);
    }
}
