//! The manifest of a `HorizontalPodAutoscaler`, version `autoscaling/v2`, accepted as it is.
//!
//! Source: `k8s.io/api/autoscaling/v2/types.go`. Unknown fields of `spec` are refused; `metadata` is
//! kept as far as it names things, `status` is skipped.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::quantity::Quantity;

/// The version that manifests must state.
pub const API_VERSION: &str = "autoscaling/v2";
/// The kind that manifests must state.
pub const KIND: &str = "HorizontalPodAutoscaler";

/// A whole manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HpaSpec {
    /// Always `autoscaling/v2`.
    pub api_version: String,
    /// Always `HorizontalPodAutoscaler`.
    pub kind: String,
    /// Its name and whatever else a manifest carries.
    #[serde(default)]
    pub metadata: Metadata,
    /// What to scale, between which bounds, by which metrics.
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
}

/// A part of a manifest that is read over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl JsonSchema for Skipped {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Skipped".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "Read over." })
    }
}

/// The specification proper.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// The workload.
    pub scale_target_ref: ObjectRef,
    /// Lower bound in replicas; 1 when left out. 0 needs an Object or External metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_replicas: Option<i32>,
    /// Upper bound in replicas.
    pub max_replicas: i32,
    /// The metrics; the largest proposal wins. CPU at 80 % when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricSpec>,
    /// Pace and steadiness; upstream's former fixed rules when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behavior: Option<BehaviorSpec>,
}

/// A reference to an object in the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectRef {
    /// For example `apps/v1`.
    #[serde(default)]
    pub api_version: String,
    /// For example `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// One metric. Exactly the field that `type` names must be there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricSpec {
    /// `Resource`, `ContainerResource`, `Pods`, `Object` or `External`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A resource of the replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceSource>,
    /// A resource of one container of the replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_resource: Option<ContainerSource>,
    /// A metric of the replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<NamedSource>,
    /// A metric of another object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectSource>,
    /// A metric from outside the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<NamedSource>,
}

/// `cpu` or `memory` of all containers together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceSource {
    /// Name of the resource.
    pub name: String,
    /// What it should be.
    pub target: Target,
}

/// `cpu` or `memory` of one container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerSource {
    /// Name of the resource.
    pub name: String,
    /// Name of the container.
    pub container: String,
    /// What it should be.
    pub target: Target,
}

/// A metric known by its name (`pods` and `external`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedSource {
    /// Which metric.
    pub metric: MetricName,
    /// What it should be.
    pub target: Target,
}

/// A metric of another object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectSource {
    /// The object, for example an Ingress.
    pub described_object: ObjectRef,
    /// Which metric.
    pub metric: MetricName,
    /// What it should be.
    pub target: Target,
}

/// A metric's name and selector. A world looks metrics up by name; the selector is kept, not used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricName {
    /// The name.
    pub name: String,
    /// Labels that narrow the metric down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
}

/// A label selector.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selector {
    /// Labels that must have these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// Conditions on labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<Requirement>,
}

/// A condition on one label.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: String,
    /// The values that the operator is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// What a metric should be. Which of the values counts depends on the metric's type.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// `Utilization`, `AverageValue` or `Value`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Per cent of the requested resource, averaged over the replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_utilization: Option<i32>,
    /// Amount per replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_value: Option<Quantity>,
    /// Amount for the target as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Quantity>,
}

/// Pace and steadiness in both directions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BehaviorSpec {
    /// Upwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_up: Option<RulesSpec>,
    /// Downwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_down: Option<RulesSpec>,
}

/// Pace and steadiness in one direction. What is left out gets upstream's default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RulesSpec {
    /// Seconds of earlier recommendations that count, 0 to 3600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stabilization_window_seconds: Option<i32>,
    /// `Max`, `Min` or `Disabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select_policy: Option<String>,
    /// Permitted rates of change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<RateSpec>>,
    /// Deviation from 1 of the ratio of value to target that causes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Quantity>,
}

/// A permitted rate of change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateSpec {
    /// `Pods` or `Percent`.
    #[serde(rename = "type")]
    pub kind: String,
    /// So many replicas, or per cent of the replicas at the period's start.
    pub value: i32,
    /// Length of the period in seconds, 1 to 1800.
    pub period_seconds: i32,
}
