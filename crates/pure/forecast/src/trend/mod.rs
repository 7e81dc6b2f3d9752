//! Slopes of noisy series, and how sure they are.

mod basis;
mod noise;
mod sen;
pub(crate) mod shape;

pub(crate) use sen::median;
pub use sen::theil_sen;
