//! From a manifest to rules: validation, defaults, and lookups in the pod template.
//!
//! Source of the checks: `pkg/apis/autoscaling/validation/validation.go`. One check is stricter: an
//! Object metric's target must have the type of the value it gives, since upstream's controller
//! ignores the metric otherwise.

use homeostat_core::{Need, Span};

use super::flags::{ControllerFlags, PodTemplate};
use super::manifest::{
    API_VERSION, BehaviorSpec, HpaSpec, KIND, MetricName, MetricSpec, RateSpec, RulesSpec, Target,
};
use super::quantity::Quantity;
use super::rules::{Behavior, Goal, Metric, Rate, Rules, Select, Tolerances, Unit};
use crate::error::PolicyError;

type Checked<T> = Result<T, PolicyError>;

/// A manifest that passed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resolved {
    pub(super) min: i32,
    pub(super) max: i32,
    pub(super) metrics: Vec<Metric>,
    pub(super) behavior: Option<Behavior>,
    pub(super) tolerances: Tolerances,
}

/// Checks the manifest and fills in what it leaves out.
pub(super) fn resolve(
    spec: &HpaSpec,
    template: &PodTemplate,
    flags: &ControllerFlags,
) -> Checked<Resolved> {
    check_kind("apiVersion", &spec.api_version, API_VERSION)?;
    check_kind("kind", &spec.kind, KIND)?;
    let metrics = metrics(&spec.spec.metrics, template)?;
    let min = spec.spec.min_replicas.unwrap_or(1);
    check_bounds(min, spec.spec.max_replicas)?;
    check_zero(min, &metrics, flags)?;
    let given = spec.spec.behavior.as_ref();
    Ok(Resolved {
        min,
        max: spec.spec.max_replicas,
        metrics,
        behavior: given.map(|behavior| self::behavior(behavior, flags)).transpose()?,
        tolerances: tolerances(given, flags),
    })
}

fn check_kind(path: &str, found: &str, expected: &str) -> Checked<()> {
    if found == expected {
        return Ok(());
    }
    let problem = format!("found `{found}`");
    Err(PolicyError::new(path, problem, format!("`{expected}`"), format!("{path}: {expected}")))
}

/// Checks the bounds of the replica count.
pub(super) fn check_bounds(min: i32, max: i32) -> Checked<()> {
    if min < 0 {
        let problem = format!("{min} is negative");
        return Err(PolicyError::new("spec.minReplicas", problem, "0 or more", "minReplicas: 1"));
    }
    if max < 1 || max < min {
        let problem = format!("{max} with a minimum of {min}");
        return Err(PolicyError::new(
            "spec.maxReplicas",
            problem,
            "at least 1 and at least minReplicas",
            format!("maxReplicas: {}", min.max(10)),
        ));
    }
    Ok(())
}

/// Checks that a minimum of zero can be left again.
pub(super) fn check_zero(min: i32, metrics: &[Metric], flags: &ControllerFlags) -> Checked<()> {
    if min != 0 || (flags.scale_to_zero && metrics.iter().any(Metric::works_at_zero)) {
        return Ok(());
    }
    Err(PolicyError::new(
        "spec.minReplicas",
        "0 without a metric that exists without replicas",
        "at least one Object or External metric, or a minimum of 1 or more",
        "minReplicas: 1",
    ))
}

fn metrics(specs: &[MetricSpec], template: &PodTemplate) -> Checked<Vec<Metric>> {
    if specs.is_empty() {
        let request = template.request("cpu", None);
        let goal = Goal::Utilization {
            percent: 80,
            request,
            cpu: true,
        };
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
            let path = format!("{path}.resource");
            let request = template.request(&source.name, None);
            let goal = resource_goal(&source.name, &source.target, request, &path)?;
            let need = Need::Resource(named(&source.name, &path)?);
            Ok(Metric { need, goal })
        }
        ("ContainerResource", MetricSpec { container_resource: Some(source), .. }) => {
            let path = format!("{path}.containerResource");
            let request = template.request(&source.name, Some(&source.container));
            let goal = resource_goal(&source.name, &source.target, request, &path)?;
            let resource = named(&source.name, &path)?;
            let container = named(&source.container, &path)?;
            Ok(Metric { need: Need::ContainerResource { container, resource }, goal })
        }
        ("Pods", MetricSpec { pods: Some(source), .. }) => {
            let path = format!("{path}.pods");
            let need = Need::Pods(identified(&source.metric, &path)?);
            let milli = check_target(&source.target, &path)?.average;
            let milli = milli.ok_or_else(|| target_error(&path, "averageValue"))?;
            Ok(Metric { need, goal: Goal::Average { milli, cpu: false } })
        }
        ("Object", MetricSpec { object: Some(source), .. }) => {
            let path = format!("{path}.object");
            let need = Need::Object(identified(&source.metric, &path)?);
            let target = check_target(&source.target, &path)?;
            let goal = match (source.target.kind.as_str(), target.value, target.average) {
                ("Value", Some(milli), _) => Goal::TotalValue { milli },
                ("AverageValue", _, Some(milli)) => Goal::TotalAverage { milli },
                _ => return Err(target_error(&path, "value or averageValue, whichever `type` names")),
            };
            Ok(Metric { need, goal })
        }
        ("External", MetricSpec { external: Some(source), .. }) => {
            let path = format!("{path}.external");
            let need = Need::External(identified(&source.metric, &path)?);
            let target = check_target(&source.target, &path)?;
            let goal = match (target.value, target.average) {
                (Some(milli), None) => Goal::TotalValue { milli },
                (None, Some(milli)) => Goal::TotalAverage { milli },
                _ => return Err(target_error(&path, "either value or averageValue")),
            };
            Ok(Metric { need, goal })
        }
        _ => Err(source_error(spec, path)),
    }
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
    Ok(Millis {
        value: milli(target.value, "value")?,
        average: milli(target.average_value, "averageValue")?,
    })
}

