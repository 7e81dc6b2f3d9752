//! Bad input: exit code 2, one error that says where, what was expected and an example; nothing written.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use common::{Place, SMALL, hpa};

/// A change of the small scenario, and what the error must name.
const SCENARIOS: [(&str, &str, &[&str]); 51] = [
    ("warm_up: 5m", "validation: { p99_error: .nan }", &["bad.yaml:12", "validation.p99_error", "0.08"]),
    ("warm_up: 5m", "validation: { p99_error: 0.1, limit: -1 }", &["bad.yaml:12", "validation.limit"]),
    ("latency: 1s", "latncy: 1s", &["bad.yaml:5", "latncy", "latency"]),
    ("latency: 1s", "latency: 5", &["bad.yaml:5", "1m30s"]),
    ("latency: 1s", "latency: -5s", &["bad.yaml:5", "1m30s"]),
    ("latency: 1s", "latency: 0s", &["bad.yaml:5", "objective.latency", "1s"]),
    ("attainment: 0.99", "attainment: 99", &["bad.yaml:5", "objective.attainment", "0 to 1"]),
    ("version: 1", "version: 2", &["bad.yaml:1", "version: 1"]),
    ("name: small\n", "", &["bad.yaml:1", "name"]),
    ("min: 1, max: 30", "min: 5, max: 2", &["bad.yaml:10", "services[0].replicas", "min: 1"]),
    ("min: 1, max: 30", "min: -1, max: 2", &["bad.yaml:10", "whole number"]),
    ("min: 1, max: 30", "min: 0, max: 0", &["bad.yaml:10", "max must be positive"]),
    ("slots: 4", "slots: 0", &["bad.yaml:8", "slots", "1 to 4096"]),
    ("fcfs: { slots: 4 }", "lifo: { slots: 4 }", &["bad.yaml:8", "lifo", "fcfs"]),
    ("fcfs: { slots: 4 }", "sharing: { contention: 0.1, cores: 0 }", &["bad.yaml:8", "cores"]),
    ("cv: 0.5", "cv: -1", &["bad.yaml:9", "service_time", "cv"]),
    ("mean: 200ms", "mean: 0s", &["bad.yaml:9", "service_time", "200ms"]),
    ("rps: 20", "rps: -20", &["bad.yaml:4", "rps", "0 or more"]),
    ("rps: 20", "rps: .nan", &["bad.yaml:4", "rps", "0 or more"]),
    ("rps: 20", "rps: many", &["bad.yaml:4", "number"]),
    ("rps: 20", "rps: 0", &["bad.yaml", "no requests"]),
    ("length: 1h", "length: 0s", &["bad.yaml:4", "length", "10s"]),
    (
        "constant: { rps: 20, length: 1h }",
        "generate: { length: 1h, mean_rps: 20, bursts: { per_day: -3 } }",
        &["bad.yaml:4", "bursts.per_day", "0 or more"],
    ),
    ("warm_up: 5m", "warm_up: 2h", &["bad.yaml", "warm-up", "warm_up: 10m"]),
    ("warm_up: 5m", "faults: [{ kind: crash, at: 1h, every: 1h }]", &["bad.yaml:12", "every: 6h"]),
    ("warm_up: 5m", "faults: [{ kind: crash }]", &["bad.yaml:12", "faults[0]", "every: 6h"]),
    ("warm_up: 5m", "faults: [{ kind: crash, at: 1h, service: x }]", &["bad.yaml:12", "no service"]),
    ("warm_up: 5m", "metrics: { scrape: 60s, window: 30s }", &["bad.yaml:12", "metrics.window"]),
    ("max: 30 }", "max: 30 }\n    then: [[nobody]]", &["bad.yaml:11", "nobody", "model"]),
    ("max: 30 }", "max: 30 }\n    then: [[model]]", &["bad.yaml:11", "listed after"]),
    ("warm_up: 5m", "policies: [{ builtin: kpa, file: x }]", &["bad.yaml:12", "exactly one"]),
    ("warm_up: 5m", "policies: [{ builtin: nope }]", &["bad.yaml", "nope", "hpa-cpu-50"]),
    ("warm_up: 5m", "policies: [{ file: absent.yaml }]", &["absent.yaml", "No such file"]),
    (
        "min: 1, max: 30",
        "min: 1.5, max: 2",
        &["bad.yaml:10:22", "`min: 1.5`", "whole number", "for example 3"],
    ),
    ("attainment: 0.99", "attainment: 99%", &["bad.yaml:5:39", "`attainment: 99%`", "for example 0.5"]),
    ("latency: 1s, ", "", &["bad.yaml:5:14", "missing field `latency`"]),
    ("version: 1", "version: 1\nversion: 1", &["bad.yaml:2:1", "`version` stands here twice"]),
    ("name: small", "name: [a]", &["bad.yaml:2:7", "expected text"]),
    ("name: small", "name: ''", &["bad.yaml:2", "must not be empty"]),
    ("name: small", "\tname: small", &["bad.yaml:1", "tab", "spaces"]),
    ("name: model", "name: model\n    name_: x", &["bad.yaml:8:5", "name_"]),
    ("fcfs: { slots: 4 }", "fcfs", &["bad.yaml:8", "{ name: value }"]),
    ("fcfs: { slots: 4 }", "", &["bad.yaml:8", "one kind with its settings"]),
    ("source: {", "source: { shape: big_spike,", &["bad.yaml:4", "one kind only"]),
    ("source: {", "scale: { factor: -2 }\n  source: {", &["bad.yaml:4", "traffic.scale", "positive"]),
    ("rps: 20", "rps: 1e18", &["traffic", "at most 1e7"]),
    ("rps: 20", "rps: 1e-9", &["no request", "--scale-load"]),
    ("constant: { rps: 20, length: 1h }", "trace: { file: nope.csv }", &["nope.csv", "No such file"]),
    ("constant: { rps: 20, length: 1h }", "trace: { file: data:nope.csv }", &["nope.csv", "HOMEOSTAT_DATA"]),
    (
        "constant: { rps: 20, length: 1h }",
        "generate: { length: 300d, step: 1us }",
        &["bad.yaml:4", "generate.step", "10 million"],
    ),
    (
        "constant: { rps: 20, length: 1h }",
        "generate: { length: 1h, regular: { every: 0s, height: 1, lasts: 1m } }",
        &["bad.yaml:4", "regular.every", "30m"],
    ),
];

