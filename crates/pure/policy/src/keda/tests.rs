//! Hand-computed cases.

use super::*;
use homeostat_core::ReplicaId;
use homeostat_core::observe::{FetchError, Phase, Readiness, ReplicaView};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

/// A manifest as KEDA's documentation has them, with one trigger on requests per second.
const MANIFEST: &str = r#"{
    "apiVersion": "keda.sh/v1alpha1",
    "kind": "ScaledObject",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "scaleTargetRef": {"name": "web"},
        "maxReplicaCount": 20,
        "triggers": [{
            "type": "prometheus",
            "metadata": {
                "serverAddress": "http://prometheus:9090",
                "query": "requests_per_second",
                "threshold": "100",
                "activationThreshold": "5"
            }
        }]
    }
}"#;

fn manifest() -> ScaledObject {
    serde_json::from_str(MANIFEST).unwrap()
}

fn with(change: impl FnOnce(&mut ScaledObject)) -> Keda {
    let mut object = manifest();
    change(&mut object);
    build(&object)
}

fn build(object: &ScaledObject) -> Keda {
    Keda::new(object, &PodTemplate::single(1_000, 1_000), Instant::ZERO).unwrap()
}

fn replica(id: u32) -> ReplicaView {
    ReplicaView {
        id: ReplicaId(id.into()),
        phase: Phase::Running,
        started_at: Some(Instant::ZERO),
        readiness: Some(Readiness { ready: true, since: Instant::ZERO }),
        deleting: false,
    }
}

fn seen(seconds: u64, count: u32, reading: Reading) -> Observation {
    Observation {
        at: Instant(seconds * SECOND),
        desired: count,
        current: count,
        replicas: (0..count).map(replica).collect(),
        readings: vec![reading],
    }
}

fn rate(seconds: u64, count: u32, per_second: i64) -> Observation {
    let at = Instant(seconds * SECOND);
    seen(seconds, count, Reading::Total { milli: vec![per_second * 1_000], at })
}

fn lost(seconds: u64, count: u32) -> Observation {
    seen(seconds, count, Reading::Failed(FetchError::Unavailable))
}

fn fallback(behavior: FallbackBehavior) -> Fallback {
    Fallback { failure_threshold: 3, replicas: 6, behavior }
}

#[test]
fn reads_a_manifest_as_it_is() {
    let policy = build(&manifest());
    assert_eq!(policy.needs(), [Need::External("requests_per_second".to_owned())]);
    assert_eq!(policy.cadence().period, Span::from_secs(15));
    let text = serde_json::to_string(&manifest()).unwrap();
    assert_eq!(serde_json::from_str::<ScaledObject>(&text).unwrap(), manifest());
}

#[test]
fn wakes_by_the_operator_and_grows_by_the_autoscaler() {
    let mut policy = build(&manifest());
    assert_eq!(policy.decide(&rate(0, 0, 5)).replicas, 0); // not above the activation threshold
    assert_eq!(policy.decide(&rate(15, 0, 250)).replicas, 0); // the operator looks every 30 s
    let plan = policy.decide(&rate(30, 0, 250));
    assert_eq!((plan.replicas, plan.reasons[0].rule), (1, Rule::Wake));
    // ⌈250 / 100⌉ = 3.
    let plan = policy.decide(&rate(45, 1, 250));
    assert_eq!((plan.replicas, plan.reasons[0].rule), (3, Rule::MetricRatio));
    assert_eq!(plan.reasons[0].need, Some(0));
}

#[test]
fn goes_to_zero_after_the_cool_down() {
    let mut policy = build(&manifest());
    policy.decide(&rate(0, 1, 50));
    for seconds in (15..=300).step_by(15) {
        let plan = policy.decide(&rate(seconds, 1, 0));
        assert_eq!(plan.replicas, 1, "{seconds}");
    }
    let plan = policy.decide(&rate(330, 1, 0));
    assert_eq!((plan.replicas, plan.reasons[0].rule), (0, Rule::Idle));
    assert_eq!((plan.reasons[0].observed_milli, plan.reasons[0].reference_milli), (330_000, 300_000));
}

