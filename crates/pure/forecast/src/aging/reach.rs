//! When a trend reaches a limit.

use homeostat_core::num;

use crate::trend::blend::{Blend, normal};
use crate::trend::shape::Moment;

/// Hours ahead at most: what is further off counts as never.
const AHEAD: f64 = 10_000.0;
/// Shortest step, and the step as a share of the time gone through.
const STEP: f64 = 0.25;
const GROWTH: f64 = 0.05;
/// Probabilities by which times are told: the low end, the time itself, fairly sure, the high end. Too late
/// costs more than too early, hence a quarter.
const SHARES: [f64; 4] = [0.05, 0.25, 0.8, 0.95];

/// For how long load's jitter stays about as it is, hours.
const JITTER: f64 = 1.0 / 6.0;
/// Standard deviation of the highest of a few jitters, as a share of theirs.
const HIGHEST: f64 = 0.6;

/// Hours from now until the level reaches `limit`: quantiles of the time at which the shapes do, under the
/// load that `future` tells, with its standard error, for so many hours ahead, and which jitters with this
/// standard deviation.
pub(crate) fn reach(
    blend: &Blend,
    limit: f64,
    jitter: f64,
    future: impl Fn(f64) -> (Moment, f64),
) -> [f64; 4] {
    let mut paths = vec![Path::default(); blend.shapes.len()];
    let mut share = |hours: f64, step: f64| -> f64 {
        let (moment, off) = future(hours);
        let parts = blend.shapes.iter().zip(&mut paths).map(|((weight, shape), path)| {
            let (level, error) = shape.level_ahead(&moment);
            let [at_once, lasting] = shape.by_load();
            let error = (error * error + lasting * lasting * off * off).sqrt();
            weight * path.go(level - limit, error, jitter * at_once, step)
        });
        parts.sum()
    };
    let mut found = [f64::INFINITY; 4];
    let (mut hours, mut before) = (0.0, share(0.0, 0.0));
    for (found, wanted) in found.iter_mut().zip(SHARES) {
        if before >= wanted {
            *found = 0.0;
        }
    }
    while hours < AHEAD && found[3].is_infinite() {
        let step = f64::max(STEP, hours * GROWTH);
        let now = share(hours + step, step);
        for (found, wanted) in found.iter_mut().zip(SHARES) {
            if found.is_infinite() && now >= wanted {
                *found = hours + step * (wanted - before) / (now - before);
            }
        }
        hours += step;
        before = now;
    }
    found
}

/// A shape's way to the limit.
#[derive(Debug, Clone, Copy, Default)]
struct Path {
    over: f64,
    reached: f64,
}

impl Path {
    /// Goes on by `step` hours to where the level lies `over` the limit, known with this error; the
    /// probability that the limit has been reached by then. The level jitters with load, and it is the
    /// highest of many jitters that reaches the limit first.
    fn go(&mut self, over: f64, error: f64, jitter: f64, step: f64) -> f64 {
        let spread = (error * error + HIGHEST * HIGHEST * jitter * jitter).sqrt();
        let ahead = if jitter > 0.0 && over > -3.0 * jitter - 6.0 * spread {
            let climbed = if step > 0.0 { ((over - self.over) / step).max(0.0) } else { 0.0 };
            jitter * highest(std::f64::consts::LN_2 * climbed * JITTER / jitter)
        } else {
            0.0
        };
        self.over = over;
        self.reached = self.reached.max(normal(over + ahead, spread));
        self.reached
    }
}

/// How many deviations below the limit a level that climbs so many deviations between independent jitters
/// (times ln 2) is, when it is as likely as not to have been carried over it: at z, the sum of the normal
/// tails passed by then is what was asked for. From 0 to 2.
fn highest(tails: f64) -> f64 {
    let mut z = 0.0_f64;
    for _ in 0..4 {
        let tail = normal(-z, 1.0);
        let density = num::exp(-z * z / 2.0) / (2.0 * std::f64::consts::PI).sqrt();
        z += (density - z * tail - tails) / tail;
    }
    z.clamp(0.0, 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The normal tail beyond z summed over z is 0.3989 at 0, 0.0833 at 1, 0.0085 at 2.
    #[test]
    fn the_slower_it_climbs_the_earlier_a_jitter_carries_it_over() {
        for (tails, z) in [(0.398_9, 0.0), (0.083_3, 1.0), (1e-6, 2.0)] {
            assert!((highest(tails) - z).abs() < 0.02, "{tails}: {}", highest(tails));
        }
    }
}
