//! The predictive horizontal pod autoscaler: the autoscaler's count beside forecasts of that count.
//!
//! Source: `jthomperoo/predictive-horizontal-pod-autoscaler`, read: the reconciler,
//! `internal/prediction/{linear,holtwinters}`, `internal/scalebehavior`, `algorithms/*.py`, to the last
//! versions of 2023. From there:
//!
//! - at every sync (15 s) the autoscaler's count is computed from the metrics alone, without its memory; each
//!   model remembers it and, every `per_sync_period`-th time, proposes a count of its own;
//! - the decision is the maximum, minimum, mean or median of all these; then come the down-scale
//!   stabilisation (5 min), at most twice as many or four, and the bounds;
//! - a line is read `look_ahead` from now; Holt-Winters gives the next sync's count, and zero (which counts
//!   as a proposal) while it has too few values;
//! - a failure to compute the count, and there is no decision and nothing is remembered.
//!
//! The autoscaler is our exact one with upstream's 30 s for CPU values of starting pods. What differs:
//! upstream prunes its history newest first and appends at the end, so that from the second decision on
//! Holt-Winters gets a series that runs backwards; here time runs forwards, as the documentation means it. A
//! line doesn't care. Models find their history filled with the counts that the rates before the run would
//! have asked for; upstream's survives in a `ConfigMap`. Hooks that fetch alpha, beta and gamma while running
//! are outside programs: the three are fixed. Damped trends, given beginnings and `startInterval` are left
//! out; estimated beginnings are those of additive forms.

mod holt_winters;
mod linear;
mod spec;

pub use spec::{Decision, Form, HoltWintersSpec, Initial, LinearSpec, ModelSpec, PhpaSpec};

use std::collections::VecDeque;

use homeostat_core::{Cadence, Instant, Need, Observation, Plan, Policy, Reason, Rule, Span};
use homeostat_forecast::Series;

use crate::error::PolicyError;
use crate::hpa::{ControllerFlags, Hpa};
use crate::spec::{BuildContext, HpaForm};

/// Upstream's CPU initialisation period.
const CPU_INITIALIZATION: Span = Span::from_secs(30);
/// How far a line looks ahead where neither settings nor target say.
const LOOK_AHEAD: Span = Span::MINUTE;

/// The policy with its state.
#[derive(Debug, Clone)]
pub struct Phpa {
    hpa: Hpa,
    period: Span,
    decision: Decision,
    models: Vec<Model>,
}

/// One model and what it remembers.
#[derive(Debug, Clone)]
struct Model {
    kind: Kind,
    per_sync: u32,
    passed: u32,
    history: VecDeque<(Instant, i32)>,
}

#[derive(Debug, Clone)]
enum Kind {
    Linear { size: usize, ahead: Span },
    HoltWinters(HoltWintersSpec),
}

impl Phpa {
    /// Builds the policy; where the rates before the run are known, the models begin with their counts.
    pub fn new(spec: &PhpaSpec, context: &BuildContext) -> Result<Self, PolicyError> {
        spec.check()?;
        let stock = ControllerFlags::default();
        let flags = ControllerFlags {
            sync_period: spec.hpa.sync_period.unwrap_or(stock.sync_period),
            downscale_stabilization: spec.hpa.scale_down_window.unwrap_or(stock.downscale_stabilization),
            tolerance: spec.hpa.tolerance.unwrap_or(stock.tolerance),
            cpu_initialization_period: CPU_INITIALIZATION,
            ..stock
        };
        let bare = HpaForm { tolerance: None, scale_down_window: None, ..spec.hpa.clone() };
        let hpa = Hpa::new(&bare.manifest(context)?, &context.template, flags)?;
        let ahead = context.service.as_ref().map_or(LOOK_AHEAD, |service| service.start_up);
        let mut models: Vec<Model> = spec.models.iter().map(|model| Model::new(model, ahead)).collect();
        if let Some(history) = &context.history {
            for model in &mut models {
                model.fill(history, flags.sync_period, context.start, |rate| {
                    counted(&spec.hpa, context, rate)
                });
            }
        }
        Ok(Self { hpa, period: flags.sync_period, decision: spec.decision, models })
    }
}

impl Policy for Phpa {
    fn needs(&self) -> &[Need] {
        self.hpa.needs()
    }

    fn cadence(&self) -> Cadence {
        Cadence::every(self.period)
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        let mut reasons = Vec::new();
        let Some(count) = self.hpa.calculated(observation, &mut reasons) else {
            return Plan { replicas: observation.desired, reasons, ..Plan::default() };
        };
        let mut proposals = vec![count];
        for model in &mut self.models {
            if let Some(predicted) = model.sync(observation.at, count) {
                let mut reason = Reason::of(Rule::ForecastCount, u32::try_from(predicted).unwrap_or(0));
                reason.observed_milli = i64::from(count) * 1_000;
                reason.reference_milli = i64::from(predicted) * 1_000;
                reasons.push(reason);
                proposals.push(predicted);
            }
        }
        let decided = decide(self.decision, &mut proposals);
        let replicas = self.hpa.paced(observation, decided, &mut reasons);
        Plan { replicas, reasons, ..Plan::default() }
    }
}

