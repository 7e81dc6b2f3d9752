//! How far off the middle may be: a scale that follows the circumstances, and quantiles around it that
//! correct themselves.
//!
//! The scale is what the error at a target is expected to be, by how things went at the origin and by where
//! the target stands.

mod places;
mod quantiles;
mod tails;
mod trajectories;

use homeostat_core::num;

use crate::history::{ECHOES, History};
use crate::model::{self, Place, regression::Regression};
use places::{Places, Spot};
pub(crate) use quantiles::LEVELS;
use quantiles::{Offsets, Quantiles, Shapes};
pub(crate) use trajectories::{TRAJECTORIES, Trajectories};

/// Circumstances at the origin that the scale depends on.
const ORIGIN: usize = 6;
/// Circumstances at the target: sizes at its place of the period and its hour of the day, and the details of
/// the last occurrences of its place.
const TARGET: usize = 4 + ECHOES;
const TERMS: usize = ORIGIN + TARGET;
/// At first the scale is the mean error of late at this distance and at this place.
const PRIOR: [f64; TERMS] = [-0.2, 0.0, 0.0, 0.3, 0.7, 0.0, 0.2, 0.0, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
const RIDGE: f64 = 60.0;
/// The least error on the logarithmic scale.
const LEAST: f64 = 1e-5;
const LEAST_LOG: f64 = -11.5;
/// Seconds after which an observation of the scale counts 1/e, and the least steps.
const MEMORY: (f64, f64) = (7.0 * 86_400.0, 300.0);
const SOLVE: u64 = 8;
/// Ratio (its logarithm) of the scales between which the quantiles for small errors turn into those for
/// large.
const LOUD: f64 = 1.4;
/// The scale is at most so much above the slow mean error (its logarithm): beyond circumstances that it has
/// seen, such as a level never reached before, a regression on the logarithm would go on without limit. It
/// may also be as much above what errors were of late, the less the longer ago those forecasts were made.
const WIDEST: f64 = 1.0;
/// Seconds ahead at which what errors were of late counts 1/e.
const FRESH: f64 = 900.0;
/// How far the scales of the two sides go apart, of what the regression says: what it says of one side
/// rests on fewer errors.
const SIDED: f64 = 0.5;
/// An error counts as at most so many expected ones, less one.
const SURPRISE: f64 = 7.0;

/// The spread at every knot.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    ahead: Vec<usize>,
    knots: Vec<Knot>,
    steps: u64,
}

#[derive(Debug, Clone)]
struct Knot {
    ahead: usize,
    /// Circumstances, the logarithms of the scales and the middle at the last `ahead` origins.
    pending: Vec<[f32; TERMS + 3]>,
    fit: Regression<TERMS, 2>,
    /// Mean absolute error: fast and slow.
    errors: [f64; 2],
    count: u64,
    places: [Places; 2],
    quantiles: Quantiles,
    origin: [f64; ORIGIN],
    /// Logarithm of the scale for a target whose place says nothing; and of the slow mean error.
    level: Sides,
    long: f64,
    /// The largest logarithm of a scale.
    most: f64,
    /// How much it may be above what errors were of late.
    fresh: f64,
}

/// Below the middle and above it.
type Sides = [f64; 2];

/// What surrounds the middle at one step ahead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around {
    /// Distances from the middle, one per level.
    pub(crate) offsets: Offsets,
    /// The scale of the error.
    pub(crate) scale: f64,
}

impl Spread {
    /// A spread at these distances, in steps of `step_s` seconds; `plain` leaves the middle where the model
    /// says.
    pub(crate) fn new(knots: &[usize], step_s: f64, plain: bool) -> Self {
        let knot = |ahead: &usize| Knot {
            ahead: *ahead,
            pending: vec![[f32::NAN; TERMS + 3]; *ahead],
            fit: Regression::new(PRIOR),
            errors: [0.0; 2],
            count: 0,
            places: [Places::new(), Places::new()],
            quantiles: Quantiles::new(plain),
            origin: [0.0; ORIGIN],
            level: [-2.3; 2],
            long: -2.3,
            most: WIDEST - 2.3,
            fresh: WIDEST * num::exp(-(*ahead as f64) * step_s / FRESH),
        };
        Self { ahead: knots.to_vec(), knots: knots.iter().map(knot).collect(), steps: 0 }
    }

    /// Learns from the newest value `z` and takes note of the forecasts `middles` of the knots, which stand
    /// at `places` (all on the logarithmic scale).
    pub(crate) fn update(&mut self, history: &History, z: Option<f64>, places: &[Place], middles: &[f64]) {
        self.steps += 1;
        let keep = 1.0 - 1.0 / (MEMORY.0 / history.step_s() as f64).max(MEMORY.1);
        for (index, (knot, middle)) in self.knots.iter_mut().zip(middles).enumerate() {
            let slot = (self.steps % knot.ahead as u64) as usize;
            if let Some(z) = z {
                knot.learn(history, slot, z, keep);
            }
            if (self.steps + index as u64).is_multiple_of(SOLVE) {
                knot.fit.solve(&PRIOR, RIDGE);
            }
            knot.look(history);
            let target = knot.target(&Spot::of(history, places[index]));
            let scale = knot.log_scale(&target);
            let pending = &mut knot.pending[slot];
            let terms = knot.origin.iter().chain(&target);
            pending.iter_mut().zip(terms).for_each(|(kept, term)| *kept = *term as f32);
            (pending[TERMS], pending[TERMS + 1]) = (scale[0] as f32, scale[1] as f32);
            pending[TERMS + 2] = if z.is_some() { *middle as f32 } else { f32::NAN };
        }
    }

