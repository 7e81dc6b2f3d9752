//! `tune`: what it chooses, that the part it reports on is unseen, and what it says where nothing fits.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use std::fmt::Write as _;

use common::{Place, keys, root};
use serde_json::Value;

/// Half a day of bursts on a service of some eight replicas.
const BURSTY: &str = "\
version: 1
name: bursty
traffic:
  source:
    generate:
      length: 6h
      mean_rps: 30
      daily: 0.3
      bursts: { per_day: 60, height: 0.6, lasts: 4m }
  scale: { mean_replicas: 6 }
  part: test
objective: { latency: 1s, attainment: 0.95 }
services:
  - name: model
    server: { fcfs: { slots: 1 } }
    service_time: { log_normal: { mean: 200ms, cv: 0.5 } }
    replicas: { min: 1, max: 40 }
    start_up: { model_load: { fixed: 40s } }
warm_up: 10m
";

fn place() -> Place {
    let place = Place::new();
    place.write("bursty.yaml", BURSTY);
    place
}

fn tune<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["tune", "bursty.yaml", "--json", "--quiet"], more].concat()
}

/// The only entry of a result.
fn only(result: &Value) -> &Value {
    let tuned = result["tuned"].as_array().unwrap();
    assert_eq!(tuned.len(), 1);
    &tuned[0]
}

#[test]
fn compare_repeats_the_result_from_every_familys_manifest() {
    let place = place();
    for (family, head) in [
        ("hpa", "kind: HorizontalPodAutoscaler"),
        ("keda", "kind: ScaledObject"),
        ("kpa", "kpa:"),
        ("watermark", "watermark:"),
        ("static", "static:"),
    ] {
        let file = format!("{family}-best.yaml");
        let args = ["--policy", family, "--attainment", "90", "--budget", "12", "--out", &file];
        let result = place.json(&tune(&args));
        let tuned = only(&result);
        assert_eq!(tuned["manifest"], file.as_str());
        assert!(place.text(&file).contains(head), "{}", place.text(&file));
        let chosen = &tuned["chosen"];
        assert!(chosen["tune"]["attainment"].as_f64().unwrap() >= 0.9, "{chosen}");
        let compared = place.json(&["compare", "bursty.yaml", "--json", "--policy", &file]);
        let row = &compared["policies"][0];
        for field in ["attainment", "cost", "replica_hours", "p99_ms", "scale_events"] {
            assert_eq!(row[field], chosen["test"][field], "{family}: {field}");
        }
    }
}

#[test]
fn replacements_are_tuned_beside_an_hpa_and_written_in_our_form() {
    let place = place();
    let memory = "memory_mib: 100\n    memory_limit_mib: 200\n    leak: { mib_per_hour: 90, cv: 0.3 }\n    \
                  replicas: {";
    place.write("bursty.yaml", BURSTY.replacen("replicas: {", memory, 1));
    for family in ["rejuvenate", "restart"] {
        let file = format!("{family}.yaml");
        let args = ["--policy", family, "--attainment", "90", "--budget", "8", "--out", &file];
        let result = place.json(&tune(&args));
        let text = place.text(&file);
        assert!(text.contains("together:") && text.contains(&format!("{family}:")), "{text}");
        let compared = place.json(&["compare", "bursty.yaml", "--json", "--no-bound", "--policy", &file]);
        let (row, chosen) = (&compared["policies"][0], &only(&result)["chosen"]["test"]);
        assert_eq!((&row["attainment"], &row["cost"]), (&chosen["attainment"], &chosen["cost"]), "{family}");
        assert!(row["aging"]["oom_kills"].is_u64(), "{row}");
    }
}

