//! Hand-computed cases.

use super::*;
use crate::hpa::PodTemplate;
use homeostat_core::observe::FetchError;
use homeostat_core::{Instant, Observation, Reading};

fn context() -> BuildContext {
    let service = ServiceModel {
        work: Span::from_millis(200),
        work_cv: 0.5,
        beyond: vec![1.0, 0.01, 0.0],
        slots: 4.0,
        start_up: Span::from_secs(120),
    };
    BuildContext {
        service: Some(service),
        promise: Some(Promise { latency: Span::SECOND, attainment: 0.999 }),
        template: PodTemplate::single(1_000, 1_000_000),
        min: 1,
        max: 50,
        capacity_per_replica: 20.0,
        memory_limit_mib: Some(4_096.0),
        peak_rate: 310.0,
        start: Instant::ZERO,
        ..BuildContext::default()
    }
}

fn read(text: &str) -> Result<Named, serde_json::Error> {
    serde_json::from_str(text)
}

fn blind(policy: &dyn Policy) -> Observation {
    let lost = Reading::Failed(FetchError::Unavailable);
    let readings = vec![lost; policy.needs().len()];
    Observation { at: Instant::ZERO, desired: 10, current: 10, replicas: Vec::new(), readings }
}

#[test]
fn the_catalog_builds_and_never_shrinks_blindly() {
    // Knative's first decisions clamp "not known yet" into the bounds, as upstream does.
    for entry in catalog().into_iter().filter(|entry| entry.name != "kpa") {
        let mut policy = entry.spec.build(&context()).unwrap();
        let plan = policy.decide(&blind(&*policy));
        assert!((10..=50).contains(&plan.replicas), "{}: {}", entry.name, plan.replicas);
        assert!(!plan.reasons.is_empty(), "{}", entry.name);
        assert!(!entry.spec.source().is_empty() && !entry.description.is_empty());
    }
}

#[test]
fn names_are_unique() {
    let names: std::collections::BTreeSet<_> = catalog().iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), catalog().len());
}

#[test]
fn the_fixed_count_is_sized_for_the_peak() {
    let mut policy = read(r#"{"static": {}}"#).unwrap().policy.build(&context()).unwrap();
    assert_eq!(policy.decide(&blind(&*policy)).replicas, 16); // ⌈310 / 20⌉
    let spare = read(r#"{"static": {"headroom": 0.5}}"#).unwrap();
    let mut policy = spare.policy.build(&context()).unwrap();
    assert_eq!(policy.decide(&blind(&*policy)).replicas, 24); // ⌈465 / 20⌉
}

#[test]
fn reads_every_form() {
    let texts = [
        r#"{"name": "five", "static": {"replicas": 5}}"#,
        r#"{"name": "a", "hpa": {"cpu_percent": 50, "tolerance": 0.05, "scale_down_window": "1m"}}"#,
        r#"{"name": "b", "keda": {"metric": "requests_per_second", "threshold": 100, "min": 0}}"#,
        r#"{"name": "c", "cron": {"default": 1, "entries": [
            {"start": "0 8 * * *", "end": "0 9 * * *", "replicas": 3}]}}"#,
        r#"{"name": "d", "watermark": {"metrics": [
            {"source": {"pods": "concurrency"}, "high": 3, "low": 1}]}}"#,
        r#"{"name": "e", "autoscale": {"variant": "autoscale--", "capacity": 60, "idle_timeout": "2m"}}"#,
        r#"{"name": "p", "phpa": {"hpa": {"cpu_percent": 50}, "decision": "mean", "models": [
            {"per_sync_period": 4, "linear": {"history_size": 6, "look_ahead": "1m"}},
            {"holt_winters": {"alpha": 0.9, "beta": 0.9, "gamma": 0.9, "trend": "add", "seasonal": "mul",
            "seasonal_periods": 6, "stored_seasons": 4}}]}}"#,
        r#"{"name": "m", "mark": {"forecaster": "peak"}}"#,
        r#"{"name": "u", "mu": {"predict": false, "slo": "5s"}}"#,
        r#"{"name": "w", "aws_predictive": {"mode": "forecast-only", "scheduling_buffer": "10m"}}"#,
        r#"{"name": "r", "rejuvenate": {"min_ready": 2, "per_hour": 6}}"#,
        r#"{"name": "s", "restart": {"max_age": "24h", "jitter": 0.1, "surge": true}}"#,
        r#"{"name": "t", "together": [{"hpa": {"cpu_percent": 60}}, {"rejuvenate": {}}]}"#,
        r#"{"name": "k", "kpa": {"metric": "rps", "target": 50, "stable-window": "30s"}}"#,
        r#"{"name": "f", "horizontal_pod_autoscaler": {"apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler", "metadata": {"name": "x"},
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "x"}, "maxReplicas": 9}}}"#,
        r#"{"name": "g", "scaled_object": {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
            "spec": {"scaleTargetRef": {"name": "x"},
            "triggers": [{"type": "cpu", "metricType": "Utilization", "metadata": {"value": "60"}}]}}}"#,
    ];
    for text in texts {
        let named = read(text).unwrap();
        named.policy.build_all(&context()).unwrap();
        let again = serde_json::to_string(&named).unwrap();
        assert_eq!(read(&again).unwrap(), named, "{again}");
    }
}

