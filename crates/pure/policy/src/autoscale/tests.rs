//! Hand-computed cases.

use super::*;
use homeostat_core::ReplicaId;
use homeostat_core::observe::{FetchError, Phase, Readiness, ReplicaView, Sample};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

fn replica(id: u64) -> ReplicaView {
    ReplicaView {
        id: ReplicaId(id),
        phase: Phase::Running,
        started_at: Some(Instant::ZERO),
        readiness: Some(Readiness { ready: true, since: Instant::ZERO }),
        deleting: false,
    }
}

/// Replicas with these in-flight requests (in thousandths), and a rate in thousandths per second.
fn seen(seconds: u64, rate_milli: i64, in_flight: &[i64]) -> Observation {
    let at = Instant(seconds * SECOND);
    let window = Span::from_secs(15);
    let sample =
        |(id, milli): (usize, &i64)| Sample { replica: ReplicaId(id as u64), milli: *milli, at, window };
    let count = in_flight.len() as u32;
    Observation {
        at,
        desired: count,
        current: count,
        replicas: (0..count.into()).map(replica).collect(),
        readings: vec![
            Reading::Total { milli: vec![rate_milli], at },
            Reading::PerReplica(in_flight.iter().enumerate().map(sample).collect()),
            Reading::Total { milli: vec![in_flight.iter().sum()], at },
        ],
    }
}

fn policy(variant: Variant) -> Autoscale {
    Autoscale::new(&AutoscaleSpec::of(variant), 60.0, 800.0, (1, 30)).unwrap()
}

#[test]
fn always_on_is_sized_for_the_peak() {
    // ⌈800 / 60⌉ = 14, the count of the paper's Table III.
    let plan = policy(Variant::AlwaysOn).decide(&seen(0, 0, &[]));
    assert_eq!((plan.replicas, plan.reasons[0].rule), (14, Rule::Fixed));
}

#[test]
fn reactive_rounds_up() {
    let mut policy = policy(Variant::Reactive);
    for (rate_milli, count) in [(0, 1), (60_000, 1), (60_001, 2), (600_000, 10), (9_000_000, 30)] {
        assert_eq!(policy.decide(&seen(1, rate_milli, &[])).replicas, count, "{rate_milli}");
    }
}

#[test]
fn the_line_runs_ahead_by_the_setup_time() {
    let mut policy = policy(Variant::PredictiveLr);
    policy.decide(&seen(0, 100_000, &[]));
    policy.decide(&seen(15, 115_000, &[]));
    // One request per second more every second: 130 + 260 = 390 after the set-up time; ⌈390 / 60⌉ = 7.
    let plan = policy.decide(&seen(30, 130_000, &[]));
    assert_eq!((plan.replicas, plan.reasons[0].rule), (7, Rule::PredictedRate));
    assert_eq!(plan.reasons[0].observed_milli, 390_000);
}

#[test]
fn the_average_lags_behind() {
    let mut policy = policy(Variant::PredictiveMwa);
    for step in 0..16 {
        policy.decide(&seen(step * 15, 60_000, &[]));
    }
    // A jump to ten times the rate: 17 values in the window, the prediction stays far below it.
    let plan = policy.decide(&seen(240, 600_000, &[]));
    assert!(plan.replicas < 6, "{}", plan.replicas);
}

#[test]
fn idle_replicas_are_named_once_their_timer_ran_out() {
    let mut policy = policy(Variant::AutoscaleMinus);
    let busy = [5_000, 1_000, 0, 0];
    // Idle since 15 s before the first sample at 15 s, so 120 s are over at 120 s.
    for seconds in (15..120).step_by(15) {
        let plan = policy.decide(&seen(seconds, 50_000, &busy));
        assert_eq!((plan.replicas, plan.retire.len()), (4, 0), "{seconds}");
        assert_eq!(plan.reasons[1].rule, Rule::IdleTimer);
    }
    let plan = policy.decide(&seen(120, 50_000, &busy));
    assert_eq!(plan.replicas, 2);
    assert_eq!(plan.retire, vec![ReplicaId(3), ReplicaId(2)]);
}

