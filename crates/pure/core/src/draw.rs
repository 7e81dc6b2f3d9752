//! Randomness that is a function of (seed, stream, index), so that every policy meets the same world.
//!
//! Request *i* gets its size from (seed, "size", i) whatever happened before it: the random numbers are
//! common to all policies and their results can be compared pair by pair. The generator is
//! `SplitMix64` (Steele, Lea, Flood, OOPSLA 2014) started from a mixed key; normal and exponential
//! variates use the ziggurat of Marsaglia and Tsang (J. Stat. Softw. 5(8), 2000) with 256 layers, gamma
//! variates their method of 2000 (ACM TOMS 26(3)).

use std::sync::LazyLock;

use crate::num;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
/// An odd constant unrelated to [`GOLDEN`], so that streams of neighbouring indices don't overlap.
const STRIDE: u64 = 0xD1B5_4A32_D192_ED03;
const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A named source of independent draws. Child keys differ from their parent and from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(u64);

impl Key {
    /// The root key of a run.
    pub const fn root(seed: u64) -> Self {
        Self(mix(seed ^ 0x0048_4F4D_454F_5354))
    }

    /// The child key with this name.
    #[must_use]
    pub const fn child(self, name: &str) -> Self {
        let bytes = name.as_bytes();
        let mut hash = self.0;
        let mut i = 0;
        while i < bytes.len() {
            hash = mix(hash.wrapping_mul(0x0100_0000_01B3) ^ bytes[i] as u64);
            i += 1;
        }
        Self(mix(hash.wrapping_add(GOLDEN)))
    }

    /// The child key with this number.
    #[must_use]
    pub const fn nth(self, index: u64) -> Self {
        Self(mix(self.0.wrapping_add(index.wrapping_mul(STRIDE)) ^ GOLDEN))
    }

    /// The draws that belong to item `index` of this source.
    pub const fn at(self, index: u64) -> Draws {
        Draws(self.0.wrapping_add(index.wrapping_mul(STRIDE)))
    }
}

/// A sequence of draws.
#[derive(Debug, Clone)]
pub struct Draws(u64);

impl Draws {
    /// The next 64 random bits.
    #[inline]
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Uniform on [0, 1).
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * UNIT
    }

    /// A whole number below `n` (which must be positive), bias below n/2^64.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// Whether an event of this probability happens.
    #[inline]
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Standard normal.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        NORMAL.with(self)
    }

    /// Exponential with mean one.
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        EXPONENTIAL.with(self)
    }

    /// Gamma with this shape (positive) and scale one.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = num::pow(1.0 - self.uniform(), 1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let t = 1.0 + c * x;
            if t > 0.0 {
                let v = t * t * t;
                let u = 1.0 - self.uniform();
                if num::ln(u) < 0.5 * x * x + d - d * v + d * num::ln(v) {
                    return d * v;
                }
            }
        }
    }

    /// Weibull with this shape (positive) and scale one.
    pub fn weibull(&mut self, shape: f64) -> f64 {
        num::pow(self.exponential(), 1.0 / shape)
    }

    /// Poisson with this mean: by multiplication below 30, by splitting off a gamma above (Ahrens and
    /// Dieter, Computing 12, 1974), which is exact and takes a logarithmic number of steps.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        let (mut mean, mut count) = (mean, 0);
        while mean >= 30.0 {
            let m = (mean * 0.875).floor();
            let reach = self.gamma(m);
            if reach > mean {
                return count + self.binomial(m as u64 - 1, mean / reach);
            }
            count += m as u64;
            mean -= reach;
        }
        let limit = num::exp(-mean);
        let mut product = 1.0 - self.uniform();
        while product > limit {
            count += 1;
            product *= 1.0 - self.uniform();
        }
        count
    }

    /// Binomial: of `n` trials with probability `p`, how many succeed. Exact; halves `n` by the median
    /// order statistic until it is small (Relles, JASA 67, 1972).
    pub fn binomial(&mut self, n: u64, p: f64) -> u64 {
        let (mut n, mut p, mut count) = (n, p, 0);
        while n > 32 {
            let k = n / 2 + 1;
            let (below, above) = (self.gamma(k as f64), self.gamma((n + 1 - k) as f64));
            let split = below / (below + above);
            if split <= p {
                count += k;
                n -= k;
                p = (p - split) / (1.0 - split);
            } else {
                n = k - 1;
                p /= split;
            }
        }
        count + (0..n).filter(|_| self.chance(p)).count() as u64
    }
}

/// Layers of a ziggurat under a decreasing density on [0, ∞), symmetric or one-sided.
struct Ziggurat {
    edge: [f64; 257],
    height: [f64; 257],
    density: fn(f64) -> f64,
    tail: fn(&mut Draws) -> f64,
    symmetric: bool,
}

impl Ziggurat {
    /// `r` is where the tail begins, `area` the area of each layer.
    fn new(
        r: f64,
        area: f64,
        symmetric: bool,
        density: fn(f64) -> f64,
        inverse: fn(f64) -> f64,
        tail: fn(&mut Draws) -> f64,
    ) -> Self {
        let mut edge = [0.0; 257];
        edge[0] = area / density(r);
        edge[1] = r;
        for i in 2..256 {
            edge[i] = inverse(area / edge[i - 1] + density(edge[i - 1]));
        }
        Self { height: edge.map(density), edge, density, tail, symmetric }
    }

