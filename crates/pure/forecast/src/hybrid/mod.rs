//! Linear part and learned residual: direct regression, and a small recurrent network that learns what the
//! regression leaves.
//!
//! Three answers, so that each can be seen alone: `direct` (linear only), `learned` (network only) and
//! `hybrid` (both). The automatic choice takes the hybrid where its rolling error is lower than that of the
//! linear part by more than the margin for simplicity, and else leaves the network out.

mod network;

use std::sync::LazyLock;

use crate::history::History;
use crate::model::direct::{Direct, keep, weight};
use crate::model::features::{FEATURES, Origin};
use crate::model::regression::Regression;
use crate::model::{Model, Place, between};
use network::{OUTPUTS, UNITS, Weights};

/// Strength with which the readout is pulled to nothing.
const RIDGE: f64 = 4.0;
const SOLVE: u64 = 16;
/// Largest correction on the logarithmic scale.
const LARGEST: f64 = 1.0;

static WEIGHTS: LazyLock<Weights> = LazyLock::new(Weights::new);

/// Direct regression with a learned residual.
#[derive(Debug, Clone)]
pub(crate) struct Hybrid {
    ahead: Vec<usize>,
    direct: Direct,
    units: [f32; UNITS],
    knots: Vec<Knot>,
    steps: u64,
}

#[derive(Debug, Clone)]
struct Knot {
    ahead: usize,
    pending: Vec<Pending>,
    /// Targets: the residual of the linear part, and the whole change.
    readout: Regression<OUTPUTS, 2>,
    error: f64,
    residual: f64,
    change: f64,
}

/// What a forecast was made from.
#[derive(Debug, Clone, Copy)]
struct Pending {
    seen: [i8; OUTPUTS],
    linear: f32,
    anchor: f32,
}

impl Hybrid {
    /// For forecasts at `knots` (steps ahead, growing).
    pub(crate) fn new(knots: &[usize]) -> Self {
        let none = Pending { seen: [0; OUTPUTS], linear: f32::NAN, anchor: f32::NAN };
        let knot = |ahead: &usize| Knot {
            ahead: *ahead,
            pending: vec![none; *ahead],
            readout: Regression::new([0.0; OUTPUTS]),
            error: 0.0,
            residual: 0.0,
            change: 0.0,
        };
        Self {
            ahead: knots.to_vec(),
            direct: Direct::new(knots),
            units: [0.0; UNITS],
            knots: knots.iter().map(knot).collect(),
            steps: 0,
        }
    }
}

impl Knot {
    fn learn(&mut self, slot: usize, z: f64, weight: f64, keep: f64) {
        let before = self.pending[slot];
        let (linear, anchor) = (f64::from(before.linear), f64::from(before.anchor));
        if anchor.is_nan() {
            return;
        }
        let residual = z - linear;
        let limit = 4.0 * self.error.max(1e-3);
        self.error += 0.01 * (residual.abs() - self.error);
        let targets = [residual.clamp(-limit, limit), (z - anchor).clamp(-4.0, 4.0)];
        let weight = weight / (self.ahead as f64).sqrt();
        self.readout.learn(&unpack(&before.seen), targets, weight, keep);
    }
}

fn unpack(seen: &[i8; OUTPUTS]) -> [f32; OUTPUTS] {
    seen.map(|output| f32::from(output) / 127.0)
}

impl Model for Hybrid {
    fn names(&self) -> &'static [&'static str] {
        &["direct", "learned", "hybrid"]
    }

    fn update(&mut self, history: &History) {
        let Some(origin) = Origin::of(history) else { return };
        self.direct.update(history, &origin);
        self.steps += 1;
        self.units = WEIGHTS.step(&self.units, self.direct.features(self.knots.len() / 2));
        let (weight, keep) = (weight(history), keep(history));
        for (index, knot) in self.knots.iter_mut().enumerate() {
            let slot = (self.steps % knot.ahead as u64) as usize;
            if let Some(z) = history.newest() {
                knot.learn(slot, z, weight, keep);
            }
            if (self.steps + 2 * index as u64).is_multiple_of(SOLVE) {
                knot.readout.solve(&[0.0; OUTPUTS], RIDGE);
            }
            let features: &[f32; FEATURES] = self.direct.features(index);
            let seen = WEIGHTS.look(&self.units, features);
            let outputs = unpack(&seen);
            knot.residual = knot.readout.predict(0, &outputs).clamp(-LARGEST, LARGEST);
            knot.change = knot.readout.predict(1, &outputs).clamp(-4.0, 4.0);
            let anchor = if history.newest().is_some() { origin.anchor() as f32 } else { f32::NAN };
            knot.pending[slot] = Pending { seen, linear: self.direct.forecast(index) as f32, anchor };
            knot.change += origin.anchor();
        }
    }

    fn predict(&self, answer: usize, history: &History, places: &[Place], out: &mut [f64]) -> bool {
        if self.steps == 0 {
            return false;
        }
        let at = |knot: usize| match answer {
            0 => self.direct.forecast(knot),
            1 => self.knots[knot].change,
            _ => self.direct.forecast(knot) + self.knots[knot].residual,
        };
        for (out, place) in out.iter_mut().zip(places) {
            // between distances, what is left of the mean day is linear, not the forecast: an hour ahead
            // that makes no difference, a day ahead all
            let day = history.day_at(*place);
            let left = |knot: usize| {
                let season = history.place_ahead(self.ahead[knot]).map_or(f64::NAN, |at| history.day_at(at));
                at(knot) - season
            };
            let ahead = history.ahead(*place);
            let known = day + between(&self.ahead, left, ahead);
            let z = if known.is_nan() { between(&self.ahead, at, ahead) } else { known };
            *out = history.scale().value(z + history.detail_at(*place));
        }
        true
    }

    fn rescale(&mut self, map: &dyn Fn(f64) -> f64) {
        self.direct.rescale(map);
        for pending in self.knots.iter_mut().flat_map(|knot| &mut knot.pending) {
            pending.linear = map(f64::from(pending.linear)) as f32;
            pending.anchor = map(f64::from(pending.anchor)) as f32;
        }
    }

    fn bytes(&self) -> usize {
        let of = |knot: &Knot| knot.ahead * size_of::<Pending>() + knot.readout.bytes() + size_of::<Knot>();
        self.direct.bytes() + self.knots.iter().map(of).sum::<usize>()
    }
}
