//! `homeostat forecast`: its JSON, its back-test, its picture, and an answer to every kind of bad input.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use std::fmt::Write as _;
use std::path::PathBuf;

use common::{Place, keys};
use serde_json::Value;

/// Rows of `time,requests` per minute from this second since 1970 on.
fn rows(start: u64, counts: impl IntoIterator<Item = f64>) -> String {
    let mut text = "time,requests\n".to_owned();
    for (n, count) in counts.into_iter().enumerate() {
        writeln!(text, "{},{count}", start + n as u64 * 60).unwrap();
    }
    text
}

/// 2026-03-01T00:00Z.
const MARCH: u64 = 1_772_323_200;

/// Whole counts with the shape of a day, and a little that looks like noise.
fn daily(n: usize) -> f64 {
    let angle = n as f64 / 1_440.0 * std::f64::consts::TAU;
    (600.0 - 400.0 * angle.cos() + ((n * 7_919) % 101) as f64).round()
}

fn sorted(value: &Value) -> Vec<&str> {
    let mut keys = keys(value);
    keys.sort_unstable();
    keys
}

#[test]
fn json_has_the_fields_that_it_promises() {
    let place = Place::new();
    place.write("daily.csv", rows(MARCH, (0..4_320).map(daily)));
    let args = ["forecast", "daily.csv", "--horizon", "5m,15m", "--backtest", "--json"];
    let seen = place.json(&args);
    assert_eq!(sorted(&seen), ["backtest", "forecast", "model", "notes", "step_s", "why"]);
    let forecast = seen["forecast"].as_array().unwrap();
    assert_eq!(forecast.len(), 15);
    assert_eq!(sorted(&forecast[0]), ["at", "q05", "q50", "q90", "q95", "q99"]);
    assert_eq!(forecast[0]["at"], "2026-03-04T00:00:00Z");
    for row in forecast {
        let [low, middle, high] = ["q05", "q50", "q95"].map(|q| row[q].as_f64().unwrap());
        assert!(0.0 <= low && low <= middle && middle <= high, "{row}");
    }
    let rows = seen["backtest"].as_array().unwrap();
    let fields = [
        "chosen",
        "coverage_90",
        "horizon_s",
        "mase",
        "model",
        "pinball_50",
        "pinball_90",
        "pinball_99",
        "wape",
        "width_90",
    ];
    assert!(rows.iter().all(|row| sorted(row) == fields), "{seen}");
    let of = |model: &str| rows.iter().filter(|row| row["model"] == model).count();
    assert_eq!((of("last"), of("automatic")), (2, 2));
    let chosen: Vec<&Value> = rows.iter().filter(|row| row["chosen"] == true).collect();
    assert_eq!(chosen.len(), 2);
    assert_eq!(rows[0]["horizon_s"], 300.0);
    let timed = place.json(&[&args[..], &["--timing"]].concat());
    assert!(timed["backtest"][0]["cpu_seconds"].as_f64().unwrap() >= 0.0);
    assert!(place.json(&["forecast", "daily.csv", "--json"]).get("backtest").is_none());
}

#[test]
fn two_runs_are_equal_to_the_byte_on_any_number_of_threads() {
    let place = Place::new();
    place.write("daily.csv", rows(MARCH, (0..3_000).map(daily)));
    let run = |threads: &str, plot: &str| {
        let args = ["forecast", "daily.csv", "--backtest", "--json", "--threads", threads, "--plot", plot];
        place.ends(&args, 0).0
    };
    assert_eq!(run("1", "a.svg"), run("3", "b.svg"));
    assert_eq!(place.text("a.svg"), place.text("b.svg"));
}

#[test]
fn the_table_says_what_is_in_use_and_why() {
    let place = Place::new();
    place.write("daily.csv", rows(MARCH, (0..3_000).map(daily)));
    let (out, _) = place.ends(&["forecast", "daily.csv", "--backtest"], 0);
    for words in ["model: ", "because", "coverage 90", "automatic", "origins every", "99 %", "per second"] {
        assert!(out.contains(words), "no `{words}` in {out}");
    }
}

