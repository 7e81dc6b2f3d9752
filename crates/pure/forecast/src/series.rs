//! Values at equal steps of time, and what is known of each.

use homeostat_core::{Instant, Span};

/// What is known of one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Measured.
    Known(f64),
    /// The true value is at least this: throughput while the service was saturated is not demand.
    AtLeast(f64),
    /// Not measured, or an artefact.
    Missing,
}

impl Value {
    /// The value where it was measured.
    pub const fn known(self) -> Option<f64> {
        match self {
            Self::Known(value) => Some(value),
            Self::AtLeast(_) | Self::Missing => None,
        }
    }
}

/// Values at equal steps of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// When the first step begins.
    pub start: Instant,
    /// Length of a step.
    pub step: Span,
    /// One value per step: the mean over the step, in the unit of the series.
    pub values: Vec<Value>,
}

impl Series {
    /// When step `index` begins.
    pub fn at(&self, index: usize) -> Instant {
        self.start + self.step * index as u64
    }
}
