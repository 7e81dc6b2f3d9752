//! The engine that knows a request's fate on arrival and the one that works by events agree to the
//! request, and every run is the same as the one before it.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

use homeostat_core::guard::GuardProfile;
use homeostat_core::{Controller, Decision, Instant, Observation, Span};
use homeostat_policy::spec::PolicySpec;
use homeostat_twin::{Outcome, Recorder, Scenario, Simulation, workload};

fn scenario(extra: serde_json::Value) -> Scenario {
    let mut value = serde_json::json!({
        "version": 1,
        "name": "test",
        "traffic": { "source": { "constant": { "rps": 60.0, "length": "1h" } } },
        "objective": { "latency": "1s" },
        "services": [{
            "name": "model",
            "server": { "fcfs": { "slots": 4 } },
            "service_time": { "log_normal": { "mean": "200ms", "cv": 1.0 } },
            "replicas": { "min": 1, "max": 50 },
            "start_up": { "model_load": { "fixed": "60s" } },
        }],
        "warm_up": "5m",
    });
    merge(&mut value, extra);
    let scenario: Scenario = serde_json::from_value(value).unwrap();
    scenario.check().unwrap();
    scenario
}

fn merge(into: &mut serde_json::Value, from: serde_json::Value) {
    match (into, from) {
        (serde_json::Value::Object(into), serde_json::Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(serde_json::Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Keeps everything that was decided.
#[derive(Default)]
struct Keep(Vec<(usize, Observation, Decision)>);

impl Recorder for Keep {
    fn decided(&mut self, service: usize, seen: &Observation, decision: &Decision) -> Result<(), String> {
        self.0.push((service, seen.clone(), decision.clone()));
        Ok(())
    }
}

fn run(scenario: &Scenario, policy: &str, events: bool) -> (Outcome, Keep) {
    let spec: PolicySpec = serde_json::from_str(policy).unwrap();
    let controllers = scenario.services.iter().map(|service| {
        let policy = service.policy(&spec, Instant::ZERO, 100.0).unwrap();
        Controller::new(vec![policy], GuardProfile::bounds_only(), service.replicas)
    });
    let rates: Vec<f64> = (0..60).map(|m| 40.0 + 50.0 * f64::from(m % 20 > 9)).collect();
    let stream = workload::series(Span::MINUTE, rates);
    let initial = vec![4; scenario.services.len()];
    let simulation = Simulation::new(scenario, 7, controllers.collect(), &initial, stream).unwrap();
    let simulation = if events { simulation.with_events() } else { simulation };
    let mut keep = Keep::default();
    let outcome = simulation.run(&mut keep, &mut |_| false).unwrap();
    (outcome, keep)
}

const HPA: &str = r#"{ "hpa": { "cpu_percent": 60 } }"#;

fn agree(extra: serde_json::Value) {
    let scenario = scenario(extra);
    let (direct, seen) = run(&scenario, HPA, false);
    let (events, also) = run(&scenario, HPA, true);
    assert_eq!(seen.0, also.0, "the policies saw or did something else");
    let sums =
        |o: &Outcome| (o.requests, o.failed, o.attainment, o.p99_ms, o.mean_ms, o.hops, o.replica_hours);
    assert_eq!(sums(&direct), sums(&events));
    assert!(direct == events, "the sums agree, the series do not");
    assert!(direct.requests > 100_000 && direct.scale_events > 2, "{direct:?}");
}

#[test]
fn both_engines_agree_on_a_plain_service() {
    agree(serde_json::json!({}));
}

#[test]
fn both_engines_agree_with_impatient_clients() {
    agree(serde_json::json!({ "client": { "timeout": "700ms" } }));
    agree(serde_json::json!({ "client": { "timeout": "700ms", "cancels": true } }));
}

#[test]
fn both_engines_agree_under_faults() {
    agree(serde_json::json!({ "faults": [
        { "kind": "crash", "every": "3m" },
        { "kind": { "slow": { "factor": 3.0, "lasts": "90s" } }, "every": "5m" },
        { "kind": "node_loss", "at": "31m", "which": "oldest" },
    ] }));
}

#[test]
fn a_run_repeats_to_the_byte() {
    let graph = scenario(serde_json::json!({
        "client": { "timeout": "2s", "retries": 2 },
        "metrics": { "missing": 0.1, "stale": 0.05 },
        "faults": [{ "kind": "crash", "every": "5m" }],
    }));
    let (first, seen) = run(&graph, HPA, false);
    let (second, also) = run(&graph, HPA, false);
    assert_eq!(first, second);
    assert_eq!(seen.0, also.0);
}