const REPORT: [&str; 4] = ["--report", "out", "--journal", "journals"];

#[test]
fn scenarios() {
    let place = Place::new();
    for (from, to, named) in SCENARIOS {
        assert!(SMALL.contains(from), "{from}");
        place.write("bad.yaml", SMALL.replacen(from, to, 1));
        place.refuses(&[&["compare", "bad.yaml"], &REPORT[..]].concat(), named);
    }
    let services = SMALL.split_once("services:").unwrap().0;
    for (text, said) in [("services: []", "at least one service"), ("", "missing field `services`")] {
        place.write("bad.yaml", format!("{services}{text}\n"));
        place.refuses(&["scenario", "check", "bad.yaml"], &["bad.yaml:", said]);
    }
    place.write("bad.yaml", "");
    place.refuses(&["scenario", "check", "bad.yaml"], &["bad.yaml", "empty", "scenario init"]);
    place.write("bad.yaml", [0xff, 0xfe, 0]);
    place.refuses(&["scenario", "check", "bad.yaml"], &["bad.yaml", "UTF-8"]);
    place.write("bad.yaml", SMALL.replace("warm_up: 5m", "policies: [{ builtin: nope }]"));
    place.refuses(&["scenario", "check", "bad.yaml"], &["bad.yaml", "nope", "hpa-cpu-50"]);
}

/// A trace, and what the error must name.
const TRACES: [(&str, &[&str]); 14] = [
    ("time,count\n2026-01-01T00:00,5\n2026-01-01T00:01,-3\n", &["bad.csv, row 3", "count", "negative"]),
    ("time,rate\n2026-01-01T00:00,5\n2026-01-01T00:01,-0.5\n", &["bad.csv, row 3", "rate", "negative"]),
    ("time,rate\n2026-01-01T00:00,5\n2026-01-01T00:01,NaN\n", &["bad.csv, row 3", "rate", "NaN"]),
    ("time,count\n2026-01-01T00:02,5\n2026-01-01T00:01,3\n", &["bad.csv, row 3", "before", "--sort"]),
    ("time,count\n2026-01-01T00:00,5\n2026-01-01T00:00,3\n", &["bad.csv, row 3", "--on-duplicate"]),
    ("time,count\n2026-13-01T00:00,5\n2026-01-01T00:00,3\n", &["bad.csv, row 2", "time"]),
    ("", &["bad.csv", "empty", "time,requests"]),
    ("time,count\n", &["bad.csv", "header", "rows"]),
    ("time,count\n2026-01-01T00:00\n", &["bad.csv, row 2", "count", "1 of 2 columns"]),
    ("time,rate\n2026-01-01T00:00,1e300\n", &["bad.csv, row 2", "rate", "too large"]),
    ("foo,bar\n1,2\n2,3\n", &["bad.csv, row 1", "foo, bar", "--map time=foo,count=bar"]),
    ("5\n6\n7\n", &["bad.csv", "--step 10s"]),
    ("time,count\n2026-01-01T00:00,5\n2026-01-01T00:01,5\n", &["warm-up", "warm_up: 10m"]),
    ("time,count\n2026-01-01T00:00,0\n2026-01-01T01:00,0\n", &["no requests"]),
];

