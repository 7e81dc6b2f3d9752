//! The next minutes of a load: an LSTM on the scaled changes from minute to minute.

use super::lstm::Lstm;

/// As in `train.py`.
const UNITS: usize = 32;
const OUTPUTS: usize = 50;
/// Minutes that the network runs through before its first forecast, so that its state has settled.
const SETTLE: usize = 60;
const SEED: u64 = 2_019;

/// A trained network, its scale and the last load.
#[derive(Debug, Clone)]
pub(super) struct Predictor {
    network: Lstm,
    /// Least and largest change of the training part.
    range: (f64, f64),
    last: f64,
}

impl Predictor {
    /// Learns from loads by the minute; `None` where they are too few to learn from, or never change.
    pub(super) fn train(loads: &[f64], epochs: u32) -> Option<Self> {
        let changes: Vec<f64> = loads.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let least = changes.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = changes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if changes.len() <= OUTPUTS || largest <= least {
            return None;
        }
        let mut predictor =
            Self { network: Lstm::new(UNITS, OUTPUTS, SEED), range: (least, largest), last: *loads.last()? };
        let scaled: Vec<f64> = changes.iter().map(|change| predictor.scaled(*change)).collect();
        for _ in 0..epochs {
            predictor.network.reset();
            for window in scaled.windows(OUTPUTS + 1) {
                predictor.network.learn(window[0], &window[1..]);
            }
        }
        predictor.network.reset();
        for value in &scaled[scaled.len().saturating_sub(SETTLE)..] {
            predictor.network.next(*value);
        }
        Some(predictor)
    }

    /// Takes the load of the minute that has passed and forecasts the next ones.
    pub(super) fn next(&mut self, load: f64) -> Vec<f64> {
        let scaled = self.scaled(load - self.last);
        self.last = load;
        let (least, largest) = self.range;
        let mut level = load;
        let grown = |value: f64| {
            level += least + f64::midpoint(value, 1.0) * (largest - least);
            level
        };
        self.network.next(scaled).into_iter().map(grown).collect()
    }

    /// From the range of the training part to −1 … 1.
    fn scaled(&self, change: f64) -> f64 {
        let (least, largest) = self.range;
        2.0 * (change - least) / (largest - least) - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_burst_is_foreseen() {
        // Every ten minutes two minutes of 100, else 20.
        let load = |t: usize| if t % 10 < 2 { 100.0 } else { 20.0 };
        let loads: Vec<f64> = (0..1_000).map(load).collect();
        let mut predictor = Predictor::train(&loads, 6).unwrap();
        let (mut error, mut last_value) = (0.0, 0.0);
        for t in 1_000..1_100 {
            let next = predictor.next(load(t))[0];
            error += (next - load(t + 1)).abs();
            last_value += (load(t) - load(t + 1)).abs();
        }
        assert!(error < 0.3 * last_value, "{error} against {last_value}");
    }

    #[test]
    fn too_little_is_not_learned_from() {
        assert!(Predictor::train(&[1.0; 500], 1).is_none());
        assert!(Predictor::train(&[1.0, 2.0, 3.0], 1).is_none());
    }
}
