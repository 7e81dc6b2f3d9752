//! Manifests for the usual cases, for use from code.

use super::manifest::{
    API_VERSION, HpaSpec, KIND, Metadata, MetricName, MetricSpec, NamedSource, ObjectRef, ResourceSource,
    Skipped, Spec, Target,
};
use super::quantity::Quantity;

impl HpaSpec {
    /// A manifest with these bounds and metrics, and no behavior.
    pub fn with_metrics(min: i32, max: i32, metrics: Vec<MetricSpec>) -> Self {
        let scale_target_ref = ObjectRef {
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            name: "target".to_owned(),
        };
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            metadata: Metadata { name: "target".to_owned(), ..Metadata::default() },
            spec: Spec {
                scale_target_ref,
                min_replicas: Some(min),
                max_replicas: max,
                metrics,
                behavior: None,
            },
            status: Skipped,
        }
    }

    /// CPU at `percent` of the request.
    pub fn cpu_utilization(percent: i32, min: i32, max: i32) -> Self {
        let target = Target {
            kind: "Utilization".to_owned(),
            average_utilization: Some(percent),
            ..Target::default()
        };
        let metric = MetricSpec {
            kind: "Resource".to_owned(),
            resource: Some(ResourceSource { name: "cpu".to_owned(), target }),
            ..MetricSpec::default()
        };
        Self::with_metrics(min, max, vec![metric])
    }

    /// A metric of the replicas at `average` per replica.
    pub fn pods_metric(name: &str, average: Quantity, min: i32, max: i32) -> Self {
        let metric = MetricSpec {
            kind: "Pods".to_owned(),
            pods: Some(average_of(name, average)),
            ..MetricSpec::default()
        };
        Self::with_metrics(min, max, vec![metric])
    }

    /// A metric from outside at `average` per replica.
    pub fn external_metric(name: &str, average: Quantity, min: i32, max: i32) -> Self {
        Self::with_metrics(min, max, vec![MetricSpec::external(name, average)])
    }
}

impl MetricSpec {
    /// A metric from outside at `average` per replica.
    pub fn external(name: &str, average: Quantity) -> Self {
        Self { kind: "External".to_owned(), external: Some(average_of(name, average)), ..Self::default() }
    }
}

fn average_of(name: &str, average: Quantity) -> NamedSource {
    NamedSource {
        metric: MetricName { name: name.to_owned(), selector: None },
        target: Target { kind: "AverageValue".to_owned(), average_value: Some(average), ..Target::default() },
    }
}
