//! Transcendental functions through `libm`, so that every machine computes the same bits.
//!
//! The standard library hands these to the platform's own mathematics library, whose last digits
//! differ; a journal written on one machine would then not replay on another. `sqrt` is exact in
//! IEEE 754 and needs no detour.

use std::sync::LazyLock;

/// e to the power `x`.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// e to the power `x` within one unit in the last place but one, three times as fast as [`exp`]: for
/// draws by the billion. 2^(k/128) from a table times a polynomial (Tang, ACM TOMS 15(2), 1989), in
/// plain additions and multiplications, which are the same on every machine. Outside of ±700 it is
/// [`exp`].
#[inline]
pub fn exp_fast(x: f64) -> f64 {
    /// Adding and taking away this rounds to a whole number.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const STEPS_PER_UNIT: f64 = 128.0 * std::f64::consts::LOG2_E;
    /// ln 2 / 128 in two parts; the first has zeros at its end, so that its multiples are exact.
    const STEP_HIGH: f64 = 0.005_415_212_333_900_854;
    const STEP_LOW: f64 = 1.422_371_873_831_364_2e-11;
    if x.abs() >= 700.0 || x.is_nan() {
        return exp(x);
    }
    let rounded = x * STEPS_PER_UNIT + ROUND;
    let steps = rounded.to_bits() as i64 - ROUND.to_bits() as i64;
    let whole = rounded - ROUND;
    let r = (x - whole * STEP_HIGH) - whole * STEP_LOW;
    let square = r * r;
    let tail = r + square * (0.5 + r * (1.0 / 6.0)) + square * square * (1.0 / 24.0 + r * (1.0 / 120.0));
    let power = POWERS[(steps & 127) as usize];
    let scale = f64::from_bits((power.to_bits() as i64 + ((steps >> 7) << 52)) as u64);
    scale + scale * tail
}

/// 2^(k/128).
static POWERS: LazyLock<[f64; 128]> = LazyLock::new(|| std::array::from_fn(|k| libm::exp2(k as f64 / 128.0)));

/// Natural logarithm.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Logarithm to base ten.
pub fn log10(x: f64) -> f64 {
    libm::log10(x)
}

/// `x` to the power `y`.
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// Sine of `x` radians.
pub fn sin(x: f64) -> f64 {
    libm::sin(x)
}

/// Cosine of `x` radians.
pub fn cos(x: f64) -> f64 {
    libm::cos(x)
}

/// Complementary error function.
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// Gamma function.
pub fn gamma(x: f64) -> f64 {
    libm::tgamma(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_exponential_is_exact_to_two_units() {
        for i in -70_000..70_000 {
            let x = f64::from(i) * 0.01 + 1e-7 * f64::from(i % 97);
            let (fast, exact) = (exp_fast(x), exp(x));
            assert!((fast - exact).abs() <= 2.0 * f64::EPSILON * exact, "{x}: {fast} instead of {exact}");
        }
        assert_eq!(exp_fast(0.0), 1.0);
        assert_eq!(exp_fast(f64::INFINITY), f64::INFINITY);
        assert_eq!(exp_fast(f64::NEG_INFINITY), 0.0);
        assert!(exp_fast(f64::NAN).is_nan());
    }
}
