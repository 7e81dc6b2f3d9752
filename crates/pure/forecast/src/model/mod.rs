//! Models: each learns from one history and answers with a point forecast of the next steps.

mod autoregression;
mod decomposition;
pub(crate) mod direct;
pub(crate) mod features;
mod harmonic;
mod last;
pub(crate) mod regression;
mod robust;
mod seasonal;
mod smoothing;

pub use autoregression::Autoregression;
pub use decomposition::Decomposition;
pub use harmonic::Harmonic;
pub use last::Last;
pub(crate) use robust::median;
pub use robust::{MovingQuantile, RunningMedian, TheilSen};
pub use seasonal::{SeasonalNaive, SeasonalRatio};
pub use smoothing::Smoothing;

use homeostat_core::Instant;

use crate::history::History;
use crate::hybrid::Hybrid;

/// All models, the simplest first.
pub const NAMES: [&str; 13] = [
    "last",
    "running_median",
    "moving_quantile",
    "theil_sen",
    "seasonal_naive",
    "seasonal_ratio",
    "smoothing",
    "decomposition",
    "autoregression",
    "harmonic",
    "direct",
    "learned",
    "hybrid",
];

/// Where a step stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When the step begins.
    pub at: Instant,
    /// Seconds of local time since the epoch at that moment; days and weeks are counted in these.
    pub local_seconds: i64,
}

/// Forecasts one series, learning from every value.
pub trait Model: Send {
    /// The names shown to users, one for each kind of answer that it has: most models have one.
    fn names(&self) -> &'static [&'static str];

    /// Learns from the newest step of `history`, which may be missing.
    fn update(&mut self, history: &History);

    /// Writes the middle of the distribution of the steps at `places`, which follow the history's last one
    /// in order, in the unit of the series; `answer` counts in the names. Gives false, and leaves `out`
    /// undefined, while it has learned too little.
    fn predict(&self, answer: usize, history: &History, places: &[Place], out: &mut [f64]) -> bool;

    /// What lies on the logarithmic scale of the history moves by `map`: its offset has changed.
    fn rescale(&mut self, _: &dyn Fn(f64) -> f64) {}

    /// Memory in bytes beyond its own size.
    fn bytes(&self) -> usize {
        0
    }
}

/// All models in the order of [`NAMES`], for forecasts at `knots` (steps ahead, growing) and between them.
pub(crate) fn all(knots: &[usize]) -> Vec<Box<dyn Model>> {
    vec![
        Box::new(Last),
        Box::new(RunningMedian),
        Box::new(MovingQuantile),
        Box::new(TheilSen::default()),
        Box::new(SeasonalNaive),
        Box::new(SeasonalRatio),
        Box::new(Smoothing::default()),
        Box::new(Decomposition::default()),
        Box::new(Autoregression::default()),
        Box::new(Harmonic::new(knots)),
        Box::new(Hybrid::new(knots)),
    ]
}

/// The value at `ahead` of values at growing `knots`, linear between them.
pub(crate) fn between(knots: &[usize], values: impl Fn(usize) -> f64, ahead: usize) -> f64 {
    let (below, above, share) = beside(knots, ahead);
    if share == 0.0 { values(below) } else { values(below) * (1.0 - share) + values(above) * share }
}

/// The places of the knots before and after `ahead`, and how far on from the one to the other it is.
pub(crate) fn beside(knots: &[usize], ahead: usize) -> (usize, usize, f64) {
    let after = knots.partition_point(|knot| *knot < ahead);
    if after >= knots.len() {
        return (knots.len() - 1, knots.len() - 1, 0.0);
    }
    if after == 0 || knots[after] == ahead {
        return (after, after, 0.0);
    }
    let (a, b) = (knots[after - 1], knots[after]);
    (after - 1, after, (ahead - a) as f64 / (b - a) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_models() {
        let names: Vec<&str> = all(&[1, 5]).iter().flat_map(|model| model.names()).copied().collect();
        assert_eq!(names, NAMES);
    }

    #[test]
    fn between_knots_is_linear() {
        let at = |ahead| between(&[1, 5, 15], |knot| [1.0, 2.0, 4.0][knot], ahead);
        assert_eq!([1, 3, 5, 10, 15, 20].map(at), [1.0, 1.5, 2.0, 3.0, 4.0, 4.0]);
    }
}
