//! Comparisons against an earlier result, and savings in money a month.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use common::{Place, SMALL, policy};
use serde_json::Value;

/// A fixed count called `ours`, so that a result can be made better or worse at will.
fn fixed(replicas: u32) -> String {
    format!("name: ours\nstatic: {{ replicas: {replicas} }}\n")
}

const OURS: [&str; 6] = ["compare", "small.yaml", "--policy", "ours.yaml", "--policy", "hpa-cpu-50"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&OURS[..], &["--no-bound"], more].concat()
}

/// A folder with an earlier result of `replicas`, and the scenario paid in USD.
fn earlier(replicas: u32, more: &[&str]) -> Place {
    let place = Place::new();
    place.write("small.yaml", SMALL.replace("name: small", "name: small\ncurrency: USD"));
    place.write("ours.yaml", fixed(replicas));
    let (out, _) = place.ends(&with(&[&["--json"], more].concat()), 0);
    place.write("old.json", out);
    place
}

#[test]
fn equal_runs_change_nothing() {
    for more in [&[][..], &["--seeds", "3"]] {
        let place = earlier(6, more);
        let again = with(&[more, &["--against", "old.json"]].concat());
        let (out, err) = place.ends(&again, 0);
        assert!(out.contains("unchanged: ours, hpa-cpu-50") && out.contains("nothing got worse"), "{out}");
        assert!(err.is_empty(), "{err}");
        let result = place.json(&[&again[..], &["--json"]].concat());
        assert_eq!(result["against"]["verdict"], "not worse");
        for change in result["against"]["policies"].as_array().unwrap() {
            assert_eq!(change["monthly_saving"].as_f64(), Some(0.0));
            for (figure, delta) in change["changes"].as_object().unwrap() {
                assert_eq!(delta["difference"].as_f64(), Some(0.0), "{figure}");
                assert_eq!(delta["ci"].is_null(), more.is_empty(), "{figure}");
            }
        }
    }
}

#[test]
fn what_got_worse_fails() {
    // From 6 replicas to 12: dearer. From 6 to 1: overloaded, and cheaper.
    let place = earlier(6, &["--seeds", "3"]);
    let again = with(&["--seeds", "3", "--against", "old.json"]);
    place.write("ours.yaml", fixed(12));
    let (out, err) = place.ends(&again, 1);
    assert!(err.contains("worse: ours: cost") && err.contains("0.50 %"), "{err}");
    assert!(out.contains("✗ ours") && out.contains("unchanged: hpa-cpu-50"), "{out}");
    assert!(out.contains("ours costs 4 380 USD a month more than in old.json (100.0 %)"), "{out}");
    place.ends(&[&again[..], &["--tolerance", "1"]].concat(), 0);
    place.write("ours.yaml", fixed(1));
    let (out, err) = place.ends(&again, 1);
    assert!(err.contains("worse: ours: attainment fell") && err.contains("below the objective"), "{err}");
    assert!(out.contains("✗ ours saves 3 650 USD a month") && out.contains("misses the objective"), "{out}");
    // Cheaper and good enough is no failure.
    let place = earlier(12, &[]);
    place.write("ours.yaml", fixed(8));
    let (out, _) = place.ends(&with(&["--against", "old.json"]), 0);
    assert!(out.contains("✓ ours saves 2 920 USD a month against old.json (33.3 %)."), "{out}");
    assert!(out.contains("need --seeds 2"), "{out}");
}

#[test]
fn intervals_are_students_over_the_seeds_in_common() {
    let place = earlier(6, &["--seeds", "4"]);
    let old: Value = serde_json::from_str(&place.text("old.json")).unwrap();
    let args = ["--seed", "2", "--seeds", "5", "--scale-load", "1.5", "--against", "old.json", "--json"];
    let (out, _) = {
        let output = place.command(&with(&args)).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status)
    };
    let new: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(new["against"]["seeds"], serde_json::json!([2, 3, 4]));
    let changes = new["against"]["policies"].as_array().unwrap();
    let hpa = changes.iter().find(|change| change["name"] == "hpa-cpu-50").unwrap();
    for figure in ["attainment", "replica_hours", "cost", "scale_events"] {
        let runs = |result: &Value| -> Vec<f64> {
            let runs = policy(result, "hpa-cpu-50")["runs"].as_array().unwrap().clone();
            let common = runs.iter().filter(|run| [2, 3, 4].contains(&run["seed"].as_u64().unwrap()));
            common.map(|run| run[figure].as_f64().unwrap()).collect()
        };
        let differences: Vec<f64> = runs(&old).iter().zip(runs(&new)).map(|(old, new)| new - old).collect();
        assert_eq!(differences.len(), 3);
        let mean = differences.iter().sum::<f64>() / 3.0;
        let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 2.0;
        // 4.303: the 97.5 % quantile of Student's t with two degrees of freedom.
        let half = 4.303 * (variance / 3.0).sqrt();
        let delta = &hpa["changes"][figure];
        let near = |value: &Value, wanted: f64| (value.as_f64().unwrap() - wanted).abs() < 1e-9;
        assert!(near(&delta["difference"], mean), "{figure}: {delta}");
        assert!(
            near(&delta["ci"][0], mean - half) && near(&delta["ci"][1], mean + half),
            "{figure}: {delta}"
        );
    }
    assert_ne!(hpa["changes"]["cost"]["difference"].as_f64(), Some(0.0), "the case shows nothing");
}

