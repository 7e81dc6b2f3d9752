//! Noise of the metrics pipeline, and that rivals decide the same twice under it.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use std::sync::{Arc, LazyLock};

use common::{Keep, Run, scenario};
use homeostat_core::observe::Reading;
use homeostat_core::{Controller, GuardProfile, Instant, Span};
use homeostat_policy::spec::PolicySpec;
use homeostat_twin::scenario::Constant;
use homeostat_twin::{Fluid, Outcome, ServiceCurve, workload};
use serde_json::{Value, json};

const HPA: &str = r#"{ "hpa": { "cpu_percent": 70, "min": 10, "max": 10 } }"#;

/// Noise changes nothing about how replicas serve.
static CURVE: LazyLock<Arc<ServiceCurve>> =
    LazyLock::new(|| Arc::new(ServiceCurve::measure(&scenario(json!({})), 16, 1)));

fn fluid(run: &Run<'_>, stream: homeostat_core::load::LoadStream) -> (Outcome, Keep) {
    let spec: PolicySpec = serde_json::from_str(run.policy).unwrap();
    let service = &run.scenario.services[0];
    let policy = service.policy(&spec, &run.scenario.outlook(Instant::ZERO, run.peak_rate)).unwrap();
    let controllers = vec![Controller::new(vec![policy], GuardProfile::bounds_only(), service.replicas)];
    let twin = Fluid::new(run.scenario, run.seed, controllers, &[run.initial], stream, &CURVE).unwrap();
    let mut keep = Keep::default();
    (twin.run(&mut keep, &mut |_| false).unwrap(), keep)
}

/// Per decision, the values of all replicas.
fn values(keep: &Keep) -> Vec<Vec<f64>> {
    let of = |reading: &Reading| match reading {
        Reading::PerReplica(samples) => samples.iter().map(|s| s.milli as f64).collect(),
        _ => Vec::new(),
    };
    keep.0.iter().map(|(_, seen, _)| of(&seen.readings[0])).filter(|v| v.len() == 10).collect()
}

/// The factor by which each decision's values are off, which all replicas share.
fn factors(noisy: &Keep, clean: &Keep) -> Vec<f64> {
    let (noisy, clean) = (values(noisy), values(clean));
    assert_eq!(noisy.len(), clean.len());
    let factor = |(noisy, clean): (&Vec<f64>, &Vec<f64>)| {
        let factor = noisy.iter().sum::<f64>() / clean.iter().sum::<f64>();
        for (a, b) in noisy.iter().zip(clean) {
            assert!((a - b * factor).abs() <= 1.5, "{a} instead of {b} × {factor}");
        }
        factor
    };
    noisy.iter().zip(&clean).map(factor).collect()
}

#[test]
fn every_scrape_is_off_by_a_factor_of_its_own() {
    let metrics = |noise: f64| json!({ "metrics": { "noise": noise } });
    let run = |metrics: Value, engine: fn(&Run<'_>, homeostat_core::load::LoadStream) -> (Outcome, Keep)| {
        let world = scenario(metrics);
        let run =
            Run { scenario: &world, policy: HPA, seed: 3, initial: 10, peak_rate: 100.0, events: false };
        engine(&run, workload::constant(Constant { rps: 100.0, length: Span::HOUR * 4 }))
    };
    let exact: fn(&Run<'_>, homeostat_core::load::LoadStream) -> (Outcome, Keep) = |run, s| run.over(s);
    let by_request = factors(&run(metrics(0.15), exact).1, &run(metrics(0.0), exact).1);
    let by_rates = factors(&run(metrics(0.15), fluid).1, &run(metrics(0.0), fluid).1);
    for found in [&by_request, &by_rates] {
        let n = found.len() as f64;
        assert!(n > 900.0 && found.iter().all(|f| (0.849..=1.151).contains(f)));
        let mean = found.iter().sum::<f64>() / n;
        let deviation = (found.iter().map(|f| (f - mean) * (f - mean)).sum::<f64>() / n).sqrt();
        // Uniform: 0.15 / √3.
        assert!((mean - 1.0).abs() < 0.01 && (deviation - 0.0866).abs() < 0.005, "{mean} ± {deviation}");
    }
}

#[test]
fn rivals_decide_the_same_twice() {
    let world = scenario(json!({ "metrics": { "noise": 0.15 } }));
    let wave = || {
        let rate = |minute: u32| if minute % 10 < 5 { 60.0 } else { 120.0 };
        workload::series(Span::MINUTE, (0..60).map(rate).collect())
    };
    for name in ["phpa", "mark", "mu", "aws-predictive"] {
        let catalog = homeostat_policy::spec::catalog();
        let named = catalog.iter().find(|named| named.name == name).unwrap();
        let policy = &serde_json::to_string(&named.spec).unwrap();
        let run = Run { scenario: &world, policy, seed: 1, initial: 6, peak_rate: 120.0, events: false };
        let (first, second) = (run.over(wave()), run.over(wave()));
        assert!(first.0 == second.0 && first.1.0 == second.1.0, "{name}");
        assert!(first.0.scale_events > 0, "{name} never acts");
        let (first, second) = (fluid(&run, wave()), fluid(&run, wave()));
        assert!(first.0 == second.0 && first.1.0 == second.1.0, "{name}");
    }
}
