//! How many replicas the sample paths need over a window.

use homeostat_core::Instant;
use homeostat_forecast::Paths;

use super::capacity::Capacity;
use super::feedback::Correction;
use super::meter;

/// Equally likely mean rates over a window, rising.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    rates: Vec<f64>,
    seconds: f64,
}

impl Window {
    /// The paths' rates from `from` to `until`, corrected, with a backlog of `backlog` requests to be done
    /// beside
    /// them.
    pub(super) fn new(
        paths: &Paths,
        (from, until): (Instant, Instant),
        correction: Correction,
        backlog: f64,
    ) -> Self {
        let seconds = until.since(from).as_secs_f64().max(1e-3);
        let mut rates: Vec<f64> = paths.iter().map(|path| meter::mean(paths, path, from, until)).collect();
        rates.sort_unstable_by(f64::total_cmp);
        let middle = rates.get(rates.len() / 2).copied().unwrap_or(0.0);
        for rate in &mut rates {
            let above = (*rate - middle).max(0.0);
            *rate = (rate.min(middle) + above * correction.spread) * correction.level + backlog / seconds;
        }
        Self { rates, seconds }
    }

    /// The same window with the quantile `level` taken for certain.
    pub(super) fn certain(&self, level: f64) -> Self {
        let place = (level * self.rates.len() as f64) as usize;
        let rate = self.rates.get(place.min(self.rates.len().saturating_sub(1))).copied();
        Self { rates: vec![rate.unwrap_or(0.0)], seconds: self.seconds }
    }

    /// The expected late share with `replicas`: below what they take in a steady state (within `permitted`)
    /// only
    /// those are late whose work is too long; above it a backlog grows.
    pub(super) fn late(&self, capacity: &Capacity, replicas: u32, permitted: f64) -> f64 {
        let steady = capacity.highest_rate(replicas, permitted);
        // Rates rise: all below the capacity are alike.
        let over = self.rates.partition_point(|rate| *rate <= steady);
        let below: f64 = self.rates[..over].iter().sum();
        let mut late = below * capacity.inevitable();
        let mut all = below;
        for rate in &self.rates[over..] {
            late += rate * capacity.stretch(*rate, steady, 0.0, self.seconds).0;
            all += rate;
        }
        if all > 0.0 { late / all } else { 0.0 }
    }

    /// Fewest replicas, from `least` on, whose expected late share is at or below `permitted`.
    pub(super) fn fewest(&self, capacity: &Capacity, permitted: f64, least: u32) -> u32 {
        let most = self.rates.last().map_or(1, |rate| capacity.fewest(*rate, permitted)).max(least.max(1));
        let (mut low, mut high) = (least.max(1), most);
        while low < high {
            let middle = low.midpoint(high);
            if self.late(capacity, middle, permitted) <= permitted { high = middle } else { low = middle + 1 }
        }
        low
    }
}
