//! The fluid twin against the request twin, a fluid queue worked out by hand, and itself.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use std::sync::{Arc, LazyLock};

use common::{Keep, Run, scenario};
use homeostat_core::load::{BinLoad, LoadItem, LoadStream};
use homeostat_core::observe::Reading;
use homeostat_core::{Controller, GuardProfile, Instant, Span};
use homeostat_policy::spec::PolicySpec;
use homeostat_twin::scenario::Constant;
use homeostat_twin::{Fluid, Outcome, Scenario, ServiceCurve, Silent, Stop, workload};
use serde_json::{Value, json};

fn controller(scenario: &Scenario, policy: &str, peak_rate: f64) -> Controller {
    let spec: PolicySpec = serde_json::from_str(policy).unwrap();
    let service = &scenario.services[0];
    let policy = service.policy(&spec, &scenario.outlook(Instant::ZERO, peak_rate)).unwrap();
    Controller::new(vec![policy], GuardProfile::bounds_only(), service.replicas)
}

fn fluid(run: &Run<'_>, curve: &Arc<ServiceCurve>, stream: LoadStream) -> (Outcome, Keep) {
    let controllers = vec![controller(run.scenario, run.policy, run.peak_rate)];
    let fluid = Fluid::new(run.scenario, run.seed, controllers, &[run.initial], stream, curve).unwrap();
    let mut keep = Keep::default();
    (fluid.run(&mut keep, &mut |_| false).unwrap(), keep)
}

/// Its curve; that of the other worlds differs only where clients leave sooner.
static CURVE: LazyLock<Arc<ServiceCurve>> =
    LazyLock::new(|| Arc::new(ServiceCurve::measure(&world(&json!({})), 24, 1)));

/// Log-normal work of 200 ms with a coefficient of variation of 0.5, six hours.
fn world(extra: &Value) -> Scenario {
    let service = json!([{
        "name": "model", "server": { "fcfs": { "slots": 4 } },
        "service_time": { "log_normal": { "mean": "200ms", "cv": 0.5 } },
        "replicas": { "min": 1, "max": 60 }, "start_up": { "model_load": { "fixed": "60s" } },
    }]);
    let mut all = json!({ "services": service, "warm_up": "30m" });
    for (key, value) in extra.as_object().cloned().unwrap_or_default() {
        all[key] = value;
    }
    scenario(all)
}

/// A wave of an hour between 3 and 13 replicas' worth, with a step up by a half every two hours.
fn wave() -> LoadStream {
    let rate = |minute: u32| {
        let wave = homeostat_core::num::sin(f64::from(minute) / 60.0 * std::f64::consts::TAU);
        let step = if minute % 120 > 100 { 1.5 } else { 1.0 };
        (8.0 + 5.0 * wave) * 20.0 * step
    };
    workload::series(Span::MINUTE, (0..600).map(rate).collect())
}

/// Policies, and seeds of their comparison: near saturation a policy lives by chance, and two runs by
/// request differ by more than the bar.
const POLICIES: [(&str, u64); 6] =
    [("static", 1), ("hpa-cpu-50", 1), ("hpa-cpu-80", 4), ("kpa", 1), ("keda-rps", 1), ("watermark", 1)];

#[test]
fn policies_fare_as_request_by_request() {
    let scenario = world(&json!({}));
    let catalog = homeostat_policy::spec::catalog();
    for (name, seeds) in POLICIES {
        let named = catalog.iter().find(|named| named.name == name).unwrap();
        let policy = &serde_json::to_string(&named.spec).unwrap();
        let (mut off, mut hours) = (0.0, 0.0);
        for seed in 1..=seeds {
            let run = Run { scenario: &scenario, policy, seed, initial: 10, peak_rate: 400.0, events: false };
            let ((exact, _), (rough, _)) = (run.over(wave()), fluid(&run, &CURVE, wave()));
            assert_eq!(rough.requests, exact.requests, "{policy}: bins have the same counts");
            off += (rough.attainment - exact.attainment) / seeds as f64;
            hours += (rough.replica_hours / exact.replica_hours - 1.0) / seeds as f64;
        }
        println!("{}: attainment off by {off:+.5}, hours by {hours:+.4}", named.name);
        assert!(off.abs() <= 0.001, "{policy}: attainment off by {off}");
        assert!(hours.abs() <= 0.01, "{policy}: replica-hours off by {hours}");
    }
}