    /// The scale of the history moved.
    pub(crate) fn rescale(&mut self, map: &dyn Fn(f64) -> f64) {
        for pending in self.knots.iter_mut().flat_map(|knot| &mut knot.pending) {
            pending[TERMS + 2] = map(f64::from(pending[TERMS + 2])) as f32;
        }
    }

    /// What surrounds the middles at `places`, on the logarithmic scale.
    pub(crate) fn around(&self, history: &History, places: &[Place]) -> Vec<Around> {
        let shapes: Vec<Shapes> = self.knots.iter().map(|knot| knot.quantiles.shapes()).collect();
        let at = |place: &Place| {
            let spot = Spot::of(history, *place);
            let one = |knot: usize| {
                let own = &self.knots[knot];
                let log = own.log_scale(&own.target(&spot));
                let scale = log.map(num::exp_fast);
                Around {
                    offsets: shapes[knot].offsets(scale, own.loud(log)),
                    scale: f64::midpoint(scale[0], scale[1]),
                }
            };
            let (below, above, share) = model::beside(&self.ahead, history.ahead(*place));
            let near = one(below);
            if share == 0.0 { near } else { near.mix(&one(above), share) }
        };
        places.iter().map(at).collect()
    }

    pub(crate) fn bytes(&self) -> usize {
        let of = |knot: &Knot| {
            knot.pending.len() * (TERMS + 3) * 4
                + knot.fit.bytes()
                + knot.places.iter().map(Places::bytes).sum::<usize>()
                + size_of::<Knot>()
        };
        self.knots.iter().map(of).sum()
    }
}

impl Around {
    fn mix(&self, other: &Self, share: f64) -> Self {
        let mix = |a: f64, b: f64| a + (b - a) * share;
        let offsets = std::array::from_fn(|level| mix(self.offsets[level], other.offsets[level]));
        Self { offsets, scale: mix(self.scale, other.scale) }
    }
}

impl Knot {
    fn learn(&mut self, history: &History, slot: usize, z: f64, keep: f64) {
        let pending = self.pending[slot];
        let log = [pending[TERMS], pending[TERMS + 1]].map(f64::from);
        let scale = log.map(num::exp_fast);
        let middle = f64::from(pending[TERMS + 2]);
        if middle.is_nan() {
            return;
        }
        let error = z - middle;
        let size = error.abs().max(LEAST);
        self.count += 1;
        let fast = 1.0 / (self.ahead as f64).max(30.0);
        let slow = 1.0 / (2.0 * 86_400.0 / history.step_s() as f64).max(200.0);
        for (mean, weight) in self.errors.iter_mut().zip([fast, slow]) {
            *mean += weight.max(1.0 / self.count as f64) * (size - *mean);
        }
        // twice the one-sided error is about as large as the error itself
        let sizes = [2.0 * (-error).max(0.0), 2.0 * error.max(0.0)];
        if let Some(now) = history.now() {
            for (places, size) in self.places.iter_mut().zip(sizes) {
                places.learn(history, now, size / self.errors[1]);
            }
        }
        let terms: [f32; TERMS] = std::array::from_fn(|i| pending[i]);
        // the working response of a gamma distribution with a logarithmic link
        let came = |side: usize| log[side] + (sizes[side] / scale[side] - 1.0).min(SURPRISE);
        self.fit.learn(&terms, [came(0), came(1)], 1.0 / (self.ahead as f64).sqrt(), keep);
        self.quantiles.saw(error, (scale, self.loud(log)), self.ahead, keep);
    }

    /// Looks at the circumstances of the origin.
    fn look(&mut self, history: &History) {
        let [fast, slow] = history.moves().map(|change| num::ln(change + 1e-4));
        let levels = history.levels();
        if self.count == 0 {
            self.long = num::ln((history.moves()[1] + 0.01) * (self.ahead as f64).sqrt());
            self.origin = [1.0, 0.0, 0.0, self.long, self.long, 0.0];
            self.level = [self.long; 2];
            self.most = self.long + WIDEST;
            return;
        }
        let [late, long] = self.errors.map(|error| num::ln(error.max(LEAST)));
        self.origin = [1.0, fast - slow, levels[1] - levels[3], late, long, levels[1] - levels[4]];
        let mut terms = [0.0; TERMS];
        terms.iter_mut().zip(self.origin).for_each(|(kept, term)| *kept = term as f32);
        self.level =
            [0, 1].map(|side| self.fit.predict(side, &terms).clamp(long - 2.0, long.max(late) + 1.5));
        self.long = long;
        self.most = (late + self.fresh).max(long + WIDEST);
    }

    /// The circumstances of a target.
    fn target(&self, spot: &Spot) -> [f64; TARGET] {
        let mut all = [0.0; TARGET];
        for (sizes, places) in all.chunks_exact_mut(2).zip(&self.places) {
            sizes.copy_from_slice(&places.at(spot));
        }
        all[4..].copy_from_slice(&spot.echoes);
        all
    }

    /// The logarithm of how large the error of a target will be below and above the middle.
    fn log_scale(&self, target: &[f64; TARGET]) -> Sides {
        let own: [f64; 2] = std::array::from_fn(|side| {
            let coefficients = &self.fit.coefficients(side)[ORIGIN..];
            let more: f64 = coefficients.iter().zip(target).map(|(c, x)| f64::from(*c) * x).sum();
            self.level[side] + more.clamp(-2.5, 2.5)
        });
        let own = own.map(|own| own.min(self.most));
        let middle = f64::midpoint(own[0], own[1]);
        own.map(|own| (middle + SIDED * (own - middle)).clamp(LEAST_LOG, 0.0))
    }

    /// How much errors of this scale (its logarithm) are large ones: 0 to 1.
    fn loud(&self, log: Sides) -> Sides {
        log.map(|log| ((log - self.long) / LOUD + 0.5).clamp(0.0, 1.0))
    }
}
