//! KEDA with one metric in a few words.

use std::collections::BTreeMap;

use homeostat_core::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BuildContext;
use super::hpa_form::{amount, behavior};
use crate::error::PolicyError;
use crate::keda::{Advanced, Fallback, HpaConfig, ScaledObject, Spec, TargetRef, Trigger};

/// One external metric, shared by the replicas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KedaForm {
    /// Name of the metric, for example `requests_per_second`.
    pub metric: String,
    /// Amount of the metric per replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The same in per cent of a replica's capacity, for metrics in requests per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_percent: Option<f64>,
    /// Above this amount there is load (0 by default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation_threshold: Option<f64>,
    /// Least count; from the target when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// Greatest count; from the target when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// The count without load, less than `min`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<u32>,
    /// Time between two looks at the metric by the operator (30 s by default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polling_interval: Option<Span>,
    /// Time without load before the count goes to zero (5 min by default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_period: Option<Span>,
    /// Of the autoscaler that KEDA creates: deviation of the ratio from 1 that causes nothing (0.1 by
    /// default), in both directions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// Of the autoscaler that KEDA creates: how long an earlier recommendation holds the count up (5 min
    /// by default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_down_window: Option<Span>,
    /// What to do when the metric can't be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
}

impl KedaForm {
    /// A metric in requests per second, at so many per cent of a replica's capacity.
    pub fn capacity(metric: &str, percent: f64) -> Self {
        Self {
            metric: metric.to_owned(),
            threshold: None,
            capacity_percent: Some(percent),
            activation_threshold: None,
            min: None,
            max: None,
            idle: None,
            polling_interval: None,
            cooldown_period: None,
            tolerance: None,
            scale_down_window: None,
            fallback: None,
        }
    }

    /// The manifest that says the same.
    pub fn manifest(&self, context: &BuildContext) -> Result<ScaledObject, PolicyError> {
        let mut metadata = BTreeMap::new();
        metadata.insert("metricName".to_owned(), self.metric.clone());
        metadata.insert("threshold".to_owned(), self.threshold(context)?.to_string());
        if let Some(activation) = self.activation_threshold {
            metadata.insert("activationThreshold".to_owned(), activation.to_string());
        }
        let seconds = |span: Span| (span.0 / Span::SECOND.0) as i32;
        let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        let behavior = behavior("keda", self.tolerance, None, self.scale_down_window)?;
        let advanced = behavior.map(|behavior| Advanced {
            horizontal_pod_autoscaler_config: Some(HpaConfig {
                behavior: Some(behavior),
                ..HpaConfig::default()
            }),
            ..Advanced::default()
        });
        let trigger = Trigger { kind: "prometheus".to_owned(), metadata, ..Trigger::default() };
        Ok(ScaledObject::with_spec(Spec {
            scale_target_ref: TargetRef { name: "target".to_owned(), ..TargetRef::default() },
            polling_interval: self.polling_interval.map(seconds),
            cooldown_period: self.cooldown_period.map(seconds),
            idle_replica_count: self.idle.map(count),
            min_replica_count: Some(count(self.min.unwrap_or(context.min))),
            max_replica_count: Some(count(self.max.unwrap_or(context.max))),
            fallback: self.fallback.clone(),
            advanced,
            triggers: vec![trigger],
            ..Spec::default()
        }))
    }

    fn threshold(&self, context: &BuildContext) -> Result<f64, PolicyError> {
        let (path, threshold) = match (self.threshold, self.capacity_percent) {
            (Some(threshold), None) => ("keda.threshold", threshold),
            (None, Some(percent)) => {
                let path = "keda.capacity_percent";
                (path, context.capacity(path)? * percent / 100.0)
            }
            _ => {
                let problem = "neither or both of `threshold` and `capacity_percent`";
                return Err(PolicyError::new("keda", problem, "one of the two", "threshold: 100"));
            }
        };
        amount(path, threshold).map(|_| threshold)
    }
}
