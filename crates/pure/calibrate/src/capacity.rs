//! Requests per second that a replica can serve: from its CPU, and from what it did when it was full.
//!
//! **Utilisation law**: busy share = rate × work ÷ (replicas × slots), so that rate per replica over busy
//! share is the capacity; what is used at no load is taken off where it is there. **Saturation**: when a
//! service is full its throughput stands still whatever is asked of it; that throughput is the capacity.
//! A saturated sample says of the demand only that it was at least so much.

use homeostat_core::num;
use serde::Serialize;

use crate::record::{Record, Sample, median, quantile};

/// CPU share from which a replica counts as full.
const FULL: f64 = 0.93;
/// Times the usual latency from which a sample is suspected to be saturated.
const SLOW: f64 = 3.0;
/// Times the usual latency down to which the queue of a saturated stretch is still draining.
const DRAINED: f64 = 1.5;

/// A capacity of one replica with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Capacity {
    /// Requests per second.
    pub per_second: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Samples it rests on.
    pub samples: usize,
}

/// What the CPU says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Law {
    /// Capacity at a CPU share of one.
    pub capacity: Capacity,
    /// CPU share used without requests.
    pub idle_share: f64,
    /// Noise of rate and of CPU, each, as a share: from how far they disagree.
    pub noise: f64,
}

/// Which samples can't be trusted to show the load.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Marks {
    /// The service was full.
    pub(crate) saturated: Vec<bool>,
    /// What had piled up was still being worked off.
    pub(crate) draining: Vec<bool>,
}

/// Marks saturated samples and those after them.
pub(crate) fn mark(record: &Record) -> Marks {
    let samples = &record.samples;
    let usual = usual_latency(samples);
    let mut loads: Vec<f64> = samples.iter().filter_map(Sample::per_replica).collect();
    loads.sort_by(f64::total_cmp);
    let top = quantile(&loads, 0.995);
    let full = |sample: &Sample| {
        if let Some(said) = sample.saturated {
            return said;
        }
        let slow = sample.usual_s().is_some_and(|t| t > SLOW * usual);
        match sample.cpu_share {
            Some(cpu) => cpu >= FULL || (slow && cpu >= 0.8),
            None => slow && sample.per_replica().is_some_and(|x| x >= 0.85 * top),
        }
    };
    let saturated: Vec<bool> = samples.iter().map(full).collect();
    let mut draining = vec![false; samples.len()];
    for i in 1..samples.len() {
        let after = saturated[i - 1] || draining[i - 1];
        let slow = samples[i].usual_s().is_some_and(|t| t > DRAINED * usual);
        draining[i] = after && !saturated[i] && slow;
    }
    Marks { saturated, draining }
}

/// The latency of a usual request at low load: the median over the third with the least load.
pub(crate) fn usual_latency(samples: &[Sample]) -> f64 {
    let mut pairs: Vec<(f64, f64)> =
        samples.iter().filter_map(|s| Some((s.per_replica()?, s.usual_s()?))).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    pairs.truncate((pairs.len() / 3).max(pairs.len().min(10)));
    median(pairs.into_iter().map(|(_, t)| t).collect())
}

/// The utilisation law over samples that are not saturated.
pub(crate) fn law(record: &Record, marks: &Marks) -> Option<Law> {
    let mut points = Vec::new();
    for (i, sample) in record.samples.iter().enumerate() {
        let Some((load, cpu)) = sample.per_replica().zip(sample.cpu_share) else { continue };
        let clear = !marks.saturated[i] && !marks.draining[i];
        if clear && cpu > 0.0 && cpu < FULL {
            points.push((load, cpu));
        }
    }
    if points.len() < 10 {
        return None;
    }
    let (found, idle_error) = intercept(&points);
    let idle = found - dilution(&points);
    let idle = if idle > 0.01 && idle > 3.0 * idle_error { idle } else { 0.0 };
    let ratios: Vec<f64> = points
        .iter()
        .filter(|(_, cpu)| *cpu > 1.5 * idle)
        .map(|(x, cpu)| num::ln(x / (cpu - idle)))
        .collect();
    if ratios.len() < 10 {
        return None;
    }
    let n = ratios.len() as f64;
    let center = median(ratios.clone());
    let spread = 1.4826 * median(ratios.iter().map(|r| (r - center).abs()).collect());
    // Samples in the tails, such as those of a changing count of replicas, do not count.
    let kept: Vec<f64> = ratios.into_iter().filter(|r| (r - center).abs() <= 4.0 * spread + 1e-9).collect();
    let mean = kept.iter().sum::<f64>() / kept.len() as f64;
    let variance = kept.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / n / n;
    // Where an idle share was taken off, its error goes into every ratio.
    let share = median(points.iter().map(|(_, cpu)| *cpu).collect());
    let from_idle = if idle > 0.0 { idle_error / (share - idle).max(1e-6) } else { 0.0 };
    let half = 1.96 * (variance + from_idle * from_idle).sqrt();
    let at = |shift: f64| num::exp(mean + shift) * (1.0 - idle);
    let capacity = Capacity { per_second: at(0.0), low: at(-half), high: at(half), samples: kept.len() };
    Some(Law { capacity, idle_share: idle, noise: spread / std::f64::consts::SQRT_2 })
}

