//! A small LSTM network that learns one series: one layer, one value in, the next values out.
//!
//! As Keras builds it in `MArk`'s `train.py`: state carried from value to value (`stateful`, one time step,
//! batches of one), mean squared error, Adam at its defaults, glorot and orthogonal beginnings, a bias of one
//! for the forget gate. With one time step the gradient doesn't go back beyond the value at hand.

use homeostat_core::draw::Key;
use homeostat_core::num;

/// Adam at its defaults in Keras.
const STEP: f64 = 0.001;
const FIRST: f64 = 0.9;
const SECOND: f64 = 0.999;
const EPSILON: f64 = 1e-7;

/// Weights, the carried state and Adam's memory.
#[derive(Debug, Clone)]
pub(super) struct Lstm {
    units: usize,
    outputs: usize,
    /// All weights in a row: per gate row (input, forget, cell, output; `units` rows each) those of the
    /// value, the hidden state and the bias, then per output those of the hidden state and the bias.
    weights: Vec<f64>,
    means: Vec<f64>,
    squares: Vec<f64>,
    /// FIRST and SECOND to the power of the number of steps.
    powers: (f64, f64),
    hidden: Vec<f64>,
    cell: Vec<f64>,
}

/// What one step forward leaves for the gradient.
struct Trace {
    value: f64,
    before: Vec<f64>,
    cell_before: Vec<f64>,
    /// Activations of the four gates.
    gates: Vec<f64>,
    output: Vec<f64>,
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + num::exp_fast(-x))
}

fn tanh(x: f64) -> f64 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

impl Lstm {
    /// A network that knows nothing yet; equal seeds begin alike.
    pub(super) fn new(units: usize, outputs: usize, seed: u64) -> Self {
        let (row, key) = (units + 2, Key::root(seed).child("lstm"));
        let mut weights = vec![0.0; 4 * units * row + outputs * (units + 1)];
        let mut uniform = key.child("kernel").at(0);
        let limit = (6.0 / (1.0 + 4.0 * units as f64)).sqrt();
        let columns = orthonormal(units, 4 * units, key.child("recurrent"));
        for gate in 0..4 * units {
            weights[gate * row] = (2.0 * uniform.uniform() - 1.0) * limit;
            for (unit, column) in columns.iter().enumerate() {
                weights[gate * row + 1 + unit] = column[gate];
            }
            weights[gate * row + units + 1] = if gate / units == 1 { 1.0 } else { 0.0 };
        }
        let limit = (6.0 / (units + outputs) as f64).sqrt();
        for output in weights[4 * units * row..].chunks_mut(units + 1) {
            for weight in &mut output[..units] {
                *weight = (2.0 * uniform.uniform() - 1.0) * limit;
            }
        }
        let n = weights.len();
        Self {
            units,
            outputs,
            weights,
            means: vec![0.0; n],
            squares: vec![0.0; n],
            powers: (1.0, 1.0),
            hidden: vec![0.0; units],
            cell: vec![0.0; units],
        }
    }

    /// Forgets the carried state, not what was learned.
    pub(super) fn reset(&mut self) {
        self.hidden.fill(0.0);
        self.cell.fill(0.0);
    }

    /// Takes the next value and gives the outputs.
    pub(super) fn next(&mut self, value: f64) -> Vec<f64> {
        self.forward(value).output
    }

    /// Takes the next value and learns that `targets` should have come out.
    pub(super) fn learn(&mut self, value: f64, targets: &[f64]) {
        let trace = self.forward(value);
        let gradient = self.gradient(&trace, targets);
        self.powers = (self.powers.0 * FIRST, self.powers.1 * SECOND);
        let rate = STEP * (1.0 - self.powers.1).sqrt() / (1.0 - self.powers.0);
        let memory = self.means.iter_mut().zip(&mut self.squares);
        for ((weight, slope), (mean, square)) in self.weights.iter_mut().zip(&gradient).zip(memory) {
            *mean = FIRST * *mean + (1.0 - FIRST) * slope;
            *square = SECOND * *square + (1.0 - SECOND) * slope * slope;
            *weight -= rate * *mean / (square.sqrt() + EPSILON);
        }
    }

    fn forward(&mut self, value: f64) -> Trace {
        let (units, row) = (self.units, self.units + 2);
        let (gate_weights, output_weights) = self.weights.split_at(4 * units * row);
        let gate = |(index, weights): (usize, &[f64])| {
            let sum = weights[0] * value + dot(&weights[1..=units], &self.hidden) + weights[units + 1];
            if index / units == 2 { tanh(sum) } else { sigmoid(sum) }
        };
        let gates: Vec<f64> = gate_weights.chunks(row).enumerate().map(gate).collect();
        let cell: Vec<f64> =
            (0..units).map(|u| gates[units + u] * self.cell[u] + gates[u] * gates[2 * units + u]).collect();
        let hidden: Vec<f64> = (0..units).map(|u| gates[3 * units + u] * tanh(cell[u])).collect();
        let output = output_weights
            .chunks(units + 1)
            .map(|weights| dot(&weights[..units], &hidden) + weights[units])
            .collect();
        let before = std::mem::replace(&mut self.hidden, hidden);
        let cell_before = std::mem::replace(&mut self.cell, cell);
        Trace { value, before, cell_before, gates, output }
    }

