//! Slow feedback: an error budget, as site reliability engineers keep it.
//!
//! The objective allots a late share to every moment. What was not spent of late is left for the windows to
//! come, and what was spent too much is missing there. The share that a window may have follows it, as
//! the on-line quantile tracking of conformal prediction does (Gibbs and Candès, 2021). What is seen is the
//! queue at each scrape: those who come now wait for it.

use homeostat_core::{Span, num};

/// How long lateness and its absence count.
const MEMORY: Span = Span::DAY;
/// The budget left, in allotments of [`MEMORY`]: nothing late for days, and four times too much.
const LEFT: (f64, f64) = (-3.0, 1.0);

/// What is left of the objective's budget.
#[derive(Debug, Clone)]
pub(super) struct Feedback {
    on: bool,
    /// What the logarithm of the permitted share gains while an allotment is left.
    gain: f64,
    /// Late share that the objective permits.
    budget: f64,
    /// Budget left, in allotments of [`MEMORY`], forgotten slowly.
    left: f64,
}

impl Feedback {
    pub(super) const fn new(on: bool, gain: f64, budget: f64) -> Self {
        Self { on, gain, budget, left: 0.0 }
    }

    /// This share was late for `time`.
    pub(super) fn saw(&mut self, late: f64, time: Span) {
        let passed = time.as_secs_f64() / MEMORY.as_secs_f64();
        let surplus = 1.0 - late / self.budget.max(1e-12);
        self.left = (self.left * num::exp(-passed) + surplus * passed).clamp(LEFT.0, LEFT.1);
    }

    /// Multiplies the late share that a window may have.
    pub(super) fn factor(&self) -> f64 {
        if self.on { num::exp(self.gain * self.left) } else { 1.0 }
    }
}
