//! Means over seeds and their 95 % intervals.

use homeostat_twin::Outcome;

/// Number of figures.
pub(crate) const N: usize = 9;

/// The figures of a run, or means of them. Percentiles are infinite where they fall among failures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    pub(crate) attainment: f64,
    /// Share of requests that failed.
    pub(crate) failed: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) replica_hours: f64,
    pub(crate) cost: f64,
    pub(crate) scale_events: f64,
    pub(crate) flips_per_hour: f64,
}

impl Figures {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        let ms = |p: Option<f64>| p.unwrap_or(f64::INFINITY);
        Self {
            attainment: outcome.attainment,
            failed: outcome.failed as f64 / outcome.requests.max(1) as f64,
            p50_ms: ms(outcome.p50_ms),
            p95_ms: ms(outcome.p95_ms),
            p99_ms: ms(outcome.p99_ms),
            replica_hours: outcome.replica_hours,
            cost: outcome.cost,
            scale_events: outcome.scale_events as f64,
            flips_per_hour: outcome.flips_per_hour,
        }
    }

    /// The figures with their names, in the order of tables.
    pub(crate) const fn named(&self) -> [(&'static str, f64); N] {
        [
            ("attainment", self.attainment),
            ("failed", self.failed),
            ("p50_ms", self.p50_ms),
            ("p95_ms", self.p95_ms),
            ("p99_ms", self.p99_ms),
            ("replica_hours", self.replica_hours),
            ("cost", self.cost),
            ("scale_events", self.scale_events),
            ("flips_per_hour", self.flips_per_hour),
        ]
    }

    pub(crate) const fn from_values(v: [f64; N]) -> Self {
        Self {
            attainment: v[0],
            failed: v[1],
            p50_ms: v[2],
            p95_ms: v[3],
            p99_ms: v[4],
            replica_hours: v[5],
            cost: v[6],
            scale_events: v[7],
            flips_per_hour: v[8],
        }
    }
}

/// Means, and with at least two runs the 95 % intervals of the means.
pub(crate) fn summarize(runs: &[Figures]) -> (Figures, Option<[Figures; 2]>) {
    let (mut means, mut low, mut high) = ([0.0; N], [0.0; N], [0.0; N]);
    for i in 0..N {
        let values: Vec<f64> = runs.iter().map(|run| run.named()[i].1).collect();
        let (mean, half) = mean_and_half(&values);
        let half = if half.is_finite() { half } else { 0.0 };
        (means[i], low[i], high[i]) = (mean, mean - half, mean + half);
    }
    let several = runs.len() > 1;
    (Figures::from_values(means), several.then(|| [Figures::from_values(low), Figures::from_values(high)]))
}

/// The mean, and half of its 95 % interval: 0 for a single value, not finite where a value is not.
pub(crate) fn mean_and_half(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, student(values.len().saturating_sub(1)) * (variance / n).sqrt())
}

/// The 97.5 % quantile of Student's t: from the table up to 30 degrees of freedom, beyond by the
/// Cornish–Fisher expansion about the normal quantile (error below 1e-4 there).
fn student(degrees: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
        2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048,
        2.045, 2.042,
    ];
    let z = 1.959_964_f64;
    match degrees {
        0 => 0.0,
        1..=30 => TABLE[degrees - 1],
        _ => {
            let n = degrees as f64;
            let cube = z * z * z;
            z + (cube + z) / (4.0 * n) + (5.0 * cube * z * z + 16.0 * cube + 3.0 * z) / (96.0 * n * n)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_students() {
        let run = |cost| Figures { cost, ..Figures::from_values([0.5; N]) };
        let (mean, interval) = summarize(&[run(1.0), run(2.0), run(3.0)]);
        let [low, high] = interval.unwrap();
        assert_eq!(mean.cost, 2.0);
        let half = 4.303 / 3_f64.sqrt();
        assert!((high.cost - 2.0 - half).abs() < 1e-9 && (2.0 - low.cost - half).abs() < 1e-9);
        assert_eq!((low.failed, high.failed), (0.5, 0.5));
        assert!((student(40) - 2.021_08).abs() < 1e-4);
    }

    #[test]
    fn one_infinite_percentile_makes_the_mean_infinite() {
        let run = |p99_ms| Figures { p99_ms, ..Figures::from_values([0.5; N]) };
        assert_eq!(summarize(&[run(1.0), run(f64::INFINITY)]).0.p99_ms, f64::INFINITY);
    }
}
