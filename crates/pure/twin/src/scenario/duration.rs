//! Random lengths of time, as a scenario states them.

use homeostat_core::draw::{Draws, Key};
use homeostat_core::{Span, num};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A mean and the spread around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeanCv {
    /// Mean.
    pub mean: Span,
    /// Coefficient of variation: standard deviation over mean.
    pub cv: f64,
}

/// A heavy tail: Pareto with this least value and tail index.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pareto {
    /// Least value.
    pub least: Span,
    /// Tail index, above one; the smaller, the heavier the tail.
    pub alpha: f64,
}

/// A length of time as a random variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Duration {
    /// Always the same.
    Fixed(Span),
    /// Exponential with this mean.
    Exponential(Span),
    /// Log-normal.
    LogNormal(MeanCv),
    /// Pareto.
    Pareto(Pareto),
    /// One of these values, each as likely as the others.
    Empirical(Vec<Span>),
}

impl Default for Duration {
    fn default() -> Self {
        Self::Fixed(Span::ZERO)
    }
}

impl Duration {
    /// The expected value.
    pub fn mean(&self) -> Span {
        match self {
            Self::Fixed(span) | Self::Exponential(span) => *span,
            Self::LogNormal(shape) => shape.mean,
            Self::Pareto(p) => Span::from_secs_f64(p.least.as_secs_f64() * p.alpha / (p.alpha - 1.0)),
            Self::Empirical(values) => {
                let sum: u128 = values.iter().map(|v| u128::from(v.0)).sum();
                Span((sum / (values.len() as u128).max(1)) as u64)
            }
        }
    }

    /// The least possible value.
    pub fn least(&self) -> Span {
        match self {
            Self::Fixed(span) => *span,
            Self::LogNormal(shape) if shape.cv == 0.0 => shape.mean,
            Self::Exponential(_) | Self::LogNormal(_) => Span::ZERO,
            Self::Pareto(p) => p.least,
            Self::Empirical(values) => values.iter().copied().min().unwrap_or_default(),
        }
    }

    /// The probability of more than `limit`.
    pub fn beyond(&self, limit: Span) -> f64 {
        let x = limit.0 as f64;
        let surely = |yes: bool| f64::from(u8::from(yes));
        match self {
            Self::Fixed(span) => surely(*span > limit),
            Self::Exponential(mean) if mean.is_zero() => 0.0,
            Self::Exponential(mean) => num::exp(-x / mean.0 as f64),
            Self::LogNormal(shape) if shape.cv == 0.0 => surely(shape.mean > limit),
            Self::LogNormal(_) if limit.is_zero() => 1.0,
            Self::LogNormal(shape) => {
                let variance = num::ln(1.0 + shape.cv * shape.cv);
                let mu = num::ln(shape.mean.0 as f64) - 0.5 * variance;
                0.5 * num::erfc((num::ln(x) - mu) / (2.0 * variance).sqrt())
            }
            Self::Pareto(p) if limit <= p.least => 1.0,
            Self::Pareto(p) => num::pow(p.least.0 as f64 / x, p.alpha),
            Self::Empirical(values) => {
                values.iter().filter(|v| **v > limit).count() as f64 / (values.len() as f64).max(1.0)
            }
        }
    }

    /// Coefficient of variation; infinite for Pareto tails of index two and less.
    pub fn variation(&self) -> f64 {
        match self {
            Self::Fixed(_) => 0.0,
            Self::Exponential(_) => 1.0,
            Self::LogNormal(shape) => shape.cv,
            Self::Pareto(p) if p.alpha <= 2.0 => f64::INFINITY,
            Self::Pareto(p) => 1.0 / (p.alpha * (p.alpha - 2.0)).sqrt(),
            Self::Empirical(values) => {
                let mean = self.mean().0 as f64;
                let square = |v: &Span| (v.0 as f64 - mean) * (v.0 as f64 - mean);
                let variance = values.iter().map(square).sum::<f64>() / (values.len() as f64).max(1.0);
                if mean > 0.0 { variance.sqrt() / mean } else { 0.0 }
            }
        }
    }

