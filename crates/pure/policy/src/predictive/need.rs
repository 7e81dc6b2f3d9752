//! How many replicas the sample paths need over a window.

use homeostat_core::{Instant, Span};
use homeostat_forecast::Paths;

use super::capacity::Capacity;
use super::meter;

/// Steps of the grid of counts that are looked at at once.
const GRID: u32 = 32;

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
    /// The paths' rates from `from` to `until`, with a backlog of `backlog` requests to be done beside them.
    pub(super) fn new(paths: &Paths, (from, until): (Instant, Instant), backlog: f64) -> Self {
        let length = until.since(from);
        let steps = length.0.div_ceil(paths.step.0.max(1)).max(1);
        let step = Span(length.0 / steps);
        let at = |k: u64| from + step * k;
        let extra = backlog / length.as_secs_f64().max(1e-3);
        let rate = |path, k| meter::mean(paths, path, at(k), at(k + 1)) + extra;
        let rates = paths.iter().flat_map(|path| (0..steps).map(move |k| rate(path, k))).collect();
        Self { rates, steps: steps as usize, seconds: step.as_secs_f64().max(1e-3) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Promise, ServiceModel};
    use homeostat_core::draw::Key;

    /// 20 requests per second and replica.
    fn capacity() -> Capacity {
        let work = Span::from_secs_f64(0.2);
        let service = ServiceModel {
            work,
            work_cv: 0.5,
            beyond: vec![1.0, 0.1, 0.0],
            slots: 4.0,
            start_up: Span::MINUTE * 2,
        };
        Capacity::new(&service, Promise { latency: Span::SECOND, attainment: 0.999 })
    }

    fn window(rates: Vec<f64>, steps: usize) -> Window {
        Window { rates, steps, seconds: 30.0 }
    }

    #[test]
    fn the_cheapest_is_that_of_a_search_of_all_counts() {
        let capacity = capacity();
        for seed in 0..200 {
            let mut draws = Key::root(seed).at(0);
            let (level, spread) = (50.0 + 400.0 * draws.uniform(), 0.4 * draws.uniform());
            let rates = (0..400).map(|_| level * homeostat_core::num::exp(spread * draws.normal())).collect();
            let window = window(rates, 2);
            let price = 1.0 + 300.0 * draws.uniform();
            let cost = |n: u32| {
                f64::from(n) * capacity.rate_of(1.0) * 60.0
                    + price * window.late_requests(&capacity, n, 0.0004)
            };
            let found = window.cheapest(&capacity, (0.0004, price), 1);
            let least = (1..2 * found + 20).map(cost).fold(f64::INFINITY, f64::min);
            // A grid may stop in a valley that is nearly as deep.
            assert!(
                cost(found) <= 1.01 * least,
                "seed {seed}: {} at {found}, {least} is possible",
                cost(found)
            );
        }
    }

    #[test]
    fn a_dearer_late_request_never_takes_a_replica_away() {
        let capacity = capacity();
        let mut draws = Key::root(7).at(0);
        let window = window((0..400).map(|_| 100.0 + 100.0 * draws.uniform()).collect(), 2);
        let counts: Vec<u32> =
            [1.0, 3.0, 10.0, 100.0, 1e4].map(|price| window.cheapest(&capacity, (0.0004, price), 1)).into();
        assert!(counts.windows(2).all(|pair| pair[0] <= pair[1]), "{counts:?}");
        assert!(counts[0] < counts[4], "{counts:?}");
    }
}
