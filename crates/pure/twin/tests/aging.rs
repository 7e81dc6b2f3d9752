//! Leaks, kills and replacements in both engines.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]
#![allow(clippy::needless_pass_by_value, reason = "made on the spot")]

mod common;

use std::sync::Arc;

use common::{Keep, Run, scenario};
use homeostat_core::{Controller, GuardProfile, Instant, Span};
use homeostat_policy::spec::PolicySpec;
use homeostat_twin::outcome::Aging;
use homeostat_twin::{Fluid, Outcome, Scenario, ServiceCurve, curve, workload};
use serde_json::{Value, json};

const FIXED: &str = r#"{ "static": { "replicas": 4 } }"#;
const REJUVENATE: &str = r#"{ "together": [{ "static": { "replicas": 4 } }, { "rejuvenate": {} }] }"#;

/// A service of four replicas, each of which can serve 20 requests a second, changed by `service`.
fn world(service: Value, extra: Value) -> Scenario {
    let mut spec = json!({
        "name": "model",
        "server": { "fcfs": { "slots": 4 } },
        "service_time": { "log_normal": { "mean": "200ms", "cv": 0.5 } },
        "replicas": { "min": 1, "max": 20 },
        "memory_mib": 1_000,
        "memory_limit_mib": 2_000,
        "start_up": { "model_load": { "fixed": "100s" }, "warm_up": { "fixed": "20s" } },
    });
    for (key, value) in service.as_object().unwrap() {
        spec[key] = value.clone();
    }
    let mut all = json!({ "services": [spec], "warm_up": "0s" });
    for (key, value) in extra.as_object().unwrap() {
        all[key] = value.clone();
    }
    scenario(all)
}

fn over(scenario: &Scenario, policy: &str, hours: usize, rps: f64, events: bool) -> (Outcome, Keep) {
    let run = Run { scenario, policy, seed: 3, initial: 4, peak_rate: 60.0, events };
    run.over(workload::series(Span::MINUTE, vec![rps; hours * 60]))
}

fn run(scenario: &Scenario, policy: &str, hours: usize) -> Aging {
    over(scenario, policy, hours, 10.0, false).0.aging.unwrap()
}

/// The same in the fluid engine.
fn fluid(scenario: &Scenario, policy: &str, hours: usize) -> Aging {
    let survey = curve::Survey::new(scenario, 20, 1);
    let grid = (0..survey.len()).map(|i| survey.measure(i)).collect();
    let curve = Arc::new(ServiceCurve::of(&survey, grid));
    let spec: PolicySpec = serde_json::from_str(policy).unwrap();
    let service = &scenario.services[0];
    let policies = service.policies(&spec, &scenario.outlook(Instant::ZERO, 60.0)).unwrap();
    let controller = Controller::new(policies, GuardProfile::bounds_only(), service.replicas);
    let load = workload::series(Span::MINUTE, vec![10.0; hours * 60]);
    let twin = Fluid::new(scenario, 3, vec![controller], &[4], load, &curve).unwrap();
    twin.run(&mut Keep::default(), &mut |_| false).unwrap().aging.unwrap()
}

#[test]
fn a_linear_leak_kills_when_the_limit_is_reached_and_again_after_a_restart() {
    // 1 000 MiB at 400 per hour: 2 h 30 min, then 2 min of load and warm-up, then again: at 2:30, 5:02, 7:34.
    let world = world(json!({ "leak": { "mib_per_hour": 400 } }), json!({}));
    assert_eq!(run(&world, FIXED, 7).oom_kills, 8);
    let aging = run(&world, FIXED, 8);
    assert_eq!(aging.oom_kills, 12);
    assert!(aging.lost_to_oom > 0 && aging.rejuvenations == 0, "{aging:?}");
    // 24 min after the last kill, 2 of them for the start; the kernel looks every 5 s.
    let age = &aging.replicas[0];
    assert!((age.age_hours - 24.0 / 60.0).abs() < 16.0 / 3_600.0, "{age:?}");
    assert!((age.leaked_mib - 400.0 * age.age_hours).abs() < 1e-9, "{age:?}");
    assert_eq!(fluid(&world, FIXED, 8).oom_kills, 12);
}

