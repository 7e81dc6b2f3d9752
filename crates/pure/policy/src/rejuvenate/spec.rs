//! Settings of `rejuvenate`.

use homeostat_core::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// Watches each replica's memory and replaces those that would reach the limit. All settings have defaults
/// that are meant to be left alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RejuvenateSpec {
    /// Memory limit of a replica in MiB; from the target when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_mib: Option<f64>,
    /// Share of the limit at which a replica without a known trend is replaced (0.95 by default).
    pub near_limit: f64,
    /// What a kill at the limit costs, in replica-hours (100 by default): the larger, the earlier.
    pub kill_cost: f64,
    /// Whether the new replica comes before the old one goes (true by default).
    pub surge: bool,
    /// Replicas that stay ready; from the target's least count when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ready: Option<u32>,
    /// Replacements per hour at most; as many as come one after the other when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_hour: Option<u32>,
    /// How long a start is expected to take until one has been seen (10 min by default).
    pub start_up: Span,
    /// By how much of the time that a replacement takes replicas act earlier, each by its own draw (0.5 by
    /// default).
    pub jitter: f64,
    /// Seed of those draws (0 by default).
    pub seed: u64,
    /// Whether load is regressed out of memory (true by default).
    pub regress_load: bool,
    /// Blocks that must agree before a trend counts as a leak; from the detector when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<u32>,
    /// Time between two decisions (1 min by default).
    pub period: Span,
}

impl Default for RejuvenateSpec {
    fn default() -> Self {
        Self {
            limit_mib: None,
            near_limit: 0.95,
            kill_cost: 100.0,
            surge: true,
            min_ready: None,
            per_hour: None,
            start_up: Span::from_secs(600),
            jitter: 0.5,
            seed: 0,
            regress_load: true,
            persistence: None,
            period: Span::MINUTE,
        }
    }
}

impl RejuvenateSpec {
    /// The limit in MiB: its own, or else that of the target.
    pub(super) fn limit(&self, target: Option<f64>) -> Result<f64, PolicyError> {
        match self.limit_mib.or(target) {
            Some(limit) if limit.is_finite() && limit > 0.0 => Ok(limit),
            Some(limit) => {
                let problem = format!("`{limit}`");
                Err(PolicyError::new("rejuvenate.limit_mib", problem, "a positive number of MiB", "4096"))
            }
            None => Err(PolicyError::new(
                "rejuvenate.limit_mib",
                "left out, and the target has no memory limit",
                "a limit here, or memory_limit_mib of the service",
                "4096",
            )),
        }
    }

    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let refuse = |field: &str, value: f64, expected: &str, example: &str| {
            Err(PolicyError::new(format!("rejuvenate.{field}"), format!("`{value}`"), expected, example))
        };
        if !(self.near_limit > 0.0 && self.near_limit <= 1.0) {
            return refuse("near_limit", self.near_limit, "a share above 0, up to 1", "0.95");
        }
        if !(self.kill_cost.is_finite() && self.kill_cost >= 0.0) {
            return refuse("kill_cost", self.kill_cost, "replica-hours, 0 or more", "100");
        }
        if !(self.jitter.is_finite() && self.jitter >= 0.0) {
            return refuse("jitter", self.jitter, "a share, 0 or more", "0.5");
        }
        if self.period.is_zero() {
            let problem = "is zero";
            return Err(PolicyError::new("rejuvenate.period", problem, "a positive time", "1m"));
        }
        Ok(())
    }
}