#[test]
fn the_json_has_these_fields_and_one_search_serves_all_attainments() {
    let place = place();
    let args = ["--policy", "hpa", "--policy", "static", "--attainment", "95,80", "--budget", "20"];
    let result = place.json(&tune(&args));
    assert_eq!(keys(&result), ["scenario", "seed", "tune_hours", "test_hours", "tuned"]);
    let tuned = result["tuned"].as_array().unwrap();
    let named: Vec<_> =
        tuned.iter().map(|t| (t["policy"].as_str().unwrap(), t["attainment"].as_f64().unwrap())).collect();
    assert_eq!(named, [("hpa", 0.8), ("hpa", 0.95), ("static", 0.8), ("static", 0.95)]);
    for entry in tuned {
        let fields = [
            "policy",
            "attainment",
            "space",
            "runs",
            "fluid_runs",
            "frontier",
            "chosen",
            "limit",
            "manifest",
        ];
        assert_eq!(keys(entry), fields);
        assert_eq!(keys(&entry["chosen"]), ["settings", "tune", "test"]);
        assert!(entry["manifest"].as_str().unwrap().starts_with("# "), "the text without --out");
        let frontier = entry["frontier"].as_array().unwrap();
        assert_eq!(keys(&frontier[0]), ["settings", "attainment", "cost", "replica_hours"]);
        let number = |row: &Value, field: &str| row[field].as_f64().unwrap();
        for pair in frontier.windows(2) {
            assert!(number(&pair[0], "cost") < number(&pair[1], "cost"), "{frontier:?}");
            assert!(number(&pair[0], "attainment") < number(&pair[1], "attainment"), "{frontier:?}");
        }
        let wanted = number(entry, "attainment");
        let best = frontier.iter().find(|row| number(row, "attainment") >= wanted).unwrap();
        assert_eq!(best["settings"], entry["chosen"]["settings"]);
        assert!(number(entry, "runs") <= 8.0 + 1e-9 || entry["policy"] == "static", "{}", entry["runs"]);
    }
    assert_eq!(tuned[0]["space"], 420);
    assert_eq!(keys(&tuned[0]["chosen"]["settings"]).len(), 4);
}

#[test]
fn runs_repeat_to_the_byte_on_any_number_of_threads() {
    let place = place();
    let args = ["--policy", "kpa", "--attainment", "90", "--budget", "15"];
    let first = place.ends(&tune(&args), 0).0;
    for threads in ["1", "3"] {
        let again = [&args[..], &["--threads", threads]].concat();
        assert_eq!(first, place.ends(&tune(&again), 0).0);
    }
}

/// A trace by the minute: `hours` of waves, then as many of another height.
fn waves(hours: u32, later: f64) -> String {
    let mut text = "time,count\n".to_owned();
    for minute in 0..hours * 60 {
        let wave = 1_500.0 + 900.0 * (f64::from(minute) / 17.0).sin();
        let factor = if minute < hours * 24 { 1.0 } else { later };
        let (day, at) = (1 + minute / 1_440, minute % 1_440);
        let (hour, minute) = (at / 60, at % 60);
        writeln!(text, "2026-03-{day:02}T{hour:02}:{minute:02}:00Z,{:.0}", wave * factor).unwrap();
    }
    text
}

#[test]
fn the_part_for_testing_changes_nothing_about_the_choice() {
    let place = Place::new();
    let mut chosen = Vec::new();
    for (name, later) in [("calm.csv", 0.6), ("busy.csv", 1.7)] {
        place.write(name, waves(6, later));
        let text = BURSTY.replace("  scale: { mean_replicas: 6 }\n", "");
        place.write("bursty.yaml", text);
        let args = ["--trace", name, "--policy", "hpa", "--attainment", "90", "--budget", "15"];
        let result = place.json(&tune(&args));
        let entry = only(&result).clone();
        chosen.push(entry);
    }
    let [calm, busy] = [&chosen[0], &chosen[1]];
    for field in ["frontier", "runs", "manifest"] {
        assert_eq!(calm[field], busy[field], "{field}");
    }
    assert_eq!(calm["chosen"]["tune"], busy["chosen"]["tune"]);
    assert_ne!(calm["chosen"]["test"], busy["chosen"]["test"]);
}

#[test]
fn says_what_stands_in_the_way() {
    let place = place();
    let args = ["--policy", "hpa", "--attainment", "99.9", "--budget", "12"];
    let cause = |scenario: &str, more: &[&str], cause: &str, words: &str| {
        place.write("bursty.yaml", scenario);
        let (out, _) = place.ends(&tune(&[&args[..], more].concat()), 1);
        let result: Value = serde_json::from_str(&out).unwrap();
        let entry = only(&result);
        assert!(entry["chosen"].is_null() && entry["manifest"].is_null());
        assert_eq!(entry["limit"]["cause"], cause, "{}", entry["limit"]);
        let text = entry["limit"]["text"].as_str().unwrap();
        assert!(text.contains("comes nearest with") && text.contains(words), "{text}");
    };
    let slow_work = BURSTY.replace("cv: 0.5", "cv: 1.5");
    cause(&slow_work, &[], "work", "the work itself limits it");
    cause(BURSTY, &["--max-replicas", "5"], "maximum", "raise replicas.max");
    // Rises of minutes: seen in time, but not answered in ten minutes.
    let ramps = BURSTY
        .replace(
            "bursts: { per_day: 60, height: 0.6, lasts: 4m }",
            "flash_crowds: { per_day: 24, height: 8.0, lasts: 1h }",
        )
        .replace("model_load: { fixed: 40s }", "model_load: { fixed: 10m }")
        .replace("max: 40", "max: 4000");
    cause(&ramps, &[], "start_up", "start-up limits it");
    let sudden = BURSTY.replace("height: 0.6", "height: 12.0").replace("max: 40", "max: 4000");
    cause(&sudden, &[], "bursts", "bursts limit it");
}

