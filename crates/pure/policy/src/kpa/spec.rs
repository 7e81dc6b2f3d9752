//! Settings of the Knative autoscaler under the names of `autoscaling.knative.dev`, with its defaults.
//!
//! Source: `pkg/apis/autoscaling/register.go`, `pkg/autoscaler/config/config.go` and
//! `pkg/reconciler/autoscaling/resources/{target,metric}.go`.

use homeostat_core::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// The metric that is scaled on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KpaMetric {
    /// Requests in flight.
    #[default]
    Concurrency,
    /// Requests per second.
    Rps,
}

/// All settings. Annotations of a revision and settings of the cluster stand side by side, since there
/// is one revision only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct KpaSpec {
    /// What is scaled on.
    pub metric: KpaMetric,
    /// Requests that one replica takes at a time; 0 for no limit (100 is aimed at then).
    pub container_concurrency: u32,
    /// What one replica should carry, before utilisation; at least 0.01.
    pub target: Option<f64>,
    /// Per cent of the target that is aimed at, above 0 and up to 100.
    pub target_utilization_percentage: f64,
    /// Window of the steady decision, 6 s to 1 h in whole seconds.
    #[serde(alias = "window")]
    pub stable_window: Span,
    /// Length of the panic window in per cent of the stable one, 1 to 100.
    pub panic_window_percentage: f64,
    /// Per cent of the ready replicas at which panic starts, 110 to 1000.
    pub panic_threshold_percentage: f64,
    /// Largest factor of growth per decision, above 1.
    pub max_scale_up_rate: f64,
    /// Largest factor of shrinking per decision, above 1.
    pub max_scale_down_rate: f64,
    /// Requests to be taken in a burst without the activator; -1 for no limit, 0 for no activator.
    pub target_burst_capacity: f64,
    /// Time that a lower count must hold before it counts, in whole seconds.
    pub scale_down_delay: Span,
    /// Least time in front of which the activator must stand before the last replica goes.
    pub scale_to_zero_grace_period: Span,
    /// Least time that the last replica stays without traffic.
    pub scale_to_zero_pod_retention_period: Span,
    /// Least count.
    pub min_scale: i32,
    /// Greatest count; 0 for none.
    pub max_scale: i32,
    /// Least count other than zero; below 2 it has no effect.
    pub activation_scale: i32,
    /// Count to be reached once after creation.
    pub initial_scale: i32,
    /// Whether the count may go to zero.
    pub enable_scale_to_zero: bool,
    /// Time for the first replicas to become ready.
    pub progress_deadline: Span,
}

impl Default for KpaSpec {
    fn default() -> Self {
        Self {
            metric: KpaMetric::Concurrency,
            container_concurrency: 0,
            target: None,
            target_utilization_percentage: 70.0,
            stable_window: Span::MINUTE,
            panic_window_percentage: 10.0,
            panic_threshold_percentage: 200.0,
            max_scale_up_rate: 1000.0,
            max_scale_down_rate: 2.0,
            target_burst_capacity: 211.0,
            scale_down_delay: Span::ZERO,
            scale_to_zero_grace_period: Span::from_secs(30),
            scale_to_zero_pod_retention_period: Span::ZERO,
            min_scale: 0,
            max_scale: 0,
            activation_scale: 1,
            initial_scale: 1,
            enable_scale_to_zero: true,
            progress_deadline: Span::from_secs(600),
        }
    }
}

impl KpaSpec {
    /// What one replica can carry, and what it should carry.
    pub(super) fn capacity(&self) -> (f64, f64) {
        let limit = f64::from(self.container_concurrency);
        let limited = self.metric == KpaMetric::Concurrency && self.container_concurrency != 0;
        let total = match (self.metric, self.target) {
            (_, Some(target)) if limited => target.min(limit),
            (_, Some(target)) => target,
            (KpaMetric::Rps, None) => 200.0,
            (KpaMetric::Concurrency, None) if limited => limit,
            (KpaMetric::Concurrency, None) => 100.0,
        };
        let aimed = total * (self.target_utilization_percentage / 100.0);
        (total, aimed.max(0.01))
    }

    /// The panic window, rounded to the second, at least one.
    pub(super) fn panic_window(&self) -> Span {
        let exact = (self.stable_window.0 as f64 * self.panic_window_percentage / 100.0) as u64;
        let seconds = (exact + Span::SECOND.0 / 2) / Span::SECOND.0;
        Span::from_secs(seconds.max(1))
    }

    /// Checks what upstream's admission and configuration check.
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let whole = |span: Span| span.0.is_multiple_of(Span::SECOND.0);
        let stable = self.stable_window;
        let long = stable >= Span::from_secs(6) && stable <= Span::HOUR && whole(stable);
        let burst = self.target_burst_capacity;
        let percent = self.target_utilization_percentage;
        let checks = [
            ("target", self.target.is_none_or(|t| t >= 0.01), "0.01 or more", "100"),
            ("target-utilization-percentage", percent > 0.0 && percent <= 100.0, "above 0, up to 100", "70"),
            ("stable-window", long, "6 s to 1 h in whole seconds", "60s"),
            ("panic-window-percentage", within(self.panic_window_percentage, 1.0, 100.0), "1 to 100", "10"),
            (
                "panic-threshold-percentage",
                within(self.panic_threshold_percentage, 110.0, 1000.0),
                "110 to 1000",
                "200",
            ),
            ("max-scale-up-rate", self.max_scale_up_rate > 1.0, "above 1", "1000"),
            ("max-scale-down-rate", self.max_scale_down_rate > 1.0, "above 1", "2"),
            ("target-burst-capacity", burst >= 0.0 || burst == -1.0, "-1, 0 or more", "211"),
            ("scale-down-delay", whole(self.scale_down_delay), "whole seconds", "0s"),
            (
                "scale-to-zero-grace-period",
                !self.scale_to_zero_grace_period.is_zero(),
                "more than no time",
                "30s",
            ),
            ("min-scale", self.min_scale >= 0, "0 or more", "0"),
            (
                "max-scale",
                self.max_scale == 0 || self.max_scale >= self.min_scale,
                "0, or at least min-scale",
                "10",
            ),
            ("activation-scale", self.activation_scale >= 1, "1 or more", "2"),
            ("initial-scale", self.initial_scale >= 1, "1 or more", "1"),
        ];
        match checks.into_iter().find(|(_, passed, _, _)| !passed) {
            None => Ok(()),
            Some((field, _, expected, example)) => {
                let example = format!("{field}: {example}");
                Err(PolicyError::new(field, "out of range", expected, example))
            }
        }
    }
}

fn within(value: f64, low: f64, high: f64) -> bool {
    (low..=high).contains(&value)
}
