//! How sure a difference of losses is: the circular block bootstrap (Politis and Romano 1992) of paired
//! differences, which keeps the dependence between neighbours in time.

use homeostat_core::draw::Key;

/// Resampled histories.
const DRAWS: usize = 1_000;

/// A mean and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// 2.5 % of the resampled means are below.
    pub low: f64,
    /// 2.5 % of the resampled means are above.
    pub high: f64,
}

/// The mean of `ours − theirs`, origin by origin in order of time, with its interval from blocks of `block`
/// neighbours. `None` without values.
pub fn difference(ours: &[f64], theirs: &[f64], block: usize, seed: u64) -> Option<Interval> {
    let differences: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
    let n = differences.len();
    if n == 0 {
        return None;
    }
    let block = block.clamp(1, n);
    let sums = block_sums(&differences, block);
    let blocks = n.div_ceil(block);
    let key = Key::root(seed).child("bootstrap");
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|draw| {
            let mut draws = key.at(draw as u64);
            let total: f64 = (0..blocks).map(|_| sums[draws.below(n as u64) as usize]).sum();
            total / (blocks * block) as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let edge = DRAWS / 40;
    let mean = differences.iter().sum::<f64>() / n as f64;
    Some(Interval { mean, low: means[edge], high: means[DRAWS - 1 - edge] })
}

/// Sum of the block that begins at each place, going round at the end.
fn block_sums(values: &[f64], block: usize) -> Vec<f64> {
    let n = values.len();
    (0..n).map(|start| (start..start + block).map(|i| values[i % n]).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AR(1) noise around `mean`; `keep` of the last value stays.
    fn noise(n: usize, mean: f64, keep: f64) -> Vec<f64> {
        let mut draws = Key::root(3).child("noise").at(0);
        let mut state = 0.0;
        let mut next = || {
            state = keep * state + draws.normal() * (1.0 - keep * keep).sqrt();
            mean + state
        };
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn independent_differences_have_the_normal_interval() {
        let values = noise(2_000, 0.3, 0.0);
        let found = difference(&values, &vec![0.0; values.len()], 1, 1).unwrap();
        let half = 1.96 / 2_000.0_f64.sqrt();
        assert!((found.high - found.low - 2.0 * half).abs() < 0.15 * half, "{found:?}");
        assert!(found.low < found.mean && found.mean < found.high);
    }

    #[test]
    fn blocks_see_the_dependence() {
        let values = noise(5_000, 0.0, 0.9);
        let zeros = vec![0.0; values.len()];
        let width = |block| difference(&values, &zeros, block, 1).map_or(0.0, |i| i.high - i.low);
        // The variance of a mean of AR(1) is (1 + φ)/(1 − φ) = 19 times that of independent values.
        let ratio = width(200) / width(1);
        assert!((3.0..5.5).contains(&ratio), "{ratio}");
        assert_eq!(difference(&[], &[], 1, 1), None);
    }
}
