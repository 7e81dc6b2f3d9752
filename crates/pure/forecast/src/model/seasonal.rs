//! Yesterday, or the usual course of the day.

use super::{Model, Place};
use crate::history::History;

const DAY_S: i64 = 86_400;

/// The value a day before (of the last day that is known then).
#[derive(Debug, Clone, Copy, Default)]
pub struct SeasonalNaive;

impl Model for SeasonalNaive {
    fn names(&self) -> &'static [&'static str] {
        &["seasonal_naive"]
    }

    fn update(&mut self, _: &History) {}

    fn predict(&self, _: usize, history: &History, places: &[Place], out: &mut [f64]) -> bool {
        let at = |place: &Place| {
            let exact = history.yesterday(*place);
            if exact.is_nan() { history.before(*place, DAY_S) + history.detail_at(*place) } else { exact }
        };
        if places.iter().any(|place| at(place).is_nan()) {
            return false;
        }
        out.iter_mut().zip(places).for_each(|(out, place)| *out = history.scale().value(at(place)));
        true
    }
}

/// The last value times the mean ratio of the day at the two times.
#[derive(Debug, Clone, Copy, Default)]
pub struct SeasonalRatio;

impl Model for SeasonalRatio {
    fn names(&self) -> &'static [&'static str] {
        &["seasonal_ratio"]
    }

    fn update(&mut self, _: &History) {}

    fn predict(&self, _: usize, history: &History, places: &[Place], out: &mut [f64]) -> bool {
        let now = history.last() - history.seasons()[0];
        let at = |place: &Place| now + history.day_at(*place);
        if places.iter().any(|place| at(place).is_nan()) {
            return false;
        }
        out.iter_mut().zip(places).for_each(|(out, place)| *out = history.scale().value(at(place)));
        true
    }
}
