//! Linear part and a learner: direct regression, and boosted trees on the ten-minute means of the last weeks.
//!
//! Three answers, so that each can be seen alone: `direct` (linear only), `learned` (trees only) and
//! `hybrid`, which goes from the one to the other as far as that has paid. The automatic choice takes the
//! hybrid where its rolling error is lower than that of the linear part.

mod trees;

use crate::history::History;
use crate::model::direct::{Direct, weight};
use crate::model::features::Origin;
use crate::model::{Model, Place, between};
use trees::{INPUTS, Row, Trees};

const DAY_S: i64 = 86_400;
/// Trees forecast from this distance on: they learn from means of ten minutes.
const NEAREST_S: i64 = 600;
/// Means learned from at most, and rows.
const MEANS: i64 = 2_016;
const ROWS: i64 = 1_008;
/// Least rows to learn from.
const LEAST_ROWS: usize = 120;
/// Trees are grown anew after a day, at first when the history is longer by an eighth.
const ANEW: i64 = 8;
/// Seconds after which what the trees were good for counts 1/e, and the least steps.
const MEMORY: (f64, f64) = (3.0 * 86_400.0, 168.0);
/// Largest distance of the trees from the linear part, and of what came, that count for the share.
const BEYOND: f64 = 1.0;
const CLIP: f64 = 0.3;
/// Largest change on the logarithmic scale.
const LARGEST: f64 = 4.0;

/// Inputs that do not depend on the distance.
const NEAR: usize = 5;

/// Direct regression and trees.
#[derive(Debug, Clone)]
pub(crate) struct Hybrid {
    ahead: Vec<usize>,
    direct: Direct,
    knots: Vec<Knot>,
    steps: u64,
}

#[derive(Debug, Clone)]
struct Knot {
    ahead: usize,
    trees: Option<Trees>,
    /// Number of the mean after which they were grown.
    grown: i64,
    /// Forecasts of the linear part and of the trees of the last `ahead` origins.
    pending: Vec<[f32; 2]>,
    /// Mean products of what the trees said beyond the linear part with what came, and with itself.
    products: [f64; 2],
    learned: f64,
    hybrid: f64,
    /// The mean day there; NaN where unknown.
    day: f64,
}

impl Hybrid {
    /// For forecasts at `knots` (steps ahead, growing).
    pub(crate) fn new(knots: &[usize]) -> Self {
        let knot = |ahead: &usize| Knot {
            ahead: *ahead,
            trees: None,
            grown: i64::MIN,
            pending: vec![[f32::NAN; 2]; *ahead],
            products: [0.0; 2],
            learned: 0.0,
            hybrid: 0.0,
            day: f64::NAN,
        };
        Self {
            ahead: knots.to_vec(),
            direct: Direct::new(knots),
            knots: knots.iter().map(knot).collect(),
            steps: 0,
        }
    }
}

/// The present, or a time in the past, as trees see it.
struct Look<'a> {
    history: &'a History,
    /// When it ends, in local seconds.
    end_s: i64,
    anchor: f64,
}

impl<'a> Look<'a> {
    /// The present.
    fn now(history: &'a History, place: Place) -> Self {
        let count = (NEAREST_S / history.step_s()).max(1) as usize;
        let known = || history.recent().take(count).filter(|z| !z.is_nan());
        let anchor = if known().next().is_some() {
            known().sum::<f64>() / known().count() as f64
        } else {
            history.levels()[1]
        };
        Self { history, end_s: place.local_seconds + history.step_s(), anchor }
    }

    /// How the last hours were beside now: the same for all distances.
    fn near(&self) -> [f64; NEAR] {
        let Self { history, end_s, anchor } = *self;
        let bucket = history.coarse_s();
        let mean = |span_s: i64| history.coarse_mean(end_s - bucket - span_s, span_s);
        let before = |buckets: i64| history.past_mean(end_s - buckets * bucket);
        [before(2), before(3), mean(6 * bucket), mean(18 * bucket), mean(72 * bucket)].map(|z| z - anchor)
    }

    /// What a forecast of the step `ahead` is made from: the last hours, how yesterday was there, what it did
    /// from now on, and the time of day.
    fn inputs(&self, near: &[f64; NEAR], ahead: usize) -> [f32; INPUTS] {
        let Self { history, end_s, anchor } = *self;
        let target = self.target(ahead);
        let days = ((target - end_s) / DAY_S + 1) * DAY_S;
        let then = history.past(target - days);
        let moved = then - history.past_mean(end_s - history.coarse_s() - days);
        let mut all = [0.0; INPUTS];
        all[..NEAR].copy_from_slice(near);
        let day = target.rem_euclid(DAY_S) as f64 / DAY_S as f64;
        all[NEAR..].copy_from_slice(&[then - anchor, moved, day]);
        all.map(|input| if input.is_nan() { 0.0 } else { input as f32 })
    }

    /// Local second at which the step `ahead` begins.
    fn target(&self, ahead: usize) -> i64 {
        self.end_s + (ahead as i64 - 1) * self.history.step_s()
    }
}

