//! Direct regression: one line of coefficients per distance ahead (no iteration of one-step forecasts),
//! from present levels and from what the day, the week, yesterday and last week did between the two times.

use super::features::{COMMON, FEATURES, Origin, PRIOR, RISES, features};
use super::regression::Regression;
use crate::history::History;

/// Seconds after which an observation counts 1/e.
const MEMORY_S: f64 = 14.0 * 86_400.0;
/// Least memory in steps.
const MEMORY_STEPS: f64 = 400.0;
/// Strength of the prior.
const RIDGE: f64 = 2.0;
/// Steps between two solutions.
const SOLVE: u64 = 8;
/// Errors beyond so many mean errors count as that many.
const CLIP: f64 = 4.0;

/// Direct regression at each knot.
#[derive(Debug, Clone)]
pub(crate) struct Direct {
    knots: Vec<Knot>,
    /// The features of the last origins that all distances share, and their anchors: as many as the furthest
    /// distance has steps.
    origins: Vec<([f32; COMMON], f32)>,
    steps: u64,
}

#[derive(Debug, Clone)]
struct Knot {
    ahead: usize,
    /// The other features of the last `ahead` origins.
    pending: Vec<[f32; RISES]>,
    fit: Regression<FEATURES>,
    error: f64,
    /// The forecast on the logarithmic scale without detail.
    forecast: f64,
}

impl Direct {
    /// A regression for each of `knots` (steps ahead, growing).
    pub(crate) fn new(knots: &[usize]) -> Self {
        let knot = |ahead: &usize| Knot {
            ahead: *ahead,
            pending: vec![[f32::NAN; RISES]; *ahead],
            fit: Regression::new(PRIOR),
            error: 0.0,
            forecast: 0.0,
        };
        let origins = vec![([f32::NAN; COMMON], f32::NAN); knots.last().copied().unwrap_or(1)];
        Self { knots: knots.iter().map(knot).collect(), origins, steps: 0 }
    }

    /// Learns from the newest step and forecasts all knots anew.
    pub(crate) fn update(&mut self, history: &History, origin: &Origin) {
        let keep = keep(history);
        let weight = weight(history);
        self.steps += 1;
        let (common, anchor) = (origin.common(), origin.anchor());
        let room = self.origins.len();
        let now = (self.steps % room as u64) as usize;
        for (index, knot) in self.knots.iter_mut().enumerate() {
            let slot = (self.steps % knot.ahead as u64) as usize;
            if let Some(z) = history.newest() {
                let (common, anchor) = &self.origins[(now + room - knot.ahead) % room];
                let features = features(common, &knot.pending[slot]);
                knot.learn(&features, f64::from(*anchor), z, weight, keep);
            }
            if (self.steps + index as u64).is_multiple_of(SOLVE) {
                knot.fit.solve(&PRIOR, RIDGE);
            }
            let rises = origin.rises(history, knot.ahead);
            let change = knot.fit.predict(0, &features(&common, &rises));
            knot.forecast = anchor + change.clamp(-3.0, 3.0);
            knot.pending[slot] = rises;
        }
        let anchor = if history.newest().is_some() { anchor as f32 } else { f32::NAN };
        self.origins[now] = (common, anchor);
    }

    /// The forecast at knot `knot` on the logarithmic scale without detail.
    pub(crate) fn forecast(&self, knot: usize) -> f64 {
        self.knots[knot].forecast
    }

    /// The scale of the history moved.
    pub(crate) fn rescale(&mut self, map: &dyn Fn(f64) -> f64) {
        for (_, anchor) in &mut self.origins {
            *anchor = map(f64::from(*anchor)) as f32;
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let of = |knot: &Knot| knot.ahead * RISES * 4 + knot.fit.bytes() + size_of::<Knot>();
        self.origins.len() * (COMMON + 1) * 4 + self.knots.iter().map(of).sum::<usize>()
    }
}

/// The share of what was learned that stays after a step.
pub(crate) fn keep(history: &History) -> f64 {
    1.0 - 1.0 / (MEMORY_S / history.step_s() as f64).max(MEMORY_STEPS)
}

/// Weight of the newest value as a target: errors count in the unit of the series.
pub(crate) fn weight(history: &History) -> f64 {
    let share = history.last_known().map_or(0.0, |value| value / history.scale().mean().max(1e-300));
    share.clamp(0.05, 4.0)
}

impl Knot {
    /// Learns from the origin `ahead` steps ago, now that its target is known.
    fn learn(&mut self, features: &[f32; FEATURES], anchor: f64, z: f64, weight: f64, keep: f64) {
        if anchor.is_nan() {
            return;
        }
        let expected = self.fit.predict(0, features);
        let error = z - anchor - expected;
        let limit = if self.error > 0.0 { CLIP * self.error } else { f64::INFINITY };
        self.error += 0.01 * (error.abs() - self.error);
        // neighbouring origins share most of their future: together they count for less
        let weight = weight / (self.ahead as f64).sqrt();
        self.fit.learn(features, [expected + error.clamp(-limit, limit)], weight, keep);
    }
}
