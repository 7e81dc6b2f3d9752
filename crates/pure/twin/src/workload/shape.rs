//! The six traces of Gandhi, Harchol-Balter, Raghunathan and Kozuch (*`AutoScale`*, ACM TOCS 30(4), 2012),
//! reconstructed. The recordings were never published; the shapes follow the figures' descriptions:
//! two hours, scaled to a peak of 800 requests per second. Frozen: results are compared with the paper's.

use homeostat_core::draw::Key;
use homeostat_core::num;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Peak rate of every shape, in requests per second.
const PEAK: f64 = 800.0;
/// Minutes in a shape.
const MINUTES: usize = 120;

/// One of the six shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A slow rise and fall.
    SlowlyVarying,
    /// Swings by a factor of three within minutes.
    QuicklyVarying,
    /// A low level and one sudden spike.
    BigSpike,
    /// A low half and a high half.
    DualPhase,
    /// Waves of half an hour between a third of the peak and the peak.
    LargeVariations,
    /// Three steep phases: low, high, middle.
    SteepTriPhase,
}

impl Shape {
    /// All six.
    pub const ALL: [Self; 6] = [
        Self::SlowlyVarying,
        Self::QuicklyVarying,
        Self::BigSpike,
        Self::DualPhase,
        Self::LargeVariations,
        Self::SteepTriPhase,
    ];

    /// Requests per second in each of 720 stretches of ten seconds.
    pub fn rates(self) -> Vec<f64> {
        let key = Key::root(2012).child("autoscale shapes");
        let steps = MINUTES * 6;
        let level = |i: usize| {
            let minute = i as f64 / 6.0;
            let wobble = 1.0 + 0.03 * key.nth(self as u64).at(i as u64).normal();
            (self.level(minute) * wobble).clamp(0.02, 1.0)
        };
        let levels: Vec<f64> = (0..steps).map(level).collect();
        let top = levels.iter().copied().fold(0.0, f64::max);
        levels.iter().map(|l| PEAK * l / top).collect()
    }

    /// Share of the peak at this minute.
    fn level(self, minute: f64) -> f64 {
        let turn = |period: f64| num::sin(std::f64::consts::TAU * minute / period);
        match self {
            Self::SlowlyVarying => 0.55 + 0.40 * num::sin(std::f64::consts::PI * (minute / 60.0 - 0.5)),
            Self::QuicklyVarying => 0.62 + 0.34 * turn(7.0),
            Self::BigSpike => {
                let rise = ramp(minute, 58.0, 61.0) - ramp(minute, 70.0, 74.0);
                0.22 + 0.03 * turn(31.0) + 0.75 * rise
            }
            Self::DualPhase => 0.26 + 0.03 * turn(17.0) + 0.68 * ramp(minute, 58.0, 64.0),
            Self::LargeVariations => 0.64 + 0.30 * turn(30.0) + 0.05 * turn(11.0),
            Self::SteepTriPhase => {
                0.20 + 0.75 * ramp(minute, 38.0, 41.0) - 0.45 * ramp(minute, 80.0, 83.0) + 0.02 * turn(13.0)
            }
        }
    }
}

/// From 0 before `from` to 1 after `to`.
fn ramp(minute: f64, from: f64, to: f64) -> f64 {
    ((minute - from) / (to - from)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_peak_at_800_for_two_hours() {
        for shape in Shape::ALL {
            let rates = shape.rates();
            assert_eq!(rates.len(), 720);
            let top = rates.iter().copied().fold(0.0, f64::max);
            assert!((top - PEAK).abs() < 1e-9, "{shape:?}");
            assert!(rates.iter().all(|r| *r > 0.0), "{shape:?}");
        }
    }
}
