//! The fit of latency against load: mean work and its spread, with slots or contention.
//!
//! Weighted least squares on logarithms by Gauss and Newton, three to five parameters at most, and the load
//! of every sample besides ([`crate::errors`]). A residual is weighted by the variance it should have: noise
//! of the measurement (estimated from the residuals) and the spread of a window's percentile. Huber's
//! weights bound what one sample can do. Intervals come from the sandwich covariance over blocks of half an
//! hour, so that samples that err together count once.

use homeostat_core::num;

use crate::errors::{self, Latent, Noise, weight};
use crate::physics::{Form, MOST_REPLICAS, Numbers, Surface};
use crate::solve::{Matrix, inverse, sandwich, times, zeros};

/// Loads at which latency is measured, as shares of the largest in the record.
const GRID: [f64; 9] = [0.02, 0.2, 0.4, 0.55, 0.68, 0.79, 0.88, 0.95, 1.02];
/// Share of the capacity at which stations are run at most: beyond it there is no steady state.
const BRINK: f64 = 0.965;

/// One sample as the fit sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Index in the record.
    pub(crate) index: usize,
    /// Requests per second and replica.
    pub(crate) load: f64,
    pub(crate) replicas: f64,
    /// Logarithms of mean, p50, p95, p99 in seconds.
    pub(crate) ln: [Option<f64>; 4],
    /// Busy share by the CPU, where it is trusted.
    pub(crate) busy: Option<f64>,
    /// Requests in the sample.
    pub(crate) requests: f64,
    pub(crate) block: u64,
}

/// Parameters: logarithms of mean work and cv, then those of the form.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Theta {
    pub(crate) mean_s: f64,
    pub(crate) cv: f64,
    pub(crate) form: Form,
}

impl Theta {
    /// Number of free parameters; κ is free only where it is not zero, cv only where `cv_free`.
    fn size(self, cv_free: bool) -> usize {
        let own = match self.form {
            Form::Fcfs { .. } => 0,
            Form::Sharing { coherency, .. } => 1 + usize::from(coherency > 0.0),
        };
        1 + usize::from(cv_free) + own
    }

    /// Moved by steps in the logarithms.
    fn moved(self, by: &[f64], cv_free: bool) -> Self {
        let limited = |x: f64| num::exp(x.clamp(-0.5, 0.5));
        let mut rest = by.iter().map(|x| limited(*x));
        let mean_s = self.mean_s * rest.next().unwrap_or(1.0);
        let cv = if cv_free { (self.cv * rest.next().unwrap_or(1.0)).clamp(0.02, 6.0) } else { self.cv };
        let form = match self.form {
            form @ Form::Fcfs { .. } => form,
            Form::Sharing { contention, coherency, cores } => Form::Sharing {
                contention: (contention * rest.next().unwrap_or(1.0)).clamp(1e-4, 1.0),
                coherency: (coherency * rest.next().unwrap_or(1.0)).min(1.0),
                cores,
            },
        };
        Self { mean_s, cv, form }
    }
}

/// A finished fit.
#[derive(Debug, Clone)]
pub(crate) struct LatencyFit {
    pub(crate) theta: Theta,
    /// Standard errors of the logarithms, in the order of the parameters.
    pub(crate) errors: Vec<f64>,
    pub(crate) cv_free: bool,
    /// Weighted sum of squares (bounded by Huber) per residual.
    pub(crate) misfit: f64,
    /// Noise of the measurement by figure: mean, p50, p95, p99, CPU, rate.
    pub(crate) noise: Noise,
    surface: Surface,
}

impl LatencyFit {
    /// Mean, p50, p95, p99 in seconds at a load per replica, and the busy share.
    pub(crate) fn predict(&self, load: f64, replicas: f64) -> ([f64; 4], f64) {
        let node = self.surface.at(load * self.theta.mean_s, replicas);
        (node.ln.map(|ln| num::exp(ln) * self.theta.mean_s), node.busy)
    }

    /// Largest residual of a sample in standard deviations of the noise, upwards.
    pub(crate) fn surprise(&self, seen: &Seen) -> f64 {
        errors::surprise(&self.surface, self.theta, seen, &self.noise)
    }

    /// The load per replica that agrees best with all that was measured.
    pub(crate) fn likely_load(&self, seen: &Seen) -> f64 {
        num::exp(Latent::of(&self.surface, self.theta, seen, &self.noise).ln_load)
    }
}

/// How the fit is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup<'a> {
    pub(crate) numbers: &'a Numbers,
    pub(crate) step_s: f64,
    pub(crate) cv_free: bool,
    pub(crate) rounds: usize,
}

fn surface(setup: &Setup, theta: Theta, seen: &[Seen]) -> Surface {
    let top = seen.iter().map(|s| s.load).fold(0.0, f64::max) * theta.mean_s;
    let top = top.min(theta.form.most_work() * BRINK / GRID[GRID.len() - 1]);
    let loads = GRID.map(|share| share * top);
    let mut counts: Vec<f64> = seen.iter().map(|s| s.replicas).collect();
    counts.sort_by(f64::total_cmp);
    let mut replicas: Vec<u32> = [0.02, 0.4, 0.98]
        .map(|q| (crate::record::quantile(&counts, q).round() as u32).clamp(1, MOST_REPLICAS))
        .to_vec();
    replicas.dedup();
    let window = |offered: f64, n: u32| offered / theta.mean_s * f64::from(n) * setup.step_s;
    Surface::measure(setup.numbers, (theta.form, theta.cv), &loads, &replicas, window)
}

