//! Least squares on line: old observations fade, and coefficients start from a prior.
//!
//! The normal equations are kept and solved now and then (Cholesky), with a ridge around the prior: as
//! exact as recursive least squares, but never unstable however one-sided the data.

/// Regression on `D` features.
#[derive(Debug, Clone)]
pub(crate) struct Regression<const D: usize> {
    /// Weighted sums of products of features, lower triangle.
    square: [[f64; D]; D],
    product: [f64; D],
    pub(crate) coefficients: [f64; D],
}

impl<const D: usize> Regression<D> {
    pub(crate) const fn new(prior: [f64; D]) -> Self {
        Self { square: [[0.0; D]; D], product: [0.0; D], coefficients: prior }
    }

    pub(crate) fn predict(&self, features: &[f64; D]) -> f64 {
        self.coefficients.iter().zip(features).map(|(c, x)| c * x).sum()
    }

    /// Takes an observation; `keep` is the share of the past that stays.
    pub(crate) fn learn(&mut self, features: &[f64; D], target: f64, weight: f64, keep: f64) {
        for (i, row) in self.square.iter_mut().enumerate() {
            let scaled = weight * features[i];
            for (entry, x) in row[..=i].iter_mut().zip(features) {
                *entry = keep * *entry + scaled * x;
            }
            self.product[i] = keep * self.product[i] + scaled * target;
        }
    }

    /// Solves for the coefficients, pulled to `prior` with strength `ridge`.
    pub(crate) fn solve(&mut self, prior: &[f64; D], ridge: &[f64; D]) {
        let mut lower = self.square;
        let mut x = [0.0; D];
        for i in 0..D {
            lower[i][i] += ridge[i];
            x[i] = self.product[i] + ridge[i] * prior[i];
        }
        for j in 0..D {
            let head = lower[j];
            let pivot = (head[j] - head[..j].iter().map(|l| l * l).sum::<f64>()).max(1e-12).sqrt();
            lower[j][j] = pivot;
            for row in lower.iter_mut().skip(j + 1) {
                let dot: f64 = row[..j].iter().zip(&head[..j]).map(|(a, b)| a * b).sum();
                row[j] = (row[j] - dot) / pivot;
            }
        }
        for i in 0..D {
            let dot: f64 = lower[i][..i].iter().zip(&x[..i]).map(|(l, x)| l * x).sum();
            x[i] = (x[i] - dot) / lower[i][i];
        }
        for i in (0..D).rev() {
            let dot: f64 = (i + 1..D).map(|k| lower[k][i] * x[k]).sum();
            x[i] = (x[i] - dot) / lower[i][i];
        }
        if x.iter().all(|value| value.is_finite()) {
            self.coefficients = x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_coefficients_that_made_the_data_and_keeps_the_prior_without_any() {
        let mut draws = homeostat_core::draw::Key::root(1).at(0);
        let mut regression = Regression::new([0.5; 3]);
        regression.solve(&[0.5; 3], &[1.0; 3]);
        assert!(regression.coefficients.iter().all(|c| (c - 0.5).abs() < 1e-12));
        for _ in 0..2_000 {
            let x = [1.0, draws.normal(), draws.normal()];
            regression.learn(&x, 2.0 - x[1] + 3.0 * x[2] + 0.1 * draws.normal(), 1.0, 1.0);
        }
        regression.solve(&[0.5; 3], &[1e-3; 3]);
        for (found, true_value) in regression.coefficients.iter().zip([2.0, -1.0, 3.0]) {
            assert!((found - true_value).abs() < 0.01, "{found} instead of {true_value}");
        }
    }
}