/// Twenty replicas at 97 to 99.5 % of their capacity for half an hour: waits by chance, and the queues that
/// two random choices leave at any time, make up the time of a request together.
#[test]
fn waits_near_saturation_are_as_long_as_request_by_request() {
    let mut scenario = world(&json!({ "warm_up": "5m" }));
    (scenario.services[0].replicas.min, scenario.services[0].replicas.max) = (20, 20);
    let policy = r#"{ "static": { "replicas": 20 } }"#;
    for used in [0.97, 0.99, 0.995] {
        let load = || workload::constant(Constant { rps: 400.0 * used, length: Span::MINUTE * 30 });
        let (mut median, mut rough_median, mut off) = (0.0, 0.0, 0.0);
        for seed in 1..=16 {
            let run = Run { scenario: &scenario, policy, seed, initial: 20, peak_rate: 400.0, events: false };
            let ((exact, _), (rough, _)) = (run.over(load()), fluid(&run, &CURVE, load()));
            median += exact.p50_ms.unwrap() / 16.0;
            rough_median += rough.p50_ms.unwrap() / 16.0;
            off += (rough.attainment - exact.attainment) / 16.0;
        }
        println!("{used}: median {median:.0} ms, fluid {rough_median:.0} ms, attainment off by {off:+.4}");
        assert!((rough_median / median - 1.0).abs() < 0.1, "{used}: {rough_median} instead of {median}");
        assert!(used > 0.992 || off.abs() < 0.004, "{used}: attainment off by {off}");
    }
}

#[test]
fn requests_are_neither_made_nor_lost() {
    let scenario = world(&json!({ "client": { "timeout": "2s" }, "warm_up": "0s" }));
    let policy = r#"{ "hpa": { "cpu_percent": 90 } }"#;
    let run = Run { scenario: &scenario, policy, seed: 1, initial: 2, peak_rate: 400.0, events: false };
    let bins = (0..300_u64).map(|i| {
        let load = BinLoad::Count(i * 37 % 12_000);
        Ok(LoadItem::Bin { start: Instant::ZERO + Span::MINUTE * i, span: Span::MINUTE, load })
    });
    let (outcome, keep) = fluid(&run, &CURVE, Box::new(bins));
    let sum: u64 = (0..300_u64).map(|i| i * 37 % 12_000).sum();
    assert_eq!((outcome.requests, outcome.hops), (sum, sum));
    assert_eq!(outcome.series.requests.iter().sum::<u64>(), sum);
    let missed = outcome.series.missed.iter().sum::<u64>() as f64;
    assert!((missed - (1.0 - outcome.attainment) * sum as f64).abs() < 2.0, "{missed}");
    assert!(outcome.failed > 0 && outcome.failed as f64 <= missed + 1.0);
    assert!(keep.0.len() > 1_000);
}

#[test]
fn a_run_is_the_same_every_time() {
    let scenario = world(&json!({ "metrics": { "missing": 0.1, "stale": 0.1 } }));
    let policy = r#"{ "hpa": { "cpu_percent": 60 } }"#;
    let run = Run { scenario: &scenario, policy, seed: 5, initial: 9, peak_rate: 400.0, events: false };
    let (first, second) = (fluid(&run, &CURVE, wave()), fluid(&run, &CURVE, wave()));
    assert!(first.0 == second.0 && first.1.0 == second.1.0);
    let other = Run { seed: 6, ..run };
    assert!(fluid(&other, &CURVE, wave()).0 != first.0);
}

/// Ten replicas of fixed work, under 15 replicas' worth for 8 s and idle otherwise: the wait grows by
/// half a second per second and passes 0.8 s (objective less work) after 1.6 s; all later ones miss.
#[test]
fn an_overload_misses_what_a_fluid_queue_says() {
    let service = json!([{
        "name": "model", "server": { "fcfs": { "slots": 4 } }, "service_time": { "fixed": "200ms" },
        "replicas": { "min": 10, "max": 10 },
    }]);
    let scenario = scenario(json!({ "services": service, "warm_up": "0s" }));
    let bins = (0..30_u64).map(|i| {
        let count = if i == 2 { 2_400 } else { 8 };
        let load = BinLoad::Count(count);
        Ok(LoadItem::Bin { start: Instant::ZERO + Span::from_secs(8 * i), span: Span::from_secs(8), load })
    });
    let policy = r#"{ "static": { "replicas": 10 } }"#;
    let run = Run { scenario: &scenario, policy, seed: 1, initial: 10, peak_rate: 300.0, events: false };
    let (outcome, _) = fluid(&run, &CURVE, Box::new(bins));
    // 2 400 × 6.4 / 8 = 1 920, and a request or so of the next bins while the 4 s of backlog last.
    let missed = (1.0 - outcome.attainment) * outcome.requests as f64;
    assert!((missed - 1_920.0).abs() < 60.0, "{missed}");
    assert_eq!(outcome.failed, 0);
}

