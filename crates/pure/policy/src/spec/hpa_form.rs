//! The horizontal pod autoscaler in a few words.

use homeostat_core::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BuildContext;
use crate::error::PolicyError;
use crate::hpa::{
    BehaviorSpec, ControllerFlags, HpaSpec, MetricName, MetricSpec, NamedSource, Quantity, ResourceSource,
    RulesSpec, Target,
};

/// Targets, each of which adds a metric; the largest proposal wins, as ever.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HpaForm {
    /// CPU in per cent of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<i32>,
    /// Memory in per cent of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_percent: Option<i32>,
    /// Requests per second and replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<f64>,
    /// Requests per second and replica, in per cent of a replica's capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_percent: Option<f64>,
    /// Requests in flight per replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<f64>,
    /// Least count; from the target when left out, but at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// Greatest count; from the target when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Deviation of the ratio from 1 that causes nothing (0.1 by default), in both directions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// How long an earlier recommendation holds the count up (5 min by default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_down_window: Option<Span>,
    /// How long an earlier recommendation holds the count down (not at all by default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale_up_window: Option<Span>,
    /// Time between two decisions (15 s by default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_period: Option<Span>,
}

impl HpaForm {
    /// CPU at so many per cent of the request, everything else by default.
    pub fn cpu(percent: i32) -> Self {
        Self { cpu_percent: Some(percent), ..Self::default() }
    }

    /// The manifest that says the same.
    pub fn manifest(&self, context: &BuildContext) -> Result<HpaSpec, PolicyError> {
        let metrics = self.metrics(context)?;
        if metrics.is_empty() {
            return Err(PolicyError::new(
                "hpa",
                "there is no target",
                "a target for one metric",
                "cpu_percent: 60",
            ));
        }
        let min = self.min.unwrap_or(context.min).max(1);
        let max = self.max.unwrap_or(context.max);
        let mut manifest = HpaSpec::with_metrics(min as i32, max as i32, metrics);
        manifest.spec.behavior = self.behavior()?;
        Ok(manifest)
    }

    /// The controller's flags.
    pub fn flags(&self) -> ControllerFlags {
        let flags = ControllerFlags::default();
        ControllerFlags { sync_period: self.sync_period.unwrap_or(flags.sync_period), ..flags }
    }

    fn metrics(&self, context: &BuildContext) -> Result<Vec<MetricSpec>, PolicyError> {
        let mut metrics = Vec::new();
        metrics.extend(self.cpu_percent.map(|percent| utilization("cpu", percent)));
        metrics.extend(self.memory_percent.map(|percent| utilization("memory", percent)));
        if let Some(rate) = self.requests_per_second {
            metrics.push(pods("requests_per_second", amount("hpa.requests_per_second", rate)?));
        }
        if let Some(percent) = self.capacity_percent {
            let path = "hpa.capacity_percent";
            let rate = amount(path, context.capacity(path)? * percent / 100.0)?;
            metrics.push(pods("requests_per_second", rate));
        }
        if let Some(concurrency) = self.concurrency {
            metrics.push(pods("concurrency", amount("hpa.concurrency", concurrency)?));
        }
        Ok(metrics)
    }

    fn behavior(&self) -> Result<Option<BehaviorSpec>, PolicyError> {
        behavior("hpa", self.tolerance, self.scale_up_window, self.scale_down_window)
    }
}

/// A behavior where anything of it is set: its presence alone changes how upstream scales.
pub(super) fn behavior(
    form: &str,
    tolerance: Option<f64>,
    up: Option<Span>,
    down: Option<Span>,
) -> Result<Option<BehaviorSpec>, PolicyError> {
    if tolerance.is_none() && up.is_none() && down.is_none() {
        return Ok(None);
    }
    let tolerance = match tolerance {
        None => None,
        Some(share) if share.is_finite() && share >= 0.0 => Some(share.to_string()),
        Some(share) => {
            let (path, problem) = (format!("{form}.tolerance"), format!("`{share}`"));
            return Err(PolicyError::new(path, problem, "a share, 0 or more", "0.1"));
        }
    };
    let tolerance = tolerance.and_then(|text| text.parse().ok());
    let rules = |window: Option<Span>| RulesSpec {
        stabilization_window_seconds: window.map(|window| (window.0 / Span::SECOND.0) as i32),
        tolerance,
        ..RulesSpec::default()
    };
    Ok(Some(BehaviorSpec { scale_up: Some(rules(up)), scale_down: Some(rules(down)) }))
}

/// A positive amount as a quantity, to the thousandth.
pub(super) fn amount(path: &str, amount: f64) -> Result<Quantity, PolicyError> {
    let milli = (amount * 1_000.0).round();
    if (1.0..9e18).contains(&milli) {
        return Ok(Quantity::from_milli(milli as i64));
    }
    Err(PolicyError::new(path, format!("comes to {amount}"), "an amount of at least 0.001", "10"))
}

fn utilization(resource: &str, percent: i32) -> MetricSpec {
    let target =
        Target { kind: "Utilization".to_owned(), average_utilization: Some(percent), ..Target::default() };
    MetricSpec {
        kind: "Resource".to_owned(),
        resource: Some(ResourceSource { name: resource.to_owned(), target }),
        ..MetricSpec::default()
    }
}

fn pods(name: &str, average: Quantity) -> MetricSpec {
    let target =
        Target { kind: "AverageValue".to_owned(), average_value: Some(average), ..Target::default() };
    let metric = MetricName { name: name.to_owned(), selector: None };
    MetricSpec {
        kind: "Pods".to_owned(),
        pods: Some(NamedSource { metric, target }),
        ..MetricSpec::default()
    }
}
