//! From a manifest to rules: validation and defaults.
//!
//! Source of the checks: `pkg/apis/autoscaling/validation/validation.go`.

use homeostat_core::Span;

use super::flags::{ControllerFlags, PodTemplate};
use super::manifest::{API_VERSION, BehaviorSpec, HpaSpec, KIND, RateSpec, RulesSpec};
use super::metrics;
use super::quantity::Quantity;
use super::rules::{Behavior, Metric, Rate, Rules, Select, Tolerances, Unit};
use crate::error::PolicyError;

pub(super) type Checked<T> = Result<T, PolicyError>;

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
pub(super) fn resolve(spec: &HpaSpec, template: &PodTemplate, flags: &ControllerFlags) -> Checked<Resolved> {
    check_kind("apiVersion", &spec.api_version, API_VERSION)?;
    check_kind("kind", &spec.kind, KIND)?;
    let metrics = metrics::resolve(&spec.spec.metrics, template)?;
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