#[test]
fn without_load_from_the_start_the_initial_cool_down_counts() {
    assert_eq!(build(&manifest()).decide(&rate(1, 5, 0)).replicas, 0);
    let mut policy = with(|object| object.spec.initial_cooldown_period = Some(60));
    let plan = policy.decide(&rate(1, 5, 0));
    assert_eq!((plan.replicas, plan.reasons.last().unwrap().rule), (5, Rule::CoolDown));
}

#[test]
fn a_minimum_keeps_the_operator_out() {
    let mut policy = with(|object| object.spec.min_replica_count = Some(2));
    assert_eq!(policy.decide(&rate(0, 2, 0)).replicas, 2);
    assert_eq!(policy.decide(&rate(3_600, 2, 0)).replicas, 2);
    let mut policy = with(|object| object.spec.min_replica_count = Some(2));
    assert_eq!(policy.decide(&rate(0, 1, 0)).replicas, 2);
}

#[test]
fn an_idle_count_stands_below_the_minimum() {
    let mut policy = with(|object| {
        object.spec.min_replica_count = Some(3);
        object.spec.idle_replica_count = Some(0);
    });
    assert_eq!(policy.decide(&rate(1, 3, 0)).replicas, 0);
    assert_eq!(policy.decide(&rate(31, 0, 50)).replicas, 3);
}

#[test]
fn failures_take_nothing_down() {
    let mut policy = build(&manifest());
    for seconds in (0..1_200).step_by(15) {
        assert_eq!(policy.decide(&lost(seconds, 4)).replicas, 4, "{seconds}");
    }
}

#[test]
fn falls_back_from_the_failure_after_the_threshold() {
    let mut policy = with(|object| object.spec.fallback = Some(fallback(FallbackBehavior::Static)));
    for seconds in [0, 15, 30] {
        assert_eq!(policy.decide(&lost(seconds, 5)).replicas, 5, "{seconds}");
    }
    let plan = policy.decide(&lost(45, 5));
    assert_eq!((plan.replicas, plan.reasons[0].rule), (6, Rule::Fallback));
    // One good value and the count of failures starts again.
    policy.decide(&rate(60, 6, 600));
    let plan = policy.decide(&lost(75, 6));
    assert!(plan.reasons.iter().all(|reason| reason.rule != Rule::Fallback));
}

#[test]
fn fallbacks_look_at_the_present_count() {
    let after_four = |behavior, count| {
        let mut policy = with(|object| object.spec.fallback = Some(fallback(behavior)));
        (0..4).map(|turn| policy.decide(&lost(turn * 15, count)).replicas).last().unwrap()
    };
    assert_eq!(after_four(FallbackBehavior::CurrentReplicas, 4), 4);
    assert_eq!(after_four(FallbackBehavior::CurrentReplicasIfHigher, 9), 9);
    assert_eq!(after_four(FallbackBehavior::CurrentReplicasIfHigher, 4), 6);
    assert_eq!(after_four(FallbackBehavior::CurrentReplicasIfLower, 4), 4);
}

#[test]
fn no_series_is_zero_for_prometheus_unless_told_otherwise() {
    let empty = |seconds| seen(seconds, 4, Reading::Failed(FetchError::Empty));
    assert_eq!(build(&manifest()).decide(&empty(1)).replicas, 0);
    let mut strict = with(|object| {
        let metadata = &mut object.spec.triggers[0].metadata;
        metadata.insert("ignoreNullValues".to_owned(), "false".to_owned());
    });
    assert_eq!(strict.decide(&empty(1)).replicas, 4);
}

#[test]
fn annotations_pause() {
    let annotated = |name: &str, value: &str| {
        with(|object| {
            object.metadata.annotations.insert(format!("autoscaling.keda.sh/{name}"), value.to_owned());
        })
    };
    assert_eq!(annotated("paused-replicas", "4").decide(&rate(0, 9, 0)).replicas, 4);
    assert_eq!(annotated("paused", "true").decide(&rate(0, 9, 0)).replicas, 9);
    assert_eq!(annotated("paused", "false").decide(&rate(1, 9, 0)).replicas, 0);
    assert_eq!(annotated("paused-scale-in", "true").decide(&rate(1, 9, 0)).replicas, 9);
    assert_eq!(annotated("paused-scale-out", "true").decide(&rate(0, 0, 90)).replicas, 0);
    assert_eq!(annotated("paused-scale-out", "true").decide(&rate(0, 2, 900)).replicas, 2);
    assert_eq!(annotated("force-activation", "true").decide(&rate(0, 0, 0)).replicas, 1);
}

