//! Comparisons: the same to the byte, in a stable form, with exit codes that scripts can use.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use common::Place;
use serde_json::Value;

const FEW: [&str; 6] = ["--policy", "hpa-cpu-50", "--policy", "kpa", "--policy", "watermark"];

fn compare<'a>(extra: &[&'a str]) -> Vec<&'a str> {
    [&["compare", "small.yaml", "--json"], extra].concat()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn policy<'a>(result: &'a Value, name: &str) -> &'a Value {
    result["policies"].as_array().unwrap().iter().find(|p| p["name"] == name).unwrap()
}

#[test]
fn runs_repeat_to_the_byte_in_any_order_on_any_number_of_threads() {
    let place = Place::new();
    let first = place.ends(&compare(&FEW), 0).0;
    assert_eq!(first, place.ends(&compare(&FEW), 0).0);
    assert_eq!(first, place.ends(&compare(&[&FEW[..], &["--threads", "1"]].concat()), 0).0);
    let first: Value = serde_json::from_str(&first).unwrap();
    let turned =
        place.json(&compare(&["--policy", "watermark", "--policy", "kpa", "--policy", "hpa-cpu-50"]));
    for name in ["hpa-cpu-50", "kpa", "watermark"] {
        assert_eq!(policy(&first, name), policy(&turned, name));
    }
}

#[test]
fn the_json_has_stable_names() {
    let place = Place::new();
    let result = place.json(&compare(&["--policy", "hpa-cpu-50"]));
    assert_eq!(keys(&result), ["scenario", "seeds", "requests", "bound", "policies"]);
    assert!(result["bound"].is_null());
    let row = policy(&result, "hpa-cpu-50");
    let names = [
        "name",
        "guards",
        "attainment",
        "failed",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "replica_hours",
        "cost",
        "cost_over_bound",
        "scale_events",
        "flips_per_hour",
    ];
    assert_eq!(keys(row), names);
    assert!(row["cost_over_bound"].is_null());
    let several = place.json(&compare(&["--policy", "hpa-cpu-50", "--seeds", "3", "--timing"]));
    let ci = &policy(&several, "hpa-cpu-50")["ci"];
    for name in names.into_iter().filter(|n| !["name", "guards", "cost_over_bound"].contains(n)) {
        let (low, high) = (ci[name][0].as_f64().unwrap(), ci[name][1].as_f64().unwrap());
        let mean = policy(&several, "hpa-cpu-50")[name].as_f64().unwrap();
        assert!(low <= mean && mean <= high, "{name}: {low} {mean} {high}");
    }
    assert!(several["timing"]["policies"]["hpa-cpu-50"]["cpu_seconds"].is_f64());
}

#[test]
fn a_required_objective_decides_the_exit_code() {
    let place = Place::new();
    place.ends(&compare(&["--policy", "static", "--require", "static"]), 0);
    place.ends(&compare(&["--policy", "static", "--require", "static", "--slo", "1ms"]), 1);
    place.ends(&compare(&["--policy", "static", "--require", "any", "--slo", "1ms"]), 1);
    place.ends(&compare(&["--policy", "static", "--require", "kpa"]), 2);
}

#[test]
fn what_if_flags_change_what_they_name() {
    let place = Place::new();
    let with = |extra: &[&str]| place.json(&compare(&[&["--policy", "hpa-cpu-50"], extra].concat()));
    let plain = with(&[]);
    let requests = |v: &Value| v["requests"].as_f64().unwrap();
    let ratio = requests(&with(&["--scale-load", "2"])) / requests(&plain);
    assert!((ratio - 2.0).abs() < 0.05, "{ratio}");
    let attained = |v: &Value| policy(v, "hpa-cpu-50")["attainment"].as_f64().unwrap();
    let slow = with(&["--start-up", "10m"]);
    assert_ne!(policy(&slow, "hpa-cpu-50"), policy(&plain, "hpa-cpu-50"));
    assert!(attained(&with(&["--slo", "300ms"])) < attained(&plain));
    let hours = |v: &Value| policy(v, "hpa-cpu-50")["replica_hours"].as_f64().unwrap();
    assert!(hours(&with(&["--max-replicas", "3"])) <= 3.0 * 55.0 / 60.0 + 1e-9);
}

#[test]
fn manifests_are_policies() {
    let place = Place::new();
    place.write(
        "hpa.yaml",
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: { name: web, namespace: d }\nspec:\n  \
         scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }\n  minReplicas: 2\n  \
         maxReplicas: 20\n  \
         metrics:\n    - type: Resource\n      resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } }\n",
    );
    place.write(
        "keda.yaml",
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: { name: web }\nspec:\n  scaleTargetRef: { name: web }\n  \
         maxReplicaCount: 20\n  triggers:\n    - type: prometheus\n      metadata: { serverAddress: 'http://p:9090', query: requests_per_second, threshold: '14' }\n",
    );
    place.write("deployment.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\n");
    let result = place.json(&compare(&["--policy", "hpa.yaml", "--policy", "keda.yaml"]));
    assert!(policy(&result, "hpa")["attainment"].as_f64().unwrap() > 0.9);
    assert!(policy(&result, "keda")["attainment"].as_f64().unwrap() > 0.8);
    let (_, error) = place.ends(&compare(&["--policy", "deployment.yaml"]), 2);
    assert!(error.contains("Deployment") && error.contains("HorizontalPodAutoscaler"), "{error}");
}

#[test]
fn a_report_is_one_file() {
    let place = Place::new();
    place.ends(&compare(&["--policy", "kpa", "--report", "out"]), 0);
    let html = std::fs::read_to_string(place.path("out/report.html")).unwrap();
    assert!(html.contains("kpa") && html.len() < 5_000_000);
    assert!(!html.contains("src=\"http") && !html.contains("@import"));
    let json = std::fs::read_to_string(place.path("out/result.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["scenario"], "small");
}

#[test]
fn ctrl_c_ends_cleanly() {
    use std::process::Stdio;
    let place = Place::new();
    let long = common::SMALL
        .replace("length: 1h, mean_rps: 40", "length: 60d, mean_rps: 4000")
        .replace("max: 30", "max: 3000");
    place.write("long.yaml", long);
    let mut command = place.command(&["compare", "long.yaml", "--policy", "static", "--policy", "kpa"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("stopped"));
}
