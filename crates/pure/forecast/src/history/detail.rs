//! What repeats faster than the day moves: bursts at fixed minutes, in a period found from the data.
//!
//! A value's detail is its distance (on the logarithmic scale) from the mean of the hour around it. Two
//! patterns learn it: one of a short period that the autocorrelation shows (Twitter's bursts at :02 and
//! :32), one of the minute of the day. Each counts as much as it has explained of what came after it
//! (regression on line), so noise learned into a pattern does no harm.

use super::ring::{Profile, Ring};

/// Buckets of the running mean.
const WINDOW: i64 = 60;
/// Longest period searched, in buckets.
const LONGEST: usize = 180;
/// Least autocorrelation of a period.
const PERIODIC: f64 = 0.25;

#[derive(Debug, Clone)]
pub(crate) struct Detail {
    minute: Profile,
    minute_gain: Gain,
    short: Option<Profile>,
    short_gain: Gain,
    period: usize,
    closed: u32,
}

impl Detail {
    pub(crate) fn new(bucket_s: i64) -> Self {
        Self {
            minute: Profile::new(bucket_s, 86_400, 0.2),
            minute_gain: Gain::default(),
            short: None,
            short_gain: Gain::default(),
            period: 0,
            closed: 0,
        }
    }

    /// The period in buckets; 0 where none was found.
    pub(crate) const fn period(&self) -> usize {
        self.period
    }

    /// The expected detail of bucket `bucket`.
    pub(crate) fn at(&self, bucket: i64) -> f64 {
        let short = self.short.as_ref().map_or(0.0, |short| known(short.get(bucket)));
        self.short_gain.value() * short + self.minute_gain.value() * known(self.minute.get(bucket))
    }

    /// Learns from the bucket half a window before `newest`, which just closed.
    pub(crate) fn learn(&mut self, fine: &Ring, newest: i64) {
        self.closed += 1;
        if self.closed >= 180 && (self.closed.is_power_of_two() || self.closed.is_multiple_of(1_440)) {
            self.search(fine, newest);
        }
        let bucket = newest - WINDOW / 2;
        let Some(detail) = detail(fine, bucket) else { return };
        let mut rest = detail;
        if let Some(short) = &mut self.short {
            let expected = short.get(bucket);
            if !expected.is_nan() {
                self.short_gain.learn(detail, f64::from(expected));
                rest -= self.short_gain.value() * f64::from(expected);
            }
            short.learn(bucket, detail);
        }
        let expected = self.minute.get(bucket);
        if !expected.is_nan() {
            self.minute_gain.learn(rest, f64::from(expected));
        }
        self.minute.learn(bucket, rest);
    }

    /// Looks for a period in the details of the last day: the lag of the highest autocorrelation, the
    /// shortest one that is nearly as high.
    fn search(&mut self, fine: &Ring, newest: i64) {
        let span = i64::from(self.closed.min(1_440));
        let details: Vec<f32> = (newest - span + WINDOW..newest - WINDOW / 2)
            .map(|bucket| detail(fine, bucket).map_or(0.0, |d| d.clamp(-1.5, 1.5) as f32))
            .collect();
        let period = strongest_period(&details).unwrap_or(0);
        if period != self.period {
            self.period = period;
            self.short = (period > 0).then(|| Profile::new(1, period as i64, 0.1));
            self.short_gain = Gain::default();
            for (bucket, detail) in (newest - span + WINDOW..).zip(&details) {
                if let Some(short) = &mut self.short {
                    short.learn(bucket, f64::from(*detail));
                }
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.minute.bytes() + self.short.as_ref().map_or(0, Profile::bytes)
    }
}

fn known(value: f32) -> f64 {
    if value.is_nan() { 0.0 } else { f64::from(value) }
}

/// Distance of a bucket from the mean of the window around it; `None` where less than half is known.
fn detail(fine: &Ring, bucket: i64) -> Option<f64> {
    let value = fine.get(bucket);
    let (mut sum, mut count) = (0.0, 0);
    for at in bucket - WINDOW / 2 + 1..=bucket + WINDOW / 2 {
        let near = fine.get(at);
        if !near.is_nan() {
            sum += f64::from(near);
            count += 1;
        }
    }
    (!value.is_nan() && 2 * count >= WINDOW).then(|| f64::from(value) - sum / count as f64)
}

/// The period of values around zero, in steps; `None` where none is marked.
pub(crate) fn strongest_period(values: &[f32]) -> Option<usize> {
    let longest = LONGEST.min(values.len() / 3);
    let correlation = |lag: usize| -> f64 {
        let pairs = values.iter().zip(&values[lag..]);
        f64::from(pairs.map(|(a, b)| a * b).sum::<f32>()) / (values.len() - lag) as f64
    };
    let variance = correlation(0);
    if variance <= 1e-9 || longest < 4 {
        return None;
    }
    let lags: Vec<f64> = (0..=longest).map(|lag| correlation(lag) / variance).collect();
    let peak =
        |lag: &usize| lags[*lag] >= lags[*lag - 1] && lags.get(*lag + 1).is_none_or(|n| *n <= lags[*lag]);
    let highest = (2..=longest).filter(peak).map(|lag| lags[lag]).fold(0.0, f64::max);
    (2..=longest).find(|lag| peak(lag) && lags[*lag] >= PERIODIC.max(0.95 * highest))
}

/// How much of a pattern to believe: the slope of what came on what the pattern said, between 0 and 1.
#[derive(Debug, Clone, Copy, Default)]
struct Gain {
    product: f64,
    square: f64,
}

impl Gain {
    /// Weight of a new pair.
    const WEIGHT: f64 = 1.0 / 1_440.0;

    fn learn(&mut self, came: f64, said: f64) {
        self.product += Self::WEIGHT * (said * came - self.product);
        self.square += Self::WEIGHT * (said * said - self.square);
    }

    fn value(self) -> f64 {
        if self.square <= 1e-12 { 0.0 } else { (self.product / self.square).clamp(0.0, 1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_period_of_bursts_is_found_and_noise_has_none() {
        let bursts: Vec<f32> = (0..900).map(|i| if i % 30 == 2 { 2.0 } else { -0.07 }).collect();
        assert_eq!(strongest_period(&bursts), Some(30));
        let mut draws = homeostat_core::draw::Key::root(3).at(0);
        let noise: Vec<f32> = (0..900).map(|_| draws.normal() as f32).collect();
        assert_eq!(strongest_period(&noise), None);
        assert_eq!(strongest_period(&[0.0; 900]), None);
    }
}
