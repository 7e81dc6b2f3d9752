//! What a policy is: a function from observations to plans, with its needs stated beforehand.

use crate::observe::Observation;
use crate::plan::Plan;
use crate::time::Span;

/// A metric that a policy wants to read. Names are those of the world; the twin's are listed in
/// `docs/scenarios.md`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A resource of each replica, all containers together: `cpu` (cores) or `memory` (bytes).
    Resource(String),
    /// A resource of one container of each replica.
    ContainerResource {
        /// The container.
        container: String,
        /// `cpu` (cores) or `memory` (bytes).
        resource: String,
    },
    /// A named metric of each replica, for example `requests_per_second` or `concurrency`.
    Pods(String),
    /// A named metric of an object in front of the replicas (ingress, service).
    Object(String),
    /// A named metric from outside, for example a queue's length.
    External(String),
}

/// How a policy wants its metrics collected, where it has a collector of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sensing {
    /// Time between two collections.
    pub scrape: Span,
    /// Length of time that one value covers.
    pub window: Span,
    /// Time from collection until the policy can read the value.
    pub delay: Span,
}

/// When a policy is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cadence {
    /// Time between two decisions.
    pub period: Span,
    /// The policy's own collector; `None` to use the world's metrics pipeline.
    pub sensing: Option<Sensing>,
    /// Whether a request that finds no replica asks for a decision at once (Knative's activator).
    pub wake_from_zero: bool,
}

impl Cadence {
    /// A decision every `period` on the world's own metrics.
    pub const fn every(period: Span) -> Self {
        Self { period, sensing: None, wake_from_zero: false }
    }
}

/// Decides how many replicas a target should have.
///
/// `decide` must be a function of the policy's state and the observation alone, the time being
/// `observation.at`. It never fails: a policy that can't read its metrics proposes what its source
/// document says it does then, and gives the reason.
pub trait Policy: Send {
    /// The metrics that every observation must answer, in a fixed order.
    fn needs(&self) -> &[Need];

    /// When the policy is asked, and how its metrics are collected.
    fn cadence(&self) -> Cadence;

    /// Proposes a plan. Called once per period, with increasing times.
    fn decide(&mut self, observation: &Observation) -> Plan;
}
