//! Hand-computed cases.

use super::*;
use crate::spec::{Promise, ServiceModel};
use homeostat_core::ReplicaId;
use homeostat_core::observe::{FetchError, Phase, Readiness, ReplicaView};
use homeostat_forecast::{Series, Value};
use std::sync::Arc;

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Span::DAY * 10 + Span::from_secs(seconds)
}

/// 20 requests per second and replica, nothing late by its work alone.
fn service(slots: f64) -> ServiceModel {
    let work = Span::from_secs_f64(slots / 20.0);
    ServiceModel { work, work_cv: 1.0, beyond: vec![1.0, 0.1, 0.0], slots, start_up: Span::from_secs(120) }
}

fn context() -> BuildContext {
    BuildContext {
        min: 1,
        max: 100,
        capacity_per_replica: 20.0,
        start: at(0),
        service: Some(service(4.0)),
        promise: Some(Promise { latency: Span::SECOND, attainment: 0.999 }),
        ..BuildContext::default()
    }
}

fn policy(spec: &PredictiveSpec, context: &BuildContext) -> Predictive {
    Predictive::new(spec, context).unwrap()
}

fn view(id: u64, since: Option<u64>) -> ReplicaView {
    ReplicaView {
        id: ReplicaId(id),
        phase: if since.is_some() { Phase::Running } else { Phase::Pending },
        started_at: None,
        readiness: since.map(|since| Readiness { ready: true, since: at(since) }),
        deleting: false,
    }
}

/// `count` replicas that are ready, a rate measured 15 s ago, and a queue.
fn seen(seconds: u64, count: u32, rate: f64, queue: i64) -> Observation {
    let reading = |milli| Reading::Total { milli: vec![milli], at: at(seconds).back(Span::from_secs(15)) };
    Observation {
        at: at(seconds),
        desired: count,
        current: count,
        replicas: (0..u64::from(count)).map(|id| view(id, Some(0))).collect(),
        readings: vec![reading((rate * 1_000.0) as i64), reading(queue * 1_000)],
    }
}

/// Counts at every 15 s under `load`, orders carried out at once.
fn run(policy: &mut Predictive, first: u32, load: impl Fn(u64) -> f64, ticks: u64) -> Vec<u32> {
    let mut count = first;
    let mut counts = Vec::new();
    for tick in 2..ticks + 2 {
        let plan = policy.decide(&seen(tick * 15, count, load((tick - 1) * 15), 0));
        count = plan.replicas;
        counts.push(count);
    }
    counts
}

#[test]
fn the_pool_waits_as_erlang_says() {
    // One server: the probability of a wait is the utilisation. Two: 2ρ² / (1 + ρ).
    let one = Capacity::new(&service(1.0), context().promise.unwrap());
    assert!((one.rate_of(1.0) - 20.0).abs() < 1e-9);
    // M/M/1 at ρ = 0.8: waits are exponential with mean 1 / (20 − 16) = 250 ms for 80 %; `after` is by hand
    // 0.1 + 0.9 · (w − 0.5) / 0.5 for waits of 0.5 to 1 s, 0.1 · w / 0.5 below.
    let exact: f64 = (0..2_000_000)
        .map(|i| {
            let wait = f64::from(i) * 1e-6 + 5e-7;
            let late = if wait < 0.5 { 0.2 * wait } else { (0.1 + 1.8 * (wait - 0.5)).min(1.0) };
            0.8 * 4.0 * homeostat_core::num::exp(-4.0 * wait) * late * 1e-6
        })
        .sum::<f64>()
        + 0.8 * homeostat_core::num::exp(-8.0);
    assert!((one.steady(16.0, 1) - exact).abs() < 0.003, "{} {exact}", one.steady(16.0, 1));
    assert_eq!(one.steady(20.0, 1), 1.0);
}

#[test]
fn more_replicas_are_never_later_and_more_load_never_sooner() {
    let capacity = Capacity::new(&service(4.0), context().promise.unwrap());
    for count in 1..60 {
        let rate = f64::from(count) * 20.0;
        assert!(capacity.steady(rate * 0.9, count + 1) <= capacity.steady(rate * 0.9, count) + 1e-9);
        assert!(capacity.steady(rate * 0.8, count) <= capacity.steady(rate * 0.9, count) + 1e-9);
        let highest = capacity.highest_rate(count, 0.01);
        assert_eq!(capacity.fewest(highest, 0.01), count);
    }
}

