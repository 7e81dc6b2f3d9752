//! Which of two forecasts had the lower pinball loss of late.

use std::collections::VecDeque;

use super::LEVELS;
use crate::score::pinball;

/// Ratings after which a loss counts 1/e, and the least.
const MEMORY: f64 = 10_000.0;
const LEAST: f64 = 300.0;
/// Analogs are used where their loss is below this share of the other's, and given up above the second.
const BETTER: (f64, f64) = (0.97, 1.02);

/// Losses of both.
#[derive(Debug, Clone)]
pub(super) struct Rating {
    knots: Vec<usize>,
    pending: VecDeque<Said>,
    losses: [f64; 2],
    count: f64,
    better: bool,
}

/// What both said of a step.
#[derive(Debug, Clone, Copy)]
struct Said {
    step: u64,
    ours: [f64; LEVELS.len()],
    others: [f64; LEVELS.len()],
}

impl Rating {
    pub(super) fn new(knots: &[usize]) -> Self {
        Self { knots: knots.to_vec(), pending: VecDeque::new(), losses: [0.0; 2], count: 0.0, better: false }
    }

    /// Distances at which they are compared: those within a period.
    pub(super) fn knots(&self, period: usize) -> Vec<usize> {
        self.knots.iter().copied().filter(|knot| *knot < period).collect()
    }

    pub(super) fn furthest(&self, period: usize) -> usize {
        self.knots(period).last().copied().unwrap_or(1)
    }

    /// At step `now` both said this of the step `ahead` after it.
    pub(super) fn said(
        &mut self,
        now: u64,
        ahead: usize,
        ours: [f64; LEVELS.len()],
        others: [f64; LEVELS.len()],
    ) {
        let said = Said { step: now + ahead as u64, ours, others };
        let place = self.pending.partition_point(|other| other.step <= said.step);
        self.pending.insert(place, said);
    }

    /// The value of step `step` (numbered from 1 as in [`Self::said`]).
    pub(super) fn came(&mut self, z: Option<f64>, before: u64) {
        while self.pending.front().is_some_and(|said| said.step <= before + 1) {
            let Some(said) = self.pending.pop_front() else { break };
            let Some(z) = z.filter(|_| said.step == before + 1) else { continue };
            self.count += 1.0;
            let weight = (1.0 / MEMORY).max(1.0 / self.count);
            for (loss, quantiles) in self.losses.iter_mut().zip([said.ours, said.others]) {
                *loss += weight * (self::loss(z, quantiles) - *loss);
            }
        }
        let bar = if self.better { BETTER.1 } else { BETTER.0 };
        self.better = self.count >= LEAST && self.losses[0] < bar * self.losses[1];
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
