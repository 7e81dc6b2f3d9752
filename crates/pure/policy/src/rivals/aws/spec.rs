//! Settings of predictive scaling by the hour.

use homeostat_core::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// Whether the forecast acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The larger of forecast and target tracking. Upstream's default is the other one.
    #[default]
    ForecastAndScale,
    /// Target tracking alone.
    ForecastOnly,
}

/// Settings; upstream's defaults where it has one, except the mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AwsPredictiveSpec {
    /// Requests per second that a replica should get; from the target when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// The same in per cent of a replica's capacity, where `target` is left out. Default 70.
    pub capacity_percent: f64,
    /// Whether the forecast acts. Default `forecast-and-scale`.
    pub mode: Mode,
    /// How long before the hour its capacity is ordered, less than an hour. Default 5 min.
    pub scheduling_buffer: Span,
    /// Time without scaling in after a change of the count. Default 5 min.
    pub cooldown: Span,
    /// Least count; from the target when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// Greatest count, which the forecast honours; from the target when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

impl Default for AwsPredictiveSpec {
    fn default() -> Self {
        Self {
            target: None,
            capacity_percent: 70.0,
            mode: Mode::default(),
            scheduling_buffer: Span::from_secs(300),
            cooldown: Span::from_secs(300),
            min: None,
            max: None,
        }
    }
}

impl AwsPredictiveSpec {
    pub(super) fn check(&self, target: f64) -> Result<(), PolicyError> {
        let refuse = |field: &str, problem: String, expected: &str, example: &str| {
            Err(PolicyError::new(format!("aws_predictive.{field}"), problem, expected, example))
        };
        if !(target.is_finite() && target > 0.0) {
            let problem = format!("comes to {target} requests per second");
            return refuse("target", problem, "requests per second and replica, more than 0", "14");
        }
        if self.scheduling_buffer >= Span::HOUR {
            let problem = format!("`{}` can't be used", self.scheduling_buffer);
            return refuse("scheduling_buffer", problem, "less than an hour", "5m");
        }
        Ok(())
    }
}