#[test]
fn a_backlog_grows_and_is_worked_off() {
    let capacity = Capacity::new(&service(4.0), context().promise.unwrap());
    // 10 requests per second too many for 10 s: 100 wait, which is 2 s at 50 per second.
    let (late, backlog) = capacity.stretch(60.0, 50.0, 0.0, 10.0);
    assert!((backlog - 100.0).abs() < 1e-9);
    // The wait rises to 2 s: ∫ of 0.2 w to 0.5, 0.1 + 1.8 (w − 0.5) to 1, then 1 = 0.025 + 0.275 + 1, over 2.
    assert!((late - 0.65).abs() < 1e-9, "{late}");
    let (late, backlog) = capacity.stretch(0.0, 50.0, 100.0, 10.0);
    assert_eq!(backlog, 0.0);
    assert!((late - 0.65 * 0.2).abs() < 1e-9, "late for the first two of ten seconds: {late}");
}

#[test]
fn the_lead_is_what_was_observed() {
    let mut leads = Leads::new(Span::from_secs(120));
    assert_eq!(leads.quantile(0.9, at(0)), Span::from_secs(120));
    let mut observation = seen(0, 0, 0.0, 0);
    leads.watch(&observation);
    // Ten are ordered at 0; they are seen pending at 15 and ready at 60 to 69.
    observation.at = at(15);
    observation.replicas = (0..11).map(|id| view(id, None)).collect();
    leads.watch(&observation);
    observation.at = at(75);
    observation.replicas = (0..10).map(|id| view(id, Some(60 + id))).chain([view(10, None)]).collect();
    leads.watch(&observation);
    // 60 to 69 s, and the eleventh waits for 75 s already.
    assert_eq!(leads.quantile(0.9, at(75)), Span::from_secs(69));
    assert_eq!(leads.quantile(0.99, at(75)), Span::from_secs(75));
    assert_eq!((leads.overdue(Span::MINUTE, at(75)), leads.overdue(Span::MINUTE, at(200))), (0, 1));
}

#[test]
fn without_fresh_data_the_count_is_kept() {
    let mut policy = policy(&PredictiveSpec::default(), &context());
    let mut blind = seen(60, 17, 100.0, 0);
    blind.readings = vec![Reading::Failed(FetchError::Unavailable); 2];
    let plan = policy.decide(&blind);
    assert_eq!((plan.replicas, plan.reasons[0].rule), (17, Rule::NoData));
    let mut old = seen(600, 17, 100.0, 0);
    old.readings[0] = Reading::Total { milli: vec![100_000], at: at(60) };
    let plan = policy.decide(&old);
    assert_eq!((plan.replicas, plan.reasons[0].rule), (17, Rule::NoData));
}

#[test]
fn silence_after_much_load_is_one_of_the_metrics_for_an_hour() {
    let mut policy = policy(&PredictiveSpec::default(), &context());
    let counts = run(&mut policy, 20, |_| 300.0, 60);
    let kept = *counts.last().unwrap();
    let mut rules = Vec::new();
    for tick in 62..62 + 300_u64 {
        let plan = policy.decide(&seen(tick * 15, kept, 0.0, 0));
        rules.push((plan.replicas, plan.reasons[0].rule));
    }
    assert!(rules[..239].iter().all(|own| *own == (kept, Rule::NoData)), "{:?}", &rules[..5]);
    assert_eq!(rules[299].1, Rule::ReactiveFloor, "in the end it is believed");
    assert!(rules[299].0 < kept);
}

#[test]
fn a_constant_load_gets_what_the_objective_needs_and_no_more() {
    let spec = PredictiveSpec::default();
    let mut policy = policy(&spec, &context());
    let counts = run(&mut policy, 40, |_| 200.0, 240);
    let floor = policy.capacity.fewest(200.0, policy.permitted);
    let last = *counts.last().unwrap();
    assert!((floor..=floor + 1).contains(&last), "{last} for a floor of {floor}");
}

