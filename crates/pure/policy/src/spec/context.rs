//! What a policy is told of its target when it is built.

use homeostat_core::Instant;

use crate::error::PolicyError;
use crate::fixed::{Fixed, FixedSpec};
use crate::hpa::PodTemplate;
use crate::kpa::KpaSpec;

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
    pub(super) fn capacity(&self, path: &str) -> Result<f64, PolicyError> {
        let capacity = self.capacity_per_replica;
        if capacity.is_finite() && capacity > 0.0 {
            return Ok(capacity);
        }
        let problem =
            format!("depends on the capacity of a replica, which is {capacity} requests per second");
        Err(PolicyError::new(path, problem, "a target whose capacity is known", "20"))
    }
}