/// Nobody is there for the first minute; the front holds 500 of 600 requests, those older than 10 s leave.
#[test]
fn the_front_holds_and_clients_leave_it() {
    let client = json!({ "timeout": "10s", "front_queue": 500 });
    let mut scenario = world(&json!({ "client": client, "warm_up": "0s" }));
    scenario.services[0].replicas.min = 0;
    scenario.services[0].initial = Some(0);
    let policy = r#"{ "static": { "replicas": 20 } }"#;
    let run = Run { scenario: &scenario, policy, seed: 1, initial: 0, peak_rate: 100.0, events: false };
    let bins = || -> LoadStream {
        Box::new((0..20_u64).map(|i| {
            let load = BinLoad::Count(600);
            Ok(LoadItem::Bin { start: Instant::ZERO + Span::MINUTE * i, span: Span::MINUTE, load })
        }))
    };
    let ((exact, _), (rough, _)) = (run.over(bins()), fluid(&run, &CURVE, bins()));
    assert_eq!(rough.requests, exact.requests);
    let off = rough.failed as f64 - exact.failed as f64;
    assert!(off.abs() < 40.0, "{} failed instead of {}", rough.failed, exact.failed);
    assert!((rough.attainment - exact.attainment).abs() < 0.005, "{} {}", rough.attainment, exact.attainment);
}

/// Means of the metrics over a steady run, and how much they vary.
#[test]
fn policies_see_the_same_metrics() {
    let mut scenario = world(&json!({}));
    (scenario.services[0].replicas.min, scenario.services[0].replicas.max) = (10, 10);
    let constant = || workload::constant(Constant { rps: 140.0, length: Span::HOUR * 6 });
    let keda = |metric| format!(r#"{{ "keda": {{ "metric": "{metric}", "threshold": 14 }} }}"#);
    let kpa = r#"{ "kpa": {} }"#.to_owned();
    for policy in [HPA.to_owned(), kpa, keda("requests_per_second"), keda("concurrency")] {
        let run = Run {
            scenario: &scenario,
            policy: &policy,
            seed: 2,
            initial: 10,
            peak_rate: 400.0,
            events: false,
        };
        let ((_, exact), (_, rough)) = (run.over(constant()), fluid(&run, &CURVE, constant()));
        let ((a, da), (b, db)) = (moments(&exact), moments(&rough));
        println!("{policy}: {a:.1} ± {da:.2}, fluid {b:.1} ± {db:.2}");
        assert!((b / a - 1.0).abs() < 0.02, "{policy}: {b} instead of {a}");
        assert!((db / da - 1.0).abs() < 0.25, "{policy}: varies by {db} instead of {da}");
    }
}

const HPA: &str = r#"{ "hpa": { "cpu_percent": 70 } }"#;

/// Mean and standard deviation of the first reading, summed over replicas, after half an hour.
fn moments(keep: &Keep) -> (f64, f64) {
    let value = |(_, seen, _): &(usize, homeostat_core::Observation, homeostat_core::Decision)| {
        (seen.at >= Instant::ZERO + Span::MINUTE * 30).then_some(())?;
        match seen.readings.first()? {
            Reading::PerReplica(samples) => Some(samples.iter().map(|s| s.milli as f64).sum::<f64>()),
            Reading::Total { milli, .. } => Some(milli[0] as f64),
            Reading::Failed(_) => None,
        }
    };
    let values: Vec<f64> = keep.0.iter().filter_map(value).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).sqrt())
}

#[test]
fn what_a_fluid_cannot_stand_for_is_refused() {
    let cases = [
        (json!({ "client": { "retries": 1 } }), "client.retries"),
        (json!({ "faults": [{ "kind": "crash", "every": "1h" }] }), "faults"),
        (
            json!({ "traffic": { "tokens": { "fixed": "1ms", "per_input": "1ms", "per_output": "1ms" } } }),
            "traffic.tokens",
        ),
    ];
    for (extra, path) in cases {
        let error = Fluid::check(&world(&extra)).unwrap_err();
        assert_eq!(error.path, path);
        assert!(error.problem.contains("--fidelity requests"), "{error}");
    }
    let scenario = world(&json!({}));
    let item = LoadItem::Request { at: Instant::ZERO, size: homeostat_core::load::RequestSize::default() };
    let controllers = vec![controller(&scenario, HPA, 100.0)];
    let fluid = Fluid::new(&scenario, 1, controllers, &[1], Box::new([Ok(item)].into_iter()), &CURVE);
    assert!(matches!(fluid.map(|f| f.run(&mut Silent, &mut |_| false)), Err(Stop::Unsupported(_))));
}