#[test]
fn refuses_what_is_unknown_or_ambiguous() {
    let message = |text: &str| read(text).unwrap_err().to_string();
    assert!(message(r#"{"name": "x", "hpaa": {}}"#).contains("hpaa"));
    assert!(message(r#"{"name": "x", "hpa": {"cpu": 5}}"#).contains("cpu_percent"));
    assert!(message(r#"{"name": "x"}"#).contains("has no kind"));
    assert!(message(r#"{"static": {"replicas": 1}, "hpa": {"cpu_percent": 5}}"#).contains("several"));
    let empty = read(r#"{"hpa": {}}"#).unwrap();
    assert!(empty.policy.build(&context()).err().unwrap().to_string().contains("cpu_percent"));
}

#[test]
fn shares_of_the_capacity_become_targets() {
    let form = HpaForm { capacity_percent: Some(70.0), ..HpaForm::default() };
    let manifest = form.manifest(&context()).unwrap();
    let target = &manifest.spec.metrics[0].pods.as_ref().unwrap().target;
    assert_eq!(target.average_value.unwrap().milli(), Some(14_000));
    let unknown = BuildContext { capacity_per_replica: 0.0, ..context() };
    assert!(form.manifest(&unknown).is_err());
}

#[test]
fn knative_aims_at_the_slots_unless_told_otherwise() {
    let slots = |spec: KpaSpec| match PolicySpec::Kpa(spec).with_slots(4) {
        PolicySpec::Kpa(spec) => spec.container_concurrency,
        _ => unreachable!(),
    };
    assert_eq!(slots(KpaSpec::default()), 4);
    assert_eq!(slots(KpaSpec { target: Some(3.0), ..KpaSpec::default() }), 0);
    let hpa = PolicySpec::Hpa(HpaForm::cpu(50));
    assert_eq!(hpa.with_slots(4), hpa);
}

#[test]
fn knative_keeps_the_bounds_of_the_target() {
    let within = context().kpa(&KpaSpec::default());
    assert_eq!((within.min_scale, within.max_scale), (1, 50));
    assert_eq!(context().kpa(&KpaSpec { max_scale: 7, ..KpaSpec::default() }).max_scale, 7);
}

#[test]
fn peers_run_under_bounds_only() {
    for entry in catalog().into_iter().filter(|entry| entry.name != "predictive") {
        assert_eq!(entry.spec.guard_profile(), GuardProfile::bounds_only());
    }
}

#[test]
fn has_a_schema() {
    let schema = serde_json::to_string(&schemars::schema_for!(Named)).unwrap();
    assert!(schema.contains("cpu_percent") && schema.contains("idle_timeout"), "{schema}");
}

#[test]
fn tells_manifests_from_our_own_forms() {
    let peek = |text| serde_json::from_str::<Peek>(text).unwrap().kind;
    assert_eq!(peek(r#"{"apiVersion": "x", "kind": "ScaledObject"}"#).as_deref(), Some("ScaledObject"));
    assert_eq!(peek(r#"{"hpa": {}}"#), None);
}

#[test]
fn todays_restarts_leave_the_count_to_the_other() {
    let counted = |text| serde_json::from_str::<PolicySpec>(text).unwrap().counted_by();
    assert_eq!(counted(r#"{"together": [{"hpa": {"cpu_percent": 60}}]}"#), "hpa");
    let restart = r#"{"together": [{"static": {"replicas": 4}}, {"restart": {"max_age": "4h"}}]}"#;
    assert_eq!(counted(restart), "static");
    assert_eq!(counted(r#"{"together": [{"hpa": {"cpu_percent": 60}}, {"rejuvenate": {}}]}"#), "together");
    assert_eq!(counted(r#"{"restart": {"max_age": "4h"}}"#), "restart");
}
