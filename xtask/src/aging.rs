//! `cargo xtask aging`: the tables of docs/aging.md. Seeds below 1 000 were used to tune; the tables use
//! others. With `AGING_LOOK=ours` in the environment, single runs that went wrong are told of. `times` and
//! `recorded` draw docs/aging-times.svg and docs/aging-recorded.svg.

mod alarms;
mod peers;
mod picture;
mod recorded;
mod slopes;
mod stats;
mod times;
mod watching;

use std::path::Path;

use anyhow::Result;

/// Seeds from here on are for reports.
const REPORT: u64 = 1_000;

/// Runs everything in a release build; `--tuning` uses the tuning seeds, a name runs one part.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    if cfg!(debug_assertions) {
        let again = ["run", "--quiet", "--release", "--package", "xtask", "--", "aging"];
        return crate::call(crate::cargo().args(again).args(args));
    }
    let from = if args.iter().any(|arg| arg == "--tuning") { 1 } else { REPORT };
    let parts: Vec<&String> = args.iter().filter(|arg| !arg.starts_with("--")).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|arg| *arg == part);
    // First: its memory is told by what the process grows, and later parts leave memory to be used again.
    if wanted("watching") {
        watching::print();
    }
    if wanted("slopes") {
        slopes::print(from);
    }
    if wanted("alarms") {
        alarms::print(from);
    }
    if wanted("times") {
        times::print(root, from)?;
    }
    if wanted("recorded") {
        recorded::print(root)?;
    }
    Ok(())
}
