//! The memory of noise, and how wide an interval must be for it.

/// Correlation of successive residuals, corrected for what fitting `columns` took away: its mean is ρ −
/// (k + (k + 2) ρ) / n to the first order (Marriott and Pope, Biometrika 41, 1954, for k = 1). Negative
/// correlation is taken as none.
pub(crate) fn memory(residual: &[f64], columns: usize) -> f64 {
    let n = residual.len() as f64;
    let k = columns as f64;
    let room = 1.0 - (k + 2.0) / n;
    if room <= 0.0 {
        return MOST;
    }
    ((raw_memory(residual) + k / n) / room).clamp(0.0, MOST)
}

/// More memory than this can't be told from a random walk.
const MOST: f64 = 0.98;

/// Correlation of successive residuals as it is.
pub(crate) fn raw_memory(residual: &[f64]) -> f64 {
    let all: f64 = residual.iter().map(|e| e * e).sum();
    if all <= 0.0 {
        return 0.0;
    }
    residual.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / all
}

/// The 95 % quantile of the normal distribution.
pub(crate) const Z95: f64 = 1.644_853_626_951_472_2;

/// The 95 % quantile of Student's t with `freedom` degrees (at least 2), by the expansion of Fisher and
/// Cornish; off by less than 0.3 % from 3 degrees on.
pub(crate) fn t95(freedom: f64) -> f64 {
    const Z: f64 = Z95;
    let v = freedom.max(2.0);
    let (z2, z3) = (Z * Z, Z * Z * Z);
    let (z5, z7) = (z3 * z2, z3 * z2 * z2);
    let first = (z3 + Z) / 4.0;
    let second = (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / 96.0;
    let third = (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * Z) / 384.0;
    Z + first / v + second / (v * v) + third / (v * v * v)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the tables of Student's t.
    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (freedom, table) in [(3.0, 2.353_4), (5.0, 2.015_0), (10.0, 1.812_5), (30.0, 1.697_3)] {
            assert!((t95(freedom) / table - 1.0).abs() < 0.003, "{freedom}: {}", t95(freedom));
        }
    }

    #[test]
    fn the_correction_takes_back_what_fitting_took() {
        // White residuals of a line through 20 points have a raw correlation of −2/20 on average.
        assert!(memory(&[0.0; 20], 2).abs() < 0.2);
        assert_eq!(memory(&[1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0], 2), 0.0);
    }
}
