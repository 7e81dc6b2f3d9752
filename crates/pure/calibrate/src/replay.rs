//! The recorded replica counts under the recorded rate in the twin: does it show the recorded latency?
//!
//! A schedule stands in for the policy, so that nothing but the model of the service is tested. Saturated
//! samples are left out: their rate is not the load.

use homeostat_core::load::{BinLoad, Gaps, LoadItem};
use homeostat_core::{
    Cadence, Controller, GuardProfile, Instant, Need, Observation, Plan, Policy, Reason, Rule, Span, num,
};
use homeostat_twin::scenario::StartUp;
use homeostat_twin::{Scenario, Silent, Simulation, Stop};
use serde::Serialize;

use crate::capacity;
use crate::physics::probit;
use crate::record::{LATENCIES, Record, SHARES, Sample, median, quantile};

/// Parts of a sample in which the count may change.
const PARTS: u64 = 4;
/// Samples at the start that only fill the queues.
const FILLING: usize = 2;

/// Counts by the clock, as they were recorded.
#[derive(Debug, Clone)]
pub struct Schedule {
    period: Span,
    /// From a time on, this count.
    counts: Vec<(Instant, u32)>,
}

impl Schedule {
    /// The ready counts of a record. A mean between two whole counts becomes a change within the sample.
    pub fn of(record: &Record) -> Self {
        let step = record.step();
        let period = Span((step.0 / PARTS).max(1));
        let mut counts = Vec::new();
        let mut last = 1.0;
        let samples = &record.samples;
        for (i, sample) in samples.iter().enumerate() {
            let ready = sample.ready.unwrap_or(last);
            let next = samples.get(i + 1).and_then(|s| s.ready).unwrap_or(ready);
            let (low, part) = (ready.floor(), ready - ready.floor());
            let rises = next > ready || (next == ready && last < ready);
            for k in 0..PARTS {
                let middle = (k as f64 + 0.5) / PARTS as f64;
                let high = if rises { middle >= 1.0 - part } else { middle < part };
                counts.push((sample.at + period * k, (low + f64::from(u8::from(high))).max(1.0) as u32));
            }
            last = ready;
        }
        Self { period, counts }
    }

    fn at(&self, now: Instant) -> u32 {
        let index = self.counts.partition_point(|(at, _)| *at <= now).saturating_sub(1);
        self.counts.get(index).map_or(1, |(_, count)| *count)
    }
}

impl Policy for Schedule {
    fn needs(&self) -> &[Need] {
        &[]
    }

    fn cadence(&self) -> Cadence {
        Cadence::every(self.period)
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        let count = self.at(observation.at);
        Plan::scale(count, Reason::of(Rule::Fixed, count))
    }
}

/// A sample beside the twin's window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Window {
    /// Seconds since the start of the part.
    pub at_s: f64,
    /// Requests of the sample.
    pub requests: f64,
    /// Recorded mean, p50, p95 and p99 in milliseconds.
    pub recorded_ms: [Option<f64>; 4],
    /// The twin's.
    pub twin_ms: [Option<f64>; 4],
    /// Recorded share within the objective, or what the percentiles say about it.
    pub recorded_attained: Option<f64>,
    /// The twin's.
    pub twin_attained: Option<f64>,
    /// Whether it counts: not saturated, not at the start.
    pub counts: bool,
}

/// The error of one latency figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FigureError {
    /// `mean`, `p50`, `p95` or `p99`.
    pub figure: &'static str,
    /// Twin over record, both averaged over requests, less one.
    pub overall: f64,
    /// Median over windows of the error's size.
    pub window_median: f64,
    /// The error's size that nine windows of ten stay below.
    pub window_p90: f64,
}

/// How far the twin is from the record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replay {
    /// Errors by figure; only those that the record has.
    pub errors: Vec<FigureError>,
    /// Attainment in the record, by its own column or from the percentiles.
    pub recorded_attainment: Option<f64>,
    /// Attainment in the twin over the same windows.
    pub twin_attainment: Option<f64>,
    /// Whether the recorded attainment is derived from percentiles.
    pub derived: bool,
    /// Windows that count, and windows left out because the record was saturated there.
    pub windows: [usize; 2],
    /// Every window.
    pub series: Vec<Window>,
}

impl Replay {
    /// The error of a figure.
    pub fn error(&self, figure: &str) -> Option<f64> {
        self.errors.iter().find(|e| e.figure == figure).map(|e| e.overall)
    }

