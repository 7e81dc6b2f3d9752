//! Quantiles and limits for the tables.

/// The quantile by rank; infinite values count as they are.
pub(super) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// The upper 95 % limit (one-sided, Clopper and Pearson) of a probability after `hits` of `n`.
pub(super) fn upper95(hits: usize, n: usize) -> f64 {
    let (mut low, mut high) = (hits as f64 / n as f64, 1.0);
    for _ in 0..60 {
        let p = f64::midpoint(low, high);
        if at_most(hits, n, p) > 0.05 {
            low = p;
        } else {
            high = p;
        }
    }
    low
}

/// P(X <= hits) of a binomial.
fn at_most(hits: usize, n: usize, p: f64) -> f64 {
    let mut log = n as f64 * (1.0 - p).ln();
    let mut sum = log.exp();
    for k in 1..=hits {
        log += ((n - k + 1) as f64 / k as f64).ln() + (p / (1.0 - p)).ln();
        sum += log.exp();
    }
    sum
}

/// Works on each part in a thread of its own; results in the order of the parts.
pub(super) fn at_once<P: Send, T: Send>(parts: Vec<P>, work: impl Fn(P) -> T + Sync) -> Vec<T> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || work(part))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule of three, and a value of the tables.
    #[test]
    fn limits_are_those_of_the_tables() {
        assert!((upper95(0, 200) - 0.0149).abs() < 1e-4);
        assert!((upper95(4, 200) - 0.0452).abs() < 1e-4);
    }

    #[test]
    fn quantiles_are_values() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0, f64::INFINITY], 0.5), 2.0);
    }
}
