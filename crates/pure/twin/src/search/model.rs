//! A smooth surface through what was measured, to say what was not: a Gaussian process over the places
//! of a grid, on top of a trend.
//!
//! Runs of several lengths are stacked as by Kennedy and O'Hagan (2000): the surface of a longer run is
//! that of the shorter ones plus a surface through the differences, so that a hundred short runs and ten
//! long ones predict the long ones better than ten long ones would. The length scale and the noise are
//! those of the largest likelihood among a few.

use homeostat_core::num;

/// Length scales tried, in units of a setting's whole range: of all settings first, then of each.
const LENGTHS: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];
/// Rounds over the settings in which each gets the length scale that fits best beside the others'.
const ROUNDS: usize = 2;
/// Variances of the noise tried, as shares of the surface's own.
const NOISES: [f64; 3] = [1e-3, 1e-2, 1e-1];
/// Keeps the trend's equations solvable.
const RIDGE: f64 = 1e-3;

/// What a trend is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trend {
    /// A constant.
    Level,
    /// A constant, and each setting with its square.
    Curved,
}

impl Trend {
    fn features(self, place: &[f64]) -> Vec<f64> {
        let mut features = vec![1.0];
        if self == Self::Curved {
            for x in place {
                features.push(x - 0.5);
                features.push((x - 0.5) * (x - 0.5));
            }
        }
        features
    }
}

/// A mean and a variance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Guess {
    pub(super) mean: f64,
    pub(super) variance: f64,
}

/// A fitted surface.
#[derive(Debug, Clone)]
pub(super) struct Surface {
    trend: Trend,
    slopes: Vec<f64>,
    places: Vec<Vec<f64>>,
    /// Length scale of each setting: a fine one where it matters much.
    lengths: Vec<f64>,
    noise: f64,
    scale: f64,
    lower: Matrix,
    weights: Vec<f64>,
}

impl Surface {
    /// The surface through `values` at `places`, of which there is at least one.
    pub(super) fn fit(places: &[Vec<f64>], values: &[f64], trend: Trend) -> Self {
        let slopes = slopes(places, values, trend);
        let rest: Vec<f64> =
            places.iter().zip(values).map(|(p, v)| v - dot(&slopes, &trend.features(p))).collect();
        let shape =
            |lengths: Vec<f64>, noise: f64| Self::shaped(trend, &slopes, places, &rest, (lengths, noise));
        let settings = places.first().map_or(0, Vec::len);
        let mut best = shape(vec![1.0; settings], NOISES[0]);
        let keep = |best: &mut (f64, Self), other: (f64, Self)| {
            if other.0 > best.0 {
                *best = other;
            }
        };
        for length in LENGTHS {
            for noise in NOISES {
                keep(&mut best, shape(vec![length; settings], noise));
            }
        }
        for setting in (0..ROUNDS).flat_map(|_| 0..settings) {
            for length in LENGTHS {
                let (mut lengths, noise) = (best.1.lengths.clone(), best.1.noise);
                lengths[setting] = length;
                keep(&mut best, shape(lengths, noise));
            }
        }
        best.1
    }

    /// The surface of these length scales and noise, and the logarithm of its likelihood.
    fn shaped(
        trend: Trend,
        slopes: &[f64],
        places: &[Vec<f64>],
        rest: &[f64],
        (lengths, noise): (Vec<f64>, f64),
    ) -> (f64, Self) {
        let n = rest.len() as f64;
        let mut lower = covariance(places, &lengths, noise);
        lower.decompose();
        let weights = lower.solve(rest);
        let scale = (dot(&weights, rest) / n).max(1e-12);
        let fit = -0.5 * n * num::ln(scale) - lower.log_diagonal();
        let (slopes, places) = (slopes.to_vec(), places.to_vec());
        (fit, Self { trend, slopes, places, lengths, noise, scale, lower, weights })
    }

    /// What it says of a place where nothing was measured: the noise, which stands for what is peculiar
    /// to a place, is part of the doubt.
    pub(super) fn guess(&self, place: &[f64]) -> Guess {
        let near: Vec<f64> = self.places.iter().map(|other| kernel(place, other, &self.lengths)).collect();
        let mean = dot(&self.slopes, &self.trend.features(place)) + dot(&near, &self.weights);
        let known = dot(&near, &self.lower.solve(&near));
        Guess { mean, variance: self.scale * ((1.0 - known).max(1e-9) + self.noise) }
    }
}

