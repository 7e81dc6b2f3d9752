//! From readings to one value and the number of ready replicas behind it.

use homeostat_core::observe::{Phase, ReplicaView, Sample};
use homeostat_core::{Instant, Observation, Reading, Rule, Span};

use super::spec::{Algorithm, WatermarkSource, WatermarkSpec};

/// A metric's value, ready to be compared with the watermarks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    /// In thousandths of the metric's unit; `None`: a zero that is not believed.
    pub(super) milli: Option<f64>,
    /// The replicas that count as ready.
    pub(super) ready: u32,
}

/// Reads one metric; the error says why nothing may be done.
pub(super) fn measure(
    spec: &WatermarkSpec,
    source: &WatermarkSource,
    request_milli: i64,
    reading: Option<&Reading>,
    observation: &Observation,
) -> Result<Measured, Rule> {
    match (source, reading) {
        (WatermarkSource::External(_) | WatermarkSource::Object(_), Some(Reading::Total { milli, .. }))
            if !milli.is_empty() =>
        {
            let ready = ready_for_totals(spec, observation)?;
            let sum = milli.iter().map(|value| *value as f64).sum::<f64>();
            let believed = sum != 0.0 || spec.tolerate_zero;
            Ok(Measured { milli: believed.then(|| sum / divisor(spec, ready)), ready })
        }
        (WatermarkSource::External(_) | WatermarkSource::Object(_), _) => Err(Rule::NoData),
        (_, Some(Reading::PerReplica(samples))) => {
            let (sum, ready) = per_replica(spec, source, samples, observation)?;
            let scale = match source {
                WatermarkSource::Utilization(_) => 100_000.0 / request_milli as f64,
                _ => 1.0,
            };
            Ok(Measured { milli: Some(sum * scale / divisor(spec, ready)), ready })
        }
        _ => Err(Rule::NoData),
    }
}

fn divisor(spec: &WatermarkSpec, ready: u32) -> f64 {
    match spec.algorithm {
        Algorithm::Absolute => 1.0,
        Algorithm::Average => f64::from(ready),
    }
}

/// Ready replicas, and pending ones for as long as the readiness delay after their last transition.
fn ready_for_totals(spec: &WatermarkSpec, observation: &Observation) -> Result<u32, Rule> {
    let counts = |replica: &&ReplicaView| {
        let Some(readiness) = replica.readiness else {
            return false;
        };
        let starting =
            replica.phase == Phase::Pending && observation.at.since(readiness.since) < spec.readiness_delay;
        replica.started_at.is_some() && !replica.deleting && (replica.is_ready() || starting)
    };
    let all = observation.replicas.len() as u32;
    let ready = (observation.replicas.iter().filter(counts).count() as u32).min(observation.current);
    enough(spec, ready, all).map(|()| ready)
}

/// The sum over the replicas that are not left out, and how many of them are ready.
fn per_replica(
    spec: &WatermarkSpec,
    source: &WatermarkSource,
    samples: &[Sample],
    observation: &Observation,
) -> Result<(f64, u32), Rule> {
    let sample_of = |replica: &ReplicaView| samples.iter().find(|sample| sample.replica == replica.id);
    let (mut sum, mut ready, mut left_out) = (0.0, 0, 0);
    for replica in &observation.replicas {
        let gone = matches!(replica.phase, Phase::Failed | Phase::Pending);
        match sample_of(replica) {
            _ if gone => left_out += 1,
            None => {}
            Some(_) if source.is_cpu() && starting(replica, spec.readiness_delay) => left_out += 1,
            Some(sample) => {
                sum += sample.milli as f64;
                ready += 1;
            }
        }
    }
    if ready == 0 {
        return Err(Rule::NoData);
    }
    enough(spec, ready, observation.replicas.len() as u32 - left_out).map(|()| (sum, ready))
}

/// Whether a replica's CPU value is left out: not ready, or its last change of readiness came within
/// `delay` of its start.
fn starting(replica: &ReplicaView, delay: Span) -> bool {
    let settled = |since: Instant, started: Instant| started + delay <= since;
    match (replica.readiness, replica.started_at) {
        (Some(readiness), Some(started)) => !(readiness.ready && settled(readiness.since, started)),
        _ => true,
    }
}

fn enough(spec: &WatermarkSpec, ready: u32, all: u32) -> Result<(), Rule> {
    let percent = 100 * u64::from(ready) / u64::from(all.max(1));
    if ready == 0 || percent < u64::from(spec.min_available_percent) {
        return Err(Rule::TooFewAvailable);
    }
    Ok(())
}
