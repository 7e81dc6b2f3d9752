//! What a run amounts to: attainment, quantiles, replica-hours, changes, and series to draw.
//!
//! Definitions: a logical request with its retries is one; its time runs from its first arrival to its
//! success; failed requests count as infinitely long. Requests are scored by their arrival, from the end
//! of the warm-up to the end of the trace; replica-hours over the same window, from order to end.

mod aging;
mod forecast;
mod histogram;
mod ledger;
mod meter;
mod series;
mod tally;

use homeostat_core::{Instant, Span};
use serde::{Deserialize, Serialize};

pub(crate) use aging::AgingTally;
pub use aging::{Aging, ReplicaAge};
pub use forecast::ForecastSeries;
pub(crate) use forecast::Forecasts;
pub use histogram::Histogram;
pub(crate) use ledger::{Counts, Ledger, count_series};
pub use meter::{Answered, Meter};
pub use series::{Merge, Series, Windows};
pub(crate) use tally::{Tally, Verdict};

/// A change of the count of replicas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// When, in seconds since the start of the trace.
    pub at_s: f64,
    /// Index of the service.
    pub service: usize,
    /// Count before.
    pub from: u32,
    /// Count after.
    pub to: u32,
    /// Why, in one line.
    pub text: String,
}

/// The result of one run. As JSON it can be read back to the bit, given a reader with exact floats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Logical requests that arrived in the scored window.
    pub requests: u64,
    /// Those that never succeeded.
    pub failed: u64,
    /// Share that met the objective.
    pub attainment: f64,
    /// Median time in ms; `None` when it falls among failures.
    pub p50_ms: Option<f64>,
    /// 95th percentile in ms.
    pub p95_ms: Option<f64>,
    /// 99th percentile in ms.
    pub p99_ms: Option<f64>,
    /// Mean time of those that succeeded, in ms.
    pub mean_ms: f64,
    /// From order to end, over all services.
    pub replica_hours: f64,
    /// Replica-hours times price.
    pub cost: f64,
    /// Node-hours times price; apart from `cost`.
    pub node_cost: f64,
    /// Executed changes of the desired count.
    pub scale_events: u64,
    /// Changes of direction between successive executed changes, per hour.
    pub flips_per_hour: f64,
    /// Decisions taken, scored or not.
    pub decisions: u64,
    /// Visits to services, scored or not: the unit of work of the twin.
    pub hops: u64,
    /// Start of the trace.
    pub start: Instant,
    /// Length of the trace.
    pub span: Span,
    /// Length of the part that was not scored.
    pub warm_up: Span,
    /// Everything over time.
    pub series: Series,
    /// Changes with their reasons; when there are very many, the largest.
    pub marks: Vec<Mark>,
    /// What the policies expected and what came, of each service whose policy forecasts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forecasts: Vec<ForecastSeries>,
    /// What aging did, where a service has a memory limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aging: Option<Aging>,
    /// What a monitoring system would have recorded, where [`crate::Simulation::with_meter`] asked for it.
    #[serde(skip)]
    pub meter: Option<Meter>,
}
