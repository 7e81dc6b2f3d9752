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
/// Least ratio of the variance between the places of a period to that within them. Noise has 1; details go
/// together over minutes, so periods that are none reach 3.
const PERIODIC: f64 = 4.0;
/// A period whose ratio is such a share of the highest is as good as a longer one.
const NEARLY: f64 = 0.6;
/// Advantage of the period in use.
const STAY: f64 = 1.5;

/// Occurrences of the period whose details are remembered.
pub(crate) const ECHOES: usize = 5;
/// Weight of a bucket in the level around which the newest details lie, and how far it moves at most.
const LEVEL_WEIGHT: f64 = 0.1;
const LEVEL_MOST: f64 = 0.01;

#[derive(Debug, Clone)]
pub(crate) struct Detail {
    minute: Profile,
    minute_gain: Gain,
    short: Option<Profile>,
    short_gain: Gain,
    period: usize,
    closed: u32,
    /// Level around which the newest details lie, and those of the last occurrences of the period.
    level: f64,
    echoes: Ring,
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
            level: f64::NAN,
            echoes: Ring::new(1, 0),
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

    /// What the place of `bucket` in the period did `back` occurrences before: the detail as it was seen
    /// then; 0 where nothing is known.
    pub(crate) fn echo(&self, bucket: i64, back: usize) -> f64 {
        known(self.echoes.get(bucket - (back * self.period) as i64))
    }

    /// Notes the newest bucket as a distance from the level of late, which jumps move little.
    fn note(&mut self, fine: &Ring, newest: i64) {
        let value = f64::from(fine.get(newest));
        if value.is_nan() {
            return;
        }
        let distance = if self.level.is_nan() { 0.0 } else { value - self.level };
        self.level = value - distance + (distance * LEVEL_WEIGHT).clamp(-LEVEL_MOST, LEVEL_MOST);
        if self.period > 0 {
            self.echoes.set(newest, distance.clamp(-1.5, 1.5) as f32);
        }
    }

    /// Learns from the bucket half a window before `newest`, which just closed.
    pub(crate) fn learn(&mut self, fine: &Ring, newest: i64) {
        self.closed += 1;
        self.note(fine, newest);
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

    /// Looks for a period in the details of the last day.
    fn search(&mut self, fine: &Ring, newest: i64) {
        let span = i64::from(self.closed.min(1_440));
        let details: Vec<f32> = (newest - span + WINDOW..newest - WINDOW / 2)
            .map(|bucket| detail(fine, bucket).map_or(f32::NAN, |d| d.clamp(-1.5, 1.5) as f32))
            .collect();
        let period = strongest_period(&details, self.period).unwrap_or(0);
        if period != self.period {
            self.period = period;
            self.short = (period > 0).then(|| Profile::new(1, period as i64, 0.1));
            self.short_gain = Gain::default();
            self.echoes = Ring::new(1, if period > 0 { ((ECHOES + 1) * period) as i64 } else { 0 });
            for (bucket, detail) in (newest - span + WINDOW..).zip(&details).filter(|(_, d)| !d.is_nan()) {
                if let Some(short) = &mut self.short {
                    short.learn(bucket, f64::from(*detail));
                }
                self.echoes.set(bucket, *detail);
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.echoes.bytes() + self.minute.bytes() + self.short.as_ref().map_or(0, Profile::bytes)
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

/// The period of values around zero (NaN where unknown), in steps: of all foldings the shortest whose
/// variance between places, over that within them, is nearly the highest (epoch folding, Leahy et al. 1983).
/// Bursts that come at their minute, but not every time, show there and not in the autocorrelation. `None`
/// where none is marked; `present` is given up only for a clearly better one.
pub(crate) fn strongest_period(values: &[f32], present: usize) -> Option<usize> {
    let longest = LONGEST.min(values.len() / 3);
    let known = || values.iter().filter(|value| !value.is_nan()).map(|value| f64::from(*value));
    let count = known().count() as f64;
    let mean = known().sum::<f64>() / count;
    let total: f64 = known().map(|value| (value - mean) * (value - mean)).sum();
    if longest < 4 || total.is_nan() || total <= 1e-9 * count {
        return None;
    }
    let mut sums = [(0.0, 0.0); LONGEST];
    let mut ratio = |period: usize| {
        let sums = &mut sums[..period];
        sums.fill((0.0, 0.0));
        for (place, value) in (0..period).cycle().zip(values).filter(|(_, value)| !value.is_nan()) {
            sums[place].0 += f64::from(*value) - mean;
            sums[place].1 += 1.0;
        }
        let between: f64 = sums.iter().map(|(sum, count)| sum * sum / f64::max(*count, 1.0)).sum();
        let within = (total - between).max(1e-6 * total) / (count - period as f64).max(1.0);
        let ratio = between / (period - 1) as f64 / within;
        if period == present { STAY * ratio } else { ratio }
    };
    let ratios: Vec<f64> = (2..=longest).map(&mut ratio).collect();
    let highest = ratios.iter().fold(0.0_f64, |most, ratio| most.max(*ratio));
    let chosen = ratios.iter().position(|ratio| *ratio >= PERIODIC.max(NEARLY * highest))?;
    Some(chosen + 2)
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
        assert_eq!(strongest_period(&bursts, 0), Some(30));
        let mut draws = homeostat_core::draw::Key::root(3).at(0);
        let noise: Vec<f32> = (0..900).map(|_| draws.normal() as f32).collect();
        assert_eq!(strongest_period(&noise, 0), None);
        assert_eq!(strongest_period(&[0.0; 900], 0), None);
    }
}
