//! When a trend reaches a limit.

use super::Eta;
use crate::trend::shape::{Moment, Shape};

/// Hours over which the future is gone through step by step; a straight line leads on from there.
const AHEAD: f64 = 168.0;
/// Shortest step, hours.
const STEP: f64 = 0.25;

/// Hours from the clock's zero until the level reaches `limit`, under the load that `future` tells for so
/// many hours ahead. The interval is where the 90 % band of the trend reaches it.
pub(crate) fn reach(shape: &Shape, limit: f64, future: impl Fn(f64) -> Moment) -> Eta {
    let bands = |hours: f64| {
        let (level, error) = shape.level_with_error(&future(hours));
        let half = shape.quantile * error;
        [level, level + half, level - half].map(|level| level - limit)
    };
    let mut found = [None; 3];
    let mut hours = 0.0;
    let mut before = bands(0.0);
    for (found, over) in found.iter_mut().zip(before) {
        *found = (over >= 0.0).then_some(0.0);
    }
    while hours < AHEAD && found.contains(&None) {
        let step = f64::max(STEP, hours * 0.02);
        let now = bands(hours + step);
        for ((found, from), to) in found.iter_mut().zip(before).zip(now) {
            if found.is_none() && to >= 0.0 {
                *found = Some(hours + step * -from / (to - from));
            }
        }
        hours += step;
        before = now;
    }
    let (slope, error) = shape.slope(future(hours).clock);
    let half = shape.quantile * error;
    let beyond = |band: usize, slope: f64| {
        found[band].unwrap_or(if slope > 0.0 { hours - before[band] / slope } else { f64::INFINITY })
    };
    let middle = beyond(0, slope);
    Eta { hours: middle, low: beyond(1, slope + half).min(middle), high: beyond(2, slope - half).max(middle) }
}
