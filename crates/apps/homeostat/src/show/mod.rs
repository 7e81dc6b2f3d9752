//! What goes out: tables, JSON, the report.

pub(crate) mod against;
pub(crate) mod json;
pub(crate) mod money;
pub(crate) mod report;
pub(crate) mod table;

use std::io::Write;

/// Prints to standard output. A reader that has gone away (`| head`) is an error like any other, which
/// the caller passes up and [`crate::failure::Failure::report`] takes as the end.
pub(crate) fn say(text: impl std::fmt::Display) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}