#[test]
fn policies_come_and_go() {
    let place = earlier(6, &[]);
    let args = [
        "compare",
        "small.yaml",
        "--no-bound",
        "--policy",
        "ours.yaml",
        "--policy",
        "kpa",
        "--against",
        "old.json",
    ];
    let (out, _) = place.ends(&args, 0);
    assert!(out.contains("added: kpa") && out.contains("removed: hpa-cpu-50"), "{out}");
    let result = place.json(&[&args[..], &["--json"]].concat());
    assert_eq!(result["against"]["added"], serde_json::json!(["kpa"]));
    assert_eq!(result["against"]["removed"], serde_json::json!(["hpa-cpu-50"]));
    // A result of its own is an earlier result for the next.
    place.ends(&[&args[..], &["--report", "out"]].concat(), 0);
    place.ends(&[&args[..8], &["out/result.json"]].concat(), 0);
}

#[test]
fn other_traffic_is_noted_and_foreign_files_are_refused() {
    let place = earlier(6, &[]);
    let against = with(&["--against", "old.json"]);
    let (_, err) = place.ends(&[&against[..], &["--scale-load", "1.05"]].concat(), 1);
    assert!(err.contains("note: old.json: the traffic differs"), "{err}");
    assert!(err.contains("worse: hpa-cpu-50: cost"), "{err}");
    let (_, err) = place.ends(&[&against[..], &["--seed", "5"]].concat(), 0);
    assert!(err.contains("no seed is in both") && err.contains("--seed 1"), "{err}");
    place.refuses(&[&against[..], &["--slo", "500ms"]].concat(), &["old.json", "1000 ms", "--slo 1000ms"]);
    let old = place.text("old.json");
    let broken: [(String, &[&str]); 8] = [
        (old.replacen("\"small\"", "\"large\"", 1), &["`large`", "`small`"]),
        (old.replacen("\"USD\"", "\"EUR\"", 1), &["EUR", "USD", "currency"]),
        (old.replacen("\"objective\"", "\"objectif\"", 1), &["objective", "--json > old.json"]),
        (old.replacen("\"attainment\": 0.9998", "\"attainment\": 7.9998", 1), &["ours", "can't be"]),
        (old[..old.len() - 20].to_owned(), &["old.json", "--json > old.json"]),
        ("policies: []".to_owned(), &["old.json", "--json > old.json"]),
        ("[1, 2]".to_owned(), &["old.json", "--json > old.json"]),
        ("{\"head\": {\"format\": \"homeostat-part\"}}".to_owned(), &["part of a run", "homeostat merge"]),
    ];
    for (text, named) in broken {
        assert_ne!(text, old);
        place.write("old.json", text);
        place.refuses(&[&against[..], &["--report", "out"]].concat(), named);
    }
    place.refuses(&with(&["--against", "absent.json"]), &["absent.json", "No such file"]);
    place.refuses(&with(&["--baseline", "nope"]), &["--baseline nope", "--policy nope"]);
}

#[test]
fn savings_are_counted_from_a_baseline() {
    let place = earlier(12, &[]);
    // One hour of which 5 minutes are not scored, 12 replicas at 1 USD an hour.
    let old: Value = serde_json::from_str(&place.text("old.json")).unwrap();
    assert_eq!(old["currency"], "USD");
    assert!((old["scored_hours"].as_f64().unwrap() - 55.0 / 60.0).abs() < 1e-12);
    let monthly = |name: &str| policy(&old, name)["monthly_cost"].as_f64().unwrap();
    assert!((monthly("ours") - 12.0 * 730.0).abs() < 1e-6, "{}", monthly("ours"));
    // Both are candidates; hpa-cpu-50 is the cheaper.
    assert_eq!(old["savings"]["baseline"], "hpa-cpu-50");
    let (out, _) = place.ends(&with(&["--baseline", "ours"]), 0);
    let saved = monthly("ours") - monthly("hpa-cpu-50");
    let share = saved / monthly("ours") * 100.0;
    let said = format!("USD a month against ours ({share:.1} %)");
    assert!(out.contains("✓ hpa-cpu-50 saves") && out.contains(&said), "{out}\n{said}");
    let result = place.json(&with(&["--baseline", "ours", "--json", "--seeds", "2", "--report", "out"]));
    let rows = result["savings"]["policies"].as_array().unwrap();
    assert_eq!((&rows[0]["monthly"], &rows[0]["share"]), (&0.0.into(), &0.0.into()));
    let [low, high] = [&rows[1]["monthly_ci"][0], &rows[1]["monthly_ci"][1]].map(|v| v.as_f64().unwrap());
    let middle = rows[1]["monthly"].as_f64().unwrap();
    assert!(low < middle && middle < high && (low + high - 2.0 * middle).abs() < 1e-6);
    let page = place.text("out/report.html");
    assert!(page.contains("USD a month)") && page.contains("A month"), "no monthly cost");
    // Nothing to be counted from: neither HPA nor fixed count.
    let none = place.json(&["compare", "small.yaml", "--no-bound", "--policy", "kpa", "--json"]);
    assert!(none["savings"].is_null());
}
