//! Memory of a replica over its life: what leaks, what only looks like a leak, what a restart costs.
//!
//! ```text
//! memory = memory_mib + leak + cache + collector + requests inside; shown with noise, killed without
//! leak   = factor of the replica · (rate · (h + a·h²/2) + per 1000 requests), in steps where it has some
//! cache  = mib · (1 − exp(−h / fills_in))
//! ```
//!
//! `h` is the time since the replica became ready.

use homeostat_core::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Memory that is never given back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Leak {
    /// MiB per hour.
    #[serde(default)]
    pub mib_per_hour: f64,
    /// MiB per thousand requests.
    #[serde(default)]
    pub mib_per_1000_requests: f64,
    /// How much of its first rate the hourly leak gains with each hour (0.1: a tenth). Default 0: linear.
    #[serde(default)]
    pub acceleration_per_hour: f64,
    /// Memory leaks in steps of so many MiB. Default 0: evenly.
    #[serde(default)]
    pub step_mib: f64,
    /// How much replicas differ: coefficient of variation of a log-normal factor of mean 1. Default 0.
    #[serde(default)]
    pub cv: f64,
    /// Share of replicas that leak at all. Default 1.
    #[serde(default = "all")]
    pub share: f64,
}

const fn all() -> f64 {
    1.0
}

/// A cache that fills after the start, to a plateau.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// MiB when it is full.
    pub mib: f64,
    /// Time in which it fills to 63 %.
    pub fills_in: Span,
}

/// A garbage collector: memory rises and falls back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Collector {
    /// MiB between the lowest and the highest point.
    pub mib: f64,
    /// Time from one collection to the next; each replica has its own phase.
    pub every: Span,
}

/// What makes memory move that is no leak.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Memory {
    /// A cache that fills. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// A garbage collector. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collector: Option<Collector>,
    /// MiB for each request inside. Default 0.
    pub mib_per_request: f64,
    /// Standard deviation of what the metrics source adds to the truth, in MiB. Default 0.
    pub noise_mib: f64,
}

/// The price of a start: caches are cold and work takes longer for a while.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cold {
    /// Work takes this many times as long.
    pub factor: f64,
    /// For so long after the replica became ready.
    pub lasts: Span,
}
