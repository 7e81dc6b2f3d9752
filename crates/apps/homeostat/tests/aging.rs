//! `homeostat aging` on tables, good and bad, and on a journal.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use std::fmt::Write as _;

use common::Place;
use serde_json::Value;

/// 20 h of two replicas, a reading in five minutes: `a` leaks 30 MiB/h from 500 MiB on, `b` doesn't.
fn table(columns: &str, more: &str) -> String {
    let mut text = format!("time,replica,memory_mib,requests{columns}\n");
    for i in 0..240_u32 {
        let (hour, minute) = (i / 12, i % 12 * 5);
        let time = format!("2026-03-01T{hour:02}:{minute:02}:00Z");
        let jitter = f64::from(i * 7 % 11) - 5.0;
        let load = 10 + i % 5;
        let leaks = 500.0 + f64::from(i) * 2.5 + jitter;
        writeln!(text, "{time},a,{leaks},{load}{more}").unwrap();
        writeln!(text, "{time},b,{},{load}{more}", 400.0 + jitter).unwrap();
    }
    text
}

fn of<'a>(found: &'a Value, replica: &str) -> &'a Value {
    let replicas = found["replicas"].as_array().unwrap();
    replicas.iter().find(|row| row["replica"] == replica).unwrap()
}

#[test]
fn a_leak_is_told_with_its_rate_and_its_time() {
    let place = Place::new();
    place.write("m.csv", table("", ""));
    let found = place.json(&["aging", "m.csv", "--limit", "memory_mib=1400", "--json"]);
    let a = of(&found, "a");
    assert_eq!((&a["leak"], &a["why"], &a["unit"]), (&true.into(), &"leak".into(), &"MiB".into()));
    let number = |name: &str| a[name].as_f64().unwrap();
    assert!((number("slope_per_hour") / 30.0 - 1.0).abs() < 0.1, "{a}");
    assert!(number("slope_low") <= 30.0 && 30.0 <= number("slope_high"), "{a}");
    let left = (1_400.0 - 500.0 - 239.0 * 2.5) / 30.0;
    assert!((number("hours_to_limit") / left - 1.0).abs() < 0.1, "{a}, {left} h are left");
    assert!(number("hours_low") <= number("hours_to_limit"), "{a}");
    let due = found["due"].as_array().unwrap();
    assert!(due.len() == 1 && due[0]["replica"] == "a" && due[0]["action"] == "recycle", "{found}");
    assert!(due[0]["in_hours"].as_f64().unwrap() < left, "{found}");
}

#[test]
fn every_field_is_there_and_null_where_nothing_is_known() {
    let place = Place::new();
    place.write("m.csv", table("", ""));
    let found = place.json(&["aging", "m.csv", "--limit", "memory_mib=1400", "--json"]);
    let b = of(&found, "b");
    let mut fields: Vec<&str> = b.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    let expected = [
        "action",
        "hours_high",
        "hours_low",
        "hours_to_limit",
        "leak",
        "replica",
        "signal",
        "slope_high",
        "slope_low",
        "slope_per_hour",
        "unit",
        "why",
    ];
    assert_eq!(fields, expected);
    assert_eq!((&b["leak"], &b["action"]), (&false.into(), &"nothing".into()));
    assert!(b["hours_to_limit"].is_null(), "{b}");
}

#[test]
fn a_percentage_is_of_the_column_of_limits() {
    let place = Place::new();
    place.write("with.csv", table(",memory_limit_mib", ",2000"));
    place.write("without.csv", table("", ""));
    let args = |file: &'static str| ["aging", file, "--limit", "memory_mib=70%", "--json"];
    let found = place.json(&args("with.csv"));
    let left = (1_400.0 - 500.0 - 239.0 * 2.5) / 30.0;
    let hours = of(&found, "a")["hours_to_limit"].as_f64().unwrap();
    assert!((hours / left - 1.0).abs() < 0.1, "{found}");
    let found = place.json(&args("without.csv"));
    let a = of(&found, "a");
    assert_eq!((&a["why"], &a["hours_to_limit"]), (&"no_limit_column".into(), &Value::Null));
}

