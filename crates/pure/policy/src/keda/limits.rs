//! Counts and times of a manifest, checked, with KEDA's defaults.

use homeostat_core::Span;

use super::manifest::{API_VERSION, KIND, ScaledObject, Spec};
use crate::error::PolicyError;
use crate::hpa::Skipped;

/// Counts and times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) idle: Option<u32>,
    pub(super) polling: Span,
    pub(super) cooldown: Span,
    pub(super) initial_cooldown: Span,
}

impl ScaledObject {
    /// A manifest with this specification.
    pub fn with_spec(spec: Spec) -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            metadata: super::manifest::Metadata { name: "target".to_owned(), ..Default::default() },
            spec,
            status: Skipped,
        }
    }
}

impl Limits {
    pub(super) fn read(object: &ScaledObject) -> Result<Self, PolicyError> {
        expect("apiVersion", &object.api_version, API_VERSION)?;
        expect("kind", &object.kind, KIND)?;
        let spec = &object.spec;
        let limits = Self {
            min: count("minReplicaCount", spec.min_replica_count.unwrap_or(0))?,
            max: count("maxReplicaCount", spec.max_replica_count.unwrap_or(100))?,
            idle: spec.idle_replica_count.map(|idle| count("idleReplicaCount", idle)).transpose()?,
            polling: Span::from_secs(count("pollingInterval", spec.polling_interval.unwrap_or(30))?.into()),
            cooldown: Span::from_secs(count("cooldownPeriod", spec.cooldown_period.unwrap_or(300))?.into()),
            initial_cooldown: Span::from_secs(
                count("initialCooldownPeriod", spec.initial_cooldown_period.unwrap_or(0))?.into(),
            ),
        };
        limits.check(spec)?;
        Ok(limits)
    }

    fn check(&self, spec: &Spec) -> Result<(), PolicyError> {
        let refuse = |field: &str, problem: String, expected: &str, example: &str| {
            Err(PolicyError::new(format!("spec.{field}"), problem, expected, example))
        };
        if self.max == 0 || self.min > self.max {
            let problem = format!("{} with a minimum of {}", self.max, self.min);
            return refuse("maxReplicaCount", problem, "at least 1 and at least minReplicaCount", "100");
        }
        if let Some(idle) = self.idle.filter(|idle| *idle >= self.min) {
            let problem = format!("{idle} with a minimum of {}", self.min);
            return refuse("idleReplicaCount", problem, "less than minReplicaCount", "0");
        }
        if self.polling.is_zero() {
            return refuse("pollingInterval", "0".to_owned(), "seconds, 1 or more", "30");
        }
        if spec.triggers.is_empty() {
            return refuse("triggers", "there is none".to_owned(), "one trigger or more", "type: cpu");
        }
        if spec.advanced.as_ref().is_some_and(|advanced| advanced.scaling_modifiers.is_some()) {
            let problem = "formulas are not supported".to_owned();
            return refuse("advanced.scalingModifiers", problem, "nothing", "advanced: {}");
        }
        match &spec.fallback {
            Some(fallback) if fallback.failure_threshold < 0 || fallback.replicas < 0 => {
                refuse("fallback", "a negative number".to_owned(), "numbers, 0 or more", "replicas: 6")
            }
            _ => Ok(()),
        }
    }
}

fn expect(field: &str, found: &str, expected: &str) -> Result<(), PolicyError> {
    if found == expected {
        return Ok(());
    }
    Err(PolicyError::new(field, format!("found `{found}`"), format!("`{expected}`"), expected))
}

fn count(field: &str, number: i32) -> Result<u32, PolicyError> {
    u32::try_from(number).map_err(|_| {
        PolicyError::new(format!("spec.{field}"), format!("{number} is negative"), "0 or more", "30")
    })
}
