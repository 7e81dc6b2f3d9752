//! Quantiles that correct themselves: each level moves up by η × level when the value came above it and
//! down by η × (1 − level) when below, so that over time the right share comes above whatever the
//! distribution does (Gibbs and Candès 2021; Angelopoulos, Candès and Tibshirani 2023, "quantile
//! tracking").

/// Levels that are tracked.
pub(crate) const TRACKED: [f64; 13] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995];
/// Place of the median among them.
const MEDIAN: usize = 6;
/// The tracked levels between the ends, which lie beyond them.
pub(crate) const LEVELS: [f64; 15] =
    [0.0, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 1.0];
/// Distances from the middle, one per level of [`LEVELS`], growing.
pub(crate) type Offsets = [f64; 15];

/// Quantiles of the normal distribution at the tracked levels over exp(E ln|x|), the scale's meaning.
const NORMAL: [f64; 13] = [-4.86, -4.39, -3.70, -3.10, -2.42, -1.27, 0.0, 1.27, 2.42, 3.10, 3.70, 4.39, 4.86];
/// Largest distance on the logarithmic scale: a factor of 20.
const MOST: f64 = 3.0;
/// Learning rate at first and in the end, and steps between.
const RATE: (f64, f64, f64) = (0.2, 0.03, 300.0);

#[derive(Debug, Clone)]
pub(crate) struct Quantiles {
    at: [f64; 13],
    count: f64,
    /// The median stays where the model says.
    plain: bool,
}

impl Quantiles {
    pub(crate) const fn new(plain: bool) -> Self {
        Self { at: NORMAL, count: 0.0, plain }
    }

    /// Takes an error in units of its scale. Errors of a forecast `ahead` steps come that late and go
    /// together, so the middle follows them slower by that: else it would chase its own past.
    pub(crate) fn learn(&mut self, error: f64, ahead: usize) {
        let rate = RATE.1 + (RATE.0 - RATE.1) / (1.0 + self.count / RATE.2 * 10.0);
        self.count += 1.0;
        let tracked = self.at.iter_mut().zip(TRACKED).enumerate();
        for (_, (at, level)) in tracked.filter(|(place, _)| !self.plain || *place != MEDIAN) {
            let central = (0.15..=0.85).contains(&level);
            let rate = if central { rate / (1.0 + (ahead - 1) as f64 / 4.0) } else { rate };
            *at += rate * (level - if error < *at { 1.0 } else { 0.0 });
        }
    }

    /// Distances from the middle for errors of this scale. Levels that have crossed are put in order from
    /// the median outwards: sorting would let quick tails move the slow median.
    pub(crate) fn offsets(&self, scale: f64) -> Offsets {
        let mut sorted = self.at;
        for level in MEDIAN + 1..sorted.len() {
            sorted[level] = sorted[level].max(sorted[level - 1]);
        }
        for level in (0..MEDIAN).rev() {
            sorted[level] = sorted[level].min(sorted[level + 1]);
        }
        let (low, high) = (sorted[0], sorted[12]);
        let mut all = [0.0; 15];
        all[1..14].copy_from_slice(&sorted);
        all[0] = low - 0.3 * (sorted[3] - low);
        all[14] = high + 0.3 * (high - sorted[9]);
        all.map(|offset| (offset * scale).clamp(-MOST, MOST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_share_comes_below_each_level() {
        let mut draws = homeostat_core::draw::Key::root(5).at(0);
        let mut quantiles = Quantiles::new(false);
        let mut below = [0.0; 13];
        let n = 40_000;
        for step in 0..n {
            // a distribution that is neither normal nor centred, and doubles half way
            let error = (draws.exponential() - 0.3) * if step < n / 2 { 1.0 } else { 2.0 };
            let offsets = quantiles.offsets(0.1);
            below
                .iter_mut()
                .zip(&offsets[1..])
                .for_each(|(b, at)| *b += f64::from(u8::from(0.1 * error < *at)));
            quantiles.learn(error, 1);
        }
        for (below, level) in below.iter().zip(TRACKED) {
            assert!(
                (below / f64::from(n) - level).abs() < 0.01,
                "{} instead of {level}",
                below / f64::from(n)
            );
        }
    }
}
