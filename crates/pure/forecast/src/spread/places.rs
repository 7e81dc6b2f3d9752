//! How large errors are at each place of the found period, and at each hour of the day, beside all others:
//! minutes at which bursts may begin are uncertain every time, those between them are not.

use homeostat_core::num;

use crate::history::{ECHOES, History};
use crate::model::Place;

/// Hours of the day.
const HOURS: usize = 24;
const HOUR_S: i64 = 3_600;
/// Least weight of an error at its place of the period.
const WEIGHT: f64 = 0.01;
/// Occurrences of a place that the prior counts for: that errors there are like all others.
const PRIOR: f64 = 4.0;
/// Days over which an hour is averaged, and that its prior counts for.
const DAYS: (f64, f64) = (7.0, 1.0);
/// Largest error, and least mean, in mean errors.
const MOST: f64 = 10.0;
const LEAST: f64 = 0.05;

/// The mean size of errors, in mean errors, and its logarithm.
#[derive(Debug, Clone, Copy)]
struct Size {
    mean: f32,
    log: f32,
    seen: u16,
}

impl Size {
    /// That errors are like all others.
    const PRIOR: Self = Self { mean: 1.0, log: 0.0, seen: 0 };

    fn learn(&mut self, size: f64, least: f64, prior: f64) {
        self.seen = self.seen.saturating_add(1);
        let weight = least.max(1.0 / (prior + f64::from(self.seen)));
        self.mean += (weight * (size - f64::from(self.mean))) as f32;
        self.log = num::ln(f64::from(self.mean).max(LEAST)) as f32;
    }
}

/// Where a target stands: the same at all distances and on both sides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    /// Its place in the found period.
    slot: Option<usize>,
    /// The hours of the day whose middles lie around it, and how far on to the second it is.
    hours: [usize; 2],
    share: f64,
    /// Details of the last occurrences of its place in the found period.
    pub(crate) echoes: [f64; ECHOES],
}

impl Spot {
    pub(crate) fn of(history: &History, place: Place) -> Self {
        let middle = 2 * place.local_seconds + history.step_s() - HOUR_S;
        let hour = middle.div_euclid(2 * HOUR_S).rem_euclid(HOURS as i64) as usize;
        Self {
            slot: history.slot(place).map(|(slot, _)| slot),
            hours: [hour, (hour + 1) % HOURS],
            share: middle.rem_euclid(2 * HOUR_S) as f64 / (2 * HOUR_S) as f64,
            echoes: history.echoes(place),
        }
    }
}

/// The sizes of errors on one side of the middle at one distance ahead, by the place of the target.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    period: Box<[Size]>,
    hours: [Size; HOURS],
}

impl Places {
    pub(crate) fn new() -> Self {
        Self { period: Box::default(), hours: [Size::PRIOR; HOURS] }
    }

    /// Takes an error of `size` mean errors that came at `place`.
    pub(crate) fn learn(&mut self, history: &History, place: Place, size: f64) {
        let size = size.min(MOST);
        if let Some((slot, slots)) = history.slot(place) {
            if self.period.len() != slots {
                self.period = vec![Size::PRIOR; slots].into_boxed_slice();
            }
            self.period[slot].learn(size, WEIGHT, PRIOR);
        }
        let an_hour = (HOUR_S as f64 / history.step_s() as f64).max(1.0);
        let hour = place.local_seconds.div_euclid(HOUR_S).rem_euclid(HOURS as i64) as usize;
        self.hours[hour].learn(size, 1.0 / (DAYS.0 * an_hour), DAYS.1 * an_hour);
    }

    /// Logarithms of the sizes at a spot: of the period, of the hour of the day.
    pub(crate) fn at(&self, spot: &Spot) -> [f64; 2] {
        let size = spot.slot.and_then(|slot| self.period.get(slot));
        let [before, after] = spot.hours.map(|hour| f64::from(self.hours[hour].log));
        [size.map_or(0.0, |size| f64::from(size.log)), before + spot.share * (after - before)]
    }

    /// Memory in bytes beyond its own size.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.period)
    }
}
