//! Which of two forecasts had the lower pinball loss of late, and how far off the level of the analogs is.

use std::collections::VecDeque;

use super::LEVELS;
use crate::score::pinball;

/// Ratings after which a loss counts 1/e, and the least.
const MEMORY: f64 = 10_000.0;
const LEAST: f64 = 300.0;
/// Analogs are used where their loss is below this share of the other's, and given up above the second.
const BETTER: (f64, f64) = (0.97, 1.02);

/// The interval that the blur is to make right: its levels, and the share outside.
const INTERVAL: [f64; 2] = [0.05, 0.95];
const OUTSIDE: f64 = 0.1;
/// What a value outside adds to the blur (nine inside take it away), and the most.
const BLURS: f64 = 0.004;
const MOST_BLUR: f64 = 0.3;

/// Losses of both.
#[derive(Debug, Clone)]
pub(super) struct Rating {
    knots: Vec<usize>,
    pending: VecDeque<Said>,
    losses: [f64; 2],
    count: f64,
    better: bool,
    blur: f64,
}

/// What both said of a step.
#[derive(Debug, Clone, Copy)]
struct Said {
    step: u64,
    ours: [f64; LEVELS.len()],
    interval: [f64; 2],
    others: [f64; LEVELS.len()],
}

impl Rating {
    pub(super) fn new(knots: &[usize]) -> Self {
        Self {
            knots: knots.to_vec(),
            pending: VecDeque::new(),
            losses: [0.0; 2],
            count: 0.0,
            better: false,
            blur: 0.0,
        }
    }

    /// Distances at which they are compared: those within a period.
    pub(super) fn knots(&self, period: usize) -> Vec<usize> {
        self.knots.iter().copied().filter(|knot| *knot < period).collect()
    }

    pub(super) fn furthest(&self, period: usize) -> usize {
        self.knots(period).last().copied().unwrap_or(1)
    }

    /// At step `now` both said this of the step `ahead` after it: we by equally likely, sorted values.
    pub(super) fn said(&mut self, now: u64, ahead: usize, ours: &[f32], others: [f64; LEVELS.len()]) {
        let at = |level| crate::quantile(ours, level);
        let said =
            Said { step: now + ahead as u64, ours: LEVELS.map(at), interval: INTERVAL.map(at), others };
        let place = self.pending.partition_point(|other| other.step <= said.step);
        self.pending.insert(place, said);
    }

    /// The value of step `step` (numbered from 1 as in [`Self::said`]).
    pub(super) fn came(&mut self, z: Option<f64>, before: u64) {
        while self.pending.front().is_some_and(|said| said.step <= before + 1) {
            let Some(said) = self.pending.pop_front() else { break };
            let Some(z) = z.filter(|_| said.step == before + 1) else { continue };
            let outside = f64::from(u8::from(z < said.interval[0] || z > said.interval[1]));
            self.blur = (self.blur + BLURS * (outside - OUTSIDE)).clamp(0.0, MOST_BLUR);
            self.count += 1.0;
            let weight = (1.0 / MEMORY).max(1.0 / self.count);
            for (loss, quantiles) in self.losses.iter_mut().zip([said.ours, said.others]) {
                *loss += weight * (self::loss(z, quantiles) - *loss);
            }
        }
        let bar = if self.better { BETTER.1 } else { BETTER.0 };
        self.better = self.count >= LEAST && self.losses[0] < bar * self.losses[1];
    }

    /// Standard deviation, on the logarithmic scale, of the level that analogs are moved to: so much as makes
    /// their 90 % interval right (adaptive conformal inference: Gibbs and Candès 2021).
    pub(super) const fn blur(&self) -> f64 {
        self.blur
    }

    pub(super) const fn better(&self) -> bool {
        self.better
    }

    /// What is pending no longer counts.
    pub(super) fn forget(&mut self) {
        self.pending.clear();
    }

    pub(super) fn bytes(&self) -> usize {
        self.pending.capacity() * size_of::<Said>()
    }
}

/// Sum of the pinball losses on the logarithmic scale: a quiet hour counts as much as a burst.
fn loss(z: f64, quantiles: [f64; LEVELS.len()]) -> f64 {
    LEVELS.into_iter().zip(quantiles).map(|(level, quantile)| pinball(z, quantile, level)).sum()
}
