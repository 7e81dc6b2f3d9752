//! A timer per replica that runs while the replica has nothing to do.

use std::collections::BTreeMap;

use homeostat_core::observe::{ReplicaView, Sample};
use homeostat_core::{Instant, ReplicaId, Span};

/// Since when each idle replica has been idle.
#[derive(Debug, Clone, Default)]
pub(super) struct IdleTimers(BTreeMap<ReplicaId, Instant>);

impl IdleTimers {
    /// Starts the timers of ready replicas whose sample is zero, and stops all others: busy, unready,
    /// gone, or without a sample.
    pub(super) fn update(&mut self, replicas: &[ReplicaView], samples: &[Sample]) {
        let idle = replicas.iter().filter(|replica| replica.is_ready()).filter_map(|replica| {
            let sample = samples.iter().find(|s| s.replica == replica.id).filter(|s| s.milli <= 0)?;
            let ready_since = replica.readiness.map_or(Instant::ZERO, |readiness| readiness.since);
            let began = sample.at.back(sample.window).max(ready_since);
            Some((replica.id, self.0.get(&replica.id).copied().unwrap_or(began)))
        });
        self.0 = idle.collect();
    }

    /// Replicas that have been idle for `timeout` at `now`, the last in order first: index packing fills
    /// the first ones.
    pub(super) fn expired(&self, now: Instant, timeout: Span) -> Vec<ReplicaId> {
        let ran_out = |(_, since): &(&ReplicaId, &Instant)| now.since(**since) >= timeout;
        self.0.iter().rev().filter(ran_out).map(|(id, _)| *id).collect()
    }

    /// How long the longest-idle replica has been idle.
    pub(super) fn longest(&self, now: Instant) -> Span {
        self.0.values().map(|since| now.since(*since)).max().unwrap_or(Span::ZERO)
    }
}
