//! Small dense linear algebra: normal equations of a handful of parameters.

/// A square matrix by rows.
pub(crate) type Matrix = Vec<Vec<f64>>;

/// `n` by `n` zeros.
pub(crate) fn zeros(n: usize) -> Matrix {
    vec![vec![0.0; n]; n]
}

/// The inverse by Gauss and Jordan with pivots; `None` where there is none to working precision.
pub(crate) fn inverse(matrix: &Matrix) -> Option<Matrix> {
    let n = matrix.len();
    let scale = matrix.iter().flatten().fold(0.0_f64, |top, x| top.max(x.abs()));
    let mut work: Matrix = matrix.clone();
    let mut inverse = zeros(n);
    for (i, row) in inverse.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    for column in 0..n {
        let size = |row: &usize| work[*row][column].abs();
        let pivot = (column..n).max_by(|a, b| size(a).total_cmp(&size(b)))?;
        let head = work[pivot][column];
        if !head.is_finite() || head.abs() <= 1e-13 * scale || head == 0.0 {
            return None;
        }
        work.swap(column, pivot);
        inverse.swap(column, pivot);
        for k in 0..n {
            work[column][k] /= head;
            inverse[column][k] /= head;
        }
        for row in (0..n).filter(|row| *row != column) {
            let factor = work[row][column];
            for k in 0..n {
                work[row][k] -= factor * work[column][k];
                inverse[row][k] -= factor * inverse[column][k];
            }
        }
    }
    Some(inverse)
}

/// `matrix · vector`.
pub(crate) fn times(matrix: &Matrix, vector: &[f64]) -> Vec<f64> {
    matrix.iter().map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum()).collect()
}

/// `outer · inner · outer` for symmetric matrices: the sandwich of a robust covariance.
pub(crate) fn sandwich(outer: &Matrix, inner: &Matrix) -> Matrix {
    let n = outer.len();
    let product = |a: &Matrix, b: &Matrix| -> Matrix {
        let cell = |i: usize, j: usize| (0..n).map(|k| a[i][k] * b[k][j]).sum();
        (0..n).map(|i| (0..n).map(|j| cell(i, j)).collect()).collect()
    };
    product(&product(outer, inner), outer)
}

/// The lower triangle `L` of `L Lᵀ` = a covariance (Cholesky). A direction without variance gets a tiny one.
pub(crate) fn cholesky<const N: usize>(covariance: &[[f64; N]; N]) -> [[f64; N]; N] {
    let mut lower = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let rest = covariance[i][j] - known;
            lower[i][j] = if i == j { rest.max(1e-12).sqrt() } else { rest / lower[j][j] };
        }
    }
    lower
}

/// `L⁻¹ · vector`: entries that are independent with variance one, where the vector's covariance is `L Lᵀ`.
pub(crate) fn whitened<const N: usize>(lower: &[[f64; N]; N], vector: &[f64; N]) -> [f64; N] {
    let mut out = [0.0; N];
    for i in 0..N {
        let known: f64 = (0..i).map(|k| lower[i][k] * out[k]).sum();
        out[i] = (vector[i] - known) / lower[i][i];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inverse_undoes_its_matrix() {
        let matrix = vec![vec![0.0, 2.0, 1.0], vec![2.0, 5.0, 0.5], vec![1.0, 0.5, 3.0]];
        let back = times(&inverse(&matrix).unwrap(), &times(&matrix, &[1.0, -2.0, 3.0]));
        for (found, wanted) in back.iter().zip([1.0, -2.0, 3.0]) {
            assert!((found - wanted).abs() < 1e-12, "{back:?}");
        }
        assert!(inverse(&vec![vec![1.0, 2.0], vec![2.0, 4.0]]).is_none());
    }

    #[test]
    fn whitening_takes_the_covariance_out() {
        let lower = cholesky(&[[4.0, 2.0], [2.0, 5.0]]);
        assert_eq!(lower, [[2.0, 0.0], [1.0, 2.0]]);
        assert_eq!(whitened(&lower, &[4.0, 7.0]), [2.0, 2.5]);
    }
}