#[test]
fn the_picture_is_whole() {
    let place = Place::new();
    place.write("daily.csv", rows(MARCH, (0..3_000).map(daily)));
    place.ends(&["forecast", "daily.csv", "--backtest", "--plot", "fan.svg", "--quiet"], 0);
    let svg = place.text("fan.svg");
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    assert_eq!(svg.matches("<polygon").count(), 4, "three bands ahead, one behind");
    assert!(svg.matches("<polyline").count() >= 4);
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

/// What each kind of bad value turns into: a forecast, and a note with this reason.
#[test]
fn bad_values_are_answered_with_a_forecast_and_a_reason() {
    let place = Place::new();
    let good: Vec<String> = rows(MARCH, (0..200).map(daily)).lines().map(str::to_owned).collect();
    let case = |name: &str, change: &dyn Fn(&mut Vec<String>), reason: &str| {
        let mut lines = good.clone();
        change(&mut lines);
        place.write(name, lines.join("\n"));
        let seen = place.json(&["forecast", name, "--json"]);
        assert_eq!(seen["forecast"].as_array().unwrap().len(), 15, "{name}");
        let middle = seen["forecast"][0]["q50"].as_f64().unwrap();
        assert!(middle > 1.0, "{name}: a forecast of {middle}");
        let reasons: Vec<&str> =
            seen["notes"].as_array().unwrap().iter().filter_map(|note| note["reason"].as_str()).collect();
        assert!(reasons.contains(&reason), "{name}: {reasons:?}");
    };
    let cell = |value: &'static str| {
        move |lines: &mut Vec<String>| {
            let time = lines[100].split(',').next().unwrap().to_owned();
            lines[100] = format!("{time},{value}");
        }
    };
    case("nan.csv", &cell("NaN"), "not-a-number");
    case("text.csv", &cell("n/a"), "not-a-number");
    case("empty.csv", &cell(""), "gap");
    case("infinite.csv", &cell("inf"), "not-a-number");
    case("negative.csv", &cell("-5"), "negative");
    case("unordered.csv", &|lines| lines.swap(50, 60), "unordered");
    case("duplicate.csv", &|lines| lines.insert(70, lines[70].clone()), "duplicate-time");
    case("gap.csv", &|lines| drop(lines.drain(50..80)), "gap");
    let back = |lines: &mut Vec<String>| lines.extend(good[150..].to_vec());
    case("back.csv", &back, "clock-back");
    let outage = |lines: &mut Vec<String>| {
        for line in &mut lines[120..150] {
            *line = format!("{},0", line.split(',').next().unwrap());
        }
    };
    case("outage.csv", &outage, "outage");
    let down = |lines: &mut Vec<String>| {
        for line in &mut lines[160..] {
            *line = format!("{},0", line.split(',').next().unwrap());
        }
    };
    case("down.csv", &down, "outage");
}

#[test]
fn little_and_strange_data_have_defined_answers() {
    let place = Place::new();
    place.write("constant.csv", rows(MARCH, (0..500).map(|_| 300.0)));
    let seen = place.json(&["forecast", "constant.csv", "--json", "--backtest"]);
    for row in seen["forecast"].as_array().unwrap() {
        assert_eq!([&row["q05"], &row["q50"], &row["q99"]].map(|q| q.as_f64().unwrap()), [5.0; 3]);
    }
    assert_eq!(seen["backtest"][0]["wape"], 0.0);
    assert!(seen["backtest"][0]["mase"].is_null(), "the last value was exact: there is no ratio to it");

    place.write("one.csv", rows(MARCH, [120.0]));
    let one = place.json(&["forecast", "one.csv", "--json"]);
    assert_eq!(
        (&one["forecast"][0]["q50"], one["forecast"].as_array().unwrap().len()),
        (&Value::from(2.0), 15)
    );

    place.write("zeros.csv", rows(MARCH, (0..500).map(|_| 0.0)));
    let zeros = place.json(&["forecast", "zeros.csv", "--json", "--backtest"]);
    assert_eq!(zeros["forecast"][0]["q50"], 0.0, "nothing but zeros was ever seen");
    assert!(zeros["backtest"][0]["wape"].is_null());

    // Half a day of data, a daily shape: no season can be known.
    place.write("short.csv", rows(MARCH, (0..720).map(daily)));
    let short = place.json(&["forecast", "short.csv", "--json"]);
    assert!(short["forecast"][0]["q50"].as_f64().unwrap() > 5.0);
}

