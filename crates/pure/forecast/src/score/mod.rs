//! How good a forecast was: the definitions that every table uses.

mod bootstrap;
mod pit;

pub use bootstrap::{Interval, difference};
pub use pit::pit;

/// Σ|error| / Σ actual; `None` where the actual values add up to zero.
pub fn wape(actual: &[f64], forecast: &[f64]) -> Option<f64> {
    let total: f64 = actual.iter().sum();
    let error: f64 = actual.iter().zip(forecast).map(|(a, f)| (a - f).abs()).sum();
    (total > 0.0).then(|| error / total)
}

/// Mean |error| / `scale`, the mean |error| of a naive forecast; `None` without values or where the naive
/// forecast was exact.
pub fn mase(actual: &[f64], forecast: &[f64], scale: f64) -> Option<f64> {
    let error: f64 = actual.iter().zip(forecast).map(|(a, f)| (a - f).abs()).sum();
    (scale > 0.0 && !actual.is_empty()).then(|| error / actual.len() as f64 / scale)
}

/// Pinball loss of a forecast of the quantile `level` (0 to 1): in the unit of the values.
pub fn pinball(actual: f64, forecast: f64, level: f64) -> f64 {
    let over = actual - forecast;
    if over >= 0.0 { level * over } else { (level - 1.0) * over }
}

/// Mean pinball loss / mean actual; `None` where the actual values add up to zero.
pub fn scaled_pinball(actual: &[f64], forecast: &[f64], level: f64) -> Option<f64> {
    let total: f64 = actual.iter().sum();
    let loss: f64 = actual.iter().zip(forecast).map(|(a, f)| pinball(*a, *f, level)).sum();
    (total > 0.0).then(|| loss / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinball_is_least_at_the_quantile() {
        let values: Vec<f64> = (0..105).map(f64::from).collect();
        let loss = |q: f64| values.iter().map(|v| pinball(*v, q, 0.9)).sum::<f64>();
        let best = (0..105).map(f64::from).min_by(|a, b| loss(*a).total_cmp(&loss(*b)));
        assert_eq!(best, Some(94.0));
    }

    #[test]
    fn wape_of_nothing_is_none() {
        assert_eq!(wape(&[0.0], &[1.0]), None);
        assert_eq!(wape(&[2.0, 2.0], &[1.0, 3.0]), Some(0.5));
    }

    #[test]
    fn scaled_losses_by_hand() {
        assert_eq!(mase(&[2.0, 2.0], &[1.0, 5.0], 4.0), Some(0.5));
        assert_eq!(mase(&[2.0], &[2.0], 0.0), None);
        // 0.9 × 1 below, 0.1 × 1 above, over a total of 4.
        assert_eq!(scaled_pinball(&[2.0, 2.0], &[1.0, 3.0], 0.9), Some(0.25));
    }
}
