//! What aging did to a run: kills, replacements, what they cost in requests, and who is how old at the end.

use homeostat_core::Instant;
use serde::{Deserialize, Serialize};

/// A replica at the end of the trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplicaAge {
    /// Index of the service.
    pub service: usize,
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
    /// Limit in MiB.
    pub limit_mib: Option<u32>,
}

/// Counts over all services, from the end of the warm-up on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Aging {
    /// Replicas killed at their memory limit.
    pub oom_kills: u64,
    /// Replicas retired by name while the count didn't fall.
    pub rejuvenations: u64,
    /// Requests that were inside when a replica was killed at its limit.
    pub lost_to_oom: u64,
    /// Requests that were inside when the drain of a replaced replica ran out.
    pub lost_to_rejuvenation: u64,
    /// Starting replicas that a falling count took away while a replacement waited for one.
    pub surges_cancelled: u64,
    /// Replicas at the end of the trace.
    pub replicas: Vec<ReplicaAge>,
}

impl Aging {
    /// Adds the counts of another run.
    pub const fn add(&mut self, other: &Self) {
        self.oom_kills += other.oom_kills;
        self.rejuvenations += other.rejuvenations;
        self.lost_to_oom += other.lost_to_oom;
        self.lost_to_rejuvenation += other.lost_to_rejuvenation;
        self.surges_cancelled += other.surges_cancelled;
    }
}

/// Counts what is to be scored.
#[derive(Debug)]
pub(crate) struct AgingTally {
    scored_from: Instant,
    pub(crate) sums: Aging,
}

impl AgingTally {
    pub(crate) fn new(scored_from: Instant) -> Self {
        Self { scored_from, sums: Aging::default() }
    }

    fn scored(&mut self, now: Instant) -> Option<&mut Aging> {
        (now >= self.scored_from).then_some(&mut self.sums)
    }

    /// A replica was killed at its limit with so many requests inside.
    pub(crate) fn killed(&mut self, now: Instant, lost: u64) {
        if let Some(sums) = self.scored(now) {
            sums.oom_kills += 1;
            sums.lost_to_oom += lost;
        }
    }

    /// A replica is replaced.
    pub(crate) fn replaced(&mut self, now: Instant) {
        if let Some(sums) = self.scored(now) {
            sums.rejuvenations += 1;
        }
    }

    /// The drain of a replaced replica ran out with so many requests inside.
    pub(crate) fn cut_off(&mut self, now: Instant, lost: u64) {
        if let Some(sums) = self.scored(now) {
            sums.lost_to_rejuvenation += lost;
        }
    }

    /// A falling count took away the replica that a replacement waited for.
    pub(crate) fn cancelled(&mut self, now: Instant) {
        if let Some(sums) = self.scored(now) {
            sums.surges_cancelled += 1;
        }
    }
}