    /// The gradient of the mean squared error, in the order of the weights.
    fn gradient(&self, trace: &Trace, targets: &[f64]) -> Vec<f64> {
        let (units, row) = (self.units, self.units + 2);
        let base = 4 * units * row;
        let mut gradient = vec![0.0; self.weights.len()];
        let mut to_hidden = vec![0.0; units];
        for (k, (found, target)) in trace.output.iter().zip(targets).enumerate() {
            let slope = 2.0 * (found - target) / self.outputs as f64;
            let at = base + k * (units + 1);
            for u in 0..units {
                gradient[at + u] = slope * self.hidden[u];
                to_hidden[u] += slope * self.weights[at + u];
            }
            gradient[at + units] = slope;
        }
        for u in 0..units {
            let [i, f, c, o] = [0, 1, 2, 3].map(|gate| trace.gates[gate * units + u]);
            let squashed = tanh(self.cell[u]);
            let to_cell = to_hidden[u] * o * (1.0 - squashed * squashed);
            let slopes = [
                to_cell * c * i * (1.0 - i),
                to_cell * trace.cell_before[u] * f * (1.0 - f),
                to_cell * i * (1.0 - c * c),
                to_hidden[u] * squashed * o * (1.0 - o),
            ];
            for (gate, slope) in slopes.iter().enumerate() {
                let weights = &mut gradient[(gate * units + u) * row..][..row];
                weights[0] = slope * trace.value;
                for (weight, before) in weights[1..=units].iter_mut().zip(&trace.before) {
                    *weight = slope * before;
                }
                weights[units + 1] = *slope;
            }
        }
        gradient
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Random vectors of this length at right angles to each other, of length one (Gram and Schmidt).
fn orthonormal(count: usize, length: usize, key: Key) -> Vec<Vec<f64>> {
    let mut all: Vec<Vec<f64>> = Vec::with_capacity(count);
    for index in 0..count {
        let mut draws = key.at(index as u64);
        let mut vector: Vec<f64> = (0..length).map(|_| draws.normal()).collect();
        for other in &all {
            let along = dot(&vector, other);
            vector.iter_mut().zip(other).for_each(|(v, o)| *v -= along * o);
        }
        let size = dot(&vector, &vector).sqrt();
        for value in &mut vector {
            *value /= size;
        }
        all.push(vector);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error's slope by each weight, by trying.
    #[test]
    fn the_gradient_is_that_of_the_error() {
        let mut network = Lstm::new(4, 3, 7);
        for value in [0.3, -0.8, 0.5] {
            network.next(value);
        }
        let (value, targets) = (0.4, [0.2, -0.1, 0.9]);
        let error = |network: &Lstm| {
            let output = network.clone().next(value);
            output.iter().zip(targets).map(|(o, t)| (o - t) * (o - t)).sum::<f64>() / 3.0
        };
        let mut after = network.clone();
        let trace = after.forward(value);
        let gradient = after.gradient(&trace, &targets);
        for (index, found) in gradient.iter().enumerate() {
            let moved = |by: f64| {
                let mut other = network.clone();
                other.weights[index] += by;
                error(&other)
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((found - expected).abs() < 1e-8, "{index}: {found} instead of {expected}");
        }
    }

    #[test]
    fn one_unit_by_hand() {
        let mut network = Lstm::new(1, 1, 1);
        // Rows: value, hidden, bias of the gates i, f, c, o; hidden and bias of the output.
        network.weights = vec![0.5, 0.1, 0.0, 0.2, 0.3, 1.0, 0.7, -0.4, 0.1, 0.9, 0.6, -0.2, 2.0, 0.5];
        let s = |x: f64| 1.0 / (1.0 + num::exp(-x));
        let cell = s(0.5) * 0.8_f64.tanh();
        let hidden = s(0.7) * cell.tanh();
        assert!((network.next(1.0)[0] - (2.0 * hidden + 0.5)).abs() < 1e-9);
        let next = s(-0.5 + 0.1 * hidden) * (-0.6 - 0.4 * hidden).tanh() + s(0.8 + 0.3 * hidden) * cell;
        let hidden = s(-1.1 + 0.6 * hidden) * next.tanh();
        assert!((network.next(-1.0)[0] - (2.0 * hidden + 0.5)).abs() < 1e-9);
    }

    #[test]
    fn learns_a_rhythm() {
        let wave = [0.8, 0.1, -0.6, -0.3];
        let error = |network: &mut Lstm| {
            network.reset();
            let step = |t: usize| {
                let miss = network.next(wave[t % 4])[0] - wave[(t + 1) % 4];
                miss * miss
            };
            (0..40).map(step).skip(8).sum::<f64>() / 32.0
        };
        let mut network = Lstm::new(8, 1, 3);
        let before = error(&mut network);
        for _ in 0..30 {
            network.reset();
            for t in 0..100 {
                network.learn(wave[t % 4], &wave[(t + 1) % 4..][..1]);
            }
        }
        let after = error(&mut network);
        assert!(after < 0.02 && after < 0.1 * before, "{before} to {after}");
    }
}