#[test]
fn a_leak_by_the_request_follows_the_load() {
    // 2.5 requests a second and replica are 9 000 an hour: 450 MiB.
    let world = world(json!({ "leak": { "mib_per_1000_requests": 50 } }), json!({}));
    let aging = run(&world, FIXED, 2);
    for age in &aging.replicas {
        assert!((age.leaked_mib - age.requests as f64 * 0.05).abs() < 1e-6, "{age:?}");
        assert!((800.0..1_000.0).contains(&age.leaked_mib), "{age:?}");
    }
    assert_eq!((run(&world, FIXED, 3).oom_kills, fluid(&world, FIXED, 3).oom_kills), (4, 4));
}

#[test]
fn the_moment_of_a_kill_is_the_same_for_every_policy() {
    let world = world(json!({ "leak": { "mib_per_hour": 400 } }), json!({}));
    let first = |policy: &str| {
        let (_, keep) = over(&world, policy, 3, 10.0, false);
        let gone = |seen: &homeostat_core::Observation| seen.replicas.iter().all(|view| view.id.0 > 3);
        keep.0.iter().find(|(_, seen, _)| gone(seen)).map(|(_, seen, _)| seen.at).unwrap()
    };
    // Knative brings a collector of its own and decides every 2 s.
    let kpa = first(r#"{ "kpa": { "min-scale": 4, "max-scale": 4 } }"#);
    // 2 h 30 min are 9 000 s; each sees it at its next decision.
    let within = |at: Instant, period: u64| (9_000..=9_000 + period).contains(&(at.0 / 1_000_000_000));
    assert!(within(kpa, 2) && within(first(FIXED), 60), "{kpa:?}");
}

#[test]
fn rejuvenation_loses_nothing_and_nobody_is_killed() {
    let leak = json!({ "leak": { "mib_per_hour": 300, "cv": 0.3 },
        "memory": { "noise_mib": 5, "cache": { "mib": 60, "fills_in": "10m" } },
        "cold": { "factor": 1.2, "lasts": "3m" } });
    let world = world(leak, json!({}));
    let bare = run(&world, FIXED, 24);
    assert!(bare.oom_kills > 15 && bare.lost_to_oom > 0, "{bare:?}");
    let ours = run(&world, REJUVENATE, 24);
    assert_eq!((ours.oom_kills, ours.lost_to_oom, ours.lost_to_rejuvenation), (0, 0, 0), "{ours:?}");
    assert!(ours.rejuvenations > 15, "{ours:?}");
}

#[test]
fn a_scale_down_cancels_no_surge_and_the_most_leaked_goes_first() {
    let policy = r#"{ "together": [{ "hpa": { "cpu_percent": 60, "scale_down_window": "1m" } }, { "rejuvenate": {} }] }"#;
    let world = world(json!({ "leak": { "mib_per_hour": 250, "cv": 0.3 } }), json!({}));
    // The load swings between 2 and 6 replicas' worth every 40 min.
    let rates: Vec<f64> = (0..60 * 24).map(|m| if m / 20 % 2 == 0 { 25.0 } else { 75.0 }).collect();
    let run = Run { scenario: &world, policy, seed: 5, initial: 4, peak_rate: 75.0, events: false };
    let (outcome, keep) = run.over(workload::series(Span::MINUTE, rates));
    let aging = outcome.aging.unwrap();
    assert_eq!((aging.oom_kills, aging.lost_to_rejuvenation, aging.surges_cancelled), (0, 0, 0), "{aging:?}");
    assert!(outcome.scale_events > 20, "{}", outcome.scale_events);
    let surges = keep.0.iter().filter(|(_, _, decision)| decision.order.get().surge > 0).count();
    let falls = keep.0.iter().filter(|(_, seen, decision)| decision.replicas() < seen.desired);
    let mut named = 0;
    for (_, _, decision) in falls {
        named += usize::from(!decision.order.get().retire.is_empty());
    }
    assert!(named > 10, "{named} falls, {surges} surges");
}

#[test]
fn a_deploy_replaces_everybody_one_by_one_and_the_clock_starts_again() {
    let faults = json!([{ "kind": { "deploy": { "leak": { "mib_per_hour": 10 } } }, "at": "2h" }]);
    let world = world(json!({ "leak": { "mib_per_hour": 400 } }), json!({ "faults": faults }));
    let (outcome, keep) = over(&world, FIXED, 6, 10.0, false);
    let aging = outcome.aging.unwrap();
    // Four starts of two minutes from two hours on: the last old one goes before its 2 h 30 min.
    assert_eq!((aging.oom_kills, aging.rejuvenations, outcome.failed), (0, 0, 0));
    assert!(aging.replicas.iter().all(|age| age.replica >= 4 && age.age_hours < 4.0), "{aging:?}");
    assert_eq!(aging.replicas.len(), 4);
    let least = keep.0.iter().map(|(_, seen, _)| seen.ready()).min();
    let most = keep.0.iter().map(|(_, seen, _)| seen.current).max();
    assert_eq!((least, most), (Some(4), Some(5)));
}

#[test]
fn cold_caches_make_the_first_minutes_slower() {
    let crash = json!([{ "kind": "crash", "at": "10m", "which": "all" }]);
    let mean = |service: Value| {
        let world = world(service, json!({ "faults": crash.clone() }));
        over(&world, FIXED, 1, 10.0, false).0.mean_ms
    };
    let (warm, cold) = (mean(json!({})), mean(json!({ "cold": { "factor": 3.0, "lasts": "30m" } })));
    // Half of the hour at three times the work.
    assert!((cold - warm - 200.0).abs() < 60.0, "{warm} {cold}");
}

#[test]
fn both_engines_and_two_runs_agree_to_the_byte() {
    let service = json!({ "leak": { "mib_per_hour": 900, "mib_per_1000_requests": 3, "cv": 0.4, "step_mib": 20 },
        "memory": { "noise_mib": 15, "mib_per_request": 2, "collector": { "mib": 40, "every": "5m" } },
        "cold": { "factor": 1.5, "lasts": "2m" } });
    let faults =
        json!([{ "kind": { "deploy": { "leak": { "mib_per_hour": 500, "share": 0.5 } } }, "at": "3h" }]);
    let world = world(service, json!({ "faults": faults, "metrics": { "missing": 0.1 } }));
    let (first, seen) = over(&world, REJUVENATE, 5, 30.0, false);
    let (second, also) = over(&world, REJUVENATE, 5, 30.0, false);
    assert!(first == second && seen.0 == also.0, "two runs differ");
    let (events, also) = over(&world, REJUVENATE, 5, 30.0, true);
    assert_eq!(first.aging, events.aging);
    assert!(first == events && seen.0 == also.0, "the engines differ");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |service: Value| {
        let mut spec = json!({ "name": "m", "server": { "fcfs": { "slots": 1 } }, "memory_mib": 1_000,
            "service_time": { "fixed": "1s" }, "replicas": { "min": 1, "max": 2 } });
        for (key, value) in service.as_object().unwrap() {
            spec[key] = value.clone();
        }
        let text = json!({ "version": 1, "name": "x", "services": [spec], "objective": { "latency": "1s" },
            "traffic": { "source": { "constant": { "rps": 1.0, "length": "1h" } } } });
        let scenario: Scenario = serde_json::from_value(text).unwrap();
        scenario.check().unwrap_err().to_string()
    };
    assert!(refused(json!({ "leak": { "mib_per_hour": 5 } })).contains("memory_limit_mib"));
    let limit = |extra: Value| {
        let mut service = json!({ "memory_limit_mib": 1_500 });
        service["memory"] = extra;
        refused(service)
    };
    assert!(limit(json!({ "cache": { "mib": 600, "fills_in": "1h" } })).contains("again and again"));
    assert!(limit(json!({ "cache": { "mib": 60, "fills_in": "0s" } })).contains("fills_in"));
    assert!(refused(json!({ "cold": { "factor": 0.5, "lasts": "1m" } })).contains("cold.factor"));
    let leak = json!({ "mib_per_hour": 1, "share": 1.5 });
    assert!(refused(json!({ "memory_limit_mib": 2_000, "leak": leak })).contains("leak.share"));
}
