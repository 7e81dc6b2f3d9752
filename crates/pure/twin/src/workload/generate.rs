//! A rate series with the traits of real ones: a day and a week, slow drift, noise, bursts and flash
//! crowds, or a regular burst.
//!
//! The defaults of the embedded scenarios were set by looking at public traces (peak over mean, noise
//! from step to step, height and frequency of surges); `docs/scenarios.md` has the comparison.

use homeostat_core::draw::Key;
use homeostat_core::{Span, num};

use crate::scenario::{Bursts, Generated, Regular};

/// Rates in requests per second, one per step, with the mean that was asked for.
pub fn generate(spec: &Generated, key: Key) -> Vec<f64> {
    let key = key.child("generate");
    let steps = (spec.length.0 / spec.step.0).max(1) as usize;
    let mut rates: Vec<f64> = (0..steps).map(|i| season(spec, spec.step * i as u64)).collect();
    drift(&mut rates, spec, key.child("drift"));
    surges(&mut rates, spec, spec.bursts, key.child("bursts"), burst);
    surges(&mut rates, spec, spec.flash_crowds, key.child("crowds"), crowd);
    if let Some(regular) = spec.regular {
        beat(&mut rates, spec, regular);
    }
    let mean = rates.iter().sum::<f64>() / steps as f64;
    for rate in &mut rates {
        *rate *= spec.mean_rps / mean;
    }
    rates
}

/// The daily shape: a trough at four in the morning, a broad afternoon, and weekends.
fn season(spec: &Generated, at: Span) -> f64 {
    let day = at.as_secs_f64() / Span::DAY.as_secs_f64();
    let angle = std::f64::consts::TAU * (day - 4.0 / 24.0);
    let wave = -num::cos(angle) - 0.25 * num::cos(2.0 * angle) + 0.25;
    let weekend = if (at.0 / Span::DAY.0) % 7 >= 5 { 1.0 - spec.weekend } else { 1.0 };
    (1.0 + spec.daily * wave).max(0.02) * weekend
}

/// Slow noise with a memory of an hour and noise from step to step, both multiplicative.
fn drift(rates: &mut [f64], spec: &Generated, key: Key) {
    let memory = num::exp(-spec.step.as_secs_f64() / 3_600.0);
    let fresh = (1.0 - memory * memory).sqrt();
    let mut slow = 0.0;
    for (i, rate) in rates.iter_mut().enumerate() {
        let mut draws = key.at(i as u64);
        slow = memory * slow + fresh * draws.normal();
        *rate *= num::exp(spec.drift * slow + spec.noise * draws.normal());
    }
}

/// Adds random surges of a form that maps (time since its start, its length) to a share of its height.
fn surges(rates: &mut [f64], spec: &Generated, bursts: Bursts, key: Key, form: fn(f64, f64) -> f64) {
    if bursts.per_day <= 0.0 || bursts.lasts.is_zero() {
        return;
    }
    let step = spec.step.as_secs_f64();
    let mean_gap = 86_400.0 / bursts.per_day;
    let base = rates.to_vec();
    let mut draws = key.at(0);
    let mut at = draws.exponential() * mean_gap;
    while at < step * rates.len() as f64 {
        let height = bursts.height * (0.5 + 0.5 * draws.exponential());
        let lasts = bursts.lasts.as_secs_f64() * (0.5 + draws.uniform());
        let first = (at / step) as usize;
        for i in first..rates.len().min(first + (6.0 * lasts / step) as usize + 1) {
            let since = (i as f64 + 0.5) * step - at;
            rates[i] += base[i] * height * form(since.max(0.0), lasts);
        }
        at += draws.exponential() * mean_gap;
    }
}

/// All at once, gone at its end.
fn burst(since: f64, lasts: f64) -> f64 {
    if since < lasts { 1.0 } else { 0.0 }
}

/// Rises within a tenth of its length and fades.
fn crowd(since: f64, lasts: f64) -> f64 {
    (since / (0.1 * lasts)).min(1.0) * num::exp(-since / lasts)
}

fn beat(rates: &mut [f64], spec: &Generated, regular: Regular) {
    for (i, rate) in rates.iter_mut().enumerate() {
        let at = spec.step.0 * i as u64 + regular.every.0 - regular.offset.0 % regular.every.0.max(1);
        if at % regular.every.0.max(1) < regular.lasts.0 {
            *rate *= 1.0 + regular.height;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_what_was_asked_for() {
        let spec = Generated {
            flash_crowds: Bursts { per_day: 0.5, height: 3.0, lasts: Span::HOUR },
            bursts: Bursts { per_day: 10.0, height: 0.5, lasts: Span::MINUTE * 5 },
            ..Generated::default()
        };
        let rates = generate(&spec, Key::root(1));
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        assert!((mean - 100.0).abs() < 1e-6);
        assert!(rates.iter().all(|r| r.is_finite() && *r > 0.0));
        assert_eq!(rates, generate(&spec, Key::root(1)));
        assert_ne!(rates, generate(&spec, Key::root(2)));
    }
}
