//! The distribution of the work in a table: the share of requests that a wait makes too late.

use homeostat_core::Span;

use crate::scenario::Duration;

/// Points of the table.
const POINTS: usize = 2_048;

/// P(work > x), and its integral, over x.
#[derive(Debug, Clone)]
pub(super) struct Work {
    mean_s: f64,
    step_s: f64,
    beyond: Vec<f64>,
    area_s: Vec<f64>,
}

impl Work {
    /// A table up to `most`, beyond which work is as rare as there.
    pub(super) fn new(duration: &Duration, most: Span) -> Self {
        let step_s = most.as_secs_f64() / POINTS as f64;
        let at = |i: usize| duration.beyond(Span::from_secs_f64(step_s * i as f64));
        let beyond: Vec<f64> = (0..=POINTS).map(at).collect();
        let mut area_s = vec![0.0];
        for pair in beyond.windows(2) {
            area_s.push(area_s[area_s.len() - 1] + 0.5 * (pair[0] + pair[1]) * step_s);
        }
        Self { mean_s: duration.mean().as_secs_f64(), step_s, beyond, area_s }
    }

    /// Mean work in seconds.
    pub(super) const fn mean_s(&self) -> f64 {
        self.mean_s
    }

    /// P(work > `x_s`).
    pub(super) fn beyond(&self, x_s: f64) -> f64 {
        if x_s <= 0.0 {
            return 1.0;
        }
        let at = (x_s / self.step_s).min((POINTS - 1) as f64 + 0.999_999);
        let i = at as usize;
        self.beyond[i] + (self.beyond[i + 1] - self.beyond[i]) * (at - i as f64)
    }

    /// ∫ P(work > x) dx up to `x_s`; the probability is one below zero.
    fn area(&self, x_s: f64) -> f64 {
        if x_s <= 0.0 {
            return x_s;
        }
        let at = (x_s / self.step_s).min(POINTS as f64);
        let i = (at as usize).min(POINTS - 1);
        self.area_s[i] + (self.area_s[i + 1] - self.area_s[i]) * (at - i as f64)
    }

    /// The share of requests for which a wait between `from_s` and `to_s`, each as likely, and the work
    /// take longer than `limit_s`.
    pub(super) fn late(&self, limit_s: f64, from_s: f64, to_s: f64) -> f64 {
        let width = to_s - from_s;
        if width.abs() < 2.0 * self.step_s {
            return self.beyond(limit_s - 0.5 * (from_s + to_s));
        }
        ((self.area(limit_s - from_s) - self.area(limit_s - to_s)) / width).clamp(0.0, 1.0)
    }
}
