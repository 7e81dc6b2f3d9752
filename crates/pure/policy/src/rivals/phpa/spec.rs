//! Settings of the predictive horizontal pod autoscaler.

use homeostat_core::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;
use crate::spec::HpaForm;

/// Settings; names follow the source in our spelling, and so do the defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhpaSpec {
    /// The horizontal pod autoscaler that is recomputed: targets, bounds, `tolerance`, `sync_period`, and
    /// `scale_down_window` for the stabilisation (5 min by default).
    pub hpa: HpaForm,
    /// The models; each proposes a count besides that of the autoscaler.
    pub models: Vec<ModelSpec>,
    /// Which of the proposals counts. Default `maximum`.
    #[serde(default)]
    pub decision: Decision,
}

/// One model: exactly one of `linear` and `holt_winters`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// The model proposes at every so manieth decision. Default 1.
    #[serde(default = "one")]
    pub per_sync_period: u32,
    /// A straight line through the last counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear: Option<LinearSpec>,
    /// Exponential smoothing with a season.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holt_winters: Option<HoltWintersSpec>,
}

/// Settings of a straight line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearSpec {
    /// Counts that it is laid through.
    pub history_size: usize,
    /// How far ahead it is read; within which 95 % of the target's starts are done when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_ahead: Option<Span>,
}

/// Settings of exponential smoothing. It looks one decision ahead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoltWintersSpec {
    /// Smoothing of the level, 0 to 1.
    pub alpha: f64,
    /// Smoothing of the trend, 0 to 1.
    pub beta: f64,
    /// Smoothing of the season, 0 to 1.
    pub gamma: f64,
    /// How the trend is put on the level.
    pub trend: Form,
    /// How the season is put on both.
    pub seasonal: Form,
    /// Length of a season in decisions.
    pub seasonal_periods: usize,
    /// Seasons that are kept.
    pub stored_seasons: usize,
    /// Where the first level, trend and season come from.
    #[serde(default)]
    pub initialization_method: Initial,
}

/// How a component is put on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Added.
    #[serde(alias = "add")]
    Additive,
    /// Multiplied.
    #[serde(alias = "mul")]
    Multiplicative,
}

/// Where the first level, trend and season come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Initial {
    /// Those with the least squared error (additive forms with at most 48 periods; else heuristic).
    #[default]
    Estimated,
    /// Moving averages of the first seasons.
    Heuristic,
}

/// Which of the proposals counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The largest.
    #[default]
    Maximum,
    /// The smallest.
    Minimum,
    /// Their mean, rounded.
    Mean,
    /// Their median.
    Median,
}

const fn one() -> u32 {
    1
}

impl PhpaSpec {
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let refuse = |field: &str, problem: &str, expected: &str, example: &str| {
            Err(PolicyError::new(format!("phpa.{field}"), problem, expected, example))
        };
        if self.models.is_empty() {
            let example = "{ linear: { history_size: 6, look_ahead: 1m } }";
            return refuse("models", "there is none", "one model or more", example);
        }
        if self.hpa.scale_up_window.is_some() {
            return refuse(
                "hpa.scale_up_window",
                "it is not there upstream",
                "nothing",
                "scale_down_window: 5m",
            );
        }
        for (index, model) in self.models.iter().enumerate() {
            let field = |name: &str| format!("models[{index}].{name}");
            if model.per_sync_period == 0 {
                return refuse(&field("per_sync_period"), "`0` can't be used", "1 or more", "4");
            }
            match (&model.linear, &model.holt_winters) {
                (Some(linear), None) if linear.history_size == 0 => {
                    return refuse(&field("linear.history_size"), "`0` can't be used", "1 or more", "6");
                }
                (None, Some(winters)) => winters.check(&field("holt_winters"))?,
                (Some(_), None) => {}
                _ => {
                    let example = "{ linear: { history_size: 6 } }";
                    return refuse(&field("linear"), "not one model", "`linear` or `holt_winters`", example);
                }
            }
        }
        Ok(())
    }
}

impl HoltWintersSpec {
    fn check(&self, path: &str) -> Result<(), PolicyError> {
        let refuse = |field: &str, problem: String, expected: &str, example: &str| {
            Err(PolicyError::new(format!("phpa.{path}.{field}"), problem, expected, example))
        };
        for (name, value) in [("alpha", self.alpha), ("beta", self.beta), ("gamma", self.gamma)] {
            if !(0.0..=1.0).contains(&value) {
                return refuse(name, format!("`{value}` can't be used"), "0 to 1", "0.5");
            }
        }
        if self.seasonal_periods < 2 {
            let problem = format!("`{}` can't be used", self.seasonal_periods);
            return refuse("seasonal_periods", problem, "2 or more", "120");
        }
        if self.stored_seasons < 2 {
            let problem = format!("`{}` can't be used", self.stored_seasons);
            return refuse("stored_seasons", problem, "2 or more", "4");
        }
        Ok(())
    }
}
