//! `calibrate` and `validate` on records of a service with known parameters, and on records that are none.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use std::fmt::Write as _;

use common::{Place, SMALL};
use homeostat_calibrate::Record;
use homeostat_calibrate::lab::Truth;
use homeostat_twin::scenario::{Server, Slots};
use serde_json::Value;

fn truth() -> Truth {
    Truth {
        server: Server::Fcfs(Slots { slots: 4, queue: u32::MAX }),
        mean_ms: 200,
        cv: 0.5,
        start_up_s: 90,
        replicas: 3.0,
        target: 50,
        crowds: 0.0,
        hours: 12,
        seed: 7,
        noise: 0.05,
    }
}

fn csv(record: &Record) -> String {
    let mut text = "time_s,rate,ready,desired,mean_ms,p50_ms,p95_ms,p99_ms,cpu_percent,attained\n".to_owned();
    let cell =
        |value: Option<f64>, factor: f64| value.map_or(String::new(), |v| format!("{:.6}", v * factor));
    for s in &record.samples {
        let [mean, p50, p95, p99] = s.latency_s.map(|t| cell(t, 1_000.0));
        let (rate, ready, desired) = (cell(s.rate, 1.0), cell(s.ready, 1.0), cell(s.desired, 1.0));
        let (cpu, attained) = (cell(s.cpu_share, 100.0), cell(s.attained, 1.0));
        let at = s.at.as_secs_f64();
        writeln!(text, "{at},{rate},{ready},{desired},{mean},{p50},{p95},{p99},{cpu},{attained}").unwrap();
    }
    text
}

fn value(fit: &Value, name: &str) -> f64 {
    let found = fit["estimates"].as_array().unwrap().iter().find(|e| e["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {fit}"))["value"].as_f64().unwrap()
}

/// The way of the documentation: fit, look, validate, compare with and without a warning.
#[test]
fn from_metrics_to_a_scenario_that_is_believed() {
    let place = Place::new();
    place.write("metrics.csv", csv(&truth().record()));
    let args = ["calibrate", "metrics.csv", "--json", "--out", "service.yaml", "--plot", "fit.svg"];
    let fit = place.json(&args);
    for (name, wanted) in [
        ("service_time_mean_ms", 200.0),
        ("service_time_cv", 0.5),
        ("slots", 4.0),
        ("capacity_per_s", 20.0),
        ("capacity_by_cpu_per_s", 20.0),
    ] {
        let found = value(&fit, name);
        assert!((found / wanted - 1.0).abs() < 0.05, "{name}: {found}");
    }
    assert!((value(&fit, "start_up_mean_s") / 90.0 - 1.0).abs() < 0.2, "{fit}");
    assert!(place.text("fit.svg").contains("<polyline"));
    place.ends(&["scenario", "check", "service.yaml"], 0);

    let args =
        ["validate", "service.yaml", "metrics.csv", "--json", "--out", "stamp.yaml", "--plot", "v.svg"];
    let found = place.json(&args);
    assert!(found["validation"]["p99_error"].as_f64().unwrap().abs() < 0.1, "{}", found["validation"]);
    assert!(found["problem"].is_null());
    let stamped = format!("{}{}", place.text("service.yaml"), place.text("stamp.yaml"));
    place.write("stamped.yaml", stamped);
    place.ends(&["scenario", "check", "stamped.yaml"], 0);
}

#[test]
fn a_wrong_model_is_found_out_and_warned_of() {
    let place = Place::new();
    place.write("metrics.csv", csv(&truth().record()));
    let wrong = SMALL.replace("mean: 200ms, cv: 0.5", "mean: 260ms, cv: 0.5");
    place.write("wrong.yaml", &wrong);
    let (_, err) = place.ends(&["validate", "wrong.yaml", "metrics.csv", "--out", "stamp.yaml"], 1);
    assert!(err.contains("missed: p99 is off by +"), "{err}");
    place.write("stamped.yaml", format!("{wrong}{}", place.text("stamp.yaml")));
    let args = ["compare", "stamped.yaml", "--policy", "static", "--quiet", "--report", "out"];
    let (_, err) = place.ends(&args, 0);
    assert!(err.contains("warning: stamped.yaml: this model failed its validation"), "{err}");
    assert!(place.text("out/report.html").contains("failed its validation"));
    let (_, err) = place.ends(&["compare", "wrong.yaml", "--policy", "static", "--quiet"], 0);
    assert!(!err.contains("warning"), "{err}");
}

