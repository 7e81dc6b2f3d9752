//! How far off the middle may be: a scale that follows the circumstances, and quantiles around it that
//! correct themselves.

mod quantiles;
mod trajectories;

use homeostat_core::num;

use crate::history::History;
use crate::model::{Place, regression::Regression};
pub(crate) use quantiles::{LEVELS, Offsets, Quantiles};
pub(crate) use trajectories::{TRAJECTORIES, Trajectories};

/// Circumstances that the scale depends on.
const TERMS: usize = 6;
/// At first the scale is the mean error of late at this distance.
const PRIOR: [f64; TERMS] = [-0.2, 0.0, 0.0, 0.3, 0.7, 0.0];
const RIDGE: f64 = 10.0;
/// The least error on the logarithmic scale.
const LEAST: f64 = 1e-5;
/// Seconds after which an observation of the scale counts 1/e, and the least steps.
const MEMORY: (f64, f64) = (7.0 * 86_400.0, 300.0);
const SOLVE: u64 = 8;

/// The spread at every knot.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    knots: Vec<Knot>,
    steps: u64,
}

#[derive(Debug, Clone)]
struct Knot {
    ahead: usize,
    /// Circumstances, the scale and the middle at the last `ahead` origins.
    pending: Vec<[f32; TERMS + 2]>,
    fit: Regression<TERMS>,
    /// Mean absolute error: fast and slow.
    errors: [f64; 2],
    count: u64,
    quantiles: Quantiles,
    terms: [f64; TERMS],
    scale: f64,
}

impl Spread {
    /// A spread at these distances; `plain` leaves the middle where the model says.
    pub(crate) fn new(knots: &[usize], plain: bool) -> Self {
        let knot = |ahead: &usize| Knot {
            ahead: *ahead,
            pending: vec![[f32::NAN; TERMS + 2]; *ahead],
            fit: Regression::new(PRIOR),
            errors: [0.0; 2],
            count: 0,
            quantiles: Quantiles::new(plain),
            terms: [0.0; TERMS],
            scale: 0.1,
        };
        Self { knots: knots.iter().map(knot).collect(), steps: 0 }
    }

    /// Learns from the newest value `z` and takes note of the forecasts `middles` (all on the logarithmic
    /// scale).
    pub(crate) fn update(&mut self, history: &History, z: Option<f64>, middles: &[f64]) {
        self.steps += 1;
        let keep = 1.0 - 1.0 / (MEMORY.0 / history.step_s() as f64).max(MEMORY.1);
        for (index, (knot, middle)) in self.knots.iter_mut().zip(middles).enumerate() {
            let slot = (self.steps % knot.ahead as u64) as usize;
            if let Some(z) = z {
                knot.learn(slot, z, keep, history.step_s() as f64);
            }
            if (self.steps + index as u64).is_multiple_of(SOLVE) {
                knot.fit.solve(&PRIOR, RIDGE);
            }
            knot.look(history);
            let pending = &mut knot.pending[slot];
            pending.iter_mut().zip(knot.terms).for_each(|(kept, term)| *kept = term as f32);
            pending[TERMS] = knot.scale as f32;
            pending[TERMS + 1] = if z.is_some() { *middle as f32 } else { f32::NAN };
        }
    }

    /// The scale of the history moved.
    pub(crate) fn rescale(&mut self, map: &dyn Fn(f64) -> f64) {
        for pending in self.knots.iter_mut().flat_map(|knot| &mut knot.pending) {
            pending[TERMS + 1] = map(f64::from(pending[TERMS + 1])) as f32;
        }
    }

    /// Scale of the error at knot `knot` now, on the logarithmic scale.
    pub(crate) fn scale(&self, knot: usize) -> f64 {
        self.knots[knot].scale
    }

    /// Distances from the middle, of every level, at knot `knot` now.
    pub(crate) fn offsets(&self, knot: usize) -> Offsets {
        let knot = &self.knots[knot];
        knot.quantiles.offsets(knot.scale)
    }

    pub(crate) fn bytes(&self) -> usize {
        let pending: usize = self.knots.iter().map(|knot| knot.pending.len() * (TERMS + 2) * 4).sum();
        pending + self.knots.capacity() * size_of::<Knot>()
    }
}

impl Knot {
    fn learn(&mut self, slot: usize, z: f64, keep: f64, step_s: f64) {
        let pending = self.pending[slot];
        let (scale, middle) = (f64::from(pending[TERMS]), f64::from(pending[TERMS + 1]));
        if middle.is_nan() {
            return;
        }
        let error = z - middle;
        let size = error.abs().max(LEAST);
        self.count += 1;
        let fast = 1.0 / (self.ahead as f64).max(30.0);
        let slow = 1.0 / (2.0 * 86_400.0 / step_s).max(200.0);
        for (mean, weight) in self.errors.iter_mut().zip([fast, slow]) {
            *mean += weight.max(1.0 / self.count as f64) * (size - *mean);
        }
        let terms: [f32; TERMS] = std::array::from_fn(|i| pending[i]);
        let expected = num::ln(scale);
        let came = num::ln(size).clamp(expected - 2.5, expected + 2.5);
        self.fit.learn(&terms, [came], 1.0 / (self.ahead as f64).sqrt(), keep);
        self.quantiles.learn(error / scale, self.ahead);
    }

    /// Looks at the circumstances and says how large errors will be.
    fn look(&mut self, history: &History) {
        let [fast, slow] = history.moves().map(|change| num::ln(change + 1e-4));
        let levels = history.levels();
        if self.count == 0 {
            self.scale = (history.moves()[1] + 0.01) * (self.ahead as f64).sqrt();
            self.terms = [1.0, 0.0, 0.0, num::ln(self.scale), num::ln(self.scale), 0.0];
            return;
        }
        let [late, long] = self.errors.map(|error| num::ln(error.max(LEAST)));
        self.terms = [1.0, fast - slow, levels[1] - levels[3], late, long, levels[1] - levels[4]];
        let scale = self.fit.predict(0, &self.terms.map(|term| term as f32));
        self.scale = num::exp(scale.clamp(long - 2.0, long.max(late) + 1.5)).clamp(LEAST, 1.0);
    }
}

/// The offsets `ahead` steps from now, between knots.
pub(crate) fn offsets_between(knots: &[usize], at: &[Offsets], ahead: usize) -> Offsets {
    std::array::from_fn(|level| crate::model::between(knots, |knot| at[knot][level], ahead))
}

/// Where steps stand and how wide errors are there, for a trajectory that begins now.
pub(crate) fn scales_between(
    knots: &[usize],
    spread: &Spread,
    history: &History,
    places: &[Place],
) -> Vec<f32> {
    let at =
        |place: &Place| crate::model::between(knots, |knot| spread.scale(knot), history.ahead(*place)) as f32;
    places.iter().map(at).collect()
}
