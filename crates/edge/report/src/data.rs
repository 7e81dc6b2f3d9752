//! What a report shows: plain records that the caller fills in, units in the names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything one report shows. Times named `*_s` are seconds since the start of the trace.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportData {
    /// Title of the page.
    pub title: String,
    /// Name of the scenario that was run.
    pub scenario: String,
    /// What the scenario is, in a sentence or two; may be empty.
    pub description: String,
    /// The command line that makes this report again; may be empty.
    pub command: String,
    /// Program and version that made the report, e.g. `homeostat 0.1.0`.
    pub generated_by: String,
    /// What the policies should achieve.
    pub objective: Objective,
    /// The traffic that every policy was given.
    pub trace: TraceFacts,
    /// What one unit of cost is, e.g. `USD` or `replica-hours`; may be empty.
    pub cost_unit: String,
    /// Warnings and assumptions, shown as a list.
    pub notes: Vec<String>,
    /// Clairvoyant bound as a curve over attainment; `None` where it was not computed.
    pub bound: Option<Vec<BoundPoint>>,
    /// Offered work over time, the same for every policy.
    pub demand: Demand,
    /// One entry per policy, in the order in which they were run.
    pub policies: Vec<PolicyReport>,
}

/// Share of requests wanted within a latency.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Objective {
    /// Latency that a request must not exceed, in milliseconds.
    pub latency_ms: f64,
    /// Wanted share of requests within it, between 0 and 1.
    pub attainment: f64,
}

/// Facts about the traffic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TraceFacts {
    /// Name of the trace; may be empty.
    pub name: String,
    /// Start of the trace in Unix seconds, `None` where the trace has no calendar.
    pub start_unix_s: Option<i64>,
    /// Length of the trace in seconds.
    pub span_s: f64,
    /// Where the scored window starts, in seconds since the start of the trace.
    pub scored_from_s: f64,
    /// Logical requests in the scored window.
    pub requests: u64,
}

/// One point of the clairvoyant bound.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BoundPoint {
    /// Share of requests within the objective that this schedule reaches, between 0 and 1.
    pub attainment: f64,
    /// Cost of the best schedule found, in `cost_unit`.
    pub cost: f64,
    /// Replica-hours of the best schedule found.
    pub replica_hours: f64,
    /// Proven lower bound on the cost, in `cost_unit`; `None` where there is none.
    pub lower_cost: Option<f64>,
}

/// Offered work over time, on a regular grid.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Demand {
    /// Start of the first window, in seconds.
    pub start_s: f64,
    /// Length of a window, in seconds.
    pub step_s: f64,
    /// Mean offered work per window, in busy replicas.
    pub mean_replicas: Vec<f32>,
    /// Highest offered work inside each window, in busy replicas; empty where only the mean is known.
    pub peak_replicas: Vec<f32>,
}

/// One policy: what it is, how it did and what it decided.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyReport {
    /// Name of the policy, unique in the report.
    pub name: String,
    /// Guard profile that it ran under.
    pub guards: String,
    /// Where it comes from: a peer system and version, a paper, a file.
    pub source: String,
    /// Figures over the scored window.
    pub summary: Summary,
    /// What happened over time.
    pub series: Series,
    /// Decisions that changed something; the report keeps the largest changes if there are too many.
    pub decisions: Vec<DecisionMark>,
    /// Decisions made in all, where `decisions` is already a selection; 0 means `decisions.len()`.
    pub decisions_total: u64,
    /// What the policy expected, one entry per service; empty where it doesn't forecast.
    pub forecasts: Vec<Forecast>,
    /// What aging did, where replicas have a memory limit.
    pub aging: Option<Aging>,
}

/// What a policy expected of a service's load and what came, on a regular grid, in requests per second.
///
/// Every array has the same length; `None` where nothing is known. Forecasts stand in the windows that they
/// were for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Forecast {
    /// Name of the service.
    pub service: String,
    /// How far ahead the policy looked, mean in seconds.
    pub ahead_s: f64,
    /// Start of the first window, in seconds.
    pub start_s: f64,
    /// Length of a window, in seconds.
    pub step_s: f64,
    /// Expected to be exceeded in 95 % of all cases.
    pub p5: Vec<Option<f32>>,
    /// Expected to be exceeded as often as not.
    pub p50: Vec<Option<f32>>,
    /// Expected to be exceeded in 5 % of all cases.
    pub p95: Vec<Option<f32>>,
    /// Expected to be exceeded in 1 % of all cases.
    pub p99: Vec<Option<f32>>,
    /// What arrived.
    pub arrived: Vec<Option<f32>>,
}

