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
fn sampling(seen: &Seen, node: &Node) -> [[f64; FIGURES]; FIGURES] {
    let of_requests = (node.window / seen.requests.max(1.0)).min(4.0);
    let mut out = [[0.0; FIGURES]; FIGURES];
    for (row, from) in out.iter_mut().zip(&node.covariance) {
        for (cell, c) in row.iter_mut().zip(from) {
            *cell = c * of_requests;
        }
    }
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
        let mut covariance = sampling(seen, &there.node);
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
    /// Covariance with CPU from sampling: heavier work than usual in the window makes both larger.
    common: [f64; FIGURES],
}

impl Marginal {
    fn of(surface: &Surface, theta: Theta, seen: &Seen, noise: &Noise) -> Self {
        let ln_load = num::ln(seen.load);
        let there = raw(surface, theta, seen, ln_load);
        let slope = slopes(surface, theta, seen, ln_load);
        let own = sampling(seen, &there.node);
        let sampling =
            std::array::from_fn(|k| own[k][k] + (slope[k] * noise[RATE]) * (slope[k] * noise[RATE]));
        Self { residual: there.residual, known: there.known, slope, sampling, common: own[CPU] }
    }
}

/// Noise of each figure and of the rate beyond what sampling explains: robust, from the residuals. Without
/// CPU the rate is taken to be exact: the noise of latency says nothing about it, and noise that is taken off
/// but isn't there bends the curve as much as noise that is there and isn't taken off.
pub(crate) fn noise(surface: &Surface, theta: Theta, seen: &[Seen], before: &Noise) -> Noise {
    let all: Vec<Marginal> = seen.iter().map(|s| Marginal::of(surface, theta, s, before)).collect();
    let mut found = *before;
    for (k, figure) in found.iter_mut().enumerate().take(CPU) {
        if let Some((_, spread)) = spread(&all, k) {
            let sampling = median(all.iter().filter(|m| m.known[k]).map(|m| m.sampling[k]).collect());
            *figure = (spread * spread - sampling).max(0.0).sqrt().clamp(LEAST, 1.0);
        }
    }
    match between_rate_and_cpu(&all) {
        Some([rate, cpu]) => (found[RATE], found[CPU]) = (rate, cpu),
        None => found[RATE] = LEAST,
    }
    found
}

/// Median and robust standard deviation of the residuals of a figure; `None` where it is too scarce.
fn spread(all: &[Marginal], k: usize) -> Option<(f64, f64)> {
    let residuals: Vec<f64> = all.iter().filter(|m| m.known[k]).map(|m| m.residual[k]).collect();
    if residuals.len() < 8 {
        return None;
    }
    let center = median(residuals.clone());
    Some((center, 1.4826 * median(residuals.iter().map(|r| (r - center).abs()).collect())))
}

/// Noise of rate and CPU. How far they are apart says how large both are together; which of them it is, the
/// latency says as a third measurement of the load (Grubbs, JASA 43, 1948): the residuals of CPU and latency
/// have in common what is wrong with the rate. Where latency says little, both are taken to be equally noisy.
fn between_rate_and_cpu(all: &[Marginal]) -> Option<[f64; 2]> {
    let (_, apart) = spread(all, CPU)?;
    let middle = |of: fn(&Marginal) -> f64| median(all.iter().filter(|m| m.known[CPU]).map(of).collect());
    let slope = middle(|m| m.slope[CPU] * m.slope[CPU]).max(0.01);
    let both = (apart * apart - middle(|m| m.common[CPU])).max(LEAST * LEAST);
    let equal = both / (1.0 + slope);
    let (found, error) = in_common(all).unwrap_or((equal, f64::INFINITY));
    // Before latency is looked at, any share of the rate in the noise is as likely as any other.
    let prior = equal * equal / 3.0;
    let rate = (equal + (found - equal) * prior / (prior + error * error)).clamp(0.0, both / slope);
    let cpu = (both - slope * rate).max(0.0);
    Some([rate, cpu].map(|variance| variance.sqrt().clamp(LEAST, 1.0)))
}

