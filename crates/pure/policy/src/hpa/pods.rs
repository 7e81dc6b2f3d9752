//! Which replicas' values count: upstream's grouping of pods.
//!
//! Source: `groupPods` and `getReadyPodsCount` in `replica_calculator.go`.

use std::collections::{BTreeMap, BTreeSet};

use homeostat_core::observe::{Phase, ReplicaView, Sample};
use homeostat_core::{Observation, ReplicaId};

use super::flags::ControllerFlags;

/// The replicas of an observation, sorted by what is to be made of their values.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Values that count, in thousandths. A value of an unknown replica stays in.
    pub(super) values: BTreeMap<ReplicaId, i64>,
    /// Number of replicas whose value counts.
    pub(super) ready: u32,
    /// Replicas whose value is not trusted yet.
    pub(super) unready: Vec<ReplicaId>,
    /// Replicas without a value.
    pub(super) missing: Vec<ReplicaId>,
    /// All replicas, to tell them from unknown ones.
    pub(super) known: BTreeSet<ReplicaId>,
}

/// Sorts the replicas. `cpu` sets those apart that may still be starting.
pub(super) fn group(
    observation: &Observation,
    samples: &[Sample],
    cpu: bool,
    flags: &ControllerFlags,
) -> Groups {
    let by_id: BTreeMap<ReplicaId, &Sample> = samples.iter().map(|s| (s.replica, s)).collect();
    let mut groups = Groups {
        values: by_id.iter().map(|(id, sample)| (*id, sample.milli)).collect(),
        known: observation.replicas.iter().map(|replica| replica.id).collect(),
        ..Groups::default()
    };
    for replica in &observation.replicas {
        let id = replica.id;
        if replica.deleting || replica.phase == Phase::Failed {
            groups.values.remove(&id);
        } else if replica.phase == Phase::Pending {
            groups.values.remove(&id);
            groups.unready.push(id);
        } else if let Some(sample) = by_id.get(&id) {
            if cpu && starting(replica, sample, observation, flags) {
                groups.values.remove(&id);
                groups.unready.push(id);
            } else {
                groups.ready += 1;
            }
        } else {
            groups.missing.push(id);
        }
    }
    groups
}

/// Whether a replica's CPU value may stem from its start rather than from its load.
fn starting(
    replica: &ReplicaView,
    sample: &Sample,
    observation: &Observation,
    flags: &ControllerFlags,
) -> bool {
    let (Some(readiness), Some(started)) = (replica.readiness, replica.started_at) else {
        return true;
    };
    if started + flags.cpu_initialization_period > observation.at {
        return !readiness.ready || sample.at < readiness.since + sample.window;
    }
    !readiness.ready && started + flags.initial_readiness_delay > readiness.since
}

/// The number of replicas that run and are ready, those told to stop included.
pub(super) fn ready_count(observation: &Observation) -> u32 {
    let ready = |replica: &&ReplicaView| {
        replica.phase == Phase::Running && replica.readiness.is_some_and(|r| r.ready)
    };
    observation.replicas.iter().filter(ready).count() as u32
}
