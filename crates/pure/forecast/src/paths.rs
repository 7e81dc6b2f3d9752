//! Sample paths: equally likely futures.

use homeostat_core::{Instant, Span};

/// Equally likely futures of a series, step by step.
#[derive(Debug, Clone, PartialEq)]
pub struct Paths {
    /// When the first step of the future begins.
    pub from: Instant,
    /// Length of a step.
    pub step: Span,
    /// Steps of each path.
    pub steps: usize,
    /// Path after path, `steps` values each: mean over the step, in the unit of the series, never negative.
    pub values: Vec<f32>,
}

impl Paths {
    /// Number of paths.
    pub fn count(&self) -> usize {
        self.values.len().checked_div(self.steps).unwrap_or(0)
    }

    /// The paths one after the other.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.steps.max(1))
    }

    /// Quantiles of step `step` (0 is the first) for the levels `levels` (each in 0 to 1), linear between
    /// neighbours (Hyndman and Fan's type 7). NaN without paths.
    pub fn quantiles<const N: usize>(&self, step: usize, levels: [f64; N]) -> [f64; N] {
        let mut values: Vec<f32> = self.iter().filter_map(|path| path.get(step)).copied().collect();
        values.sort_unstable_by(f32::total_cmp);
        levels.map(|level| quantile(&values, level))
    }
}

/// The quantile `level` (0 to 1) of sorted values, linear between neighbours (Hyndman and Fan's type 7); NaN
/// of none.
pub fn quantile<T: Copy + Into<f64>>(sorted: &[T], level: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = level.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let (a, b): (f64, f64) = (sorted[below].into(), sorted[(below + 1).min(last)].into());
    a + (b - a) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_values_of_one_step() {
        let values = vec![1.0, 10.0, 3.0, 30.0, 2.0, 20.0];
        let paths = Paths { from: Instant::ZERO, step: Span::MINUTE, steps: 2, values };
        assert_eq!(paths.count(), 3);
        assert_eq!(paths.quantiles(1, [0.0, 0.25, 0.5, 1.0]), [10.0, 15.0, 20.0, 30.0]);
    }
}
