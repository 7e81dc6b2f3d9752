//! Autoregression of the distance from the mean day: six lags, by least squares on line, iterated.

use super::regression::Regression;
use super::{Model, Place};
use crate::history::History;

const LAGS: usize = 6;
/// At first the distance stays.
const PRIOR: [f64; LAGS + 1] = [0.5, 0.2, 0.1, 0.08, 0.06, 0.05, 0.0];
const RIDGE: f64 = 1.0;
/// Share of what was learned that stays after a step.
const KEEP: f64 = 0.9995;
const SOLVE: u64 = 4;
/// Furthest iteration.
const FURTHEST: usize = 512;

/// Autoregression.
#[derive(Debug, Clone)]
pub struct Autoregression {
    fit: Regression<{ LAGS + 1 }>,
    /// Distances of the last steps, the newest first; and one for the mean.
    lags: [f32; LAGS + 1],
    known: u64,
    seasonal: bool,
}

impl Default for Autoregression {
    fn default() -> Self {
        let mut lags = [0.0; LAGS + 1];
        lags[LAGS] = 1.0;
        Self { fit: Regression::new(PRIOR), lags, known: 0, seasonal: false }
    }
}

impl Autoregression {
    fn shift(&mut self, distance: f32) {
        self.lags.copy_within(..LAGS - 1, 1);
        self.lags[0] = distance;
    }
}

impl Model for Autoregression {
    fn names(&self) -> &'static [&'static str] {
        &["autoregression"]
    }

    fn update(&mut self, history: &History) {
        let day = history.seasons()[0];
        let seasonal = !day.is_nan();
        let season = if seasonal { day } else { 0.0 };
        if seasonal != self.seasonal {
            // the distances change their meaning
            (self.known, self.seasonal) = (0, seasonal);
        }
        let Some(z) = history.newest() else {
            let expected = self.fit.predict(0, &self.lags) as f32;
            return self.shift(expected);
        };
        let distance = z - season;
        if self.known == 0 {
            self.lags[..LAGS].fill(distance as f32);
        } else if self.known > LAGS as u64 {
            self.fit.learn(&self.lags, [distance], 1.0, KEEP);
            if self.known.is_multiple_of(SOLVE) {
                self.fit.solve(&PRIOR, RIDGE);
            }
        }
        self.known += 1;
        self.shift(distance as f32);
    }

    fn predict(&self, _: usize, history: &History, places: &[Place], out: &mut [f64]) -> bool {
        if self.known < 2 {
            return false;
        }
        let mut future = self.clone_lags();
        let limit = self.lags[..LAGS].iter().fold(0.5_f32, |most, lag| most.max(lag.abs()));
        let mut at = 0;
        for (out, place) in out.iter_mut().zip(places) {
            while at < history.ahead(*place).min(FURTHEST) {
                let next = (self.fit.predict(0, &future) as f32).clamp(-2.0 * limit, 2.0 * limit);
                future.copy_within(..LAGS - 1, 1);
                future[0] = next;
                at += 1;
            }
            let day = history.day_at(*place);
            let season = if self.seasonal && !day.is_nan() { day } else { 0.0 };
            *out = history.scale().value(f64::from(future[0]) + season + history.detail_at(*place));
        }
        true
    }

    fn rescale(&mut self, _: &dyn Fn(f64) -> f64) {
        self.known = 0;
    }

    fn bytes(&self) -> usize {
        self.fit.bytes()
    }
}

impl Autoregression {
    const fn clone_lags(&self) -> [f32; LAGS + 1] {
        self.lags
    }
}
