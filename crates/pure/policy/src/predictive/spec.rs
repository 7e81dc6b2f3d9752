//! Settings of the predictive policy.

use std::fmt::Display;

use homeostat_core::GuardProfile;
use homeostat_core::Span;
use homeostat_core::guard::{Flips, Stabilization, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// What the policy makes of the forecast: for comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// Sample paths: the expected late share over them decides.
    #[default]
    Paths,
    /// One quantile of each moment, taken for certain.
    Quantile,
    /// Nothing: the reactive floor with headroom.
    Off,
}

/// Settings; all have defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PredictiveSpec {
    /// A late request costs as much as 1 / (risk × the late share that the objective permits) requests that
    /// a busy replica serves: smaller is more careful, larger cheaper. Default 10.
    pub risk: f64,
    /// How long after its return a replica must not be needed for it to be given up. Default 10 min.
    pub hold: Span,
    /// Step of the forecaster. Default 30 s.
    pub step: Span,
    /// Time between two decisions. Default 15 s.
    pub period: Span,
    /// Length of the window that a decision answers for. Default 1 min.
    pub review: Span,
    /// Quantile of the start-ups observed that is taken for the lead. Default 0.9.
    pub lead_quantile: f64,
    /// What is made of the forecast. Default paths.
    pub forecast: Use,
    /// `quantile`: which one. Default 0.99.
    pub quantile: f64,
    /// Headroom over the reactive floor in per cent where there is no forecast. Default 25.
    pub headroom_percent: f64,
    /// Whether the attainment seen corrects what a window may have. Default true.
    pub feedback: bool,
    /// How fast that price follows the budget that is left: it is divided by e^gain after days without a
    /// late request. Default 0.7.
    pub gain: f64,
    /// Sample paths. Default 200.
    pub paths: u32,
    /// One of the forecaster's models alone; default: the forecaster chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl Default for PredictiveSpec {
    fn default() -> Self {
        Self {
            risk: 10.0,
            hold: Span::from_secs(600),
            step: Span::from_secs(30),
            period: Span::from_secs(15),
            review: Span::MINUTE,
            lead_quantile: 0.9,
            forecast: Use::Paths,
            quantile: 0.99,
            headroom_percent: 25.0,
            feedback: true,
            gain: 0.7,
            paths: 200,
            model: None,
        }
    }
}

/// The guards of the predictive policy unless told otherwise.
pub(crate) fn guards() -> GuardProfile {
    GuardProfile {
        name: "predictive".to_owned(),
        freshness: Some(Span::from_secs(120)),
        fall_band: Some(0.07),
        stabilization: Some(Stabilization { up: Span::ZERO, down: Span::from_secs(300) }),
        step: Some(Step { up_share: 4.0, up_replicas: 10, down_share: 0.5, down_replicas: 1 }),
        flips: Some(Flips { most: 12, per: Span::HOUR }),
        ..GuardProfile::bounds_only()
    }
}

impl PredictiveSpec {
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let refuse = |field: &str, found: &dyn Display, expected: &str, example: &str| {
            let problem = format!("`{found}` can't be used");
            Err(PolicyError::new(format!("predictive.{field}"), problem, expected, example))
        };
        let share = |value: f64| value > 0.0 && value < 1.0;
        if !(self.risk.is_finite() && self.risk > 0.0) {
            return refuse("risk", &self.risk, "a number above 0", "10");
        }
        if self.step < Span::SECOND || self.step > Span::MINUTE * 10 {
            return refuse("step", &self.step, "a length of time from 1s to 10m", "30s");
        }
        for (field, span) in [("period", self.period), ("review", self.review)] {
            if span.is_zero() {
                return refuse(field, &span, "a length of time, more than 0s", "15s");
            }
        }
        for (field, value) in [("lead_quantile", self.lead_quantile), ("quantile", self.quantile)] {
            if !share(value) {
                return refuse(field, &value, "a share above 0 and below 1", "0.9");
            }
        }
        if !(self.headroom_percent.is_finite() && self.headroom_percent >= 0.0) {
            return refuse("headroom_percent", &self.headroom_percent, "per cent, 0 or more", "25");
        }
        if !(self.gain.is_finite() && self.gain >= 0.0) {
            return refuse("gain", &self.gain, "a number, 0 or more", "0.7");
        }
        if !(100..=10_000).contains(&self.paths) {
            return refuse("paths", &self.paths, "a number from 100 to 10000", "200");
        }
        if let Some(name) = &self.model
            && !homeostat_forecast::model::NAMES.contains(&name.as_str())
        {
            let known = homeostat_forecast::model::NAMES.join(", ");
            return refuse("model", name, &format!("one of {known}"), homeostat_forecast::model::NAMES[0]);
        }
        Ok(())
    }
}
