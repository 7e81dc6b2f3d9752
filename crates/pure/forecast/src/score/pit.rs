//! Where an outcome falls in a forecast distribution: the randomised probability integral transform (Czado,
//! Gneiting and Held 2009), from quantiles.

/// The probability integral transform of `actual` under the quantiles `quantiles` at `levels` (both rising),
/// linear between them: uniform where the forecast is right. `draw` in 0 to 1 decides within an atom.
///
/// With `count`, the size of one count in the unit of the values, outcomes are whole counts and each stands
/// for the half count on either side; without, atoms are where neighbouring quantiles are equal. Outside
/// the outermost quantiles only the side is told.
pub fn pit(actual: f64, levels: &[f64], quantiles: &[f64], count: Option<f64>, draw: f64) -> f64 {
    let (below, above) = match count {
        Some(count) => {
            let half = count / 2.0;
            let below = if actual < half { 0.0 } else { right(actual - half, levels, quantiles) };
            (below, right(actual + half, levels, quantiles))
        }
        None => (left(actual, levels, quantiles), right(actual, levels, quantiles)),
    };
    below + draw * (above - below)
}

/// P(X ≤ x).
fn right(x: f64, levels: &[f64], quantiles: &[f64]) -> f64 {
    let after = quantiles.partition_point(|q| *q <= x);
    between(x, after, levels, quantiles)
}

/// P(X < x).
fn left(x: f64, levels: &[f64], quantiles: &[f64]) -> f64 {
    let after = quantiles.partition_point(|q| *q < x);
    between(x, after, levels, quantiles)
}

/// The level at `x` between the quantiles `after − 1` and `after`.
fn between(x: f64, after: usize, levels: &[f64], quantiles: &[f64]) -> f64 {
    match after {
        0 => 0.0,
        n if n == quantiles.len() => 1.0,
        n => {
            let (a, b) = (quantiles[n - 1], quantiles[n]);
            let share = if b > a { ((x - a) / (b - a)).clamp(0.0, 1.0) } else { 1.0 };
            levels[n - 1] + (levels[n] - levels[n - 1]) * share
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::draw::Key;

    const LEVELS: [f64; 5] = [0.05, 0.5, 0.9, 0.95, 0.99];

    fn covered(actual: f64, quantiles: &[f64], count: Option<f64>, draw: f64) -> bool {
        (0.05..=0.95).contains(&pit(actual, &LEVELS, quantiles, count, draw))
    }

    #[test]
    fn a_continuous_outcome_is_covered_inside_the_interval() {
        let quantiles = [1.0, 5.0, 9.0, 10.0, 12.0];
        for (actual, inside) in [(0.5, false), (1.5, true), (5.0, true), (9.9, true), (10.1, false)] {
            assert_eq!(covered(actual, &quantiles, None, 0.5), inside, "{actual}");
        }
    }

    /// Counts of Poisson(0.7), exact quantiles: a closed interval would cover 0 and 1 and 2 always (97 %);
    /// by randomised PIT the cover is that of the distribution between the levels.
    #[test]
    fn counts_are_covered_as_often_as_the_levels_say() {
        let mut draws = Key::root(1).child("counts").at(0);
        let mut counts: Vec<f64> = (0..20_000).map(|_| draws.poisson(0.7) as f64).collect();
        counts.sort_by(f64::total_cmp);
        // The distribution of a count spread over its half counts: continuous, so its quantiles tell all.
        let mut spread: Vec<f64> = counts.iter().map(|k| k + draws.uniform() - 0.5).collect();
        spread.sort_by(f64::total_cmp);
        let levels: Vec<f64> = (1..100).map(|n| f64::from(n) / 100.0).collect();
        let quantiles: Vec<f64> = levels.iter().map(|l| spread[(l * 20_000.0) as usize]).collect();
        let inside = |draw: f64, k: f64| {
            let u = pit(k, &levels, &quantiles, Some(1.0), draw);
            (0.05..=0.95).contains(&u)
        };
        let hits = counts.iter().filter(|k| inside(draws.uniform(), **k)).count();
        let cover = hits as f64 / 20_000.0;
        assert!((cover - 0.9).abs() < 0.01, "{cover}");
    }

    #[test]
    fn an_atom_at_zero_is_covered_by_its_share() {
        let quantiles = [0.0, 0.0, 0.0, 0.0, 3.0];
        let mut draws = Key::root(2).child("atom").at(0);
        let hits = (0..10_000).filter(|_| covered(0.0, &quantiles, None, draws.uniform())).count();
        let cover = hits as f64 / 10_000.0;
        assert!((cover - 0.9 / 0.95).abs() < 0.01, "{cover}");
    }
}
