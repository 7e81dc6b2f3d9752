//! From a file to a stream of load items: detect the format, then chain small stages.
//!
//! ```text
//! rows ─► sort (keyed or on demand) ─► merge duplicates and keys ─► bins ─► missing ─► items
//! ```
//!
//! Every stage holds a bounded amount: the sort spills runs to a temporary file.

mod bins;
mod events;
mod merge;
mod missing;
mod mooncake;
mod open;
pub(crate) mod prometheus;
mod raw;
mod series;
mod servegen;
mod sort;
mod values;

use homeostat_core::load::{Gaps, LoadItem, LoadStream, RequestSize};
use homeostat_core::{Instant, Span};

use crate::error::TraceError;
use crate::note::Note;
use crate::options::{Format, Measure};

pub use open::{open, open_raw};
pub use raw::{RawRow, RawSeries};

/// A trace that is ready to be read once, from its beginning.
pub struct Trace {
    /// The format that was found.
    pub format: Format,
    /// Whether times name calendar dates; otherwise they count from the start of the trace.
    pub calendar: bool,
    /// What the values of a series measure; `None` for event logs.
    pub measure: Option<Measure>,
    /// Length of a bin as far as the first rows tell; `None` for event logs.
    pub step: Option<Span>,
    /// What was assumed, each thing once.
    pub notes: Vec<Note>,
    /// The items in order of time. Ends after the first error.
    pub stream: LoadStream,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trace")
            .field("format", &self.format)
            .field("calendar", &self.calendar)
            .field("measure", &self.measure)
            .field("step", &self.step)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

/// One value of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cell {
    pub(crate) at: Instant,
    pub(crate) row: u64,
    pub(crate) key: u32,
    /// Requests or requests per second; `None` when the record has a hole here.
    pub(crate) value: Option<f64>,
    pub(crate) gaps: Gaps,
}

/// One recorded request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Event {
    pub(crate) at: Instant,
    pub(crate) row: u64,
    pub(crate) size: RequestSize,
}

pub(crate) type Cells = Box<dyn Iterator<Item = Result<Cell, TraceError>> + Send>;
pub(crate) type Events = Box<dyn Iterator<Item = Result<Event, TraceError>> + Send>;
pub(crate) type Items = Box<dyn Iterator<Item = Result<LoadItem, TraceError>> + Send>;
