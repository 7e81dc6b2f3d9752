//! A count for triggers that can't be read.

use homeostat_core::{Instant, Observation, Reading};

use super::manifest::{Fallback, FallbackBehavior};
use super::trigger::External;

/// Failures in a row per trigger, and what to do about them.
#[derive(Debug, Clone)]
pub(super) struct Failures {
    fallback: Option<Fallback>,
    in_a_row: Vec<i64>,
}

impl Failures {
    pub(super) fn new(fallback: Option<Fallback>, triggers: usize) -> Self {
        Self { fallback, in_a_row: vec![0; triggers] }
    }

    /// What the autoscaler is given for a trigger: its value, or the value that leads to the fallback
    /// count, which then comes along; `None` for a failure.
    pub(super) fn check(
        &mut self,
        trigger: usize,
        external: &External,
        reading: Option<&Reading>,
        observation: &Observation,
    ) -> Option<(Reading, Option<u32>)> {
        if let Some(milli) = external.total(reading) {
            self.in_a_row[trigger] = 0;
            return Some((total(milli, measured_at(reading, observation)), None));
        }
        self.in_a_row[trigger] += 1;
        let fallback = self.fallback.as_ref()?;
        if self.in_a_row[trigger] <= i64::from(fallback.failure_threshold) {
            return None;
        }
        let count = count(fallback, observation.desired);
        let mut replicas = f64::from(count);
        if !external.per_replica {
            let ready = observation.ready();
            if ready == 0 {
                return None;
            }
            replicas /= f64::from(ready);
        }
        let milli = (external.threshold * 1_000.0 * replicas) as i64;
        Some((total(milli, observation.at), Some(count)))
    }
}

fn count(fallback: &Fallback, current: u32) -> u32 {
    let fixed = u32::try_from(fallback.replicas).unwrap_or(0);
    match fallback.behavior {
        FallbackBehavior::Static => fixed,
        FallbackBehavior::CurrentReplicas => current,
        FallbackBehavior::CurrentReplicasIfHigher => current.max(fixed),
        FallbackBehavior::CurrentReplicasIfLower => current.min(fixed),
    }
}

fn measured_at(reading: Option<&Reading>, observation: &Observation) -> Instant {
    match reading {
        Some(Reading::Total { at, .. }) => *at,
        _ => observation.at,
    }
}

fn total(milli: i64, at: Instant) -> Reading {
    Reading::Total { milli: vec![milli], at }
}