    /// Twin less record, as a share.
    pub fn attainment_error(&self) -> Option<f64> {
        Some(self.twin_attainment? - self.recorded_attainment?)
    }
}

/// Runs the first service of a scenario under the record's rate and counts. `stop` is asked now and then,
/// with the time that the replay has come to, whether to end at once.
pub fn replay(
    scenario: &Scenario,
    record: &Record,
    seed: u64,
    stop: &mut dyn FnMut(Instant) -> bool,
) -> Result<Replay, Stop> {
    let world = bare(scenario, record);
    let step = record.step();
    let schedule = Schedule::of(record);
    let initial = [record.samples.first().map_or(1, |s| schedule.at(s.at))];
    let bounds = world.services[0].replicas;
    let controller = Controller::new(vec![Box::new(schedule)], GuardProfile::bounds_only(), bounds);
    let calm = calmed(record);
    let bins: Vec<LoadItem> =
        record.samples.iter().zip(calm).map(|(sample, rate)| bin(sample, rate)).collect();
    let stream = Box::new(bins.into_iter().map(Ok));
    let simulation = Simulation::new(&world, seed, vec![controller], &initial, stream)?.with_meter(step);
    let outcome = simulation.run(&mut Silent, stop)?;
    let Some(meter) = outcome.meter else { return Err(Stop::Empty) };
    let origin = record.samples.first().map_or(Instant::ZERO, |s| s.at);
    let marks = capacity::mark(record);
    let objective_s = scenario.objective.latency.as_secs_f64();
    let window = |(i, sample): (usize, &Sample)| {
        let at = sample.at.since(origin);
        let found = meter.windows().get((at.0 / step.0.max(1)) as usize).filter(|w| w.requests > 0);
        let twin_ms = std::array::from_fn(|k| {
            let window = found?;
            if k == 0 {
                return Some(window.total_ns as f64 / 1e6 / window.requests as f64);
            }
            window.times.quantile_within_s(SHARES[k]).map(|s| s * 1_000.0)
        });
        Window {
            at_s: at.as_secs_f64(),
            requests: sample.rate.unwrap_or(0.0) * sample.span.as_secs_f64(),
            recorded_ms: sample.latency_s.map(|t| t.map(|t| t * 1_000.0)),
            twin_ms,
            recorded_attained: sample.attained.or_else(|| derived(sample, objective_s)),
            twin_attained: found.map(|w| w.met as f64 / w.requests as f64),
            counts: i >= FILLING && !marks.saturated[i] && !marks.draining[i],
        }
    };
    let series: Vec<Window> = record.samples.iter().enumerate().map(window).collect();
    Ok(summary(series, !record.has(|s| s.attained)))
}

/// The scenario with one service, no delays, no faults: only the server is under test.
fn bare(scenario: &Scenario, record: &Record) -> Scenario {
    let mut world = scenario.clone();
    world.services.truncate(1);
    let service = &mut world.services[0];
    service.start_up = StartUp::default();
    service.leak = None;
    service.memory_limit_mib = None;
    service.then.clear();
    service.initial = None;
    let most = record.samples.iter().filter_map(|s| s.ready).fold(1.0, f64::max);
    service.replicas.min = 1;
    service.replicas.max = (most.min(1e6) as u32) + 1;
    world.nodes.clear();
    world.faults.clear();
    world.warm_up = Some(Span::ZERO);
    world.metrics.scrape = Span::MINUTE;
    world.metrics.window = Span::MINUTE;
    world
}

/// The rates with half of their noise's variance: CPU in proportion to them is a second measurement. A noisy
/// load makes the twin slower than the record, because queues answer to its peaks.
fn calmed(record: &Record) -> Vec<Option<f64>> {
    let law = capacity::law(record, &capacity::mark(record)).filter(|law| law.idle_share == 0.0);
    let rate = |sample: &Sample| {
        let (rate, law) = (sample.rate?, law?);
        let other = sample.cpu_share? * law.capacity.per_second * sample.ready?;
        // Where they contradict each other the rate alone is taken.
        let agree = (0.7..1.4).contains(&(other / rate));
        agree.then(|| (rate * other).sqrt())
    };
    record.samples.iter().map(|sample| rate(sample).or(sample.rate)).collect()
}