    /// All lengths multiplied by `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let by = |span: Span| Span::from_secs_f64(span.as_secs_f64() * factor);
        match self {
            Self::Fixed(span) => Self::Fixed(by(*span)),
            Self::Exponential(span) => Self::Exponential(by(*span)),
            Self::LogNormal(shape) => Self::LogNormal(MeanCv { mean: by(shape.mean), cv: shape.cv }),
            Self::Pareto(p) => Self::Pareto(Pareto { least: by(p.least), alpha: p.alpha }),
            Self::Empirical(values) => Self::Empirical(values.iter().copied().map(by).collect()),
        }
    }

    /// What is wrong with it, if anything.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        match self {
            Self::LogNormal(shape) if !(shape.cv.is_finite() && shape.cv >= 0.0) => {
                Some("cv must be 0 or more, for example 1.0")
            }
            Self::Pareto(p) if !(p.alpha.is_finite() && p.alpha > 1.0) => {
                Some("alpha must be above 1 (the mean is infinite otherwise), for example 2.5")
            }
            Self::Empirical(values) if values.is_empty() => Some("needs at least one value"),
            _ => None,
        }
    }

    /// The form that draws fast.
    pub fn sampler(&self) -> Sampler {
        match self {
            Self::Fixed(span) => Sampler::Fixed(*span),
            Self::Exponential(mean) => Sampler::Exponential(mean.0 as f64),
            Self::LogNormal(shape) => {
                let variance = num::ln(1.0 + shape.cv * shape.cv);
                let mu = num::ln(shape.mean.0 as f64) - 0.5 * variance;
                Sampler::LogNormal { mu, sigma: variance.sqrt() }
            }
            Self::Pareto(p) => Sampler::Pareto { least: p.least.0 as f64, power: -1.0 / p.alpha },
            Self::Empirical(values) => Sampler::Empirical(values.clone()),
        }
    }
}

/// A [`Duration`] ready to be drawn from.
#[derive(Debug, Clone)]
pub enum Sampler {
    /// Always the same.
    Fixed(Span),
    /// Mean in nanoseconds.
    Exponential(f64),
    /// Parameters of the logarithm of nanoseconds.
    LogNormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Pareto by inversion.
    Pareto {
        /// Least value in nanoseconds.
        least: f64,
        /// Minus one over the tail index.
        power: f64,
    },
    /// One of these.
    Empirical(Vec<Span>),
}

impl Sampler {
    /// The draws of items `first`, `first + 1`, … of `key`, each the same as [`Self::draw`] gives. In a
    /// row they cost a third: nothing that a processor has to guess lies between them.
    #[inline]
    pub fn fill(&self, key: Key, first: u64, out: &mut [Span]) {
        let items = (first..).zip(out);
        if let Self::LogNormal { mu, sigma } = self {
            for (index, out) in items {
                *out = Span(num::exp_fast(mu + sigma * key.at(index).normal()) as u64);
            }
        } else {
            for (index, out) in items {
                *out = self.draw(&mut key.at(index));
            }
        }
    }

    /// One draw.
    #[inline]
    pub fn draw(&self, draws: &mut Draws) -> Span {
        match self {
            Self::Fixed(span) => *span,
            Self::Exponential(mean) => Span((mean * draws.exponential()) as u64),
            Self::LogNormal { mu, sigma } => Span(num::exp_fast(mu + sigma * draws.normal()) as u64),
            Self::Pareto { least, power } => Span((least * num::pow(1.0 - draws.uniform(), *power)) as u64),
            Self::Empirical(values) => values[draws.below(values.len() as u64) as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_stated_mean() {
        let all = [
            Duration::Fixed(Span::from_millis(200)),
            Duration::Exponential(Span::from_millis(200)),
            Duration::LogNormal(MeanCv { mean: Span::from_millis(200), cv: 1.0 }),
            Duration::Pareto(Pareto { least: Span::from_millis(120), alpha: 2.5 }),
            Duration::Empirical(vec![Span::from_millis(100), Span::from_millis(300)]),
        ];
        for duration in all {
            let sampler = duration.sampler();
            let key = Key::root(5);
            let n = 400_000;
            let sum: f64 = (0..n).map(|i| sampler.draw(&mut key.at(i)).as_secs_f64()).sum();
            assert!((sum / n as f64 - 0.2).abs() < 0.002, "{duration:?}: {}", sum / n as f64);
            for limit in [50, 150, 250, 500].map(Span::from_millis) {
                let longer = (0..n).filter(|i| sampler.draw(&mut key.at(*i)) > limit).count();
                let found = longer as f64 / n as f64;
                assert!(
                    (found - duration.beyond(limit)).abs() < 0.003,
                    "{duration:?} beyond {limit}: {found}"
                );
            }
        }
    }
}
