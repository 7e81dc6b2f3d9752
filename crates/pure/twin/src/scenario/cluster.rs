//! What lies around the services: the metrics pipeline and the nodes.

use homeostat_core::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::Duration;

/// A stretch of time, from the start of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// Begins this long after the start.
    pub at: Span,
    /// Lasts this long.
    pub lasts: Span,
}

/// The metrics pipeline between replicas and policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Time between two scrapes. Default 15 s.
    pub scrape: Span,
    /// Length of time over which rates are taken. Default 30 s.
    pub window: Span,
    /// Time from a scrape until policies can read it. Default 15 s.
    pub delay: Span,
    /// Share of a replica's samples that get lost. Default 0.
    pub missing: f64,
    /// Share of scrapes that bring nothing new for any replica. Default 0.
    pub stale: f64,
    /// Largest error of a value, as a share of it: each scrape multiplies every metric by a factor of its
    /// own, uniform between 1 − noise and 1 + noise and the same for all replicas. Default 0.
    pub noise: f64,
    /// Stretches in which the metrics source does not answer.
    pub outages: Vec<Outage>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            scrape: Span::from_secs(15),
            window: Span::from_secs(30),
            delay: Span::from_secs(15),
            missing: 0.0,
            stale: 0.0,
            noise: 0.0,
            outages: Vec::new(),
        }
    }
}

/// Nodes of one type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodePool {
    /// Name of the type.
    pub name: String,
    /// CPU of a node in millicores.
    pub cpu_milli: u32,
    /// Memory of a node in MiB.
    pub memory_mib: u32,
    /// Price of a node per hour.
    pub price_per_hour: f64,
    /// Work takes `1 / speed` times as long on it. Default 1.
    #[serde(default = "NodePool::full_speed")]
    pub speed: f64,
    /// Nodes that always exist.
    #[serde(default)]
    pub min: u32,
    /// Nodes at most (the quota).
    pub max: u32,
    /// Time to get a further node.
    #[serde(default)]
    pub provision: Duration,
    /// A node empty for this long is given back. Default 10 min.
    #[serde(default = "NodePool::default_idle")]
    pub idle: Span,
}

impl NodePool {
    const fn full_speed() -> f64 {
        1.0
    }

    const fn default_idle() -> Span {
        Span::from_secs(600)
    }
}
