//! Comparisons: the same to the byte, in a stable form, with exit codes that scripts can use.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Place, SMALL, hpa, keys, policy};
use serde_json::Value;

const FEW: [&str; 6] = ["--policy", "hpa-cpu-50", "--policy", "kpa", "--policy", "watermark"];
const ONE: [&str; 2] = ["--policy", "hpa-cpu-50"];
const FIGURES: [&str; 9] = [
    "attainment",
    "failed",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "replica_hours",
    "cost",
    "scale_events",
    "flips_per_hour",
];

fn compare<'a>(first: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [&["compare", "small.yaml", "--json", "--no-bound"], first, more].concat()
}

#[test]
fn runs_repeat_to_the_byte_on_any_number_of_threads_in_any_order() {
    let place = Place::new();
    let first = place.ends(&compare(&FEW, &[]), 0).0;
    assert_eq!(first, place.ends(&compare(&FEW, &[]), 0).0);
    for threads in ["1", "2"] {
        assert_eq!(first, place.ends(&compare(&FEW, &["--threads", threads]), 0).0);
    }
    let first: Value = serde_json::from_str(&first).unwrap();
    let turned = ["--policy", "watermark", "--policy", "kpa", "--policy", "hpa-cpu-50"];
    let turned = place.json(&compare(&turned, &[]));
    for name in ["hpa-cpu-50", "kpa", "watermark"] {
        assert_eq!(policy(&first, name), policy(&turned, name));
    }
    assert_ne!(first, place.json(&compare(&FEW, &["--seed", "2"])));
}

#[test]
fn the_json_has_these_fields_and_no_others() {
    let place = Place::new();
    let top = [
        "scenario",
        "seeds",
        "requests",
        "objective",
        "scored_hours",
        "currency",
        "bound",
        "policies",
        "savings",
    ];
    let mut names = vec!["name", "guards"];
    names.extend(FIGURES);
    names.splice(9..9, ["monthly_cost", "cost_over_bound", "gap_closed"]);
    let single = place.json(&compare(&ONE, &[]));
    assert_eq!(keys(&single), top);
    assert_eq!(keys(policy(&single, "hpa-cpu-50")), names);
    assert_eq!((&single["scenario"], &single["seeds"][0]), (&"small".into(), &1.into()));
    assert!(single["bound"].is_null() && policy(&single, "hpa-cpu-50")["cost_over_bound"].is_null());
    let timed = place.json(&compare(&ONE, &["--timing"]));
    assert_eq!(keys(&timed), [&top[..], &["timing"]].concat());
    assert!(timed["timing"]["policies"]["hpa-cpu-50"]["cpu_seconds"].is_f64());
    let several = place.json(&compare(&ONE, &["--seeds", "3"]));
    assert_eq!(keys(&several), top);
    assert_eq!(several["seeds"], serde_json::json!([1, 2, 3]));
    let row = policy(&several, "hpa-cpu-50");
    assert_eq!(keys(row), [&names[..], &["ci", "runs"]].concat());
    assert_eq!(keys(&row["ci"]), FIGURES);
    for (i, run) in row["runs"].as_array().unwrap().iter().enumerate() {
        assert_eq!(keys(run), [&["seed"], &FIGURES[..]].concat());
        assert_eq!(run["seed"], i as u64 + 1);
    }
    for name in FIGURES {
        assert_eq!(row["runs"][0][name], policy(&single, "hpa-cpu-50")[name], "the run of that seed alone");
    }
    assert_eq!(single["objective"], serde_json::json!({ "latency_ms": 1000.0, "attainment": 0.99 }));
    for name in FIGURES {
        let [low, mean, high] = [&row["ci"][name][0], &row[name], &row["ci"][name][1]];
        let [low, mean, high] = [low, mean, high].map(|value| value.as_f64().unwrap());
        assert!(low <= mean && mean <= high, "{name}: {low} {mean} {high}");
    }
}

#[test]
fn a_fluid_run_says_so_and_repeats_to_the_byte() {
    let place = Place::new();
    let exact = place.json(&compare(&FEW, &[]));
    let first = place.ends(&compare(&FEW, &["--fidelity", "fluid", "--report", "out"]), 0).0;
    assert_eq!(first, place.ends(&compare(&FEW, &["--fidelity", "fluid", "--threads", "1"]), 0).0);
    let fluid: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(keys(&fluid)[..3], ["scenario", "fidelity", "seeds"]);
    assert_eq!((&fluid["fidelity"], &fluid["requests"]), (&"fluid".into(), &exact["requests"]));
    for name in ["hpa-cpu-50", "kpa", "watermark"] {
        let figure = |result: &Value, field: &str| policy(result, name)[field].as_f64().unwrap();
        let off = figure(&fluid, "attainment") - figure(&exact, "attainment");
        assert!(off.abs() <= 0.001, "{name}: {off}");
    }
    let page = place.text("out/report.html");
    assert!(page.contains("--fidelity fluid") && page.contains("A fluid run"));
    let table = place.ends(&["compare", "small.yaml", "--policy", "kpa", "--fidelity", "fluid"], 0).0;
    assert!(table.contains("fidelity fluid"), "{table}");
}

