//! Scenarios for tests: a small default world, changed by what a test says.

#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

use homeostat_core::load::LoadStream;
use homeostat_core::{Controller, Decision, GuardProfile, Instant, Observation};
use homeostat_policy::spec::PolicySpec;
use homeostat_twin::{Outcome, Recorder, Scenario, Simulation};
use serde_json::{Value, json};

/// A service of four slots with log-normal work of 200 ms, changed by `extra`.
pub(crate) fn scenario(extra: Value) -> Scenario {
    let mut value = json!({
        "version": 1,
        "name": "test",
        "traffic": { "source": { "constant": { "rps": 60.0, "length": "1h" } } },
        "objective": { "latency": "1s" },
        "services": [{
            "name": "model",
            "server": { "fcfs": { "slots": 4 } },
            "service_time": { "log_normal": { "mean": "200ms", "cv": 1.0 } },
            "replicas": { "min": 1, "max": 50 },
            "start_up": { "model_load": { "fixed": "60s" } },
        }],
        "warm_up": "5m",
    });
    merge(&mut value, extra);
    let scenario: Scenario = serde_json::from_value(value).unwrap();
    scenario.check().unwrap();
    scenario
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Keeps everything that was decided.
#[derive(Default)]
pub(crate) struct Keep(pub(crate) Vec<(usize, Observation, Decision)>);

impl Recorder for Keep {
    fn decided(&mut self, service: usize, seen: &Observation, decision: &Decision) -> Result<(), String> {
        self.0.push((service, seen.clone(), decision.clone()));
        Ok(())
    }
}

/// One run.
pub(crate) struct Run<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) policy: &'a str,
    pub(crate) seed: u64,
    pub(crate) initial: u32,
    pub(crate) peak_rate: f64,
    pub(crate) events: bool,
}

impl Run<'_> {
    /// Runs it over this load.
    pub(crate) fn over(&self, stream: LoadStream) -> (Outcome, Keep) {
        let spec: PolicySpec = serde_json::from_str(self.policy).unwrap();
        let controller = |service: &homeostat_twin::scenario::Service| {
            let outlook = self.scenario.outlook(Instant::ZERO, self.peak_rate);
            let policies = service.policies(&spec, &outlook).unwrap();
            Controller::new(policies, GuardProfile::bounds_only(), service.replicas)
        };
        let controllers = self.scenario.services.iter().map(controller).collect();
        let initial = vec![self.initial; self.scenario.services.len()];
        let simulation = Simulation::new(self.scenario, self.seed, controllers, &initial, stream).unwrap();
        let simulation = if self.events { simulation.with_events() } else { simulation };
        let mut keep = Keep::default();
        let outcome = simulation.run(&mut keep, &mut |_| false).unwrap();
        (outcome, keep)
    }
}
