//! What goes wrong, on a timeline or at rates.

use homeostat_core::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::memory::Leak;

/// Which replicas a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// One ready replica at random.
    #[default]
    Random,
    /// The oldest ready replica.
    Oldest,
    /// All replicas.
    All,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The process dies; requests inside are lost; it starts again on its node (load and warm-up).
    Crash,
    /// The node of the replica is gone with everything on it; without nodes, the replica is.
    NodeLoss,
    /// Work takes this many times as long, for a while.
    Slow {
        /// Times as long.
        factor: f64,
        /// For how long.
        lasts: Span,
    },
    /// A new version takes the place of the old one, replica after replica: one more is started, and when
    /// it is ready the oldest of the old version retires. `which` says nothing here.
    Deploy(Deploy),
}

/// A new version.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deploy {
    /// How it leaks. Default: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leak: Option<Leak>,
}

/// A fault and when it strikes: once, or again and again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// The service; default: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Which replicas.
    #[serde(default)]
    pub which: Which,
    /// Strikes once, this long after the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Span>,
    /// Strikes at random times with this mean between them, for the service as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
}
