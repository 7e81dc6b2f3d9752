//! How many replicas the sample paths need over a window.

use homeostat_core::{Instant, Span};
use homeostat_forecast::Paths;

use super::capacity::Capacity;
use super::feedback::Correction;
use super::meter;

/// Steps of the grid of counts that are looked at at once.
const GRID: u32 = 12;

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

    /// The requests that are late with `replicas` beyond the inevitable ones, the mean over the paths: below
    /// what the replicas take in a steady state (with the share `steady` late) there are none; above it a
    /// backlog grows from step to step.
    fn late_requests(&self, capacity: &Capacity, replicas: u32, steady: f64) -> f64 {
        let steady = capacity.highest_rate(replicas, steady);
        let mut late = 0.0;
        for path in self.rates.chunks_exact(self.steps) {
            let mut backlog = 0.0;
            for rate in path {
                if backlog <= 0.0 && *rate <= steady {
                    continue;
                }
                let (share, after) = capacity.stretch(*rate, steady, backlog, self.seconds);
                backlog = after;
                late += rate * (share - capacity.inevitable()).max(0.0);
            }
        }
        late * self.seconds / (self.rates.len() / self.steps).max(1) as f64
    }

    /// The expected late share with `replicas`, the inevitable included.
    pub(super) fn late(&self, capacity: &Capacity, replicas: u32, steady: f64) -> f64 {
        let requests = self.rates.iter().sum::<f64>() * self.seconds / (self.rates.len() / self.steps) as f64;
        let avoidable = self.late_requests(capacity, replicas, steady);
        capacity.inevitable() + if requests > 0.0 { avoidable / requests } else { 0.0 }
    }

    /// The count, from `least` on, at which the replicas and the late requests cost least together, where a
    /// late request costs as much as `price` requests that a busy replica serves.
    ///
    /// That is the condition by which a schedule with full knowledge is the best (the same price for every
    /// late request of all times), with sample paths in place of the knowledge; with one period it is the
    /// newsvendor's. The cost is neither convex nor concave in the count, since an overload makes all late:
    /// a grid is searched, finer and finer around its best.
    pub(super) fn cheapest(&self, capacity: &Capacity, (steady, price): (f64, f64), least: u32) -> u32 {
        let peak = self.rates.iter().copied().fold(0.0, f64::max);
        let served = capacity.rate_of(1.0) * self.seconds * self.steps as f64;
        let cost =
            |count: u32| f64::from(count) * served + price * self.late_requests(capacity, count, steady);
        let mut low = least.max(1);
        let mut high = capacity.fewest(peak, steady).max(low);
        loop {
            let step = ((high - low).div_ceil(GRID)).max(1);
            // From above, so that of equal ones the larger wins.
            let counts = (0..=GRID).map(|k| high.saturating_sub(k * step).max(low));
            let best = counts.min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(high);
            if step == 1 {
                return best;
            }
            (low, high) = (best.saturating_sub(step - 1).max(low), (best + step - 1).min(high));
        }
    }
}
