//! Facts from upstream's own tables (`replica_calculator_test.go`, `horizontal_test.go`) and from its
//! validation, in our words.

use homeostat_core::observe::{FetchError, Phase, Readiness, ReplicaView, Sample};
use homeostat_core::{Instant, Observation, Plan, Policy, Reading, ReplicaId, Rule, Span};

use super::*;

const NOW: Instant = Instant(10_000_000_000_000);

fn replica(id: u64) -> ReplicaView {
    let long_ago = NOW.back(Span::HOUR);
    ReplicaView {
        id: ReplicaId(id),
        phase: Phase::Running,
        started_at: Some(long_ago),
        readiness: Some(Readiness { ready: true, since: long_ago }),
        deleting: false,
    }
}

/// Ready replicas; `None` stands for a missing value.
fn seen(values: &[Option<i64>]) -> Observation {
    let sample = |id: usize, milli: i64| Sample {
        replica: ReplicaId(id as u64),
        milli,
        at: NOW,
        window: Span::MINUTE,
    };
    let samples = values.iter().enumerate().filter_map(|(id, v)| v.map(|v| sample(id, v)));
    let count = values.len() as u32;
    Observation {
        at: NOW,
        desired: count,
        current: count,
        replicas: (0..values.len()).map(|id| replica(id as u64)).collect(),
        readings: vec![Reading::PerReplica(samples.collect())],
    }
}

fn all(values: &[i64]) -> Observation {
    seen(&values.iter().copied().map(Some).collect::<Vec<_>>())
}

fn decide(spec: &HpaSpec, observation: &Observation) -> Plan {
    let template = PodTemplate::single(1000, 0);
    Hpa::new(spec, &template, ControllerFlags::default()).unwrap().decide(observation)
}

fn cpu(percent: i32) -> HpaSpec {
    HpaSpec::cpu_utilization(percent, 1, 100)
}

fn total(milli: &[i64], mut observation: Observation) -> Observation {
    observation.readings = vec![Reading::Total { milli: milli.to_vec(), at: NOW }];
    observation
}

#[test]
fn cpu_utilization_scales_up_and_down() {
    assert_eq!(decide(&cpu(30), &all(&[300, 500, 700])).replicas, 5);
    let mut down = Hpa::new(&cpu(50), &PodTemplate::single(1000, 0), flags_at_once()).unwrap();
    let mut observation = all(&[100, 300, 500, 250, 250]);
    assert_eq!(down.decide(&observation).replicas, 5, "the count at the start is a recommendation");
    observation.at = NOW + Span::from_secs(15);
    assert_eq!(down.decide(&observation).replicas, 3);
}

fn flags_at_once() -> ControllerFlags {
    ControllerFlags { downscale_stabilization: Span::ZERO, ..ControllerFlags::default() }
}

#[test]
fn tolerance_keeps_the_count() {
    let plan = decide(&HpaSpec::cpu_utilization(100, 1, 10), &all(&[1010, 1030, 1020]));
    assert_eq!(plan.replicas, 3);
    assert_eq!(plan.reasons[0].rule, Rule::WithinTolerance);
}

#[test]
fn missing_values_count_as_none_on_the_way_up() {
    let plan = decide(&HpaSpec::cpu_utilization(50, 1, 10), &seen(&[Some(1000), None]));
    assert_eq!(plan.replicas, 2);
    assert_eq!(plan.reasons[0].observed_milli, 100_000);
}

#[test]
fn missing_values_count_as_full_on_the_way_down() {
    let mut policy = Hpa::new(&cpu(50), &PodTemplate::single(1000, 0), flags_at_once()).unwrap();
    assert_eq!(policy.decide(&seen(&[Some(100), Some(450), None])).replicas, 3);
}

#[test]
fn unready_replicas_hold_growth_back() {
    let mut observation = all(&[400, 500, 700]);
    for id in [0, 1] {
        observation.replicas[id].readiness = Some(Readiness { ready: false, since: NOW.back(Span::HOUR) });
    }
    assert_eq!(decide(&cpu(30), &observation).replicas, 3);
}