    #[inline]
    fn with(&self, draws: &mut Draws) -> f64 {
        loop {
            let bits = draws.bits();
            let layer = (bits & 0xFF) as usize;
            let x = (bits >> 11) as f64 * UNIT * self.edge[layer];
            if x < self.edge[layer + 1] || self.accept(layer, x, draws) {
                return if self.symmetric && bits & 0x100 != 0 { -x } else { x };
            }
            if layer == 0 {
                let x = (self.tail)(draws);
                return if self.symmetric && bits & 0x100 != 0 { -x } else { x };
            }
        }
    }

    #[cold]
    fn accept(&self, layer: usize, x: f64, draws: &mut Draws) -> bool {
        let (low, high) = (self.height[layer], self.height[layer + 1]);
        layer != 0 && low + (high - low) * draws.uniform() < (self.density)(x)
    }
}

const NORMAL_R: f64 = 3.654_152_885_361_009;
const EXPONENTIAL_R: f64 = 7.697_117_470_131_05;

static NORMAL: LazyLock<Ziggurat> = LazyLock::new(|| {
    let tail = |draws: &mut Draws| loop {
        let x = draws.exponential() / NORMAL_R;
        if 2.0 * draws.exponential() > x * x {
            return NORMAL_R + x;
        }
    };
    Ziggurat::new(
        NORMAL_R,
        0.004_928_673_233_974_655,
        true,
        |x| num::exp(-0.5 * x * x),
        |y| (-2.0 * num::ln(y)).sqrt(),
        tail,
    )
});

static EXPONENTIAL: LazyLock<Ziggurat> = LazyLock::new(|| {
    let tail = |draws: &mut Draws| EXPONENTIAL_R - num::ln(1.0 - draws.uniform());
    Ziggurat::new(EXPONENTIAL_R, 0.003_949_659_822_581_557, false, |x| num::exp(-x), |y| -num::ln(y), tail)
});

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(mut draw: impl FnMut(&mut Draws) -> f64) -> (f64, f64) {
        let key = Key::root(7).child("test");
        let n = 400_000_u64;
        let (mut sum, mut squares) = (0.0, 0.0);
        for i in 0..n {
            let x = draw(&mut key.at(i));
            sum += x;
            squares += x * x;
        }
        let mean = sum / n as f64;
        (mean, squares / n as f64 - mean * mean)
    }

    fn close(found: (f64, f64), mean: f64, variance: f64) {
        let scale = variance.sqrt();
        assert!((found.0 - mean).abs() < 0.01 * scale, "mean {} instead of {mean}", found.0);
        assert!((found.1 - variance).abs() < 0.03 * variance, "variance {} instead of {variance}", found.1);
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        close(moments(Draws::uniform), 0.5, 1.0 / 12.0);
        close(moments(Draws::normal), 0.0, 1.0);
        close(moments(Draws::exponential), 1.0, 1.0);
        close(moments(|d| d.gamma(0.4)), 0.4, 0.4);
        close(moments(|d| d.gamma(9.0)), 9.0, 9.0);
        close(moments(|d| d.poisson(3.0) as f64), 3.0, 3.0);
        close(moments(|d| d.poisson(250.0) as f64), 250.0, 250.0);
        close(moments(|d| d.binomial(100, 0.3) as f64), 30.0, 21.0);
    }

    /// Kolmogorov's statistic against the exact distribution, so that the ziggurat's wedges and tail
    /// are checked and not only two moments.
    #[test]
    fn distributions_have_the_right_shape() {
        let key = Key::root(11);
        let n = 200_000_u64;
        let worst = |cdf: fn(f64) -> f64, draw: fn(&mut Draws) -> f64| {
            let mut xs: Vec<f64> = (0..n).map(|i| draw(&mut key.at(i))).collect();
            xs.sort_by(f64::total_cmp);
            let gap = |(i, x): (usize, &f64)| (cdf(*x) - (i as f64 + 0.5) / n as f64).abs();
            xs.iter().enumerate().map(gap).fold(0.0, f64::max)
        };
        let limit = 1.63 / (n as f64).sqrt(); // 1 % level
        assert!(worst(|x| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2), Draws::normal) < limit);
        assert!(worst(|x| 1.0 - num::exp(-x), Draws::exponential) < limit);
    }

    #[test]
    fn tails_are_reached() {
        let key = Key::root(3);
        let beyond = (0..4_000_000_u64).filter(|i| key.at(*i).normal().abs() > NORMAL_R).count();
        let expected = 4e6 * libm::erfc(NORMAL_R / std::f64::consts::SQRT_2); // 1 033
        assert!((beyond as f64 - expected).abs() < 4.0 * expected.sqrt(), "{beyond} instead of {expected}");
    }

    #[test]
    fn keys_differ() {
        let root = Key::root(1);
        assert_ne!(root.child("a"), root.child("b"));
        assert_ne!(root.nth(1), root.nth(2));
        assert_ne!(root.at(0).bits(), root.at(1).bits());
    }
}
