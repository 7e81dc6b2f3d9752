//! What is known of a target at a moment, each value with its own timestamp.
//!
//! An observation is all that a policy may see. It is delivered by a world's metrics pipeline, with the
//! delays, gaps and staleness of that pipeline. Values are whole thousandths (`milli`), as they are in
//! Kubernetes, so that integer arithmetic of upstream controllers can be matched exactly.

use crate::time::{Instant, Span};

/// One instance of a target. Unique within a target for all time: a restarted replica is a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ReplicaId(pub u64);

/// Life stage of a replica, in the words of Kubernetes' pod phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Ordered, not all containers running: scheduling, pulling, starting.
    Pending,
    /// Running; it may or may not be ready.
    Running,
    /// Ended with an error, or killed.
    Failed,
    /// Ended of its own accord.
    Succeeded,
}

/// The readiness of a replica and when it last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// Whether the replica takes traffic.
    pub ready: bool,
    /// When `ready` took its present value.
    pub since: Instant,
}

/// A replica as the control plane shows it. Metrics come separately, in [`Observation::readings`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaView {
    /// Which replica.
    pub id: ReplicaId,
    /// Its life stage.
    pub phase: Phase,
    /// When the node agent accepted it (`status.startTime`); absent before it was placed.
    pub started_at: Option<Instant>,
    /// The ready condition; absent before the node agent reported one.
    pub readiness: Option<Readiness>,
    /// Whether it has been told to stop (`deletionTimestamp` is set).
    pub deleting: bool,
}

impl ReplicaView {
    /// Whether the replica runs, is ready and has not been told to stop.
    pub fn is_ready(&self) -> bool {
        self.phase == Phase::Running && !self.deleting && self.readiness.is_some_and(|r| r.ready)
    }
}

/// One replica's value of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Whose value.
    pub replica: ReplicaId,
    /// The value in thousandths of the metric's unit (for CPU: millicores).
    pub milli: i64,
    /// When the value was measured.
    pub at: Instant,
    /// Length of time that the value covers, ending at `at`.
    pub window: Span,
}

/// Why a metric as a whole could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchError {
    /// The metrics source did not answer.
    Unavailable,
    /// The source answered that it has nothing under this name.
    Empty,
}

/// The answer to one [`crate::policy::Need`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// One value per replica that has one, in order of replica id. Replicas may be missing.
    PerReplica(Vec<Sample>),
    /// Values that belong to the target as a whole (several where the metric has several series).
    Total {
        /// Values in thousandths of the metric's unit.
        milli: Vec<i64>,
        /// When they were measured.
        at: Instant,
    },
    /// The metric could not be read at all.
    Failed(FetchError),
}

impl Reading {
    /// The sum of the series of a reading of the whole target, in the metric's unit, and when it was
    /// measured; `None` without a value.
    pub fn total(&self) -> Option<(f64, Instant)> {
        match self {
            Self::Total { milli, at } if !milli.is_empty() => {
                let sum = milli.iter().fold(0_i64, |sum, value| sum.saturating_add(*value));
                Some((sum as f64 / 1_000.0, *at))
            }
            Self::Total { .. } | Self::PerReplica(_) | Self::Failed(_) => None,
        }
    }
}

/// Everything a policy gets to see at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Now, by the world's clock.
    pub at: Instant,
    /// The number of replicas asked for at present (`scale.spec.replicas`).
    pub desired: u32,
    /// The number of replicas that exist (`scale.status.replicas`).
    pub current: u32,
    /// The replicas, in order of id.
    pub replicas: Vec<ReplicaView>,
    /// One reading for each of the policy's needs, in their order.
    pub readings: Vec<Reading>,
}

impl Observation {
    /// The number of replicas that take traffic.
    pub fn ready(&self) -> u32 {
        self.replicas.iter().filter(|r| r.is_ready()).count() as u32
    }

    /// The age of the metric that is oldest, each taken at its freshest value; `None` when one of the
    /// metrics has no value at all.
    pub fn freshness(&self) -> Option<Span> {
        let newest = |reading: &Reading| match reading {
            Reading::PerReplica(samples) => samples.iter().map(|s| s.at).max(),
            Reading::Total { at, milli } if !milli.is_empty() => Some(*at),
            Reading::Total { .. } | Reading::Failed(_) => None,
        };
        let mut oldest = self.at;
        for reading in &self.readings {
            oldest = oldest.min(newest(reading)?);
        }
        Some(self.at.since(oldest))
    }
}