/// Variance of the rate by what the residuals of CPU and latency have in common, with its standard error.
fn in_common(all: &[Marginal]) -> Option<(f64, f64)> {
    const MOST: f64 = 3.0;
    let spreads: [Option<(f64, f64)>; FIGURES] = std::array::from_fn(|k| spread(all, k));
    let off = |m: &Marginal, k: usize| {
        let (center, spread) = spreads[k].filter(|(_, spread)| m.known[k] && *spread > 0.0)?;
        Some(((m.residual[k] - center) / spread).clamp(-MOST, MOST) * spread)
    };
    // Products of a sample, weighted, with the weights.
    let sums = |m: &Marginal| {
        let (mut product, mut weight) = (0.0, 0.0);
        for (k, spread) in spreads.iter().enumerate().take(CPU) {
            let (Some(cpu), Some(latency), Some((_, spread))) = (off(m, CPU), off(m, k), spread) else {
                continue;
            };
            let slope = m.slope[CPU] * m.slope[k] / (spread * spread);
            product += slope * (cpu * latency - m.common[k]);
            weight += slope * m.slope[CPU] * m.slope[k];
        }
        (product, weight)
    };
    let sums: Vec<(f64, f64)> = all.iter().map(sums).collect();
    let weight: f64 = sums.iter().map(|s| s.1).sum();
    let variance = sums.iter().map(|s| s.0).sum::<f64>() / weight;
    let error =
        sums.iter().map(|(p, w)| (p - w * variance) * (p - w * variance)).sum::<f64>().sqrt() / weight;
    (variance.is_finite() && error.is_finite()).then_some((variance, error))
}

#[cfg(test)]
mod tests {
    use homeostat_core::draw::Key;

    use super::*;
    use crate::physics::{Form, Numbers};

    /// Residuals with this noise in rate and CPU, 4 % in latency, which grows by `growth` from none.
    fn marginals(rate: f64, cpu: f64, growth: f64) -> Vec<Marginal> {
        let one = |i: u64| {
            let mut draws = Key::root(3).at(i);
            let (of_rate, of_cpu) = (rate * draws.normal(), cpu * draws.normal());
            let load = draws.uniform();
            let slope = [-growth * load, -growth * load, -growth * load, -growth * load, -0.8];
            let residual = std::array::from_fn(|k| {
                let own = if k == CPU { of_cpu } else { 0.04 * draws.normal() };
                own + slope[k] * of_rate
            });
            Marginal {
                residual,
                known: [true; FIGURES],
                slope,
                sampling: [0.0; FIGURES],
                common: [0.0; FIGURES],
            }
        };
        (0..1_500).map(one).collect()
    }

    #[test]
    fn latency_says_whether_rate_or_cpu_is_noisy() {
        for [rate, cpu] in [[0.05, 0.005], [0.005, 0.05], [0.05, 0.05], [0.06, 0.03]] {
            let found = between_rate_and_cpu(&marginals(rate, cpu, 1.5)).unwrap();
            for (found, wanted) in found.iter().zip([rate, cpu]) {
                assert!((found - wanted).abs() < 0.015, "{found} for {wanted} of {rate} and {cpu}");
            }
        }
    }

    #[test]
    fn both_are_equally_noisy_where_latency_says_nothing() {
        let [rate, cpu] = between_rate_and_cpu(&marginals(0.05, 0.0, 1e-3)).unwrap();
        assert!((rate / cpu - 1.0).abs() < 0.05, "{rate} {cpu}");
        let none: Vec<Marginal> = marginals(0.05, 0.05, 1.0)
            .into_iter()
            .map(|m| Marginal { known: [true, true, true, true, false], ..m })
            .collect();
        assert!(between_rate_and_cpu(&none).is_none());
    }

    /// A sample of four slots whose latency and CPU are exact, and whose rate is 10 % too large.
    #[test]
    fn the_load_is_where_its_measurements_agree() {
        let theta = Theta { mean_s: 0.2, cv: 0.5, form: Form::Fcfs { slots: 4 } };
        let numbers = Numbers::new(6_000, 1);
        let loads = [0.1, 1.0, 2.0, 2.8, 3.4, 3.8];
        let surface = Surface::measure(&numbers, (theta.form, theta.cv), &loads, &[4], |_, _| 1_000.0);
        let truth = surface.at(3.0, 4.0);
        let seen = Seen {
            index: 0,
            load: 3.3 / theta.mean_s,
            replicas: 4.0,
            ln: truth.ln.map(|ln| Some(ln + num::ln(theta.mean_s))),
            busy: Some(truth.busy),
            requests: 1e6,
            block: 0,
        };
        let work = |rate: f64, rest: f64| {
            let noise = [rest, rest, rest, rest, rest, rate];
            num::exp(Latent::of(&surface, theta, &seen, &noise).ln_load) * theta.mean_s
        };
        assert!((work(0.1, 0.01) / 3.0 - 1.0).abs() < 0.01, "{}", work(0.1, 0.01));
        assert!((work(LEAST, 0.5) / 3.3 - 1.0).abs() < 0.01, "{}", work(LEAST, 0.5));
        let between = work(0.05, 0.05);
        assert!((3.0..3.25).contains(&between), "{between}");
    }
}
