//! Slopes of noisy series, and how sure they are.

pub(crate) mod basis;
pub(crate) mod blend;
mod family;
mod mann_kendall;
mod noise;
mod sen;
pub(crate) mod shape;

pub use mann_kendall::{MannKendall, mann_kendall};
pub(crate) use sen::median;
pub use sen::theil_sen;
