//! The scale on which models learn: z = ln(x + c), which makes ratios into differences and keeps small
//! counts from exploding. c is a share of the mean, and moves in powers of four only.

use homeostat_core::num;

/// c as a share of the mean.
const SHARE: f64 = 0.03;
/// Weight of a new value in the mean, at least.
const WEIGHT: f64 = 1e-4;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    offset: f64,
    mean: f64,
    count: u64,
}

impl Scale {
    pub(crate) const fn new() -> Self {
        Self { offset: 1.0, mean: 0.0, count: 0 }
    }

    /// From the unit of the series.
    #[inline]
    pub(crate) fn z(self, value: f64) -> f64 {
        num::ln(value + self.offset)
    }

    /// To the unit of the series; never negative, and NaN stays NaN.
    #[inline]
    pub(crate) fn value(self, z: f64) -> f64 {
        let value = num::exp_fast(z) - self.offset;
        if value < 0.0 { 0.0 } else { value }
    }

    /// Mean of the values, old ones forgotten.
    pub(crate) const fn mean(self) -> f64 {
        self.mean
    }

    /// Takes a value into the mean; gives the scale before where c moved.
    pub(crate) fn learn(&mut self, value: f64) -> Option<Self> {
        let before = *self;
        self.count += 1;
        self.mean += (value - self.mean) * WEIGHT.max(1.0 / self.count as f64);
        let wanted = SHARE * self.mean;
        if self.mean <= 1e-300 || (wanted < 4.0 * self.offset && wanted > 0.25 * self.offset) {
            return None;
        }
        self.offset = wanted;
        Some(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_and_the_offset_follows_the_mean() {
        let mut scale = Scale::new();
        assert!(scale.learn(1e6).is_some());
        assert!((scale.value(scale.z(1e6)) - 1e6).abs() < 1e-6);
        assert_eq!(scale.offset, 3e4);
        assert!(scale.learn(1.1e6).is_none());
        assert_eq!(scale.value(-1e9), 0.0);
    }
}