#[test]
fn odd_rows_are_told_of_and_bad_ones_refused() {
    let place = Place::new();
    let mut turned: Vec<String> = table("", "").lines().map(str::to_owned).collect();
    turned.swap(3, 99);
    place.write("turned.csv", turned.join("\n"));
    let (out, err) = place.ends(&["aging", "turned.csv", "--limit", "memory_mib=1400"], 0);
    assert!(out.contains("leak") && err.contains("note: "), "{out}{err}");
    place.write("word.csv", "time,replica,memory_mib\n2026-03-01T00:00:00Z,a,much\n");
    place.write("empty.csv", "time,replica,memory_mib\n");
    place.write("bare.csv", "time,replica\n2026-03-01T00:00:00Z,a\n");
    for (file, says) in [("word.csv", "much"), ("empty.csv", "expected rows"), ("bare.csv", "signal")] {
        let (out, err) = place.ends(&["aging", file], 2);
        assert!(out.is_empty() && err.contains(says), "{file}: {out}{err}");
    }
    place.write("m.csv", table("", ""));
    let (_, err) = place.ends(&["aging", "m.csv", "--limit", "heap_mib=3"], 2);
    assert!(err.contains("heap_mib") && err.contains("memory_mib"), "{err}");
}

#[test]
fn nothing_but_gaps_is_no_data() {
    let place = Place::new();
    let rows = (0..60).fold(String::new(), |mut rows, minute| {
        writeln!(rows, "2026-03-01T00:{minute:02}:00Z,a,").unwrap();
        rows
    });
    place.write("gaps.csv", format!("time,replica,memory_mib\n{rows}"));
    let found = place.json(&["aging", "gaps.csv", "--json"]);
    assert_eq!(of(&found, "a")["why"], "no_data");
}

/// Nine hours of two replicas that leak 40 MiB/h from 500 MiB on, under a policy that reads their memory and
/// doesn't restart them.
const LEAKING: &str = "\
version: 1
name: leaking
traffic:
  source: { constant: { rps: 5, length: 9h } }
objective: { latency: 1s, attainment: 0.9 }
services:
  - name: model
    server: { fcfs: { slots: 4 } }
    service_time: { log_normal: { mean: 200ms, cv: 0.5 } }
    replicas: { min: 2, max: 2 }
    memory_mib: 500
    memory_limit_mib: 2000
    leak: { mib_per_hour: 40 }
    memory: { noise_mib: 5 }
    start_up: { model_load: { fixed: 30s } }
warm_up: 5m
policies:
  - { name: watched, policy: { restart: { memory_percent: 95, surge: true } } }
";

#[test]
fn a_journal_says_which_replicas_leak() {
    let place = Place::new();
    place.write("leaking.yaml", LEAKING);
    place.ends(&["compare", "leaking.yaml", "--no-bound", "--journal", "j"], 0);
    let limit = "memory_bytes=1073741824";
    let found = place.json(&["aging", "j/watched.journal", "--limit", limit, "--json"]);
    let replicas = found["replicas"].as_array().unwrap();
    assert_eq!(replicas.len(), 2, "{found}");
    for replica in replicas {
        assert_eq!((&replica["leak"], &replica["signal"]), (&true.into(), &"memory_bytes".into()));
        let mib_per_hour = replica["slope_per_hour"].as_f64().unwrap() / f64::from(1 << 20);
        assert!((mib_per_hour / 40.0 - 1.0).abs() < 0.1, "{replica}");
        // 1 GiB less 500 MiB and nine hours' leak.
        let left = (1_024.0 - 500.0) / 40.0 - 9.0;
        assert!((replica["hours_to_limit"].as_f64().unwrap() - left).abs() < 0.5, "{replica}");
    }
}