/// Fits from a first guess. `None` where the parameters can't be told apart.
pub(crate) fn fit(setup: &Setup, start: Theta, seen: &[Seen]) -> Option<LatencyFit> {
    let mut theta = start;
    let mut noise = [0.05; 6];
    let size = start.size(setup.cv_free);
    let mut last = None;
    for round in 0..setup.rounds {
        for _ in 0..4 {
            let base = surface(setup, theta, seen);
            let step = gauss_newton(setup, theta, &base, seen, &noise, size)?;
            theta = theta.moved(&step.0, setup.cv_free);
            let small = step.0.iter().all(|x| x.abs() < 0.004);
            last = Some(step);
            if small {
                break;
            }
        }
        let base = surface(setup, theta, seen);
        noise = errors::noise(&base, theta, seen, &noise);
        if round + 1 == setup.rounds {
            let misfit = misfit(&base, theta, seen, noise);
            let errors = last.map(|(_, errors)| errors).unwrap_or_default();
            let cv_free = setup.cv_free;
            return Some(LatencyFit { theta, errors, cv_free, misfit, noise, surface: base });
        }
    }
    None
}

/// The misfit of parameters as they are, without a fit.
pub(crate) fn glance(setup: &Setup, theta: Theta, seen: &[Seen]) -> f64 {
    misfit(&surface(setup, theta, seen), theta, seen, [0.05; 6])
}

/// One step, and the standard errors where it stands.
fn gauss_newton(
    setup: &Setup,
    theta: Theta,
    base: &Surface,
    seen: &[Seen],
    noise: &Noise,
    size: usize,
) -> Option<(Vec<f64>, Vec<f64>)> {
    // Downwards: full contention can't be moved up.
    const STEP: f64 = -0.06;
    let moved: Vec<(Theta, Option<Surface>)> = (0..size)
        .map(|p| {
            let mut by = vec![0.0; size];
            by[p] = STEP;
            let there = theta.moved(&by, setup.cv_free);
            // The mean work only scales: its surface is the same.
            (there, (p > 0).then(|| surface(setup, there, seen)))
        })
        .collect();
    let (mut normal, mut gradient, mut meat) = (zeros(size), vec![0.0; size], zeros(size));
    let mut block = (u64::MAX, vec![0.0; size]);
    let add_block = |meat: &mut Matrix, g: &[f64]| {
        for (i, row) in meat.iter_mut().enumerate() {
            for (j, cell) in row.iter_mut().enumerate() {
                *cell += g[i] * g[j];
            }
        }
    };
    for sample in seen {
        let here = Latent::of(base, theta, sample, noise);
        if sample.block != block.0 {
            add_block(&mut meat, &block.1);
            block = (sample.block, vec![0.0; size]);
        }
        let there = moved.iter().map(|(t, s)| here.residuals(s.as_ref().unwrap_or(base), *t, sample));
        let slopes: Vec<[f64; 6]> =
            there.map(|there| std::array::from_fn(|k| (here.residual[k] - there[k]) / STEP)).collect();
        let weights = here.residual.map(weight);
        let sum = |a: &[f64; 6], b: &[f64; 6]| (0..6).map(|k| weights[k] * a[k] * b[k]).sum::<f64>();
        // The sample's own load follows the parameters: what it can explain does not count.
        let own = sum(&here.slope, &here.slope);
        let shared: Vec<f64> = slopes.iter().map(|s| sum(s, &here.slope) / own).collect();
        let left = sum(&here.slope, &here.residual);
        for i in 0..size {
            let pull = sum(&slopes[i], &here.residual) - shared[i] * left;
            gradient[i] += pull;
            block.1[i] += pull;
            for j in 0..size {
                normal[i][j] += sum(&slopes[i], &slopes[j]) - shared[i] * shared[j] * own;
            }
        }
    }
    add_block(&mut meat, &block.1);
    let inverse = inverse(&normal)?;
    let step = times(&inverse, &gradient);
    let robust = sandwich(&inverse, &meat);
    let errors = (0..size).map(|i| robust[i][i].max(inverse[i][i]).max(0.0).sqrt()).collect();
    Some((step, errors))
}

/// Huber's sum per residual, in units of the noise: near one where the model holds. The noise is taken from
/// 3 to 5 %, and rate and CPU as equally noisy: a wrong model is not explained by more noise, or by noise
/// elsewhere.
fn misfit(base: &Surface, theta: Theta, seen: &[Seen], mut noise: Noise) -> f64 {
    let (mut sum, mut count) = (0.0, 0_usize);
    let equal = noise[4].hypot(noise[5]) / std::f64::consts::SQRT_2;
    (noise[4], noise[5]) = (equal, equal);
    let noise = noise.map(|noise| noise.clamp(0.03, 0.05));
    for sample in seen {
        let there = Latent::of(base, theta, sample, &noise);
        for size in there.residual.map(f64::abs) {
            sum += if size > 3.0 { 6.0 * size - 9.0 } else { size * size };
        }
        count += there.count();
    }
    sum / count.max(1) as f64
}