/// Ends with 2 before anything runs, and says these words.
fn rejects(place: &Place, args: &[&str], words: &[&str]) {
    let (out, err) = place.ends(args, 2);
    assert!(out.is_empty() && words.iter().all(|word| err.contains(word)), "{args:?}: {err}");
}

#[test]
fn refuses_what_makes_no_sense() {
    let place = place();
    place.refuses(&tune(&["--policy", "vpa"]), &["--policy vpa", "hpa", "watermark", "static"]);
    for wrong in ["100", "0", "-1", "abc", "120"] {
        let flag = format!("--attainment={wrong}");
        rejects(&place, &tune(&[&flag]), &["99.9"]);
    }
    rejects(&place, &tune(&["--budget", "0"]), &["--budget"]);
    rejects(&place, &tune(&["--search", "guess"]), &["halving", "exhaustive"]);
    place.write("bursty.yaml", BURSTY.replace("warm_up: 10m", "warm_up: 5h"));
    place.refuses(&tune(&[]), &["tuning part", "warm_up"]);
    place.refuses(&["tune", "none.yaml"], &["none.yaml"]);
}

#[test]
fn writes_a_folder_of_manifests_and_a_plot() {
    let place = place();
    let args = [
        "tune",
        "bursty.yaml",
        "--quiet",
        "--policy",
        "hpa",
        "--attainment",
        "80,90",
        "--budget",
        "12",
        "--out",
        "best",
        "--plot",
        "curve.svg",
    ];
    let (out, err) = place.ends(&args, 0);
    for name in ["best/hpa-80.yaml", "best/hpa-90.yaml"] {
        assert!(out.contains(name) && place.text(name).contains("autoscaling/v2"), "{out}");
    }
    assert!(err.contains("note: too short to be cut at midnight"), "{err}");
    let svg = place.text("curve.svg");
    assert!(svg.starts_with("<svg") && svg.contains("polyline") && svg.ends_with("</svg>\n"));
    assert!(out.contains("unseen part") && out.contains("chosen for"), "{out}");
    assert!(!out.contains("apiVersion"), "written, not printed: {out}");
}

#[test]
fn every_setting_can_be_run() {
    let place = place();
    let args = ["--policy", "static", "--attainment", "90"];
    let halved = place.json(&tune(&args));
    let all = place.json(&tune(&[&args[..], &["--search", "exhaustive"]].concat()));
    let (halved, all) = (only(&halved), only(&all));
    assert_eq!(halved["chosen"], all["chosen"]);
    assert_eq!(all["runs"].as_f64(), all["space"].as_f64());
    assert!(halved["runs"].as_f64() < all["runs"].as_f64());
}

#[test]
fn the_spaces_are_listed_and_documented() {
    let place = Place::new();
    let (out, _) = place.ends(&["policies", "--spaces"], 0);
    let docs = std::fs::read_to_string(root().join("docs/tuning.md")).unwrap();
    for name in ["target_percent", "stable-window", "capacity_percent", "low_over_high", "scale_down_window"]
    {
        assert!(out.contains(name) && docs.contains(name), "{name}: {out}");
    }
}

#[test]
fn parts_of_a_scan_merge_into_the_bytes_of_one() {
    let place = place();
    let args = ["--policy", "static", "--attainment", "80,90", "--search", "exhaustive"];
    let whole = place.ends(&tune(&args), 0).0;
    for index in ["1/3", "2/3", "3/3"] {
        let out = format!("part{}.json", &index[..1]);
        let share = ["tune", "bursty.yaml", "--quiet", "--shard", index, "--out", &out];
        place.ends(&[&share[..], &args].concat(), 0);
    }
    let names = ["merge", "part2.json", "part3.json", "part1.json"];
    assert_eq!(whole, place.ends(&[&names[..], &["--json"]].concat(), 0).0);
    place.ends(&[&names[..], &["--out", "best", "--plot", "curve.svg"]].concat(), 0);
    assert!(place.text("best/static-90.yaml").contains("replicas:"));
    rejects(&place, &[&names[..], &["--require", "any"]].concat(), &["parts of tune"]);
    rejects(&place, &names[..3], &["missing: part"]);
    let halved = ["--shard", "1/2", "--out", "x.json"];
    rejects(&place, &[&["tune", "bursty.yaml"], &halved[..]].concat(), &["--search exhaustive"]);
}
