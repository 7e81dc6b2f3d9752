//! Least squares a column at a time: an orthogonal basis by modified Gram-Schmidt.

/// Columns at most.
pub(crate) const COLUMNS: usize = 9;
/// A column of which less than this share is new says nothing that the others don't say.
const NEW: f64 = 1e-9;

/// A square matrix of at most [`COLUMNS`] rows.
pub(crate) type Square = [[f64; COLUMNS]; COLUMNS];

/// A regression of one series on the columns pushed so far.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    /// Orthonormal columns, one after the other.
    q: Vec<f64>,
    /// The columns in terms of `q`: upper triangular, by row.
    r: Square,
    /// The series in terms of `q`.
    d: [f64; COLUMNS],
    /// What the columns don't explain.
    pub(crate) residual: Vec<f64>,
    columns: usize,
}

impl Basis {
    pub(crate) fn new(y: &[f64]) -> Self {
        let q = Vec::with_capacity(y.len() * COLUMNS);
        let r = [[0.0; COLUMNS]; COLUMNS];
        Self { q, r, d: [0.0; COLUMNS], residual: y.to_vec(), columns: 0 }
    }

    pub(crate) const fn columns(&self) -> usize {
        self.columns
    }

    /// Adds a column; `false` where it says nothing new.
    pub(crate) fn push(&mut self, column: &[f64]) -> bool {
        let n = column.len();
        if self.columns == COLUMNS {
            return false;
        }
        let mut rest = column.to_vec();
        let mut shares = [0.0; COLUMNS];
        for (q, share) in self.q.chunks_exact(n).zip(&mut shares) {
            *share = remove(&mut rest, q);
        }
        let norm = dot(&rest, &rest).sqrt();
        if norm * norm <= NEW * dot(column, column) || norm == 0.0 {
            return false;
        }
        for value in &mut rest {
            *value /= norm;
        }
        for (row, share) in self.r.iter_mut().zip(shares).take(self.columns) {
            row[self.columns] = share;
        }
        self.r[self.columns][self.columns] = norm;
        self.d[self.columns] = remove(&mut self.residual, &rest);
        self.q.extend_from_slice(&rest);
        self.columns += 1;
        true
    }

    /// Takes the columns out of `column`: the length of what is left, `None` where it says nothing new.
    pub(crate) fn rest(&self, column: &mut [f64]) -> Option<f64> {
        let whole = dot(column, column);
        for q in self.q.chunks_exact(column.len()) {
            remove(column, q);
        }
        let left = dot(column, column);
        (left > NEW * whole).then(|| left.sqrt())
    }

    /// The orthonormal columns.
    pub(crate) fn units(&self) -> impl Iterator<Item = &[f64]> {
        self.q.chunks_exact(self.residual.len().max(1))
    }

    /// Volume that the columns span.
    pub(crate) fn volume(&self) -> f64 {
        (0..self.columns).map(|i| self.r[i][i]).product()
    }

    pub(crate) fn rss(&self) -> f64 {
        dot(&self.residual, &self.residual)
    }

    /// The coefficients of the columns.
    pub(crate) fn coefficients(&self) -> [f64; COLUMNS] {
        self.solve(&self.d)
    }

    /// The solution b of r·b = d.
    fn solve(&self, d: &[f64; COLUMNS]) -> [f64; COLUMNS] {
        let mut b = [0.0; COLUMNS];
        for i in (0..self.columns).rev() {
            let known: f64 = (i + 1..self.columns).map(|j| self.r[i][j] * b[j]).sum();
            b[i] = (d[i] - known) / self.r[i][i];
        }
        b
    }

    /// The covariance of the coefficients under white noise of variance one.
    pub(crate) fn covariance(&self) -> Square {
        let unit = |i: usize| std::array::from_fn(|j| f64::from(u8::from(i == j)));
        let mut all = [[0.0; COLUMNS]; COLUMNS];
        for column in (0..self.columns).map(|i| self.solve(&unit(i))) {
            for (out, left) in all.iter_mut().zip(&column) {
                out.iter_mut().zip(&column).for_each(|(out, right)| *out += left * right);
            }
        }
        all
    }
}

/// The inner product, summed in four lanes.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut lanes = [0.0; 4];
    for (a, b) in a.iter().zip(b) {
        for i in 0..4 {
            lanes[i] += a[i] * b[i];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}

/// Takes the part along the unit vector `q` out of `values` and gives its length.
fn remove(values: &mut [f64], q: &[f64]) -> f64 {
    let share = dot(values, q);
    values.iter_mut().zip(q).for_each(|(value, q)| *value -= share * q);
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The textbook's formulas for one straight line, white noise.
    #[test]
    fn a_straight_line_as_in_the_textbook() {
        let x = [0.0, 1.0, 2.0, 4.0];
        let y = [1.0, 3.0, 4.0, 9.5];
        let mut basis = Basis::new(&y);
        assert!(basis.push(&[1.0; 4]) && basis.push(&x));
        let [a, b, ..] = basis.coefficients();
        let sxx = 8.75;
        assert!((b - 18.375 / sxx).abs() < 1e-12 && (a - (4.375 - b * 1.75)).abs() < 1e-12);
        let covariance = basis.covariance();
        assert!((covariance[1][1] - 1.0 / sxx).abs() < 1e-12);
        assert!((covariance[0][0] - (0.25 + 1.75 * 1.75 / sxx)).abs() < 1e-12);
    }

    #[test]
    fn a_column_that_says_nothing_new_is_left_out() {
        let mut basis = Basis::new(&[1.0, 2.0, 2.5]);
        assert!(basis.push(&[1.0; 3]) && basis.push(&[0.0, 1.0, 2.0]));
        assert!(!basis.push(&[3.0, 5.0, 7.0]));
        assert_eq!(basis.columns(), 2);
    }
}
