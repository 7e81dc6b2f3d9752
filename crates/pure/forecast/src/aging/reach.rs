//! When a trend reaches a limit.

use homeostat_core::num;

use crate::trend::blend::{Blend, normal};
use crate::trend::shape::{JITTER_H, Moment};

/// Hours ahead at most: what is further off counts as never.
const AHEAD: f64 = 10_000.0;
/// Shortest step, and the step as a share of the time gone through.
const STEP: f64 = 0.25;
const GROWTH: f64 = 0.05;
/// Parts of a step in which a time lies: a level that is known well crosses the limit within one step.
const PARTS: u32 = 8;

/// Independent jitters at most while a level creeps.
const MANY: f64 = 100.0;

/// A limit that lies farther than so many deviations of the jitter and of all together isn't reached: the
/// highest of [`MANY`] jitters lies 2.5 deviations up, and the normal tail beyond five is below 1e-6.
const FAR: (f64, f64) = (2.5, 5.0);

/// When a limit is reached.
#[derive(Debug, Clone)]
pub(crate) struct Reach<const N: usize> {
    /// Hours from now by which it is reached with the probabilities asked for.
    pub(crate) times: [f64; N],
    /// For each shape, the probability that it is reached within the hours given for it.
    pub(crate) soon: Vec<f64>,
}

/// When the level reaches `limit`: quantiles (for `shares`, in order) of the time at which the shapes do,
/// under the load that `future` tells, with its standard error, for so many hours ahead, and which jitters
/// with this standard deviation; and whether each shape does within its hours of `near`.
pub(crate) fn reach<const N: usize>(
    blend: &Blend,
    limit: f64,
    jitter: f64,
    shares: [f64; N],
    near: &[f64],
    future: impl Fn(f64) -> (Moment, f64),
) -> Reach<N> {
    let shapes = blend.shapes.len();
    let paths = vec![Path::default(); shapes];
    let mut walk = Walk { blend, limit, jitter, near, future, paths, soon: vec![0.0; shapes] };
    let (mut hours, mut before) = (0.0, walk.reached(0.0, 0.0));
    let mut times = shares.map(|wanted| if before >= wanted { 0.0 } else { f64::INFINITY });
    let furthest = near.iter().copied().fold(0.0, f64::max);
    while hours < AHEAD && (times[N - 1].is_infinite() || hours < furthest) {
        let step = f64::max(STEP, hours * GROWTH);
        let start = walk.paths.clone();
        let mut now = walk.reached(hours + step, step);
        if times.iter().zip(shares).any(|(time, wanted)| time.is_infinite() && now >= wanted) {
            walk.paths = start;
            let part = step / f64::from(PARTS);
            for from in (0..PARTS).map(|i| hours + part * f64::from(i)) {
                now = walk.reached(from + part, part);
                for (time, wanted) in times.iter_mut().zip(shares) {
                    if time.is_infinite() && now >= wanted {
                        *time = from + part * (wanted - before) / (now - before);
                    }
                }
                before = now;
            }
        }
        hours += step;
        before = now;
    }
    Reach { times, soon: walk.soon }
}

/// All shapes on their way.
struct Walk<'a, F> {
    blend: &'a Blend,
    limit: f64,
    jitter: f64,
    near: &'a [f64],
    future: F,
    paths: Vec<Path>,
    soon: Vec<f64>,
}

impl<F: Fn(f64) -> (Moment, f64)> Walk<'_, F> {
    /// Goes on by `step` to so many hours from now; the probability that the limit has been reached by then.
    fn reached(&mut self, hours: f64, step: f64) -> f64 {
        let (moment, off) = (self.future)(hours);
        let mut sum = 0.0;
        for (i, ((weight, shape), path)) in self.blend.shapes.iter().zip(&mut self.paths).enumerate() {
            let (level, error) = shape.level_ahead(&moment);
            let [jittering, lasting] = shape.by_load();
            let error = (error * error + lasting * lasting * off * off).sqrt();
            let reached = path.go(level - self.limit, error, self.jitter * jittering, step);
            sum += weight * reached;
            if self.near.get(i).is_some_and(|near| hours <= *near) {
                self.soon[i] = reached;
            }
        }
        sum
    }
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
    /// highest of some jitters that reaches the limit first: of as many as are independent while the level
    /// climbs by their deviation, and the one that there is in any case.
    fn go(&mut self, over: f64, error: f64, jitter: f64, step: f64) -> f64 {
        if over + FAR.0 * jitter + FAR.1 * (error * error + jitter * jitter).sqrt() < 0.0 {
            self.over = over;
            return self.reached;
        }
        let (ahead, off) = if jitter > 0.0 {
            let climbed = if step > 0.0 { ((over - self.over) / step).max(0.0) } else { f64::INFINITY };
            highest((1.0 + jitter / (climbed * JITTER_H)).min(MANY))
        } else {
            (0.0, 0.0)
        };
        self.over = over;
        let spread = (error * error + off * off * jitter * jitter).sqrt();
        self.reached = self.reached.max(normal(over + ahead * jitter, spread));
        self.reached
    }
}

/// Median and standard deviation of the highest of so many normal values: the median by Hastings' formula
/// for the normal quantile (Abramowitz and Stegun 26.2.22, off by 0.003 at most), the deviation by a fit to
/// first passages of a mean-reverting process, off by 0.05 at most.
fn highest(many: f64) -> (f64, f64) {
    let tail = 1.0 - num::exp(-std::f64::consts::LN_2 / many);
    let t = (-2.0 * num::ln(tail)).sqrt();
    let median = t - (2.307_53 + 0.270_61 * t) / (1.0 + t * (0.992_29 + 0.044_81 * t));
    (median, 1.0 / (1.0 + 0.6 * num::ln(many)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Medians of the highest of n normal values are the normal quantiles at 2^(−1/n).
    #[test]
    fn the_slower_it_climbs_the_earlier_a_jitter_carries_it_over() {
        for (many, z) in [(1.0, 0.0), (2.0, 0.544_9), (10.0, 1.499_0), (100.0, 2.461_7)] {
            assert!((highest(many).0 - z).abs() < 0.005, "{many}: {:?}", highest(many));
        }
    }
}
