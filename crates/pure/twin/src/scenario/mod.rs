//! A world description for the twin: traffic, services, cluster, faults, prices, and the policies to
//! compare. One YAML file; every field has a default that is written in its description.

mod check;
mod cluster;
mod duration;
mod fault;
mod memory;
mod service;
mod traffic;
mod validation;

use homeostat_core::guard::GuardProfile;
use homeostat_core::policy::Sensing;
use homeostat_core::{Instant, Span};
use homeostat_policy::spec::{PolicySpec, Promise};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use check::ScenarioError;
pub use cluster::{Metrics, NodePool, Outage};
pub use duration::{Duration, MeanCv, Pareto, Sampler};
pub use fault::{Deploy, Fault, FaultKind, Which};
pub use memory::{Cache, Cold, Collector, Leak, Memory};
pub use service::{
    Balancer, Batches, Failure, FailureKind, Outlook, Server, Service, Sharing, Slots, StartUp,
};
pub use traffic::{
    Bursts, Constant, Generated, Part, Recorded, Regular, Scale, ServiceFromTokens, Source, Traffic,
};

pub use validation::Validation;

/// The version of the scenario format that this build reads.
pub const SCENARIO_VERSION: u32 = 1;

/// What the operator promised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// A request within this time, from its first arrival to its success, meets the objective.
    pub latency: Span,
    /// Share of requests that must meet it.
    #[serde(default = "Objective::default_attainment")]
    pub attainment: f64,
}

impl Objective {
    fn default_attainment() -> f64 {
        0.999
    }
}

/// How clients behave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// A client gives up an attempt after this time. Default 10 s.
    pub timeout: Span,
    /// Further attempts after a failure. Default 0.
    pub retries: u32,
    /// Pause before a further attempt, doubled each time and multiplied by a uniform draw from
    /// [0.5, 1.5). Default 100 ms.
    pub backoff: Span,
    /// Whether the server stops working on a request when its client has given up. Default false.
    pub cancels: bool,
    /// Requests that a front door holds while no replica is ready; beyond it they fail. Default 10 000.
    pub front_queue: u32,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            timeout: Span::from_secs(10),
            retries: 0,
            backoff: Span::from_millis(100),
            cancels: false,
            front_queue: 10_000,
        }
    }
}

/// A policy to compare, with the guards it runs under. Exactly one of `builtin`, `file` and `policy`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Contender {
    /// The name in tables; default: that of the built-in policy, of the file, or of the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A built-in policy by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builtin: Option<String>,
    /// A policy file or a Kubernetes manifest, relative to the scenario file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A policy with its settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicySpec>,
    /// Its guards; default: bounds only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guards: Option<GuardProfile>,
}

/// A world and what to compare in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Format version; 1.
    pub version: u32,
    /// Name in tables.
    pub name: String,
    /// What it stands for.
    #[serde(default)]
    pub description: String,
    /// Where requests come from.
    pub traffic: Traffic,
    /// What was promised.
    pub objective: Objective,
    /// How clients behave.
    #[serde(default)]
    pub client: Client,
    /// What prices are in, for example USD; default: nothing, and costs are "cost units".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Services; the first receives the requests.
    pub services: Vec<Service>,
    /// The metrics pipeline.
    #[serde(default)]
    pub metrics: Metrics,
    /// Node pools; without any, every replica finds a place at once.
    #[serde(default)]
    pub nodes: Vec<NodePool>,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Time at the start that is run but not scored; default: the longer of 2 h and 3 start-ups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<Span>,
    /// The policies to compare. Empty: all built-in ones.
    #[serde(default)]
    pub policies: Vec<Contender>,
    /// How far the twin was from a record of this service, as `homeostat validate` found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Validation>,
}

impl Scenario {
    /// What policies are told of this world: a load that begins at `start` and has `peak_rate` requests per
    /// second in its largest minute.
    pub fn outlook(&self, start: Instant, peak_rate: f64) -> Outlook {
        let Objective { latency, attainment } = self.objective;
        let Metrics { scrape, window, delay, .. } = self.metrics;
        Outlook {
            start,
            peak_rate,
            promise: Some(Promise { latency, attainment }),
            metrics: Some(Sensing { scrape, window, delay }),
            history: None,
        }
    }

    /// Time at the start that is not scored.
    pub fn warm_up(&self) -> Span {
        let start_up = self.services.iter().map(|s| s.start_up.mean()).max().unwrap_or_default();
        self.warm_up.unwrap_or_else(|| Span::from_secs(7_200).max(start_up * 3))
    }

    /// The least time from the order of a replica of the first service until it takes traffic. A process
    /// that starts again after a crash is not scheduled and pulls nothing.
    pub fn least_start(&self) -> Span {
        let start_up = &self.services[0].start_up;
        let again = start_up.model_load.least() + start_up.warm_up.least();
        let dies = !self.faults.is_empty() || self.services[0].memory_limit_mib.is_some();
        if dies { again } else { again + start_up.scheduling.least() + start_up.image_pull.least() }
    }

    /// Whether a service is killed at some amount of memory.
    pub fn has_memory_limit(&self) -> bool {
        self.services.iter().any(|service| service.memory_limit_mib.is_some())
    }

    /// Whether replicas of the first service leak towards a limit, now or after a deploy.
    pub fn leaks(&self) -> bool {
        let service = &self.services[0];
        let deployed =
            |fault: &Fault| matches!(fault.kind, FaultKind::Deploy(deploy) if deploy.leak.is_some());
        let leaks = service.leak.is_some() || self.faults.iter().any(deployed);
        leaks && service.memory_limit_mib.is_some()
    }

    /// Changes every start-up to this mean, keeping the proportions of its phases.
    pub fn set_start_up(&mut self, mean: Span) {
        for service in &mut self.services {
            service.start_up.set_mean(mean);
        }
    }

    /// Changes the largest count of every service.
    pub fn set_max_replicas(&mut self, max: u32) {
        for service in &mut self.services {
            service.replicas.max = max;
            service.replicas.min = service.replicas.min.min(max);
            service.initial = service.initial.map(|initial| initial.min(max));
        }
    }
}
