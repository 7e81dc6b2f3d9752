//! How long a replica takes from its order to readiness, from counts over time.
//!
//! Orders are rises of the desired count, arrivals are rises of the ready count, and they are matched
//! first to first. The mean of the matched delays is the area between the curves over the number of
//! starts (Little's law), which holds for any matching and for means over a sample as well as for counts at
//! a moment: both curves are late by half a step. When the desired count falls, the youngest orders are
//! given up first, as Kubernetes does. A ready count that falls by more than was asked for is a crash; its
//! replacement is an order.

use homeostat_core::draw::Key;
use serde::Serialize;

use crate::record::Record;

/// Resamplings for the interval.
const RESAMPLES: u64 = 400;

/// The start-up of a replica as a distribution.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StartUpFit {
    /// Mean in seconds.
    pub mean_s: f64,
    /// Its 95 % interval.
    pub mean_interval_s: [f64; 2],
    /// Coefficient of variation, the blur of the sampling taken off.
    pub cv: f64,
    /// Starts, counted from the ready side.
    pub starts: f64,
    /// Delays at the shares 0.05, 0.25, 0.5, 0.75 and 0.95 in seconds, as matched (blur included).
    pub quantiles_s: [f64; 5],
}

/// Single starts, each from order to readiness in seconds: from an events file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Starts {
    /// Delays in seconds.
    pub delays_s: Vec<f64>,
}

/// A matched delay: how much of a replica, which group of orders, how long.
#[derive(Debug, Clone, Copy)]
struct Delay {
    mass: f64,
    ordered: usize,
    seconds: f64,
}

/// The fit from counts; `None` where no replica was seen starting.
pub(crate) fn from_counts(record: &Record, seed: u64) -> Option<StartUpFit> {
    let rows: Vec<(f64, f64, f64)> =
        record.samples.iter().filter_map(|s| Some((s.at.as_secs_f64(), s.desired?, s.ready?))).collect();
    let delays = matched(&rows);
    let fractional = rows.iter().any(|(_, d, r)| d.fract() != 0.0 || r.fract() != 0.0);
    let step = record.step().as_secs_f64();
    // A count at a moment is late by a uniform part of a step; a mean blurs a rise over two samples.
    let blur = step * step / if fractional { 3.0 } else { 6.0 };
    summarize(&delays, blur, seed)
}

/// The fit from single starts.
pub(crate) fn from_events(starts: &Starts, seed: u64) -> Option<StartUpFit> {
    let delay = |(i, seconds): (usize, &f64)| Delay { mass: 1.0, ordered: i, seconds: *seconds };
    summarize(&starts.delays_s.iter().enumerate().map(delay).collect::<Vec<_>>(), 0.0, seed)
}

fn matched(rows: &[(f64, f64, f64)]) -> Vec<Delay> {
    const DUST: f64 = 1e-9;
    let mut pending: std::collections::VecDeque<(f64, usize, f64)> = std::collections::VecDeque::new();
    let mut delays = Vec::new();
    let Some(first) = rows.first() else { return delays };
    // What is under way at the start has an unknown order.
    let mut unknown = (first.1 - first.2).max(0.0);
    for (k, pair) in rows.windows(2).enumerate() {
        let ((_, desired0, ready0), (at, desired, ready)) = (pair[0], pair[1]);
        let mut more = desired - desired0;
        let mut up = ready - ready0;
        if up < 0.0 {
            // Ready replicas that went although fewer were not asked for: crashed, and ordered anew.
            let asked = (desired0 - desired).max(0.0);
            let waiting: f64 = pending.iter().map(|p| p.0).sum::<f64>() + unknown;
            let crashed = (-up - asked).max(0.0).min((desired - ready - waiting).max(0.0));
            more += crashed;
            up = 0.0;
        }
        if more > DUST {
            pending.push_back((more, k, at));
        }
        while more < -DUST {
            let Some((mass, ..)) = pending.back_mut() else {
                unknown = (unknown + more).max(0.0);
                break;
            };
            let taken = mass.min(-more);
            *mass -= taken;
            more += taken;
            if *mass <= DUST {
                pending.pop_back();
            }
        }
        let known = unknown.min(up);
        unknown -= known;
        up -= known;
        while up > DUST {
            let Some((mass, ordered, since)) = pending.front_mut() else { break };
            let taken = mass.min(up);
            delays.push(Delay { mass: taken, ordered: *ordered, seconds: at - *since });
            *mass -= taken;
            up -= taken;
            if *mass <= DUST {
                pending.pop_front();
            }
        }
        // Orders that can't be pending any more: ready has caught up with what is asked for.
        if ready >= desired {
            pending.clear();
            unknown = 0.0;
        }
    }
    delays
}

