//! The predictive policy's capacity model against the twin's own stations, and its forecasts in the outcome.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use common::{Run, scenario};
use homeostat_core::{Instant, Span};
use homeostat_policy::predictive::Capacity;
use homeostat_twin::{Scenario, ServiceCurve, workload};
use serde_json::json;

fn world(slots: u32, work: &serde_json::Value, latency: &str) -> Scenario {
    let scenario = json!({
        "version": 1, "name": "x", "traffic": { "source": { "constant": { "rps": 1.0, "length": "1h" } } },
        "objective": { "latency": latency },
        "services": [{
            "name": "model", "server": { "fcfs": { "slots": slots } }, "service_time": work,
            "replicas": { "min": 1, "max": 64 },
        }],
    });
    let scenario: Scenario = serde_json::from_value(scenario).unwrap();
    scenario.check().unwrap();
    scenario
}

#[test]
fn the_capacity_model_agrees_with_the_stations() {
    let cases = [
        (4, json!({ "log_normal": { "mean": "200ms", "cv": 0.5 } }), "1s"),
        (4, json!({ "exponential": "200ms" }), "1500ms"),
        (1, json!({ "fixed": "100ms" }), "500ms"),
        (8, json!({ "log_normal": { "mean": "400ms", "cv": 1.0 } }), "5s"),
    ];
    for (slots, work, latency) in &cases {
        let scenario = world(*slots, work, latency);
        let curve = ServiceCurve::measure(&scenario, 20, 1);
        let promise = scenario.outlook(Instant::ZERO, 1.0).promise.unwrap();
        let service = scenario.services[0].model(promise.latency);
        let model = Capacity::new(&service, promise);
        for n in [1, 4, 20] {
            for permitted in [0.01, 0.001] {
                let goal = model.inevitable() + permitted;
                let ours = model.highest_rate(n, goal) / model.rate_of(f64::from(n));
                let (mut low, mut high) = (0.0, 1.0);
                for _ in 0..30 {
                    let mid: f64 = f64::midpoint(low, high);
                    if curve.late_share(f64::from(n), mid * f64::from(n)) <= goal {
                        low = mid;
                    } else {
                        high = mid;
                    }
                }
                let case = format!("{slots} {work} n={n} p={permitted}: ours {ours:.3} twin {low:.3}");
                // Constant work queues less than the balancer's mean field says: we are too careful.
                let careful = if work.get("fixed").is_some() { 0.12 } else { 0.05 };
                assert!(ours <= low + 0.08 && ours >= low - careful, "{case}");
            }
        }
    }
}

/// Every note and every arrival is in the series once, and a policy that doesn't forecast has none.
#[test]
fn the_outcome_keeps_what_was_expected_and_what_came() {
    let world = scenario(json!({ "warm_up": "0s" }));
    let over = |policy| {
        let run = Run { scenario: &world, policy, seed: 1, initial: 30, peak_rate: 100.0, events: false };
        run.over(workload::series(Span::MINUTE, vec![100.0; 180]))
    };
    let (outcome, kept) = over(r#"{ "predictive": {} }"#);
    let [forecast] = outcome.forecasts.as_slice() else { panic!("{} series", outcome.forecasts.len()) };
    let medians: Vec<f64> = forecast.expected[1].iter().flatten().copied().collect();
    let noted: Vec<f64> =
        kept.0.iter().filter_map(|(_, _, d)| Some(d.forecast?.milli[1] as f64 / 1e3)).collect();
    assert!(noted.len() > 600 && noted.len().abs_diff(medians.len()) <= noted.len() / 20);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert!((mean(&medians) - mean(&noted)).abs() < 1.0, "{} {}", mean(&medians), mean(&noted));
    assert!((mean(&medians) - 100.0).abs() < 5.0, "{}", mean(&medians));
    let came: Vec<f64> = forecast.arrived.iter().flatten().copied().collect();
    assert!((mean(&came) - 100.0).abs() < 1.0, "{}", mean(&came));
    assert_eq!((forecast.service.as_str(), forecast.step_s), ("model", 15.0));
    assert!(forecast.ahead_s >= 60.0 && forecast.ahead_s < 180.0, "{}", forecast.ahead_s);
    assert!(over(r#"{ "static": { "replicas": 30 } }"#).0.forecasts.is_empty());
}