#[test]
fn traces() {
    let place = Place::new();
    let args = [&["compare", "small.yaml", "--trace", "bad.csv"], &REPORT[..]].concat();
    for (text, named) in TRACES {
        place.write("bad.csv", text);
        place.refuses(&args, named);
    }
    place.ends(&["trace", "generate", "whole.csv.gz", "--scenario", "small.yaml"], 0);
    let whole = place.bytes("whole.csv.gz");
    place.write("cut.csv.gz", &whole[..whole.len() / 2]);
    place.refuses(&["compare", "small.yaml", "--trace", "cut.csv.gz"], &["cut.csv.gz", "gzip"]);
}

/// Arguments, and what the error must name.
const ARGUMENTS: [(&[&str], &[&str]); 30] = [
    (&["--scale-load", "-1"], &["--scale-load", "positive", "1.5"]),
    (&["--scale-load", "0"], &["--scale-load", "positive", "1.5"]),
    (&["--scale-load", "NaN"], &["--scale-load", "positive", "1.5"]),
    (&["--scale-load", "1e300"], &["--scale-load", "at most"]),
    (&["--seeds", "0"], &["--seeds", "1..=1000"]),
    (&["--seeds", "2", "--seed", "18446744073709551615"], &["--seed", "--seeds"]),
    (&["--start-up", "120"], &["--start-up", "1m30s"]),
    (&["--start-up", "-5s"], &["--start-up", "1m30s"]),
    (&["--slo", "1"], &["--slo", "1m30s"]),
    (&["--slo", "0s"], &["--slo", "500ms"]),
    (&["--max-replicas", "0"], &["--max-replicas"]),
    (&["--threads", "0"], &["--threads"]),
    (&["--policy", "nope"], &["--policy nope", "hpa-cpu-50"]),
    (&["--policy", "kpa", "--policy", "kpa"], &["two policies", "kpa"]),
    (&["--policy", "age.yaml"], &["queue_age", "queue_length"]),
    (&["--require", "nope"], &["--require nope", "kpa"]),
    (&["--trace", "absent.csv"], &["absent.csv", "No such file"]),
    (&["--map", "time=t"], &["--trace"]),
    (&["--trace", "fine.csv", "--map", "tyme=t"], &["--map", "tyme"]),
    (&["--trace", "fine.csv", "--time-zone", "Mars"], &["--time-zone", "Mars"]),
    (&["--trace", "."], &["directory"]),
    (&["--trace", "fine.csv", "--key", "k"], &["--key", "column of keys"]),
    (&["--trace", "fine.csv", "--format", "parquet"], &["--format", "series"]),
    (&["--trace", "fine.csv", "--start", "noon"], &["--start noon", "2026-03-01T00:00"]),
    (&["--trace", "fine.csv", "--on-duplicate", "drop"], &["--on-duplicate", "first, sum, mean"]),
    (&["--trace", "fine.csv", "--artefact", "25:00-26:00"], &["--artefact", "23:31:01-24:00"]),
    (&["--polcy", "kpa"], &["--polcy"]),
    (&["--report", "small.yaml/out"], &["small.yaml/out", "is a file"]),
    (&["--report", "small.yaml"], &["small.yaml", "file"]),
    (&["--journal", "small.yaml"], &["small.yaml", "file"]),
];

#[test]
fn arguments() {
    let place = Place::new();
    let age = "{ type: Pods, pods: { metric: { name: queue_age }, target: { type: AverageValue, averageValue: '5' } } }";
    place.write("age.yaml", hpa(age));
    place.write("fine.csv", "time,count\n2026-01-01T00:00,5\n2026-01-01T01:00,5\n");
    for (extra, named) in ARGUMENTS {
        place.refuses(&[&["compare", "small.yaml"], extra].concat(), named);
    }
    place.write("much.yaml", SMALL.replace("1h } }", "1h } }\n  scale: { factor: 1e300 }"));
    place.refuses(&["compare", "much.yaml", "--scale-load", "1e200"], &["--scale-load 1", "traffic.scale"]);
    place.refuses(&["compare", "absent.yaml"], &["absent.yaml", "No such file"]);
}

#[test]
fn what_a_fluid_cannot_stand_for_is_refused() {
    let place = Place::new();
    place.write("retries.yaml", SMALL.replace("warm_up: 5m", "warm_up: 5m\nclient: { retries: 2 }"));
    let args = ["compare", "retries.yaml", "--fidelity", "fluid"];
    place.refuses(&args, &["retries.yaml", "client.retries", "--fidelity requests"]);
    place.refuses(&["demo", "graph", "--fidelity", "fluid"], &["services", "--fidelity requests"]);
}
