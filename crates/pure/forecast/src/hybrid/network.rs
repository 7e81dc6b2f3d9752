//! A small recurrent network: gated units (Cho et al. 2014) with fixed random weights that remember, and
//! a layer of random features over them and over what a forecast is made from.
//!
//! Only the readout is trained, by least squares on line (echo state network, Jaeger 2001; random features,
//! Rahimi and Recht 2007): no learning rate, no epochs, the same weights for every series.

use homeostat_core::draw::{Draws, Key};
use homeostat_core::num;

use crate::model::features::FEATURES;

/// Gated units.
pub(crate) const UNITS: usize = 10;
/// Random features of the second layer.
pub(crate) const HIDDEN: usize = 14;
/// What the readout sees: units, features, and one.
pub(crate) const OUTPUTS: usize = UNITS + HIDDEN + 1;
/// Inputs of the units: the features that do not depend on the distance.
const INPUTS: usize = 6;
/// Features are differences of logarithms, mostly below a half: this makes them about one.
const GAIN: f32 = 4.0;

/// The fixed weights.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    gate: [[f32; INPUTS + UNITS + 1]; UNITS],
    candidate: [[f32; INPUTS + UNITS + 1]; UNITS],
    hidden: [[f32; FEATURES + UNITS + 1]; HIDDEN],
}

fn row<const N: usize>(draws: &mut Draws, scale: f64) -> [f32; N] {
    std::array::from_fn(|_| (scale * draws.normal()) as f32)
}

impl Weights {
    pub(crate) fn new() -> Self {
        let key = Key::root(0).child("network");
        let mut draws = key.at(0);
        Self {
            gate: std::array::from_fn(|_| row(&mut draws, 0.5)),
            candidate: std::array::from_fn(|_| row(&mut draws, 0.4)),
            hidden: std::array::from_fn(|_| row(&mut draws, 0.4)),
        }
    }

    /// The units after one more step.
    pub(crate) fn step(&self, units: &[f32; UNITS], features: &[f32; FEATURES]) -> [f32; UNITS] {
        let mut inputs = [1.0; INPUTS + UNITS + 1];
        for (input, feature) in inputs.iter_mut().zip(&features[1..=INPUTS]) {
            *input = GAIN * feature;
        }
        inputs[INPUTS..INPUTS + UNITS].copy_from_slice(units);
        std::array::from_fn(|unit| {
            // gates lean to keeping: the units span minutes to hours
            let lean = unit as f32 * 0.4;
            let open = 0.5 + 0.5 * tanh(0.5 * (dot(&self.gate[unit], &inputs) - lean));
            units[unit] + open * (tanh(dot(&self.candidate[unit], &inputs)) - units[unit])
        })
    }

    /// What the readout sees at one distance, in 127ths.
    pub(crate) fn look(&self, units: &[f32; UNITS], features: &[f32; FEATURES]) -> [i8; OUTPUTS] {
        let mut inputs = [1.0; FEATURES + UNITS + 1];
        for (input, feature) in inputs.iter_mut().zip(features) {
            *input = GAIN * feature;
        }
        inputs[FEATURES..FEATURES + UNITS].copy_from_slice(units);
        std::array::from_fn(|output| match output {
            unit if unit < UNITS => (127.0 * units[unit]) as i8,
            last if last == OUTPUTS - 1 => 127,
            hidden => (127.0 * tanh(dot(&self.hidden[hidden - UNITS], &inputs))) as i8,
        })
    }
}

fn dot<const N: usize>(a: &[f32; N], b: &[f32; N]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn tanh(x: f32) -> f32 {
    let power = num::exp_fast(2.0 * f64::from(x.clamp(-9.0, 9.0)));
    ((power - 1.0) / (power + 1.0)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_stay_within_one_and_forget() {
        let weights = Weights::new();
        let mut units = [[0.0; UNITS], [0.0; UNITS]];
        for step in 0..2_000 {
            for (which, units) in units.iter_mut().enumerate() {
                let input = if step < 50 && which == 1 { 3.0 } else { 0.1 };
                *units = weights.step(units, &[input; FEATURES]);
                assert!(units.iter().all(|unit| unit.abs() <= 1.0));
            }
        }
        for (a, b) in units[0].iter().zip(units[1]) {
            assert!((a - b).abs() < 1e-3, "{a} and {b}: the first inputs are remembered for ever");
        }
    }
}
