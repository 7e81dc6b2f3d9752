//! The manifest of a `ScaledObject`, version `keda.sh/v1alpha1`, accepted as it is.
//!
//! Source: `apis/keda/v1alpha1/scaledobject_types.go` and KEDA's page "`ScaledObject` specification".
//! Unknown fields of `spec` are refused; `status` is skipped.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::hpa::{BehaviorSpec, Skipped};

/// The version that manifests must state.
pub const API_VERSION: &str = "keda.sh/v1alpha1";
/// The kind that manifests must state.
pub const KIND: &str = "ScaledObject";

/// A whole manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScaledObject {
    /// Always `keda.sh/v1alpha1`.
    pub api_version: String,
    /// Always `ScaledObject`.
    pub kind: String,
    /// Its name and annotations.
    #[serde(default)]
    pub metadata: Metadata,
    /// What to scale, between which bounds, by which triggers.
    pub spec: Spec,
    /// Written by a controller; skipped.
    #[serde(default, skip_serializing)]
    pub status: Skipped,
}

/// The part of an object's metadata that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Metadata {
    /// Name of the object.
    #[serde(default)]
    pub name: String,
    /// Its namespace.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// `autoscaling.keda.sh/…` annotations pause scaling or force it; others are not looked at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The specification proper.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// The workload.
    pub scale_target_ref: TargetRef,
    /// Seconds between two looks at the triggers by the operator; 30 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polling_interval: Option<i32>,
    /// Seconds without an active trigger before the count goes to zero (or idle); 300 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_period: Option<i32>,
    /// The same after creation, while no trigger has been active yet; 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_cooldown_period: Option<i32>,
    /// The count while no trigger is active; less than `minReplicaCount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_replica_count: Option<i32>,
    /// Lower bound in replicas while a trigger is active; 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_replica_count: Option<i32>,
    /// Upper bound in replicas; 100 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_replica_count: Option<i32>,
    /// What to do when a trigger fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// Rarely needed settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advanced: Option<Advanced>,
    /// The sources of load.
    pub triggers: Vec<Trigger>,
}

/// A reference to the workload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetRef {
    /// `apps/v1` when left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// `Deployment` when left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Not used here: triggers read no environment variables.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub env_source_container_name: String,
}

/// What to do when a trigger fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fallback {
    /// The fallback holds from the failure after so many in a row.
    pub failure_threshold: i32,
    /// The count then.
    pub replicas: i32,
    /// How it relates to the present count.
    #[serde(default)]
    pub behavior: FallbackBehavior,
}

/// How the fallback count relates to the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FallbackBehavior {
    /// The fallback count.
    #[default]
    Static,
    /// The present count.
    CurrentReplicas,
    /// The larger of the two.
    CurrentReplicasIfHigher,
    /// The smaller of the two.
    CurrentReplicasIfLower,
}

/// Rarely needed settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Advanced {
    /// About deletion of the object; has no effect here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_to_original_replica_count: Option<bool>,
    /// Settings of the autoscaler that KEDA creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizontal_pod_autoscaler_config: Option<HpaConfig>,
    /// A formula over triggers; refused when present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling_modifiers: Option<Modifiers>,
}

/// Settings of the autoscaler that KEDA creates.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HpaConfig {
    /// Its name; has no effect here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Pace and steadiness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behavior: Option<BehaviorSpec>,
}

/// A formula over triggers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Modifiers {
    /// The formula.
    #[serde(default)]
    pub formula: String,
    /// The target of its value.
    #[serde(default)]
    pub target: String,
    /// The value beyond which it is active.
    #[serde(default)]
    pub activation_target: String,
    /// `AverageValue` or `Value`.
    #[serde(default)]
    pub metric_type: String,
}

/// A source of load.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trigger {
    /// `cpu`, `memory`, `cron`, `prometheus` or `external`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name, for formulas.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Settings by type.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// `AverageValue` (the default), `Value`, or for `cpu` and `memory` `Utilization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_type: Option<String>,
    /// Whether the autoscaler gets the operator's value; has no effect here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_cached_metrics: Option<bool>,
    /// Where credentials are; not used here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication_ref: Option<AuthenticationRef>,
}

/// Where credentials are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthenticationRef {
    /// Name of the object that has them.
    pub name: String,
    /// Its kind.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
}
