//! From recorded metrics to the service of a scenario, and back.
//!
//! ```text
//! Record ─► capacity: saturated? ─► latency: mean, cv, slots, contention ─┐
//!    │            └─► utilisation law, plateau ───────────────────────────┼─► Fit ─► Service
//!    └─► startup: orders against readiness ───────────────────────────────┘
//! Record (held out) + Scenario ─► replay: recorded counts, the twin's answers ─► errors
//! ```
//!
//! [`calibrate`] fits, [`replay::replay`] checks. The latency model is the twin's own: its stations under
//! Poisson arrivals and its balancer ([`physics`]), so that what is fitted is what will be simulated.

mod capacity;
mod errors;
mod fit;
#[doc(hidden)]
pub mod lab;
mod latency;
pub mod physics;
mod record;
pub mod replay;
mod solve;
mod startup;

pub use capacity::{Capacity, Law};
pub use fit::{Estimate, Fit, Note, Options, Point, Refusal, ServerChoice, calibrate};
pub use record::{LATENCIES, Record, Sample};
pub use startup::{StartUpFit, Starts};
