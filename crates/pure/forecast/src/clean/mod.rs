//! Raw points to a series that a model may learn from: equal steps, and what is no load told from no load.
//!
//! ```text
//! points ─► order: sorted, one value per time, gaps ─► resample: means over steps ─► screen: artefacts
//! ```
//!
//! [`Screen`] judges one value after the other, as a controller sees them; [`series`] has the whole record
//! and can also take back what it believed at first. Everything that was changed is said in [`Note`]s.

mod order;
mod plateau;
mod resample;
mod screen;
mod whole;

pub use screen::{Screen, Screened};
pub use whole::{Cleaned, Options, Refused, series};

use homeostat_core::Instant;

/// One value as it was recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When its bin begins.
    pub at: Instant,
    /// The value; NaN where the record has none.
    pub value: f64,
    /// Whether the service was known to be saturated then, so that demand was at least this.
    pub saturated: bool,
}

/// What a value measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// Things per bin. The series has them per second.
    Count,
    /// A rate or level: means are taken.
    #[default]
    Rate,
}

/// Why a value was not taken as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Times were not in order: sorted.
    Unordered,
    /// The clock went back and ran over times again: the values of one time are averaged.
    ClockBack,
    /// A time occurred twice: the values are averaged.
    Duplicate,
    /// Not a number.
    NotANumber,
    /// Negative.
    Negative,
    /// No value was recorded.
    Gap,
    /// Traffic fell at once to (almost) nothing and came back: a hole in the record or an outage.
    Outage,
    /// Zeros for far longer than this series has ever been quiet.
    Silence,
    /// One value far above all around it.
    Spike,
    /// The same value for too long: the source is stuck.
    Stuck,
    /// The service was saturated: throughput is a lower bound of demand.
    Saturated,
}

impl Reason {
    /// Its stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unordered => "unordered",
            Self::ClockBack => "clock-back",
            Self::Duplicate => "duplicate-time",
            Self::NotANumber => "not-a-number",
            Self::Negative => "negative",
            Self::Gap => "gap",
            Self::Outage => "outage",
            Self::Silence => "silence",
            Self::Spike => "spike",
            Self::Stuck => "stuck",
            Self::Saturated => "saturated",
        }
    }

    /// What was seen and what was made of it.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Unordered => "rows were not in order of time: sorted",
            Self::ClockBack => "the clock went back: values of the same time are averaged",
            Self::Duplicate => "times occurred twice: their values are averaged",
            Self::NotANumber => "not a number: missing",
            Self::Negative => "negative: missing",
            Self::Gap => "nothing was recorded: missing",
            Self::Outage => "traffic fell at once to almost nothing: missing, not zero load",
            Self::Silence => "zeros for far longer than ever before: missing, not zero load",
            Self::Spike => "a single value far above all around it: missing",
            Self::Stuck => "the same value for too long: missing",
            Self::Saturated => "saturated: demand was at least this",
        }
    }
}

/// Something that was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// Why.
    pub reason: Reason,
    /// Start of the first value that was changed.
    pub from: Instant,
    /// End of the last one.
    pub until: Instant,
    /// How many: rows before resampling, steps after it.
    pub count: usize,
}

#[cfg(test)]
mod tests;
