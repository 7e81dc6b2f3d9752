//! Exponential smoothing with a damped trend and two seasons (Holt 1957, Winters 1960, Gardner and
//! `McKenzie` 1985; double seasonal as Taylor 2003), additive on the logarithmic scale.
//!
//! The seasons are the history's mean day and mean week, which are smoothed exponentially themselves;
//! level and trend smooth what they leave. Four settings run side by side and the one with the least
//! one-step error of late answers.

use homeostat_core::num;

use super::{Model, Place};
use crate::history::History;

/// Settings: weight of level, of trend, and damping of the trend per step.
const SETTINGS: [(f64, f64, f64); 4] =
    [(0.5, 0.1, 0.9), (0.3, 0.05, 0.95), (0.15, 0.01, 0.98), (0.05, 0.002, 0.98)];

#[derive(Debug, Clone, Copy, Default)]
struct State {
    level: f64,
    trend: f64,
    error: f64,
}

/// Exponential smoothing.
#[derive(Debug, Clone, Default)]
pub struct Smoothing {
    states: [State; 4],
    known: u64,
}

/// The mean week where it is known, else the mean day, else nothing.
fn season(day: f64, week: f64) -> f64 {
    match (day.is_nan(), week.is_nan()) {
        (_, false) => week,
        (false, true) => day,
        _ => 0.0,
    }
}

impl Model for Smoothing {
    fn names(&self) -> &'static [&'static str] {
        &["smoothing"]
    }

    fn update(&mut self, history: &History) {
        let [day, week] = history.seasons();
        let season = season(day, week);
        let Some(z) = history.newest() else { return };
        let rest = z - season;
        for (state, (alpha, beta, damping)) in self.states.iter_mut().zip(SETTINGS) {
            if self.known == 0 {
                state.level = rest;
                continue;
            }
            let expected = state.level + damping * state.trend;
            let error = rest - expected;
            state.error += 0.002 * (error.abs() - state.error);
            state.level = expected + alpha * error;
            state.trend = damping * state.trend + alpha * beta * error;
        }
        self.known += 1;
    }

    fn predict(&self, _: usize, history: &History, places: &[Place], out: &mut [f64]) -> bool {
        if self.known < 3 {
            return false;
        }
        let by_error = |a: &usize, b: &usize| self.states[*a].error.total_cmp(&self.states[*b].error);
        let best = (0..SETTINGS.len()).min_by(by_error).unwrap_or(0);
        let (state, damping) = (self.states[best], SETTINGS[best].2);
        for (out, place) in out.iter_mut().zip(places) {
            let reach = 1.0 - num::pow(damping, history.ahead(*place) as f64);
            let trend = (state.trend * damping * reach / (1.0 - damping)).clamp(-1.5, 1.5);
            let season = season(history.day_at(*place), history.week_at(*place));
            *out = history.scale().value(state.level + trend + season + history.detail_at(*place));
        }
        true
    }

    fn rescale(&mut self, _: &dyn Fn(f64) -> f64) {
        self.known = 0;
    }
}
