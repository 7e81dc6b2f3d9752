//! The twin against closed formulas of queueing theory.
//!
//! Statistics: each point runs with independent seeds until its 95 % half-width, widened by Bonferroni
//! over the grid, is at most 1 % of the mean, and must then lie within 2 % of the formula. Seeds are the
//! batches: runs with different seeds are independent where parts of one run are not.

mod common;

use common::{Run, scenario};
use homeostat_core::Span;
use homeostat_twin::scenario::Constant;
use homeostat_twin::{Outcome, workload};
use serde_json::{Value, json};

/// Mean work of a request.
const WORK_S: f64 = 0.1;
/// Points of all grids together.
const POINTS: f64 = 17.0;
/// Runs of a point at least and at most.
const RUNS: (u64, u64) = (12, 4_000);

/// One static replica with this server under Poisson traffic at this rate.
fn run(server: &Value, work: &Value, rate: f64, seed: u64) -> Outcome {
    let patient = json!({ "timeout": "3650d" });
    let start_up = json!({});
    let service = json!([{
        "name": "queue", "server": server, "service_time": work,
        "replicas": { "min": 1, "max": 1 }, "start_up": start_up,
    }]);
    let scenario = scenario(json!({
        "client": patient, "services": service, "warm_up": "30m", "metrics": { "scrape": "10m", "window": "10m" },
    }));
    let policy = r#"{ "static": { "replicas": 1 } }"#;
    let run = Run { scenario: &scenario, policy, seed, initial: 1, peak_rate: rate, events: false };
    let length = Span::HOUR * 3;
    run.over(workload::constant(Constant { rps: rate, length })).0
}

/// Mean and half-width of `value` over as many seeds as it takes.
fn estimate(mut value: impl FnMut(u64) -> f64) -> (f64, f64) {
    // Two-sided 95 % over all points: the normal quantile at 1 − 0.025/17 is 2.98; Student's t with 11
    // degrees of freedom, the fewest used, has 3.9 there.
    let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for seed in 0..RUNS.1 {
        let x = value(seed);
        n += 1.0;
        let delta = x - mean;
        mean += delta / n;
        squares += delta * (x - mean);
        let quantile = 2.98 + 10.0 / n;
        let half = quantile * (squares / (n - 1.0) / n).sqrt();
        if seed + 1 >= RUNS.0 && half <= 0.01 * mean {
            return (mean, half);
        }
    }
    panic!("no estimate after {} runs: {mean} ± {squares} over {POINTS} points", RUNS.1);
}

fn agrees(name: &str, expected: f64, value: impl FnMut(u64) -> f64) {
    let (found, half) = estimate(value);
    let off = found / expected - 1.0;
    println!("{name}: {found:.6} ± {half:.6}, formula {expected:.6}, off by {:.3} %", off * 100.0);
    assert!(off.abs() <= 0.02, "{name}: {found} ± {half} instead of {expected}");
}

fn mean_s(outcome: &Outcome) -> f64 {
    outcome.mean_ms / 1_000.0
}

/// Probability that an arrival waits in M/M/c (Erlang C), `a` the offered load in servers.
fn erlang_c(servers: u32, a: f64) -> f64 {
    let mut blocking = 1.0;
    for k in 1..=servers {
        blocking = a * blocking / (f64::from(k) + a * blocking);
    }
    let rho = a / f64::from(servers);
    blocking / (1.0 - rho * (1.0 - blocking))
}

#[test]
fn m_m_c() {
    for (servers, rho) in [(1, 0.5), (1, 0.8), (1, 0.95), (4, 0.7), (4, 0.9), (16, 0.8), (16, 0.95)] {
        let rate = f64::from(servers) * rho / WORK_S;
        let waits = erlang_c(servers, f64::from(servers) * rho);
        let expected = WORK_S + waits * WORK_S / (f64::from(servers) * (1.0 - rho));
        let server = json!({ "fcfs": { "slots": servers } });
        let work = json!({ "exponential": "100ms" });
        let value = |seed| mean_s(&run(&server, &work, rate, seed));
        agrees(&format!("M/M/{servers} at {rho}"), expected, value);
    }
}

#[test]
fn m_d_1() {
    for rho in [0.5, 0.8, 0.95] {
        let expected = WORK_S + rho * WORK_S / (2.0 * (1.0 - rho)); // Pollaczek and Khinchine
        let server = json!({ "fcfs": { "slots": 1 } });
        let value = |seed| mean_s(&run(&server, &json!({ "fixed": "100ms" }), rho / WORK_S, seed));
        agrees(&format!("M/D/1 at {rho}"), expected, value);
    }
}

/// In processor sharing the mean sojourn depends on the mean of the work alone.
#[test]
fn m_g_1_processor_sharing() {
    let works = [
        json!({ "exponential": "100ms" }),
        json!({ "fixed": "100ms" }),
        json!({ "log_normal": { "mean": "100ms", "cv": 2.0 } }),
    ];
    for (work, rho) in works.iter().zip([0.8, 0.8, 0.7]) {
        let server = json!({ "sharing": { "contention": 1.0 } });
        let value = |seed| mean_s(&run(&server, work, rho / WORK_S, seed));
        agrees(&format!("M/G/1-PS at {rho}, {work}"), WORK_S / (1.0 - rho), value);
    }
}

/// One slot and room for K requests in all: the share refused and the mean of those let in.
#[test]
fn m_m_1_k() {
    for (rho, room) in [(0.8_f64, 5_i32), (1.2, 5)] {
        let p = |n: i32| {
            (1.0 - rho) * homeostat_core::num::pow(rho, n.into())
                / (1.0 - homeostat_core::num::pow(rho, f64::from(room + 1)))
        };
        let blocked = p(room);
        let inside: f64 = (0..=room).map(|n| f64::from(n) * p(n)).sum();
        let rate = rho / WORK_S;
        let server = json!({ "fcfs": { "slots": 1, "queue": room - 1 } });
        let work = json!({ "exponential": "100ms" });
        let refused = |seed| {
            let outcome = run(&server, &work, rate, seed);
            outcome.failed as f64 / outcome.requests as f64
        };
        agrees(&format!("M/M/1/{room} at {rho}, refused"), blocked, refused);
        let sojourn = inside / (rate * (1.0 - blocked));
        let value = |seed| mean_s(&run(&server, &work, rate, seed));
        agrees(&format!("M/M/1/{room} at {rho}, sojourn"), sojourn, value);
    }
}
