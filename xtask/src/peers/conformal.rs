//! Our conformal intervals around others' point forecasts: quantiles of their errors so far, absolute or
//! relative to the forecast. An error counts from the moment that its target is known.

use std::collections::VecDeque;

use homeostat_forecast::Series;
use homeostat_forecast::backtest::LEVELS;

use super::exchange::{Answer, HORIZONS};

/// Errors that are kept.
const MOST: usize = 500;
/// Errors without which the own interval stays.
const FEWEST: usize = 40;
/// Place of the median in [`LEVELS`].
const MIDDLE: usize = 1;

/// The answer with conformal intervals; `relative`: errors are in units of the forecast.
pub(crate) fn conformal(answer: &Answer, series: &Series, relative: bool) -> Answer {
    let mut said = answer.said.clone();
    let scale = |middle: f64| if relative { middle.max(1e-9) } else { 1.0 };
    for horizon in HORIZONS {
        let mut waiting: VecDeque<(usize, f64)> = VecDeque::new();
        let mut errors: VecDeque<f64> = VecDeque::new();
        for ((origin, _), quantiles) in said.iter_mut().filter(|((_, h), _)| *h == horizon) {
            while let Some((_, error)) = waiting.pop_front_if(|(target, _)| *target < *origin) {
                errors.push_back(error);
            }
            errors.drain(..errors.len().saturating_sub(MOST));
            let (middle, target) = (quantiles[MIDDLE], origin + horizon as usize - 1);
            if let Some(actual) = series.values[target].known() {
                waiting.push_back((target, (actual - middle) / scale(middle)));
            }
            if errors.len() >= FEWEST {
                *quantiles = around(middle, scale(middle), &errors);
            }
        }
    }
    Answer { name: answer.name.clone(), said, cpu_us: answer.cpu_us }
}

/// The forecast plus quantiles of the errors (split conformal: level (n + 1)·p of n), its median unchanged.
fn around(middle: f64, scale: f64, errors: &VecDeque<f64>) -> [f64; 5] {
    let mut sorted: Vec<f64> = errors.iter().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let mut out = LEVELS.map(|level| {
        let rank = ((n + 1) as f64 * level).ceil() as usize;
        (middle + scale * sorted[rank.clamp(1, n) - 1]).max(0.0)
    });
    out[MIDDLE] = middle;
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::{Instant, Span};
    use homeostat_forecast::Value;

    /// Errors of 1 to 100 in turn: the quantiles are their ranks, and nothing is known too early.
    #[test]
    fn quantiles_are_ranks_of_errors_that_are_known() {
        let values = (0..3_000).map(|i| Value::Known(10.0 + f64::from(i / 20 % 100 + 1))).collect();
        let series = Series { start: Instant::ZERO, step: Span::MINUTE, values };
        let said = (1..140).map(|i| ((i * 20, 5), [10.0; 5])).collect();
        let answer = Answer { name: "ten".to_owned(), said, cpu_us: 1.0 };
        let found = conformal(&answer, &series, false);
        assert_eq!(found.said[&(40 * 20, 5)], [10.0; 5], "39 errors are too few");
        // Errors 2 to 100 and 1: the 101 are known at origin 102.
        let [low, middle, q90, _, q99] = found.said[&(101 * 20, 5)];
        assert_eq!((low, middle, q90, q99), (16.0, 10.0, 101.0, 110.0));
    }
}
