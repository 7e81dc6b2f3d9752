//! A decision as it stands in the journal.

use crate::decision::{Decision, ForecastNote, GuardAction, Order};
use crate::reason::Reason;
use crate::time::Instant;

/// A decision read from a journal. Its order is a plain value, not a vetted one: what was recorded can
/// be compared and explained, but no actuator accepts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedDecision {
    /// When.
    pub at: Instant,
    /// The count asked for until then.
    pub present: u32,
    /// The count that the policies proposed, before the guards.
    pub proposed: u32,
    /// What the actuator got.
    pub order: Order,
    /// Why the policies proposed it.
    pub reasons: Vec<Reason>,
    /// What the guards changed, in their order.
    pub guards: Vec<GuardAction>,
    /// The forecast used, where one was.
    pub forecast: Option<ForecastNote>,
}

impl RecordedDecision {
    /// The count that the target was to have.
    pub const fn replicas(&self) -> u32 {
        self.order.replicas
    }

    /// Whether the decision changed the count.
    pub const fn changes(&self) -> bool {
        self.order.replicas != self.present
    }

    /// Whether `decision` is the one recorded here, in every field.
    pub fn matches(&self, decision: &Decision) -> bool {
        Parts::from(self) == Parts::from(decision)
    }
}

impl PartialEq<Decision> for RecordedDecision {
    fn eq(&self, decision: &Decision) -> bool {
        self.matches(decision)
    }
}

impl From<&Decision> for RecordedDecision {
    fn from(decision: &Decision) -> Self {
        Self {
            at: decision.at,
            present: decision.present,
            proposed: decision.proposed,
            order: decision.order.get().clone(),
            reasons: decision.reasons.clone(),
            guards: decision.guards.clone(),
            forecast: decision.forecast,
        }
    }
}

/// What a decision and a recorded decision have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Parts<'a> {
    pub(super) at: Instant,
    pub(super) present: u32,
    pub(super) proposed: u32,
    pub(super) order: &'a Order,
    pub(super) reasons: &'a [Reason],
    pub(super) guards: &'a [GuardAction],
    pub(super) forecast: Option<ForecastNote>,
}

impl<'a> From<&'a Decision> for Parts<'a> {
    fn from(decision: &'a Decision) -> Self {
        Self {
            at: decision.at,
            present: decision.present,
            proposed: decision.proposed,
            order: decision.order.get(),
            reasons: &decision.reasons,
            guards: &decision.guards,
            forecast: decision.forecast,
        }
    }
}

impl<'a> From<&'a RecordedDecision> for Parts<'a> {
    fn from(decision: &'a RecordedDecision) -> Self {
        Self {
            at: decision.at,
            present: decision.present,
            proposed: decision.proposed,
            order: &decision.order,
            reasons: &decision.reasons,
            guards: &decision.guards,
            forecast: decision.forecast,
        }
    }
}
