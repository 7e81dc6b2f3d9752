//! Load to come.

use std::f64::consts::TAU;

use homeostat_core::num;

use crate::trend::basis::{Basis, Square};

/// A day, in hours: load is expected to come back.
const DAY: f64 = 24.0;
/// Hours to either side over which the load of a day before is averaged.
const NEAR: f64 = 0.75;
/// Share of its mean by which load is supposed to swing over a day, while a day hasn't been seen.
const SWING: f64 = 0.3;

/// A series of loads and what is expected of it.
#[derive(Debug, Clone)]
pub(super) struct Outlook {
    hours: Vec<f64>,
    load: Vec<f64>,
    /// Mean, cosine and sine of a day.
    wave: [f64; 3],
    covariance: Square,
    /// Deviation of a block's load from its course.
    noise: f64,
}

impl Outlook {
    /// `hours` before now, in order, the last at 0.
    pub(super) fn new(hours: &[f64], load: &[f64]) -> Self {
        let noise = noise(load);
        let (wave, covariance) = wave(hours, load, noise);
        Self { hours: hours.to_vec(), load: load.to_vec(), wave, covariance, noise }
    }

    /// The load expected so many hours from now: the mean of earlier days at that time, or, before a day has
    /// been seen, a wave of a day.
    pub(super) fn at(&self, ahead: f64) -> f64 {
        self.seen(ahead).map_or_else(
            || {
                let row = row(ahead);
                row.iter().zip(self.wave).map(|(x, b)| x * b).sum::<f64>().max(0.0)
            },
            |(load, _)| load,
        )
    }

    /// How far off that may be: a standard error, that of a mean where earlier days tell.
    pub(super) fn error(&self, ahead: f64) -> f64 {
        if let Some((_, count)) = self.seen(ahead) {
            return self.noise / f64::from(count).sqrt();
        }
        let row = row(ahead);
        let by_row = row.iter().zip(&self.covariance);
        by_row
            .map(|(x, line)| x * row.iter().zip(line).map(|(y, c)| y * c).sum::<f64>())
            .sum::<f64>()
            .max(0.0)
            .sqrt()
    }

    /// The mean of earlier days at that time, and of how many blocks.
    fn seen(&self, ahead: f64) -> Option<(f64, u32)> {
        let mut back = ahead - DAY * (ahead / DAY).ceil().max(1.0);
        let (mut sum, mut count) = (0.0, 0_u32);
        while back - NEAR >= self.hours[0] {
            let from = self.hours.partition_point(|at| *at < back - NEAR);
            let to = self.hours.partition_point(|at| *at <= back + NEAR);
            sum += self.load[from..to].iter().sum::<f64>();
            count += (to - from) as u32;
            back -= DAY;
        }
        (count > 0).then(|| (sum / f64::from(count), count))
    }
}

/// Regressors of the wave.
fn row(ahead: f64) -> [f64; 3] {
    let angle = TAU * ahead / DAY;
    [1.0, num::cos(angle), num::sin(angle)]
}

/// Variance of load's noise, as far as it matters to a wave, for the mean square of its steps: successive
/// loads are alike.
const ALIKE: f64 = 2.0;

fn noise(load: &[f64]) -> f64 {
    let jumps = load.windows(2).map(|pair| (pair[1] - pair[0]) * (pair[1] - pair[0])).sum::<f64>();
    (ALIKE * jumps / load.len() as f64).sqrt()
}

/// Least squares with a prior for the swing, as rows of data.
fn wave(hours: &[f64], load: &[f64], noise: f64) -> ([f64; 3], Square) {
    let n = load.len() as f64;
    let mean = load.iter().sum::<f64>() / n;
    let weight = noise / (SWING * mean.abs()).max(1e-9);
    let rows = |extra: [f64; 2], of: &dyn Fn(f64) -> f64| -> Vec<f64> {
        hours.iter().map(|hours| of(TAU * hours / DAY)).chain(extra.map(|x| x * weight)).collect()
    };
    let values: Vec<f64> = load.iter().copied().chain([0.0; 2]).collect();
    let mut basis = Basis::new(&values);
    let pushed = basis.push(&rows([0.0, 0.0], &|_| 1.0))
        && basis.push(&rows([1.0, 0.0], &num::cos))
        && basis.push(&rows([0.0, 1.0], &num::sin));
    let [level, cosine, sine, ..] = basis.coefficients();
    let mut covariance = basis.covariance();
    covariance.iter_mut().flatten().for_each(|value| *value *= noise * noise);
    (if pushed { [level, cosine, sine] } else { [mean, 0.0, 0.0] }, covariance)
}