fn summarize(delays: &[Delay], blur: f64, seed: u64) -> Option<StartUpFit> {
    let mass: f64 = delays.iter().map(|d| d.mass).sum();
    if mass < 1.0 {
        return None;
    }
    let mean = delays.iter().map(|d| d.mass * d.seconds).sum::<f64>() / mass;
    let squares = delays.iter().map(|d| d.mass * (d.seconds - mean) * (d.seconds - mean)).sum::<f64>() / mass;
    let variance = (squares - blur).max(0.0);
    let cv = if mean > 0.0 { variance.sqrt() / mean } else { 0.0 };
    let mut sorted: Vec<(f64, f64)> = delays.iter().map(|d| (d.seconds, d.mass)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |q: f64| {
        let mut seen = 0.0;
        let found = sorted.iter().find(|(_, m)| {
            seen += m;
            seen >= q * mass
        });
        found.or(sorted.last()).map_or(0.0, |(seconds, _)| *seconds)
    };
    Some(StartUpFit {
        mean_s: mean,
        mean_interval_s: interval(delays, seed),
        cv,
        starts: mass,
        quantiles_s: [0.05, 0.25, 0.5, 0.75, 0.95].map(at),
    })
}

/// 95 % of resampled means, whole groups of orders at a time: starts ordered together are alike.
fn interval(delays: &[Delay], seed: u64) -> [f64; 2] {
    let mut groups: Vec<(f64, f64)> = Vec::new();
    let mut last = None;
    for delay in delays {
        if last != Some(delay.ordered) {
            groups.push((0.0, 0.0));
            last = Some(delay.ordered);
        }
        if let Some(group) = groups.last_mut() {
            group.0 += delay.mass;
            group.1 += delay.mass * delay.seconds;
        }
    }
    let key = Key::root(seed).child("start-up");
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|i| {
            let mut draws = key.at(i);
            let (mut mass, mut sum) = (0.0, 0.0);
            for _ in 0..groups.len() {
                let group = groups[draws.below(groups.len() as u64) as usize];
                mass += group.0;
                sum += group.1;
            }
            sum / mass
        })
        .collect();
    means.sort_by(f64::total_cmp);
    [0.025, 0.975].map(|q| crate::record::quantile(&means, q))
}

impl StartUpFit {
    /// The form that a scenario takes: fixed where nothing varies, log-normal otherwise.
    pub fn duration(&self) -> homeostat_twin::scenario::Duration {
        use homeostat_twin::scenario::{Duration, MeanCv};
        let mean = homeostat_core::Span::from_millis((self.mean_s * 1_000.0).round() as u64);
        if self.cv < 0.02 {
            return Duration::Fixed(mean);
        }
        Duration::LogNormal(MeanCv { mean, cv: (self.cv * 1e4).round() / 1e4 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Sample;
    use homeostat_core::{Instant, Span};

    fn record(step_s: u64, counts: &[(f64, f64)]) -> Record {
        let sample = |(i, (desired, ready)): (usize, &(f64, f64))| Sample {
            at: Instant::ZERO + Span::from_secs(step_s * i as u64),
            span: Span::from_secs(step_s),
            desired: Some(*desired),
            ready: Some(*ready),
            ..Sample::default()
        };
        Record { samples: counts.iter().enumerate().map(sample).collect() }
    }

    #[test]
    fn delays_are_matched_first_to_first() {
        let counts = [(1.0, 1.0), (3.0, 1.0), (3.0, 2.0), (4.0, 2.0), (4.0, 4.0)];
        let fit = from_counts(&record(10, &counts), 1).unwrap();
        // Ordered at 10, 10, 30; ready at 20, 40, 40: 10, 30, 10.
        assert!((fit.mean_s - 50.0 / 3.0).abs() < 1e-9 && (fit.starts - 3.0).abs() < 1e-9, "{fit:?}");
    }

    #[test]
    fn orders_taken_back_are_the_youngest() {
        let counts = [(1.0, 1.0), (2.0, 1.0), (3.0, 1.0), (2.0, 1.0), (2.0, 2.0)];
        let fit = from_counts(&record(10, &counts), 1).unwrap();
        assert!((fit.mean_s - 30.0).abs() < 1e-9 && (fit.starts - 1.0).abs() < 1e-9, "{fit:?}");
    }

    #[test]
    fn a_crash_orders_a_replacement() {
        let counts = [(2.0, 2.0), (2.0, 1.0), (2.0, 1.0), (2.0, 2.0)];
        let fit = from_counts(&record(10, &counts), 1).unwrap();
        assert!((fit.mean_s - 20.0).abs() < 1e-9, "{fit:?}");
    }

    #[test]
    fn nothing_started_fits_nothing() {
        assert_eq!(from_counts(&record(10, &[(2.0, 2.0); 5]), 1), None);
        assert_eq!(from_counts(&Record::default(), 1), None);
        assert_eq!(from_events(&Starts::default(), 1), None);
    }
}
