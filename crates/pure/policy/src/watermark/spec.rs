//! Settings of the watermark policy.

use homeostat_core::{Need, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// Settings; names follow the source in our spelling, and so do the defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WatermarkSpec {
    /// The metrics; the largest recommendation holds.
    pub metrics: Vec<WatermarkMetric>,
    /// What a metric's values are compared as.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// Widens the space between the watermarks, as a share of each (0.1 is 10 %).
    #[serde(default = "tolerance")]
    pub tolerance: f64,
    /// At most so many per cent of the present count are added at once, but at least one; 0: none.
    #[serde(default = "up_limit")]
    pub scale_up_limit_percent: f64,
    /// At most so many per cent of the present count are removed at once, but at least one; 0: none.
    #[serde(default = "down_limit")]
    pub scale_down_limit_percent: f64,
    /// No growth for so long after the last change of either direction.
    #[serde(default = "up_window")]
    pub upscale_forbidden_window: Span,
    /// No shrinking for so long after the last change of either direction.
    #[serde(default = "down_window")]
    pub downscale_forbidden_window: Span,
    /// How long a value must have been above the high watermark before the count grows.
    #[serde(default)]
    pub upscale_delay: Span,
    /// How long a value must have been below the low watermark before the count shrinks.
    #[serde(default)]
    pub downscale_delay: Span,
    /// See the module's text: who counts as ready while starting.
    #[serde(default)]
    pub readiness_delay: Span,
    /// No action while fewer than so many per cent of the replicas are ready.
    #[serde(default)]
    pub min_available_percent: u32,
    /// Counts are rounded up to a multiple of this.
    #[serde(default = "one")]
    pub modulo: u32,
    /// Whether an external value of zero is believed.
    #[serde(default)]
    pub tolerate_zero: bool,
    /// Least count; from the target when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// Greatest count; from the target when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// What a metric's values are compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// The sum of the values as it is: for values that are averages already.
    #[default]
    Absolute,
    /// The sum divided by the number of ready replicas.
    Average,
}

/// One metric and its two watermarks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WatermarkMetric {
    /// Where the values come from.
    pub source: WatermarkSource,
    /// Above it the count grows; in the metric's unit.
    pub high: f64,
    /// Below it the count shrinks; in the metric's unit.
    pub low: f64,
}

/// Where a metric's values come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WatermarkSource {
    /// A resource of each replica: `cpu` (cores) or `memory` (bytes).
    Resource(String),
    /// A resource of each replica in per cent of its request: `cpu` or `memory`.
    Utilization(String),
    /// A named metric of each replica.
    Pods(String),
    /// A named metric of an object in front of the replicas.
    Object(String),
    /// A named metric from outside.
    External(String),
}

impl WatermarkSource {
    pub(super) fn need(&self) -> Need {
        match self {
            Self::Resource(name) | Self::Utilization(name) => Need::Resource(name.clone()),
            Self::Pods(name) => Need::Pods(name.clone()),
            Self::Object(name) => Need::Object(name.clone()),
            Self::External(name) => Need::External(name.clone()),
        }
    }

    pub(super) fn is_cpu(&self) -> bool {
        matches!(self, Self::Resource(name) | Self::Utilization(name) if name == "cpu")
    }
}

const METRIC: &str = "{ source: { utilization: cpu }, high: 70, low: 40 }";

fn not(value: f64) -> String {
    format!("`{value}` can't be used")
}

const fn tolerance() -> f64 {
    0.1
}

const fn up_limit() -> f64 {
    50.0
}

const fn down_limit() -> f64 {
    20.0
}

const fn up_window() -> Span {
    Span::MINUTE
}

const fn down_window() -> Span {
    Span::from_secs(300)
}

const fn one() -> u32 {
    1
}

impl WatermarkSpec {
    /// CPU utilisation between `low` and `high` per cent of the request, averaged over the replicas.
    pub fn cpu(low: f64, high: f64) -> Self {
        let source = WatermarkSource::Utilization("cpu".to_owned());
        Self {
            metrics: vec![WatermarkMetric { source, high, low }],
            algorithm: Algorithm::Average,
            tolerance: tolerance(),
            scale_up_limit_percent: up_limit(),
            scale_down_limit_percent: down_limit(),
            upscale_forbidden_window: up_window(),
            downscale_forbidden_window: down_window(),
            upscale_delay: Span::ZERO,
            downscale_delay: Span::ZERO,
            readiness_delay: Span::ZERO,
            min_available_percent: 0,
            modulo: one(),
            tolerate_zero: false,
            min: None,
            max: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let refuse = |field: &str, found: String, expected: &str, example: &str| {
            Err(PolicyError::new(format!("watermark.{field}"), found, expected, example))
        };
        if self.metrics.is_empty() {
            return refuse("metrics", "there is none".to_owned(), "one metric or more", METRIC);
        }
        for (index, metric) in self.metrics.iter().enumerate() {
            if !(metric.low > 0.0 && metric.low <= metric.high && metric.high.is_finite()) {
                return refuse(
                    &format!("metrics[{index}]"),
                    format!("low is {}, high is {}", metric.low, metric.high),
                    "0 < low <= high",
                    METRIC,
                );
            }
        }
        if !(0.0..=1.0).contains(&self.tolerance) {
            return refuse("tolerance", not(self.tolerance), "a share from 0 to 1", "0.1");
        }
        if !(self.scale_up_limit_percent >= 0.0 && self.scale_up_limit_percent.is_finite()) {
            return refuse("scale_up_limit_percent", not(self.scale_up_limit_percent), "0 or more", "50");
        }
        if !(0.0..100.0).contains(&self.scale_down_limit_percent) {
            return refuse(
                "scale_down_limit_percent",
                not(self.scale_down_limit_percent),
                "0 to less than 100",
                "20",
            );
        }
        if self.modulo == 0 {
            return refuse("modulo", not(0.0), "1 or more", "1");
        }
        if self.min_available_percent > 100 {
            return refuse(
                "min_available_percent",
                not(f64::from(self.min_available_percent)),
                "0 to 100",
                "50",
            );
        }
        Ok(())
    }
}
