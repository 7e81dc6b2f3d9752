//! Which guards stand in front of a target, and how tight they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Span;

/// Least and largest count of a target. Always in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Least number of replicas.
    pub min: u32,
    /// Largest number of replicas.
    pub max: u32,
}

/// Windows over past recommendations: the count falls no lower than the largest of the `down` window and
/// rises no higher than the least of the `up` window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stabilization {
    /// Window for rises.
    #[serde(default)]
    pub up: Span,
    /// Window for falls.
    pub down: Span,
}

/// Least time between a change and the next one in the other direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dwell {
    /// From a fall to a rise.
    #[serde(default)]
    pub before_up: Span,
    /// From a rise to a fall.
    pub before_down: Span,
}

/// Largest change in one decision: the larger of a share of the present count and a number of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Largest rise as a share of the present count (1.0 doubles it).
    pub up_share: f64,
    /// Rise that is always permitted, in replicas.
    pub up_replicas: u32,
    /// Largest fall as a share of the present count.
    pub down_share: f64,
    /// Fall that is always permitted, in replicas.
    pub down_replicas: u32,
}

/// Replica-hours that may be used within a window that slides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Replica-hours per window.
    pub replica_hours: f64,
    /// Length of the window.
    pub per: Span,
}

/// Changes of direction that are permitted within a window that slides. When they are used up the count may
/// still rise, since a rise keeps the objective, but it doesn't fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flips {
    /// Changes of direction per window.
    pub most: u32,
    /// Length of the window.
    pub per: Span,
}

/// The guards of one policy on one target. Absent guards do nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardProfile {
    /// The name shown in tables.
    pub name: String,
    /// Oldest data on which the count may fall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<Span>,
    /// Smallest change that is carried out, as a share of the present count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_band: Option<f64>,
    /// Smallest fall that is carried out, as a share of the present count; rises of any size pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fall_band: Option<f64>,
    /// Stabilisation windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stabilization: Option<Stabilization>,
    /// Least time between changes of direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dwell: Option<Dwell>,
    /// Largest change in one decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// Replica-hours per window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// Changes of direction per window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flips: Option<Flips>,
}

/// A guard profile whose numbers make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("guards.{field}: {problem}")]
pub struct BadProfile {
    /// The field, within the profile.
    pub field: &'static str,
    /// What is wrong and what was expected.
    pub problem: &'static str,
}

impl GuardProfile {
    /// Bounds and nothing else: how peers run.
    pub fn bounds_only() -> Self {
        Self {
            name: "bounds".to_owned(),
            freshness: None,
            dead_band: None,
            fall_band: None,
            stabilization: None,
            dwell: None,
            step: None,
            budget: None,
            flips: None,
        }
    }

    /// The profile for policies of our own: nothing falls on data older than two minutes, falls wait
    /// for a five-minute maximum and take at most half of the replicas at once.
    pub fn standard() -> Self {
        Self {
            name: "standard".to_owned(),
            freshness: Some(Span::from_secs(120)),
            stabilization: Some(Stabilization { up: Span::ZERO, down: Span::from_secs(300) }),
            step: Some(Step { up_share: 4.0, up_replicas: 4, down_share: 0.5, down_replicas: 1 }),
            ..Self::bounds_only()
        }
    }

    /// Refuses numbers that make no sense.
    pub fn check(&self) -> Result<(), BadProfile> {
        let bad = |field, problem| Err(BadProfile { field, problem });
        if self.dead_band.is_some_and(|share| !(0.0..1.0).contains(&share)) {
            return bad("dead_band", "must be a share from 0 up to 1, for example 0.1");
        }
        if self.fall_band.is_some_and(|share| !(0.0..1.0).contains(&share)) {
            return bad("fall_band", "must be a share from 0 up to 1, for example 0.1");
        }
        if let Some(step) = self.step {
            let shares = [step.up_share, step.down_share];
            if shares.iter().any(|s| !s.is_finite() || *s < 0.0) || step.down_share > 1.0 {
                return bad("step", "shares must be 0 or more, and down_share at most 1");
            }
        }
        if self.flips.is_some_and(|flips| flips.most == 0 || flips.per.is_zero()) {
            return bad("flips", "most and per must be positive, for example { most: 6, per: 1h }");
        }
        if self.budget.is_some_and(|b| !(b.replica_hours > 0.0 && b.per > Span::ZERO)) {
            return bad("budget", "replica_hours and per must be positive");
        }
        Ok(())
    }
}