fn slopes(places: &[Vec<f64>], values: &[f64], trend: Trend) -> Vec<f64> {
    let rows: Vec<Vec<f64>> = places.iter().map(|place| trend.features(place)).collect();
    let k = rows.first().map_or(0, Vec::len);
    let mut normal = Matrix::zero(k);
    let mut right = vec![0.0; k];
    for (row, value) in rows.iter().zip(values) {
        for i in 0..k {
            right[i] += row[i] * value;
            for j in 0..k {
                *normal.at(i, j) += row[i] * row[j];
            }
        }
    }
    for i in 1..k {
        *normal.at(i, i) += RIDGE;
    }
    normal.decompose();
    normal.solve(&right)
}

fn covariance(places: &[Vec<f64>], lengths: &[f64], noise: f64) -> Matrix {
    let mut matrix = Matrix::zero(places.len());
    for (i, a) in places.iter().enumerate() {
        for (j, b) in places.iter().enumerate() {
            *matrix.at(i, j) = kernel(a, b, lengths) + if i == j { noise } else { 0.0 };
        }
    }
    matrix
}

fn kernel(a: &[f64], b: &[f64], lengths: &[f64]) -> f64 {
    let square: f64 = a.iter().zip(b).zip(lengths).map(|((a, b), l)| (a - b) * (a - b) / (l * l)).sum();
    num::exp(-0.5 * square)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A symmetric matrix, and after [`Matrix::decompose`] its lower Cholesky factor.
#[derive(Debug, Clone)]
struct Matrix {
    n: usize,
    cells: Vec<f64>,
}

impl Matrix {
    fn zero(n: usize) -> Self {
        Self { n, cells: vec![0.0; n * n] }
    }

    fn at(&mut self, i: usize, j: usize) -> &mut f64 {
        &mut self.cells[i * self.n + j]
    }

    fn decompose(&mut self) {
        let n = self.n;
        for j in 0..n {
            for i in j..n {
                let (a, b) = (&self.cells[i * n..i * n + j], &self.cells[j * n..j * n + j]);
                let rest = self.cells[i * n + j] - dot(a, b);
                let diagonal = if i == j { 1.0 } else { self.cells[j * n + j] };
                self.cells[i * n + j] = if i == j { rest.max(1e-12).sqrt() } else { rest / diagonal };
            }
        }
    }

    /// Solves by the factor and its transpose.
    fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n = self.n;
        let mut x = right.to_vec();
        for i in 0..n {
            let sum = dot(&self.cells[i * n..i * n + i], &x[..i]);
            x[i] = (x[i] - sum) / self.cells[i * n + i];
        }
        for i in (0..n).rev() {
            let sum: f64 = (i + 1..n).map(|j| self.cells[j * n + i] * x[j]).sum();
            x[i] = (x[i] - sum) / self.cells[i * n + i];
        }
        x
    }

    /// Half of the logarithm of the determinant.
    fn log_diagonal(&self) -> f64 {
        (0..self.n).map(|i| num::ln(self.cells[i * self.n + i])).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_solves() {
        let mut matrix = Matrix::zero(2);
        matrix.cells = vec![4.0, 2.0, 2.0, 3.0];
        matrix.decompose();
        let x = matrix.solve(&[10.0, 8.0]);
        assert!((x[0] - 1.75).abs() < 1e-12 && (x[1] - 1.5).abs() < 1e-12, "{x:?}");
        // det = 8
        assert!((2.0 * matrix.log_diagonal() - num::ln(8.0)).abs() < 1e-12);
    }

    #[test]
    fn goes_through_what_was_measured_and_is_close_between() {
        let height = |x: f64, y: f64| 3.0 + 2.0 * x - num::sin(4.0 * y) + x * y;
        let mut places = Vec::new();
        for i in 0..6 {
            for j in 0..6 {
                places.push(vec![f64::from(i) / 5.0, f64::from(j) / 5.0]);
            }
        }
        let values: Vec<f64> = places.iter().map(|p| height(p[0], p[1])).collect();
        let surface = Surface::fit(&places, &values, Trend::Curved);
        for (place, value) in places.iter().zip(&values) {
            assert!((surface.guess(place).mean - value).abs() < 0.02);
        }
        let between = surface.guess(&[0.33, 0.71]);
        assert!((between.mean - height(0.33, 0.71)).abs() < 0.02, "{between:?}");
        let outside = surface.guess(&[2.0, 2.0]);
        assert!(outside.variance > 10.0 * between.variance);
    }

    #[test]
    fn one_value_makes_a_level() {
        let surface = Surface::fit(&[vec![0.5]], &[7.0], Trend::Level);
        assert!((surface.guess(&[0.1]).mean - 7.0).abs() < 1e-6);
    }
}
