//! Slow feedback: an error budget, as site reliability engineers keep it.
//!
//! The objective allots a late share to every moment. What was not spent of late is left for the windows to
//! come, and what was spent too much is missing there. The share that a window may have follows it, as
//! the on-line quantile tracking of conformal prediction does (Gibbs and Candès, 2021). What is seen is the
//! queue at each scrape: those who come now wait for it.
//!
//! A surprise that lasts is answered at once: while requests are late the forecast's spread above its middle
//! widens, since its tails have just proved too thin, and for an hour or so after that.

use homeostat_core::{Span, num};

/// How long lateness and its absence count.
const MEMORY: Span = Span::DAY;
/// The budget left, in allotments of [`MEMORY`]: nothing late for days, and four times too much.
const LEFT: (f64, f64) = (-3.0, 1.0);

/// What the margin gains in a minute in which all are late, and how long it lasts.
const ALARM: (f64, Span) = (0.04, Span::HOUR);
/// The largest margin, and how it divides: on the distance above the middle, and on all.
const MARGIN: f64 = 0.3;
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
    margin: f64,
}

impl Feedback {
    pub(super) const fn new(on: bool, gain: f64, budget: f64) -> Self {
        Self { on, gain, budget, left: 0.0, margin: 0.0 }
    }

    /// This share was late for `time`.
    pub(super) fn saw(&mut self, late: f64, time: Span) {
        let passed = time.as_secs_f64() / MEMORY.as_secs_f64();
        let surplus = 1.0 - late / self.budget.max(1e-12);
        self.left = (self.left * num::exp(-passed) + surplus * passed).clamp(LEFT.0, LEFT.1);
        let minutes = (time.as_secs_f64() / 60.0).min(5.0);
        let kept = self.margin * num::exp(-time.as_secs_f64() / ALARM.1.as_secs_f64());
        self.margin = (kept + ALARM.0 * (late - self.budget).max(0.0) * minutes).min(MARGIN);
    }

    /// What the forecast is corrected by.
    pub(super) fn correction(&self) -> Correction {
        let margin = if self.on { self.margin } else { 0.0 };
        Correction { spread: 1.0 + margin * SPREAD, level: 1.0 + margin * LEVEL }
    }

    /// Multiplies the late share that a window may have.
    pub(super) fn factor(&self) -> f64 {
        if self.on { num::exp(self.gain * self.left) } else { 1.0 }
    }
}