/// The intercept that noise in the load makes where there is none: it flattens a line through its mean by
/// the share of noise in the variance of the load. Noise is read off neighbours in time, whose ratio of CPU
/// to load hardly differs otherwise.
fn dilution(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<f64> = points.iter().map(|(x, _)| num::ln(*x)).collect();
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let variance = logs.iter().map(|l| (l - mean) * (l - mean)).sum::<f64>() / n;
    let ratios: Vec<f64> = points.iter().map(|(x, cpu)| num::ln(x / cpu)).collect();
    let jumps: Vec<f64> = ratios.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    // A jump holds the noise of two loads and two readings of CPU: half of its variance is that of loads.
    let noise = 1.4826 * median(jumps) / 2.0;
    let cpu = median(points.iter().map(|(_, cpu)| *cpu).collect());
    cpu * (noise * noise / variance.max(1e-12)).min(1.0)
}

/// Intercept of CPU over load with its standard error, weighted for errors in proportion.
fn intercept(points: &[(f64, f64)]) -> (f64, f64) {
    let weight = |cpu: f64| 1.0 / (cpu * cpu).max(1e-8);
    let sum = |f: &dyn Fn(f64, f64) -> f64| points.iter().map(|(x, y)| weight(*y) * f(*x, *y)).sum::<f64>();
    let (w, wx, wy) = (sum(&|_, _| 1.0), sum(&|x, _| x), sum(&|_, y| y));
    let (wxx, wxy) = (sum(&|x, _| x * x), sum(&|x, y| x * y));
    let determinant = w * wxx - wx * wx;
    if determinant <= 1e-9 * w * wxx {
        return (0.0, f64::INFINITY);
    }
    let slope = (w * wxy - wx * wy) / determinant;
    let at_zero = (wy - slope * wx) / w;
    let residual = sum(&|x, y| (y - at_zero - slope * x) * (y - at_zero - slope * x));
    let scale = residual / (points.len() as f64 - 2.0);
    (at_zero, (scale * wxx / determinant).sqrt())
}

/// The plateau of the throughput: the median over stretches that are saturated from edge to edge.
pub(crate) fn plateau(record: &Record, marks: &Marks) -> Option<Capacity> {
    let full = &marks.saturated;
    let inside = |i: usize| i > 0 && i + 1 < full.len() && full[i - 1] && full[i] && full[i + 1];
    let steady = |i: usize| record.samples[i].ready == record.samples[i - 1].ready;
    let mut loads: Vec<f64> = (0..full.len())
        .filter(|i| inside(*i) && steady(*i))
        .filter_map(|i| record.samples[i].per_replica())
        .collect();
    if loads.len() < 3 {
        return None;
    }
    loads.sort_by(f64::total_cmp);
    let n = loads.len() as f64;
    let middle = quantile(&loads, 0.5);
    // The interval of a median by order statistics.
    let reach = 0.98 / n.sqrt();
    let (low, high) = (quantile(&loads, (0.5 - reach).max(0.0)), quantile(&loads, (0.5 + reach).min(1.0)));
    Some(Capacity { per_second: middle, low, high, samples: loads.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::{Instant, Span};

    fn record(points: &[(f64, f64, f64)]) -> Record {
        let sample = |(i, (rate, cpu, p50)): (usize, &(f64, f64, f64))| Sample {
            at: Instant::ZERO + Span::MINUTE * i as u64,
            span: Span::MINUTE,
            rate: Some(*rate),
            ready: Some(2.0),
            cpu_share: Some(*cpu),
            latency_s: [None, Some(*p50), None, None],
            ..Sample::default()
        };
        Record { samples: points.iter().enumerate().map(sample).collect() }
    }

    #[test]
    fn the_law_finds_capacity_and_idle_share() {
        // 20 requests/s per replica when full, 10 % used by nobody's request.
        let points: Vec<_> =
            (1..=30).map(|i| (f64::from(i), 0.1 + 0.9 * f64::from(i) / 2.0 / 20.0, 0.1)).collect();
        let record = record(&points);
        let law = law(&record, &mark(&record)).unwrap();
        assert!((law.idle_share - 0.1).abs() < 1e-3, "{law:?}");
        assert!((law.capacity.per_second - 20.0).abs() < 0.02, "{law:?}");
    }

    #[test]
    fn a_full_service_is_marked_and_its_throughput_is_the_capacity() {
        let mut points: Vec<_> = (1..=30).map(|i| (f64::from(i), f64::from(i) / 40.0, 0.1)).collect();
        points.extend([(40.0, 1.0, 2.0); 6]);
        points.extend([(20.0, 0.5, 0.4), (20.0, 0.5, 0.1)]);
        let record = record(&points);
        let marks = mark(&record);
        assert_eq!(marks.saturated.iter().filter(|s| **s).count(), 6);
        assert_eq!(marks.draining.iter().filter(|d| **d).count(), 1);
        let found = plateau(&record, &marks).unwrap();
        assert!((found.per_second - 20.0).abs() < 1e-9 && found.samples == 4, "{found:?}");
    }
}
