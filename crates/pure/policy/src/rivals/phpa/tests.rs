//! Hand-computed cases, and the autoscaler's part against the exact autoscaler.

use std::sync::Arc;

use homeostat_core::observe::{FetchError, Phase, Readiness, ReplicaView, Sample};
use homeostat_core::{Reading, ReplicaId};
use homeostat_forecast::Value;

use super::*;

const START: Instant = Instant(100_000_000_000_000);

fn context() -> BuildContext {
    BuildContext { capacity_per_replica: 20.0, max: 100, start: START, ..BuildContext::default() }
}

fn spec(text: &str) -> PhpaSpec {
    serde_json::from_str(text).unwrap()
}

fn line(decision: &str) -> PhpaSpec {
    spec(&format!(
        r#"{{"hpa": {{"cpu_percent": 50}}, "decision": "{decision}",
            "models": [{{"linear": {{"history_size": 3, "look_ahead": "30s"}}}}]}}"#
    ))
}

/// Replicas that have been ready for long, each at so many millicores.
fn seen(tick: u64, count: u32, cpu_milli: i64) -> Observation {
    let at = START + Span::from_secs(15) * tick;
    let long_ago = at.back(Span::HOUR);
    let replica = |id| ReplicaView {
        id: ReplicaId(id),
        phase: Phase::Running,
        started_at: Some(long_ago),
        readiness: Some(Readiness { ready: true, since: long_ago }),
        deleting: false,
    };
    let sample = |id| Sample { replica: ReplicaId(id), milli: cpu_milli, at, window: Span::MINUTE };
    let ids = || 0..u64::from(count);
    Observation {
        at,
        desired: count,
        current: count,
        replicas: ids().map(replica).collect(),
        readings: vec![Reading::PerReplica(ids().map(sample).collect())],
    }
}

#[test]
fn the_larger_of_count_and_line_holds() {
    let mut policy = Phpa::new(&line("maximum"), &context()).unwrap();
    // 10 replicas at 60 % of 50 %: 12; then 14 of 12; the line goes on by 2 per 15 s.
    assert_eq!(policy.decide(&seen(0, 10, 600)).replicas, 12);
    assert_eq!(policy.decide(&seen(1, 12, 580)).replicas, 18); // 14, and in 30 s 18
    assert_eq!(policy.decide(&seen(2, 18, 445)).replicas, 20); // ⌈18 × 44/50⌉ = 16, in 30 s 20
}

#[test]
fn without_predictions_it_is_the_exact_autoscaler() {
    let mut ours = Phpa::new(&line("minimum"), &context()).unwrap();
    let flags =
        ControllerFlags { cpu_initialization_period: CPU_INITIALIZATION, ..ControllerFlags::default() };
    let manifest = HpaForm::cpu(50).manifest(&context()).unwrap();
    let mut exact = Hpa::new(&manifest, &context().template, flags).unwrap();
    // A falling line would count for the minimum: with a constant load there is none.
    for tick in 0..30 {
        let observation = seen(tick, 10, 500);
        assert_eq!(ours.decide(&observation).replicas, exact.decide(&observation).replicas);
    }
    let jump = seen(30, 10, 5_000);
    let mut fresh = Phpa::new(&line("minimum"), &context()).unwrap();
    assert_eq!(fresh.decide(&jump).replicas, exact.decide(&jump).replicas); // 20: twice as many at most
}

#[test]
fn decision_types_by_hand() {
    let of = |decision| decide(decision, &mut [4, 9, 0, 6]);
    let found = [Decision::Maximum, Decision::Minimum, Decision::Mean, Decision::Median].map(of);
    assert_eq!(found, [9, 0, 5, 5]); // the mean is 4.75
    assert_eq!(decide(Decision::Median, &mut [4, 9, 0]), 4);
    assert_eq!(decide(Decision::Mean, &mut [-4, 1]), 0);
}

#[test]
fn models_take_turns() {
    let spec = ModelSpec {
        per_sync_period: 3,
        linear: Some(LinearSpec { history_size: 2, look_ahead: Some(Span::ZERO) }),
        holt_winters: None,
    };
    let mut model = Model::new(&spec, Span::ZERO);
    let at = |tick: u64| START + Span::from_secs(15) * tick;
    let found: Vec<Option<i32>> = (0..6).map(|tick| model.sync(at(tick), tick as i32)).collect();
    assert_eq!(found, [None, None, Some(2), None, None, Some(5)]);
    assert_eq!(model.history, [(at(4), 4), (at(5), 5)]);
}

fn winters() -> PhpaSpec {
    spec(
        r#"{"hpa": {"cpu_percent": 50}, "models": [{"holt_winters": {"alpha": 0.2, "beta": 0.01, "gamma": 0.2,
            "trend": "additive", "seasonal": "additive", "seasonal_periods": 8, "stored_seasons": 4}}]}"#,
    )
}

#[test]
fn seasons_are_kept_whole_and_short_histories_propose_nothing() {
    let spec = &winters().models[0];
    let mut model = Model::new(spec, Span::ZERO);
    let at = |tick: u64| START + Span::from_secs(15) * tick;
    for tick in 0..17 {
        assert_eq!(model.sync(at(tick), 5), Some(0)); // 18 values are needed
    }
    assert_eq!(model.sync(at(17), 5), Some(5));
    for tick in 18..39 {
        model.sync(at(tick), 5);
    }
    assert_eq!(model.history.len(), 39);
    model.sync(at(39), 5); // the fifth season is full
    assert_eq!(model.history.len(), 32);
}

#[test]
fn the_rates_before_the_run_are_its_history() {
    // Every 2 min a minute of 200 per second: 20 replicas at 50 % of 20 per second, else 2.
    let minute = |i: usize| Value::Known(if i.is_multiple_of(2) { 200.0 } else { 20.0 });
    let history =
        Series { start: START.back(Span::HOUR), step: Span::MINUTE, values: (0..60).map(minute).collect() };
    let context = BuildContext { history: Some(Arc::new(history)), ..context() };
    let policy = Phpa::new(&winters(), &context).unwrap();
    let counts: Vec<i32> = policy.models[0].history.iter().map(|(_, count)| *count).collect();
    assert_eq!(counts, [[20; 4], [2; 4]].concat().repeat(4));
    let mut again = policy.clone();
    let plan = again.decide(&seen(0, 2, 500));
    assert_eq!(plan.replicas, 4); // 20 by the season, but no more than 4 at once
    assert_eq!(plan.reasons[1].rule, Rule::ForecastCount);
}

#[test]
fn remembers_nothing_without_data() {
    let mut policy = Phpa::new(&line("maximum"), &context()).unwrap();
    let mut blind = seen(0, 7, 500);
    blind.readings = vec![Reading::Failed(FetchError::Unavailable)];
    assert_eq!(policy.decide(&blind).replicas, 7);
    assert!(policy.models[0].history.is_empty());
}

#[test]
fn says_what_is_wrong() {
    let message = |text: &str| Phpa::new(&spec(text), &context()).unwrap_err().to_string();
    assert!(message(r#"{"hpa": {"cpu_percent": 50}, "models": []}"#).contains("phpa.models"));
    assert!(message(r#"{"hpa": {"cpu_percent": 50}, "models": [{}]}"#).contains("models[0]"));
    let mut bad = winters();
    bad.models[0].holt_winters.as_mut().unwrap().alpha = 1.5;
    let message = Phpa::new(&bad, &context()).unwrap_err().to_string();
    assert!(message.contains("models[0].holt_winters.alpha"), "{message}");
}
