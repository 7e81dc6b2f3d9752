//! Settings of `MArk`'s proactive provisioning.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// What foresees the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Foresight {
    /// The LSTM network of the paper.
    #[default]
    Lstm,
    /// The largest load ever seen, as in the public scheduler.
    Peak,
}

/// Settings; the defaults are those of the public code where it has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MarkSpec {
    /// Requests per second that one replica can serve; from the target when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<f64>,
    /// Share of the target's capacity that a replica is given, in per cent, where `capacity` is left out.
    /// Default 100.
    pub capacity_percent: f64,
    /// The observed load counts so many times. Default 1.2.
    pub margin: f64,
    /// What foresees the load. Default `lstm`.
    pub forecaster: Foresight,
    /// Times that the network goes through the past when it learns. Default 10; the public script: 50.
    pub epochs: u32,
}

impl Default for MarkSpec {
    fn default() -> Self {
        Self {
            capacity: None,
            capacity_percent: 100.0,
            margin: 1.2,
            forecaster: Foresight::default(),
            epochs: 10,
        }
    }
}

impl MarkSpec {
    pub(super) fn check(&self, capacity: f64) -> Result<(), PolicyError> {
        let refuse = |field: &str, problem: String, expected: &str, example: &str| {
            Err(PolicyError::new(format!("mark.{field}"), problem, expected, example))
        };
        if !(capacity.is_finite() && capacity > 0.0) {
            let problem = format!("comes to {capacity} requests per second");
            return refuse("capacity", problem, "requests per second and replica, more than 0", "20");
        }
        if !(self.margin.is_finite() && self.margin > 0.0) {
            let problem = format!("`{}` can't be used", self.margin);
            return refuse("margin", problem, "a factor, more than 0", "1.2");
        }
        if !(1..=1_000).contains(&self.epochs) {
            return refuse("epochs", format!("`{}` can't be used", self.epochs), "1 to 1000", "10");
        }
        Ok(())
    }
}
