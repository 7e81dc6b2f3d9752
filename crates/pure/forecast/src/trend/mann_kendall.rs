//! The test of Mann (Econometrica 13, 1945) and Kendall (1975) as published, with Sen's slope: the field's
//! standard evidence for aging, which takes noise with a memory for a trend.

use super::sen::median;

/// What the test says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannKendall {
    /// Kendall's S: pairs that rise less pairs that fall.
    pub s: f64,
    /// Variance of S under independence, corrected for ties.
    pub variance: f64,
    /// S in standard deviations, with the correction for continuity.
    pub z: f64,
    /// Sen's slope per step of the series.
    pub slope: f64,
}

/// Runs the test over values at equal steps of time; `None` for fewer than two.
pub fn mann_kendall(values: &[f64]) -> Option<MannKendall> {
    let mut slopes = Vec::with_capacity(values.len() * values.len() / 2);
    let mut s = 0_i64;
    for (i, from) in values.iter().enumerate() {
        for (j, to) in values.iter().enumerate().skip(i + 1) {
            s += i64::from(to > from) - i64::from(to < from);
            slopes.push((to - from) / (j - i) as f64);
        }
    }
    let slope = median(&mut slopes)?;
    let weight = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let ties: f64 = sorted.chunk_by(|a, b| a == b).map(|tied| weight(tied.len() as f64)).sum();
    let variance = (weight(values.len() as f64) - ties) / 18.0;
    let s = s as f64;
    let z = if variance > 0.0 && s != 0.0 { (s - s.signum()) / variance.sqrt() } else { 0.0 };
    Some(MannKendall { s, variance, z, slope })
}
