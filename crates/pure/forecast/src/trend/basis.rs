//! Least squares a column at a time: an orthogonal basis by modified Gram-Schmidt, and what the
//! coefficients are worth when the noise has a memory.

/// Columns at most.
pub(crate) const COLUMNS: usize = 8;
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

    /// By how much the squared error would fall with this column, which is used up.
    pub(crate) fn gain(&self, rest: &mut [f64]) -> f64 {
        let whole = dot(rest, rest);
        for q in self.q.chunks_exact(rest.len()) {
            remove(rest, q);
        }
        let norm = dot(rest, rest);
        if norm <= NEW * whole || norm == 0.0 {
            return 0.0;
        }
        let share = dot(rest, &self.residual);
        share * share / norm
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

    /// The covariance of the coefficients under noise of variance one whose correlation falls by `rho` a
    /// step, and the degrees of freedom in units of that variance: exact for ordinary least squares.
    pub(crate) fn covariance(&self, rho: f64) -> (Square, f64) {
        let n = self.residual.len();
        let mut middle = [[0.0; COLUMNS]; COLUMNS];
        let columns: Vec<&[f64]> = self.q.chunks_exact(n).collect();
        for (j, column) in columns.iter().enumerate() {
            let smeared = correlated(column, rho);
            for (i, other) in columns.iter().enumerate() {
                middle[i][j] = dot(other, &smeared);
            }
        }
        let spent: f64 = (0..self.columns).map(|i| middle[i][i]).sum();
        let unit = |i: usize| std::array::from_fn(|j| f64::from(u8::from(i == j)));
        let inverse: Vec<[f64; COLUMNS]> = (0..self.columns).map(|i| self.solve(&unit(i))).collect();
        (sandwich(&inverse, &middle), n as f64 - spent)
    }
}

/// a·m·aᵀ, where `a` is given by its columns.
fn sandwich(a: &[[f64; COLUMNS]], m: &Square) -> Square {
    let mut all = [[0.0; COLUMNS]; COLUMNS];
    for (left, row) in a.iter().zip(m) {
        for (right, middle) in a.iter().zip(row) {
            for (out, left) in all.iter_mut().zip(left) {
                out.iter_mut().zip(right).for_each(|(out, right)| *out += left * middle * right);
            }
        }
    }
    all
}

/// The correlation matrix ρ^|i−j| times a vector, in two passes.
fn correlated(values: &[f64], rho: f64) -> Vec<f64> {
    let mut out = values.to_vec();
    let mut before = 0.0;
    for (out, value) in out.iter_mut().zip(values) {
        *out += before;
        before = rho * (before + value);
    }
    let mut after = 0.0;
    for (out, value) in out.iter_mut().zip(values).rev() {
        *out += after;
        after = rho * (after + value);
    }
    out
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
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
        let (covariance, left) = basis.covariance(0.0);
        assert!((covariance[1][1] - 1.0 / sxx).abs() < 1e-12 && (left - 2.0).abs() < 1e-12);
        assert!((covariance[0][0] - (0.25 + 1.75 * 1.75 / sxx)).abs() < 1e-12);
    }

    /// The variance of a mean of AR(1) noise has a closed form: (n + 2 Σ (n−k) ρ^k) / n².
    #[test]
    fn noise_with_a_memory_as_in_the_closed_form() {
        let (n, rho) = (30_usize, 0.8_f64);
        let y: Vec<f64> = (0..n).map(|i| (i * i % 7) as f64).collect();
        let mut basis = Basis::new(&y);
        basis.push(&vec![1.0; n]);
        let mut power = 1.0;
        let mut sum = n as f64;
        for k in 1..n {
            power *= rho;
            sum += 2.0 * (n - k) as f64 * power;
        }
        let (covariance, left) = basis.covariance(rho);
        assert!((covariance[0][0] - sum / (n * n) as f64).abs() < 1e-12);
        assert!((left - (n as f64 - sum / n as f64)).abs() < 1e-9);
    }

    #[test]
    fn a_column_that_says_nothing_new_is_left_out() {
        let mut basis = Basis::new(&[1.0, 2.0, 2.5]);
        assert!(basis.push(&[1.0; 3]) && basis.push(&[0.0, 1.0, 2.0]));
        assert!(!basis.push(&[3.0, 5.0, 7.0]));
        assert_eq!(basis.columns(), 2);
    }
}