fn tolerances(behavior: Option<&BehaviorSpec>, flags: &ControllerFlags) -> Tolerances {
    let stated = |rules: Option<&RulesSpec>| {
        rules.and_then(|rules| rules.tolerance).map_or(flags.tolerance, Quantity::approximate)
    };
    Tolerances {
        down: stated(behavior.and_then(|b| b.scale_down.as_ref())),
        up: stated(behavior.and_then(|b| b.scale_up.as_ref())),
    }
}

fn behavior(spec: &BehaviorSpec, flags: &ControllerFlags) -> Checked<Behavior> {
    let whole_seconds = Span::from_secs(flags.downscale_stabilization.0 / Span::SECOND.0);
    let up = spec.scale_up.as_ref();
    let down = spec.scale_down.as_ref();
    Ok(Behavior {
        up: rules(up, Rules::upwards(), "spec.behavior.scaleUp")?,
        down: rules(down, Rules::downwards(whole_seconds), "spec.behavior.scaleDown")?,
    })
}

fn rules(spec: Option<&RulesSpec>, mut rules: Rules, path: &str) -> Checked<Rules> {
    let Some(spec) = spec else {
        return Ok(rules);
    };
    if let Some(seconds) = spec.stabilization_window_seconds {
        rules.window = seconds_within(seconds, 0, 3600, &format!("{path}.stabilizationWindowSeconds"))?;
    }
    if let Some(select) = &spec.select_policy {
        rules.select = match select.as_str() {
            "Max" => Select::Largest,
            "Min" => Select::Smallest,
            "Disabled" => Select::Disabled,
            other => {
                let problem = format!("found `{other}`");
                let field = format!("{path}.selectPolicy");
                return Err(PolicyError::new(field, problem, "Max, Min or Disabled", "Max"));
            }
        };
    }
    if let Some(policies) = &spec.policies {
        let path = format!("{path}.policies");
        if policies.is_empty() {
            let example = "[{type: Percent, value: 100, periodSeconds: 15}]";
            return Err(PolicyError::new(path, "an empty list", "at least one policy", example));
        }
        let each = policies.iter().enumerate();
        rules.rates =
            each.map(|(i, policy)| rate(policy, &format!("{path}[{i}]"))).collect::<Checked<_>>()?;
    }
    if spec.tolerance.is_some_and(|tolerance| tolerance < Quantity::default()) {
        let field = format!("{path}.tolerance");
        return Err(PolicyError::new(field, "a negative tolerance", "0 or more", "50m"));
    }
    Ok(rules)
}

fn rate(spec: &RateSpec, path: &str) -> Checked<Rate> {
    let unit = match spec.kind.as_str() {
        "Pods" => Unit::Pods,
        "Percent" => Unit::Percent,
        other => {
            let problem = format!("found `{other}`");
            return Err(PolicyError::new(format!("{path}.type"), problem, "Pods or Percent", "Pods"));
        }
    };
    if spec.value < 1 {
        let problem = format!("found {}", spec.value);
        return Err(PolicyError::new(format!("{path}.value"), problem, "1 or more", "4"));
    }
    let period = seconds_within(spec.period_seconds, 1, 1800, &format!("{path}.periodSeconds"))?;
    Ok(Rate { unit, value: spec.value, period })
}

fn seconds_within(seconds: i32, low: i32, high: i32, path: &str) -> Checked<Span> {
    if !(low..=high).contains(&seconds) {
        let problem = format!("found {seconds}");
        let expected = format!("{low} to {high} seconds");
        return Err(PolicyError::new(path, problem, expected, "60"));
    }
    Ok(Span::from_secs(seconds as u64))
}
