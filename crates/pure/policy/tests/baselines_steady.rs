//! Where each policy of the catalogue settles under constant load, worked out by hand.

use homeostat_core::observe::{Phase, Readiness, ReplicaView, Sample};
use homeostat_core::{Instant, Need, Observation, Policy, Reading, ReplicaId, Span};
use homeostat_policy::hpa::PodTemplate;
use homeostat_policy::spec::{BuildContext, catalog};

/// Requests per second that arrive, and that one replica (of one core) can serve.
const RATE: i64 = 200;
const CAPACITY: i64 = 20;
/// Requests in flight, and how many of them index packing gives to one replica.
const IN_FLIGHT: i64 = 50;
const PACKING: i64 = 10;

fn context() -> BuildContext {
    BuildContext {
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

/// What replica `index` of `count` shows of a metric.
fn share(name: &str, index: i64, count: i64) -> i64 {
    match name {
        "cpu" => RATE * 1_000 / (CAPACITY * count),
        "requests_per_second" => RATE * 1_000 / count,
        _ => (IN_FLIGHT - index * PACKING).clamp(0, PACKING) * 1_000,
    }
}

fn answer(need: &Need, count: u32, at: Instant) -> Reading {
    let count = i64::from(count);
    match need {
        Need::Object(name) | Need::External(name) => {
            let amount = match name.as_str() {
                "requests_per_second" => RATE,
                "activator_concurrency" => 0,
                _ => IN_FLIGHT,
            };
            Reading::Total { milli: vec![amount * 1_000], at }
        }
        Need::Resource(name) | Need::Pods(name) => {
            let sample = |index| Sample {
                replica: ReplicaId(index as u64),
                milli: share(name, index, count),
                at,
                window: Span::from_secs(15),
            };
            Reading::PerReplica((0..count).map(sample).collect())
        }
        Need::ContainerResource { .. } => unreachable!("no policy of the catalogue asks for it"),
    }
}

/// A world in which orders are carried out at once.
fn observe(policy: &dyn Policy, count: u32, at: Instant) -> Observation {
    let replica = |id: u32| ReplicaView {
        id: ReplicaId(id.into()),
        phase: Phase::Running,
        started_at: Some(Instant::ZERO),
        readiness: Some(Readiness { ready: true, since: Instant::ZERO }),
        deleting: false,
    };
    Observation {
        at,
        desired: count,
        current: count,
        replicas: (0..count).map(replica).collect(),
        readings: policy.needs().iter().map(|need| answer(need, count, at)).collect(),
    }
}

/// The count after three hours, which must not have changed during the last one.
fn settle(policy: &mut dyn Policy, start: u32) -> u32 {
    let (mut at, mut count, mut changed) = (Instant::ZERO + Span::HOUR, start, Instant::ZERO);
    let end = Instant::ZERO + Span::HOUR * 4;
    while at < end {
        let plan = policy.decide(&observe(policy, count, at));
        if plan.replicas != count {
            (count, changed) = (plan.replicas, at);
        }
        at += policy.cadence().period;
    }
    assert!(end.since(changed) > Span::HOUR, "still moving at {}", changed.0);
    count
}

#[test]
fn settles_where_the_arithmetic_says() {
    // (name, from 10 replicas, from 30 replicas)
    let expected = [
        ("static", 23, 23),     // ⌈310 / 14⌉
        ("hpa-cpu-50", 20, 20), // 10 × 100 / 50; ⌈30 × 33 / 50⌉
        ("hpa-cpu-80", 13, 13), // ⌈10 × 100 / 80⌉, then 76 % is within tolerance; ⌈30 × 33 / 80⌉
        ("hpa-rps", 15, 15),    // ⌈200 / 14⌉
        ("kpa", 8, 8),          // 50 in flight, 7 per replica aimed at
        ("keda-rps", 15, 15),   // ⌈200 / 14⌉
        ("watermark", 15, 24),  // ⌈10 × 100 / 70⌉; 30 − 20 %, then 41 % is between the marks
        ("reactive", 15, 15),   // ⌈200 / 14⌉
        ("predictive-mwa", 15, 15),
        ("predictive-lr", 15, 15),
        ("autoscale--", 15, 15), // all but five are idle, fifteen are called for
    ];
    for (name, from_ten, from_thirty) in expected {
        let entry = catalog().into_iter().find(|entry| entry.name == name).unwrap();
        for (start, count) in [(10, from_ten), (30, from_thirty)] {
            let mut policy = entry.spec.with_slots(10).build(&context()).unwrap();
            assert_eq!(settle(&mut *policy, start), count, "{name} from {start}");
        }
    }
}
