//! Distributions of times in tables: the share of requests that a wait makes too late.
//!
//! That of the work tells who is late after a known wait. Behind a backlog a request also meets what no
//! balancer can even out, the queues of a steady state near saturation: then the times of such a state,
//! as the curve measured them, stand in place of the work.

use homeostat_core::Span;

use crate::curve::{Measured, ServiceCurve};
use crate::outcome::Histogram;
use crate::scenario::Duration;

/// Points of the table.
const POINTS: usize = 2_048;

/// P(time > x), and its integral, over x.
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
        Self::of(duration.mean().as_secs_f64(), step_s, (0..=POINTS).map(at).collect())
    }

    /// A table of the times measured at one point of a curve, over the same range; those that failed took
    /// longer than any other.
    fn measured(measured: &Measured, step_s: f64) -> Self {
        let failed = measured.failed as f64;
        let all = (measured.times.total() as f64 + failed).max(1.0);
        let mut beyond = vec![0.0; POINTS + 1];
        for (bucket, count) in measured.times.counts().iter().enumerate().filter(|(_, c)| **c > 0) {
            let at = Histogram::<7>::middle(bucket) as f64 / 1e9 / step_s;
            beyond[(at as usize).min(POINTS)] += f64::from(*count) / all;
        }
        let mut above = failed / all;
        for share in beyond.iter_mut().rev() {
            above += *share;
            *share = above;
        }
        Self::of(measured.mean_ns / 1e9, step_s, beyond)
    }

    fn of(mean_s: f64, step_s: f64, beyond: Vec<f64>) -> Self {
        let mut area_s = vec![0.0];
        for pair in beyond.windows(2) {
            area_s.push(area_s[area_s.len() - 1] + 0.5 * (pair[0] + pair[1]) * step_s);
        }
        Self { mean_s, step_s, beyond, area_s }
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

/// Times of steady states by point of the curve, tabled when first asked for.
#[derive(Debug, Clone)]
pub(super) struct Times(Vec<Option<Box<Work>>>);

impl Times {
    pub(super) fn new(points: usize) -> Self {
        Self(vec![None; points])
    }

    /// The times at a point, over the range of `work`.
    pub(super) fn at(&mut self, point: usize, curve: &ServiceCurve, work: &Work) -> &Work {
        self.0[point].get_or_insert_with(|| Box::new(Work::measured(&curve.grid()[point], work.step_s)))
    }
}