#[test]
fn prometheus_ranges_are_joined() {
    let place = Place::new();
    let record = truth().record();
    let range = |pick: &dyn Fn(&homeostat_calibrate::Sample) -> Option<f64>| {
        let values: Vec<String> = record
            .samples
            .iter()
            .filter_map(|s| Some(format!("[{},\"{}\"]", s.end().as_secs_f64() + 1.7e9, pick(s)?)))
            .collect();
        format!(
            "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{{\"metric\":{{}},\"values\":[{}]}}]}}}}",
            values.join(",")
        )
    };
    place.write("rate.json", range(&|s| s.rate));
    place.write("r.json", range(&|s| s.ready));
    place.write("half.json", range(&|s| s.latency_s[1]));
    place.write("p99_s.json", range(&|s| s.latency_s[3]));
    let args =
        ["calibrate", "rate.json", "ready=r.json", "p50_s=half.json", "p99_s.json", "--slots", "4", "--json"];
    let fit = place.json(&args);
    assert!((value(&fit, "service_time_mean_ms") / 200.0 - 1.0).abs() < 0.05, "{fit}");
    let codes: Vec<&str> =
        fit["notes"].as_array().unwrap().iter().filter_map(|n| n["code"].as_str()).collect();
    assert!(codes.contains(&"no-cpu") && codes.contains(&"no-desired"), "{codes:?}");
    place.refuses(&["calibrate", "r.json"], &["r.json", "does not say", "p99_s="]);
}

/// A few rows under a header.
fn rows(header: &str, row: impl Fn(u32) -> String, count: u32) -> String {
    let mut text = format!("{header}\n");
    for i in 0..count {
        writeln!(text, "{},{}", i * 60, row(i)).unwrap();
    }
    text
}

#[test]
fn bad_metrics_are_refused_with_their_place() {
    let place = Place::new();
    let header = "time_s,rate,ready,p50_ms,p99_ms";
    let fine = |i: u32| format!("{},2,180,600", 10 + i % 20);
    let cases: Vec<(String, &[&str])> = vec![
        (rows(header, fine, 10), &["bad.csv", "only 10 samples", "at least 30"]),
        (rows(header, |_| "10,2,180,600".to_owned(), 100), &["hardly changes", "--slots 4"]),
        (rows("time_s,ready,p50_ms", |_| "2,180".to_owned(), 100), &["no sample has a rate"]),
        (rows("time_s,rate,p50_ms", |_| "2,180".to_owned(), 100), &["no sample has a count of ready"]),
        (rows("time_s,rate,ready", |_| "20,2".to_owned(), 100), &["no sample has a latency", "p99_ms"]),
        (
            rows(header, |i| if i == 3 { "-1,2,180,600".to_owned() } else { fine(i) }, 50),
            &["row 5", "`rate`", "negative"],
        ),
        (
            rows(header, |i| if i == 3 { "x,2,180,600".to_owned() } else { fine(i) }, 50),
            &["row 5", "`rate`", "not a number"],
        ),
        (
            rows(header, |i| format!("{},2,0.18,0.6", 10 + i % 20), 50),
            &["p50_ms", "seconds", "--map p50_s=p50_ms"],
        ),
        (format!("{header}\n60,10,2,180,600\n60,11,2,180,600\n"), &["row 3", "time_s", "that of row 2"]),
        (format!("{header}\n60,10,2,180,600\n0,11,2,180,600\n"), &["row 3", "before that of row 2"]),
        ("a,b\n1,2\n".to_owned(), &["row 1", "none of the columns a, b is a time", "--map time="]),
        (String::new(), &["bad.csv", "empty"]),
    ];
    for (text, named) in cases {
        place.write("bad.csv", text);
        place.refuses(&["calibrate", "bad.csv", "--out", "s.yaml", "--plot", "p.svg"], named);
    }
    let told = format!("{header},saturated");
    let much = rows(&told, |i| format!("{},1,180,600,0", 100 + i % 200), 300);
    place.write("bad.csv", much);
    place.refuses(
        &["calibrate", "bad.csv", "--slots", "4"],
        &["bad.csv", "than the ready replicas can", "--slots 8"],
    );
    place.write("fine.csv", rows(header, fine, 50));
    place.refuses(&["calibrate", "fine.csv", "fine.csv"], &["row 2", "already"]);
    place.refuses(&["calibrate", "fine.csv", "--map", "p42=x"], &["--map", "p42=x", "p99_ms"]);
    place.refuses(&["calibrate", "fine.csv", "--server", "lifo"], &["--server lifo", "fcfs"]);
    place.refuses(&["calibrate", "absent.csv"], &["absent.csv", "No such file"]);
    place.refuses(&["validate", "small.yaml", "fine.csv", "--part", "90:10"], &["--part 90:10", "60:100"]);
    place.refuses(&["validate", "small.yaml", "fine.csv", "--part", "90:100"], &["windows can be compared"]);
}
