//! Comparison results drawn as one self-contained HTML file.
//!
//! [`render`] turns [`ReportData`] into a page that needs no network, no build tool and no other file:
//! styles and a small script of our own are part of the program, numbers travel inside the page.
//! The table, the headline and the definitions are plain HTML and read without a script.

mod ages;
mod axis;
mod data;
mod encode;
mod escape;
mod fan;
mod format;
mod headline;
mod marks;
mod payload;
mod reasons;
mod table;
mod template;
mod thin;

pub use data::{
    Aging, BoundPoint, DecisionMark, Demand, Envelope, Forecast, Objective, PolicyReport, ReplicaAge,
    ReportData, Series, Summary, TraceFacts,
};

/// Draws `data` as one HTML document.
///
/// Windows are merged and decisions dropped (the largest changes stay) so that 66 days of 12 policies
/// stay below 5 MB.
pub fn render(data: &ReportData) -> String {
    template::page(data)
}
