//! The published facts of Gandhi et al. (*`AutoScale`*, ACM TOCS 30(4), 2012, table III) on the six
//! reconstructed shapes. The recordings were never published, so figures can't be equal; what is compared
//! is which policy keeps T95 ≤ 500 ms and which needs fewer servers than one that is always on.
//!
//! Shapes, server and policies were fixed before the first run. Facts that don't hold are listed in
//! [`MISSES`]: the test fails when the list changes, in either direction.

mod common;

use common::{Run, scenario};
use homeostat_core::Span;
use homeostat_twin::{Outcome, Scenario, workload};
use serde_json::json;
use workload::Shape;

/// T95 that was promised, in ms.
const PROMISE_MS: f64 = 500.0;

/// Table III: T95 in ms / mean servers of always on, reactive, moving average, `AutoScale--`.
const PAPER: [(Shape, [(f64, f64); 4]); 6] = [
    (Shape::SlowlyVarying, [(271.0, 14.0), (673.0, 4.1), (3_464.0, 4.1), (435.0, 5.8)]),
    (Shape::QuicklyVarying, [(303.0, 14.0), (20_005.0, 10.1), (3_335.0, 10.6), (362.0, 15.1)]),
    (Shape::BigSpike, [(229.0, 14.0), (3_426.0, 4.9), (9_337.0, 4.9), (854.0, 6.6)]),
    (Shape::DualPhase, [(291.0, 14.0), (11_003.0, 6.2), (7_740.0, 6.3), (491.0, 7.2)]),
    (Shape::LargeVariations, [(289.0, 14.0), (4_227.0, 7.8), (13_399.0, 8.1), (474.0, 10.5)]),
    (Shape::SteepTriPhase, [(377.0, 14.0), (60_000.0, 5.2), (60_000.0, 7.2), (463.0, 8.0)]),
];

const VARIANTS: [&str; 4] = ["always-on", "reactive", "predictive-mwa", "autoscale--"];

/// The paper's set-up: jobs of 120 ms, about 60 requests per second and server, 260 s to start one, index
/// packing up to 10, a balancer that sees every request.
fn world() -> Scenario {
    scenario(json!({
        "client": { "timeout": "1h" },
        "warm_up": "0s",
        "services": [{
            "name": "server",
            "server": { "fcfs": { "slots": 8 } },
            "service_time": { "exponential": "120ms" },
            "balancer": { "index_packing": 10 },
            "replicas": { "min": 1, "max": 60 },
            "start_up": { "model_load": { "fixed": "260s" } },
            "drain": "1h",
        }],
    }))
}

fn run(shape: Shape, variant: &str) -> Outcome {
    let policy = json!({ "autoscale": {
        "variant": variant, "capacity": 60.0, "setup": "260s", "idle_timeout": "120s", "packing": 10,
        "period": "5s", "own_metrics": { "scrape": "1s", "window": "5s", "delay": "0s" },
    } });
    let rates = shape.rates();
    let initial = (rates[0] / 60.0).ceil() as u32;
    let initial = if variant == "always-on" { 14 } else { initial };
    let scenario = world();
    let run = Run {
        scenario: &scenario,
        policy: &policy.to_string(),
        seed: 1,
        initial,
        peak_rate: 800.0,
        events: false,
    };
    run.over(workload::series(Span::from_secs(10), rates)).0
}

/// Facts of the paper that don't hold here. The reconstructed shapes climb to their peak within three to
/// six minutes, about one set-up time, and a server here saturates at 67 requests per second, 11 % above
/// what the policy plans with: no policy without headroom can be in time. The paper's recordings, by its
/// results, climb more gently, and its servers degrade more gently.
const MISSES: [(Shape, &str, &str); 5] = [
    (Shape::SlowlyVarying, "autoscale--", "keeps T95"),
    (Shape::QuicklyVarying, "autoscale--", "keeps T95"),
    (Shape::DualPhase, "autoscale--", "keeps T95"),
    (Shape::LargeVariations, "autoscale--", "keeps T95"),
    (Shape::SteepTriPhase, "autoscale--", "keeps T95"),
];

#[test]
fn published_facts() {
    let mut misses = Vec::new();
    for (shape, paper) in PAPER {
        let outcomes = VARIANTS.map(|variant| run(shape, variant));
        let t95 = |i: usize| outcomes[i].p95_ms.unwrap_or(f64::INFINITY);
        let servers = |i: usize| outcomes[i].replica_hours / outcomes[i].span.as_hours_f64();
        for (i, variant) in VARIANTS.iter().enumerate() {
            let (ms, mean) = paper[i];
            println!("{shape:?} {variant}: {:.0} / {:.1}, paper {ms} / {mean}", t95(i), servers(i));
        }
        let mut fact = |holds: bool, variant: &'static str, what: &'static str| {
            if !holds {
                misses.push((shape, variant, what));
            }
        };
        if shape != Shape::BigSpike {
            fact(t95(3) <= PROMISE_MS, "autoscale--", "keeps T95");
        }
        if shape != Shape::QuicklyVarying {
            fact(servers(3) < servers(0), "autoscale--", "fewer servers than always on");
        }
        fact(t95(1) > PROMISE_MS, "reactive", "misses T95");
        fact(t95(2) > PROMISE_MS, "predictive-mwa", "misses T95");
        fact(t95(0) <= PROMISE_MS, "always-on", "keeps T95");
    }
    assert_eq!(misses, MISSES.to_vec());
}
