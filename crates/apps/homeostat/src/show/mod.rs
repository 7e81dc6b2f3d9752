//! What goes out: tables, JSON, the report.

pub(crate) mod against;
pub(crate) mod aging_plot;
pub(crate) mod fan_plot;
pub(crate) mod fit_plot;
pub(crate) mod forecast;
pub(crate) mod frontier_plot;
pub(crate) mod json;
pub(crate) mod money;
pub(crate) mod report;
pub(crate) mod table;
pub(crate) mod tuned;

use std::io::Write;
use std::path::Path;

use crate::failure::Failure;

/// Prints to standard output. A reader that has gone away (`| head`) is an error like any other, which
/// the caller passes up and [`crate::failure::Failure::report`] takes as the end.
pub(crate) fn say(text: impl std::fmt::Display) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Writes a file whole or not at all.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<(), Failure> {
    // The whole name is kept: neighbours may differ in their extension only.
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let written = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, path));
    if written.is_err() {
        drop(std::fs::remove_file(&part));
    }
    written.map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
}
