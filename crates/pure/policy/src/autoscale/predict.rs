//! The two predictors: a moving average and a straight line, extrapolated over the set-up time.

use std::collections::VecDeque;

use homeostat_core::{Instant, Span};

/// Extrapolation stops after so many steps, however short the time between two values.
const MOST_STEPS: usize = 10_000;

/// Rates (requests per second) within a window of time, oldest first.
#[derive(Debug, Clone)]
pub(super) struct History {
    window: Span,
    rates: VecDeque<(Instant, f64)>,
}

impl History {
    pub(super) const fn new(window: Span) -> Self {
        Self { window, rates: VecDeque::new() }
    }

    /// Adds a rate measured at `at`; a value that isn't newer than the last one is dropped.
    pub(super) fn push(&mut self, at: Instant, rate: f64) {
        if self.rates.back().is_some_and(|(last, _)| *last >= at) {
            return;
        }
        self.rates.push_back((at, rate));
        while self.rates.front().is_some_and(|(first, _)| at.since(*first) > self.window) {
            self.rates.pop_front();
        }
    }

    /// Mean time between two values, in seconds; `None` with fewer than two.
    fn spacing(&self) -> Option<f64> {
        let (first, last) = (self.rates.front()?.0, self.rates.back()?.0);
        let gaps = self.rates.len().checked_sub(1).filter(|gaps| *gaps > 0)?;
        Some(last.since(first).as_secs_f64() / gaps as f64)
    }

    fn latest(&self) -> f64 {
        self.rates.back().map_or(0.0, |(_, rate)| *rate)
    }

    /// Each next value is the mean of the window, which then moves on by one value, up to `ahead`.
    /// Gives the last value predicted and the largest on the way.
    pub(super) fn moving_average(&self, ahead: Span) -> (f64, f64) {
        let Some(spacing) = self.spacing() else {
            return (self.latest(), self.latest());
        };
        let steps = ((ahead.as_secs_f64() / spacing).ceil() as usize).clamp(1, MOST_STEPS);
        let mut values: VecDeque<f64> = self.rates.iter().map(|(_, rate)| *rate).collect();
        let (mut last, mut largest) = (0.0, 0.0_f64);
        for _ in 0..steps {
            last = values.iter().sum::<f64>() / values.len() as f64;
            largest = largest.max(last);
            values.pop_front();
            values.push_back(last);
        }
        (last, largest)
    }

    /// The least-squares line through the window, read at `ahead` after the last value and at the last
    /// value itself. Gives the former and the larger of the two; never less than zero.
    pub(super) fn line(&self, ahead: Span) -> (f64, f64) {
        let Some((end, _)) = self.rates.back().copied().filter(|_| self.rates.len() > 1) else {
            return (self.latest(), self.latest());
        };
        // Seconds before the last value, so that the numbers stay small.
        let points = || self.rates.iter().map(|(at, rate)| (-end.since(*at).as_secs_f64(), *rate));
        let n = self.rates.len() as f64;
        let (sum_t, sum_r) = points().fold((0.0, 0.0), |(t, r), (time, rate)| (t + time, r + rate));
        let (mean_t, mean_r) = (sum_t / n, sum_r / n);
        let (mut covariance, mut variance) = (0.0, 0.0);
        for (time, rate) in points() {
            covariance += (time - mean_t) * (rate - mean_r);
            variance += (time - mean_t) * (time - mean_t);
        }
        let slope = covariance / variance;
        let at = |time: f64| (mean_r + slope * (time - mean_t)).max(0.0);
        let last = at(ahead.as_secs_f64());
        (last, last.max(at(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(rates: &[f64]) -> History {
        let mut history = History::new(Span::MINUTE);
        for (index, rate) in rates.iter().enumerate() {
            history.push(Instant(0) + Span::from_secs(10) * index as u64, *rate);
        }
        history
    }

    #[test]
    fn a_line_is_continued() {
        let (last, largest) = history(&[10.0, 20.0, 30.0]).line(Span::from_secs(100));
        assert!((last - 130.0).abs() < 1e-9 && (largest - 130.0).abs() < 1e-9);
        let (last, largest) = history(&[30.0, 20.0, 10.0]).line(Span::from_secs(100));
        assert_eq!(last, 0.0);
        assert!((largest - 10.0).abs() < 1e-9);
    }

    #[test]
    fn the_average_moves_on() {
        // (10 + 20 + 30) / 3 = 20, then (20 + 30 + 20) / 3 = 23.33, then (30 + 20 + 23.33) / 3 = 24.44.
        let (last, largest) = history(&[10.0, 20.0, 30.0]).moving_average(Span::from_secs(30));
        assert!((last - 220.0 / 9.0).abs() < 1e-9);
        assert_eq!(last, largest);
    }

    #[test]
    fn one_value_is_its_own_prediction() {
        assert_eq!(history(&[7.0]).line(Span::MINUTE), (7.0, 7.0));
        assert_eq!(history(&[7.0]).moving_average(Span::MINUTE), (7.0, 7.0));
        assert_eq!(history(&[]).moving_average(Span::MINUTE), (0.0, 0.0));
    }

    #[test]
    fn old_and_repeated_values_are_dropped() {
        let mut history = history(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!(history.rates.len(), 7); // 10 s to 70 s
        history.push(Instant(0) + Span::from_secs(70), 100.0);
        assert_eq!(history.latest(), 8.0);
    }
}
