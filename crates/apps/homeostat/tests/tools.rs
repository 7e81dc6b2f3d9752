//! Journals, scenarios, traces and completions.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use common::{Place, root};

#[test]
fn journals_replay_and_explain() {
    let place = Place::new();
    let run = |out: &str| {
        let args = ["compare", "small.yaml", "--policy", "hpa-cpu-50", "--policy", "kpa", "--journal", out];
        place.ends(&args, 0);
        std::fs::read(place.path(&format!("{out}/kpa.journal"))).unwrap()
    };
    let bytes = run("a");
    assert_eq!(bytes, run("b"));
    let (out, _) = place.ends(&["replay", "a/kpa.journal"], 0);
    assert!(out.contains("0 different"), "{out}");
    let (out, _) = place.ends(&["explain", "a/hpa-cpu-50.journal", "--at", "30m"], 0);
    assert!(out.contains("cpu") && out.contains("target of 50 %"), "{out}");
    place.ends(&["explain", "a/hpa-cpu-50.journal", "--changes"], 0);
    let (_, error) = place.ends(&["explain", "a/kpa.journal", "--at", "noon"], 2);
    assert!(error.contains("--at noon"), "{error}");
}

#[test]
fn damaged_journals_are_refused() {
    let place = Place::new();
    place.ends(&["compare", "small.yaml", "--policy", "kpa", "--journal", "a"], 0);
    let bytes = std::fs::read(place.path("a/kpa.journal")).unwrap();
    let middle = bytes.len() / 2;
    place.write("cut.journal", &bytes[..middle]);
    let mut flipped = bytes.clone();
    flipped[middle] ^= 1;
    place.write("flipped.journal", &flipped);
    place.write("other.journal", "something else");
    for name in ["cut.journal", "flipped.journal", "other.journal", "absent.journal"] {
        let (_, error) = place.ends(&["replay", name], 2);
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn a_changed_policy_shows_in_the_replay() {
    let place = Place::new();
    place.ends(&["compare", "small.yaml", "--policy", "hpa-cpu-50", "--journal", "a"], 0);
    let mut bytes = std::fs::read(place.path("a/hpa-cpu-50.journal")).unwrap();
    // Same length, so that the file stays whole; the header's checksum is made good below.
    let at = bytes.windows(16).position(|w| w == b"cpu_percent\\\":50".as_slice()).unwrap();
    bytes[at + 14] = b'8';
    let length = u32::from_le_bytes(bytes[10..14].try_into().unwrap()) as usize;
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[14..14 + length]);
    bytes[14 + length..18 + length].copy_from_slice(&crc.sum().to_le_bytes());
    place.write("changed.journal", &bytes);
    let output = place.run(&["replay", "changed.journal"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn scenarios_are_well_formed() {
    let place = Place::new();
    let (example, _) = place.ends(&["scenario", "init"], 0);
    place.write("mine.yaml", example);
    place.ends(&["scenario", "check", "mine.yaml"], 0);
    for folder in ["scenarios/demo", "scenarios/benchmark"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            place.ends(&["scenario", "check", path.to_str().unwrap()], 0);
        }
    }
    let (list, _) = place.ends(&["demo", "--list"], 0);
    assert!(list.contains("daily") && list.contains("to-zero"), "{list}");
}

#[test]
fn the_schema_is_the_committed_one() {
    let (schema, _) = Place::new().ends(&["scenario", "schema"], 0);
    let committed = std::fs::read_to_string(root().join("docs/scenario.schema.json")).unwrap();
    assert_eq!(schema.trim(), committed.trim(), "run `cargo xtask schema`");
}

#[test]
fn traces_are_generated_converted_and_inspected() {
    let place = Place::new();
    place.ends(&["trace", "generate", "made.csv.gz", "--scenario", "small.yaml"], 0);
    place.ends(&["trace", "convert", "made.csv.gz", "five.csv", "--to", "rate", "--bin", "5m"], 0);
    let (out, _) = place.ends(&["trace", "inspect", "five.csv"], 0);
    assert!(out.contains("requests/s"), "{out}");
    let seen = place.json(&["trace", "inspect", "made.csv.gz", "--json"]);
    assert!((seen["mean_per_second"].as_f64().unwrap() - 40.0).abs() < 0.01);
    let args = ["compare", "small.yaml", "--trace", "made.csv.gz", "--policy", "static", "--json"];
    let replayed = place.json(&args);
    let generated = place.json(&["compare", "small.yaml", "--policy", "static", "--json"]);
    let requests = |v: &serde_json::Value| v["requests"].as_f64().unwrap();
    assert!((requests(&replayed) / requests(&generated) - 1.0).abs() < 0.02);
}

#[test]
fn shells_get_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let (script, _) = Place::new().ends(&["completions", shell], 0);
        assert!(script.contains("compare"), "{shell}");
    }
}
