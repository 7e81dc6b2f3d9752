//! Direct regression: one line of coefficients per distance ahead (no iteration of one-step forecasts),
//! from present levels and from what the day, the week, yesterday and last week did between the two times.

use super::features::{FEATURES, Origin, PRIOR};
use super::regression::Regression;
use super::{Model, Place, between};
use crate::history::History;

/// Seconds after which an observation counts 1/e.
const MEMORY_S: f64 = 14.0 * 86_400.0;
/// Least memory in steps.
const MEMORY_STEPS: f64 = 400.0;
/// Strength of the prior.
const RIDGE: f64 = 0.3;
/// Steps between two solutions.
const SOLVE: u64 = 8;
/// Errors beyond so many mean errors count as that many.
const CLIP: f64 = 4.0;

/// Direct regression at each knot.
#[derive(Debug, Clone)]
pub struct Direct {
    ahead: Vec<usize>,
    knots: Vec<Knot>,
    steps: u64,
    ready: bool,
}

#[derive(Debug, Clone)]
struct Knot {
    ahead: usize,
    /// Features and the anchor of the last `ahead` origins.
    pending: Vec<[f32; FEATURES + 1]>,
    fit: Regression<FEATURES>,
    error: f64,
    /// The forecast on the logarithmic scale without detail.
    forecast: f64,
}

impl Direct {
    /// A regression for each of `knots` (steps ahead, growing).
    pub fn new(knots: &[usize]) -> Self {
        let knot = |ahead: &usize| Knot {
            ahead: *ahead,
            pending: vec![[f32::NAN; FEATURES + 1]; *ahead],
            fit: Regression::new(PRIOR),
            error: 0.0,
            forecast: 0.0,
        };
        Self { ahead: knots.to_vec(), knots: knots.iter().map(knot).collect(), steps: 0, ready: false }
    }
}

impl Knot {
    /// Learns from the origin `ahead` steps ago, now that its target is known.
    fn learn(&mut self, slot: usize, z: f64, weight: f64, keep: f64) {
        let pending = self.pending[slot];
        let anchor = f64::from(pending[FEATURES]);
        if anchor.is_nan() {
            return;
        }
        let features: [f64; FEATURES] = std::array::from_fn(|i| f64::from(pending[i]));
        let expected = self.fit.predict(&features);
        let error = z - anchor - expected;
        let limit = if self.error > 0.0 { CLIP * self.error } else { f64::INFINITY };
        self.error += 0.01 * (error.abs() - self.error);
        // neighbouring origins share most of their future: together they count as one
        let weight = weight / (self.ahead as f64).sqrt();
        self.fit.learn(&features, expected + error.clamp(-limit, limit), weight, keep);
    }
}

impl Model for Direct {
    fn name(&self) -> &'static str {
        "direct"
    }

    fn update(&mut self, history: &History) {
        let memory = (MEMORY_S / history.step_s() as f64).max(MEMORY_STEPS);
        let keep = 1.0 - 1.0 / memory;
        let share = history.last_known().map_or(0.0, |value| value / history.scale().mean().max(1e-300));
        let weight = share.clamp(0.05, 4.0);
        let Some(origin) = Origin::of(history) else { return };
        self.steps += 1;
        for (index, knot) in self.knots.iter_mut().enumerate() {
            let slot = (self.steps % knot.ahead as u64) as usize;
            if let Some(z) = history.newest() {
                knot.learn(slot, z, weight, keep);
            }
            if (self.steps + index as u64).is_multiple_of(SOLVE) {
                knot.fit.solve(&PRIOR, &[RIDGE; FEATURES]);
            }
            let features = origin.features(history, knot.ahead);
            let anchor = origin.anchor();
            knot.forecast = anchor + knot.fit.predict(&features).clamp(-3.0, 3.0);
            let pending = &mut knot.pending[slot];
            pending.iter_mut().zip(features).for_each(|(kept, feature)| *kept = feature as f32);
            pending[FEATURES] = if history.newest().is_some() { anchor as f32 } else { f32::NAN };
        }
        self.ready = true;
    }

    fn predict(&self, history: &History, places: &[Place], out: &mut [f64]) -> bool {
        if self.ready {
            for (out, place) in out.iter_mut().zip(places) {
                let z = between(&self.ahead, |knot| self.knots[knot].forecast, history.ahead(*place));
                *out = history.scale().value(z + history.detail_at(*place));
            }
        }
        self.ready
    }

    fn rescale(&mut self, map: &dyn Fn(f64) -> f64) {
        for knot in &mut self.knots {
            for pending in &mut knot.pending {
                pending[FEATURES] = map(f64::from(pending[FEATURES])) as f32;
            }
        }
    }

    fn bytes(&self) -> usize {
        let pending: usize = self.ahead.iter().sum();
        pending * (FEATURES + 1) * 4 + self.knots.capacity() * size_of::<Knot>()
    }
}
