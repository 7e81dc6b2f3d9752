//! The engine that knows a request's fate on arrival and the one that works by events agree to the
//! request, and every run is the same as the one before it.

mod common;

use common::{Keep, Run, scenario};
use homeostat_core::Span;
use homeostat_twin::{Outcome, Scenario, workload};

fn run(scenario: &Scenario, policy: &str, events: bool) -> (Outcome, Keep) {
    let rates: Vec<f64> = (0..60).map(|m| 40.0 + 50.0 * f64::from(m % 20 > 9)).collect();
    let run = Run { scenario, policy, seed: 7, initial: 4, peak_rate: 100.0, events };
    run.over(workload::series(Span::MINUTE, rates))
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

/// Attempts that fail are tried again: those refused, those whose clients gave up in the queue or in
/// service, those lost in a crash, and those that a slow replica no longer serves in time.
#[test]
fn both_engines_agree_on_retries() {
    let faults = serde_json::json!([
        { "kind": "crash", "every": "2m" },
        { "kind": { "slow": { "factor": 4.0, "lasts": "90s" } }, "every": "3m" },
    ]);
    for cancels in [false, true] {
        let client = serde_json::json!({ "timeout": "700ms", "retries": 2, "cancels": cancels });
        agree(serde_json::json!({ "client": client, "faults": faults }));
        let full = serde_json::json!([{
            "name": "model",
            "server": { "fcfs": { "slots": 4, "queue": 3 } },
            "service_time": { "log_normal": { "mean": "200ms", "cv": 1.0 } },
            "replicas": { "min": 1, "max": 50 },
            "start_up": { "model_load": { "fixed": "60s" } },
        }]);
        agree(serde_json::json!({ "client": client, "faults": faults, "services": full }));
    }
}

/// All replicas die at once: requests are held at the front until one is back, or until they give up.
#[test]
fn both_engines_agree_on_requests_held_at_the_front() {
    let faults = serde_json::json!([{ "kind": "crash", "every": "6m", "which": "all" }]);
    for retries in [0, 2] {
        let client = serde_json::json!({ "timeout": "20s", "retries": retries, "front_queue": 300 });
        agree(serde_json::json!({ "client": client, "faults": faults }));
    }
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