#[test]
fn a_request_restarts_the_timer() {
    let mut policy = policy(Variant::AutoscaleMinus);
    for seconds in (15..120).step_by(15) {
        policy.decide(&seen(seconds, 50_000, &[5_000, 0]));
    }
    policy.decide(&seen(120, 50_000, &[5_000, 1]));
    assert_eq!(policy.decide(&seen(135, 50_000, &[5_000, 0])).replicas, 2);
    assert_eq!(policy.decide(&seen(240, 50_000, &[5_000, 0])).replicas, 1);
}

#[test]
fn idle_replicas_that_the_rate_calls_for_are_kept() {
    let mut policy = policy(Variant::AutoscaleMinus);
    policy.decide(&seen(15, 150_000, &[9_000, 0, 0, 0]));
    let plan = policy.decide(&seen(600, 150_000, &[9_000, 0, 0, 0]));
    assert_eq!((plan.replicas, plan.retire), (3, vec![ReplicaId(3)]));
}

#[test]
fn long_requests_add_capacity_only_in_the_full_policy() {
    let long = seen(15, 50_000, &[30_000, 30_000]);
    assert_eq!(policy(Variant::AutoscaleMinus).decide(&long).replicas, 2);
    assert_eq!(policy(Variant::Autoscale).decide(&long).replicas, 6); // 60 requests, 10 each
}

#[test]
fn without_data_nothing_changes() {
    for variant in [Variant::Reactive, Variant::PredictiveMwa, Variant::PredictiveLr, Variant::AutoscaleMinus]
    {
        let mut lost = seen(15, 0, &[0, 0, 0]);
        lost.readings[0] = Reading::Failed(FetchError::Unavailable);
        let plan = policy(variant).decide(&lost);
        assert_eq!((plan.replicas, plan.reasons[0].rule), (3, Rule::NoData), "{variant:?}");
    }
    let mut lost = seen(600, 0, &[0, 0, 0]);
    lost.readings[1] = Reading::Failed(FetchError::Unavailable);
    assert_eq!(policy(Variant::AutoscaleMinus).decide(&lost).replicas, 3);
}

#[test]
fn refuses_what_cannot_be() {
    let spec = AutoscaleSpec { capacity: Some(0.0), ..AutoscaleSpec::of(Variant::Reactive) };
    assert!(Autoscale::new(&spec, 60.0, 0.0, (1, 2)).is_err());
    let spec = AutoscaleSpec { period: Span::ZERO, ..AutoscaleSpec::of(Variant::Reactive) };
    assert!(Autoscale::new(&spec, 60.0, 0.0, (1, 2)).is_err());
}

proptest! {
    #[test]
    fn bounds_hold_and_retired_replicas_are_few_enough(
        rates in prop::collection::vec(0..3_000_000_i64, 1..30),
        in_flight in prop::collection::vec(0..3_i64, 1..30),
        which in 0..6_usize,
    ) {
        let all = [Variant::AlwaysOn, Variant::Reactive, Variant::PredictiveMwa, Variant::PredictiveLr,
            Variant::AutoscaleMinus, Variant::Autoscale];
        let (mut one, mut other) = (policy(all[which]), policy(all[which]));
        for (step, rate) in rates.iter().enumerate() {
            let observation = seen(15 * (step as u64 + 1), *rate, &in_flight);
            let plan = one.decide(&observation);
            prop_assert!((1..=30).contains(&plan.replicas));
            prop_assert!(plan.retire.len() as u32 <= observation.desired.saturating_sub(plan.replicas));
            prop_assert!(!plan.reasons.is_empty());
            prop_assert_eq!(plan, other.decide(&observation));
        }
    }

    #[test]
    fn more_load_never_asks_for_less(rate in 0..2_000_000_i64, more in 0..1_000_000_i64) {
        let few = policy(Variant::Reactive).decide(&seen(1, rate, &[])).replicas;
        let many = policy(Variant::Reactive).decide(&seen(1, rate + more, &[])).replicas;
        prop_assert!(few <= many);
    }
}