fn bin(sample: &Sample, rate: Option<f64>) -> LoadItem {
    let load = match rate {
        Some(per_second) => BinLoad::Rate { per_second, gaps: Gaps::Poisson },
        None => BinLoad::Missing,
    };
    LoadItem::Bin { start: sample.at, span: sample.span, load }
}

/// The share within the objective that the percentiles of a sample say: on a straight line between them in
/// normal scores over the logarithm of time, and beyond the outermost by the same slope.
fn derived(sample: &Sample, objective_s: f64) -> Option<f64> {
    let known: Vec<(f64, f64)> = (1..4)
        .filter_map(|k| sample.latency_s[k].filter(|t| *t > 0.0).map(|t| (num::ln(t), probit(SHARES[k]))))
        .collect();
    if known.len() < 2 {
        return None;
    }
    let x = num::ln(objective_s);
    let i = known.iter().position(|(ln, _)| *ln >= x).unwrap_or(known.len() - 1).max(1);
    let ((x0, z0), (x1, z1)) = (known[i - 1], known[i]);
    let z = z0 + (z1 - z0) * (x - x0) / (x1 - x0).max(1e-6);
    Some(normal(z.clamp(-8.0, 8.0)))
}

/// The normal distribution: Hart's approximation as given by West (2005), to 1e-14 near the middle and
/// better than 1e-8 here after shortening.
fn normal(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let coefficients = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let poly = coefficients.iter().rev().fold(0.0, |sum, c| (sum + c) * t);
    let density = num::exp(-0.5 * z * z) / std::f64::consts::TAU.sqrt();
    let upper = density * poly;
    if z >= 0.0 { 1.0 - upper } else { upper }
}

fn summary(series: Vec<Window>, derived: bool) -> Replay {
    let counted: Vec<&Window> = series.iter().filter(|w| w.counts && w.requests > 0.0).collect();
    let mut errors = Vec::new();
    for (k, figure) in LATENCIES.iter().enumerate() {
        let pairs: Vec<(f64, f64, f64)> =
            counted.iter().filter_map(|w| Some((w.requests, w.recorded_ms[k]?, w.twin_ms[k]?))).collect();
        if pairs.is_empty() {
            continue;
        }
        let sum = |f: fn(&(f64, f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>();
        let mut sizes: Vec<f64> = pairs.iter().map(|(_, r, t)| (t / r - 1.0).abs()).collect();
        sizes.sort_by(f64::total_cmp);
        errors.push(FigureError {
            figure,
            overall: sum(|p| p.0 * p.2) / sum(|p| p.0 * p.1) - 1.0,
            window_median: median(sizes.clone()),
            window_p90: quantile(&sizes, 0.9),
        });
    }
    let shares: Vec<(f64, f64, f64)> =
        counted.iter().filter_map(|w| Some((w.requests, w.recorded_attained?, w.twin_attained?))).collect();
    let weight: f64 = shares.iter().map(|s| s.0).sum();
    let mean = |f: fn(&(f64, f64, f64)) -> f64| {
        (weight > 0.0).then(|| shares.iter().map(|s| s.0 * f(s)).sum::<f64>() / weight)
    };
    let left_out = series.iter().skip(FILLING).filter(|w| !w.counts).count();
    Replay {
        errors,
        recorded_attainment: mean(|s| s.1),
        twin_attainment: mean(|s| s.2),
        derived,
        windows: [counted.len(), left_out],
        series,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_between_counts_change_within_a_sample() {
        let sample = |i: u64, ready: f64| Sample {
            at: Instant::ZERO + Span::MINUTE * i,
            span: Span::MINUTE,
            ready: Some(ready),
            ..Sample::default()
        };
        let record =
            Record { samples: vec![sample(0, 2.0), sample(1, 2.5), sample(2, 3.0), sample(3, 2.25)] };
        let schedule = Schedule::of(&record);
        let counts: Vec<u32> = schedule.counts.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2]);
    }

    #[test]
    fn percentiles_say_the_share_within_the_objective() {
        let sample = Sample { latency_s: [None, Some(0.1), Some(0.3), Some(0.5)], ..Sample::default() };
        assert!((derived(&sample, 0.3).unwrap() - 0.95).abs() < 1e-6);
        assert!((derived(&sample, 0.1).unwrap() - 0.5).abs() < 1e-6);
        assert!(derived(&sample, 2.0).unwrap() > 0.999);
        assert_eq!(derived(&Sample::default(), 0.3), None);
    }
}
