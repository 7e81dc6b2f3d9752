//! What was observed, in words.

use super::quantity::{Unit, need_name};
use crate::observe::{FetchError, Observation, Phase, Reading, ReplicaView, Sample};
use crate::policy::Need;
use crate::time::Instant;

/// The replicas, then each reading.
pub(super) fn lines(observation: &Observation, needs: &[Need]) -> Vec<String> {
    let metrics = observation.readings.iter().enumerate().map(|(index, reading)| {
        let need = needs.get(index);
        let name = need.map_or_else(|| format!("metric {}", index + 1), need_name);
        let unit = need.map_or(Unit::Plain, Unit::of);
        format!("{name}: {}", metric(reading, unit, observation))
    });
    std::iter::once(replicas(observation)).chain(metrics).collect()
}

fn replicas(observation: &Observation) -> String {
    let count = |test: fn(&ReplicaView) -> bool, what: &str| {
        let n = observation.replicas.iter().filter(|view| test(view)).count();
        (n > 0).then(|| format!("{n} {what}"))
    };
    let others = [
        count(|v| v.phase == Phase::Pending && !v.deleting, "pending"),
        count(|v| v.phase == Phase::Running && !v.deleting && !v.is_ready(), "running but not ready"),
        count(|v| v.phase == Phase::Failed, "failed"),
        count(|v| v.phase == Phase::Succeeded, "ended"),
        count(|v| matches!(v.phase, Phase::Pending | Phase::Running) && v.deleting, "stopping"),
    ];
    let others: Vec<String> = others.into_iter().flatten().collect();
    let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    let Observation { desired, current, .. } = observation;
    format!("replicas: {desired} asked for, {current} exist, {} ready{others}", observation.ready())
}

fn metric(reading: &Reading, unit: Unit, observation: &Observation) -> String {
    match reading {
        Reading::Failed(FetchError::Unavailable) => "the metrics source did not answer".to_owned(),
        Reading::Failed(FetchError::Empty) => "the metrics source has nothing under this name".to_owned(),
        Reading::PerReplica(samples) => per_replica(samples, unit, observation),
        Reading::Total { milli, at } => total(milli, *at, unit, observation.at),
    }
}

fn per_replica(samples: &[Sample], unit: Unit, observation: &Observation) -> String {
    let values = || samples.iter().map(|sample| sample.milli);
    let times = || samples.iter().map(|sample| sample.at);
    let of = observation.replicas.len().max(samples.len());
    let (Some(least), Some(largest)) = (values().min(), values().max()) else {
        return format!("none of {of} replicas reported");
    };
    let sum: i128 = values().map(i128::from).sum();
    let mean = sum.div_euclid(samples.len() as i128) as i64;
    let range = if least == largest {
        String::new()
    } else {
        format!(" ({} to {})", unit.show(least), unit.show(largest))
    };
    let oldest = times().min().unwrap_or_default();
    let newest = times().max().unwrap_or_default();
    let (mean, reported) = (unit.show(mean), samples.len());
    format!("mean {mean} over {reported} of {of} replicas{range}, {}", age(observation.at, oldest, newest))
}

fn total(milli: &[i64], at: Instant, unit: Unit, now: Instant) -> String {
    let sum: i128 = milli.iter().copied().map(i128::from).sum();
    let sum = sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    match milli.len() {
        0 => "no series".to_owned(),
        1 => format!("{}, {}", unit.show(sum), age(now, at, at)),
        n => format!("{} (sum of {n} series), {}", unit.show(sum), age(now, at, at)),
    }
}

fn age(now: Instant, oldest: Instant, newest: Instant) -> String {
    if newest > now {
        return format!("dated {} ahead", newest - now);
    }
    if oldest == newest {
        return format!("{} old", now - newest);
    }
    format!("{} to {} old", now - newest, now - oldest)
}