#[test]
fn failed_and_deleted_replicas_do_not_count() {
    let mut observation = all(&[400, 500, 700, 400]);
    observation.desired = 2;
    observation.replicas[2].phase = Phase::Failed;
    observation.replicas[3].deleting = true;
    assert_eq!(decide(&cpu(30), &observation).replicas, 3);
}

#[test]
fn a_ratio_of_exactly_one_and_a_tenth_moves_nothing() {
    let spec = HpaSpec::external_metric("wanted", Quantity::from_milli(1000), 1, 100);
    let observation = total(&[11_000], all(&[0; 10]));
    assert_eq!(decide(&spec, &observation).replicas, 10);
    assert_eq!(decide(&spec, &total(&[12_000], all(&[0; 10]))).replicas, 12);
}

#[test]
fn growth_is_limited_without_a_behavior() {
    let spec = HpaSpec::external_metric("queue", Quantity::from_milli(1000), 1, 100);
    let plan = decide(&spec, &total(&[50_000], all(&[0])));
    assert_eq!(plan.replicas, 4);
    assert_eq!(plan.reasons.last().unwrap().rule, Rule::RateLimited);
}

#[test]
fn zero_set_by_hand_is_a_pause() {
    let mut spec = HpaSpec::external_metric("queue", Quantity::from_milli(1000), 0, 9);
    let observation = total(&[5000], all(&[]));
    let plan = decide(&spec, &observation);
    assert_eq!((plan.replicas, plan.reasons[0].rule), (0, Rule::PausedAtZero));
    spec.spec.min_replicas = Some(2);
    assert_eq!(decide(&spec, &observation).replicas, 0);
}

#[test]
fn zero_of_its_own_making_is_left_again() {
    let spec = HpaSpec::external_metric("queue", Quantity::from_milli(1000), 0, 9);
    let mut policy = Hpa::new(&spec, &PodTemplate::default(), flags_at_once()).unwrap();
    let mut idle = total(&[0], all(&[0]));
    assert_eq!(policy.decide(&idle).replicas, 1);
    idle.at = NOW + Span::from_secs(15);
    assert_eq!(policy.decide(&idle).replicas, 0);
    let mut busy = total(&[3000], all(&[]));
    busy.at = NOW + Span::from_secs(30);
    assert_eq!(policy.decide(&busy).replicas, 3);
}

#[test]
fn a_count_out_of_bounds_goes_to_the_bound_at_once() {
    let plan = decide(&HpaSpec::cpu_utilization(50, 5, 9), &all(&[900, 900]));
    assert_eq!((plan.replicas, plan.reasons[0].rule), (5, Rule::OutOfBounds));
    assert_eq!(decide(&HpaSpec::cpu_utilization(50, 1, 2), &all(&[0; 4])).replicas, 2);
}

#[test]
fn a_failed_metric_forbids_to_shrink_but_not_to_grow() {
    let mut spec = HpaSpec::pods_metric("qps", Quantity::from_milli(1000), 1, 100);
    spec.spec.metrics.push(MetricSpec::external("queue", Quantity::from_milli(1000)));
    for (value, expected) in [(2000, 4), (100, 2)] {
        let mut observation = all(&[value, value]);
        observation.readings.push(Reading::Failed(FetchError::Unavailable));
        assert_eq!(decide(&spec, &observation).replicas, expected);
    }
}

/// Feeds `totals` sync by sync to a manifest with this behavior; the target follows at once.
fn follow(behavior: &str, start: usize, totals: &[i64]) -> Vec<u32> {
    let mut spec = HpaSpec::external_metric("queue", Quantity::from_milli(1000), 1, 100);
    spec.spec.behavior = Some(serde_json::from_str(behavior).unwrap());
    let mut policy = Hpa::new(&spec, &PodTemplate::default(), ControllerFlags::default()).unwrap();
    let mut count = start;
    let syncs = totals.iter().zip(0..).map(|(milli, k)| {
        let mut observation = total(&[*milli], all(&vec![0; count]));
        observation.at = NOW + Span::from_secs(15 * k);
        count = policy.decide(&observation).replicas as usize;
        count as u32
    });
    syncs.collect()
}

