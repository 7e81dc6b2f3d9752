//! A cluster in virtual time, under the production control loop.
//!
//! ```text
//! workload ──► engine ──► balance ──► station      requests, one by one
//!                │           fleet                 replicas: ordered, starting, ready, draining, gone
//!                ├──► sense ──► Controller ──► fleet
//!                └──► outcome                      attainment, quantiles, replica-hours, series
//! ```
//!
//! [`scenario::Scenario`] describes a world, [`Simulation`] runs it under one set of policies. Policies
//! see only what the metrics pipeline delivers; random numbers are common to all of them.

pub mod balance;
pub mod bound;
pub mod curve;
mod engine;
mod fleet;
mod fluid;
pub mod outcome;
pub mod scenario;
pub mod search;
pub mod sense;
pub mod station;
pub mod workload;

pub use curve::ServiceCurve;
pub use engine::{Recorder, Silent, Simulation, Stop};
pub use fluid::Fluid;
pub use outcome::{Mark, Outcome};
pub use scenario::Scenario;