#[test]
fn a_rise_that_comes_every_day_is_met_before_it_comes() {
    // 100 requests per second, 400 from minute 30 of every hour on for a quarter of an hour.
    let load = |seconds: u64| if (1_800..2_700).contains(&(seconds % 3_600)) { 400.0 } else { 100.0 };
    let step = Span::from_secs(30);
    let values = (0..3 * 2_880).map(|i| Value::Known(load(i * 30)));
    let start = at(0).back(Span::DAY * 3);
    let history = Some(Arc::new(Series { start, step, values: values.collect() }));
    let mut policy = policy(&PredictiveSpec::default(), &BuildContext { history, ..context() });
    let counts = run(&mut policy, 10, load, 150);
    // Decisions are 15 s apart, the first at 30 s. One that is taken 120 s ahead counts.
    let decided = |seconds: u64| counts[(seconds / 15 - 2) as usize];
    assert!(decided(1_200) < 12, "quiet: {}", decided(1_200));
    assert!(decided(1_695) >= 20, "one start-up before the rise: {}", decided(1_695));
}

#[test]
fn no_forecast_goes_below_the_floor() {
    for spec in [Use::Paths, Use::Quantile, Use::Off] {
        let spec = PredictiveSpec { forecast: spec, risk: 1e6, feedback: false, ..PredictiveSpec::default() };
        let mut policy = policy(&spec, &context());
        for tick in 2..100_u64 {
            let rate = 50.0 + (tick * 37 % 100) as f64;
            let plan = policy.decide(&seen(tick * 15, 20, rate, 0));
            let floor = plan.reasons[0];
            assert_eq!(floor.rule, Rule::ReactiveFloor);
            assert!(plan.replicas >= floor.proposed, "{spec:?}");
            assert_eq!(
                plan.forecast.is_some(),
                spec.forecast != Use::Off
                    && plan.reasons.len() > 1
                    && plan.reasons[1].rule == Rule::ForecastWindow
            );
        }
    }
}

#[test]
fn the_feedback_follows_the_budget_that_is_left() {
    let tick = Span::from_secs(15);
    let mut feedback = Feedback::new(true, 0.7, 0.001);
    assert_eq!(feedback.factor(), 1.0, "nothing is left over at first");
    for tick_no in 0..100_000 {
        // Every thousandth scrape is late, as the objective permits.
        feedback.saw(f64::from(u8::from(tick_no % 1_000 == 999)), tick);
    }
    assert!((feedback.factor() - 1.0).abs() < 0.1, "{}", feedback.factor());
    // Half a day without a late request leaves 1 − e^(−1/2) of a day's allotment.
    let mut feedback = Feedback::new(true, 0.7, 0.001);
    (0..2_880).for_each(|_| feedback.saw(0.0, tick));
    let left = 1.0 - homeostat_core::num::exp(-0.5);
    assert!((feedback.factor() - homeostat_core::num::exp(0.7 * left)).abs() < 1e-3);
    // Two allotments (2.88 minutes) late.
    feedback.saw(1.0, Span::from_secs_f64(172.8));
    assert!((feedback.factor() - homeostat_core::num::exp(0.7 * (left - 2.0))).abs() < 0.02);
    let mut off = Feedback::new(false, 0.7, 0.001);
    off.saw(1.0, Span::from_secs(60));
    assert_eq!(off.factor(), 1.0);
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let refused = |spec: PredictiveSpec| Predictive::new(&spec, &context()).err().unwrap().to_string();
    let usual = PredictiveSpec::default;
    assert!(refused(PredictiveSpec { risk: 0.0, ..usual() }).starts_with("predictive.risk: `0`"));
    assert!(refused(PredictiveSpec { step: Span::ZERO, ..usual() }).contains("predictive.step"));
    assert!(refused(PredictiveSpec { paths: 1, ..usual() }).contains("predictive.paths"));
    assert!(refused(PredictiveSpec { model: Some("oracle".to_owned()), ..usual() }).contains("oracle"));
    let unknown = BuildContext { service: None, ..context() };
    assert!(Predictive::new(&usual(), &unknown).err().unwrap().to_string().contains("calibrated"));
}
