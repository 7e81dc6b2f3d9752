//! Hand-computed cases.

use homeostat_core::observe::{Phase, Readiness, Sample};

use super::*;

fn at(minute: u64) -> Instant {
    Instant::ZERO + Span::MINUTE * minute
}

fn seen(minute: u64, ready_since: &[u64], reading: Option<Reading>) -> Observation {
    let view = |(id, since): (usize, &u64)| ReplicaView {
        id: ReplicaId(id as u64),
        phase: Phase::Running,
        started_at: Some(at(*since)),
        readiness: Some(Readiness { ready: true, since: at(*since) }),
        deleting: false,
    };
    Observation {
        at: at(minute),
        desired: ready_since.len() as u32,
        current: ready_since.len() as u32,
        replicas: ready_since.iter().enumerate().map(view).collect(),
        readings: reading.into_iter().collect(),
    }
}

fn samples(minute: u64, values: &[i64]) -> Reading {
    let sample = |(id, milli): (usize, &i64)| Sample {
        replica: ReplicaId(id as u64),
        milli: *milli,
        at: at(minute),
        window: Span::MINUTE,
    };
    Reading::PerReplica(values.iter().enumerate().map(sample).collect())
}

#[test]
fn the_oldest_over_age_is_evicted_alone() {
    let spec = RestartSpec { max_age: Some(Span::HOUR), ..RestartSpec::default() };
    let mut policy = Restart::new(&spec, 1, None).unwrap();
    assert_eq!(policy.decide(&seen(59, &[0, 0, 30], None)).replace, []);
    let plan = policy.decide(&seen(70, &[5, 0, 30], None));
    assert_eq!((plan.replace, plan.surge, plan.abstains), (vec![ReplicaId(1)], 0, true));
    assert_eq!(plan.reasons[0].rule, Rule::MaxAge);
}

#[test]
fn with_a_surge_one_more_comes_first() {
    let spec = RestartSpec { max_age: Some(Span::HOUR), surge: true, ..RestartSpec::default() };
    let mut policy = Restart::new(&spec, 1, None).unwrap();
    let plan = policy.decide(&seen(61, &[0, 0], None));
    assert_eq!((plan.surge, plan.replace.len()), (1, 0));
    // The third is ready.
    let mut after = seen(64, &[0, 0, 63], None);
    after.desired = 2;
    let plan = policy.decide(&after);
    assert_eq!((plan.surge, plan.retire), (0, vec![ReplicaId(0)]));
}

#[test]
fn requests_are_counted_from_their_rate() {
    let spec = RestartSpec { max_requests: Some(1_000.0), ..RestartSpec::default() };
    let mut policy = Restart::new(&spec, 1, None).unwrap();
    // 2 and 9 per second: 540 a minute reach 1 000 in the second minute.
    for minute in 1..=2 {
        let plan = policy.decide(&seen(minute, &[0, 0], Some(samples(minute, &[2_000, 9_000]))));
        assert_eq!(plan.replace, if minute == 2 { vec![ReplicaId(1)] } else { vec![] });
    }
}

#[test]
fn memory_above_its_share_of_the_limit() {
    let spec = RestartSpec { memory_percent: Some(80.0), ..RestartSpec::default() };
    let mut policy = Restart::new(&spec, 1, Some(1_000.0)).unwrap();
    let mib = |mib: i64| mib * 1_048_576 * 1_000;
    let plan = policy.decide(&seen(1, &[0, 0], Some(samples(1, &[mib(799), mib(801)]))));
    assert_eq!(plan.replace, [ReplicaId(1)]);
}

#[test]
fn nobody_is_evicted_while_somebody_is_missing_or_too_few_would_stay() {
    let spec = RestartSpec { max_age: Some(Span::HOUR), min_ready: Some(2), ..RestartSpec::default() };
    let mut policy = Restart::new(&spec, 1, None).unwrap();
    assert_eq!(policy.decide(&seen(70, &[0, 0], None)).replace, []);
    let mut missing = seen(70, &[0, 0, 0], None);
    missing.desired = 4;
    assert_eq!(policy.decide(&missing).replace, []);
}

#[test]
fn a_restart_without_a_condition_is_refused() {
    let refused = |spec: RestartSpec| Restart::new(&spec, 1, None).unwrap_err().to_string();
    assert!(refused(RestartSpec::default()).contains("max_age"));
    let percent = RestartSpec { memory_percent: Some(90.0), ..RestartSpec::default() };
    assert!(refused(percent).contains("memory_limit_mib"));
}
