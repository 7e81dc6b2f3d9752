//! Robust answers from the last values alone.

use super::{Model, Place};
use crate::history::History;

/// Values of the running median.
const MEDIAN: usize = 11;
/// Values of the moving quantile, and its level.
const QUANTILE: (usize, f64) = (60, 0.9);
/// Values of the Theil-Sen line.
const LINE: usize = 21;

/// The newest known values of the last `N` on the logarithmic scale, in a buffer; gives how many.
fn known<const N: usize>(history: &History) -> ([f64; N], usize) {
    let mut values = [0.0; N];
    let mut have = 0;
    for z in history.recent().take(N).filter(|z| !z.is_nan()) {
        values[have] = z;
        have += 1;
    }
    (values, have)
}

/// The median of the last 11 values.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunningMedian;

impl Model for RunningMedian {
    fn names(&self) -> &'static [&'static str] {
        &["running_median"]
    }

    fn update(&mut self, _: &History) {}

    fn predict(&self, _: usize, history: &History, _: &[Place], out: &mut [f64]) -> bool {
        let (mut values, have) = known::<MEDIAN>(history);
        if have > 0 {
            values[..have].sort_unstable_by(f64::total_cmp);
            out.fill(history.scale().value(f64::midpoint(values[(have - 1) / 2], values[have / 2])));
        }
        have > 0
    }
}

/// The 0.9 quantile of the last 60 values: what a cautious operator provides for.
#[derive(Debug, Clone, Copy, Default)]
pub struct MovingQuantile;

impl Model for MovingQuantile {
    fn names(&self) -> &'static [&'static str] {
        &["moving_quantile"]
    }

    fn update(&mut self, _: &History) {}

    fn predict(&self, _: usize, history: &History, _: &[Place], out: &mut [f64]) -> bool {
        let (mut values, have) = known::<{ QUANTILE.0 }>(history);
        if have > 0 {
            let place = ((have - 1) as f64 * QUANTILE.1).round() as usize;
            let (_, z, _) = values[..have].select_nth_unstable_by(place, f64::total_cmp);
            out.fill(history.scale().value(*z));
        }
        have > 0
    }
}

/// The line through the last 21 values whose slope is the median of all pairwise slopes (Theil 1950,
/// Sen 1968) and whose height is the median rest. A ratio per step, since the scale is logarithmic.
#[derive(Debug, Clone, Copy, Default)]
pub struct TheilSen {
    /// Height at the last step, and slope per step.
    line: Option<(f64, f64)>,
}

impl Model for TheilSen {
    fn names(&self) -> &'static [&'static str] {
        &["theil_sen"]
    }

    fn update(&mut self, history: &History) {
        let mut points = [(0.0, 0.0); LINE];
        let mut have = 0;
        for (back, z) in history.recent().take(LINE).enumerate().filter(|(_, z)| !z.is_nan()) {
            points[have] = (-(back as f64), z);
            have += 1;
        }
        let points = &points[..have];
        self.line = (have >= 3).then(|| {
            let mut slopes = [0.0; LINE * (LINE - 1) / 2];
            let mut count = 0;
            for (i, (x, y)) in points.iter().enumerate() {
                for (other, height) in &points[..i] {
                    slopes[count] = (y - height) / (x - other);
                    count += 1;
                }
            }
            let slope = median(&mut slopes[..count]);
            let mut rests = [0.0; LINE];
            rests.iter_mut().zip(points).for_each(|(rest, (x, y))| *rest = y - slope * x);
            (median(&mut rests[..have]), slope)
        });
    }

    fn predict(&self, _: usize, history: &History, places: &[Place], out: &mut [f64]) -> bool {
        let Some((height, slope)) = self.line else { return false };
        for (out, place) in out.iter_mut().zip(places) {
            // a line has no end, a load has: no more than a factor of e from where it is
            let rise = (slope * history.ahead(*place) as f64).clamp(-1.0, 1.0);
            *out = history.scale().value(height + rise);
        }
        true
    }

    fn rescale(&mut self, map: &dyn Fn(f64) -> f64) {
        self.line = self.line.map(|(height, slope)| (map(height), slope));
    }
}

/// The upper median of values in any order, which are reordered.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}
