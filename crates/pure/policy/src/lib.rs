//! Policies: given what was observed, how many replicas.
//!
//! Each is a pure function of its state and the observation, and each names the document that it
//! follows and what differs. [`spec::PolicySpec`] is the form in which scenarios name them.

pub mod autoscale;
mod bounds;
pub mod cron;
pub mod error;
pub mod fixed;
pub mod hpa;
pub mod keda;
pub mod kpa;
pub mod planned;
pub mod predictive;
pub mod rejuvenate;
pub mod restart;
pub mod rivals;
pub mod space;
pub mod spec;
pub mod watermark;
