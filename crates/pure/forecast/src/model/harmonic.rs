//! Harmonic regression: sines and cosines of the day and of the week by least squares on line, and the
//! present distance from them, of which a learned share lasts.

use std::f64::consts::TAU;

use homeostat_core::num;

use super::regression::Regression;
use super::{Model, Place, between};
use crate::history::History;

/// Harmonics of the day and of the week.
const DAY: usize = 5;
const WEEK: usize = 3;
const TERMS: usize = 1 + 2 * (DAY + WEEK);
const RIDGE: f64 = 3.0;
/// Seconds after which an observation counts 1/e.
const MEMORY_S: f64 = 14.0 * 86_400.0;
const SOLVE: u64 = 30;
/// Weight of a new observation of how much of the distance lasts.
const LASTING: f64 = 1.0 / 2_880.0;

/// Harmonic regression.
#[derive(Debug, Clone)]
pub struct Harmonic {
    fit: Regression<TERMS>,
    ahead: Vec<usize>,
    lasting: Vec<Lasting>,
    distance: f64,
    steps: u64,
    known: u64,
}

/// How much of a distance is left at a knot.
#[derive(Debug, Clone)]
struct Lasting {
    pending: Vec<f32>,
    product: f64,
    square: f64,
}

impl Harmonic {
    /// For forecasts at `knots`.
    pub fn new(knots: &[usize]) -> Self {
        let lasting =
            |ahead: &usize| Lasting { pending: vec![f32::NAN; *ahead], product: 0.9e-3, square: 1e-3 };
        Self {
            fit: Regression::new([0.0; TERMS]),
            ahead: knots.to_vec(),
            lasting: knots.iter().map(lasting).collect(),
            distance: 0.0,
            steps: 0,
            known: 0,
        }
    }
}

/// Sines and cosines at a place.
fn terms(place: Place) -> [f32; TERMS] {
    let mut all = [1.0_f32; TERMS];
    let mut at = 1;
    for (harmonics, period_s) in [(DAY, 86_400), (WEEK, 604_800)] {
        let phase = place.local_seconds.rem_euclid(period_s) as f64 / period_s as f64 * TAU;
        let (sine, cosine) = (num::sin(phase), num::cos(phase));
        let (mut s, mut c) = (sine, cosine);
        for _ in 0..harmonics {
            (all[at], all[at + 1]) = (s as f32, c as f32);
            (s, c) = (s * cosine + c * sine, c * cosine - s * sine);
            at += 2;
        }
    }
    all
}

impl Model for Harmonic {
    fn names(&self) -> &'static [&'static str] {
        &["harmonic"]
    }

    fn update(&mut self, history: &History) {
        let Some(now) = history.now() else { return };
        self.steps += 1;
        let Some(z) = history.newest() else { return };
        let terms = terms(now);
        let distance = z - self.fit.predict(0, &terms);
        for (lasting, ahead) in self.lasting.iter_mut().zip(&self.ahead) {
            let slot = (self.steps % *ahead as u64) as usize;
            let before = f64::from(std::mem::replace(&mut lasting.pending[slot], self.distance as f32));
            if !before.is_nan() && self.known > 1_000 {
                lasting.product += LASTING * (before * distance - lasting.product);
                lasting.square += LASTING * (before * before - lasting.square);
            }
        }
        let keep = 1.0 - history.step_s() as f64 / MEMORY_S;
        self.fit.learn(&terms, [z], 1.0 / 30.0, keep);
        self.known += 1;
        if self.steps.is_multiple_of(SOLVE) {
            self.fit.solve(&[0.0; TERMS], RIDGE / 100.0);
        }
        self.distance += 0.3 * (z - self.fit.predict(0, &terms) - self.distance);
    }

    fn predict(&self, _: usize, history: &History, places: &[Place], out: &mut [f64]) -> bool {
        if self.known < 60 {
            return false;
        }
        let left = |knot: usize| {
            let lasting = &self.lasting[knot];
            (lasting.product / lasting.square.max(1e-12)).clamp(0.0, 1.0)
        };
        for (out, place) in out.iter_mut().zip(places) {
            let share = between(&self.ahead, left, history.ahead(*place));
            let z = self.fit.predict(0, &terms(*place)) + share * self.distance;
            *out = history.scale().value(z + history.detail_at(*place));
        }
        true
    }

    fn rescale(&mut self, _: &dyn Fn(f64) -> f64) {
        let ahead = std::mem::take(&mut self.ahead);
        *self = Self::new(&ahead);
    }

    fn bytes(&self) -> usize {
        self.fit.bytes() + self.ahead.iter().sum::<usize>() * 4
    }
}
