//! One module per command.

mod again;
pub(crate) mod aging;
pub(crate) mod calibrate;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod forecast;
pub(crate) mod hindsight;
pub(crate) mod merge;
mod part;
pub(crate) mod policies;
pub(crate) mod replay;
mod result;
mod scan;
pub(crate) mod scenario;
pub(crate) mod trace;
pub(crate) mod tune;
pub(crate) mod validate;
