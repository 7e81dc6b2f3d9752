//! Periods: where the autocorrelation of the load has its peaks.

use homeostat_core::Span;

use super::fft::products;
use super::report::Period;

/// Peaks lower than this are not reported.
const LEAST: f64 = 0.1;
/// How far a peak must rise above the valley before it.
const RISE: f64 = 0.1;

/// Autocorrelation at lags of 0 cells up to half the series; holes are left out.
pub(crate) fn autocorrelation(rates: &[Option<f64>]) -> Vec<f64> {
    let known = rates.iter().flatten().count();
    let mean = rates.iter().flatten().sum::<f64>() / known.max(1) as f64;
    let centred: Vec<f64> = rates.iter().map(|rate| rate.map_or(0.0, |rate| rate - mean)).collect();
    let mask: Vec<f64> = rates.iter().map(|rate| f64::from(rate.is_some())).collect();
    let (sums, pairs) = (products(&centred), products(&mask));
    let variance = sums.first().copied().unwrap_or_default() / known.max(1) as f64;
    if variance <= mean * mean * 1e-12 {
        return Vec::new();
    }
    let half = rates.len() / 2 + 1;
    let correlation = sums.iter().zip(&pairs).take(half);
    correlation.map(|(sum, pairs)| if *pairs < 1.5 { 0.0 } else { sum / pairs / variance }).collect()
}

/// The autocorrelation at one lag; `None` when the record is shorter than twice the lag.
pub(crate) fn at(rates: &[Option<f64>], cell: Span, lag: Span) -> Option<f64> {
    let cells = ((lag.0 + cell.0 / 2) / cell.0) as usize;
    (cells > 0).then(|| autocorrelation(rates).get(cells).copied())?
}

/// The strongest periods, shortest first. A multiple of a reported one must be clearly stronger; a
/// peak beside a day or a week is taken for it.
pub(crate) fn find(rates: &[Option<f64>], cell: Span) -> Vec<Period> {
    let correlation = autocorrelation(rates);
    let mut peaks = peaks(&correlation);
    for peak in &mut peaks {
        *peak = snap(*peak, &correlation, cell);
    }
    let strongest = peaks.iter().map(|peak| peak.1).fold(0.0, f64::max);
    let mut kept: Vec<(usize, f64)> = Vec::new();
    for (lag, height) in peaks {
        let covers = |(base, base_height): &(usize, f64)| {
            let rest = lag % base;
            let off = rest.min(base - rest);
            (off * 40 <= lag || off <= 1) && height < base_height + RISE
        };
        if height >= strongest * 0.6 && !kept.iter().any(covers) {
            kept.push((lag, height));
        }
    }
    kept.sort_by(|a, b| b.1.total_cmp(&a.1));
    kept.truncate(5);
    kept.sort_unstable_by_key(|(lag, _)| *lag);
    kept.into_iter()
        .map(|(lag, autocorrelation)| Period { period: cell * lag as u64, autocorrelation })
        .collect()
}

/// Moves a peak to the day or week within 2.5 % of it, where the correlation is about as high there.
fn snap((lag, height): (usize, f64), correlation: &[f64], cell: Span) -> (usize, f64) {
    let near = [Span::DAY, Span::DAY * 7].into_iter().map(|span| (span.0 / cell.0) as usize).find(|whole| {
        let as_high = correlation.get(*whole).is_some_and(|there| *there >= 0.9 * height);
        *whole > 0 && whole.abs_diff(lag) * 40 <= *whole && as_high
    });
    near.map_or((lag, height), |whole| (whole, correlation[whole]))
}

/// Local peaks that rise clearly above the valley before them.
fn peaks(correlation: &[f64]) -> Vec<(usize, f64)> {
    let mut found: Vec<(usize, f64)> = Vec::new();
    let (mut valley, mut top) = (f64::INFINITY, (0, f64::NEG_INFINITY));
    let mut rising = false;
    for (lag, value) in correlation.iter().copied().enumerate().skip(1) {
        if rising {
            if value > top.1 {
                top = (lag, value);
            } else if value < top.1 - RISE {
                if top.1 >= LEAST {
                    found.push(top);
                }
                (rising, valley) = (false, value);
            }
        } else {
            valley = valley.min(value);
            if value > valley + RISE {
                (rising, top) = (true, (lag, value));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_day_and_not_its_multiples() {
        let rates: Vec<Option<f64>> = (0..24 * 20)
            .map(|hour| {
                let wave = (f64::from(hour) / 24.0 * std::f64::consts::TAU).sin();
                (hour % 17 != 0).then_some(10.0 + 5.0 * wave)
            })
            .collect();
        let found = find(&rates, Span::HOUR);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].period, Span::DAY);
        assert!(found[0].autocorrelation > 0.95);
        assert!(at(&rates, Span::HOUR, Span::DAY * 11).is_none());
    }

    #[test]
    fn a_constant_has_no_period() {
        assert!(find(&[Some(3.0); 100], Span::HOUR).is_empty());
        assert!(find(&[], Span::HOUR).is_empty());
    }
}
