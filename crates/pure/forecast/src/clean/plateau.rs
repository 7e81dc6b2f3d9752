//! Throughput that stops rising at a limit: saturation that nobody told.
//!
//! A flat top alone says little: days and crowds have flat tops too. Here values must have been rising so
//! that the trend would have gone on to a tenth above the plateau, then stay within 1 % of one level, with
//! less than a third of the noise that they had on the way up. Servers that are as noisy when busy are not
//! recognised.

use std::collections::VecDeque;

use homeostat_core::{Instant, Span};

/// Values that make a plateau.
const FLAT: usize = 8;
/// Values before it that the trend is taken from.
const RISE: usize = 15;
/// Half-width of a plateau, as a share of its level.
const WITHIN: f64 = 0.01;
/// The trend goes beyond the plateau by this factor.
const BEYOND: f64 = 1.1;
/// Noise on the way up over noise on the plateau.
const CALMER: f64 = 3.0;
/// Least noise on the way up, as a share of the level: without noise there is nothing to compare.
const LEAST_NOISE: f64 = 0.002;
/// A plateau that lasts so long is a level.
const LONGEST: Span = Span(6 * Span::HOUR.0);

/// Watches for a plateau.
#[derive(Debug, Clone, Default)]
pub(super) struct Plateau {
    window: VecDeque<(Instant, f64)>,
    /// Beginning and level of the present one.
    present: Option<(Instant, f64)>,
}

impl Plateau {
    /// Forgets what came before a hole.
    pub(super) fn forget(&mut self) {
        self.window.clear();
        self.present = None;
    }

    /// Takes a value; since when values have been held down by a limit.
    pub(super) fn since(&mut self, at: Instant, value: f64) -> Option<Instant> {
        self.window.push_back((at, value));
        if self.window.len() > FLAT + RISE {
            self.window.pop_front();
        }
        if let Some((since, level)) = self.present {
            let stays = (value - level).abs() <= WITHIN * level && at.since(since) < LONGEST;
            if !stays {
                self.forget();
            }
            return stays.then_some(since);
        }
        if self.window.len() < FLAT + RISE {
            return None;
        }
        let values: Vec<f64> = self.window.iter().map(|(_, value)| *value).collect();
        let level = limit(&values)?;
        let since = self.window[RISE].0;
        self.present = Some((since, level));
        Some(since)
    }
}

/// The level of a plateau at the end of the values.
fn limit(values: &[f64]) -> Option<f64> {
    let (rise, flat) = values.split_at(RISE);
    let level = mean(flat);
    // One jump is no trend.
    let steps = values[..=RISE].windows(2).map(|pair| (pair[1] - pair[0]).abs());
    let climb = level - rise.iter().copied().fold(f64::INFINITY, f64::min);
    if steps.fold(0.0, f64::max) > climb / 2.0 {
        return None;
    }
    if level <= 0.0 || flat.iter().any(|value| (value - level).abs() > WITHIN * level) {
        return None;
    }
    let slope = slope(rise);
    let expected = mean(rise) + slope * (RISE as f64 / 2.0 + FLAT as f64 - 0.5);
    let (before, after) = (noise(rise, slope), noise(flat, 0.0));
    let told = expected >= BEYOND * level && before >= CALMER * after && before >= LEAST_NOISE * level;
    told.then_some(level)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Least-squares slope per value.
fn slope(values: &[f64]) -> f64 {
    let (middle, centre) = (mean(values), (values.len() as f64 - 1.0) / 2.0);
    let sums = values.iter().enumerate().map(|(n, value)| {
        let x = n as f64 - centre;
        (x * (value - middle), x * x)
    });
    let (xy, xx) = sums.fold((0.0, 0.0), |sum, piece| (sum.0 + piece.0, sum.1 + piece.1));
    xy / xx
}

/// Standard deviation of the noise, from successive differences less the slope.
fn noise(values: &[f64], slope: f64) -> f64 {
    let steps = values.windows(2).map(|pair| pair[1] - pair[0] - slope);
    (steps.map(|d| d * d).sum::<f64>() / (2.0 * (values.len() - 1) as f64)).sqrt()
}
