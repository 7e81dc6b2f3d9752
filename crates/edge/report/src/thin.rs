//! Merges windows until a series has few enough of them.

use crate::data::{Demand, Envelope, Forecast, Series};

/// How many neighbours become one so that at most `most` windows stay.
fn factor(length: usize, most: usize) -> usize {
    length.div_ceil(most.max(1)).max(1)
}

/// Merges windows: means stay means, peaks stay peaks.
pub(crate) fn demand(demand: &Demand, most: usize) -> Demand {
    let by = factor(demand.mean_replicas.len(), most);
    let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
    Demand {
        start_s: demand.start_s,
        step_s: demand.step_s * by as f64,
        mean_replicas: demand.mean_replicas.chunks(by).map(mean).collect(),
        peak_replicas: greatest(&demand.peak_replicas, by),
    }
}

/// Merges windows: counts add up, replicas keep their extremes, latency quantiles keep the worst.
pub(crate) fn series(series: &Series, most: usize) -> Series {
    let by = factor(series.requests.len().max(series.desired.len()), most);
    let latency = |values: &[Option<f32>]| worst(values, &series.requests, by);
    Series {
        start_s: series.start_s,
        step_s: series.step_s * by as f64,
        ready: Envelope {
            min: series.ready.min.chunks(by).map(|p| fold(p, f32::min)).collect(),
            max: greatest(&series.ready.max, by),
        },
        starting: greatest(&series.starting, by),
        desired: series.desired.chunks(by).filter_map(|p| p.last().copied()).collect(),
        requests: sums(&series.requests, by),
        missed: sums(&series.missed, by),
        failed: sums(&series.failed, by),
        p50_ms: latency(&series.p50_ms),
        p95_ms: latency(&series.p95_ms),
        p99_ms: latency(&series.p99_ms),
    }
}

/// Merges windows: rates become the mean of those known.
pub(crate) fn forecast(full: &Forecast, most: usize) -> Forecast {
    let by = factor(full.p50.len().max(full.arrived.len()), most);
    let mean = |part: &[Option<f32>]| {
        let known = part.iter().flatten();
        let count = known.clone().count();
        (count > 0).then(|| known.sum::<f32>() / count as f32)
    };
    let merged = |values: &[Option<f32>]| values.chunks(by).map(mean).collect();
    Forecast {
        service: full.service.clone(),
        ahead_s: full.ahead_s,
        start_s: full.start_s,
        step_s: full.step_s * by as f64,
        p5: merged(&full.p5),
        p50: merged(&full.p50),
        p95: merged(&full.p95),
        p99: merged(&full.p99),
        arrived: merged(&full.arrived),
    }
}

/// The most replicas ready and starting at once, per merged window.
pub(crate) fn held(series: &Series, most: usize) -> Vec<f32> {
    let together: Vec<f32> = series.ready.max.iter().zip(&series.starting).map(|(a, b)| a + b).collect();
    greatest(&together, factor(together.len(), most))
}

fn fold(part: &[f32], pick: fn(f32, f32) -> f32) -> f32 {
    part.iter().copied().fold(f32::NAN, pick)
}

fn greatest(values: &[f32], by: usize) -> Vec<f32> {
    values.chunks(by).map(|part| fold(part, f32::max)).collect()
}

fn sums(values: &[u64], by: usize) -> Vec<u64> {
    values.chunks(by).map(|part| part.iter().sum()).collect()
}

/// The worst of each group, windows without requests left out; NaN where none had any.
fn worst(values: &[Option<f32>], requests: &[u64], by: usize) -> Vec<Option<f32>> {
    let groups = values.chunks(by).enumerate();
    groups
        .map(|(group, part)| {
            let mut most = Some(f32::NAN);
            for (i, value) in part.iter().enumerate() {
                if requests.get(group * by + i) != Some(&0) {
                    most = most.zip(*value).map(|(a, b)| a.max(b));
                }
            }
            most
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_keeps_sums_extremes_and_the_worst_latency() {
        let raw = Series {
            step_s: 60.0,
            ready: Envelope::exact(vec![3.0, 1.0, 2.0]),
            desired: vec![1.0, 2.0, 3.0],
            requests: vec![10, 0, 5],
            missed: vec![1, 0, 5],
            p50_ms: vec![Some(7.0), None, None],
            ..Series::default()
        };
        let merged = series(&raw, 2);
        assert_eq!((merged.step_s, merged.requests), (120.0, vec![10, 5]));
        assert_eq!((merged.ready.min, merged.ready.max), (vec![1.0, 2.0], vec![3.0, 2.0]));
        assert_eq!((merged.desired, merged.missed), (vec![2.0, 3.0], vec![1, 5]));
        assert_eq!(merged.p50_ms, vec![Some(7.0), None]);
        assert_eq!(series(&raw, 3).requests, raw.requests);
    }

    #[test]
    fn demand_keeps_means_and_peaks() {
        let raw = Demand {
            step_s: 1.0,
            mean_replicas: vec![1.0, 3.0],
            peak_replicas: vec![4.0, 2.0],
            start_s: 0.0,
        };
        let merged = demand(&raw, 1);
        assert_eq!((merged.mean_replicas, merged.peak_replicas), (vec![2.0], vec![4.0]));
    }
}