#[test]
fn rates_look_back_over_their_period() {
    let up = r#"{"scaleUp":{"policies":[{"type":"Pods","value":3,"periodSeconds":60}]}}"#;
    assert_eq!(follow(up, 2, &[50_000; 6]), [5, 5, 5, 5, 8, 8]);
    let down = r#"{"scaleDown":{"stabilizationWindowSeconds":0,
        "policies":[{"type":"Percent","value":30,"periodSeconds":15}]}}"#;
    assert_eq!(follow(down, 10, &[1000; 4]), [7, 4, 2, 1]);
}

#[test]
fn the_smallest_change_counts_where_asked_for() {
    let up = r#"{"scaleUp":{"selectPolicy":"Min","policies":[{"type":"Pods","value":2,"periodSeconds":15},
        {"type":"Percent","value":100,"periodSeconds":15}]}}"#;
    assert_eq!(follow(up, 4, &[50_000; 2]), [6, 8]);
}

#[test]
fn a_direction_can_be_switched_off() {
    let off = r#"{"scaleDown":{"selectPolicy":"Disabled"},"scaleUp":{"selectPolicy":"Disabled"}}"#;
    assert_eq!(follow(off, 4, &[50_000, 0]), [4, 4]);
}

#[test]
fn windows_hold_back_in_both_directions() {
    let behavior = r#"{"scaleUp":{"stabilizationWindowSeconds":30},
        "scaleDown":{"stabilizationWindowSeconds":30}}"#;
    assert_eq!(follow(behavior, 4, &[8000, 8000, 8000, 2000, 2000, 2000]), [4, 4, 8, 8, 2, 2]);
}

#[test]
fn a_tolerance_of_its_own_replaces_the_controllers() {
    let exact = r#"{"scaleUp":{"tolerance":"0"},"scaleDown":{"tolerance":"0.3"}}"#;
    assert_eq!(follow(exact, 10, &[11_000]), [11]);
    assert_eq!(follow(exact, 10, &[7100, 7100]), [10, 10]);
}

fn manifest(spec: &str) -> Result<HpaSpec, serde_json::Error> {
    serde_json::from_str(&format!(
        r#"{{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler",
        "metadata":{{"name":"a","labels":{{"b":"c"}}}},"status":{{"currentReplicas":3}},
        "spec":{{"scaleTargetRef":{{"kind":"Deployment","name":"w"}},"maxReplicas":5{spec}}}}}"#
    ))
}

#[test]
fn reads_a_manifest_as_it_is() {
    let spec = manifest(
        r#","metrics":[{"type":"Pods","pods":{"metric":{"name":"qps"},
        "target":{"type":"AverageValue","averageValue":"1k"}}}],"behavior":{"scaleDown":
        {"policies":[{"type":"Percent","value":10,"periodSeconds":60}],"tolerance":"50m"}}"#,
    );
    let policy = Hpa::new(&spec.unwrap(), &PodTemplate::default(), ControllerFlags::default());
    assert_eq!(policy.unwrap().needs(), [Need::Pods("qps".to_owned())]);
}

#[test]
fn refuses_unknown_fields() {
    assert!(manifest(r#","minReplica":1"#).is_err());
}

#[test]
fn names_the_field_that_is_wrong() {
    for (spec, path) in [
        (r#","minReplicas":0"#, "spec.minReplicas"),
        (r#","minReplicas":6"#, "spec.maxReplicas"),
        (r#","behavior":{"scaleUp":{"policies":[]}}"#, "spec.behavior.scaleUp.policies"),
        (r#","behavior":{"scaleUp":{"selectPolicy":"Most"}}"#, "spec.behavior.scaleUp.selectPolicy"),
        (r#","metrics":[{"type":"Pods"}]"#, "spec.metrics[0]"),
    ] {
        let template = PodTemplate::default();
        let error = Hpa::new(&manifest(spec).unwrap(), &template, ControllerFlags::default());
        assert_eq!(error.unwrap_err().path, path);
    }
}
