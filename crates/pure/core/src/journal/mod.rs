//! The journal: what was observed and what was decided, as bytes that read back without loss.
//!
//! One record is one turn of the loop. A record says what differs from the record before it, so a
//! steady target costs a few bytes and a noisy metric about two bytes per replica. The edge stores the
//! records in order, frames and compresses them, and writes a [`Header`] in front.
//!
//! ```text
//! record   = tag, [version, needs], moment, replicas, readings, decision, [forecast], [replace]
//! tag      = bit 0: keyframe (nothing before it matters; version and needs follow)
//!            bit 1: the number of readings is not that of the needs (it follows the moment)
//!            bit 2: the decision used a forecast (it follows the decision)
//!            bit 3: the order replaces replicas (their ids follow)
//! moment   = time against (last time + last step), desired, current     as differences
//! replicas = edit script over the last list, then the replicas that differ from the expected ones
//! readings = kind and flags in one byte, then only the columns that differ from the expected ones
//! decision = against the moment, and reasons against the last reasons
//! forecast = its stretch against the moment, its quantiles against those of the last forecast
//! ```
//!
//! Whole numbers are LEB128; differences are zigzag LEB128 and wrap, so that any value fits. Differences
//! of time carry their unit (ns, µs, ms, s) in two bits.
//!
//! A reader may start at any keyframe. [`Encoder::reset`] makes the next record one, for example at the
//! start of each compressed block.

mod bytes;
mod codec;
mod error;
mod header;
mod memory;
mod readings;
mod record;
mod replicas;
mod script;
mod verdict;

pub use codec::{Decoder, Encoder};
pub use error::JournalError;
pub use header::{Header, NeedRecord, SchemaProbe};
pub use record::RecordedDecision;

/// Version of the records and of the header that are written. Version 1 has no forecasts and is read, too; a
/// reader refuses any other.
pub const JOURNAL_VERSION: u16 = 2;

/// Whether this program reads journals of this version.
const fn readable(version: u64) -> bool {
    version >= 1 && version <= JOURNAL_VERSION as u64
}
