//! Least squares on line: old observations fade, and coefficients start from a prior.
//!
//! The normal equations are kept and solved now and then (Cholesky), with a ridge around the prior: as
//! exact as recursive least squares, but never unstable however one-sided the data. Several targets can
//! share the features, and then share most of the work.

/// Regression of `T` targets on `D` features.
#[derive(Debug, Clone)]
pub(crate) struct Regression<const D: usize, const T: usize = 1> {
    /// Weighted sums of products of features: the lower triangle, row by row.
    square: Box<[f32]>,
    product: [[f32; D]; T],
    coefficients: [[f32; D]; T],
}

impl<const D: usize, const T: usize> Regression<D, T> {
    pub(crate) fn new(prior: [f64; D]) -> Self {
        let square = vec![0.0; D * (D + 1) / 2].into_boxed_slice();
        Self { square, product: [[0.0; D]; T], coefficients: [prior.map(|c| c as f32); T] }
    }

    /// The target number `target` expected with these features.
    pub(crate) fn predict(&self, target: usize, features: &[f32; D]) -> f64 {
        f64::from(self.coefficients[target].iter().zip(features).map(|(c, x)| c * x).sum::<f32>())
    }

    /// The coefficients of target number `target`.
    pub(crate) const fn coefficients(&self, target: usize) -> &[f32; D] {
        &self.coefficients[target]
    }

    /// Takes an observation; `keep` is the share of the past that stays.
    pub(crate) fn learn(&mut self, features: &[f32; D], targets: [f64; T], weight: f64, keep: f64) {
        let (weight, keep) = (weight as f32, keep as f32);
        let mut rest = &mut self.square[..];
        for (i, x) in features.iter().enumerate() {
            let scaled = weight * x;
            let (row, after) = rest.split_at_mut(i + 1);
            row.iter_mut().zip(features).for_each(|(entry, y)| *entry = keep * *entry + scaled * y);
            rest = after;
            for (product, target) in self.product.iter_mut().zip(targets) {
                product[i] = keep * product[i] + scaled * target as f32;
            }
        }
    }

    /// Solves for the coefficients, pulled to `prior` with strength `ridge`.
    pub(crate) fn solve(&mut self, prior: &[f64; D], ridge: f64) {
        let lower = self.factor(ridge);
        for (product, coefficients) in self.product.iter().zip(&mut self.coefficients) {
            let mut x: [f64; D] = std::array::from_fn(|i| f64::from(product[i]) + ridge * prior[i]);
            for i in 0..D {
                let dot: f64 = lower[i][..i].iter().zip(&x[..i]).map(|(l, x)| l * x).sum();
                x[i] = (x[i] - dot) / lower[i][i];
            }
            for i in (0..D).rev() {
                x[i] /= lower[i][i];
                let done = x[i];
                x[..i].iter_mut().zip(&lower[i][..i]).for_each(|(x, l)| *x -= l * done);
            }
            if x.iter().all(|value| value.is_finite()) {
                *coefficients = x.map(|value| value as f32);
            }
        }
    }

    /// The lower Cholesky factor of the sums plus `ridge` on the diagonal.
    fn factor(&self, ridge: f64) -> [[f64; D]; D] {
        let mut lower = [[0.0; D]; D];
        let mut rest = &self.square[..];
        for (i, row) in lower.iter_mut().enumerate() {
            let (sums, after) = rest.split_at(i + 1);
            row.iter_mut().zip(sums).for_each(|(entry, sum)| *entry = f64::from(*sum));
            row[i] += ridge;
            rest = after;
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
        lower
    }

    pub(crate) fn bytes(&self) -> usize {
        self.square.len() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_coefficients_that_made_the_data_and_keeps_the_prior_without_any() {
        let mut draws = homeostat_core::draw::Key::root(1).at(0);
        let mut regression = Regression::<3, 2>::new([0.5; 3]);
        regression.solve(&[0.5; 3], 1.0);
        assert!((regression.predict(0, &[1.0; 3]) - 1.5).abs() < 1e-6);
        for _ in 0..2_000 {
            let x = [1.0, draws.normal(), draws.normal()];
            let y = 2.0 - x[1] + 3.0 * x[2] + 0.1 * draws.normal();
            regression.learn(&x.map(|x| x as f32), [y, -y], 1.0, 1.0);
        }
        regression.solve(&[0.5; 3], 1e-3);
        for (i, expected) in [2.0, -1.0, 3.0].into_iter().enumerate() {
            let unit: [f32; 3] = std::array::from_fn(|j| if i == j { 1.0 } else { 0.0 });
            let found = [0, 1].map(|target| regression.predict(target, &unit));
            assert!((found[0] - expected).abs() < 0.01, "{found:?} instead of {expected}");
            assert!((found[0] + found[1]).abs() < 1e-4);
        }
    }
}
