//! Models: each takes one value per step and answers with a point forecast of the next steps.

mod last;

pub use last::Last;

use homeostat_core::Instant;

use crate::series::Value;

/// All models, the simplest first.
pub const NAMES: [&str; 1] = ["last"];

/// Where a step stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When the step begins.
    pub at: Instant,
    /// Seconds of local time since the epoch at that moment; days and weeks are counted in these.
    pub local_seconds: i64,
}

/// Forecasts one series, learning from every value.
pub trait Model: Send {
    /// The name shown to users.
    fn name(&self) -> &'static str;

    /// Takes the value of the next step. Steps come without holes: what is not known is [`Value::Missing`].
    fn update(&mut self, value: Value, place: Place);

    /// Writes the middle of the distribution of the next `out.len()` steps, which stand at `places`.
    /// Gives false, and leaves `out` alone, while it has learned too little.
    fn predict(&self, places: &[Place], out: &mut [f64]) -> bool;
}
