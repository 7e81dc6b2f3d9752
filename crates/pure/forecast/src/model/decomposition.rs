//! Decomposition into seasons, a level and a rest, with periods found from the data (after MSTL, Bandara,
//! Hyndman and Bergmeir 2021; medians in place of LOESS make it robust and cheap).
//!
//! Once a day the autocorrelation of hourly means shows the strongest period from two hours to a week,
//! and the best multiple of it. The season at a time is the median of what was there whole periods
//! before; the level of what it leaves goes on. Patterns below an hour are the history's detail.

use super::{Model, Place};
use crate::history::History;

/// Occurrences of a period that count.
const OCCURRENCES: i64 = 7;
/// Least autocorrelation, and how much a multiple has to add.
const PERIODIC: (f64, f64) = (0.3, 0.03);
const HOUR_S: i64 = 3_600;
/// Longest period in hours.
const WEEK: usize = 168;
/// Seconds over which the level is smoothed.
const LEVEL_S: f64 = 600.0;

/// Decomposition with found periods.
#[derive(Debug, Clone, Default)]
pub struct Decomposition {
    /// Periods in seconds, the longest first.
    periods: Vec<i64>,
    level: f64,
    known: u64,
    searched_s: i64,
}

impl Decomposition {
    /// The median over the longest period with at least two occurrences known.
    fn season(&self, history: &History, place: Place) -> f64 {
        for period in &self.periods {
            let mut values = [0.0; OCCURRENCES as usize];
            let mut have = 0;
            for back in 0..OCCURRENCES {
                let value = history.nth_before(place, *period, back);
                if !value.is_nan() {
                    values[have] = value;
                    have += 1;
                }
            }
            if have >= 2 {
                values[..have].sort_unstable_by(f64::total_cmp);
                return f64::midpoint(values[(have - 1) / 2], values[have / 2]);
            }
        }
        f64::NAN
    }

    fn search(&mut self, history: &History, now: Place) {
        let hours = ((now.local_seconds - history.began_s()) / HOUR_S).min(35 * 24);
        let end = now.local_seconds.div_euclid(HOUR_S) * HOUR_S;
        let values: Vec<f64> =
            (1..=hours).rev().map(|back| history.coarse_mean(end - back * HOUR_S, HOUR_S)).collect();
        self.periods = periods(&values).into_iter().map(|hours| hours as i64 * HOUR_S).collect();
        self.known = 0;
    }
}

impl Model for Decomposition {
    fn names(&self) -> &'static [&'static str] {
        &["decomposition"]
    }

    fn update(&mut self, history: &History) {
        let Some(now) = history.now() else { return };
        let since = now.local_seconds - self.searched_s;
        if !(0..24 * HOUR_S).contains(&since) {
            self.searched_s = now.local_seconds;
            self.search(history, now);
        }
        let season = self.season(history, now);
        if season.is_nan() {
            return;
        }
        if let Some(z) = history.newest() {
            self.known += 1;
            let weight = (history.step_s() as f64 / LEVEL_S).min(0.6).max(1.0 / self.known as f64);
            self.level += weight * (z - season - self.level);
        }
    }

    fn predict(&self, _: usize, history: &History, places: &[Place], out: &mut [f64]) -> bool {
        if self.known < 3 {
            return false;
        }
        for (out, place) in out.iter_mut().zip(places) {
            let season = self.season(history, *place);
            if season.is_nan() {
                return false;
            }
            *out = history.scale().value(self.level + season + history.detail_at(*place));
        }
        true
    }

    fn rescale(&mut self, _: &dyn Fn(f64) -> f64) {
        self.known = 0;
    }

    fn bytes(&self) -> usize {
        self.periods.capacity() * 8
    }
}

/// Periods of values (NaN where missing) in steps, the longest first: the strongest, and the multiple of it
/// with a higher autocorrelation.
fn periods(values: &[f64]) -> Vec<usize> {
    let longest = WEEK.min(values.len() / 2);
    let known = || values.iter().filter(|value| !value.is_nan());
    let mean = known().sum::<f64>() / known().count().max(1) as f64;
    let centred: Vec<f64> =
        values.iter().map(|value| if value.is_nan() { 0.0 } else { value - mean }).collect();
    let correlation = |lag: usize| -> f64 {
        let pairs = centred.iter().zip(&centred[lag..]);
        pairs.map(|(a, b)| a * b).sum::<f64>() / (centred.len() - lag) as f64
    };
    if longest < 3 || correlation(0) <= 1e-12 {
        return Vec::new();
    }
    let all: Vec<f64> = (0..=longest).map(|lag| correlation(lag) / correlation(0)).collect();
    let peak =
        |lag: &usize| all[*lag] > all[*lag - 1] && all.get(lag + 1).is_none_or(|next| *next <= all[*lag]);
    let highest = (2..longest).filter(peak).map(|lag| all[lag]).fold(0.0, f64::max);
    let Some(first) = (2..longest).find(|lag| peak(lag) && all[*lag] >= PERIODIC.0.max(0.8 * highest)) else {
        return Vec::new();
    };
    let multiples = (2..).map(|times| times * first).take_while(|lag| *lag <= longest);
    let best = multiples
        .max_by(|a, b| all[*a].total_cmp(&all[*b]))
        .filter(|lag| all[*lag] > all[first] + PERIODIC.1);
    best.into_iter().chain([first]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::num;

    #[test]
    fn a_day_and_a_week_are_found() {
        let at = |hour: usize| {
            let day = num::sin(std::f64::consts::TAU * hour as f64 / 24.0);
            if (hour / 24) % 7 >= 5 { 0.3 * day - 1.0 } else { day }
        };
        let values: Vec<f64> = (0..24 * 28).map(at).collect();
        assert_eq!(periods(&values), [168, 24]);
        assert_eq!(periods(&values[..24 * 5]), [24]);
        assert!(periods(&[1.0; 500]).is_empty());
        assert!(periods(&[]).is_empty());
        assert!(periods(&[f64::NAN; 50]).is_empty());
    }
}
