//! One signal of one replica.

use homeostat_core::Instant;

use super::{Eta, Settings, Verdict, Why};
use crate::trend::theil_sen;

/// Blocks kept; when they are full, pairs become one and blocks twice as long.
const BLOCKS: usize = 96;

/// Watches one signal of one replica.
#[derive(Debug, Clone)]
pub struct Detector {
    settings: Settings,
    limit: Option<f64>,
    since: Option<Instant>,
    open: (f64, f64),
    index: u64,
    blocks: Vec<(f64, f64)>,
    agreed: u32,
    verdict: Verdict,
}

impl Detector {
    /// A detector that knows nothing yet; `limit` in the signal's unit.
    pub fn new(settings: Settings, limit: Option<f64>) -> Self {
        Self {
            settings,
            limit,
            since: None,
            open: (0.0, 0.0),
            index: 0,
            blocks: Vec::new(),
            agreed: 0,
            verdict: Verdict::nothing(Why::NoData),
        }
    }

    /// Takes one reading: the value in the signal's unit and the load of the replica (requests/s or in
    /// flight), each `None` where it is missing. Readings must come in order of time; late ones are ignored.
    pub fn update(&mut self, at: Instant, value: Option<f64>, _load: Option<f64>) {
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        let since = *self.since.get_or_insert(at);
        let index = at.since(since).0 / self.settings.block.0.max(1);
        if index > self.index && self.open.0 > 0.0 {
            let hours = (self.settings.block * self.index).as_hours_f64();
            if self.blocks.len() == BLOCKS {
                self.blocks.remove(0);
            }
            self.blocks.push((hours, self.open.1 / self.open.0));
            self.open = (0.0, 0.0);
            self.judge();
        }
        self.index = index;
        self.open = (self.open.0 + 1.0, self.open.1 + value);
    }

    /// The replica was restarted or got a new version: the clock starts again.
    pub fn restarted(&mut self, _at: Instant) {
        *self = Self::new(self.settings, self.limit);
    }

    /// What is thought of it now.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    fn judge(&mut self) {
        let n = self.blocks.len();
        if n < 8 {
            self.verdict = Verdict::nothing(Why::TooFew);
            return;
        }
        let (x, y): (Vec<f64>, Vec<f64>) = self.blocks.iter().copied().unzip();
        let slope = theil_sen(&x, &y, &mut Vec::new()).unwrap_or(0.0);
        let left = self.limit.map(|limit| limit - y[n - 1]);
        let eta = left.filter(|_| slope > 0.0).map(|left| (left / slope).max(0.0));
        let seen = x[n - 1] - x[0];
        let near = eta.is_some_and(|eta| eta <= self.settings.reach * seen);
        self.agreed = if near { self.agreed + 1 } else { 0 };
        let leak = self.agreed >= self.settings.persistence;
        self.verdict = Verdict {
            leak,
            slope_per_hour: slope,
            slope_low: slope,
            slope_high: slope,
            to_limit: eta.map(|hours| Eta { hours, low: hours, high: hours }),
            why: if leak { Why::Leak } else { Why::NoTrend },
        };
    }
}

#[cfg(test)]
mod tests {
    use homeostat_core::Span;

    use super::*;

    #[test]
    fn a_plain_leak_is_found_with_its_slope_and_a_restart_forgets_it() {
        let mut detector = Detector::new(Settings::default(), Some(1_000.0));
        let at = |minute: u64| Instant::ZERO + Span::MINUTE * minute;
        for minute in 0..600 {
            detector.update(at(minute), Some(500.0 + minute as f64 / 2.0), None);
        }
        let verdict = detector.verdict();
        assert!(verdict.leak, "{verdict:?}");
        assert!((verdict.slope_per_hour - 30.0).abs() < 0.5, "{verdict:?}");
        detector.restarted(at(600));
        assert_eq!(detector.verdict(), Verdict::nothing(Why::NoData));
    }
}
