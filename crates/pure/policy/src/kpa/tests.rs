//! Facts from upstream's own tests (`autoscaler_test.go`, `scaler_test.go`, `sample_size_test.go`), in
//! our words.

use homeostat_core::observe::{Phase, Readiness, ReplicaView, Sample};
use homeostat_core::{Observation, Reading, ReplicaId};

use super::*;

const START: Instant = Instant(1_000_000_000_000);

fn target_of(target: f64) -> KpaSpec {
    KpaSpec { target: Some(target), target_utilization_percentage: 100.0, ..KpaSpec::default() }
}

fn seen(second: u64, count: u64, per_replica: i64, held: i64) -> Observation {
    let at = START + Span::from_secs(second);
    let replica = |id| ReplicaView {
        id: ReplicaId(id),
        phase: Phase::Running,
        started_at: Some(START),
        readiness: Some(Readiness { ready: true, since: START }),
        deleting: false,
    };
    let sample = |id| Sample { replica: ReplicaId(id), milli: per_replica, at, window: Span::SECOND };
    Observation {
        at,
        desired: count as u32,
        current: count as u32,
        replicas: (0..count).map(replica).collect(),
        readings: vec![
            Reading::PerReplica((0..count).map(sample).collect()),
            Reading::Total { milli: vec![held], at },
        ],
    }
}

/// Runs a policy against a target that follows at once; the load is spread evenly.
fn follow(spec: KpaSpec, start: u64, load: impl Fn(u64) -> i64, seconds: u64) -> Vec<u32> {
    let mut kpa = Kpa::new(spec).unwrap();
    let (mut count, mut counts) = (start, Vec::new());
    for second in 0..seconds {
        let total = load(second);
        let observation = match count {
            0 => seen(second, 0, 0, total),
            n => seen(second, n, total / n as i64, 0),
        };
        let plan = kpa.decide(&observation);
        count = u64::from(plan.replicas);
        counts.push(plan.replicas);
    }
    counts
}

#[test]
fn the_count_is_load_over_target() {
    let counts = follow(target_of(10.0), 1, |_| 45_000, 70);
    assert_eq!(*counts.last().unwrap(), 5);
}

#[test]
fn a_surge_panics_and_does_not_shrink_for_a_stable_window() {
    let load = |second| if second < 10 { 100_000 } else { 10_000 };
    let counts = follow(target_of(10.0), 1, load, 90);
    assert_eq!(counts[5], 10);
    assert!(counts[5..=62].iter().all(|count| *count == 10), "{counts:?}");
    assert!(*counts.last().unwrap() < 10);
}

#[test]
fn growth_keeps_to_its_rate() {
    let spec = KpaSpec { max_scale_up_rate: 2.0, ..target_of(1.0) };
    assert_eq!(follow(spec, 1, |_| 100_000, 7), [1, 1, 2, 2, 4, 4, 8]);
}

#[test]
fn an_idle_target_goes_to_zero_and_wakes_at_once() {
    let load = |second| if second < 150 { 0 } else { 3_000 };
    let counts = follow(target_of(1.0), 1, load, 160);
    assert_eq!(counts[30], 1);
    assert_eq!(counts[149], 0);
    assert!(counts[150] > 0, "{counts:?}");
}

#[test]
fn the_last_replica_is_kept_as_long_as_asked() {
    let retention = Span::from_secs(90);
    let spec = KpaSpec { scale_to_zero_pod_retention_period: retention, ..target_of(1.0) };
    let counts = follow(spec, 1, |_| 0, 200);
    let gone = counts.iter().position(|count| *count == 0);
    assert!(gone.is_some_and(|second| (149..=153).contains(&second)), "{gone:?}");
}

#[test]
fn scale_to_zero_can_be_switched_off() {
    let spec = KpaSpec { enable_scale_to_zero: false, ..target_of(1.0) };
    assert_eq!(follow(spec, 1, |_| 0, 200)[199], 1);
}

#[test]
fn activation_scale_holds_above_zero_only() {
    let spec = KpaSpec { activation_scale: 3, ..target_of(10.0) };
    let counts = follow(spec, 1, |second| if second < 20 { 1_000 } else { 0 }, 200);
    assert_eq!((counts[10], counts[199]), (3, 0));
}

#[test]
fn targets_follow_concurrency_and_utilization() {
    let spec =
        |container_concurrency, target| KpaSpec { container_concurrency, target, ..KpaSpec::default() };
    assert_eq!(spec(0, None).capacity(), (100.0, 70.0));
    assert_eq!(spec(10, None).capacity(), (10.0, 7.0));
    assert_eq!(spec(10, Some(50.0)).capacity(), (10.0, 7.0));
    assert_eq!(spec(0, Some(0.01)).capacity(), (0.01, 0.01));
    assert_eq!(KpaSpec { metric: KpaMetric::Rps, ..spec(10, None) }.capacity(), (200.0, 140.0));
}

#[test]
fn sample_sizes() {
    for (population, size) in [(0.0, 0.0), (1.0, 1.0), (3.0, 3.0), (5.0, 4.0), (10.0, 7.0), (100.0, 14.0)] {
        assert_eq!(sample_size(population), size);
    }
}

#[test]
fn names_the_setting_that_is_wrong() {
    let error = Kpa::new(KpaSpec { max_scale_up_rate: 1.0, ..KpaSpec::default() }).unwrap_err();
    assert_eq!(error.path, "max-scale-up-rate");
}