#[test]
fn what_can_not_be_forecast_is_refused() {
    let place = Place::new();
    place.write("missing.csv", rows(MARCH, (0..50).map(|_| f64::NAN)));
    place.refuses(&["forecast", "missing.csv"], &["missing.csv", "no value is known", "not-a-number: 50"]);
    place.write("header.csv", "time,requests\n");
    place.refuses(&["forecast", "header.csv"], &["header.csv", "nothing else"]);
    place.write("time.csv", "time,requests\n2026-03-01T00:00Z,5\nyesterday,6\n");
    place.refuses(&["forecast", "time.csv"], &["time.csv, row 3", "`time`", "yesterday", "2024-05-01"]);
    place.write("far.csv", format!("{}9223372036,5\n", rows(MARCH, (0..50).map(daily))));
    place.refuses(&["forecast", "far.csv"], &["far.csv", "is a time wrong"]);
    place.write("good.csv", rows(MARCH, (0..50).map(daily)));
    place.refuses(&["forecast", "absent.csv"], &["absent.csv", "No such file"]);
    place.refuses(&["forecast", "data:absent.csv"], &["absent.csv", "HOMEOSTAT_DATA"]);
    place.refuses(&["forecast", "good.csv", "--column", "load"], &["good.csv", "load", "requests"]);
    place.refuses(&["forecast", "good.csv", "--saturated", "full"], &["good.csv", "full", "no such column"]);
    place.refuses(&["forecast", "good.csv", "--zone", "Mars/Olympus"], &["--zone", "Europe/Madrid"]);
    place.refuses(&["forecast", "good.csv", "--horizon", "30d"], &["--horizon", "1440 steps", "--resample"]);
    place.refuses(&["forecast", "good.csv", "--backtest", "--horizon", "40m"], &["--backtest", "too few"]);
    place.write("relative.csv", "t,requests\n0,5\n60,6\n120,7\n");
    place.refuses(&["forecast", "relative.csv", "--zone", "Europe/Madrid"], &["relative.csv", "--start"]);
    for value in ["0s", "5", "-5m", "soon"] {
        let (_, err) = place.ends(&["forecast", "good.csv", "--horizon", value], 2);
        assert!(err.contains("--horizon") || err.contains("unexpected argument"), "{err}");
    }
}

#[test]
fn bad_calendars_are_refused_with_their_place() {
    let place = Place::new();
    place.write("good.csv", rows(MARCH, (0..50).map(daily)));
    let head = "from,until,kind\n2026-03-01T10:00,2026-03-01T12:00,match\n";
    let cases: [(&str, String, &[&str]); 7] = [
        (
            "a.csv",
            format!("{head}noon,2026-03-02T12:00,match\n"),
            &["a.csv:3", "from", "noon", "2026-06-14T21:00"],
        ),
        (
            "b.csv",
            format!("{head}2026-03-02T12:00,2026-03-02T11:00,match\n"),
            &["b.csv:3", "until", "not after"],
        ),
        ("c.csv", format!("{head}2026-03-02T12:00,2026-03-02T13:00\n"), &["c.csv:3", "2 cells", "kind"]),
        ("d.csv", "from,to,kind\n".to_owned(), &["d.csv:1", "until"]),
        (
            "e.yaml",
            "- { from: 2026-03-02T12:00, until: x, kind: match }\n".to_owned(),
            &["event 1", "until", "`x`"],
        ),
        ("f.yaml", "- { from: 2026-03-02T12:00, kind: match }\n".to_owned(), &["f.yaml:1", "until"]),
        ("g.csv", format!("{head}2026-03-02T12:00,2026-03-02T13:00,\n"), &["g.csv:3", "kind", "empty"]),
    ];
    for (name, text, named) in cases {
        place.write(name, text);
        place.refuses(&["forecast", "good.csv", "--calendar", name], named);
    }
    place.refuses(&["forecast", "good.csv", "--calendar", "absent.csv"], &["absent.csv", "calendar"]);
    place.write("ok.yaml", "- { from: 2026-03-02T12:00, until: 2026-03-02T13:00Z, kind: match }\n");
    place.ends(&["forecast", "good.csv", "--calendar", "ok.yaml", "--zone", "Europe/Madrid"], 0);
}