impl Model {
    fn new(spec: &ModelSpec, start_up: Span) -> Self {
        let kind = match (&spec.linear, &spec.holt_winters) {
            (_, Some(winters)) => Kind::HoltWinters(winters.clone()),
            (linear, None) => Kind::Linear {
                size: linear.as_ref().map_or(1, |linear| linear.history_size),
                ahead: linear.as_ref().and_then(|linear| linear.look_ahead).unwrap_or(start_up),
            },
        };
        Self { kind, per_sync: spec.per_sync_period, passed: 1, history: VecDeque::new() }
    }

    /// Remembers the autoscaler's count and, where it is due, proposes one.
    fn sync(&mut self, at: Instant, count: i32) -> Option<i32> {
        self.history.push_back((at, count));
        let due = self.passed >= self.per_sync;
        self.passed = if due { 1 } else { self.passed + 1 };
        let proposal = due.then(|| self.predict(at));
        self.prune();
        proposal
    }

    fn predict(&mut self, now: Instant) -> i32 {
        match &self.kind {
            Kind::Linear { ahead, .. } => linear::predict(self.history.make_contiguous(), now, *ahead),
            Kind::HoltWinters(spec) if self.history.len() < holt_winters::least(spec.seasonal_periods) => 0,
            Kind::HoltWinters(spec) => {
                let values: Vec<f64> = self.history.iter().map(|(_, count)| f64::from(*count)).collect();
                (holt_winters::predict(spec, &values) - 1e-9).ceil() as i32
            }
        }
    }

    /// Forgets what is more than is to be kept: whole seasons, so that they stay in step.
    fn prune(&mut self) {
        let surplus = match &self.kind {
            Kind::Linear { size, .. } => self.history.len().saturating_sub(*size),
            Kind::HoltWinters(spec) => {
                let seasons = self.history.len() / spec.seasonal_periods;
                seasons.saturating_sub(spec.stored_seasons) * spec.seasonal_periods
            }
        };
        self.history.drain(..surplus);
    }

    /// Fills the memory from rates before `start`, as if the autoscaler had counted every `period`.
    fn fill(&mut self, past: &Series, period: Span, start: Instant, count: impl Fn(f64) -> Option<i32>) {
        let kept = match &self.kind {
            Kind::Linear { size, .. } => *size,
            Kind::HoltWinters(spec) => spec.seasonal_periods * spec.stored_seasons,
        };
        let mut last = None;
        for back in (1..=kept as u64).rev() {
            let at = start.back(period * back);
            let index = (at.since(past.start).0 / past.step.0.max(1)) as usize;
            let value = (at >= past.start).then(|| past.values.get(index)).flatten();
            last = value.and_then(|value| count(value.known()?)).or(last);
            if let Some(count) = last {
                self.history.push_back((at, count));
            }
        }
    }
}

/// One count of several, as the decision type says.
fn decide(decision: Decision, proposals: &mut [i32]) -> i32 {
    proposals.sort_unstable();
    let n = proposals.len();
    match decision {
        Decision::Maximum => proposals[n - 1],
        Decision::Minimum => proposals[0],
        Decision::Mean => {
            let sum: i64 = proposals.iter().map(|count| i64::from(*count)).sum();
            if sum <= 0 { 0 } else { (sum as f64 / n as f64).round() as i32 }
        }
        Decision::Median if n.is_multiple_of(2) => i32::midpoint(proposals[n / 2 - 1], proposals[n / 2]),
        Decision::Median => proposals[n / 2],
    }
}

/// What the autoscaler's targets ask for at this rate, where they follow from it.
fn counted(form: &HpaForm, context: &BuildContext, rate: f64) -> Option<i32> {
    let capacity = context.capacity_per_replica;
    let share = |percent: f64| rate / (capacity * percent / 100.0);
    let inside = |each: f64| Some(rate * context.service.as_ref()?.work.as_secs_f64() / each);
    let wanted = [
        form.cpu_percent.map(|percent| share(f64::from(percent))),
        form.capacity_percent.map(share),
        form.requests_per_second.map(|each| rate / each),
        form.concurrency.and_then(inside),
    ];
    let most = wanted.into_iter().flatten().fold(f64::NAN, f64::max);
    most.is_finite().then(|| (most - 1e-9).ceil().max(1.0) as i32)
}

#[cfg(test)]
mod tests;
