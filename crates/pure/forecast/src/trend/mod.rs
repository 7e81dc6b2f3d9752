//! Slopes of noisy series, and how sure they are.

mod sen;

pub use sen::theil_sen;
