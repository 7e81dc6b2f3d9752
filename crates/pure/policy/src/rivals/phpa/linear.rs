//! A straight line through past counts.
//!
//! Source: `linear_regression.py`: ordinary least squares of the counts over the time from each count to the
//! moment looked at, in seconds, read at zero and rounded up. Rounding errors on whole numbers don't count
//! here.

use homeostat_core::{Instant, Span};

/// The count at `ahead` after `now`, from counts and their times.
pub(super) fn predict(history: &[(Instant, i32)], now: Instant, ahead: Span) -> i32 {
    let [.., (_, last)] = history else { return 0 };
    if history.len() == 1 {
        return *last;
    }
    let target = (now + ahead).as_secs_f64();
    // Times are kept in whole seconds upstream.
    let points = || history.iter().map(|(at, count)| (target - at.as_secs_f64().floor(), f64::from(*count)));
    let n = history.len() as f64;
    let (mean_x, mean_y) = points().fold((0.0, 0.0), |(x, y), point| (x + point.0 / n, y + point.1 / n));
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (x, y) in points() {
        covariance += (x - mean_x) * (y - mean_y);
        variance += (x - mean_x) * (x - mean_x);
    }
    let slope = if variance > 0.0 { covariance / variance } else { 0.0 };
    (mean_y - slope * mean_x - 1e-9).ceil() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(counts: &[i32]) -> Vec<(Instant, i32)> {
        let at = |i: usize| Instant::ZERO + Span::from_secs(100) + Span::from_secs(15) * i as u64;
        counts.iter().enumerate().map(|(i, count)| (at(i), *count)).collect()
    }

    fn ahead(counts: &[i32], seconds: u64) -> i32 {
        let history = history(counts);
        predict(&history, history[history.len() - 1].0, Span::from_secs(seconds))
    }

    #[test]
    fn a_line_is_continued() {
        assert_eq!(ahead(&[2, 4, 6], 15), 8);
        assert_eq!(ahead(&[2, 4, 6], 30), 10);
        assert_eq!(ahead(&[5, 5, 5, 5], 600), 5);
        assert_eq!(ahead(&[7], 600), 7);
        assert_eq!(ahead(&[9, 6, 3], 30), -3);
    }

    #[test]
    fn least_squares_by_hand() {
        // Counts 1, 3, 2 at 0, 1, 2 steps: the line is 1.5 + 0.5 t, at 3 steps 3.0, at 4 steps 3.5.
        assert_eq!(ahead(&[1, 3, 2], 15), 3);
        assert_eq!(ahead(&[1, 3, 2], 30), 4);
    }
}