#[test]
fn a_schedule_is_a_trigger_too() {
    let mut policy = with(|object| {
        let metadata = [
            ("timezone", "Etc/UTC"),
            ("start", "0 8 * * *"),
            ("end", "0 20 * * *"),
            ("desiredReplicas", "4"),
        ];
        object.spec.triggers.insert(
            0,
            Trigger {
                kind: "cron".to_owned(),
                metadata: metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
                ..Trigger::default()
            },
        );
    });
    assert_eq!(policy.needs().len(), 1);
    assert_eq!(policy.decide(&rate(7 * 3_600, 0, 0)).replicas, 0);
    assert_eq!(policy.decide(&rate(8 * 3_600, 0, 0)).replicas, 1);
    let plan = policy.decide(&rate(8 * 3_600 + 15, 1, 0));
    assert_eq!(plan.replicas, 4);
    // The first metric of the autoscaler is the calendar, which the world knows nothing of.
    assert_eq!((plan.reasons[0].need, plan.reasons[1].need), (None, Some(0)));
}

#[test]
fn cpu_alone_never_goes_to_zero() {
    let cpu = Trigger {
        kind: "cpu".to_owned(),
        metadata: [("value".to_owned(), "50".to_owned())].into(),
        metric_type: Some("Utilization".to_owned()),
        ..Trigger::default()
    };
    let mut policy = with(|object| object.spec.triggers = vec![cpu]);
    assert_eq!(policy.needs(), [Need::Resource("cpu".to_owned())]);
    let idle = seen(3_600, 3, Reading::PerReplica(Vec::new()));
    assert_eq!(policy.decide(&idle).replicas, 3);
}

#[test]
fn refuses_what_it_cannot_do_and_says_what_it_can() {
    let refused = |change: &dyn Fn(&mut ScaledObject)| {
        let mut object = manifest();
        change(&mut object);
        Keda::new(&object, &PodTemplate::default(), Instant::ZERO).unwrap_err().to_string()
    };
    let message = refused(&|object| object.spec.triggers[0].kind = "kafka".to_owned());
    assert!(message.contains("kafka") && message.contains("prometheus"), "{message}");
    let query = "sum(rate(http_requests_total[2m]))";
    let message = refused(&|object| {
        object.spec.triggers[0].metadata.insert("query".to_owned(), query.to_owned());
    });
    assert!(message.contains("plain name"), "{message}");
    assert!(refused(&|object| object.spec.min_replica_count = Some(30)).contains("maxReplicaCount"));
    assert!(refused(&|object| object.spec.idle_replica_count = Some(0)).contains("idleReplicaCount"));
    assert!(refused(&|object| object.kind = "Deployment".to_owned()).contains("ScaledObject"));
    assert!(refused(&|object| object.spec.triggers.clear()).contains("triggers"));
}

proptest! {
    #[test]
    fn bounds_hold_and_lost_metrics_never_shrink(
        rates in prop::collection::vec(prop::option::of(0..5_000_i64), 1..60),
        start in 0..20_u32,
        min in 0..3_i32,
    ) {
        let build = || with(|object| object.spec.min_replica_count = Some(min));
        let (mut one, mut other) = (build(), build());
        let mut count = start;
        for (turn, per_second) in rates.iter().enumerate() {
            let seconds = turn as u64 * 15;
            let observation = match per_second {
                Some(per_second) => rate(seconds, count, *per_second),
                None => lost(seconds, count),
            };
            let plan = one.decide(&observation);
            prop_assert!(plan.replicas <= 20);
            prop_assert!(per_second.is_some() || plan.replicas >= count);
            prop_assert!(!plan.reasons.is_empty());
            prop_assert_eq!(&plan, &other.decide(&observation));
            count = plan.replicas;
        }
    }
}
