//! The best daily schedule in hindsight: reaches what it is asked for, follows the bursts, and is what
//! `compare` runs.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use common::{Place, SMALL, policy};
use serde_json::Value;

/// Two days in which every sixth hour brings four times the load for an hour.
fn bursts(place: &Place) {
    let traffic = "generate: { length: 2d, mean_rps: 60, daily: 0, drift: 0, noise: 0, \
                   regular: { every: 6h, offset: 1h, height: 3.0, lasts: 1h } }";
    place.write("bursts.yaml", SMALL.replace("constant: { rps: 20, length: 1h }", traffic));
}

#[test]
fn knows_the_bursts_beforehand() {
    let place = Place::new();
    bursts(&place);
    let args = ["hindsight", "bursts.yaml", "--slot", "10m,6h", "--fidelity", "fluid", "--out", "cron.yaml"];
    let (out, _) = place.ends(&[&args[..], &["--json"]].concat(), 0);
    let result: Value = serde_json::from_str(&out).unwrap();
    let rows = result["schedules"].as_array().unwrap();
    let cost = |row: &Value| row["cost"].as_f64().unwrap();
    assert!(rows.iter().all(|row| row["attainment"].as_f64().unwrap() >= 0.99));
    // Slots of ten minutes can follow the bursts, slots of six hours pay for them all day.
    assert!(cost(&rows[0]) < 0.7 * cost(&rows[1]), "{out}");
    assert_eq!((&rows[0]["chosen"], &rows[1]["chosen"]), (&Value::Bool(true), &Value::Bool(false)));
    let text = place.text("cron.yaml");
    assert!(text.starts_with("# hindsight-cron:") && text.contains("cron:"), "{text}");
    let compared = ["compare", "bursts.yaml", "--policy", "cron.yaml", "--fidelity", "fluid", "--no-bound"];
    let (out, _) = place.ends(&[&compared[..], &["--json"]].concat(), 0);
    let again: Value = serde_json::from_str(&out).unwrap();
    let row = policy(&again, "hindsight-cron");
    assert_eq!((&row["attainment"], &row["cost"]), (&rows[0]["attainment"], &rows[0]["cost"]));
}

#[test]
fn says_which_slot_and_which_attainment_cannot_be() {
    let place = Place::new();
    let (_, err) = place.ends(&["hindsight", "small.yaml", "--slot", "7m"], 2);
    assert!(err.contains("--slot 7m") && err.contains("--slot 30m"), "{err}");
    let slow = SMALL.replace("latency: 1s", "latency: 220ms");
    place.write("slow.yaml", slow);
    let (_, err) = place.ends(&["hindsight", "slow.yaml", "--slot", "1h", "--fidelity", "fluid"], 1);
    assert!(err.contains("no daily schedule"), "{err}");
}
