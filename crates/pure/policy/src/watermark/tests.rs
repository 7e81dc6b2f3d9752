//! Hand-computed cases.

use super::*;
use homeostat_core::observe::{FetchError, Phase, Readiness, ReplicaView, Sample};
use homeostat_core::{Reading, ReplicaId};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

fn replica(id: u64, ready: bool) -> ReplicaView {
    ReplicaView {
        id: ReplicaId(id),
        phase: Phase::Running,
        started_at: Some(Instant::ZERO),
        readiness: Some(Readiness { ready, since: Instant(SECOND) }),
        deleting: false,
    }
}

/// `count` ready replicas that use `milli` thousandths of a core each.
fn cpu(seconds: u64, count: u32, milli: i64) -> Observation {
    let at = Instant(seconds * SECOND);
    let window = Span::from_secs(30);
    let sample = |id| Sample { replica: ReplicaId(id), milli, at, window };
    Observation {
        at,
        desired: count,
        current: count,
        replicas: (0..count.into()).map(|id| replica(id, true)).collect(),
        readings: vec![Reading::PerReplica((0..count.into()).map(sample).collect())],
    }
}

fn total(seconds: u64, count: u32, milli: Vec<i64>) -> Observation {
    let at = Instant(seconds * SECOND);
    Observation { readings: vec![Reading::Total { milli, at }], ..cpu(seconds, count, 0) }
}

fn external() -> WatermarkSpec {
    let source = WatermarkSource::External("requests_per_second".to_owned());
    let metrics = vec![WatermarkMetric { source, high: 50.0, low: 20.0 }];
    WatermarkSpec { metrics, ..WatermarkSpec::cpu(1.0, 2.0) }
}

/// One core per replica is requested; bounds 1 to 100.
fn build(spec: WatermarkSpec) -> Watermark {
    Watermark::new(spec, (1, 100), |_| Some(1_000)).unwrap()
}

/// A policy whose first decision, which doesn't wait for delays, is behind it.
fn warmed(spec: WatermarkSpec) -> Watermark {
    let mut policy = build(spec);
    policy.decide(&total(0, 10, vec![350_000]));
    policy
}

#[test]
fn grows_to_the_high_mark_and_shrinks_to_the_low_one() {
    // 10 replicas at 90 % against 70 %: ⌈10 × 90 / 70⌉ = 13, within 50 %.
    let plan = build(WatermarkSpec::cpu(40.0, 70.0)).decide(&cpu(0, 10, 900));
    assert_eq!((plan.replicas, plan.reasons[0].rule), (13, Rule::AboveHighWatermark));
    assert_eq!((plan.reasons[0].observed_milli, plan.reasons[0].reference_milli), (90_000, 70_000));
    // At 33 % against 40 %: ⌊10 × 33 / 40⌋ = 8, within 20 %.
    let plan = build(WatermarkSpec::cpu(40.0, 70.0)).decide(&cpu(0, 10, 330));
    assert_eq!((plan.replicas, plan.reasons[0].rule), (8, Rule::BelowLowWatermark));
}

#[test]
fn between_the_widened_marks_nothing_happens() {
    // 70 % + 10 % of it = 77 %; 40 % − 10 % of it = 36 %.
    for milli in [360, 500, 770] {
        let plan = build(WatermarkSpec::cpu(40.0, 70.0)).decide(&cpu(0, 10, milli));
        assert_eq!((plan.replicas, plan.reasons[0].rule), (10, Rule::BetweenWatermarks), "{milli}");
    }
    assert_eq!(build(WatermarkSpec::cpu(40.0, 70.0)).decide(&cpu(0, 10, 771)).replicas, 12);
    assert_eq!(build(WatermarkSpec::cpu(40.0, 70.0)).decide(&cpu(0, 10, 359)).replicas, 8);
}

#[test]
fn steps_are_limited() {
    // ⌈10 × 300 / 70⌉ = 43, cut to 10 + 50 %; ⌊10 × 5 / 40⌋ = 1, cut to 10 − 20 %.
    let plan = build(WatermarkSpec::cpu(40.0, 70.0)).decide(&cpu(0, 10, 3_000));
    assert_eq!((plan.replicas, plan.reasons[1].rule), (15, Rule::RateLimited));
    assert_eq!(build(WatermarkSpec::cpu(40.0, 70.0)).decide(&cpu(0, 10, 50)).replicas, 8);
    // Of 2 replicas 20 % is less than one, but one may go.
    assert_eq!(build(WatermarkSpec::cpu(40.0, 70.0)).decide(&cpu(0, 2, 50)).replicas, 1);
    let fixed = WatermarkSpec { scale_up_limit_percent: 0.0, ..WatermarkSpec::cpu(40.0, 70.0) };
    assert_eq!(build(fixed).decide(&cpu(0, 10, 3_000)).replicas, 10);
}

#[test]
fn totals_are_averaged_or_not() {
    // Average: 1 000 / 10 = 100 against 50: 20, cut to 15.
    assert_eq!(build(external()).decide(&total(0, 10, vec![400_000, 600_000])).replicas, 15);
    // Absolute: 60 against 50: ⌈10 × 60 / 50⌉ = 12.
    let absolute = WatermarkSpec { algorithm: Algorithm::Absolute, ..external() };
    assert_eq!(build(absolute).decide(&total(0, 10, vec![60_000])).replicas, 12);
}

