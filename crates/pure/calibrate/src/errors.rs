//! What a sample says about the model when the load itself is measured with error.
//!
//! Rate, CPU and latency are measurements of the same load, none of them exact. Latency against a noisy
//! load looks flatter than it is, so that the load of every sample is an unknown of its own: the value that
//! agrees best with all of its measurements under the model (orthogonal distance regression: Boggs, Byrd
//! and Schnabel 1987; Fuller, Measurement Error Models, 1987, chapter 3). The fit then moves the parameters
//! with the loads following. Nothing needs to be known about how the loads spread.
//!
//! Figures of one window wander together (one queue, one set of works), so that they are whitened by their
//! covariance between windows before they are weighed.

use homeostat_core::num;

use crate::latency::{Seen, Theta};
use crate::physics::{Node, Surface};
use crate::record::median;
use crate::solve::{cholesky, whitened};

/// Mean, p50, p95, p99, CPU; and after them the rate.
pub(crate) const FIGURES: usize = 5;
/// Place of CPU among the figures.
const CPU: usize = 4;
/// Place of the rate after the figures.
const RATE: usize = 5;
/// Noise of a measurement that is taken to be there at least.
const LEAST: f64 = 0.005;
/// Residuals beyond this many standard deviations count less (Huber).
const HUBER: f64 = 2.0;
/// Step in the logarithm of the load, for slopes.
const STEP: f64 = 0.03;

/// Standard deviations of the logarithms beyond sampling: mean, p50, p95, p99, CPU, rate.
pub(crate) type Noise = [f64; 6];

/// Residuals of a sample at a load: logarithms, measured less predicted; zero where nothing is measured.
#[derive(Debug, Clone, Copy)]
struct Raw {
    residual: [f64; FIGURES],
    known: [bool; FIGURES],
    node: Node,
}

fn raw(surface: &Surface, theta: Theta, seen: &Seen, ln_load: f64) -> Raw {
    let node = surface.at(num::exp(ln_load) * theta.mean_s, seen.replicas);
    let ln_mean = num::ln(theta.mean_s);
    let measured = |k: usize| if k == CPU { seen.busy.map(num::ln) } else { seen.ln[k] };
    let predicted = |k: usize| if k == CPU { num::ln(node.busy) } else { ln_mean + node.ln[k] };
    Raw {
        residual: std::array::from_fn(|k| measured(k).map_or(0.0, |y| y - predicted(k))),
        known: std::array::from_fn(|k| measured(k).is_some()),
        node,
    }
}

/// Slopes of the residuals in the logarithm of the load.
fn slopes(surface: &Surface, theta: Theta, seen: &Seen, ln_load: f64) -> [f64; FIGURES] {
    let [ahead, behind] = [STEP, -STEP].map(|by| raw(surface, theta, seen, ln_load + by).residual);
    std::array::from_fn(|k| (ahead[k] - behind[k]) / (2.0 * STEP))
}

/// Variance that comes from what a window happens to hold, without noise.
fn sampling(theta: Theta, seen: &Seen, node: &Node) -> [[f64; FIGURES]; FIGURES] {
    let of_requests = (node.window / seen.requests.max(1.0)).min(4.0);
    let mut out = [[0.0; FIGURES]; FIGURES];
    for (row, from) in out.iter_mut().zip(&node.covariance) {
        for (cell, c) in row.iter_mut().zip(from) {
            *cell = c * of_requests;
        }
    }
    out[CPU][CPU] = theta.cv.mul_add(theta.cv, 1.0) / seen.requests.max(1.0);
    out
}

/// A sample with its most likely load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Latent {
    pub(crate) ln_load: f64,
    lower: [[f64; FIGURES]; FIGURES],
    known: [bool; FIGURES],
    rate_noise: f64,
    /// Residuals in standard deviations: the figures (whitened), then the rate.
    pub(crate) residual: [f64; 6],
    /// Their slopes in the logarithm of the load.
    pub(crate) slope: [f64; 6],
}

impl Latent {
    /// Looks for the load by Gauss and Newton.
    pub(crate) fn of(surface: &Surface, theta: Theta, seen: &Seen, noise: &Noise) -> Self {
        let start = num::ln(seen.load);
        let there = raw(surface, theta, seen, start);
        let mut covariance = sampling(theta, seen, &there.node);
        for k in 0..FIGURES {
            covariance[k][k] += noise[k] * noise[k];
            if !there.known[k] {
                (0..FIGURES).for_each(|j| (covariance[k][j], covariance[j][k]) = (0.0, 0.0));
                covariance[k][k] = 1.0;
            }
        }
        let mut latent = Self {
            ln_load: start,
            lower: cholesky(&covariance),
            known: there.known,
            rate_noise: noise[RATE],
            residual: [0.0; 6],
            slope: [0.0; 6],
        };
        for _ in 0..4 {
            latent.look(surface, theta, seen);
            let (mut along, mut across) = (0.0, 0.0);
            for (r, s) in latent.residual.iter().zip(latent.slope) {
                along += weight(*r) * s * r;
                across += weight(*r) * s * s;
            }
            let step = (-along / across).clamp(-0.1, 0.1);
            latent.ln_load += step;
            if step.abs() < 1e-4 {
                break;
            }
        }
        latent.look(surface, theta, seen);
        latent
    }

