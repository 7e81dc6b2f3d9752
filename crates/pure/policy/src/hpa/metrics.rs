//! From a manifest's metrics to goals: validation, and lookups in the pod template.
//!
//! Source of the checks: `pkg/apis/autoscaling/validation/validation.go`. One check is stricter: an
//! Object metric's target must have the type of the value it gives, since upstream's controller
//! ignores the metric otherwise.

use homeostat_core::Need;

use super::flags::PodTemplate;
use super::manifest::{
    ContainerSource, MetricName, MetricSpec, NamedSource, ObjectSource, ResourceSource, Target,
};
use super::quantity::Quantity;
use super::resolve::Checked;
use super::rules::{Goal, Metric};
use crate::error::PolicyError;

/// Checks the metrics and fills in what they leave out; CPU at 80 % when there are none.
pub(super) fn resolve(specs: &[MetricSpec], template: &PodTemplate) -> Checked<Vec<Metric>> {
    if specs.is_empty() {
        let request = template.request("cpu", None);
        let goal = Goal::Utilization { percent: 80, request, cpu: true };
        let need = Need::Resource("cpu".to_owned());
        return Ok(vec![Metric { need, goal }]);
    }
    let each = specs.iter().enumerate();
    each.map(|(i, spec)| metric(spec, template, &format!("spec.metrics[{i}]"))).collect()
}

fn metric(spec: &MetricSpec, template: &PodTemplate, path: &str) -> Checked<Metric> {
    let given = [
        spec.resource.is_some(),
        spec.container_resource.is_some(),
        spec.pods.is_some(),
        spec.object.is_some(),
        spec.external.is_some(),
    ];
    if given.iter().filter(|present| **present).count() != 1 {
        return Err(source_error(spec, path));
    }
    match (spec.kind.as_str(), spec) {
        ("Resource", MetricSpec { resource: Some(source), .. }) => {
            resource(source, template, &format!("{path}.resource"))
        }
        ("ContainerResource", MetricSpec { container_resource: Some(source), .. }) => {
            container(source, template, &format!("{path}.containerResource"))
        }
        ("Pods", MetricSpec { pods: Some(source), .. }) => pods(source, &format!("{path}.pods")),
        ("Object", MetricSpec { object: Some(source), .. }) => object(source, &format!("{path}.object")),
        ("External", MetricSpec { external: Some(source), .. }) => {
            external(source, &format!("{path}.external"))
        }
        _ => Err(source_error(spec, path)),
    }
}

fn resource(source: &ResourceSource, template: &PodTemplate, path: &str) -> Checked<Metric> {
    let request = template.request(&source.name, None);
    let goal = resource_goal(&source.name, &source.target, request, path)?;
    Ok(Metric { need: Need::Resource(named(&source.name, path)?), goal })
}

fn container(source: &ContainerSource, template: &PodTemplate, path: &str) -> Checked<Metric> {
    let request = template.request(&source.name, Some(&source.container));
    let goal = resource_goal(&source.name, &source.target, request, path)?;
    let resource = named(&source.name, path)?;
    let container = named(&source.container, path)?;
    Ok(Metric { need: Need::ContainerResource { container, resource }, goal })
}

fn pods(source: &NamedSource, path: &str) -> Checked<Metric> {
    let need = Need::Pods(identified(&source.metric, path)?);
    let milli = check_target(&source.target, path)?.average;
    let milli = milli.ok_or_else(|| target_error(path, "averageValue"))?;
    Ok(Metric { need, goal: Goal::Average { milli, cpu: false } })
}

fn object(source: &ObjectSource, path: &str) -> Checked<Metric> {
    let need = Need::Object(identified(&source.metric, path)?);
    let target = check_target(&source.target, path)?;
    let goal = match (source.target.kind.as_str(), target.value, target.average) {
        ("Value", Some(milli), _) => Goal::TotalValue { milli },
        ("AverageValue", _, Some(milli)) => Goal::TotalAverage { milli },
        _ => return Err(target_error(path, "value or averageValue, whichever `type` names")),
    };
    Ok(Metric { need, goal })
}

fn external(source: &NamedSource, path: &str) -> Checked<Metric> {
    let need = Need::External(identified(&source.metric, path)?);
    let target = check_target(&source.target, path)?;
    let goal = match (target.value, target.average) {
        (Some(milli), None) => Goal::TotalValue { milli },
        (None, Some(milli)) => Goal::TotalAverage { milli },
        _ => return Err(target_error(path, "either value or averageValue")),
    };
    Ok(Metric { need, goal })
}

fn source_error(spec: &MetricSpec, path: &str) -> PolicyError {
    PolicyError::new(
        path,
        format!("type `{}` does not match the fields given", spec.kind),
        "type Resource, ContainerResource, Pods, Object or External and exactly the field of that name",
        "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}",
    )
}

fn target_error(path: &str, expected: &str) -> PolicyError {
    let path = format!("{path}.target");
    PolicyError::new(path, "no usable target", expected, "{type: AverageValue, averageValue: 500m}")
}

fn named(name: &str, path: &str) -> Checked<String> {
    if name.is_empty() {
        return Err(PolicyError::new(path, "an empty name", "a name", "cpu"));
    }
    Ok(name.to_owned())
}

fn identified(metric: &MetricName, path: &str) -> Checked<String> {
    named(&metric.name, &format!("{path}.metric.name"))
}

fn resource_goal(name: &str, target: &Target, request: Option<i64>, path: &str) -> Checked<Goal> {
    let checked = check_target(target, path)?;
    let cpu = name == "cpu";
    match (target.average_utilization, checked.average) {
        (Some(percent), None) => Ok(Goal::Utilization { percent, request, cpu }),
        (None, Some(milli)) => Ok(Goal::Average { milli, cpu }),
        _ => Err(target_error(path, "either averageUtilization or averageValue")),
    }
}

struct Millis {
    value: Option<i64>,
    average: Option<i64>,
}

fn check_target(target: &Target, path: &str) -> Checked<Millis> {
    let path = format!("{path}.target");
    if !["Utilization", "Value", "AverageValue"].contains(&target.kind.as_str()) {
        let problem = format!("found `{}`", target.kind);
        let expected = "Utilization, Value or AverageValue";
        return Err(PolicyError::new(format!("{path}.type"), problem, expected, "Utilization"));
    }
    if let Some(percent) = target.average_utilization.filter(|percent| *percent < 1) {
        let problem = format!("found {percent}");
        let field = format!("{path}.averageUtilization");
        return Err(PolicyError::new(field, problem, "1 or more (per cent)", "60"));
    }
    let milli = |given: Option<Quantity>, field: &str| match given.map(Quantity::milli) {
        None => Ok(None),
        Some(Some(milli)) if milli > 0 => Ok(Some(milli)),
        Some(_) => Err(PolicyError::new(
            format!("{path}.{field}"),
            "not positive, or too large",
            "a positive quantity below 9223372036854775",
            "500m",
        )),
    };
    Ok(Millis { value: milli(target.value, "value")?, average: milli(target.average_value, "averageValue")? })
}
