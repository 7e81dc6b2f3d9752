//! The clairvoyant bound of a comparison: below every policy, and said plainly where there is none.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use common::{Place, SMALL, keys, policy};
use serde_json::Value;

/// Hours of traffic that swings between a fraction of a replica and some ten.
fn swinging(place: &Place) {
    let traffic = "generate: { length: 4h, mean_rps: 90, daily: 0.2, drift: 0.3, noise: 0.05, \
                   bursts: { per_day: 40, height: 1.0, lasts: 6m } }";
    let text = SMALL.replace("constant: { rps: 20, length: 1h }", traffic).replace("0.99 }", "0.999 }");
    place.write("swing.yaml", text);
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap()
}

#[test]
fn no_policy_is_below_the_bound_and_schedules_lie_between() {
    let place = Place::new();
    swinging(&place);
    let names = ["static", "hpa-cpu-50", "hpa-cpu-80", "kpa", "watermark", "reactive"];
    let mut args = vec!["compare", "swing.yaml", "--json"];
    args.extend(names.iter().flat_map(|name| ["--policy", name]));
    let (out, err) = place.ends(&args, 0);
    assert!(!err.contains("proof"), "{err}");
    let result: Value = serde_json::from_str(&out).unwrap();
    let bound = result["bound"].as_array().unwrap();
    assert!(bound.len() >= 6);
    let mut last = (0.0, 0.0);
    for point in bound {
        assert_eq!(keys(point), ["attainment", "cost", "replica_hours", "lower_cost"]);
        let now = (number(point, "attainment"), number(point, "lower_cost"));
        assert!(now.0 > last.0 && now.1 >= last.1, "{last:?} {now:?}");
        if let Some(cost) = point["cost"].as_f64() {
            assert!(cost >= now.1, "{point}");
        }
        last = now;
    }
    let at = |wanted: f64| bound.iter().rfind(|point| number(point, "attainment") <= wanted).unwrap();
    let (mut judged, mut saves) = (0, 0);
    for name in names {
        let row = policy(&result, name);
        let (attainment, cost) = (number(row, "attainment"), number(row, "cost"));
        if attainment < 0.9 {
            assert!(row["cost_over_bound"].is_null() && row["gap_closed"].is_null());
            continue;
        }
        assert!(cost >= number(at(attainment), "lower_cost"), "{name}");
        assert!(number(row, "cost_over_bound") >= 1.0, "{row}");
        judged += 1;
        saves += i32::from(row["gap_closed"].as_f64().is_some_and(|gap| gap > 0.0));
        if let Some(gap) = row["gap_closed"].as_f64() {
            assert!(gap <= 1.0, "{row}");
        }
    }
    assert!(judged >= 4 && saves >= 1, "{judged} {saves}");
    let again = place.ends(&[&args[..], &["--threads", "1"]].concat(), 0).0;
    assert_eq!(out, again);
}

#[test]
fn schedules_live_with_leaks_and_todays_restarts_are_a_reference() {
    let place = Place::new();
    swinging(&place);
    // Half an hour from start to limit: schedules that replaced nobody would lose replica after replica.
    let leak = "memory_mib: 1000\n    memory_limit_mib: 2000\n    leak: { mib_per_hour: 2000, cv: 0.1 }\n    \
                replicas: {";
    let policies = "policies:
  - name: restarts
    policy: { together: [{ hpa: { cpu_percent: 40 } }, { restart: { memory_percent: 60, surge: true } }] }
  - name: foreseen
    policy: { together: [{ hpa: { cpu_percent: 60 } }, { rejuvenate: {} }] }
";
    let text = format!("{}{policies}", place.text("swing.yaml").replacen("replicas: {", leak, 1));
    place.write("leaks.yaml", text.replace("0.999 }", "0.99 }"));
    let (out, err) = place.ends(&["compare", "leaks.yaml"], 0);
    assert!(out.contains("Replicas leak") && !out.contains("proof") && !err.contains("proof"), "{out}{err}");
    let result = place.json(&["compare", "leaks.yaml", "--json"]);
    let bound = result["bound"].as_array().unwrap();
    let at = bound.iter().find(|point| number(point, "attainment") >= 0.99).unwrap();
    assert!(number(at, "cost") >= number(at, "lower_cost"), "{at}");
    let foreseen = policy(&result, "foreseen");
    assert!(number(foreseen, "cost_over_bound") >= 1.0, "{foreseen}");
    assert!(number(foreseen, "gap_closed") > 0.0, "restarts attain as much and cost more: {result}");
}

#[test]
fn the_bound_can_be_left_out() {
    let place = Place::new();
    let result = place.json(&["compare", "small.yaml", "--json", "--no-bound", "--policy", "static"]);
    assert!(result["bound"].is_null());
    let row = policy(&result, "static");
    assert!(row["cost_over_bound"].is_null() && row["gap_closed"].is_null());
}

#[test]
fn a_graph_has_none_and_says_so() {
    let place = Place::new();
    let second = "  - name: store
    server: { fcfs: { slots: 4 } }
    service_time: { fixed: 20ms }
    replicas: { min: 1, max: 30 }
warm_up: 5m
";
    let graph = SMALL
        .replace("{ fixed: 30s } }\n", "{ fixed: 30s } }\n    then: [[store]]\n")
        .replace("warm_up: 5m\n", second);
    place.write("graph.yaml", graph);
    let (out, _) = place.ends(&["compare", "graph.yaml", "--policy", "static"], 0);
    assert!(out.contains("No bound: there is no bound for a graph of services yet"), "{out}");
}

#[test]
fn an_objective_beyond_what_is_possible_is_named() {
    let place = Place::new();
    // A log-normal of 200 ms and cv 0.5 exceeds 400 ms in one of twenty cases.
    let (out, _) = place.ends(&["compare", "small.yaml", "--policy", "static", "--slo", "400ms"], 0);
    assert!(out.contains("No schedule attains more than 9"), "{out}");
}
