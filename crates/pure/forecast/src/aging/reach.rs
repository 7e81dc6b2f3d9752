//! When a trend reaches a limit.

use crate::trend::blend::{Blend, normal};
use crate::trend::shape::Moment;

/// Hours ahead at most: what is further off counts as never.
const AHEAD: f64 = 10_000.0;
/// Shortest step, and the step as a share of the time gone through.
const STEP: f64 = 0.25;
const GROWTH: f64 = 0.05;
/// Probabilities by which times are told: the low end, the middle, fairly sure, the high end.
const SHARES: [f64; 4] = [0.05, 0.5, 0.9, 0.95];

/// Hours from now until the level reaches `limit`: quantiles of the time at which the shapes do, under the
/// load that `future` tells for so many hours ahead.
pub(crate) fn reach(blend: &Blend, limit: f64, mut future: impl FnMut(f64) -> Moment) -> [f64; 4] {
    let mut reached = vec![0.0_f64; blend.shapes.len()];
    let mut share = |hours: f64| -> f64 {
        let moment = future(hours);
        let parts = blend.shapes.iter().zip(&mut reached).map(|((weight, shape), reached)| {
            let (level, error) = shape.level(&moment);
            *reached = reached.max(normal(level - limit, error));
            weight * *reached
        });
        parts.sum()
    };
    let mut found = [f64::INFINITY; 4];
    let (mut hours, mut before) = (0.0, share(0.0));
    for (found, wanted) in found.iter_mut().zip(SHARES) {
        if before >= wanted {
            *found = 0.0;
        }
    }
    while hours < AHEAD && found[3].is_infinite() {
        let step = f64::max(STEP, hours * GROWTH);
        let now = share(hours + step);
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