/// What aging did under one policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Aging {
    /// Replicas killed at their memory limit.
    pub oom_kills: u64,
    /// Replicas replaced while the count didn't fall.
    pub rejuvenations: u64,
    /// Requests inside replicas that were killed.
    pub lost_to_oom: u64,
    /// Requests inside replaced replicas whose drain ran out.
    pub lost_to_rejuvenation: u64,
    /// Replicas at the end.
    pub replicas: Vec<ReplicaAge>,
}

/// A replica at the end of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplicaAge {
    /// Its number.
    pub replica: u64,
    /// Hours since it became ready.
    pub age_hours: f64,
    /// Requests taken in.
    pub requests: u64,
    /// Memory in MiB.
    pub memory_mib: f64,
    /// What of it has leaked, in MiB.
    pub leaked_mib: f64,
    /// Limit in MiB, where there is one.
    pub limit_mib: Option<u32>,
}

impl ReplicaAge {
    /// Memory as a share of the limit; 0 without one.
    pub fn of_limit(&self) -> f64 {
        self.limit_mib.map_or(0.0, |limit| self.memory_mib / f64::from(limit))
    }
}

/// Figures of one policy over the scored window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// Share of logical requests within the objective, between 0 and 1.
    pub attainment: f64,
    /// Share of logical requests that failed or timed out, between 0 and 1.
    pub failed: f64,
    /// Median latency in milliseconds; `None` is infinite.
    pub p50_ms: Option<f64>,
    /// 95th percentile of latency in milliseconds; `None` is infinite.
    pub p95_ms: Option<f64>,
    /// 99th percentile of latency in milliseconds; `None` is infinite.
    pub p99_ms: Option<f64>,
    /// Replica-hours from order to end of process.
    pub replica_hours: f64,
    /// Cost in `cost_unit`.
    pub cost: f64,
    /// Cost of a month of 730 hours at this rate, in `cost_unit`; `None` where it is not known.
    pub monthly_cost: Option<f64>,
    /// Cost divided by the bound at this policy's own attainment; `None` where there is no bound.
    pub cost_over_bound: Option<f64>,
    /// Share of the gap between the cheapest HPA or fixed count at this attainment and the bound that this
    /// policy closes; `None` where there is no such reference.
    pub gap_closed: Option<f64>,
    /// Executed changes of the desired count.
    pub scale_events: u64,
    /// Changes of scaling direction per hour.
    pub flips_per_hour: f64,
    /// 95 % intervals over seeds, `[low, high]`, keyed by the name of a field of this record.
    pub ci: BTreeMap<String, [f64; 2]>,
}

/// What happened under one policy, on a regular grid; every array has the same length.
///
/// Any resolution may be passed: the report merges windows until the page is small enough.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Series {
    /// Start of the first window, in seconds.
    pub start_s: f64,
    /// Length of a window, in seconds.
    pub step_s: f64,
    /// Ready replicas.
    pub ready: Envelope,
    /// Replicas that were starting, the most in each window.
    pub starting: Vec<f32>,
    /// Desired replicas at the end of each window.
    pub desired: Vec<f32>,
    /// Logical requests that arrived in each window.
    pub requests: Vec<u64>,
    /// Those of them that missed the objective, late or failed.
    pub missed: Vec<u64>,
    /// Those of them that failed or timed out.
    pub failed: Vec<u64>,
    /// Median latency in milliseconds; `None` is infinite; ignored where no request arrived.
    pub p50_ms: Vec<Option<f32>>,
    /// 95th percentile of latency in milliseconds, as above.
    pub p95_ms: Vec<Option<f32>>,
    /// 99th percentile of latency in milliseconds, as above.
    pub p99_ms: Vec<Option<f32>>,
}

/// Least and greatest value per window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Envelope {
    /// Least value inside each window.
    pub min: Vec<f32>,
    /// Greatest value inside each window.
    pub max: Vec<f32>,
}

impl Envelope {
    /// An envelope of values that do not vary inside their window.
    pub fn exact(values: Vec<f32>) -> Self {
        Self { min: values.clone(), max: values }
    }
}

/// One change that a policy made, and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DecisionMark {
    /// When, in seconds since the start of the trace.
    pub at_s: f64,
    /// Desired replicas before.
    pub from: u32,
    /// Desired replicas after.
    pub to: u32,
    /// The reasons, in words.
    pub text: String,
}