#[test]
fn a_required_objective_decides_the_exit_code() {
    let place = Place::new();
    let with = |require, slo: &[&'static str]| {
        [&["compare", "small.yaml", "--no-bound", "--policy", "static", "--require", require], slo].concat()
    };
    for name in ["static", "any"] {
        place.ends(&with(name, &[]), 0);
        let (out, err) = place.ends(&with(name, &["--slo", "1ms"]), 1);
        assert!(out.contains("static") && err.contains("missed"), "{out}{err}");
    }
    place.refuses(&with("kpa", &[]), &["--require kpa", "static"]);
}

#[test]
fn what_if_flags_change_what_they_name() {
    let place = Place::new();
    let plain = place.json(&compare(&ONE, &[]));
    let with = |flag, value| place.json(&compare(&ONE, &[flag, value]));
    let figure = |v: &Value, name: &str| policy(v, "hpa-cpu-50")[name].as_f64().unwrap();
    let twice = with("--scale-load", "2");
    let ratio = twice["requests"].as_f64().unwrap() / plain["requests"].as_f64().unwrap();
    assert!((ratio - 2.0).abs() < 0.05, "{ratio}");
    assert!(figure(&with("--slo", "300ms"), "attainment") < figure(&plain, "attainment"));
    let hours = figure(&with("--max-replicas", "1"), "replica_hours");
    assert!(hours <= 1.0 && hours < figure(&plain, "replica_hours"), "{hours}");
    // One replica is too few here: what is missing comes soon or late.
    place.write("small.yaml", SMALL.replace("max: 30 }", "max: 30 }\n    initial: 1"));
    let [soon, late] = ["30s", "10m"].map(|time| figure(&with("--start-up", time), "attainment"));
    assert!(soon > 0.9 && late < soon - 0.05, "{soon} {late}");
    place.ends(&compare(&["--policy", "static"], &["--max-replicas", "5", "--threads", "1"]), 0);
}

#[test]
fn manifests_are_policies_as_they_are() {
    let place = Place::new();
    let cpu =
        "{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } } }";
    place.write("web.yaml", hpa(cpu));
    place.write(
        "queue.yaml",
        "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: web }
spec:
  scaleTargetRef: { name: web }
  maxReplicaCount: 20
  triggers:
    - type: prometheus
      metadata: { serverAddress: 'http://p:9090', query: requests_per_second, threshold: '14' }
",
    );
    place.write("web-app.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\n");
    let result = place.json(&compare(&["--policy", "web.yaml", "--policy", "queue.yaml"], &[]));
    for name in ["web", "queue"] {
        assert!(policy(&result, name)["attainment"].as_f64().unwrap() > 0.9, "{name}");
    }
    let named = ["web-app.yaml", "Deployment", "HorizontalPodAutoscaler", "ScaledObject"];
    place.refuses(&compare(&["--policy", "web-app.yaml"], &[]), &named);
    place.refuses(&compare(&["--policy", "nope"], &[]), &["--policy nope", "hpa-cpu-50", "kpa"]);
}

#[test]
fn a_report_is_a_page_and_the_same_json() {
    let place = Place::new();
    let (out, _) = place.ends(&compare(&["--policy", "kpa", "--report", "out"], &[]), 0);
    let html = place.text("out/report.html");
    assert!(html.contains("kpa") && html.len() < 5_000_000);
    assert!(!html.contains("src=\"http") && !html.contains("@import"));
    assert_eq!(place.text("out/result.json").trim(), out.trim());
    assert_eq!(std::fs::read_dir(place.path("out")).unwrap().count(), 2);
}

#[test]
fn tables_are_plain_where_no_terminal_is() {
    let place = Place::new();
    let (out, err) = place.ends(&["compare", "small.yaml", "--policy", "static"], 0);
    assert!(out.contains("✓ static") && out.contains("least cost"), "{out}");
    assert!(!out.contains('\u{1b}') && err.is_empty(), "{out}{err}");
}

#[test]
fn paths_may_hold_spaces_and_lead_elsewhere() {
    let place = Place::new();
    let folder = place.path("my files");
    std::fs::create_dir(&folder).unwrap();
    place.ends(&["trace", "generate", "my files/t.csv", "--scenario", "small.yaml"], 0);
    let traced = SMALL.replace("constant: { rps: 20, length: 1h }", "trace: { file: t.csv }");
    place.write("my files/ünï.yaml", traced);
    let args = ["compare", "my files/ünï.yaml", "--policy", "static", "--report", "my files/out"];
    place.ends(&args, 0);
    let page = place.text("my files/out/report.html");
    assert!(page.contains("my files/ünï.yaml") && !page.contains("compare my files"), "not quoted");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_at_once_and_prints_what_is_done() {
    let place = Place::new();
    place.write("long.yaml", SMALL.replace("rps: 20, length: 1h", "rps: 20, length: 2d"));
    let mut args = vec!["compare", "long.yaml", "--json", "--threads", "1", "--journal", "done"];
    let many = ["static", "kpa", "hpa-rps", "hpa-cpu-50", "hpa-cpu-80", "keda-rps", "watermark", "reactive"];
    args.extend(many.iter().flat_map(|name| ["--policy", name]));
    let mut command = place.command(&args);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    // A journal gets its name when its run is done.
    while !place.path("done/static.journal").exists() && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let asked = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(policy(&result, "static")["attainment"].is_f64());
    let (done, left) = (result["policies"].as_array().unwrap(), result["unfinished"].as_array().unwrap());
    assert_eq!(done.len() + left.len(), many.len());
    assert!(left.contains(&"reactive".into()), "{left:?}");
}
