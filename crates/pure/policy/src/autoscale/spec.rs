//! Settings of the paper's policies.

use std::fmt::Display;

use homeostat_core::Span;
use homeostat_core::policy::Sensing;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// Which of the paper's policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// Enough replicas for the peak, always.
    AlwaysOn,
    /// Enough replicas for the rate of now.
    Reactive,
    /// Enough replicas for the rate that a moving average predicts.
    PredictiveMwa,
    /// Enough replicas for the rate that a straight line predicts.
    PredictiveLr,
    /// Up at once, down by idle timers.
    #[serde(rename = "autoscale--")]
    AutoscaleMinus,
    /// As `autoscale--`, and up when too many requests are in the system.
    Autoscale,
}

/// Settings; the defaults are the paper's where it has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoscaleSpec {
    /// Which of the policies.
    pub variant: Variant,
    /// Requests per second that one replica can serve; from the target when left out (paper: 60).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<f64>,
    /// Share of the target's capacity that a replica is given, in per cent, where `capacity` is left out.
    /// The paper's capacity is the rate at which a server still meets the objective, which is less than
    /// what it can serve when it is never idle. Default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_percent: Option<f64>,
    /// `always-on`: the peak rate in requests per second; from the scenario when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_rate: Option<f64>,
    /// How far ahead the predictors look: the time that a replica needs to start.
    #[serde(default = "setup")]
    pub setup: Span,
    /// How long a replica must have been idle before it is retired (`t_wait`).
    #[serde(default = "idle_timeout")]
    pub idle_timeout: Span,
    /// Length of the predictors' window.
    #[serde(default = "window")]
    pub window: Span,
    /// `autoscale`: requests in the system per replica beyond which capacity is added.
    #[serde(default = "packing")]
    pub packing: u32,
    /// Time between two decisions.
    #[serde(default = "period")]
    pub period: Span,
    /// A collector of its own, as the paper's balancer has; the world's metrics pipeline when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_metrics: Option<SensingSpec>,
}

/// How a policy's own collector works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SensingSpec {
    /// Time between two collections.
    pub scrape: Span,
    /// Length of time that one value covers.
    pub window: Span,
    /// Time from collection until the policy can read the value.
    pub delay: Span,
}

impl From<SensingSpec> for Sensing {
    fn from(spec: SensingSpec) -> Self {
        Self { scrape: spec.scrape, window: spec.window, delay: spec.delay }
    }
}

const fn setup() -> Span {
    Span::from_secs(260)
}

const fn idle_timeout() -> Span {
    Span::from_secs(120)
}

const fn window() -> Span {
    Span::from_secs(240)
}

const fn packing() -> u32 {
    10
}

const fn period() -> Span {
    Span::from_secs(15)
}

impl AutoscaleSpec {
    /// A variant with the default settings.
    pub const fn of(variant: Variant) -> Self {
        Self {
            variant,
            capacity: None,
            capacity_percent: None,
            peak_rate: None,
            setup: setup(),
            idle_timeout: idle_timeout(),
            window: window(),
            packing: packing(),
            period: period(),
            own_metrics: None,
        }
    }

    pub(super) fn check(&self, capacity: f64, peak_rate: f64) -> Result<(), PolicyError> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let refuse = |field: &str, found: &dyn Display, expected: &str, example: &str| {
            let problem = format!("`{found}` can't be used");
            Err(PolicyError::new(format!("autoscale.{field}"), problem, expected, example))
        };
        if !positive(capacity) {
            return refuse("capacity", &capacity, "requests per second and replica, more than 0", "60");
        }
        if self.variant == Variant::AlwaysOn && !(peak_rate.is_finite() && peak_rate >= 0.0) {
            return refuse("peak_rate", &peak_rate, "requests per second, 0 or more", "800");
        }
        if self.period.is_zero() {
            return refuse("period", &self.period, "a length of time, more than 0s", "15s");
        }
        if self.packing == 0 {
            return refuse("packing", &0, "requests per replica, 1 or more", "10");
        }
        Ok(())
    }
}
