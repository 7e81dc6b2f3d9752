//! Models: each learns from one history and answers with a point forecast of the next steps.

mod direct;
mod features;
mod last;
pub(crate) mod regression;
mod robust;
mod seasonal;

pub use direct::Direct;
pub use last::Last;
pub use robust::{MovingQuantile, RunningMedian, TheilSen};
pub use seasonal::{SeasonalNaive, SeasonalRatio};

use homeostat_core::Instant;

use crate::history::History;

/// All models, the simplest first.
pub const NAMES: [&str; 7] =
    ["last", "running_median", "moving_quantile", "theil_sen", "seasonal_naive", "seasonal_ratio", "direct"];

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
    /// The name shown to users.
    fn name(&self) -> &'static str;

    /// Learns from the newest step of `history`, which may be missing.
    fn update(&mut self, history: &History);

    /// Writes the middle of the distribution of the steps at `places`, which follow the history's last one
    /// in order, in the unit of the series. Gives false, and leaves `out` alone, while it has learned too
    /// little.
    fn predict(&self, history: &History, places: &[Place], out: &mut [f64]) -> bool;

    /// What lies on the logarithmic scale of the history moves by `map`: its offset has changed.
    fn rescale(&mut self, _: &dyn Fn(f64) -> f64) {}

    /// Memory in bytes beyond its own size.
    fn bytes(&self) -> usize {
        0
    }
}

/// The model with this name, for forecasts at `knots` (steps ahead, growing) and between them.
pub(crate) fn build(name: &str, knots: &[usize]) -> Option<Box<dyn Model>> {
    Some(match name {
        "last" => Box::new(Last),
        "running_median" => Box::new(RunningMedian),
        "moving_quantile" => Box::new(MovingQuantile),
        "theil_sen" => Box::new(TheilSen::default()),
        "seasonal_naive" => Box::new(SeasonalNaive),
        "seasonal_ratio" => Box::new(SeasonalRatio),
        "direct" => Box::new(Direct::new(knots)),
        _ => return None,
    })
}

/// The value at `ahead` of values at growing `knots`, linear between them.
pub(crate) fn between(knots: &[usize], values: impl Fn(usize) -> f64, ahead: usize) -> f64 {
    let after = knots.partition_point(|knot| *knot < ahead);
    if after >= knots.len() {
        return values(knots.len() - 1);
    }
    if after == 0 || knots[after] == ahead {
        return values(after);
    }
    let (a, b) = (knots[after - 1], knots[after]);
    let share = (ahead - a) as f64 / (b - a) as f64;
    values(after - 1) * (1.0 - share) + values(after) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_builds_its_model() {
        for name in NAMES {
            assert_eq!(build(name, &[1, 5]).map(|model| model.name()), Some(name));
        }
        assert!(build("none", &[1]).is_none());
    }

    #[test]
    fn between_knots_is_linear() {
        let at = |ahead| between(&[1, 5, 15], |knot| [1.0, 2.0, 4.0][knot], ahead);
        assert_eq!([1, 3, 5, 10, 15, 20].map(at), [1.0, 1.5, 2.0, 3.0, 4.0, 4.0]);
    }
}
