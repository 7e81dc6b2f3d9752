//! Scenarios, traces and completions.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use common::{Place, keys, root};
use serde_json::Value;

#[test]
fn the_example_and_all_scenarios_are_well_formed() {
    let place = Place::new();
    let (example, _) = place.ends(&["scenario", "init"], 0);
    place.write("mine.yaml", example);
    place.ends(&["scenario", "check", "mine.yaml"], 0);
    for folder in ["scenarios/demo", "scenarios/benchmark"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "yaml") {
                place.ends(&["scenario", "check", path.to_str().unwrap()], 0);
            }
        }
    }
}

#[test]
fn every_listed_demo_can_be_read() {
    let place = Place::new();
    let (list, _) = place.ends(&["demo", "--list"], 0);
    let names: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let demos = ["daily", "cold-start", "flash-crowd", "half-hourly", "faults", "graph", "to-zero"];
    for demo in demos {
        assert!(names.contains(&demo), "{list}");
        place.ends(&["trace", "generate", "made.csv", "--scenario", demo], 0);
    }
    place.refuses(&["demo", "absent"], &["absent", "daily"]);
}

#[test]
fn the_schema_is_json_and_the_committed_one() {
    let (schema, _) = Place::new().ends(&["scenario", "schema"], 0);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert!(keys(&schema["properties"]).contains(&"services"));
    if let Ok(committed) = std::fs::read_to_string(root().join("docs/scenario.schema.json")) {
        let committed: Value = serde_json::from_str(&committed).unwrap();
        assert!(schema == committed, "docs/scenario.schema.json is not what `scenario schema` prints");
    }
}

#[test]
fn traces_are_generated_converted_and_inspected() {
    let place = Place::new();
    let (out, _) = place.ends(&["trace", "generate", "made.csv.gz", "--scenario", "small.yaml"], 0);
    assert!(out.contains("72\u{202f}000 requests") || out.contains("72 000 requests"), "{out}");
    assert!(place.bytes("made.csv.gz").starts_with(&[0x1f, 0x8b]));
    place.ends(&["trace", "convert", "made.csv.gz", "five.csv", "--to", "rate", "--bin", "5m"], 0);
    assert_eq!(place.text("five.csv").lines().count(), 13);
    let (out, _) = place.ends(&["trace", "inspect", "five.csv"], 0);
    assert!(out.contains("20.000 requests/s") && out.contains("+1h00m00s"), "{out}");
    let seen = place.json(&["trace", "inspect", "made.csv.gz", "--json"]);
    assert!((seen["mean_per_second"].as_f64().unwrap() - 20.0).abs() < 0.01);
    place.ends(&["trace", "convert", "made.csv.gz", "events.csv", "--to", "events"], 0);
    place.ends(&["trace", "convert", "events.csv", "counts.csv.gz", "--to", "count", "--bin", "1m"], 0);
    let events = place.json(&["trace", "inspect", "events.csv", "--json"]);
    let counts = place.json(&["trace", "inspect", "counts.csv.gz", "--json"]);
    assert!(events["requests"].as_f64().unwrap() > 70_000.0 && events["requests"] == counts["requests"]);
    let requests = |more: &[&str]| {
        let args = [&["compare", "small.yaml", "--policy", "static", "--json", "--no-bound"], more].concat();
        place.json(&args)["requests"].as_f64().unwrap()
    };
    let ratio = requests(&["--trace", "made.csv.gz"]) / requests(&[]);
    assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
}

#[test]
fn bad_trace_commands_write_nothing() {
    let place = Place::new();
    place.write("bad.csv", "time,count\n2026-01-01T00:00,5\n2026-01-01T00:01,-3\n");
    place.refuses(&["trace", "inspect", "bad.csv"], &["bad.csv, row 3", "count", "negative"]);
    place.refuses(&["trace", "convert", "bad.csv", "out.csv"], &["bad.csv, row 3"]);
    place.refuses(&["trace", "convert", "bad.csv", "out.csv", "--to", "tables"], &["tables", "count"]);
    place.refuses(&["trace", "generate", "out.csv", "--scenario", "absent.yaml"], &["absent.yaml"]);
    place.refuses(&["trace", "inspect", "absent.csv"], &["absent.csv", "No such file"]);
}

#[test]
fn shells_get_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let (script, _) = Place::new().ends(&["completions", shell], 0);
        assert!(script.contains("homeostat") && script.contains("scale-load"), "{shell}");
    }
}

#[test]
fn policies_are_listed() {
    let (list, _) = Place::new().ends(&["policies"], 0);
    for name in ["static", "hpa-cpu-50", "kpa", "keda-rps", "watermark", "autoscale--"] {
        assert!(list.contains(name), "{name}: {list}");
    }
}
