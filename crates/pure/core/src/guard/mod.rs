//! Guards: what every plan passes before an actuator may see it.
//!
//! ```text
//! plans ──► Arbiter ──► freshness ► dead band ► stabilisation ► dwell ► step ► budget ► flips ► bounds
//!           ──► disruption ──► Vetted
//! ```
//!
//! A guard can only narrow a change; bounds come last and always hold. Each policy carries its
//! [`GuardProfile`]: peers rebuilt from upstream run under bounds only, so that "exact" stays exact.

mod arbiter;
mod chain;
mod profile;

pub use arbiter::Arbiter;
pub use chain::GuardChain;
pub(crate) use chain::Moment;
pub use profile::{BadProfile, Bounds, Budget, Dwell, Flips, GuardProfile, Stabilization, Step};
