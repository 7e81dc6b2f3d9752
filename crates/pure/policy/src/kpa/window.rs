//! Averages over a window of one-second buckets, and the greatest value of a window.
//!
//! Source: `pkg/autoscaler/aggregation/bucketing.go` (`TimedFloat64Buckets`) and
//! `pkg/autoscaler/aggregation/max`. Sums are kept up to date in upstream's order of operations, so the
//! averages agree to the last bit.

use std::collections::VecDeque;

use homeostat_core::{Instant, Span};

/// Whole seconds since the origin.
const fn second(at: Instant) -> u64 {
    at.0 / Span::SECOND.0
}

/// Sums per second over the last seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets {
    ring: Vec<f64>,
    total: f64,
    written: Option<Written>,
}

/// The seconds of the first and the last value of a stretch without long gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    first: u64,
    last: u64,
}

impl Buckets {
    /// Buckets for `window`, which is rounded up to whole seconds.
    pub fn new(window: Span) -> Self {
        let seconds = window.0.div_ceil(Span::SECOND.0).max(1);
        Self { ring: vec![0.0; seconds as usize], total: 0.0, written: None }
    }

    fn window(&self) -> u64 {
        self.ring.len() as u64
    }

    fn slot(&self, second: u64) -> usize {
        (second % self.window()) as usize
    }

    /// Adds `value` to the bucket of `at`; values older than the window are dropped.
    pub fn record(&mut self, at: Instant, value: f64) {
        let now = second(at);
        if let Some(Written { first, last }) = self.written {
            if now + self.window() <= last {
                return;
            }
            self.written = Some(Written { first: first.min(now), last: last.max(now) });
            if now >= last + self.window() {
                self.restart(now);
            } else {
                for stale in last + 1..=now {
                    let slot = self.slot(stale);
                    self.total -= self.ring[slot];
                    self.ring[slot] = 0.0;
                }
            }
        } else {
            self.restart(now);
        }
        let slot = self.slot(now);
        self.ring[slot] += value;
        self.total += value;
    }

    fn restart(&mut self, now: u64) {
        self.ring.fill(0.0);
        self.total = 0.0;
        self.written = Some(Written { first: now, last: now });
    }

    /// Whether nothing was recorded for more than the window.
    pub fn is_empty(&self, at: Instant) -> bool {
        self.written.is_none_or(|written| second(at) > written.last + self.window())
    }

    /// The average per second, over the part of the window that has values.
    pub fn average(&self, at: Instant) -> f64 {
        let Some(Written { first, last }) = self.written else {
            return 0.0;
        };
        let silent = second(at).saturating_sub(last);
        if silent >= self.window() {
            return 0.0;
        }
        let mut sum = self.total;
        for stale in last + 1..=last + silent {
            sum -= self.ring[self.slot(stale)];
        }
        let buckets = (last - first + 1).min(self.window() - silent);
        (sum / buckets as f64 * 1e6).round() / 1e6
    }
}

/// The greatest of the values recorded within a window, in steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greatest {
    size: u64,
    step: Span,
    /// Step and value, the greatest first.
    maxima: VecDeque<(u64, i32)>,
}

impl Greatest {
    /// A window of `length` in steps of `step`, rounded up.
    pub fn new(length: Span, step: Span) -> Self {
        Self { size: length.0.div_ceil(step.0), step, maxima: VecDeque::new() }
    }

    /// Records a value and returns the greatest.
    pub fn record(&mut self, at: Instant, mut value: i32) -> i32 {
        let index = second(at) / (self.step.0 / Span::SECOND.0);
        while self.maxima.back().is_some_and(|(_, last)| value >= *last) {
            self.maxima.pop_back();
        }
        while self.maxima.front().is_some_and(|(first, _)| index - first >= self.size) {
            self.maxima.pop_front();
        }
        if let Some((_, last)) = self.maxima.back().filter(|(last, _)| *last == index) {
            value = value.max(*last);
            self.maxima.pop_back();
        }
        self.maxima.push_back((index, value));
        self.maxima[0].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(1000 + seconds)
    }

    #[test]
    fn a_short_history_is_averaged_over_itself() {
        let mut buckets = Buckets::new(Span::MINUTE);
        for k in 0..6 {
            buckets.record(at(k), 10.0);
        }
        assert_eq!(buckets.average(at(5)), 10.0);
        assert_eq!(buckets.average(at(15)), 10.0);
    }

    #[test]
    fn gaps_count_as_zero() {
        let mut buckets = Buckets::new(Span::from_secs(10));
        buckets.record(at(0), 6.0);
        buckets.record(at(2), 6.0);
        assert_eq!(buckets.average(at(2)), 4.0);
    }

    #[test]
    fn silence_empties_the_window() {
        let mut buckets = Buckets::new(Span::from_secs(5));
        buckets.record(at(0), 5.0);
        assert!(!buckets.is_empty(at(5)));
        assert!(buckets.is_empty(at(6)));
        assert_eq!(buckets.average(at(5)), 0.0);
    }

    #[test]
    fn averages_have_six_digits() {
        let mut buckets = Buckets::new(Span::from_secs(3));
        buckets.record(at(0), 1.0);
        buckets.record(at(2), 0.0);
        assert_eq!(buckets.average(at(2)), 0.333_333);
    }

    #[test]
    fn greatest_value_leaves_with_its_step() {
        let mut greatest = Greatest::new(Span::from_secs(5), Span::SECOND);
        let seen: Vec<_> = [5, 8, 5, 7, 5, 5, 1, 4, 4, 4, 4]
            .into_iter()
            .zip(0..)
            .map(|(value, k)| greatest.record(at(k), value))
            .collect();
        assert_eq!(seen, [5, 8, 8, 8, 8, 8, 7, 7, 5, 5, 4]);
    }

    #[test]
    fn the_greater_of_one_step_stays() {
        let mut greatest = Greatest::new(Span::from_secs(4), Span::from_secs(2));
        assert_eq!([greatest.record(at(0), 6), greatest.record(at(1), 5)], [6, 6]);
    }
}
