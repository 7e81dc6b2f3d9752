//! Steadiness and pace: what earlier recommendations and earlier changes allow.
//!
//! Source: `stabilizeRecommendation…`, `convertDesiredReplicas…`, `calculateScale…Limit…` and
//! `storeScaleEvent` in `horizontal.go`. Ages are compared instead of points in time, so that the first
//! minutes of a time line work like all others. Lists reuse their last outdated entry as upstream's do;
//! that is not cosmetic, since an entry outdated for one direction may still count for the other.

use std::cmp::Ordering;

use homeostat_core::{Instant, Span};

use super::rules::{Behavior, Rate, Rules, Select, Unit};

/// What the controller remembers of a target. Plain data; times come with the observations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HpaState {
    /// Earlier recommendations before stabilisation.
    pub recommendations: Vec<Recommendation>,
    /// Earlier growth. Kept only where the manifest has a behavior.
    pub grown: Vec<Change>,
    /// Earlier shrinking. Kept only where the manifest has a behavior.
    pub shrunk: Vec<Change>,
    /// Whether this controller took the target to zero (condition `ScaledToZero`).
    pub scaled_to_zero: bool,
}

/// A recommendation and when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recommendation {
    /// Replicas.
    pub replicas: i32,
    /// When.
    pub at: Instant,
}

/// A change of the count that was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// By so many replicas, whichever the direction.
    pub replicas: i32,
    /// When.
    pub at: Instant,
    /// Older than every period of its own direction: its place may be reused.
    pub outdated: bool,
}

/// Both bounds of the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) min: i32,
    pub(super) max: i32,
}

impl HpaState {
    /// Takes the present count for the first recommendation.
    pub(super) fn seed(&mut self, replicas: i32, at: Instant) {
        if self.recommendations.is_empty() {
            self.recommendations.push(Recommendation { replicas, at });
        }
    }

    fn recommend(&mut self, reusable: Option<usize>, replicas: i32, at: Instant) {
        let recommendation = Recommendation { replicas, at };
        match reusable {
            Some(i) => self.recommendations[i] = recommendation,
            None => self.recommendations.push(recommendation),
        }
    }

    /// Without a behavior: the greatest recommendation of the window.
    pub(super) fn stabilize(&mut self, desired: i32, window: Span, now: Instant) -> i32 {
        let (mut greatest, mut reusable) = (desired, None);
        for (i, earlier) in self.recommendations.iter().enumerate() {
            if now.since(earlier.at) > window {
                reusable = Some(i);
            } else {
                greatest = greatest.max(earlier.replicas);
            }
        }
        self.recommend(reusable, desired, now);
        greatest
    }

    /// With a behavior: the present count, moved no further than both windows agree to.
    pub(super) fn stabilize_both(
        &mut self,
        behavior: &Behavior,
        current: i32,
        desired: i32,
        now: Instant,
    ) -> i32 {
        let (mut least, mut greatest, mut reusable) = (desired, desired, None);
        let (up, down) = (behavior.up.window, behavior.down.window);
        for (i, earlier) in self.recommendations.iter().enumerate() {
            let age = now.since(earlier.at);
            if age < up {
                least = least.min(earlier.replicas);
            }
            if age < down {
                greatest = greatest.max(earlier.replicas);
            }
            if age > up && age > down {
                reusable = Some(i);
            }
        }
        self.recommend(reusable, desired, now);
        current.max(least).min(greatest)
    }

    /// `desired` within the permitted rates and the bounds.
    pub(super) fn pace(
        &self,
        behavior: &Behavior,
        current: i32,
        desired: i32,
        bounds: Bounds,
        now: Instant,
    ) -> i32 {
        match desired.cmp(&current) {
            Ordering::Greater => {
                let limit = self.upper_limit(&behavior.up, current, now).max(current);
                desired.min(bounds.max.min(limit))
            }
            Ordering::Less => {
                let limit = self.lower_limit(&behavior.down, current, now).min(current);
                desired.max(bounds.min.max(limit))
            }
            Ordering::Equal => desired,
        }
    }

    /// The count at the start of `period`: the present one without the changes since.
    fn at_start(&self, current: i32, period: Span, now: Instant) -> i32 {
        current.wrapping_sub(changed(&self.grown, period, now)).wrapping_add(changed(
            &self.shrunk,
            period,
            now,
        ))
    }

    fn upper_limit(&self, rules: &Rules, current: i32, now: Instant) -> i32 {
        let each = rules.rates.iter().map(|rate: &Rate| {
            let start = self.at_start(current, rate.period, now);
            match rate.unit {
                Unit::Pods => start.wrapping_add(rate.value),
                Unit::Percent => (f64::from(start) * (1.0 + f64::from(rate.value) / 100.0)).ceil() as i32,
            }
        });
        match rules.select {
            Select::Disabled => current,
            Select::Largest => each.fold(i32::MIN, i32::max),
            Select::Smallest => each.fold(i32::MAX, i32::min),
        }
    }

    fn lower_limit(&self, rules: &Rules, current: i32, now: Instant) -> i32 {
        let each = rules.rates.iter().map(|rate: &Rate| {
            let start = self.at_start(current, rate.period, now);
            match rate.unit {
                Unit::Pods => start.wrapping_sub(rate.value),
                Unit::Percent => (f64::from(start) * (1.0 - f64::from(rate.value) / 100.0)) as i32,
            }
        });
        match rules.select {
            Select::Disabled => current,
            Select::Largest => each.fold(i32::MAX, i32::min),
            Select::Smallest => each.fold(i32::MIN, i32::max),
        }
    }

    /// Remembers that the count was ordered to change.
    pub(super) fn changed(&mut self, behavior: &Behavior, from: i32, to: i32, now: Instant) {
        let (list, rules) =
            if to > from { (&mut self.grown, &behavior.up) } else { (&mut self.shrunk, &behavior.down) };
        let period = rules.longest_period();
        for change in list.iter_mut() {
            change.outdated |= now.since(change.at) > period;
        }
        let change = Change { replicas: (to - from).abs(), at: now, outdated: false };
        match list.iter().rposition(|change| change.outdated) {
            Some(i) => list[i] = change,
            None => list.push(change),
        }
    }
}

/// By how much the count changed within the last `period`.
fn changed(changes: &[Change], period: Span, now: Instant) -> i32 {
    let recent = changes.iter().filter(|change| now.since(change.at) < period);
    recent.fold(0, |sum, change| sum.wrapping_add(change.replicas))
}

/// Without a behavior: at most twice the present count or 4, then the bounds.
pub(super) fn fixed_pace(current: i32, desired: i32, bounds: Bounds) -> i32 {
    let limit = (2.0 * f64::from(current)).max(4.0) as i32;
    if desired < bounds.min { bounds.min } else { desired.min(bounds.max.min(limit)) }
}
