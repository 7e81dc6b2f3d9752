//! The stamp of `homeostat validate`: how far the twin was from a record, and what is tolerated.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Errors of the twin against a record that the parameters were not fitted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// Twin over record, less one: 0.08 is 8 % too slow.
    pub p99_error: f64,
    /// Share of requests within the objective, twin less record: -0.004 is 0.4 points too few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attainment_error: Option<f64>,
    /// Size of `p99_error` that is tolerated. Default 0.1.
    #[serde(default = "Validation::default_limit")]
    pub limit: f64,
    /// Size of `attainment_error` that is tolerated. Default 0.005.
    #[serde(default = "Validation::default_attainment_limit")]
    pub attainment_limit: f64,
    /// What it was held against: files and part.
    #[serde(default)]
    pub record: String,
    /// Windows that were compared.
    #[serde(default)]
    pub windows: u64,
}

impl Validation {
    /// Tolerated error of the 99th percentile.
    pub const fn default_limit() -> f64 {
        0.1
    }

    /// Tolerated error of the attainment.
    pub const fn default_attainment_limit() -> f64 {
        0.005
    }

    /// What is above its limit, in words; `None` where the twin may be believed.
    pub fn problem(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.p99_error.abs() > self.limit {
            let (error, limit) = (self.p99_error * 100.0, self.limit * 100.0);
            parts.push(format!("p99 is off by {error:+.1} % (limit {limit} %)"));
        }
        if let Some(error) = self.attainment_error.filter(|e| e.abs() > self.attainment_limit) {
            let (error, limit) = (error * 100.0, self.attainment_limit * 100.0);
            parts.push(format!("attainment is off by {error:+.2} points (limit {limit})"));
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_above_its_limit() {
        let fine = Validation {
            p99_error: -0.1,
            attainment_error: Some(0.005),
            limit: 0.1,
            attainment_limit: 0.005,
            record: String::new(),
            windows: 10,
        };
        assert_eq!(fine.problem(), None);
        let slow = Validation { p99_error: 0.25, ..fine.clone() };
        assert_eq!(slow.problem().as_deref(), Some("p99 is off by +25.0 % (limit 10 %)"));
        let both = Validation { attainment_error: Some(-0.02), ..slow };
        assert!(both.problem().is_some_and(|p| p.contains("-2.00 points")));
    }
}
