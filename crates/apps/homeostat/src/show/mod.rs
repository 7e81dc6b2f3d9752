//! What goes out: tables, JSON, the report.

pub(crate) mod json;
pub(crate) mod report;
pub(crate) mod table;
