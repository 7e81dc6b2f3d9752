//! The vocabulary everyone agrees on, and the loop that turns observations into decisions.
//!
//! ```text
//! sense ──► forecast ──► decide ──► guard ──► act
//! observe                policy     guard     plan::Vetted, decision
//! ```
//!
//! Everything here is a function of its arguments: no clock, no I/O, no thread, no hash order.
//! [`control::Controller`] is the loop; the same code runs in the twin, on one machine and on a
//! cluster.

pub mod civil;
pub mod control;
pub mod decision;
pub mod draw;
pub mod explain;
pub mod guard;
pub mod journal;
pub mod load;
pub mod num;
pub mod observe;
pub mod plan;
pub mod policy;
pub mod reason;
pub mod time;

pub use control::Controller;
pub use decision::Decision;
pub use guard::{Arbiter, GuardProfile};
pub use observe::{Observation, Reading, ReplicaId};
pub use plan::{Plan, Vetted};
pub use policy::{Cadence, Need, Policy};
pub use reason::{Reason, Rule};
pub use time::{Instant, Span};
