//! What the regressions see of a history: differences on the logarithmic scale, so ratios of load.

use super::Place;
use crate::history::History;

/// Number of features: a constant, those that do not depend on the distance, and those that do.
pub(crate) const FEATURES: usize = 1 + COMMON + RISES;
pub(crate) const COMMON: usize = 10;
pub(crate) const RISES: usize = 5;
const DAY_S: i64 = 86_400;

/// Coefficients before anything is learned: the load follows the mean of what the day, the week,
/// yesterday and last week did from now on.
pub(crate) const PRIOR: [f64; FEATURES] =
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2, 0.2, 0.1, 0.1, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0];

/// All features of a step ahead.
pub(crate) fn features(common: &[f32; COMMON], rises: &[f32; RISES]) -> [f32; FEATURES] {
    let mut all = [1.0; FEATURES];
    all[1..6].copy_from_slice(&common[..5]);
    all[6..11].copy_from_slice(rises);
    all[11..].copy_from_slice(&common[5..]);
    all
}

/// What does not depend on how far ahead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    place: Place,
    levels: [f64; 5],
    last: f64,
    seasons: [f64; 5],
}

impl Origin {
    /// The present; `None` without data.
    pub(crate) fn of(history: &History) -> Option<Self> {
        let place = history.now()?;
        history.last_known()?;
        let [day, week, mean] = history.seasons();
        let seasons = [day, week, history.before(place, DAY_S), history.before(place, 7 * DAY_S), mean];
        Some(Self { place, levels: *history.levels(), last: history.last(), seasons })
    }

    /// From where forecasts are counted: the mean of the last minutes.
    pub(crate) const fn anchor(&self) -> f64 {
        self.levels[0]
    }

    /// Features that are the same at all distances: how the levels differ, and how far above the seasons
    /// they are.
    pub(crate) fn common(&self) -> [f32; COMMON] {
        let [l0, l1, l2, l3, l4] = self.levels;
        let near = [self.last - l0, l0 - l1, l1 - l2, l2 - l3, l3 - l4];
        let off = self.seasons.map(|season| or(l1 - season, 0.0));
        let mut all = [0.0; COMMON];
        all[..5].copy_from_slice(&near);
        all[5..].copy_from_slice(&off);
        all.map(bounded)
    }

    /// What the seasons did from now on to the step `ahead`.
    pub(crate) fn rises(&self, history: &History, ahead: usize) -> [f32; RISES] {
        let seconds = history.step_s() * ahead as i64;
        let target = Place { local_seconds: self.place.local_seconds + seconds, ..self.place };
        let then = [
            history.day_at(target),
            history.week_at(target),
            history.before(target, DAY_S),
            history.before(target, 7 * DAY_S),
            history.mean_day_at(target),
        ];
        let rise = |season: usize| then[season] - self.seasons[season];
        let day = or(rise(0), 0.0);
        let yesterday = or(rise(2), day);
        [day, or(rise(1), day), yesterday, or(rise(3), yesterday), or(rise(4), day)].map(bounded)
    }
}

fn or(a: f64, b: f64) -> f64 {
    if a.is_nan() { b } else { a }
}

fn bounded(feature: f64) -> f32 {
    feature.clamp(-4.0, 4.0) as f32
}