#[test]
fn windows_count_from_the_last_change_of_either_direction() {
    let mut policy = warmed(external()); // the first decision counts as a change
    let high = |seconds| total(seconds, 10, vec![700_000]);
    let low = |seconds| total(seconds, 10, vec![100_000]);
    assert_eq!(policy.decide(&high(45)).reasons.last().unwrap().rule, Rule::ForbiddenWindow);
    assert_eq!(policy.decide(&high(60)).replicas, 14);
    assert_eq!(policy.decide(&low(300)).replicas, 10); // 240 s after the change
    assert_eq!(policy.decide(&low(360)).replicas, 8);
    assert_eq!(policy.decide(&high(405)).replicas, 10);
    assert_eq!(policy.decide(&high(420)).replicas, 14);
}

#[test]
fn delays_count_from_the_crossing() {
    let mut policy = warmed(WatermarkSpec { upscale_delay: Span::from_secs(30), ..external() });
    let high = |seconds| total(seconds, 10, vec![700_000]);
    assert_eq!(policy.decide(&high(100)).reasons.last().unwrap().rule, Rule::DelayNotElapsed);
    assert_eq!(policy.decide(&high(115)).replicas, 10);
    assert_eq!(policy.decide(&total(120, 10, vec![350_000])).replicas, 10); // back between the marks
    assert_eq!(policy.decide(&high(130)).replicas, 10);
    assert_eq!(policy.decide(&high(160)).replicas, 14);
}

#[test]
fn lost_metrics_stop_everything() {
    let mut lost = total(0, 10, vec![]);
    assert_eq!(build(external()).decide(&lost).reasons[0].rule, Rule::NoData);
    lost.readings[0] = Reading::Failed(FetchError::Unavailable);
    assert_eq!(build(external()).decide(&lost).replicas, 10);
    assert_eq!(build(external()).decide(&total(0, 10, vec![0])).replicas, 10); // zero is not believed
    let believer = WatermarkSpec { tolerate_zero: true, ..external() };
    assert_eq!(build(believer).decide(&total(0, 10, vec![0])).replicas, 8);
}

#[test]
fn too_few_available_replicas_stop_everything() {
    let mut seen = total(0, 10, vec![700_000]);
    for view in &mut seen.replicas[6..] {
        *view = replica(view.id.0, false);
    }
    let spec = WatermarkSpec { min_available_percent: 70, ..external() };
    assert_eq!(build(spec).decide(&seen).reasons[0].rule, Rule::TooFewAvailable);
    // With 60 % allowed: 700 / 6 ready against 50 is ⌈6 × 116.67 / 50⌉ = 14.
    let spec = WatermarkSpec { min_available_percent: 60, ..external() };
    assert_eq!(build(spec).decide(&seen).replicas, 14);
}

#[test]
fn unready_replicas_are_left_out_of_cpu() {
    let mut seen = cpu(0, 10, 900);
    seen.replicas[9] = replica(9, false);
    // 9 ready at 90 %: ⌈9 × 90 / 70⌉ = 12.
    assert_eq!(build(WatermarkSpec::cpu(40.0, 70.0)).decide(&seen).replicas, 12);
}

#[test]
fn counts_outside_the_bounds_are_corrected_at_once() {
    let spec = WatermarkSpec { min: Some(5), max: Some(20), ..external() };
    let mut policy = build(spec);
    assert_eq!(policy.decide(&total(0, 3, vec![100_000])).replicas, 5);
    assert_eq!(policy.decide(&total(15, 30, vec![100_000])).replicas, 20);
    let off = Observation { desired: 0, ..total(30, 5, vec![100_000]) };
    assert_eq!(policy.decide(&off).replicas, 0);
}

#[test]
fn refuses_what_cannot_be() {
    let reversed = WatermarkSpec::cpu(70.0, 40.0);
    assert!(Watermark::new(reversed, (1, 10), |_| Some(1)).is_err());
    assert!(Watermark::new(WatermarkSpec::cpu(40.0, 70.0), (1, 10), |_| None).is_err());
    assert!(Watermark::new(WatermarkSpec { min: Some(9), ..external() }, (1, 5), |_| None).is_err());
}

#[test]
fn reads_its_own_form() {
    let text = r#"{
        "metrics": [{"source": {"utilization": "cpu"}, "high": 70, "low": 40}],
        "algorithm": "average"
    }"#;
    assert_eq!(serde_json::from_str::<WatermarkSpec>(text).unwrap(), WatermarkSpec::cpu(40.0, 70.0));
}

proptest! {
    #[test]
    fn bounds_and_steps_hold(values in prop::collection::vec(0..4_000_i64, 1..40), start in 1..60_u32) {
        let spec = WatermarkSpec { min: Some(1), max: Some(60), ..WatermarkSpec::cpu(40.0, 70.0) };
        let (mut one, mut other) = (build(spec.clone()), build(spec));
        let mut count = start;
        for (step, milli) in values.iter().enumerate() {
            let observation = cpu(step as u64 * 15, count, *milli);
            let plan = one.decide(&observation);
            prop_assert!((1..=60).contains(&plan.replicas));
            prop_assert!(plan.replicas <= count + (count / 2).max(1));
            prop_assert!(plan.replicas + (count / 5).max(1) >= count);
            prop_assert_eq!(&plan, &other.decide(&observation));
            count = plan.replicas;
        }
    }

    #[test]
    fn a_higher_value_never_asks_for_less(milli in 0..2_000_i64, more in 0..2_000_i64, count in 1..50_u32) {
        let few = build(WatermarkSpec::cpu(40.0, 70.0)).decide(&cpu(0, count, milli)).replicas;
        let many = build(WatermarkSpec::cpu(40.0, 70.0)).decide(&cpu(0, count, milli + more)).replicas;
        prop_assert!(few <= many);
    }
}