/// The times of the last weeks as rows, for the distance `ahead`.
fn rows(history: &History, now: Place, ahead: usize) -> Vec<Row> {
    let bucket = history.coarse_s();
    let last =
        (now.local_seconds + history.step_s() - ahead as i64 * history.step_s()).div_euclid(bucket) - 1;
    let first = history.began_s().div_euclid(bucket);
    let means = (last - first).clamp(0, MEANS);
    let stride = (means / ROWS).max(1);
    let mean = history.scale().mean().max(1e-300);
    let row = |n: i64| {
        let end_s = (last - n * stride) * bucket;
        let look = Look { history, end_s, anchor: history.past_mean(end_s - bucket) };
        let came = history.past(look.target(ahead));
        let change = (came - look.anchor).clamp(-LARGEST, LARGEST);
        let weight = (history.scale().value(came) / mean).clamp(0.05, 4.0) as f32;
        (!change.is_nan()).then(|| Row {
            inputs: look.inputs(&look.near(), ahead),
            target: change as f32,
            weight,
        })
    };
    (0..means / stride).filter_map(row).collect()
}

impl Knot {
    fn learn(&mut self, slot: usize, z: f64, weight: f64) {
        let [linear, trees] = self.pending[slot].map(f64::from);
        if linear.is_nan() || trees.is_nan() {
            return;
        }
        let (beyond, came) = ((trees - linear).clamp(-BEYOND, BEYOND), (z - linear).clamp(-CLIP, CLIP));
        self.products[0] += weight * (beyond * came - self.products[0]);
        self.products[1] += weight * (beyond * beyond - self.products[1]);
    }

    /// How far to go from the linear part to the trees.
    fn share(&self) -> f64 {
        if self.products[1] <= 1e-12 { 0.0 } else { (self.products[0] / self.products[1]).clamp(0.0, 1.0) }
    }

    /// Grows the trees anew where it is time.
    fn grow(&mut self, history: &History, now: Place) {
        let bucket = now.local_seconds.div_euclid(history.coarse_s());
        let age = bucket - history.began_s().div_euclid(history.coarse_s());
        let wait = (age / ANEW).min(DAY_S / history.coarse_s());
        if bucket < self.grown.saturating_add(wait) || self.ahead as i64 * history.step_s() < NEAREST_S {
            return;
        }
        self.grown = bucket;
        let rows = rows(history, now, self.ahead);
        self.trees = (rows.len() >= LEAST_ROWS).then(|| Trees::fit(&rows));
    }
}

impl Model for Hybrid {
    fn names(&self) -> &'static [&'static str] {
        &["direct", "learned", "hybrid"]
    }

    fn update(&mut self, history: &History) {
        let (Some(origin), Some(now)) = (Origin::of(history), history.now()) else { return };
        self.direct.update(history, &origin);
        self.steps += 1;
        let keep = 1.0 / (MEMORY.0 / history.step_s() as f64).max(MEMORY.1);
        let look = Look::now(history, now);
        let near = look.near();
        for (index, knot) in self.knots.iter_mut().enumerate() {
            let slot = (self.steps % knot.ahead as u64) as usize;
            if let Some(z) = history.newest() {
                knot.learn(slot, z, keep * weight(history));
            }
            knot.grow(history, now);
            let linear = self.direct.forecast(index);
            let said =
                knot.trees.as_ref().map(|trees| look.anchor + trees.predict(&look.inputs(&near, knot.ahead)));
            knot.learned = said.unwrap_or(linear);
            knot.hybrid = linear + knot.share() * (knot.learned - linear);
            knot.day = history.place_ahead(knot.ahead).map_or(f64::NAN, |place| history.day_at(place));
            let said = said.filter(|_| history.newest().is_some()).map_or(f32::NAN, |said| said as f32);
            knot.pending[slot] = [linear as f32, said];
        }
    }

    fn predict(&self, answer: usize, history: &History, places: &[Place], out: &mut [f64]) -> bool {
        if self.steps == 0 {
            return false;
        }
        let at = |knot: usize| match answer {
            0 => self.direct.forecast(knot),
            1 => self.knots[knot].learned,
            _ => self.knots[knot].hybrid,
        };
        // between distances, what is left of the mean day is linear, not the forecast: an hour ahead that
        // makes no difference, a day ahead all
        let left = |knot: usize| at(knot) - self.knots[knot].day;
        for (out, place) in out.iter_mut().zip(places) {
            let ahead = history.ahead(*place);
            let known = history.day_at(*place) + between(&self.ahead, left, ahead);
            let z = if known.is_nan() { between(&self.ahead, at, ahead) } else { known };
            *out = history.scale().value(z + history.detail_at(*place));
        }
        true
    }

    fn rescale(&mut self, map: &dyn Fn(f64) -> f64) {
        self.direct.rescale(map);
        for pending in self.knots.iter_mut().flat_map(|knot| &mut knot.pending) {
            *pending = pending.map(|z| map(f64::from(z)) as f32);
        }
    }

    fn bytes(&self) -> usize {
        let of =
            |knot: &Knot| knot.ahead * 8 + knot.trees.as_ref().map_or(0, Trees::bytes) + size_of::<Knot>();
        self.direct.bytes() + self.knots.iter().map(of).sum::<usize>()
    }
}
