//! Bad input: exit code 2, one error that says where, what was expected and an example; nothing written.

mod common;

use common::{Place, SMALL};

/// Change of the small scenario, and what the error must name.
const SCENARIOS: [(&str, &str, &[&str]); 17] = [
    ("latency: 1s", "latncy: 1s", &["bad.yaml:5", "latncy"]),
    ("latency: 1s", "latency: 5", &["bad.yaml:5", "1m30s"]),
    ("latency: 1s", "latency: 0s", &["objective.latency", "1s"]),
    ("attainment: 0.99", "attainment: 99", &["objective.attainment", "0 to 1"]),
    ("version: 1", "version: 2", &["version", "1"]),
    ("min: 1, max: 30", "min: 5, max: 2", &["services[0].replicas", "min: 1"]),
    ("min: 1, max: 30", "min: -1, max: 2", &["bad.yaml:10"]),
    ("slots: 4", "slots: 0", &["slots", "1 to 4096"]),
    ("fcfs: { slots: 4 }", "lifo: { slots: 4 }", &["bad.yaml:8", "lifo"]),
    ("cv: 0.5", "cv: -1", &["service_time", "cv"]),
    ("mean_rps: 40", "mean_rps: -40", &["mean_rps", "positive"]),
    ("mean_rps: 40", "mean_rps: .nan", &["mean_rps", "positive"]),
    ("warm_up: 5m", "warm_up: 2h", &["warm-up", "warm_up: 10m"]),
    ("warm_up: 5m", "faults: [{ kind: crash }]", &["faults[0]", "every: 6h"]),
    ("warm_up: 5m", "metrics: { scrape: 60s, window: 30s }", &["metrics.window"]),
    ("max: 30 }", "max: 30 }\n    then: [[nobody]]", &["then", "nobody"]),
    ("warm_up: 5m", "policies: [{ builtin: hpa, file: x }]", &["policies[0]", "exactly one"]),
];

#[test]
fn scenarios() {
    for (from, to, named) in SCENARIOS {
        let place = Place::new();
        assert!(SMALL.contains(from), "{from}");
        place.write("bad.yaml", SMALL.replacen(from, to, 1));
        let args = ["compare", "bad.yaml", "--policy", "static", "--report", "out"];
        let (out, error) = place.ends(&args, 2);
        assert!(out.is_empty() && !place.path("out").exists(), "{to}: {out}");
        for name in named {
            assert!(error.contains(name), "{to}: {error}");
        }
    }
}

/// A trace, and what the error must name.
const TRACES: [(&str, &[&str]); 8] = [
    ("time,count\n2026-01-01T00:00,5\n2026-01-01T00:01,-3\n", &["row 3", "count", "negative"]),
    ("time,count\n2026-01-01T00:00,5\n2026-01-01T00:01,NaN\n", &["row 3", "count", "NaN"]),
    ("time,rate\n2026-01-01T00:00,5\n2026-01-01T00:01,-0.5\n", &["row 3", "rate"]),
    ("time,count\n2026-01-01T00:02,5\n2026-01-01T00:01,3\n", &["row 3", "order", "--sort"]),
    ("time,count\n2026-01-01T00:00,5\n2026-01-01T00:00,3\n", &["row 3", "--on-duplicate"]),
    ("time,count\n2026-13-01T00:00,5\n2026-01-01T00:00,3\n", &["row 2", "time"]),
    ("", &["empty"]),
    ("time,count\n2026-01-01T00:00,5\n2026-01-01T00:01,5\n", &["warm-up"]),
];

#[test]
fn traces() {
    for (text, named) in TRACES {
        let place = Place::new();
        place.write("bad.csv", text);
        let args = ["compare", "small.yaml", "--trace", "bad.csv", "--policy", "static", "--report", "out"];
        let (out, error) = place.ends(&args, 2);
        assert!(out.is_empty() && !place.path("out").exists(), "{text}: {out}");
        for name in named {
            assert!(error.contains(name), "{text}: {error}");
        }
    }
}

#[test]
fn a_cut_gzip_file() {
    let place = Place::new();
    place.ends(&["trace", "generate", "made.csv.gz", "--scenario", "small.yaml"], 0);
    let whole = std::fs::read(place.path("made.csv.gz")).unwrap_or_default();
    place.write("cut.csv.gz", &whole[..whole.len() / 2]);
    let args = ["compare", "small.yaml", "--trace", "cut.csv.gz", "--policy", "static"];
    let (_, error) = place.ends(&args, 2);
    assert!(error.contains("cut.csv.gz") && error.contains("gzip"), "{error}");
}

#[test]
fn arguments() {
    let cases: [(&[&str], &str); 10] = [
        (&["--scale-load", "-1"], "positive"),
        (&["--scale-load", "0"], "positive"),
        (&["--scale-load", "NaN"], "positive"),
        (&["--seeds", "0"], "--seeds"),
        (&["--start-up", "120"], "1m30s"),
        (&["--max-replicas", "0"], "--max-replicas"),
        (&["--policy", "nope"], "hpa-cpu-50"),
        (&["--trace", "absent.csv"], "absent.csv"),
        (&["--policy", "metric.yaml"], "queue_age"),
        (&["--policy", "static", "--policy", "static"], "two policies"),
    ];
    let place = Place::new();
    place.write(
        "metric.yaml",
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: { name: web }\nspec:\n  \
         scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }\n  maxReplicas: 20\n  \
         metrics:\n    \
         - type: Pods\n      pods: { metric: { name: queue_age }, target: { type: AverageValue, averageValue: '5' } }\n",
    );
    for (extra, named) in cases {
        let (out, error) = place.ends(&[&["compare", "small.yaml"], extra].concat(), 2);
        assert!(out.is_empty(), "{out}");
        assert!(error.contains(named), "{extra:?}: {error}");
    }
    place.ends(&["compare", "absent.yaml"], 2);
    place.ends(&["demo", "absent"], 2);
}