#[test]
fn saturation_and_other_columns_are_read() {
    let place = Place::new();
    let mut text = "time,cpu,load,full\n".to_owned();
    for n in 0..120 {
        let full = if (40..60).contains(&n) { "yes" } else { "" };
        writeln!(text, "{},{},{},{full}", MARCH + n * 60, n, 50 + n % 7).unwrap();
    }
    place.write("wide.csv", text);
    let seen = place.json(&["forecast", "wide.csv", "--column", "load", "--saturated", "full", "--json"]);
    assert_eq!(seen["notes"][0]["reason"], "saturated");
    assert_eq!(seen["notes"][0]["count"], 20);
    assert_eq!(seen["notes"][0]["from"], "2026-03-01T00:40:00Z");
    assert!(seen["forecast"][0]["q50"].as_f64().unwrap() >= 50.0);
}

#[test]
fn single_requests_and_prometheus_answers_are_series_too() {
    let place = Place::new();
    place.ends(&["trace", "generate", "made.csv", "--scenario", "small.yaml"], 0);
    place.ends(&["trace", "convert", "made.csv", "events.csv", "--to", "events"], 0);
    let seen = place.json(&["forecast", "events.csv", "--json"]);
    let middle = seen["forecast"][0]["q50"].as_f64().unwrap();
    assert!((15.0..25.0).contains(&middle), "20 requests a second: {middle}");
}

/// Office hours in Madrid, where clocks go forward on 29 March: with the zone, yesterday's hours are today's.
#[test]
fn seasons_follow_local_time_over_the_change_of_clocks() {
    let place = Place::new();
    let change = 1_774_746_000; // 2026-03-29T01:00Z
    let start = change - 10 * 86_400;
    let load = |n: u64| {
        let at = start + n * 600;
        let local = at + if at < change { 3_600 } else { 7_200 };
        let base = if (8..20).contains(&(local % 86_400 / 3_600)) { 60_000.0 } else { 6_000.0 };
        base + ((n * 7_919) % 1_013) as f64
    };
    let mut text = "time,requests\n".to_owned();
    for n in 0..16 * 144 {
        writeln!(text, "{},{}", start + n * 600, load(n)).unwrap();
    }
    place.write("madrid.csv", text);
    let wape = |more: &[&str]| {
        let args = ["forecast", "madrid.csv", "--horizon", "1h", "--backtest", "--json"];
        let seen = place.json(&[&args[..], more].concat());
        let rows = seen["backtest"].as_array().unwrap();
        let row = rows.iter().find(|row| row["model"] == "seasonal_naive").unwrap();
        row["wape"].as_f64().unwrap()
    };
    let (utc, madrid) = (wape(&[]), wape(&["--zone", "Europe/Madrid"]));
    assert!(madrid < 0.02 && utc > 2.0 * madrid, "UTC {utc}, Madrid {madrid}");
}

/// The faults of the recorded traces are found, where the data are there.
#[test]
fn recorded_traces_lose_their_artefacts() {
    let root = std::env::var_os("HOMEOSTAT_DATA")
        .map_or_else(|| common::root().join("../shared/data"), PathBuf::from);
    let root = root.join("request-traces");
    if !root.exists() {
        eprintln!("skipped: no data at {}", root.display());
        return;
    }
    let place = Place::new();
    let notes = |file: &str, more: &[&str]| -> Vec<(String, u64)> {
        let path = root.join(file);
        let seen = place.json(&[&["forecast", path.to_str().unwrap(), "--json"], more].concat());
        let note =
            |note: &Value| (note["reason"].as_str().unwrap().to_owned(), note["count"].as_u64().unwrap());
        seen["notes"].as_array().unwrap().iter().map(note).collect()
    };
    let twitter = notes("twitter_stream_2021-08_1s.csv.gz", &["--step", "1s"]);
    let holes = twitter.iter().filter(|(_, minutes)| (28..=30).contains(minutes)).count();
    assert!(holes == 14 && twitter.iter().all(|(reason, _)| reason == "outage"), "{twitter:?}");
    let nasa = notes("nasa_http_1995_10s.csv.gz", &["--step", "10s"]);
    let hurricane = nasa.iter().map(|(_, minutes)| *minutes).max();
    assert!(hurricane.is_some_and(|minutes| (2_260..2_400).contains(&minutes)), "{nasa:?}");
    let cup = notes("worldcup98_1min.csv.gz", &[]);
    let minutes: u64 = cup.iter().map(|(_, minutes)| *minutes).sum();
    assert!(cup.iter().all(|(reason, _)| reason == "outage") && (10..300).contains(&minutes), "{cup:?}");
}
