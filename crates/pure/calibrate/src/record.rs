//! What was recorded: one sample per stretch of time, each value present or not.

use homeostat_core::{Instant, Span};

/// The latency figures of a sample, in the order of [`Sample::latency_s`].
pub const LATENCIES: [&str; 4] = ["mean", "p50", "p95", "p99"];

/// The shares of the quantiles among [`LATENCIES`]; the first is the mean.
pub(crate) const SHARES: [f64; 4] = [f64::NAN, 0.5, 0.95, 0.99];

/// What is known of one stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample {
    /// Its start.
    pub at: Instant,
    /// Its length.
    pub span: Span,
    /// Requests answered per second.
    pub rate: Option<f64>,
    /// Replicas that took traffic, at a moment or on average.
    pub ready: Option<f64>,
    /// Replicas asked for.
    pub desired: Option<f64>,
    /// Mean, median, 95th and 99th percentile of the latency, in seconds.
    pub latency_s: [Option<f64>; 4],
    /// Mean CPU use of a replica as a share of its request.
    pub cpu_share: Option<f64>,
    /// Share of requests within the objective.
    pub attained: Option<f64>,
    /// Whether the record itself says that the service was saturated.
    pub saturated: Option<bool>,
}

impl Sample {
    /// Requests per second and replica, where both are known and there is a replica.
    pub fn per_replica(&self) -> Option<f64> {
        let ready = self.ready.filter(|ready| *ready > 0.0)?;
        self.rate.map(|rate| rate / ready).filter(|x| *x > 0.0)
    }

    /// The end of the stretch.
    pub fn end(&self) -> Instant {
        self.at + self.span
    }

    /// The first latency figure that says how long a usual request takes.
    pub(crate) fn usual_s(&self) -> Option<f64> {
        let [mean, p50, p95, p99] = self.latency_s;
        p50.or(mean).or(p95).or(p99)
    }
}

/// Samples in order of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// The samples.
    pub samples: Vec<Sample>,
}

impl Record {
    /// The usual length of a sample.
    pub fn step(&self) -> Span {
        let mut spans: Vec<u64> = self.samples.iter().map(|sample| sample.span.0).collect();
        spans.sort_unstable();
        spans.get(spans.len() / 2).copied().map_or(Span::ZERO, Span)
    }

    /// From the start of the first sample to the end of the last.
    pub fn span(&self) -> Span {
        match (self.samples.first(), self.samples.last()) {
            (Some(first), Some(last)) => last.end().since(first.at),
            _ => Span::ZERO,
        }
    }

    /// The part before and the part from `share` of the time on.
    pub fn split(&self, share: f64) -> (Self, Self) {
        let Some(first) = self.samples.first() else { return (Self::default(), Self::default()) };
        let cut = first.at + Span::from_secs_f64(self.span().as_secs_f64() * share.clamp(0.0, 1.0));
        let at = self.samples.partition_point(|sample| sample.at < cut);
        let (head, tail) = self.samples.split_at(at);
        (Self { samples: head.to_vec() }, Self { samples: tail.to_vec() })
    }

    /// Whether any sample has this value.
    pub fn has<T>(&self, value: impl Fn(&Sample) -> Option<T>) -> bool {
        self.samples.iter().any(|sample| value(sample).is_some())
    }

    /// Stretches between samples that no sample covers, longer than half a step.
    pub fn gaps(&self) -> usize {
        let half = Span(self.step().0 / 2);
        self.samples.windows(2).filter(|pair| pair[1].at.since(pair[0].end()) > half).count()
    }
}

/// The value at share `q` of sorted values, between ranks by proportion.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let rank = q * last as f64;
    let low = (rank as usize).min(last);
    let high = (low + 1).min(last);
    sorted[low] + (sorted[high] - sorted[low]) * (rank - low as f64)
}

/// The median of values in any order.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}
