//! Transcendental functions through `libm`, so that every machine computes the same bits.
//!
//! The standard library hands these to the platform's own mathematics library, whose last digits
//! differ; a journal written on one machine would then not replay on another. `sqrt` is exact in
//! IEEE 754 and needs no detour.

/// e to the power `x`.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

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

/// Gamma function.
pub fn gamma(x: f64) -> f64 {
    libm::tgamma(x)
}
