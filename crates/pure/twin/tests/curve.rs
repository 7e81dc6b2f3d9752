//! The service curve against closed formulas, and its shape.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use std::sync::LazyLock;

use common::scenario;
use homeostat_core::num::exp;
use homeostat_twin::ServiceCurve;
use proptest::prelude::*;
use serde_json::{Value, json};

const MU: f64 = 5.0;

fn curve(service: &Value, objective: &str, most: u32, seed: u64) -> ServiceCurve {
    let mut all = json!({ "name": "model", "replicas": { "min": 1, "max": 50 } });
    for (key, value) in service.as_object().unwrap() {
        all[key] = value.clone();
    }
    let world = json!({
        "objective": { "latency": objective }, "services": [all], "client": { "timeout": "3650d" },
    });
    ServiceCurve::measure(&scenario(world), most, seed)
}

/// P(T > t) in M/M/c: the work, and the wait of those that find all slots busy.
fn mmc_late(servers: u32, rho: f64, t: f64) -> f64 {
    let a = f64::from(servers) * rho;
    let mut blocking = 1.0;
    for k in 1..=servers {
        blocking = a * blocking / (f64::from(k) + a * blocking);
    }
    let waits = blocking / (1.0 - rho * (1.0 - blocking));
    let spare = f64::from(servers) - 1.0 - a;
    exp(-MU * t) * (1.0 + waits * (1.0 - exp(-MU * t * spare)) / spare)
}

#[test]
fn one_replica_of_exponential_work_is_m_m_c() {
    for slots in [1, 4, 16] {
        let service =
            json!({ "server": { "fcfs": { "slots": slots } }, "service_time": { "exponential": "200ms" } });
        let curves: Vec<_> = (1..=6).map(|seed| curve(&service, "1s", 1, seed)).collect();
        assert!((curves[0].inevitable() - exp(-5.0)).abs() < 1e-12);
        for rho in [0.5, 0.8, 0.85, 0.9] {
            let expected = mmc_late(slots, rho, 1.0);
            let found = curves.iter().map(|c| c.late_share(1.0, rho)).sum::<f64>() / curves.len() as f64;
            println!("M/M/{slots} at {rho}: {found:.5}, formula {expected:.5}");
            assert!((found - expected).abs() <= 0.03 * expected, "{found} instead of {expected}");
        }
    }
}

#[test]
fn the_inevitable_share_is_that_of_the_work() {
    // Of the log-normal work of the benchmark 0.013 % is longer than a second: docs/scenarios.md.
    for (cv, share) in [(1.0, 0.009_400), (0.5, 0.000_134_6)] {
        let service = json!({
            "server": { "fcfs": { "slots": 4 } }, "service_time": { "log_normal": { "mean": "200ms", "cv": cv } },
        });
        let curve = curve(&service, "1s", 1, 1);
        assert!((curve.inevitable() / share - 1.0).abs() < 0.01, "{}", curve.inevitable());
        assert_eq!(curve.late_share(1.0, 0.0), curve.inevitable());
    }
}

static BENCHMARK: LazyLock<ServiceCurve> = LazyLock::new(|| {
    let service = json!({
        "server": { "fcfs": { "slots": 4 } }, "service_time": { "log_normal": { "mean": "200ms", "cv": 0.5 } },
    });
    curve(&service, "1s", 64, 1)
});

proptest! {
    #[test]
    fn more_replicas_never_miss_more_and_more_load_never_less(
        replicas in 0.2..200.0_f64, more in 1.0..3.0_f64, used in 0.0..1.3_f64, less in 0.0..1.0_f64,
    ) {
        let load = replicas * used;
        let share = BENCHMARK.late_share(replicas, load);
        prop_assert!((0.0..=1.0).contains(&share));
        prop_assert!(BENCHMARK.late_share(replicas * more, load) <= share + 1e-15);
        prop_assert!(BENCHMARK.late_share(replicas, load * less) <= share + 1e-15);
        prop_assert!(share >= BENCHMARK.inevitable());
    }
}

#[test]
fn beyond_saturation_everything_is_late_in_the_end() {
    assert!(BENCHMARK.late_share(10.0, 9.0) < 0.001);
    assert!(BENCHMARK.late_share(10.0, 10.0) < 0.9);
    assert!(BENCHMARK.late_share(10.0, 11.0) > 0.999_999);
    assert_eq!(BENCHMARK.late_share(0.0, 1.0), 1.0);
}
