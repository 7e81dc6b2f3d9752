//! Quantiles that correct themselves: each level moves up by η × level when the value came above it and
//! down by η × (1 − level) when below, so that over time the right share comes above whatever the
//! distribution does (Gibbs and Candès 2021; Angelopoulos, Candès and Tibshirani 2023, "quantile
//! tracking").

use super::tails::{ENDS, Tail};

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

/// Quantiles of the normal distribution at the tracked levels over E|x|, the scale's meaning.
const NORMAL: [f64; 13] =
    [-3.23, -2.92, -2.46, -2.06, -1.61, -0.845, 0.0, 0.845, 1.61, 2.06, 2.46, 2.92, 3.23];
/// Largest distance on the logarithmic scale: a factor of 20.
const MOST: f64 = 3.0;
/// Learning rate at first and in the end, and steps between.
const RATE: (f64, f64, f64) = (0.2, 0.03, 300.0);

#[derive(Debug, Clone)]
pub(crate) struct Quantiles {
    /// Of errors expected to be small, and to be large; between them mixed.
    at: [[f64; 13]; 2],
    /// Rare errors below and above.
    tails: [Tail; 2],
    count: f64,
    /// The median stays where the model says.
    plain: bool,
}

impl Quantiles {
    pub(crate) const fn new(plain: bool) -> Self {
        Self { at: [NORMAL; 2], tails: [const { Tail::new() }; 2], count: 0.0, plain }
    }

    /// Takes an error that was expected to be of this `scale`; `keep` is what rare ones before it still
    /// count.
    pub(crate) fn saw(&mut self, error: f64, (scale, loud): ([f64; 2], [f64; 2]), ahead: usize, keep: f64) {
        let said = levels(&self.at.map(|at| ends(&at)), scale, loud);
        let [below, above] = &mut self.tails;
        below.learn(-error, std::array::from_fn(|place| -said[of_tail(place).0 + 1]), keep);
        above.learn(error, std::array::from_fn(|place| said[of_tail(place).1 + 1]), keep);
        self.learn(if error < 0.0 { error / scale[0] } else { error / scale[1] }, loud, ahead);
    }

    /// Takes an error in units of its scale. Errors of a forecast `ahead` steps come that late and go
    /// together, so the middle follows them slower by that: else it would chase its own past.
    fn learn(&mut self, error: f64, loud: [f64; 2], ahead: usize) {
        let rate = RATE.1 + (RATE.0 - RATE.1) / (1.0 + self.count / RATE.2 * 10.0);
        self.count += 1.0;
        let [small, large] = &mut self.at;
        for (place, level) in TRACKED.into_iter().enumerate() {
            if self.plain && place == MEDIAN {
                continue;
            }
            let loud = of_side(place, loud);
            let central = (0.15..=0.85).contains(&level);
            let rate = if central { rate / (1.0 + (ahead - 1) as f64 / 4.0) } else { rate };
            let at = small[place] + loud * (large[place] - small[place]);
            let move_by = rate * (level - if error < at { 1.0 } else { 0.0 });
            let share = 1.0 / (loud * loud + (1.0 - loud) * (1.0 - loud));
            small[place] += share * (1.0 - loud) * move_by;
            large[place] += share * loud * move_by;
        }
    }

    /// The distributions of errors.
    pub(crate) fn shapes(&self) -> Shapes {
        let tails = self.tails.each_ref().map(|tail| std::array::from_fn(|place| tail.at(place)));
        Shapes { levels: self.at.map(|at| ends(&at)), tails }
    }
}

/// Distributions of errors expected to be small, and to be large, in units of their scale; and the sizes of
/// rare errors, below and above, where the record knows them better.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shapes {
    levels: [Offsets; 2],
    tails: [[Option<f64>; ENDS]; 2],
}

impl Shapes {
    /// Distances from the middle for errors of this scale, which are to the share `loud` large ones.
    pub(crate) fn offsets(&self, scale: [f64; 2], loud: [f64; 2]) -> Offsets {
        let mut all = levels(&self.levels, scale, loud);
        let [below, above] = &self.tails;
        if below.iter().chain(above).any(Option::is_some) {
            let mut at: [f64; 13] = std::array::from_fn(|place| all[place + 1]);
            for place in 0..ENDS {
                let (low, high) = of_tail(place);
                at[low] = below[place].map_or(at[low], |size| -size);
                at[high] = above[place].unwrap_or(at[high]);
            }
            all = ends(&at);
        }
        all
    }
}

/// Levels for errors of this scale, from those for small and for large errors.
fn levels([small, large]: &[Offsets; 2], scale: [f64; 2], loud: [f64; 2]) -> Offsets {
    let mut offsets = [0.0; 15];
    let middle = MEDIAN + 1;
    let sides = [(0..middle, 0), (middle..middle + 1, MEDIAN), (middle + 1..15, 12)];
    for (levels, place) in sides {
        let loud = of_side(place, loud);
        for level in levels {
            let at = small[level] + loud * (large[level] - small[level]);
            offsets[level] = (at * if at < 0.0 { scale[0] } else { scale[1] }).clamp(-MOST, MOST);
        }
    }
    offsets
}

/// Places among the tracked levels of number `place` of the rare errors, below and above.
const fn of_tail(place: usize) -> (usize, usize) {
    (ENDS - 1 - place, TRACKED.len() - ENDS + place)
}

/// What holds for tracked level number `place`, of what holds below the median and above it.
fn of_side(place: usize, sides: [f64; 2]) -> f64 {
    match place.cmp(&MEDIAN) {
        std::cmp::Ordering::Less => sides[0],
        std::cmp::Ordering::Equal => f64::midpoint(sides[0], sides[1]),
        std::cmp::Ordering::Greater => sides[1],
    }
}

/// Levels in order, and the ends beyond them. Levels that have crossed are put in order from the
/// median outwards: sorting would let quick tails move the slow median.
fn ends(tracked: &[f64; 13]) -> Offsets {
    let mut sorted = *tracked;
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
    all
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
            let offsets = quantiles.shapes().offsets([0.1; 2], [0.5; 2]);
            below
                .iter_mut()
                .zip(&offsets[1..])
                .for_each(|(b, at)| *b += f64::from(u8::from(0.1 * error < *at)));
            quantiles.learn(error, [0.5; 2], 1);
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
