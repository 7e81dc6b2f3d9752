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
}