    fn look(&mut self, surface: &Surface, theta: Theta, seen: &Seen) {
        self.residual = self.residuals(surface, theta, seen);
        let slopes = whitened(&self.lower, &slopes(surface, theta, seen, self.ln_load));
        self.slope = joined(slopes, -1.0 / self.rate_noise);
    }

    /// The residuals of other parameters at the same load and weights.
    pub(crate) fn residuals(&self, surface: &Surface, theta: Theta, seen: &Seen) -> [f64; 6] {
        let figures = whitened(&self.lower, &raw(surface, theta, seen, self.ln_load).residual);
        joined(figures, (num::ln(seen.load) - self.ln_load) / self.rate_noise)
    }

    /// Figures that the sample has.
    pub(crate) fn count(&self) -> usize {
        self.known.iter().filter(|known| **known).count()
    }
}

fn joined(figures: [f64; FIGURES], rate: f64) -> [f64; 6] {
    std::array::from_fn(|k| if k < FIGURES { figures[k] } else { rate })
}

/// Huber's weight of a residual in standard deviations.
pub(crate) fn weight(residual: f64) -> f64 {
    (HUBER / residual.abs().max(1e-12)).min(1.0)
}

/// The largest latency residual upwards in standard deviations, the load taken as measured.
pub(crate) fn surprise(surface: &Surface, theta: Theta, seen: &Seen, noise: &Noise) -> f64 {
    let there = Marginal::of(surface, theta, seen, noise);
    let size = |k: usize| there.residual[k] / (there.sampling[k] + noise[k] * noise[k]).sqrt();
    (0..CPU).filter(|k| there.known[*k]).map(size).fold(0.0, f64::max)
}

/// A sample at its measured load.
struct Marginal {
    residual: [f64; FIGURES],
    known: [bool; FIGURES],
    slope: [f64; FIGURES],
    /// Variance from sampling, and from the noise of the rate.
    sampling: [f64; FIGURES],
}

impl Marginal {
    fn of(surface: &Surface, theta: Theta, seen: &Seen, noise: &Noise) -> Self {
        let ln_load = num::ln(seen.load);
        let there = raw(surface, theta, seen, ln_load);
        let slope = slopes(surface, theta, seen, ln_load);
        let own = sampling(theta, seen, &there.node);
        let sampling =
            std::array::from_fn(|k| own[k][k] + (slope[k] * noise[RATE]) * (slope[k] * noise[RATE]));
        Self { residual: there.residual, known: there.known, slope, sampling }
    }
}

/// Noise of each figure and of the rate beyond what sampling explains: robust, from the residuals. Rate and
/// CPU are taken to be equally noisy; without CPU the rate is taken to be as noisy as the median latency.
pub(crate) fn noise(surface: &Surface, theta: Theta, seen: &[Seen], before: &Noise) -> Noise {
    let all: Vec<Marginal> = seen.iter().map(|s| Marginal::of(surface, theta, s, before)).collect();
    let mut found = *before;
    for (k, figure) in found.iter_mut().enumerate().take(CPU) {
        let terms: Vec<&Marginal> = all.iter().filter(|m| m.known[k]).collect();
        if terms.len() >= 8 {
            let center = median(terms.iter().map(|m| m.residual[k]).collect());
            let spread = 1.4826 * median(terms.iter().map(|m| (m.residual[k] - center).abs()).collect());
            let sampling = median(terms.iter().map(|m| m.sampling[k]).collect());
            *figure = (spread * spread - sampling).max(0.0).sqrt().clamp(LEAST, 1.0);
        }
    }
    let by_cpu: Vec<&Marginal> = all.iter().filter(|m| m.known[CPU]).collect();
    if by_cpu.len() < 8 {
        found[RATE] = found[1];
        return found;
    }
    let center = median(by_cpu.iter().map(|m| m.residual[CPU]).collect());
    let apart = |m: &&Marginal| (m.residual[CPU] - center).abs() / m.slope[CPU].hypot(1.0);
    let equal = (1.4826 * median(by_cpu.iter().map(apart).collect())).clamp(LEAST, 1.0);
    (found[CPU], found[RATE]) = (equal, equal);
    found
}
