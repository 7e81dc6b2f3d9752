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
