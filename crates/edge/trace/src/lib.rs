//! Recorded traces and decision journals, in and out.
//!
//! [`open`] turns a file into a stream of load items, whatever its format; [`inspect`] says what is in
//! it; [`convert`] and [`write_bins`] write series; [`journal`] keeps decisions; [`read_metrics`] reads what
//! a monitoring system recorded of a service.

mod atomic;
mod columns;
mod error;
mod inspect;
pub mod journal;
mod metrics;
mod names;
mod note;
mod number;
mod options;
mod plot;
mod read;
mod shape;
mod signals;
mod source;
mod stamp;
mod table;
mod write;
mod zone;

pub use error::{BadOption, Refusal, TraceError};
pub use inspect::{
    Dispersion, Finding, FindingKind, Holes, Inspection, Peak, Period, RatePoint, Stretch, Summary, inspect,
};
pub use metrics::{MetricMap, MetricOptions, MetricRow, Metrics, Role, read_metrics, read_starts};
pub use note::Note;
pub use options::{Artefact, ColumnMap, Format, Measure, OnDuplicate, ReadOptions};
pub use plot::plot;
pub use read::{RawRow, RawSeries, Trace, open, open_raw};
pub use signals::{SignalOptions, SignalReading, Signals, read_signals, signal_unit};
pub use stamp::iso;
pub use write::{ConvertTo, Written, convert, write_bins};
pub use zone::Zone;
