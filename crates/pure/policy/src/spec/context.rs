//! What a policy is told of its target when it is built.

use std::sync::Arc;

use homeostat_core::policy::Sensing;
use homeostat_core::{Instant, Span};
use homeostat_forecast::Series;

use crate::error::PolicyError;
use crate::fixed::{Fixed, FixedSpec};
use crate::hpa::PodTemplate;
use crate::kpa::KpaSpec;

/// What was promised to the clients of a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promise {
    /// A request within this time meets the objective.
    pub latency: Span,
    /// Share of requests that must meet it.
    pub attainment: f64,
}

/// How replicas of a target serve: what a calibration of the service tells.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceModel {
    /// Mean work of a request, alone on a replica.
    pub work: Span,
    /// Coefficient of variation of the work.
    pub work_cv: f64,
    /// Share of requests whose work alone is more than k / n of the objective's latency, for k = 0 … n.
    pub beyond: Vec<f64>,
    /// Requests served at the same time at full speed, so that slots / work is the capacity in requests per
    /// second. Not a whole number where requests slow each other down.
    pub slots: f64,
    /// Time from order to readiness within which 95 % of the starts that don't fail are done.
    pub start_up: Span,
}

/// What a policy is told of its target when it is built.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildContext {
    /// What the containers of a replica request.
    pub template: PodTemplate,
    /// Least count of the target.
    pub min: u32,
    /// Greatest count of the target.
    pub max: u32,
    /// Requests per second that one replica can serve.
    pub capacity_per_replica: f64,
    /// Memory at which a replica is killed, in MiB; `None` where it never is.
    pub memory_limit_mib: Option<f64>,
    /// Highest rate to expect in requests per second, for policies that are sized for the peak.
    pub peak_rate: f64,
    /// When the policy begins.
    pub start: Instant,
    /// Rates in requests per second before `start`, where a record of them exists and the policy asked for
    /// it with [`super::PolicySpec::history_step`].
    pub history: Option<Arc<Series>>,
    /// What was promised, where it is known.
    pub promise: Option<Promise>,
    /// How replicas serve, where it is known.
    pub service: Option<ServiceModel>,
    /// The metrics pipeline, where it is known.
    pub metrics: Option<Sensing>,
}

impl Default for BuildContext {
    /// A target of one to ten replicas that is otherwise unknown.
    fn default() -> Self {
        Self {
            template: PodTemplate::single(1_000, 1_073_741_824_000),
            min: 1,
            max: 10,
            capacity_per_replica: 0.0,
            memory_limit_mib: None,
            peak_rate: 0.0,
            start: Instant::ZERO,
            history: None,
            promise: None,
            service: None,
            metrics: None,
        }
    }
}

impl BuildContext {
    /// A fixed count: the given one, or what the peak rate needs within the target's bounds.
    pub(super) fn fixed(&self, spec: &FixedSpec) -> Result<Fixed, PolicyError> {
        if let Some(replicas) = spec.replicas {
            return Ok(Fixed::new(replicas));
        }
        let capacity = self.capacity("static.replicas")?;
        let rate = self.peak_rate * (1.0 + spec.headroom.unwrap_or(0.0));
        if !(rate.is_finite() && rate >= 0.0) {
            let problem = format!("left out, and the peak rate is {rate} requests per second");
            return Err(PolicyError::new("static.replicas", problem, "a count", "10"));
        }
        let count = (rate / capacity).ceil() as u32;
        Ok(Fixed::new(count.max(self.min).min(self.max)))
    }

    /// `policy` after it has seen the rates before the run, where there are any.
    pub(super) fn warmed<P>(&self, policy: P, warm: impl Fn(P, &Series) -> P) -> P {
        match &self.history {
            Some(history) => warm(policy, history),
            None => policy,
        }
    }

    /// `spec` within the target's bounds.
    pub(super) fn kpa(&self, spec: &KpaSpec) -> KpaSpec {
        let mut spec = spec.clone();
        let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        spec.min_scale = spec.min_scale.max(count(self.min));
        if spec.max_scale == 0 {
            spec.max_scale = count(self.max).max(spec.min_scale);
        }
        spec
    }

    /// The capacity of a replica; needed by the setting at `path`.
    pub(crate) fn capacity(&self, path: &str) -> Result<f64, PolicyError> {
        let capacity = self.capacity_per_replica;
        if capacity.is_finite() && capacity > 0.0 {
            return Ok(capacity);
        }
        let problem =
            format!("depends on the capacity of a replica, which is {capacity} requests per second");
        Err(PolicyError::new(path, problem, "a target whose capacity is known", "20"))
    }
}
