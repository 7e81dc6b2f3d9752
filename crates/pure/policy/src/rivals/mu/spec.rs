//! Settings of Mu's autoscaler.

use homeostat_core::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

/// Settings; the defaults are those of the port, except that the prediction is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MuSpec {
    /// Whether the larger of the rate and its prediction counts (default), or the rate alone, as in the
    /// port, which computes the prediction and leaves it at that.
    pub predict: bool,
    /// Requests per second that one replica can serve; from the target when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<f64>,
    /// Share of the target's capacity that a replica is given, in per cent, where `capacity` is left out.
    /// Default 100, as in the port: its capacity is one over the execution time.
    pub capacity_percent: f64,
    /// Requests that a replica serves at a time; the service's slots when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// Latency within which the queue is to be worked off; ten execution times when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slo: Option<Span>,
    /// Time between two decisions. Default 2 s.
    pub period: Span,
}

impl Default for MuSpec {
    fn default() -> Self {
        Self {
            predict: true,
            capacity: None,
            capacity_percent: 100.0,
            slots: None,
            slo: None,
            period: Span::from_secs(2),
        }
    }
}

impl MuSpec {
    pub(super) fn check(&self, capacity: f64, execution_s: f64, slo_s: f64) -> Result<(), PolicyError> {
        let refuse = |field: &str, problem: String, expected: &str, example: &str| {
            Err(PolicyError::new(format!("mu.{field}"), problem, expected, example))
        };
        if !(capacity.is_finite() && capacity > 0.0) {
            let problem = format!("comes to {capacity} requests per second");
            return refuse("capacity", problem, "requests per second and replica, more than 0", "20");
        }
        if self.slots == Some(0) {
            return refuse("slots", "`0` can't be used".to_owned(), "1 or more", "4");
        }
        if slo_s <= execution_s {
            let problem = format!("{slo_s} s, and a request takes {execution_s} s");
            return refuse("slo", problem, "more than the execution time", "2s");
        }
        if self.period.is_zero() {
            return refuse("period", "no time at all".to_owned(), "a length of time, more than 0s", "2s");
        }
        Ok(())
    }
}
