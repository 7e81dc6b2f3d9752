//! Slow feedback: the late share seen corrects what the model and the forecast leave out.
//!
//! An integral controller on a margin over the forecast's middle, most of it as a multiple of the forecast's
//! own
//! uncertainty: it rises with every late request and falls
//! with the objective's budget (as the
//! on-line quantile tracking of conformal prediction does: Gibbs and Candès, 2021). What is seen is the queue
//! at each scrape: those who come now wait for it.

use homeostat_core::{Span, num};

/// Bounds of the margin. It never narrows a forecast: spending a budget on purpose cost attainment and saved
/// nothing on the World Cup and mongo-01.
const MARGIN: (f64, f64) = (0.0, 0.30);
/// How long lateness counts against the budget.
const MEMORY: Span = Span::from_secs(6 * 3_600);
/// The remaining budget as a multiple of the plain one.
const REMAINING: (f64, f64) = (0.25, 1.0);

/// How the margin divides.
const SPREAD: f64 = 4.0;
const LEVEL: f64 = 0.25;

/// Factors on a forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Correction {
    /// On the distance above the middle.
    pub(super) spread: f64,
    /// On all.
    pub(super) level: f64,
}

/// What was seen of the objective.
#[derive(Debug, Clone)]
pub(super) struct Feedback {
    on: bool,
    /// What the margin gains during a minute in which all are late.
    gain: f64,
    /// Late share that the objective permits.
    budget: f64,
    margin: f64,
    /// Late share of late, forgotten slowly.
    spent: f64,
}

impl Feedback {
    pub(super) const fn new(on: bool, gain: f64, budget: f64) -> Self {
        Self { on, gain, budget, margin: 0.0, spent: 0.0 }
    }

    /// This share was late for `time`.
    pub(super) fn saw(&mut self, late: f64, time: Span) {
        if !self.on {
            return;
        }
        let minutes = (time.as_secs_f64() / 60.0).min(5.0);
        self.margin = (self.margin + self.gain * (late - self.budget) * minutes).clamp(MARGIN.0, MARGIN.1);
        let keep = num::exp(-time.as_secs_f64() / MEMORY.as_secs_f64());
        self.spent = self.spent * keep + late * (1.0 - keep);
    }

    /// What the forecast is corrected by.
    pub(super) fn correction(&self) -> Correction {
        Correction { spread: 1.0 + self.margin * SPREAD, level: 1.0 + self.margin * LEVEL }
    }

    /// What is left of the budget, as a multiple of it.
    pub(super) fn remaining(&self) -> f64 {
        if !self.on {
            return 1.0;
        }
        (2.0 - self.spent / self.budget.max(1e-12)).clamp(REMAINING.0, REMAINING.1)
    }
}
