//! How many replicas the sample paths need over a window.

use homeostat_core::{Instant, Span};
use homeostat_forecast::Paths;

use super::capacity::Capacity;
use super::feedback::Correction;
use super::meter;

/// Equally likely courses of the rate over a window, step by step: a burst within it counts as one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    /// Rates of each path, path after path, `steps` of each.
    rates: Vec<f64>,
    steps: usize,
    /// Length of a step in seconds.
    seconds: f64,
}

impl Window {
    /// The paths' rates from `from` to `until`, corrected, with a backlog of `backlog` requests to be done
    /// beside them.
    pub(super) fn new(
        paths: &Paths,
        (from, until): (Instant, Instant),
        correction: Correction,
        backlog: f64,
    ) -> Self {
        let length = until.since(from);
        let steps = length.0.div_ceil(paths.step.0.max(1)).max(1);
        let step = Span(length.0 / steps);
        let at = |k: u64| from + step * k;
        let rates =
            paths.iter().flat_map(|path| (0..steps).map(move |k| meter::mean(paths, path, at(k), at(k + 1))));
        let extra = backlog / length.as_secs_f64().max(1e-3);
        let rates = rates.collect();
        let mut window = Self { rates, steps: steps as usize, seconds: step.as_secs_f64().max(1e-3) };
        for k in 0..window.steps {
            let middle = window.quantile(k, 0.5);
            for rate in window.rates.iter_mut().skip(k).step_by(steps as usize) {
                let above = (*rate - middle).max(0.0);
                *rate = (rate.min(middle) + above * correction.spread) * correction.level + extra;
            }
        }
        window
    }

    /// The quantile `level` of step `k`.
    fn quantile(&self, k: usize, level: f64) -> f64 {
        let mut rates: Vec<f64> = self.rates.iter().skip(k).step_by(self.steps).copied().collect();
        rates.sort_unstable_by(f64::total_cmp);
        let place = (level * rates.len() as f64) as usize;
        rates.get(place.min(rates.len().saturating_sub(1))).copied().unwrap_or(0.0)
    }

    /// The same window with the quantile `level` of each step taken for certain.
    pub(super) fn certain(&self, level: f64) -> Self {
        Self { rates: (0..self.steps).map(|k| self.quantile(k, level)).collect(), ..*self }
    }

    /// The expected late share with `replicas`: below what they take in a steady state (with the share
    /// `steady` late) only those are late whose work is too long; above it a backlog grows from step to step.
    pub(super) fn late(&self, capacity: &Capacity, replicas: u32, steady: f64) -> f64 {
        let steady = capacity.highest_rate(replicas, steady);
        let (mut late, mut all) = (0.0, 0.0);
        for path in self.rates.chunks_exact(self.steps) {
            let mut backlog = 0.0;
            for rate in path {
                let share = if backlog <= 0.0 && *rate <= steady {
                    capacity.inevitable()
                } else {
                    let (share, after) = capacity.stretch(*rate, steady, backlog, self.seconds);
                    backlog = after;
                    share
                };
                late += rate * share;
                all += rate;
            }
        }
        if all > 0.0 { late / all } else { 0.0 }
    }

    /// Fewest replicas, from `least` on, whose expected late share is at or below `permitted`.
    pub(super) fn fewest(&self, capacity: &Capacity, (steady, permitted): (f64, f64), least: u32) -> u32 {
        let peak = self.rates.iter().copied().fold(0.0, f64::max);
        let most = capacity.fewest(peak, steady).max(least.max(1));
        let (mut low, mut high) = (least.max(1), most);
        while low < high {
            let middle = low.midpoint(high);
            if self.late(capacity, middle, steady) <= permitted { high = middle } else { low = middle + 1 }
        }
        low
    }
}
